//! Callbacks and the engine, in made-up time.

use std::sync::Arc;

use domain::model::content::Content;
use domain::model::receipt::ReceiptState;
use domain::phone::PhoneNumber;
use ports::connector::{Bill, ConsentSignal, IncomingMessage, IncomingReceipt};
use ports::provider::TemplateUpdate;

use super::*;
use crate::testing::{Record, Told, key};

fn receipt(reference: &str) -> Telling {
    Telling::Receipt(IncomingReceipt {
        references: vec![reference.into()],
        ours: None,
        recipient: None,
        whole: false,
        state: ReceiptState::Delivered,
        raw: "".into(),
    })
}

fn inbound() -> Telling {
    let from = PhoneNumber::parse("+40712345678").unwrap().into();
    let message = IncomingMessage::new(from, "ACME", Content::text("hi"));
    Telling::Inbound(Box::new(message))
}

fn hearing(tellings: Vec<Telling>) -> (Arc<Record>, tokio::task::JoinHandle<HookAnswer>) {
    let record = Arc::new(Record::default());
    let events = Arc::clone(&record);
    let callback = Callback::Tells(tellings, HookAnswer::empty(204));
    (
        record,
        tokio::spawn(async move { hear(callback, &*events).await }),
    )
}

#[tokio::test(start_paused = true)]
async fn the_answer_waits_until_all_is_kept() {
    let (record, answer) = hearing(vec![receipt("a"), receipt("b"), inbound()]);
    assert_eq!(record.wait(3).await.len(), 3);
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!answer.is_finished());
        record.ack(Heard::Kept);
    }
    assert_eq!(answer.await.unwrap(), HookAnswer::empty(204));
}

#[tokio::test(start_paused = true)]
async fn everything_is_told_and_a_bill_needs_no_ack() {
    let consent = ConsentSignal {
        from: PhoneNumber::parse("+40712345678").unwrap().into(),
        to: "".into(),
        opted_out: true,
        promotions_only: false,
        raw: "STOP".into(),
    };
    let update = TemplateUpdate {
        provider_id: "1".into(),
        name: "n".into(),
        language: "en".into(),
        status: None,
        category: None,
        reason: None,
    };
    let bill = Bill {
        segments: Some(2),
        amount: None,
    };
    let (record, answer) = hearing(vec![
        Telling::Consent(consent.clone()),
        Telling::Template(update.clone()),
        Telling::Bill(key(1), bill),
    ]);
    let expected = [
        Told::Consent(consent),
        Told::Template(update),
        Told::Billed(key(1), bill),
    ];
    assert_eq!(record.wait(3).await, expected);
    record.ack(Heard::Kept);
    record.ack(Heard::Kept);
    assert_eq!(answer.await.unwrap().status, 204);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_kept_comes_again() {
    let (record, answer) = hearing(vec![receipt("a"), receipt("b")]);
    record.wait(2).await;
    record.ack(Heard::TryAgain);
    record.ack(Heard::Kept);
    assert_eq!(answer.await.unwrap(), HookAnswer::empty(503));

    let (record, answer) = hearing(vec![receipt("a")]);
    record.wait(1).await;
    record.drop_acks();
    assert_eq!(answer.await.unwrap(), HookAnswer::empty(503));
}

#[tokio::test(start_paused = true)]
async fn keeping_that_takes_too_long_is_not_waited_for() {
    let (record, answer) = hearing(vec![receipt("a"), receipt("b")]);
    let began = Instant::now();
    record.wait(2).await;
    assert_eq!(answer.await.unwrap(), HookAnswer::empty(503));
    assert_eq!(began.elapsed(), DEADLINE);
    // Too late, and nobody minds.
    record.ack(Heard::Kept);
}

#[tokio::test(start_paused = true)]
async fn what_tells_nothing_is_answered_at_once() {
    let record = Record::default();
    let answer = HookAnswer::with(200, "text/plain", "1158201444");
    let given = hear(Callback::Answer(answer.clone()), &record).await;
    assert_eq!(given, answer);
    assert_eq!(record.take(), []);
}
