//! The folds: what events make of a message, whatever their number and order.

use domain::ids::RouteKey;
use domain::model::attempt::{AttemptState, Counted, PartSet, PlannedAttempt};
use domain::model::channel::{Channel, ChannelSet};
use domain::model::contact::ChannelMetrics;
use domain::model::failure::{Failure, FailureClass};
use domain::model::message::{Status, TrafficClass};
use domain::model::money::Micros;
use domain::model::progress::{FallbackPolicy, Lane, Progress, Waiting};
use domain::model::quota::Reservation;
use domain::model::receipt::{PartReference, ReceiptState, SubmitOutcome};
use domain::model::route::{ChargedOn, OnUnknown};
use domain::rules::due::{DueKind, IN_HAND_GRACE, next_due, settle};
use domain::rules::fallback::allows_fallback;
use domain::rules::metrics;
use domain::rules::outcome::{Effects, submitted};
use domain::rules::receipt_order::receipt;
use domain::rules::unknown::{interrupted, release};
use domain::time::{Millis, Timestamp};
use proptest::prelude::*;

const T0: Timestamp = Timestamp::from_millis(1_000_000);
const END: Timestamp = T0.plus(Millis::hours(1));

fn at(seconds: i64) -> Timestamp {
    T0.plus(Millis::seconds(seconds))
}

fn planned(channel: Channel, parts: u16) -> PlannedAttempt {
    PlannedAttempt {
        channel,
        route: RouteKey(if channel == Channel::Sms { 1 } else { 2 }),
        parts,
        estimated_cost: Micros(300),
        charged_on: ChargedOn::Submit,
        receipts: true,
        country: None,
        reservation: Reservation::default(),
    }
}

/// A message whose first attempt, of so many parts, is on WhatsApp and in hand; SMS is left.
fn in_hand(parts: u16) -> Progress {
    let fallback = FallbackPolicy {
        enabled: true,
        after: None,
        untried: ChannelSet::EMPTY.with(Channel::Sms).with(Channel::WhatsApp),
    };
    let mut progress = Progress::accepted(TrafficClass::Direct, fallback, END, Waiting::No);
    progress.start_attempt(&planned(Channel::WhatsApp, parts));
    progress
}

fn accepted(parts: u16) -> SubmitOutcome {
    let name = |part| PartReference {
        part,
        reference: format!("ref{part}").into(),
    };
    SubmitOutcome::Accepted {
        references: (0..parts).map(name).collect(),
    }
}

fn sent(parts: u16) -> Progress {
    let mut progress = in_hand(parts);
    submitted(&mut progress, 1, &accepted(parts), at(30), T0);
    progress
}

fn failure(class: FailureClass) -> Failure {
    Failure::new(class, class.code(), "")
}

fn failed(class: FailureClass) -> ReceiptState {
    ReceiptState::Failed(failure(class))
}

/// A message whose first attempt stands so.
fn standing(state: AttemptState) -> Progress {
    let mut progress = match state {
        AttemptState::Sending | AttemptState::Unknown => in_hand(1),
        AttemptState::Sent
        | AttemptState::Failed
        | AttemptState::Delivered
        | AttemptState::Read => sent(1),
    };
    match state {
        AttemptState::Sending | AttemptState::Sent => {}
        AttemptState::Unknown => {
            let outcome = SubmitOutcome::Unknown {
                references: Vec::new(),
            };
            submitted(&mut progress, 1, &outcome, at(30), T0);
        }
        AttemptState::Failed => {
            receipt(
                &mut progress,
                1,
                0,
                &failed(FailureClass::Undeliverable),
                at(1),
            );
        }
        AttemptState::Delivered => {
            receipt(&mut progress, 1, 0, &ReceiptState::Delivered, at(1));
        }
        AttemptState::Read => {
            receipt(&mut progress, 1, 0, &ReceiptState::Read, at(1));
        }
    }
    assert_eq!(progress.attempts[0].state, state);
    progress
}

#[test]
fn every_receipt_in_every_state_gives_the_state_of_the_table() {
    use AttemptState::{Delivered, Failed, Read, Sending, Sent, Unknown};
    let receipts = [
        ReceiptState::InTransit,
        ReceiptState::Delivered,
        ReceiptState::Read,
        failed(FailureClass::Undeliverable),
    ];
    for (state, wants) in [
        (Sending, [Sent, Delivered, Read, Failed]),
        (Unknown, [Sent, Delivered, Read, Failed]),
        (Sent, [Sent, Delivered, Read, Failed]),
        (Failed, [Failed, Delivered, Read, Failed]),
        (Delivered, [Delivered, Delivered, Read, Delivered]),
        (Read, [Read, Read, Read, Read]),
    ] {
        for (heard, want) in receipts.iter().zip(wants) {
            let before = standing(state);
            let mut progress = before.clone();
            let effects = receipt(&mut progress, 1, 0, heard, at(2));
            assert_eq!(progress.attempts[0].state, want, "{state:?} + {heard:?}");
            assert_eq!(
                effects.unknown_resolved,
                state == Unknown,
                "{state:?} + {heard:?}"
            );
            assert!(progress.status >= before.status, "{state:?} + {heard:?}");
            let again = progress.clone();
            assert_eq!(
                receipt(&mut progress, 1, 0, heard, at(3)),
                Effects::default()
            );
            assert_eq!(progress, again, "the repeat of {heard:?} after {state:?}");
        }
    }
}

