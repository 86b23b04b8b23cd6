//! Mail to operators against a scripted mail server at the other end of in-memory pipes.

use std::net::SocketAddr;

use domain::time::Timestamp;
use lettre::transport::smtp::client::AsyncTokioStream;
use ports::clock::ManualClock;
use tokio::io::duplex;

use super::super::config::{EmailConfig, Security};
use super::super::dial::{ByLine, Dialer, Dialing};
use super::super::mailer_with;
use super::super::sink::{Act, Sink};
use super::*;

struct Pipes(Arc<Sink>);

impl Dialer for Pipes {
    fn dial(&self) -> Dialing<'_> {
        let (ours, theirs) = duplex(64 * 1024);
        tokio::spawn(Arc::clone(&self.0).serve(theirs));
        let peer = SocketAddr::from(([127, 0, 0, 1], 25));
        Box::pin(async move { Ok(Box::new(ByLine::new(ours, peer)) as Box<dyn AsyncTokioStream>) })
    }
}

const AT: Timestamp = Timestamp::from_millis(1_795_716_000_000);

fn mailer(sink: &Arc<Sink>) -> Arc<dyn Mailer> {
    let config = EmailConfig {
        host: "mail.example.com".into(),
        security: Security::None,
        from: "tandem@acme.example".into(),
        from_name: Some("Tandem".into()),
        ..EmailConfig::default()
    };
    let to = ["ann@acme.example", "bob@acme.example"];
    let to = to.map(|it| EmailAddress::parse(it).unwrap()).into();
    let clock = Arc::new(ManualClock::at(AT));
    mailer_with(config, Box::new(Pipes(Arc::clone(sink))), to, clock).unwrap()
}

fn notice() -> Notice {
    Notice {
        id: "evt_1_1".into(),
        subject: "[Tandem Acme] raised: route gw is down\r\nBcc: eve@example.com".into(),
        text: "route gw is down\n".into(),
        times: vec![("Raised", AT)],
    }
}

#[tokio::test(start_paused = true)]
async fn each_of_the_people_gets_a_letter_of_their_own() {
    let sink = Arc::new(Sink::default());
    mailer(&sink).send(notice()).await.unwrap();
    let taken = sink.taken(2).await;
    let to: Vec<_> = taken.iter().flat_map(|it| it.to.clone()).collect();
    assert_eq!(to, ["ann@acme.example", "bob@acme.example"]);
    let letter = &taken[0].octets;
    for part in [
        "From: Tandem <tandem@acme.example>",
        "To: ann@acme.example",
        "Message-ID: <evt_1_1@acme.example>",
        "Auto-Submitted: auto-generated",
        "route gw is down",
        "Raised: 2026-",
    ] {
        assert!(letter.contains(part), "{part}: {letter}");
    }
    assert!(!letter.contains("\r\nBcc:"), "{letter}");
}

#[tokio::test(start_paused = true)]
async fn a_further_try_writes_only_to_who_has_no_letter_yet() {
    let sink = Arc::new(Sink::default());
    let mailer = mailer(&sink);
    sink.will(
        "CONNECT",
        [Act::SayMore("220 sink"), Act::SayAndClose("421 busy")],
    );
    assert!(mailer.send(notice()).await.is_err());
    mailer.send(notice()).await.unwrap();
    let taken = sink.taken(2).await;
    let to: Vec<_> = taken.iter().flat_map(|it| it.to.clone()).collect();
    assert_eq!(to, ["ann@acme.example", "bob@acme.example"]);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_the_server_refuses_holds_nobody_up() {
    let sink = Arc::new(Sink::default());
    sink.will("RCPT", [Act::Say("550 5.1.1 nobody here")]);
    mailer(&sink).send(notice()).await.unwrap();
    let taken = sink.taken(1).await;
    assert_eq!(taken[0].to, ["bob@acme.example"]);
}
