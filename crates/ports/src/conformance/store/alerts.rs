//! [`Op::Alert`].

use domain::ids::{AlertId, ProjectKey};
use domain::model::alert::{Alert, AlertKind, AlertQuota, Silence};
use domain::model::audit::{Actor, ActorKind};
use domain::model::event::{EventDetail, EventKind, EventKinds, EventSeq};
use domain::model::quota::{Period, QuotaUnit};
use domain::phone::CountryCode;

use super::kit::*;
use crate::store::alerts::{AlertFilter, AlertStep, Ended, NewAlert, RouteOutcomes};
use crate::store::audit::PruneHistory;
use crate::store::events::EventFilter;
use crate::store::{Epoch, Op, Outcome, Store};

fn apply(store: &dyn Store, step: AlertStep) -> Outcome {
    commit(store, Op::Alert(Box::new(step)))
}

fn new(subject: &str, millis: i64) -> NewAlert {
    NewAlert {
        project: PROJECT,
        kind: AlertKind::RouteDown,
        subject: subject.into(),
        quota: None,
        value: 1,
        words: "it is down".into(),
        silenced: false,
        at: at(millis),
    }
}

fn raise(store: &dyn Store, alert: NewAlert) -> Outcome {
    let alert = Box::new(alert);
    let epoch = Epoch(0);
    apply(store, AlertStep::Raise { alert, epoch })
}

fn resolve(store: &dyn Store, id: AlertId, millis: i64) -> Outcome {
    let (at, epoch) = (at(millis), Epoch(0));
    apply(store, AlertStep::Resolve { id, at, epoch })
}

fn filter(raised: Option<bool>) -> AlertFilter {
    AlertFilter {
        project: Some(PROJECT),
        raised,
        before: None,
        limit: 10,
    }
}

fn all(store: &dyn Store) -> Vec<Alert> {
    ask(store.alerts(filter(None)))
}

fn newest(store: &dyn Store) -> AlertId {
    all(store)[0].id
}

/// Kinds and alerts of the events, in order.
fn told(store: &dyn Store) -> Vec<(EventKind, AlertId)> {
    let page = ask(store.events(EventFilter {
        project: PROJECT,
        sender: None,
        kinds: EventKinds::ALL,
        steps_in: None,
        after: EventSeq(0),
        limit: 100,
        look_at: EventFilter::LOOK_AT,
    }));
    let events = page.events.into_iter().map(|it| it.event);
    events
        .map(|it| {
            assert_eq!((it.sender, it.message), (None, None));
            match it.detail {
                Some(EventDetail::Alert(news)) => (it.kind, news.alert),
                other => panic!("{other:?}"),
            }
        })
        .collect()
}

pub fn an_alert_is_raised_once_and_resolved_once_and_each_is_told(store: &dyn Store) {
    assert!(matches!(raise(store, new("route:gw", 1)), Outcome::Done));
    let id = newest(store);
    assert!(matches!(raise(store, new("route:gw", 2)), Outcome::Stale));
    assert_eq!(all(store), [new("route:gw", 1).raised(id)]);
    assert!(matches!(resolve(store, id, 3), Outcome::Done));
    assert!(matches!(resolve(store, id, 4), Outcome::Stale));
    assert_eq!(all(store)[0].resolved_at, Some(at(3)));
    let once = [(EventKind::AlertRaised, id), (EventKind::AlertResolved, id)];
    assert_eq!(told(store), once);
    // Another time it is another alert.
    assert!(matches!(raise(store, new("route:gw", 5)), Outcome::Done));
    assert!(newest(store) > id);
}

pub fn each_quota_of_a_route_has_an_alert_of_its_own(store: &dyn Store) {
    let of = |per, unit, used| {
        let limit = 1_000_000;
        NewAlert {
            kind: AlertKind::Quota80,
            quota: Some(AlertQuota {
                per,
                unit,
                limit,
                used,
            }),
            ..new("route:gw", 1)
        }
    };
    let one = of(Period::Month, QuotaUnit::Messages, 800_000);
    let other = of(Period::Month, QuotaUnit::Spend, 900_000);
    let third = of(Period::Day, QuotaUnit::Spend, 950_000);
    let unnamed = NewAlert {
        quota: None,
        ..one.clone()
    };
    for alert in [&one, &other, &third, &unnamed] {
        assert!(matches!(raise(store, alert.clone()), Outcome::Done));
    }
    let again = of(Period::Month, QuotaUnit::Messages, 850_000);
    for alert in [again, unnamed.clone()] {
        assert!(matches!(raise(store, alert), Outcome::Stale));
    }
    let kept = all(store);
    let found: Vec<_> = kept.iter().rev().map(|it| it.quota).collect();
    let want = [one.quota, other.quota, third.quota, None];
    assert_eq!(found, want);
    assert_eq!(kept[3].news().quota, one.quota, "as its events tell it");
    assert!(matches!(resolve(store, kept[3].id, 2), Outcome::Done));
    assert!(matches!(raise(store, one), Outcome::Done), "another time");
}

