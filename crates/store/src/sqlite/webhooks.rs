//! Endpoints, their queues, what is delivered again and what was given up (R-MON-2).

use domain::ids::{ProjectKey, SenderKey};
use domain::model::event::{EventKinds, EventSeq};
use domain::model::webhook::{SignatureVersion, WebhookSecret};
use domain::time::Timestamp;
use ports::store::Outcome;
use ports::store::events::EventRecord;
use ports::store::webhooks::{
    COUNT_MAX, DeadLetter, Delivery, DeliveryResult, REPLAY_MAX, Replay, Webhook, WebhookChange,
    WebhookSetting, WebhookStanding,
};
use rusqlite::{Connection, Row, params};

use super::events::{self, COLUMNS, place_at, read_event};
use super::fault::Fault;
use super::lines::Line;
use super::loading::{coded, optional_time, time};
use super::readers::Reader;
use crate::rows::Corrupt;
use crate::rows::codes::Coded;
use crate::seal::Seal;

/// Most events that a replay by time or a count looks at.
const SCAN: i64 = 200_000;

const WEBHOOK: &str =
    "SELECT sender, project, url, events, active, signature, secret, version, cursor,
        failures, tried, tries, next_try_at, last_error, delivered_at, created_at
    FROM webhook";

/// Whose a sealed secret is.
fn owner(sender: SenderKey) -> String {
    format!("webhook {}", sender.0)
}

fn read_webhook(row: &Row<'_>, seal: &Seal) -> Result<Webhook, Fault> {
    let sender = SenderKey(row.get(0)?);
    let secret = row.get_ref(6)?.as_blob().map_err(|_| Corrupt("secret"))?;
    Ok(Webhook {
        project: ProjectKey(row.get(1)?),
        sender,
        url: row.get(2)?,
        events: EventKinds::from_bits(row.get(3)?),
        active: row.get(4)?,
        signature: coded::<SignatureVersion>(row, 5)?,
        secret: WebhookSecret::new(seal.open(&owner(sender), secret)?),
        version: row.get(7)?,
        cursor: EventSeq(row.get(8)?),
        failures: row.get(9)?,
        tried: (EventSeq(row.get(10)?), row.get(11)?),
        next_try_at: optional_time(row, 12)?,
        last_error: row.get(13)?,
        delivered_at: optional_time(row, 14)?,
        created_at: time(row, 15)?,
    })
}

fn find(db: &Connection, seal: &Seal, sender: SenderKey) -> Result<Option<Webhook>, Fault> {
    let mut statement = db.prepare_cached(&format!("{WEBHOOK} WHERE sender = ?1"))?;
    let mut rows = statement.query([sender.0])?;
    let row = rows.next()?;
    row.map(|it| read_webhook(it, seal)).transpose()
}

