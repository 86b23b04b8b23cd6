//! R-MON-1, R-MON-2: which event a change of status brings; when a delivery that failed is tried
//! again, and when it is given up.
//!
//! An endpoint has one queue, so that a receiver never gets a later event before an earlier one. So
//! the wait after a failure is the endpoint's: it grows with each failure in a row, whichever event
//! met it, and one success ends it.

use crate::model::event::EventKind;
use crate::model::message::Status;
use crate::time::Millis;

/// Waits after the first failure in a row, the second, and so on; the last one stays.
pub const RETRY_AFTER: [Millis; 5] = [
    Millis::minutes(1),
    Millis::minutes(5),
    Millis::minutes(15),
    Millis::hours(1),
    Millis::hours(4),
];

/// The event that an outbound message's change of status brings. One at most: who sees `delivered`
/// needs not be told of a `sent` that was learnt in the same moment, and `sending` is ours alone.
pub const fn brought_by(was: Status, now: Status) -> Option<EventKind> {
    match (was, now) {
        (Status::Queued, Status::Queued)
        | (Status::Sent, Status::Sent)
        | (Status::Delivered, Status::Delivered)
        | (Status::Read, Status::Read)
        | (Status::Failed, Status::Failed)
        | (_, Status::Queued | Status::Sending | Status::Received) => None,
        (_, Status::Sent) => Some(EventKind::Sent),
        (_, Status::Delivered) => Some(EventKind::Delivered),
        (_, Status::Read) => Some(EventKind::Read),
        (_, Status::Failed) => Some(EventKind::Failed),
    }
}

/// How long an endpoint is left alone after so many failures in a row, at least one.
pub fn retry_after(failures: u32) -> Millis {
    let index = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
    RETRY_AFTER[index.min(RETRY_AFTER.len() - 1)]
}

/// Whether an event that failed so many times is given up: after the first try and one for each
/// wait.
pub fn is_given_up(tries: u32) -> bool {
    usize::try_from(tries).is_ok_and(|it| it > RETRY_AFTER.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_brings_the_event_of_the_status_that_it_ends_in() {
        for was in Status::ALL {
            for now in Status::ALL {
                let want = match now {
                    Status::Sent => Some("message.sent"),
                    Status::Delivered => Some("message.delivered"),
                    Status::Read => Some("message.read"),
                    Status::Failed => Some("message.failed"),
                    Status::Queued | Status::Sending | Status::Received => None,
                };
                let brought = brought_by(was, now).map(EventKind::code);
                assert_eq!(brought, want.filter(|_| was != now), "{was:?} to {now:?}");
            }
        }
    }

    #[test]
    fn retries_come_after_1_5_15_60_and_240_minutes_and_then_the_event_is_given_up() {
        let waits = (1..=7).map(|it| retry_after(it).get() / 60_000);
        assert_eq!(waits.collect::<Vec<_>>(), [1, 5, 15, 60, 240, 240, 240]);
        let given_up = (1..=7).map(is_given_up);
        assert_eq!(
            given_up.collect::<Vec<_>>(),
            [false, false, false, false, false, true, true]
        );
    }
}
