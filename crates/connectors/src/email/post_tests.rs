//! A whole route in made-up time against a scripted mail server at the other end of in-memory pipes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::model::address::{Address, EmailAddress};
use domain::model::attempt::PartSet;
use domain::model::content::{Content, EmailParts};
use domain::model::failure::FailureClass;
use domain::time::Timestamp;
use parking_lot::Mutex;
use ports::clock::ManualClock;

use super::super::config::{EmailConfig, Security};
use super::super::sink::{Act, Pipes, Sink};
use super::super::start_with;
use super::*;
use crate::testing::{Lanes, Record, Told, key, submission};

pub(in crate::email) const HOST: &str = "mail.example.com";
pub(in crate::email) const NOW: Timestamp = Timestamp::from_millis(1_795_716_000_000);

pub(in crate::email) struct Stage {
    pub(in crate::email) sink: Arc<Sink>,
    pub(in crate::email) lanes: Arc<Lanes>,
    pub(in crate::email) events: Arc<Record>,
    /// What was told and not looked at yet.
    heard: Mutex<VecDeque<Told>>,
    clock: ManualClock,
    pub(in crate::email) connector: Arc<dyn Connector>,
    refusals: Arc<AtomicUsize>,
    dialled: Arc<AtomicUsize>,
}

pub(in crate::email) fn config() -> EmailConfig {
    EmailConfig {
        host: HOST.into(),
        security: Security::None,
        from: "shop@acme.example".into(),
        timeout: Millis::seconds(60),
        ..EmailConfig::default()
    }
}

pub(in crate::email) fn play(sink: Sink, change: impl FnOnce(&mut EmailConfig)) -> Stage {
    play_refusing(sink, 0, change)
}

fn play_refusing(sink: Sink, refusals: usize, change: impl FnOnce(&mut EmailConfig)) -> Stage {
    let mut config = config();
    change(&mut config);
    let sink = Arc::new(sink);
    let refusals = Arc::new(AtomicUsize::new(refusals));
    let dialled = Arc::new(AtomicUsize::new(0));
    let pipes = Box::new(Pipes {
        sink: Arc::clone(&sink),
        refusals: Arc::clone(&refusals),
        dialled: Arc::clone(&dialled),
    });
    let lanes = Arc::new(Lanes::default());
    let events = Arc::new(Record::default());
    let clock = ManualClock::at(NOW);
    let connector = start_with(
        config,
        pipes,
        Arc::clone(&lanes) as Arc<dyn SubmissionSource>,
        Arc::clone(&events) as Arc<dyn RouteEvents>,
        Arc::new(clock.clone()),
    )
    .unwrap();
    Stage {
        sink,
        lanes,
        events,
        heard: Mutex::default(),
        clock,
        connector,
        refusals,
        dialled,
    }
}

pub(in crate::email) fn mail(no: i64) -> Submission {
    let mut it = submission(no, "+40712345678", "");
    it.to = Address::Email(EmailAddress::parse("ana@example.com").unwrap());
    it.content = Arc::new(Content {
        email: Some(EmailParts {
            subject: "Hi".into(),
            html: None,
            reply_to: None,
            attachments: Vec::new(),
        }),
        ..Content::text(format!("Hello {no}\n.dot"))
    });
    it
}

impl Stage {
    /// The next thing told.
    pub(in crate::email) async fn told(&self) -> Told {
        if self.heard.lock().is_empty() {
            let told = self.events.wait(1).await;
            self.heard.lock().extend(told);
        }
        self.heard.lock().pop_front().unwrap()
    }

    pub(in crate::email) async fn up(&self) {
        assert_eq!(self.told().await, Told::Link(LinkState::Up));
    }

    /// What becomes of one message.
    pub(in crate::email) async fn outcome(&self) -> SubmitOutcome {
        self.lanes.put([mail(1)]);
        let told = self.told().await;
        let Told::Submitted(of, outcome) = told else {
            panic!("{told:?}");
        };
        assert_eq!(of, key(1));
        outcome
    }
}

