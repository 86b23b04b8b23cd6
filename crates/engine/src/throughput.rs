//! How fast a route may submit: a token bucket that counts parts (R-PARTS), with one token kept
//! for direct traffic (R-CLASS-3), and the pause that a provider's throttling asks for (R-ROUTE-4).

use domain::model::message::TrafficClass;
use domain::time::{Millis, Timestamp};

/// Tokens are counted in thousandths, so that a millisecond at one per second is one unit.
const UNIT: i64 = 1_000;
/// The bucket holds what a route may submit in this time, so that a pause causes no long burst.
const BURST: Millis = Millis::new(100);
/// Fewest tokens that a bucket holds: one for bulk, one kept for direct.
const MIN_BURST_TOKENS: i64 = 2;
/// First pause after a throttling answer; doubles up to [`MAX_PAUSE`].
const FIRST_PAUSE: Millis = Millis::seconds(1);
/// Longest pause after throttling answers.
const MAX_PAUSE: Millis = Millis::seconds(60);

/// A token bucket; `None` as its rate never holds anything back.
#[derive(Debug, Clone)]
pub(crate) struct Throughput {
    per_second: Option<i64>,
    tokens: i64,
    counted_at: Timestamp,
}

impl Throughput {
    /// A full bucket.
    pub(crate) fn new(per_second: Option<u32>, now: Timestamp) -> Self {
        let per_second = per_second.map(i64::from);
        let mut bucket = Self {
            per_second,
            tokens: 0,
            counted_at: now,
        };
        bucket.tokens = bucket.capacity();
        bucket
    }

    fn capacity(&self) -> i64 {
        let rate = self.per_second.unwrap_or(0);
        (rate * BURST.get()).max(MIN_BURST_TOKENS * UNIT)
    }

    /// How many tokens of this class's share must be there before one is taken.
    const fn needed(class: TrafficClass) -> i64 {
        match class {
            TrafficClass::Direct => UNIT,
            TrafficClass::Bulk => 2 * UNIT,
        }
    }

    /// Takes the tokens of a submission of `parts` parts; a long one may run into debt, which
    /// holds back what follows. `Err` is when to ask again.
    pub(crate) fn take(
        &mut self,
        class: TrafficClass,
        parts: u16,
        now: Timestamp,
    ) -> Result<(), Timestamp> {
        let Some(rate) = self.per_second else {
            return Ok(());
        };
        let elapsed = now.since(self.counted_at).get().max(0);
        self.tokens = self
            .tokens
            .saturating_add(elapsed.saturating_mul(rate))
            .min(self.capacity());
        self.counted_at = self.counted_at.max(now);
        let missing = Self::needed(class) - self.tokens;
        if missing > 0 {
            let wait = missing.div_euclid(rate) + i64::from(missing.rem_euclid(rate) != 0);
            return Err(now.plus(Millis::new(wait.max(1))));
        }
        self.tokens -= i64::from(parts) * UNIT;
        Ok(())
    }

    /// How many more submissions could go this second.
    pub(crate) fn free(&self) -> u32 {
        match self.per_second {
            None => u32::MAX,
            Some(_) => u32::try_from(self.tokens.max(0) / UNIT).unwrap_or(u32::MAX),
        }
    }
}

/// The pause after throttling answers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pause {
    answers_in_a_row: u32,
    until: Option<Timestamp>,
}

