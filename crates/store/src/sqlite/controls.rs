//! What people said of routes, and the audit log.

use domain::ids::{AuditId, ProjectKey, RouteKey};
use domain::model::audit::{Actor, AuditAction, AuditEntry};
use domain::model::control::RouteControl;
use domain::time::Timestamp;
use ports::store::Outcome;
use ports::store::audit::{AuditFilter, AuditRecord, PruneHistory};
use ports::store::controls::ControlChange;
use rusqlite::{Row, params};

use super::fault::Fault;
use super::lines::Line;
use super::loading::{coded, optional_time, time};
use super::readers::Reader;
use crate::rows::Corrupt;
use crate::rows::codes::Coded;

impl Line<'_> {
    /// See [`ControlChange`].
    pub(super) fn change_control(&mut self, change: &ControlChange) -> Result<Outcome, Fault> {
        let changed = match change {
            ControlChange::Set {
                project,
                route,
                control,
            } => self.connection.execute(
                "INSERT OR REPLACE INTO route_control
                     (route, project, mode, reason, actor_kind, actor, since, until)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    route.0,
                    project.0,
                    control.mode.number(),
                    control.reason,
                    control.by.kind.number(),
                    control.by.name,
                    control.since.as_millis(),
                    control.until.map(Timestamp::as_millis),
                ],
            )?,
            ControlChange::Clear(route, _) => self
                .connection
                .execute("DELETE FROM route_control WHERE route = ?1", [route.0])?,
            ControlChange::Expire(route, now) => self.connection.execute(
                "DELETE FROM route_control WHERE route = ?1 AND until <= ?2",
                params![route.0, now.as_millis()],
            )?,
        };
        Ok(if changed > 0 {
            Outcome::Done
        } else {
            Outcome::Missing
        })
    }

    pub(super) fn add_audit(&mut self, entry: &AuditEntry) -> Result<(), Fault> {
        let has_detail = !entry.detail.is_empty();
        let detail = has_detail.then(|| serde_json::to_string(&entry.detail));
        self.connection
            .prepare_cached(
                "INSERT INTO audit
                     (project, at, actor_kind, actor, action, subject, reason, detail, count)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                entry.project.0,
                entry.at.as_millis(),
                entry.actor.kind.number(),
                entry.actor.name,
                entry.action.code(),
                entry.subject,
                entry.reason,
                detail.transpose()?,
                entry.count,
            ])?;
        Ok(())
    }

    /// See [`PruneHistory`].
    pub(super) fn prune_history(&mut self, prune: &PruneHistory) -> Result<Outcome, Fault> {
        for sql in [
            "DELETE FROM audit WHERE id IN
                 (SELECT id FROM audit WHERE at < ?1 ORDER BY id LIMIT ?2)",
            "DELETE FROM alert WHERE id IN
                 (SELECT id FROM alert WHERE resolved_at < ?1 ORDER BY id LIMIT ?2)",
            "DELETE FROM alert_silence WHERE no IN
                 (SELECT no FROM alert_silence WHERE until < ?1 ORDER BY until, no LIMIT ?2)",
        ] {
            self.connection
                .prepare_cached(sql)?
                .execute(params![prune.before.as_millis(), prune.limit])?;
        }
        Ok(Outcome::Done)
    }
}

impl Reader {
    pub(super) fn route_controls(&self) -> Result<Vec<(RouteKey, RouteControl)>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT route, mode, reason, actor_kind, actor, since, until
             FROM route_control ORDER BY route",
        )?;
        let mut rows = statement.query([])?;
        let mut controls = Vec::new();
        while let Some(row) = rows.next()? {
            let control = RouteControl {
                mode: coded(row, 1)?,
                reason: row.get(2)?,
                by: actor(row, 3)?,
                since: time(row, 5)?,
                until: optional_time(row, 6)?,
            };
            controls.push((RouteKey(row.get(0)?), control));
        }
        Ok(controls)
    }

    pub(super) fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditRecord>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT id, project, at, actor_kind, actor, action, subject, reason, detail, count
             FROM audit
             WHERE project = ?1 AND id < ?2 AND (?3 IS NULL OR subject = ?3)
                 AND (?4 IS NULL OR action = ?4) AND (?5 IS NULL OR actor = ?5)
             ORDER BY id DESC LIMIT ?6",
        )?;
        let mut rows = statement.query(params![
            filter.project.0,
            filter.before.map_or(i64::MAX, AuditId::key),
            filter.subject,
            filter.action.map(AuditAction::code),
            filter.actor,
            filter.limit,
        ])?;
        let mut records = Vec::new();
        while let Some(row) = rows.next()? {
            let (action, detail): (String, Option<String>) = (row.get(5)?, row.get(8)?);
            let detail = detail.map(|it| serde_json::from_str(&it)).transpose()?;
            let entry = AuditEntry {
                project: ProjectKey(row.get(1)?),
                at: time(row, 2)?,
                actor: actor(row, 3)?,
                action: AuditAction::from_code(&action).ok_or(Corrupt("audit action"))?,
                subject: row.get(6)?,
                reason: row.get(7)?,
                detail: detail.unwrap_or_default(),
                count: row.get(9)?,
            };
            let id = AuditId::from_key(row.get(0)?);
            records.push(AuditRecord { id, entry });
        }
        Ok(records)
    }
}

/// Reads an actor from its two columns.
pub(super) fn actor(row: &Row<'_>, at: usize) -> Result<Actor, Fault> {
    Ok(Actor {
        kind: coded(row, at)?,
        name: row.get(at + 1)?,
    })
}
