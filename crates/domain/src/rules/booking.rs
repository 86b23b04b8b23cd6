//! R-QUOTA-1, R-COST-1, R-METRIC-4: what a change of a message means for the quotas, the ledger and the
//! tallies. All three follow from how its attempts stood before and how they stand after; so whatever
//! an operation does to a message is booked, once, in the same transaction.

use crate::ids::{RouteKey, VolumeKey};
use crate::model::attempt::{Attempt, AttemptState, Doubt};
use crate::model::money::Micros;
use crate::model::progress::{MAX_ATTEMPTS, Progress, Waiting};
use crate::model::quota::Use;
use crate::model::tally::{TALLY_SPAN, Tally};
use crate::phone::CountryCode;
use crate::time::{Millis, Timestamp};

/// What an attempt holds of the quotas.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Holding {
    /// Nothing: no provider has it, or can have it.
    Nothing,
    /// Its reservation: it is in the hands of a route, or its outcome is unknown.
    Reserved,
    /// Its use: the provider took it.
    Used,
}

/// One attempt as far as it is booked.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Standing {
    no: u8,
    route: RouteKey,
    country: Option<CountryCode>,
    volume: Option<VolumeKey>,
    /// `None`: it was planned before uses were counted.
    reserved_at: Option<Timestamp>,
    /// What its copy that counts holds, and how much of it.
    holding: Holding,
    amount: Use,
    /// Its other copies, which hold their reservation until they are known of.
    doubts: Vec<Doubt>,
    charged: Micros,
    /// What it counts for in the tallies, and in which hour; `None` while nothing became of it.
    tally: Tally,
    tally_hour: Option<Timestamp>,
}

/// How the attempts of a message stand, as far as they are booked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Standings([Option<Standing>; MAX_ATTEMPTS]);

/// What is to be booked for one attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Booking {
    /// The attempt's number.
    pub attempt: u8,
    /// The route.
    pub route: RouteKey,
    /// The recipient's country.
    pub country: Option<CountryCode>,
    /// Changes of its use: of the copy that counts, and of those that are in doubt.
    pub metered: Vec<Metered>,
    /// What the route has charged with this change; negative for a correction.
    pub charged: Micros,
    /// Changes of tallies, each with the start of the hour (UTC) in which it counts: two, where the
    /// attempt moves from one hour to another.
    pub tallies: [Option<(Timestamp, Tally)>; 2],
}

/// The change of an attempt's use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Metered {
    /// The route whose use it is.
    pub route: RouteKey,
    /// The volume of its price book that counts it too.
    pub volume: Option<VolumeKey>,
    /// When it was reserved: it counts in the hour, day and month of that moment.
    pub reserved_at: Timestamp,
    /// More reserved, or less.
    pub reserved: Use,
    /// More used, or less.
    pub settled: Use,
}

impl Booking {
    /// Which changes the meters have still to follow. `is_reserved`: what it takes of them was reserved
    /// before, so that it is not taken again.
    pub fn to_meter(&self, is_reserved: bool) -> impl Iterator<Item = Metered> {
        let left = move |it: &Metered| !(is_reserved && it.is_reservation());
        self.metered.iter().copied().filter(left)
    }
}

impl Metered {
    /// Whether this takes more of a quota, so that there must be room for it.
    pub const fn is_reservation(&self) -> bool {
        self.reserved.messages > 0
    }
}

impl Standings {
    /// How the attempts of this message stand.
    pub fn of(progress: &Progress) -> Self {
        let mut standings = Self::default();
        let waits = progress.waiting != Waiting::No;
        for (place, attempt) in standings.0.iter_mut().zip(&progress.attempts) {
            *place = Some(Standing::of(attempt, waits));
        }
        standings
    }

    /// What is to be booked after a change from these to `after`.
    pub fn bookings<'a>(&'a self, after: &'a Self) -> impl Iterator<Item = Booking> + 'a {
        let both = self.0.iter().zip(&after.0);
        both.flat_map(|(before, after)| changes(before.as_ref(), after.as_ref()))
    }
}

