//! Endpoints, their queues, what is delivered again and what was given up (R-MON-2).

use domain::ids::{ProjectKey, SenderKey};
use domain::model::event::{EventKind, EventKinds, EventSeq};
use domain::model::webhook::{SignatureVersion, WebhookSecret};
use domain::time::Timestamp;

use super::events::{everything, read};
use super::kit::*;
use super::templates;
use crate::store::events::EventFilter;
use crate::store::webhooks::{
    Delivery, DeliveryResult, PruneEvents, Replay, Webhook, WebhookChange, WebhookSetting,
    WebhookStanding,
};
use crate::store::{Op, Outcome, Store};

const URL: &str = "https://example.com/hook";

fn settings(url: Option<&str>) -> WebhookSetting {
    WebhookSetting::Set {
        url: url.map(Into::into),
        events: None,
        active: None,
        signature: None,
        secret: WebhookSecret::new("whsec_1"),
    }
}

fn switched(on: bool) -> WebhookSetting {
    WebhookSetting::Set {
        url: None,
        events: None,
        active: Some(on),
        signature: None,
        secret: WebhookSecret::new("whsec_2"),
    }
}

fn apply(store: &dyn Store, sender: SenderKey, setting: WebhookSetting) -> Outcome {
    let change = WebhookChange {
        project: PROJECT,
        sender,
        at: at(50),
        setting,
    };
    commit(store, Op::Webhook(Box::new(change)))
}

fn set(store: &dyn Store, setting: WebhookSetting) -> Webhook {
    match apply(store, SENDER, setting) {
        Outcome::Webhook(webhook) => *webhook,
        other => panic!("not an endpoint: {other:?}"),
    }
}

fn standing(store: &dyn Store) -> WebhookStanding {
    ask(store.webhook_standing(SENDER)).unwrap()
}

fn counts(store: &dyn Store) -> (u64, u64, u64) {
    let it = standing(store);
    (it.backlog, it.replays, it.dead)
}

/// Brings so many events.
fn happen(store: &dyn Store, count: i64) -> Vec<EventSeq> {
    let before = ask(store.newest_event());
    for nth in 0..count {
        accept(store, waiting(phone(1), at(100 + nth)));
    }
    (before.0 + 1..=ask(store.newest_event()).0)
        .map(EventSeq)
        .collect()
}

fn delivery(seq: EventSeq, again: bool, result: DeliveryResult) -> Delivery {
    Delivery {
        sender: SENDER,
        version: 1,
        seq,
        again,
        result,
        at: at(900),
        epoch: OWNER,
    }
}

fn deliver(store: &dyn Store, delivery: Delivery) -> Outcome {
    commit(store, Op::Delivery(Box::new(delivery)))
}

fn done(store: &dyn Store, seq: EventSeq, again: bool, result: DeliveryResult) {
    let outcome = deliver(store, delivery(seq, again, result));
    assert!(matches!(outcome, Outcome::Done), "{outcome:?}");
}

fn fails(next: Timestamp) -> DeliveryResult {
    DeliveryResult::Failed {
        next_try_at: next,
        why: "500".into(),
    }
}

fn given_up(next: Timestamp) -> DeliveryResult {
    DeliveryResult::GivenUp {
        next_try_at: next,
        why: "404".into(),
    }
}

pub fn an_endpoint_is_made_with_its_defaults_and_gets_what_comes_from_then_on(store: &dyn Store) {
    happen(store, 3);
    let made = set(store, settings(Some(URL)));
    let want = Webhook {
        project: PROJECT,
        sender: SENDER,
        url: URL.into(),
        events: EventKinds::USUAL,
        active: true,
        signature: SignatureVersion::V2,
        secret: WebhookSecret::new("whsec_1"),
        version: 1,
        cursor: EventSeq(3),
        failures: 0,
        tried: (EventSeq(0), 0),
        next_try_at: None,
        last_error: None,
        delivered_at: None,
        created_at: at(50),
    };
    assert_eq!(made, want);
    assert_eq!(ask(store.webhook(SENDER)), Some(want.clone()));
    assert_eq!(ask(store.webhooks()), [want]);
    assert_eq!(ask(store.webhook(SenderKey(9))), None);
    assert_eq!(counts(store), (0, 0, 0));
    happen(store, 2);
    assert_eq!(counts(store), (2, 0, 0));
}

