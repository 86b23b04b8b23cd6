//! [`Op::Control`], [`Op::Audited`], [`Op::Audit`] and [`Op::PruneHistory`].

use domain::ids::{AuditId, ContactId, ProjectKey, RouteKey, SenderKey};
use domain::model::audit::{Actor, ActorKind, AuditAction, AuditEntry};
use domain::model::control::{ControlMode, RouteControl};

use super::kit::*;
use crate::store::audit::{AuditFilter, AuditRecord, Audited, PruneHistory};
use crate::store::contacts::ContactChange;
use crate::store::controls::ControlChange;
use crate::store::senders::SenderChange;
use crate::store::{Op, Outcome, Store};

fn control(mode: ControlMode, until: Option<i64>) -> RouteControl {
    RouteControl {
        mode,
        reason: "maintenance".into(),
        by: Actor::new(ActorKind::Key, "app"),
        since: at(1),
        until: until.map(at),
    }
}

fn said(route: RouteKey, control: RouteControl) -> ControlChange {
    ControlChange::Set {
        project: PROJECT,
        route,
        control,
    }
}

fn entry(action: AuditAction, subject: &str, millis: i64) -> AuditEntry {
    AuditEntry {
        project: PROJECT,
        at: at(millis),
        actor: Actor::new(ActorKind::Key, "app"),
        action,
        subject: subject.into(),
        reason: Some("because".into()),
        detail: vec![("mode".into(), "drain".into())],
        count: 1,
    }
}

fn everything() -> AuditFilter {
    AuditFilter {
        project: PROJECT,
        subject: None,
        action: None,
        actor: None,
        before: None,
        limit: 100,
    }
}

fn read(store: &dyn Store, filter: AuditFilter) -> Vec<AuditRecord> {
    ask(store.audit(filter))
}

fn entries(store: &dyn Store, filter: AuditFilter) -> Vec<AuditEntry> {
    read(store, filter).into_iter().map(|it| it.entry).collect()
}

fn change(store: &dyn Store, change: ControlChange) -> Outcome {
    commit(store, Op::Control(Box::new(change)))
}

pub fn a_word_over_a_route_is_kept_replaced_and_taken_back(store: &dyn Store) {
    let (pin, drain) = (
        control(ControlMode::Pin, None),
        control(ControlMode::Drain, Some(50)),
    );
    for (route, it) in [(SMS, &pin), (WHATSAPP, &pin), (SMS, &drain)] {
        let outcome = change(store, said(route, it.clone()));
        assert!(matches!(outcome, Outcome::Done));
    }
    let both = [(SMS, drain), (WHATSAPP, pin)];
    assert_eq!(ask(store.route_controls()), both);
    // Not before its time, and one without a time never.
    for (route, millis) in [(SMS, 49), (WHATSAPP, 1_000)] {
        let outcome = change(store, ControlChange::Expire(route, at(millis)));
        assert!(matches!(outcome, Outcome::Missing));
    }
    let outcome = change(store, ControlChange::Expire(SMS, at(50)));
    assert!(matches!(outcome, Outcome::Done));
    let outcome = change(store, ControlChange::Clear(WHATSAPP, None));
    assert!(matches!(outcome, Outcome::Done));
    assert_eq!(ask(store.route_controls()), []);
    let outcome = change(store, ControlChange::Clear(WHATSAPP, None));
    assert!(matches!(outcome, Outcome::Missing));
}

pub fn the_log_is_read_newest_first_and_by_every_filter(store: &dyn Store) {
    let mut all = vec![
        entry(AuditAction::RouteControlled, "route:gw", 1),
        entry(AuditAction::RouteDown, "route:gw", 2),
        entry(AuditAction::RouteDown, "route:wa", 3),
    ];
    all[2].actor = Actor::system();
    all[2].count = 7;
    all[2].reason = None;
    for it in &all {
        let outcome = commit(store, Op::Audit(Box::new(it.clone())));
        assert!(matches!(outcome, Outcome::Done));
    }
    let mut other = entry(AuditAction::RouteUp, "route:gw", 4);
    other.project = ProjectKey(2);
    commit(store, Op::Audit(Box::new(other)));
    all.reverse();
    assert_eq!(entries(store, everything()), all);
    let ids: Vec<AuditId> = read(store, everything()).iter().map(|it| it.id).collect();
    assert!(ids.is_sorted_by(|a, b| a > b), "{ids:?}");
    let of_gw = AuditFilter {
        subject: Some("route:gw".into()),
        ..everything()
    };
    assert_eq!(entries(store, of_gw), all[1..]);
    let downs = AuditFilter {
        action: Some(AuditAction::RouteDown),
        ..everything()
    };
    assert_eq!(entries(store, downs), all[..2]);
    let by_system = AuditFilter {
        actor: Some("tandem".into()),
        ..everything()
    };
    assert_eq!(entries(store, by_system), all[..1]);
    let second_page = AuditFilter {
        before: Some(ids[0]),
        limit: 1,
        ..everything()
    };
    assert_eq!(entries(store, second_page), all[1..2]);
}

pub fn the_log_tells_of_a_change_and_not_of_what_changed_nothing(store: &dyn Store) {
    let audited = |op, entry| {
        let audited = Audited { op, entry };
        commit(store, Op::Audited(Box::new(audited)))
    };
    let set = Op::Control(Box::new(said(SMS, control(ControlMode::Drain, None))));
    let told = entry(AuditAction::RouteControlled, "route:gw", 1);
    assert!(matches!(audited(set, told.clone()), Outcome::Done));
    assert_eq!(ask(store.route_controls()).len(), 1);
    let alone = [told];
    assert_eq!(entries(store, everything()), alone);
    let nothing = [
        Op::Control(Box::new(ControlChange::Clear(WHATSAPP, None))),
        Op::Sender(Box::new(SenderChange::Delete(SenderKey(77)))),
        Op::Contact {
            project: PROJECT,
            change: Box::new(ContactChange::Delete {
                contact: ContactId::from_key(77),
            }),
            at: at(2),
        },
    ];
    for op in nothing {
        audited(op, entry(AuditAction::SenderDeleted, "x", 2));
    }
    assert_eq!(entries(store, everything()), alone);
}

pub fn old_lines_of_the_log_go_the_oldest_first(store: &dyn Store) {
    for millis in 1..=4 {
        let it = entry(AuditAction::RouteUp, "route:gw", millis);
        commit(store, Op::Audit(Box::new(it)));
    }
    let left = |limit, millis| {
        let prune = PruneHistory {
            before: at(millis),
            limit,
        };
        let outcome = commit(store, Op::PruneHistory(prune));
        assert!(matches!(outcome, Outcome::Done));
        let lines = entries(store, everything());
        lines.iter().map(|it| it.at).collect::<Vec<_>>()
    };
    assert_eq!(left(1, 3), [at(4), at(3), at(2)]);
    assert_eq!(left(9, 3), [at(4), at(3)]);
    let newest = read(store, everything())[0].id;
    assert_eq!(left(9, 100), []);
    let it = entry(AuditAction::RouteUp, "route:gw", 5);
    commit(store, Op::Audit(Box::new(it)));
    assert!(read(store, everything())[0].id > newest, "no place twice");
}
