//! What has become of each message, counted by its reference?
//!
//! Every point of a message's way is a field of one row, and the rows are a flat array indexed by the
//! reference in the text. The whole tool runs on one thread, so the lock is never contended; it is
//! there because the stand-ins of the tests run on others.

use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Counts over a whole run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Messages for which a request was written at least once.
    pub requested: u64,
    /// Messages answered by 202 with an id.
    pub accepted: u64,
    /// Requests answered by 429, each tried again.
    pub throttled_requests: u64,
    /// Messages refused by another status.
    pub refused: u64,
    /// Messages whose connection broke, or whose answer never came. Never asked for again.
    pub unanswered: u64,
    /// Messages that reached the SMSC at least once and were taken by it.
    pub submitted: u64,
    /// Further copies of messages that the SMSC had already taken.
    pub duplicates: u64,
    /// Submissions that the SMSC refused because the script said so.
    pub submissions_refused: u64,
    /// Receipts written, repeats included.
    pub receipts_sent: u64,
    /// Receipts answered with status 0.
    pub receipts_acked: u64,
    /// Receipts answered with an error status, each sent again.
    pub receipts_nacked: u64,
    /// Messages that came to their end at the SMSC: receipt acknowledged, refused for good, or taken without a receipt.
    pub ended: u64,
}

/// What was measured since [`Tally::begin_phase`]. Times are microseconds on the tally's clock.
#[derive(Debug, Clone, Default)]
pub struct Phase {
    /// When the first request was written.
    pub first_request_us: Option<u64>,
    /// When the latest 202 came.
    pub last_accept_us: u64,
    /// When the first submission came.
    pub first_submit_us: Option<u64>,
    /// When the latest submission came.
    pub last_submit_us: u64,
    /// When the latest message ended.
    pub last_end_us: u64,
    /// Messages accepted.
    pub accepted: u64,
    /// Messages submitted for the first time.
    pub submitted: u64,
    /// Messages ended.
    pub ended: u64,
    /// Request written to answer read, of accepted messages.
    pub answer_us: Vec<u32>,
    /// Request written to first submission read, of messages requested in this phase.
    pub to_submit_us: Vec<u32>,
    /// Receipt written to its acknowledgement read.
    pub ack_us: Vec<u32>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Row {
    requested_us: u64,
    submits: u8,
    receipts_sent: u8,
    receipts_acked: u8,
    requested: bool,
    accepted: bool,
    ended: bool,
}

/// One message at the end of a run, as [`Tally::each`] shows it.
#[derive(Debug, Clone, Copy)]
pub struct Fate {
    /// The reference in the message's text.
    pub reference: u32,
    /// Answered by 202.
    pub accepted: bool,
    /// Copies that the SMSC took.
    pub submits: u8,
    /// Receipts written.
    pub receipts_sent: u8,
    /// Receipts acknowledged.
    pub receipts_acked: u8,
}

#[derive(Debug, Default)]
struct Inner {
    rows: Vec<Row>,
    counts: Counts,
    phase: Phase,
    phase_began_us: u64,
    journal: String,
    open: u64,
    moved_us: u64,
    first_refusal: Option<String>,
}

impl Inner {
    fn row(&mut self, reference: u32) -> &mut Row {
        let index = reference as usize;
        if index >= self.rows.len() {
            self.rows
                .resize((index + 1).next_power_of_two(), Row::default());
        }
        &mut self.rows[index]
    }

    fn end(&mut self, reference: u32, now: u64) {
        let row = self.row(reference);
        if row.ended {
            return;
        }
        row.ended = true;
        if row.accepted {
            self.open -= 1;
        }
        self.counts.ended += 1;
        self.phase.ended += 1;
        self.phase.last_end_us = now;
    }
}

/// The counts of a run and its clock.
#[derive(Debug)]
pub struct Tally {
    epoch: Instant,
    inner: Mutex<Inner>,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            epoch: Instant::now(),
            inner: Mutex::default(),
        }
    }
}

/// The difference of two instants as it is kept: saturating at 71 minutes.
fn latency(from: u64, to: u64) -> u32 {
    u32::try_from(to.saturating_sub(from)).unwrap_or(u32::MAX)
}

