//! What the operations stand on: the transaction, the hot statements, and loading and writing back
//! one message.

use std::sync::Arc;

use domain::ids::{CampaignKey, ContactId, MessageId, ProjectKey, RouteKey, SenderKey};
use domain::model::attempt::AttemptState;
use domain::model::contact::ChannelMetrics;
use domain::model::message::Status;
use domain::model::progress::{Progress, Waiting};
use domain::rules::booking::Standings;
use domain::rules::due::next_due;
use domain::rules::metrics::{self, MetricChange};
use domain::rules::outcome::{Effects, Learnt};
use domain::time::{Millis, Timestamp};
use ports::store::books::BookedMessage;
use ports::store::fold::{self, KeySequence};
use ports::store::operations::Changed;
use ports::store::{Epoch, Outcome, events};
use rusqlite::{Connection, OptionalExtension, Row, Statement, params};

use super::Options;
use super::books::Books;
use super::fault::Fault;
use crate::rows::codes::Coded;
use crate::rows::{Corrupt, lane_to_key, progress};
use crate::seal::Seal;

macro_rules! hot_statements {
    ($($name:ident: $sql:literal,)+) => {
        /// The statements of a message's life, prepared once.
        pub(super) struct Hot<'c> {
            $(pub(super) $name: Statement<'c>,)+
        }

        impl<'c> Hot<'c> {
            fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
                Ok(Self { $($name: connection.prepare($sql)?,)+ })
            }
        }
    };
}

hot_statements! {
    begin: "BEGIN IMMEDIATE",
    commit: "COMMIT",
    line: "SELECT epoch, last_key, suppresses FROM line WHERE id = 1",
    keep_last_key: "UPDATE line SET last_key = ?1 WHERE id = 1",
    find_number: "SELECT contact FROM number WHERE project = ?1 AND phone = ?2",
    add_number: "INSERT INTO number (project, phone, contact) VALUES (?1, ?2, ?3)",
    add_contact: "INSERT INTO contact (project, id, phone, addressed, created_at, updated_at)
        VALUES (?1, ?2, ?3, 0, ?4, ?4)",
    // Changes no row when there is no thread, and when the contact has withdrawn its consent
    // (R-IN-2): ?6 is whether that is not asked, ?7 whether it is a promotion.
    thread_outbound: "UPDATE thread
        SET last_outbound_at = max(ifnull(last_outbound_at, ?3), ?3), last_message = ?4,
            channels = channels | ?5, message_count = message_count + 1,
            created_at = min(ifnull(created_at, ?3), ?3)
        WHERE contact = ?1 AND sender = ?2
            AND (?6 OR (opted_out = 0 AND NOT (no_promotions AND ?7)))",
    thread_begins: "INSERT INTO thread (contact, sender, last_outbound_at, project, last_message,
            channels, opted_out, no_promotions, message_count, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?3)",
    find_consent: "SELECT opted_out, no_promotions FROM thread WHERE contact = ?1 AND sender = ?2",
    // Changes no row when the conversation went over that channel before.
    thread_channel: "UPDATE thread SET channels = channels | ?3
        WHERE contact = ?1 AND sender = ?2 AND channels & ?3 = 0 AND last_message IS NOT NULL",
    add_message: "INSERT INTO message (id, project, sender, contact, place, status, channel, in_hand,
            updated_at, lane, due_at, due_kind, progress, campaign)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    add_content: "INSERT INTO content (message, peer, kind, accepted_at, class_reason, category, speed,
            explicit, reply_to, reply_channel, test, scheduled_at, extra, template, metadata, text,
            decision, peer_address, email, context, purpose, campaign)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
            ?20, ?21, ?22)",
    load: "SELECT project, sender, contact, lane, due_at, due_kind, progress, campaign
        FROM message WHERE id = ?1",
    // Two forms, since SQLite rewrites an index whenever the statement names its columns, also
    // where their values stay the same.
    save: "UPDATE message SET status = ?2, channel = ?3, in_hand = ?4,
            updated_at = ifnull(?5, updated_at), progress = ?6 WHERE id = ?1",
    save_and_move: "UPDATE message SET status = ?2, channel = ?3, in_hand = ?4,
            updated_at = ifnull(?5, updated_at), progress = ?6, lane = ?7, due_at = ?8, due_kind = ?9
        WHERE id = ?1",
    add_submission: "INSERT OR REPLACE INTO submission (route, reference, message, attempt, part,
            channel)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    find_submission: "SELECT message, attempt, part FROM submission
        WHERE route = ?1 AND reference = ?2",
    // Seldom is there any: this is all that an answer pays for those (R-DUP).
    any_unknown: "SELECT 1 FROM unknown_submission WHERE route = ?1 LIMIT 1",
    find_parked: "SELECT id, at, state, failure, raw, form, forms, whole FROM parked_receipt
        WHERE route = ?1 AND reference = ?2
            AND (form = 0 OR peer = (SELECT c.peer FROM content c WHERE c.message = ?3))",
    add_event: "INSERT INTO event (project, sender, kind, message, at, channel, detail)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    add_posting: "INSERT INTO ledger (project, at, gains, loses, amount, message, attempt, note)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    add_receipt: "INSERT INTO receipt (message, no, at, attempt, state, raw)
        VALUES (?1, (SELECT ifnull(max(no), 0) + 1 FROM receipt WHERE message = ?1), ?2, ?3, ?4, ?5)",
    // No row for an erased contact, NULLs for one without a record.
    find_record: "SELECT r.success_count, r.failure_count, r.delivery_time_sum,
            r.delivery_time_count, r.last_success_at
        FROM contact c LEFT JOIN channel_record r ON r.contact = c.id AND r.channel = ?3
        WHERE c.project = ?1 AND c.id = ?2",
    keep_record: "INSERT INTO channel_record (contact, channel, success_count, failure_count,
            delivery_time_sum, delivery_time_count, last_success_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT (contact, channel) DO UPDATE SET success_count = ?3, failure_count = ?4,
            delivery_time_sum = ?5, delivery_time_count = ?6, last_success_at = ?7",
}

