//! The threads that read, and their queries.
//!
//! A thread takes what is queued and answers all of it from one snapshot, since beginning and
//! ending a read costs as much as a point lookup. The snapshot is taken after the queue was
//! looked at, so it is as new as every operation completed before any of those queries was made.

use std::sync::Arc;

use crossbeam_channel::Receiver;
use domain::decision::Decision;
use domain::ids::{ApiKeyId, ContactId, MessageId, ProjectKey, RouteKey, SenderKey};
use domain::model::address::Address;
use domain::model::contact::ContactFacts;
use domain::model::progress::Lane;
use domain::rules::due::Due;
use domain::time::Timestamp;
use ports::store::Unavailable;
use ports::store::messages::{
    DecisionRecord, IdempotencyKey, MessageView, Outbound, ReceiptRecord,
};
use ports::store::operations::ApiKeyRecord;
use ports::store::queries::{DueMessage, LanePlace, Repeated};
use rusqlite::{Connection, Row, params};
use tokio::sync::oneshot;

use super::accept::find_earlier;
use super::contacts;
use super::fault::Fault;
use super::loading::{self, coded, optional_time, time};
use super::receive::state_word;
use crate::rows::{Corrupt, lane_from_key, lane_to_key, phone_to_key};
use crate::seal::Seal;

/// Most queries that are answered from one snapshot; it bounds how long one holds back the log.
const MAX_BATCH: usize = 64;

/// What the readers' queue holds.
pub(super) enum Read {
    /// The question that every message asks.
    Facts(FactsRequest),
    /// Any other.
    Query(Box<dyn FnOnce(&Reader) + Send>),
}

/// Asks what is known of a person.
pub(super) struct FactsRequest {
    pub(super) project: ProjectKey,
    pub(super) sender: SenderKey,
    pub(super) to: Address,
    pub(super) reply: oneshot::Sender<Result<ContactFacts, Unavailable>>,
}

/// A connection that reads.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) db: Connection,
    pub(super) seal: Arc<Seal>,
}

/// Runs until the last sender is gone and the queue is empty.
pub(super) fn run(db: Connection, seal: Arc<Seal>, queries: &Receiver<Read>) {
    let reader = Reader { db, seal };
    while let Ok(first) = queries.recv() {
        let mut batch = vec![first];
        // Leave some for the other thread.
        let share = (queries.len() / 2).min(MAX_BATCH - 1);
        batch.extend(queries.try_iter().take(share));
        reader.answer(batch);
    }
}

impl Reader {
    fn answer(&self, batch: Vec<Read>) {
        // Without a transaction each statement reads its own snapshot: slower, and as good.
        let together = batch.len() > 1 && self.db.execute_batch("BEGIN").is_ok();
        for read in batch {
            match read {
                Read::Query(query) => query(self),
                Read::Facts(FactsRequest {
                    project,
                    sender,
                    to,
                    reply,
                }) => {
                    let facts = self
                        .contact_facts(project, sender, &to)
                        .map_err(Unavailable::new);
                    // The asker may have gone away.
                    drop(reply.send(facts));
                }
            }
        }
        if together && let Err(error) = self.db.execute_batch("COMMIT") {
            tracing::warn!(%error, "end a read");
        }
    }

    pub(super) fn routes_registered(&self) -> Result<Vec<(ProjectKey, RouteKey, Box<str>)>, Fault> {
        let mut statement = self
            .db
            .prepare_cached("SELECT project, key, id FROM registry WHERE kind = 2 ORDER BY key")?;
        let mut rows = statement.query([])?;
        let mut routes = Vec::new();
        while let Some(row) = rows.next()? {
            let id: String = row.get(2)?;
            routes.push((ProjectKey(row.get(0)?), RouteKey(row.get(1)?), id.into()));
        }
        Ok(routes)
    }

