//! What the automatics did to a route, for the audit log (R-HEALTH): every change with its reason.
//! A route that flaps writes a few lines a minute at most; what is more is counted in one.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::ids::RouteKey;
use domain::model::audit::{Actor, AuditAction, AuditEntry};
use domain::time::{Millis, Timestamp};
use parking_lot::Mutex;
use ports::store::Op;

use crate::line::RouteLine;
use crate::{Inner, audit};

/// Lines of one route within [`SPAN`]; what is more is put together in one more.
const LINES: u32 = 6;
/// The time over which they are counted.
const SPAN: Millis = Millis::minutes(1);

/// How many lines each route has written of late.
#[derive(Debug, Default)]
pub(crate) struct HealthLog(Mutex<BTreeMap<RouteKey, Minute>>);

#[derive(Debug)]
struct Minute {
    began: Timestamp,
    lines: u32,
    /// The newest of what was held back, with their number.
    held: Option<AuditEntry>,
}

impl HealthLog {
    /// What to write down now.
    fn add(&self, route: RouteKey, entry: AuditEntry) -> Vec<AuditEntry> {
        let mut minutes = self.0.lock();
        let fresh = |began| Minute {
            began,
            lines: 0,
            held: None,
        };
        let minute = minutes.entry(route).or_insert_with(|| fresh(entry.at));
        let mut out = Vec::new();
        if entry.at.since(minute.began) >= SPAN {
            out.extend(std::mem::replace(minute, fresh(entry.at)).held);
        }
        if minute.lines < LINES {
            minute.lines += 1;
            out.push(entry);
        } else {
            let before = minute.held.as_ref().map_or(0, |it| it.count);
            minute.held = Some(AuditEntry {
                count: before.saturating_add(1),
                ..entry
            });
        }
        out
    }

    /// What was held back in minutes that are over.
    fn over(&self, now: Timestamp) -> Vec<AuditEntry> {
        let mut minutes = self.0.lock();
        let mut out = Vec::new();
        minutes.retain(|_, it| {
            let is_over = now.since(it.began) >= SPAN;
            if is_over {
                out.extend(it.held.take());
            }
            !is_over
        });
        out
    }
}

/// Notes a change of a route's health.
pub(crate) fn note(inner: &Inner, line: &RouteLine, action: AuditAction, reason: Option<&str>) {
    let entry = AuditEntry {
        project: line.route.project,
        at: inner.now(),
        actor: Actor::system(),
        action,
        subject: audit::route_subject(&line.route.id).into(),
        reason: reason.map(Into::into),
        detail: Vec::new(),
        count: 1,
    };
    for entry in inner.health_log.add(line.route.key, entry) {
        write(inner, entry);
    }
}

/// Writes down what was held back and is due.
pub(crate) fn flush(inner: &Arc<Inner>, now: Timestamp) {
    for entry in inner.health_log.over(now) {
        write(inner, entry);
    }
}

fn write(inner: &Inner, entry: AuditEntry) {
    let done = |result: Result<_, ports::store::Unavailable>| {
        if let Err(error) = result {
            tracing::error!(%error, "a line of the audit log was not kept");
        }
    };
    inner
        .store
        .commit(Op::Audit(Box::new(entry)), Box::new(done));
}

#[cfg(test)]
mod tests {
    use domain::ids::ProjectKey;

    use super::*;

    fn entry(second: i64) -> AuditEntry {
        AuditEntry {
            project: ProjectKey(1),
            at: Timestamp::from_millis(second * 1_000),
            actor: Actor::system(),
            action: AuditAction::RouteDown,
            subject: "route:gw".into(),
            reason: None,
            detail: Vec::new(),
            count: 1,
        }
    }

    #[test]
    fn a_route_that_flaps_writes_a_few_lines_a_minute_and_the_rest_is_counted() {
        let log = HealthLog::default();
        let mut lines = Vec::new();
        for second in 0..600 {
            lines.extend(log.add(RouteKey(1), entry(second)));
        }
        lines.extend(log.over(entry(700).at));
        assert!(lines.len() <= 70, "{}", lines.len());
        let all: u32 = lines.iter().map(|it| it.count).sum();
        assert_eq!(all, 600, "none is lost");
    }

    #[test]
    fn a_change_now_and_then_is_written_at_once() {
        let log = HealthLog::default();
        for second in [0, 30, 90, 300] {
            assert_eq!(log.add(RouteKey(1), entry(second)), [entry(second)]);
        }
        assert_eq!(log.over(entry(900).at), []);
    }
}