/// The line's state inside one transaction.
pub(super) struct Line<'c> {
    pub(super) connection: &'c Connection,
    pub(super) hot: Hot<'c>,
    pub(super) keys: KeySequence,
    pub(super) seal: Arc<Seal>,
    pub(super) books: Books,
    /// Whether anybody was erased who had opted out.
    pub(super) suppresses: bool,
    epoch: Epoch,
    capability_memory: Millis,
    /// Memory that progress records are written in.
    record: Vec<u8>,
}

impl std::fmt::Debug for Line<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line")
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

/// An outbound message as it was found.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) id: MessageId,
    pub(super) project: ProjectKey,
    pub(super) sender: SenderKey,
    pub(super) contact: ContactId,
    campaign: Option<CampaignKey>,
    lane: Option<i64>,
    due: Option<(i64, i64)>,
    was: Status,
    /// Where it waited before.
    was_waiting: Waiting,
    version: u32,
    unknown: Vec<(u8, RouteKey)>,
    /// How its attempts stood, as far as they are booked.
    pub(super) booked: Standings,
    /// Whether what it takes of the quotas was reserved before it is written back.
    pub(super) is_reserved: bool,
    /// The route whose answer it waited for.
    in_hand_of: Option<RouteKey>,
    /// Whether the route of the operation is known to mark what it starts.
    pub(super) marks_started: bool,
    pub(super) progress: Progress,
}

/// One fold into a message: what it brought, and when it happened.
pub(super) type Fold = (Effects, Timestamp);

impl<'c> Line<'c> {
    pub(super) fn new(
        connection: &'c Connection,
        options: Options,
        seal: Arc<Seal>,
    ) -> Result<Self, Fault> {
        Ok(Self {
            connection,
            hot: Hot::prepare(connection)?,
            keys: KeySequence::default(),
            seal,
            books: Books::default(),
            suppresses: false,
            epoch: Epoch(0),
            capability_memory: options.capability_memory,
            record: Vec::new(),
        })
    }

    /// Runs `body` in one transaction: committed when it succeeds, undone when it does not.
    pub(super) fn transaction<T>(
        &mut self,
        body: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let result = self.attempt(body);
        if result.is_err() && !self.connection.is_autocommit() {
            // What cannot be undone now is undone when the file is opened again.
            if let Err(error) = self.connection.execute_batch("ROLLBACK") {
                tracing::error!(%error, "roll back");
            }
        }
        result
    }