    pub(super) fn claimed(&self, project: ProjectKey) -> Result<Vec<Outbound>, Fault> {
        let mut statement = self
            .db
            .prepare_cached("SELECT message FROM claim WHERE project = ?1 ORDER BY message")?;
        let mut rows = statement.query([project.0])?;
        let mut claimed = Vec::new();
        while let Some(row) = rows.next()? {
            let id = MessageId::from_key(row.get(0)?);
            claimed.extend(loading::outbound(&self.db, id)?);
        }
        Ok(claimed)
    }

    fn contact_facts(
        &self,
        project: ProjectKey,
        sender: SenderKey,
        to: &Address,
    ) -> Result<ContactFacts, Fault> {
        match self.contact_with(project, to)? {
            Some(contact) => loading::facts(&self.db, project, contact, sender),
            None => Ok(ContactFacts {
                thread: self.left_by(project, to, sender)?.into(),
                ..ContactFacts::default()
            }),
        }
    }

    /// Whose this address is.
    pub(super) fn contact_with(
        &self,
        project: ProjectKey,
        address: &Address,
    ) -> Result<Option<ContactId>, Fault> {
        let Some(phone) = address.phone() else {
            return contacts::holder(&self.db, project, address.kind(), &address.to_string());
        };
        let mut statement = self
            .db
            .prepare_cached("SELECT contact FROM number WHERE project = ?1 AND phone = ?2")?;
        let mut rows = statement.query(params![project.0, phone_to_key(phone)])?;
        let row = rows.next()?;
        Ok(row
            .map(|it| it.get(0))
            .transpose()?
            .map(ContactId::from_key))
    }

    pub(super) fn outbound(&self, id: MessageId) -> Result<Option<Outbound>, Fault> {
        let mut found = loading::outbound(&self.db, id)?;
        if let Some(outbound) = found.as_mut().filter(|it| it.facts.id.is_none()) {
            let message = &outbound.message;
            let standing = self.standing_of(message.project, &message.to, message.sender)?;
            outbound.facts.thread = standing.into();
        }
        Ok(found)
    }

