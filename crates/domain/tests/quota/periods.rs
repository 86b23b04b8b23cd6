//! R-QUOTA-1: the hour, the day and the month by the project's clock.

use domain::model::quota::{Period, Periods};
use domain::rules::period::{ends, periods};
use domain::time::Timestamp;
use jiff::tz::TimeZone;

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).expect("the zones are bundled")
}

fn at(text: &str) -> Timestamp {
    let at: jiff::Timestamp = text.parse().expect("RFC 3339");
    Timestamp::from_millis(at.as_millisecond())
}

/// Zone, moment, and when its hour, day and month began, in UTC.
type Case = (&'static str, &'static str, [&'static str; 3]);

#[test]
fn periods_begin_by_the_local_clock() {
    let cases: [Case; 7] = [
        (
            "UTC",
            "2026-11-26T20:49:18.123Z",
            [
                "2026-11-26T20:00:00Z",
                "2026-11-26T00:00:00Z",
                "2026-11-01T00:00:00Z",
            ],
        ),
        // Summer time when the day began, winter time when the month did not.
        (
            "Europe/Bucharest",
            "2026-10-25T10:30:00Z",
            [
                "2026-10-25T10:00:00Z",
                "2026-10-24T21:00:00Z",
                "2026-09-30T21:00:00Z",
            ],
        ),
        // The hour that comes twice: the first 03:30 and the second.
        (
            "Europe/Bucharest",
            "2026-10-25T00:30:00Z",
            [
                "2026-10-25T00:00:00Z",
                "2026-10-24T21:00:00Z",
                "2026-09-30T21:00:00Z",
            ],
        ),
        (
            "Europe/Bucharest",
            "2026-10-25T01:30:00Z",
            [
                "2026-10-25T01:00:00Z",
                "2026-10-24T21:00:00Z",
                "2026-09-30T21:00:00Z",
            ],
        ),
        // Half an hour off.
        (
            "Asia/Kolkata",
            "2026-11-26T18:29:59Z",
            [
                "2026-11-26T17:30:00Z",
                "2026-11-25T18:30:00Z",
                "2026-10-31T18:30:00Z",
            ],
        ),
        (
            "Asia/Kolkata",
            "2026-11-26T18:30:00Z",
            [
                "2026-11-26T18:30:00Z",
                "2026-11-26T18:30:00Z",
                "2026-10-31T18:30:00Z",
            ],
        ),
        // Before 1970.
        (
            "UTC",
            "1969-12-31T23:59:59.999Z",
            [
                "1969-12-31T23:00:00Z",
                "1969-12-31T00:00:00Z",
                "1969-12-01T00:00:00Z",
            ],
        ),
    ];
    for (name, now, [hour, day, month]) in cases {
        let found = periods(at(now), &zone(name));
        let found = [found.hour, found.day, found.month];
        assert_eq!(found, [at(hour), at(day), at(month)], "{name} {now}");
    }
}

#[test]
fn a_day_has_23_or_25_hours_where_the_clocks_change() {
    let zone = zone("Europe/Bucharest");
    for (now, hours) in [
        ("2026-03-29T12:00:00Z", 23),
        ("2026-10-25T12:00:00Z", 25),
        ("2026-11-26T12:00:00Z", 24),
    ] {
        let found = periods(at(now), &zone);
        let length = ends(&found, Period::Day, &zone).since(found.day);
        assert_eq!(length.get(), hours * 3_600_000, "{now}");
    }
}

#[test]
fn a_month_ends_where_the_next_begins() {
    let zone = zone("Europe/Bucharest");
    for (now, end) in [
        ("2026-10-25T12:00:00Z", "2026-10-31T22:00:00Z"),
        ("2026-12-31T21:59:59Z", "2026-12-31T22:00:00Z"),
        ("2028-02-10T00:00:00Z", "2028-02-29T22:00:00Z"),
    ] {
        let found = periods(at(now), &zone);
        assert_eq!(ends(&found, Period::Month, &zone), at(end), "{now}");
    }
}

#[test]
fn they_hold_until_the_hour_ends_and_are_others_then() {
    for name in [
        "UTC",
        "Europe/Bucharest",
        "Asia/Kolkata",
        "America/St_Johns",
        "Australia/Lord_Howe",
    ] {
        let zone = zone(name);
        // A year in steps that fall everywhere in an hour.
        let mut now = at("2026-01-01T00:00:00Z");
        let mut last = Periods::default();
        for _ in 0..30_000 {
            let found = periods(now, &zone);
            assert!(
                found.hour <= now && now < found.until,
                "{name} {now:?} {found:?}"
            );
            assert!(
                found.month <= found.day && found.day <= found.hour,
                "{name} {found:?}"
            );
            if now < last.until {
                assert_eq!(found, last, "{name} {now:?}");
            } else {
                assert!(found.hour > last.hour, "{name} {now:?}");
            }
            last = found;
            now = Timestamp::from_millis(now.as_millis() + 1_051_201);
        }
    }
}
