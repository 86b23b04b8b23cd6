//! What nobody wants any more: a phone that has not fetched it never gets it, one that has it is asked not to
//! send it, and what has left has left (R-IN-2, R-PHONE-3).

use ports::store::phones::HandingState;

use super::listing::Shown;
use super::pool::Pool;
use super::pool_tests::{at, hand, join, pool, report, says, tick, told};
use crate::testing::key;

fn withdraw(pool: &mut Pool, no: i64, seconds: i64) -> Vec<String> {
    told(pool.withdraw(&[key(no)], at(seconds)))
}

/// What the phone is shown when it pulls.
fn pulls(pool: &mut Pool, phone: &str, seconds: i64) -> Vec<Shown> {
    let listed = pool.list(phone, 100, at(seconds)).into_iter();
    listed.map(|it| it.1).collect()
}

#[test]
fn what_was_not_fetched_is_given_back_at_once_and_never_shown() {
    let mut pool = pool();
    let phone = join(&mut pool, "a", at(0));
    hand(&mut pool, 1, at(0));
    hand(&mut pool, 2, at(0));
    assert_eq!(withdraw(&mut pool, 1, 1), ["returned"]);
    assert!(withdraw(&mut pool, 1, 2).is_empty(), "once");
    assert_eq!(pulls(&mut pool, &phone, 3), [Shown::Send]);
    assert!(pool.open.contains_key("id-2"));
}

#[test]
fn what_is_not_kept_yet_is_given_back_once_however_its_keeping_ends() {
    for is_kept in [true, false] {
        let mut pool = pool();
        let phone = join(&mut pool, "a", at(0));
        let message = crate::testing::submission(1, super::pool_tests::ANA, "Salut");
        pool.place(&message, "id-1".into(), at(0));
        assert_eq!(withdraw(&mut pool, 1, 0), ["returned"]);
        pool.kept("id-1", is_kept, at(0));
        assert!(pulls(&mut pool, &phone, 1).is_empty());
        assert!(tick(&mut pool, at(1)).is_empty());
    }
}

#[test]
fn a_phone_that_has_it_is_asked_not_to_send_it_and_it_is_given_back_on_its_word() {
    let mut pool = pool();
    let phone = join(&mut pool, "a", at(0));
    let id = hand(&mut pool, 1, at(0));
    assert_eq!(pulls(&mut pool, &phone, 1), [Shown::Send]);
    report(&mut pool, &phone, &says(&id, "Pending", None), at(1));
    let mut events = pool.phones[&*phone].subscribe();
    assert!(withdraw(&mut pool, 1, 2).is_empty());
    let event = events.try_recv().unwrap();
    assert_eq!(event.name, "MessageCancelled");
    assert!(event.data.contains(&id));
    // It is named until its end is told, and the phone is told once.
    assert!(withdraw(&mut pool, 1, 3).is_empty());
    assert!(events.try_recv().is_err());
    assert_eq!(pulls(&mut pool, &phone, 4), [Shown::Cancel]);
    let cancelled = says(&id, "Cancelled", None);
    assert_eq!(report(&mut pool, &phone, &cancelled, at(5)), ["returned"]);
    assert!(pool.open.is_empty());
}

#[test]
fn one_that_may_have_fetched_it_is_shown_it_as_too_late() {
    let mut pool = pool();
    let phone = join(&mut pool, "a", at(0));
    let id = hand(&mut pool, 1, at(0));
    pulls(&mut pool, &phone, 1);
    withdraw(&mut pool, 1, 2);
    // The answer to its pull was lost: what it never had it refuses, and what it has it says.
    assert_eq!(pulls(&mut pool, &phone, 3), [Shown::Ask]);
    let late = says(&id, "Failed", Some("TTL expired"));
    assert_eq!(report(&mut pool, &phone, &late, at(4)), ["returned"]);
    assert!(!pool.phones[&*phone].rests(at(4)), "its clock is right");
}

#[test]
fn a_phone_that_sleeps_with_it_is_waited_for_until_its_validity_is_over() {
    let mut pool = pool();
    let phone = join(&mut pool, "a", at(0));
    let id = hand(&mut pool, 1, at(0));
    pulls(&mut pool, &phone, 1);
    withdraw(&mut pool, 1, 2);
    pool.phones.get_mut(&*phone).unwrap().streams = 0;
    let over = pool.open[&*id].handing.valid_until;
    let margin = super::config::CLOCK_MARGIN;
    assert!(tick(&mut pool, over).is_empty());
    assert_eq!(tick(&mut pool, over.plus(margin)), ["returned"]);
}

#[test]
fn what_has_left_has_its_outcome_as_ever() {
    for (said, heard) in [("Processed", "Sent"), ("Pending", "Sent")] {
        let mut pool = pool();
        let phone = join(&mut pool, "a", at(0));
        let id = hand(&mut pool, 1, at(0));
        pulls(&mut pool, &phone, 1);
        report(&mut pool, &phone, &says(&id, said, None), at(1));
        assert!(withdraw(&mut pool, 1, 2).is_empty());
        let sent = says(&id, heard, None);
        assert_eq!(report(&mut pool, &phone, &sent, at(3)), ["accepted"]);
        assert!(withdraw(&mut pool, 1, 4).is_empty());
        assert!(tick(&mut pool, at(500)).is_empty());
    }
}

#[test]
fn what_is_resolved_to_be_cancelled_is_kept_so_over_a_restart() {
    let mut before = pool();
    let phone = join(&mut before, "a", at(0));
    let id = hand(&mut before, 1, at(0));
    pulls(&mut before, &phone, 1);
    report(&mut before, &phone, &says(&id, "Pending", None), at(1));
    let acts = before.withdraw(&[key(1)], at(2));
    let is_kept = |it: &super::pool::Act| {
        use ports::store::phones::PhoneChange;
        matches!(it, super::pool::Act::Keep(PhoneChange::Handing(it))
            if it.cancelling && it.state == HandingState::Pending)
    };
    assert!(acts.iter().any(is_kept), "{acts:?}");
}
