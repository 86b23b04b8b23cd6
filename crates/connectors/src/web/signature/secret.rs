//! Secrets that a provider was given and shows as they are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ports::hooks::HookCall;
use ring::hmac as mac;
use url::form_urlencoded;

use super::{Distrust, believe};

/// Whether `given` is the secret. An empty secret is nobody's.
pub(crate) fn shared_secret(expected: &str, given: Option<&str>) -> Result<(), Distrust> {
    let given = given.ok_or(Distrust::Missing)?;
    // Compared as MACs: the time that takes tells nothing of where they differ.
    let key = mac::Key::new(mac::HMAC_SHA256, b"compares two secrets");
    let tag = mac::sign(&key, expected.as_bytes());
    let is_same = mac::verify(&key, given.as_bytes(), tag.as_ref()).is_ok();
    believe(is_same && !expected.is_empty())
}

/// A header (its name in lower case) that holds the secret.
pub(crate) fn shared_header(expected: &str, name: &str, call: &HookCall) -> Result<(), Distrust> {
    shared_secret(expected, call.header(name))
}

/// A name and a password by the Basic scheme. An empty password is nobody's.
pub(crate) fn basic(user: &str, password: &str, call: &HookCall) -> Result<(), Distrust> {
    let header = call.header("authorization").ok_or(Distrust::Missing)?;
    let (scheme, text) = header.split_once(' ').ok_or(Distrust::Malformed)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(Distrust::Malformed);
    }
    let decoded = STANDARD
        .decode(text.trim())
        .map_err(|_| Distrust::Malformed)?;
    let given = String::from_utf8(decoded).map_err(|_| Distrust::Malformed)?;
    shared_secret(&format!("{user}:{password}"), Some(&given))?;
    believe(!password.is_empty())
}

/// A parameter of the URL that holds the secret.
pub(crate) fn query_secret(
    expected: &str,
    parameter: &str,
    call: &HookCall,
) -> Result<(), Distrust> {
    let given = form_urlencoded::parse(call.query.as_bytes())
        .find(|it| it.0 == parameter)
        .map(|it| it.1);
    shared_secret(expected, given.as_deref())
}