pub fn a_change_keeps_the_secret_and_what_is_not_named(store: &dyn Store) {
    set(store, settings(Some(URL)));
    let events = EventKinds::default().with(EventKind::Inbound);
    let changed = set(
        store,
        WebhookSetting::Set {
            url: Some("https://example.com/other".into()),
            events: Some(events),
            active: None,
            signature: Some(SignatureVersion::Both),
            secret: WebhookSecret::new("whsec_2"),
        },
    );
    assert_eq!(&*changed.url, "https://example.com/other");
    assert_eq!(
        (changed.events, changed.signature),
        (events, SignatureVersion::Both)
    );
    assert_eq!(changed.secret, WebhookSecret::new("whsec_1"));
    assert_eq!((changed.active, changed.version), (true, 2));
    let rotated = set(store, WebhookSetting::Rotate(WebhookSecret::new("whsec_3")));
    assert_eq!(rotated.secret, WebhookSecret::new("whsec_3"));
    assert_eq!(ask(store.webhook(SENDER)), Some(rotated));
}

pub fn what_a_sender_does_not_have_cannot_be_changed(store: &dyn Store) {
    for setting in [
        settings(None),
        WebhookSetting::Clear,
        WebhookSetting::Rotate(WebhookSecret::new("whsec_1")),
        WebhookSetting::Replay(Replay::Dead),
    ] {
        assert!(matches!(apply(store, SENDER, setting), Outcome::Missing));
    }
    let nobodys = delivery(EventSeq(1), false, DeliveryResult::Delivered);
    assert!(matches!(deliver(store, nobodys), Outcome::Missing));
}

pub fn an_endpoint_that_rested_gets_what_comes_after_its_rest(store: &dyn Store) {
    set(store, settings(Some(URL)));
    happen(store, 2);
    assert!(!set(store, switched(false)).active);
    happen(store, 2);
    let resumed = set(store, switched(true));
    assert_eq!(resumed.cursor, EventSeq(4));
    // One that is active already loses nothing by being told so.
    happen(store, 1);
    assert_eq!(set(store, switched(true)).cursor, EventSeq(4));
}

pub fn what_was_delivered_or_passed_is_done_with(store: &dyn Store) {
    set(store, settings(Some(URL)));
    let seqs = happen(store, 4);
    done(store, seqs[1], false, DeliveryResult::Delivered);
    // An answer that was overtaken changes nothing.
    done(store, seqs[0], false, DeliveryResult::Delivered);
    let webhook = standing(store).webhook;
    assert_eq!(
        (webhook.cursor, webhook.delivered_at),
        (seqs[1], Some(at(900)))
    );
    assert_eq!(counts(store), (2, 0, 0));
    done(store, seqs[3], false, DeliveryResult::Passed);
    assert_eq!(counts(store), (0, 0, 0));
}

pub fn failures_count_for_the_endpoint_and_tries_for_the_event(store: &dyn Store) {
    set(store, settings(Some(URL)));
    let seqs = happen(store, 2);
    done(store, seqs[0], false, fails(at(1_000)));
    done(store, seqs[0], false, fails(at(2_000)));
    let webhook = standing(store).webhook;
    assert_eq!((webhook.failures, webhook.tried), (2, (seqs[0], 2)));
    assert_eq!(webhook.next_try_at, Some(at(2_000)));
    assert_eq!(webhook.last_error.as_deref(), Some("500"));
    assert_eq!(counts(store), (2, 0, 0));
    done(store, seqs[0], false, given_up(at(3_000)));
    let webhook = standing(store).webhook;
    assert_eq!((webhook.failures, webhook.cursor), (3, seqs[0]));
    done(store, seqs[1], false, fails(at(4_000)));
    let webhook = standing(store).webhook;
    assert_eq!((webhook.failures, webhook.tried), (4, (seqs[1], 1)));
    done(store, seqs[1], false, DeliveryResult::Delivered);
    let webhook = standing(store).webhook;
    assert_eq!((webhook.failures, webhook.tried.1), (0, 0));
    assert_eq!((webhook.next_try_at, webhook.last_error), (None, None));
}

pub fn a_change_is_tried_at_once_and_makes_older_failures_stale(store: &dyn Store) {
    set(store, settings(Some(URL)));
    let seqs = happen(store, 1);
    done(store, seqs[0], false, fails(at(1_000)));
    let changed = set(store, settings(Some("https://example.com/better")));
    assert_eq!((changed.failures, changed.next_try_at), (0, None));
    for old in [fails(at(2_000)), given_up(at(2_000))] {
        let outcome = deliver(store, delivery(seqs[0], false, old));
        assert!(matches!(outcome, Outcome::Stale), "{outcome:?}");
    }
    assert_eq!(ask(store.webhook(SENDER)), Some(changed));
    // What the old address took was taken.
    done(store, seqs[0], false, DeliveryResult::Delivered);
    assert_eq!(counts(store), (0, 0, 0));
}

