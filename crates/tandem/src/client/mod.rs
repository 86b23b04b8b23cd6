//! How do the client commands talk to a server?

mod refused;
pub(crate) mod story;
pub(crate) mod text;
pub(crate) mod times;

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, StatusCode, Url};
use serde_json::{Value, json};

use crate::cli::Server;
use crate::config::Secret;
use crate::output;

pub(crate) use refused::ClientError;
use refused::{address, refused, unreachable, warnings};

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The header of the answer to a repeat.
const REPLAYED: &str = "idempotent-replayed";
/// Most items the API gives at once.
const PAGE: u32 = 100;

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

    /// POSTs what is to be done once; also whether it was done before, under the same idempotency key.
    pub(crate) async fn post_once(
        &self,
        path: &[&str],
        body: &Value,
    ) -> Result<(Value, bool), ClientError> {
        let request = self.http.request(Method::POST, self.url(path)).json(body);
        self.answered(request).await
    }

    /// PUTs a body to a path.
    pub(crate) async fn put(&self, path: &[&str], body: &Value) -> Result<Value, ClientError> {
        let request = self.http.request(Method::PUT, self.url(path)).json(body);
        self.answer(request).await
    }

    /// DELETEs what a path names.
    pub(crate) async fn delete(&self, path: &[&str]) -> Result<Value, ClientError> {
        let request = self.http.request(Method::DELETE, self.url(path));
        self.answer(request).await
    }

    /// Up to `limit` items of a list, newest first, page by page, in the shape of one page.
    pub(crate) async fn list(
        &self,
        path: &[&str],
        filters: &[(&str, Option<String>)],
        limit: u32,
    ) -> Result<Value, ClientError> {
        let mut left = limit;
        let mut items: Vec<Value> = Vec::new();
        let mut cursor: Option<String> = None;
        while left > 0 {
            let mut query = filters.to_vec();
            query.push(("limit", Some(PAGE.min(left).to_string())));
            query.push(("cursor", cursor.take()));
            let mut page = self.get(path, &query).await?;
            let got = page["items"].as_array_mut().map(std::mem::take);
            let got = got.unwrap_or_default();
            left = left.saturating_sub(u32::try_from(got.len()).unwrap_or(left));
            cursor = page["nextCursor"].as_str().map(str::to_owned);
            let is_last = got.is_empty() || cursor.is_none();
            items.extend(got);
            if is_last {
                break;
            }
        }
        Ok(json!({ "items": items, "nextCursor": cursor }))
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Value, ClientError> {
        self.answered(request).await.map(|it| it.0)
    }

    /// The answer, and whether it is that to a repeat.
    async fn answered(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<(Value, bool), ClientError> {
        let request = request.header(AUTHORIZATION, self.bearer.clone());
        let response = request
            .send()
            .await
            .map_err(|error| unreachable(self.base.as_str(), &error))?;
        let status = response.status();
        if status == StatusCode::NO_CONTENT {
            return Ok((Value::Null, false));
        }
        let is_repeat = response.headers().contains_key(REPLAYED);
        let body: Option<Value> = response.json().await.ok();
        if status == StatusCode::UNAUTHORIZED {
            return Err(ClientError::Unauthorized(address(self.base.as_str())));
        }
        let body = body.ok_or_else(|| ClientError::NotJson {
            url: address(self.base.as_str()),
            status: status.as_u16(),
        })?;
        if status.is_success() {
            for line in warnings(&body) {
                output::note(line);
            }
            Ok((body, is_repeat))
        } else {
            Err(refused(self.base.as_str(), status, &body))
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

#[cfg(test)]
mod tests {
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
