//! Answers as the Bot API gives them.

use serde_json::json;

use super::*;
use crate::testing::submission;

fn asked() -> Submission {
    let mut it = submission(1, "+40712345678", "Hello");
    it.to = Address::Telegram(4_242);
    it
}

fn of(status: u16, body: &str) -> Answered {
    answer(
        &asked(),
        &Answer {
            status,
            headers: Vec::new(),
            body: body.into(),
        },
    )
}

fn no(code: u16, description: &str) -> Answered {
    let body = json!({"ok": false, "error_code": code, "description": description});
    of(code, &body.to_string())
}

fn references(outcome: &SubmitOutcome) -> Vec<(u16, &str)> {
    let SubmitOutcome::Accepted { references } = outcome else {
        panic!("{outcome:?}");
    };
    let pairs = references.iter().map(|it| (it.part, &*it.reference));
    pairs.collect()
}

#[test]
fn ok_is_accepted_whole_under_the_chats_id_and_the_messages() {
    let body = r#"{"ok":true,"result":{"message_id":7,"from":{"id":42,"is_bot":true},
        "chat":{"id":4242,"type":"private"},"date":1700000000,"text":"Hello"}}"#;
    assert_eq!(
        references(&of(200, body).outcome),
        [(PartSet::WHOLE, "4242:7")]
    );
}

#[test]
fn a_reaction_is_accepted_under_the_message_that_it_is_on() {
    let mut reaction = asked();
    reaction.context = Some("4242:7".into());
    let answer = answer(
        &reaction,
        &Answer {
            status: 200,
            headers: Vec::new(),
            body: br#"{"ok":true,"result":true}"#.to_vec(),
        },
    );
    assert_eq!(
        references(&answer.outcome),
        [(PartSet::WHOLE, "4242:7:reaction")]
    );
}

#[test]
fn each_refusal_has_its_meaning() {
    for (code, description, want) in [
        (
            400,
            "Bad Request: chat not found",
            ForGood(Class::RecipientIncapable),
        ),
        (
            400,
            "Bad Request: message is too long",
            ForGood(Class::InvalidRequest),
        ),
        (
            400,
            "Bad Request: wrong file identifier/HTTP URL specified",
            ForGood(Class::InvalidRequest),
        ),
        (
            400,
            "Bad Request: not enough rights to send text messages to the chat",
            ForGood(Class::Undeliverable),
        ),
        (401, "Unauthorized", NotTaken(Class::AccountFault)),
        (
            403,
            "Forbidden: bot was blocked by the user",
            ForGood(Class::RecipientIncapable),
        ),
        (
            403,
            "Forbidden: bot can't initiate conversation with a user",
            ForGood(Class::RecipientIncapable),
        ),
        (
            403,
            "Forbidden: user is deactivated",
            ForGood(Class::RecipientInvalid),
        ),
        (404, "Not Found", NotTaken(Class::AccountFault)),
        (409, "Conflict", NotTaken(Class::RouteFault)),
        (500, "Internal Server Error", NotTaken(Class::RouteFault)),
        (418, "I'm a teapot", NotTaken(Class::RouteFault)),
    ] {
        assert_eq!(refusal(code, description), want, "{code} {description}");
        let answered = no(u16::try_from(code).unwrap(), description);
        let failure = match (&answered.outcome, want) {
            (SubmitOutcome::NotAccepted(it), NotTaken(class))
            | (SubmitOutcome::Rejected(it), ForGood(class)) => {
                assert_eq!(it.class, class);
                it
            }
            (other, _) => panic!("{code} {description}: {other:?}"),
        };
        assert_eq!(&*failure.code, code.to_string());
        assert_eq!(answered.retry_after, None);
    }
}

#[test]
fn a_person_who_blocked_the_bot_may_be_reached_on_another_channel() {
    let answered = no(403, "Forbidden: bot was blocked by the user");
    let SubmitOutcome::Rejected(failure) = answered.outcome else {
        panic!("{answered:?}");
    };
    assert_ne!(failure.class, Class::OptedOut);
}

#[test]
fn each_code_has_one_row_that_asks_for_no_words_and_it_is_the_last() {
    for row in REFUSALS.chunk_by(|a, b| a.0 == b.0) {
        let (last, others) = row.split_last().unwrap();
        assert!(last.1.is_empty(), "{}", last.0);
        assert!(others.iter().all(|it| !it.1.is_empty()), "{}", last.0);
    }
    assert!(REFUSALS.is_sorted_by_key(|it| it.0));
    assert!(REFUSALS.iter().all(|it| it.1 == it.1.to_lowercase()));
}

#[test]
fn too_many_requests_pause_the_whole_route_as_long_as_telegram_says() {
    let body = r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7",
        "parameters":{"retry_after":7}}"#;
    let answered = of(429, body);
    assert_eq!(answered.retry_after, Some(Millis::seconds(7)));
    assert!(!answered.recipient_only);
    assert!(
        matches!(answered.outcome, SubmitOutcome::NotAccepted(it) if it.class == Class::Throttled)
    );
    assert_eq!(no(429, "x").retry_after, Some(DEFAULT_RETRY));
}

#[test]
fn a_group_that_moved_is_refused_with_its_new_id() {
    let body = r#"{"ok":false,"error_code":400,
        "description":"Bad Request: group chat was upgraded to a supergroup chat",
        "parameters":{"migrate_to_chat_id":-1001234}}"#;
    let SubmitOutcome::Rejected(failure) = of(400, body).outcome else {
        panic!();
    };
    assert_eq!(failure.class, Class::RecipientInvalid);
    assert!(failure.text.contains("-1001234"), "{}", failure.text);
}

#[test]
fn what_nobody_documented_is_unknown() {
    for (status, body) in [
        (200, ""),
        (200, "OK"),
        (200, r#"{"ok":true}"#),
        (200, r#"{"ok":true,"result":{}}"#),
        (200, r#"{"ok":"true"}"#),
        (302, ""),
        (502, "<html>Bad Gateway</html>"),
        (504, ""),
    ] {
        assert_eq!(
            of(status, body).outcome,
            SubmitOutcome::Unknown {
                references: Vec::new()
            },
            "{status} {body}"
        );
    }
}

#[test]
fn a_refusal_by_something_in_front_of_telegram_is_a_refusal() {
    for (status, class) in [
        (403, Class::RouteFault),
        (429, Class::Throttled),
        (503, Class::RouteFault),
    ] {
        let outcome = of(status, "<html>").outcome;
        assert!(
            matches!(&outcome, SubmitOutcome::NotAccepted(it) if it.class == class),
            "{status}: {outcome:?}"
        );
    }
}
