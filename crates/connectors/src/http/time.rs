//! How providers write times.

use domain::time::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

/// Whether there is such a format.
pub(super) fn is_format(format: &str) -> bool {
    let noon = DateTime::constant(2026, 11, 21, 12, 0, 0, 0).to_zoned(TimeZone::UTC);
    matches!(format, "rfc3339" | "rfc2822" | "unix" | "unix_ms")
        || noon.is_ok_and(|noon| {
            strtime::format(format, &noon).is_ok_and(|it| read(format, &it).is_some())
        })
}

/// The moment that a text means; in UTC where it names no zone. `None`: it is not written so.
pub(super) fn read(format: &str, text: &str) -> Option<Timestamp> {
    let timestamp = match format {
        "rfc3339" => text.parse().ok()?,
        "rfc2822" => jiff::fmt::rfc2822::parse(text).ok()?.timestamp(),
        "unix" => jiff::Timestamp::from_second(text.parse().ok()?).ok()?,
        "unix_ms" => jiff::Timestamp::from_millisecond(text.parse().ok()?).ok()?,
        pattern => {
            let parsed = strtime::parse(pattern, text).ok()?;
            parsed.to_timestamp().ok().or_else(|| {
                let local = parsed.to_datetime().ok()?;
                Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp())
            })?
        }
    };
    Some(Timestamp::from_millis(timestamp.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_form() {
        for (format, text) in [
            ("rfc3339", "2023-11-14T22:13:20Z"),
            ("rfc3339", "2023-11-15T00:13:20.000+02:00"),
            ("rfc2822", "Tue, 14 Nov 2023 22:13:20 +0000"),
            ("unix", "1700000000"),
            ("unix_ms", "1700000000000"),
            ("%Y-%m-%d %H:%M:%S", "2023-11-14 22:13:20"),
            ("%Y-%m-%dT%H:%M:%S%.f%z", "2023-11-14T22:13:20.000+0000"),
        ] {
            let moment = Timestamp::from_millis(1_700_000_000_000);
            assert_eq!(read(format, text), Some(moment), "{format} {text}");
            assert!(is_format(format), "{format}");
        }
    }

    #[test]
    fn what_is_not_written_so_is_no_time() {
        assert_eq!(read("unix", "soon"), None);
        assert_eq!(read("%y%m%d%H%M", "2013"), None);
        assert!(!is_format("iso"));
        assert!(!is_format("%Y-%m"));
    }
}