/// The record that the effects of a story leave.
fn fold_all(progress: &mut Progress, story: &[(u16, ReceiptState)]) -> ChannelMetrics {
    let parts = progress.attempts[0].parts;
    let mut record = ChannelMetrics::default();
    for (part, state) in story {
        let before = progress.status;
        let effects = receipt(progress, 1, *part % parts, state, at(1));
        assert!(progress.status >= before, "the status moved back");
        if let Some(change) = effects.metric {
            record = metrics::apply(record, &change);
        }
    }
    record
}

fn any_receipt() -> impl Strategy<Value = (u16, ReceiptState)> {
    let state = prop_oneof![
        Just(ReceiptState::InTransit),
        Just(ReceiptState::Delivered),
        Just(ReceiptState::Read),
        Just(failed(FailureClass::Undeliverable)),
    ];
    (0..3_u16, state)
}

/// A story, and the same in another order with some of it repeated.
type Story = Vec<(u16, ReceiptState)>;

fn story_and_shuffle() -> impl Strategy<Value = (Story, Story)> {
    prop::collection::vec(any_receipt(), 1..8).prop_flat_map(|story| {
        let repeats = prop::sample::subsequence(story.clone(), 0..=story.len());
        let shuffled = repeats
            .prop_map({
                let story = story.clone();
                move |extra| story.iter().cloned().chain(extra).collect::<Vec<_>>()
            })
            .prop_shuffle();
        (Just(story), shuffled)
    })
}

proptest! {
    #[test]
    fn neither_order_nor_repetition_of_receipts_matters(
        (story, shuffled) in story_and_shuffle(),
        parts in 1..4_u16,
    ) {
        let (mut one, mut other) = (sent(parts), sent(parts));
        let (record, same) = (fold_all(&mut one, &story), fold_all(&mut other, &shuffled));
        let view = |it: &Progress| {
            let attempt = &it.attempts[0];
            (it.status, it.waiting, it.ended_at, it.duplicate_deliveries, attempt.state, attempt.delivered,
                attempt.counted, attempt.settled_cost)
        };
        prop_assert_eq!(view(&one), view(&other));
        let counts = |it: ChannelMetrics| (it.success_count, it.failure_count);
        prop_assert_eq!(counts(record), counts(same));
        let arrived = matches!(one.attempts[0].state, AttemptState::Delivered | AttemptState::Read);
        let fails = story.iter().any(|it| matches!(it.1, ReceiptState::Failed(_)));
        prop_assert_eq!(counts(record), (u32::from(arrived), u32::from(!arrived && fails)));
        prop_assert_eq!(one.attempts[0].settled_cost, Some(Micros(300)), "charged once");
    }
}

#[test]
fn a_long_message_is_delivered_with_its_last_part_and_fails_with_any() {
    let mut progress = sent(3);
    for part in [2, 0] {
        receipt(&mut progress, 1, part, &ReceiptState::Delivered, at(1));
        assert_eq!(progress.status, Status::Sent);
    }
    let mut unlucky = progress.clone();
    receipt(&mut progress, 1, 1, &ReceiptState::Delivered, at(2));
    assert_eq!(progress.status, Status::Delivered);
    receipt(
        &mut unlucky,
        1,
        1,
        &failed(FailureClass::Undeliverable),
        at(2),
    );
    assert_eq!(unlucky.attempts[0].state, AttemptState::Failed);
}

