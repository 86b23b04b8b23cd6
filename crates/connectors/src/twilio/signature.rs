//! Whether a callback is from Twilio: its signature over URL and parameters.
//!
//! The URL is what Twilio was given, so it comes from the configuration. Twilio signs it with or
//! without a port, not always as it was written, so both forms count.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ports::hooks::HookCall;
use ring::{constant_time, digest, hmac};
use url::form_urlencoded;

use super::config::TwilioConfig;

/// The signature.
const HEADER: &str = "x-twilio-signature";
/// Names key and algorithm where the second scheme is used: `key=…,algorithm=HMAC_SHA256`.
const SETTINGS_HEADER: &str = "x-twilio-webhooks-signature-settings";
/// The type of bodies whose parameters are signed.
const FORM: &str = "application/x-www-form-urlencoded";
/// In the query: the hash of a body that is no form.
const BODY_HASH: &str = "bodySHA256";

/// Parameters, in the order in which they came.
pub(super) type Parameters = Vec<(String, String)>;

/// The parameters of a call that is from Twilio; `None` where its signature is wrong or missing.
///
/// A body that is not a form has none; it is signed by its hash in the query.
pub(super) fn verified(config: &TwilioConfig, call: &HookCall) -> Option<Parameters> {
    let tag = STANDARD.decode(call.header(HEADER)?.trim()).ok()?;
    let key = key(config, call.header(SETTINGS_HEADER).unwrap_or_default())?;
    let parameters = if is_form(call) {
        decode(&call.body)
    } else {
        if !call.body.is_empty() && !has_hash(&call.query, &call.body) {
            return None;
        }
        Vec::new()
    };
    let url = if call.query.is_empty() {
        config.callback_url.clone()
    } else {
        format!("{}?{}", config.callback_url, call.query)
    };
    let tail = signed_parameters(&parameters);
    let good = ports_of(&url)
        .into_iter()
        .any(|url| hmac::verify(&key, format!("{url}{tail}").as_bytes(), &tag).is_ok());
    good.then_some(parameters)
}

/// Decodes a form or a query.
pub(super) fn decode(octets: &[u8]) -> Parameters {
    form_urlencoded::parse(octets).into_owned().collect()
}

fn is_form(call: &HookCall) -> bool {
    let stated = call.header("content-type").unwrap_or_default();
    let kind = stated.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case(FORM)
}

/// With which key a call is signed: where an algorithm is named, with the shared key; else with the
/// account's token, by the older scheme.
fn key(config: &TwilioConfig, settings: &str) -> Option<hmac::Key> {
    let named = settings
        .split(',')
        .filter_map(|it| it.split_once('='))
        .find(|it| it.0.trim() == "algorithm" && !it.1.trim().is_empty());
    let Some((_, algorithm)) = named else {
        let token = config.auth_token.as_bytes();
        // An unset secret would let everybody sign.
        return (!token.is_empty())
            .then(|| hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token));
    };
    let algorithm = match &*algorithm.trim().to_ascii_uppercase() {
        "HMAC_SHA256" => hmac::HMAC_SHA256,
        "HMAC_SHA1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        _ => return None,
    };
    let shared = config.webhook_shared_key.as_deref()?;
    (!shared.is_empty()).then(|| hmac::Key::new(algorithm, shared.as_bytes()))
}

/// Name and value of each parameter without anything between, by name and value, repetitions once.
fn signed_parameters(parameters: &Parameters) -> String {
    let mut by_name: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in parameters {
        by_name.entry(name).or_default().insert(value);
    }
    let mut text = String::new();
    for (name, values) in by_name {
        for value in values {
            text.push_str(name);
            text.push_str(value);
        }
    }
    text
}

fn has_hash(query: &str, body: &[u8]) -> bool {
    let query = decode(query.as_bytes());
    let Some((_, stated)) = query.iter().find(|it| it.0 == BODY_HASH) else {
        return false;
    };
    let hash = digest::digest(&digest::SHA256, body);
    let hex: String = hash.as_ref().iter().map(|it| format!("{it:02x}")).collect();
    constant_time::verify_slices_are_equal(hex.as_bytes(), stated.as_bytes()).is_ok()
}

/// A URL without its port and with one: its own, or that of its scheme. One that cannot be taken
/// apart stands for itself.
fn ports_of(url: &str) -> Vec<String> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return vec![url.to_owned()];
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    // The colons of an IPv6 address are no port's.
    let host_end = authority.rfind(']').map_or(0, |it| it + 1);
    let port = authority[host_end..].rfind(':').map(|it| it + host_end);
    let host = &authority[..port.unwrap_or(authority.len())];
    let default = if scheme.eq_ignore_ascii_case("https") {
        ":443"
    } else {
        ":80"
    };
    let port = port.map_or(default, |it| &authority[it..]);
    vec![
        format!("{scheme}://{host}{path}"),
        format!("{scheme}://{host}{port}{path}"),
    ]
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
