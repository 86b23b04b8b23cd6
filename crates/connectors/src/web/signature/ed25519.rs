//! Signatures by a key that only the provider has.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, UnparsedPublicKey};

use super::{Distrust, believe};

/// An Ed25519 signature over `message`; both texts are Base64.
pub(crate) fn ed25519(
    public_key: &str,
    message: &[u8],
    given: Option<&str>,
) -> Result<(), Distrust> {
    let given = given.ok_or(Distrust::Missing)?;
    let decode = |text: &str| STANDARD.decode(text).map_err(|_| Distrust::Malformed);
    let key = UnparsedPublicKey::new(&ED25519, decode(public_key)?);
    believe(key.verify(message, &decode(given)?).is_ok())
}
