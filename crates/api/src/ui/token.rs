//! Tokens: what a browser or a link is known by. Random, given out once, kept as SHA-256.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ids::first_key_at;
use domain::time::Timestamp;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use crate::error::ApiError;

/// Random bytes of a token.
const BYTES: usize = 32;
/// Bits of an id below the millisecond, filled at random: several processes may make ids.
const ID_RANDOM: i64 = 1 << 22;
/// What the token of a form is made over.
const CSRF: &[u8] = b"tandem csrf";

fn random<const N: usize>() -> Result<[u8; N], ApiError> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| ApiError::internal("the machine gives no random numbers"))?;
    Ok(bytes)
}

/// A token that nobody has seen yet.
pub(super) fn fresh() -> Result<String, ApiError> {
    Ok(URL_SAFE_NO_PAD.encode(random::<BYTES>()?))
}

/// The key of a row made now.
pub(super) fn fresh_key(now: Timestamp) -> Result<i64, ApiError> {
    let bytes = i64::from_le_bytes(random::<8>()?);
    Ok(first_key_at(now) + bytes.rem_euclid(ID_RANDOM))
}

/// The token that a page proves with that it could read an answer: made of the session's, so that
/// nothing more is kept, and telling nothing about it.
pub(super) fn csrf(session: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, session.as_bytes());
    URL_SAFE_NO_PAD.encode(hmac::sign(&key, CSRF))
}

/// Whether this is the session's token, in constant time.
pub(super) fn is_csrf(session: &str, given: &str) -> bool {
    let Ok(given) = URL_SAFE_NO_PAD.decode(given) else {
        return false;
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, session.as_bytes());
    hmac::verify(&key, CSRF, &given).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_of_a_form_fits_its_session_only() {
        let (one, other) = (fresh().unwrap(), fresh().unwrap());
        assert_ne!(one, other);
        assert!(is_csrf(&one, &csrf(&one)));
        assert!(!is_csrf(&one, &csrf(&other)));
        assert!(!is_csrf(&one, "") && !is_csrf(&one, "ä"));
        assert!(!csrf(&one).contains(&one));
    }
}
