//! Conversations: shown, listed, searched, marked as read; and the provider's names of messages.

use domain::ids::{ContactId, ConversationId, MessageId, ProjectKey, RouteKey, SenderKey};
use domain::model::channel::ChannelSet;
use ports::store::Outcome;
use ports::store::conversations::{
    ConversationFilter, ConversationPage, ConversationView, MarkRead, ProviderReference, is_found,
};
use rusqlite::{Row, params};

use super::consent::contact_exists;
use super::contacts;
use super::fault::Fault;
use super::lines::Line;
use super::loading::{self, coded, time};
use super::readers::Reader;
use crate::rows::codes::Coded;
use crate::rows::{Corrupt, phone_from_key};

/// Most threads that one query looks at, so that a search for nobody is never long: other lists
/// wait behind it.
const LOOKED_AT_MAX: u32 = 5_000;

impl Line<'_> {
    /// See [`MarkRead`].
    pub(super) fn mark_read(&mut self, mark: &MarkRead) -> Result<Outcome, Fault> {
        let ConversationId { contact, sender } = mark.conversation;
        let found = self
            .connection
            .prepare_cached(
                "UPDATE thread SET unread_count = 0
                 WHERE contact = ?1 AND sender = ?2 AND project = ?3 AND last_message IS NOT NULL",
            )?
            .execute(params![contact.key(), sender.0, mark.project.0])?;
        Ok(if found > 0 {
            Outcome::Done
        } else {
            Outcome::Missing
        })
    }
}

/// A conversation's own columns.
struct Counted {
    channels: ChannelSet,
    message_count: u32,
    unread_count: u32,
    last_message: MessageId,
    created_at: domain::time::Timestamp,
}

impl Counted {
    /// Reads `channels, message_count, unread_count, last_message, created_at`.
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            channels: ChannelSet::from_bits(row.get(0)?),
            message_count: row.get(1)?,
            unread_count: row.get(2)?,
            last_message: MessageId::from_key(row.get(3)?),
            created_at: time(row, 4)?,
        })
    }
}

