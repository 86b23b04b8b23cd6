//! The courier: posts letters to URLs that customers named (R-MON-2), and to no address behind our
//! own wall (R-SEC).
//!
//! An address is checked where it is about to be connected to: numbers in the URL before the request,
//! names as they are resolved, so that the name cannot mean another address a moment later. There
//! are no redirects, no proxies, and nothing of an answer's body is kept.

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use domain::rules::reach::{Place, place_of};
use ports::courier::{Courier, CourierError, PostRequest};
use ports::hooks::Pending;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Url, redirect};
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;
use url::Host;

/// How long connecting may take: name, connection and TLS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections that are idle for longer are not used again: impatient servers close them after 5 s.
const IDLE: Duration = Duration::from_secs(4);
/// Bytes of an answer's body that are read, so that the connection can be used again; a longer answer
/// costs it the connection.
const BODY_MAX: usize = 64 * 1024;

/// Where letters may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CourierConfig {
    /// Also to this machine and the private network.
    pub allow_private: bool,
}

/// There can be no courier.
#[derive(Debug, Error)]
pub enum CourierStartError {
    /// TLS cannot be set up.
    #[error("set up TLS for webhooks")]
    Tls(#[from] rustls::Error),
    /// The HTTP client cannot be set up.
    #[error("set up HTTP for webhooks")]
    Http(#[from] reqwest::Error),
}

/// Makes a courier.
pub fn courier(config: CourierConfig) -> Result<Arc<dyn Courier>, CourierStartError> {
    let resolver = Guarded {
        config,
        lookup: Arc::new(|name| Box::pin(look_up(name))),
    };
    Ok(Arc::new(HttpCourier::new(config, resolver)?))
}

struct HttpCourier {
    config: CourierConfig,
    http: reqwest::Client,
}

impl HttpCourier {
    fn new(config: CourierConfig, resolver: Guarded) -> Result<Self, CourierStartError> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls()?)
            .dns_resolver(Arc::new(resolver))
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(1)
            .build()?;
        Ok(Self { config, http })
    }

    async fn send(&self, request: PostRequest) -> Result<u16, CourierError> {
        let url = self.config.check(&request.url)?;
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let value = HeaderValue::from_str(value)
                .map_err(|_| not_allowed(format!("the header {name} cannot have this value")))?;
            headers.insert(HeaderName::from_static(name), value);
        }
        let mut response = self
            .http
            .post(url)
            .timeout(request.timeout)
            .headers(headers)
            .body(request.body)
            .send()
            .await
            .map_err(|error| explained(&error))?;
        let mut left = BODY_MAX;
        while let Ok(Some(chunk)) = response.chunk().await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                break;
            }
        }
        Ok(response.status().as_u16())
    }
}

impl Courier for HttpCourier {
    fn post(&self, request: PostRequest) -> Pending<'_, Result<u16, CourierError>> {
        Box::pin(self.send(request))
    }
}

impl CourierConfig {
    /// The URL, where its form is allowed, and its address where that is a number. All ways to write
    /// a number (decimal, octal, hexadecimal, shortened) are one by then.
    fn check(self, text: &str) -> Result<Url, CourierError> {
        let url = Url::parse(text).map_err(|_| not_allowed("it cannot be read"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(not_allowed("it is neither http nor https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(not_allowed("it holds a password"));
        }
        let address = match url.host() {
            Some(Host::Ipv4(it)) => IpAddr::V4(it),
            Some(Host::Ipv6(it)) => IpAddr::V6(it),
            Some(Host::Domain(_)) => return Ok(url),
            None => return Err(not_allowed("it names no host")),
        };
        if self.allows(address) {
            Ok(url)
        } else {
            Err(not_allowed(Forbidden.to_string()))
        }
    }

    fn allows(self, address: IpAddr) -> bool {
        match place_of(address) {
            Place::Public => true,
            Place::Private => self.allow_private,
            Place::Nowhere => false,
        }
    }
}

fn not_allowed(why: impl Into<Box<str>>) -> CourierError {
    CourierError::NotAllowed(why.into())
}

/// A name or number leads where nothing may be posted.
#[derive(Debug, Error)]
#[error("it leads to an address that is not public")]
struct Forbidden;

/// Finds the addresses of a name.
type Lookup = Arc<
    dyn Fn(String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> + Send + Sync,
>;

async fn look_up(name: String) -> io::Result<Vec<IpAddr>> {
    let found = tokio::net::lookup_host((name, 0)).await?;
    Ok(found.map(|it| it.ip()).collect())
}

/// Gives those addresses of a name that are allowed: the connection goes to one of them.
#[derive(Clone)]
struct Guarded {
    config: CourierConfig,
    lookup: Lookup,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let Self { config, lookup } = self.clone();
        Box::pin(async move {
            let mut found = lookup(name.as_str().to_owned()).await?;
            found.retain(|it| config.allows(*it));
            if found.is_empty() {
                return Err(Forbidden.into());
            }
            let addresses: Addrs = Box::new(found.into_iter().map(|it| SocketAddr::new(it, 0)));
            Ok(addresses)
        })
    }
}

/// Why nothing was delivered, without the URL: that may hold a secret.
fn explained(error: &reqwest::Error) -> CourierError {
    let mut cause: &(dyn Error + 'static) = error;
    while let Some(source) = cause.source() {
        cause = source;
        if cause.is::<Forbidden>() {
            return not_allowed(cause.to_string());
        }
    }
    if error.is_timeout() {
        CourierError::TimedOut
    } else {
        CourierError::Unreachable(cause.to_string().into())
    }
}

/// The public authorities and the machine's own: a bare container has none, and a receiver in the
/// house may have a certificate that only the machine knows.
fn tls() -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests;
