//! Station 1: messages are accepted.

use domain::ids::{ContactId, MessageId, ProjectKey};
use domain::model::address::Address;
use domain::model::channel::ChannelSet;
use domain::model::message::{Category, Purpose};
use domain::rules::booking::Standings;
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

use super::fault::Fault;
use super::lines::Line;
use crate::rows::address::{address_to_key, beside_key};
use crate::rows::bytes::{Reader, Writer};
use crate::rows::codes::Coded;
use crate::rows::{Corrupt, phone_to_key};

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
        let progress = fold::accepted(accept);
        let (none, standings) = (Standings::default(), Standings::of(&progress));
        let reservation = reservation_of_accept(accept);
        if let Err(gone) = self.reserve(message.project, &none, &standings, reservation)? {
            return Ok(Outcome::QuotaGone(gone));
        }
        let contact = self.find_or_make_contact(message.project, &message.to, at)?;
        // Kept only where it is used: an opted-out contact uses up no key.
        let mut keys = self.keys;
        let id = MessageId::from_key(keys.next(at));
        let channels: ChannelSet = fold::first_channel(accept).into_iter().collect();
        let thread = params![
            contact.key(),
            message.sender.0,
            at.as_millis(),
            message.project.0,
            id.key(),
            channels.bits(),
            message.purpose == Purpose::KeywordAnswer,
            message.category == Category::Promotional,
        ];
        if self.hot.thread_outbound.execute(thread)? == 0 {
            // Nothing was written: a contact just made has not opted out.
            self.give_back(message.project, &standings)?;
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
        })
    }

    /// The contact with this address.
    pub(super) fn find_or_make_contact(
        &mut self,
        project: ProjectKey,
        address: &Address,
        now: Timestamp,
    ) -> Result<ContactId, Fault> {
        let Some(phone) = address.phone() else {
            return match self.holder(project, address.kind(), &address.to_string())? {
                Some(contact) => Ok(contact),
                None => self.make_contact(project, address, now),
            };
        };
        let phone = phone_to_key(phone);
        if let Some(row) = self
            .hot
            .find_number
            .query(params![project.0, phone])?
            .next()?
        {
            return Ok(ContactId::from_key(row.get(0)?));
        }
        let key = self.keys.next(now);
        self.hot
            .add_number
            .execute(params![project.0, phone, key])?;
        self.hot
            .add_contact
            .execute(params![project.0, key, phone, now.as_millis()])?;
        Ok(ContactId::from_key(key))
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

fn encode_fields(fields: &[(&'static str, u64)]) -> Vec<u8> {
    let mut out = Writer::default();
    for (name, hash) in fields {
        out.text(name);
        out.unsigned(*hash);
    }
    out.into_bytes()
}

fn decode_fields(bytes: &[u8]) -> Result<Vec<(&str, u64)>, Corrupt> {
    let mut from = Reader::new(bytes);
    let mut fields = Vec::new();
    while !from.is_empty() {
        fields.push((from.text()?, from.unsigned()?));
    }
    Ok(fields)
}
