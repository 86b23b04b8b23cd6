//! Events: written with the operation that brings them, read forward from a place (R-MON-1).

use domain::ids::{MessageId, ProjectKey, SenderKey};
use domain::model::event::{EventDetail, EventKind, EventKinds, EventSeq};
use domain::time::Timestamp;
use ports::store::Outcome;
use ports::store::events::{Event, EventFilter, EventPage, EventRecord};
use ports::store::webhooks::PruneEvents;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::fault::Fault;
use super::lines::Line;
use super::loading::{coded, optional_coded, time};
use super::readers::Reader;
use crate::rows::codes::Coded;

/// An event's columns, for [`read_event`].
pub(super) const COLUMNS: &str =
    "e.seq, e.project, e.sender, e.kind, e.message, e.at, e.channel, e.detail";

/// The events between two places that fit a filter. A message is looked for only where the row says
/// that it is a step of the right sender, and a contact only where the message is its own.
const FITTING: &str = "e.seq > ?1 AND e.seq <= ?2 AND e.project = ?3
     AND (?4 IS NULL OR e.sender IS NULL OR e.sender = ?4) AND (?5 >> e.kind) & 1
     AND (?6 IS NULL OR NOT (?8 >> e.kind) & 1 OR (e.sender = ?6 AND EXISTS (
         SELECT 1 FROM message m CROSS JOIN contact c
         WHERE m.id = e.message AND m.contact = ?7 AND c.project = e.project AND c.id = ?7)))";

impl Line<'_> {
    pub(super) fn add_event(&mut self, event: &Event) -> Result<(), Fault> {
        let detail = event
            .detail
            .as_ref()
            .map(serde_json::to_string)
            .transpose()?;
        self.hot.add_event.execute(params![
            event.project.0,
            event.sender.map(|it| it.0),
            event.kind.number(),
            event.message.map(MessageId::key),
            event.at.as_millis(),
            event.channel.map(Coded::number),
            detail,
        ])?;
        Ok(())
    }

    /// See [`PruneEvents`].
    pub(super) fn prune_events(&mut self, prune: &PruneEvents) -> Result<Outcome, Fault> {
        // Where a whole page is looked at, its last event.
        let last: Option<(i64, i64)> = self
            .connection
            .prepare_cached(
                "SELECT seq, at FROM event WHERE seq > ?1 ORDER BY seq LIMIT 1 OFFSET ?2 - 1",
            )?
            .query_row(params![prune.after.0, prune.limit], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?
            .filter(|_| prune.limit > 0);
        let end = match last {
            Some((seq, _)) => seq,
            None if prune.limit > 0 => i64::MAX,
            None => prune.after.0,
        };
        let removed = self
            .connection
            .prepare_cached(
                "DELETE FROM event WHERE seq > ?3 AND seq <= ?4
                     AND seq < (SELECT max(seq) FROM event)
                     AND (at < ?2 OR (at < ?1
                         AND NOT EXISTS (SELECT 1 FROM webhook w WHERE w.sender = event.sender
                             AND w.active AND w.cursor < event.seq)
                         AND NOT EXISTS (SELECT 1 FROM webhook_dead d WHERE d.seq = event.seq)
                         AND NOT EXISTS (SELECT 1 FROM webhook_again a WHERE a.seq = event.seq)))",
            )?
            .execute(params![
                prune.events_before.as_millis(),
                prune.needed_before.as_millis(),
                prune.after.0,
                end,
            ])?;
        if removed > 0 {
            for table in ["webhook_dead", "webhook_again"] {
                let sql = format!(
                    "DELETE FROM {table}
                     WHERE NOT EXISTS (SELECT 1 FROM event e WHERE e.seq = {table}.seq)"
                );
                self.connection.prepare_cached(&sql)?.execute([])?;
            }
        }
        let is_old = |it: &(i64, i64)| it.1 < prune.events_before.as_millis();
        let upto = last.filter(is_old).map(|it| EventSeq(it.0));
        Ok(Outcome::EventsPruned { upto })
    }
}

/// The place of the newest event; zero before the first.
pub(super) fn newest(db: &Connection) -> Result<EventSeq, Fault> {
    let mut statement = db.prepare_cached("SELECT ifnull(max(seq), 0) FROM event")?;
    Ok(EventSeq(statement.query_row([], |row| row.get(0))?))
}

/// One page of what fits, in order.
fn page() -> String {
    format!("SELECT {COLUMNS} FROM event e WHERE {FITTING} ORDER BY e.seq LIMIT ?9")
}

