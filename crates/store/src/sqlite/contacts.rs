//! Rows back into contacts; also used by the thread that writes, to answer with the new state.

use domain::ids::{ContactId, ProjectKey};
use domain::model::address::Address;
use domain::model::channel::Channel;
use domain::model::contact::{AddressKind, ChannelMetrics};
use domain::phone::PhoneNumber;
use domain::time::Timestamp;
use ports::store::contacts::{ContactChannelView, ContactView, channel_id};
use rusqlite::{Connection, OptionalExtension, params};

use super::consent::opted_out;
use super::fault::Fault;
use super::lines::read_metrics;
use super::loading::{coded, optional_coded, optional_time, time};
use crate::rows::codes::Coded;
use crate::rows::{Corrupt, phone_from_key};

/// What is known of a contact on one channel.
struct Record {
    channel: Channel,
    metrics: ChannelMetrics,
    incapable_until: Option<Timestamp>,
    last_inbound_at: Option<Timestamp>,
}

/// A contact of the project.
pub(super) fn view(
    db: &Connection,
    project: ProjectKey,
    id: ContactId,
) -> Result<Option<ContactView>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT phone, addressed, created_at, updated_at, display_name, default_channel, metadata
         FROM contact WHERE project = ?1 AND id = ?2",
    )?;
    let mut rows = statement.query(params![project.0, id.key()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let phone = row
        .get::<_, Option<i64>>(0)?
        .map(phone_from_key)
        .transpose()?;
    let created_at = time(row, 2)?;
    let mut channels = match (row.get(1)?, &phone) {
        (false, Some(phone)) => implied(id, phone, created_at),
        (true, _) | (false, None) => addresses(db, id)?,
    };
    let records = records(db, id)?;
    for channel in &mut channels {
        if let Some(it) = records
            .iter()
            .find(|it| AddressKind::from(it.channel) == channel.kind)
        {
            channel.metrics = it.metrics;
            channel.incapable_until = it.incapable_until;
            channel.last_inbound_at = it.last_inbound_at;
        }
    }
    Ok(Some(ContactView {
        id,
        display_name: row.get(4)?,
        default_channel: optional_coded(row, 5)?,
        phone,
        metadata: row.get(6)?,
        created_at,
        updated_at: time(row, 3)?,
        channels,
        opted_out: opted_out(db, id)?,
    }))
}

/// Whose an address is that is no phone number.
pub(super) fn holder(
    db: &Connection,
    project: ProjectKey,
    kind: AddressKind,
    identifier: &str,
) -> Result<Option<ContactId>, Fault> {
    // Each has an index of its own, which SQLite takes only where the text repeats its condition.
    let sql = match kind {
        AddressKind::WhatsApp => {
            "SELECT contact FROM contact_address INDEXED BY contact_address_user
             WHERE project = ?1 AND identifier = ?3 AND kind = ?2
                 AND kind = 1 AND identifier NOT LIKE '+%'"
        }
        AddressKind::Sms
        | AddressKind::Email
        | AddressKind::Telegram
        | AddressKind::Instagram
        | AddressKind::Messenger
        | AddressKind::Voice => {
            "SELECT contact FROM contact_address INDEXED BY contact_address_holder
             WHERE project = ?1 AND kind = ?2 AND identifier = ?3 AND kind BETWEEN 2 AND 5"
        }
    };
    let found: Option<i64> = db
        .prepare_cached(sql)?
        .query_row(params![project.0, kind.number(), identifier], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(found.map(ContactId::from_key))
}

/// The addresses that channels use, each once, first choices first.
pub(super) fn reachable(
    db: &Connection,
    project: ProjectKey,
    id: ContactId,
) -> Result<Vec<Address>, Fault> {
    let mut statement =
        db.prepare_cached("SELECT phone, addressed FROM contact WHERE project = ?1 AND id = ?2")?;
    let (phone, addressed): (Option<i64>, bool) = statement
        .query_row(params![project.0, id.key()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    if !addressed {
        let phone = phone.map(phone_from_key).transpose()?;
        return Ok(phone.map(Address::Phone).into_iter().collect());
    }
    let mut statement = db.prepare_cached(
        "SELECT kind, identifier FROM contact_address WHERE contact = ?1
         ORDER BY is_primary DESC, kind, identifier",
    )?;
    let mut rows = statement.query([id.key()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let identifier = row.get_ref(1)?.as_str().map_err(|_| Corrupt("address"))?;
        let address = Address::listed(coded(row, 0)?, identifier);
        found.extend(address.filter(|it| !found.contains(it)));
    }
    Ok(found)
}

/// The addresses that a phone number implies: one for each phone-addressed channel.
pub(super) fn implied(
    contact: ContactId,
    phone: &PhoneNumber,
    created_at: Timestamp,
) -> Vec<ContactChannelView> {
    let channels = Channel::ALL
        .into_iter()
        .filter(|it| it.is_phone_addressed());
    channels
        .map(|channel| {
            let kind = AddressKind::from(channel);
            let identifier: Box<str> = phone.as_str().into();
            ContactChannelView {
                id: channel_id(contact, kind, &identifier),
                kind,
                identifier,
                is_primary: true,
                verified: false,
                label: None,
                metadata: None,
                created_at,
                updated_at: created_at,
                metrics: ChannelMetrics::default(),
                last_inbound_at: None,
                incapable_until: None,
            }
        })
        .collect()
}

/// The addresses that somebody gave, without what is known of them.
pub(super) fn addresses(
    db: &Connection,
    contact: ContactId,
) -> Result<Vec<ContactChannelView>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT kind, identifier, is_primary, verified, label, metadata, created_at, updated_at
         FROM contact_address WHERE contact = ?1 ORDER BY kind, identifier",
    )?;
    let mut rows = statement.query([contact.key()])?;
    let mut channels = Vec::new();
    while let Some(row) = rows.next()? {
        let (kind, identifier) = (coded(row, 0)?, row.get::<_, Box<str>>(1)?);
        channels.push(ContactChannelView {
            id: channel_id(contact, kind, &identifier),
            kind,
            identifier,
            is_primary: row.get(2)?,
            verified: row.get(3)?,
            label: row.get(4)?,
            metadata: row.get(5)?,
            created_at: time(row, 6)?,
            updated_at: time(row, 7)?,
            metrics: ChannelMetrics::default(),
            last_inbound_at: None,
            incapable_until: None,
        });
    }
    Ok(channels)
}

fn records(db: &Connection, contact: ContactId) -> Result<Vec<Record>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT channel, success_count, failure_count, delivery_time_sum, delivery_time_count,
             last_success_at, incapable_until, last_inbound_at
         FROM channel_record WHERE contact = ?1",
    )?;
    let mut rows = statement.query([contact.key()])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(Record {
            channel: coded(row, 0)?,
            metrics: read_metrics(row, 1)?,
            incapable_until: optional_time(row, 6)?,
            last_inbound_at: optional_time(row, 7)?,
        });
    }
    Ok(records)
}