pub(in crate::email) fn accepted(no: i64) -> Told {
    Told::Submitted(
        key(no),
        SubmitOutcome::Accepted {
            references: vec![domain::model::receipt::PartReference {
                part: PartSet::WHOLE,
                reference: format!("msg_000000000000{no}-1@acme.example").into(),
            }],
        },
    )
}

#[tokio::test(start_paused = true)]
async fn a_message_is_handed_over_in_one_transaction_and_accepted_whole() {
    let stage = play(Sink::default(), |_| {});
    stage.up().await;
    stage.lanes.put([mail(1)]);
    assert_eq!(stage.told().await, accepted(1));
    let [taken] = &*stage.sink.taken(1).await else {
        panic!();
    };
    assert_eq!(taken.from, "shop@acme.example");
    assert_eq!(taken.to, ["ana@example.com"]);
    assert!(
        taken.octets.ends_with("\r\nHello 1\r\n.dot\r\n\r\n"),
        "{taken:?}"
    );
    assert_eq!(
        stage.sink.commands(),
        [
            "EHLO acme.example",
            "MAIL FROM:<shop@acme.example>",
            "RCPT TO:<ana@example.com>",
            "DATA"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn as_many_are_under_way_as_the_window_has_room_for() {
    let stage = play(Sink::default(), |it| it.window = 2);
    stage.sink.will("MAIL", [Act::Silence, Act::Silence]);
    stage.up().await;
    stage.lanes.put([mail(1), mail(2), mail(3)]);
    // All that can be done until a patience ends is done after a second.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(stage.lanes.left(), 1);
    assert_eq!(stage.dialled.load(Ordering::SeqCst), 2);
    assert!(stage.events.take().is_empty());
}

#[tokio::test(start_paused = true)]
async fn connections_are_used_again_and_closed_when_nothing_is_to_do() {
    let stage = play(Sink::default(), |it| it.window = 1);
    stage.up().await;
    stage.lanes.put([mail(1), mail(2)]);
    stage.events.wait(2).await;
    assert_eq!(stage.dialled.load(Ordering::SeqCst), 1);
    assert!(!stage.sink.commands().contains(&"QUIT".to_owned()));
    tokio::time::sleep(IDLE + Duration::from_secs(1)).await;
    assert_eq!(stage.sink.commands(), ["QUIT"]);
    stage.lanes.put([mail(3)]);
    assert_eq!(stage.told().await, accepted(3));
    assert_eq!(stage.dialled.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_the_server_ended_meanwhile_is_replaced_unseen() {
    for act in [Act::Close, Act::SayAndClose("421 4.4.2 idle for too long")] {
        let stage = play(Sink::default(), |_| {});
        stage.sink.will("MAIL", [act]);
        stage.up().await;
        stage.lanes.put([mail(1)]);
        assert_eq!(stage.told().await, accepted(1));
        assert_eq!(stage.dialled.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_have_their_class_and_leave_the_connection_usable() {
    for (at, line, class, is_for_good) in [
        (
            "MAIL",
            "550 5.7.1 not yours",
            FailureClass::SenderFault,
            false,
        ),
        (
            "RCPT",
            "550 5.1.1 no such user",
            FailureClass::RecipientInvalid,
            true,
        ),
        ("RCPT", "552 5.2.2 full", FailureClass::Undeliverable, true),
        ("DATA", "554 5.7.1 no", FailureClass::ContentBlocked, true),
        (
            ".",
            "552 5.3.4 too large",
            FailureClass::Undeliverable,
            true,
        ),
        (".", "554 5.7.1 spam", FailureClass::ContentBlocked, true),
        (".", "452 4.3.1 disk full", FailureClass::RouteFault, false),
    ] {
        let stage = play(Sink::default(), |_| {});
        stage.sink.will(at, [Act::Say(line)]);
        stage.up().await;
        let outcome = stage.outcome().await;
        assert_eq!(
            matches!(outcome, SubmitOutcome::Rejected(_)),
            is_for_good,
            "{line}"
        );
        let (SubmitOutcome::Rejected(failure) | SubmitOutcome::NotAccepted(failure)) = outcome
        else {
            panic!("{line}: {outcome:?}");
        };
        assert_eq!(failure.class, class, "{line}");
        assert_eq!(*failure.code, line[..3]);
        assert!(failure.text.contains(&line[4..]), "{}", failure.text);
        stage.lanes.put([mail(2)]);
        assert_eq!(stage.told().await, accepted(2), "{line}");
        assert_eq!(stage.dialled.load(Ordering::SeqCst), 1, "{line}");
        assert!(stage.sink.commands().contains(&"RSET".to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_lost_before_the_message_was_written_leaves_it_untaken() {
    for at in ["RCPT", "DATA"] {
        let stage = play(Sink::default(), |_| {});
        stage.sink.will(at, [Act::Close]);
        stage.up().await;
        assert!(
            matches!(stage.outcome().await, SubmitOutcome::NotAccepted(it)
                if it.class == FailureClass::RouteFault),
            "{at}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn one_lost_after_it_or_an_answer_that_does_not_come_leaves_its_fate_unknown() {
    for act in [Act::Close, Act::Silence, Act::Say("huh?")] {
        let stage = play(Sink::default(), |_| {});
        stage.sink.will(".", [act]);
        stage.up().await;
        assert_eq!(stage.outcome().await, unknown(), "{act:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_answer_has_more_time_than_the_others() {
    let stage = play(Sink::default(), |_| {});
    stage.sink.will(".", [Act::Silence]);
    stage.up().await;
    stage.lanes.put([mail(1)]);
    tokio::time::sleep(Duration::from_secs(299)).await;
    assert!(stage.events.take().is_empty());
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(stage.told().await, Told::Submitted(key(1), unknown()));
}

#[tokio::test(start_paused = true)]
async fn a_disabled_route_gives_back_what_waits_ends_its_connections_and_makes_none() {
    let stage = play(Sink::default(), |_| {});
    stage.up().await;
    stage.sink.will("RCPT", [Act::Say("451 4.7.1 greylisted")]);
    stage.lanes.put([mail(1)]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let dialled = stage.dialled.load(Ordering::SeqCst);
    stage.lanes.set_in_use(false);
    assert_eq!(stage.told().await, Told::Returned(key(1)));
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(stage.sink.commands().last().unwrap(), "QUIT");
    assert_eq!(stage.dialled.load(Ordering::SeqCst), dialled);
    stage.lanes.set_in_use(true);
    stage.lanes.put([mail(2)]);
    assert_eq!(stage.told().await, accepted(2));
}

#[tokio::test(start_paused = true)]
async fn a_disabled_route_does_not_look_for_its_server() {
    let stage = play_refusing(Sink::default(), 1, |_| {});
    assert!(matches!(stage.told().await, Told::Link(LinkState::Down(_))));
    stage.lanes.set_in_use(false);
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(stage.dialled.load(Ordering::SeqCst), 1);
    stage.lanes.set_in_use(true);
    stage.up().await;
}

#[tokio::test(start_paused = true)]
async fn a_greylisted_recipient_is_tried_again_later_and_holds_nobody_up() {
    let stage = play(Sink::default(), |it| it.window = 1);
    stage.sink.will(
        "RCPT",
        [
            Act::Say("451 4.7.1 greylisted"),
            Act::Say("450 4.7.1 greylisted"),
        ],
    );
    stage.up().await;
    stage.lanes.put([mail(1), mail(2), mail(3)]);
    // The second is put off like the first.
    let began = Instant::now();
    assert_eq!(stage.told().await, accepted(3));
    assert_eq!(began.elapsed(), Duration::ZERO);
    let mut told = stage.events.wait(2).await;
    told.sort_by_key(|it| matches!(it, Told::Submitted(of, _) if *of == key(2)));
    assert_eq!(told, [accepted(1), accepted(2)]);
    assert!(began.elapsed() >= PUT_OFF[0] && began.elapsed() < PUT_OFF[1]);
}

#[tokio::test(start_paused = true)]
async fn what_is_to_be_tried_again_waits_for_room_and_for_the_server() {
    let stage = play(Sink::default(), |it| it.window = 1);
    stage.sink.will("RCPT", [Act::Say("451 4.7.1 greylisted")]);
    stage.sink.will(".", [Act::Silence]);
    stage.up().await;
    stage.lanes.put([mail(1), mail(2)]);
    // The second is without an answer for five minutes; the server is gone then for a while.
    stage.refusals.store(2, Ordering::SeqCst);
    assert_eq!(stage.told().await, Told::Submitted(key(2), unknown()));
    assert!(
        matches!(stage.told().await, Told::Submitted(of, SubmitOutcome::NotAccepted(_))
            if of == key(1))
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_server_puts_off_is_tried_as_often_as_its_life_allows_and_then_given_back() {
    let stage = play(Sink::default(), |_| {});
    stage
        .sink
        .will("RCPT", [Act::Say("451 4.7.1 greylisted"); 9]);
    stage.up().await;
    let began = Instant::now();
    let mut it = mail(1);
    it.expires_at = NOW.plus(Millis::seconds(90));
    stage.lanes.put([it]);
    // The clock goes along with time.
    tokio::time::sleep(Duration::from_mins(1)).await;
    stage.clock.advance(Millis::seconds(60));
    assert_eq!(stage.told().await, Told::Returned(key(1)));
    assert!(began.elapsed().abs_diff(Duration::from_secs(90)) < Duration::from_millis(10));
    let tries = stage.sink.commands();
    assert_eq!(tries.iter().filter(|it| it.starts_with("RCPT")).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_waits_while_the_server_is_away_is_given_back_when_it_expires() {
    let stage = play(Sink::default(), |it| it.window = 2);
    stage.sink.will("RCPT", [Act::Say("451 4.7.1 greylisted")]);
    stage.up().await;
    let mut it = mail(1);
    it.expires_at = NOW.plus(Millis::seconds(90));
    stage.lanes.put([it]);
    tokio::time::sleep(IDLE + Duration::from_secs(1)).await;
    stage.refusals.store(usize::MAX, Ordering::SeqCst);
    stage.lanes.put([mail(2)]);
    let mut told = Vec::new();
    while told.last() != Some(&Told::Returned(key(1))) {
        told.push(stage.told().await);
    }
    assert!(matches!(
        &told[..],
        [
            Told::Submitted(_, SubmitOutcome::NotAccepted(_)),
            Told::Link(LinkState::Down(_)),
            Told::Returned(_)
        ]
    ));
}

#[tokio::test(start_paused = true)]
async fn what_the_server_puts_off_is_given_back_when_nobody_wants_it_any_more() {
    let stage = play(Sink::default(), |_| {});
    stage.sink.will(
        "RCPT",
        [
            Act::Say("451 4.7.1 greylisted"),
            Act::Say("451 4.7.1 greylisted"),
        ],
    );
    stage.up().await;
    stage.lanes.put([mail(1), mail(2)]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    stage.lanes.withdraw([key(1)]);
    assert_eq!(stage.told().await, Told::Returned(key(1)));
    drop(stage.sink.commands());
    assert_eq!(stage.told().await, accepted(2));
    let after = stage.sink.commands();
    let tries = after.iter().filter(|it| it.starts_with("RCPT")).count();
    assert_eq!(tries, 1, "the other one alone: {after:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_expired_already_is_not_sent() {
    let stage = play(Sink::default(), |_| {});
    stage.up().await;
    stage.clock.advance(Millis::hours(1));
    let mut it = mail(1);
    it.expires_at = NOW.plus(Millis::minutes(59));
    stage.lanes.put([it]);
    assert_eq!(stage.told().await, Told::Returned(key(1)));
    assert_eq!(stage.sink.commands(), ["EHLO acme.example"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_not_there_is_tried_again_with_growing_patience() {
    let began = Instant::now();
    let stage = play_refusing(Sink::default(), 3, |_| {});
    let Told::Link(LinkState::Down(why)) = stage.told().await else {
        panic!();
    };
    assert_eq!(&*why, "connecting: cannot connect: connection refused");
    stage.lanes.put([mail(1)]);
    stage.up().await;
    assert!(began.elapsed() <= Duration::from_secs(1 + 2 + 4));
    assert_eq!(stage.told().await, accepted(1));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_goes_away_takes_the_route_down_until_it_is_back() {
    let stage = play(Sink::default(), |_| {});
    stage.up().await;
    tokio::time::sleep(IDLE + Duration::from_secs(1)).await;
    stage.refusals.store(1, Ordering::SeqCst);
    assert!(
        matches!(stage.outcome().await, SubmitOutcome::NotAccepted(it)
            if it.class == FailureClass::RouteFault)
    );
    assert!(matches!(stage.told().await, Told::Link(LinkState::Down(_))));
    stage.lanes.put([mail(2)]);
    stage.up().await;
    assert_eq!(stage.told().await, accepted(2));
}

#[tokio::test(start_paused = true)]
async fn a_refused_login_takes_the_route_down_and_is_not_repeated_for_a_minute() {
    let began = Instant::now();
    let sink = Sink::default();
    sink.will("AUTH", [Act::Say("535 5.7.8 bad password")]);
    let stage = play(sink, |it| {
        it.host = "127.0.0.1".into();
        it.username = Some("acme".into());
        it.password = Some("secret".into());
    });
    let Told::Link(LinkState::Down(why)) = stage.told().await else {
        panic!();
    };
    assert_eq!(&*why, "logging in: 535 5.7.8 bad password");
    stage.up().await;
    assert!(began.elapsed() >= RETRY_MAX);
    // PLAIN: NUL, name, NUL, password.
    let commands = stage.sink.commands();
    assert!(
        commands.contains(&"AUTH PLAIN AGFjbWUAc2VjcmV0".to_owned()),
        "{commands:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn stopping_waits_for_what_is_under_way_and_gives_back_what_waits() {
    let stage = play(Sink::default(), |it| it.window = 1);
    stage.sink.will("RCPT", [Act::Say("451 4.7.1 greylisted")]);
    stage.sink.will(".", [Act::Silence]);
    stage.up().await;
    stage.lanes.put([mail(1), mail(2)]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let began = Instant::now();
    stage.connector.stop(Millis::seconds(5)).await;
    assert_eq!(began.elapsed(), Duration::from_secs(5));
    assert_eq!(
        stage.events.take(),
        [
            Told::Returned(key(1)),
            Told::Submitted(key(2), unknown()),
            Told::Link(LinkState::Down("stopped".into())),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn stopping_with_nothing_to_do_says_goodbye_at_once() {
    let stage = play(Sink::default(), |_| {});
    stage.up().await;
    let began = Instant::now();
    stage.connector.stop(Millis::seconds(5)).await;
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(stage.sink.commands().last().unwrap(), "QUIT");
}

#[tokio::test(start_paused = true)]
async fn nobody_holds_it_any_more_and_it_ends() {
    let stage = play(Sink::default(), |_| {});
    stage.up().await;
    drop(stage.connector);
    assert_eq!(
        stage.events.wait(1).await,
        [Told::Link(LinkState::Down("stopped".into()))]
    );
}
