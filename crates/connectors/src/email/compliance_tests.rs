//! E-mail is held to what every connector is held to, in made-up time (servers are given minutes), by a
//! mail server at the end of in-memory pipes.

use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::model::address::{Address, EmailAddress};
use domain::model::content::{Content, EmailParts};
use ports::connector::Submission;
use ports::hooks::Pending;

use super::sink::{Act, Pipes, Sink};
use super::*;
use crate::compliance::provider::{
    AccountFault, Answered, FirstWord, Has, Opening, Provider, Receipts, Started, Strangers,
    Treatment, Voice, Word, Written,
};
use crate::compliance::{Bench, TEXT, World, complies};
use crate::testing::submission;

const USERNAME: &str = "login-name";
const PASSWORD: &str = "pass-word";
const NOTHING_COMES: &str = "bounces are mail to the sender's address, and are not read";

struct Mail;

fn config() -> EmailConfig {
    EmailConfig {
        // A password in the clear is for this machine only.
        host: "127.0.0.1".into(),
        security: Security::None,
        username: Some(USERNAME.into()),
        password: Some(PASSWORD.into()),
        from: "shop@acme.example".into(),
        ..EmailConfig::default()
    }
}

/// When the server does something else than usual, and what.
fn act(treatment: Treatment) -> Option<(&'static str, Act)> {
    Some(match treatment {
        Treatment::Accept(_) => return None,
        Treatment::Reject => ("RCPT", Act::Say("550 5.1.1 no such user")),
        Treatment::Throttle => ("RCPT", Act::Say("451 4.7.1 greylisted")),
        Treatment::AccountFault => ("MAIL", Act::Say("530 5.7.0 log in first")),
        Treatment::LoseAnswer => (".", Act::Close),
        Treatment::Undocumented => (".", Act::Say("huh?")),
    })
}

fn sink(opening: Opening, script: &[Treatment]) -> Sink {
    let sink = Sink::default();
    if opening == Opening::RefusesLogin {
        sink.will("AUTH", [Act::Say("535 5.7.8 bad password")]);
    }
    let acts: Vec<_> = script.iter().map(|it| act(*it)).collect();
    // Each treatment has its moment, so only the first can be another than the usual.
    assert!(acts.iter().skip(1).all(Option::is_none));
    for (at, act) in acts.into_iter().flatten() {
        sink.will(at, [act]);
    }
    sink
}

impl Bench for Mail {
    fn start<'a>(
        &'a self,
        opening: Opening,
        script: &'a [Treatment],
        world: World,
    ) -> Pending<'a, Started> {
        let sink = Arc::new(sink(opening, script));
        let refusals = match opening {
            Opening::LetsIn | Opening::RefusesLogin => 0,
            Opening::NobodyListens => usize::MAX,
        };
        let pipes = Box::new(Pipes {
            sink: Arc::clone(&sink),
            refusals: Arc::new(AtomicUsize::new(refusals)),
            dialled: Arc::default(),
        });
        let World {
            source,
            events,
            clock,
        } = world;
        let route = start_with(config(), pipes, source, events, clock).unwrap();
        let provider = Box::new(Server(sink));
        Box::pin(std::future::ready(Started { route, provider }))
    }

    fn debug(&self) -> String {
        format!("{:?}", config())
    }

    fn secrets(&self) -> Has<Vec<String>> {
        let plain = STANDARD.encode(format!("\0{USERNAME}\0{PASSWORD}"));
        let each = [USERNAME, PASSWORD].map(|it| STANDARD.encode(it));
        let all = [USERNAME.to_owned(), PASSWORD.to_owned(), plain];
        Has::It(all.into_iter().chain(each).collect())
    }

    fn submission(&self, no: i64, _: Treatment) -> Submission {
        let to = EmailAddress::parse(&format!("ana-{no}@example.com")).unwrap();
        let email = EmailParts {
            subject: TEXT.into(),
            html: None,
            reply_to: None,
            attachments: Vec::new(),
        };
        Submission {
            to: Address::Email(to),
            content: Arc::new(Content {
                email: Some(email),
                ..Content::text(TEXT)
            }),
            ..submission(no, "+40712345678", TEXT)
        }
    }

    fn known_as(&self, submission: &Submission, _: &str) -> Has<String> {
        // Our own `Message-ID`: what a server says when it takes a message is for people.
        let key = submission.key;
        Has::It(format!("{}-{}@acme.example", key.message, key.attempt))
    }

    fn first_word(&self) -> FirstWord {
        FirstWord::OurOwn
    }

    fn account_fault(&self) -> AccountFault {
        AccountFault::TakesTheRouteDown
    }

    fn undocumented(&self) -> Has<()> {
        Has::It(())
    }

    fn receipts(&self) -> Has<Receipts> {
        Has::Not(NOTHING_COMES)
    }

    fn inbound(&self) -> Has<Written> {
        Has::Not(NOTHING_COMES)
    }

    fn strangers(&self) -> Strangers {
        Strangers::Never("nothing is heard but answers on a connection that we opened")
    }

    fn patience(&self) -> Duration {
        // Greylisting and refused logins are given a minute.
        Duration::from_mins(5)
    }
}

struct Server(Arc<Sink>);

impl Provider for Server {
    fn asked(&self) -> Has<usize> {
        Has::It(self.0.heard("MAIL"))
    }

    fn tell(&self, word: Word, _: Voice) -> Pending<'_, Answered> {
        panic!("{word:?}: {NOTHING_COMES}")
    }

    fn settle(&self) -> Pending<'_, ()> {
        Box::pin(tokio::task::yield_now())
    }
}

#[tokio::test(start_paused = true)]
async fn the_connector_complies() {
    complies(&Mail).await;
}
