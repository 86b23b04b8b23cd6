//! Lists for the inbox and the API: newest first, a page at a time.

use domain::ids::{ContactId, MessageId, ProjectKey};
use domain::model::address::Address;
use domain::model::message::Status;
use ports::store::contacts::{ContactFilter, ContactView};
use ports::store::messages::{MessageFilter, MessageView};
use rusqlite::params;

use super::contacts;
use super::fault::Fault;
use super::readers::Reader;
use crate::rows::address::address_to_key;
use crate::rows::codes::Coded;

impl Reader {
    pub(super) fn messages(&self, filter: &MessageFilter) -> Result<Vec<MessageView>, Fault> {
        let holder = match &filter.to {
            None => None,
            Some(peer) => match self.contact_with(filter.project, peer)? {
                Some(contact) => Some((contact, peer)),
                None => return Ok(Vec::new()),
            },
        };
        let ids = match (filter.conversation, holder) {
            (Some(of), Some((contact, _))) if of.contact != contact => Vec::new(),
            (Some(of), _) => self.message_ids_of(filter, of)?,
            (None, Some((contact, peer))) => self.message_ids_with(filter, contact, peer)?,
            (None, None) => self.message_ids(filter)?,
        };
        let mut messages = Vec::with_capacity(ids.len());
        for id in ids {
            messages.extend(self.message(filter.project, MessageId::from_key(id))?);
        }
        Ok(messages)
    }

    fn message_ids(&self, filter: &MessageFilter) -> Result<Vec<i64>, Fault> {
        // The rare statuses have an index, which SQLite takes only where the text repeats its
        // condition; the common ones are found soon among the newest.
        let (index, status) = match filter.status {
            None => ("message_project", String::new()),
            Some(rare @ (Status::Queued | Status::Failed)) => (
                "message_standing",
                format!("AND status IN (0, 3) AND status = {}", rare.number()),
            ),
            Some(
                common @ (Status::Sending
                | Status::Sent
                | Status::Delivered
                | Status::Read
                | Status::Received),
            ) => (
                "message_project",
                format!("AND status = {}", common.number()),
            ),
        };
        let sql = format!(
            "SELECT id FROM message INDEXED BY {index} WHERE project = ?1 {status} AND id < ?2
             AND (?3 IS NULL OR channel = ?3) ORDER BY id DESC LIMIT ?4"
        );
        let mut statement = self.db.prepare_cached(&sql)?;
        let ids = statement.query_map(
            params![
                filter.project.0,
                before(filter),
                filter.channel.map(Coded::number),
                filter.limit
            ],
            |row| row.get(0),
        )?;
        Ok(ids.collect::<rusqlite::Result<_>>()?)
    }

    fn message_ids_with(
        &self,
        filter: &MessageFilter,
        contact: ContactId,
        peer: &Address,
    ) -> Result<Vec<i64>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT m.id FROM message m INDEXED BY message_contact
             JOIN content c ON c.message = m.id
             WHERE m.contact = ?1 AND m.id < ?2 AND c.peer = ?3
                 AND (?4 IS NULL OR m.status = ?4) AND (?5 IS NULL OR m.channel = ?5)
             ORDER BY m.id DESC LIMIT ?6",
        )?;
        let ids = statement.query_map(
            params![
                contact.key(),
                before(filter),
                address_to_key(peer),
                filter.status.map(Coded::number),
                filter.channel.map(Coded::number),
                filter.limit,
            ],
            |row| row.get(0),
        )?;
        Ok(ids.collect::<rusqlite::Result<_>>()?)
    }

    pub(super) fn contact(
        &self,
        project: ProjectKey,
        id: ContactId,
    ) -> Result<Option<ContactView>, Fault> {
        contacts::view(&self.db, project, id)
    }

    pub(super) fn contacts(&self, filter: &ContactFilter) -> Result<Vec<ContactView>, Fault> {
        let only = match &filter.phone {
            None => None,
            Some(phone) => match self.contact_with(filter.project, &Address::Phone(*phone))? {
                Some(contact) => Some(contact.key()),
                None => return Ok(Vec::new()),
            },
        };
        let mut statement = self.db.prepare_cached(
            "SELECT id FROM contact WHERE project = ?1 AND id < ?2 AND id BETWEEN ?3 AND ?4
                 AND (?5 IS NULL OR instr(lower(display_name), ?5) > 0
                     OR instr('+' || phone, ?5) > 0
                     OR EXISTS (SELECT 1 FROM contact_address a WHERE a.contact = contact.id
                         AND instr(lower(a.identifier), ?5) > 0))
             ORDER BY id DESC LIMIT ?6",
        )?;
        let ids = statement.query_map(
            params![
                filter.project.0,
                filter.before.map_or(i64::MAX, ContactId::key),
                only.unwrap_or(i64::MIN),
                only.unwrap_or(i64::MAX),
                filter.search.as_ref().map(|it| it.to_ascii_lowercase()),
                filter.limit,
            ],
            |row| row.get(0),
        )?;
        let mut found = Vec::new();
        for id in ids {
            found.extend(self.contact(filter.project, ContactId::from_key(id?))?);
        }
        Ok(found)
    }
}

fn before(filter: &MessageFilter) -> i64 {
    filter.before.map_or(i64::MAX, MessageId::key)
}
