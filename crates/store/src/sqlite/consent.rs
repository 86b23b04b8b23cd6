//! Consent: withdrawn, given again, remembered (R-IN-2).

use domain::ids::{ContactId, ProjectKey, SenderKey};
use domain::model::consent::{ConsentChange, ConsentRecord, Standing, Standings};
use domain::model::message::Purpose;
use domain::rules::consent::{self, Consent as Given};
use domain::time::Timestamp;
use ports::store::Outcome;
use ports::store::consent::{Consent, ConsentSubject, Towards};
use ports::store::contacts::OptedOut;
use rusqlite::{Connection, OptionalExtension, params};

use super::fault::Fault;
use super::lines::{Line, Loaded};
use super::loading::{coded, optional_coded, time};
use super::readers::Reader;
use super::suppression::{WHOLE_PROJECT, read_standing};
use crate::rows::address::address_from;
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
        let record = |sender| ConsentRecord {
            sender,
            at: consent.at,
            change: consent.change.clone(),
            source: consent.source,
            channel: consent.channel,
        };
        let (mut changed, mut everywhere) = (Vec::new(), false);
        match &consent.towards {
            Towards::Senders(senders) => {
                for sender in senders {
                    let record = record(Some(*sender));
                    if self.change_consent(project, contact, *sender, &record)? {
                        changed.push(*sender);
                    }
                }
            }
            Towards::Project => {
                let mut standings = standings(self.connection, contact)?;
                everywhere = consent::change(&mut standings.project, &consent.change);
                standings.senders.retain(|sender, standing| {
                    let changes = consent::change(standing, &consent.change);
                    changed.extend(changes.then_some(*sender));
                    changes
                });
                if everywhere || !changed.is_empty() {
                    self.stand(project, contact, &standings)?;
                    self.note_consent(contact, &record(None))?;
                }
            }
        }
        Ok(Outcome::ConsentKept {
            contact,
            changed,
            everywhere,
        })
    }

    /// Makes a change and remembers it; whether it changed anything.
    pub(super) fn change_consent(
        &mut self,
        project: ProjectKey,
        contact: ContactId,
        sender: SenderKey,
        record: &ConsentRecord,
    ) -> Result<bool, Fault> {
        let mut standing = match self.standing(contact, sender)? {
            Some(own) => own,
            None => told_all(self.connection, contact)?,
        };
        if !consent::change(&mut standing, &record.change) {
            return Ok(false);
        }
        self.stand_towards(project, contact, sender, standing)?;
        self.note_consent(contact, record)?;
        Ok(true)
    }

    fn stand_towards(
        &mut self,
        project: ProjectKey,
        contact: ContactId,
        sender: SenderKey,
        standing: Standing,
    ) -> Result<(), Fault> {
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
                standing.opted_out,
                standing.no_promotions,
            ])?;
        Ok(())
    }

    /// Lets a contact stand so; towards senders that are not named as before.
    pub(super) fn stand(
        &mut self,
        project: ProjectKey,
        contact: ContactId,
        standings: &Standings,
    ) -> Result<(), Fault> {
        let all = standings.project;
        if all.wants_less() {
            self.connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO project_consent (contact, opted_out, no_promotions)
                     VALUES (?1, ?2, ?3)",
                )?
                .execute(params![contact.key(), all.opted_out, all.no_promotions])?;
        } else {
            self.connection
                .prepare_cached("DELETE FROM project_consent WHERE contact = ?1")?
                .execute([contact.key()])?;
        }
        for (sender, standing) in &standings.senders {
            self.stand_towards(project, contact, *sender, *standing)?;
        }
        Ok(())
    }

    fn note_consent(&mut self, contact: ContactId, record: &ConsentRecord) -> Result<(), Fault> {
        self.connection
            .prepare_cached(
                "INSERT INTO consent (contact, sender, at, opted_out, scope, source, channel, wording)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                contact.key(),
                record.sender.map_or(WHOLE_PROJECT, |it| it.0),
                record.at.as_millis(),
                record.change.opted_out,
                record.change.scope.number(),
                record.source.number(),
                record.channel.map(Coded::number),
                record.change.wording,
            ])?;
        Ok(())
    }

    /// What the thread says of consent, where there is one.
    pub(super) fn standing(
        &mut self,
        contact: ContactId,
        sender: SenderKey,
    ) -> Result<Option<Standing>, Fault> {
        let thread = params![contact.key(), sender.0];
        let found = self
            .hot
            .find_consent
            .query_row(thread, |row| read_standing(row, 0));
        Ok(found.optional()?)
    }

    /// Whether the contact of a message withdrew its consent to it.
    pub(super) fn is_withdrawn(&mut self, loaded: &Loaded) -> Result<bool, Fault> {
        // Whoever has a message has a thread, unless they were erased.
        let own = self.standing(loaded.contact, loaded.sender)?;
        if own.is_some_and(|it| !it.wants_less()) {
            return Ok(false);
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT purpose, category, peer, peer_address FROM content WHERE message = ?1",
        )?;
        let mut rows = statement.query([loaded.id.key()])?;
        let Some(row) = rows.next()? else {
            return Ok(false);
        };
        let purpose = optional_coded::<Purpose>(row, 0)?.unwrap_or_default();
        let category = coded(row, 1)?;
        let standing = if let Some(own) = own {
            own
        } else {
            let beside: Option<String> = row.get(3)?;
            let to = address_from(row.get(2)?, beside.as_deref())?;
            self.standing_of(loaded.project, &to, loaded.sender)?
        };
        Ok(consent::consent(standing, purpose, category) == Given::Withdrawn)
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

/// What a contact told the whole project: it holds where there is no thread.
pub(super) fn told_all(db: &Connection, contact: ContactId) -> Result<Standing, Fault> {
    let found = db
        .prepare_cached("SELECT opted_out, no_promotions FROM project_consent WHERE contact = ?1")?
        .query_row([contact.key()], |row| read_standing(row, 0))
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// How a contact stands towards a sender, with a thread or without.
pub(super) fn standing_towards(
    db: &Connection,
    contact: ContactId,
    sender: SenderKey,
) -> Result<Standing, Fault> {
    let own = db
        .prepare_cached(
            "SELECT opted_out, no_promotions FROM thread WHERE contact = ?1 AND sender = ?2",
        )?
        .query_row(params![contact.key(), sender.0], |row| {
            read_standing(row, 0)
        })
        .optional()?;
    own.map_or_else(|| told_all(db, contact), Ok)
}

/// How a contact stands towards the project and each sender with a thread.
pub(super) fn standings(db: &Connection, contact: ContactId) -> Result<Standings, Fault> {
    let mut statement = db
        .prepare_cached("SELECT sender, opted_out, no_promotions FROM thread WHERE contact = ?1")?;
    let senders = statement.query_map([contact.key()], |row| {
        Ok((SenderKey(row.get(0)?), read_standing(row, 1)?))
    })?;
    Ok(Standings {
        project: told_all(db, contact)?,
        senders: senders.collect::<rusqlite::Result<_>>()?,
    })
}

/// The senders that a contact opted out of.
pub(super) fn opted_out(db: &Connection, contact: ContactId) -> Result<OptedOut, Fault> {
    let standings = standings(db, contact)?;
    let project = standings.project.opted_out;
    let mut found = OptedOut {
        project,
        ..OptedOut::default()
    };
    for (sender, standing) in standings.senders {
        if standing.opted_out {
            found.senders.push(sender);
        } else if project {
            found.except.push(sender);
        }
    }
    Ok(found)
}

impl Reader {
    pub(super) fn consents(&self, contact: ContactId) -> Result<Vec<ConsentRecord>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT at, opted_out, scope, source, channel, wording, sender FROM consent
             WHERE contact = ?1 ORDER BY at, id",
        )?;
        let mut rows = statement.query([contact.key()])?;
        let mut records = Vec::new();
        while let Some(row) = rows.next()? {
            let at: Timestamp = time(row, 0)?;
            let sender: u32 = row.get(6)?;
            records.push(ConsentRecord {
                sender: (sender != WHOLE_PROJECT).then_some(SenderKey(sender)),
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
