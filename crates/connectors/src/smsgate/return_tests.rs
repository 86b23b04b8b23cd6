//! A pool that was away, or whose phone was: what a phone has is never sent again, and what it has done
//! is learned from its first pull (R-PHONE-3, R-DUP).

use domain::time::Timestamp;
use ports::store::phones::{Handing, HandingState, PhoneBook};

use super::listing::Shown;
use super::pool::Pool;
use super::pool_tests::{ANA, at, hand, join, pool, report, says, tick, told};
use super::wire::MessageOut;
use crate::testing::submission;

/// The pool after a restart at this time, its phone having the stream that it had.
fn restarted(before: &Pool, now: Timestamp) -> Pool {
    let mut after = pool();
    let records = before.phones.values().map(|it| it.record.clone());
    let open = before.open.values().map(|it| it.handing.clone());
    let book = PhoneBook {
        phones: records.collect(),
        open: open.collect(),
        ..PhoneBook::default()
    };
    after.load(book, now);
    after
}

/// A phone that was handed one message and has said so much of it; its id, the message's on it.
fn handed(state: Option<&str>) -> (Pool, String, String) {
    let mut pool = pool();
    let phone = join(&mut pool, "a", at(0));
    let id = hand(&mut pool, 1, at(0));
    pool.list(&phone, 100, at(1));
    if let Some(state) = state {
        report(&mut pool, &phone, &says(&id, state, None), at(1));
    }
    (pool, phone, id)
}

/// What the phone is shown when it pulls.
fn pulls(pool: &mut Pool, phone: &str, now: Timestamp) -> Vec<Shown> {
    let listed = pool.list(phone, 100, now).into_iter();
    listed.map(|it| it.1).collect()
}

/// The engine submits it again; what is on phones then.
fn resubmitted(pool: &mut Pool, now: Timestamp) -> Vec<Box<str>> {
    pool.place(&submission(1, ANA, "Salut"), "copy".into(), now);
    pool.open.keys().cloned().collect()
}

#[test]
fn after_a_restart_a_message_that_is_on_a_phone_is_not_handed_out_again() {
    let (before, phone, id) = handed(None);
    let mut after = restarted(&before, at(5));
    // The engine submits it again: it stays where it is, and its outcome is owed again.
    assert_eq!(resubmitted(&mut after, at(5)), [id.as_str().into()]);
    assert_eq!(
        report(&mut after, &phone, &says(&id, "Sent", None), at(6)),
        ["accepted"]
    );
}

#[test]
fn after_a_restart_a_phone_is_shown_what_it_may_not_have_fetched_and_asked_of_what_it_has() {
    for (said, want) in [
        (None, Shown::Send),
        (Some("Pending"), Shown::Ask),
        (Some("Processed"), Shown::Ask),
    ] {
        let (mut before, phone, id) = handed(said);
        if said.is_some() {
            assert_eq!(pulls(&mut before, &phone, at(2)), [], "{said:?}");
        }
        let mut after = restarted(&before, at(5));
        assert_eq!(pulls(&mut after, &phone, at(6)), [want], "{said:?}");
        assert_eq!(
            pulls(&mut after, &phone, at(7)),
            [want],
            "{said:?}: asked until it answers"
        );
        report(&mut after, &phone, &says(&id, "Processed", None), at(8));
        assert_eq!(
            pulls(&mut after, &phone, at(9)),
            [],
            "{said:?}: it answered"
        );
    }
}

#[test]
fn a_phone_that_comes_back_is_asked_of_what_it_has() {
    let (mut pool, phone, id) = handed(Some("Pending"));
    assert_eq!(pulls(&mut pool, &phone, at(2)), []);
    pool.ask_again(&phone);
    assert_eq!(pulls(&mut pool, &phone, at(3)), [Shown::Ask]);
    report(&mut pool, &phone, &says(&id, "Pending", None), at(4));
    assert_eq!(pulls(&mut pool, &phone, at(5)), []);
}

#[test]
fn what_is_asked_for_is_too_late_to_be_sent_by_any_clock() {
    let (before, phone, _) = handed(Some("Pending"));
    let after = restarted(&before, at(5));
    let handing = &after.open.values().next().unwrap().handing;
    let shown = |it| serde_json::to_value(MessageOut::of(handing, it, 0, &after.config)).unwrap();
    let asked = shown(Shown::Ask);
    assert_eq!(asked["validUntil"], "2000-01-01T00:00:00.000Z");
    assert_eq!(
        (&asked["state"], &asked["deviceId"]),
        (&"Pending".into(), &phone.into())
    );
    assert_eq!(shown(Shown::Send)["validUntil"], "2027-01-15T08:05:00.000Z");
    assert_eq!(shown(Shown::Cancel)["state"], "Cancelling");
}

