//! How a delivery is signed (R-MON-2): HMAC-SHA256 with the whole secret, in hexadecimal.

use std::fmt::Write;

use domain::model::webhook::{SignatureVersion, WebhookSecret};
use domain::time::Timestamp;
use ring::hmac;

/// The value of the signature's header for a body that is sent at `now`.
pub(super) fn signature(
    version: SignatureVersion,
    secret: &WebhookSecret,
    body: &str,
    now: Timestamp,
) -> String {
    let seconds = now.as_millis().div_euclid(1_000);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let mut header = format!("t={seconds}");
    if version.has_v1() {
        header.push_str(",v1=");
        push_hex(&mut header, hmac::sign(&key, body.as_bytes()).as_ref());
    }
    if version.has_v2() {
        let mut context = hmac::Context::with_key(&key);
        context.update(format!("{seconds}.").as_bytes());
        context.update(body.as_bytes());
        header.push_str(",v2=");
        push_hex(&mut header, context.sign().as_ref());
    }
    header
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a text does not fail.
        let _infallible = write!(text, "{byte:02x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signatures_are_those_of_the_published_vectors() {
        const V1: &str = "51426af50a41dd7ff2cd3f116594734766d4018d15d6fb07169aee5d2959adf5";
        const V2: &str = "38877139021993b830af32feea6e18a8da83eb2f6e49ee50bd9e4cf4ca4d3789";
        let secret = WebhookSecret::new("whsec_test");
        let at = Timestamp::from_millis(1_700_000_000_999);
        for (version, want) in [
            (SignatureVersion::V1, format!("t=1700000000,v1={V1}")),
            (SignatureVersion::V2, format!("t=1700000000,v2={V2}")),
            (
                SignatureVersion::Both,
                format!("t=1700000000,v1={V1},v2={V2}"),
            ),
        ] {
            assert_eq!(signature(version, &secret, r#"{"a":1}"#, at), want);
        }
    }
}
