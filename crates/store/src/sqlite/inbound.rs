//! Station 4: messages from people (R-IN-1).

use domain::ids::{ContactId, MessageId};
use domain::model::address::Address;
use domain::model::channel::{Channel, ChannelSet};
use domain::model::consent::{ConsentRecord, ConsentSource, Standing};
use domain::model::message::Status;
use domain::time::Timestamp;
use ports::store::Outcome;
use ports::store::events;
use ports::store::messages::InboundMessage;
use ports::store::operations::AnsweredInbound;
use rusqlite::{OptionalExtension, params};

use super::consent::told_all;
use super::fault::Fault;
use super::lines::Line;
use crate::rows::address::{address_to_key, beside_key};
use crate::rows::codes::Coded;
use crate::rows::inbound_detail;

impl Line<'_> {
    /// See [`AnsweredInbound`]; `decision` is its answer's decision as JSON.
    pub(super) fn keyword(
        &mut self,
        keyword: &AnsweredInbound,
        decision: &str,
    ) -> Result<Outcome, Fault> {
        let outcome = self.inbound(&keyword.inbound)?;
        if let Some(answer) = keyword.owed(&outcome, self.owner()) {
            self.accept(&answer, decision)?;
        }
        Ok(outcome)
    }

    /// See [`Op::Inbound`](ports::store::Op::Inbound).
    pub(super) fn inbound(&mut self, inbound: &InboundMessage) -> Result<Outcome, Fault> {
        if let Some(provider_id) = &inbound.provider_id {
            let first = self
                .connection
                .prepare_cached(
                    "SELECT message FROM inbound WHERE route = ?1 AND provider_id = ?2",
                )?
                .query_row(params![inbound.route.0, provider_id], |row| row.get(0))
                .optional()?;
            if let Some(first) = first {
                return Ok(Outcome::InboundRepeated {
                    message: MessageId::from_key(first),
                });
            }
        }
        let at = inbound.received_at;
        let contact = self.writer(inbound, at)?;
        let message = MessageId::from_key(self.keys.next(at));
        self.hot.add_message.execute(params![
            message.key(),
            inbound.project.0,
            inbound.sender.0,
            contact.key(),
            at.as_millis(),
            Status::Received.number(),
            inbound.channel.number(),
            false,
            at.as_millis(),
            None::<i64>,
            None::<i64>,
            None::<i64>,
            None::<&[u8]>,
            None::<u32>,
        ])?;
        self.add_inbound_content(message, inbound)?;
        let is_new = !self.thread_exists(contact, inbound)?;
        for event in events::of_inbound(message, inbound, is_new) {
            self.add_event(&event)?;
        }
        // Of who has written before, the thread says it itself.
        let begins_as = if is_new {
            told_all(self.connection, contact)?
        } else {
            Standing::default()
        };
        self.open_thread(contact.key(), message, inbound, begins_as)?;
        let consent_changed = match &inbound.consent {
            None => false,
            Some(change) => {
                let record = ConsentRecord {
                    sender: Some(inbound.sender),
                    at,
                    change: change.clone(),
                    source: ConsentSource::Keyword,
                    channel: Some(inbound.channel),
                };
                self.change_consent(inbound.project, contact, inbound.sender, &record)?
            }
        };
        Ok(Outcome::InboundKept {
            message,
            contact,
            consent_changed,
        })
    }

    /// Who wrote: found by the address or an alias, else made. What else is theirs is noted.
    fn writer(&mut self, inbound: &InboundMessage, at: Timestamp) -> Result<ContactId, Fault> {
        let project = inbound.project;
        let name = inbound.profile_name.as_deref();
        if inbound.aliases.is_empty() && name.is_none() {
            return self.find_or_make_contact(project, &inbound.from, at);
        }
        let theirs: Vec<&Address> = std::iter::once(&inbound.from)
            .chain(&inbound.aliases)
            .collect();
        let mut contact = None;
        for address in &theirs {
            contact = self.holder(project, address.kind(), &address.to_string())?;
            if contact.is_some() {
                break;
            }
        }
        let contact = match contact {
            Some(known) => known,
            None => self.find_or_make_contact(project, &inbound.from, at)?,
        };
        self.learn(project, contact, &theirs, name, at)?;
        Ok(contact)
    }

    fn add_inbound_content(
        &mut self,
        message: MessageId,
        inbound: &InboundMessage,
    ) -> Result<(), Fault> {
        let content = &inbound.content;
        let template = content
            .template
            .as_ref()
            .map(serde_json::to_string)
            .transpose()?;
        self.connection
            .prepare_cached(
                "INSERT INTO content (message, peer, kind, accepted_at, extra, template, text,
                     peer_address)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                message.key(),
                address_to_key(&inbound.from),
                content.kind.number(),
                inbound.received_at.as_millis(),
                content.extra,
                template,
                content.text,
                beside_key(&inbound.from),
            ])?;
        self.connection
            .prepare_cached(
                "INSERT INTO inbound (message, route, address, provider_id, sent_at, detail)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                message.key(),
                inbound.route.0,
                inbound.to,
                inbound.provider_id,
                inbound.sent_at.as_millis(),
                inbound_detail::encode(inbound),
            ])?;
        Ok(())
    }

    /// Whether anybody wrote in the thread before.
    fn thread_exists(
        &mut self,
        contact: ContactId,
        inbound: &InboundMessage,
    ) -> Result<bool, Fault> {
        let mut statement = self.connection.prepare_cached(
            "SELECT 1 FROM thread WHERE contact = ?1 AND sender = ?2
                 AND (last_inbound_at IS NOT NULL OR last_outbound_at IS NOT NULL)",
        )?;
        Ok(statement.exists(params![contact.key(), inbound.sender.0])?)
    }

    /// Makes it the newest of its thread, counted and unread, and of its channel, opens the WhatsApp
    /// window, and forgets that the contact was thought not to have the channel. A thread that was
    /// not there begins with this standing.
    fn open_thread(
        &mut self,
        contact: i64,
        message: MessageId,
        inbound: &InboundMessage,
        begins_as: Standing,
    ) -> Result<(), Fault> {
        let sent_at = inbound.sent_at.as_millis();
        let window_from: Option<Timestamp> = match inbound.channel {
            Channel::WhatsApp => Some(inbound.sent_at),
            Channel::Sms | Channel::Telegram | Channel::Email => None,
        };
        self.connection
            .prepare_cached(
                "INSERT INTO thread (contact, sender, last_inbound_at, last_inbound_channel,
                     whatsapp_window_from, opted_out, no_promotions, project, last_message,
                     channels, message_count, unread_count, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?9, ?10, ?6, ?7, ?8, 1, 1, ?3)
                 ON CONFLICT (contact, sender) DO UPDATE SET
                     last_inbound_channel =
                         iif(ifnull(last_inbound_at, ?3) <= ?3, ?4, last_inbound_channel),
                     last_inbound_at = max(ifnull(last_inbound_at, ?3), ?3),
                     whatsapp_window_from = max(ifnull(whatsapp_window_from, ?5),
                         ifnull(?5, whatsapp_window_from)),
                     last_message = ?7,
                     channels = channels | ?8,
                     message_count = message_count + 1,
                     unread_count = unread_count + 1,
                     created_at = min(ifnull(created_at, ?3), ?3)",
            )?
            .execute(params![
                contact,
                inbound.sender.0,
                inbound.received_at.as_millis(),
                inbound.channel.number(),
                window_from.map(Timestamp::as_millis),
                inbound.project.0,
                message.key(),
                ChannelSet::EMPTY.with(inbound.channel).bits(),
                begins_as.opted_out,
                begins_as.no_promotions,
            ])?;
        self.connection
            .prepare_cached(
                "INSERT INTO channel_record (contact, channel, success_count, failure_count,
                     delivery_time_sum, delivery_time_count, last_inbound_at)
                 VALUES (?1, ?2, 0, 0, 0, 0, ?3)
                 ON CONFLICT (contact, channel) DO UPDATE SET
                     last_inbound_at = max(ifnull(last_inbound_at, ?3), ?3),
                     incapable_until = NULL",
            )?
            .execute(params![contact, inbound.channel.number(), sent_at])?;
        Ok(())
    }
}
