//! [`Receipt`](crate::store::operations::Receipt).

use domain::ids::{MessageId, RouteKey};
use domain::model::attempt::AttemptState;
use domain::model::channel::Channel;
use domain::model::failure::FailureClass;
use domain::model::message::Status;
use domain::model::progress::Waiting;
use domain::model::receipt::{ReceiptState, SubmitOutcome};
use domain::model::route::OnUnknown;

use super::kit::*;
use crate::store::operations::{
    FirstStep, Interrupted, PlanStep, Receipt, Release, Settle, Start, Submitted,
};
use crate::store::{Op, Outcome, Store};
use domain::time::Millis;

/// A message that the SMS route took under this name.
fn sent(store: &dyn Store, last: u32, reference: &str) -> MessageId {
    let (id, _) = accept(store, sent_at_once(phone(last), at(0)));
    change(
        store,
        Op::Submitted(Box::new(submitted(id, taken(reference), at(100)))),
    );
    id
}

/// A message whose submission nobody knows the outcome of.
fn unknown(store: &dyn Store, last: u32) -> MessageId {
    let (id, _) = accept(store, sent_at_once(phone(last), at(0)));
    let outcome = SubmitOutcome::Unknown {
        references: Vec::new(),
    };
    change(
        store,
        Op::Submitted(Box::new(submitted(id, outcome, at(100)))),
    );
    id
}

fn delivered(reference: &str, millis: i64) -> Receipt {
    receipt(reference, ReceiptState::Delivered, at(millis))
}

pub fn a_receipt_is_found_by_any_of_its_references(store: &dyn Store) {
    let id = sent(store, 1, "2748");
    let both = Receipt {
        recipient: Some(phone(1).into()),
        references: vec!["abc".into(), "2748".into()],
        ..delivered("", 3_100)
    };
    let changed = change(store, op(both));
    assert_eq!((changed.message, changed.status), (id, Status::Delivered));
    assert_eq!(changed.due, None);
    let metrics = facts(store, phone(1)).sms.metrics;
    assert_eq!(
        (metrics.success_count, metrics.delivery_time_sum.get()),
        (1, 3_000)
    );
    assert_eq!(metrics.last_success_at, Some(at(3_100)));
    let kept = ask(store.receipts(id));
    assert_eq!((kept.len(), kept[0].attempt, kept[0].at), (1, 1, at(3_100)));
}

pub fn a_receipt_is_found_by_our_own_reference(store: &dyn Store) {
    let id = unknown(store, 1);
    let ours = Receipt {
        ours: Some((id, 1)),
        ..delivered("new", 3_100)
    };
    let changed = change(store, op(ours));
    assert_eq!((changed.message, changed.status), (id, Status::Delivered));
    assert!(changed.unknown_resolved);
    // The provider's name is known from now on.
    assert_eq!(change(store, op(delivered("new", 3_200))).message, id);
}

pub fn our_reference_on_a_route_that_never_had_it_is_not_believed(store: &dyn Store) {
    let id = sent(store, 1, "a");
    let foreign = Receipt {
        route: WHATSAPP,
        ours: Some((id, 1)),
        ..delivered("b", 3_100)
    };
    assert!(matches!(commit(store, op(foreign)), Outcome::ReceiptParked));
    assert_eq!(progress(store, id).status, Status::Sent);
}

pub fn our_reference_on_a_route_that_had_it_before_is_believed(store: &dyn Store) {
    let id = unknown(store, 1);
    let given_up = Settle {
        message: id,
        version: progress(store, id).version,
        on_unknown: OnUnknown::Resend,
        at: at(60_000),
        epoch: OWNER,
    };
    let version = change(store, Op::Settle(given_up)).version;
    let step = PlanStep::Continue(planned(Channel::Sms, RouteKey(77)));
    change(store, plan(id, version, step, at(60_100)));
    let late = Receipt {
        ours: Some((id, 1)),
        ..delivered("late", 61_000)
    };
    let changed = change(store, op(late));
    assert_eq!((changed.message, changed.status), (id, Status::Delivered));
    assert_eq!(
        changed.cancelled,
        Some(1),
        "the copy that is ready stays here"
    );
}