pub fn a_silenced_alert_is_kept_and_told_when_somebody_says_so(store: &dyn Store) {
    let silenced = NewAlert {
        silenced: true,
        ..new("route:gw", 1)
    };
    raise(store, silenced.clone());
    let id = newest(store);
    assert!(!all(store)[0].told);
    resolve(store, id, 2);
    assert_eq!(told(store), [], "nobody heard of it");
    raise(store, silenced);
    let id = newest(store);
    let tell = |millis| {
        let (at, epoch) = (at(millis), Epoch(0));
        apply(store, AlertStep::Tell { id, at, epoch })
    };
    assert!(matches!(tell(3), Outcome::Done));
    assert!(matches!(tell(4), Outcome::Stale));
    resolve(store, id, 5);
    assert!(matches!(tell(6), Outcome::Stale));
    let once = [(EventKind::AlertRaised, id), (EventKind::AlertResolved, id)];
    assert_eq!(told(store), once);
}

pub fn who_has_seen_an_alert_first_stays(store: &dyn Store) {
    raise(store, new("route:gw", 1));
    let id = newest(store);
    let acknowledge = |project, name: &str, millis| {
        let step = AlertStep::Acknowledge {
            project,
            id,
            by: Actor::new(ActorKind::User, name),
            at: at(millis),
        };
        apply(store, step)
    };
    let others = acknowledge(ProjectKey(2), "eve", 2);
    assert!(matches!(others, Outcome::Missing));
    assert!(matches!(acknowledge(PROJECT, "ann", 3), Outcome::Done));
    // Nothing changes any more, whoever says it again.
    for (name, millis) in [("ann", 4), ("bob", 5)] {
        assert!(matches!(acknowledge(PROJECT, name, millis), Outcome::Stale));
    }
    let first = Some((Actor::new(ActorKind::User, "ann"), at(3)));
    assert_eq!(ask(store.alert(PROJECT, id)).unwrap().acknowledged, first);
    assert_eq!(ask(store.alert(ProjectKey(2), id)), None);
}

pub fn alerts_are_listed_newest_first_and_by_every_filter(store: &dyn Store) {
    for (nth, subject) in (1..).zip(["route:a", "route:b", "route:c"]) {
        raise(store, new(subject, nth));
    }
    let elsewhere = NewAlert {
        project: ProjectKey(2),
        ..new("route:a", 4)
    };
    raise(store, elsewhere);
    resolve(store, all(store)[1].id, 5);
    let subjects = |filter| {
        let found = ask(store.alerts(filter));
        found
            .iter()
            .map(|it| String::from(&*it.subject))
            .collect::<Vec<_>>()
    };
    assert_eq!(subjects(filter(None)), ["route:c", "route:b", "route:a"]);
    assert_eq!(subjects(filter(Some(true))), ["route:c", "route:a"]);
    assert_eq!(subjects(filter(Some(false))), ["route:b"]);
    let everybodys = AlertFilter {
        project: None,
        ..filter(Some(true))
    };
    assert_eq!(subjects(everybodys).len(), 3);
    let second_page = AlertFilter {
        before: Some(newest(store)),
        limit: 1,
        ..filter(None)
    };
    assert_eq!(subjects(second_page), ["route:b"]);
}

pub fn silences_hold_until_their_time_or_their_end(store: &dyn Store) {
    let silence = |no| Silence {
        no,
        project: PROJECT,
        kind: (no == 1).then_some(AlertKind::RouteDown),
        subject: (no == 2).then(|| "route:gw".into()),
        until: at(10 * no),
        reason: "known".into(),
        by: Actor::new(ActorKind::Key, "app"),
        created_at: at(0),
    };
    for no in 1..=3 {
        apply(store, AlertStep::Silence(silence(no)));
    }
    assert_eq!(ask(store.silences(at(9))), [1, 2, 3].map(silence));
    assert_eq!(ask(store.silences(at(10))), [2, 3].map(silence));
    let end = |project| {
        let (no, was) = (2, None);
        apply(store, AlertStep::Unsilence { project, no, was })
    };
    assert!(matches!(end(ProjectKey(2)), Outcome::Missing));
    assert!(matches!(end(PROJECT), Outcome::Done));
    assert!(matches!(end(PROJECT), Outcome::Missing));
    assert_eq!(ask(store.silences(at(10))), [silence(3)]);
}

