//! Signatures over the parameters of a form, each provider's in its own order.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use ports::hooks::HookCall;
use ring::digest;
use url::form_urlencoded;

use super::mac::{Encoding, Hash, tagged};
use super::{Distrust, believe};

type Parameter<'a> = (Cow<'a, str>, Cow<'a, str>);

fn parse(encoded: &[u8]) -> impl Iterator<Item = Parameter<'_>> {
    form_urlencoded::parse(encoded)
}

fn is_form(call: &HookCall) -> bool {
    let kind = call.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// The parameters in the body of a form.
fn fields(call: &HookCall) -> impl Iterator<Item = Parameter<'_>> {
    let body: &[u8] = if is_form(call) { &call.body } else { b"" };
    parse(body)
}

/// Twilio's `X-Twilio-Signature`: over the URL and the names and values of the form, sorted, each
/// once; of a body that is no form, the hash stands in the URL. Twilio writes the URL with the
/// default port or without it, so either will do. The length tells the hash.
pub(crate) fn twilio(auth_token: &str, call: &HookCall) -> Result<(), Distrust> {
    let given = call.header("x-twilio-signature").ok_or(Distrust::Missing)?;
    let tag = Encoding::Base64.decode(given)?;
    let hash = match tag.len() {
        20 => Hash::Sha1,
        32 => Hash::Sha256,
        _ => return Err(Distrust::Malformed),
    };
    if !is_form(call) && !call.body.is_empty() {
        let hash_in_url = parse(call.query.as_bytes()).find(|it| it.0 == "bodySHA256");
        is_hash_of(&call.body, &hash_in_url.ok_or(Distrust::Missing)?.1)?;
    }
    let parameters: BTreeSet<Parameter<'_>> = fields(call).collect();
    let parameters: String = parameters
        .iter()
        .flat_map(|(name, value)| [&**name, &**value])
        .collect();
    let is_of = |url: &str| {
        let message = format!("{url}{parameters}");
        tagged(hash, auth_token.as_bytes(), message.as_bytes(), &tag)
    };
    let (with, without) = ports_of(&call.url);
    is_of(&call.url)
        .or_else(|_| is_of(&with))
        .or_else(|_| is_of(&without))
}

/// The URL with a port (the default one where it has none), and without.
fn ports_of(url: &str) -> (String, String) {
    let Some((scheme, rest)) = url.split_once("://") else {
        return (url.to_owned(), url.to_owned());
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let host = match authority.rsplit_once(':') {
        // Colons inside brackets are an IPv6 address, those before an @ a password's.
        Some((host, port)) if !port.contains([']', '@']) => host,
        Some(_) | None => authority,
    };
    let with = if host == authority {
        let port = if scheme == "http" { 80 } else { 443 };
        format!("{scheme}://{authority}:{port}{tail}")
    } else {
        url.to_owned()
    };
    (with, format!("{scheme}://{host}{tail}"))
}

/// Whether `hex` is the SHA-256 of `bytes`.
pub(super) fn is_hash_of(bytes: &[u8], hex: &str) -> Result<(), Distrust> {
    let expected = digest::digest(&digest::SHA256, bytes);
    believe(expected.as_ref() == Encoding::Hex.decode(hex)?)
}

/// Plivo's `X-Plivo-Signature-V3`: over the URL with its query sorted, the form sorted, and a nonce.
/// There may be several signatures, of which one has to be right.
pub(crate) fn plivo_v3(auth_token: &str, call: &HookCall) -> Result<(), Distrust> {
    let given = call
        .header("x-plivo-signature-v3")
        .ok_or(Distrust::Missing)?;
    let nonce = call
        .header("x-plivo-signature-v3-nonce")
        .ok_or(Distrust::Missing)?;
    let sorted = |encoded: &[u8]| {
        let mut found: Vec<_> = parse(encoded)
            .map(|(k, v)| (k.into_owned(), v.into_owned()))
            .collect();
        found.sort_unstable();
        found
    };
    let query: Vec<String> = sorted(call.query.as_bytes())
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let form: String = if &*call.method == "POST" && is_form(call) {
        sorted(&call.body)
            .into_iter()
            .flat_map(|(name, value)| [name, value])
            .collect()
    } else {
        String::new()
    };
    let mut message = call
        .url
        .split(['?', '#'])
        .next()
        .unwrap_or_default()
        .to_owned();
    if !query.is_empty() || !form.is_empty() {
        message.push('?');
        message.push_str(&query.join("&"));
    }
    // The dot between query and form is there with a query only, as Plivo's own packages have it.
    if !query.is_empty() && !form.is_empty() {
        message.push('.');
    }
    message.push_str(&form);
    message.push('.');
    message.push_str(nonce);
    let is_right = |text: &str| {
        let tag = Encoding::Base64.decode(text.trim())?;
        tagged(
            Hash::Sha256,
            auth_token.as_bytes(),
            message.as_bytes(),
            &tag,
        )
    };
    let mut verdicts = given.split(',').map(is_right);
    let first = verdicts.next().unwrap_or(Err(Distrust::Missing));
    first.or_else(|why| verdicts.find(Result::is_ok).unwrap_or(Err(why)))
}

/// The `sig` parameter of Vonage's SMS API: over the sorted parameters of form or query, in which `&`
/// and `=` of values are written `_`. A JSON body is given as its members, values as they are. A name
/// that comes twice is refused: only one of its values would be signed.
pub(crate) fn vonage_sms<'a>(
    hash: Hash,
    secret: &str,
    parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<(), Distrust> {
    let mut sorted: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, value) in parameters {
        if sorted.insert(name, value).is_some() {
            return Err(Distrust::Malformed);
        }
    }
    let given = sorted.remove("sig").ok_or(Distrust::Missing)?;
    if !sorted.contains_key("timestamp") {
        return Err(Distrust::Missing);
    }
    let mut message = String::new();
    for (name, value) in &sorted {
        let value = value.replace(['&', '='], "_");
        for it in ["&", *name, "=", &*value] {
            message.push_str(it);
        }
    }
    let tag = Encoding::Hex.decode(given)?;
    tagged(hash, secret.as_bytes(), message.as_bytes(), &tag)
}
