//! [`Progress`] as one compact record: it is read, folded and written whole, at every step, so it
//! is one column of some 30 bytes instead of thirty columns. What queries filter by stands in
//! columns of its own beside it.
//!
//! A record begins with the number of its format; a change of the format takes the next number and
//! keeps reading the old ones.

use domain::ids::{RouteKey, UserId, VolumeKey};
use domain::model::attempt::{Attempt, AttemptState, Counted, Doubt, PartSet};
use domain::model::channel::{Channel, ChannelSet};
use domain::model::failure::{Failure, FailureClass};
use domain::model::message::{Status, TrafficClass};
use domain::model::money::Micros;
use domain::model::progress::{Claim, FallbackPolicy, Lane, Progress, Waiting};
use domain::model::rest::EarlierPlace;
use domain::model::route::ChargedOn;
use domain::time::{Millis, Timestamp};

use super::Corrupt;
use super::account::{country_from_key, country_to_key};
use super::bytes::{Reader, Writer};
use super::codes::Coded;

const FORMAT: u8 = 1;

/// Times are kept as distances from here (2024-01-01), which saves a byte each.
const BASE: i64 = 1_704_067_200_000;

// Bits of the message's first flags.
const FALLBACK_ENABLED: u64 = 1;
const HAS_FALLBACK_AFTER: u64 = 1 << 1;
const HAS_FAILURE: u64 = 1 << 2;
const RECEIPT_MISSING: u64 = 1 << 3;
const HAS_LOOK_AGAIN: u64 = 1 << 4;
const HAS_ENDED: u64 = 1 << 5;

// Bits of an attempt's flags.
const STARTED: u64 = 1;
const RECEIPTS: u64 = 1 << 1;
const HAS_SETTLED_COST: u64 = 1 << 2;
const HAS_SENT: u64 = 1 << 3;
const HAS_DELIVERED: u64 = 1 << 4;
const HAS_FAILED: u64 = 1 << 5;
const HAS_RESOLVE: u64 = 1 << 6;
const HAS_ATTEMPT_FAILURE: u64 = 1 << 7;
const HAS_REFUSALS: u64 = 1 << 8;
const HAS_RESERVED: u64 = 1 << 9;
const HAS_COUNTRY: u64 = 1 << 10;
const HAS_USED_BEFORE: u64 = 1 << 11;
const HAS_DOUBTS: u64 = 1 << 12;
const HAS_DOUBTED_RESTS: u64 = 1 << 13;
const HAS_VOLUME: u64 = 1 << 14;
const HAS_VOLUMES_OF_DOUBTS: u64 = 1 << 15;
const HAS_EARLIER_PLACES: u64 = 1 << 16;
const REST_IN_DOUBT: u64 = 1 << 17;

const fn bit(set: bool, bit: u64) -> u64 {
    if set { bit } else { 0 }
}

/// Writes the record into `buffer`, which is used again.
pub(crate) fn encode(progress: &Progress, buffer: Vec<u8>) -> Vec<u8> {
    let mut out = Writer::reuse(buffer);
    out.byte(FORMAT);
    code(&mut out, progress.status);
    code(&mut out, progress.class);
    out.unsigned(u64::from(progress.version));
    out.unsigned(
        bit(progress.fallback.enabled, FALLBACK_ENABLED)
            | bit(progress.fallback.after.is_some(), HAS_FALLBACK_AFTER)
            | bit(progress.failure.is_some(), HAS_FAILURE)
            | bit(progress.receipt_missing, RECEIPT_MISSING)
            | bit(progress.look_again_at.is_some(), HAS_LOOK_AGAIN)
            | bit(progress.ended_at.is_some(), HAS_ENDED),
    );
    out.byte(progress.fallback.untried.bits());
    out.byte(progress.duplicate_deliveries);
    time(&mut out, progress.expires_at);
    if let Some(after) = progress.fallback.after {
        out.signed(after.get());
    }
    if let Some(it) = &progress.failure {
        failure(&mut out, it);
    }
    for at in [progress.look_again_at, progress.ended_at]
        .into_iter()
        .flatten()
    {
        time(&mut out, at);
    }
    match progress.waiting {
        Waiting::No => out.byte(0),
        Waiting::Lane(lane) => {
            out.byte(1);
            out.unsigned(u64::from(lane.route.0));
            code(&mut out, lane.class);
        }
        Waiting::Schedule { at } => {
            out.byte(2);
            time(&mut out, at);
        }
        Waiting::Fallback { at } => {
            out.byte(3);
            time(&mut out, at);
        }
        Waiting::Person(claim) => {
            out.byte(4);
            out.signed(claim.person.key());
            time(&mut out, claim.until);
            out.unsigned(u64::from(claim.lane.route.0));
            code(&mut out, claim.lane.class);
        }
    }
    out.unsigned(progress.attempts.len() as u64);
    for it in &progress.attempts {
        attempt(&mut out, it);
    }
    out.into_bytes()
}

