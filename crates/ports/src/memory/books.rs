//! Quotas, the ledger and the tallies.

use std::collections::BTreeMap;

use domain::ids::ProjectKey;
use domain::model::ledger::{Account, Posting};
use domain::model::money::Micros;
use domain::model::progress::Progress;
use domain::model::quota::{Meter, MeterOf, Reservation};
use domain::model::tally::{Tally, TallyKey};
use domain::rules::booking::{Booking, Standings};
use domain::rules::quota::rebook;
use domain::time::Timestamp;

use crate::store::Outcome;
use crate::store::books::{
    BookedMessage, Deposit, LedgerEntry, LedgerFilter, NeededPlace, QuotaGone, TallyFilter,
    TallyRow, meters_of,
};
use crate::store::fold::IDEMPOTENCY_MEMORY;

/// Everything that is booked.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) meters: BTreeMap<MeterOf, Meter>,
    pub(super) balances: BTreeMap<(ProjectKey, Account), Micros>,
    pub(super) ledger: Vec<LedgerEntry>,
    pub(super) tallies: BTreeMap<TallyKey, Tally>,
    /// Keys of deposits, with the fields of each.
    keys: BTreeMap<(ProjectKey, Box<str>), (Timestamp, Fields)>,
}

type Fields = Vec<(&'static str, u64)>;

impl Books {
    /// Prices and reserves what a step needs that made this progress; whether it needed anything.
    pub(super) fn reserve(
        &mut self,
        project: ProjectKey,
        before: &Standings,
        progress: &mut Progress,
        reservation: Option<&Reservation>,
    ) -> Result<bool, QuotaGone> {
        let after = Standings::of(progress);
        let Some(place) = NeededPlace::of(project, before, &after, reservation) else {
            return Ok(false);
        };
        place.take(progress, &mut self.meters).map(|()| true)
    }

    /// Gives back what was reserved for a message that is not accepted after all.
    pub(super) fn give_back(&mut self, project: ProjectKey, reserved: &Standings) {
        for booking in reserved.bookings(&Standings::default()) {
            self.meter(project, &booking, false);
        }
    }

    fn meter(&mut self, project: ProjectKey, booking: &Booking, is_reserved: bool) {
        for it in booking.to_meter(is_reserved) {
            for whose in meters_of(project, &it) {
                let meter = self.meters.entry(whose).or_default();
                rebook(meter, it.reserved_at, it.reserved, it.settled);
            }
        }
    }

    /// Books a change; `is_reserved`: what it takes of the quotas was reserved before.
    pub(super) fn book(
        &mut self,
        of: BookedMessage,
        before: &Standings,
        after: &Standings,
        is_reserved: bool,
        at: Timestamp,
    ) {
        for booking in before.bookings(after) {
            self.meter(of.project, &booking, is_reserved);
            if let Some(posting) = of.charge(&booking, at) {
                self.post(posting, None);
            }
            for (key, change) in of.tallies(&booking) {
                let tally = self.tallies.entry(key).or_default();
                *tally = tally.plus(change);
            }
        }
    }

    pub(super) fn deposit(&mut self, deposit: &Deposit) -> Outcome {
        if let Some(key) = &deposit.idempotency {
            let place = (deposit.project, key.key.clone());
            let earlier = self.keys.get(&place);
            let earlier = earlier.filter(|it| deposit.at.since(it.0) < IDEMPOTENCY_MEMORY);
            if let Some((_, fields)) = earlier {
                let differs = key.first_difference(fields);
                return Outcome::AlreadyDeposited { differs };
            }
            self.keys.insert(place, (deposit.at, key.fields.clone()));
        }
        self.post(deposit.posting(), deposit.note.clone());
        Outcome::Done
    }

    /// Forgets keys that are older.
    pub(super) fn prune_keys(&mut self, before: Timestamp, limit: usize) {
        let old = self.keys.iter().filter(|it| it.1.0 < before);
        let mut old: Vec<_> = old.map(|it| (it.1.0, it.0.clone())).collect();
        old.sort_unstable();
        for (_, key) in old.into_iter().take(limit) {
            self.keys.remove(&key);
        }
    }

    fn post(&mut self, posting: Posting, note: Option<Box<str>>) {
        for (account, amount) in posting.sides() {
            let balance = self.balances.entry((posting.project, account)).or_default();
            *balance = balance.plus(amount);
        }
        let seq = i64::try_from(self.ledger.len()).unwrap_or(i64::MAX) + 1;
        self.ledger.push(LedgerEntry { seq, posting, note });
    }

    pub(super) fn of_project(&self, project: ProjectKey) -> Vec<(Account, Micros)> {
        let theirs = self.balances.iter().filter(|it| it.0.0 == project);
        theirs.map(|(key, amount)| (key.1, *amount)).collect()
    }

    pub(super) fn list(&self, filter: &LedgerFilter) -> Vec<LedgerEntry> {
        let newest = self.ledger.iter().rev();
        newest
            .filter(|it| it.posting.project == filter.project)
            .filter(|it| filter.before.is_none_or(|before| it.seq < before))
            .take(filter.limit.into())
            .cloned()
            .collect()
    }

    pub(super) fn sum(&self, filter: &TallyFilter) -> Vec<TallyRow> {
        let mut rows: Vec<TallyRow> = Vec::new();
        for (key, tally) in &self.tallies {
            let Some(row) = filter.row_of(key) else {
                continue;
            };
            let is_same = |it: &&mut TallyRow| {
                TallyRow {
                    tally: Tally::NONE,
                    ..**it
                } == row
            };
            match rows.iter_mut().find(is_same) {
                Some(sum) => sum.tally = sum.tally.plus(*tally),
                None => rows.push(TallyRow {
                    tally: *tally,
                    ..row
                }),
            }
        }
        rows.sort_unstable_by_key(|it| {
            (
                it.hour,
                it.route,
                it.sender,
                it.country,
                it.class,
                it.campaign,
            )
        });
        rows.truncate(usize::try_from(filter.limit).unwrap_or(usize::MAX));
        rows
    }
}
