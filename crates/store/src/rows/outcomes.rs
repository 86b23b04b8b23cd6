//! [`RouteOutcomes`] as one compact record.

use domain::ids::RouteKey;
use domain::time::Timestamp;
use ports::store::alerts::{Ended, RouteOutcomes};

use super::Corrupt;
use super::account::{country_from_key, country_to_key};
use super::bytes::{Reader, Writer};

const FORMAT: u8 = 1;

/// The record.
pub(crate) fn encode(outcomes: &RouteOutcomes) -> Vec<u8> {
    let mut out = Writer::default();
    out.byte(FORMAT);
    match outcomes.unanswered {
        None => out.byte(0),
        Some((since, count)) => {
            out.byte(1);
            out.signed(since.as_millis());
            out.unsigned(count.into());
        }
    }
    for it in &outcomes.ended {
        out.unsigned(country_to_key(it.country).into());
        out.signed(it.slice);
        out.unsigned(it.all);
        out.unsigned(it.failed);
    }
    out.into_bytes()
}

/// Reads a record.
pub(crate) fn decode(route: RouteKey, bytes: &[u8]) -> Result<RouteOutcomes, Corrupt> {
    let mut from = Reader::new(bytes);
    if from.byte()? != FORMAT {
        return Err(Corrupt("outcomes of an unknown format"));
    }
    let unanswered = match from.byte()? {
        0 => None,
        1 => Some((Timestamp::from_millis(from.signed()?), from.narrow()?)),
        _ => return Err(Corrupt("whether receipts are missing")),
    };
    let mut ended = Vec::new();
    while !from.is_empty() {
        ended.push(Ended {
            country: country_from_key(from.narrow()?)?,
            slice: from.signed()?,
            all: from.unsigned()?,
            failed: from.unsigned()?,
        });
    }
    Ok(RouteOutcomes {
        route,
        ended,
        unanswered,
    })
}
