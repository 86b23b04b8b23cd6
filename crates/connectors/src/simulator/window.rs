//! The 24 hours of WhatsApp as the simulated provider keeps them (R-WIN-1): its own record, so that
//! it can disagree with ours, as the real one may.

use std::collections::BTreeMap;

use domain::model::address::Address;
use domain::time::{Millis, Timestamp};

/// How long a window stays open.
const WINDOW: Millis = Millis::hours(24);
/// Windows that are remembered; beyond, the one that closes first is forgotten.
const REMEMBERED: usize = 100_000;

/// Who wrote to which of our addresses, and when last.
#[derive(Debug, Default)]
pub(super) struct Windows {
    last: BTreeMap<(Box<str>, Box<str>), Timestamp>,
}

/// Addresses are compared without what people put around them.
fn address(text: &str) -> Box<str> {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

impl Windows {
    /// `from` wrote to us at `at`.
    pub(super) fn open(&mut self, from: &Address, ours: &str, at: Timestamp) {
        let last = self
            .last
            .entry((from.to_string().into(), address(ours)))
            .or_insert(at);
        *last = (*last).max(at);
        if self.last.len() > REMEMBERED
            && let Some(oldest) = self
                .last
                .iter()
                .min_by_key(|it| it.1)
                .map(|it| it.0.clone())
        {
            self.last.remove(&oldest);
        }
    }

    /// Whether free-form content may be sent at `now`. Without an address of ours any will do.
    pub(super) fn is_open(&self, to: &Address, ours: &str, now: Timestamp) -> bool {
        let is_fresh = |at: &Timestamp| now.since(*at) < WINDOW;
        let ours = address(ours);
        if !ours.is_empty() {
            return self
                .last
                .get(&(to.to_string().into(), ours))
                .is_some_and(is_fresh);
        }
        let begin_of: Box<str> = to.to_string().into();
        let begin: (Box<str>, Box<str>) = (begin_of.clone(), "".into());
        self.last
            .range(begin..)
            .take_while(|it| *it.0.0 == *begin_of)
            .any(|it| is_fresh(it.1))
    }
}

#[cfg(test)]
mod tests {
    use domain::phone::PhoneNumber;

    use super::*;

    fn person() -> Address {
        Address::Phone(PhoneNumber::parse("+40712345678").unwrap())
    }

    #[test]
    fn the_window_closes_to_the_millisecond_24_hours_after_the_last_message() {
        let mut windows = Windows::default();
        let wrote = Timestamp::from_millis(1_000_000);
        windows.open(&person(), "+40700000001", wrote);
        windows.open(&person(), "+40700000001", wrote.plus(Millis::new(-500)));
        let end = wrote.plus(Millis::hours(24));
        assert!(windows.is_open(&person(), "40700000001", end.plus(Millis::new(-1))));
        assert!(!windows.is_open(&person(), "40700000001", end));
    }

    #[test]
    fn a_window_belongs_to_one_of_our_addresses() {
        let mut windows = Windows::default();
        let now = Timestamp::from_millis(5);
        windows.open(&person(), "+40700000001", now);
        assert!(!windows.is_open(&person(), "+40700000002", now));
        assert!(windows.is_open(&person(), "", now));
        let other = Address::Phone(PhoneNumber::parse("+40712345679").unwrap());
        assert!(!windows.is_open(&other, "", now));
    }
}
