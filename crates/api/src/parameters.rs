//! Which parameters of a query does nobody know, and which are given more than once? The former are ignored,
//! of the latter the last counts; both are named in `warnings` of the answer, as unknown fields of a body
//! are (R-API-3).
//!
//! What is known is what the document says of the operation, so nothing is asked for that is not
//! documented. It is done in one place, behind the handlers: most answers have no `warnings`, and no
//! handler needs to know of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::{self, Body, Bytes};
use axum::extract::{MatchedPath, Query, Request, State};
use axum::http::{Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::schema::{ArrayBuilder, Schema};
use utoipa::openapi::{OpenApi, PathItem, Ref, RefOr};

use crate::body::{NAMED_FIELDS, ignored};
use crate::error::{ApiError, FieldError};

/// The field of an answer in which they are named.
const WARNINGS: &str = "warnings";
/// What is said of a parameter that is given more than once.
const REPEATED: &str = "given more than once; only the last counts";
/// The form of the answers that can name them: files and streams cannot.
const JSON: &str = "application/json";

/// The parameters of each path that is read and answers in JSON.
pub(crate) struct Known(BTreeMap<String, BTreeSet<String>>);

impl Known {
    /// What the document says.
    pub(crate) fn of(document: &OpenApi) -> Self {
        let paths = document.paths.paths.iter();
        let read = paths.filter_map(|(path, item)| {
            let operation = in_json(item)?;
            Some((path.clone(), parameters(operation)))
        });
        Self(read.collect())
    }

    /// The parameters of this request that its operation does not have, or that it has more than once, each
    /// once.
    fn ignored(&self, path: &str, uri: &Uri) -> Vec<FieldError> {
        let Some(known) = self.0.get(path) else {
            return Vec::new();
        };
        let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else {
            // What cannot be read is for the handler to refuse.
            return Vec::new();
        };
        let (mut seen, mut named) = (BTreeSet::new(), BTreeSet::new());
        let names = pairs.iter().map(|(name, _)| name.as_str());
        names
            .filter(|it| {
                let is_first = seen.insert(*it);
                (!known.contains(*it) || !is_first) && named.insert(*it)
            })
            .take(NAMED_FIELDS)
            .map(|it| {
                let words = if known.contains(it) {
                    REPEATED.to_owned()
                } else {
                    words(known)
                };
                FieldError::new(&[ignored(it)], words)
            })
            .collect()
    }
}

/// What is said of an unknown parameter.
fn words(known: &BTreeSet<String>) -> String {
    if known.is_empty() {
        return "unknown parameter; ignored. There are none here".to_owned();
    }
    let names: Vec<&str> = known.iter().map(String::as_str).collect();
    format!("unknown parameter; ignored. Known are {}", names.join(", "))
}

/// The operation that reads this path, where it answers in JSON.
fn in_json(item: &PathItem) -> Option<&Operation> {
    let operation = item.get.as_ref()?;
    answer(operation).map(|_| operation)
}

/// The shape of its answer in JSON.
fn answer(operation: &Operation) -> Option<&RefOr<Schema>> {
    let response = here(operation.responses.responses.get("200")?)?;
    here(response.content.get(JSON)?)?.schema.as_ref()
}

/// What stands in the document in this place. Nothing but shapes is referred to from elsewhere.
fn here<T>(it: &RefOr<T>) -> Option<&T> {
    match it {
        RefOr::T(it) => Some(it),
        RefOr::Ref(_) => None,
    }
}

/// The names of its parameters.
fn parameters(operation: &Operation) -> BTreeSet<String> {
    let all = operation.parameters.iter().flatten();
    all.filter_map(here)
        .filter(|it| matches!(it.parameter_in, ParameterIn::Query))
        .map(|it| it.name.clone())
        .collect()
}

/// Names the ignored parameters of what is read, where the answer is not a refusal.
pub(crate) async fn named(
    State(known): State<Arc<Known>>,
    path: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    let unknown = if request.method() == Method::GET && request.uri().query().is_some() {
        known.ignored(path.as_str(), request.uri())
    } else {
        Vec::new()
    };
    let response = next.run(request).await;
    if unknown.is_empty() || !response.status().is_success() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // Every answer in JSON is in memory already, and as long as its handler allowed.
    match body::to_bytes(body, usize::MAX).await {
        Ok(bytes) => {
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, Body::from(with(&bytes, &unknown)))
        }
        Err(error) => ApiError::internal(&format!("an answer broke off: {error}")).into_response(),
    }
}

