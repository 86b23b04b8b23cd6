//! What a connector is given of a ready queue, and when (R-CLASS-3, R-ORDER).

use std::sync::Arc;

use domain::ids::{ContactId, MessageId, SenderKey};
use domain::model::attempt::PartSet;
use domain::model::content::Content;
use domain::model::message::Category;
use domain::time::Millis;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_000);

fn ready(id: i64, class: TrafficClass, parts: u16) -> Ready {
    let key = SubmissionKey {
        message: MessageId::from_key(id),
        attempt: 1,
    };
    let submission = Submission {
        key,
        class,
        from: "ACME".into(),
        to: "+40712345678"
            .parse::<domain::phone::PhoneNumber>()
            .unwrap()
            .into(),
        template: None,
        category: domain::model::message::Category::Transactional,
        context: None,
        content: Arc::new(Content::text("x")),
        parts,
        accepted: PartSet::NONE,
        validity: None,
        expires_at: NOW.plus(Millis::hours(1)),
    };
    let thread = ConversationId {
        contact: ContactId::from_key(1),
        sender: SenderKey(1),
    };
    Ready {
        due: NOW,
        waits_since: NOW,
        thread,
        purpose: Purpose::Ordinary,
        submission,
    }
}

fn queue() -> ReadyQueue {
    let mut queue = ReadyQueue::new(None, false, NOW);
    queue.open = true;
    queue
}

fn drawn(queue: &mut ReadyQueue, free: u16, window: u16) -> Vec<i64> {
    let slots = Slots {
        free,
        window,
        links: 1,
    };
    let drawn = queue.draw(slots, NOW);
    let ids = drawn.submissions.iter().map(|it| it.key.message.key());
    ids.collect()
}

#[test]
fn direct_goes_before_bulk_and_one_slot_is_kept_for_it() {
    let mut queue = queue();
    for id in 1..=5 {
        queue.push(ready(id, TrafficClass::Bulk, 1));
    }
    queue.push(ready(9, TrafficClass::Direct, 1));
    assert_eq!(drawn(&mut queue, 4, 10), [9, 1, 2]);
    assert_eq!(drawn(&mut queue, 1, 10), [] as [i64; 0]);
    assert_eq!(drawn(&mut queue, 1, 1), [3]);
}

#[test]
fn what_direct_needed_a_moment_ago_is_kept_and_bulk_asks_again() {
    for marks_started in [false, true] {
        let mut queue = ReadyQueue::new(None, marks_started, NOW);
        queue.open = true;
        let draw = |queue: &mut ReadyQueue, free, now| {
            let slots = Slots {
                free,
                window: 10,
                links: 1,
            };
            let mut drawn = queue.draw(slots, now);
            if marks_started {
                for key in drawn.to_start {
                    queue.started(key, NOW);
                }
                drawn = queue.draw(slots, now);
            }
            let keys: Vec<_> = drawn.submissions.iter().map(|it| it.key).collect();
            (keys, drawn.ask_again_at)
        };
        for id in 1..=3 {
            queue.push(ready(id, TrafficClass::Direct, 1));
        }
        let (direct, _) = draw(&mut queue, 10, NOW);
        for key in direct {
            queue.settle(key);
        }
        for id in 11..=30 {
            queue.push(ready(id, TrafficClass::Bulk, 1));
        }
        let (bulk, again) = draw(&mut queue, 4, NOW);
        // Of bulk one goes, so that it never stands still.
        assert_eq!((bulk.len(), again.is_some()), (1, true), "{marks_started}");
        let (bulk, again) = draw(&mut queue, 6, again.unwrap());
        assert_eq!((bulk.len(), again.is_some()), (2, true), "{marks_started}");
        let (bulk, _) = draw(&mut queue, 4, again.unwrap());
        assert_eq!(bulk.len(), 3, "{marks_started}");
    }
}

#[test]
fn a_long_bulk_message_leaves_beside_direct_ones_that_come_without_end() {
    let mut queue = queue();
    for id in 1..=3 {
        queue.push(ready(id, TrafficClass::Direct, 1));
    }
    assert_eq!(drawn(&mut queue, 10, 10), [1, 2, 3]);
    for id in 1..=2 {
        queue.settle(ready(id, TrafficClass::Direct, 1).submission.key);
    }
    // One is under way at any time, and three slots are kept: six are left for bulk.
    for id in 11..=12 {
        queue.push(ready(id, TrafficClass::Bulk, 7));
    }
    assert_eq!(drawn(&mut queue, 9, 10), [11]);
    assert_eq!(drawn(&mut queue, 9, 10), [] as [i64; 0], "one at a time");
    queue.settle(ready(11, TrafficClass::Bulk, 7).submission.key);
    assert_eq!(drawn(&mut queue, 9, 10), [12]);
}

#[test]
fn a_direct_message_that_found_no_slot_has_more_kept_for_those_after_it() {
    let mut queue = queue();
    for id in 11..=30 {
        queue.push(ready(id, TrafficClass::Bulk, 1));
    }
    let draw = |queue: &mut ReadyQueue, free, ms| {
        let slots = Slots {
            free,
            window: 20,
            links: 1,
        };
        let drawn = queue.draw(slots, NOW.plus(Millis::new(ms)));
        drawn.submissions.len()
    };
    queue.push(ready(1, TrafficClass::Direct, 1));
    assert_eq!(draw(&mut queue, 1, 2), 1, "it found one");
    assert_eq!(draw(&mut queue, 2, 2), 1);
    queue.push(ready(2, TrafficClass::Direct, 1));
    assert_eq!(draw(&mut queue, 6, 3), 1, "it waited: five are kept");
}

