//! Signatures by a key that only the provider has.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::time::{Millis, Timestamp};
use ports::hooks::HookCall;
use ring::signature::{ED25519, UnparsedPublicKey};

use super::{Distrust, believe, fresh};

/// How far Telnyx's time may be from ours.
const TELNYX_TOLERANCE: Millis = Millis::seconds(300);

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

/// Telnyx: over time and body, at most five minutes old.
pub(crate) fn telnyx(public_key: &str, call: &HookCall, now: Timestamp) -> Result<(), Distrust> {
    let timestamp = call.header("telnyx-timestamp").ok_or(Distrust::Missing)?;
    let mut message = format!("{timestamp}|").into_bytes();
    message.extend_from_slice(&call.body);
    ed25519(
        public_key,
        &message,
        call.header("telnyx-signature-ed25519"),
    )?;
    fresh(timestamp, now, TELNYX_TOLERANCE)
}
