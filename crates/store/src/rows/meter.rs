//! A [`Meter`] as one compact record, and whose it is as two numbers.

use domain::ids::{ProjectKey, RouteKey, VolumeKey};
use domain::model::money::Micros;
use domain::model::quota::{Meter, MeterOf, Span, Use};
use domain::time::Timestamp;

use super::Corrupt;
use super::bytes::{Reader, Writer};

const FORMAT: u8 = 1;

// Kinds of meters.
const ROUTE: i64 = 0;
const PROJECT: i64 = 1;
const VOLUME: i64 = 2;

/// What a meter counts: a kind and a key. That of a volume has its route's key in the upper half.
pub(crate) fn meter_to_key(of: MeterOf) -> (i64, i64) {
    match of {
        MeterOf::Route(route) => (ROUTE, route.0.into()),
        MeterOf::Project(project) => (PROJECT, project.0.into()),
        MeterOf::Volume(route, volume) => {
            let both = (u64::from(route.0) << u32::BITS) | u64::from(volume.0);
            (VOLUME, both.cast_signed())
        }
    }
}

/// The other way round.
pub(crate) fn meter_from_key(kind: i64, key: i64) -> Result<MeterOf, Corrupt> {
    let narrow = |key: i64| u32::try_from(key).map_err(|_| Corrupt("the key of a meter"));
    match kind {
        ROUTE => Ok(MeterOf::Route(RouteKey(narrow(key)?))),
        PROJECT => Ok(MeterOf::Project(ProjectKey(narrow(key)?))),
        VOLUME => {
            let both = key.cast_unsigned();
            let narrow = |half: u64| u32::try_from(half).map_err(|_| Corrupt("half of a key"));
            let route = RouteKey(narrow(both >> u32::BITS)?);
            Ok(MeterOf::Volume(
                route,
                VolumeKey(narrow(both & u64::from(u32::MAX))?),
            ))
        }
        _ => Err(Corrupt("the kind of a meter")),
    }
}

/// The record.
pub(crate) fn encode(meter: &Meter) -> Vec<u8> {
    let mut out = Writer::default();
    out.byte(FORMAT);
    for span in [&meter.hour, &meter.day, &meter.month] {
        out.signed(span.began.as_millis());
        for it in [span.reserved, span.settled] {
            out.signed(it.messages);
            out.signed(it.segments);
            out.signed(it.spend.0);
        }
    }
    out.into_bytes()
}

/// Reads a record.
pub(crate) fn decode(bytes: &[u8]) -> Result<Meter, Corrupt> {
    let mut from = Reader::new(bytes);
    if from.byte()? != FORMAT {
        return Err(Corrupt("a meter of an unknown format"));
    }
    let meter = Meter {
        hour: span(&mut from)?,
        day: span(&mut from)?,
        month: span(&mut from)?,
    };
    if from.is_empty() {
        Ok(meter)
    } else {
        Err(Corrupt("a meter that is too long"))
    }
}

fn span(from: &mut Reader<'_>) -> Result<Span, Corrupt> {
    Ok(Span {
        began: Timestamp::from_millis(from.signed()?),
        reserved: amount(from)?,
        settled: amount(from)?,
    })
}

fn amount(from: &mut Reader<'_>) -> Result<Use, Corrupt> {
    Ok(Use {
        messages: from.signed()?,
        segments: from.signed()?,
        spend: Micros(from.signed()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_a_meter_counts_survives_its_key(route: u32, other: u32) {
            let all = [
                MeterOf::Route(RouteKey(route)),
                MeterOf::Project(ProjectKey(other)),
                MeterOf::Volume(RouteKey(route), VolumeKey(other)),
            ];
            for of in all {
                let (kind, key) = meter_to_key(of);
                prop_assert_eq!(meter_from_key(kind, key), Ok(of));
            }
        }
    }
}
