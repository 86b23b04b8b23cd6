//! One exchange with a provider by HTTP: what it answered, or whether the request certainly did not
//! reach it (R-ROUTE-4) or may have (R-ROUTE-5).

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use domain::time::Millis;
use ports::hooks::Pending;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Response, redirect, retry};
use rustls::{ClientConfig, RootCertStore};
use url::form_urlencoded;

use super::protocol::{Answer, Body, Method, Request};

/// How long connecting may take: name, connection and TLS. Where the whole exchange has less than
/// twice that, half of it: connecting that takes too long shall be known as that.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections that are idle for longer are not used again. Impatient servers close them after 5 s,
/// and a request that meets the closing has an unknown outcome.
const IDLE: Duration = Duration::from_secs(4);
/// Bytes of an answer's body that are read; the rest is cut.
const BODY_MAX: usize = 256 * 1024;
/// What we call ourselves.
const USER_AGENT: &str = concat!("Tandem/", env!("CARGO_PKG_VERSION"));

/// Why there is no answer. The words hold neither URL nor credentials.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum NoAnswer {
    /// The request certainly did not reach the provider.
    NotSent(Box<str>),
    /// It may have.
    Unknown(Box<str>),
}

/// What carries requests.
pub(crate) trait Transport: Send + Sync + 'static {
    /// One exchange; `body_max` bytes of the answer's body are kept.
    fn exchange(&self, request: Request, body_max: usize) -> Pending<'_, Result<Answer, NoAnswer>>;

    /// One exchange with an answer of the usual length.
    fn ask(&self, request: Request) -> Pending<'_, Result<Answer, NoAnswer>> {
        self.exchange(request, BODY_MAX)
    }
}

/// The client of one route: neither redirects nor retries, since what was asked for twice may be done
/// twice.
pub(crate) struct Client {
    /// `Err` where the machine has no means for it.
    http: Result<reqwest::Client, Box<str>>,
}

impl Client {
    /// A client whose exchanges take at most `timeout`.
    pub(crate) fn new(timeout: Millis) -> Self {
        let timeout = timeout.to_duration();
        let http = tls().and_then(|tls| {
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls)
                .user_agent(USER_AGENT)
                .redirect(redirect::Policy::none())
                .retry(retry::never())
                .referer(false)
                .connect_timeout(CONNECT_TIMEOUT.min(timeout / 2))
                .timeout(timeout)
                .pool_idle_timeout(IDLE)
                .build()
                .map_err(|error| innermost(&error))
        });
        Self { http }
    }

    async fn send(&self, request: Request, body_max: usize) -> Result<Answer, NoAnswer> {
        let http = self.http.as_ref();
        let http = http.map_err(|why| NoAnswer::NotSent(why.clone()))?;
        let request = build(http, request).map_err(NoAnswer::NotSent)?;
        let response = http
            .execute(request)
            .await
            .map_err(|error| no_answer(&error))?;
        read(response, body_max)
            .await
            .map_err(|error| NoAnswer::Unknown(innermost(&error)))
    }
}

impl Transport for Client {
    fn exchange(&self, request: Request, body_max: usize) -> Pending<'_, Result<Answer, NoAnswer>> {
        Box::pin(self.send(request, body_max))
    }
}

/// The public authorities and the machine's own: a bare container has none, and a gateway in the
/// house may have a certificate that only the machine knows.
fn tls() -> Result<ClientConfig, Box<str>> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| innermost(&error))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn build(http: &reqwest::Client, request: Request) -> Result<reqwest::Request, Box<str>> {
    let method = match request.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
    };
    let (kind, body) = match request.body {
        Body::None => (None, Vec::new()),
        Body::Json(text) => (Some("application/json".to_owned()), text.into_bytes()),
        Body::Form(fields) => {
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(fields);
            let kind = "application/x-www-form-urlencoded".to_owned();
            (Some(kind), form.finish().into_bytes())
        }
    };
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let name: HeaderName = name
            .parse()
            .map_err(|_| format!("{name:?} is no name of a header"))?;
        headers.append(name.clone(), header_value(&name, value)?);
    }
    if let Some(kind) = kind {
        headers.insert(CONTENT_TYPE, header_value(&CONTENT_TYPE, &kind)?);
    }
    let builder = http.request(method, &request.url).headers(headers);
    let builder = if body.is_empty() {
        builder
    } else {
        builder.body(body)
    };
    builder.build().map_err(|error| innermost(&error))
}

fn header_value(name: &HeaderName, text: &str) -> Result<HeaderValue, Box<str>> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| format!("the header {name} cannot have this value"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Whether the request certainly did not leave. It did not where there never was a connection: no
/// address, nobody there, or no TLS. Whatever happens to a connection that stands may have happened
/// after the request was read.
fn no_answer(error: &reqwest::Error) -> NoAnswer {
    let why = innermost(error);
    if error.is_builder() || error.is_connect() {
        NoAnswer::NotSent(why)
    } else {
        NoAnswer::Unknown(why)
    }
}

/// The words of the first cause: those of reqwest itself hold the URL, and with it secrets.
fn innermost(error: &(dyn Error + 'static)) -> Box<str> {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    match cause.downcast_ref::<reqwest::Error>() {
        Some(it) if it.is_timeout() => "it took too long".into(),
        Some(it) if it.is_builder() => "the URL cannot be asked".into(),
        Some(_) => "the connection broke".into(),
        None => cause.to_string().into(),
    }
}

async fn read(mut response: Response, body_max: usize) -> reqwest::Result<Answer> {
    let mut body = Vec::new();
    let headers = response.headers().iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    let (status, headers) = (response.status().as_u16(), headers.collect());
    while body.len() < body_max
        && let Some(chunk) = response.chunk().await?
    {
        let room = body_max - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    Ok(Answer {
        status,
        headers,
        body,
    })
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
