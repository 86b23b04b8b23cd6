//! What does a connector have that nobody wants any more (R-IN-2, R-FALL-3)?

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use domain::time::Timestamp;
use ports::connector::SubmissionKey;

/// Submissions from before an interruption that are named at a time.
const LEFT_BEHIND_MAX: usize = 1_000;

/// What a connector gave back unsent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GivenBack {
    /// It is to be sent still.
    Wanted,
    /// Nobody wants it any more.
    Unwanted,
}

/// What came of naming a submission from before an interruption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeftBehind {
    /// It is named from now on.
    News,
    /// It was named already.
    Known,
    /// There are too many: it is not named.
    NoRoom,
}

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

    /// Whether the connector has this, and nobody wants it any more.
    pub(crate) fn has_in_hand(&self, key: SubmissionKey) -> bool {
        self.in_hand.contains(&key)
    }

    /// Something that it may have from before an interruption.
    pub(crate) fn add_left_behind(
        &mut self,
        key: SubmissionKey,
        until: Timestamp,
        now: Timestamp,
    ) -> LeftBehind {
        self.left_behind.retain(|_, it| *it > now);
        let has_room = self.left_behind.len() < LEFT_BEHIND_MAX;
        match self.left_behind.entry(key) {
            Entry::Occupied(mut known) => {
                known.insert(until);
                LeftBehind::Known
            }
            Entry::Vacant(place) if has_room => {
                place.insert(until);
                LeftBehind::News
            }
            Entry::Vacant(_) => LeftBehind::NoRoom,
        }
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
        for (no, noted) in [
            (1, LeftBehind::News),
            (1, LeftBehind::Known),
            (2, LeftBehind::News),
        ] {
            assert_eq!(withdrawn.add_left_behind(key(no), until, NOW), noted);
        }
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
            let noted = withdrawn.add_left_behind(key(no), until, NOW);
            assert_eq!(noted == LeftBehind::NoRoom, no >= 1_000);
        }
        let known = withdrawn.add_left_behind(key(1), until, NOW);
        assert_eq!(known, LeftBehind::Known, "it needs no room");
        assert_eq!(withdrawn.keys(NOW).len(), LEFT_BEHIND_MAX);
        let later = until.plus(Millis::seconds(1));
        let noted = withdrawn.add_left_behind(key(9_999), later, until);
        assert_eq!(noted, LeftBehind::News, "the others' waits are over");
    }
}