#[test]
fn fallback_is_planned_five_seconds_after_the_failure_where_the_class_allows_it() {
    for class in FailureClass::ALL {
        let mut progress = in_hand(1);
        submitted(
            &mut progress,
            1,
            &SubmitOutcome::Rejected(failure(class)),
            at(30),
            at(2),
        );
        if allows_fallback(class) {
            assert_eq!(
                progress.waiting,
                Waiting::Fallback { at: at(7) },
                "{class:?}"
            );
            let due = next_due(&progress).unwrap();
            assert_eq!((due.at, due.kind), (at(7), DueKind::Plan));
        } else {
            assert_eq!(progress.status, Status::Failed, "{class:?}");
            assert_eq!(next_due(&progress), None, "{class:?}");
        }
        // A second channel is the last.
        if progress.waiting != Waiting::No {
            progress.start_attempt(&planned(Channel::Sms, 1));
            submitted(
                &mut progress,
                2,
                &SubmitOutcome::Rejected(failure(class)),
                at(30),
                at(9),
            );
            assert_eq!(
                (progress.status, progress.waiting),
                (Status::Failed, Waiting::No)
            );
            assert_eq!(next_due(&progress), None);
            assert!(
                progress.fallback.untried.is_empty(),
                "never the same channel twice"
            );
        }
    }
}

#[test]
fn no_fallback_starts_at_or_after_the_end_of_validity() {
    for (before_end, falls_back) in [(5_001, true), (5_000, false), (0, false), (-1, false)] {
        let mut progress = sent(1);
        let now = END.plus(Millis::new(-before_end));
        receipt(
            &mut progress,
            1,
            0,
            &failed(FailureClass::Undeliverable),
            now,
        );
        assert_eq!(
            progress.waiting != Waiting::No,
            falls_back,
            "{before_end} ms before"
        );
    }
}

#[test]
fn an_unknown_outcome_is_sent_again_or_fails_as_the_policy_says() {
    let due = next_due(&standing(AttemptState::Unknown)).unwrap();
    assert_eq!((due.at, due.kind), (at(30), DueKind::Settle));
    let mut early = standing(AttemptState::Unknown);
    settle(&mut early, OnUnknown::Resend, at(29));
    assert_eq!(early, standing(AttemptState::Unknown));

    let mut again = standing(AttemptState::Unknown);
    settle(&mut again, OnUnknown::Resend, at(30));
    let lane = Lane {
        route: RouteKey(2),
        class: TrafficClass::Direct,
    };
    assert_eq!(
        (again.waiting, again.attempts[0].resends),
        (Waiting::Lane(lane), 1)
    );

    let mut fails = standing(AttemptState::Unknown);
    settle(&mut fails, OnUnknown::Fail, at(30));
    assert_eq!(fails.attempts[0].state, AttemptState::Failed);
    assert_eq!(fails.waiting, Waiting::Fallback { at: at(35) });
    assert_eq!(fails.attempts[0].counted, Counted::No, "nobody's failure");
}

#[test]
fn silence_for_as_long_as_the_message_allows_counts_as_failure() {
    let mut progress = in_hand(1);
    progress.fallback.after = Some(Millis::seconds(20));
    submitted(&mut progress, 1, &accepted(1), at(30), at(1));
    assert_eq!(next_due(&progress).unwrap().at, at(21));
    settle(&mut progress, OnUnknown::Resend, at(21));
    assert_eq!(progress.waiting, Waiting::Fallback { at: at(26) });
    assert_eq!(progress.attempts[0].counted, Counted::Failure);
}

#[test]
fn a_missing_receipt_ends_the_message_and_a_late_one_corrects_the_end() {
    let mut progress = sent(1);
    assert_eq!(next_due(&progress).unwrap().at, END);
    settle(&mut progress, OnUnknown::Resend, END);
    assert!(progress.receipt_missing && progress.is_ended());
    assert_eq!((progress.status, next_due(&progress)), (Status::Sent, None));
    receipt(
        &mut progress,
        1,
        0,
        &ReceiptState::Delivered,
        END.plus(Millis::hours(1)),
    );
    assert_eq!(
        (progress.status, progress.receipt_missing),
        (Status::Delivered, false)
    );
}

#[test]
fn a_route_that_never_answers_is_given_up_a_grace_after_the_end_of_validity() {
    let mut progress = in_hand(1);
    settle(&mut progress, OnUnknown::Resend, END);
    assert_eq!(next_due(&progress).unwrap().at, END.plus(IN_HAND_GRACE));
    settle(&mut progress, OnUnknown::Resend, END.plus(IN_HAND_GRACE));
    assert_eq!(
        (progress.status, next_due(&progress)),
        (Status::Failed, None)
    );
}

#[test]
fn what_was_never_seen_is_taken_back_and_what_was_refused_stays() {
    let mut untouched = in_hand(1);
    release(&mut untouched, 1, at(1));
    assert!(untouched.attempts.is_empty());
    assert!(untouched.fallback.untried.contains(Channel::WhatsApp));
    assert!(matches!(untouched.waiting, Waiting::Lane(_)));

    let mut touched = in_hand(1);
    let refused = SubmitOutcome::NotAccepted(failure(FailureClass::RouteFault));
    submitted(&mut touched, 1, &refused, at(30), at(1));
    assert_eq!(touched.attempts[0].refused_by, [RouteKey(2)]);
    touched.continue_attempt(&PlannedAttempt {
        route: RouteKey(3),
        ..planned(Channel::WhatsApp, 1)
    });
    release(&mut touched, 1, at(2));
    assert_eq!(touched.attempts.len(), 1);
    assert!(matches!(
        touched.waiting,
        Waiting::Lane(Lane {
            route: RouteKey(3),
            ..
        })
    ));
}

