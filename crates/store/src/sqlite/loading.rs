//! Rows back into messages.

use std::sync::Arc;

use domain::decision::{ClassReason, Decision};
use domain::ids::{CampaignKey, ContactId, MessageId, ProjectKey, RouteKey, SenderKey};
use domain::model::address::Address;
use domain::model::channel::Channel;
use domain::model::contact::{ChannelFacts, ContactFacts, ThreadFacts};
use domain::model::content::{Content, MessageType};
use domain::model::message::{Campaign, Category, Direction, Purpose, Speed, Status};
use domain::model::progress::Progress;
use domain::time::Timestamp;
use ports::store::messages::{InboundMessage, MessageView, NewMessage, Outbound, Quoted, ViewKind};
use rusqlite::{Connection, Row, params};

use super::consent::{contact_exists, told_all};
use super::contacts::reachable;
use super::fault::Fault;
use super::lines::read_metrics;
use crate::rows::address::address_from;
use crate::rows::codes::Coded;
use crate::rows::{Corrupt, inbound_detail, progress};

/// A message with its content.
const MESSAGE: &str = "SELECT m.project, m.sender, m.contact, m.status, m.channel, m.updated_at,
        m.progress, c.peer, c.kind, c.accepted_at, c.class_reason, c.category, c.speed, c.explicit,
        c.reply_to, c.reply_channel, c.test, c.scheduled_at, c.extra, c.template, c.metadata, c.text,
        c.peer_address, c.email, c.context, c.purpose, m.campaign, c.campaign
    FROM message m JOIN content c ON c.message = m.id WHERE m.id = ?1";

/// What of a message stands in both directions.
struct Common {
    project: ProjectKey,
    sender: SenderKey,
    contact: ContactId,
    status: Status,
    channel: Option<Channel>,
    updated_at: Timestamp,
    content: Content,
}

impl Common {
    fn read(row: &Row<'_>) -> Result<Self, Fault> {
        let template: Option<String> = row.get(19)?;
        let email: Option<String> = row.get(23)?;
        Ok(Self {
            project: ProjectKey(row.get(0)?),
            sender: SenderKey(row.get(1)?),
            contact: ContactId::from_key(row.get(2)?),
            status: coded(row, 3)?,
            channel: optional_coded(row, 4)?,
            updated_at: time(row, 5)?,
            content: Content {
                kind: coded::<MessageType>(row, 8)?,
                text: row.get(21)?,
                extra: row.get(18)?,
                template: template.map(|it| serde_json::from_str(&it)).transpose()?,
                email: email.map(|it| serde_json::from_str(&it)).transpose()?,
            },
        })
    }
}

pub(super) fn coded<T: Coded>(row: &Row<'_>, at: usize) -> Result<T, Fault> {
    Ok(T::from_number(row.get(at)?)?)
}

pub(super) fn optional_coded<T: Coded>(row: &Row<'_>, at: usize) -> Result<Option<T>, Fault> {
    let code: Option<i64> = row.get(at)?;
    Ok(code.map(T::from_number).transpose()?)
}

pub(super) fn time(row: &Row<'_>, at: usize) -> rusqlite::Result<Timestamp> {
    row.get(at).map(Timestamp::from_millis)
}

