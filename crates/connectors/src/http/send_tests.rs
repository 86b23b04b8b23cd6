//! What each preset asks, and what it makes of its provider's answers.

use std::sync::Arc;

use domain::model::attempt::PartSet;
use domain::model::content::{Content, MessageType};
use domain::model::failure::FailureClass;
use domain::model::money::{Currency, Micros};
use domain::model::receipt::SubmitOutcome;
use domain::time::Millis;

use super::fixtures::{NOW, answer, config, preset, presets, shown, submission};
use super::*;

fn asked(name: &str, submission: &Submission) -> String {
    shown(&preset(name).submit(submission, NOW).unwrap())
}

#[test]
fn each_preset_asks_as_its_provider_documents() {
    let message = submission("Grüße & \"co\" = €");
    for (name, want) in [
        (
            "infobip",
            "Post https://xyz1.api.infobip.com/sms/3/messages\n\
             Authorization: App KEY-0123\n\
             {\"messages\":[{\"content\":{\"text\":\"Grüße & \\\"co\\\" = €\"},\
             \"destinations\":[{\"messageId\":\"msg_0000000000007.1\",\"to\":\"40712345678\"}],\
             \"options\":{\"validityPeriod\":{\"amount\":90,\"timeUnit\":\"SECONDS\"}},\
             \"sender\":\"40700000001\",\
             \"webhooks\":{\"callbackData\":\"msg_0000000000007.1\",\
             \"contentType\":\"application/json\",\
             \"delivery\":{\"intermediateReport\":false,\
             \"url\":\"https://router.example/hooks/r?token=tok%201\"}}}]}",
        ),
        (
            "messagebird",
            "Post https://rest.messagebird.com/messages\n\
             Authorization: AccessKey KEY-0123\n\
             {\"body\":\"Grüße & \\\"co\\\" = €\",\"datacoding\":\"auto\",\
             \"originator\":\"40700000001\",\"recipients\":[\"40712345678\"],\
             \"reference\":\"msg_0000000000007.1\",\
             \"reportUrl\":\"https://router.example/hooks/r\",\"validity\":90}",
        ),
        (
            "plivo",
            "Post https://api.plivo.com/v1/Account/MA123/Message/\n\
             Authorization: Basic TUExMjM6YXV0aHRva2Vu\n\
             {\"dst\":\"+40712345678\",\"message_expiry\":90,\"method\":\"POST\",\
             \"src\":\"+40700000001\",\"text\":\"Grüße & \\\"co\\\" = €\",\"type\":\"sms\",\
             \"url\":\"https://router.example/hooks/r?ref=msg_0000000000007.1\"}",
        ),
        (
            "sinch",
            "Post https://us.sms.api.sinch.com/xms/v1/plan1/batches\n\
             Authorization: Bearer TOKEN-0123\n\
             {\"body\":\"Grüße & \\\"co\\\" = €\",\
             \"callback_url\":\"https://router.example/hooks/r?token=tok%201\",\
             \"client_reference\":\"msg_0000000000007.1\",\"delivery_report\":\"per_recipient\",\
             \"expire_at\":\"2026-11-21T22:28:10.5Z\",\"from\":\"+40700000001\",\
             \"to\":[\"+40712345678\"],\"type\":\"mt_text\"}",
        ),
        (
            "telnyx",
            "Post https://api.telnyx.com/v2/messages\n\
             Idempotency-Key: msg_0000000000007.1\n\
             Authorization: Bearer KEY-0123\n\
             {\"encoding\":\"auto\",\"from\":\"+40700000001\",\
             \"text\":\"Grüße & \\\"co\\\" = €\",\"to\":\"+40712345678\",\"type\":\"SMS\",\
             \"use_profile_webhooks\":true,\
             \"webhook_url\":\"https://router.example/hooks/r?ref=msg_0000000000007.1\"}",
        ),
        (
            "vonage",
            "Post https://rest.nexmo.com/sms/json\n\
             api_key=vonagekey\n\
             api_secret=vonagesecret\n\
             callback=https://router.example/hooks/r\n\
             client-ref=msg_0000000000007.1\n\
             from=40700000001\n\
             status-report-req=1\n\
             text=Grüße & \"co\" = €\n\
             to=40712345678\n\
             ttl=90500\n\
             type=text",
        ),
    ] {
        assert_eq!(asked(name, &message), want, "{name}");
    }
}