    fn attempt<T>(&mut self, body: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        self.books.clear();
        self.hot.begin.execute([])?;
        // Read anew each time: another process may have written since.
        let (epoch, last_key, suppresses) = self
            .hot
            .line
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        self.suppresses = suppresses;
        self.epoch = Epoch(epoch);
        self.keys = KeySequence::after(last_key);
        let result = body(self)?;
        self.write_books()?;
        if self.keys.last() != last_key {
            self.hot.keep_last_key.execute([self.keys.last()])?;
        }
        self.hot.commit.execute([])?;
        Ok(result)
    }

    /// Whether a newer owner has the work.
    /// The epoch of the work's owner.
    pub(super) const fn owner(&self) -> Epoch {
        self.epoch
    }

    pub(super) fn is_fenced(&self, epoch: Epoch) -> bool {
        epoch < self.epoch
    }

    pub(super) fn raise_epoch(&mut self) -> Result<Epoch, Fault> {
        self.epoch = Epoch(self.epoch.0 + 1);
        self.connection
            .execute("UPDATE line SET epoch = ?1 WHERE id = 1", [self.epoch.0])?;
        Ok(self.epoch)
    }

    /// The outbound message with this id.
    pub(super) fn load(&mut self, id: MessageId) -> Result<Option<Loaded>, Fault> {
        let mut rows = self.hot.load.query([id.key()])?;
        rows.next()?.map_or(Ok(None), |row| Loaded::read(id, row))
    }

    /// A new message's changing row; answers with what is due.
    pub(super) fn add_outbound(
        &mut self,
        id: MessageId,
        contact: ContactId,
        message: &ports::store::messages::NewMessage,
        progress: &Progress,
    ) -> Result<(), Fault> {
        let columns = Columns::of(progress);
        self.record = progress::encode(progress, std::mem::take(&mut self.record));
        self.hot.add_message.execute(params![
            id.key(),
            message.project.0,
            message.sender.0,
            contact.key(),
            fold::place(message).as_millis(),
            columns.status,
            columns.channel,
            columns.in_hand,
            message.accepted_at.as_millis(),
            columns.lane,
            columns.due.map(|it| it.0),
            columns.due.map(|it| it.1),
            self.record,
            message.campaign.as_ref().map(|it| it.key.0),
        ])?;
        Ok(())
    }

    /// Writes a message back after `folds`, and what they bring for others; nothing when they
    /// changed nothing.
    pub(super) fn finish(
        &mut self,
        loaded: &Loaded,
        at: Option<Timestamp>,
        folds: &[Fold],
    ) -> Result<Outcome, Fault> {
        Ok(Outcome::Changed(self.write_back(loaded, at, folds)?))
    }

    /// See [`finish`](Self::finish).
    pub(super) fn write_back(
        &mut self,
        loaded: &Loaded,
        at: Option<Timestamp>,
        folds: &[Fold],
    ) -> Result<Changed, Fault> {
        let mut changed =
            fold::changed(loaded.id, loaded.was, loaded.was_waiting, &loaded.progress);
        for (effects, at) in folds {
            fold::note(&mut changed, effects);
            if let Some(metric) = &effects.metric {
                self.count(loaded, metric)?;
            }
            match effects.learnt {
                None => {}
                Some(Learnt::Incapable(channel)) => {
                    self.learn_incapable(loaded, channel.number(), *at)?;
                }
                Some(Learnt::WindowClosed) => self.learn_window_closed(loaded)?,
            }
        }
        let of = (loaded.project, loaded.sender, loaded.id);
        if let Some(at) = at
            && let Some(event) = events::of_change(of, loaded.was, &loaded.progress, at)
        {
            self.add_event(&event)?;
        }
        if loaded.progress.version != loaded.version {
            let of = BookedMessage {
                project: loaded.project,
                sender: loaded.sender,
                class: loaded.progress.class,
                campaign: loaded.campaign,
                message: loaded.id,
            };
            let standings = Standings::of(&loaded.progress);
            let now = at.unwrap_or_default();
            self.book(of, &loaded.booked, &standings, loaded.is_reserved, now)?;
            self.save(loaded, at)?;
            self.track_unknown(loaded)?;
            let was_claimed = matches!(loaded.was_waiting, Waiting::Person(_));
            self.track_claim(loaded.project, loaded.id, was_claimed, &loaded.progress)?;
        }
        if let Some(route) = fold::answered(loaded.in_hand_of, &loaded.progress)
            && self.hot.any_unknown.exists([route.0])?
        {
            changed.resolved = self.look_again(loaded, route, at)?.map(Box::new);
        }
        Ok(changed)
    }

