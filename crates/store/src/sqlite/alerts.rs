//! Alerts, silences, and how far alerts were sent by e-mail (R-ALERT).

use domain::ids::{AlertId, ProjectKey, RouteKey};
use domain::model::alert::{Alert, AlertKind, AlertQuota, Silence};
use domain::model::audit::{Actor, ActorKind};
use domain::model::event::{EventKind, EventSeq};
use domain::time::Timestamp;
use ports::store::alerts::{AlertFilter, AlertStep, NewAlert, RouteOutcomes, event_of};
use ports::store::{Epoch, Outcome};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::controls::actor;
use super::fault::Fault;
use super::lines::Line;
use super::loading::{coded, optional_coded, optional_time, time};
use super::readers::Reader;
use crate::rows::codes::Coded;
use crate::rows::outcomes;

const COLUMNS: &str =
    "SELECT id, project, kind, subject, value, words, raised_at, resolved_at, told,
    acked_kind, acked_by, acked_at, quota_per, quota_unit, quota_limit, quota_used FROM alert";

impl Line<'_> {
    /// See [`AlertStep`].
    pub(super) fn alert_step(&mut self, step: &AlertStep) -> Result<Outcome, Fault> {
        let changed = match step {
            AlertStep::Raise { alert, epoch } => return self.raise(alert, *epoch),
            AlertStep::Tell { id, at, epoch } => {
                let told = "UPDATE alert SET told = 1
                     WHERE id = ?1 AND told = 0 AND resolved_at IS NULL AND ?2 IS NOT NULL";
                return self.move_on(told, (*id, *at, *epoch), EventKind::AlertRaised);
            }
            AlertStep::Resolve { id, at, epoch } => {
                let resolved =
                    "UPDATE alert SET resolved_at = ?2 WHERE id = ?1 AND resolved_at IS NULL";
                return self.move_on(resolved, (*id, *at, *epoch), EventKind::AlertResolved);
            }
            AlertStep::Acknowledge {
                project,
                id,
                by,
                at,
            } => return self.acknowledge(*project, *id, by, *at),
            AlertStep::Silence(silence) => self.connection.execute(
                "INSERT OR REPLACE INTO alert_silence
                     (no, project, kind, subject, until, reason, actor_kind, actor, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![
                    silence.no,
                    silence.project.0,
                    silence.kind.map(AlertKind::number),
                    silence.subject,
                    silence.until.as_millis(),
                    silence.reason,
                    silence.by.kind.number(),
                    silence.by.name,
                    silence.created_at.as_millis(),
                ],
            )?,
            AlertStep::Unsilence { project, no, .. } => self.connection.execute(
                "DELETE FROM alert_silence WHERE no = ?2 AND project = ?1",
                params![project.0, no],
            )?,
            AlertStep::Outcomes { routes, epoch } => return self.keep_outcomes(routes, *epoch),
            AlertStep::Mailed {
                project,
                upto,
                epoch,
            } => {
                if self.is_fenced(*epoch) {
                    return Ok(Outcome::Fenced);
                }
                self.connection.execute(
                    "INSERT INTO alert_mail (project, upto) VALUES (?1, ?2)
                     ON CONFLICT (project) DO UPDATE SET upto = max(upto, ?2)",
                    params![project.0, upto.0],
                )?
            }
        };
        Ok(if changed > 0 {
            Outcome::Done
        } else {
            Outcome::Missing
        })
    }

    /// The first stays.
    fn acknowledge(
        &mut self,
        project: ProjectKey,
        id: AlertId,
        by: &Actor,
        at: Timestamp,
    ) -> Result<Outcome, Fault> {
        let changed = self.connection.execute(
            "UPDATE alert SET acked_kind = ?3, acked_by = ?4, acked_at = ?5
             WHERE id = ?2 AND project = ?1 AND acked_kind IS NULL",
            params![
                project.0,
                id.key(),
                by.kind.number(),
                by.name,
                at.as_millis()
            ],
        )?;
        if changed > 0 {
            return Ok(Outcome::Done);
        }
        let is_known = one(self.connection, id)?.is_some_and(|it| it.project == project);
        Ok(if is_known {
            Outcome::Stale
        } else {
            Outcome::Missing
        })
    }

    fn keep_outcomes(&mut self, routes: &[RouteOutcomes], epoch: Epoch) -> Result<Outcome, Fault> {
        if self.is_fenced(epoch) {
            return Ok(Outcome::Fenced);
        }
        let mut statement = self.connection.prepare_cached(
            "INSERT OR REPLACE INTO route_outcomes (route, record) VALUES (?1, ?2)",
        )?;
        for it in routes {
            statement.execute(params![it.route.0, outcomes::encode(it)])?;
        }
        Ok(Outcome::Done)
    }

    fn raise(&mut self, new: &NewAlert, epoch: Epoch) -> Result<Outcome, Fault> {
        if self.is_fenced(epoch) {
            return Ok(Outcome::Fenced);
        }
        let id: Option<i64> = self
            .connection
            .query_row(
                "INSERT INTO alert (project, kind, subject, value, words, raised_at, told,
                     quota_per, quota_unit, quota_limit, quota_used)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
                 ON CONFLICT DO NOTHING RETURNING id",
                params![
                    new.project.0,
                    new.kind.number(),
                    new.subject,
                    new.value,
                    new.words,
                    new.at.as_millis(),
                    !new.silenced,
                    new.quota.map(|it| it.per.number()),
                    new.quota.map(|it| it.unit.number()),
                    new.quota.map(|it| it.limit),
                    new.quota.map(|it| it.used),
                ],
                |row| row.get(0),
            )
            .optional()?;
        let Some(id) = id else {
            return Ok(Outcome::Stale);
        };
        let alert = new.raised(AlertId::from_key(id));
        if alert.told {
            self.add_event(&event_of(&alert, EventKind::AlertRaised, new.at))?;
        }
        Ok(Outcome::Done)
    }

    /// Changes an alert and brings the event, where it was told.
    fn move_on(
        &mut self,
        sql: &str,
        (id, at, epoch): (AlertId, Timestamp, Epoch),
        kind: EventKind,
    ) -> Result<Outcome, Fault> {
        if self.is_fenced(epoch) {
            return Ok(Outcome::Fenced);
        }
        let changed = self
            .connection
            .execute(sql, params![id.key(), at.as_millis()])?;
        if changed == 0 {
            return Ok(Outcome::Stale);
        }
        if let Some(alert) = one(self.connection, id)?.filter(|it| it.told) {
            self.add_event(&event_of(&alert, kind, at))?;
        }
        Ok(Outcome::Done)
    }
}