#[test]
fn a_medium_is_asked_as_the_providers_of_mms_document() {
    let medium = picture(Some("Grüße & co"), PICTURE);
    for (name, want) in [
        (
            "plivo",
            "Post https://api.plivo.com/v1/Account/MA123/Message/\n\
             Authorization: Basic TUExMjM6YXV0aHRva2Vu\n\
             {\"dst\":\"+40712345678\",\
             \"media_urls\":[\"https://cdn.example/a.jpg?x=1&y=2\"],\
             \"message_expiry\":90,\"method\":\"POST\",\
             \"src\":\"+40700000001\",\"text\":\"Grüße & co\",\"type\":\"mms\",\
             \"url\":\"https://router.example/hooks/r?ref=msg_0000000000007.1\"}",
        ),
        (
            "telnyx",
            "Post https://api.telnyx.com/v2/messages\n\
             Idempotency-Key: msg_0000000000007.1\n\
             Authorization: Bearer KEY-0123\n\
             {\"from\":\"+40700000001\",\
             \"media_urls\":[\"https://cdn.example/a.jpg?x=1&y=2\"],\
             \"text\":\"Grüße & co\",\"to\":\"+40712345678\",\"type\":\"MMS\",\
             \"use_profile_webhooks\":true,\
             \"webhook_url\":\"https://router.example/hooks/r?ref=msg_0000000000007.1\"}",
        ),
    ] {
        assert_eq!(asked(name, &medium), want, "{name}");
        let silent = asked(name, &picture(None, PICTURE));
        assert!(!silent.contains("\"text\""), "{silent}");
    }
}

#[test]
fn only_presets_with_media_on_the_same_path_carry_mms() {
    let carry: Vec<&str> = presets()
        .filter(|it| config(it, "", Currency::EUR).provider.carries_mms())
        .collect();
    assert_eq!(carry, ["plivo", "telnyx"]);
    for name in presets().filter(|it| !carry.contains(it)) {
        let refused = preset(name).submit(&picture(Some("x"), PICTURE), NOW);
        assert_eq!(
            short(&refused.unwrap_err()),
            "rejected invalid_request no_text",
            "{name}"
        );
    }
}

#[test]
fn an_operator_describes_media_beside_a_preset() {
    let own = "[send.mms.body]\nurl = '{{media_url}}'\nkind = '{{media_kind}}'\nto = '{{to}}'";
    let config = config("sinch", own, Currency::EUR);
    let request = Described::new(&config).submit(&picture(None, PICTURE), NOW);
    let shown = shown(&request.unwrap());
    let body = "{\"kind\":\"image\",\"to\":\"+40712345678\",\
                \"url\":\"https://cdn.example/a.jpg?x=1&y=2\"}";
    assert!(shown.ends_with(body), "{shown}");
    let text = Described::new(&config)
        .submit(&submission("x"), NOW)
        .unwrap();
    assert!(super::fixtures::shown(&text).contains("mt_text"));
}