impl Reader {
    pub(super) fn events(&self, filter: &EventFilter) -> Result<EventPage, Fault> {
        let newest = self.newest_event()?;
        let mut first = self.db.prepare_cached("SELECT min(seq) FROM event")?;
        let first: Option<i64> = first.query_row([], |row| row.get(0))?;
        let from = filter.after.0.max(first.unwrap_or(1).saturating_sub(1));
        let end = newest.0.min(from.saturating_add(filter.look_at.into()));
        let mut statement = self.db.prepare_cached(&page())?;
        let mut rows = statement.query(params![
            from,
            end,
            filter.project.0,
            filter.sender.map(|it| it.0),
            filter.kinds.bits(),
            filter.steps_in.map(|it| it.sender.0),
            filter.steps_in.map(|it| it.contact.key()),
            EventKinds::STEPS.bits(),
            filter.limit
        ])?;
        let mut events = Vec::new();
        while let Some(row) = rows.next()? {
            events.push(read_event(row)?);
        }
        let full = events.len() >= usize::from(filter.limit);
        let upto = match events.last() {
            Some(last) if full => last.seq,
            Some(_) | None => EventSeq(end).max(filter.after),
        };
        let more = full || end < newest.0;
        Ok(EventPage { events, upto, more })
    }

    pub(super) fn event(&self, seq: EventSeq) -> Result<Option<EventRecord>, Fault> {
        let mut statement = self
            .db
            .prepare_cached(&format!("SELECT {COLUMNS} FROM event e WHERE seq = ?1"))?;
        let mut rows = statement.query([seq.0])?;
        rows.next()?.map(read_event).transpose()
    }

    pub(super) fn newest_event(&self) -> Result<EventSeq, Fault> {
        newest(&self.db)
    }
}

/// Reads [`COLUMNS`].
pub(super) fn read_event(row: &Row<'_>) -> Result<EventRecord, Fault> {
    let sender: Option<u32> = row.get(2)?;
    let message: Option<i64> = row.get(4)?;
    let detail: Option<String> = row.get(7)?;
    let event = Event {
        project: ProjectKey(row.get(1)?),
        sender: sender.map(SenderKey),
        kind: coded::<EventKind>(row, 3)?,
        message: message.map(MessageId::from_key),
        at: time(row, 5)?,
        channel: optional_coded(row, 6)?,
        detail: detail
            .map(|it| serde_json::from_str::<EventDetail>(&it))
            .transpose()?,
    };
    Ok(EventRecord {
        seq: EventSeq(row.get(0)?),
        event,
    })
}

/// A place from which on every event happened at `since` or later, or a little before: places are in
/// the order of commit, which is that of time but for seconds.
pub(super) fn place_at(db: &Connection, since: Timestamp) -> Result<i64, Fault> {
    /// How far the two orders may differ.
    const SLACK_MILLIS: i64 = 60_000;
    let since = since.as_millis().saturating_sub(SLACK_MILLIS);
    let mut ends = db.prepare_cached(
        "SELECT ifnull((SELECT min(seq) FROM event), 1), ifnull((SELECT max(seq) FROM event), 0)",
    )?;
    let (mut low, mut high): (i64, i64) =
        ends.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut at = db.prepare_cached("SELECT at FROM event WHERE seq >= ?1 ORDER BY seq LIMIT 1")?;
    while low < high {
        let middle = low + (high - low) / 2;
        let happened: i64 = at.query_row([middle], |row| row.get(0))?;
        if happened < since {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use super::super::migrate;
    use super::*;

    /// R-MON-1: a page of a stream costs no more than the places that it looks at.
    #[test]
    fn a_page_walks_the_places_in_order_and_looks_for_messages_among_their_contacts() {
        let db = Connection::open_in_memory().unwrap();
        migrate::run(&db, migrate::MIGRATIONS).unwrap();
        let sql = format!("EXPLAIN QUERY PLAN {}", page());
        let mut statement = db.prepare(&sql).unwrap();
        let steps = statement
            .query_map(params![0, 9, 1, None::<i64>, 1, 1, 1, 1, 9], |it| {
                it.get::<_, String>(3)
            })
            .unwrap();
        let steps: Vec<_> = steps.map(Result::unwrap).collect();
        let want = [
            "SEARCH e USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
            "CORRELATED SCALAR SUBQUERY 1",
            "SEARCH m USING COVERING INDEX message_contact (contact=? AND rowid=?)",
            "SEARCH c USING PRIMARY KEY (project=? AND id=?)",
        ];
        assert_eq!(steps, want);
    }
}
