//! What an answer of the Bot API means (<https://core.telegram.org/bots/api#making-requests>, and
//! descriptions as the API gave them in 2026).
//!
//! The API has few codes and says the rest in words, so a code's row may ask for words.
//!
//! A person who blocked the bot counts as [`FailureClass::RecipientIncapable`], not as opted out: they
//! shut this one door, which says nothing of their mailbox or phone, and an opt-out would forbid the
//! fallback (R-FALL-4). That they do not want this bot is told apart, by the update about the block.

use domain::model::address::Address;
use domain::model::attempt::PartSet;
use domain::model::failure::{Failure, FailureClass as Class};
use domain::model::receipt::{PartReference, SubmitOutcome};
use domain::time::Millis;
use ports::connector::Submission;
use serde_json::Value;

use self::Meaning::{ForGood, NotTaken};
use super::submit::message_id;
use crate::web::protocol::{Answer, Answered};

/// When to try again where a 429 does not say: the slowest pace that Telegram asks of one chat.
const DEFAULT_RETRY: Millis = Millis::seconds(1);
/// The longest description that is kept.
const DESCRIPTION_MAX: usize = 200;

/// What a refusal means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Meaning {
    /// Another route may carry it.
    NotTaken(Class),
    /// It will never work.
    ForGood(Class),
}

/// Code, what the description must hold (in lower case), meaning. The first row that fits holds; a
/// code's last row asks for nothing.
pub(super) const REFUSALS: &[(i64, &str, Meaning)] = &[
    (400, "chat not found", ForGood(Class::RecipientIncapable)),
    (400, "user not found", ForGood(Class::RecipientIncapable)),
    (400, "peer_id_invalid", ForGood(Class::RecipientInvalid)),
    (
        400,
        "upgraded to a supergroup",
        ForGood(Class::RecipientInvalid),
    ),
    (400, "have no rights to send", ForGood(Class::Undeliverable)),
    (400, "not enough rights", ForGood(Class::Undeliverable)),
    (400, "chat_write_forbidden", ForGood(Class::Undeliverable)),
    (
        400,
        "voice_messages_forbidden",
        ForGood(Class::Undeliverable),
    ),
    (400, "", ForGood(Class::InvalidRequest)),
    (401, "", NotTaken(Class::AccountFault)),
    (403, "user is deactivated", ForGood(Class::RecipientInvalid)),
    (403, "", ForGood(Class::RecipientIncapable)),
    // A token that never was one makes a path that does not exist.
    (404, "", NotTaken(Class::AccountFault)),
    (409, "", NotTaken(Class::RouteFault)),
    (413, "", ForGood(Class::InvalidRequest)),
    (429, "", NotTaken(Class::Throttled)),
];

/// The meaning of a refusal; a code that nobody documented says no all the same.
pub(super) fn refusal(code: i64, description: &str) -> Meaning {
    let description = description.to_lowercase();
    REFUSALS
        .iter()
        .find(|it| it.0 == code && description.contains(it.1))
        .map_or(NotTaken(Class::RouteFault), |it| it.2)
}

/// What the answer to a submission means.
pub(super) fn answer(submission: &Submission, answer: &Answer) -> Answered {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match body["ok"].as_bool() {
        Some(true) => accepted(submission, &body["result"]).into(),
        Some(false) => refused(answer.status, &body),
        None => without_words(answer.status).into(),
    }
}

fn accepted(submission: &Submission, result: &Value) -> SubmitOutcome {
    let to = match submission.to {
        Address::Telegram(chat) => chat,
        Address::Phone(_) | Address::WhatsAppUser(_) | Address::Email(_) => 0,
    };
    let reference = match (result["message_id"].as_i64(), result.as_bool()) {
        (Some(message), _) => message_id(result["chat"]["id"].as_i64().unwrap_or(to), message),
        // A reaction is no message of its own.
        (None, Some(true)) => {
            format!(
                "{}:reaction",
                submission.context.as_deref().unwrap_or_default()
            )
        }
        (None, _) => {
            return SubmitOutcome::Unknown {
                references: Vec::new(),
            };
        }
    };
    SubmitOutcome::Accepted {
        references: vec![PartReference {
            part: PartSet::WHOLE,
            reference: reference.into(),
        }],
    }
}

fn refused(status: u16, body: &Value) -> Answered {
    let code = body["error_code"].as_i64().unwrap_or(status.into());
    let description = body["description"].as_str().unwrap_or_default();
    let meaning = refusal(code, description);
    let (NotTaken(class) | ForGood(class)) = meaning;
    let words: String = description.chars().take(DESCRIPTION_MAX).collect();
    let mut text = format!("Telegram refused the message: {words}");
    if let Some(chat) = body["parameters"]["migrate_to_chat_id"].as_i64() {
        text = format!("{text} (the group's id is {chat} now)");
    }
    let failure = Failure::new(class, code.to_string(), text);
    let outcome = match meaning {
        NotTaken(_) => SubmitOutcome::NotAccepted(failure),
        ForGood(_) => SubmitOutcome::Rejected(failure),
    };
    let retry_after = (class == Class::Throttled).then(|| {
        body["parameters"]["retry_after"]
            .as_i64()
            .filter(|it| *it > 0)
            .map_or(DEFAULT_RETRY, Millis::seconds)
    });
    Answered {
        outcome,
        bill: None,
        retry_after,
        // The answer does not tell a chat's limit from the bot's, so all of the route pauses.
        recipient_only: false,
    }
}

/// Not the API's own answer: of something in front of it. That a gateway gave up says nothing of
/// what happened behind it.
fn without_words(status: u16) -> SubmitOutcome {
    match status {
        429 => SubmitOutcome::NotAccepted(Failure::new(
            Class::Throttled,
            "429",
            "Telegram asked to slow down.",
        )),
        400..=499 | 503 => SubmitOutcome::NotAccepted(Failure::new(
            Class::RouteFault,
            status.to_string(),
            format!("Something in front of Telegram answered {status}."),
        )),
        _ => SubmitOutcome::Unknown {
            references: Vec::new(),
        },
    }
}

/// Whether a call other than a submission went well; else why not.
pub(super) fn result(answer: &Answer) -> Result<Value, Refused> {
    let mut body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if body["ok"].as_bool() == Some(true) {
        return Ok(body["result"].take());
    }
    Err(Refused {
        code: body["error_code"].as_i64().unwrap_or(answer.status.into()),
        text: body["description"].as_str().unwrap_or("no words").into(),
    })
}

/// Why a call did not go well.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Refused {
    pub(super) code: i64,
    pub(super) text: Box<str>,
}

#[cfg(test)]
#[path = "codes_tests.rs"]
mod tests;
