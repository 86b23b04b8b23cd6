//! Consent: withdrawn, given again, remembered (R-IN-2).

use domain::ids::{ContactId, ProjectKey, SenderKey};
use domain::model::consent::{ConsentChange, ConsentRecord};
use domain::model::contact::ThreadFacts;
use domain::model::message::Purpose;
use domain::rules::consent::{self, Consent as Standing};
use domain::time::Timestamp;
use ports::store::Outcome;
use ports::store::consent::{Consent, ConsentSubject};
use rusqlite::{Connection, OptionalExtension, params};

use super::fault::Fault;
use super::lines::{Line, Loaded};
use super::loading::{coded, optional_coded, time};
use super::readers::Reader;
use crate::rows::codes::Coded;

impl Line<'_> {
    /// See [`Consent`].
    pub(super) fn consent(&mut self, consent: &Consent) -> Result<Outcome, Fault> {
        let project = consent.project;
        let contact = match &consent.who {
            ConsentSubject::Address(address) => {
                self.find_or_make_contact(project, address, consent.at)?
            }
            ConsentSubject::Contact(contact) => {
                if !contact_exists(self.connection, project, *contact)? {
                    return Ok(Outcome::Missing);
                }
                *contact
            }
        };
        let record = ConsentRecord {
            at: consent.at,
            change: consent.change.clone(),
            source: consent.source,
            channel: consent.channel,
        };
        let mut changed = Vec::new();
        for sender in &consent.senders {
            if self.change_consent(project, contact, *sender, &record)? {
                changed.push(*sender);
            }
        }
        Ok(Outcome::ConsentKept { contact, changed })
    }

    /// Makes a change and remembers it; whether it changed anything.
    pub(super) fn change_consent(
        &mut self,
        project: ProjectKey,
        contact: ContactId,
        sender: SenderKey,
        record: &ConsentRecord,
    ) -> Result<bool, Fault> {
        let mut thread = self.standing(contact, sender)?.unwrap_or_default();
        if !consent::change(&mut thread, &record.change) {
            return Ok(false);
        }
        self.connection
            .prepare_cached(
                "INSERT INTO thread (contact, sender, project, opted_out, no_promotions)
                 VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (contact, sender) DO UPDATE SET opted_out = ?4, no_promotions = ?5",
            )?
            .execute(params![
                contact.key(),
                sender.0,
                project.0,
                thread.opted_out,
                thread.no_promotions,
            ])?;
        self.connection
            .prepare_cached(
                "INSERT INTO consent (contact, sender, at, opted_out, scope, source, channel, wording)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                contact.key(),
                sender.0,
                record.at.as_millis(),
                record.change.opted_out,
                record.change.scope.number(),
                record.source.number(),
                record.channel.map(Coded::number),
                record.change.wording,
            ])?;
        Ok(true)
    }

    /// What the thread says of consent; the rest of it is not read.
    fn standing(
        &mut self,
        contact: ContactId,
        sender: SenderKey,
    ) -> Result<Option<ThreadFacts>, Fault> {
        let found = self
            .hot
            .find_consent
            .query_row(params![contact.key(), sender.0], |row| {
                Ok(ThreadFacts {
                    opted_out: row.get(0)?,
                    no_promotions: row.get(1)?,
                    ..ThreadFacts::default()
                })
            })
            .optional()?;
        Ok(found)
    }

    /// Whether the contact of a message withdrew its consent to it.
    pub(super) fn is_withdrawn(&mut self, loaded: &Loaded) -> Result<bool, Fault> {
        let standing = self.standing(loaded.contact, loaded.sender)?;
        let Some(thread) = standing.filter(|it| it.opted_out || it.no_promotions) else {
            return Ok(false);
        };
        let mut statement = self
            .connection
            .prepare_cached("SELECT purpose, category FROM content WHERE message = ?1")?;
        let mut rows = statement.query([loaded.id.key()])?;
        let Some(row) = rows.next()? else {
            return Ok(false);
        };
        let purpose = optional_coded::<Purpose>(row, 0)?.unwrap_or_default();
        let standing = consent::consent(&thread, purpose, coded(row, 1)?);
        Ok(standing == Standing::Withdrawn)
    }
}

/// Whether the project has this contact.
pub(super) fn contact_exists(
    db: &Connection,
    project: ProjectKey,
    id: ContactId,
) -> Result<bool, Fault> {
    let mut statement =
        db.prepare_cached("SELECT 1 FROM contact WHERE project = ?1 AND id = ?2")?;
    Ok(statement.exists(params![project.0, id.key()])?)
}

/// The senders that a contact opted out of.
pub(super) fn opted_out(db: &Connection, contact: ContactId) -> Result<Vec<SenderKey>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT sender FROM thread WHERE contact = ?1 AND opted_out ORDER BY sender",
    )?;
    let senders = statement.query_map([contact.key()], |row| row.get(0).map(SenderKey))?;
    Ok(senders.collect::<rusqlite::Result<_>>()?)
}

impl Reader {
    pub(super) fn consents(
        &self,
        contact: ContactId,
        sender: SenderKey,
    ) -> Result<Vec<ConsentRecord>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT at, opted_out, scope, source, channel, wording FROM consent
             WHERE contact = ?1 AND sender = ?2 ORDER BY at, id",
        )?;
        let mut rows = statement.query(params![contact.key(), sender.0])?;
        let mut records = Vec::new();
        while let Some(row) = rows.next()? {
            let at: Timestamp = time(row, 0)?;
            records.push(ConsentRecord {
                at,
                change: ConsentChange {
                    opted_out: row.get(1)?,
                    scope: coded(row, 2)?,
                    only_if_out: false,
                    wording: row.get(5)?,
                },
                source: coded(row, 3)?,
                channel: optional_coded(row, 4)?,
            });
        }
        Ok(records)
    }
}
