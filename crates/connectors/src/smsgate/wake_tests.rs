//! When is a phone woken: soon enough that nobody waits, and never while it may be pulling?

use domain::time::{Millis, Timestamp};

use super::pool::Pool;
use super::pool_tests::{at, hand, join, pool};

fn ms(millis: i64) -> Timestamp {
    at(0).plus(Millis::new(millis))
}

#[test]
fn a_quiet_phone_is_woken_at_once_and_many_messages_wake_it_once() {
    let mut pool = pool();
    let phone = join(&mut pool, "a", at(0));
    let mut wakes = pool.phones[&*phone].subscribe();
    for no in 1..=4 {
        hand(&mut pool, no, ms(no));
    }
    assert!(wakes.try_recv().is_ok());
    assert_eq!(pool.list(&phone, 100, ms(200)).len(), 4);
    pool.tick(at(9));
    assert!(wakes.try_recv().is_err(), "it was shown all of them");
}

#[test]
fn a_phone_that_does_not_come_is_woken_again_and_not_while_it_may_be_pulling() {
    let mut pool = pool();
    let phone = join(&mut pool, "a", at(0));
    let mut wakes = pool.phones[&*phone].subscribe();
    hand(&mut pool, 1, ms(0));
    hand(&mut pool, 2, ms(10));
    assert!(wakes.try_recv().is_ok());
    assert_eq!(pool.next_due(ms(1_400)), ms(1_500));
    pool.tick(ms(1_499));
    assert!(wakes.try_recv().is_err());
    pool.tick(ms(1_500));
    assert!(wakes.try_recv().is_ok());
}

#[test]
fn what_a_pull_did_not_show_wakes_the_phone_again() {
    let mut pool = pool();
    let phone = join(&mut pool, "a", at(0));
    let mut wakes = pool.phones[&*phone].subscribe();
    hand(&mut pool, 1, ms(0));
    hand(&mut pool, 2, ms(0));
    assert!(wakes.try_recv().is_ok());
    assert_eq!(pool.list(&phone, 1, ms(100)).len(), 1);
    pool.tick(ms(399));
    assert!(wakes.try_recv().is_err());
    pool.tick(ms(400));
    assert!(wakes.try_recv().is_ok());
}

/// How long at most a message waits until its phone is shown it, with a phone that comes `takes` after it
/// is woken, for messages at any distance of one another; and the least time between two wake-ups.
fn worst(takes: i64) -> (i64, i64) {
    let (mut longest, mut closest) = (0, i64::MAX);
    for distance in (20..2_500).step_by(70) {
        let mut pool: Pool = pool();
        let phone = join(&mut pool, "a", at(0));
        let mut wakes = pool.phones[&*phone].subscribe();
        let (mut waiting, mut comes_at, mut rung_at) = (Vec::new(), None, None::<i64>);
        for now in (0..20_000).step_by(10) {
            let is_time = now % distance == 0 && now / distance < 8;
            if is_time {
                hand(&mut pool, 1 + now / distance, ms(now));
                waiting.push(now);
            }
            pool.tick(ms(now));
            while wakes.try_recv().is_ok() {
                closest = closest.min(rung_at.map_or(i64::MAX, |it| now - it));
                rung_at = Some(now);
                // It takes the place of a pull that runs.
                comes_at = Some(now + takes);
            }
            if comes_at == Some(now) {
                pool.list(&phone, 100, ms(now));
                longest = waiting.drain(..).map(|it| now - it).fold(longest, i64::max);
            }
        }
        assert!(waiting.is_empty(), "{distance}");
    }
    (longest, closest)
}

#[test]
fn a_message_is_shown_well_within_two_seconds_at_the_worst_of_times() {
    for (takes, within, apart) in [(50, 350, 300), (300, 600, 600), (600, 1_200, 1_200)] {
        let (longest, closest) = worst(takes);
        assert!(longest <= within, "{takes}: {longest} ms");
        assert!(closest >= apart, "{takes}: woken after {closest} ms");
    }
}
