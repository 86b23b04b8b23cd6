//! Phones whose clocks are off: they send what they are handed, once, and hold nothing up for ever.

use domain::time::{Millis, Timestamp};

use super::config::CLOCK_MARGIN;
use super::listing::Shown;
use super::pool::Pool;
use super::pool_tests::{at, hand, join, pool, report, says, tick, told};
use super::receipt::Report;
use super::wire::MessageOut;

/// How long a phone may hold a message, in these tests.
const HOLD: i64 = 300;

/// A pool with a phone that signed something with a clock that is so many seconds ahead.
fn off_by(seconds: i64) -> (Pool, String) {
    let mut pool = pool();
    let phone = join(&mut pool, "a", at(0));
    pool.signed(&phone, at(seconds), at(0));
    (pool, phone)
}

/// It pulls; the validity that it is shown.
fn shown(pool: &mut Pool, phone: &str, now: Timestamp) -> String {
    let (config, ahead) = (pool.config.clone(), pool.phones[phone].clock.ahead());
    let listed = pool.list(phone, 100, now);
    let (open, what) = listed.first().unwrap();
    assert_eq!(*what, Shown::Send);
    let out = MessageOut::of(&open.handing, *what, ahead, &config);
    serde_json::to_value(out).unwrap()["validUntil"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn by_our_clock(seconds: i64) -> String {
    super::wire::date(at(seconds))
}

fn late(id: &str) -> Report {
    says(id, "Failed", Some("TTL expired"))
}

#[test]
fn a_phone_is_shown_validities_by_its_own_clock() {
    for (off, want) in [(600, HOLD + 600), (-300, HOLD - 300), (20, HOLD)] {
        let (mut pool, phone) = off_by(off);
        hand(&mut pool, 1, at(0));
        assert_eq!(shown(&mut pool, &phone, at(1)), by_our_clock(want), "{off}");
    }
}

#[test]
fn a_phone_whose_clock_is_found_to_be_behind_is_waited_for_by_that_much_longer() {
    let mut pool = pool();
    let phone = join(&mut pool, "a", at(0));
    hand(&mut pool, 1, at(0));
    assert_eq!(shown(&mut pool, &phone, at(1)), by_our_clock(HOLD));
    pool.signed(&phone, at(2 - 300), at(2));
    tick(&mut pool, at(3));
    pool.phones.get_mut(&*phone).unwrap().streams = 0;
    let over = at(HOLD + 300).plus(CLOCK_MARGIN);
    let before = Timestamp::from_millis(over.as_millis() - 1);
    assert!(tick(&mut pool, before).is_empty());
    assert_eq!(tick(&mut pool, over), ["returned"]);
}

#[test]
fn what_was_written_for_a_clock_that_is_behind_is_not_waited_for_longer() {
    let (mut pool, phone) = off_by(-300);
    hand(&mut pool, 1, at(0));
    shown(&mut pool, &phone, at(1));
    pool.phones.get_mut(&*phone).unwrap().streams = 0;
    assert_eq!(tick(&mut pool, at(HOLD).plus(CLOCK_MARGIN)), ["returned"]);
}

#[test]
fn a_clock_that_is_ahead_may_be_set_right_before_anybody_knows() {
    let (mut pool, phone) = off_by(600);
    hand(&mut pool, 1, at(0));
    shown(&mut pool, &phone, at(1));
    pool.phones.get_mut(&*phone).unwrap().streams = 0;
    assert!(tick(&mut pool, at(HOLD + 600)).is_empty());
    assert_eq!(
        tick(&mut pool, at(HOLD + 600).plus(CLOCK_MARGIN)),
        ["returned"]
    );
}

#[test]
fn a_phone_that_calls_everything_too_late_rests_longer_each_time_and_another_takes_over() {
    let mut pool = pool();
    let phone = join(&mut pool, "a", at(0));
    let mut now = at(0);
    for (no, rest) in [(1, 5), (2, 10), (3, 20), (4, 40)] {
        let id = hand(&mut pool, no, now);
        assert_eq!(report(&mut pool, &phone, &late(&id), now), ["returned"]);
        let until = now.plus(Millis::seconds(rest));
        assert_eq!(pool.phones[&*phone].rests_until, Some(until));
        now = until;
    }
    // Another that is there takes over, and is whom the person knows from then on.
    let resting = Timestamp::from_millis(now.as_millis() - 1_000);
    let other = join(&mut pool, "b", resting);
    for (no, now) in [(8, resting), (9, now), (10, now)] {
        let id = hand(&mut pool, no, now);
        assert_eq!(*pool.open[&*id].handing.phone, *other);
    }
}

#[test]
fn the_first_report_that_calls_a_message_too_late_tells_what_the_clock_is() {
    let mut pool = pool();
    let phone = join(&mut pool, "a", at(0));
    let id = hand(&mut pool, 1, at(0));
    let told_at = serde_json::json!({
        "id": id, "state": "Failed", "states": { "Failed": by_our_clock(600) },
        "recipients": [{ "state": "Failed", "error": "TTL expired" }],
    });
    let said: Report = serde_json::from_value(told_at).unwrap();
    assert_eq!(
        told(pool.report(&phone, &said, at(0)).unwrap()),
        ["returned"]
    );
    tick(&mut pool, at(5));
    hand(&mut pool, 2, at(5));
    assert_eq!(
        shown(&mut pool, &phone, at(6)),
        by_our_clock(5 + HOLD + 600)
    );
    // Once it sends, its rests begin anew.
    report(&mut pool, &phone, &says("id-2", "Sent", None), at(7));
    let id = hand(&mut pool, 3, at(8));
    report(&mut pool, &phone, &late(&id), at(8));
    assert_eq!(pool.phones[&*phone].rests_until, Some(at(13)));
}

#[test]
fn what_was_shown_as_too_late_may_be_called_so() {
    let mut pool = pool();
    let phone = join(&mut pool, "a", at(0));
    let id = hand(&mut pool, 1, at(0));
    pool.list(&phone, 100, at(1));
    report(&mut pool, &phone, &says(&id, "Pending", None), at(1));
    pool.ask_again(&phone);
    pool.list(&phone, 100, at(2));
    assert_eq!(report(&mut pool, &phone, &late(&id), at(2)), ["returned"]);
    assert_eq!(pool.phones[&*phone].rests_until, None);
}