    fn save(&mut self, loaded: &Loaded, at: Option<Timestamp>) -> Result<(), Fault> {
        let columns = Columns::of(&loaded.progress);
        let (id, at) = (loaded.id.key(), at.map(Timestamp::as_millis));
        let Columns {
            status,
            channel,
            in_hand,
            lane,
            due,
        } = columns;
        self.record = progress::encode(&loaded.progress, std::mem::take(&mut self.record));
        if lane == loaded.lane && due == loaded.due {
            let values = params![id, status, channel, in_hand, at, self.record];
            self.hot.save.execute(values)?;
        } else {
            let (due_at, due_kind) = (due.map(|it| it.0), due.map(|it| it.1));
            let values = params![
                id,
                status,
                channel,
                in_hand,
                at,
                self.record,
                lane,
                due_at,
                due_kind
            ];
            self.hot.save_and_move.execute(values)?;
        }
        Ok(())
    }

    /// Keeps the contact's delivery record (R-METRIC-1).
    fn count(&mut self, loaded: &Loaded, change: &MetricChange) -> Result<(), Fault> {
        let channel = change.channel.number();
        let found = self
            .hot
            .find_record
            .query_row(
                params![loaded.project.0, loaded.contact.key(), channel],
                |row| read_metrics(row, 0),
            )
            .optional()?;
        let Some(before) = found else { return Ok(()) };
        let after = metrics::apply(before, change);
        self.hot.keep_record.execute(params![
            loaded.contact.key(),
            channel,
            after.success_count,
            after.failure_count,
            after.delivery_time_sum.get(),
            after.delivery_time_count,
            after.last_success_at.map(Timestamp::as_millis),
        ])?;
        Ok(())
    }

    fn learn_incapable(
        &mut self,
        loaded: &Loaded,
        channel: i64,
        at: Timestamp,
    ) -> Result<(), Fault> {
        let until = at.plus(self.capability_memory).as_millis();
        self.connection
            .prepare_cached(
                "INSERT INTO channel_record (contact, channel, success_count, failure_count,
                     delivery_time_sum, delivery_time_count, incapable_until)
                 SELECT id, ?3, 0, 0, 0, 0, ?4 FROM contact WHERE project = ?1 AND id = ?2
                 ON CONFLICT (contact, channel) DO UPDATE SET incapable_until = ?4",
            )?
            .execute(params![
                loaded.project.0,
                loaded.contact.key(),
                channel,
                until
            ])?;
        Ok(())
    }

    fn learn_window_closed(&mut self, loaded: &Loaded) -> Result<(), Fault> {
        self.connection
            .prepare_cached(
                "UPDATE thread SET whatsapp_window_from = NULL WHERE contact = ?1 AND sender = ?2",
            )?
            .execute(params![loaded.contact.key(), loaded.sender.0])?;
        Ok(())
    }

    /// Keeps which messages a person has (R-PHONE-2).
    pub(super) fn track_claim(
        &mut self,
        project: ProjectKey,
        message: MessageId,
        was_claimed: bool,
        progress: &Progress,
    ) -> Result<(), Fault> {
        let sql = match (was_claimed, fold::is_claimed(progress)) {
            (false, true) => "INSERT INTO claim (project, message) VALUES (?1, ?2)",
            (true, false) => "DELETE FROM claim WHERE project = ?1 AND message = ?2",
            (true, true) | (false, false) => return Ok(()),
        };
        self.connection
            .prepare_cached(sql)?
            .execute(params![project.0, message.key()])?;
        Ok(())
    }

    /// Keeps which submissions are of unknown outcome, by route and recipient (R-DUP).
    fn track_unknown(&mut self, loaded: &Loaded) -> Result<(), Fault> {
        let now = unknown_attempts(&loaded.progress);
        if now == loaded.unknown {
            return Ok(());
        }
        let peer: i64 = self
            .connection
            .prepare_cached("SELECT peer FROM content WHERE message = ?1")?
            .query_row([loaded.id.key()], |row| row.get(0))?;
        for (attempt, route) in &loaded.unknown {
            self.connection
                .prepare_cached(
                    "DELETE FROM unknown_submission
                     WHERE route = ?1 AND peer = ?2 AND message = ?3 AND attempt = ?4",
                )?
                .execute(params![route.0, peer, loaded.id.key(), attempt])?;
        }
        for (attempt, route) in &now {
            self.connection
                .prepare_cached(
                    "INSERT INTO unknown_submission (route, peer, message, attempt)
                     VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![route.0, peer, loaded.id.key(), attempt])?;
        }
        Ok(())
    }
}

