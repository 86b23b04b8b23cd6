//! Signatures that are a JSON Web Token by HS256, with the hash of what they sign among the claims.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::time::{Millis, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::Distrust;
use super::form::is_hash_of;
use super::mac::{Hash, tagged};

/// How far the provider's clock may be from ours.
const LEEWAY: Millis = Millis::seconds(60);

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    nbf: Option<Value>,
    exp: Option<Value>,
    payload_hash: Option<String>,
    url_hash: Option<String>,
}

/// What a token has to say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JwtChecks<'a> {
    /// Who made it, where that is told.
    pub(crate) issuer: Option<&'a str>,
    /// The URL, where its hash (`url_hash`) is a claim.
    pub(crate) url: Option<&'a str>,
    /// The body, whose hash (`payload_hash`) is a claim unless it is empty.
    pub(crate) body: &'a [u8],
    /// Now, for `nbf` and `exp`.
    pub(crate) now: Timestamp,
}

/// A token by HS256.
pub(crate) fn jwt_hs256(
    key: &str,
    token: Option<&str>,
    checks: JwtChecks<'_>,
) -> Result<(), Distrust> {
    let token = token.ok_or(Distrust::Missing)?;
    let (signed, signature) = token.rsplit_once('.').ok_or(Distrust::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(Distrust::Malformed)?;
    let header: Header = json(header)?;
    if header.alg != "HS256" {
        return Err(Distrust::Malformed);
    }
    tagged(
        Hash::Sha256,
        key.as_bytes(),
        signed.as_bytes(),
        &decode(signature)?,
    )?;
    let claims: Claims = json(claims)?;
    if checks.issuer.is_some() && claims.iss.as_deref() != checks.issuer {
        return Err(Distrust::Wrong);
    }
    if let Some(url) = checks.url {
        is_hash_of(url.as_bytes(), &claims.url_hash.ok_or(Distrust::Missing)?)?;
    }
    match claims.payload_hash {
        Some(hash) => is_hash_of(checks.body, &hash)?,
        None if checks.body.is_empty() => {}
        None => return Err(Distrust::Missing),
    }
    let now = checks.now;
    let is_early = moment(claims.nbf)?.is_some_and(|it| now.plus(LEEWAY) < it);
    let is_late = moment(claims.exp)?.is_some_and(|it| it.plus(LEEWAY) <= now);
    if is_early || is_late {
        return Err(Distrust::Stale);
    }
    Ok(())
}

fn decode(text: &str) -> Result<Vec<u8>, Distrust> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| Distrust::Malformed)
}

fn json<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, Distrust> {
    serde_json::from_slice(&decode(text)?).map_err(|_| Distrust::Malformed)
}

fn moment(claim: Option<Value>) -> Result<Option<Timestamp>, Distrust> {
    let Some(claim) = claim else {
        return Ok(None);
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a conversion that saturates is what is wanted"
    )]
    let seconds = claim
        .as_i64()
        .or_else(|| claim.as_f64().map(|it| it as i64))
        .ok_or(Distrust::Malformed)?;
    Ok(Some(Timestamp::from_millis(seconds.saturating_mul(1_000))))
}
