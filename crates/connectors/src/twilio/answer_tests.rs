//! Answers as Twilio gives them.

use domain::model::failure::FailureClass;

use super::super::config::TwilioChannel;
use super::super::fixtures::config;
use super::*;
use crate::testing::submission;

/// Shaped as the API's own example of a created message, without what is not read.
const CREATED: &str = r#"{"account_sid":"AC0123","api_version":"2010-04-01","body":"Hi",
    "date_created":"Thu, 24 Aug 2023 05:01:45 +0000","direction":"outbound-api","error_code":null,
    "error_message":null,"from":"+14155550000","num_media":"0","num_segments":"1","price":null,
    "price_unit":null,"sid":"SM11","status":"queued","to":"+4917012345678"}"#;

fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status,
        headers: Vec::new(),
        body: body.into(),
    }
}

fn read(answer: &Answer) -> Answered {
    let config = TwilioConfig {
        currency: Currency::parse("USD"),
        ..config(TwilioChannel::Sms)
    };
    answered(&config, &submission(7, "+4917012345678", "Hi"), answer)
}

fn accepted(sid: &str) -> SubmitOutcome {
    SubmitOutcome::Accepted {
        references: vec![PartReference {
            part: PartSet::WHOLE,
            reference: sid.into(),
        }],
    }
}

#[test]
fn a_created_message_is_accepted_whole_under_its_id() {
    let read = read(&answer(201, CREATED));
    assert_eq!(read, accepted("SM11").into());
}

#[test]
fn another_count_of_segments_is_a_bill() {
    for (stated, want) in [
        ("3", Some(3)),
        ("1", None),
        ("0", None),
        ("", None),
        ("-1", None),
        ("99999", None),
    ] {
        let body = CREATED.replace(
            r#""num_segments":"1""#,
            &format!(r#""num_segments":"{stated}""#),
        );
        let bill = read(&answer(201, &body)).bill;
        assert_eq!(bill.and_then(|it| it.segments), want, "{stated}");
        assert_eq!(bill.is_some(), want.is_some(), "{stated}");
    }
}

#[test]
fn a_price_counts_in_the_projects_currency_only() {
    for (price, unit, want) in [
        ("-0.00750", "USD", Some(7_500)),
        ("-0.0079", "usd", Some(7_900)),
        ("12", "USD", Some(12_000_000)),
        ("0.12345678", "USD", Some(123_456)),
        ("-0.00750", "EUR", None),
        ("-0.00750", "", None),
        ("free", "USD", None),
        ("-.5", "USD", None),
        ("", "USD", None),
        ("99999999999999999999", "USD", None),
        ("9223372036854775807", "USD", None),
    ] {
        let body = CREATED
            .replace(r#""price":null"#, &format!(r#""price":"{price}""#))
            .replace(r#""price_unit":null"#, &format!(r#""price_unit":"{unit}""#));
        let bill = read(&answer(201, &body)).bill;
        let amount = bill.and_then(|it| it.amount);
        assert_eq!(amount, want.map(Micros), "{price} {unit}");
    }
}

#[test]
fn a_success_that_names_no_message_is_unknown() {
    for body in [
        "",
        "{}",
        "[]",
        "null",
        r#"{"sid":""}"#,
        r#"{"sid":7}"#,
        "<html>",
    ] {
        for status in [200, 201, 202, 204] {
            let outcome = read(&answer(status, body)).outcome;
            let unknown = matches!(outcome, SubmitOutcome::Unknown { .. });
            assert!(unknown, "{status} {body}: {outcome:?}");
        }
    }
}

#[test]
fn an_error_goes_by_its_code() {
    let body = r#"{"code":21610,"message":"Attempt to send to unsubscribed recipient",
        "more_info":"https://www.twilio.com/docs/errors/21610","status":400}"#;
    let outcome = read(&answer(400, body)).outcome;
    let SubmitOutcome::Rejected(failure) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(failure.class, FailureClass::OptedOut);
    assert_eq!(&*failure.code, "21610");
    assert!(!failure.text.contains("unsubscribed"), "{}", failure.text);
}

#[test]
fn an_error_without_a_code_goes_by_its_status() {
    for body in [
        "",
        "Bad Gateway",
        r#"{"code":null}"#,
        r#"{"code":-1}"#,
        r#"{"code":9e30}"#,
    ] {
        let outcome = read(&answer(401, body)).outcome;
        let SubmitOutcome::NotAccepted(failure) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(failure.class, FailureClass::AccountFault);
        assert_eq!(&*failure.code, "http_401");
    }
}

#[test]
fn throttling_says_how_long_to_wait() {
    for (header, want) in [
        (Some("7"), Some(Millis::seconds(7))),
        (Some("999999"), Some(Millis::hours(1))),
        (Some("0"), None),
        (Some("soon"), None),
        (None, None),
    ] {
        let answer = Answer {
            headers: header
                .map(|it| ("retry-after".to_owned(), it.to_owned()))
                .into_iter()
                .collect(),
            ..answer(429, r#"{"code":20429,"status":429}"#)
        };
        let read = read(&answer);
        assert_eq!(read.retry_after, want, "{header:?}");
        assert!(!read.recipient_only);
        assert!(
            matches!(&read.outcome, SubmitOutcome::NotAccepted(it) if it.class == FailureClass::Throttled),
            "{:?}",
            read.outcome
        );
    }
}
