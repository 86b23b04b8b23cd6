//! "This is the same request" (R-LIFE-3): the caller's key, and a hash of each field in a fixed
//! order, to name the one that differs.

use axum::http::{HeaderName, HeaderValue, StatusCode};
use ports::store::messages::IdempotencyKey;

use crate::error::{ApiError, ErrorCode, Problems};

/// Most characters of a key.
const KEY_CHARS: usize = 255;
const PATH: &[&str] = &["idempotencyKey"];

/// Tells that a repeat was answered with the original.
pub(in crate::v1) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The key of the header, where the request has it.
pub(in crate::v1) fn of_header<'a>(
    header: Option<&'a HeaderValue>,
    problems: &mut Problems,
) -> Option<&'a str> {
    let key = header?.to_str();
    if key.is_err() {
        problems.add(&["Idempotency-Key"], "must be plain ASCII");
    }
    key.ok()
}

/// The key of the body or of the header; both must be equal.
pub(in crate::v1) fn key<'a>(
    body: Option<&'a str>,
    header: Option<&'a str>,
    problems: &mut Problems,
) -> Option<&'a str> {
    let key = match (body, header) {
        (Some(body), Some(header)) if body != header => {
            problems.add(PATH, "differs from the header Idempotency-Key");
            return None;
        }
        (body, header) => body.or(header)?,
    };
    if key.is_empty() || key.chars().count() > KEY_CHARS {
        problems.add(PATH, "must have 1 to 255 characters");
        return None;
    }
    Some(key)
}

/// The hashes of a request's fields. FNV-1a: the same in every build, as they outlive the process,
/// and nothing secret hangs on them.
pub(in crate::v1) struct Fields(Vec<(&'static str, u64)>);

impl Fields {
    /// No field yet; `count` of them come.
    pub(in crate::v1) fn with_capacity(count: usize) -> Self {
        Self(Vec::with_capacity(count))
    }

    /// Adds a field as the caller gave it; absent and empty differ.
    pub(in crate::v1) fn add(&mut self, name: &'static str, value: Option<&[u8]>) {
        let hash = match value {
            None => 0,
            Some(bytes) => bytes
                .iter()
                .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
                    (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
                })
                .max(1),
        };
        self.0.push((name, hash));
    }

    /// Adds a number, a truth or a moment.
    pub(in crate::v1) fn add_number(&mut self, name: &'static str, value: Option<i64>) {
        match value {
            Some(number) => self.add(name, Some(&number.to_le_bytes())),
            None => self.add(name, None),
        }
    }

    /// The key with these fields.
    pub(in crate::v1) fn under(self, key: &str) -> IdempotencyKey {
        IdempotencyKey {
            key: key.into(),
            fields: self.0,
        }
    }
}

/// `409 conflict`: the idempotency key was used for such a thing before (R-LIFE-3).
pub(in crate::v1) fn repeated(what: &str) -> ApiError {
    ApiError::new(
        StatusCode::CONFLICT,
        ErrorCode::Conflict,
        format!("A {what} with this idempotency key already exists"),
    )
    .should_retry(false)
}

/// The refusal of a repeat whose body is another.
pub(in crate::v1) fn differs(error: ApiError, field: &str) -> ApiError {
    let words = "differs from the first request with this idempotency key";
    error.with_field(&[field], words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_and_header_must_name_the_same_key() {
        for (body, header, want) in [
            (None, None, Ok(None)),
            (Some("a"), None, Ok(Some("a"))),
            (None, Some("b"), Ok(Some("b"))),
            (Some("a"), Some("a"), Ok(Some("a"))),
            (Some("a"), Some("b"), Err(())),
            (Some(""), None, Err(())),
        ] {
            let mut problems = Problems::default();
            let found = key(body, header, &mut problems);
            let got = problems.finish().map(|()| found).map_err(|_| ());
            assert_eq!(got, want, "{body:?} {header:?}");
        }
    }

    #[test]
    fn hashes_are_stable_and_tell_absent_from_empty() {
        let mut fields = Fields::with_capacity(4);
        fields.add("absent", None);
        fields.add("empty", Some(b""));
        fields.add("text", Some(b"foobar"));
        fields.add_number("number", Some(1));
        // The published FNV-1a test vectors for "" and "foobar".
        assert_eq!(fields.0[0].1, 0);
        assert_eq!(fields.0[1].1, 0xcbf2_9ce4_8422_2325);
        assert_eq!(fields.0[2].1, 0x8594_4171_f739_67e8);
        assert_ne!(fields.0[3].1, 0);
    }
}
