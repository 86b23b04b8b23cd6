//! TLS with certificates made for the test.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::super::config::ClientCertificate;
use super::*;

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate and its key, both as PEM.
    fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (
            params.signed_by(&key, &self.0).unwrap().pem(),
            key.serialize_pem(),
        )
    }
}

/// Echoes one message to one client; gives what the handshake came to.
async fn serve(
    authority: &Authority,
    name: &str,
    wants_client: bool,
) -> (u16, tokio::task::JoinHandle<bool>) {
    let (certificate, key) = authority.issue(name);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = if wants_client {
        let roots = Arc::new(roots(Some(&authority.0.pem())).unwrap());
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider)
            .build()
            .unwrap();
        builder.with_client_cert_verifier(verifier)
    } else {
        builder.with_no_client_auth()
    };
    let chain = certificates(&certificate, "test").unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key).unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let Ok(mut stream) = acceptor.accept(stream).await else {
            return false;
        };
        let mut octets = [0; 4];
        stream.read_exact(&mut octets).await.is_ok() && stream.write_all(&octets).await.is_ok()
    });
    (port, served)
}

async fn exchange(config: &TlsConfig, port: u16) -> bool {
    let link = TlsLink::new(config, "localhost").unwrap();
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let Ok(mut stream) = link.secure(stream).await else {
        return false;
    };
    let mut octets = [0; 4];
    stream.write_all(b"ping").await.is_ok()
        && stream.flush().await.is_ok()
        && stream.read_exact(&mut octets).await.is_ok()
}

fn trusting(authority: &Authority) -> TlsConfig {
    TlsConfig {
        ca: Some(authority.0.pem()),
        ..TlsConfig::default()
    }
}

#[tokio::test]
async fn a_server_with_a_trusted_certificate_is_spoken_to() {
    let authority = Authority::new();
    let (port, served) = serve(&authority, "localhost", false).await;
    assert!(exchange(&trusting(&authority), port).await);
    assert!(served.await.unwrap());
}

#[tokio::test]
async fn a_stranger_and_a_wrong_name_are_not() {
    let authority = Authority::new();
    let (port, _served) = serve(&authority, "localhost", false).await;
    assert!(!exchange(&TlsConfig::default(), port).await);
    let (port, _served) = serve(&authority, "elsewhere.example", false).await;
    assert!(!exchange(&trusting(&authority), port).await);
    let (port, _served) = serve(&authority, "elsewhere.example", false).await;
    let named = TlsConfig {
        server_name: Some("elsewhere.example".to_owned()),
        ..trusting(&authority)
    };
    assert!(exchange(&named, port).await);
}

#[tokio::test]
async fn a_server_that_wants_our_certificate_gets_it() {
    let authority = Authority::new();
    let (port, served) = serve(&authority, "localhost", true).await;
    assert!(!exchange(&trusting(&authority), port).await);
    assert!(!served.await.unwrap());
    let (port, served) = serve(&authority, "localhost", true).await;
    let (certificates, key) = authority.issue("esme1");
    let client = Some(ClientCertificate { certificates, key });
    assert!(
        exchange(
            &TlsConfig {
                client,
                ..trusting(&authority)
            },
            port
        )
        .await
    );
    assert!(served.await.unwrap());
}

#[test]
fn settings_that_cannot_work_are_refused_at_the_start() {
    let of = |config: &TlsConfig| TlsLink::new(config, "localhost").map(drop);
    let no_ca = TlsConfig {
        ca: Some(String::new()),
        ..TlsConfig::default()
    };
    assert!(matches!(of(&no_ca), Err(TlsError::Empty("ca"))));
    let name = TlsConfig {
        server_name: Some("not a name".to_owned()),
        ..TlsConfig::default()
    };
    assert!(matches!(of(&name), Err(TlsError::ServerName(_))));
    let key = ClientCertificate {
        certificates: Authority::new().0.pem(),
        key: "x".to_owned(),
    };
    let client = TlsConfig {
        client: Some(key),
        ..TlsConfig::default()
    };
    assert!(matches!(
        of(&client),
        Err(TlsError::Pem {
            what: "client key",
            ..
        })
    ));
}
