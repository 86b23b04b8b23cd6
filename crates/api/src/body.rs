//! How a request body is read: once, fast, borrowing from it; and a second time, with the way to
//! the fault, only when the first found one (R-API-3).

use std::borrow::Cow;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;

use crate::error::{ApiError, ErrorCode, FieldError};

/// Most unknown fields that are named; the rest of a strange body is not echoed.
pub(crate) const NAMED_FIELDS: usize = 20;
/// Most bytes of an unknown field's name that are echoed.
const NAME_BYTES: usize = 64;

/// A body that may be too large or may have broken off.
pub(crate) type ReadBody = Result<Bytes, BytesRejection>;

/// A text that borrows from the body where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

impl Text<'_> {
    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A field of a PATCH: absent means unchanged, `null` clears.
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things"
)]
pub(crate) fn clearable<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// The bytes, or why there are none.
pub(crate) fn bytes(body: ReadBody, limit: usize) -> Result<Bytes, ApiError> {
    body.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            ApiError::payload_too_large(limit)
        } else {
            ApiError::bad_request("The body broke off")
        }
    })
}

/// Reads the body. Fields that nobody knows are ignored and added to `unknown`.
pub(crate) fn parse<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
    unknown: &mut Vec<FieldError>,
) -> Result<T, ApiError> {
    // Derived code would also take a list of the fields' values in their order.
    if first_byte(bytes).is_some_and(|it| it != b'{') {
        return Err(no_object(bytes));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))?;
    let mut json = serde_json::Deserializer::from_str(text);
    let read = serde_ignored::deserialize(&mut json, |path| {
        if unknown.len() < NAMED_FIELDS {
            unknown.push(unknown_field(&path.to_string()));
        }
    });
    match read {
        Ok(value) if json.end().is_ok() => Ok(value),
        Ok(_) | Err(_) => Err(fault::<T>(text)),
    }
}

fn first_byte(bytes: &[u8]) -> Option<u8> {
    bytes.iter().copied().find(|it| !it.is_ascii_whitespace())
}

#[cold]
fn not_utf8(bytes: &[u8], at: usize) -> ApiError {
    let before = &bytes[..at];
    let line = before.split(|it| *it == b'\n').count();
    let column = 1 + before.iter().rev().take_while(|it| **it != b'\n').count();
    let message = format!("The body is not UTF-8 (line {line}, byte {column} in it)");
    ApiError::new(StatusCode::BAD_REQUEST, ErrorCode::InvalidJson, message)
        .detail("line", line)
        .detail("column", column)
}

#[cold]
fn no_object(bytes: &[u8]) -> ApiError {
    match serde_json::from_slice::<serde::de::IgnoredAny>(bytes) {
        Ok(_) => ApiError::new(
            StatusCode::BAD_REQUEST,
            ErrorCode::InvalidRequest,
            "The body must be a JSON object",
        ),
        Err(error) => malformed(&error),
    }
}

/// As much of a name that nobody knows as is echoed.
pub(crate) fn ignored(name: &str) -> &str {
    &name[..name.floor_char_boundary(NAME_BYTES)]
}

/// A `?` in the path stands for an optional value on the way.
fn unknown_field(path: &str) -> FieldError {
    let path = path
        .split('.')
        .filter(|it| *it != "?")
        .map(|it| ignored(it).to_owned())
        .collect();
    FieldError {
        path,
        message: "unknown field; ignored".to_owned(),
    }
}

