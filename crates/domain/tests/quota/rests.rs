//! R-QUOTA-1, R-PARTS: the rest of a partly accepted message counts once, in the period in which it goes
//! on, and nothing of it is taken from a quota unasked.

use domain::model::failure::FailureClass;
use domain::model::money::Micros;
use domain::model::quota::Use;
use domain::model::receipt::{PartReference, ReceiptState, SubmitOutcome};
use domain::model::route::{ChargedOn, OnUnknown};
use domain::rules::due::settle;
use domain::rules::receipt_order::receipt;
use domain::rules::unknown::never_left;
use domain::time::Millis;

use super::books::*;

/// A message of three parts, of which the provider took the first and did not get the others.
fn of_which_one_part_was_taken() -> Books {
    let mut books = Books::new(3, ChargedOn::Submit);
    books.progress.expires_at = T0.plus(Millis::hours(9));
    books.answered(&SubmitOutcome::PartlyAccepted {
        references: vec![PartReference {
            part: 0,
            reference: "ref0".into(),
        }],
        failure: failure(FailureClass::Throttled),
        retriable: true,
    });
    books
}

#[test]
fn a_rest_of_unknown_outcome_is_reserved_once_until_it_goes_on() {
    let mut books = of_which_one_part_was_taken();
    books.goes_on_at(T0);
    books.answered(&unknown());
    books.step(|it| settle(it, OnUnknown::Resend, at(40)));
    assert_eq!(
        books.reserved,
        units(1, 3, 300),
        "the doubt took over its place"
    );
    books.goes_on_at(at(41));
    assert_eq!(
        books.reserved,
        units(1, 5, 500),
        "another is reserved beside it"
    );
    books.answered(&accepted(1..3));
    assert_eq!(
        (books.reserved, books.settled),
        (units(0, 2, 200), units(1, 3, 300))
    );
}

#[test]
fn a_rest_that_goes_on_in_another_hour_counts_there() {
    let later = T0.plus(Millis::hours(1));
    let mut books = of_which_one_part_was_taken();
    books.goes_on_at(later);
    let moved = (units(1, 1, 100), units(0, 2, 200));
    assert_eq!((books.reserved_in(T0), books.reserved_in(later)), moved);
    books.answered(&accepted(1..3));
    assert_eq!(books.reserved, Use::NONE);
    assert_eq!((books.settled_in(T0), books.settled_in(later)), moved);
    assert_eq!(books.charged, Micros(300));
}

#[test]
fn each_part_of_a_rest_that_goes_on_hour_by_hour_counts_in_its_own() {
    let hour = |no: i64| T0.plus(Millis::hours(no));
    let mut books = of_which_one_part_was_taken();
    for part in [1, 2] {
        books.goes_on_at(hour(part.into()));
        books.answered(&SubmitOutcome::PartlyAccepted {
            references: vec![PartReference {
                part,
                reference: "ref".into(),
            }],
            failure: failure(FailureClass::Throttled),
            retriable: true,
        });
    }
    let receipts = [0, 1, 2].map(|part| (part, ReceiptState::Delivered));
    for (part, state) in receipts {
        books.step(|it| receipt(it, 1, part, &state, hour(2)));
    }
    let settled = [0, 1, 2].map(|no| books.settled_in(hour(no)));
    assert_eq!(
        settled,
        [units(1, 1, 100), units(0, 1, 100), units(0, 1, 100)]
    );
    assert_eq!(books.reserved, Use::NONE);
}

#[test]
fn a_receipt_for_a_part_of_a_rest_in_doubt_leaves_only_the_others_in_doubt() {
    let mut books = of_which_one_part_was_taken();
    books.goes_on_at(T0);
    books.answered(&unknown());
    books.step(|it| settle(it, OnUnknown::Resend, at(40)));
    books.step(|it| receipt(it, 1, 1, &ReceiptState::InTransit, at(41)));
    assert_eq!(books.reserved, units(1, 3, 300));
    let later = T0.plus(Millis::hours(1));
    books.goes_on_at(later);
    assert_eq!(books.reserved_in(T0), units(1, 3, 300));
    assert_eq!(books.reserved_in(later), units(0, 1, 100));
    books.answered(&accepted(2..3));
    assert_eq!(books.reserved, units(0, 1, 100));
    assert_eq!(books.settled_in(T0), units(1, 2, 200));
    assert_eq!(books.settled_in(later), units(0, 1, 100));
}

#[test]
fn the_rest_of_what_failed_is_given_back_once_it_is_known_that_it_never_left() {
    let mut books = of_which_one_part_was_taken();
    books.goes_on_at(T0);
    let failed = ReceiptState::Failed(failure(FailureClass::Undeliverable));
    let mut cancelled = None;
    books.step(|it| cancelled = receipt(it, 1, 0, &failed, at(4)).cancelled);
    assert_eq!(cancelled, Some(1), "the rest must not leave");
    assert_eq!(books.reserved, units(0, 2, 200), "it may have left");
    books.step(|it| assert!(never_left(it, 1)));
    assert_eq!(
        (books.reserved, books.settled),
        (Use::NONE, units(1, 1, 100))
    );
    books.step(|it| assert!(!never_left(it, 1)));
}

#[test]
fn what_arrived_before_its_copy_left_is_counted_once_where_it_was_reserved() {
    let later = T0.plus(Millis::hours(1));
    let mut books = Books::new(1, ChargedOn::Submit);
    books.progress.expires_at = T0.plus(Millis::hours(9));
    books.answered(&unknown());
    books.step(|it| settle(it, OnUnknown::Resend, at(40)));
    books.goes_on_at(later);
    books.heard(&ReceiptState::Delivered);
    books.step(|it| assert!(never_left(it, 1)));
    assert_eq!(books.reserved, Use::NONE);
    assert_eq!(books.settled_in(T0), units(1, 1, 300));
    assert_eq!(books.settled_in(later), Use::NONE);
}

#[test]
fn a_rest_that_expires_is_given_back_and_what_was_taken_is_paid_for() {
    let mut books = of_which_one_part_was_taken();
    books.step(|it| settle(it, OnUnknown::Resend, T0.plus(Millis::hours(10))));
    assert_eq!(
        (books.reserved, books.settled),
        (Use::NONE, units(1, 1, 100))
    );
    assert_eq!(books.charged, Micros(100));
}