#[test]
fn a_medium_that_only_another_provider_knows_is_not_asked() {
    let refused = preset("telnyx").submit(&picture(Some("x"), r#"{"mediaId":"1"}"#), NOW);
    assert_eq!(
        short(&refused.unwrap_err()),
        "rejected invalid_request no_text"
    );
}

const PICTURE: &str = r#"{"mediaUrl":"https://cdn.example/a.jpg?x=1&y=2"}"#;

fn picture(caption: Option<&str>, extra: &str) -> Submission {
    let content = Content {
        kind: MessageType::Image,
        text: caption.map(Into::into),
        extra: Some(extra.into()),
        ..Content::text("")
    };
    Submission {
        content: Arc::new(content),
        ..submission("")
    }
}

#[test]
fn what_is_not_known_is_left_out() {
    for name in presets() {
        let mut config = config(name, "", Currency::EUR);
        config.hook_url = None;
        let message = Submission {
            from: "".into(),
            validity: None,
            ..submission("x")
        };
        let request = Described::new(&config).submit(&message, NOW).unwrap();
        let shown = shown(&request);
        for absent in [
            "router.example",
            "ttl",
            "valid",
            "expir",
            "callback",
            "\"\"",
            "=\n",
        ] {
            assert!(!shown.contains(absent), "{absent}: {shown}");
        }
    }
}

#[test]
fn a_name_as_sender_stays_as_it_is() {
    let message = Submission {
        from: "Pizza+Co".into(),
        ..submission("Привет")
    };
    let asked = asked("vonage", &message);
    assert!(asked.contains("from=Pizza+Co\n"), "{asked}");
    assert!(asked.ends_with("type=unicode"), "{asked}");
}

#[test]
fn each_probe_shows_whether_the_account_works() {
    for (name, want) in [
        ("infobip", "https://xyz1.api.infobip.com/account/1/balance"),
        ("messagebird", "https://rest.messagebird.com/balance"),
        ("plivo", "https://api.plivo.com/v1/Account/MA123/"),
        (
            "sinch",
            "https://us.sms.api.sinch.com/xms/v1/plan1/batches?page_size=1",
        ),
        ("telnyx", "https://api.telnyx.com/v2/balance"),
        (
            "vonage",
            "https://rest.nexmo.com/account/get-balance?api_key=vonagekey&api_secret=vonagesecret",
        ),
    ] {
        let probe = preset(name).probe().unwrap();
        assert_eq!(probe.url, want);
        let has_key = probe.headers.iter().any(|it| it.0 == "Authorization");
        assert_eq!(has_key, name != "vonage");
    }
}

/// The outcome in short: the ids by part, or the class and code of the failure.
fn short(outcome: &SubmitOutcome) -> String {
    let ids = |references: &[domain::model::receipt::PartReference]| {
        let ids = references.iter().map(|it| match it.part {
            PartSet::WHOLE => format!(" {}", it.reference),
            part => format!(" {part}={}", it.reference),
        });
        ids.collect::<String>()
    };
    let why = |it: &domain::model::failure::Failure| format!("{} {}", it.class.code(), it.code);
    match outcome {
        SubmitOutcome::Accepted { references } => format!("accepted{}", ids(references)),
        SubmitOutcome::PartlyAccepted {
            references,
            failure,
            retriable,
        } => format!("partly{} {} {retriable}", ids(references), why(failure)),
        SubmitOutcome::NotAccepted(failure) => format!("not taken {}", why(failure)),
        SubmitOutcome::Rejected(failure) => format!("rejected {}", why(failure)),
        SubmitOutcome::Unknown { references } => format!("unknown{}", ids(references)),
    }
}

#[test]
fn each_answer_means_what_its_provider_documents() {
    let problem = "{\"requestError\":{\"serviceException\":{\"messageId\":\"UNAUTHORIZED\",\
                   \"text\":\"Invalid login details\"}}}";
    let infobip = |group: &str, name: &str| {
        format!(
            "{{\"bulkId\":\"1\",\"messages\":[{{\"messageId\":\"msg_0000000000007.1\",\
             \"status\":{{\"groupId\":1,\"groupName\":\"{group}\",\"id\":26,\"name\":\"{name}\"}},\
             \"destination\":\"40712345678\",\"details\":{{\"messageCount\":1}}}}]}}"
        )
    };
    let telnyx = |code: &str| {
        format!("{{\"errors\":[{{\"code\":\"{code}\",\"title\":\"t\",\"detail\":\"d\"}}]}}")
    };
    let bird = |code: u8| {
        format!("{{\"errors\":[{{\"code\":{code},\"description\":\"d\",\"parameter\":null}}]}}")
    };
    let one = "{\"message-count\":\"1\",\"messages\":[{\"to\":\"40712345678\",\"status\":\"";
    let vonage = |status: &str| format!("{one}{status}\",\"error-text\":\"no\"}}]}}");
    for (name, status, body, want) in [
        (
            "infobip",
            200,
            &*infobip("PENDING", "PENDING_ACCEPTED"),
            "accepted msg_0000000000007.1",
        ),
        (
            "infobip",
            200,
            &infobip("REJECTED", "REJECTED_NOT_ENOUGH_CREDITS"),
            "not taken account_fault REJECTED_NOT_ENOUGH_CREDITS",
        ),
        (
            "infobip",
            200,
            &infobip("REJECTED", "REJECTED_NEW"),
            "unknown",
        ),
        (
            "infobip",
            401,
            problem,
            "not taken account_fault UNAUTHORIZED",
        ),
        (
            "messagebird",
            201,
            "{\"id\":\"e8077d80\",\"recipients\":{\"totalSentCount\":1,\"items\":[\
             {\"recipient\":40712345678,\"status\":\"sent\"}]}}",
            "accepted e8077d80",
        ),
        ("messagebird", 422, &bird(9), "rejected invalid_request 9"),
        ("messagebird", 422, &bird(25), "not taken account_fault 25"),
        ("messagebird", 500, &bird(98), "not taken route_fault 98"),
        ("messagebird", 422, &bird(77), "not taken route_fault 77"),
        (
            "plivo",
            202,
            "{\"api_id\":\"a\",\"message\":\"queued\",\"message_uuid\":[\"db3ce55a\"]}",
            "accepted db3ce55a",
        ),
        (
            "plivo",
            400,
            "{\"api_id\":\"a\",\"error\":\"dst parameter is not valid\"}",
            "rejected invalid_request http_400",
        ),
        ("plivo", 401, "no", "not taken account_fault http_401"),
        ("plivo", 202, "{\"message_uuid\":[]}", "unknown"),
        (
            "sinch",
            201,
            "{\"id\":\"01FC66\",\"canceled\":false}",
            "accepted 01FC66",
        ),
        (
            "sinch",
            400,
            "{\"code\":\"syntax_invalid_parameter_format\",\"text\":\"to\"}",
            "rejected invalid_request syntax_invalid_parameter_format",
        ),
        ("sinch", 429, "", "not taken throttled http_429"),
        (
            "telnyx",
            200,
            "{\"data\":{\"id\":\"40385f64\",\"parts\":1,\"errors\":[]}}",
            "accepted 40385f64",
        ),
        ("telnyx", 409, &telnyx("40300"), "rejected opted_out 40300"),
        (
            "telnyx",
            422,
            &telnyx("40001"),
            "rejected recipient_incapable 40001",
        ),
        (
            "telnyx",
            429,
            &telnyx("40333"),
            "not taken account_fault 40333",
        ),
        ("telnyx", 429, &telnyx("10011"), "not taken throttled 10011"),
        ("telnyx", 502, "<html>", "unknown"),
        ("telnyx", 503, "<html>", "not taken route_fault http_503"),
        ("telnyx", 302, "", "unknown"),
        (
            "vonage",
            200,
            &format!("{one}0\",\"message-id\":\"0A1\",\"message-price\":\"0.03330000\"}}]}}"),
            "accepted 0=0A1",
        ),
        ("vonage", 200, &vonage("1"), "not taken throttled 1"),
        ("vonage", 200, &vonage("4"), "not taken account_fault 4"),
        (
            "vonage",
            200,
            &vonage("33"),
            "rejected recipient_invalid 33",
        ),
        ("vonage", 200, &vonage("15"), "not taken sender_fault 15"),
        ("vonage", 200, &vonage("98"), "unknown"),
        ("vonage", 200, &format!("{one}0\"}}]}}"), "unknown"),
        ("vonage", 200, "{\"messages\":[]}", "unknown"),
        ("vonage", 200, "", "unknown"),
    ] {
        let read = preset(name).answer(&submission("x"), &answer(status, body));
        assert_eq!(short(&read.outcome), want, "{name} {status} {body}");
    }
}

#[test]
fn vonage_names_each_segment() {
    let text = "x".repeat(200);
    let entry = |status: &str, id: &str| {
        format!(
            "{{\"status\":\"{status}\",\"message-id\":\"{id}\",\"message-price\":\"0.0333\",\
             \"error-text\":\"no\"}}"
        )
    };
    for (entries, want) in [
        (vec![entry("0", "A"), entry("0", "B")], "accepted 0=A 1=B"),
        (
            vec![entry("0", "A"), entry("9", "")],
            "partly 0=A account_fault 9 false",
        ),
        (
            vec![entry("1", ""), entry("0", "B")],
            "partly 1=B throttled 1 false",
        ),
        (vec![entry("0", "A"), entry("77", "")], "unknown 0=A"),
        (
            vec![entry("3", ""), entry("3", "")],
            "rejected invalid_request 3",
        ),
        // The provider counted otherwise: each id speaks for the whole.
        (
            vec![entry("0", "A"), entry("0", "B"), entry("0", "C")],
            "accepted A B C",
        ),
        (vec![entry("0", "A")], "accepted A"),
    ] {
        let body = format!("{{\"messages\":[{}]}}", entries.join(","));
        let read = preset("vonage").answer(&submission(&text), &answer(200, &body));
        assert_eq!(short(&read.outcome), want, "{body}");
    }
}

#[test]
fn a_price_counts_in_the_projects_currency_only() {
    let body = "{\"messages\":[\
                {\"status\":\"0\",\"message-id\":\"A\",\"message-price\":\"0.0333\"},\
                {\"status\":\"0\",\"message-id\":\"B\",\"message-price\":\"0.0333\"}]}";
    let text = "x".repeat(200);
    let bill = |currency: &str| {
        let config = config("vonage", "", Currency::parse(currency).unwrap());
        let read = Described::new(&config).answer(&submission(&text), &answer(200, body));
        let bill = read.bill.unwrap();
        (bill.segments, bill.amount)
    };
    assert_eq!(bill("EUR"), (Some(2), Some(Micros(66_600))));
    assert_eq!(bill("RON"), (Some(2), None));
}

#[test]
fn a_provider_says_how_long_to_wait() {
    let mut throttled = answer(429, "");
    throttled.headers.push(("retry-after".into(), "7".into()));
    let read = preset("telnyx").answer(&submission("x"), &throttled);
    assert_eq!(read.retry_after, Some(Millis::seconds(7)));
    assert!(!read.recipient_only);
}

#[test]
fn what_the_message_says_is_never_in_an_error() {
    let body = "{\"errors\":[{\"code\":\"40009\",\"detail\":\"bad text: my PIN is 1234\"}]}";
    let read = preset("telnyx").answer(&submission("my PIN is 1234"), &answer(422, body));
    let SubmitOutcome::Rejected(failure) = read.outcome else {
        panic!("{:?}", read.outcome);
    };
    assert_eq!(failure.class, FailureClass::InvalidRequest);
    assert!(!failure.text.contains("1234"), "{}", failure.text);
}

#[test]
fn what_an_sms_cannot_carry_is_not_asked() {
    let too_long = "x".repeat(3_000);
    let outcome = preset("telnyx")
        .submit(&submission(&too_long), NOW)
        .unwrap_err();
    assert_eq!(short(&outcome), "rejected invalid_request too_long");
}
