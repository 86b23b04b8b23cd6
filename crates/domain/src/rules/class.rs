//! R-CLASS-1: a message's traffic class is decided when it is accepted, in this order, and the
//! first that applies is the reason: the caller's word; an answer to an inbound message is direct;
//! a broadcast recipient, a scheduled and a promotional message are bulk; the same text to many
//! recipients is bulk ([`bulk_detection`](super::bulk_detection)); all else is direct.

use crate::decision::ClassReason;
use crate::model::message::TrafficClass;

/// What the class of a message hangs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one independent question of the rule"
)]
pub struct ClassFacts {
    /// `trafficClass`; the caller has checked that the key may set it.
    pub caller: Option<TrafficClass>,
    /// An inbox reply, or a message with `inReplyTo`.
    pub reply: bool,
    /// A recipient of a broadcast.
    pub broadcast: bool,
    /// It has a `scheduledAt` that is not past.
    pub scheduled: bool,
    /// `category: promotional`.
    pub promotional: bool,
    /// What [`BulkDetector::observe`](super::bulk_detection::BulkDetector::observe) said.
    pub same_text_to_many: bool,
}

/// The traffic class of a message, and why.
pub const fn classify(facts: &ClassFacts) -> (TrafficClass, ClassReason) {
    if let Some(class) = facts.caller {
        (class, ClassReason::Caller)
    } else if facts.reply {
        (TrafficClass::Direct, ClassReason::Reply)
    } else if facts.broadcast {
        (TrafficClass::Bulk, ClassReason::Broadcast)
    } else if facts.scheduled {
        (TrafficClass::Bulk, ClassReason::Scheduled)
    } else if facts.promotional {
        (TrafficClass::Bulk, ClassReason::Promotional)
    } else if facts.same_text_to_many {
        (TrafficClass::Bulk, ClassReason::SameTextToMany)
    } else {
        (TrafficClass::Direct, ClassReason::Default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_condition_that_holds_decides_whatever_the_later_ones_say() {
        use {ClassReason as R, TrafficClass as T};
        // One bit for each condition, the first of the rule lowest.
        let by_first_condition = [
            (T::Direct, R::Reply),
            (T::Bulk, R::Broadcast),
            (T::Bulk, R::Scheduled),
            (T::Bulk, R::Promotional),
            (T::Bulk, R::SameTextToMany),
        ];
        for bits in 0_usize..32 {
            for caller in [None, Some(T::Direct), Some(T::Bulk)] {
                let facts = ClassFacts {
                    caller,
                    reply: bits & 1 != 0,
                    broadcast: bits & 2 != 0,
                    scheduled: bits & 4 != 0,
                    promotional: bits & 8 != 0,
                    same_text_to_many: bits & 16 != 0,
                };
                let want = match caller {
                    Some(class) => (class, R::Caller),
                    None => by_first_condition
                        .get(bits.trailing_zeros() as usize)
                        .copied()
                        .unwrap_or((T::Direct, R::Default)),
                };
                assert_eq!(classify(&facts), want, "{facts:?}");
            }
        }
    }
}
