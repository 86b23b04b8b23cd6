//! TLS around an SMPP connection.

use std::io;
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::config::TlsConfig;
use super::drive::Stream;

/// The TLS settings cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A certificate or key is not PEM.
    #[error("read the {what} for TLS")]
    Pem {
        /// Which of them.
        what: &'static str,
        /// Why not.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// A PEM text has nothing in it.
    #[error("the {0} for TLS is empty")]
    Empty(&'static str),
    /// The name cannot stand in a certificate.
    #[error("{0:?} is not a server name")]
    ServerName(String),
    /// The certificates do not fit.
    #[error("use the certificates for TLS")]
    Certificates(#[from] rustls::Error),
}

/// How connections are secured.
pub(super) struct TlsLink {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl TlsLink {
    pub(super) fn new(config: &TlsConfig, host: &str) -> Result<Self, TlsError> {
        let name = config.server_name.as_deref().unwrap_or(host);
        let server_name = ServerName::try_from(name.to_owned())
            .map_err(|_| TlsError::ServerName(name.to_owned()))?;
        let builder = builder()?.with_root_certificates(roots(config.ca.as_deref())?);
        let client = client_config(config, builder)?;
        Ok(Self {
            connector: TlsConnector::from(Arc::new(client)),
            name: server_name,
        })
    }

    pub(super) async fn secure(&self, stream: TcpStream) -> io::Result<Box<dyn Stream>> {
        Ok(Box::new(
            self.connector.connect(self.name.clone(), stream).await?,
        ))
    }
}

fn builder() -> Result<ConfigBuilder<ClientConfig, rustls::WantsVerifier>, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?)
}

fn roots(ca: Option<&str>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(pem) => {
            for certificate in certificates(pem, "ca")? {
                roots.add(certificate)?;
            }
        }
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    Ok(roots)
}

fn client_config(
    config: &TlsConfig,
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
) -> Result<ClientConfig, TlsError> {
    let Some(client) = &config.client else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = certificates(&client.certificates, "client certificate")?;
    let key =
        PrivateKeyDer::from_pem_slice(client.key.as_bytes()).map_err(|source| TlsError::Pem {
            what: "client key",
            source,
        })?;
    Ok(builder.with_client_auth_cert(chain, key)?)
}

fn certificates(pem: &str, what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match found {
        Ok(found) if found.is_empty() => Err(TlsError::Empty(what)),
        Ok(found) => Ok(found),
        Err(source) => Err(TlsError::Pem { what, source }),
    }
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