impl Line<'_> {
    /// See [`WebhookChange`].
    pub(super) fn change_webhook(&mut self, change: &WebhookChange) -> Result<Outcome, Fault> {
        let sender = change.sender;
        if let WebhookSetting::Clear = change.setting {
            return self.clear_webhook(sender);
        }
        let known = find(self.connection, &self.seal, sender)?;
        if let WebhookSetting::Replay(replay) = &change.setting {
            return match known {
                Some(known) => self.replay(&known, replay),
                None => Ok(Outcome::Missing),
            };
        }
        let newest = events::newest(self.connection)?;
        let Some(webhook) = change.changed(known, newest) else {
            return Ok(Outcome::Missing);
        };
        self.keep_webhook(&webhook)?;
        Ok(Outcome::Webhook(Box::new(webhook)))
    }

    fn keep_webhook(&mut self, it: &Webhook) -> Result<(), Fault> {
        let secret = self.seal.seal(&owner(it.sender), it.secret.expose())?;
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO webhook (sender, project, url, events, active, signature,
                     secret, version, cursor, failures, tried, tries, next_try_at, last_error,
                     delivered_at, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
            )?
            .execute(params![
                it.sender.0,
                it.project.0,
                it.url,
                it.events.bits(),
                it.active,
                it.signature.number(),
                secret,
                it.version,
                it.cursor.0,
                it.failures,
                it.tried.0.0,
                it.tried.1,
                it.next_try_at.map(Timestamp::as_millis),
                it.last_error,
                it.delivered_at.map(Timestamp::as_millis),
                it.created_at.as_millis(),
            ])?;
        Ok(())
    }

    /// Forgets an endpoint and what waits for it.
    pub(super) fn clear_webhook(&mut self, sender: SenderKey) -> Result<Outcome, Fault> {
        let cleared = self
            .connection
            .execute("DELETE FROM webhook WHERE sender = ?1", [sender.0])?;
        for table in ["webhook_again", "webhook_dead"] {
            let sql = format!("DELETE FROM {table} WHERE sender = ?1");
            self.connection.execute(&sql, [sender.0])?;
        }
        Ok(if cleared == 0 {
            Outcome::Missing
        } else {
            Outcome::Done
        })
    }

    fn replay(&mut self, webhook: &Webhook, replay: &Replay) -> Result<Outcome, Fault> {
        let (sender, cursor) = (webhook.sender.0, webhook.cursor.0);
        let project = webhook.project.0;
        let most = i64::try_from(REPLAY_MAX).unwrap_or(i64::MAX);
        let mut more = false;
        let mut seqs: Vec<i64> = Vec::new();
        match replay {
            Replay::Events(named) => {
                let mut statement = self.connection.prepare_cached(
                    "SELECT 1 FROM event WHERE seq = ?1 AND seq <= ?3 AND project = ?4
                         AND (sender = ?2 OR sender IS NULL)",
                )?;
                for seq in named {
                    if statement.exists(params![seq.0, sender, cursor, project])? {
                        seqs.push(seq.0);
                    }
                }
                seqs.sort_unstable();
                seqs.dedup();
            }
            Replay::Since(since) => {
                let from = place_at(self.connection, *since)?;
                let end = cursor.min(from.saturating_add(SCAN));
                more = end < cursor;
                let mut statement = self.connection.prepare_cached(
                    "SELECT seq FROM event WHERE seq BETWEEN ?1 AND ?2 AND project = ?7
                         AND (sender = ?3 OR sender IS NULL) AND at >= ?4 AND (?5 >> kind) & 1
                     ORDER BY seq LIMIT ?6",
                )?;
                let bits = webhook.events.bits();
                let at = since.as_millis();
                let values = params![from, end, sender, at, bits, most + 1, project];
                let found = statement.query_map(values, |row| row.get::<_, i64>(0))?;
                seqs.extend(found.collect::<rusqlite::Result<Vec<_>>>()?);
            }
            Replay::Dead => {
                let mut statement = self.connection.prepare_cached(
                    "SELECT seq FROM webhook_dead WHERE sender = ?1 AND seq <= ?2
                     ORDER BY seq LIMIT ?3",
                )?;
                let found = statement.query_map(params![sender, cursor, most + 1], |row| {
                    row.get::<_, i64>(0)
                })?;
                seqs.extend(found.collect::<rusqlite::Result<Vec<_>>>()?);
            }
        }
        more |= seqs.len() > REPLAY_MAX;
        seqs.truncate(REPLAY_MAX);
        for seq in &seqs {
            self.connection
                .prepare_cached(
                    "INSERT OR IGNORE INTO webhook_again (sender, seq) VALUES (?1, ?2)",
                )?
                .execute(params![sender, seq])?;
            self.connection
                .prepare_cached("DELETE FROM webhook_dead WHERE sender = ?1 AND seq = ?2")?
                .execute(params![sender, seq])?;
        }
        let count = u32::try_from(seqs.len()).unwrap_or(u32::MAX);
        Ok(Outcome::Replayed { count, more })
    }

    /// See [`Delivery`].
    pub(super) fn delivery(&mut self, delivery: &Delivery) -> Result<Outcome, Fault> {
        if self.is_fenced(delivery.epoch) {
            return Ok(Outcome::Fenced);
        }
        let Delivery {
            sender,
            version,
            seq,
            again,
            result,
            at,
            ..
        } = delivery;
        let (sender, seq, at) = (sender.0, seq.0, at.as_millis());
        // Where it was one of the queue, the queue goes on behind it.
        let behind = if *again { 0 } else { seq };
        let changed = match result {
            DeliveryResult::Delivered => self
                .connection
                .prepare_cached(
                    "UPDATE webhook SET cursor = max(cursor, ?2), failures = 0, tried = 0, tries = 0,
                         next_try_at = NULL, last_error = NULL, delivered_at = ?3 WHERE sender = ?1",
                )?
                .execute(params![sender, behind, at])?,
            DeliveryResult::Passed => self
                .connection
                .prepare_cached(
                    "UPDATE webhook SET cursor = max(cursor, ?2) WHERE sender = ?1",
                )?
                .execute(params![sender, seq])?,
            DeliveryResult::Failed { next_try_at, why } => self
                .connection
                .prepare_cached(
                    "UPDATE webhook SET failures = failures + 1, tries = iif(tried = ?3, tries, 0) + 1,
                         tried = ?3, next_try_at = ?4, last_error = ?5
                     WHERE sender = ?1 AND version = ?2",
                )?
                .execute(params![sender, version, seq, next_try_at.as_millis(), why])?,
            DeliveryResult::GivenUp { next_try_at, why } => self
                .connection
                .prepare_cached(
                    "UPDATE webhook SET failures = failures + 1, tries = 0, tried = 0,
                         cursor = max(cursor, ?3), next_try_at = ?4, last_error = ?5
                     WHERE sender = ?1 AND version = ?2",
                )?
                .execute(params![sender, version, behind, next_try_at.as_millis(), why])?,
        };
        if changed == 0 {
            let mut exists = self
                .connection
                .prepare_cached("SELECT 1 FROM webhook WHERE sender = ?1")?;
            return Ok(if exists.exists([sender])? {
                Outcome::Stale
            } else {
                Outcome::Missing
            });
        }
        let ends = match result {
            DeliveryResult::Delivered | DeliveryResult::GivenUp { .. } => true,
            DeliveryResult::Passed | DeliveryResult::Failed { .. } => false,
        };
        if *again && ends {
            self.connection
                .prepare_cached("DELETE FROM webhook_again WHERE sender = ?1 AND seq = ?2")?
                .execute(params![sender, seq])?;
        }
        if let DeliveryResult::GivenUp { why, .. } = result {
            self.connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO webhook_dead (sender, seq, at, why)
                     VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![sender, seq, at, why])?;
        }
        Ok(Outcome::Done)
    }
}

