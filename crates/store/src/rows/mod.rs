//! How values become columns: shared by every SQL store, and the only place that knows.

pub(crate) mod account;
pub(crate) mod address;
pub(crate) mod bytes;
pub(crate) mod codes;
pub(crate) mod inbound_detail;
pub(crate) mod meter;
pub(crate) mod outcomes;
pub(crate) mod progress;

use domain::ids::RouteKey;
use domain::model::message::TrafficClass;
use domain::model::progress::Lane;
use domain::phone::PhoneNumber;
use thiserror::Error;

use codes::Coded;

/// A row holds what this program never wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the database holds a value that this program did not write: {0}")]
pub(crate) struct Corrupt(pub(crate) &'static str);

/// A phone number as its digits: 15 at most, so it fits, and an integer compares in one step.
pub(crate) fn phone_to_key(phone: &PhoneNumber) -> i64 {
    phone.digits().bytes().fold(0, |key, digit| {
        key * 10 + i64::from(digit.wrapping_sub(b'0'))
    })
}

/// The number that [`phone_to_key`] gave.
pub(crate) fn phone_from_key(key: i64) -> Result<PhoneNumber, Corrupt> {
    PhoneNumber::from_canonical(&format!("+{key}")).ok_or(Corrupt("phone"))
}

/// A lane as one integer.
pub(crate) fn lane_to_key(lane: Lane) -> i64 {
    i64::from(lane.route.0) << 1 | lane.class.number()
}

/// The lane that [`lane_to_key`] gave.
pub(crate) fn lane_from_key(key: i64) -> Result<Lane, Corrupt> {
    let route = u32::try_from(key >> 1).map_err(|_| Corrupt("lane"))?;
    Ok(Lane {
        route: RouteKey(route),
        class: TrafficClass::from_number(key & 1)?,
    })
}
