//! Signatures, against those of Twilio's own library.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::Value;

use super::super::config::TwilioChannel;
use super::super::fixtures::{self, CALLBACK_URL, call, form, signed, signed_with};
use super::*;

/// Made by `vectors.py` with Twilio's library.
const VECTORS: &str = include_str!("vectors.json");

const FORM: &str = "application/x-www-form-urlencoded";

fn call_to(url: &str, content_type: &str, body: &str, signature: &str) -> HookCall {
    let query = url.split_once('?').map_or("", |it| it.1);
    let mut call = call(query, body.as_bytes(), signature);
    call.headers[0].1 = content_type.as_bytes().into();
    // The URL of the call is never looked at.
    call.url = "https://elsewhere.example/".into();
    call
}

fn config(url: &str) -> TwilioConfig {
    TwilioConfig {
        callback_url: url.split('?').next().unwrap().into(),
        ..fixtures::config(TwilioChannel::Sms)
    }
}

#[test]
fn twilios_own_library_agrees_on_every_signature() {
    let all: Value = serde_json::from_str(VECTORS).unwrap();
    let vectors = all["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 16);
    for it in vectors {
        let url = it["url"].as_str().unwrap();
        let config = TwilioConfig {
            auth_token: all["token"].as_str().unwrap().into(),
            webhook_shared_key: Some(all["shared_key"].as_str().unwrap().into()),
            ..config(url)
        };
        let mut call = call_to(
            url,
            it["content_type"].as_str().unwrap_or(FORM),
            it["body"].as_str().unwrap(),
            it["signature"].as_str().unwrap(),
        );
        if let Some(settings) = it["settings"].as_str() {
            let value = settings.as_bytes().into();
            call.headers.push((SETTINGS_HEADER.into(), value));
        }
        let good = verified(&config, &call).is_ok();
        assert_eq!(Some(good), it["good"].as_bool(), "{}", it["about"]);
    }
}

/// Twilio's documentation has this token.
fn documented(url: &str) -> TwilioConfig {
    TwilioConfig {
        auth_token: "12345".into(),
        ..config(url)
    }
}

#[test]
fn the_documented_example_is_believed_in_both_schemes() {
    let body = form(&[
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    ]);
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    let body = String::from_utf8(body).unwrap();
    let mut config = documented(url);
    let classic = call_to(url, FORM, &body, "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
    assert!(verified(&config, &classic).is_ok());

    let tag = "033hgUJA9M/hXIZsYjwkerEP/DBm35nEri5FhCYjA5s=";
    let mut second = call_to(url, FORM, &body, tag);
    second.headers.push((
        SETTINGS_HEADER.into(),
        b"key=k1,algorithm=HMAC_SHA256"[..].into(),
    ));
    assert!(verified(&config, &second).is_err(), "no shared key is set");
    config.webhook_shared_key = Some("12345".into());
    assert!(verified(&config, &second).is_ok());
}

#[test]
fn values_are_signed_as_they_were_before_encoding() {
    let url = "https://router.example/cb/twilio";
    let body = form(&[
        ("MessageSid", "SM1"),
        ("MessageStatus", "delivered"),
        ("To", "+14155551212"),
        ("From", "+14155550000"),
        ("ApiVersion", "2010-04-01"),
        ("AccountSid", "AC0"),
        ("SmsSid", "SM1"),
        ("SmsStatus", "delivered"),
        ("Body", "é ü"),
    ]);
    let body = String::from_utf8(body).unwrap();
    let call = call_to(url, FORM, &body, "uLCrkKwUalFa4E7Pp2Ak2QjHtqI=");
    assert!(verified(&documented(url), &call).is_ok());
}

#[test]
fn what_is_changed_or_missing_is_not_believed() {
    let config = config(CALLBACK_URL);
    let body = form(&[("MessageSid", "SM1"), ("MessageStatus", "sent")]);
    let good = signed("ref=x", &body);
    assert!(verified(&config, &good).is_ok());

    let mut changed = good.clone();
    changed.query = "ref=y".into();
    assert!(verified(&config, &changed).is_err());

    let mut changed = good.clone();
    changed.body = form(&[("MessageSid", "SM1"), ("MessageStatus", "read")]);
    assert!(verified(&config, &changed).is_err());

    let mut changed = good.clone();
    changed.headers.truncate(1);
    assert!(verified(&config, &changed).is_err());

    // A body that is said to be no form must be signed by its hash.
    let mut changed = good.clone();
    changed.headers[0].1 = b"text/plain"[..].into();
    assert!(verified(&config, &changed).is_err());

    for signature in ["", "%%%", "AAAA"] {
        let changed = call("ref=x", &body, signature);
        assert!(verified(&config, &changed).is_err(), "{signature:?}");
    }
}

#[test]
fn what_asks_for_retries_may_be_signed_or_not() {
    let config = config(CALLBACK_URL);
    for (end, good) in [("", true), ("#rc=3&rp=all", true), ("#rc=5", false)] {
        let call = signed_with("ref=x", end, b"");
        assert_eq!(verified(&config, &call).is_ok(), good, "{end}");
    }
}

#[test]
fn an_empty_secret_signs_nothing() {
    let config = TwilioConfig {
        auth_token: String::new(),
        webhook_shared_key: Some(String::new()),
        ..config(CALLBACK_URL)
    };
    let empty = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"");
    let tag = STANDARD.encode(hmac::sign(&empty, CALLBACK_URL.as_bytes()));
    let mut call = call("", b"", &tag);
    assert!(verified(&config, &call).is_err());
    call.headers
        .push((SETTINGS_HEADER.into(), b"algorithm=HMAC_SHA1"[..].into()));
    assert!(verified(&config, &call).is_err());
}
