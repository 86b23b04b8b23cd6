//! The signatures against exchanges that other programs made.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::*;
use crate::web::testing::hook;
use ports::hooks::HookCall;

fn with(mut call: HookCall, name: &str, value: &str) -> HookCall {
    call.headers.push((name.into(), value.as_bytes().into()));
    call
}

fn hex(bytes: &[u8]) -> String {
    let digits = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|it| [it >> 4, it & 15])
        .map(|it| char::from(digits[usize::from(it)]))
        .collect()
}

fn form(url: &str, body: &str) -> HookCall {
    let call = hook("POST", url, body);
    with(call, "content-type", "application/x-www-form-urlencoded")
}

/// How far Telnyx's time may be from ours.
const TELNYX_TOLERANCE: Millis = Millis::seconds(300);

/// Telnyx: over time and body, at most five minutes old.
fn telnyx(public_key: &str, call: &HookCall, now: Timestamp) -> Result<(), Distrust> {
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

/// Vonage's Messages API: a bearer token over the body.
fn vonage_messages(secret: &str, call: &HookCall, now: Timestamp) -> Result<(), Distrust> {
    let header = call.header("authorization").ok_or(Distrust::Missing)?;
    let (scheme, token) = header.split_once(' ').ok_or(Distrust::Malformed)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Distrust::Malformed);
    }
    let checks = JwtChecks {
        issuer: None,
        url: None,
        body: &call.body,
        now,
    };
    jwt_hs256(secret, Some(token.trim()), checks)
}

/// `MessageBird-Signature-JWT` over URL and body.
fn messagebird(key: &str, call: &HookCall, now: Timestamp) -> Result<(), Distrust> {
    let checks = JwtChecks {
        issuer: Some("MessageBird"),
        url: Some(&call.url),
        body: &call.body,
        now,
    };
    jwt_hs256(key, call.header("messagebird-signature-jwt"), checks)
}

/// Sinch's `x-sinch-webhook-signature` over body, nonce and time.
fn sinch(secret: &str, call: &HookCall) -> Result<(), Distrust> {
    let nonce = call.header("x-sinch-webhook-signature-nonce");
    let timestamp = call.header("x-sinch-webhook-signature-timestamp");
    let (nonce, timestamp) = (
        nonce.ok_or(Distrust::Missing)?,
        timestamp.ok_or(Distrust::Missing)?,
    );
    let mut message = call.body.clone();
    message.extend_from_slice(format!(".{nonce}.{timestamp}").as_bytes());
    let scheme = Scheme {
        hash: Hash::Sha256,
        encoding: Encoding::Base64,
        prefix: "",
    };
    let given = call.header("x-sinch-webhook-signature");
    hmac(scheme, secret.as_bytes(), &message, given)
}

