//! R-ORDER: within one conversation, channel and traffic class, first submissions start in the
//! order of (due time, acceptance). A message in back-off holds later ones back at most 5 s;
//! unknown outcomes, fallbacks and resends hold back nothing.
//!
//! Lanes and ready queues are kept in this order. A message that a provider refused has started:
//! it goes on by itself and holds nothing back. One that a provider throttled goes back to its
//! place, at the head of a queue that pauses as a whole (R-ROUTE-4).

use crate::ids::MessageId;
use crate::time::Timestamp;

/// The place of a message among those of its conversation, channel and traffic class.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OrderKey {
    /// When it is due: its acceptance, or its schedule.
    pub due: Timestamp,
    /// Ids are given in the order of acceptance.
    pub accepted: MessageId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_due_time_goes_before_the_acceptance() {
        let key = |due, id| OrderKey {
            due: Timestamp::from_millis(due),
            accepted: MessageId::from_key(id),
        };
        let mut keys = [key(2, 1), key(1, 9), key(1, 3), key(2, 0)];
        keys.sort_unstable();
        assert_eq!(keys, [key(1, 3), key(1, 9), key(2, 0), key(2, 1)]);
    }
}
