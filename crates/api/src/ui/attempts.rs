//! How often may somebody try to sign in? (R-SEC)
//!
//! Counted for an account, for an address, and for both together, so that neither one account is
//! guessed from many places nor many accounts from one. Counts are in memory: a restart forgets
//! them, and no attacker can make one.

use std::collections::HashMap;
use std::net::IpAddr;

use domain::time::{Millis, Timestamp};

/// How long attempts count, from the first.
const WINDOW: Millis = Millis::minutes(15);
/// Attempts on one account from one address.
const BOTH_MAX: u32 = 5;
/// Attempts on one account from everywhere.
const ACCOUNT_MAX: u32 = 50;
/// Attempts from one address on every account.
const ADDRESS_MAX: u32 = 50;
/// Most counts that are kept; beyond that the oldest goes.
const COUNTS_MAX: usize = 10_000;

/// What is counted.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Subject {
    Account(Box<str>),
    Address(Network),
    Both(Box<str>, Network),
}

/// The part of an address that one person has.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Network([u8; 8]);

impl Network {
    fn of(address: IpAddr) -> Self {
        let mut bytes = [0; 8];
        match address.to_canonical() {
            IpAddr::V4(it) => bytes[4..].copy_from_slice(&it.octets()),
            // A subscriber has a /64, and any address in it.
            IpAddr::V6(it) => bytes.copy_from_slice(&it.octets()[..8]),
        }
        Self(bytes)
    }
}

#[derive(Clone, Copy, Debug)]
struct Count {
    since: Timestamp,
    attempts: u32,
}

/// The counts.
#[derive(Debug, Default)]
pub(super) struct Attempts(HashMap<Subject, Count>);

impl Attempts {
    /// Counts an attempt before it is made, so that many at once are no way around; or how many
    /// seconds it has to wait.
    pub(super) fn begin(
        &mut self,
        account: &str,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<(), u64> {
        let subjects = subjects(account, address);
        let wait = subjects.iter().filter_map(|(subject, max)| {
            let count = self.0.get(subject)?;
            let ends = count.since.plus(WINDOW);
            (count.attempts >= *max && now < ends).then(|| ends.since(now).get())
        });
        if let Some(wait) = wait.max() {
            return Err(wait.unsigned_abs().div_ceil(1_000));
        }
        for (subject, _) in subjects {
            self.make_room(now);
            let count = self.0.entry(subject).or_insert(Count {
                since: now,
                attempts: 0,
            });
            if now >= count.since.plus(WINDOW) {
                *count = Count {
                    since: now,
                    attempts: 0,
                };
            }
            count.attempts += 1;
        }
        Ok(())
    }

    /// The attempt was good: it does not count, nor do those that this person made before it.
    pub(super) fn succeeded(&mut self, account: &str, address: IpAddr) {
        for (subject, _) in subjects(account, address) {
            if let Subject::Both(..) = subject {
                self.0.remove(&subject);
            } else if let Some(count) = self.0.get_mut(&subject) {
                count.attempts = count.attempts.saturating_sub(1);
            }
        }
    }

    fn make_room(&mut self, now: Timestamp) {
        if self.0.len() < COUNTS_MAX {
            return;
        }
        self.0.retain(|_, it| now < it.since.plus(WINDOW));
        if self.0.len() >= COUNTS_MAX
            && let Some(oldest) = self.0.iter().min_by_key(|it| it.1.since)
        {
            let oldest = oldest.0.clone();
            self.0.remove(&oldest);
        }
    }
}

fn subjects(account: &str, address: IpAddr) -> [(Subject, u32); 3] {
    let network = Network::of(address);
    [
        (Subject::Both(account.into(), network), BOTH_MAX),
        (Subject::Account(account.into()), ACCOUNT_MAX),
        (Subject::Address(network), ADDRESS_MAX),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([198, 51, 100, last])
    }

    #[test]
    fn the_sixth_attempt_waits_until_the_window_of_the_first_is_over() {
        let mut attempts = Attempts::default();
        for nth in 0..5 {
            assert_eq!(attempts.begin("a", address(1), at(nth)), Ok(()));
        }
        assert_eq!(attempts.begin("a", address(1), at(60_000)), Err(840));
        assert_eq!(attempts.begin("a", address(2), at(60_000)), Ok(()));
        assert_eq!(attempts.begin("b", address(1), at(60_000)), Ok(()));
        assert_eq!(attempts.begin("a", address(1), at(899_999)), Err(1));
        assert_eq!(attempts.begin("a", address(1), at(900_000)), Ok(()));
    }

    #[test]
    fn who_signs_in_begins_anew() {
        let mut attempts = Attempts::default();
        for nth in 0..100 {
            assert_eq!(attempts.begin("a", address(1), at(nth)), Ok(()), "{nth}");
            attempts.succeeded("a", address(1));
        }
    }

    #[test]
    fn one_account_from_many_places_and_many_accounts_from_one_are_bounded() {
        let mut attempts = Attempts::default();
        for nth in 0..50 {
            assert_eq!(attempts.begin("a", address(nth), at(0)), Ok(()));
        }
        assert!(attempts.begin("a", address(99), at(0)).is_err());
        let mut attempts = Attempts::default();
        for nth in 0..50 {
            assert_eq!(attempts.begin(&nth.to_string(), address(1), at(0)), Ok(()));
        }
        assert!(attempts.begin("new", address(1), at(0)).is_err());
    }

    #[test]
    fn addresses_of_one_subscriber_are_one() {
        let mut attempts = Attempts::default();
        for nth in 0..5 {
            let address = format!("2001:db8:1:2::{nth}").parse().unwrap();
            assert_eq!(attempts.begin("a", address, at(0)), Ok(()));
        }
        let same = "2001:db8:1:2:ffff::1".parse().unwrap();
        assert!(attempts.begin("a", same, at(0)).is_err());
        let other = "2001:db8:1:3::1".parse().unwrap();
        assert_eq!(attempts.begin("a", other, at(0)), Ok(()));
        assert_eq!(
            Network::of("::ffff:198.51.100.7".parse().unwrap()),
            Network::of(address(7))
        );
    }

    #[test]
    fn memory_of_attempts_is_bounded() {
        let mut attempts = Attempts::default();
        for nth in 0..12_000_u32 {
            let address = IpAddr::from(nth.to_be_bytes());
            let now = at(i64::from(nth));
            assert_eq!(attempts.begin(&nth.to_string(), address, now), Ok(()));
        }
        assert!(attempts.0.len() <= COUNTS_MAX);
    }
}