#[test]
fn meta_signs_the_bytes_as_they_came() {
    let signed = |body: &str, signature: &str| {
        let call = hook("POST", "https://x/y", body);
        meta(
            "appsecret123",
            &with(call, "x-hub-signature-256", signature),
        )
    };
    let object = r#"{"object":"whatsapp_business_account","entry":[]}"#;
    let of_object = "5f5d4ae685e6c323ebea2d5a7d58ac41acf4344a54bae38373a09987238e8198";
    let of_escaped = "a8dd2e19b52c9cb30f887774d2797febe1bf0e874497e3b02d4a4eae776bf741";
    assert_eq!(signed(object, &format!("sha256={of_object}")), Ok(()));
    let of_escaped = format!("sha256={of_escaped}");
    assert_eq!(signed(r#"{"k":"\u00e9"}"#, &of_escaped), Ok(()));
    assert_eq!(signed(r#"{"k":"é"}"#, &of_escaped), Err(Distrust::Wrong));
    assert_eq!(signed(object, of_object), Err(Distrust::Malformed));
    assert_eq!(
        signed(object, &format!("sha256={}", &of_object[..62])),
        Err(Distrust::Wrong)
    );
    assert_eq!(
        signed(object, &format!("sha256={}", &of_object[..63])),
        Err(Distrust::Malformed)
    );
    assert_eq!(
        meta("appsecret123", &hook("POST", "https://x/y", object)),
        Err(Distrust::Missing)
    );
}

const TWILIO: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
const TWILIO_FORM: &str = "To=%2B18005551212&Digits=1234&CallSid=CA1234567890ABCDE\
    &Caller=%2B14158675309&From=%2B14158675309&Digits=1234";
const TWILIO_SHA1: &str = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";

#[test]
fn twilio_signs_url_and_sorted_parameters_by_either_hash() {
    for signature in [TWILIO_SHA1, "033hgUJA9M/hXIZsYjwkerEP/DBm35nEri5FhCYjA5s="] {
        let call = with(form(TWILIO, TWILIO_FORM), "x-twilio-signature", signature);
        assert_eq!(twilio("12345", &call), Ok(()));
        assert_eq!(twilio("54321", &call), Err(Distrust::Wrong));
    }
    let body = "MessageSid=SM1&MessageStatus=delivered&To=%2B14155551212&From=%2B14155550000\
        &ApiVersion=2010-04-01&AccountSid=AC0&SmsSid=SM1&SmsStatus=delivered&Body=%C3%A9+%C3%BC";
    let call = form("https://router.example/cb/twilio", body);
    let call = with(call, "x-twilio-signature", "uLCrkKwUalFa4E7Pp2Ak2QjHtqI=");
    assert_eq!(twilio("12345", &call), Ok(()));
}

#[test]
fn twilio_may_write_the_default_port_or_not() {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"12345");
    for (signed, configured) in [
        ("https://a.example:443/x?y=1", "https://a.example/x?y=1"),
        ("https://a.example/x?y=1", "https://a.example:443/x?y=1"),
        ("http://a.example:80/x", "http://a.example/x"),
        ("https://u:p@a.example:443", "https://u:p@a.example"),
        ("https://[::1]:443/", "https://[::1]/"),
    ] {
        let tag = STANDARD.encode(ring::hmac::sign(&key, signed.as_bytes()));
        let call = with(hook("POST", configured, ""), "x-twilio-signature", &tag);
        assert_eq!(twilio("12345", &call), Ok(()), "{configured}");
        let other = with(hook("POST", "https://b/", ""), "x-twilio-signature", &tag);
        assert_eq!(twilio("12345", &other), Err(Distrust::Wrong));
    }
}

#[test]
fn twilio_names_the_hash_of_a_json_body_in_the_url() {
    let body = r#"{"a":1}"#;
    let hash = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";
    let url = format!("https://a.example/x?bodySHA256={hash}");
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"12345");
    let tag = STANDARD.encode(ring::hmac::sign(&key, url.as_bytes()));
    let signed = |url: &str, body: &str| {
        twilio(
            "12345",
            &with(hook("POST", url, body), "x-twilio-signature", &tag),
        )
    };
    assert_eq!(signed(&url, body), Ok(()));
    assert_eq!(signed(&url, r#"{"a":2}"#), Err(Distrust::Wrong));
    assert_eq!(signed("https://a.example/x", body), Err(Distrust::Missing));
}

#[test]
fn telnyx_signs_time_and_body_and_is_believed_for_five_minutes() {
    let key = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";
    let signature =
        "pmm/YHtpL/bnllaRHmR0TMh1ZEvrexFxbKwOdKxyDp/1hD1YemjWGnhsupvnixngBNOCEkG5Lix0pI3LPRHODw==";
    let call = |body: &str| {
        let call = hook("POST", "https://x/y", body);
        let call = with(call, "telnyx-timestamp", "1795300000");
        with(call, "telnyx-signature-ed25519", signature)
    };
    let body = r#"{"data":{"event_type":"message.finalized"}}"#;
    let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
    for (now, expected) in [
        (1_795_300_000, Ok(())),
        (1_795_300_300, Ok(())),
        (1_795_299_700, Ok(())),
        (1_795_300_301, Err(Distrust::Stale)),
        (1_795_299_699, Err(Distrust::Stale)),
    ] {
        assert_eq!(telnyx(key, &call(body), at(now)), expected, "{now}");
    }
    let now = at(1_795_300_000);
    assert_eq!(telnyx(key, &call("{}"), now), Err(Distrust::Wrong));
    let bare = hook("POST", "https://x/y", body);
    assert_eq!(telnyx(key, &bare, now), Err(Distrust::Missing));
}

#[test]
fn plivo_signs_the_sorted_form_and_a_nonce_and_may_sign_twice() {
    let body = "To=14155551212&From=14155550000&Status=delivered";
    let signature = "JcTDm+TU2K5k0RYz/zjsgI7hY7OIY2sIaKjEmN68saU=";
    let call = |body: &str, signature: &str| {
        let call = form("https://router.example/cb/plivo?x=1", body);
        let call = with(call, "x-plivo-signature-v3", signature);
        with(call, "x-plivo-signature-v3-nonce", "nonce1")
    };
    assert_eq!(plivo_v3("authtoken", &call(body, signature)), Ok(()));
    let two = format!("AAAA,{signature}");
    assert_eq!(plivo_v3("authtoken", &call(body, &two)), Ok(()));
    assert_eq!(
        plivo_v3("authtoken", &call("To=1", signature)),
        Err(Distrust::Wrong)
    );
}

#[test]
fn plivo_signs_forms_without_a_query_and_queries_without_a_form() {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"authtoken");
    for (method, url, body, message) in [
        ("POST", "https://a/b", "B=2&A=1", "https://a/b?A1B2.n"),
        ("POST", "https://a/b?z=1&y=2", "", "https://a/b?y=2&z=1.n"),
        (
            "GET",
            "https://a/b?z=1&y=%2B2",
            "",
            "https://a/b?y=+2&z=1.n",
        ),
        ("GET", "https://a/b", "", "https://a/b.n"),
    ] {
        let mut call = form(url, body);
        call.method = method.into();
        let tag = STANDARD.encode(ring::hmac::sign(&key, message.as_bytes()));
        let call = with(call, "x-plivo-signature-v3", &tag);
        let call = with(call, "x-plivo-signature-v3-nonce", "n");
        assert_eq!(plivo_v3("authtoken", &call), Ok(()), "{method} {url}");
    }
}

#[test]
fn sinch_signs_body_nonce_and_time() {
    let call = hook("POST", "https://x/y", r#"{"a":1}"#);
    let call = with(call, "x-sinch-webhook-signature-nonce", "nonce1");
    let call = with(call, "x-sinch-webhook-signature-timestamp", "1700000000");
    let signature = "6zmzuUZXdK1YJvgUamsse9iuJ1HGsTxpC4U8t3H0VXA=";
    let mut call = with(call, "x-sinch-webhook-signature", signature);
    assert_eq!(sinch("secret", &call), Ok(()));
    call.body.push(b' ');
    assert_eq!(sinch("secret", &call), Err(Distrust::Wrong));
}

#[test]
fn any_hmac_can_be_described() {
    let scheme = |hash, encoding, prefix| Scheme {
        hash,
        encoding,
        prefix,
    };
    let viber = scheme(Hash::Sha256, Encoding::Hex, "");
    let body = br#"{"event":"webhook"}"#;
    let tag = "6e24a073902ade16d3b73ef4dcec42a50f8f8d3392aaf2b26b4a1369bd60b080";
    assert_eq!(hmac(viber, b"token", body, Some(tag)), Ok(()));
    let upper = tag.to_uppercase();
    assert_eq!(hmac(viber, b"token", body, Some(&upper)), Ok(()));
    assert_eq!(hmac(viber, b"token", body, None), Err(Distrust::Missing));

    let webhooks = scheme(Hash::Sha256, Encoding::Base64, "v1,");
    let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let message = br#"msg_p5jXN8AQM9LWM0D4loKWxJek.1674087231.{"test": 2432232314}"#;
    let tag = "v1,AQG81rX2n4rTN1fkXoqILSHO9gAOcwya9dP41rhrQDI=";
    assert_eq!(hmac(webhooks, &key, message, Some(tag)), Ok(()));

    // RFC 2202 and RFC 4231, the second test of each.
    for (hash, tag) in [
        (Hash::Sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (
            Hash::Sha512,
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
             9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        ),
    ] {
        let tag = tag.replace(char::is_whitespace, "");
        let scheme = scheme(hash, Encoding::Hex, "");
        let message = b"what do ya want for nothing?";
        assert_eq!(hmac(scheme, b"Jefe", message, Some(&tag)), Ok(()));
    }
}

#[test]
fn vonage_signs_its_sorted_parameters() {
    let tag = "888370dffcd6d5bcc863972bfafbc1eb637c151ae876c4786b91dc2939dd74c5";
    let mut parameters = vec![
        ("to", "ACME"),
        ("sig", tag),
        ("msisdn", "447700900000"),
        ("messageId", "0A"),
        ("status", "delivered"),
        ("timestamp", "1700000000"),
    ];
    let check = |it: &[(&'static str, &'static str)]| {
        vonage_sms(Hash::Sha256, "sigsecret", it.iter().copied())
    };
    assert_eq!(check(&parameters), Ok(()));
    assert_eq!(check(&parameters[..5]), Err(Distrust::Missing));
    parameters[0].1 = "OTHER";
    assert_eq!(check(&parameters), Err(Distrust::Wrong));
    parameters.remove(1);
    assert_eq!(check(&parameters), Err(Distrust::Missing));
}

#[test]
fn vonage_signs_separators_in_values_as_underscores() {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"s");
    let tag = ring::hmac::sign(&key, b"&text=a_b_c&timestamp=1");
    let tag = hex(tag.as_ref()).to_uppercase();
    let parameters = [("timestamp", "1"), ("text", "a&b=c"), ("sig", &*tag)];
    assert_eq!(vonage_sms(Hash::Sha256, "s", parameters), Ok(()));
}

/// A token of these claims, by the key `k`.
fn token(header: &str, claims: &str) -> String {
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"k");
    let tag = ring::hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

const HS256: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
/// SHA-256 of `{"a":1}`.
const BODY_HASH: &str = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";

fn vonage(token: &str, body: &str) -> Result<(), Distrust> {
    let call = hook("POST", "https://x/y", body);
    let call = with(call, "authorization", &format!("Bearer {token}"));
    vonage_messages("k", &call, Timestamp::from_millis(1_700_000_000_000))
}

#[test]
fn a_token_is_read_as_its_standard_writes_it() {
    // A token made by another program, with this text as its key.
    let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9l\
        IiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c";
    let token = token.replace(char::is_whitespace, "");
    let checks = JwtChecks {
        issuer: None,
        url: None,
        body: b"",
        now: Timestamp::from_millis(1_700_000_000_000),
    };
    assert_eq!(
        jwt_hs256("your-256-bit-secret", Some(&token), checks),
        Ok(())
    );
    assert_eq!(
        jwt_hs256("another", Some(&token), checks),
        Err(Distrust::Wrong)
    );
}

#[test]
fn a_vonage_token_names_the_hash_of_the_body() {
    let body = r#"{"a":1}"#;
    let good = token(
        HS256,
        &format!(r#"{{"iat":1,"payload_hash":"{BODY_HASH}"}}"#),
    );
    assert_eq!(vonage(&good, body), Ok(()));
    assert_eq!(vonage(&good, r#"{"a":2}"#), Err(Distrust::Wrong));
    assert_eq!(vonage(&token(HS256, "{}"), body), Err(Distrust::Missing));
    let unsigned = token(r#"{"alg":"none"}"#, "{}");
    assert_eq!(vonage(&unsigned, ""), Err(Distrust::Malformed));
    assert_eq!(vonage("a.b", ""), Err(Distrust::Malformed));
}

#[test]
fn a_token_is_good_between_its_times() {
    for (claims, expected) in [
        (r#"{"nbf":1699999999,"exp":1700000001}"#, Ok(())),
        (r#"{"nbf":1700000060,"exp":1699999941.5}"#, Ok(())),
        (r#"{"nbf":1700000061}"#, Err(Distrust::Stale)),
        (r#"{"exp":1699999940}"#, Err(Distrust::Stale)),
        (r#"{"exp":"soon"}"#, Err(Distrust::Malformed)),
    ] {
        assert_eq!(vonage(&token(HS256, claims), ""), expected, "{claims}");
    }
}

#[test]
fn a_messagebird_token_names_issuer_url_and_body() {
    let now = Timestamp::from_millis(1_700_000_000_000);
    let url = "https://a.example/x?id=1";
    let url_hash = ring::digest::digest(&ring::digest::SHA256, url.as_bytes());
    let url_hash = hex(url_hash.as_ref());
    let check = |claims: &str, url: &str, body: &str| {
        let call = hook("GET", url, body);
        let call = with(call, "messagebird-signature-jwt", &token(HS256, claims));
        messagebird("k", &call, now)
    };
    let bare = format!(r#"{{"iss":"MessageBird","url_hash":"{url_hash}"}}"#);
    assert_eq!(check(&bare, url, ""), Ok(()));
    assert_eq!(
        check(&bare, "https://a.example/x?id=2", ""),
        Err(Distrust::Wrong)
    );
    assert_eq!(check(&bare, url, "{}"), Err(Distrust::Missing));
    let full =
        format!(r#"{{"iss":"MessageBird","url_hash":"{url_hash}","payload_hash":"{BODY_HASH}"}}"#);
    assert_eq!(check(&full, url, r#"{"a":1}"#), Ok(()));
    let other = bare.replace("MessageBird", "Other");
    assert_eq!(check(&other, url, ""), Err(Distrust::Wrong));
    assert_eq!(
        check(r#"{"iss":"MessageBird"}"#, url, ""),
        Err(Distrust::Missing)
    );
}

#[test]
fn a_shared_secret_is_the_same_or_is_wrong() {
    assert_eq!(shared_secret("s3cret", Some("s3cret")), Ok(()));
    for (expected, given) in [
        ("s3cret", "s3cre"),
        ("s3cret", ""),
        ("s3cret", "S3cret"),
        ("", ""),
    ] {
        assert_eq!(shared_secret(expected, Some(given)), Err(Distrust::Wrong));
    }
    assert_eq!(shared_secret("s3cret", None), Err(Distrust::Missing));
    let call = with(hook("POST", "https://x/y", ""), "x-secret", "s3cret");
    assert_eq!(shared_header("s3cret", "x-secret", &call), Ok(()));
    assert_eq!(
        shared_header("s3cret", "x-other", &call),
        Err(Distrust::Missing)
    );
}

#[test]
fn basic_credentials_are_name_and_password() {
    let check = |header: &str| {
        let call = with(hook("POST", "https://x/y", ""), "authorization", header);
        basic("Aladdin", "open sesame", &call)
    };
    assert_eq!(check("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), Ok(()));
    assert_eq!(check("basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), Ok(()));
    assert_eq!(check("Basic QWxhZGRpbjpvcGVu"), Err(Distrust::Wrong));
    assert_eq!(
        check("Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        Err(Distrust::Malformed)
    );
    assert_eq!(check("Basic ~"), Err(Distrust::Malformed));
}

#[test]
fn nothing_is_signed_by_an_empty_secret() {
    let body = r#"{"object":"whatsapp_business_account"}"#;
    let sha256 = |message: &str| {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"");
        ring::hmac::sign(&key, message.as_bytes())
    };
    let tag = format!("sha256={}", hex(sha256(body).as_ref()));
    let call = with(
        hook("POST", "https://x/y", body),
        "x-hub-signature-256",
        &tag,
    );
    assert_eq!(meta("", &call), Err(Distrust::Wrong));

    let tag = STANDARD.encode(sha256("https://x/yA1"));
    let call = with(form("https://x/y", "A=1"), "x-twilio-signature", &tag);
    assert_eq!(twilio("", &call), Err(Distrust::Wrong));

    let header = format!("Basic {}", STANDARD.encode("user:"));
    let call = with(hook("POST", "https://x/y", ""), "authorization", &header);
    assert_eq!(basic("user", "", &call), Err(Distrust::Wrong));
}

#[test]
fn vonage_signs_no_parameter_twice() {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"s");
    let tag = hex(ring::hmac::sign(&key, b"&status=failed&timestamp=1").as_ref());
    // Who reads the first one would be told the wrong status.
    let parameters = [
        ("status", "delivered"),
        ("status", "failed"),
        ("timestamp", "1"),
        ("sig", &*tag),
    ];
    assert_eq!(
        vonage_sms(Hash::Sha256, "s", parameters[1..].iter().copied()),
        Ok(())
    );
    assert_eq!(
        vonage_sms(Hash::Sha256, "s", parameters),
        Err(Distrust::Malformed)
    );
}

#[test]
fn a_secret_in_the_url_is_decoded_before_it_is_compared() {
    let call = hook("POST", "https://x/y?a=1&token=s%26t", "");
    assert_eq!(query_secret("s&t", "token", &call), Ok(()));
    assert_eq!(query_secret("s", "token", &call), Err(Distrust::Wrong));
    assert_eq!(query_secret("s&t", "key", &call), Err(Distrust::Missing));
}

#[test]
fn who_is_not_believed_is_answered_401_or_403() {
    for (distrust, status) in [
        (Distrust::Missing, 401),
        (Distrust::Malformed, 403),
        (Distrust::Wrong, 403),
        (Distrust::Stale, 403),
    ] {
        assert_eq!(distrust.answer(), HookAnswer::empty(status));
    }
}