#[test]
fn what_a_phone_sent_while_the_server_was_away_is_not_taken_back_before_it_can_say_so() {
    for said in [None, Some("Pending")] {
        let (before, phone, id) = handed(said);
        // Its validity was over long ago, and the report waits on the phone for its next try.
        let mut after = restarted(&before, at(3_600));
        assert!(tick(&mut after, at(3_600)).is_empty());
        assert!(
            !after.open[&*id].handing.cancelling,
            "it could only be silent on that"
        );
        assert!(tick(&mut after, at(3_719)).is_empty());
        assert_eq!(pulls(&mut after, &phone, at(3_719)), [Shown::Ask]);
        assert_eq!(
            report(&mut after, &phone, &says(&id, "Sent", None), at(3_719)),
            ["in_transit"]
        );
    }
}

#[test]
fn a_phone_that_does_not_come_back_in_time_after_a_restart_holds_nothing_up() {
    let (before, _, _) = handed(None);
    let mut after = restarted(&before, at(3_600));
    resubmitted(&mut after, at(3_601));
    assert!(tick(&mut after, at(3_719)).is_empty());
    assert_eq!(tick(&mut after, at(3_720)), ["returned"]);
}

#[test]
fn after_a_restart_what_was_given_to_android_counts_as_sent_though_nobody_waits_for_it() {
    let (before, phone, id) = handed(Some("Processed"));
    let mut after = restarted(&before, at(10));
    assert!(tick(&mut after, at(69)).is_empty());
    assert_eq!(tick(&mut after, at(70)), ["in_transit"]);
    assert!(tick(&mut after, at(71)).is_empty(), "once");
    assert_eq!(
        report(&mut after, &phone, &says(&id, "Delivered", None), at(72)),
        ["delivered"]
    );
}

#[test]
fn a_phone_that_hears_late_that_it_is_not_to_send_is_told_when_it_says_that_it_has_it() {
    let (mut pool, phone, id) = handed(None);
    pool.phones.get_mut(&*phone).unwrap().silent = true;
    assert!(tick(&mut pool, at(2)).is_empty());
    let mut events = pool.phones[&*phone].subscribe();
    assert_eq!(pulls(&mut pool, &phone, at(3)), [Shown::Ask]);
    report(&mut pool, &phone, &says(&id, "Pending", None), at(3));
    assert_eq!(events.try_recv().unwrap().name, "MessageCancelled");
    assert_eq!(pulls(&mut pool, &phone, at(4)), [Shown::Cancel]);
    assert_eq!(
        report(&mut pool, &phone, &says(&id, "Cancelled", None), at(5)),
        ["returned"]
    );
}

/// A message that was taken back from a phone when its time was over, and is with another.
fn moved(is_fetched: bool) -> (Pool, Handing) {
    let (mut pool, phone, id) = handed(None);
    let known = pool.open[&*id].handing.clone();
    pool.phones.get_mut(&*phone).unwrap().streams = 0;
    assert!(tick(&mut pool, at(300)).is_empty());
    assert_eq!(tick(&mut pool, at(360)), ["returned"]);
    let other = join(&mut pool, "b", at(361));
    assert_eq!(resubmitted(&mut pool, at(361)), ["copy".into()]);
    pool.kept("copy", true, at(361));
    if is_fetched {
        pool.list(&other, 100, at(362));
    }
    let known = Handing {
        state: HandingState::Withdrawn,
        ..known
    };
    (pool, known)
}

#[test]
fn what_was_sent_before_it_was_taken_back_is_sent_and_its_copy_does_not_leave() {
    let (mut pool, known) = moved(false);
    let acts = pool.late(&known, &says("id-1", "Sent", None), at(363));
    assert_eq!(told(acts), ["in_transit", "returned"]);
    assert!(pool.open.is_empty());

    let (mut pool, known) = moved(true);
    let acts = pool.late(&known, &says("id-1", "Sent", None), at(363));
    assert_eq!(told(acts), ["in_transit"]);
    assert!(
        pool.open["copy"].handing.cancelling,
        "its phone may have it"
    );
}

#[test]
fn what_was_taken_back_and_did_not_leave_the_phone_changes_nothing() {
    for (state, error) in [
        ("Failed", Some("TTL expired")),
        ("Cancelled", None),
        ("Pending", None),
    ] {
        let (mut pool, known) = moved(false);
        assert!(
            pool.late(&known, &says("id-1", state, error), at(363))
                .is_empty(),
            "{state}"
        );
        assert_eq!(pool.open.len(), 1, "{state}");
    }
}
