//! Ids, tokens and codes: how they are made, and how they are kept.

use ring::{digest, hmac};

/// Letters of ids and tokens: 64, so that each is six bits.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
/// Letters of an id and a token, as the app's own server makes them: 126 bits.
const LENGTH: usize = 21;

/// A fresh id or token of 21 letters.
pub(super) fn fresh() -> String {
    letters(LENGTH)
}

/// A fresh signing key.
pub(super) fn signing_key() -> String {
    letters(43)
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |it: u8| char::from_digit(it.into(), 16).unwrap_or('0');
    let digits = bytes.iter().flat_map(|it| [digit(it >> 4), digit(it & 15)]);
    digits.collect()
}

fn letters(count: usize) -> String {
    let letter = |_| {
        let at: u8 = rand::random();
        char::from(LETTERS[usize::from(at & 63)])
    };
    (0..count).map(letter).collect()
}

/// A fresh code of six digits.
pub(super) fn code() -> String {
    // The bias of the remainder is one in four thousand.
    format!("{:06}", rand::random::<u32>() % 1_000_000)
}

/// A fresh UUID, which is what fits the id of a message on a phone.
pub(super) fn uuid() -> Box<str> {
    let random: u128 = rand::random();
    // Version 4, variant 1.
    let bits = random & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-").into()
}

/// What is kept of a token or code. Tokens have 126 random bits, so they need no slow hash; a code
/// lives for minutes, and guesses are counted.
pub(super) fn hash(secret: &str) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, secret.as_bytes());
    let mut hash = [0; 32];
    hash.copy_from_slice(digest.as_ref());
    hash
}

/// The secret part of the URL that a phone posts its webhooks to; it follows from its signing key.
pub(super) fn hook_secret(signing_key: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, signing_key.as_bytes());
    let tag = hmac::sign(&key, b"tandem: hook of a phone");
    hex(&tag.as_ref()[..12])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_have_the_forms_that_the_app_takes_and_never_repeat() {
        assert_eq!(fresh().len(), 21);
        assert_ne!(fresh(), fresh());
        let code = code();
        assert!(
            code.len() == 6 && code.bytes().all(|it| it.is_ascii_digit()),
            "{code}"
        );
        let id = uuid();
        assert_eq!(id.len(), 36);
        assert_eq!((&id[14..15], &id[8..9]), ("4", "-"));
        assert!("89ab".contains(&id[19..20]), "{id}");
        assert_ne!(uuid(), id);
        assert_ne!(hook_secret("a"), hook_secret("b"));
        assert_eq!(hook_secret("a").len(), 24);
    }
}
