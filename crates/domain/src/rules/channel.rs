//! R-CHAN-3: sort the viable channels by expected price, cheapest first, and take the first with a
//! success rate of at least 80 % for this contact, or with fewer than 3 attempts. If none passes,
//! take the one with the best success rate: statistics never stop a message. Ties in price: higher
//! success rate, then lower average delivery time, then the sender's own order.
//!
//! R-CHAN-4: `fast` sorts by average delivery time instead; the success rule still applies.
//!
//! R-CHAN-2: when a message answers the contact, and on which channel.

use std::cmp::Ordering;

use crate::decision::ChannelReason;
use crate::model::channel::Channel;
use crate::model::contact::{ChannelMetrics, ThreadFacts};
use crate::model::message::Speed;
use crate::model::money::Micros;
use crate::time::{Millis, Timestamp};

/// Lowest success rate, in percent, with which a channel passes.
pub const MIN_SUCCESS_PERCENT: u64 = 80;

/// Number of attempts below which a channel passes whatever its record: it is being explored.
pub const EXPLORE_ATTEMPTS: u64 = 3;

/// Successes and failures of a channel or of a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Record {
    /// How many succeeded.
    pub successes: u64,
    /// How many failed.
    pub failures: u64,
}

impl Record {
    /// All of them.
    pub const fn attempts(self) -> u64 {
        self.successes.saturating_add(self.failures)
    }

    /// Whether there are too few to judge by.
    pub const fn is_exploration(self) -> bool {
        self.attempts() < EXPLORE_ATTEMPTS
    }

    /// The success rule of R-CHAN-3.
    pub fn passes(self) -> bool {
        self.is_exploration()
            || 100 * u128::from(self.successes)
                >= u128::from(MIN_SUCCESS_PERCENT) * u128::from(self.attempts())
    }

    /// Orders by success rate, exactly. No attempts count as a rate that just passes: behind a good
    /// record, before a poor one.
    pub fn compare_rate(self, other: Self) -> Ordering {
        let fraction = |it: Self| match it.attempts() {
            0 => (u128::from(MIN_SUCCESS_PERCENT), 100),
            attempts => (u128::from(it.successes), u128::from(attempts)),
        };
        let ((a, of_a), (b, of_b)) = (fraction(self), fraction(other));
        (a * of_b).cmp(&(b * of_a))
    }
}

impl From<&ChannelMetrics> for Record {
    fn from(metrics: &ChannelMetrics) -> Self {
        Self {
            successes: u64::from(metrics.success_count),
            failures: u64::from(metrics.failure_count),
        }
    }
}

/// A channel that could carry the message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChannelOption {
    /// The channel.
    pub channel: Channel,
    /// What the message costs there; `None` is unknown, and dearer than any.
    pub cost: Option<Micros>,
    /// The contact's record there.
    pub record: Record,
    /// The contact's mean delivery time there, else the channel's.
    pub average_delivery: Millis,
    /// Place of its first route in the sender's own order.
    pub place: usize,
}

impl ChannelOption {
    /// The order in which channels are looked at. Total: no two channels have the same place.
    pub fn compare(&self, other: &Self, speed: Speed) -> Ordering {
        let price = |it: &Self| it.cost.map_or((1, Micros::ZERO), |cost| (0, cost));
        let by_price = price(self).cmp(&price(other));
        let by_rate = self.record.compare_rate(other.record).reverse();
        let by_time = self.average_delivery.cmp(&other.average_delivery);
        match speed {
            Speed::Normal => by_price.then(by_rate).then(by_time),
            Speed::Fast => by_time.then(by_price).then(by_rate),
        }
        .then(self.place.cmp(&other.place))
    }
}