pub fn a_receipt_fits_the_only_unknown_submission_to_its_recipient(store: &dyn Store) {
    let id = unknown(store, 1);
    unknown(store, 2);
    sent(store, 1, "known");
    let fits = Receipt {
        recipient: Some(phone(1).into()),
        ..delivered("new", 3_100)
    };
    assert_eq!(change(store, op(fits)).message, id);
    assert_eq!(progress(store, id).status, Status::Delivered);
}

pub fn another_form_of_a_reference_counts_only_for_the_same_recipient(store: &dyn Store) {
    let id = sent(store, 1, "15");
    let in_two_forms = |no| Receipt {
        references: vec!["21".into(), "15".into()],
        recipient: Some(phone(no).into()),
        ..delivered("21", 3_100)
    };
    let of_another = commit(store, op(in_two_forms(2)));
    assert!(matches!(of_another, Outcome::ReceiptParked));
    assert_eq!(progress(store, id).status, Status::Sent);
    assert_eq!(change(store, op(in_two_forms(1))).message, id);
    assert_eq!(progress(store, id).status, Status::Delivered);
}

pub fn a_parked_receipt_is_found_under_every_form_of_its_reference(store: &dyn Store) {
    let early = Receipt {
        references: vec!["33".into(), "21".into()],
        recipient: Some(phone(2).into()),
        ..delivered("33", 50)
    };
    assert!(matches!(commit(store, op(early)), Outcome::ReceiptParked));
    let other = sent(store, 1, "21");
    assert_eq!(progress(store, other).status, Status::Sent);
    let meant = sent(store, 2, "21");
    assert_eq!(progress(store, meant).status, Status::Delivered);
    let again = sent(store, 2, "33");
    assert_eq!(progress(store, again).status, Status::Sent);
}

pub fn a_submission_that_becomes_unknown_takes_the_receipt_that_came_before(store: &dyn Store) {
    let (id, _) = accept(store, sent_at_once(phone(1), at(0)));
    let early = Receipt {
        recipient: Some(phone(1).into()),
        ..delivered("early", 50)
    };
    assert!(matches!(
        commit(store, op(early.clone())),
        Outcome::ReceiptParked
    ));
    let outcome = SubmitOutcome::Unknown {
        references: Vec::new(),
    };
    let lost = Submitted {
        submitted_at: at(10),
        ..submitted(id, outcome, at(30_000))
    };
    change(store, Op::Submitted(Box::new(lost)));
    assert_eq!(progress(store, id).status, Status::Delivered);
    let again = change(store, op(early));
    assert_eq!((again.message, again.was), (id, Status::Delivered));
}

pub fn an_interrupted_submission_takes_the_one_receipt_that_came_before(store: &dyn Store) {
    let sends = |who| accept(store, sent_at_once(phone(who), at(0))).0;
    let (alone, twin, other) = (sends(1), sends(2), sends(2));
    for (who, reference) in [(1, "one"), (2, "two")] {
        let early = Receipt {
            recipient: Some(phone(who).into()),
            ..delivered(reference, 50)
        };
        assert!(matches!(commit(store, op(early)), Outcome::ReceiptParked));
    }
    for id in [alone, twin, other] {
        let interrupted = Interrupted {
            message: id,
            marks_started: false,
            resolve_at: at(30_000),
            at: at(100),
            epoch: OWNER,
        };
        change(store, Op::Interrupted(interrupted));
    }
    let states = [alone, twin, other].map(|id| {
        let outcome = SubmitOutcome::Unknown {
            references: Vec::new(),
        };
        let lost = Submitted {
            submitted_at: at(0),
            ..submitted(id, outcome, at(30_000))
        };
        change(store, Op::Submitted(Box::new(lost)));
        progress(store, id).attempts[0].state
    });
    let unknown = AttemptState::Unknown;
    assert_eq!(states, [AttemptState::Delivered, unknown, unknown]);
}

pub fn a_receipt_that_fits_two_unknown_submissions_is_parked(store: &dyn Store) {
    unknown(store, 1);
    unknown(store, 1);
    let fits = Receipt {
        recipient: Some(phone(1).into()),
        ..delivered("new", 3_100)
    };
    assert!(matches!(commit(store, op(fits)), Outcome::ReceiptParked));
}

