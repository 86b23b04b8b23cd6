//! What does a callback tell, and which of our numbers or accounts does each part of it concern?
//! (reference: protocols 1.7)
//!
//! One Meta app has one callback URL for all of its numbers, so a callback may concern other routes
//! than the one that it was made to. Nothing in it can be relied on: what is not understood is
//! passed over, and Meta, which would repeat it for seven days, is answered 200.

use ports::hooks::{HookAnswer, HookCall};
use serde_json::Value;
use url::form_urlencoded;

use super::config::WhatsAppConfig;
use super::{inbound, notice, people, receipt, tree};
use crate::web::protocol::Telling;
use crate::web::signature;

/// Whom a telling concerns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Whom {
    /// The route of the number with this id of Meta's.
    Number(String),
    /// A route of the business account with this id.
    Account(String),
}

/// A telling, and whom it concerns.
pub(super) type Addressed = (Whom, Telling);

/// What a call tells, once it is shown to be Meta's; `Err` is its answer where it tells nothing.
pub(super) fn read(config: &WhatsAppConfig, call: &HookCall) -> Result<Vec<Addressed>, HookAnswer> {
    match &*call.method {
        "GET" => Err(handshake(config, call)),
        "POST" => {
            if config.app_secret.is_empty() {
                return Err(HookAnswer::empty(403));
            }
            signature::meta(&config.app_secret, call).map_err(signature::Distrust::answer)?;
            Ok(tellings(&call.body))
        }
        _ => Err(HookAnswer::empty(405)),
    }
}

/// Meta wants to know whether the URL is ours: it shows our token, and gets its challenge back.
fn handshake(config: &WhatsAppConfig, call: &HookCall) -> HookAnswer {
    let parameter = |name: &str| {
        let found = form_urlencoded::parse(call.query.as_bytes()).find(|it| it.0 == name);
        found.map(|it| it.1)
    };
    let subscribes = parameter("hub.mode").as_deref() == Some("subscribe");
    let token = parameter("hub.verify_token");
    let is_ours = signature::shared_secret(&config.verify_token, token.as_deref()).is_ok();
    match parameter("hub.challenge") {
        Some(challenge) if subscribes && is_ours => {
            HookAnswer::with(200, "text/plain", challenge.as_bytes())
        }
        Some(_) | None => HookAnswer::empty(403),
    }
}

/// Everything that a body tells, in its order. Several entries, changes, messages and statuses may
/// stand in one.
pub(super) fn tellings(body: &[u8]) -> Vec<Addressed> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        tracing::warn!(
            "the body of a call with a right signature is no JSON; nothing is taken from it"
        );
        return Vec::new();
    };
    let mut told = Vec::new();
    for entry in tree::list(&body, "entry") {
        for change in tree::list(entry, "changes") {
            change_of(entry, change, &mut told);
        }
    }
    told
}

fn change_of(entry: &Value, change: &Value, told: &mut Vec<Addressed>) {
    let field = tree::text(change, "field").unwrap_or_default();
    let value = change.get("value").unwrap_or(&Value::Null);
    if matches!(field, "messages" | "user_preferences") {
        of_number(value, told);
    } else if let Some(update) = notice::read(field, value) {
        let account = tree::id(entry, "id").unwrap_or_default();
        told.push((Whom::Account(account), Telling::Template(update)));
    } else {
        tracing::debug!(field, "a callback about nothing that concerns us");
    }
}

/// What concerns one of our numbers.
fn of_number(value: &Value, told: &mut Vec<Addressed>) {
    let metadata = value.get("metadata").unwrap_or(&Value::Null);
    let Some(number) = tree::id(metadata, "phone_number_id") else {
        return;
    };
    let ours = people::our_number(metadata);
    let contacts = tree::list(value, "contacts");
    for error in tree::list(value, "errors") {
        let code = tree::whole(error, "code");
        tracing::warn!(number, code, "Meta reports an error of our number");
    }
    let messages = tree::list(value, "messages").iter();
    let inbound = messages.filter_map(|it| {
        let read = inbound::read(it, contacts, &ours);
        if read.is_none() && inbound::is_from_nobody(it, contacts) {
            // The route stands beside it: whoever takes the call says which it is.
            tracing::warn!(
                number,
                "a message whose writer has neither a number nor a user id; it is passed over"
            );
        }
        read
    });
    let statuses = tree::list(value, "statuses").iter();
    let preferences = tree::list(value, "user_preferences").iter();
    let tellings = inbound
        .map(|it| Telling::Inbound(Box::new(it)))
        .chain(statuses.flat_map(|it| receipt::read(it, &ours)))
        .chain(
            preferences
                .filter_map(|it| inbound::preference(it, &ours))
                .map(Telling::Consent),
        );
    told.extend(tellings.map(|it| (Whom::Number(number.clone()), it)));
}

#[cfg(test)]
#[path = "callback_tests.rs"]
mod tests;
