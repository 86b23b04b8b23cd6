//! What does a status tell? (reference: protocols 1.7)

use domain::model::failure::{Failure, FailureClass};
use domain::model::receipt::ReceiptState;
use ports::connector::{ConsentSignal, IncomingReceipt};
use serde_json::{Map, Value, json};

use super::codes::{MetaError, STOPPED_MARKETING};
use super::people::Person;
use super::{submit, tree};
use crate::web::protocol::Telling;

/// The receipt of one status, and what it says of consent; nothing where it is no status that we
/// know.
///
/// A failure by 131050 is also a person's word that they want no more promotions.
pub(super) fn read(status: &Value, our_number: &str) -> Vec<Telling> {
    let Some(id) = tree::text(status, "id") else {
        return Vec::new();
    };
    let error = tree::list(status, "errors")
        .iter()
        .find_map(MetaError::read);
    let Some(state) = state(status, error.as_ref()) else {
        return Vec::new();
    };
    let person = Person::read(status, "recipient_id", "recipient_user_id");
    let recipient = person.map(|it| it.address);
    let raw = raw(status);
    let stopped = error.is_some_and(|it| it.code == STOPPED_MARKETING);
    let consent = recipient.clone().filter(|_| stopped).map(|from| {
        Telling::Consent(ConsentSignal {
            from,
            to: our_number.into(),
            opted_out: true,
            promotions_only: true,
            raw: raw.clone(),
        })
    });
    let receipt = Telling::Receipt(IncomingReceipt {
        references: vec![id.into()],
        ours: tree::text(status, "biz_opaque_callback_data").and_then(submit::ours),
        recipient,
        whole: true,
        state,
        raw,
    });
    [Some(receipt), consent].into_iter().flatten().collect()
}

fn state(status: &Value, error: Option<&MetaError>) -> Option<ReceiptState> {
    match tree::text(status, "status")? {
        "sent" => Some(ReceiptState::InTransit),
        "delivered" => Some(ReceiptState::Delivered),
        // `played` is a voice note that was listened to.
        "read" | "played" => Some(ReceiptState::Read),
        "failed" => Some(ReceiptState::Failed(failure(error))),
        _ => None,
    }
}

fn failure(error: Option<&MetaError>) -> Failure {
    let unexplained = || {
        let text = "Meta could not deliver the message, and does not say why.";
        Failure::new(FailureClass::Undeliverable, "none", text)
    };
    error.map_or_else(unexplained, MetaError::failure)
}

/// Meta's own words: what was said when, how it is charged, and the errors.
fn raw(status: &Value) -> Box<str> {
    let mut raw = Map::new();
    for key in ["status", "timestamp", "pricing"] {
        if let Some(value) = status.get(key) {
            raw.insert(key.to_owned(), value.clone());
        }
    }
    let errors = tree::list(status, "errors").iter().map(|it| {
        let title = tree::text(it, "title").or_else(|| tree::text(it, "message"));
        json!({"code": it.get("code"), "title": title})
    });
    let errors: Vec<Value> = errors.collect();
    if !errors.is_empty() {
        raw.insert("errors".to_owned(), Value::Array(errors));
    }
    Value::Object(raw).to_string().into_boxed_str()
}

#[cfg(test)]
#[path = "receipt_tests.rs"]
mod tests;
