//! Quotas, the ledger and the tallies (R-QUOTA-1, R-COST-1, R-METRIC-4): gathered in memory while a
//! transaction runs and written at its end, so that a thousand messages of one route change its meter
//! once.

use std::collections::BTreeMap;

use domain::ids::ProjectKey;
use domain::model::ledger::{Account, Movement, Posting};
use domain::model::money::Micros;
use domain::model::progress::Progress;
use domain::model::quota::{Meter, MeterOf, Reservation};
use domain::model::tally::{Tally, TallyKey};
use domain::rules::booking::{Booking, Standings};
use domain::rules::quota::rebook;
use domain::time::Timestamp;
use ports::store::Outcome;
use ports::store::books::{BookedMessage, Deposit, NeededPlace, QuotaGone, meters_of};
use ports::store::fold::IDEMPOTENCY_MEMORY;
use ports::store::messages::IdempotencyKey;
use rusqlite::{Connection, OptionalExtension, params};

use super::accept::{decode_fields, encode_fields};
use super::fault::Fault;
use super::lines::Line;
use crate::rows::account::{account_to_key, country_to_key};
use crate::rows::codes::Coded;
use crate::rows::meter::{self, meter_to_key};

/// The campaign of messages without one, as tallies have it.
pub(super) const NO_CAMPAIGN: u32 = 0;

/// What one transaction books.
#[derive(Debug, Default)]
pub(super) struct Books {
    /// Meters as they stand, once they were looked at.
    meters: BTreeMap<MeterOf, Meter>,
    /// What accounts gain.
    gains: BTreeMap<(ProjectKey, Account), Micros>,
    /// What tallies gain.
    tallies: BTreeMap<TallyKey, Tally>,
}

impl Books {
    /// Forgets what a transaction gathered that was undone.
    pub(super) fn clear(&mut self) {
        self.meters.clear();
        self.gains.clear();
        self.tallies.clear();
    }

    fn meter(&mut self, db: &Connection, of: MeterOf) -> Result<&mut Meter, Fault> {
        use std::collections::btree_map::Entry;
        match self.meters.entry(of) {
            Entry::Occupied(it) => Ok(it.into_mut()),
            Entry::Vacant(it) => {
                let (kind, key) = meter_to_key(of);
                let found: Option<Vec<u8>> = db
                    .prepare_cached("SELECT record FROM meter WHERE kind = ?1 AND key = ?2")?
                    .query_row(params![kind, key], |row| row.get(0))
                    .optional()?;
                let found = found.as_deref().map(meter::decode).transpose()?;
                Ok(it.insert(found.unwrap_or_default()))
            }
        }
    }

    fn change_meters(
        &mut self,
        db: &Connection,
        project: ProjectKey,
        booking: &Booking,
        is_reserved: bool,
    ) -> Result<(), Fault> {
        for it in booking.to_meter(is_reserved) {
            for whose in meters_of(project, &it) {
                let meter = self.meter(db, whose)?;
                rebook(meter, it.reserved_at, it.reserved, it.settled);
            }
        }
        Ok(())
    }

    fn gain(&mut self, posting: &Posting) {
        for (account, amount) in posting.sides() {
            let gain = self.gains.entry((posting.project, account)).or_default();
            *gain = gain.plus(amount);
        }
    }

    /// Writes what was gathered.
    fn write(&mut self, db: &Connection) -> Result<(), Fault> {
        for (of, meter) in std::mem::take(&mut self.meters) {
            let (kind, key) = meter_to_key(of);
            db.prepare_cached(
                "INSERT INTO meter (kind, key, record) VALUES (?1, ?2, ?3)
                 ON CONFLICT (kind, key) DO UPDATE SET record = ?3",
            )?
            .execute(params![kind, key, meter::encode(&meter)])?;
        }
        for ((project, account), amount) in std::mem::take(&mut self.gains) {
            db.prepare_cached(
                "INSERT INTO balance (project, account, amount) VALUES (?1, ?2, ?3)
                 ON CONFLICT (project, account) DO UPDATE SET amount = amount + ?3",
            )?
            .execute(params![project.0, account_to_key(account), amount.0])?;
        }
        for (key, tally) in std::mem::take(&mut self.tallies) {
            db.prepare_cached(
                "INSERT INTO tally (project, hour, route, sender, country, class, campaign, sent,
                     delivered, failed, segments, cost, delivery_time)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
                 ON CONFLICT (project, hour, route, sender, country, class, campaign) DO UPDATE
                 SET sent = sent + ?8, delivered = delivered + ?9, failed = failed + ?10,
                     segments = segments + ?11, cost = cost + ?12,
                     delivery_time = delivery_time + ?13",
            )?
            .execute(params![
                key.project.0,
                key.hour.as_millis(),
                key.route.0,
                key.sender.0,
                country_to_key(key.country),
                key.class.number(),
                key.campaign.map_or(NO_CAMPAIGN, |it| it.0),
                tally.sent,
                tally.delivered,
                tally.failed,
                tally.segments,
                tally.cost.0,
                tally.delivery_time.get(),
            ])?;
        }
        Ok(())
    }
}