pub(super) fn optional_time(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<Timestamp>> {
    let millis: Option<i64> = row.get(at)?;
    Ok(millis.map(Timestamp::from_millis))
}

/// The part of an outbound message that never changes; `None` of the progress when inbound.
fn read_outbound(
    row: &Row<'_>,
    common: &mut Common,
) -> Result<Option<(NewMessage, Progress)>, Fault> {
    let record = row
        .get_ref(6)?
        .as_blob_or_null()
        .map_err(|_| Corrupt("progress"))?;
    let Some(record) = record else {
        return Ok(None);
    };
    let progress = progress::decode(record)?;
    let reply_to: Option<i64> = row.get(14)?;
    let content = std::mem::replace(&mut common.content, Content::text(""));
    let campaign: Option<u32> = row.get(26)?;
    let name: Option<Box<str>> = row.get(27)?;
    let message = NewMessage {
        project: common.project,
        sender: common.sender,
        to: peer(row)?,
        content: Arc::new(content),
        class: progress.class,
        class_reason: coded::<ClassReason>(row, 10)?,
        category: coded::<Category>(row, 11)?,
        purpose: optional_coded::<Purpose>(row, 25)?.unwrap_or_default(),
        speed: coded::<Speed>(row, 12)?,
        explicit: optional_coded(row, 13)?,
        reply_to: reply_to
            .map(|id| coded(row, 15).map(|channel| (MessageId::from_key(id), channel)))
            .transpose()?,
        context: row.get(24)?,
        test: row.get(16)?,
        metadata: row.get(20)?,
        campaign: campaign.zip(name).map(|(key, name)| Campaign {
            key: CampaignKey(key),
            name,
        }),
        scheduled_at: optional_time(row, 17)?,
        accepted_at: time(row, 9)?,
    };
    Ok(Some((message, progress)))
}

/// Who the message is to, or from.
fn peer(row: &Row<'_>) -> Result<Address, Fault> {
    let beside: Option<String> = row.get(22)?;
    Ok(address_from(row.get(7)?, beside.as_deref())?)
}

/// The message, ready to go on with. Nothing is known of a contact that was erased.
pub(super) fn outbound(db: &Connection, id: MessageId) -> Result<Option<Outbound>, Fault> {
    let mut statement = db.prepare_cached(MESSAGE)?;
    let mut rows = statement.query([id.key()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let mut common = Common::read(row)?;
    let Some((message, progress)) = read_outbound(row, &mut common)? else {
        return Ok(None);
    };
    let facts = if contact_exists(db, common.project, common.contact)? {
        facts(db, common.project, common.contact, common.sender)?
    } else {
        ContactFacts::default()
    };
    Ok(Some(Outbound {
        id,
        contact: common.contact,
        message,
        progress,
        facts,
    }))
}

/// The message as the API shows it.
pub(super) fn view(
    db: &Connection,
    id: MessageId,
) -> Result<Option<(ProjectKey, MessageView)>, Fault> {
    let Some((project, mut view)) = view_alone(db, id)? else {
        return Ok(None);
    };
    if let Some(quoted) = quoted_by(db, &view)?
        && let Some((theirs, quoted)) = view_alone(db, quoted)?
        && theirs == project
    {
        view.quoted = Some(Box::new(Quoted::of(&quoted)));
    }
    Ok(Some((project, view)))
}

/// The message that an inbound one answers, by the provider's id.
fn quoted_by(db: &Connection, view: &MessageView) -> Result<Option<MessageId>, Fault> {
    let ViewKind::Inbound(inbound) = &view.kind else {
        return Ok(None);
    };
    let Some(name) = &inbound.quotes else {
        return Ok(None);
    };
    let mut statement = db.prepare_cached(
        "SELECT ifnull((SELECT message FROM inbound WHERE route = ?1 AND provider_id = ?2),
             (SELECT message FROM submission WHERE route = ?1 AND reference = ?2))",
    )?;
    let found: Option<i64> =
        statement.query_row(params![inbound.route.0, name], |row| row.get(0))?;
    Ok(found.map(MessageId::from_key))
}

/// The message without the one that it answers.
fn view_alone(db: &Connection, id: MessageId) -> Result<Option<(ProjectKey, MessageView)>, Fault> {
    let mut statement = db.prepare_cached(MESSAGE)?;
    let mut rows = statement.query([id.key()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let mut common = Common::read(row)?;
    let (direction, kind) = if let Some((message, progress)) = read_outbound(row, &mut common)? {
        let kind = ViewKind::Outbound {
            message: Box::new(message),
            progress: Box::new(progress),
            decision: newest_decision(db, id)?.map(Box::new),
        };
        (Direction::Outbound, kind)
    } else {
        let inbound = read_inbound(db, id, row, &mut common)?;
        (Direction::Inbound, ViewKind::Inbound(Box::new(inbound)))
    };
    let exists = contact_exists(db, common.project, common.contact)?;
    let view = MessageView {
        id,
        direction,
        contact: exists.then_some(common.contact),
        status: common.status,
        updated_at: common.updated_at,
        quoted: None,
        kind,
    };
    Ok(Some((common.project, view)))
}

fn read_inbound(
    db: &Connection,
    id: MessageId,
    row: &Row<'_>,
    common: &mut Common,
) -> Result<InboundMessage, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT route, address, provider_id, sent_at, detail FROM inbound WHERE message = ?1",
    )?;
    let (route, to, provider_id, sent_at, detail) = statement.query_row([id.key()], |row| {
        Ok((
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            time(row, 3)?,
            row.get::<_, Option<String>>(4)?,
        ))
    })?;
    let mut inbound = InboundMessage {
        project: common.project,
        sender: common.sender,
        route: RouteKey(route),
        channel: common
            .channel
            .ok_or(Corrupt("channel of an inbound message"))?,
        from: peer(row)?,
        aliases: Vec::new(),
        profile_name: None,
        to,
        content: std::mem::replace(&mut common.content, Content::text("")),
        unsupported: false,
        quotes: None,
        provider_id,
        consent: None,
        sent_at,
        received_at: time(row, 9)?,
    };
    inbound_detail::decode(detail.as_deref(), &mut inbound)?;
    Ok(inbound)
}

/// The decision that is in force.
fn newest_decision(db: &Connection, id: MessageId) -> Result<Option<Decision>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT ifnull((SELECT body FROM decision WHERE message = ?1 ORDER BY no DESC LIMIT 1),
             (SELECT decision FROM content WHERE message = ?1))",
    )?;
    let body: Option<String> = statement.query_row([id.key()], |row| row.get(0))?;
    Ok(body.map(|it| serde_json::from_str(&it)).transpose()?)
}