fn attempt(out: &mut Writer, it: &Attempt) {
    out.unsigned(
        bit(it.started, STARTED)
            | bit(it.receipts, RECEIPTS)
            | bit(it.settled_cost.is_some(), HAS_SETTLED_COST)
            | bit(it.sent_at.is_some(), HAS_SENT)
            | bit(it.delivered_at.is_some(), HAS_DELIVERED)
            | bit(it.failed_at.is_some(), HAS_FAILED)
            | bit(it.resolve_at.is_some(), HAS_RESOLVE)
            | bit(it.failure.is_some(), HAS_ATTEMPT_FAILURE)
            | bit(!it.refused_by.is_empty(), HAS_REFUSALS)
            | bit(it.reserved_at.is_some(), HAS_RESERVED)
            | bit(it.country.is_some(), HAS_COUNTRY)
            | bit(it.used_before.is_some(), HAS_USED_BEFORE)
            | bit(it.doubts.iter().any(|it| !it.is_rest), HAS_DOUBTS)
            | bit(it.doubts.iter().any(|it| it.is_rest), HAS_DOUBTED_RESTS)
            | bit(it.volume.is_some(), HAS_VOLUME)
            | bit(have_volumes(&it.doubts), HAS_VOLUMES_OF_DOUBTS)
            | bit(!it.earlier.is_empty(), HAS_EARLIER_PLACES)
            | bit(it.rest_in_doubt, REST_IN_DOUBT),
    );
    out.byte(it.no);
    code(out, it.channel);
    out.unsigned(u64::from(it.route.0));
    code(out, it.state);
    code(out, it.charged_on);
    code(out, it.counted);
    for value in [
        it.parts,
        it.accepted.bits(),
        it.delivered.bits(),
        it.resends,
    ] {
        out.unsigned(u64::from(value));
    }
    out.signed(it.estimated_cost.0);
    if let Some(cost) = it.settled_cost {
        out.signed(cost.0);
    }
    for at in [it.sent_at, it.delivered_at, it.failed_at, it.resolve_at]
        .into_iter()
        .flatten()
    {
        time(out, at);
    }
    if let Some(it) = &it.failure {
        failure(out, it);
    }
    if !it.refused_by.is_empty() {
        out.unsigned(it.refused_by.len() as u64);
        for route in &it.refused_by {
            out.unsigned(u64::from(route.0));
        }
    }
    if let Some(at) = it.reserved_at {
        time(out, at);
    }
    if it.country.is_some() {
        out.unsigned(u64::from(country_to_key(it.country)));
    }
    if let Some(used) = it.used_before {
        out.signed(used);
    }
    // Rests come last: after a part was accepted there is no other whole copy.
    doubts(out, it, false);
    doubts(out, it, true);
    if let Some(volume) = it.volume {
        out.unsigned(volume.0.into());
    }
    if have_volumes(&it.doubts) {
        volumes(out, it, false);
        volumes(out, it, true);
    }
    if !it.earlier.is_empty() {
        out.unsigned(it.earlier.len() as u64);
        for place in &it.earlier {
            out.unsigned(u64::from(place.parts));
            time(out, place.reserved_at);
        }
    }
}

fn have_volumes(doubts: &[Doubt]) -> bool {
    doubts.iter().any(|it| it.volume.is_some())
}

/// In the order of [`doubts`]: 0 for none, else one more than the volume's key.
fn volumes(out: &mut Writer, it: &Attempt, is_rest: bool) {
    for doubt in it.doubts.iter().filter(|it| it.is_rest == is_rest) {
        out.unsigned(doubt.volume.map_or(0, |it| u64::from(it.0) + 1));
    }
}

