//! Quotas, the ledger and the tallies as the store keeps them: what an operation must reserve, and
//! what can be asked.

use std::collections::BTreeMap;

use domain::ids::{CampaignKey, MessageId, ProjectKey, RouteKey, SenderKey, VolumeKey};
use domain::model::ledger::{Account, Movement, Posting};
use domain::model::message::TrafficClass;
use domain::model::money::Micros;
use domain::model::progress::Progress;
use domain::model::quota::{Meter, MeterOf, Quota, Reservation, Use};
use domain::model::tally::{Tally, TallyKey};
use domain::phone::CountryCode;
use domain::rules::booking::{Booking, Metered, Standings};
use domain::rules::quota::{self, WHOLE};
use domain::rules::volume;
use domain::time::Timestamp;

use super::messages::IdempotencyKey;
use super::operations::{Accept, FirstStep, Plan, PlanStep};

/// A quota that had no room for a message (R-QUOTA-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaGone {
    /// Whose.
    pub of: MeterOf,
    /// Which.
    pub quota: Quota,
}

/// Moves money into a project's funds, or out of them where it is negative. Answers
/// [`Outcome::Done`](super::Outcome::Done).
///
/// With an idempotency key under which money was moved in the project less than 24 h ago, nothing is
/// written and the answer is [`Outcome::AlreadyDeposited`](super::Outcome::AlreadyDeposited) with
/// the first field that differs (R-LIFE-3). These keys are apart from those of messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deposit {
    /// Whose funds.
    pub project: ProjectKey,
    /// How much.
    pub amount: Micros,
    /// What for, in the words of whoever did it.
    pub note: Option<Box<str>>,
    /// When.
    pub at: Timestamp,
    /// The caller's key, where there is one.
    pub idempotency: Option<IdempotencyKey>,
}

impl Deposit {
    /// Its line of the ledger.
    pub const fn posting(&self) -> Posting {
        Posting {
            project: self.project,
            at: self.at,
            to: Account::Funds,
            from: Account::Deposits,
            amount: self.amount,
            movement: Movement::Deposit,
        }
    }
}

/// A line of the ledger as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Its place: ascending in the order of commit.
    pub seq: i64,
    /// What it says.
    pub posting: Posting,
    /// What a deposit was for.
    pub note: Option<Box<str>>,
}

/// Which lines of the ledger are asked for, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerFilter {
    /// Whose.
    pub project: ProjectKey,
    /// Older than this one.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u16,
}

/// By what tallies are kept apart; the rest is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is asked for by itself, in any combination"
)]
pub struct TallyGroups {
    /// By hour.
    pub hour: bool,
    /// By route.
    pub route: bool,
    /// By sender.
    pub sender: bool,
    /// By country.
    pub country: bool,
    /// By traffic class.
    pub class: bool,
    /// By campaign.
    pub campaign: bool,
}

/// Which tallies are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TallyFilter {
    /// Whose.
    pub project: ProjectKey,
    /// Of hours that begin at this time or later.
    pub from: Timestamp,
    /// Of hours that begin before this time.
    pub until: Timestamp,
    /// Of this route only.
    pub route: Option<RouteKey>,
    /// Of this sender only.
    pub sender: Option<SenderKey>,
    /// Of this country only.
    pub country: Option<CountryCode>,
    /// Of this traffic class only.
    pub class: Option<TrafficClass>,
    /// Of this campaign only.
    pub campaign: Option<CampaignKey>,
    /// Kept apart by these.
    pub by: TallyGroups,
    /// At most so many rows.
    pub limit: u32,
}

/// A sum of tallies. What they are not kept apart by is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TallyRow {
    /// The start of the hour, UTC.
    pub hour: Option<Timestamp>,
    /// The route.
    pub route: Option<RouteKey>,
    /// The sender.
    pub sender: Option<SenderKey>,
    /// The country; `Some(None)` is that of addresses which tell none.
    pub country: Option<Option<CountryCode>>,
    /// The traffic class.
    pub class: Option<TrafficClass>,
    /// The campaign; `Some(None)` is that of messages without one.
    pub campaign: Option<Option<CampaignKey>>,
    /// The sum.
    pub tally: Tally,
}