impl Standing {
    fn of(attempt: &Attempt, waits: bool) -> Self {
        let holding = holding(attempt, waits);
        Self {
            no: attempt.no,
            route: attempt.route,
            country: attempt.country,
            volume: attempt.volume,
            reserved_at: attempt.reserved_at,
            holding,
            amount: amount(attempt, holding),
            doubts: attempt.doubts.clone(),
            charged: attempt.settled_cost.unwrap_or(Micros::ZERO),
            tally: tally(attempt),
            tally_hour: tally_hour(attempt),
        }
    }
}

/// What an attempt holds. `waits`: its message is not in the hands of a route.
fn holding(attempt: &Attempt, waits: bool) -> Holding {
    if attempt.reserved_at.is_none() {
        return Holding::Nothing;
    }
    let is_taken = !attempt.accepted.is_empty();
    match attempt.state {
        // The rest of a partly accepted message needs no new place: it can go nowhere else.
        AttemptState::Sending if waits && !is_taken => Holding::Nothing,
        AttemptState::Sending | AttemptState::Unknown => Holding::Reserved,
        AttemptState::Sent | AttemptState::Delivered | AttemptState::Read => Holding::Used,
        AttemptState::Failed if is_taken || attempt.sent_at.is_some() => Holding::Used,
        AttemptState::Failed => Holding::Nothing,
    }
}

/// How much it holds. Of a message that failed after the provider took parts of it, those parts.
fn amount(attempt: &Attempt, holding: Holding) -> Use {
    let parts = i64::from(attempt.parts.max(1));
    let has_failed = attempt.state == AttemptState::Failed;
    let segments = if has_failed && !attempt.accepted.is_empty() {
        i64::from(attempt.accepted.len()).min(parts)
    } else {
        parts
    };
    let spend = match attempt.settled_cost {
        Some(cost) => cost,
        // Charged on delivery, which did not come.
        None if has_failed && attempt.sent_at.is_some() => Micros::ZERO,
        None => attempt.estimated_cost,
    };
    match holding {
        Holding::Nothing => Use::NONE,
        Holding::Reserved | Holding::Used => Use {
            messages: 1,
            segments,
            spend,
        },
    }
}

/// What the attempt counts for (R-METRIC-4).
fn tally(attempt: &Attempt) -> Tally {
    let has_arrived = matches!(attempt.state, AttemptState::Delivered | AttemptState::Read);
    let is_sent = attempt.sent_at.is_some() || has_arrived;
    let delivery_time = attempt
        .delivered_at
        .zip(attempt.sent_at)
        .filter(|_| has_arrived)
        .map_or(Millis::ZERO, |(delivered, sent)| delivered.since(sent));
    Tally {
        sent: i64::from(is_sent),
        delivered: i64::from(has_arrived),
        failed: i64::from(attempt.state == AttemptState::Failed),
        segments: if is_sent {
            i64::from(attempt.parts)
        } else {
            i64::from(attempt.accepted.len().min(attempt.parts))
        },
        cost: attempt.settled_cost.unwrap_or(Micros::ZERO),
        delivery_time,
    }
}

/// The hour in which an attempt counts. A receipt may come before the answer to the submission, so
/// that there is no time at which it was sent.
fn tally_hour(attempt: &Attempt) -> Option<Timestamp> {
    let at = attempt
        .sent_at
        .or(attempt.delivered_at)
        .or(attempt.failed_at)?;
    let span = TALLY_SPAN.get();
    Some(Timestamp::from_millis(
        at.as_millis().div_euclid(span) * span,
    ))
}

/// What is to be booked for a change of one attempt: on both its routes, or in both volumes of one, where
/// a receipt made known that an earlier copy was taken.
fn changes(before: Option<&Standing>, after: Option<&Standing>) -> Vec<Booking> {
    if before == after {
        return Vec::new();
    }
    let in_doubt = doubts(before, after);
    let is_moved = before
        .zip(after)
        .is_some_and(|(it, now)| (it.route, it.volume) != (now.route, now.volume));
    if is_moved {
        let there = booking(before, None, Vec::new());
        return there
            .into_iter()
            .chain(booking(None, after, in_doubt))
            .collect();
    }
    booking(before, after, in_doubt).into_iter().collect()
}

