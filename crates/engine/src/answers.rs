//! How often a person's keywords were answered lately (R-IN-2): a machine that answers each of our
//! answers with another keyword is left alone after some.
//!
//! Counted in memory, best effort, for a bounded number of people, and forgotten at a restart.

use std::collections::BTreeMap;

use domain::ids::ConversationId;
use domain::rules::keyword::{ANSWERS_MAX, ANSWERS_WITHIN};
use domain::time::Timestamp;

/// People whose answers are counted at a time.
const COUNTED: usize = 10_000;

/// The answers of the last while.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// Since when is counted, and how many were given since then.
    given: BTreeMap<ConversationId, (Timestamp, u32)>,
}

impl Answers {
    /// Counts one more answer; whether it may be given.
    pub(crate) fn give(&mut self, thread: ConversationId, now: Timestamp) -> bool {
        let is_recent = |since: Timestamp| now.since(since) < ANSWERS_WITHIN;
        if self.given.len() >= COUNTED && !self.given.contains_key(&thread) {
            self.given.retain(|_, it| is_recent(it.0));
            if self.given.len() >= COUNTED {
                self.given.clear();
            }
        }
        let (since, count) = self.given.entry(thread).or_insert((now, 0));
        if !is_recent(*since) {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count <= ANSWERS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::{ContactId, SenderKey};
    use domain::time::Millis;

    fn thread(no: i64) -> ConversationId {
        ConversationId {
            contact: ContactId::from_key(no),
            sender: SenderKey(1),
        }
    }

    #[test]
    fn each_person_gets_some_answers_in_a_while() {
        let mut answers = Answers::default();
        let at = Timestamp::from_millis(1_000);
        for _ in 0..ANSWERS_MAX {
            assert!(answers.give(thread(1), at));
        }
        assert!(!answers.give(thread(1), at));
        assert!(answers.give(thread(2), at));
        let almost = ANSWERS_WITHIN.get() - 1;
        assert!(!answers.give(thread(1), at.plus(Millis::new(almost))));
        assert!(answers.give(thread(1), at.plus(ANSWERS_WITHIN)));
    }

    #[test]
    fn no_crowd_takes_more_memory_than_there_is_for_it() {
        let mut answers = Answers::default();
        let at = Timestamp::from_millis(1_000);
        for no in 0..3 * i64::try_from(COUNTED).unwrap() {
            assert!(answers.give(thread(no), at));
        }
        assert!(answers.given.len() <= COUNTED);
    }
}
