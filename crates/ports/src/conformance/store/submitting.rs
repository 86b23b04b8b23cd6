//! [`Submitted`](crate::store::operations::Submitted).

use domain::ids::MessageId;
use domain::model::attempt::AttemptState;
use domain::model::channel::Channel;
use domain::model::failure::FailureClass;
use domain::model::message::Status;
use domain::model::progress::Waiting;
use domain::model::receipt::{ReceiptState, SubmitOutcome};
use domain::time::Millis;

use super::kit::*;
use crate::store::operations::{Accept, Changed, FirstStep, Submitted};
use crate::store::{Op, Outcome, Store};

fn submit(store: &dyn Store, id: MessageId, outcome: SubmitOutcome, millis: i64) -> Changed {
    change(
        store,
        Op::Submitted(Box::new(submitted(id, outcome, at(millis)))),
    )
}

pub fn an_accepted_submission_makes_the_message_sent(store: &dyn Store) {
    let (id, _) = accept(store, sent_at_once(phone(1), at(0)));
    let changed = submit(store, id, taken("a"), 40);
    assert_eq!(
        (changed.was, changed.status),
        (Status::Sending, Status::Sent)
    );
    let attempt = &progress(store, id).attempts[0];
    assert_eq!(
        (attempt.state, attempt.sent_at),
        (AttemptState::Sent, Some(at(40)))
    );
    let view = ask(store.message(PROJECT, id)).unwrap();
    assert_eq!((view.status, view.updated_at), (Status::Sent, at(40)));
}

pub fn the_answer_of_a_route_that_lost_the_message_is_stale(store: &dyn Store) {
    let (id, _) = accept(store, sent_at_once(phone(1), at(0)));
    let other = Submitted {
        route: WHATSAPP,
        ..submitted(id, taken("a"), at(1))
    };
    assert!(matches!(
        commit(store, Op::Submitted(Box::new(other))),
        Outcome::Stale
    ));
    let second = Submitted {
        attempt: 2,
        ..submitted(id, taken("a"), at(1))
    };
    assert!(matches!(
        commit(store, Op::Submitted(Box::new(second))),
        Outcome::Stale
    ));
    let nothing = op(receipt("a", ReceiptState::Delivered, at(2)));
    assert!(matches!(commit(store, nothing), Outcome::ReceiptParked));
}

pub fn a_failed_attempt_waits_five_seconds_for_the_second_channel(store: &dyn Store) {
    let (id, _) = accept(store, sent_at_once(phone(1), at(0)));
    let rejected = SubmitOutcome::Rejected(failure(FailureClass::RecipientInvalid));
    let changed = submit(store, id, rejected, 100);
    assert_eq!(changed.waiting, Waiting::Fallback { at: at(5_100) });
    assert!(ask(store.due(at(5_099), 10)).is_empty());
    assert_eq!(ask(store.due(at(5_100), 10))[0].message, id);
    assert_eq!(facts(store, phone(1)).sms.metrics.failure_count, 1);
}

pub fn parked_receipts_are_folded_with_the_answer_in_the_order_of_arrival(store: &dyn Store) {
    let (id, _) = accept(store, sent_at_once(phone(1), at(0)));
    for (millis, state) in [(10, ReceiptState::Delivered), (11, ReceiptState::Read)] {
        let early = op(receipt("a", state, at(millis)));
        assert!(matches!(commit(store, early), Outcome::ReceiptParked));
    }
    let changed = submit(store, id, taken("a"), 40);
    assert_eq!(
        (changed.was, changed.status),
        (Status::Sending, Status::Read)
    );
    let kept: Vec<_> = ask(store.receipts(id))
        .into_iter()
        .map(|it| (it.at, it.state))
        .collect();
    assert_eq!(
        kept,
        [(at(10), "delivered".into()), (at(11), "read".into())]
    );
    let metrics = facts(store, phone(1)).sms.metrics;
    assert_eq!(
        (metrics.success_count, metrics.delivery_time_sum),
        (1, Millis::ZERO)
    );
    // They are parked no more.
    let (next, _) = accept(store, sent_at_once(phone(1), at(50)));
    assert_eq!(submit(store, next, taken("a"), 60).status, Status::Sent);
}

pub fn a_reference_given_anew_belongs_to_the_newest_submission(store: &dyn Store) {
    let (older, _) = accept(store, sent_at_once(phone(1), at(0)));
    let (newer, _) = accept(store, sent_at_once(phone(2), at(1)));
    submit(store, older, taken("a"), 10);
    submit(store, newer, taken("a"), 11);
    let changed = change(store, op(receipt("a", ReceiptState::Delivered, at(20))));
    assert_eq!(changed.message, newer);
}

pub fn a_submission_without_receipts_is_a_success_at_once(store: &dyn Store) {
    let mut attempt = planned(Channel::Sms, SMS);
    attempt.receipts = false;
    let accepted = first(FirstStep::Send(attempt), phone(1), at(0));
    let (id, _) = accept(store, accepted);
    let changed = submit(store, id, taken("a"), 10);
    assert_eq!((changed.status, changed.due), (Status::Sent, None));
    let metrics = facts(store, phone(1)).sms.metrics;
    assert_eq!(
        (metrics.success_count, metrics.last_success_at),
        (1, Some(at(10)))
    );
    assert_eq!(metrics.average_delivery_time(), None);
}

fn on_whatsapp(millis: i64) -> Accept {
    first(
        FirstStep::Send(planned(Channel::WhatsApp, SMS)),
        phone(1),
        at(millis),
    )
}

pub fn learning_that_a_contact_lacks_a_channel_is_remembered(store: &dyn Store) {
    let (id, _) = accept(store, on_whatsapp(0));
    let lacks = SubmitOutcome::Rejected(failure(FailureClass::RecipientIncapable));
    submit(store, id, lacks, 10);
    let facts = facts(store, phone(1));
    assert_eq!(
        facts.whatsapp.incapable_until,
        Some(at(10).plus(Millis::days(30)))
    );
    assert_eq!(facts.whatsapp.metrics.failure_count, 1);
    assert_eq!(facts.sms.incapable_until, None);
}

pub fn learning_that_the_window_is_closed_corrects_the_record(store: &dyn Store) {
    receive(store, written(phone(1), Channel::WhatsApp, "in", at(0)));
    assert!(facts(store, phone(1)).thread.whatsapp_window_from.is_some());
    let (id, _) = accept(store, on_whatsapp(1));
    let closed = SubmitOutcome::Rejected(failure(FailureClass::WindowClosed));
    submit(store, id, closed, 10);
    let facts = facts(store, phone(1));
    assert_eq!(facts.thread.whatsapp_window_from, None);
    assert_eq!(facts.whatsapp.metrics.failure_count, 0);
}