impl TallyFilter {
    /// The row that a tally belongs to; `None` where it is not asked for.
    pub fn row_of(&self, key: &TallyKey) -> Option<TallyRow> {
        let is_asked_for = key.project == self.project
            && (self.from..self.until).contains(&key.hour)
            && self.route.is_none_or(|it| it == key.route)
            && self.sender.is_none_or(|it| it == key.sender)
            && self.country.is_none_or(|it| Some(it) == key.country)
            && self.class.is_none_or(|it| it == key.class)
            && self.campaign.is_none_or(|it| Some(it) == key.campaign);
        is_asked_for.then(|| TallyRow {
            hour: self.by.hour.then_some(key.hour),
            route: self.by.route.then_some(key.route),
            sender: self.by.sender.then_some(key.sender),
            country: self.by.country.then_some(key.country),
            class: self.by.class.then_some(key.class),
            campaign: self.by.campaign.then_some(key.campaign),
            tally: Tally::NONE,
        })
    }
}

/// What the first step of an accepted message asks of the quotas.
pub const fn reservation_of_accept(accept: &Accept) -> Option<&Reservation> {
    match &accept.first {
        FirstStep::Send(planned) => Some(&planned.reservation),
        FirstStep::Wait(_) | FirstStep::Schedule(_) | FirstStep::Person(_) => None,
    }
}

/// What the step of a plan asks of the quotas.
pub const fn reservation_of_plan(plan: &Plan) -> Option<&Reservation> {
    match &plan.step {
        PlanStep::Start(planned) | PlanStep::Continue(planned) => Some(&planned.reservation),
        PlanStep::Wait(_) | PlanStep::Fail(_) => None,
    }
}

/// The place in the quotas that a step needs before its attempt is handed to a route (R-QUOTA-1).
#[derive(Debug, Clone, Copy)]
pub struct NeededPlace<'a> {
    route: RouteKey,
    project: ProjectKey,
    need: Use,
    volume: Option<VolumeKey>,
    /// Since when the rest of a message has the place that it leaves for this one.
    held_since: Option<Timestamp>,
    reservation: &'a Reservation,
}

impl<'a> NeededPlace<'a> {
    /// What the step needs that asks for `reservation` and brings the attempts from `before` to
    /// `after`; `None` where it takes nothing that must be reserved.
    pub fn of(
        project: ProjectKey,
        before: &Standings,
        after: &Standings,
        reservation: Option<&'a Reservation>,
    ) -> Option<Self> {
        let reservation = reservation?;
        let changes: Vec<Metered> = before.bookings(after).flat_map(|it| it.metered).collect();
        let taken = changes.iter().find(|it| it.is_reservation())?;
        let left = changes.iter().find(|it| !it.is_reservation());
        Some(Self {
            route: taken.route,
            project,
            need: taken.reserved,
            volume: taken.volume,
            held_since: left.map(|it| it.reserved_at),
            reservation,
        })
    }

    /// The meters that it is taken of: its route's and its project's, which may have quotas, and that of
    /// the volume which its price names, where it names one.
    pub fn meters(&self) -> impl Iterator<Item = MeterOf> + use<> {
        let quotas = [MeterOf::Route(self.route), MeterOf::Project(self.project)];
        quotas.into_iter().chain(self.volume())
    }

    fn volume(&self) -> Option<MeterOf> {
        self.volume.map(|it| MeterOf::Volume(self.route, it))
    }

