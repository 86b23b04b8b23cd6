//! R-QUOTA-1, R-COST-1, R-METRIC-4: every change of a message is booked, once.

use domain::ids::{RouteKey, VolumeKey};
use domain::model::failure::FailureClass;
use domain::model::message::Status;
use domain::model::money::Micros;
use domain::model::progress::Waiting;
use domain::model::quota::Use;
use domain::model::receipt::{PartReference, ReceiptState, SubmitOutcome};
use domain::model::route::{ChargedOn, OnUnknown};
use domain::model::tally::Tally;
use domain::rules::bill::billed;
use domain::rules::due::settle;
use domain::rules::outcome::submitted;
use domain::rules::receipt_order::receipt;
use domain::rules::unknown::{in_hand, interrupted, release};
use domain::time::Millis;
use proptest::prelude::*;

use super::books::*;

#[test]
fn what_the_provider_took_is_settled_charged_and_counted_once() {
    let mut books = Books::new(2, ChargedOn::Submit);
    assert_eq!(
        (books.reserved, books.settled),
        (units(1, 2, 300), Use::NONE)
    );
    books.answered(&accepted(0..2));
    assert_eq!(
        (books.reserved, books.settled),
        (Use::NONE, units(1, 2, 300))
    );
    assert_eq!(books.charged, Micros(300));
    for part in [0, 1, 1, 0] {
        books.step(|it| receipt(it, 1, part, &ReceiptState::Delivered, at(4)));
    }
    assert_eq!(books.settled, units(1, 2, 300));
    assert_eq!(books.charged, Micros(300));
    let want = Tally {
        sent: 1,
        delivered: 1,
        failed: 0,
        segments: 2,
        cost: Micros(300),
        delivery_time: Millis::seconds(3),
    };
    assert_eq!(books.tally, want);
}

#[test]
fn what_was_not_taken_is_released_and_the_next_route_reserves_its_own() {
    let mut books = Books::new(1, ChargedOn::Submit);
    books.answered(&SubmitOutcome::NotAccepted(failure(
        FailureClass::RouteFault,
    )));
    assert_eq!((books.reserved, books.settled), (Use::NONE, Use::NONE));
    books.goes_on(2, 1, ChargedOn::Submit);
    assert_eq!(books.reserved, units(1, 1, 300));
    assert_eq!(books.routes, [RouteKey(1), RouteKey(2)]);
    books.answered(&SubmitOutcome::Rejected(failure(
        FailureClass::RecipientInvalid,
    )));
    assert_eq!((books.reserved, books.settled), (Use::NONE, Use::NONE));
    assert_eq!(books.charged, Micros::ZERO);
    assert_eq!((books.tally.sent, books.tally.failed), (0, 1));
}

#[test]
fn what_never_left_is_released() {
    let mut books = Books::new(1, ChargedOn::Submit);
    books.step(|it| release(it, 1, at(1)));
    assert_eq!((books.reserved, books.settled), (Use::NONE, Use::NONE));
}

#[test]
fn an_unknown_outcome_stays_reserved_and_another_submission_is_counted_anew() {
    let mut books = Books::new(1, ChargedOn::Submit);
    books.answered(&SubmitOutcome::Unknown {
        references: Vec::new(),
    });
    assert_eq!(books.reserved, units(1, 1, 300), "it may be there");
    books.step(|it| settle(it, OnUnknown::Resend, at(40)));
    let in_doubt = units(1, 1, 300);
    assert_eq!((books.reserved, books.settled), (in_doubt, Use::NONE));
    books.goes_on(1, 1, ChargedOn::Submit);
    assert_eq!(
        (books.reserved, books.settled),
        (units(2, 2, 600), Use::NONE)
    );
    books.answered(&accepted(0..1));
    assert_eq!(
        (books.reserved, books.settled),
        (in_doubt, units(1, 1, 300))
    );
    assert_eq!(books.charged, Micros(300), "one charge is known of");
}