pub fn a_receipt_that_may_be_for_one_whose_answer_has_not_come_is_parked_for_it(store: &dyn Store) {
    let lost = unknown(store, 1);
    let (under_way, _) = accept(store, sent_at_once(phone(1), at(150)));
    let early = Receipt {
        recipient: Some(phone(1).into()),
        ..delivered("early", 200)
    };
    assert!(matches!(commit(store, op(early)), Outcome::ReceiptParked));
    assert_eq!(
        progress(store, lost).attempts[0].state,
        AttemptState::Unknown
    );
    let answer = submitted(under_way, taken("early"), at(250));
    let changed = change(store, Op::Submitted(Box::new(answer)));
    assert_eq!(changed.status, Status::Delivered);
    assert_eq!(
        progress(store, lost).attempts[0].state,
        AttemptState::Unknown
    );
}

pub fn an_unknown_submission_takes_no_receipt_that_may_be_for_another(store: &dyn Store) {
    let (lost, _) = accept(store, sent_at_once(phone(1), at(0)));
    let (under_way, _) = accept(store, sent_at_once(phone(1), at(0)));
    let early = Receipt {
        recipient: Some(phone(1).into()),
        ..delivered("early", 50)
    };
    assert!(matches!(commit(store, op(early)), Outcome::ReceiptParked));
    let outcome = SubmitOutcome::Unknown {
        references: Vec::new(),
    };
    let nobody_knows = submitted(lost, outcome, at(0));
    change(store, Op::Submitted(Box::new(nobody_knows)));
    assert_eq!(
        progress(store, lost).attempts[0].state,
        AttemptState::Unknown
    );
    let answer = submitted(under_way, taken("early"), at(100));
    let changed = change(store, Op::Submitted(Box::new(answer)));
    assert_eq!(changed.status, Status::Delivered);
}

/// A receipt for this person, under a name that nobody knows.
fn early(reference: &str, millis: i64) -> Receipt {
    Receipt {
        recipient: Some(phone(1).into()),
        ..delivered(reference, millis)
    }
}

fn park(store: &dyn Store, receipt: Receipt) {
    assert!(matches!(commit(store, op(receipt)), Outcome::ReceiptParked));
}

/// A message whose answer has not come.
fn in_hand(store: &dyn Store) -> MessageId {
    accept(store, sent_at_once(phone(1), at(150))).0
}

fn state(store: &dyn Store, id: MessageId) -> AttemptState {
    progress(store, id).attempts[0].state
}

fn answered(id: MessageId, outcome: SubmitOutcome) -> Op {
    Op::Submitted(Box::new(submitted(id, outcome, at(250))))
}

pub fn a_parked_receipt_is_looked_at_again_when_the_answer_it_may_be_for_names_another(
    store: &dyn Store,
) {
    let lost = unknown(store, 1);
    let under_way = in_hand(store);
    park(store, early("early", 200));
    let changed = change(store, answered(under_way, taken("other")));
    assert_eq!((changed.message, changed.status), (under_way, Status::Sent));
    let resolved = changed.resolved.expect("the receipt is for the lost one");
    assert_eq!(
        (resolved.message, resolved.status),
        (lost, Status::Delivered)
    );
    assert!(resolved.unknown_resolved && !changed.unknown_resolved);
    assert_eq!(
        progress(store, lost).attempts[0].delivered_at,
        Some(at(200))
    );
    assert_eq!(ask(store.receipts(lost)).len(), 1);
    let again = change(store, op(early("early", 300)));
    assert_eq!((again.message, again.was), (lost, Status::Delivered));
    assert_eq!(state(store, under_way), AttemptState::Sent);
}

pub fn whatever_ends_the_wait_for_an_answer_has_the_receipt_looked_at_again(store: &dyn Store) {
    let ends: [fn(MessageId) -> Op; 4] = [
        |message| {
            Op::Release(Release {
                message,
                attempt: 1,
                at: at(250),
                epoch: OWNER,
            })
        },
        |message| {
            Op::Interrupted(Interrupted {
                message,
                marks_started: true,
                resolve_at: at(30_000),
                at: at(250),
                epoch: OWNER,
            })
        },
        |message| {
            op(Receipt {
                ours: Some((message, 1)),
                ..delivered("named", 250)
            })
        },
        |message| {
            let refused = failure(FailureClass::RouteFault);
            answered(message, SubmitOutcome::NotAccepted(refused))
        },
    ];
    for (nth, end) in ends.into_iter().enumerate() {
        let lost = unknown(store, 1);
        let under_way = in_hand(store);
        park(store, early(&format!("early {nth}"), 200));
        let changed = change(store, end(under_way));
        let resolved = changed.resolved.map(|it| it.message);
        assert_eq!((changed.message, resolved), (under_way, Some(lost)));
        assert_eq!(state(store, lost), AttemptState::Delivered);
    }
}

