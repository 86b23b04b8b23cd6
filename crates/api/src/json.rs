//! How values look on the wire: time stamps, money, stored JSON, and whole answers.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::model::money::Micros;
use domain::time::{Millis, Timestamp};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// An answer with this body. Room for a message without growing.
pub(crate) fn response(status: StatusCode, body: &impl Serialize) -> Response {
    let mut bytes = Vec::with_capacity(1_536);
    match serde_json::to_writer(&mut bytes, body) {
        Ok(()) => {
            let mut response = Response::new(Body::from(bytes));
            *response.status_mut() = status;
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            response
        }
        Err(error) => {
            // No answer type has a map with keys that are not text, or a serializer that fails.
            tracing::error!(%error, "an answer could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A point in time as ISO 8601 in UTC with milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Iso(pub(crate) Timestamp);

impl Serialize for Iso {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match jiff::Timestamp::from_millisecond(self.0.as_millis()) {
            Ok(at) => serializer.collect_str(&format_args!("{at:.3}")),
            // Beyond the year 9999: acceptance refuses it, so that it is never served.
            Err(_) => serializer.serialize_none(),
        }
    }
}

/// A point in time as the published examples write it: no fraction where there is none.
#[derive(Clone, Copy)]
pub(crate) struct IsoShort(pub(crate) Timestamp);

impl Serialize for IsoShort {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match jiff::Timestamp::from_millisecond(self.0.as_millis()) {
            Ok(at) => serializer.collect_str(&at),
            Err(_) => serializer.serialize_none(),
        }
    }
}

/// The point in time that an RFC 3339 text names, with any offset.
pub(crate) fn timestamp(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp::from_millis(at.as_millisecond()))
}

/// An amount of money as the number that people read (R-COST-1: a float only when it is shown).
#[derive(Clone, Copy)]
pub(crate) struct Money(pub(crate) Micros);

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let micros = self.0.0;
        if micros % 1_000_000 == 0 {
            return serializer.serialize_i64(micros / 1_000_000);
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "exact up to nine thousand million units"
        )]
        let units = micros as f64 / 1e6;
        serializer.serialize_f64(units)
    }
}

/// A span of time as whole milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct WholeMillis(pub(crate) Millis);

impl Serialize for WholeMillis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0.get())
    }
}

/// Something that is written as its `Display`, without a copy first: ids.
#[derive(Clone, Copy)]
pub(crate) struct Shown<T>(pub(crate) T);

impl<T: std::fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// JSON text that was kept, to be served as it is; `None` when it is not JSON after all.
pub(crate) fn kept(text: Option<&str>) -> Option<&RawValue> {
    text.and_then(|it| serde_json::from_str(it).ok())
}

/// Kept metadata, an empty object where there is none: clients expect one.
#[derive(Clone, Copy)]
pub(crate) struct Metadata<'a>(pub(crate) Option<&'a str>);

impl Serialize for Metadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match kept(self.0) {
            Some(raw) => raw.serialize(serializer),
            None => serializer.collect_map(std::iter::empty::<((), ())>()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &impl Serialize) -> String {
        serde_json::to_string(value).unwrap()
    }

    #[test]
    fn time_stamps_have_milliseconds_and_end_with_z() {
        let at = timestamp("2025-01-15T12:30:00.5+02:00").unwrap();
        assert_eq!(text(&Iso(at)), r#""2025-01-15T10:30:00.500Z""#);
        assert_eq!(text(&IsoShort(at)), r#""2025-01-15T10:30:00.5Z""#);
        let whole = timestamp("2025-01-15T10:30:00Z").unwrap();
        assert_eq!(text(&Iso(whole)), r#""2025-01-15T10:30:00.000Z""#);
        assert_eq!(text(&IsoShort(whole)), r#""2025-01-15T10:30:00Z""#);
    }

    #[test]
    fn a_time_without_an_offset_is_no_time_stamp() {
        for wrong in ["", "now", "2025-01-15", "2025-01-15T10:30:00", "1736936400"] {
            assert_eq!(timestamp(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn money_is_shown_in_units() {
        for (micros, want) in [(0, "0"), (35_000, "0.035"), (1, "1e-6"), (2_000_000, "2")] {
            assert_eq!(text(&Money(Micros(micros))), want);
        }
    }

    #[test]
    fn metadata_is_an_object_whatever_was_kept() {
        for (kept, want) in [
            (None, "{}"),
            (Some(r#"{"a":"b"}"#), r#"{"a":"b"}"#),
            (Some("{broken"), "{}"),
        ] {
            assert_eq!(text(&Metadata(kept)), want);
        }
    }
}
