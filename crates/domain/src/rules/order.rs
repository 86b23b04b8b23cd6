//! R-ORDER: within one conversation, channel and traffic class, first submissions start in the
//! order of (due time, acceptance). A message in back-off holds later ones back at most 5 s;
//! unknown outcomes, fallbacks and resends hold back nothing.

use crate::ids::MessageId;
use crate::time::{Millis, Timestamp};

/// Longest time that a message in back-off holds later ones back.
pub const MAX_HOLD: Millis = Millis::seconds(5);

/// The place of a message among those of its conversation, channel and traffic class.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OrderKey {
    /// When it is due: its acceptance, or its schedule.
    pub due: Timestamp,
    /// Ids are given in the order of acceptance.
    pub accepted: MessageId,
}

/// What an earlier message of the same conversation, channel and class is about to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ahead {
    /// Its first submission has not started, and nothing keeps it from starting.
    Ready,
    /// Its first submission was refused for now, and is tried again later.
    BackingOff {
        /// When it was first refused.
        since: Timestamp,
    },
    /// Its first submission has started, or ended in whatever way.
    Started,
    /// Its outcome is unknown (R-DUP).
    Unknown,
    /// It waits for, or is on, its second channel.
    FallingBack,
    /// It is submitted again after an unknown outcome.
    Resending,
}

/// How long a later message waits for an earlier one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hold {
    /// Not at all.
    No,
    /// Until the earlier one starts.
    UntilStarted,
    /// Until the earlier one starts, and no longer than to this moment.
    AtMostUntil(Timestamp),
}

/// How long a message waits for an earlier one that stands so.
pub fn hold(ahead: Ahead, now: Timestamp) -> Hold {
    match ahead {
        Ahead::Ready => Hold::UntilStarted,
        Ahead::BackingOff { since } => {
            let end = since.plus(MAX_HOLD);
            if now < end {
                Hold::AtMostUntil(end)
            } else {
                Hold::No
            }
        }
        Ahead::Started | Ahead::Unknown | Ahead::FallingBack | Ahead::Resending => Hold::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(due: i64, id: i64) -> OrderKey {
        OrderKey {
            due: Timestamp::from_millis(due),
            accepted: MessageId::from_key(id),
        }
    }

    #[test]
    fn the_due_time_goes_before_the_acceptance() {
        let mut keys = [key(2, 1), key(1, 9), key(1, 3), key(2, 0)];
        keys.sort_unstable();
        assert_eq!(keys, [key(1, 3), key(1, 9), key(2, 0), key(2, 1)]);
    }

    #[test]
    fn a_message_in_back_off_holds_later_ones_for_five_seconds_and_no_longer() {
        let since = Timestamp::from_millis(10_000);
        let end = Timestamp::from_millis(15_000);
        for (now, want) in [
            (10_000, Hold::AtMostUntil(end)),
            (14_999, Hold::AtMostUntil(end)),
            (15_000, Hold::No),
            (60_000, Hold::No),
        ] {
            let now = Timestamp::from_millis(now);
            assert_eq!(hold(Ahead::BackingOff { since }, now), want, "{now:?}");
        }
    }

    #[test]
    fn what_has_started_holds_back_nothing() {
        let now = Timestamp::from_millis(0);
        assert_eq!(hold(Ahead::Ready, now), Hold::UntilStarted);
        for ahead in [
            Ahead::Started,
            Ahead::Unknown,
            Ahead::FallingBack,
            Ahead::Resending,
        ] {
            assert_eq!(hold(ahead, now), Hold::No, "{ahead:?}");
        }
    }
}
