//! Whether a callback is signed as the description says.

use std::borrow::Cow;

use domain::time::{Millis, Timestamp};
use ports::hooks::HookCall;
use serde_json::Value;

use super::place::{fields, scalar};
use super::spec::{Algorithm, DigestForm, SignatureSpec};
use crate::web::signature::{
    Distrust, Encoding, Hash, JwtChecks, Scheme, basic, ed25519, fresh, hmac, jwt_hs256, plivo_v3,
    query_secret, shared_header, vonage_sms,
};

/// Believes a call, or says why not.
pub(super) fn check(spec: &SignatureSpec, call: &HookCall, now: Timestamp) -> Result<(), Distrust> {
    match spec {
        SignatureSpec::None => Ok(()),
        SignatureSpec::Url { name, secret } => query_secret(secret, name, call),
        SignatureSpec::Header { header, secret } => shared_header(secret, header, call),
        SignatureSpec::Basic { username, password } => basic(username, password, call),
        SignatureSpec::Hmac {
            header,
            algorithm,
            encoding,
            prefix,
            signed,
            key,
            timestamp_header,
            nonce_header,
            tolerance,
        } => {
            let part = |name: &Option<String>| match name {
                None => Ok(""),
                Some(name) => call.header(name).ok_or(Distrust::Missing),
            };
            let (timestamp, nonce) = (part(timestamp_header)?, part(nonce_header)?);
            let scheme = Scheme {
                hash: hash(*algorithm),
                encoding: match encoding {
                    DigestForm::Hex => Encoding::Hex,
                    DigestForm::Base64 => Encoding::Base64,
                },
                prefix,
            };
            let message = message(signed, call, timestamp, nonce);
            hmac(scheme, key.as_bytes(), &message, call.header(header))?;
            if timestamp_header.is_some() {
                fresh(timestamp, now, seconds(*tolerance))?;
            }
            Ok(())
        }
        SignatureSpec::Ed25519 {
            header,
            timestamp_header,
            key,
            tolerance,
        } => {
            let timestamp = call.header(timestamp_header).ok_or(Distrust::Missing)?;
            let message = message("{timestamp}|{body}", call, timestamp, "");
            ed25519(key, &message, call.header(header))?;
            fresh(timestamp, now, seconds(*tolerance))
        }
        SignatureSpec::JwtHs256 {
            header,
            key,
            issuer,
            url_hash,
        } => {
            let token = call.header(header);
            let token = token.map(|it| it.strip_prefix("Bearer ").unwrap_or(it));
            let checks = JwtChecks {
                issuer: issuer.as_deref(),
                url: url_hash.then_some(&*call.url),
                body: &call.body,
                now,
            };
            jwt_hs256(key, token, checks)
        }
        SignatureSpec::PlivoV3 { token } => plivo_v3(token, call),
        SignatureSpec::VonageSig {
            secret,
            algorithm,
            tolerance,
        } => {
            let parameters = parameters(call);
            let pairs = || parameters.iter().map(|it| (&*it.0, &*it.1));
            vonage_sms(hash(*algorithm), secret, pairs())?;
            let timestamp = pairs().find(|it| it.0 == "timestamp");
            fresh(
                timestamp.ok_or(Distrust::Missing)?.1,
                now,
                seconds(*tolerance),
            )
        }
    }
}

const fn hash(algorithm: Algorithm) -> Hash {
    match algorithm {
        Algorithm::Sha1 => Hash::Sha1,
        Algorithm::Sha256 => Hash::Sha256,
        Algorithm::Sha512 => Hash::Sha512,
    }
}

fn seconds(tolerance: u32) -> Millis {
    Millis::seconds(i64::from(tolerance))
}

/// What is signed. The text is gone through once, so that nothing in a body is read as a name.
fn message(signed: &str, call: &HookCall, timestamp: &str, nonce: &str) -> Vec<u8> {
    let names: [(&str, &[u8]); 4] = [
        ("{body}", &call.body),
        ("{timestamp}", timestamp.as_bytes()),
        ("{nonce}", nonce.as_bytes()),
        ("{url}", call.url.as_bytes()),
    ];
    let mut message = Vec::new();
    let mut rest = signed;
    while !rest.is_empty() {
        if let Some((name, value)) = names.iter().find(|it| rest.starts_with(it.0)) {
            message.extend_from_slice(value);
            rest = &rest[name.len()..];
        } else {
            let mut signs = rest.char_indices().skip(1);
            let end = signs.find(|it| it.1 == '{').map_or(rest.len(), |it| it.0);
            message.extend_from_slice(&rest.as_bytes()[..end]);
            rest = &rest[end..];
        }
    }
    message
}

/// The parameters that Vonage signs: those of the query, of a form, or the members of a JSON body.
/// A callback URL must not have a query of its own, which would be among them.
fn parameters(call: &HookCall) -> Vec<(String, String)> {
    let tree: Cow<'_, Value> = if call.body.is_empty() {
        Cow::Owned(fields(call.query.as_bytes()))
    } else {
        let json = serde_json::from_slice(&call.body).ok();
        Cow::Owned(json.unwrap_or_else(|| fields(&call.body)))
    };
    let members = tree.as_object().into_iter().flatten();
    let parameters = members.map(|(name, value)| {
        let value = scalar(value).unwrap_or_default();
        (name.clone(), value.into_owned())
    });
    parameters.collect()
}
