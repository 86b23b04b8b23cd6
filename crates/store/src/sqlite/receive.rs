//! Station 4: receipts find their submission, are kept, and are folded.

use domain::ids::{MessageId, RouteKey};
use domain::model::failure::Failure;
use domain::model::receipt::{ReceiptState, SubmitOutcome};
use domain::time::Timestamp;
use ports::store::operations::{Changed, Receipt, Submitted};
use ports::store::{Outcome, fold};
use rusqlite::{OptionalExtension, Row, params};

use super::fault::Fault;
use super::lines::{Line, Loaded};
use crate::rows::Corrupt;
use crate::rows::address::{address_from, address_to_key};

/// What a receipt is for.
struct Subject {
    loaded: Loaded,
    attempt: u8,
    part: u16,
    /// Whether the receipt's reference was not known before.
    is_new: bool,
}

/// A receipt that came before the answer to its submission.
#[derive(Debug)]
pub(super) struct Parked {
    /// The row of its first form; the rows of the others follow.
    pub(super) first: i64,
    forms: i64,
    pub(super) at: Timestamp,
    pub(super) state: ReceiptState,
    pub(super) raw: Box<str>,
    /// Whether it speaks of the whole message.
    pub(super) whole: bool,
}

impl Parked {
    /// Reads `id, at, state, failure, raw, form, forms, whole`.
    pub(super) fn read(row: &Row<'_>) -> Result<Self, Fault> {
        let failure: Option<String> = row.get(3)?;
        let failure = failure.map(|it| serde_json::from_str(&it)).transpose()?;
        Ok(Self {
            first: row.get::<_, i64>(0)? - row.get::<_, i64>(5)?,
            forms: row.get(6)?,
            at: Timestamp::from_millis(row.get(1)?),
            state: state_from_code(row.get(2)?, failure)?,
            raw: row.get(4)?,
            whole: row.get(7)?,
        })
    }
}

/// The codes of receipt states.
const STATES: [&str; 4] = ["in_transit", "delivered", "read", "failed"];

fn state_to_code(state: &ReceiptState) -> i64 {
    match state {
        ReceiptState::InTransit => 0,
        ReceiptState::Delivered => 1,
        ReceiptState::Read => 2,
        ReceiptState::Failed(_) => 3,
    }
}

fn state_from_code(code: i64, failure: Option<Failure>) -> Result<ReceiptState, Corrupt> {
    match (code, failure) {
        (0, None) => Ok(ReceiptState::InTransit),
        (1, None) => Ok(ReceiptState::Delivered),
        (2, None) => Ok(ReceiptState::Read),
        (3, Some(failure)) => Ok(ReceiptState::Failed(failure)),
        _ => Err(Corrupt("receipt state")),
    }
}

/// The word of a kept receipt's state.
pub(super) fn state_word(code: i64) -> Result<&'static str, Corrupt> {
    usize::try_from(code)
        .ok()
        .and_then(|at| STATES.get(at).copied())
        .ok_or(Corrupt("receipt state"))
}