pub fn an_older_owner_delivers_no_more(store: &dyn Store) {
    set(store, settings(Some(URL)));
    let seqs = happen(store, 1);
    ask(store.raise_epoch());
    let outcome = deliver(store, delivery(seqs[0], false, DeliveryResult::Delivered));
    assert!(matches!(outcome, Outcome::Fenced));
    assert_eq!(counts(store), (1, 0, 0));
}

fn replay(store: &dyn Store, replay: Replay) -> u32 {
    match apply(store, SENDER, WebhookSetting::Replay(replay)) {
        Outcome::Replayed { count, more: false } => count,
        other => panic!("not replayed: {other:?}"),
    }
}

fn replays(store: &dyn Store) -> Vec<EventSeq> {
    let found = ask(store.replays(SENDER, 100));
    found.iter().map(|it| it.seq).collect()
}

pub fn events_are_put_back_by_name_by_time_and_from_the_dead(store: &dyn Store) {
    set(store, settings(Some(URL)));
    let seqs = happen(store, 4);
    for (nth, seq) in seqs[..3].iter().enumerate() {
        let result = if nth == 1 {
            given_up(at(1_000))
        } else {
            DeliveryResult::Delivered
        };
        done(store, *seq, false, result);
    }
    let dead = ask(store.dead_letters(SENDER, None, 10));
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].record.seq, dead[0].at), (seqs[1], at(900)));
    assert_eq!(&*dead[0].why, "404");
    assert_eq!(ask(store.dead_letters(SENDER, Some(seqs[1]), 10)), []);
    assert_eq!(counts(store), (1, 0, 1));
    // The fourth still waits for its first delivery, and the thousandth does not exist.
    let named = vec![seqs[2], seqs[3], EventSeq(1_000)];
    assert_eq!(replay(store, Replay::Events(named)), 1);
    assert_eq!(replays(store), [seqs[2]]);
    assert_eq!(replay(store, Replay::Dead), 1);
    assert_eq!(replays(store), [seqs[1], seqs[2]]);
    assert_eq!(counts(store), (1, 2, 0));
    assert_eq!(replay(store, Replay::Since(at(102))), 1);
    assert_eq!(replays(store), [seqs[1], seqs[2]]);
    assert_eq!(replay(store, Replay::Since(at(100))), 3);
    assert_eq!(counts(store), (1, 3, 0));
    // Their deliveries leave the queue as it is.
    done(store, seqs[0], true, DeliveryResult::Delivered);
    done(store, seqs[1], true, given_up(at(1_000)));
    assert_eq!(replays(store), [seqs[2]]);
    assert_eq!(counts(store), (1, 1, 1));
    assert_eq!(standing(store).webhook.cursor, seqs[2]);
}

pub fn a_replay_by_time_finds_its_place_among_many(store: &dyn Store) {
    set(store, settings(Some(URL)));
    let hours = |nth: i64| at(nth * 3_600_000);
    for nth in 0..50 {
        accept(store, waiting(phone(1), hours(nth)));
    }
    let newest = ask(store.newest_event());
    done(store, newest, false, DeliveryResult::Delivered);
    for (since, want) in [(50, 0), (49, 1), (31, 19), (1, 49), (0, 50), (-9, 50)] {
        assert_eq!(replay(store, Replay::Since(hours(since))), want, "{since}");
    }
}

pub fn another_senders_events_are_not_put_back(store: &dyn Store) {
    happen(store, 2);
    let other = SenderKey(2);
    let change = WebhookChange {
        project: ProjectKey(1),
        sender: other,
        at: at(0),
        setting: settings(Some(URL)),
    };
    commit(store, Op::Webhook(Box::new(change)));
    for which in [
        Replay::Since(at(0)),
        Replay::Events(vec![EventSeq(1), EventSeq(2)]),
    ] {
        let outcome = apply(store, other, WebhookSetting::Replay(which));
        assert!(matches!(outcome, Outcome::Replayed { count: 0, .. }));
    }
    assert_eq!(ask(store.replays(other, 9)), []);
}