fn doubts(out: &mut Writer, it: &Attempt, is_rest: bool) {
    let all = || it.doubts.iter().filter(|it| it.is_rest == is_rest);
    if all().next().is_none() {
        return;
    }
    out.unsigned(all().count() as u64);
    for doubt in all() {
        out.unsigned(u64::from(doubt.route.0));
        out.unsigned(u64::from(doubt.copies));
        out.unsigned(u64::from(doubt.parts));
        out.signed(doubt.estimated_cost.0);
        time(out, doubt.reserved_at);
    }
}

fn code<T: Coded>(out: &mut Writer, value: T) {
    out.unsigned(value.number().unsigned_abs());
}

fn time(out: &mut Writer, at: Timestamp) {
    out.signed(at.as_millis().wrapping_sub(BASE));
}

fn failure(out: &mut Writer, it: &Failure) {
    code(out, it.class);
    out.text(&it.code);
    out.text(&it.text);
}

/// Reads a record.
pub(crate) fn decode(bytes: &[u8]) -> Result<Progress, Corrupt> {
    let mut from = Reader::new(bytes);
    if from.byte()? != FORMAT {
        return Err(Corrupt("a progress record of an unknown format"));
    }
    let status = decode_code::<Status>(&mut from)?;
    let class = decode_code::<TrafficClass>(&mut from)?;
    let version = from.narrow()?;
    let flags = from.unsigned()?;
    let has = |bit| flags & bit != 0;
    let untried = ChannelSet::from_bits(from.byte()?);
    let duplicate_deliveries = from.byte()?;
    let expires_at = decode_time(&mut from)?;
    let after = optional(has(HAS_FALLBACK_AFTER), || from.signed().map(Millis::new))?;
    let failure = optional(has(HAS_FAILURE), || decode_failure(&mut from))?;
    let look_again_at = optional(has(HAS_LOOK_AGAIN), || decode_time(&mut from))?;
    let ended_at = optional(has(HAS_ENDED), || decode_time(&mut from))?;
    let waiting = match from.byte()? {
        0 => Waiting::No,
        1 => Waiting::Lane(Lane {
            route: RouteKey(from.narrow()?),
            class: decode_code(&mut from)?,
        }),
        2 => Waiting::Schedule {
            at: decode_time(&mut from)?,
        },
        3 => Waiting::Fallback {
            at: decode_time(&mut from)?,
        },
        4 => Waiting::Person(Claim {
            person: UserId::from_key(from.signed()?),
            until: decode_time(&mut from)?,
            lane: Lane {
                route: RouteKey(from.narrow()?),
                class: decode_code(&mut from)?,
            },
        }),
        _ => return Err(Corrupt("waiting")),
    };
    let mut attempts = Vec::with_capacity(1);
    for _ in 0..from.unsigned()? {
        attempts.push(decode_attempt(&mut from)?);
    }
    if !from.is_empty() {
        return Err(Corrupt("a progress record that is too long"));
    }
    Ok(Progress {
        status,
        class,
        fallback: FallbackPolicy {
            enabled: has(FALLBACK_ENABLED),
            after,
            untried,
        },
        expires_at,
        waiting,
        attempts,
        failure,
        receipt_missing: has(RECEIPT_MISSING),
        duplicate_deliveries,
        look_again_at,
        ended_at,
        version,
    })
}