#[test]
fn an_interrupted_attempt_is_unknown_unless_it_is_known_not_to_have_started() {
    for (marks_started, started, is_unknown) in [
        (false, false, true),
        (false, true, true),
        (true, true, true),
        (true, false, false),
    ] {
        let mut progress = in_hand(1);
        progress.attempts[0].started = started;
        interrupted(&mut progress, 1, marks_started, at(30), at(1));
        let state = progress.attempts.first().map(|it| it.state);
        assert_eq!(
            state == Some(AttemptState::Unknown),
            is_unknown,
            "{marks_started} {started}"
        );
    }
}

#[test]
fn a_second_delivery_is_counted_as_a_duplicate_and_a_first_one_cancels_what_has_not_left() {
    let mut progress = standing(AttemptState::Failed);
    progress.start_attempt(&planned(Channel::Sms, 1));
    let mut cancelled = progress.clone();
    let effects = receipt(&mut cancelled, 1, 0, &ReceiptState::Delivered, at(7));
    assert_eq!(
        (effects.cancelled, cancelled.status),
        (Some(2), Status::Delivered)
    );

    submitted(&mut progress, 2, &accepted(1), at(30), at(7));
    assert!(!receipt(&mut progress, 2, 0, &ReceiptState::Delivered, at(8)).duplicate_delivery);
    assert!(receipt(&mut progress, 1, 0, &ReceiptState::Delivered, at(9)).duplicate_delivery);
    assert!(!receipt(&mut progress, 1, 0, &ReceiptState::Read, at(9)).duplicate_delivery);
    assert_eq!(progress.duplicate_deliveries, 1);
}

#[test]
fn what_a_route_refuses_after_the_first_channel_delivered_goes_nowhere_else() {
    let refused = SubmitOutcome::NotAccepted(failure(FailureClass::RouteFault));
    let undeliverable = failed(FailureClass::Undeliverable);
    for delivered_first in [true, false] {
        let mut progress = sent(1);
        receipt(&mut progress, 1, 0, &undeliverable, at(1));
        progress.start_attempt(&planned(Channel::Sms, 1));
        if !delivered_first {
            submitted(&mut progress, 2, &refused, at(40), at(9));
        }
        receipt(&mut progress, 1, 0, &ReceiptState::Delivered, at(10));
        if delivered_first {
            submitted(&mut progress, 2, &refused, at(40), at(11));
        }
        assert_eq!(progress.waiting, Waiting::No, "{delivered_first}");
        assert_eq!(progress.attempts[1].state, AttemptState::Failed);
        assert_eq!(progress.status, Status::Delivered);
        assert!(progress.failure.is_none());
    }
}

#[test]
fn the_parts_that_were_taken_before_a_refusal_are_paid_for() {
    let mut progress = in_hand(3);
    let partly = SubmitOutcome::PartlyAccepted {
        references: vec![PartReference {
            part: 0,
            reference: "a".into(),
        }],
        failure: failure(FailureClass::Undeliverable),
        retriable: false,
    };
    submitted(&mut progress, 1, &partly, at(30), at(1));
    assert_eq!(progress.attempts[0].settled_cost, Some(Micros(100)));
    assert_eq!(progress.attempts[0].accepted, PartSet::first(1));
}

#[test]
fn the_rest_of_a_partly_accepted_message_is_tried_again_after_pauses_that_double() {
    let mut progress = in_hand(2);
    let refused = |class| SubmitOutcome::PartlyAccepted {
        references: vec![PartReference {
            part: 0,
            reference: "a".into(),
        }],
        failure: failure(class),
        retriable: true,
    };
    let mut pauses = Vec::new();
    for _ in 0..8 {
        submitted(
            &mut progress,
            1,
            &refused(FailureClass::RouteFault),
            at(30),
            at(1),
        );
        let Waiting::Schedule { at: again } = progress.waiting else {
            panic!("{:?}", progress.waiting)
        };
        pauses.push(again.since(at(1)).get() / 1_000);
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    assert!(progress.attempts[0].refused_by.is_empty());

    let mut throttled = in_hand(2);
    submitted(
        &mut throttled,
        1,
        &refused(FailureClass::Throttled),
        at(30),
        at(1),
    );
    assert!(matches!(throttled.waiting, Waiting::Lane(_)));
}
