//! Station 1: messages are accepted.

use domain::ids::{ContactId, MessageId, ProjectKey};
use domain::model::address::Address;
use domain::model::channel::ChannelSet;
use domain::model::consent::Standing;
use domain::model::message::{Category, Purpose};
use domain::rules::booking::Standings;
use domain::rules::consent::{Consent, consent};
use domain::rules::due::next_due;
use domain::time::Timestamp;
use ports::store::Outcome;
use ports::store::books::reservation_of_accept;
use ports::store::events;
use ports::store::fold::{self, IDEMPOTENCY_MEMORY};
use ports::store::messages::{IdempotencyKey, NewMessage};
use ports::store::operations::Accept;
use ports::store::queries::Repeated;
use rusqlite::{Connection, params};

use super::consent::told_all;
use super::fault::Fault;
use super::lines::Line;
use crate::rows::address::{address_to_key, beside_key};
use crate::rows::bytes::{Reader, Writer};
use crate::rows::codes::Coded;
use crate::rows::{Corrupt, phone_to_key};

/// Whether who stands so does not want this message.
fn is_withdrawn(standing: Standing, message: &NewMessage) -> bool {
    consent(standing, message.purpose, message.category) == Consent::Withdrawn
}

impl Line<'_> {
    /// See [`Accept`]; `decision` is its decision as JSON.
    pub(super) fn accept(&mut self, accept: &Accept, decision: &str) -> Result<Outcome, Fault> {
        if self.is_fenced(accept.epoch) {
            return Ok(Outcome::Fenced);
        }
        let message = &accept.message;
        let at = message.accepted_at;
        if let Some(key) = &accept.idempotency
            && let Some(repeated) = find_earlier(self.connection, message.project, key, at)?
        {
            return Ok(Outcome::AlreadyAccepted {
                original: repeated.original,
                differs: repeated.differs,
            });
        }
        let mut progress = fold::accepted(accept);
        let reservation = reservation_of_accept(accept);
        let none = Standings::default();
        if let Err(gone) = self.reserve(message.project, &none, &mut progress, reservation)? {
            return Ok(Outcome::QuotaGone(gone));
        }
        let known = self.find_contact(message.project, &message.to)?;
        let contact = if let Some(contact) = known {
            contact
        } else {
            // Before anything is written.
            let left = self.left_by(message.project, &message.to, message.sender)?;
            if is_withdrawn(left, message) {
                self.give_back(message.project, &Standings::of(&progress))?;
                return Ok(Outcome::OptedOut);
            }
            self.make_contact(message.project, &message.to, at)?
        };
        // Kept only where it is used: an opted-out contact uses up no key.
        let mut keys = self.keys;
        let id = MessageId::from_key(keys.next(at));
        let channels: ChannelSet = fold::first_channel(accept).into_iter().collect();
        // Who is new has no thread, unless it was left by who was erased.
        let is_new = known.is_none() && !self.suppresses;
        if !self.enter_thread(contact, message, id, channels, is_new)? {
            self.give_back(message.project, &Standings::of(&progress))?;
            return Ok(Outcome::OptedOut);
        }
        self.keys = keys;
        self.add_outbound(id, contact, message, &progress)?;
        self.track_claim(message.project, id, false, &progress)?;
        self.add_content(id, message, decision)?;
        self.add_event(&events::of_acceptance(
            id,
            message,
            &progress,
            &accept.decision,
        ))?;
        if let Some(key) = &accept.idempotency {
            self.keep_idempotency(message.project, key, id, at)?;
        }
        let due = next_due(&progress);
        Ok(Outcome::Accepted {
            message: id,
            contact,
            version: progress.version,
            due,
            cost: progress.last_attempt().map(|it| it.estimated_cost),
        })
    }

    /// Makes a message the newest of its thread, which is begun where there is none; whether the
    /// contact consents (R-IN-2): else nothing is written.
    fn enter_thread(
        &mut self,
        contact: ContactId,
        message: &NewMessage,
        id: MessageId,
        channels: ChannelSet,
        is_new: bool,
    ) -> Result<bool, Fault> {
        let at = message.accepted_at.as_millis();
        let mut begins_as = Standing::default();
        if !is_new {
            let thread = params![
                contact.key(),
                message.sender.0,
                at,
                id.key(),
                channels.bits(),
                message.purpose == Purpose::KeywordAnswer,
                message.category == Category::Promotional,
            ];
            if self.hot.thread_outbound.execute(thread)? > 0 {
                return Ok(true);
            }
            if self.standing(contact, message.sender)?.is_some() {
                return Ok(false);
            }
            begins_as = told_all(self.connection, contact)?;
            if is_withdrawn(begins_as, message) {
                return Ok(false);
            }
        }
        self.hot.thread_begins.execute(params![
            contact.key(),
            message.sender.0,
            at,
            message.project.0,
            id.key(),
            channels.bits(),
            begins_as.opted_out,
            begins_as.no_promotions,
        ])?;
        Ok(true)
    }

    /// The contact with this address, where there is one.
    fn find_contact(
        &mut self,
        project: ProjectKey,
        address: &Address,
    ) -> Result<Option<ContactId>, Fault> {
        let Some(phone) = address.phone() else {
            return self.holder(project, address.kind(), &address.to_string());
        };
        let number = params![project.0, phone_to_key(phone)];
        let mut rows = self.hot.find_number.query(number)?;
        let found = rows.next()?.map(|row| row.get(0)).transpose()?;
        Ok(found.map(ContactId::from_key))
    }

    /// The contact with this address.
    pub(super) fn find_or_make_contact(
        &mut self,
        project: ProjectKey,
        address: &Address,
        now: Timestamp,
    ) -> Result<ContactId, Fault> {
        match self.find_contact(project, address)? {
            Some(contact) => Ok(contact),
            None => self.make_contact(project, address, now),
        }
    }

    /// Makes a contact of an address that nobody has.
    fn make_contact(
        &mut self,
        project: ProjectKey,
        address: &Address,
        now: Timestamp,
    ) -> Result<ContactId, Fault> {
        let Some(phone) = address.phone() else {
            return self.make_addressed(project, address, now);
        };
        let phone = phone_to_key(phone);
        let key = self.keys.next(now);
        self.hot
            .add_number
            .execute(params![project.0, phone, key])?;
        self.hot
            .add_contact
            .execute(params![project.0, key, phone, now.as_millis()])?;
        let contact = ContactId::from_key(key);
        self.take_over(project, contact, address)?;
        Ok(contact)
    }

    fn add_content(
        &mut self,
        id: MessageId,
        message: &NewMessage,
        decision: &str,
    ) -> Result<(), Fault> {
        let content = &*message.content;
        let template = content
            .template
            .as_ref()
            .map(serde_json::to_string)
            .transpose()?;
        let email = content
            .email
            .as_ref()
            .map(serde_json::to_string)
            .transpose()?;
        let purpose = Some(message.purpose).filter(|it| *it != Purpose::Ordinary);
        self.hot.add_content.execute(params![
            id.key(),
            address_to_key(&message.to),
            content.kind.number(),
            message.accepted_at.as_millis(),
            message.class_reason.number(),
            message.category.number(),
            message.speed.number(),
            message.explicit.map(Coded::number),
            message.reply_to.map(|it| it.0.key()),
            message.reply_to.map(|it| it.1.number()),
            message.test,
            message.scheduled_at.map(Timestamp::as_millis),
            content.extra,
            template,
            message.metadata,
            content.text,
            decision,
            beside_key(&message.to),
            email,
            message.context,
            purpose.map(Coded::number),
            message.campaign.as_ref().map(|it| &*it.name),
        ])?;
        Ok(())
    }

    fn keep_idempotency(
        &mut self,
        project: ProjectKey,
        key: &IdempotencyKey,
        message: MessageId,
        at: Timestamp,
    ) -> Result<(), Fault> {
        let mut statement = self.connection.prepare_cached(
            "INSERT OR REPLACE INTO idempotency (project, key, message, at, fields)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        let fields = encode_fields(&key.fields);
        statement.execute(params![
            project.0,
            key.key,
            message.key(),
            at.as_millis(),
            fields
        ])?;
        Ok(())
    }
}

