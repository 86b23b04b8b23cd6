//! A route of each channel and calls signed for it, for the tests of this folder.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ports::hooks::HookCall;
use ring::hmac;
use url::form_urlencoded;

use super::config::{TwilioChannel, TwilioConfig};

pub(super) const TOKEN: &str = "s3cret-t0ken";
pub(super) const CALLBACK_URL: &str = "https://msg.example.com/hooks/twilio";

pub(super) fn config(channel: TwilioChannel) -> TwilioConfig {
    TwilioConfig {
        account_sid: "AC0123".into(),
        auth_token: TOKEN.into(),
        channel,
        callback_url: CALLBACK_URL.into(),
        ..TwilioConfig::default()
    }
}

pub(super) fn form(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    form.finish().into_bytes()
}

/// A call as it comes, with this signature.
pub(super) fn call(query: &str, body: &[u8], signature: &str) -> HookCall {
    let header = |name: &str, value: &str| (name.into(), value.as_bytes().into());
    HookCall {
        method: "POST".into(),
        url: format!("{CALLBACK_URL}?{query}").into(),
        query: query.into(),
        headers: vec![
            header(
                "content-type",
                "application/x-www-form-urlencoded; charset=UTF-8",
            ),
            header("x-twilio-signature", signature),
        ],
        body: body.to_vec(),
    }
}

/// A call that Twilio signed with the token of [`config`].
pub(super) fn signed(query: &str, body: &[u8]) -> HookCall {
    signed_with(query, "", body)
}

/// The same, signed with this behind the URL.
pub(super) fn signed_with(query: &str, fragment: &str, body: &[u8]) -> HookCall {
    let mut fields: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
    fields.sort();
    fields.dedup();
    let mut text = CALLBACK_URL.to_owned();
    if !query.is_empty() {
        text.push('?');
        text.push_str(query);
    }
    text.push_str(fragment);
    for (name, value) in fields {
        text.push_str(&name);
        text.push_str(&value);
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, TOKEN.as_bytes());
    let tag = hmac::sign(&key, text.as_bytes());
    call(query, body, &STANDARD.encode(tag))
}