#[test]
fn an_unknown_outcome_that_is_given_up_stays_reserved_until_a_receipt_tells() {
    let mut books = Books::new(1, ChargedOn::Submit);
    books.answered(&SubmitOutcome::Unknown {
        references: Vec::new(),
    });
    books.step(|it| settle(it, OnUnknown::Fail, at(40)));
    let one = units(1, 1, 300);
    assert_eq!((books.reserved, books.settled), (one, Use::NONE));
    for state in [
        ReceiptState::Failed(failure(FailureClass::Undeliverable)),
        ReceiptState::Delivered,
    ] {
        books.heard(&state);
        assert_eq!((books.reserved, books.settled), (Use::NONE, one));
    }
}

#[test]
fn an_answer_after_the_end_of_the_wait_ends_the_doubt() {
    let refused = SubmitOutcome::Rejected(failure(FailureClass::RecipientInvalid));
    for (answer, settled) in [(accepted(0..1), units(1, 1, 300)), (refused, Use::NONE)] {
        let mut books = Books::new(1, ChargedOn::Submit);
        books.step(|it| settle(it, OnUnknown::Resend, END.plus(Millis::hours(1))));
        books.step(|it| settle(it, OnUnknown::Resend, END.plus(Millis::hours(2))));
        assert_eq!(books.progress.attempts[0].doubts.len(), 1);
        assert_eq!(books.reserved, units(1, 1, 300));
        books.answered(&answer);
        assert_eq!((books.reserved, books.settled), (Use::NONE, settled));
    }
}

#[test]
fn a_copy_in_doubt_stays_with_the_route_that_had_it() {
    let mut books = Books::new(1, ChargedOn::Submit);
    let unknown = SubmitOutcome::Unknown {
        references: Vec::new(),
    };
    books.answered(&unknown);
    books.step(|it| settle(it, OnUnknown::Resend, at(40)));
    books.goes_on(2, 1, ChargedOn::Submit);
    books.answered(&SubmitOutcome::NotAccepted(failure(
        FailureClass::RouteFault,
    )));
    assert_eq!(books.reserved_on(1), units(1, 1, 300));
    assert_eq!(books.reserved_on(2), Use::NONE);
    books.heard(&ReceiptState::Delivered);
    assert_eq!(books.reserved_on(1), Use::NONE);
    assert_eq!(books.settled_on(1), units(1, 1, 300));
    assert_eq!(
        (books.reserved, books.settled_on(2)),
        (Use::NONE, Use::NONE)
    );
}

#[test]
fn a_copy_in_doubt_stays_in_the_volume_that_it_was_priced_by() {
    let mut books = Books::new(1, ChargedOn::Submit);
    let in_volume = |volume| {
        let mut it = planned(1, 1, ChargedOn::Submit);
        it.reservation.volume = Some(VolumeKey(volume));
        it
    };
    let counted = |books: &Books, volume| {
        let of_it = |it: &&(Option<VolumeKey>, Use, Use)| it.0 == Some(VolumeKey(volume));
        let counted = books.volumes.iter().filter(of_it);
        counted.fold((0, 0), |sum, it| {
            (sum.0 + it.1.messages, sum.1 + it.2.messages)
        })
    };
    books.step(|it| it.continue_attempt(&in_volume(7)));
    books.answered(&SubmitOutcome::Unknown {
        references: Vec::new(),
    });
    books.step(|it| settle(it, OnUnknown::Resend, at(40)));
    // The resend is charged by a line that names another volume.
    books.step(|it| it.continue_attempt(&in_volume(8)));
    books.answered(&SubmitOutcome::NotAccepted(failure(
        FailureClass::Throttled,
    )));
    assert_eq!((counted(&books, 7), counted(&books, 8)), ((1, 0), (0, 0)));
    books.heard(&ReceiptState::Delivered);
    assert_eq!((counted(&books, 7), counted(&books, 8)), ((0, 1), (0, 0)));
}