pub fn a_receipt_that_is_looked_at_again_goes_to_the_only_one_that_it_fits(store: &dyn Store) {
    let lost = unknown(store, 1);
    let [first, second, third] = [(); 3].map(|()| in_hand(store));
    park(store, early("early", 200));
    // The second may be the one that it is for.
    let changed = change(store, answered(first, taken("first")));
    assert_eq!(changed.resolved, None);
    let nobody_knows = SubmitOutcome::Unknown {
        references: Vec::new(),
    };
    change(store, answered(second, nobody_knows));
    // Now there are two that are unknown.
    let changed = change(store, answered(third, taken("third")));
    assert_eq!(changed.resolved, None);
    for id in [lost, second] {
        assert_eq!(state(store, id), AttemptState::Unknown);
    }
}

pub fn of_two_parked_receipts_none_goes_to_the_one_that_is_unknown(store: &dyn Store) {
    let lost = unknown(store, 1);
    let under_way = in_hand(store);
    for reference in ["one", "two"] {
        park(store, early(reference, 200));
    }
    let changed = change(store, answered(under_way, taken("other")));
    assert_eq!(changed.resolved, None);
    assert_eq!(state(store, lost), AttemptState::Unknown);
}

pub fn a_receipt_from_before_the_unknown_one_was_planned_is_not_its(store: &dyn Store) {
    park(store, early("early", 50));
    let mut attempt = planned(Channel::Sms, SMS);
    attempt.reservation.at = at(60);
    let (lost, _) = accept(store, first(FirstStep::Send(attempt), phone(1), at(60)));
    let nobody_knows = SubmitOutcome::Unknown {
        references: Vec::new(),
    };
    let answer = submitted(lost, nobody_knows, at(100));
    change(store, Op::Submitted(Box::new(answer)));
    let under_way = in_hand(store);
    let changed = change(store, answered(under_way, taken("other")));
    assert_eq!(changed.resolved, None);
    assert_eq!(state(store, lost), AttemptState::Unknown);
}

pub fn a_receipt_that_may_be_for_a_copy_in_doubt_stays_parked(store: &dyn Store) {
    let given_up = in_hand(store);
    let ends = progress(store, given_up).expires_at;
    let lost = accept(store, sent_at_once(phone(1), ends)).0;
    let nobody_knows = SubmitOutcome::Unknown {
        references: Vec::new(),
    };
    let answer = Submitted {
        resolve_at: ends.plus(Millis::minutes(30)),
        ..submitted(lost, nobody_knows, ends)
    };
    change(store, Op::Submitted(Box::new(answer)));
    park(
        store,
        Receipt {
            at: ends.plus(Millis::seconds(1)),
            ..early("early", 0)
        },
    );
    for (wait, state_after) in [
        (Millis::seconds(2), AttemptState::Sending),
        (Millis::minutes(5), AttemptState::Failed),
    ] {
        let settle = Settle {
            message: given_up,
            version: progress(store, given_up).version,
            on_unknown: OnUnknown::Resend,
            at: ends.plus(wait),
            epoch: OWNER,
        };
        assert_eq!(change(store, Op::Settle(settle)).resolved, None);
        assert_eq!(state(store, given_up), state_after);
    }
    assert_eq!(state(store, lost), AttemptState::Unknown);
}

pub fn what_is_not_marked_where_starts_are_holds_no_receipt_up(store: &dyn Store) {
    let first = unknown(store, 1);
    let (under_way, ready) = (in_hand(store), in_hand(store));
    let start = |message| {
        Op::Start(Start {
            message,
            attempt: 1,
            epoch: OWNER,
        })
    };
    change(store, start(under_way));
    let marking = |reference| Receipt {
        marks_started: true,
        ..early(reference, 200)
    };
    park(store, marking("early"));
    let answer = Submitted {
        marks_started: true,
        ..submitted(under_way, taken("other"), at(250))
    };
    let changed = change(store, Op::Submitted(Box::new(answer)));
    assert_eq!(changed.resolved.map(|it| it.message), Some(first));
    let second = unknown(store, 1);
    assert_eq!(change(store, op(marking("now"))).message, second);
    assert_eq!(state(store, ready), AttemptState::Sending);
}

