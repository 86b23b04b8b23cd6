//! What does the answer to a submission mean?

use domain::model::attempt::PartSet;
use domain::model::failure::{Failure, FailureClass};
use domain::model::receipt::{PartReference, SubmitOutcome};
use domain::time::Millis;
use serde_json::Value;

use super::codes::{MetaError, Refusal};
use super::tree;
use crate::web::protocol::{Answer, Answered};

/// Meta's id of the message is an acceptance, and one of Meta's error codes decides; the HTTP status
/// does so only where the body has neither.
///
/// A 4xx says that the request was not carried out, by HTTP itself. Anything else without an id or a
/// code is unknown (R-ROUTE-5): some server on the way may have answered for one that took it.
pub(super) fn read(answer: &Answer) -> Answered {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if let Some(error) = body.get("error").and_then(MetaError::read) {
        return refused(&error, retry_after(answer));
    }
    let ok = (200..300).contains(&answer.status);
    match tree::list(&body, "messages")
        .first()
        .and_then(|it| tree::text(it, "id"))
    {
        Some(id) if ok => SubmitOutcome::Accepted {
            references: vec![PartReference {
                part: PartSet::WHOLE,
                reference: id.into(),
            }],
        }
        .into(),
        Some(_) | None => without_a_word(answer),
    }
}

/// An answer that Meta's API does not give.
fn without_a_word(answer: &Answer) -> Answered {
    let status = answer.status;
    let class = match status {
        401 | 403 => FailureClass::AccountFault,
        429 => FailureClass::Throttled,
        400..500 => FailureClass::RouteFault,
        _ => {
            return SubmitOutcome::Unknown {
                references: Vec::new(),
            }
            .into();
        }
    };
    let text = format!("The server refused the message with HTTP status {status}.");
    Answered {
        retry_after: retry_after(answer).filter(|_| class == FailureClass::Throttled),
        ..SubmitOutcome::NotAccepted(Failure::new(class, format!("http_{status}"), text)).into()
    }
}

fn refused(error: &MetaError, asked: Option<Millis>) -> Answered {
    let failure = error.failure();
    match error.refusal() {
        Refusal::NotTaken(_) => SubmitOutcome::NotAccepted(failure).into(),
        Refusal::ForGood(_) => SubmitOutcome::Rejected(failure).into(),
        Refusal::SlowDown(pause) => Answered {
            retry_after: Some(asked.unwrap_or(pause)),
            ..SubmitOutcome::NotAccepted(failure).into()
        },
        Refusal::SlowDownForRecipient => Answered {
            retry_after: asked,
            recipient_only: true,
            ..SubmitOutcome::NotAccepted(failure).into()
        },
    }
}

/// The seconds of a `Retry-After`; Meta sends none, but partners do.
fn retry_after(answer: &Answer) -> Option<Millis> {
    let seconds = answer.header("retry-after")?.trim().parse::<u16>().ok()?;
    Some(Millis::seconds(i64::from(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::whatsapp::codes::CODES;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    fn unknown(status: u16, body: &str) -> bool {
        let outcome = read(&answer(status, body)).outcome;
        matches!(outcome, SubmitOutcome::Unknown { references } if references.is_empty())
    }

    #[test]
    fn the_id_of_the_message_is_an_acceptance_of_all_of_it() {
        let golden = r#"{"messaging_product":"whatsapp",
            "contacts":[{"input":"+16505551234","wa_id":"16505551234","user_id":"US.134"}],
            "messages":[{"id":"wamid.HBgL=","message_status":"accepted"}]}"#;
        let accepted = SubmitOutcome::Accepted {
            references: vec![PartReference {
                part: PartSet::WHOLE,
                reference: "wamid.HBgL=".into(),
            }],
        };
        assert_eq!(read(&answer(200, golden)), accepted.into());
    }

    #[test]
    fn a_message_that_meta_holds_back_for_its_quality_is_accepted() {
        for status in ["held_for_quality_assessment", "paused", "new_word"] {
            let body =
                format!(r#"{{"messages":[{{"id":"wamid.1","message_status":"{status}"}}]}}"#);
            let outcome = read(&answer(200, &body)).outcome;
            assert!(
                matches!(outcome, SubmitOutcome::Accepted { .. }),
                "{status}"
            );
        }
    }

    #[test]
    fn the_code_decides_whatever_the_status() {
        for (first, last, refusal, _) in CODES {
            for (code, status) in [(first, 400), (last, 500), (first, 200)] {
                let body = format!(r#"{{"error":{{"code":{code},"message":"(#{code}) m"}}}}"#);
                let answered = read(&answer(status, &body));
                let (SubmitOutcome::NotAccepted(failure) | SubmitOutcome::Rejected(failure)) =
                    &answered.outcome
                else {
                    panic!("{code}: {answered:?}");
                };
                assert_eq!(failure.class, refusal.class(), "{code}");
                let for_good = matches!(answered.outcome, SubmitOutcome::Rejected(_));
                assert_eq!(for_good, matches!(refusal, Refusal::ForGood(_)), "{code}");
                let waits = matches!(refusal, Refusal::SlowDown(_));
                assert_eq!(answered.retry_after.is_some(), waits, "{code}");
            }
        }
    }

    #[test]
    fn the_pair_rate_holds_back_this_recipient_only() {
        let body = |code: i64| format!(r#"{{"error":{{"code":{code}}}}}"#);
        assert!(read(&answer(400, &body(131_056))).recipient_only);
        assert!(!read(&answer(429, &body(130_429))).recipient_only);
    }

    #[test]
    fn an_answer_with_neither_id_nor_code_is_unknown() {
        assert!(unknown(200, ""));
        assert!(unknown(200, "<html>"));
        assert!(unknown(200, r#"{"messages":[]}"#));
        assert!(unknown(200, r#"{"messages":[{"id":""}]}"#));
        assert!(unknown(200, r#"{"success":true}"#));
        assert!(unknown(302, ""));
        assert!(unknown(502, "<html>Bad gateway</html>"));
        assert!(unknown(500, r#"{"error":{"message":"no code"}}"#));
    }

    #[test]
    fn a_4xx_without_a_code_is_a_refusal_by_http_itself() {
        for (status, class) in [
            (401, FailureClass::AccountFault),
            (403, FailureClass::AccountFault),
            (404, FailureClass::RouteFault),
            (413, FailureClass::RouteFault),
            (429, FailureClass::Throttled),
        ] {
            let outcome = read(&answer(status, "no JSON")).outcome;
            assert!(
                matches!(&outcome, SubmitOutcome::NotAccepted(it) if it.class == class),
                "{status}: {outcome:?}"
            );
        }
    }

    #[test]
    fn a_partner_that_says_when_is_waited_for() {
        let mut throttled = answer(429, "");
        throttled
            .headers
            .push(("retry-after".to_owned(), "17".to_owned()));
        assert_eq!(read(&throttled).retry_after, Some(Millis::seconds(17)));
        throttled.body = br#"{"error":{"code":130429}}"#.to_vec();
        assert_eq!(read(&throttled).retry_after, Some(Millis::seconds(17)));
    }
}
