//! How are times told and understood at a terminal? In the zone of this machine (`TZ`), or in UTC
//! where that is asked for; every time says of which zone it is, since the machine may be far away.

use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp, Zoned};

use super::text::one_line;

/// The zone in which times are told.
#[derive(Debug, Clone)]
pub(crate) struct Zone(TimeZone);

impl Zone {
    /// That of this machine, or UTC.
    pub(crate) fn asked(utc: bool) -> Self {
        Self(if utc {
            TimeZone::UTC
        } else {
            TimeZone::system()
        })
    }

    /// Date and time of an RFC 3339 time, such as `2026-11-22 10:37:10 +02:00`; the text itself where
    /// it is none.
    pub(crate) fn date_time(&self, text: &str) -> String {
        match self.local(text) {
            Some(at) => at.strftime("%Y-%m-%d %H:%M:%S").to_string() + &label(at.offset()),
            None => one_line(text),
        }
    }

    /// The time of day with its milliseconds, such as `10:37:10.529 +02:00`.
    pub(crate) fn clock(&self, text: &str) -> String {
        match self.local(text) {
            Some(at) => at.strftime("%H:%M:%S%.3f").to_string() + &label(at.offset()),
            None => one_line(text),
        }
    }

    /// The time of day beside `known`, a time that was told in full: of another day, or after the
    /// clocks were changed, all of it.
    pub(crate) fn beside(&self, known: &str, text: &str) -> String {
        let at = self.local(text);
        let of_that_day = at
            .as_ref()
            .zip(self.local(known))
            .is_some_and(|(at, known)| (at.date(), at.offset()) == (known.date(), known.offset()));
        match at {
            Some(at) if of_that_day => at.strftime("%H:%M:%S%.3f").to_string(),
            Some(_) | None => self.date_time(text),
        }
    }

    fn local(&self, text: &str) -> Option<Zoned> {
        let at: Timestamp = text.parse().ok()?;
        Some(at.to_zoned(self.0.clone()))
    }
}

/// The zone of a time, with a blank before it.
fn label(offset: Offset) -> String {
    if offset == Offset::UTC {
        " UTC".to_owned()
    } else {
        // With minutes also where there are none: times under each other look the same.
        let minutes = offset.seconds().abs() / 60;
        let sign = if offset.is_negative() { '-' } else { '+' };
        format!(" {sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// A time that was typed: a point in time, or how long from now.
#[derive(Debug, Clone)]
pub(crate) enum Moment {
    /// This time.
    At(Timestamp),
    /// So long from now.
    In(Span),
}

impl Moment {
    /// Reads `2030-01-31T08:00:00Z`, or a duration such as `2h`, `90m` or `3d`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Ok(at) = text.parse() {
            return Ok(Self::At(at));
        }
        let span: Option<Span> = text.parse().ok();
        span.filter(|it| it.is_positive()).map(Self::In).ok_or_else(|| {
            "must be a time with its zone, such as 2030-01-31T08:00:00Z or 2030-01-31T10:00:00+02:00, or how long from now, such as 2h, 90m or 3d".to_owned()
        })
    }

    /// The point in time as RFC 3339. A day is one of the calendar, in the zone of `now`.
    pub(crate) fn from(&self, now: &Zoned) -> Result<String, jiff::Error> {
        Ok(match self {
            Self::At(at) => at.to_string(),
            Self::In(span) => now.checked_add(*span)?.timestamp().to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        Zone(TimeZone::get(name).unwrap())
    }

    #[test]
    fn every_time_says_of_which_zone_it_is() {
        let at = "2026-11-22T08:37:10.529Z";
        for (name, date_time, clock) in [
            ("UTC", "2026-11-22 08:37:10 UTC", "08:37:10.529 UTC"),
            (
                "Europe/London",
                "2026-11-22 08:37:10 UTC",
                "08:37:10.529 UTC",
            ),
            (
                "Europe/Bucharest",
                "2026-11-22 10:37:10 +02:00",
                "10:37:10.529 +02:00",
            ),
            (
                "America/St_Johns",
                "2026-11-22 05:07:10 -03:30",
                "05:07:10.529 -03:30",
            ),
        ] {
            assert_eq!(zone(name).date_time(at), date_time);
            assert_eq!(zone(name).clock(at), clock);
        }
        assert_eq!(Zone::asked(true).date_time(at), "2026-11-22 08:37:10 UTC");
        assert_eq!(zone("UTC").date_time("so\non"), "so on");
    }

    #[test]
    fn beside_a_time_of_the_same_day_the_clock_is_enough() {
        let zone = zone("Europe/Bucharest");
        let known = "2026-10-24T20:59:00Z";
        for (at, told) in [
            ("2026-10-24T20:59:59.5Z", "23:59:59.500"),
            ("2026-10-24T21:00:00Z", "2026-10-25 00:00:00 +03:00"),
            ("soon", "soon"),
        ] {
            assert_eq!(zone.beside(known, at), told);
        }
        // The clocks go back at 01:00 UTC: 03:30 comes twice.
        let again = zone.beside("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z");
        assert_eq!(again, "2026-10-25 03:30:00 +02:00");
        assert_eq!(zone.beside("unknown", known), "2026-10-24 23:59:00 +03:00");
    }

    #[test]
    fn a_moment_is_a_time_or_a_while_from_now() {
        let now: Zoned = "2026-10-24T12:00:00+03:00[Europe/Bucharest]"
            .parse()
            .unwrap();
        for (typed, want) in [
            ("2030-01-31T08:00:00Z", "2030-01-31T08:00:00Z"),
            ("2030-01-31T10:00:00+02:00", "2030-01-31T08:00:00Z"),
            ("2h", "2026-10-24T11:00:00Z"),
            ("90m", "2026-10-24T10:30:00Z"),
            ("1h 30m", "2026-10-24T10:30:00Z"),
            // The clocks go back in between: noon to noon.
            ("1d", "2026-10-25T10:00:00Z"),
        ] {
            assert_eq!(
                Moment::parse(typed).unwrap().from(&now).unwrap(),
                want,
                "{typed}"
            );
        }
        for wrong in [
            "",
            "tomorrow",
            "2030-01-31",
            "2030-01-31T08:00:00",
            "-2h",
            "0h",
            "2",
        ] {
            assert!(Moment::parse(wrong).is_err(), "{wrong}");
        }
        let for_ever = Moment::parse("99999y").or_else(|_| Moment::parse("9999y"));
        assert!(for_ever.is_ok_and(|it| it.from(&now).is_err()));
    }
}
