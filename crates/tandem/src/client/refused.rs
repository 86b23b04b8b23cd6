//! How do the client commands say what went wrong: what the server refused, what it ignored, and
//! that there is none?

use reqwest::StatusCode;
use serde_json::Value;
use thiserror::Error;

use super::text;

/// What the server says of a path that it does not have.
const NO_PATH: &str = "No such path";

/// Why a request had no answer that can be used. The words are for the person at the terminal.
#[derive(Debug, Error)]
pub(crate) enum ClientError {
    /// The URL cannot be one.
    #[error(
        "\"{0}\" is not an http or https URL; give the server's address with --url or TANDEM_URL"
    )]
    Url(String),
    /// No key was given.
    #[error(
        "no API key: give one with --key or TANDEM_API_KEY; `tandem demo` and the first `tandem serve` print one"
    )]
    NoKey,
    /// The key has characters that no header can carry.
    #[error("the API key has characters that cannot be sent; check --key and TANDEM_API_KEY")]
    Key,
    /// Nobody answers there.
    #[error(
        "no server answers at {url} ({why}); start one with `tandem serve` or `tandem demo`, or give its address with --url"
    )]
    Unreachable {
        /// Where.
        url: String,
        /// The innermost cause.
        why: String,
    },
    /// The server does not know the key.
    #[error(
        "the server at {0} does not know this API key, or it was revoked; check --key and TANDEM_API_KEY"
    )]
    Unauthorized(String),
    /// The server refused, and said why.
    #[error("{0}")]
    Refused(String),
    /// There is no such thing.
    #[error("{0} (not_found)")]
    Nothing(String),
    /// There is nothing of this id.
    #[error("{message}: \"{id}\" (not_found); {hint}")]
    Missing {
        /// The server's words.
        message: String,
        /// What was asked for.
        id: String,
        /// Where to find what there is.
        hint: &'static str,
    },
    /// The server has no such path.
    #[error(
        "{0} does not know what this command asks for: check --url and TANDEM_URL, and that the server is no older than this program"
    )]
    NoPath(String),
    /// The answer was not JSON.
    #[error("{url} answered {status} with something that is not JSON: is it a Tandem server?")]
    NotJson {
        /// Who answered.
        url: String,
        /// The status.
        status: u16,
    },
}

impl ClientError {
    /// The same, with the id that was asked for and where to find the right one, where that id is what
    /// there is not.
    pub(crate) fn naming(self, id: &str, hint: &'static str) -> Self {
        match self {
            Self::Nothing(message) => Self::Missing {
                message,
                id: text::one_line(id),
                hint,
            },
            other @ (Self::Url(_)
            | Self::NoKey
            | Self::Key
            | Self::Unreachable { .. }
            | Self::Unauthorized(_)
            | Self::Refused(_)
            | Self::Missing { .. }
            | Self::NoPath(_)
            | Self::NotJson { .. }) => other,
        }
    }
}

/// What a refusal says to the person.
pub(super) fn refused(base: &str, status: StatusCode, body: &Value) -> ClientError {
    let url = address(base);
    match (body["code"].as_str(), body["message"].as_str()) {
        (Some("not_found"), Some(NO_PATH)) => ClientError::NoPath(url),
        (Some("not_found"), Some(message)) => ClientError::Nothing(text::one_line(message)),
        (_, Some(_)) => ClientError::Refused(refusal(status, body)),
        (_, None) => ClientError::Refused(format!(
            "{url} answered {} without saying why: is it a Tandem server?",
            status.as_u16()
        )),
    }
}

/// What the server ignored of the request (R-API-3).
pub(super) fn warnings(body: &Value) -> Vec<String> {
    let warnings = body["warnings"].as_array().into_iter().flatten();
    warnings
        .map(|it| {
            let message = text::plain(&it["message"]);
            match path(it) {
                path if path.is_empty() => format!("warning: {message}"),
                path => format!("warning: {path}: {message}"),
            }
        })
        .collect()
}

/// The way to a field.
fn path(error: &Value) -> String {
    let path = error["path"].as_array().into_iter().flatten();
    path.map(text::plain).collect::<Vec<_>>().join(".")
}

