//! The simulated route from outside, in made-up time.

use domain::model::content::{Content, PriceCategory, TemplateUse};
use domain::model::template::TemplateStatus;
use domain::phone::PhoneNumber;
use domain::time::Timestamp;
use ports::clock::ManualClock;

use super::*;
use crate::testing::{Lanes, Record, Told, key, submission};

struct Bench {
    route: Arc<dyn Connector>,
    lanes: Arc<Lanes>,
    record: Arc<Record>,
    clock: ManualClock,
    began: Instant,
}

impl Bench {
    async fn new(config: SimulatorConfig) -> Self {
        let (lanes, record) = (Arc::new(Lanes::default()), Arc::new(Record::default()));
        let clock = ManualClock::at(Timestamp::from_millis(1_000_000));
        let route = start(
            config,
            Arc::clone(&lanes) as Arc<dyn SubmissionSource>,
            Arc::clone(&record) as Arc<dyn RouteEvents>,
            Arc::new(clock.clone()),
        );
        assert_eq!(record.wait(1).await, [Told::Link(LinkState::Up)]);
        Self {
            route,
            lanes,
            record,
            clock,
            began: Instant::now(),
        }
    }

    fn elapsed(&self) -> u128 {
        self.began.elapsed().as_millis()
    }
}

fn exact(channel: Channel) -> SimulatorConfig {
    SimulatorConfig {
        receipt_spread: Millis::ZERO,
        ..SimulatorConfig::new(channel)
    }
}

