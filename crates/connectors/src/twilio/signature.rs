//! Whether a callback is from Twilio, and by which of its two schemes.
//!
//! The URL is what Twilio was given, so it comes from the configuration.

use ports::hooks::HookCall;
use url::form_urlencoded;

use super::config::TwilioConfig;
use super::submit::RETRIES;
use crate::web::signature::{Distrust, twilio};

/// Names key and algorithm where the second scheme is used: `key=…,algorithm=HMAC_SHA256`.
const SETTINGS_HEADER: &str = "x-twilio-webhooks-signature-settings";

/// Parameters, in the order in which they came.
pub(super) type Parameters = Vec<(String, String)>;

/// The parameters of a call that is from Twilio.
pub(super) fn verified(config: &TwilioConfig, call: &HookCall) -> Result<Parameters, Distrust> {
    let settings = call.header(SETTINGS_HEADER).unwrap_or_default();
    let secret = secret(config, settings).ok_or(Distrust::Wrong)?;
    let url = if call.query.is_empty() {
        config.callback_url.clone()
    } else {
        format!("{}?{}", config.callback_url, call.query)
    };
    let mut call = HookCall {
        url: url.as_str().into(),
        ..call.clone()
    };
    // Twilio does not send what stands behind the hash; whether it signs that, nobody promises.
    twilio(secret, &call).or_else(|why| {
        call.url = format!("{url}{RETRIES}").into();
        twilio(secret, &call).map_err(|_| why)
    })?;
    Ok(decode(&call.body))
}

/// Decodes a form or a query.
pub(super) fn decode(octets: &[u8]) -> Parameters {
    form_urlencoded::parse(octets).into_owned().collect()
}

/// With which secret a call is signed: where an algorithm is named, the shared key; else the
/// account's token, by the older scheme. An unset one would let everybody sign.
fn secret<'a>(config: &'a TwilioConfig, settings: &str) -> Option<&'a str> {
    let names_algorithm = settings
        .split(',')
        .filter_map(|it| it.split_once('='))
        .any(|it| it.0.trim() == "algorithm" && !it.1.trim().is_empty());
    let secret = if names_algorithm {
        config.webhook_shared_key.as_deref()
    } else {
        Some(&*config.auth_token)
    };
    secret.filter(|it| !it.is_empty())
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