#[test]
fn the_copy_that_arrives_while_the_next_waits_is_not_counted_twice() {
    let mut books = Books::new(1, ChargedOn::Submit);
    books.answered(&SubmitOutcome::Unknown {
        references: Vec::new(),
    });
    books.step(|it| settle(it, OnUnknown::Resend, at(40)));
    books.heard(&ReceiptState::Delivered);
    assert_eq!(
        (books.reserved, books.settled),
        (Use::NONE, units(1, 1, 300))
    );
    assert_eq!(books.charged, Micros(300));
}

#[test]
fn the_rest_of_a_partly_accepted_message_keeps_its_place() {
    let mut books = Books::new(3, ChargedOn::Submit);
    let references = vec![PartReference {
        part: 0,
        reference: "ref0".into(),
    }];
    books.answered(&SubmitOutcome::PartlyAccepted {
        references,
        failure: failure(FailureClass::Throttled),
        retriable: true,
    });
    assert_eq!(books.reserved, units(1, 3, 300));
    books.goes_on(1, 3, ChargedOn::Submit);
    assert_eq!(books.reserved, units(1, 3, 300));
    books.answered(&SubmitOutcome::PartlyAccepted {
        references: Vec::new(),
        failure: failure(FailureClass::ContentBlocked),
        retriable: false,
    });
    assert_eq!(
        (books.reserved, books.settled),
        (Use::NONE, units(1, 1, 100))
    );
    assert_eq!(books.charged, Micros(100));
}

#[test]
fn what_is_charged_on_delivery_costs_nothing_where_it_fails() {
    let mut books = Books::new(1, ChargedOn::Delivery);
    books.answered(&accepted(0..1));
    assert_eq!(
        books.settled,
        units(1, 1, 300),
        "the estimate holds its place"
    );
    assert_eq!(books.charged, Micros::ZERO);
    books.heard(&ReceiptState::Failed(failure(FailureClass::Undeliverable)));
    assert_eq!(books.settled, units(1, 1, 0));
    // `delivered` beats `failed`.
    books.heard(&ReceiptState::Delivered);
    assert_eq!(books.settled, units(1, 1, 300));
    assert_eq!(books.charged, Micros(300));
    assert_eq!((books.tally.delivered, books.tally.failed), (1, 0));
}

#[test]
fn what_is_charged_on_delivery_holds_no_money_where_only_a_part_was_taken() {
    let mut books = Books::new(3, ChargedOn::Delivery);
    books.answered(&SubmitOutcome::PartlyAccepted {
        references: vec![PartReference {
            part: 0,
            reference: "ref0".into(),
        }],
        failure: failure(FailureClass::Undeliverable),
        retriable: false,
    });
    assert_eq!(books.progress.status, Status::Failed);
    assert_eq!(books.reserved, Use::NONE);
    assert_eq!(
        books.settled,
        units(1, 1, 0),
        "the part that was taken, for no money"
    );
    assert_eq!(books.charged, Micros::ZERO);
}

#[test]
fn what_the_provider_bills_takes_the_place_of_the_estimate() {
    let mut books = Books::new(1, ChargedOn::Submit);
    books.answered(&accepted(0..1));
    books.step(|it| billed(it, 1, Micros(450)));
    assert_eq!(books.settled, units(1, 1, 450), "the excess is booked");
    assert_eq!(
        (books.charged, books.tally.cost),
        (Micros(450), Micros(450))
    );
    books.step(|it| billed(it, 1, Micros(200)));
    assert_eq!(books.settled, units(1, 1, 200));
    assert_eq!(
        (books.charged, books.tally.cost),
        (Micros(200), Micros(200))
    );
}

#[test]
fn what_was_planned_before_uses_were_counted_takes_nothing_and_gives_nothing_back() {
    let mut books = Books::new(1, ChargedOn::Submit);
    books.progress.attempts[0].reserved_at = None;
    let (reserved, settled) = (books.reserved, books.settled);
    books.answered(&SubmitOutcome::NotAccepted(failure(
        FailureClass::RouteFault,
    )));
    assert_eq!((books.reserved, books.settled), (reserved, settled));
}