impl Tally {
    /// Microseconds since the tally was made.
    pub fn now_us(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request for this message is about to be written. Returns the time that goes with its answer.
    pub fn requested(&self, reference: u32) -> u64 {
        let now = self.now_us();
        let mut inner = self.lock();
        let row = inner.row(reference);
        let first = !row.requested;
        row.requested = true;
        row.requested_us = now;
        if first {
            inner.counts.requested += 1;
        }
        inner.phase.first_request_us.get_or_insert(now);
        now
    }

    /// The message was answered by 202 under `id`; `requested_us` is what [`Self::requested`] returned.
    pub fn accepted(&self, reference: u32, id: &str, requested_us: u64) {
        let now = self.now_us();
        let mut inner = self.lock();
        let row = inner.row(reference);
        if row.accepted {
            return;
        }
        row.accepted = true;
        if !row.ended {
            inner.open += 1;
        }
        inner.counts.accepted += 1;
        inner.phase.accepted += 1;
        inner.phase.last_accept_us = now;
        inner.phase.answer_us.push(latency(requested_us, now));
        inner.moved_us = now;
        // Writing to a string cannot fail.
        let _ = writeln!(inner.journal, "{reference} {id}");
    }

    /// The request was answered by 429 and will be made again.
    pub fn throttled(&self) {
        self.lock().counts.throttled_requests += 1;
    }

    /// The message was refused by another status than 429. The first refusal is kept for the report.
    pub fn refused(&self, status: u16, body: &str) {
        let mut inner = self.lock();
        inner.counts.refused += 1;
        if inner.first_refusal.is_none() {
            inner.first_refusal = Some(format!(
                "{status} {}",
                body.chars().take(300).collect::<String>()
            ));
        }
    }

    /// The first refusal of the run: status and body.
    pub fn first_refusal(&self) -> Option<String> {
        self.lock().first_refusal.clone()
    }

    /// The connection broke, or no answer came in time.
    pub fn unanswered(&self) {
        self.lock().counts.unanswered += 1;
    }

    /// The SMSC took a submission of this message (its first part). Returns false if it had taken one before.
    pub fn submitted(&self, reference: u32, now: u64) -> bool {
        let mut inner = self.lock();
        inner.moved_us = now;
        let row = inner.row(reference);
        row.submits = row.submits.saturating_add(1);
        if row.submits > 1 {
            inner.counts.duplicates += 1;
            return false;
        }
        let row = *row;
        inner.counts.submitted += 1;
        inner.phase.submitted += 1;
        inner.phase.first_submit_us.get_or_insert(now);
        inner.phase.last_submit_us = now;
        if row.requested && row.requested_us >= inner.phase_began_us {
            inner
                .phase
                .to_submit_us
                .push(latency(row.requested_us, now));
        }
        true
    }

    /// The SMSC refused a submission; `for_good` when the sender must not try it again.
    pub fn submission_refused(&self, reference: Option<u32>, for_good: bool, now: u64) {
        let mut inner = self.lock();
        inner.counts.submissions_refused += 1;
        inner.moved_us = now;
        if let (Some(reference), true) = (reference, for_good) {
            inner.end(reference, now);
        }
    }

    /// The message was taken and no receipt will be sent for it.
    pub fn ended_without_receipt(&self, reference: u32, now: u64) {
        self.lock().end(reference, now);
    }

    /// A receipt was written.
    pub fn receipt_sent(&self, reference: Option<u32>, now: u64) {
        let mut inner = self.lock();
        inner.counts.receipts_sent += 1;
        inner.moved_us = now;
        if let Some(reference) = reference {
            let row = inner.row(reference);
            row.receipts_sent = row.receipts_sent.saturating_add(1);
        }
    }

    /// A receipt written at `sent_us` was answered with status 0.
    pub fn receipt_acked(&self, reference: Option<u32>, sent_us: u64, now: u64) {
        let mut inner = self.lock();
        inner.counts.receipts_acked += 1;
        inner.moved_us = now;
        inner.phase.ack_us.push(latency(sent_us, now));
        if let Some(reference) = reference {
            let row = inner.row(reference);
            row.receipts_acked = row.receipts_acked.saturating_add(1);
            inner.end(reference, now);
        }
    }

    /// A receipt was answered with an error.
    pub fn receipt_nacked(&self, now: u64) {
        let mut inner = self.lock();
        inner.counts.receipts_nacked += 1;
        inner.moved_us = now;
    }

    /// The counts so far.
    pub fn counts(&self) -> Counts {
        self.lock().counts
    }

    /// Accepted messages that have not ended.
    pub fn open(&self) -> u64 {
        self.lock().open
    }

    /// When something last moved.
    pub fn moved_us(&self) -> u64 {
        self.lock().moved_us
    }

    /// Starts a new phase and returns what the one before measured.
    pub fn begin_phase(&self) -> Phase {
        let now = self.now_us();
        let mut inner = self.lock();
        inner.phase_began_us = now;
        std::mem::take(&mut inner.phase)
    }

    /// A copy of the running phase without its latencies.
    pub fn phase_so_far(&self) -> Phase {
        let inner = self.lock();
        Phase {
            answer_us: Vec::new(),
            to_submit_us: Vec::new(),
            ack_us: Vec::new(),
            ..inner.phase
        }
    }

    /// The accepted messages, one line each: reference and id.
    pub fn journal(&self) -> String {
        self.lock().journal.clone()
    }

    /// Shows every message that was requested or submitted.
    pub fn each(&self, mut show: impl FnMut(Fate)) {
        for (reference, row) in (0_u32..).zip(&self.lock().rows) {
            if row.requested || row.submits > 0 {
                show(Fate {
                    reference,
                    accepted: row.accepted,
                    submits: row.submits,
                    receipts_sent: row.receipts_sent,
                    receipts_acked: row.receipts_acked,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_open_from_its_acceptance_to_its_acknowledged_receipt() {
        let tally = Tally::default();
        let at = tally.requested(7);
        assert_eq!(tally.open(), 0);
        tally.accepted(7, "msg_a", at);
        assert_eq!(tally.open(), 1);
        assert!(tally.submitted(7, at + 50));
        tally.receipt_sent(Some(7), at + 60);
        assert_eq!(tally.open(), 1);
        tally.receipt_acked(Some(7), at + 60, at + 90);
        assert_eq!(tally.open(), 0);
        let phase = tally.begin_phase();
        assert_eq!(
            (phase.ended, phase.to_submit_us, phase.ack_us),
            (1, vec![50], vec![30])
        );
        assert_eq!(tally.journal(), "7 msg_a\n");
    }

    #[test]
    fn an_end_before_the_202_leaves_nothing_open() {
        let tally = Tally::default();
        let at = tally.requested(1);
        assert!(tally.submitted(1, at));
        tally.receipt_acked(Some(1), at, at);
        tally.accepted(1, "msg_b", at);
        assert_eq!((tally.open(), tally.counts().ended), (0, 1));
    }

    #[test]
    fn a_second_copy_is_a_duplicate_and_a_second_receipt_is_not_a_second_end() {
        let tally = Tally::default();
        assert!(tally.submitted(3, 1));
        assert!(!tally.submitted(3, 2));
        tally.receipt_acked(Some(3), 1, 2);
        tally.receipt_acked(Some(3), 1, 2);
        let counts = tally.counts();
        assert_eq!(
            (
                counts.submitted,
                counts.duplicates,
                counts.ended,
                counts.receipts_acked
            ),
            (1, 1, 1, 2)
        );
        let mut seen = Vec::new();
        tally.each(|fate| seen.push((fate.reference, fate.submits, fate.accepted)));
        assert_eq!(seen, [(3, 2, false)]);
    }

    #[test]
    fn a_refusal_for_good_ends_a_message_and_a_throttle_does_not() {
        let tally = Tally::default();
        let at = tally.requested(0);
        tally.accepted(0, "msg_c", at);
        tally.submission_refused(Some(0), false, 1);
        assert_eq!(tally.open(), 1);
        tally.submission_refused(Some(0), true, 2);
        assert_eq!(tally.open(), 0);
    }

    #[test]
    fn the_way_to_the_smsc_is_measured_in_the_phase_in_which_it_began() {
        let tally = Tally::default();
        let at = tally.requested(0);
        // Microseconds: the phase begins in a later one.
        while tally.now_us() == at {}
        tally.begin_phase();
        assert!(tally.submitted(0, at + 1_000_000));
        let at = tally.requested(1);
        assert!(tally.submitted(1, at + 40));
        let phase = tally.begin_phase();
        assert_eq!((phase.submitted, phase.to_submit_us), (2, vec![40]));
    }

    #[test]
    fn a_new_phase_starts_empty_and_keeps_the_totals() {
        let tally = Tally::default();
        let at = tally.requested(0);
        tally.accepted(0, "msg_d", at);
        assert_eq!(tally.begin_phase().accepted, 1);
        assert_eq!(
            (tally.phase_so_far().accepted, tally.counts().accepted),
            (0, 1)
        );
    }
}