impl Pause {
    /// A throttling answer came at `now`; answers that arrive during a pause do not lengthen it.
    /// `jitter` is 0 to 1: the pause is shortened by up to a quarter of it.
    pub(crate) fn throttled(&mut self, now: Timestamp, jitter: f64) {
        if self.is_on(now) {
            return;
        }
        let doubled = FIRST_PAUSE.get() << self.answers_in_a_row.min(6);
        let longest = doubled.min(MAX_PAUSE.get());
        #[expect(
            clippy::cast_possible_truncation,
            reason = "at most a quarter of 60,000"
        )]
        #[expect(clippy::cast_precision_loss, reason = "at most 60,000")]
        let shorter = (longest as f64 * 0.25 * jitter.clamp(0.0, 1.0)) as i64;
        self.until = Some(now.plus(Millis::new(longest - shorter)));
        self.answers_in_a_row += 1;
    }

    /// The provider said itself until when it wants to be left alone: the longer of both holds.
    pub(crate) fn asked(&mut self, until: Timestamp) {
        self.until = self.until.max(Some(until));
    }

    /// A submission was answered otherwise.
    pub(crate) fn answered(&mut self, now: Timestamp) {
        if !self.is_on(now) {
            *self = Self::default();
        }
    }

    /// Until when nothing is submitted, if it is on.
    pub(crate) fn until(&self, now: Timestamp) -> Option<Timestamp> {
        self.until.filter(|it| *it > now)
    }

    fn is_on(&self, now: Timestamp) -> bool {
        self.until(now).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_millis(1_000_000);

    /// Takes as much as is given within `span`, asking again when told.
    fn taken_in(rate: u32, class: TrafficClass, span: Millis) -> u32 {
        let mut bucket = Throughput::new(Some(rate), T0);
        let (mut now, mut count) = (T0, 0);
        while now < T0.plus(span) {
            match bucket.take(class, 1, now) {
                Ok(()) => count += 1,
                Err(again) => now = again,
            }
        }
        count
    }

    #[test]
    fn a_route_submits_at_its_rate_and_no_faster() {
        for rate in [1, 2, 7, 50, 999] {
            for class in TrafficClass::ALL {
                let count = taken_in(rate, class, Millis::seconds(20));
                let want = rate * 20;
                let burst = (rate / 10).max(2);
                assert!(
                    count >= want - 1 && count <= want + burst,
                    "{rate}/s {class:?}: {count}"
                );
            }
        }
    }

    #[test]
    fn bulk_always_leaves_one_token_for_direct() {
        let mut bucket = Throughput::new(Some(1), T0);
        let mut now = T0;
        for _ in 0..50 {
            match bucket.take(TrafficClass::Bulk, 1, now) {
                Ok(()) => assert!(bucket.clone().take(TrafficClass::Direct, 1, now).is_ok()),
                Err(again) => now = again,
            }
        }
    }

    #[test]
    fn the_parts_of_a_long_message_are_paid_for() {
        let mut bucket = Throughput::new(Some(10), T0);
        assert_eq!(bucket.take(TrafficClass::Direct, 12, T0), Ok(()));
        assert_eq!(
            bucket.take(TrafficClass::Direct, 1, T0),
            Err(T0.plus(Millis::new(1_100)))
        );
    }

    #[test]
    fn an_unlimited_route_never_waits() {
        let mut bucket = Throughput::new(None, T0);
        assert!((0..10_000).all(|_| bucket.take(TrafficClass::Bulk, 16, T0).is_ok()));
        assert_eq!(bucket.free(), u32::MAX);
    }

    #[test]
    fn pauses_double_up_to_a_minute_and_start_over_after_an_answer() {
        let mut pause = Pause::default();
        let mut now = T0;
        let mut lengths = Vec::new();
        for _ in 0..8 {
            pause.throttled(now, 0.0);
            pause.throttled(now, 0.0);
            let until = pause.until(now).unwrap();
            lengths.push(until.since(now).get());
            now = until;
        }
        assert_eq!(
            lengths,
            [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]
        );
        pause.answered(now);
        pause.throttled(now, 1.0);
        assert_eq!(pause.until(now), Some(now.plus(Millis::new(750))));
    }

    #[test]
    fn a_pause_that_the_provider_asks_for_lengthens_ours_and_never_shortens_it() {
        let mut pause = Pause::default();
        pause.throttled(T0, 0.0);
        pause.asked(T0.plus(Millis::new(10)));
        assert_eq!(pause.until(T0), Some(T0.plus(Millis::seconds(1))));
        pause.asked(T0.plus(Millis::seconds(15)));
        pause.answered(T0.plus(Millis::seconds(14)));
        let until = T0.plus(Millis::seconds(15));
        assert_eq!(pause.until(T0.plus(Millis::seconds(14))), Some(until));
        assert_eq!(pause.until(until), None);
    }
}