pub fn a_resolved_submission_is_unknown_no_more(store: &dyn Store) {
    let (first, second) = (unknown(store, 1), unknown(store, 1));
    let ours = Receipt {
        ours: Some((first, 1)),
        ..delivered("one", 3_100)
    };
    change(store, op(ours));
    let fits = Receipt {
        recipient: Some(phone(1).into()),
        ..delivered("two", 3_200)
    };
    assert_eq!(change(store, op(fits.clone())).message, second);
    let late = Receipt {
        references: vec!["three".into()],
        ..fits
    };
    assert!(matches!(commit(store, op(late)), Outcome::ReceiptParked));
}

pub fn a_repeated_receipt_is_kept_and_counted_once(store: &dyn Store) {
    let id = sent(store, 1, "a");
    let first = change(store, op(delivered("a", 3_100)));
    let again = change(store, op(delivered("a", 9_100)));
    assert_eq!(again.version, first.version);
    assert_eq!(facts(store, phone(1)).sms.metrics.success_count, 1);
    assert_eq!(ask(store.receipts(id)).len(), 2);
    assert_eq!(
        ask(store.message(PROJECT, id)).unwrap().updated_at,
        at(3_100)
    );
}

pub fn a_delivery_after_a_failure_corrects_the_count(store: &dyn Store) {
    let id = sent(store, 1, "a");
    let failed = ReceiptState::Failed(failure(FailureClass::Undeliverable));
    change(store, op(receipt("a", failed, at(200))));
    assert_eq!(facts(store, phone(1)).sms.metrics.failure_count, 1);
    change(store, op(delivered("a", 300)));
    let metrics = facts(store, phone(1)).sms.metrics;
    assert_eq!((metrics.success_count, metrics.failure_count), (1, 0));
    assert_eq!(progress(store, id).status, Status::Delivered);
    let states: Vec<_> = ask(store.receipts(id))
        .into_iter()
        .map(|it| it.state)
        .collect();
    assert_eq!(states, ["failed".into(), "delivered".into()]);
}

pub fn each_part_counts_and_the_message_once(store: &dyn Store) {
    let mut attempt = planned(Channel::Sms, SMS);
    attempt.parts = 2;
    let (id, _) = accept(store, first(FirstStep::Send(attempt), phone(1), at(0)));
    let references = vec![part(0, "a"), part(1, "b")];
    let outcome = SubmitOutcome::Accepted { references };
    change(
        store,
        Op::Submitted(Box::new(submitted(id, outcome, at(100)))),
    );
    assert_eq!(change(store, op(delivered("b", 200))).status, Status::Sent);
    assert_eq!(change(store, op(delivered("b", 300))).status, Status::Sent);
    assert_eq!(
        change(store, op(delivered("a", 400))).status,
        Status::Delivered
    );
    assert_eq!(facts(store, phone(1)).sms.metrics.success_count, 1);
}

pub fn a_receipt_without_any_name_is_missing(store: &dyn Store) {
    let nameless = Receipt {
        references: Vec::new(),
        ..delivered("", 1)
    };
    assert!(matches!(commit(store, op(nameless)), Outcome::Missing));
}

pub fn a_late_delivery_cancels_the_fallback(store: &dyn Store) {
    let id = sent(store, 1, "a");
    let failed = ReceiptState::Failed(failure(FailureClass::Undeliverable));
    let waits = change(store, op(receipt("a", failed, at(200))));
    assert_eq!(waits.waiting, Waiting::Fallback { at: at(5_200) });
    let changed = change(store, op(delivered("a", 5_100)));
    assert_eq!((changed.waiting, changed.due), (Waiting::No, None));
    assert!(ask(store.due(at(5_200), 10)).is_empty());
    assert_eq!(
        progress(store, id).attempts[0].state,
        AttemptState::Delivered
    );
}