/// The message that an idempotency key was used for in the last 24 hours (R-LIFE-3).
pub(super) fn find_earlier(
    connection: &Connection,
    project: ProjectKey,
    key: &IdempotencyKey,
    now: Timestamp,
) -> Result<Option<Repeated>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT message, at, fields FROM idempotency WHERE project = ?1 AND key = ?2",
    )?;
    let mut rows = statement.query(params![project.0, key.key])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let used_at = Timestamp::from_millis(row.get(1)?);
    if now.since(used_at) >= IDEMPOTENCY_MEMORY {
        return Ok(None);
    }
    let fields = row
        .get_ref(2)?
        .as_blob()
        .map_err(|_| Corrupt("idempotency fields"))?;
    Ok(Some(Repeated {
        original: MessageId::from_key(row.get(0)?),
        differs: key.first_difference(&decode_fields(fields)?),
    }))
}

pub(super) fn encode_fields(fields: &[(&'static str, u64)]) -> Vec<u8> {
    let mut out = Writer::default();
    for (name, hash) in fields {
        out.text(name);
        out.unsigned(*hash);
    }
    out.into_bytes()
}

pub(super) fn decode_fields(bytes: &[u8]) -> Result<Vec<(&str, u64)>, Corrupt> {
    let mut from = Reader::new(bytes);
    let mut fields = Vec::new();
    while !from.is_empty() {
        fields.push((from.text()?, from.unsigned()?));
    }
    Ok(fields)
}