impl Reader {
    pub(super) fn conversation(
        &self,
        project: ProjectKey,
        id: ConversationId,
    ) -> Result<Option<ConversationView>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT channels, message_count, unread_count, last_message, created_at FROM thread
             WHERE contact = ?1 AND sender = ?2 AND project = ?3 AND last_message IS NOT NULL",
        )?;
        let place = params![id.contact.key(), id.sender.0, project.0];
        let mut rows = statement.query(place)?;
        let Some(counted) = rows.next()?.map(Counted::read).transpose()? else {
            return Ok(None);
        };
        let last_message = self.message(project, counted.last_message)?;
        let Some(contact) = contacts::view(&self.db, project, id.contact)? else {
            return Ok(None);
        };
        Ok(Some(ConversationView {
            id,
            contact,
            thread: loading::thread(&self.db, id.contact, id.sender)?,
            channels: counted.channels,
            message_count: counted.message_count,
            unread_count: counted.unread_count,
            last_message: last_message.ok_or(Corrupt("the newest message of a conversation"))?,
            created_at: counted.created_at,
        }))
    }

    /// Looks at the project's threads until enough are found, but at no more than [`LOOKED_AT_MAX`].
    pub(super) fn conversations(
        &self,
        filter: &ConversationFilter,
    ) -> Result<ConversationPage, Fault> {
        let among = if filter.unread {
            "thread_unread WHERE unread_count > 0"
        } else {
            "thread_newest WHERE last_message IS NOT NULL"
        };
        let mut statement = self.db.prepare_cached(&format!(
            "SELECT contact, sender, last_message, (?3 IS NULL OR sender = ?3)
                     AND (?4 = 0 OR channels & ?4 > 0)
             FROM thread INDEXED BY {among} AND project = ?1 AND last_message < ?2
             ORDER BY last_message DESC LIMIT ?5",
        ))?;
        let channel: ChannelSet = filter.channel.into_iter().collect();
        let mut rows = statement.query(params![
            filter.project.0,
            filter.before.map_or(i64::MAX, MessageId::key),
            filter.sender.map(|it| it.0),
            channel.bits(),
            LOOKED_AT_MAX,
        ])?;
        let mut page = ConversationPage::default();
        let mut looked_at = 0;
        let mut last = None;
        while let Some(row) = rows.next()? {
            looked_at += 1;
            let id = ConversationId {
                contact: ContactId::from_key(row.get(0)?),
                sender: SenderKey(row.get(1)?),
            };
            let is_wanted = row.get(3)?
                && match &filter.search {
                    Some(search) => self.is_found(filter.project, id.contact, search)?,
                    None => true,
                };
            if is_wanted && let Some(found) = self.conversation(filter.project, id)? {
                if page.conversations.len() >= usize::from(filter.limit) {
                    page.next = page.conversations.last().map(|it| it.last_message.id);
                    return Ok(page);
                }
                page.conversations.push(found);
            }
            last = Some(MessageId::from_key(row.get(2)?));
        }
        page.next = last.filter(|_| looked_at == LOOKED_AT_MAX);
        Ok(page)
    }

    /// Looks at no more than are counted.
    pub(super) fn unread_conversations(
        &self,
        project: ProjectKey,
        at_most: u16,
    ) -> Result<u16, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT count(*) FROM (SELECT 1 FROM thread INDEXED BY thread_unread
             WHERE project = ?1 AND unread_count > 0 AND last_message IS NOT NULL LIMIT ?2)",
        )?;
        Ok(statement.query_row(params![project.0, at_most], |row| row.get(0))?)
    }

    /// Whether a contact is found by a text, without loading all of it.
    fn is_found(
        &self,
        project: ProjectKey,
        contact: ContactId,
        search: &str,
    ) -> Result<bool, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT display_name, phone, addressed FROM contact WHERE project = ?1 AND id = ?2",
        )?;
        let mut rows = statement.query(params![project.0, contact.key()])?;
        let Some(row) = rows.next()? else {
            return Ok(false);
        };
        let name: Option<String> = row.get(0)?;
        let mut identity: Vec<String> = Vec::new();
        if row.get(2)? {
            let mut statement = self
                .db
                .prepare_cached("SELECT identifier FROM contact_address WHERE contact = ?1")?;
            let identifiers = statement.query_map([contact.key()], |row| row.get(0))?;
            identity = identifiers.collect::<rusqlite::Result<_>>()?;
        } else if let Some(phone) = row.get(1)? {
            identity.push(phone_from_key(phone)?.as_str().into());
        }
        let identity = identity.iter().map(String::as_str);
        Ok(is_found(search, name.as_deref(), identity))
    }

    /// The ids of a conversation's messages, newest first; none once its contact is erased.
    pub(super) fn message_ids_of(
        &self,
        filter: &ports::store::messages::MessageFilter,
        conversation: ConversationId,
    ) -> Result<Vec<i64>, Fault> {
        if !contact_exists(&self.db, filter.project, conversation.contact)? {
            return Ok(Vec::new());
        }
        let mut statement = self.db.prepare_cached(
            "SELECT m.id FROM message m INDEXED BY message_contact
             WHERE m.contact = ?1 AND m.sender = ?2 AND m.project = ?3 AND m.id < ?4
                 AND (?5 IS NULL OR m.status = ?5) AND (?6 IS NULL OR m.channel = ?6)
                 AND (?7 IS NULL OR (SELECT c.peer FROM content c WHERE c.message = m.id) = ?7)
             ORDER BY m.id DESC LIMIT ?8",
        )?;
        let peer = filter.to.as_ref();
        let ids = statement.query_map(
            params![
                conversation.contact.key(),
                conversation.sender.0,
                filter.project.0,
                filter.before.map_or(i64::MAX, MessageId::key),
                filter.status.map(Coded::number),
                filter.channel.map(Coded::number),
                peer.map(crate::rows::address::address_to_key),
                filter.limit,
            ],
            |row| row.get(0),
        )?;
        Ok(ids.collect::<rusqlite::Result<_>>()?)
    }

    pub(super) fn provider_reference(
        &self,
        id: MessageId,
    ) -> Result<Option<ProviderReference>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT m.channel, i.route, i.provider_id FROM inbound i JOIN message m ON m.id = i.message
             WHERE i.message = ?1",
        )?;
        let mut rows = statement.query([id.key()])?;
        if let Some(row) = rows.next()? {
            let reference: Option<Box<str>> = row.get(2)?;
            let (channel, route) = (coded(row, 0)?, RouteKey(row.get(1)?));
            return Ok(reference.map(|reference| ProviderReference {
                route,
                channel,
                reference,
            }));
        }
        let mut statement = self.db.prepare_cached(
            "SELECT route, reference, channel FROM submission INDEXED BY submission_message
             WHERE message = ?1 AND channel IS NOT NULL
             ORDER BY attempt DESC, part, route, reference LIMIT 1",
        )?;
        let mut rows = statement.query([id.key()])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        Ok(Some(ProviderReference {
            route: RouteKey(row.get(0)?),
            channel: coded(row, 2)?,
            reference: row.get(1)?,
        }))
    }
}
