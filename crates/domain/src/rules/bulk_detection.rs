//! R-CLASS-1, point 4: when the same sender sends the same text to more than
//! `bulk_detection.recipients` distinct recipients within `bulk_detection.window`, the next message
//! on is bulk. Counted per node over a hash of sender and text, best effort, in bounded memory,
//! forgotten at a restart.
//!
//! Two tables of fixed size, about 3.2 MB together. Most texts are sent once: the first recipient
//! of a text takes 16 bytes of the *first sights*, where newer texts soon displace it. A second
//! recipient promotes the text to a *counter*, which remembers the newest recipients and when each
//! was written to. A count is exact up to 255 recipients; for a higher limit the counter keeps a
//! fixed sample of the recipients, chosen by their hash, and is off by a few per cent. No operation
//! allocates.

use crate::ids::SenderKey;
use crate::model::policy::Policy;
use crate::time::{Millis, Timestamp};

/// Texts of one recipient that are remembered: 1 MB, 6.5 s of traffic at 10,000 new texts a second.
const FIRST_SIGHTS: usize = 65_536;
/// Places that one text may take among the first sights.
const SIGHT_WAYS: usize = 4;
/// Texts of several recipients that are counted.
const COUNTERS: usize = 1_024;
/// Places that one text may take among the counters.
const COUNTER_WAYS: usize = 8;
/// Recipients that one counter remembers: two to this power.
const REMEMBERED_BITS: u32 = 8;
/// Recipients that one counter remembers.
const REMEMBERED: usize = 1 << REMEMBERED_BITS;

/// Notices that the same text goes to many recipients.
#[derive(Debug)]
pub struct BulkDetector {
    sights: Box<[FirstSight]>,
    counters: Box<[Counter]>,
    /// The recipients of each counter, [`REMEMBERED`] apiece.
    recipients: Box<[Seen]>,
}

/// The only recipient of a text so far. An empty place has the text 0.
#[derive(Clone, Copy, Debug, Default)]
struct FirstSight {
    text: u64,
    seen: Seen,
}

/// A text with several recipients. An empty place has the text 0.
#[derive(Clone, Copy, Debug, Default)]
struct Counter {
    text: u64,
    /// When it was last sent.
    touched: Timestamp,
    /// How many recipients are remembered.
    len: usize,
}

/// A recipient, and when it was last written to. The clock is cut to 32 bits: ages are compared
/// only within a counter that was touched within the window, so that its wrapping does not matter.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    recipient: u32,
    at: u32,
}

impl Seen {
    /// Whether it was within `window` of `now`, before or after: nodes' callers may be a little
    /// out of order.
    const fn is_within(self, window: u32, now: u32) -> bool {
        now.wrapping_sub(self.at).cast_signed().unsigned_abs() < window
    }
}

impl Default for BulkDetector {
    fn default() -> Self {
        Self::new()
    }
}

impl BulkDetector {
    /// A detector that has seen nothing.
    pub fn new() -> Self {
        Self {
            sights: vec![FirstSight::default(); FIRST_SIGHTS].into_boxed_slice(),
            counters: vec![Counter::default(); COUNTERS].into_boxed_slice(),
            recipients: vec![Seen::default(); COUNTERS * REMEMBERED].into_boxed_slice(),
        }
    }

    /// Counts a message, and says whether it is bulk: whether the same text went to more than
    /// `policy.bulk_recipients` distinct recipients within `policy.bulk_window` *before* it.
    ///
    /// `content_hash` is over the text, or over template and variables; both hashes may be of any
    /// quality that keeps different values apart.
    pub fn observe(
        &mut self,
        sender: SenderKey,
        content_hash: u64,
        recipient_hash: u64,
        now: Timestamp,
        policy: &Policy,
    ) -> bool {
        // Never 0, which marks an empty place.
        let text = mix(content_hash ^ mix(u64::from(sender.0))) | 1;
        let recipient = mix(recipient_hash);
        let sampling = sampling_of(policy.bulk_recipients);
        let limit = (policy.bulk_recipients >> sampling) as usize;
        // `u64 >> 64` is not defined; a limit of 32 bits never asks for it.
        let is_sampled = sampling == 0 || recipient >> (64 - sampling) == 0;
        let seen = Seen {
            recipient: low_bits(recipient),
            at: clock(now),
        };
        let window = u32::try_from(policy.bulk_window.get().max(0)).unwrap_or(u32::MAX >> 1);

        if let Some(at) = self.find_counter(text) {
            self.forget_if_stale(at, now, policy.bulk_window);
            let count = self.count(at, seen, window, limit, is_sampled);
            self.counters[at].touched = now;
            return count > limit;
        }
        if !is_sampled {
            return false;
        }
        match self.first_sight(text, seen, window) {
            // The only recipient so far, or none in the window.
            None => false,
            Some(first) => {
                if first.recipient != seen.recipient {
                    self.promote(text, [first, seen], now, policy.bulk_window);
                }
                limit == 0
            }
        }
    }

