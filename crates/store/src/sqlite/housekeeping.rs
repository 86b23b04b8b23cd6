//! What stands beside the line: short names, API keys, forgetting.

use domain::time::Timestamp;
use ports::store::operations::KeyChange;
use ports::store::{Outcome, Registered};
use rusqlite::{OptionalExtension, params};

use super::fault::Fault;
use super::lines::Line;

/// The kind of a campaign's name in the registry.
pub(super) const CAMPAIGN: i64 = 3;

impl Line<'_> {
    /// Finds or makes the short name of a configured id, and tells when it was made.
    pub(super) fn register(
        &mut self,
        registered: &Registered,
        now: Timestamp,
    ) -> Result<(u32, Timestamp), Fault> {
        let (kind, project, id) = match registered {
            Registered::Project(id) => (0, 0, id),
            Registered::Sender(project, id) => (1, project.0, id),
            Registered::Route(project, id) => (2, project.0, id),
            Registered::Campaign(project, id) => (CAMPAIGN, project.0, id),
        };
        let known = self
            .connection
            .query_row(
                "SELECT key, made_at FROM registry WHERE kind = ?1 AND project = ?2 AND id = ?3",
                params![kind, project, id],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        if let Some((key, made_at)) = known {
            return Ok((key, Timestamp::from_millis(made_at)));
        }
        let key = self.connection.query_row(
            "INSERT INTO registry (kind, key, project, id, made_at) VALUES (?1,
                 (SELECT ifnull(max(key), 0) + 1 FROM registry WHERE kind = ?1), ?2, ?3, ?4)
             RETURNING key",
            params![kind, project, id, now.as_millis()],
            |row| row.get(0),
        )?;
        Ok((key, now))
    }

    /// See [`KeyChange`].
    pub(super) fn change_key(&mut self, change: &KeyChange) -> Result<Outcome, Fault> {
        let changed = match change {
            KeyChange::Create(key) => self.connection.execute(
                "INSERT INTO api_key (id, project, name, hash, scopes, test, created_at, revoked_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    key.id.key(),
                    key.project.0,
                    key.name,
                    key.hash,
                    key.scopes,
                    key.test,
                    key.created_at.as_millis(),
                    key.revoked_at.map(Timestamp::as_millis),
                ],
            )?,
            KeyChange::Revoke { project, id, at } => self.connection.execute(
                "UPDATE api_key SET revoked_at = ifnull(revoked_at, ?3)
                 WHERE id = ?2 AND project = ?1",
                params![project.0, id.key(), at.as_millis()],
            )?,
        };
        Ok(if changed == 0 {
            Outcome::Missing
        } else {
            Outcome::Done
        })
    }

    /// See [`Op::Prune`](ports::store::Op::Prune).
    pub(super) fn prune(
        &mut self,
        keys_before: Timestamp,
        receipts_before: Timestamp,
        limit: u16,
    ) -> Result<Outcome, Fault> {
        self.connection
            .prepare_cached(
                "DELETE FROM idempotency WHERE (project, key) IN (SELECT project, key
                     FROM idempotency WHERE at < ?1 ORDER BY at, project, key LIMIT ?2)",
            )?
            .execute(params![keys_before.as_millis(), limit])?;
        self.connection
            .prepare_cached(
                "DELETE FROM deposit_key WHERE (project, key) IN (SELECT project, key
                     FROM deposit_key WHERE at < ?1 ORDER BY at, project, key LIMIT ?2)",
            )?
            .execute(params![keys_before.as_millis(), limit])?;
        // Parked in the order of arrival, so the oldest come first without an index on the time.
        self.connection
            .prepare_cached(
                "DELETE FROM parked_receipt WHERE id - form IN
                     (SELECT id FROM parked_receipt WHERE form = 0 AND at < ?1 ORDER BY id LIMIT ?2)",
            )?
            .execute(params![receipts_before.as_millis(), limit])?;
        Ok(Outcome::Done)
    }
}