pub fn what_concerns_the_project_is_in_the_queue_of_each_of_its_senders(store: &dyn Store) {
    let other = SenderKey(2);
    let stranger = SenderKey(3);
    set(store, settings(Some(URL)));
    apply(store, other, settings(Some(URL)));
    let elsewhere = WebhookChange {
        project: ProjectKey(2),
        sender: stranger,
        at: at(50),
        setting: settings(Some(URL)),
    };
    commit(store, Op::Webhook(Box::new(elsewhere)));
    let before = happen(store, 1);
    templates::move_one(store);
    let moved = ask(store.newest_event());
    let after = happen(store, 1);
    let queue = |project, sender| {
        let filter = EventFilter {
            project,
            sender: Some(sender),
            ..everything()
        };
        let found = read(store, filter).events;
        let backlog = ask(store.webhook_standing(sender)).unwrap().backlog;
        let seqs: Vec<_> = found.iter().map(|it| it.seq).collect();
        assert_eq!(u64::try_from(seqs.len()), Ok(backlog), "{sender:?}");
        seqs
    };
    assert_eq!(queue(PROJECT, SENDER), [before[0], moved, after[0]]);
    assert_eq!(queue(PROJECT, other), [moved]);
    assert_eq!(queue(ProjectKey(2), stranger), []);
    // It is put back for one of them, by name or by time, and stays with the others.
    let passed = |sender| Delivery {
        sender,
        ..delivery(after[0], false, DeliveryResult::Passed)
    };
    for which in [Replay::Events(vec![moved]), Replay::Since(at(0))] {
        for (sender, want) in [(other, 1), (stranger, 0)] {
            assert!(matches!(deliver(store, passed(sender)), Outcome::Done));
            let outcome = apply(store, sender, WebhookSetting::Replay(which.clone()));
            let Outcome::Replayed { count, .. } = outcome else {
                panic!("{outcome:?}")
            };
            assert_eq!(count, want, "{sender:?} {which:?}");
        }
    }
    assert_eq!(queue(PROJECT, SENDER), [before[0], moved, after[0]]);
}

pub fn an_endpoint_is_forgotten_with_all_that_waited_for_it(store: &dyn Store) {
    set(store, settings(Some(URL)));
    let seqs = happen(store, 3);
    done(store, seqs[0], false, given_up(at(1_000)));
    done(store, seqs[1], false, DeliveryResult::Delivered);
    replay(store, Replay::Events(vec![seqs[1]]));
    let cleared = apply(store, SENDER, WebhookSetting::Clear);
    assert!(matches!(cleared, Outcome::Done));
    assert_eq!(ask(store.webhook(SENDER)), None);
    assert_eq!(ask(store.webhook_standing(SENDER)), None);
    // A new one begins anew, with a secret of its own.
    let anew = set(
        store,
        WebhookSetting::Set {
            url: Some(URL.into()),
            events: None,
            active: None,
            signature: None,
            secret: WebhookSecret::new("whsec_9"),
        },
    );
    assert_eq!(anew.secret, WebhookSecret::new("whsec_9"));
    assert_eq!(anew.cursor, seqs[2]);
    assert_eq!(counts(store), (0, 0, 0));
}

pub fn events_that_an_endpoint_needs_stay_until_nobody_can_wait_longer(store: &dyn Store) {
    set(store, settings(Some(URL)));
    let seqs = happen(store, 6);
    done(store, seqs[0], false, DeliveryResult::Delivered);
    done(store, seqs[1], false, given_up(at(1_000)));
    done(store, seqs[2], false, DeliveryResult::Delivered);
    let left = |needed_millis| {
        let prune = PruneEvents {
            events_before: at(10_000),
            needed_before: at(needed_millis),
            after: EventSeq(0),
            limit: 100,
        };
        commit(store, Op::PruneEvents(prune));
        let page = read(store, everything());
        page.events.iter().map(|it| it.seq).collect::<Vec<_>>()
    };
    assert_eq!(left(0), [seqs[1], seqs[3], seqs[4], seqs[5]]);
    assert_eq!(counts(store), (3, 0, 1));
    assert_eq!(left(104), [seqs[4], seqs[5]]);
    assert_eq!(counts(store), (2, 0, 0));
    // An endpoint that rests needs nothing.
    set(store, switched(false));
    assert_eq!(left(0), [seqs[5]]);
}

pub fn what_an_endpoint_needs_keeps_no_other_event(store: &dyn Store) {
    set(store, settings(Some(URL)));
    let needed = happen(store, 3);
    let other = SenderKey(2);
    let theirs: Vec<_> = (0..3)
        .map(|nth| {
            let mut message = waiting(phone(1), at(nth));
            message.message.sender = other;
            accept(store, message);
            ask(store.newest_event())
        })
        .collect();
    let newest = happen(store, 1);
    let prune = |after| {
        let prune = PruneEvents {
            events_before: at(10_000),
            needed_before: at(0),
            after,
            limit: 3,
        };
        match commit(store, Op::PruneEvents(prune)) {
            Outcome::EventsPruned { upto } => upto,
            outcome => panic!("{outcome:?}"),
        }
    };
    // The first page holds what is needed only; what is behind it goes all the same.
    assert_eq!(prune(EventSeq(0)), Some(needed[2]));
    assert_eq!(prune(needed[2]), Some(theirs[2]));
    assert_eq!(prune(theirs[2]), None);
    let left = read(store, everything()).events;
    let left: Vec<_> = left.iter().map(|it| it.seq).collect();
    assert_eq!(left, [needed.as_slice(), newest.as_slice()].concat());
}