fn words(told: &[Told]) -> Vec<String> {
    told.iter()
        .map(|it| match it {
            Told::Submitted(key, outcome) => {
                let word = match outcome {
                    SubmitOutcome::Accepted { .. } => "accepted",
                    SubmitOutcome::NotAccepted(_) => "not accepted",
                    SubmitOutcome::Rejected(_) => "rejected",
                    SubmitOutcome::PartlyAccepted { .. } => "partly",
                    SubmitOutcome::Unknown { .. } => "unknown",
                };
                format!("{} {word}", key.message.key())
            }
            Told::Receipt(receipt) => receipt.state.code().to_owned(),
            Told::Returned(key) => format!("{} returned", key.message.key()),
            Told::Inbound(_) => "inbound".to_owned(),
            Told::Consent(_) => "consent".to_owned(),
            Told::Template(_) => "template".to_owned(),
            Told::Billed(..) => "billed".to_owned(),
            Told::Paused(_) => "paused".to_owned(),
            Told::Link(_) => "link".to_owned(),
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_message_is_accepted_and_then_delivered_under_the_reference_it_was_given() {
    let bench = Bench::new(exact(Channel::Sms)).await;
    bench
        .lanes
        .put([submission(1, "+40712345678", &"a".repeat(200))]);
    let told = bench.record.wait(3).await;
    assert_eq!(bench.elapsed(), 520);
    let [
        Told::Submitted(_, SubmitOutcome::Accepted { references }),
        Told::Receipt(first),
        Told::Receipt(second),
    ] = &told[..]
    else {
        panic!("{told:?}");
    };
    assert_eq!(references.len(), 2);
    assert_eq!(first.references, [references[0].reference.clone()]);
    assert_eq!(second.references, [references[1].reference.clone()]);
    assert_eq!(
        (first.ours, &*first.recipient.as_ref().unwrap().to_string()),
        (None, "+40712345678")
    );
}

#[tokio::test(start_paused = true)]
async fn magic_numbers_play_in_order() {
    for (to, expected, elapsed) in [
        ("+40700000002", &["1 rejected"][..], 20),
        ("+40700000003", &["1 accepted", "failed"], 520),
        (
            "+40700000005",
            &["1 accepted", "delivered", "delivered"],
            570,
        ),
        ("+40700000006", &["delivered", "1 accepted"], 70),
        ("+40700000008", &["1 unknown", "delivered"], 2_500),
        ("+40700000009", &["1 accepted", "delivered"], 30_020),
        (
            "+40700000014",
            &["1 accepted", "failed", "delivered"],
            5_420,
        ),
    ] {
        let bench = Bench::new(exact(Channel::Sms)).await;
        bench.lanes.put([submission(1, to, "x")]);
        let told = bench.record.wait(expected.len()).await;
        assert_eq!(
            (words(&told), bench.elapsed()),
            (
                expected.iter().map(|it| (*it).to_owned()).collect(),
                elapsed
            ),
            "{to}"
        );
        bench.route.stop(Millis::ZERO).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttled_message_is_taken_when_it_comes_again() {
    let bench = Bench::new(exact(Channel::Sms)).await;
    bench.lanes.put([submission(1, "+40700000007", "x")]);
    assert_eq!(words(&bench.record.wait(1).await), ["1 not accepted"]);
    bench.lanes.put([submission(1, "+40700000007", "x")]);
    assert_eq!(
        words(&bench.record.wait(2).await),
        ["1 accepted", "delivered"]
    );
}

#[tokio::test(start_paused = true)]
async fn the_window_is_never_exceeded() {
    let bench = Bench::new(SimulatorConfig {
        window: 3,
        receipts: false,
        ..exact(Channel::Sms)
    })
    .await;
    bench
        .lanes
        .put((1..=9).map(|no| submission(no, "+40712345678", "x")));
    assert_eq!(bench.record.wait(9).await.len(), 9);
    assert_eq!(bench.elapsed(), 60);
    assert!(
        bench
            .lanes
            .slots()
            .iter()
            .all(|it| it.free <= 3 && it.window == 3)
    );
}

#[tokio::test(start_paused = true)]
async fn free_form_content_needs_an_inbound_message_of_the_last_24_hours() {
    let bench = Bench::new(exact(Channel::WhatsApp)).await;
    let person = "+40712345678";
    let write = |no| {
        let mut submission = submission(no, person, "x");
        submission.from = "+40700000001".into();
        bench.lanes.put([submission]);
    };
    write(1);
    let told = bench.record.wait(3).await;
    assert_eq!(words(&told), ["1 accepted", "in_transit", "failed"]);
    assert!(matches!(&told[2], Told::Receipt(it) if it.ours == Some(key(1))));

    let from = PhoneNumber::parse(person).unwrap();
    let message = IncomingMessage::new(from.into(), "+40700000001", Content::text("Hi"));
    bench
        .route
        .simulator()
        .unwrap()
        .inject_inbound(message, Box::new(drop));
    let told = bench.record.wait(1).await;
    assert!(
        matches!(&told[0], Told::Inbound(it) if it.provider_id.is_some() && it.sent_at.is_some())
    );

    write(2);
    assert_eq!(
        words(&bench.record.wait(3).await),
        ["2 accepted", "in_transit", "delivered"]
    );
    bench.clock.advance(Millis::hours(24));
    write(3);
    assert_eq!(
        words(&bench.record.wait(3).await),
        ["3 accepted", "in_transit", "failed"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_template_needs_no_window() {
    let bench = Bench::new(exact(Channel::WhatsApp)).await;
    let mut template = submission(1, "+40712345678", "x");
    template.content = Arc::new(Content {
        kind: MessageType::Template,
        ..Content::text("x")
    });
    bench.lanes.put([template]);
    assert_eq!(words(&bench.record.wait(3).await)[2], "delivered");
}

#[tokio::test(start_paused = true)]
async fn a_text_that_goes_as_a_template_needs_no_window_either() {
    let bench = Bench::new(exact(Channel::WhatsApp)).await;
    let mut text = submission(1, "+40712345678", "x");
    let default = TemplateUse::plain("hello", PriceCategory::Utility);
    text.template = Some(Arc::new(default));
    bench.lanes.put([text]);
    assert_eq!(words(&bench.record.wait(3).await)[2], "delivered");
}

fn definition(name: &str) -> TemplateDefinition {
    TemplateDefinition {
        name: name.into(),
        language: "en".into(),
        category: PriceCategory::Utility,
        header: None,
        body: "Hi".into(),
        footer: None,
        buttons: Vec::new(),
        add_security_recommendation: false,
        code_expiration_minutes: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_template_is_looked_at_for_a_second_and_its_name_says_what_becomes_of_it() {
    for (name, status, category) in [
        ("hello", TemplateStatus::Approved, PriceCategory::Utility),
        (
            "x_rejected",
            TemplateStatus::Rejected,
            PriceCategory::Utility,
        ),
        ("x_paused", TemplateStatus::Paused, PriceCategory::Utility),
        (
            "x_marketing",
            TemplateStatus::Approved,
            PriceCategory::Marketing,
        ),
    ] {
        let bench = Bench::new(exact(Channel::WhatsApp)).await;
        let registrar = bench.route.templates().unwrap();
        let taken = registrar.submit(definition(name)).await.unwrap();
        assert_eq!(taken.status, TemplateStatus::Pending);
        let told = bench.record.wait(1).await;
        assert_eq!(bench.elapsed(), 1_000);
        let [Told::Template(update)] = &told[..] else {
            panic!("{told:?}");
        };
        assert_eq!(update.provider_id, taken.provider_id);
        assert_eq!(update.status, Some(status), "{name}");
        let listed = registrar.list().await.unwrap();
        assert_eq!(listed[0].status, status, "{name}");
        assert_eq!(listed[0].definition.category, category, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_route_for_sms_has_no_templates() {
    let bench = Bench::new(exact(Channel::Sms)).await;
    assert!(bench.route.templates().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_could_not_be_kept_comes_again() {
    let bench = Bench::new(exact(Channel::Sms)).await;
    bench.lanes.put([submission(1, "+40712345678", "x")]);
    bench.record.wait(2).await;
    bench.record.ack(Heard::TryAgain);
    assert_eq!(words(&bench.record.wait(1).await), ["delivered"]);
    assert_eq!(bench.elapsed(), 1_520);
    bench.record.ack(Heard::Kept);
    assert_eq!(bench.record.waiting_acks(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_expired_is_returned() {
    let bench = Bench::new(exact(Channel::Sms)).await;
    let mut late = submission(1, "+40712345678", "x");
    late.expires_at = Timestamp::from_millis(1_000_000);
    bench.lanes.put([late]);
    assert_eq!(words(&bench.record.wait(1).await), ["1 returned"]);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_holds_back_is_asked_again_at_its_time() {
    let bench = Bench::new(exact(Channel::Sms)).await;
    bench
        .lanes
        .hold_until(Some(Timestamp::from_millis(1_003_000)));
    bench.lanes.put([submission(1, "+40712345678", "x")]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    bench.lanes.hold_until(None);
    assert_eq!(words(&bench.record.wait(1).await), ["1 accepted"]);
    assert_eq!(bench.elapsed(), 3_020);
}

#[tokio::test(start_paused = true)]
async fn stopping_waits_for_answers_and_not_longer_than_its_patience() {
    let bench = Bench::new(exact(Channel::Sms)).await;
    bench.lanes.put([submission(1, "+40712345678", "x")]);
    tokio::time::sleep(Duration::from_millis(10)).await;
    bench.route.stop(Millis::seconds(10)).await;
    assert_eq!(bench.elapsed(), 20);
    assert_eq!(words(&bench.record.take()), ["1 accepted", "link"]);

    let bench = Bench::new(exact(Channel::Sms)).await;
    bench.lanes.put([submission(1, "+40700000008", "x")]);
    tokio::time::sleep(Duration::from_millis(10)).await;
    bench.route.stop(Millis::new(500)).await;
    assert_eq!(bench.elapsed(), 510);
    assert_eq!(words(&bench.record.take()), ["1 unknown", "link"]);
}
