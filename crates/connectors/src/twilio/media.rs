//! Fetches what people sent: Twilio keeps it at a URL of its API, which sends on to where the bytes
//! are.

use domain::time::Millis;
use ports::provider::{Media, ProviderError};
use url::Url;

use super::config::TwilioConfig;
use crate::web::client::{NoAnswer, Transport};
use crate::web::protocol::{Answer, Body, Method, Request};

/// Largest medium, in bytes; WhatsApp's documents of 100 MB are beyond what is held in memory.
const SIZE_MAX: usize = 25 * 1024 * 1024;
/// How often it may be sent on.
const HOPS_MAX: u8 = 3;
/// How long one exchange may take: a medium is larger than an answer.
pub(super) const TIMEOUT: Millis = Millis::minutes(1);

/// Fetches the medium at this URL of the API.
///
/// Our credentials go to the API's own media only, never to where it sends on.
pub(super) async fn fetch(
    config: &TwilioConfig,
    transport: &dyn Transport,
    url: &str,
) -> Result<Media, ProviderError> {
    let mut at = of_the_api(config, url).ok_or_else(|| refused("foreign_url", NOT_THERE))?;
    let mut headers = vec![config.authorization()];
    for _ in 0..=HOPS_MAX {
        let request = Request {
            method: Method::Get,
            url: at.as_str().to_owned(),
            headers: std::mem::take(&mut headers),
            body: Body::None,
        };
        let answer = transport.exchange(request, SIZE_MAX + 1).await;
        let answer = answer.map_err(|error| match error {
            NoAnswer::NotSent(why) | NoAnswer::Unknown(why) => ProviderError::Unreachable(why),
        })?;
        match answer.status {
            200..=299 => return medium(answer),
            301 | 302 | 303 | 307 | 308 => at = sent_on(&at, &answer)?,
            _ => return Err(no_medium(&answer)),
        }
    }
    Err(refused("redirects", "It was sent on too often."))
}

/// What is answered for a URL that our credentials must not be shown to.
const NOT_THERE: &str = "The URL is not one of a medium at Twilio.";

/// The URL, where it is one of a medium at the configured API.
fn of_the_api(config: &TwilioConfig, url: &str) -> Option<Url> {
    let base = Url::parse(&config.base_url).ok()?;
    let url = Url::parse(url).ok()?;
    let path: Vec<&str> = url.path_segments()?.collect();
    let is_medium = matches!(
        &path[..],
        ["2010-04-01", "Accounts", _, "Messages", _, "Media", _]
    );
    let is_plain = url.username().is_empty() && url.password().is_none();
    (is_medium && is_plain && url.origin() == base.origin()).then_some(url)
}

/// Where a medium really is: never less protected than where it was asked for.
fn sent_on(from: &Url, answer: &Answer) -> Result<Url, ProviderError> {
    let to = answer.header("location").and_then(|it| from.join(it).ok());
    to.filter(|it| it.scheme() == "https" || it.scheme() == from.scheme())
        .ok_or_else(|| refused("redirects", "It was sent on to nowhere."))
}

fn medium(answer: Answer) -> Result<Media, ProviderError> {
    if answer.body.len() > SIZE_MAX {
        return Err(refused("too_large", "It is larger than 25 MB."));
    }
    let content_type = answer.header("content-type");
    Ok(Media {
        content_type: content_type.unwrap_or("application/octet-stream").into(),
        bytes: answer.body,
    })
}

fn no_medium(answer: &Answer) -> ProviderError {
    let status = answer.status;
    if status == 429 || status >= 500 {
        ProviderError::Unreachable(format!("it answers {status}").into())
    } else {
        refused(&status.to_string(), "Twilio does not give it.")
    }
}

fn refused(code: &str, text: &str) -> ProviderError {
    ProviderError::Refused {
        code: code.into(),
        text: text.into(),
    }
}

#[cfg(test)]
#[path = "media_tests.rs"]
mod tests;