/// Which of the options, already in the order of [`ChannelOption::compare`], carries the message,
/// by its index; `None` when there are none.
pub fn choose(ordered: &[ChannelOption], speed: Speed) -> Option<(usize, ChannelReason)> {
    if ordered.len() == 1 {
        return Some((0, ChannelReason::OnlyViable));
    }
    if let Some(at) = ordered.iter().position(|it| it.record.passes()) {
        let reason = match speed {
            Speed::Fast => ChannelReason::FastestViable,
            Speed::Normal if ordered[at].record.is_exploration() => ChannelReason::Exploration,
            Speed::Normal => ChannelReason::CheapestViable,
        };
        return Some((at, reason));
    }
    let mut best = 0;
    for at in 1..ordered.len() {
        if ordered[at]
            .record
            .compare_rate(ordered[best].record)
            .is_gt()
        {
            best = at;
        }
    }
    ordered
        .get(best)
        .map(|_| (best, ChannelReason::BestSuccessRate))
}

/// The channel of the contact's message that an `auto` message of class `direct` answers without
/// saying so: the conversation's newest message is inbound and at most `reply_window` old (R-CHAN-2).
pub fn answered_channel(
    thread: &ThreadFacts,
    reply_window: Millis,
    now: Timestamp,
) -> Option<Channel> {
    let (inbound_at, channel) = thread.last_inbound?;
    let is_newest = thread
        .last_outbound_at
        .is_none_or(|outbound_at| outbound_at < inbound_at);
    (is_newest && now.since(inbound_at) <= reply_window).then_some(channel)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn record(successes: u64, failures: u64) -> Record {
        Record {
            successes,
            failures,
        }
    }

    #[test]
    fn a_record_passes_at_80_percent_or_under_3_attempts() {
        for (successes, failures, want) in [
            (0, 0, true),
            (0, 1, true),
            (0, 2, true),
            (1, 1, true),
            (0, 3, false),
            (2, 1, false),
            (3, 0, true),
            (4, 1, true),
            (79, 21, false),
            (80, 20, true),
            (800_000, 200_000, true),
            (799_999, 200_000, false),
            (u64::MAX / 2, u64::MAX / 2, false),
            (u64::MAX, 0, true),
        ] {
            assert_eq!(
                record(successes, failures).passes(),
                want,
                "{successes} and {failures}"
            );
        }
    }

    #[test]
    fn no_record_ranks_between_a_good_and_a_poor_one() {
        let none = record(0, 0);
        assert!(none.compare_rate(record(81, 19)).is_lt());
        assert!(none.compare_rate(record(80, 20)).is_eq());
        assert!(none.compare_rate(record(79, 21)).is_gt());
        assert!(none.compare_rate(record(0, 1)).is_gt());
    }

    #[test]
    fn rates_are_compared_exactly() {
        assert!(record(1, 2).compare_rate(record(33_333, 66_667)).is_gt());
        assert!(record(1, 2).compare_rate(record(3, 6)).is_eq());
    }

    #[test]
    fn nothing_is_chosen_from_nothing() {
        assert_eq!(choose(&[], Speed::Normal), None);
    }

    #[test]
    fn a_message_answers_only_the_newest_message_and_only_within_the_reply_window() {
        let day: i64 = 24 * 60 * 60 * 1_000;
        let at = |millis| Timestamp::from_millis(10 * day + millis);
        for (inbound, outbound, age, want) in [
            (None, None, 0, false),
            (Some(0), None, 0, true),
            (Some(0), None, day, true),
            (Some(0), None, day + 1, false),
            (Some(0), Some(-1), 5, true),
            (Some(0), Some(0), 5, false),
            (Some(0), Some(1), 5, false),
            (None, Some(0), 5, false),
        ] {
            for channel in Channel::ALL {
                let thread = ThreadFacts {
                    last_inbound: inbound.map(|it| (at(it), channel)),
                    last_outbound_at: outbound.map(at),
                    ..ThreadFacts::default()
                };
                let got = answered_channel(&thread, Millis::hours(24), at(age));
                assert_eq!(
                    got,
                    want.then_some(channel),
                    "{inbound:?} {outbound:?} {age}"
                );
            }
        }
    }
}