#[test]
fn an_answer_that_knows_nothing_leaves_the_doubt() {
    let mut books = Books::new(1, ChargedOn::Submit);
    books.step(|it| settle(it, OnUnknown::Resend, END.plus(Millis::hours(1))));
    books.step(|it| settle(it, OnUnknown::Resend, END.plus(Millis::hours(2))));
    books.answered(&unknown());
    assert_eq!(books.reserved, units(1, 1, 300));
}

#[test]
fn a_receipt_after_two_unknown_copies_tells_of_one_of_them() {
    let mut books = Books::new(1, ChargedOn::Submit);
    books.answered(&unknown());
    books.step(|it| settle(it, OnUnknown::Resend, at(40)));
    books.goes_on(1, 1, ChargedOn::Submit);
    books.answered(&unknown());
    books.heard(&ReceiptState::Delivered);
    let one = units(1, 1, 300);
    assert_eq!((books.reserved, books.settled), (one, one));
}

#[test]
fn an_answer_after_a_receipt_said_failed_leaves_the_copy_before_in_doubt() {
    let mut books = Books::new(1, ChargedOn::Submit);
    books.answered(&unknown());
    books.step(|it| settle(it, OnUnknown::Resend, at(40)));
    books.goes_on(1, 1, ChargedOn::Submit);
    books.heard(&ReceiptState::Failed(failure(FailureClass::Undeliverable)));
    books.answered(&accepted(0..1));
    let one = units(1, 1, 300);
    assert_eq!((books.reserved, books.settled), (one, one));
}

#[test]
fn the_rest_of_a_copy_that_was_taken_in_part_stays_reserved_where_nobody_knows_of_it() {
    let first = SubmitOutcome::Unknown {
        references: vec![PartReference {
            part: 0,
            reference: "ref0".into(),
        }],
    };
    for on_unknown in [OnUnknown::Fail, OnUnknown::Resend] {
        let mut books = Books::new(3, ChargedOn::Submit);
        books.answered(&first);
        books.step(|it| settle(it, on_unknown, at(40)));
        if on_unknown == OnUnknown::Resend {
            books.goes_on(1, 3, ChargedOn::Submit);
            books.answered(&accepted(1..3));
            assert_eq!(books.settled, units(1, 3, 300));
        } else {
            assert_eq!(books.settled, units(1, 1, 100));
            assert_eq!(books.charged, Micros(100));
        }
        assert_eq!(books.reserved, units(0, 2, 200), "{on_unknown:?}");
    }
}

#[test]
fn a_receipt_for_one_part_leaves_the_others_reserved_until_theirs() {
    let mut books = Books::new(2, ChargedOn::Submit);
    books.answered(&unknown());
    let failed = ReceiptState::Failed(failure(FailureClass::Undeliverable));
    books.step(|it| receipt(it, 1, 0, &failed, at(4)));
    let (first, second) = (units(1, 1, 150), units(0, 1, 150));
    assert_eq!((books.reserved, books.settled), (second, first));
    books.step(|it| receipt(it, 1, 1, &failed, at(5)));
    assert_eq!(
        (books.reserved, books.settled),
        (Use::NONE, units(1, 2, 300))
    );
}

#[test]
fn a_copy_that_is_given_up_counts_in_the_period_in_which_it_was_reserved() {
    let later = T0.plus(Millis::hours(1));
    let mut books = Books::new(1, ChargedOn::Submit);
    books.progress.expires_at = later.plus(Millis::hours(1));
    for (reserved_at, resolve_at) in [(T0, at(30)), (later, later)] {
        books.goes_on_at(reserved_at);
        books.step(|it| submitted(it, 1, &unknown(), resolve_at, reserved_at));
        books.step(|it| settle(it, OnUnknown::Resend, resolve_at));
    }
    let one = units(1, 1, 300);
    assert_eq!(
        (books.reserved_in(T0), books.reserved_in(later)),
        (one, one)
    );
}