/// Reads a broken body again, to tell where it is broken.
#[cold]
fn fault<'a, T: Deserialize<'a>>(text: &'a str) -> ApiError {
    if first_byte(text.as_bytes()).is_none() {
        return ApiError::new(
            StatusCode::BAD_REQUEST,
            ErrorCode::InvalidJson,
            "The body is empty; a JSON object is expected",
        );
    }
    let mut json = serde_json::Deserializer::from_str(text);
    match serde_path_to_error::deserialize::<_, T>(&mut json) {
        Ok(_) => match json.end() {
            Ok(()) => ApiError::internal("a body was refused at first and taken at second reading"),
            Err(error) => malformed(&error),
        },
        Err(error) => match error.inner().classify() {
            Category::Syntax | Category::Eof | Category::Io => malformed(error.inner()),
            Category::Data => {
                let path = path_of(error.path());
                let message = without_place(error.inner());
                ApiError::fields(vec![FieldError { path, message }])
            }
        },
    }
}

fn malformed(error: &serde_json::Error) -> ApiError {
    let message = format!(
        "The body is not valid JSON: {} (line {}, column {})",
        without_place(error),
        error.line(),
        error.column()
    );
    ApiError::new(StatusCode::BAD_REQUEST, ErrorCode::InvalidJson, message)
        .detail("line", error.line())
        .detail("column", error.column())
}

fn path_of(path: &serde_path_to_error::Path) -> Vec<String> {
    use serde_path_to_error::Segment;
    path.iter()
        .filter_map(|it| match it {
            Segment::Seq { index } => Some(index.to_string()),
            Segment::Map { key } => Some(key.clone()),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}

fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, Debug)]
    struct Inner {
        n: Option<i64>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Outer<'a> {
        #[serde(borrow)]
        some_text: Option<Text<'a>>,
        inner: Option<Inner>,
        list: Option<Vec<Inner>>,
    }

    #[test]
    fn a_text_without_escapes_is_borrowed() {
        let body = r#"{"someText":"plain","list":[{"n":1}]}"#.as_bytes();
        let outer: Outer<'_> = parse(body, &mut Vec::new()).unwrap();
        assert!(matches!(
            outer.some_text,
            Some(Text(Cow::Borrowed("plain")))
        ));
        assert_eq!(outer.list.unwrap()[0].n, Some(1));
    }

    #[test]
    fn unknown_fields_are_named_with_their_path() {
        let mut unknown = Vec::new();
        let body = br#"{"x":{"y":1},"inner":{"n":1,"z":2},"list":[{"n":1},{"w":1}]}"#;
        let outer: Outer<'_> = parse(body, &mut unknown).unwrap();
        assert_eq!(outer.inner.unwrap().n, Some(1));
        let paths: Vec<_> = unknown.iter().map(|it| it.path.join("/")).collect();
        assert_eq!(paths, ["x", "inner/z", "list/1/w"]);
    }

    #[test]
    fn a_wrong_type_names_its_field_and_malformed_json_its_place() {
        for (body, path, says) in [
            (r#"{"someText":5}"#, "someText", "invalid type: integer `5`"),
            (r#"{"inner":{"n":"x"}}"#, "inner/n", "invalid type: string"),
            (
                r#"{"list":[{"n":1},{"n":true}]}"#,
                "list/1/n",
                "invalid type: boolean",
            ),
            (r#"{"someText":"a","someText":"b"}"#, "", "duplicate field"),
        ] {
            let error = parse::<Outer<'_>>(body.as_bytes(), &mut Vec::new())
                .err()
                .unwrap();
            assert_eq!(error.status(), StatusCode::BAD_REQUEST);
            assert_eq!(error.errors()[0].path.join("/"), path, "{body}");
            assert!(
                error.errors()[0].message.contains(says),
                "{:?}",
                error.errors()
            );
        }
        for body in [
            &b"{"[..],
            b"[]",
            b"nothing",
            b" ",
            b"{\"someText\":\"\xff\"}",
            b"{} x",
            b"",
            b"{\"someText\":\"\\ud800\"}",
        ] {
            let error = parse::<Outer<'_>>(body, &mut Vec::new()).err().unwrap();
            assert_eq!(error.status(), StatusCode::BAD_REQUEST);
            assert!(error.errors().is_empty(), "{body:?}");
        }
    }
}