    pub(super) fn lane(
        &self,
        lane: Lane,
        after: Option<LanePlace>,
        limit: u16,
    ) -> Result<Vec<(LanePlace, Outbound)>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT id, place FROM message WHERE lane = ?1 AND (place, id) > (?2, ?3)
             ORDER BY place, id LIMIT ?4",
        )?;
        let (due, id) = after.map_or((i64::MIN, 0), |it| (it.due.as_millis(), it.message.key()));
        let mut rows = statement.query(params![lane_to_key(lane), due, id, limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let place = LanePlace {
                due: time(row, 1)?,
                message: MessageId::from_key(row.get(0)?),
            };
            let outbound = self.outbound(place.message)?.ok_or(Corrupt("a lane"))?;
            found.push((place, outbound));
        }
        Ok(found)
    }

    pub(super) fn lanes(&self) -> Result<Vec<(Lane, u64)>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT lane, count(*) FROM message WHERE lane IS NOT NULL GROUP BY lane ORDER BY lane",
        )?;
        let mut rows = statement.query([])?;
        let mut lanes = Vec::new();
        while let Some(row) = rows.next()? {
            lanes.push((
                lane_from_key(row.get(0)?)?,
                row.get::<_, i64>(1)?.unsigned_abs(),
            ));
        }
        Ok(lanes)
    }

    pub(super) fn backlog(&self) -> Result<u64, Fault> {
        let mut statement = self
            .db
            .prepare_cached("SELECT count(*) FROM message WHERE lane IS NOT NULL")?;
        Ok(statement
            .query_row([], |row| row.get::<_, i64>(0))?
            .unsigned_abs())
    }

    pub(super) fn due(&self, now: Timestamp, limit: u16) -> Result<Vec<DueMessage>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT id, due_at, due_kind FROM message WHERE due_at <= ?1
             ORDER BY due_at, id LIMIT ?2",
        )?;
        let mut rows = statement.query(params![now.as_millis(), limit])?;
        let mut due = Vec::new();
        while let Some(row) = rows.next()? {
            due.push(DueMessage {
                message: MessageId::from_key(row.get(0)?),
                due: Due {
                    at: time(row, 1)?,
                    kind: coded(row, 2)?,
                },
            });
        }
        Ok(due)
    }

    pub(super) fn next_due(&self) -> Result<Option<Timestamp>, Fault> {
        let mut statement = self
            .db
            .prepare_cached("SELECT min(due_at) FROM message WHERE due_at IS NOT NULL")?;
        Ok(statement.query_row([], |row| optional_time(row, 0))?)
    }

    /// Looks at everything that something is due of: at start only, so no index is kept for it.
    pub(super) fn in_hand(
        &self,
        after: Option<MessageId>,
        limit: u16,
    ) -> Result<Vec<Outbound>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT id FROM message INDEXED BY message_due
             WHERE due_at IS NOT NULL AND in_hand AND id > ?1 ORDER BY id LIMIT ?2",
        )?;
        let after = after.map_or(0, MessageId::key);
        let ids = statement.query_map(params![after, limit], |row| row.get(0))?;
        let mut found = Vec::new();
        for id in ids {
            found.extend(self.outbound(MessageId::from_key(id?))?);
        }
        Ok(found)
    }

    pub(super) fn message(
        &self,
        project: ProjectKey,
        id: MessageId,
    ) -> Result<Option<MessageView>, Fault> {
        let found = loading::view(&self.db, id)?;
        Ok(found.filter(|it| it.0 == project).map(|it| it.1))
    }

    pub(super) fn decisions(&self, id: MessageId) -> Result<Vec<DecisionRecord>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT accepted_at, decision, 0 AS no FROM content
                 WHERE message = ?1 AND decision IS NOT NULL
             UNION ALL SELECT at, body, no FROM decision WHERE message = ?1 ORDER BY no",
        )?;
        let mut rows = statement.query([id.key()])?;
        let mut decisions = Vec::new();
        while let Some(row) = rows.next()? {
            let body = row.get_ref(1)?.as_str().map_err(|_| Corrupt("decision"))?;
            let decision: Decision = serde_json::from_str(body)?;
            decisions.push(DecisionRecord {
                at: time(row, 0)?,
                decision,
            });
        }
        Ok(decisions)
    }

    pub(super) fn receipts(&self, id: MessageId) -> Result<Vec<ReceiptRecord>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT at, attempt, state, raw FROM receipt WHERE message = ?1 ORDER BY no",
        )?;
        let mut rows = statement.query([id.key()])?;
        let mut receipts = Vec::new();
        while let Some(row) = rows.next()? {
            receipts.push(ReceiptRecord {
                at: time(row, 0)?,
                attempt: row.get(1)?,
                state: state_word(row.get(2)?)?.into(),
                raw: row.get(3)?,
            });
        }
        Ok(receipts)
    }

    pub(super) fn earlier(
        &self,
        project: ProjectKey,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<Repeated>, Fault> {
        find_earlier(&self.db, project, key, now)
    }

    pub(super) fn api_key(&self, hash: &[u8; 32]) -> Result<Option<ApiKeyRecord>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT id, project, name, hash, scopes, test, created_at, revoked_at
             FROM api_key WHERE hash = ?1",
        )?;
        let mut rows = statement.query([hash])?;
        Ok(rows.next()?.map(read_key).transpose()?)
    }

    pub(super) fn api_keys(&self, project: ProjectKey) -> Result<Vec<ApiKeyRecord>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT id, project, name, hash, scopes, test, created_at, revoked_at
             FROM api_key WHERE project = ?1 ORDER BY created_at DESC, id DESC",
        )?;
        let keys = statement.query_map([project.0], read_key)?;
        Ok(keys.collect::<rusqlite::Result<Vec<_>>>()?)
    }
}

fn read_key(row: &Row<'_>) -> rusqlite::Result<ApiKeyRecord> {
    Ok(ApiKeyRecord {
        id: ApiKeyId::from_key(row.get(0)?),
        project: ProjectKey(row.get(1)?),
        name: row.get(2)?,
        hash: row.get(3)?,
        scopes: row.get(4)?,
        test: row.get(5)?,
        created_at: time(row, 6)?,
        revoked_at: optional_time(row, 7)?,
    })
}
