//! Fetches what people sent: by its id Meta gives a link, and the link wants our token.

use ports::provider::{Media, ProviderError};
use serde_json::Value;
use url::Url;

use super::protocol::CloudApi;
use super::{service, tree};
use crate::web::client::Transport;

/// Bytes of the largest medium that is fetched. Meta allows documents of up to 100 MB; they would
/// have to be held in memory.
const MEDIA_MAX: usize = 16 * 1024 * 1024;
/// Longest id of a medium.
const ID_MAX: usize = 128;

/// The medium with this id.
pub(super) async fn fetch(
    api: &CloudApi,
    transport: &dyn Transport,
    id: &str,
) -> Result<Media, ProviderError> {
    let is_id = |it: u8| it.is_ascii_alphanumeric() || it == b'_' || it == b'-';
    if id.is_empty() || id.len() > ID_MAX || !id.bytes().all(is_id) {
        return Err(refused("id", "this is not the id of a medium"));
    }
    let config = &api.config;
    let (base, number) = (config.base(), &config.phone_number_id);
    let about = api.get(format!("{base}/{id}?phone_number_id={number}"));
    let about = service::ask(transport, about).await?;
    let size = tree::whole(&about, "file_size").and_then(|it| usize::try_from(it).ok());
    if size.is_some_and(|it| it > MEDIA_MAX) {
        return Err(too_large());
    }
    let url = link(&about, base).ok_or_else(|| refused("url", "Meta gave no usable link"))?;
    let answer = service::exchange(transport, api.get(url), MEDIA_MAX + 1).await?;
    if answer.body.len() > MEDIA_MAX {
        return Err(too_large());
    }
    let kind = tree::text(&about, "mime_type").or_else(|| answer.header("content-type"));
    Ok(Media {
        content_type: kind.unwrap_or("application/octet-stream").into(),
        bytes: answer.body,
    })
}

/// Where the medium is. The host is Meta's choice, but our token goes there: only over TLS, or to
/// where the API itself is.
fn link(about: &Value, base: &str) -> Option<String> {
    let url = Url::parse(tree::text(about, "url")?).ok()?;
    let is_the_apis = Url::parse(base).is_ok_and(|it| it.origin() == url.origin());
    (url.scheme() == "https" || is_the_apis).then(|| url.into())
}

fn too_large() -> ProviderError {
    refused("too_large", "the medium is larger than 16 MB")
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
