//! How far is the clock of a phone off, what is it written for that, and how long is it waited for?
//!
//! The app judges validity by its own clock. What it signs carries the time that it has, fresh for each
//! try, and its reports the times of their steps, which may come late but never early. So `validUntil` is
//! written by the phone's clock (R-PHONE-3). Of a phone that has said nothing since the start nothing is known: it is
//! waited for the margin only.

use domain::time::{Millis, Timestamp};

use super::phone::Phone;
use super::pool::{Open, Pool};

/// What is on its way for so long, and clocks that are off by less, change nothing: the margin covers it.
const IGNORED: i64 = 30_000;
/// What is off by more is a clock that was never set; it is written for as if it were off by so much.
const MOST: i64 = 24 * 3_600_000;
/// From here on the operator is told.
const TOLD: i64 = 120_000;
/// How long a phone rests that calls a message too late which is not, the first time; then twice as
/// long each time, at most the other.
const EARLY_REST: Millis = Millis::seconds(5);
const EARLY_REST_MAX: Millis = Millis::minutes(5);

/// What is known of a phone's clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct PhoneClock {
    /// How far it is ahead, in milliseconds; behind is less than zero.
    off: Option<i64>,
    /// How often in a row the phone called a message too late that was not.
    early: u32,
}

impl PhoneClock {
    /// It signed something with this time just now.
    pub(super) fn signed(&mut self, said: Timestamp, now: Timestamp) {
        self.off = Some(off(said, now));
    }

    /// It told of something at this time, now or before: it is ahead by so much at least.
    pub(super) fn told(&mut self, said: Timestamp, now: Timestamp) {
        let off = off(said, now);
        if off > self.off.unwrap_or(IGNORED) {
            self.off = Some(off);
        }
    }

    /// How far it is ahead, as far as it matters.
    pub(super) fn ahead(&self) -> i64 {
        self.off.filter(|it| it.abs() >= IGNORED).unwrap_or(0)
    }

    /// The same for people, in seconds: where it is known and matters.
    pub(super) fn told_seconds(&self) -> Option<i64> {
        self.off.map(|it| it / 1_000)
    }

    /// Whether the operator is to be told.
    pub(super) fn is_wrong(&self) -> bool {
        self.off.is_some_and(|it| it.abs() > TOLD)
    }

    /// It has sent something: what it says of validity can be believed again.
    pub(super) fn agrees(&mut self) {
        self.early = 0;
    }
}

fn off(said: Timestamp, now: Timestamp) -> i64 {
    let off = said.as_millis().saturating_sub(now.as_millis());
    off.clamp(-MOST, MOST)
}

/// A moment of ours, so many milliseconds later.
pub(super) fn shifted(at: Timestamp, by: i64) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_add(by))
}

impl Phone {
    /// It calls a message too late that is not: it would do so with the next, so it rests.
    pub(super) fn calls_too_late(&mut self, now: Timestamp) {
        let doubled = EARLY_REST.get() << self.clock.early.min(10);
        let pause = Millis::new(doubled.min(EARLY_REST_MAX.get()));
        self.clock.early += 1;
        self.rests_until = Some(now.plus(pause));
        tracing::warn!(phone = %self.record.id, clock_off_by = ?self.clock.told_seconds(),
            rests_for = pause.get() / 1_000, "a phone calls a message too late that is not: is its clock right?");
    }
}

impl Open {
    /// It is shown to its phone, to be sent, with a validity for a clock that is so far ahead.
    pub(super) fn written_for(&mut self, ahead: i64) {
        self.written_ahead = Some(self.written_ahead.map_or(ahead, |it| it.max(ahead)));
    }

    /// By how much later than its validity the phone may still send it, its clock being so far ahead. A
    /// clock that is ahead may be set right before that is known.
    pub(super) fn wait_for_clock(&mut self, ahead: i64) -> Millis {
        if let Some(written) = self.written_ahead {
            self.late_by = self.late_by.max(written - ahead.min(0));
        }
        Millis::new(self.late_by)
    }
}

impl Pool {
    /// Notes what time a phone signed with.
    pub(super) fn signed(&mut self, phone: &str, said: Timestamp, now: Timestamp) {
        if let Some(phone) = self.phones.get_mut(phone) {
            let was_wrong = phone.clock.is_wrong();
            phone.clock.signed(said, now);
            if phone.clock.is_wrong() && !was_wrong {
                tracing::warn!(phone = %phone.record.id, off_by = ?phone.clock.told_seconds(),
                    "the clock of a phone is off by more than two minutes");
            }
        }
    }
}
