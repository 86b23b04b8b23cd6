//! R-QUOTA-1, R-COST-1, R-METRIC-4: what a change of a message means for the quotas, the ledger and the
//! tallies. All three follow from how its attempts stood before and how they stand after; so whatever
//! an operation does to a message is booked, once, in the same transaction.

use crate::ids::{RouteKey, VolumeKey};
use crate::model::attempt::{Attempt, AttemptState, Doubt};
use crate::model::money::Micros;
use crate::model::progress::{MAX_ATTEMPTS, Progress, Waiting};
use crate::model::quota::Use;
use crate::model::route::ChargedOn;
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
    /// What its copy that counts holds, and its other copies, which hold their reservation until they are
    /// known of.
    held: Vec<Metered>,
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

/// A change of an attempt's use in one place.
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
    /// Whether this takes more of a quota, so that there must be room for it: a message, or the rest of one.
    pub const fn is_reservation(&self) -> bool {
        self.reserved.segments > 0
    }

    fn is_of_place(&self, other: &Self) -> bool {
        (self.route, self.volume, self.reserved_at)
            == (other.route, other.volume, other.reserved_at)
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
        Self {
            no: attempt.no,
            route: attempt.route,
            country: attempt.country,
            held: own(attempt, holding(attempt, waits))
                .chain(attempt.doubts.iter().map(in_doubt))
                .collect(),
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
        // What was taken, and the rest with it while that can go on in its place (R-PARTS).
        AttemptState::Sending if waits && !is_taken => Holding::Nothing,
        AttemptState::Sending | AttemptState::Unknown => Holding::Reserved,
        AttemptState::Sent | AttemptState::Delivered | AttemptState::Read => Holding::Used,
        AttemptState::Failed if is_taken || attempt.sent_at.is_some() => Holding::Used,
        AttemptState::Failed => Holding::Nothing,
    }
}

/// Of how many parts. Of a message of which the provider took parts, those that count for certain: all,
/// while the rest is to follow in its place.
fn held_parts(attempt: &Attempt) -> u16 {
    let is_cut = match attempt.state {
        AttemptState::Failed => true,
        AttemptState::Sending | AttemptState::Unknown => attempt.rest_in_doubt,
        AttemptState::Sent | AttemptState::Delivered | AttemptState::Read => false,
    };
    if is_cut && !attempt.accepted.is_empty() {
        attempt.known_parts()
    } else {
        attempt.parts.max(1)
    }
}

/// What the copy that counts holds: the message in its first place, the parts where they were reserved.
fn own(attempt: &Attempt, holding: Holding) -> impl Iterator<Item = Metered> {
    let parts = match holding {
        Holding::Nothing => 0,
        Holding::Reserved | Holding::Used => held_parts(attempt),
    };
    let mut left = match attempt.settled_cost {
        Some(cost) => cost,
        // Charged on delivery, which did not come.
        None if attempt.state == AttemptState::Failed
            && attempt.charged_on == ChargedOn::Delivery =>
        {
            Micros::ZERO
        }
        None => attempt.cost_of(parts),
    };
    let places = if parts == 0 {
        Vec::new()
    } else {
        attempt.places(parts)
    };
    let count = places.len();
    let (route, volume) = (attempt.route, attempt.volume);
    let mut before = 0;
    places.into_iter().enumerate().map(move |(no, place)| {
        let share = attempt.cost_of(before + place.parts).0 - attempt.cost_of(before).0;
        before += place.parts;
        let spend = if no + 1 == count {
            left
        } else {
            Micros(share).min(left)
        };
        left = Micros(left.0.saturating_sub(spend.0));
        let amount = Use {
            messages: i64::from(no == 0),
            segments: place.parts.into(),
            spend,
        };
        let (reserved, settled) = match holding {
            Holding::Used => (Use::NONE, amount),
            Holding::Nothing | Holding::Reserved => (amount, Use::NONE),
        };
        Metered {
            route,
            volume,
            reserved_at: place.reserved_at,
            reserved,
            settled,
        }
    })
}

/// What copies hold that were given up.
fn in_doubt(doubt: &Doubt) -> Metered {
    let copies = i64::from(doubt.copies);
    Metered {
        route: doubt.route,
        volume: doubt.volume,
        reserved_at: doubt.reserved_at,
        reserved: Use {
            messages: copies * i64::from(!doubt.is_rest),
            segments: copies * i64::from(doubt.parts.max(1)),
            spend: Micros(doubt.estimated_cost.0.saturating_mul(copies)),
        },
        settled: Use::NONE,
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

/// What is to be booked for a change of one attempt: on both its routes, where a receipt made known that
/// an earlier copy was taken.
fn changes(before: Option<&Standing>, after: Option<&Standing>) -> Vec<Booking> {
    if before == after {
        return Vec::new();
    }
    let metered = metered(before, after);
    let is_moved = before
        .zip(after)
        .is_some_and(|(it, now)| it.route != now.route);
    if is_moved {
        let there = booking(before, None, Vec::new());
        return there
            .into_iter()
            .chain(booking(None, after, metered))
            .collect();
    }
    booking(before, after, metered).into_iter().collect()
}

fn booking(
    before: Option<&Standing>,
    after: Option<&Standing>,
    metered: Vec<Metered>,
) -> Option<Booking> {
    let it = after.or(before)?;
    let cost = |it: Option<&Standing>| it.map_or(Micros::ZERO, |it| it.charged);
    let charged = Micros(cost(after).0.saturating_sub(cost(before).0));
    Some(Booking {
        attempt: it.no,
        route: it.route,
        country: it.country,
        metered,
        charged,
        tallies: tallies(before, after),
    })
}

/// The changes of what is held in each place.
fn metered(before: Option<&Standing>, after: Option<&Standing>) -> Vec<Metered> {
    let held = |it: Option<&Standing>| it.map_or_else(Vec::new, |it| it.held.clone());
    let given_back = held(before).into_iter().map(|it| Metered {
        reserved: Use::NONE.minus(it.reserved),
        settled: Use::NONE.minus(it.settled),
        ..it
    });
    let mut changes: Vec<Metered> = Vec::new();
    for it in given_back.chain(held(after)) {
        match changes.iter_mut().find(|change| change.is_of_place(&it)) {
            Some(change) => {
                change.reserved = change.reserved.plus(it.reserved);
                change.settled = change.settled.plus(it.settled);
            }
            None => changes.push(it),
        }
    }
    changes.retain(|it| it.reserved != Use::NONE || it.settled != Use::NONE);
    changes
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