/// The server's words, with the fields that it names, except a single one that stands in the message
/// already, and with the reason of each channel that cannot carry a message (R-CHAN-5).
fn refusal(status: StatusCode, body: &Value) -> String {
    let message = body["message"].as_str().unwrap_or_default();
    let code = body["code"]
        .as_str()
        .map_or_else(|| status.as_u16().to_string(), str::to_owned);
    let field = |error: &Value| {
        let message = error["message"].as_str().unwrap_or_default();
        format!("\n  {}: {message}", path(error))
    };
    let errors = body["details"]["errors"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let fields: String = match errors {
        [] => String::new(),
        [one] if message.contains(&path(one)) => String::new(),
        [_, ..] => errors.iter().map(field).collect(),
    };
    let dropped = |channel: &Value| {
        let name = text::plain(&channel["channel"]);
        let why = channel["message"].as_str().unwrap_or_default();
        format!("\n  {name}: {}", text::one_line(why))
    };
    let channels = body["details"]["channels"].as_array();
    let channels: String = channels.into_iter().flatten().map(dropped).collect();
    format!("{message} ({code}){fields}{channels}")
}

/// A URL as people write it.
pub(super) fn address(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}

pub(super) fn unreachable(url: &str, error: &reqwest::Error) -> ClientError {
    let mut why: &dyn std::error::Error = error;
    while let Some(source) = why.source() {
        why = source;
    }
    ClientError::Unreachable {
        url: address(url),
        why: why.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_server_ignored_is_named() {
        let body = json!({"warnings": [
            {"path": ["content", "mediaUrll"], "message": "unknown field; ignored"},
            {"path": [], "message": "old"}]});
        assert_eq!(
            warnings(&body),
            [
                "warning: content.mediaUrll: unknown field; ignored",
                "warning: old"
            ]
        );
        assert!(warnings(&json!({"items": []})).is_empty());
    }

    #[test]
    fn a_conflict_names_the_field_that_differs() {
        let body = json!({"code": "conflict",
            "message": "A deposit with this idempotency key already exists",
            "details": {"errors": [{"path": ["amount"], "message": "differs from the first request"}]}});
        assert_eq!(
            refusal(StatusCode::CONFLICT, &body),
            "A deposit with this idempotency key already exists (conflict)\n  amount: differs from the first request"
        );
    }

    #[test]
    fn a_refusal_names_its_fields() {
        let body = json!({"code": "invalid_request", "message": "The request is invalid.",
            "details": {"errors": [{"path": ["content", 0, "to"], "message": "is required"},
            {"path": ["text"], "message": "is empty"}]}});
        assert_eq!(
            refusal(StatusCode::BAD_REQUEST, &body),
            "The request is invalid. (invalid_request)\n  content.0.to: is required\n  text: is empty"
        );
    }

    #[test]
    fn what_is_not_there_is_named_and_where_to_look() {
        let told = |status, body: Value| {
            let error = refused("http://127.0.0.1:8080/", status, &body);
            error
                .naming("msg_1", "`tandem messages` lists them")
                .to_string()
        };
        for (status, body, want) in [
            (
                StatusCode::NOT_FOUND,
                json!({"code": "not_found", "message": "No such message"}),
                "No such message: \"msg_1\" (not_found); `tandem messages` lists them",
            ),
            (
                StatusCode::NOT_FOUND,
                json!({"code": "not_found", "message": "No such path"}),
                "http://127.0.0.1:8080 does not know what this command asks for: check --url and TANDEM_URL, and that the server is no older than this program",
            ),
            (
                StatusCode::BAD_GATEWAY,
                json!("x"),
                "http://127.0.0.1:8080 answered 502 without saying why: is it a Tandem server?",
            ),
            (
                StatusCode::FORBIDDEN,
                json!({"code": "forbidden", "message": "No"}),
                "No (forbidden)",
            ),
        ] {
            assert_eq!(told(status, body), want);
        }
    }

    #[test]
    fn a_refusal_tells_why_each_channel_was_dropped() {
        let body = json!({"code": "no_channel", "message": "No channel can carry this message",
            "details": {"channels": [
                {"channel": "sms", "reason": "no_route", "message": "no route goes there"},
                {"channel": "whatsapp", "reason": "incapable", "message": "the contact\nlacks it"}]}});
        assert_eq!(
            refusal(StatusCode::CONFLICT, &body),
            "No channel can carry this message (no_channel)\n  sms: no route goes there\n  whatsapp: the contact lacks it"
        );
    }
}
