//! Phones that do not come for what they are offered, and phones that only poll: who gets a message, how
//! long is it waited for, and when is the pool down? (R-PHONE-1, R-PHONE-3)

use domain::time::{Millis, Timestamp};
use ports::connector::LinkState;

use super::pool::{Act, Pool};
use super::pool_tests::{ANA, at, hand, join, pool, report, says, tick, told};
use crate::testing::submission;

/// Its stream closes.
fn goes(pool: &mut Pool, phone: &str) {
    pool.phones.get_mut(phone).unwrap().streams = 0;
}

fn whose(pool: &Pool, id: &str) -> String {
    pool.open[id].handing.phone.to_string()
}

/// What the engine is told of the route, if anything.
fn link(pool: &mut Pool, now: Timestamp) -> Option<LinkState> {
    let mut acts = pool.tick(now).into_iter();
    acts.find_map(|it| {
        if let Act::Link(link) = it {
            Some(link)
        } else {
            None
        }
    })
}

#[test]
fn while_a_phone_listens_one_whose_stream_closed_gets_nothing_not_even_for_who_knows_it() {
    let mut pool = pool();
    let gone = join(&mut pool, "gone", at(0));
    let first = hand(&mut pool, 1, at(0));
    assert_eq!(whose(&pool, &first), gone);
    report(&mut pool, &gone, &says(&first, "Sent", None), at(1));
    let listens = join(&mut pool, "listens", at(2));
    goes(&mut pool, &gone);
    for no in 2..8 {
        let id = hand(&mut pool, no, at(30));
        assert_eq!(whose(&pool, &id), listens, "{no}");
    }
}

#[test]
fn what_a_phone_without_a_stream_does_not_fetch_goes_to_another_once() {
    let mut pool = pool();
    let gone = join(&mut pool, "gone", at(0));
    goes(&mut pool, &gone);
    hand(&mut pool, 1, at(10));
    assert!(tick(&mut pool, at(29)).is_empty());
    assert_eq!(tick(&mut pool, at(30)), ["returned"]);
    // A late fetch gets nothing of it.
    assert!(pool.list(&gone, 100, at(31)).is_empty());
    let listens = join(&mut pool, "listens", at(31));
    let again = hand(&mut pool, 1, at(31));
    assert_eq!(whose(&pool, &again), listens);
    assert!(pool.list(&gone, 100, at(32)).is_empty());
}

#[test]
fn a_silent_phone_gets_nothing_and_the_pool_is_down_until_it_is_heard_of() {
    let mut pool = pool();
    let phone = join(&mut pool, "a", at(0));
    goes(&mut pool, &phone);
    hand(&mut pool, 1, at(0));
    assert_eq!(link(&mut pool, at(1)), Some(LinkState::Up));
    assert!(matches!(link(&mut pool, at(20)), Some(LinkState::Down(_))));
    assert_eq!(pool.slots(at(20)).free, 0);
    let again = pool.place(&submission(1, ANA, "Salut"), "id-2".into(), at(21));
    assert_eq!(told(again), ["returned"]);
    pool.phones.get_mut(&*phone).unwrap().seen(at(60));
    assert_eq!(link(&mut pool, at(60)), Some(LinkState::Up));
    hand(&mut pool, 1, at(60));
}

#[test]
fn what_is_over_before_it_was_fetched_makes_its_phone_silent_too() {
    let mut pool = pool();
    pool.config.hold = Millis::seconds(10);
    let phone = join(&mut pool, "a", at(0));
    hand(&mut pool, 1, at(0));
    assert_eq!(tick(&mut pool, at(10)), ["returned"]);
    assert!(pool.phones[&*phone].silent);
}

#[test]
fn what_is_offered_can_be_fetched_for_as_long_however_late_it_was_kept() {
    let mut pool = pool();
    join(&mut pool, "a", at(0));
    pool.place(&submission(1, ANA, "Salut"), "id-1".into(), at(0));
    assert!(tick(&mut pool, at(25)).is_empty());
    pool.kept("id-1", true, at(25));
    assert!(tick(&mut pool, at(44)).is_empty());
    assert_eq!(tick(&mut pool, at(45)), ["returned"]);
}

#[test]
fn a_phone_that_only_polls_and_did_not_come_for_more_goes_on_with_what_it_fetched() {
    let mut pool = pool();
    let phone = join(&mut pool, "a", at(0));
    goes(&mut pool, &phone);
    let fetched = hand(&mut pool, 1, at(0));
    assert_eq!(pool.list(&phone, 100, at(1)).len(), 1);
    report(&mut pool, &phone, &says(&fetched, "Pending", None), at(1));
    hand(&mut pool, 2, at(2));
    assert_eq!(tick(&mut pool, at(22)), ["returned"]);
    assert!(tick(&mut pool, at(23)).is_empty());
    assert!(!pool.open[&*fetched].handing.cancelling);
    // Until it is away.
    assert!(tick(&mut pool, at(1 + 300)).is_empty());
    assert!(
        pool.open
            .get(&*fetched)
            .is_none_or(|it| it.handing.cancelling)
    );
}