fn decode_attempt(from: &mut Reader<'_>) -> Result<Attempt, Corrupt> {
    let flags = from.unsigned()?;
    let has = |bit| flags & bit != 0;
    let mut attempt = Attempt {
        no: from.byte()?,
        channel: decode_code::<Channel>(from)?,
        route: RouteKey(from.narrow()?),
        state: decode_code::<AttemptState>(from)?,
        charged_on: decode_code::<ChargedOn>(from)?,
        counted: decode_code::<Counted>(from)?,
        parts: from.narrow()?,
        accepted: PartSet::from_bits(from.narrow()?),
        delivered: PartSet::from_bits(from.narrow()?),
        resends: from.narrow()?,
        started: has(STARTED),
        receipts: has(RECEIPTS),
        estimated_cost: Micros(from.signed()?),
        settled_cost: optional(has(HAS_SETTLED_COST), || from.signed().map(Micros))?,
        sent_at: optional(has(HAS_SENT), || decode_time(from))?,
        delivered_at: optional(has(HAS_DELIVERED), || decode_time(from))?,
        failed_at: optional(has(HAS_FAILED), || decode_time(from))?,
        resolve_at: optional(has(HAS_RESOLVE), || decode_time(from))?,
        failure: optional(has(HAS_ATTEMPT_FAILURE), || decode_failure(from))?,
        refused_by: if has(HAS_REFUSALS) {
            decode_routes(from)?
        } else {
            Vec::new()
        },
        reserved_at: optional(has(HAS_RESERVED), || decode_time(from))?,
        country: if has(HAS_COUNTRY) {
            country_from_key(from.narrow()?)?
        } else {
            None
        },
        used_before: optional(has(HAS_USED_BEFORE), || from.signed())?,
        doubts: {
            let mut doubts = Vec::new();
            for (flag, is_rest) in [(HAS_DOUBTS, false), (HAS_DOUBTED_RESTS, true)] {
                if has(flag) {
                    doubts.extend(decode_doubts(from, is_rest)?);
                }
            }
            doubts
        },
        volume: optional(has(HAS_VOLUME), || from.narrow().map(VolumeKey))?,
        earlier: Vec::new(),
        rest_in_doubt: has(REST_IN_DOUBT),
    };
    if has(HAS_VOLUMES_OF_DOUBTS) {
        for doubt in &mut attempt.doubts {
            doubt.volume = decode_volume(from)?;
        }
    }
    if has(HAS_EARLIER_PLACES) {
        attempt.earlier = decode_places(from)?;
    }
    Ok(attempt)
}

fn decode_volume(from: &mut Reader<'_>) -> Result<Option<VolumeKey>, Corrupt> {
    let Some(key) = from.unsigned()?.checked_sub(1) else {
        return Ok(None);
    };
    let key = u32::try_from(key).map_err(|_| Corrupt("the key of a volume"))?;
    Ok(Some(VolumeKey(key)))
}

fn optional<T>(
    is_there: bool,
    read: impl FnOnce() -> Result<T, Corrupt>,
) -> Result<Option<T>, Corrupt> {
    if is_there { read().map(Some) } else { Ok(None) }
}

fn decode_routes(from: &mut Reader<'_>) -> Result<Vec<RouteKey>, Corrupt> {
    let count = from.unsigned()?;
    (0..count).map(|_| from.narrow().map(RouteKey)).collect()
}

fn decode_doubts(from: &mut Reader<'_>, is_rest: bool) -> Result<Vec<Doubt>, Corrupt> {
    let count = from.unsigned()?;
    let doubt = |_| {
        Ok(Doubt {
            route: RouteKey(from.narrow()?),
            copies: from.narrow()?,
            is_rest,
            parts: from.narrow()?,
            estimated_cost: Micros(from.signed()?),
            volume: None,
            reserved_at: decode_time(from)?,
        })
    };
    (0..count).map(doubt).collect()
}

fn decode_places(from: &mut Reader<'_>) -> Result<Vec<EarlierPlace>, Corrupt> {
    let count = from.unsigned()?;
    let place = |_| {
        Ok(EarlierPlace {
            parts: from.narrow()?,
            reserved_at: decode_time(from)?,
        })
    };
    (0..count).map(place).collect()
}

fn decode_code<T: Coded>(from: &mut Reader<'_>) -> Result<T, Corrupt> {
    T::from_number(from.narrow()?)
}

fn decode_time(from: &mut Reader<'_>) -> Result<Timestamp, Corrupt> {
    Ok(Timestamp::from_millis(from.signed()?.wrapping_add(BASE)))
}

