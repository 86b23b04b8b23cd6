//! What the API does beside carrying messages: one exchange, and what went wrong with it.

use ports::provider::ProviderError;
use serde_json::Value;

use super::codes::without_tokens;
use super::tree;
use crate::web::client::{NoAnswer, Transport};
use crate::web::protocol::{Answer, Request};

/// Bytes of an answer that are read: a page of templates is the longest.
const ANSWER_MAX: usize = 4 * 1024 * 1024;

/// Asks, and gives the tree of a good answer.
pub(super) async fn ask(
    transport: &dyn Transport,
    request: Request,
) -> Result<Value, ProviderError> {
    let answer = exchange(transport, request, ANSWER_MAX).await?;
    serde_json::from_slice(&answer.body)
        .map_err(|_| ProviderError::Unreachable("its answer is no JSON".into()))
}

/// Asks, and gives a good answer.
pub(super) async fn exchange(
    transport: &dyn Transport,
    request: Request,
    body_max: usize,
) -> Result<Answer, ProviderError> {
    let answer = transport.exchange(request, body_max).await;
    let answer = answer.map_err(|(NoAnswer::NotSent(why) | NoAnswer::Unknown(why))| {
        ProviderError::Unreachable(why)
    })?;
    if (200..300).contains(&answer.status) {
        Ok(answer)
    } else {
        Err(refusal(&answer))
    }
}

/// What a bad answer says. Meta has words for users beside those for developers.
pub(super) fn refusal(answer: &Answer) -> ProviderError {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let error = body.get("error").unwrap_or(&Value::Null);
    let data = error.get("error_data");
    if let Some(code) = tree::id(error, "code") {
        let text = tree::text(error, "error_user_msg")
            .or_else(|| data.and_then(|it| tree::text(it, "details")))
            .or_else(|| tree::text(error, "message"));
        ProviderError::Refused {
            code: code.into(),
            text: without_tokens(text.unwrap_or("no reason given")).into(),
        }
    } else {
        let why = format!("it answered with HTTP status {}", answer.status);
        ProviderError::Unreachable(why.into())
    }
}
