//! What does a connector have that nobody wants any more (R-IN-2, R-FALL-3)?

use std::collections::{BTreeMap, BTreeSet};

use domain::time::Timestamp;
use ports::connector::SubmissionKey;

/// Submissions from before an interruption that are named at a time.
const LEFT_BEHIND_MAX: usize = 1_000;

/// What of one route's submissions is not wanted any more.
#[derive(Debug, Default)]
pub(crate) struct Withdrawn {
    /// Taken by the connector; no more than it has in hand.
    in_hand: BTreeSet<SubmissionKey>,
    /// Taken before an interruption and without an outcome, which is waited for until then: a phone may
    /// have it still.
    left_behind: BTreeMap<SubmissionKey, Timestamp>,
}

impl Withdrawn {
    /// Whether there is nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.in_hand.is_empty() && self.left_behind.is_empty()
    }

    /// Something that the connector has.
    pub(crate) fn add(&mut self, key: SubmissionKey) {
        self.in_hand.insert(key);
    }

    /// Something that it may have from before an interruption; whether that is news and there was room.
    pub(crate) fn add_left_behind(
        &mut self,
        key: SubmissionKey,
        until: Timestamp,
        now: Timestamp,
    ) -> bool {
        self.left_behind.retain(|_, it| *it > now);
        let has_room = self.left_behind.len() < LEFT_BEHIND_MAX;
        has_room && self.left_behind.insert(key, until).is_none()
    }

    /// It is handed out, anew perhaps, so that it is wanted; or its end is told.
    pub(crate) fn forget(&mut self, key: SubmissionKey) {
        self.in_hand.remove(&key);
        self.left_behind.remove(&key);
    }

    /// All of it.
    pub(crate) fn keys(&mut self, now: Timestamp) -> Vec<SubmissionKey> {
        self.left_behind.retain(|_, it| *it > now);
        let left_behind = self.left_behind.keys();
        self.in_hand.iter().chain(left_behind).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::MessageId;
    use domain::time::Millis;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    fn key(no: i64) -> SubmissionKey {
        SubmissionKey {
            message: MessageId::from_key(no),
            attempt: 1,
        }
    }

    #[test]
    fn what_was_left_behind_is_named_until_its_wait_is_over_or_it_is_handed_out_anew() {
        let mut withdrawn = Withdrawn::default();
        let until = NOW.plus(Millis::seconds(1));
        assert!(withdrawn.add_left_behind(key(1), until, NOW));
        assert!(!withdrawn.add_left_behind(key(1), until, NOW), "no news");
        assert!(withdrawn.add_left_behind(key(2), until, NOW));
        withdrawn.add(key(3));
        assert_eq!(withdrawn.keys(NOW), [key(3), key(1), key(2)]);
        withdrawn.forget(key(2));
        assert_eq!(withdrawn.keys(NOW), [key(3), key(1)]);
        assert_eq!(withdrawn.keys(until), [key(3)]);
        withdrawn.forget(key(3));
        assert!(withdrawn.is_empty());
    }

    #[test]
    fn no_more_is_left_behind_than_there_is_room_for() {
        let mut withdrawn = Withdrawn::default();
        let until = NOW.plus(Millis::seconds(1));
        for no in 0..2_000 {
            withdrawn.add_left_behind(key(no), until, NOW);
        }
        assert_eq!(withdrawn.keys(NOW).len(), LEFT_BEHIND_MAX);
        assert!(withdrawn.add_left_behind(key(9_999), until.plus(Millis::seconds(1)), until));
    }
}
