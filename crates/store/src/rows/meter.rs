//! A [`Meter`] as one compact record, and whose it is as two numbers.

use domain::ids::{ProjectKey, RouteKey};
use domain::model::money::Micros;
use domain::model::quota::{Meter, MeterOf, Span, Use};
use domain::time::Timestamp;

use super::Corrupt;
use super::bytes::{Reader, Writer};

const FORMAT: u8 = 1;

/// Whose meter it is: a kind and a key.
pub(crate) const fn meter_to_key(of: MeterOf) -> (i64, u32) {
    match of {
        MeterOf::Route(route) => (0, route.0),
        MeterOf::Project(project) => (1, project.0),
    }
}

/// The other way round.
pub(crate) const fn meter_from_key(kind: i64, key: u32) -> Result<MeterOf, Corrupt> {
    match kind {
        0 => Ok(MeterOf::Route(RouteKey(key))),
        1 => Ok(MeterOf::Project(ProjectKey(key))),
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