#[test]
fn a_long_message_waits_until_its_parts_fit() {
    let mut queue = queue();
    queue.push(ready(1, TrafficClass::Direct, 3));
    assert_eq!(drawn(&mut queue, 2, 10), [] as [i64; 0]);
    assert_eq!(drawn(&mut queue, 3, 10), [1]);
    queue.push(ready(2, TrafficClass::Direct, 30));
    assert_eq!(drawn(&mut queue, 10, 10), [2]);
}

#[test]
fn a_probe_is_one_message_whatever_its_length() {
    let mut queue = queue();
    queue.probes_only = true;
    queue.push(ready(1, TrafficClass::Direct, 3));
    queue.push(ready(2, TrafficClass::Direct, 1));
    assert_eq!(drawn(&mut queue, 10, 10), [1]);
    assert_eq!(drawn(&mut queue, 10, 10), [] as [i64; 0]);
}

#[test]
fn what_comes_back_takes_its_old_place() {
    let mut queue = queue();
    for id in [2, 3, 1] {
        queue.push(ready(id, TrafficClass::Direct, 1));
    }
    assert_eq!(drawn(&mut queue, 10, 10), [1, 2, 3]);
}

#[test]
fn what_is_withdrawn_leaves_no_more_and_what_is_not_keeps_its_place() {
    let other = ConversationId {
        contact: ContactId::from_key(2),
        sender: SenderKey(1),
    };
    for marks_started in [false, true] {
        let mut queue = ReadyQueue::new(None, marks_started, NOW);
        queue.open = true;
        queue.push(ready(1, TrafficClass::Direct, 1));
        queue.push(Ready {
            purpose: Purpose::KeywordAnswer,
            ..ready(2, TrafficClass::Direct, 1)
        });
        queue.push(Ready {
            thread: other,
            ..ready(3, TrafficClass::Direct, 1)
        });
        queue.push(ready(4, TrafficClass::Bulk, 1));
        let mut marked = Vec::new();
        if marks_started {
            let slots = Slots {
                free: 0,
                window: 10,
                links: 1,
            };
            marked = queue.draw(slots, NOW).to_start;
            queue.started(marked[0], NOW);
        }
        let standing = Standing {
            opted_out: true,
            ..Standing::default()
        };
        let thread = ready(1, TrafficClass::Direct, 1).thread;
        let mut keys = queue.withdraw(thread, standing);
        keys.sort_unstable();
        let keys: Vec<_> = keys.iter().map(|it| it.message.key()).collect();
        assert_eq!(keys, [1, 4]);
        for key in marked {
            queue.started(key, NOW);
        }
        assert_eq!(drawn(&mut queue, 10, 10), [2, 3]);
    }
}

#[test]
fn what_was_taken_is_named_as_withdrawn_until_its_end_is_told() {
    let mut queue = queue();
    for id in 1..=3 {
        queue.push(ready(id, TrafficClass::Direct, 1));
    }
    let mut answer = ready(4, TrafficClass::Direct, 1);
    answer.purpose = Purpose::KeywordAnswer;
    let thread = answer.thread;
    queue.push(answer);
    assert_eq!(drawn(&mut queue, 10, 10), [1, 2, 3, 4]);
    let key = |id| ready(id, TrafficClass::Direct, 1).submission.key;
    assert!(!queue.cancel(key(1)), "it stays with the connector");
    assert_eq!(queue.withdrawn.keys(NOW), [key(1)]);
    let standing = Standing {
        opted_out: true,
        ..Standing::default()
    };
    assert!(queue.withdraw(thread, standing).is_empty());
    assert_eq!(queue.withdrawn.keys(NOW), [key(1), key(2), key(3)]);
    let had = [1, 2, 4].map(|id| queue.withdrawn.has_in_hand(key(id)));
    assert_eq!(had, [true, true, false]);
    for id in [1, 2, 4] {
        assert!(queue.settle(key(id)).is_some());
        assert!(!queue.withdrawn.has_in_hand(key(id)), "its end is told");
    }
    assert_eq!(queue.withdrawn.keys(NOW), [key(3)]);
}

#[test]
fn where_starts_are_marked_one_place_is_kept_for_direct() {
    let mut queue = ReadyQueue::new(None, true, NOW);
    queue.open = true;
    for id in 1..=5 {
        queue.push(ready(id, TrafficClass::Bulk, 1));
    }
    let slots = Slots {
        free: 0,
        window: 3,
        links: 1,
    };
    let mut marked = queue.draw(slots, NOW).to_start;
    assert_eq!(marked.len(), 2);
    queue.push(ready(9, TrafficClass::Direct, 1));
    marked.extend(queue.draw(slots, NOW).to_start);
    for key in marked {
        queue.started(key, NOW);
    }
    assert_eq!(queue.ready(), 6);
    assert_eq!(drawn(&mut queue, 3, 3), [9, 1]);
}

#[test]
fn without_promotions_only_promotions_are_withdrawn() {
    let mut queue = queue();
    queue.push(ready(1, TrafficClass::Bulk, 1));
    let mut promotion = ready(2, TrafficClass::Bulk, 1);
    promotion.submission.category = Category::Promotional;
    let thread = promotion.thread;
    queue.push(promotion);
    let standing = Standing {
        no_promotions: true,
        ..Standing::default()
    };
    assert_eq!(queue.withdraw(thread, standing).len(), 1);
    assert_eq!(drawn(&mut queue, 10, 10), [1]);
}