/// What is known of a contact that exists.
pub(super) fn facts(
    db: &Connection,
    project: ProjectKey,
    contact: ContactId,
    sender: SenderKey,
) -> Result<ContactFacts, Fault> {
    let mut facts = ContactFacts {
        id: Some(contact),
        addresses: reachable(db, project, contact)?,
        ..ContactFacts::default()
    };
    let mut records = db.prepare_cached(
        "SELECT channel, success_count, failure_count, delivery_time_sum, delivery_time_count,
             last_success_at, incapable_until
         FROM channel_record WHERE contact = ?1",
    )?;
    let mut rows = records.query([contact.key()])?;
    while let Some(row) = rows.next()? {
        *facts.on_mut(coded(row, 0)?) = ChannelFacts {
            metrics: read_metrics(row, 1)?,
            incapable_until: optional_time(row, 6)?,
        };
    }
    facts.thread = thread(db, contact, sender)?;
    Ok(facts)
}

/// What is known of the thread between them.
pub(super) fn thread(
    db: &Connection,
    contact: ContactId,
    sender: SenderKey,
) -> Result<ThreadFacts, Fault> {
    let mut threads = db.prepare_cached(
        "SELECT last_inbound_at, last_inbound_channel, last_outbound_at, whatsapp_window_from,
             opted_out, no_promotions
         FROM thread WHERE contact = ?1 AND sender = ?2",
    )?;
    let mut rows = threads.query(params![contact.key(), sender.0])?;
    let Some(row) = rows.next()? else {
        return Ok(told_all(db, contact)?.into());
    };
    let last_inbound = optional_time(row, 0)?;
    Ok(ThreadFacts {
        last_inbound: last_inbound
            .map(|at| coded(row, 1).map(|channel| (at, channel)))
            .transpose()?,
        last_outbound_at: optional_time(row, 2)?,
        whatsapp_window_from: optional_time(row, 3)?,
        opted_out: row.get(4)?,
        no_promotions: row.get(5)?,
    })
}
