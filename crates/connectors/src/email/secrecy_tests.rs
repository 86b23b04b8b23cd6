//! TLS, and what is not said without it.

use std::sync::Arc;

use domain::time::Millis;
use ports::clock::ManualClock;
use ports::connector::{LinkState, RouteEvents, SubmissionSource};
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::config::{EmailConfig, Security};
use super::post::tests::{HOST, NOW, accepted, config, mail, play};
use super::sink::{Act, Sink};
use super::{EmailError, start};
use crate::testing::{Lanes, Record, Told};

/// A server certificate of its own for this name, and how the server shows it.
fn certificate(name: &str) -> (String, TlsAcceptor) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain.unwrap(), key)
        .unwrap();
    (pem, TlsAcceptor::from(Arc::new(config)))
}

fn secure(name: &str) -> (String, Sink) {
    let (pem, tls) = certificate(name);
    (pem, Sink::with_tls(tls))
}

#[tokio::test(start_paused = true)]
async fn starttls_comes_before_the_password_and_the_message() {
    let (pem, sink) = secure(HOST);
    let stage = play(sink, |it| {
        it.security = Security::StartTls;
        it.ca = Some(pem);
        it.username = Some("acme".into());
        it.password = Some("secret".into());
    });
    stage.up().await;
    stage.lanes.put([mail(1)]);
    assert_eq!(stage.told().await, accepted(1));
    assert!(stage.sink.taken(1).await[0].is_secure);
    let verbs: Vec<_> = stage
        .sink
        .commands()
        .iter()
        .map(|it| it.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(
        verbs,
        ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_offer_starttls_is_told_nothing() {
    let stage = play(Sink::default(), |it| it.security = Security::StartTls);
    let Told::Link(LinkState::Down(why)) = stage.told().await else {
        panic!();
    };
    assert_eq!(&*why, "connecting: the server does not offer STARTTLS");
    assert_eq!(stage.sink.commands(), ["EHLO acme.example"]);
}

#[tokio::test(start_paused = true)]
async fn a_certificate_of_somebody_else_is_not_trusted() {
    for (name, is_known) in [(HOST, false), ("other.example.com", true)] {
        let (pem, sink) = secure(name);
        let other = certificate(HOST).0;
        let stage = play(sink, |it| {
            it.security = Security::StartTls;
            it.ca = Some(if is_known { pem } else { other });
        });
        assert!(
            matches!(stage.told().await, Told::Link(LinkState::Down(_))),
            "{name}"
        );
        assert_eq!(stage.sink.commands().last().unwrap(), "STARTTLS");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_said_in_the_clear_behind_starttls_does_not_count_as_said_under_tls() {
    let (pem, sink) = secure(HOST);
    sink.will(
        "STARTTLS",
        [Act::SayMore("220 go ahead\r\n250-evil\r\n250 AUTH PLAIN")],
    );
    let stage = play(sink, |it| {
        it.security = Security::StartTls;
        it.ca = Some(pem);
    });
    assert!(matches!(stage.told().await, Told::Link(LinkState::Down(_))));
    assert_eq!(stage.sink.commands().last().unwrap(), "STARTTLS");
}

#[tokio::test]
async fn tls_from_the_first_octet_works_over_tcp() {
    let (pem, sink) = secure("localhost");
    let sink = Arc::new(sink);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = Arc::clone(&sink);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(Arc::clone(&server).serve_tls(stream));
        }
    });
    let lanes = Arc::new(Lanes::default());
    let events = Arc::new(Record::default());
    let connector = start(
        EmailConfig {
            host: "localhost".into(),
            port,
            security: Security::Tls,
            ca: Some(pem),
            ..config()
        },
        Arc::clone(&lanes) as Arc<dyn SubmissionSource>,
        Arc::clone(&events) as Arc<dyn RouteEvents>,
        Arc::new(ManualClock::at(NOW)),
    )
    .unwrap();
    assert_eq!(events.wait(1).await, [Told::Link(LinkState::Up)]);
    lanes.put([mail(1)]);
    assert_eq!(events.wait(1).await, [accepted(1)]);
    assert!(sink.taken(1).await[0].is_secure);
    connector.stop(Millis::seconds(5)).await;
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused() {
    let started = |change: &dyn Fn(&mut EmailConfig)| {
        let mut config = config();
        change(&mut config);
        start(
            config,
            Arc::new(Lanes::default()),
            Arc::new(Record::default()),
            Arc::new(ManualClock::at(NOW)),
        )
    };
    for from in ["", "acme", "ștefan@acme.example"] {
        let refused = started(&|it| it.from = from.into());
        assert!(matches!(refused, Err(EmailError::From)), "{from}");
    }
    let refused = started(&|it| it.username = Some("acme".into()));
    assert!(matches!(refused, Err(EmailError::ExposedPassword)));
    let refused = started(&|it| it.ca = Some("-----BEGIN CERTIFICATE-----".into()));
    assert!(matches!(refused, Err(EmailError::Tls(_))));
}
