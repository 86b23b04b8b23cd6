//! What people said of routes, the audit log, and alerts.

use std::collections::BTreeMap;

use domain::ids::{AlertId, AuditId, ProjectKey, RouteKey};
use domain::model::alert::{Alert, Silence};
use domain::model::audit::AuditEntry;
use domain::model::control::RouteControl;
use domain::model::event::{EventKind, EventSeq};
use domain::time::Timestamp;

use super::state::State;
use crate::store::Outcome;
use crate::store::alerts::{AlertFilter, AlertStep, RouteOutcomes, event_of};
use crate::store::audit::{AuditFilter, AuditRecord, PruneHistory};
use crate::store::controls::ControlChange;

/// All of it.
#[derive(Debug, Default)]
pub(super) struct History {
    controls: BTreeMap<RouteKey, RouteControl>,
    audit: BTreeMap<AuditId, AuditEntry>,
    last_audit: i64,
    alerts: BTreeMap<AlertId, Alert>,
    last_alert: i64,
    outcomes: BTreeMap<RouteKey, RouteOutcomes>,
    silences: BTreeMap<i64, Silence>,
    mailed: BTreeMap<ProjectKey, EventSeq>,
}

const fn done(it: bool) -> Outcome {
    if it { Outcome::Done } else { Outcome::Missing }
}

impl History {
    pub(super) fn change_control(&mut self, change: &ControlChange) -> Outcome {
        match change {
            ControlChange::Set { route, control, .. } => {
                self.controls.insert(*route, control.clone());
                Outcome::Done
            }
            ControlChange::Clear(route, _) => done(self.controls.remove(route).is_some()),
            ControlChange::Expire(route, now) => {
                let is_over = self.controls.get(route).is_some_and(|it| it.is_over(*now));
                done(is_over && self.controls.remove(route).is_some())
            }
        }
    }

    pub(super) fn controls(&self) -> Vec<(RouteKey, RouteControl)> {
        let all = self.controls.iter();
        all.map(|(route, control)| (*route, control.clone()))
            .collect()
    }

    pub(super) fn add_audit(&mut self, entry: AuditEntry) {
        self.last_audit += 1;
        self.audit.insert(AuditId::from_key(self.last_audit), entry);
    }

    pub(super) fn read_audit(&self, filter: &AuditFilter) -> Vec<AuditRecord> {
        let fits = |id: AuditId, it: &AuditEntry| {
            it.project == filter.project
                && filter.before.is_none_or(|before| id < before)
                && filter
                    .subject
                    .as_ref()
                    .is_none_or(|want| it.subject == *want)
                && filter.action.is_none_or(|want| it.action == want)
                && filter
                    .actor
                    .as_ref()
                    .is_none_or(|want| it.actor.name == *want)
        };
        self.audit
            .iter()
            .rev()
            .filter(|(id, it)| fits(**id, it))
            .take(filter.limit.into())
            .map(|(id, entry)| AuditRecord {
                id: *id,
                entry: entry.clone(),
            })
            .collect()
    }

    pub(super) fn read_alerts(&self, filter: AlertFilter) -> Vec<Alert> {
        let fits = |it: &Alert| {
            filter.project.is_none_or(|want| it.project == want)
                && filter.before.is_none_or(|before| it.id < before)
                && filter
                    .raised
                    .is_none_or(|want| it.resolved_at.is_none() == want)
        };
        let newest_first = self.alerts.values().rev().filter(|it| fits(it));
        newest_first.take(filter.limit.into()).cloned().collect()
    }

    pub(super) fn outcomes(&self) -> Vec<RouteOutcomes> {
        self.outcomes.values().cloned().collect()
    }

    pub(super) fn alert(&self, project: ProjectKey, id: AlertId) -> Option<Alert> {
        let alert = self.alerts.get(&id)?;
        (alert.project == project).then(|| alert.clone())
    }

    pub(super) fn silences(&self, now: Timestamp) -> Vec<Silence> {
        let active = self.silences.values().filter(|it| now < it.until);
        active.cloned().collect()
    }

    pub(super) fn mailed(&self, project: ProjectKey) -> Option<EventSeq> {
        self.mailed.get(&project).copied()
    }