    fn find_counter(&self, text: u64) -> Option<usize> {
        let set = set_of(text, COUNTERS / COUNTER_WAYS) * COUNTER_WAYS;
        (set..set + COUNTER_WAYS).find(|at| self.counters[*at].text == text)
    }

    fn forget_if_stale(&mut self, at: usize, now: Timestamp, window: Millis) {
        let counter = &mut self.counters[at];
        if now.since(counter.touched) >= window {
            counter.len = 0;
        }
    }

    /// Distinct recipients within the window before this one, which is then remembered. Counts no
    /// further than needed to exceed `limit`: it keeps the `limit + 1` newest.
    fn count(
        &mut self,
        at: usize,
        seen: Seen,
        window: u32,
        limit: usize,
        is_sampled: bool,
    ) -> usize {
        let counter = &mut self.counters[at];
        let remembered = &mut self.recipients[at * REMEMBERED..][..REMEMBERED];
        let (mut live, mut same, mut oldest) = (0, None, (0, 0));
        for (place, it) in remembered[..counter.len].iter().enumerate() {
            live += usize::from(it.is_within(window, seen.at));
            if it.recipient == seen.recipient {
                same = Some(place);
            }
            let age = seen.at.wrapping_sub(it.at).cast_signed();
            if place == 0 || age > oldest.1 {
                oldest = (place, age);
            }
        }
        if is_sampled {
            let place = match same {
                Some(place) => place,
                None if counter.len > limit.min(REMEMBERED - 1) => oldest.0,
                None => {
                    counter.len += 1;
                    counter.len - 1
                }
            };
            remembered[place] = seen;
        }
        live
    }

    /// The first recipient of the text within the window, if there was one; else this one is it.
    fn first_sight(&mut self, text: u64, seen: Seen, window: u32) -> Option<Seen> {
        let set = set_of(text, FIRST_SIGHTS / SIGHT_WAYS) * SIGHT_WAYS;
        let places = &mut self.sights[set..set + SIGHT_WAYS];
        if let Some(sight) = places.iter_mut().find(|it| it.text == text) {
            let first = sight.seen;
            if first.recipient == seen.recipient || !first.is_within(window, seen.at) {
                sight.seen = seen;
            }
            return first.is_within(window, seen.at).then_some(first);
        }
        // The oldest goes; an empty place counts as older than any.
        let age = |it: &FirstSight| (it.text == 0, seen.at.wrapping_sub(it.seen.at).cast_signed());
        if let Some(oldest) = places.iter_mut().max_by_key(|it| age(it)) {
            *oldest = FirstSight { text, seen };
        }
        None
    }

    /// Starts to count a text. It displaces one that was not sent within the window, else the one
    /// with the fewest recipients, else the one that was sent longest ago.
    fn promote(&mut self, text: u64, seen: [Seen; 2], now: Timestamp, window: Millis) {
        let set = set_of(text, COUNTERS / COUNTER_WAYS) * COUNTER_WAYS;
        let claim = |at: &usize| {
            let it = &self.counters[*at];
            let is_held = it.text != 0 && now.since(it.touched) < window;
            (is_held, if is_held { it.len } else { 0 }, it.touched)
        };
        if let Some(at) = (set..set + COUNTER_WAYS).min_by_key(claim) {
            self.counters[at] = Counter {
                text,
                touched: now,
                len: seen.len(),
            };
            self.recipients[at * REMEMBERED..][..seen.len()].copy_from_slice(&seen);
        }
    }
}

/// How many times the limit is halved until a counter can hold it: only one recipient in two to
/// this power is counted.
const fn sampling_of(limit: u32) -> u32 {
    let bits = u32::BITS - limit.leading_zeros();
    bits.saturating_sub(REMEMBERED_BITS)
}

/// Spreads a value over all 64 bits (the finaliser of `SplitMix64`).
const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the low bits are what is wanted"
)]
const fn low_bits(value: u64) -> u32 {
    value as u32
}

const fn clock(now: Timestamp) -> u32 {
    low_bits(now.as_millis().cast_unsigned())
}

