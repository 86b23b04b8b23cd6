//! The document: OpenAPI 3.1, from the handlers themselves (R-API-4).

use std::sync::Arc;

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    Components, Content, Info, License, OpenApi, PathItem, Ref, RefOr, ResponseBuilder,
};
use utoipa_axum::router::OpenApiRouter;

use crate::{ApiState, parameters, probes, ui, v1};

const BEARER: &str = "bearer";
/// What the gate may answer in place of any operation that needs a key. An operation that says
/// more about one of these says it itself.
const OF_THE_GATE: [(&str, &str); 4] = [
    ("401", "No key, or one that is not known"),
    ("403", "The key may not do this"),
    ("429", "The key's rate limit is reached"),
    ("503", "The store is not available; nothing was changed"),
];

/// The cookie that `/ui/v1/login` sets; with it goes the header `X-CSRF-Token` of what changes
/// something.
const SESSION: &str = "session";
/// What any operation of the pages may answer.
const OF_THE_PAGES: [(&str, &str); 8] = [
    ("400", "A field is wrong, or the body is not JSON"),
    ("401", "Nobody is signed in"),
    (
        "403",
        "The role may not do this, or `X-CSRF-Token` is missing",
    ),
    ("404", "There is no such thing in the project"),
    ("409", "It cannot be so beside what is there"),
    ("413", "The body is too large"),
    ("429", "Too many attempts"),
    ("503", "The store is not available; nothing was changed"),
];

/// Every documented path, with the document's head.
pub(crate) fn documented(
    paths: OpenApiRouter<Arc<ApiState>>,
) -> (axum::Router<Arc<ApiState>>, OpenApi) {
    let (router, mut document) = paths.split_for_parts();
    document.info = Info::new("Tandem", env!("CARGO_PKG_VERSION"));
    document.info.description = Some(
        "A self-hosted smart message router: it decides which channel and which route carry a \
         message, sends it, follows it until it is delivered, and can explain what it did."
            .to_owned(),
    );
    let mut license = License::new("Apache-2.0");
    license.identifier = Some("Apache-2.0".to_owned());
    document.info.license = Some(license);
    let scheme = SecurityScheme::Http(
        Http::builder()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key. Test keys send through simulators only."))
            .build(),
    );
    document
        .components
        .get_or_insert_with(Components::new)
        .add_security_scheme(BEARER, scheme);
    let cookie = ApiKeyValue::with_description(
        "tandem",
        "The cookie that `POST /ui/v1/login` sets; `__Host-tandem` behind HTTPS. It opens `/v1` as \
         well. What changes something needs the header `X-CSRF-Token` beside it.",
    );
    document
        .components
        .get_or_insert_with(Components::new)
        .add_security_scheme(SESSION, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    document.security = Some(vec![SecurityRequirement::new(BEARER, [""; 0])]);
    for (path, item) in &mut document.paths.paths {
        let is_of_the_pages = path.starts_with("/ui/");
        for operation in operations(item) {
            if is_of_the_pages {
                answer_also(operation, &OF_THE_PAGES);
            } else if operation.security.is_none() {
                answer_also(operation, &OF_THE_GATE);
            }
        }
    }
    parameters::document(&mut document);
    (router, document)
}

/// Adds refusals that an operation does not name itself.
fn answer_also(operation: &mut Operation, refusals: &[(&str, &str)]) {
    for (status, words) in refusals {
        let answers = &mut operation.responses.responses;
        answers
            .entry((*status).to_owned())
            .or_insert_with(|| refusal(words));
    }
}

/// The operations of a path.
fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem {
        get,
        put,
        post,
        delete,
        patch,
        ..
    } = path;
    [get, put, post, delete, patch]
        .into_iter()
        .filter_map(Option::as_mut)
}

/// An answer in the shape of every refusal.
fn refusal(words: &str) -> RefOr<utoipa::openapi::Response> {
    let content = Content::new(Some(Ref::from_schema_name("Error")));
    let answer = ResponseBuilder::new()
        .description(words)
        .content("application/json", content);
    RefOr::T(answer.build())
}

/// The document as text: the same for the same code, two blanks deep, with a line end.
pub fn openapi_json() -> String {
    let (_, document) = documented(v1::router().merge(ui::router()).merge(probes::router()));
    // Safe to default: the document is made of maps with text keys.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn document() -> Value {
        serde_json::from_str(&openapi_json()).unwrap()
    }

    #[test]
    fn the_document_is_openapi_3_1_and_the_same_each_time() {
        assert_eq!(document()["openapi"], "3.1.0");
        assert_eq!(openapi_json(), openapi_json());
    }

    #[test]
    fn every_operation_has_an_id_a_summary_and_an_answer() {
        let document = document();
        let mut ids = std::collections::BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let id = operation["operationId"].as_str().unwrap();
                assert!(ids.insert(id.to_owned()), "{id} twice");
                assert!(operation["summary"].is_string(), "{method} {path}");
                let answers = operation["responses"].as_object().unwrap();
                assert!(
                    answers.keys().any(|it| it.starts_with('2')),
                    "{method} {path}"
                );
            }
        }
        assert!(ids.contains("sendMessage") && ids.contains("previewRouting"));
    }

    #[test]
    fn every_operation_that_needs_a_key_says_how_the_gate_refuses() {
        let document = document();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let answers = operation["responses"].as_object().unwrap();
                let needs_key = operation.get("security").is_none() || path.starts_with("/ui/");
                for (status, _) in OF_THE_GATE.iter().take(3) {
                    assert_eq!(answers.contains_key(*status), needs_key, "{method} {path}");
                }
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn walk(value: &Value, root: &Value) {
            match value {
                Value::Object(map) => {
                    if let Some(target) = map.get("$ref").and_then(Value::as_str) {
                        let pointer = target.strip_prefix('#').unwrap();
                        assert!(root.pointer(pointer).is_some(), "{target}");
                    }
                    map.values().for_each(|it| walk(it, root));
                }
                Value::Array(items) => items.iter().for_each(|it| walk(it, root)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        let document = document();
        walk(&document, &document);
    }

    #[test]
    fn the_fields_of_a_send_have_their_ranges() {
        let document = document();
        let send = &document["components"]["schemas"]["SendMessage"];
        assert_eq!(send["required"], serde_json::json!(["to"]));
        let fields = &send["properties"];
        for (field, least, most) in [("validity", 30, 604_800), ("fallbackAfter", 10, 86_400)] {
            assert_eq!(fields[field]["minimum"], least, "{field}");
            assert_eq!(fields[field]["maximum"], most, "{field}");
        }
        for field in [
            "trafficClass",
            "category",
            "speed",
            "inReplyTo",
            "conversationId",
            "scheduledAt",
        ] {
            assert!(fields[field].is_object(), "{field}");
        }
        assert_eq!(fields["text"]["maxLength"], 4_096);
    }

    #[test]
    fn an_inbound_message_fits_the_schema_of_messages() {
        let document = document();
        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["OutboundMessage"].get("required"), None);
        assert!(
            !schemas["Message"]
                .to_string()
                .contains(r#"OutboundMessage"},{"type":"null"#)
        );
        let kind = &schemas["UpdateContact"]["properties"]["defaultChannel"];
        assert!(
            kind["enum"].as_array().unwrap().contains(&Value::Null),
            "null clears"
        );
    }
}