impl Line<'_> {
    /// Prices and reserves what a step needs that made this progress; whether it needed anything.
    pub(super) fn reserve(
        &mut self,
        project: ProjectKey,
        before: &Standings,
        progress: &mut Progress,
        reservation: Option<&Reservation>,
    ) -> Result<Result<bool, QuotaGone>, Fault> {
        let after = Standings::of(progress);
        let Some(place) = NeededPlace::of(project, before, &after, reservation) else {
            return Ok(Ok(false));
        };
        for of in place.meters() {
            self.books.meter(self.connection, of)?;
        }
        let taken = place.take(progress, &mut self.books.meters);
        Ok(taken.map(|()| true))
    }

    /// Gives back what was reserved for a message that is not accepted after all.
    pub(super) fn give_back(
        &mut self,
        project: ProjectKey,
        reserved: &Standings,
    ) -> Result<(), Fault> {
        for booking in reserved.bookings(&Standings::default()) {
            self.books
                .change_meters(self.connection, project, &booking, false)?;
        }
        Ok(())
    }

    /// Books a change of a message; `is_reserved`: what it takes of the quotas was reserved before.
    pub(super) fn book(
        &mut self,
        of: BookedMessage,
        before: &Standings,
        after: &Standings,
        is_reserved: bool,
        at: Timestamp,
    ) -> Result<(), Fault> {
        for booking in before.bookings(after) {
            self.books
                .change_meters(self.connection, of.project, &booking, is_reserved)?;
            if let Some(posting) = of.charge(&booking, at) {
                self.post(&posting, None)?;
            }
            for (key, change) in of.tallies(&booking) {
                let tally = self.books.tallies.entry(key).or_default();
                *tally = tally.plus(change);
            }
        }
        Ok(())
    }

    /// See [`Deposit`].
    pub(super) fn deposit(&mut self, deposit: &Deposit) -> Result<Outcome, Fault> {
        if let Some(key) = &deposit.idempotency {
            if let Some(repeat) = self.repeat(deposit.project, key, deposit.at)? {
                return Ok(repeat);
            }
            self.connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO deposit_key (project, key, at, fields)
                     VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![
                    deposit.project.0,
                    key.key,
                    deposit.at.as_millis(),
                    encode_fields(&key.fields),
                ])?;
        }
        self.post(&deposit.posting(), deposit.note.as_deref())?;
        Ok(Outcome::Done)
    }

    /// What a deposit is answered with where one was noted under its key in the last 24 hours (R-LIFE-3).
    fn repeat(
        &self,
        project: ProjectKey,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<Outcome>, Fault> {
        let found: Option<(i64, Vec<u8>)> = self
            .connection
            .prepare_cached("SELECT at, fields FROM deposit_key WHERE project = ?1 AND key = ?2")?
            .query_row(params![project.0, key.key], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let remembered = |at: i64| now.since(Timestamp::from_millis(at)) < IDEMPOTENCY_MEMORY;
        let Some((_, fields)) = found.filter(|it| remembered(it.0)) else {
            return Ok(None);
        };
        let differs = key.first_difference(&decode_fields(&fields)?);
        Ok(Some(Outcome::AlreadyDeposited { differs }))
    }

    fn post(&mut self, posting: &Posting, note: Option<&str>) -> Result<(), Fault> {
        let (message, attempt) = match posting.movement {
            Movement::Charge { message, attempt } => (Some(message.key()), Some(attempt)),
            Movement::Deposit => (None, None),
        };
        self.hot.add_posting.execute(params![
            posting.project.0,
            posting.at.as_millis(),
            account_to_key(posting.to),
            account_to_key(posting.from),
            posting.amount.0,
            message,
            attempt,
            note,
        ])?;
        self.books.gain(posting);
        Ok(())
    }

    /// Writes what the transaction has gathered.
    pub(super) fn write_books(&mut self) -> Result<(), Fault> {
        self.books.write(self.connection)
    }
}