fn one(db: &Connection, id: AlertId) -> Result<Option<Alert>, Fault> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?;
    let mut rows = statement.query([id.key()])?;
    rows.next()?.map(read).transpose()
}

/// Reads [`COLUMNS`].
fn read(row: &Row<'_>) -> Result<Alert, Fault> {
    let acked_kind: Option<ActorKind> = optional_coded(row, 9)?;
    let acknowledged = match acked_kind {
        Some(_) => Some((actor(row, 9)?, time(row, 11)?)),
        None => None,
    };
    Ok(Alert {
        id: AlertId::from_key(row.get(0)?),
        project: ProjectKey(row.get(1)?),
        kind: coded(row, 2)?,
        subject: row.get(3)?,
        quota: quota(row)?,
        value: row.get(4)?,
        words: row.get(5)?,
        raised_at: time(row, 6)?,
        resolved_at: optional_time(row, 7)?,
        told: row.get(8)?,
        acknowledged,
    })
}

/// Which quota it is about; none of alerts before migration 16.
fn quota(row: &Row<'_>) -> Result<Option<AlertQuota>, Fault> {
    let (per, unit) = (optional_coded(row, 12)?, optional_coded(row, 13)?);
    Ok(match (per, unit) {
        (Some(per), Some(unit)) => Some(AlertQuota {
            per,
            unit,
            limit: row.get(14)?,
            used: row.get(15)?,
        }),
        (_, None) | (None, _) => None,
    })
}

impl Reader {
    pub(super) fn alert(&self, project: ProjectKey, id: AlertId) -> Result<Option<Alert>, Fault> {
        Ok(one(&self.db, id)?.filter(|it| it.project == project))
    }

    pub(super) fn alerts(&self, filter: AlertFilter) -> Result<Vec<Alert>, Fault> {
        let mut statement = self.db.prepare_cached(&format!(
            "{COLUMNS} WHERE id < ?1 AND (?2 IS NULL OR project = ?2)
                 AND (?3 IS NULL OR (resolved_at IS NULL) = ?3)
             ORDER BY id DESC LIMIT ?4"
        ))?;
        let mut rows = statement.query(params![
            filter.before.map_or(i64::MAX, AlertId::key),
            filter.project.map(|it| it.0),
            filter.raised,
            filter.limit,
        ])?;
        let mut alerts = Vec::new();
        while let Some(row) = rows.next()? {
            alerts.push(read(row)?);
        }
        Ok(alerts)
    }

    pub(super) fn silences(&self, now: Timestamp) -> Result<Vec<Silence>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT no, project, kind, subject, until, reason, actor_kind, actor, created_at
             FROM alert_silence WHERE until > ?1 ORDER BY no",
        )?;
        let mut rows = statement.query([now.as_millis()])?;
        let mut silences = Vec::new();
        while let Some(row) = rows.next()? {
            silences.push(Silence {
                no: row.get(0)?,
                project: ProjectKey(row.get(1)?),
                kind: optional_coded(row, 2)?,
                subject: row.get(3)?,
                until: time(row, 4)?,
                reason: row.get(5)?,
                by: actor(row, 6)?,
                created_at: time(row, 8)?,
            });
        }
        Ok(silences)
    }

    pub(super) fn alert_mail(&self, project: ProjectKey) -> Result<Option<EventSeq>, Fault> {
        let upto = self
            .db
            .prepare_cached("SELECT upto FROM alert_mail WHERE project = ?1")?
            .query_row([project.0], |row| row.get(0))
            .optional()?;
        Ok(upto.map(EventSeq))
    }

    pub(super) fn route_outcomes(&self) -> Result<Vec<RouteOutcomes>, Fault> {
        let mut statement = self
            .db
            .prepare("SELECT route, record FROM route_outcomes ORDER BY route")?;
        let mut rows = statement.query([])?;
        let mut routes = Vec::new();
        while let Some(row) = rows.next()? {
            let record: Vec<u8> = row.get(1)?;
            routes.push(outcomes::decode(RouteKey(row.get(0)?), &record)?);
        }
        Ok(routes)
    }
}
