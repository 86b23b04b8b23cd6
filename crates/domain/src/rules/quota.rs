//! R-QUOTA-1: a quota is an invariant. Use is reserved before submission, settled on the outcome, and
//! released when the provider did not take it; a reservation that would exceed a limit by even one is
//! refused. Every store counts with these functions, inside the transaction that hands a message to its
//! route.
//!
//! R-QUOTA-2: what is used up is out until the period turns or the quota is raised.

use crate::model::money::Micros;
use crate::model::quota::{Meter, Periods, Quota, Quotas, Span, Use};
use crate::time::Timestamp;

/// All of a quota, in percent.
pub const WHOLE: u8 = 100;

/// The meter at a moment of these periods: what belongs to earlier ones is over. A clock that steps
/// back counts in the period that has begun.
#[must_use]
pub fn turned(mut meter: Meter, periods: &Periods) -> Meter {
    let begins = [periods.hour, periods.day, periods.month];
    for (span, began) in meter.spans_mut().into_iter().zip(begins) {
        if began > span.began {
            *span = Span {
                began,
                ..Span::default()
            };
        }
    }
    meter
}

/// The first quota of which this share is not enough for `need` on top of what is used.
pub fn exceeded(meter: &Meter, limits: &Quotas, share_percent: u8, need: Use) -> Option<Quota> {
    exceeded_anew(meter, limits, share_percent, need, None)
}

/// The same for what has its place since `held_since`, where it has one: in the periods that began by
/// then it needs no other (R-PARTS).
pub fn exceeded_anew(
    meter: &Meter,
    limits: &Quotas,
    share_percent: u8,
    need: Use,
    held_since: Option<Timestamp>,
) -> Option<Quota> {
    let is_exceeded = |quota: &&Quota| {
        let span = meter.span(quota.per);
        let is_held = held_since.is_some_and(|it| span.began <= it);
        let used = span.used().of(quota.unit);
        let need = need.of(quota.unit);
        !is_held && need > 0 && used.saturating_add(need) > share(quota.limit, share_percent)
    };
    limits.all().iter().find(is_exceeded).copied()
}

/// The first quota of which this share is less than `least`, whatever is used: a message that needs so
/// much never fits. A quota of nothing speaks against no message: it closes its route until it is
/// raised (R-QUOTA-2).
pub fn too_small(limits: &Quotas, share_percent: u8, least: Use) -> Option<Quota> {
    let is_too_small = |quota: &&Quota| {
        quota.limit > 0 && least.of(quota.unit) > share(quota.limit, share_percent)
    };
    limits.all().iter().find(is_too_small).copied()
}

/// This share of a limit, rounded down.
fn share(limit: i64, percent: u8) -> i64 {
    let share = i128::from(limit) * i128::from(percent.min(WHOLE)) / i128::from(WHOLE);
    i64::try_from(share).unwrap_or(limit)
}

/// Reserves `need`, or says which quota refuses it. `meter` is [turned](turned) already.
pub fn reserve(
    meter: &mut Meter,
    limits: &Quotas,
    share_percent: u8,
    need: Use,
) -> Result<(), Quota> {
    reserve_anew(meter, limits, share_percent, need, None)
}

/// The same for what has its place since `held_since`, where it has one, and gives that back afterwards.
pub fn reserve_anew(
    meter: &mut Meter,
    limits: &Quotas,
    share_percent: u8,
    need: Use,
    held_since: Option<Timestamp>,
) -> Result<(), Quota> {
    if let Some(quota) = exceeded_anew(meter, limits, share_percent, need, held_since) {
        return Err(quota);
    }
    for span in meter.spans_mut() {
        span.reserved = span.reserved.plus(need);
    }
    Ok(())
}

/// Changes what was reserved at `reserved_at`, in the periods that it counts for: those that began by
/// then and have not turned.
pub fn rebook(meter: &mut Meter, reserved_at: Timestamp, reserved: Use, settled: Use) {
    for span in meter.spans_mut() {
        if span.began <= reserved_at {
            span.reserved = span.reserved.plus(reserved);
            span.settled = span.settled.plus(settled);
        }
    }
}

/// What is used of a limit, in percent, rounded down; above 100 where a provider charged more than was
/// reserved. A quota of nothing is used up.
pub fn percent(used: i64, limit: i64) -> u32 {
    if limit <= 0 {
        return WHOLE.into();
    }
    let percent = i128::from(used) * i128::from(WHOLE) / i128::from(limit);
    u32::try_from(percent.max(0)).unwrap_or(u32::MAX)
}

/// What is left of a quota of which so much is used.
pub fn left(quota: &Quota, used: i64) -> i64 {
    quota.limit.saturating_sub(used).max(0)
}

/// The smallest message there is: whether anything may be sent at all is asked with it.
pub const SMALLEST: Use = Use {
    messages: 1,
    segments: 1,
    spend: Micros(1),
};

/// Whether nothing may be sent any more on account of this quota, of which so much is used (R-QUOTA-2):
/// not even the smallest message, which is that of [`SMALLEST`] where nobody knows better.
pub fn is_used_up(quota: &Quota, used: i64, smallest: Use) -> bool {
    left(quota, used) < smallest.of(quota.unit)
}