impl Reader {
    pub(super) fn webhooks(&self) -> Result<Vec<Webhook>, Fault> {
        let mut statement = self
            .db
            .prepare_cached(&format!("{WEBHOOK} ORDER BY sender"))?;
        let mut rows = statement.query([])?;
        let mut webhooks = Vec::new();
        while let Some(row) = rows.next()? {
            // One that cannot be read must not keep the others from being served.
            match read_webhook(row, &self.seal) {
                Ok(webhook) => webhooks.push(webhook),
                Err(fault) => {
                    let sender: u32 = row.get(0)?;
                    tracing::error!(%fault, sender, "a webhook cannot be read, and is not served");
                }
            }
        }
        Ok(webhooks)
    }

    pub(super) fn webhook(&self, sender: SenderKey) -> Result<Option<Webhook>, Fault> {
        find(&self.db, &self.seal, sender)
    }

    pub(super) fn webhook_standing(
        &self,
        sender: SenderKey,
    ) -> Result<Option<WebhookStanding>, Fault> {
        let Some(webhook) = self.webhook(sender)? else {
            return Ok(None);
        };
        // What it does not want is looked through as well, to a bound.
        let backlog = self.count(
            "SELECT count(*) FROM (SELECT 1 FROM event WHERE seq > ?1 AND seq <= ?1 + ?2
                 AND project = ?6 AND (sender = ?3 OR sender IS NULL) AND (?4 >> kind) & 1
                 LIMIT ?5)",
            params![
                webhook.cursor.0,
                SCAN,
                sender.0,
                webhook.events.bits(),
                COUNT_MAX.cast_signed(),
                webhook.project.0
            ],
        )?;
        let beside = |table: &str| {
            let sql =
                format!("SELECT count(*) FROM (SELECT 1 FROM {table} WHERE sender = ?1 LIMIT ?2)");
            self.count(&sql, params![sender.0, COUNT_MAX.cast_signed()])
        };
        Ok(Some(WebhookStanding {
            backlog,
            replays: beside("webhook_again")?,
            dead: beside("webhook_dead")?,
            webhook,
        }))
    }

    fn count(&self, sql: &str, values: impl rusqlite::Params) -> Result<u64, Fault> {
        let mut statement = self.db.prepare_cached(sql)?;
        let count: i64 = statement.query_row(values, |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    pub(super) fn replays(&self, sender: SenderKey, limit: u16) -> Result<Vec<EventRecord>, Fault> {
        let mut statement = self.db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM webhook_again a JOIN event e ON e.seq = a.seq
             WHERE a.sender = ?1 ORDER BY a.seq LIMIT ?2"
        ))?;
        let mut rows = statement.query(params![sender.0, limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read_event(row)?);
        }
        Ok(found)
    }

    pub(super) fn dead_letters(
        &self,
        sender: SenderKey,
        before: Option<EventSeq>,
        limit: u16,
    ) -> Result<Vec<DeadLetter>, Fault> {
        let mut statement = self.db.prepare_cached(&format!(
            "SELECT {COLUMNS}, d.at, d.why FROM webhook_dead d JOIN event e ON e.seq = d.seq
             WHERE d.sender = ?1 AND d.seq < ?2 ORDER BY d.seq DESC LIMIT ?3"
        ))?;
        let before = before.map_or(i64::MAX, |it| it.0);
        let mut rows = statement.query(params![sender.0, before, limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(DeadLetter {
                record: read_event(row)?,
                at: time(row, 8)?,
                why: row.get(9)?,
            });
        }
        Ok(found)
    }
}
