//! The order of recipients.

use super::*;
use crate::testing::submission;

const ANA: &str = "+40712345001";
const BEN: &str = "+40712345002";

fn no(taken: &Taken) -> i64 {
    taken.submission.key.message.key()
}

fn next(recipients: &mut Recipients, now: Instant) -> Option<Taken> {
    match recipients.next(now, |_| true) {
        Next::Send(taken) => Some(*taken),
        Next::Nothing => None,
        Next::NoRoom => panic!("there is room"),
    }
}

#[test]
fn a_recipient_has_one_request_at_a_time_in_order() {
    let now = Instant::now();
    let mut recipients = Recipients::default();
    let first = recipients.offer(submission(1, ANA, "x")).unwrap();
    assert!(recipients.offer(submission(2, ANA, "x")).is_none());
    assert!(recipients.offer(submission(3, ANA, "x")).is_none());
    let other = recipients.offer(submission(4, BEN, "x")).unwrap();
    assert_eq!((no(&first), no(&other), recipients.waiting()), (1, 4, 2));
    assert!(next(&mut recipients, now).is_none());
    recipients.done(&first.submission.to);
    // Not past the one that waits.
    assert!(recipients.offer(submission(5, ANA, "x")).is_none());
    for expected in [2, 3, 5] {
        let taken = next(&mut recipients, now).unwrap();
        assert_eq!(no(&taken), expected);
        assert!(next(&mut recipients, now).is_none());
        recipients.done(&taken.submission.to);
    }
    recipients.done(&other.submission.to);
    assert!(recipients.lanes.is_empty());
    assert_eq!(recipients.waiting(), 0);
}

#[test]
fn one_that_is_held_comes_again_before_those_behind_it() {
    let now = Instant::now();
    let later = now + Duration::from_secs(1);
    let mut recipients = Recipients::default();
    let first = recipients.offer(submission(1, ANA, "x")).unwrap();
    assert!(recipients.offer(submission(2, ANA, "x")).is_none());
    recipients.hold(first, later);
    assert!(recipients.offer(submission(3, ANA, "x")).is_none());
    assert_eq!(recipients.due(), Some(later));
    assert!(next(&mut recipients, now).is_none());
    for expected in [1, 2, 3] {
        let taken = next(&mut recipients, later).unwrap();
        assert_eq!(no(&taken), expected);
        recipients.done(&taken.submission.to);
    }
    assert_eq!(recipients.due(), None);
}

#[test]
fn direct_goes_before_bulk_and_waits_for_room() {
    let now = Instant::now();
    let mut recipients = Recipients::default();
    for (number, to) in [(1, ANA), (2, BEN)] {
        recipients.offer(submission(number, to, "x")).unwrap();
    }
    let mut bulk = submission(3, ANA, "x");
    bulk.class = TrafficClass::Bulk;
    assert!(recipients.offer(bulk).is_none());
    assert!(
        recipients
            .offer(submission(4, BEN, &"x".repeat(400)))
            .is_none()
    );
    recipients.done(&submission(0, ANA, "x").to);
    recipients.done(&submission(0, BEN, "x").to);
    assert!(matches!(
        recipients.next(now, |slots| slots < 3),
        Next::NoRoom
    ));
    assert_eq!(no(&next(&mut recipients, now).unwrap()), 4);
    assert_eq!(no(&next(&mut recipients, now).unwrap()), 3);
}

#[test]
fn direct_overtakes_bulk_for_the_same_recipient_also_where_bulk_is_held() {
    let now = Instant::now();
    let bulk = |number| {
        let mut bulk = submission(number, ANA, "x");
        bulk.class = TrafficClass::Bulk;
        bulk
    };
    let mut recipients = Recipients::default();
    let first = recipients.offer(bulk(1)).unwrap();
    assert!(recipients.offer(bulk(2)).is_none());
    assert!(recipients.offer(submission(3, ANA, "x")).is_none());
    assert!(recipients.offer(submission(4, ANA, "x")).is_none());
    recipients.hold(first, now);
    for expected in [3, 4, 1, 2] {
        let taken = next(&mut recipients, now).unwrap();
        assert_eq!(no(&taken), expected);
        recipients.done(&taken.submission.to);
    }
}

#[test]
fn all_that_wait_are_given_back_in_order_and_nobody_is_left_alone_any_longer() {
    let now = Instant::now();
    let mut recipients = Recipients::default();
    let first = recipients.offer(submission(1, ANA, "x")).unwrap();
    recipients.offer(submission(2, BEN, "x")).unwrap();
    for (number, to) in [(3, BEN), (4, ANA), (5, BEN)] {
        assert!(recipients.offer(submission(number, to, "x")).is_none());
    }
    recipients.hold(first, now + Duration::from_secs(9));
    let drained: Vec<_> = recipients.drain().iter().map(no).collect();
    assert_eq!((drained, recipients.waiting()), (vec![1, 3, 4, 5], 0));
    assert!(recipients.offer(submission(6, ANA, "x")).is_some());
    // What is under way still is.
    assert!(recipients.offer(submission(7, BEN, "x")).is_none());
}

#[test]
fn what_is_taken_out_leaves_the_others_in_their_order_and_nobody_behind() {
    let now = Instant::now();
    let mut recipients = Recipients::default();
    let first = recipients.offer(submission(1, ANA, "x")).unwrap();
    for (no, expires) in [(2, 500), (3, 300), (4, 400)] {
        let mut waiting = submission(no, ANA, "x");
        waiting.expires_at = Timestamp::from_millis(expires);
        assert!(recipients.offer(waiting).is_none());
    }
    let held = recipients.offer(submission(5, BEN, "x")).unwrap();
    recipients.hold(held, now + Duration::from_secs(1));
    assert_eq!(recipients.expires(), Some(Timestamp::from_millis(300)));
    let out = recipients.take_out(now, |it| [3, 5].contains(&it.key.message.key()));
    assert_eq!(out.iter().map(no).collect::<Vec<_>>(), [3, 5]);
    assert_eq!((recipients.waiting(), recipients.due()), (2, None));
    assert_eq!(recipients.expires(), Some(Timestamp::from_millis(400)));
    recipients.done(&first.submission.to);
    for expected in [2, 4] {
        let taken = next(&mut recipients, now).unwrap();
        assert_eq!(no(&taken), expected);
        recipients.done(&taken.submission.to);
    }
    // The provider asked to leave this one alone, whatever is withdrawn.
    assert!(recipients.offer(submission(6, BEN, "x")).is_none());
    assert!(next(&mut recipients, now).is_none());
    let later = now + Duration::from_secs(1);
    assert_eq!(recipients.due(), Some(later));
    let taken = next(&mut recipients, later).unwrap();
    assert_eq!(no(&taken), 6);
    recipients.done(&taken.submission.to);
    assert!(recipients.lanes.is_empty());
}

#[test]
fn who_is_to_be_left_alone_is_forgotten_once_the_time_is_over() {
    let now = Instant::now();
    let mut recipients = Recipients::default();
    let held = recipients.offer(submission(1, ANA, "x")).unwrap();
    recipients.hold(held, now + Duration::from_secs(1));
    recipients.take_out(now, |_| true);
    assert_eq!((recipients.lanes.len(), recipients.due()), (1, None));
    assert!(next(&mut recipients, now + Duration::from_secs(1)).is_none());
    assert!(recipients.lanes.is_empty());
}
