//! R-QUOTA-1: quotas count by the hour, day or month in the project's time zone. Where the clocks
//! change, a day has 23 or 25 hours, and the hour that comes twice is two hours.

use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};

use crate::model::quota::{Period, Periods};
use crate::time::{Millis, Timestamp};

/// When the periods began that hold `now` in this time zone. For a moment that no calendar has they began
/// at the epoch, and are looked up anew each time.
pub fn periods(now: Timestamp, zone: &TimeZone) -> Periods {
    let Some(local) = zoned(now, zone) else {
        return Periods {
            until: now,
            ..Periods::default()
        };
    };
    let (hour, until) = hour_of(&local, zone);
    let day = local.start_of_day().ok();
    let month = local.first_of_month().and_then(|it| it.start_of_day()).ok();
    let moment = |it: Option<Zoned>| it.map_or(hour, |it| stamp(&it));
    Periods {
        hour,
        day: moment(day),
        month: moment(month),
        until,
    }
}

/// When this period ends, and its quota begins again.
pub fn ends(periods: &Periods, period: Period, zone: &TimeZone) -> Timestamp {
    let next = |span: jiff::Span| {
        let began = zoned(periods.began(period), zone)?;
        let next = began.checked_add(span).ok()?;
        Some(stamp(&next.start_of_day().ok()?))
    };
    match period {
        Period::Hour => Some(periods.until),
        Period::Day => next(1.day()),
        Period::Month => next(1.month()),
    }
    .unwrap_or(periods.until)
}

fn zoned(at: Timestamp, zone: &TimeZone) -> Option<Zoned> {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).ok()?;
    Some(at.to_zoned(zone.clone()))
}

fn stamp(at: &Zoned) -> Timestamp {
    Timestamp::from_millis(at.timestamp().as_millisecond())
}

/// When the full hour by the local clock began, and when it ends. Where a clock is moved by less than an hour, what is left of the
/// hour before and what there is of the one after are an hour each.
fn hour_of(local: &Zoned, zone: &TimeZone) -> (Timestamp, Timestamp) {
    let seconds = i64::from(local.minute()) * 60 + i64::from(local.second());
    let past = Millis::new(seconds * 1_000 + i64::from(local.millisecond()));
    let now = stamp(local);
    let full = now.plus(Millis::new(-past.get()));
    let moment = local.timestamp();
    let next_moment = moment.checked_add(1.nanosecond()).unwrap_or(moment);
    let at = |it: jiff::Timestamp| Timestamp::from_millis(it.as_millisecond());
    let moved_before = zone.preceding(next_moment).next();
    let moved_after = zone.following(moment).next();
    let began = moved_before.map_or(full, |it| full.max(at(it.timestamp())));
    let ends = full.plus(Millis::hours(1));
    let ends = moved_after.map_or(ends, |it| ends.min(at(it.timestamp())));
    (began, ends)
}