fn booking(
    before: Option<&Standing>,
    after: Option<&Standing>,
    in_doubt: Vec<Metered>,
) -> Option<Booking> {
    let it = after.or(before)?;
    let cost = |it: Option<&Standing>| it.map_or(Micros::ZERO, |it| it.charged);
    let charged = Micros(cost(after).0.saturating_sub(cost(before).0));
    Some(Booking {
        attempt: it.no,
        route: it.route,
        country: it.country,
        metered: metered(before, after).into_iter().chain(in_doubt).collect(),
        charged,
        tallies: tallies(before, after),
    })
}

fn metered(before: Option<&Standing>, after: Option<&Standing>) -> Option<Metered> {
    let held = |it: Option<&Standing>| {
        it.map_or((Holding::Nothing, Use::NONE), |it| (it.holding, it.amount))
    };
    let ((was, amount_before), (is, amount_after)) = (held(before), held(after));
    let (reserved, settled) = match (was, is) {
        (Holding::Nothing, Holding::Nothing) => return None,
        (Holding::Nothing, Holding::Reserved) => (amount_after, Use::NONE),
        (Holding::Nothing, Holding::Used) => (Use::NONE, amount_after),
        (Holding::Reserved, Holding::Nothing) => (Use::NONE.minus(amount_before), Use::NONE),
        (Holding::Reserved, Holding::Reserved) => (amount_after.minus(amount_before), Use::NONE),
        (Holding::Reserved, Holding::Used) => (Use::NONE.minus(amount_before), amount_after),
        (Holding::Used, Holding::Reserved) => (amount_after, Use::NONE.minus(amount_before)),
        (Holding::Used, Holding::Nothing) => (Use::NONE, Use::NONE.minus(amount_before)),
        (Holding::Used, Holding::Used) => (Use::NONE, amount_after.minus(amount_before)),
    };
    let it = after.or(before)?;
    let reserved_at = it.reserved_at?;
    (reserved != Use::NONE || settled != Use::NONE).then_some(Metered {
        route: it.route,
        volume: it.volume,
        reserved_at,
        reserved,
        settled,
    })
}

/// What is reserved for copies whose answer never came, or given back once it is known.
fn doubts(before: Option<&Standing>, after: Option<&Standing>) -> Vec<Metered> {
    let all = |it: Option<&Standing>| it.map_or_else(Vec::new, |it| it.doubts.clone());
    let (mut was, is) = (all(before), all(after));
    let mut changes = Vec::new();
    for doubt in is {
        let is_same = |it: &Doubt| it.is_like(&doubt) && it.reserved_at == doubt.reserved_at;
        let place = was.iter().position(is_same);
        let known = place.map_or(0, |place| was.swap_remove(place).copies);
        // What is new was reserved when its attempt was, though the others of its kind were before.
        let reserved_at = after.and_then(|it| it.reserved_at);
        changes.extend(doubt_change(&doubt, known, doubt.copies, reserved_at));
    }
    let gone = was
        .iter()
        .filter_map(|it| doubt_change(it, it.copies, 0, None));
    changes.extend(gone);
    changes
}

fn doubt_change(
    doubt: &Doubt,
    was: u16,
    is: u16,
    reserved_at: Option<Timestamp>,
) -> Option<Metered> {
    let more = i64::from(is) - i64::from(was);
    let reserved = Use {
        messages: more * i64::from(!doubt.is_rest),
        segments: more * i64::from(doubt.parts.max(1)),
        spend: Micros(doubt.estimated_cost.0.saturating_mul(more)),
    };
    (more != 0).then_some(Metered {
        route: doubt.route,
        volume: doubt.volume,
        reserved_at: reserved_at
            .filter(|_| more > 0)
            .unwrap_or(doubt.reserved_at),
        reserved,
        settled: Use::NONE,
    })
}

fn tallies(before: Option<&Standing>, after: Option<&Standing>) -> [Option<(Timestamp, Tally)>; 2] {
    let counted = |it: Option<&Standing>| {
        it.and_then(|it| Some((it.tally_hour?, it.tally)))
            .filter(|it| it.1 != Tally::NONE)
    };
    let (was, is) = (counted(before), counted(after));
    match (was, is) {
        (Some((was_hour, was)), Some((hour, is))) if was_hour == hour => {
            let change = is.plus(was.negated());
            [(change != Tally::NONE).then_some((hour, change)), None]
        }
        (was, is) => [was.map(|(hour, it)| (hour, it.negated())), is],
    }
}