    /// Prices the attempt, and reserves what it needs of each of its [meters](Self::meters) or of none;
    /// one that is not there has counted nothing. What belongs to earlier periods is over either way.
    pub fn take(
        &self,
        progress: &mut Progress,
        meters: &mut BTreeMap<MeterOf, Meter>,
    ) -> Result<(), QuotaGone> {
        let Reservation {
            periods,
            route,
            share_percent,
            project,
            ..
        } = self.reservation;
        let mut turned = |of| {
            let meter = meters.entry(of).or_default();
            *meter = quota::turned(*meter, periods);
            *meter
        };
        let (of_route, of_project) = (MeterOf::Route(self.route), MeterOf::Project(self.project));
        let (mut on_route, mut in_project) = (turned(of_route), turned(of_project));
        let in_volume = self.volume().map(|of| (of, turned(of)));
        let carried = in_volume.map_or(on_route, |it| it.1).month.used();
        let need = self.priced(progress, carried);
        let gone = |of| move |quota| QuotaGone { of, quota };
        let since = self.held_since;
        quota::reserve_anew(&mut in_project, project, WHOLE, need, since)
            .map_err(gone(of_project))?;
        quota::reserve_anew(&mut on_route, route, *share_percent, need, since)
            .map_err(gone(of_route))?;
        meters.extend([(of_route, on_route), (of_project, in_project)]);
        if let Some((of, mut meter)) = in_volume {
            for span in meter.spans_mut() {
                span.reserved = span.reserved.plus(need);
            }
            meters.insert(of, meter);
        }
        Ok(())
    }

    /// Prices the attempt, where its price goes by what was `carried` in the month (R-COST-1): this is the
    /// moment in which its place there is certain. Answers what it needs then.
    fn priced(&self, progress: &mut Progress, carried: Use) -> Use {
        // The rest of a message has its price already (R-PARTS).
        let tariff = self.reservation.tariff.as_ref();
        let tariff = tariff.filter(|_| self.need.messages > 0);
        let Some((tariff, attempt)) = tariff.zip(progress.attempts.last_mut()) else {
            return self.need;
        };
        attempt.estimated_cost = volume::price(tariff, attempt.parts, carried);
        attempt.used_before = Some(tariff.volume(carried));
        Use {
            spend: attempt.settled_cost.unwrap_or(attempt.estimated_cost),
            ..self.need
        }
    }
}

/// The meters that count a change of use: its route's, its project's, and that of the volume which its
/// price names.
pub fn meters_of(project: ProjectKey, it: &Metered) -> impl Iterator<Item = MeterOf> {
    let volume = it.volume.map(|volume| MeterOf::Volume(it.route, volume));
    [MeterOf::Route(it.route), MeterOf::Project(project)]
        .into_iter()
        .chain(volume)
}

/// The message for which something is booked.
#[derive(Debug, Clone, Copy)]
pub struct BookedMessage {
    /// Whose.
    pub project: ProjectKey,
    /// Its sender.
    pub sender: SenderKey,
    /// Its traffic class.
    pub class: TrafficClass,
    /// The campaign that its caller named.
    pub campaign: Option<CampaignKey>,
    /// Its id.
    pub message: MessageId,
}

impl BookedMessage {
    /// The line of the ledger for what a booking charges; `None` where it charges nothing.
    pub fn charge(&self, booking: &Booking, at: Timestamp) -> Option<Posting> {
        (booking.charged != Micros::ZERO).then_some(Posting {
            project: self.project,
            at,
            to: Account::Charges(booking.route),
            from: Account::Funds,
            amount: booking.charged,
            movement: Movement::Charge {
                message: self.message,
                attempt: booking.attempt,
            },
        })
    }

    /// What a booking changes of which tallies.
    pub fn tallies(&self, booking: &Booking) -> impl Iterator<Item = (TallyKey, Tally)> + use<> {
        let (of, route, country) = (*self, booking.route, booking.country);
        let changes = booking.tallies.into_iter().flatten();
        changes.map(move |(hour, change)| {
            let key = TallyKey {
                project: of.project,
                hour,
                route,
                sender: of.sender,
                country,
                class: of.class,
                campaign: of.campaign,
            };
            (key, change)
        })
    }
}