    pub(super) fn prune(&mut self, prune: PruneHistory) {
        let limit = usize::from(prune.limit);
        let old = |at: Timestamp| at < prune.before;
        let lines = self.audit.iter().filter(|it| old(it.1.at));
        let lines: Vec<_> = lines.map(|it| *it.0).take(limit).collect();
        self.audit.retain(|id, _| !lines.contains(id));
        let over = self.alerts.values();
        let over: Vec<_> = over
            .filter(|it| it.resolved_at.is_some_and(old))
            .map(|it| it.id)
            .take(limit)
            .collect();
        self.alerts.retain(|id, _| !over.contains(id));
        let mut ended: Vec<_> = self.silences.values().filter(|it| old(it.until)).collect();
        ended.sort_by_key(|it| (it.until, it.no));
        let ended: Vec<_> = ended.iter().take(limit).map(|it| it.no).collect();
        self.silences.retain(|no, _| !ended.contains(no));
    }
}

impl State {
    pub(super) fn alert_step(&mut self, step: &AlertStep) -> Outcome {
        match step {
            AlertStep::Raise { epoch, .. }
            | AlertStep::Tell { epoch, .. }
            | AlertStep::Resolve { epoch, .. }
            | AlertStep::Outcomes { epoch, .. }
            | AlertStep::Mailed { epoch, .. }
                if *epoch < self.epoch =>
            {
                return Outcome::Fenced;
            }
            AlertStep::Raise { .. }
            | AlertStep::Tell { .. }
            | AlertStep::Resolve { .. }
            | AlertStep::Outcomes { .. }
            | AlertStep::Mailed { .. }
            | AlertStep::Acknowledge { .. }
            | AlertStep::Silence(_)
            | AlertStep::Unsilence { .. } => {}
        }
        let history = &mut self.history;
        match step {
            AlertStep::Raise { alert, .. } => {
                let is_same = |it: &Alert| {
                    it.resolved_at.is_none()
                        && (it.project, it.kind) == (alert.project, alert.kind)
                        && it.subject == alert.subject
                        && it.quota.map(|it| it.name()) == alert.quota.map(|it| it.name())
                };
                if history.alerts.values().any(is_same) {
                    return Outcome::Stale;
                }
                history.last_alert += 1;
                let raised = alert.raised(AlertId::from_key(history.last_alert));
                if raised.told {
                    let event = event_of(&raised, EventKind::AlertRaised, alert.at);
                    self.publishing.add(event);
                }
                history.alerts.insert(raised.id, raised);
            }
            AlertStep::Tell { id, at, .. } => {
                let alert = history.alerts.get_mut(id);
                let Some(alert) = alert.filter(|it| !it.told && it.resolved_at.is_none()) else {
                    return Outcome::Stale;
                };
                alert.told = true;
                let event = event_of(alert, EventKind::AlertRaised, *at);
                self.publishing.add(event);
            }
            AlertStep::Resolve { id, at, .. } => {
                let alert = history.alerts.get_mut(id);
                let Some(alert) = alert.filter(|it| it.resolved_at.is_none()) else {
                    return Outcome::Stale;
                };
                alert.resolved_at = Some(*at);
                if alert.told {
                    let event = event_of(alert, EventKind::AlertResolved, *at);
                    self.publishing.add(event);
                }
            }
            AlertStep::Acknowledge {
                project,
                id,
                by,
                at,
            } => {
                let alert = history.alerts.get_mut(id);
                let Some(alert) = alert.filter(|it| it.project == *project) else {
                    return Outcome::Missing;
                };
                if alert.acknowledged.is_some() {
                    return Outcome::Stale;
                }
                alert.acknowledged = Some((by.clone(), *at));
            }
            AlertStep::Silence(silence) => {
                history.silences.insert(silence.no, silence.clone());
            }
            AlertStep::Unsilence { project, no, .. } => {
                let known = history.silences.get(no);
                if known.is_none_or(|it| it.project != *project) {
                    return Outcome::Missing;
                }
                history.silences.remove(no);
            }
            AlertStep::Outcomes { routes, .. } => {
                let kept = routes.iter().map(|it| (it.route, it.clone()));
                history.outcomes.extend(kept);
            }
            AlertStep::Mailed { project, upto, .. } => {
                let place = history.mailed.entry(*project).or_insert(*upto);
                *place = (*place).max(*upto);
            }
        }
        Outcome::Done
    }
}