#[derive(Debug, Clone)]
enum Event {
    Accepted,
    Refused(FailureClass),
    Rejected(FailureClass),
    Unknown,
    Interrupted,
    Released,
    Delivered,
    Failed,
    Clock(i64),
    GoesOn(u32),
    Billed(i64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let class = prop::sample::select(vec![
        FailureClass::RouteFault,
        FailureClass::Throttled,
        FailureClass::RecipientInvalid,
    ]);
    let event = prop_oneof![
        Just(Event::Accepted),
        class.clone().prop_map(Event::Refused),
        class.prop_map(Event::Rejected),
        Just(Event::Unknown),
        Just(Event::Interrupted),
        Just(Event::Released),
        Just(Event::Delivered),
        Just(Event::Failed),
        (1_i64..4_000).prop_map(Event::Clock),
        (1_u32..4).prop_map(Event::GoesOn),
        (0_i64..900).prop_map(Event::Billed),
    ];
    prop::collection::vec(event, 0..25)
}

proptest! {
    /// Whatever happens in whatever order: what is reserved is at most one message, and what is in
    /// doubt, and never less than that; what is charged is what the attempts say, and tallies say what the attempts say.
    #[test]
    fn the_books_agree_with_the_message(events in events(), on_delivery: bool, resend: bool) {
        let charged_on = if on_delivery { ChargedOn::Delivery } else { ChargedOn::Submit };
        let on_unknown = if resend { OnUnknown::Resend } else { OnUnknown::Fail };
        let mut books = Books::new(1, charged_on);
        for event in events {
            let waits = books.progress.waiting != Waiting::No;
            let is_held = in_hand(&books.progress) == Some(1);
            match event {
                Event::Accepted => books.answered(&accepted(0..1)),
                Event::Refused(class) => books.answered(&SubmitOutcome::NotAccepted(failure(class))),
                Event::Rejected(class) => books.answered(&SubmitOutcome::Rejected(failure(class))),
                Event::Unknown => books.answered(&SubmitOutcome::Unknown { references: Vec::new() }),
                Event::Interrupted if is_held => {
                    books.step(|it| interrupted(it, 1, !resend, at(30), at(2)));
                }
                Event::Released if is_held => books.step(|it| release(it, 1, at(2))),
                Event::Interrupted | Event::Released => {}
                Event::Delivered => books.heard(&ReceiptState::Delivered),
                Event::Failed => {
                    books.heard(&ReceiptState::Failed(failure(FailureClass::Undeliverable)));
                }
                Event::Clock(seconds) => books.step(|it| settle(it, on_unknown, at(seconds))),
                Event::GoesOn(route) if waits && books.progress.attempts.is_empty() => {
                    books.step(|it| it.start_attempt(&planned(route, 1, charged_on)));
                }
                Event::GoesOn(route) if waits => books.goes_on(route, 1, charged_on),
                Event::GoesOn(_) => {}
                Event::Billed(cost) => books.step(|it| billed(it, 1, Micros(cost))),
            }
            let attempt = books.progress.attempts.first();
            let charged = attempt.and_then(|it| it.settled_cost).unwrap_or(Micros::ZERO);
            prop_assert_eq!(books.charged, charged);
            prop_assert_eq!(books.tally.cost, charged);
            let in_doubt = attempt.map_or(0, |it| it.doubts.iter().map(|it| i64::from(it.copies)).sum());
            let mine = books.reserved.messages - in_doubt;
            prop_assert!((0..=1).contains(&mine), "{:?}", books.reserved);
            prop_assert!(books.settled.messages >= 0, "{:?}", books.settled);
            prop_assert!(books.reserved.spend.0 >= 0, "{:?}", books.reserved);
            let is_sent =
                attempt.is_some_and(|it| it.sent_at.is_some() || it.delivered_at.is_some());
            prop_assert_eq!(books.tally.sent, i64::from(is_sent));
            if is_sent {
                prop_assert!(books.settled.messages >= 1, "{:?}", books.settled);
            }
        }
    }
}
