//! How often a person's keywords were answered lately (R-IN-2): a machine that answers each of our
//! answers with another keyword is left alone after some.
//!
//! Counted in memory, best effort, for a bounded number of people, and forgotten at a restart.

use std::collections::BTreeMap;

use domain::ids::SenderKey;
use domain::model::address::Address;
use domain::rules::keyword::{ANSWERS_MAX, ANSWERS_WITHIN};
use domain::time::Timestamp;

/// People whose answers are counted at a time.
const COUNTED: usize = 10_000;

/// Who answers whom.
type Pair = (SenderKey, Address);

/// The answers of the last while.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// Since when is counted, and how many were given since then.
    given: BTreeMap<Pair, (Timestamp, u32)>,
}

impl Answers {
    /// Whether this person may get one more.
    pub(crate) fn may_get(&self, pair: &Pair, now: Timestamp) -> bool {
        let counted = self.given.get(pair);
        counted.is_none_or(|&(since, count)| !is_recent(since, now) || count < ANSWERS_MAX)
    }

    /// Counts one more that was given.
    pub(crate) fn given(&mut self, pair: Pair, now: Timestamp) {
        if self.given.len() >= COUNTED && !self.given.contains_key(&pair) {
            self.given.retain(|_, it| is_recent(it.0, now));
            if self.given.len() >= COUNTED {
                self.given.clear();
            }
        }
        let (since, count) = self.given.entry(pair).or_insert((now, 0));
        if !is_recent(*since, now) {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
    }
}

fn is_recent(since: Timestamp, now: Timestamp) -> bool {
    now.since(since) < ANSWERS_WITHIN
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::time::Millis;

    fn pair(no: i64) -> Pair {
        (SenderKey(1), Address::Telegram(no))
    }

    #[test]
    fn each_person_gets_some_answers_in_a_while() {
        let mut answers = Answers::default();
        let at = Timestamp::from_millis(1_000);
        for _ in 0..ANSWERS_MAX {
            assert!(answers.may_get(&pair(1), at));
            answers.given(pair(1), at);
        }
        assert!(!answers.may_get(&pair(1), at));
        assert!(answers.may_get(&pair(2), at));
        let almost = ANSWERS_WITHIN.get() - 1;
        assert!(!answers.may_get(&pair(1), at.plus(Millis::new(almost))));
        assert!(answers.may_get(&pair(1), at.plus(ANSWERS_WITHIN)));
    }

    #[test]
    fn counting_starts_anew_after_the_while() {
        let mut answers = Answers::default();
        let at = Timestamp::from_millis(1_000);
        for _ in 0..ANSWERS_MAX {
            answers.given(pair(1), at);
        }
        let later = at.plus(ANSWERS_WITHIN);
        answers.given(pair(1), later);
        assert!(answers.may_get(&pair(1), later));
    }

    #[test]
    fn no_crowd_takes_more_memory_than_there_is_for_it() {
        let mut answers = Answers::default();
        let at = Timestamp::from_millis(1_000);
        for no in 0..3 * i64::try_from(COUNTED).unwrap() {
            answers.given(pair(no), at);
        }
        assert!(answers.given.len() <= COUNTED);
    }
}