/// The answer, an object, with these warnings as its last field. It is not read for that: its numbers
/// and the order of its fields stay as they are.
fn with(answer: &Bytes, warnings: &[FieldError]) -> Vec<u8> {
    let mut answer = answer.to_vec();
    let Some(end) = answer.iter().rposition(|it| *it == b'}') else {
        return answer;
    };
    answer.truncate(end);
    if answer.iter().rfind(|it| !it.is_ascii_whitespace()) != Some(&b'{') {
        answer.push(b',');
    }
    // Safe to default: texts are always written.
    let warnings = serde_json::to_string(warnings).unwrap_or_default();
    answer.extend_from_slice(format!("\"{WARNINGS}\":{warnings}}}").as_bytes());
    answer
}

/// Says in the document that what is read may have `warnings`.
pub(crate) fn document(document: &mut OpenApi) {
    let read = document.paths.paths.iter();
    let shapes: BTreeSet<String> = read
        .filter(|(path, _)| path.starts_with("/v1/"))
        .filter_map(|(_, item)| match answer(in_json(item)?)? {
            RefOr::Ref(shape) => shape.ref_location.rsplit('/').next().map(str::to_owned),
            RefOr::T(_) => None,
        })
        .collect();
    let Some(components) = &mut document.components else {
        return;
    };
    for name in shapes {
        if let Some(RefOr::T(Schema::Object(shape))) = components.schemas.get_mut(&name) {
            shape
                .properties
                .entry(WARNINGS.to_owned())
                .or_insert_with(|| {
                    let warnings = ArrayBuilder::new()
                        .items(Ref::from_schema_name("FieldError"))
                        .description(Some("Parameters of the request that nobody knows, or that are given more than once."));
                    RefOr::T(Schema::Array(warnings.build()))
                });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn warnings_are_the_last_field_and_change_nothing_else() {
        let warning = [FieldError::new(&["clas"], "unknown")];
        let named = r#""warnings":[{"path":["clas"],"message":"unknown"}]}"#;
        for (answer, want) in [
            (
                r#"{"b":1.0,"a":[{}]}"#,
                format!(r#"{{"b":1.0,"a":[{{}}],{named}"#),
            ),
            ("{}", format!("{{{named}")),
            ("{ }", format!("{{ {named}")),
        ] {
            let with = with(&Bytes::from(answer), &warning);
            assert_eq!(String::from_utf8(with).unwrap(), want);
        }
    }

    #[test]
    fn every_answer_that_may_have_warnings_says_so() {
        let document: Value = serde_json::from_str(&crate::openapi_json()).unwrap();
        let mut read = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            let content = &item["get"]["responses"]["200"]["content"][JSON]["schema"];
            let Some(shape) = content["$ref"].as_str() else {
                continue;
            };
            let shape = document.pointer(shape.strip_prefix('#').unwrap()).unwrap();
            let has = shape["properties"].get(WARNINGS).is_some();
            assert_eq!(has, path.starts_with("/v1/"), "{path}");
            read += 1;
        }
        assert!(read > 30, "{read}");
    }

    #[test]
    fn a_parameter_is_named_once_and_a_name_without_end_is_cut() {
        let known = Known([("/v1/x".to_owned(), BTreeSet::from(["a".to_owned()]))].into());
        let long = "n".repeat(1_000);
        let uri: Uri = format!("/v1/x?a=1&b=2&b=3&{long}=4").parse().unwrap();
        let unknown = known.ignored("/v1/x", &uri);
        let names: Vec<_> = unknown.iter().map(|it| it.path.join(".")).collect();
        assert_eq!(names, ["b", &long[..64]]);
        assert_eq!(
            unknown[0].message,
            "unknown parameter; ignored. Known are a"
        );
        assert_eq!(
            known.ignored("/v1/media", &uri),
            [],
            "a file has no warnings"
        );
        let uri: Uri = "/v1/x?a=1&a=2&a=3".parse().unwrap();
        let repeated = known.ignored("/v1/x", &uri);
        assert_eq!(repeated, [FieldError::new(&["a"], REPEATED)]);
        let many: Vec<String> = (0..100).map(|it| format!("p{it}=")).collect();
        let uri: Uri = format!("/v1/x?{}", many.join("&")).parse().unwrap();
        assert_eq!(known.ignored("/v1/x", &uri).len(), NAMED_FIELDS);
    }
}