/// Which of so many sets the text belongs to.
const fn set_of(text: u64, sets: usize) -> usize {
    ((text >> 1) % sets as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    const SENDER: SenderKey = SenderKey(7);
    const TEXT: u64 = 42;

    fn policy(recipients: u32, window: i64) -> Policy {
        Policy {
            bulk_recipients: recipients,
            bulk_window: Millis::new(window),
            ..Policy::default()
        }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + millis)
    }

    #[test]
    fn the_message_after_the_101st_recipient_is_bulk_and_no_earlier_one() {
        let mut detector = BulkDetector::new();
        let policy = Policy::default();
        for recipient in 1..=300_u32 {
            let bulk = detector.observe(
                SENDER,
                TEXT,
                recipient.into(),
                at(recipient.into()),
                &policy,
            );
            assert_eq!(bulk, recipient > 101, "recipient {recipient}");
        }
    }

    #[test]
    fn the_same_recipient_again_and_again_is_not_many() {
        let mut detector = BulkDetector::new();
        for round in 0..10_000 {
            let bulk = detector.observe(SENDER, TEXT, round % 100, at(0), &Policy::default());
            assert!(!bulk, "round {round}");
        }
    }

    #[test]
    fn another_sender_or_another_text_is_counted_apart() {
        let mut detector = BulkDetector::new();
        let policy = Policy::default();
        for recipient in 0..=101 {
            detector.observe(SENDER, TEXT, recipient, at(0), &policy);
        }
        assert!(detector.observe(SENDER, TEXT, 500, at(0), &policy));
        assert!(!detector.observe(SenderKey(8), TEXT, 500, at(0), &policy));
        assert!(!detector.observe(SENDER, TEXT + 1, 500, at(0), &policy));
    }

    #[test]
    fn recipients_are_forgotten_when_the_window_has_passed() {
        let policy = Policy::default();
        for (pause, bulk) in [(59_999, true), (60_000, false), (4_294_967_296, false)] {
            let mut detector = BulkDetector::new();
            for recipient in 0..=100 {
                detector.observe(SENDER, TEXT, recipient, at(0), &policy);
            }
            assert_eq!(
                detector.observe(SENDER, TEXT, 500, at(pause), &policy),
                bulk,
                "{pause} ms"
            );
        }
    }

    #[test]
    fn a_steady_rate_below_the_limit_is_never_bulk() {
        let mut detector = BulkDetector::new();
        // 100 a minute.
        for n in 0..2_000_u32 {
            let bulk = detector.observe(
                SENDER,
                TEXT,
                n.into(),
                at(600 * i64::from(n)),
                &Policy::default(),
            );
            assert!(!bulk, "message {n}");
        }
    }

    #[test]
    fn a_campaign_is_noticed_among_ten_thousand_other_texts_a_second() {
        let mut detector = BulkDetector::new();
        let policy = Policy::default();
        let mut first_bulk = None;
        // Ten of the campaign a second, each among a thousand texts that nobody repeats.
        for n in 0..200_u32 {
            let now = at(100 * i64::from(n));
            for other in 0..1_000 {
                let text = 1_000_000 + u64::from(n) * 1_000 + other;
                assert!(
                    !detector.observe(SENDER, text, other, now, &policy),
                    "text {text}"
                );
            }
            if detector.observe(SENDER, TEXT, n.into(), now, &policy) {
                first_bulk.get_or_insert(n);
            }
        }
        assert_eq!(first_bulk, Some(101));
    }

    #[test]
    fn a_limit_of_thousands_is_met_within_a_fifth() {
        for limit in [300_u32, 5_000, 100_000] {
            let mut detector = BulkDetector::new();
            let policy = policy(limit, 60_000);
            let first = (0..2 * limit)
                .find(|n| detector.observe(SENDER, TEXT, u64::from(*n), at(0), &policy))
                .expect("bulk is noticed");
            assert!(
                (limit * 4 / 5..limit * 6 / 5).contains(&first),
                "{limit}: {first}"
            );
        }
    }

    #[test]
    fn a_limit_of_zero_makes_the_second_message_bulk_and_the_highest_none() {
        for (limit, want) in [
            (0, [false, true, true]),
            (1, [false, false, true]),
            (u32::MAX, [false; 3]),
        ] {
            let mut detector = BulkDetector::new();
            let policy = policy(limit, 60_000);
            let got = [1, 2, 3].map(|it| detector.observe(SENDER, TEXT, it, at(0), &policy));
            assert_eq!(got, want, "limit {limit}");
        }
    }

    #[test]
    fn its_memory_is_bounded() {
        let bytes = FIRST_SIGHTS * size_of::<FirstSight>()
            + COUNTERS * (size_of::<Counter>() + REMEMBERED * size_of::<Seen>());
        assert!(bytes <= 4 << 20, "{bytes} bytes");
    }

    proptest! {
        /// The rule said again, without bounds: a map from recipient to the last time.
        #[test]
        fn it_agrees_with_an_unbounded_count(
            limit in 0_u32..12,
            steps in prop::collection::vec((0_u64..20, 0_u64..3, 0_i64..400), 1..300),
        ) {
            let policy = policy(limit, 1_000);
            let mut detector = BulkDetector::new();
            let mut seen: BTreeMap<(u64, u64), i64> = BTreeMap::new();
            let mut now = 0;
            for (recipient, text, later) in steps {
                now += later;
                let before = seen.iter()
                    .filter(|((of, _), at)| *of == text && now - **at < 1_000)
                    .count();
                let bulk = detector.observe(SENDER, text, recipient, at(now), &policy);
                prop_assert_eq!(bulk, before > limit as usize);
                seen.insert((text, recipient), now);
            }
        }
    }
}