fn decode_failure(from: &mut Reader<'_>) -> Result<Failure, Corrupt> {
    let class = decode_code::<FailureClass>(from)?;
    let code = from.text()?;
    Ok(Failure::new(class, code, from.text()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::model::attempt::PlannedAttempt;
    use domain::model::quota::Reservation;
    use domain::phone::CountryCode;
    use proptest::prelude::*;

    fn at() -> impl Strategy<Value = Timestamp> {
        any::<i64>().prop_map(Timestamp::from_millis)
    }

    fn one_of<T: Coded + std::fmt::Debug>() -> impl Strategy<Value = T> {
        proptest::sample::select(T::TABLE)
    }

    fn failures() -> impl Strategy<Value = Option<Failure>> {
        proptest::option::of(
            (one_of::<FailureClass>(), ".*", ".*").prop_map(|it| Failure::new(it.0, it.1, it.2)),
        )
    }

    prop_compose! {
        fn doubts_of(is_rest: bool)(
            numbers in any::<(u32, u16, u16, i64)>(),
            volume in proptest::option::of(any::<u32>().prop_map(VolumeKey)),
            reserved_at in at(),
        ) -> Doubt {
            Doubt {
                route: RouteKey(numbers.0),
                copies: numbers.1,
                is_rest,
                parts: numbers.2,
                estimated_cost: Micros(numbers.3),
                volume,
                reserved_at,
            }
        }
    }

    prop_compose! {
        fn attempts()(
            kinds in (one_of::<Channel>(), one_of::<ChargedOn>(), one_of::<AttemptState>(), one_of::<Counted>()),
            bits in any::<(bool, bool, u8, u32, i64)>(),
            parts in any::<(u16, u16, u16, u16)>(),
            times in proptest::collection::vec(proptest::option::of(at()), 5),
            country in any::<bool>(),
            used_before in proptest::option::of(any::<i64>()),
            volume in proptest::option::of(any::<u32>().prop_map(VolumeKey)),
            failure in failures(),
            settled_cost in proptest::option::of(any::<i64>().prop_map(Micros)),
            refused_by in proptest::collection::vec(any::<u32>().prop_map(RouteKey), 0..3),
            wholes in proptest::collection::vec(doubts_of(false), 0..3),
            rests in proptest::collection::vec(doubts_of(true), 0..3),
            earlier in proptest::collection::vec((any::<u16>(), at()), 0..3),
            rest_in_doubt: bool,
        ) -> Attempt {
            let planned = PlannedAttempt {
                channel: kinds.0,
                route: RouteKey(bits.3),
                parts: parts.0,
                estimated_cost: Micros(bits.4),
                charged_on: kinds.1,
                receipts: bits.0,
                country: country.then(|| CountryCode::from_letters(*b"RO")),
                reservation: Reservation::default(),
            };
            Attempt {
                state: kinds.2,
                counted: kinds.3,
                accepted: PartSet::from_bits(parts.1),
                delivered: PartSet::from_bits(parts.2),
                started: bits.1,
                sent_at: times[0],
                delivered_at: times[1],
                failed_at: times[2],
                resolve_at: times[3],
                reserved_at: times[4],
                resends: parts.3,
                failure,
                refused_by,
                settled_cost,
                used_before,
                volume,
                doubts: [wholes, rests].concat(),
                earlier: earlier
                    .into_iter()
                    .map(|(parts, reserved_at)| EarlierPlace { parts, reserved_at })
                    .collect(),
                rest_in_doubt,
                ..planned.start(bits.2)
            }
        }
    }

    prop_compose! {
        fn progresses()(
            kinds in (one_of::<Status>(), one_of::<TrafficClass>()),
            enabled: bool,
            after in proptest::option::of(any::<i64>().prop_map(Millis::new)),
            bits in 0_u8..4,
            expires_at in at(),
            waiting in prop_oneof![
                Just(Waiting::No),
                (any::<u32>(), one_of::<TrafficClass>())
                    .prop_map(|it| Waiting::Lane(Lane { route: RouteKey(it.0), class: it.1 })),
                at().prop_map(|at| Waiting::Schedule { at }),
                at().prop_map(|at| Waiting::Fallback { at }),
                (at(), any::<(i64, u32)>(), one_of::<TrafficClass>()).prop_map(|it| {
                    Waiting::Person(Claim {
                        person: UserId::from_key(it.1.0),
                        until: it.0,
                        lane: Lane {
                            route: RouteKey(it.1.1),
                            class: it.2,
                        },
                    })
                }),
            ],
            attempts in proptest::collection::vec(attempts(), 0..3),
            failure in failures(),
            rest in any::<(bool, u8, u32)>(),
            times in proptest::collection::vec(proptest::option::of(at()), 2),
        ) -> Progress {
            let untried = ChannelSet::from_bits(bits);
            Progress {
                status: kinds.0,
                class: kinds.1,
                fallback: FallbackPolicy { enabled, after, untried },
                expires_at,
                waiting,
                attempts,
                failure,
                receipt_missing: rest.0,
                duplicate_deliveries: rest.1,
                look_again_at: times[0],
                ended_at: times[1],
                version: rest.2,
            }
        }
    }

    proptest! {
        #[test]
        fn every_progress_survives_its_record(progress in progresses()) {
            prop_assert_eq!(decode(&encode(&progress, Vec::new())), Ok(progress));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            let mut record = vec![FORMAT];
            record.extend(bytes);
            drop(decode(&record));
        }
    }
}
