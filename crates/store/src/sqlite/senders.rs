//! What was configured by the API: senders, their default, phone numbers.

use domain::ids::{ProjectKey, SenderKey};
use domain::model::template::TemplateRef;
use domain::time::{Millis, Timestamp};
use ports::store::Outcome;
use ports::store::senders::{
    ConfiguredByApi, NumberRecord, SenderChange, SenderRecord, SenderSettings,
};
use ports::store::webhooks::{WebhookChange, WebhookSetting};
use rusqlite::params;

use super::fault::Fault;
use super::lines::Line;
use super::loading::time;
use super::readers::Reader;
use crate::rows::Corrupt;

impl Line<'_> {
    /// See [`SenderChange`].
    pub(super) fn change_sender(&mut self, change: &SenderChange) -> Result<Outcome, Fault> {
        let changed = match change {
            SenderChange::Put(sender) => self.put_sender(sender)?,
            SenderChange::Set(settings) => return self.set_sender(settings),
            SenderChange::Delete(key) => {
                self.clear_webhook(*key)?;
                self.connection
                    .execute("DELETE FROM default_sender WHERE sender = ?1", [key.0])?;
                self.connection
                    .execute("DELETE FROM sender WHERE key = ?1", [key.0])?
            }
            SenderChange::PutNumber(number) => self.connection.execute(
                "INSERT OR REPLACE INTO phone_number (project, number, name, created_at, updated_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    number.project.0,
                    number.number,
                    number.name,
                    number.created_at.as_millis(),
                    number.updated_at.as_millis(),
                ],
            )?,
            SenderChange::DeleteNumber(project, number) => self.connection.execute(
                "DELETE FROM phone_number WHERE project = ?1 AND number = ?2",
                params![project.0, number],
            )?,
        };
        Ok(if changed > 0 {
            Outcome::Done
        } else {
            Outcome::Missing
        })
    }

    fn set_sender(&mut self, settings: &SenderSettings) -> Result<Outcome, Fault> {
        // First what may find nothing to change: then nothing is written.
        let outcome = match &settings.webhook {
            None => Outcome::Done,
            Some(WebhookSetting::Clear) => {
                self.clear_webhook(settings.sender)?;
                Outcome::Done
            }
            Some(setting) => self.change_webhook(&WebhookChange {
                project: settings.project,
                sender: settings.sender,
                at: settings.at,
                setting: setting.clone(),
            })?,
        };
        if let Outcome::Missing = outcome {
            return Ok(outcome);
        }
        if let Some(record) = &settings.record {
            self.put_sender(record)?;
        }
        if settings.make_default {
            self.connection.execute(
                "INSERT OR REPLACE INTO default_sender (project, sender) VALUES (?1, ?2)",
                [settings.project.0, settings.sender.0],
            )?;
        }
        Ok(outcome)
    }

    fn put_sender(&mut self, sender: &SenderRecord) -> Result<usize, Fault> {
        let written = self.connection.execute(
            "INSERT OR REPLACE INTO sender
                 (key, project, id, name, address, routes, created_at, updated_at,
                  default_template, fallback_after)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                sender.key.0,
                sender.project.0,
                sender.id,
                sender.name,
                sender.address,
                serde_json::to_string(&sender.routes)?,
                sender.created_at.as_millis(),
                sender.updated_at.as_millis(),
                sender.default_template.as_ref().map(ToString::to_string),
                sender.fallback_after.map(Millis::get),
            ],
        )?;
        Ok(written)
    }
}

impl Reader {
    pub(super) fn configured_by_api(&self) -> Result<ConfiguredByApi, Fault> {
        let mut kept = ConfiguredByApi::default();
        let mut statement = self.db.prepare_cached(
            "SELECT key, project, id, name, address, routes, created_at, updated_at,
                 default_template, fallback_after
             FROM sender ORDER BY key",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let routes: String = row.get(5)?;
            let template: Option<String> = row.get(8)?;
            let template = template.map(|it| {
                TemplateRef::parse(&it).ok_or(Corrupt("the default template of a sender"))
            });
            let fallback_after: Option<i64> = row.get(9)?;
            kept.senders.push(SenderRecord {
                key: SenderKey(row.get(0)?),
                project: ProjectKey(row.get(1)?),
                id: row.get(2)?,
                name: row.get(3)?,
                address: row.get(4)?,
                routes: serde_json::from_str(&routes)?,
                default_template: template.transpose()?,
                fallback_after: fallback_after.map(Millis::new),
                created_at: time(row, 6)?,
                updated_at: time(row, 7)?,
            });
        }
        let mut statement = self
            .db
            .prepare_cached("SELECT project, sender FROM default_sender ORDER BY project")?;
        let rows = statement.query_map([], |row| {
            Ok((ProjectKey(row.get(0)?), SenderKey(row.get(1)?)))
        })?;
        kept.defaults = rows.collect::<rusqlite::Result<_>>()?;
        Ok(kept)
    }

    pub(super) fn numbers(&self, project: ProjectKey) -> Result<Vec<NumberRecord>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT number, name, created_at, updated_at FROM phone_number
             WHERE project = ?1 ORDER BY number",
        )?;
        let rows = statement.query_map([project.0], |row| {
            let millis = |at| row.get(at).map(Timestamp::from_millis);
            Ok(NumberRecord {
                project,
                number: row.get(0)?,
                name: row.get(1)?,
                created_at: millis(2)?,
                updated_at: millis(3)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
