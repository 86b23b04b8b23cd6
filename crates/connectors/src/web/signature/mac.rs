//! Signatures that are an HMAC over given bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ports::hooks::HookCall;
use ring::hmac as mac;

use super::{Distrust, believe};

/// The hash inside an HMAC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hash {
    /// SHA-1: broken for documents, not for HMAC.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Hash {
    pub(super) const fn algorithm(self) -> mac::Algorithm {
        match self {
            Self::Sha1 => mac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => mac::HMAC_SHA256,
            Self::Sha512 => mac::HMAC_SHA512,
        }
    }
}

/// How a signature is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Encoding {
    /// Hexadecimal digits of either case.
    Hex,
    /// Base64 with padding.
    Base64,
}

impl Encoding {
    /// The bytes that a text stands for.
    pub(super) fn decode(self, text: &str) -> Result<Vec<u8>, Distrust> {
        match self {
            Self::Hex => hex(text),
            Self::Base64 => STANDARD.decode(text).ok(),
        }
        .ok_or(Distrust::Malformed)
    }
}

/// How an HMAC is made and written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Scheme<'a> {
    /// Its hash.
    pub(crate) hash: Hash,
    /// How it is written.
    pub(crate) encoding: Encoding,
    /// What stands before it.
    pub(crate) prefix: &'a str,
}

/// An HMAC over `message`, written by a scheme.
pub(crate) fn hmac(
    scheme: Scheme<'_>,
    key: &[u8],
    message: &[u8],
    given: Option<&str>,
) -> Result<(), Distrust> {
    let given = given.ok_or(Distrust::Missing)?;
    let text = given
        .strip_prefix(scheme.prefix)
        .ok_or(Distrust::Malformed)?;
    let tag = scheme.encoding.decode(text)?;
    tagged(scheme.hash, key, message, &tag)
}

/// With an empty key everybody could sign, so it signs nothing.
pub(super) fn tagged(hash: Hash, key: &[u8], message: &[u8], tag: &[u8]) -> Result<(), Distrust> {
    let is_secret = !key.is_empty();
    let key = mac::Key::new(hash.algorithm(), key);
    believe(mac::verify(&key, message, tag).is_ok() && is_secret)
}

/// Meta's `X-Hub-Signature-256`, with the secret of the app.
pub(crate) fn meta(app_secret: &str, call: &HookCall) -> Result<(), Distrust> {
    let scheme = Scheme {
        hash: Hash::Sha256,
        encoding: Encoding::Hex,
        prefix: "sha256=",
    };
    let given = call.header("x-hub-signature-256");
    hmac(scheme, app_secret.as_bytes(), &call.body, given)
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |it: u8| char::from(it).to_digit(16);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|[high, low]| u8::try_from(digit(*high)? * 16 + digit(*low)?).ok())
        .collect()
}
