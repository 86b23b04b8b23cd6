//! Files that people sent: first where one is, then its bytes. Telegram gives files of up to 20 MB,
//! under a path that works for an hour.

use ports::provider::{Media, ProviderError};
use serde_json::json;

use super::bot::Bot;
use super::codes;
use crate::web::client::{NoAnswer, Transport};
use crate::web::protocol::{Answer, Body, Method, Request};

/// The largest file that the Bot API gives.
const FILE_MAX: usize = 20 * 1024 * 1024;

/// Types by the ends of paths, since the file server names none.
const TYPES: [(&str, &str); 12] = [
    ("gif", "image/gif"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("m4a", "audio/mp4"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("oga", "audio/ogg"),
    ("ogg", "audio/ogg"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("webm", "video/webm"),
    ("webp", "image/webp"),
];

/// Fetches the file with this id.
pub(super) async fn fetch(
    bot: &Bot,
    transport: &dyn Transport,
    id: &str,
) -> Result<Media, ProviderError> {
    let request = bot.call("getFile", json!({"file_id": id}));
    let answer = transport.ask(request).await.map_err(unreachable)?;
    let result = codes::result(&answer).map_err(|it| ProviderError::Refused {
        code: it.code.to_string().into(),
        text: it.text,
    })?;
    let path = result["file_path"]
        .as_str()
        .ok_or_else(|| refused("no_path", "Telegram does not say where the file is"))?;
    let request = Request {
        method: Method::Get,
        url: bot.config.file(path),
        headers: Vec::new(),
        body: Body::None,
    };
    // One byte more shows that it is too large.
    let answer = transport.exchange(request, FILE_MAX + 1).await;
    let answer = answer.map_err(unreachable)?;
    if answer.status != 200 {
        let status = answer.status.to_string();
        return Err(refused(&status, "Telegram does not give the file"));
    }
    if answer.body.len() > FILE_MAX {
        return Err(refused("too_large", "the file is larger than 20 MB"));
    }
    Ok(Media {
        content_type: content_type(path, &answer),
        bytes: answer.body,
    })
}

fn content_type(path: &str, answer: &Answer) -> Box<str> {
    let end = path.rsplit('.').next().unwrap_or_default().to_lowercase();
    let by_end = TYPES.iter().find(|it| it.0 == end).map(|it| it.1);
    let named = answer.header("content-type");
    by_end
        .or(named)
        .unwrap_or("application/octet-stream")
        .into()
}

fn unreachable(no_answer: NoAnswer) -> ProviderError {
    match no_answer {
        NoAnswer::NotSent(why) | NoAnswer::Unknown(why) => ProviderError::Unreachable(why),
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
