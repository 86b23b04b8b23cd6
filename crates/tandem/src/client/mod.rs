//! How do the client commands talk to a server, and how do they say what went wrong?

pub(crate) mod story;
pub(crate) mod text;

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, StatusCode, Url};
use serde_json::Value;
use thiserror::Error;

use crate::cli::Server;
use crate::config::Secret;

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(30);

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
    #[error("the server does not know this API key; check --key and TANDEM_API_KEY")]
    Unauthorized,
    /// The server refused, and said why.
    #[error("{0}")]
    Refused(String),
    /// The answer was not JSON.
    #[error("{0} answered with something that is not JSON: is it a Tandem server?")]
    NotJson(String),
}

/// A server as the client commands see it.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    bearer: HeaderValue,
}

impl Client {
    /// The client for these arguments.
    pub(crate) fn new(server: &Server) -> Result<Self, ClientError> {
        let key = server.key.as_ref().ok_or(ClientError::NoKey)?;
        Self::with(&server.url, key)
    }

    /// The client for this URL and key.
    pub(crate) fn with(url: &str, key: &Secret) -> Result<Self, ClientError> {
        let wrong = || ClientError::Url(url.to_owned());
        let base = Url::parse(url).map_err(|_| wrong())?;
        if !matches!(base.scheme(), "http" | "https") || !base.has_host() {
            return Err(wrong());
        }
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", key.expose()))
            .map_err(|_| ClientError::Key)?;
        bearer.set_sensitive(true);
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| unreachable(url, &error))?;
        Ok(Self { http, base, bearer })
    }

    /// GETs a path with this query; entries without a value are left out.
    pub(crate) async fn get(
        &self,
        path: &[&str],
        query: &[(&str, Option<String>)],
    ) -> Result<Value, ClientError> {
        let mut url = self.url(path);
        let given = query
            .iter()
            .filter_map(|(name, value)| Some((*name, value.as_ref()?)));
        for (name, value) in given {
            url.query_pairs_mut().append_pair(name, value);
        }
        self.answer(self.http.request(Method::GET, url)).await
    }

    /// POSTs a body to a path.
    pub(crate) async fn post(
        &self,
        path: &[&str],
        body: &Value,
        sender: Option<&str>,
    ) -> Result<Value, ClientError> {
        let mut request = self.http.request(Method::POST, self.url(path)).json(body);
        if let Some(sender) = sender {
            request = request.header("Zavu-Sender", sender);
        }
        self.answer(request).await
    }

    /// PUTs a body to a path.
    pub(crate) async fn put(&self, path: &[&str], body: &Value) -> Result<Value, ClientError> {
        let request = self.http.request(Method::PUT, self.url(path)).json(body);
        self.answer(request).await
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Value, ClientError> {
        let request = request.header(AUTHORIZATION, self.bearer.clone());
        let response = request
            .send()
            .await
            .map_err(|error| unreachable(self.base.as_str(), &error))?;
        let status = response.status();
        let body: Option<Value> = response.json().await.ok();
        if status == StatusCode::UNAUTHORIZED {
            return Err(ClientError::Unauthorized);
        }
        let body = body.ok_or_else(|| ClientError::NotJson(self.base.to_string()))?;
        if status.is_success() {
            Ok(body)
        } else {
            Err(ClientError::Refused(refusal(status, &body)))
        }
    }

    /// The URL of a path whose segments may hold anything.
    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        // Safe because: URLs that cannot be a base have no host, and those were refused.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1").extend(path);
        }
        url
    }
}

/// The server's words, with the fields that it names, of which a single one stands in the message
/// already, and with the reason of each channel that cannot carry a message (R-CHAN-5).
fn refusal(status: StatusCode, body: &Value) -> String {
    let message = body["message"].as_str().unwrap_or("the server refused");
    let code = body["code"]
        .as_str()
        .map_or_else(|| status.as_u16().to_string(), str::to_owned);
    let field = |error: &Value| {
        let path: Vec<String> = error["path"]
            .as_array()
            .into_iter()
            .flatten()
            .map(text::plain)
            .collect();
        format!(
            "\n  {}: {}",
            path.join("."),
            error["message"].as_str().unwrap_or_default()
        )
    };
    let errors = body["details"]["errors"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let fields: String = match errors {
        [] | [_] => String::new(),
        [_, _, ..] => errors.iter().map(field).collect(),
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

fn unreachable(url: &str, error: &reqwest::Error) -> ClientError {
    let mut why: &dyn std::error::Error = error;
    while let Some(source) = why.source() {
        why = source;
    }
    ClientError::Unreachable {
        url: url.trim_end_matches('/').to_owned(),
        why: why.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_are_escaped_and_kept_below_the_base() {
        for (base, want) in [
            (
                "http://127.0.0.1:8080",
                "http://127.0.0.1:8080/v1/messages/a%2Fb%3Fc",
            ),
            (
                "http://127.0.0.1:8080/",
                "http://127.0.0.1:8080/v1/messages/a%2Fb%3Fc",
            ),
            (
                "https://x.example/tandem",
                "https://x.example/tandem/v1/messages/a%2Fb%3Fc",
            ),
        ] {
            crate::install_tls();
            let client = Client::with(base, &Secret::new("zv_test_x")).unwrap();
            assert_eq!(client.url(&["messages", "a/b?c"]).as_str(), want);
        }
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
        assert_eq!(
            refusal(StatusCode::BAD_GATEWAY, &json!("x")),
            "the server refused (502)"
        );
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

    #[test]
    fn wrong_addresses_and_keys_are_told_apart() {
        let key = Secret::new("zv_test_x");
        assert!(matches!(
            Client::with("not a url", &key),
            Err(ClientError::Url(_))
        ));
        assert!(matches!(
            Client::with("ftp://x", &key),
            Err(ClientError::Url(_))
        ));
        assert!(matches!(
            Client::with("http://x", &Secret::new("a\nb")),
            Err(ClientError::Key)
        ));
    }
}
