//! What becomes of a route, moment by moment.

use super::*;

fn health(has_probe: bool, now: Instant) -> Health {
    Health::new(has_probe, now, Box::new(|most| most))
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn is_up(health: &Health) -> bool {
    health.link() == LinkState::Up
}

#[test]
fn a_route_without_a_probe_is_up_and_one_with_a_probe_has_to_show_it() {
    let now = Instant::now();
    let mut plain = health(false, now);
    assert_eq!((plain.turn(now), plain.window(5)), (Due::Nothing, Some(5)));
    let mut probed = health(true, now);
    assert_eq!((probed.turn(now), probed.window(5)), (Due::Probe, None));
    assert_eq!(probed.turn(now), Due::Nothing);
    assert_eq!(probed.link(), LinkState::Down(UNTRIED.into()));
    probed.probed(Ok(()), now);
    assert!(is_up(&probed));
    assert_eq!(probed.window(5), Some(5));
}

#[test]
fn waits_double_up_to_a_minute() {
    let mut now = Instant::now();
    let mut health = health(true, now);
    health.turn(now);
    for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
        health.probed(Err("bad".into()), now);
        assert_eq!(health.link(), LinkState::Down("bad".into()));
        assert_eq!(health.due(), Some(now + seconds(wait)));
        assert_eq!(
            health.turn(now + seconds(wait) - Duration::from_millis(1)),
            Due::Nothing
        );
        now += seconds(wait);
        assert_eq!(health.turn(now), Due::Probe);
    }
}

#[test]
fn after_a_fault_one_submission_has_to_prove_that_the_account_works() {
    for has_probe in [true, false] {
        let mut now = Instant::now();
        let mut health = health(has_probe, now);
        health.turn(now);
        health.probed(Ok(()), now);
        for wait in [1, 2, 4] {
            health.fault("credit".into(), now);
            // Others that were under way say the same, or were taken before.
            health.fault("credit".into(), now);
            health.works();
            assert_eq!(health.link(), LinkState::Down("credit".into()));
            assert_eq!(health.due(), Some(now + seconds(wait)));
            now += seconds(wait);
            if health.turn(now) == Due::Probe {
                health.probed(Ok(()), now);
            }
            assert!(is_up(&health));
            assert_eq!(health.window(5), Some(1));
        }
        health.works();
        assert_eq!(health.window(5), Some(5));
        health.fault("credit".into(), now);
        assert_eq!(health.due(), Some(now + seconds(1)));
    }
}

#[test]
fn a_pause_takes_nothing_and_a_long_one_is_told() {
    let now = Instant::now();
    let mut health = health(false, now);
    health.pause(seconds(60), now);
    assert!(is_up(&health));
    assert_eq!(health.window(5), None);
    health.pause(seconds(61), now);
    // A shorter one does not end the longer.
    health.pause(seconds(1), now);
    assert!(!is_up(&health));
    assert_eq!(health.due(), Some(now + seconds(61)));
    health.turn(now + seconds(60));
    assert_eq!(health.window(5), None);
    health.turn(now + seconds(61));
    assert!(is_up(&health));
    assert_eq!(health.window(5), Some(5));
}