impl Loaded {
    /// What is kept beside the provider's names for this attempt: its channel, where they are to be
    /// found by the message, too.
    pub(super) fn answerable(&self, attempt: u8) -> Option<i64> {
        fold::answerable_channel(&self.progress, attempt).map(Coded::number)
    }

    fn read(id: MessageId, row: &Row<'_>) -> Result<Option<Self>, Fault> {
        let Some(record) = row
            .get_ref(6)?
            .as_blob_or_null()
            .map_err(|_| Corrupt("progress"))?
        else {
            return Ok(None); // inbound
        };
        let progress = progress::decode(record)?;
        let due_at: Option<i64> = row.get(4)?;
        Ok(Some(Self {
            id,
            project: ProjectKey(row.get(0)?),
            sender: SenderKey(row.get(1)?),
            contact: ContactId::from_key(row.get(2)?),
            campaign: row.get::<_, Option<u32>>(7)?.map(CampaignKey),
            lane: row.get(3)?,
            due: due_at
                .map(|at| row.get(5).map(|kind| (at, kind)))
                .transpose()?,
            was: progress.status,
            was_waiting: progress.waiting,
            version: progress.version,
            unknown: unknown_attempts(&progress),
            booked: Standings::of(&progress),
            is_reserved: false,
            in_hand_of: fold::in_hand_of(&progress),
            marks_started: false,
            progress,
        }))
    }
}

/// Attempts of unknown outcome, with the route that had them.
fn unknown_attempts(progress: &Progress) -> Vec<(u8, RouteKey)> {
    let unknown = progress
        .attempts
        .iter()
        .filter(|it| it.state == AttemptState::Unknown);
    unknown.map(|it| (it.no, it.route)).collect()
}

/// Reads the five columns of a delivery record from `first` on; NULLs are the empty record.
pub(super) fn read_metrics(row: &Row<'_>, first: usize) -> rusqlite::Result<ChannelMetrics> {
    let Some(success_count) = row.get(first)? else {
        return Ok(ChannelMetrics::default());
    };
    let last_success_at: Option<i64> = row.get(first + 4)?;
    Ok(ChannelMetrics {
        success_count,
        failure_count: row.get(first + 1)?,
        delivery_time_sum: Millis::new(row.get(first + 2)?),
        delivery_time_count: row.get(first + 3)?,
        last_success_at: last_success_at.map(Timestamp::from_millis),
    })
}

/// What of a progress stands in columns of its own.
#[derive(Debug, Clone, Copy)]
struct Columns {
    status: i64,
    channel: Option<i64>,
    in_hand: bool,
    lane: Option<i64>,
    due: Option<(i64, i64)>,
}

impl Columns {
    fn of(progress: &Progress) -> Self {
        Self {
            status: progress.status.number(),
            channel: progress.last_attempt().map(|it| it.channel.number()),
            in_hand: fold::is_in_hand(progress),
            lane: match progress.waiting {
                Waiting::Lane(lane) => Some(lane_to_key(lane)),
                Waiting::Schedule { .. }
                | Waiting::Fallback { .. }
                | Waiting::Person(_)
                | Waiting::No => None,
            },
            due: next_due(progress).map(|it| (it.at.as_millis(), it.kind.number())),
        }
    }
}