pub fn how_far_alerts_were_mailed_only_moves_forward(store: &dyn Store) {
    assert_eq!(ask(store.alert_mail(PROJECT)), None);
    for (upto, want) in [(5, 5), (3, 5), (8, 8)] {
        let (upto, epoch) = (EventSeq(upto), Epoch(0));
        let step = AlertStep::Mailed {
            project: PROJECT,
            upto,
            epoch,
        };
        apply(store, step);
        assert_eq!(ask(store.alert_mail(PROJECT)), Some(EventSeq(want)));
    }
    assert_eq!(ask(store.alert_mail(ProjectKey(2))), None);
}

pub fn an_older_owner_raises_and_resolves_nothing(store: &dyn Store) {
    raise(store, new("route:gw", 1));
    let id = newest(store);
    ask(store.raise_epoch());
    let (upto, when, epoch) = (EventSeq(1), at(2), Epoch(0));
    assert!(matches!(raise(store, new("route:b", 2)), Outcome::Fenced));
    assert!(matches!(resolve(store, id, 2), Outcome::Fenced));
    for step in [
        AlertStep::Tell {
            id,
            at: when,
            epoch,
        },
        AlertStep::Mailed {
            project: PROJECT,
            upto,
            epoch,
        },
    ] {
        assert!(matches!(apply(store, step), Outcome::Fenced));
    }
    assert_eq!(all(store).len(), 1);
}

pub fn what_is_over_is_forgotten_and_what_is_raised_stays(store: &dyn Store) {
    for subject in ["route:a", "route:b"] {
        raise(store, new(subject, 1));
    }
    let id = newest(store);
    resolve(store, id, 2);
    let silence = Silence {
        no: 1,
        project: PROJECT,
        kind: None,
        subject: None,
        until: at(5),
        reason: "".into(),
        by: Actor::system(),
        created_at: at(0),
    };
    apply(store, AlertStep::Silence(silence));
    let prune = |millis| {
        let before = at(millis);
        commit(store, Op::PruneHistory(PruneHistory { before, limit: 9 }));
    };
    prune(2);
    assert_eq!(all(store).len(), 2);
    prune(100);
    assert_eq!(all(store).len(), 1);
    assert_eq!(&*all(store)[0].subject, "route:a");
    assert_eq!(ask(store.silences(at(0))), []);
    // No id is given twice.
    raise(store, new("route:b", 3));
    assert!(newest(store) > id);
}

pub fn how_messages_of_a_route_ended_of_late_is_kept_as_it_was_told_last(store: &dyn Store) {
    let ended = |country, slice, all, failed| Ended {
        country,
        slice,
        all,
        failed,
    };
    let romania = CountryCode::parse("RO");
    let of = |route, ended, unanswered| RouteOutcomes {
        route,
        ended,
        unanswered,
    };
    let keep = |routes: Vec<RouteOutcomes>| {
        let epoch = Epoch(0);
        apply(store, AlertStep::Outcomes { routes, epoch })
    };
    assert_eq!(ask(store.route_outcomes()), []);
    let first = of(
        SMS,
        vec![ended(romania, 59_999_999, 20, 3), ended(None, -1, 1, 0)],
        Some((at(7), 4)),
    );
    let other = of(WHATSAPP, Vec::new(), None);
    let done = keep(vec![other.clone(), first.clone()]);
    assert!(matches!(done, Outcome::Done), "{done:?}");
    assert_eq!(ask(store.route_outcomes()), [first, other.clone()]);
    let next = of(SMS, vec![ended(romania, 60_000_000, u64::MAX, 1)], None);
    keep(vec![next.clone()]);
    assert_eq!(ask(store.route_outcomes()), [next, other]);
    assert!(matches!(keep(Vec::new()), Outcome::Done));
    ask(store.raise_epoch());
    let late = keep(vec![of(SMS, Vec::new(), None)]);
    assert!(matches!(late, Outcome::Fenced), "{late:?}");
}
