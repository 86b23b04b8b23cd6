//! Quotas, the ledger and the tallies as the store keeps them: what an operation must reserve, and
//! what can be asked.

use domain::ids::{CampaignKey, MessageId, ProjectKey, RouteKey, SenderKey};
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

/// What a step takes of the quotas of which route; `None` where it takes nothing that must be reserved.
pub fn needed(before: &Standings, after: &Standings) -> Option<(RouteKey, Use)> {
    before.bookings(after).find_map(|it| {
        let need = it.metered.into_iter().find(Metered::is_reservation)?;
        Some((need.route, need.reserved))
    })
}

/// Prices the attempt that takes its place now, where its price goes by what its route, with this meter,
/// has used in the month (R-COST-1); else leaves it as it was planned. Answers what it needs then.
pub fn priced(
    progress: &mut Progress,
    reservation: &Reservation,
    on_route: &Meter,
    need: Use,
) -> Use {
    let Some((tariff, attempt)) = reservation
        .tariff
        .as_ref()
        .zip(progress.attempts.last_mut())
    else {
        return need;
    };
    let used = quota::turned(*on_route, &reservation.periods).month.used();
    attempt.estimated_cost = volume::price(tariff, attempt.parts, used);
    attempt.used_before = Some(tariff.volume(used));
    Use {
        spend: attempt.settled_cost.unwrap_or(attempt.estimated_cost),
        ..need
    }
}

/// Reserves `need` on a route and for its project, or neither.
pub fn reserve(
    route: (RouteKey, &mut Meter),
    project: (ProjectKey, &mut Meter),
    reservation: &Reservation,
    need: Use,
) -> Result<(), QuotaGone> {
    let Reservation {
        periods,
        share_percent,
        ..
    } = reservation;
    let (route, on_route) = route;
    let (project, in_project) = project;
    *on_route = quota::turned(*on_route, periods);
    *in_project = quota::turned(*in_project, periods);
    if let Some(quota) = quota::exceeded(in_project, &reservation.project, WHOLE, need) {
        let of = MeterOf::Project(project);
        return Err(QuotaGone { of, quota });
    }
    let reserved = quota::reserve(on_route, &reservation.route, *share_percent, need);
    if let Err(quota) = reserved {
        let of = MeterOf::Route(route);
        return Err(QuotaGone { of, quota });
    }
    for span in in_project.spans_mut() {
        span.reserved = span.reserved.plus(need);
    }
    Ok(())
}

/// The line of the ledger for what a booking charges; `None` where it charges nothing.
pub fn charge(
    project: ProjectKey,
    message: MessageId,
    booking: &Booking,
    at: Timestamp,
) -> Option<Posting> {
    (booking.charged != Micros::ZERO).then_some(Posting {
        project,
        at,
        to: Account::Charges(booking.route),
        from: Account::Funds,
        amount: booking.charged,
        movement: Movement::Charge {
            message,
            attempt: booking.attempt,
        },
    })
}