impl Line<'_> {
    /// See [`Receipt`].
    pub(super) fn receipt(&mut self, receipt: &Receipt) -> Result<Outcome, Fault> {
        let Some(mut subject) = self.find_subject(receipt)? else {
            return self.park(receipt);
        };
        let Receipt { state, raw, at, .. } = receipt;
        let loaded = &mut subject.loaded;
        if let Some(reference) = receipt.references.first().filter(|_| subject.is_new) {
            let (message, attempt, part) = (loaded.id.key(), subject.attempt, subject.part);
            let answerable = loaded.answerable(attempt);
            let row = params![
                receipt.route.0,
                reference,
                message,
                attempt,
                part,
                answerable
            ];
            self.hot.add_submission.execute(row)?;
        }
        loaded.marks_started = receipt.marks_started;
        let effects = fold::receipt(
            &mut loaded.progress,
            subject.attempt,
            subject.part,
            state,
            *at,
        );
        self.keep_receipt(loaded.id, subject.attempt, state, raw, *at)?;
        self.finish(loaded, Some(*at), &[(effects, *at)])
    }

    /// By reference; else by our own; else the only unknown submission that fits (R-DUP).
    fn find_subject(&mut self, receipt: &Receipt) -> Result<Option<Subject>, Fault> {
        for (form, reference) in receipt.references.iter().enumerate() {
            let found = self
                .hot
                .find_submission
                .query_row(params![receipt.route.0, reference], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })
                .optional()?;
            if let Some((message, attempt, part)) = found
                && self.may_be_for(form, receipt, message)?
                && let Some(loaded) = self.load(MessageId::from_key(message))?
            {
                return Ok(Some(Subject {
                    loaded,
                    attempt,
                    part,
                    is_new: false,
                }));
            }
        }
        if let Some((message, attempt)) = receipt.ours
            && let Some(subject) = self.unnamed(receipt, message, attempt)?
        {
            return Ok(Some(subject));
        }
        match self.only_unknown(receipt)? {
            Some((message, attempt)) => self.unnamed(receipt, message, attempt),
            None => Ok(None),
        }
    }

    /// See [`fold::may_be_for`].
    fn may_be_for(&mut self, form: usize, receipt: &Receipt, message: i64) -> Result<bool, Fault> {
        if form == 0 {
            return Ok(true);
        }
        let to = self
            .connection
            .prepare_cached("SELECT peer, peer_address FROM content WHERE message = ?1")?
            .query_row([message], |row| {
                Ok((row.get(0)?, row.get::<_, Option<String>>(1)?))
            })
            .optional()?;
        let to = to
            .map(|(peer, beside)| address_from(peer, beside.as_deref()))
            .transpose()?;
        Ok(to.is_some_and(|to| fold::may_be_for(form, receipt.recipient.as_ref(), &to)))
    }

    /// The attempt, where the receipt's route has or had it, and the part that is meant.
    fn unnamed(
        &mut self,
        receipt: &Receipt,
        message: MessageId,
        attempt: u8,
    ) -> Result<Option<Subject>, Fault> {
        let Some(loaded) = self.load(message)? else {
            return Ok(None);
        };
        let found = loaded.progress.attempts.iter().find(|it| it.no == attempt);
        let Some(part) = found
            .filter(|it| it.may_be_of(receipt.route))
            .map(|it| fold::unnamed_part(it, receipt.whole))
        else {
            return Ok(None);
        };
        Ok(Some(Subject {
            loaded,
            attempt,
            part,
            is_new: true,
        }))
    }

    fn only_unknown(&mut self, receipt: &Receipt) -> Result<Option<(MessageId, u8)>, Fault> {
        let Some(recipient) = &receipt.recipient else {
            return Ok(None);
        };
        let peer = address_to_key(recipient);
        let Some(found) = self.one_unknown(receipt.route, peer)? else {
            return Ok(None);
        };
        let is_only = !self.has_another(found.0, receipt.route, receipt.marks_started)?;
        Ok(is_only.then_some(found))
    }

    /// The submission of unknown outcome to this recipient, if there is one and no more.
    fn one_unknown(
        &mut self,
        route: RouteKey,
        peer: i64,
    ) -> Result<Option<(MessageId, u8)>, Fault> {
        let mut statement = self.connection.prepare_cached(
            "SELECT message, attempt FROM unknown_submission WHERE route = ?1 AND peer = ?2 LIMIT 2",
        )?;
        let mut rows = statement.query(params![route.0, peer])?;
        let Some(first) = rows.next()? else {
            return Ok(None);
        };
        let found = (MessageId::from_key(first.get(0)?), first.get(1)?);
        let is_one = rows.next()?.is_none();
        Ok(is_one.then_some(found))
    }

    /// Whether the route has another submission to this message's recipient, whose answer has not come and
    /// which may have left.
    fn has_another(
        &mut self,
        message: MessageId,
        route: RouteKey,
        marks_started: bool,
    ) -> Result<bool, Fault> {
        let in_hand: Vec<i64> = self
            .connection
            .prepare_cached(
                "SELECT m.id FROM message this
                     JOIN content named ON named.message = this.id
                     JOIN message m ON m.contact = this.contact
                     JOIN content c ON c.message = m.id
                 WHERE this.id = ?1 AND m.id <> ?1 AND m.in_hand AND m.due_at IS NOT NULL
                     AND c.peer = named.peer",
            )?
            .query_map([message.key()], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for id in in_hand {
            let loaded = self.load(MessageId::from_key(id))?;
            if loaded.is_some_and(|it| fold::is_with(&it.progress, route, marks_started)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn park(&mut self, receipt: &Receipt) -> Result<Outcome, Fault> {
        if receipt.references.is_empty() {
            return Ok(Outcome::Missing);
        }
        let failure = match &receipt.state {
            ReceiptState::Failed(failure) => Some(serde_json::to_string(failure)?),
            ReceiptState::InTransit | ReceiptState::Delivered | ReceiptState::Read => None,
        };
        let peer = receipt.recipient.as_ref().map(address_to_key);
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO parked_receipt
                 (route, reference, form, forms, peer, at, state, failure, raw, whole)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?;
        let forms = i64::try_from(receipt.references.len()).unwrap_or(i64::MAX);
        for (form, reference) in (0..forms).zip(&receipt.references) {
            statement.execute(params![
                receipt.route.0,
                reference,
                form,
                forms,
                peer,
                receipt.at.as_millis(),
                state_to_code(&receipt.state),
                failure,
                receipt.raw,
                receipt.whole,
            ])?;
        }
        Ok(Outcome::ReceiptParked)
    }

    /// The one receipt that came for the recipient of a submission of unknown outcome since it was
    /// submitted, and its reference (R-DUP).
    pub(super) fn parked_for_unknown(
        &mut self,
        submitted: &Submitted,
    ) -> Result<Option<(String, Parked)>, Fault> {
        if !matches!(submitted.outcome, SubmitOutcome::Unknown { .. }) {
            return Ok(None);
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT p.id, p.at, p.state, p.failure, p.raw, p.form, p.forms, p.whole, p.reference
             FROM content c JOIN parked_receipt p
                 ON p.route = ?1 AND p.peer = c.peer AND p.form = 0 AND p.at >= ?2
             WHERE c.message = ?3 AND NOT EXISTS
                 (SELECT 1 FROM unknown_submission u
                  WHERE u.route = ?1 AND u.peer = c.peer AND u.message <> ?3)
             LIMIT 2",
        )?;
        let mut rows = statement.query(params![
            submitted.route.0,
            submitted.submitted_at.as_millis(),
            submitted.message.key()
        ])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let found = (row.get(8)?, Parked::read(row)?);
        let is_one = rows.next()?.is_none();
        drop(rows);
        drop(statement);
        let Submitted {
            message,
            route,
            marks_started,
            ..
        } = *submitted;
        let is_only = is_one && !self.has_another(message, route, marks_started)?;
        Ok(is_only.then_some(found))
    }

    /// Folds a receipt that was parked because it may have been for this message, whose answer is not waited
    /// for any more, into the only other submission that it fits (R-DUP).
    pub(super) fn look_again(
        &mut self,
        this: &Loaded,
        route: RouteKey,
        at: Option<Timestamp>,
    ) -> Result<Option<Changed>, Fault> {
        let peer = self
            .connection
            .prepare_cached("SELECT peer FROM content WHERE message = ?1")?
            .query_row([this.id.key()], |row| row.get(0))
            .optional()?;
        let Some(peer) = peer else { return Ok(None) };
        let other = self.one_unknown(route, peer)?;
        let Some((other, no)) = other.filter(|it| it.0 != this.id) else {
            return Ok(None);
        };
        let Some(mut loaded) = self.load(other)? else {
            return Ok(None);
        };
        let Some(since) = loaded
            .progress
            .attempt_mut(no)
            .and_then(|it| it.reserved_at)
        else {
            return Ok(None);
        };
        let Some((reference, receipt)) = self.one_parked(route, peer, since)? else {
            return Ok(None);
        };
        if self.has_another(other, route, this.marks_started)? {
            return Ok(None);
        }
        let Some(part) = loaded
            .progress
            .attempt_mut(no)
            .map(|it| fold::unnamed_part(it, receipt.whole))
        else {
            return Ok(None);
        };
        loaded.marks_started = this.marks_started;
        let answerable = loaded.answerable(no);
        let row = params![route.0, reference, other.key(), no, part, answerable];
        self.hot.add_submission.execute(row)?;
        let Parked {
            state,
            raw,
            at: came,
            ..
        } = &receipt;
        let effects = fold::receipt(&mut loaded.progress, no, part, state, *came);
        self.keep_receipt(other, no, state, raw, *came)?;
        self.forget_parked(&receipt)?;
        self.write_back(&loaded, at, &[(effects, *came)]).map(Some)
    }

    /// The receipt that was parked for this recipient since then, and its reference, if there is one and no
    /// more.
    fn one_parked(
        &mut self,
        route: RouteKey,
        peer: i64,
        since: Timestamp,
    ) -> Result<Option<(String, Parked)>, Fault> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, at, state, failure, raw, form, forms, whole, reference FROM parked_receipt
             WHERE route = ?1 AND peer = ?2 AND form = 0 AND at >= ?3 LIMIT 2",
        )?;
        let mut rows = statement.query(params![route.0, peer, since.as_millis()])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let found = (row.get(8)?, Parked::read(row)?);
        let is_one = rows.next()?.is_none();
        Ok(is_one.then_some(found))
    }

    /// Forgets a parked receipt in all its forms.
    pub(super) fn forget_parked(&mut self, parked: &Parked) -> Result<(), Fault> {
        self.connection
            .prepare_cached("DELETE FROM parked_receipt WHERE id >= ?1 AND id < ?1 + ?2")?
            .execute([parked.first, parked.forms])?;
        Ok(())
    }

    /// Keeps a receipt with its message.
    pub(super) fn keep_receipt(
        &mut self,
        message: MessageId,
        attempt: u8,
        state: &ReceiptState,
        raw: &str,
        at: Timestamp,
    ) -> Result<(), Fault> {
        let row = params![
            message.key(),
            at.as_millis(),
            attempt,
            state_to_code(state),
            raw
        ];
        self.hot.add_receipt.execute(row)?;
        Ok(())
    }
}
