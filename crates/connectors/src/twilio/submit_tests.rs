//! The forms of submissions, field by field.

use std::sync::Arc;

use domain::model::address::{EmailAddress, WhatsAppUserId};
use domain::model::content::PriceCategory;
use domain::model::template::{HeaderKind, TemplateButton};

use super::super::config::ApiKey;
use super::super::fixtures::{CALLBACK_URL, config};
use super::*;
use crate::testing::submission;

const TO: &str = "+4917012345678";

fn fields(request: &Request) -> Vec<(&str, &str)> {
    let Body::Form(form) = &request.body else {
        panic!("{request:?}");
    };
    form.iter().map(|it| (&*it.0, &*it.1)).collect()
}

fn field<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let found = fields(request).into_iter().find(|it| it.0 == name);
    found.map(|it| it.1)
}

fn of_kind(kind: MessageType, text: Option<&str>, extra: Option<&str>) -> Submission {
    let content = Content {
        kind,
        text: text.map(Into::into),
        extra: extra.map(Into::into),
        ..Content::text("")
    };
    Submission {
        content: Arc::new(content),
        ..submission(7, TO, "")
    }
}

fn parameter(name: Option<&str>, text: &str) -> TemplateParameter {
    TemplateParameter {
        name: name.map(Into::into),
        text: text.into(),
    }
}

fn with_template(template: TemplateUse) -> Submission {
    Submission {
        template: Some(Arc::new(template)),
        ..submission(7, TO, "the content, not sent")
    }
}

fn template(body: Vec<TemplateParameter>) -> TemplateUse {
    TemplateUse {
        body,
        content_sid: Some("HX77".into()),
        plain_text: Some("Your order A-17".into()),
        ..TemplateUse::plain("tpl_1", PriceCategory::Utility)
    }
}

fn rejected(channel: TwilioChannel, submission: &Submission) -> Failure {
    match request(&config(channel), submission) {
        Err(SubmitOutcome::Rejected(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_text_message_is_this_form() {
    let submission = Submission {
        validity: Some(Millis::new(90_999)),
        ..submission(7, TO, "Hallo & tschüß")
    };
    let request = request(&config(TwilioChannel::Sms), &submission).unwrap();
    assert_eq!(request.method, Method::Post);
    assert_eq!(
        request.url,
        "https://api.twilio.com/2010-04-01/Accounts/AC0123/Messages.json"
    );
    assert_eq!(
        request.headers,
        [(
            "authorization".into(),
            "Basic QUMwMTIzOnMzY3JldC10MGtlbg==".into()
        )]
    );
    assert_eq!(
        fields(&request),
        [
            ("To", TO),
            ("From", "ACME"),
            ("Body", "Hallo & tschüß"),
            ("ValidityPeriod", "90"),
            (
                "StatusCallback",
                "https://msg.example.com/hooks/twilio?ref=msg_0000000000007.1#rc=3&rp=all"
            ),
        ]
    );
}

#[test]
fn an_mms_is_this_form() {
    let extra = r#"{"mediaUrl":"https://cdn.example/a.jpg?x=1&y=2","mimeType":"image/jpeg"}"#;
    let submission = Submission {
        validity: Some(Millis::seconds(90)),
        ..of_kind(MessageType::Image, Some("Grüße & co"), Some(extra))
    };
    let shown = |submission: &Submission| {
        let request = request(&config(TwilioChannel::Sms), submission).unwrap();
        assert!(request.url.ends_with("/Accounts/AC0123/Messages.json"));
        let fields = fields(&request).into_iter();
        fields
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
    };
    let receipts =
        "StatusCallback=https://msg.example.com/hooks/twilio?ref=msg_0000000000007.1#rc=3&rp=all";
    assert_eq!(
        shown(&submission),
        [
            "To=+4917012345678",
            "From=ACME",
            "MediaUrl=https://cdn.example/a.jpg?x=1&y=2",
            "Body=Grüße & co",
            "ValidityPeriod=90",
            receipts,
        ]
    );
    let silent = of_kind(MessageType::Video, None, Some(extra));
    assert_eq!(
        shown(&silent)[2..],
        ["MediaUrl=https://cdn.example/a.jpg?x=1&y=2", receipts]
    );
}

#[test]
fn on_whatsapp_both_addresses_carry_the_channel() {
    let mut submission = submission(7, TO, "Hi");
    submission.from = "+14155550000".into();
    let request = request(&config(TwilioChannel::WhatsApp), &submission).unwrap();
    assert_eq!(
        fields(&request)[..3],
        [
            ("To", "whatsapp:+4917012345678"),
            ("From", "whatsapp:+14155550000"),
            ("Body", "Hi"),
        ]
    );
}

#[test]
fn a_messaging_service_chooses_the_sender() {
    let config = TwilioConfig {
        messaging_service_sid: Some("MG5".into()),
        api_key: Some(ApiKey {
            sid: "SK1".into(),
            secret: "key".into(),
        }),
        base_url: "http://127.0.0.1:9/".into(),
        ..config(TwilioChannel::Sms)
    };
    let request = request(&config, &submission(7, TO, "Hi")).unwrap();
    assert_eq!(field(&request, "MessagingServiceSid"), Some("MG5"));
    assert_eq!(field(&request, "From"), None);
    assert_eq!(request.headers[0].1, "Basic U0sxOmtleQ==");
    assert_eq!(
        request.url,
        "http://127.0.0.1:9/2010-04-01/Accounts/AC0123/Messages.json"
    );
}

#[test]
fn without_any_sender_another_route_may_take_it() {
    let mut submission = submission(7, TO, "Hi");
    submission.from = "".into();
    let outcome = request(&config(TwilioChannel::Sms), &submission).unwrap_err();
    let SubmitOutcome::NotAccepted(failure) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(failure.class, FailureClass::SenderFault);
}

#[test]
fn without_a_public_url_no_receipts_are_asked_for() {
    let config = TwilioConfig {
        callback_url: String::new(),
        ..config(TwilioChannel::Sms)
    };
    let request = request(&config, &submission(7, TO, "Hi")).unwrap();
    assert_eq!(field(&request, "StatusCallback"), None);
}

#[test]
fn our_reference_comes_back_from_the_callback_url() {
    let key = SubmissionKey {
        message: domain::ids::MessageId::from_key(i64::MAX),
        attempt: 2,
    };
    let url = callback_url(CALLBACK_URL, key);
    let query = url::Url::parse(&url).unwrap();
    let query: Vec<(String, String)> = query.query_pairs().into_owned().collect();
    assert_eq!(reference(&query), Some(key));
    for wrong in ["", "msg_1.1", "msg_0000000000007", "msg_0000000000007.256"] {
        assert_eq!(reference(&[("ref".into(), wrong.into())]), None, "{wrong}");
    }
}

#[test]
fn validity_stays_within_what_twilio_takes() {
    for (millis, want) in [
        (-5, 1),
        (0, 1),
        (999, 1),
        (1_999, 1),
        (36_000_000, 36_000),
        (172_800_000, 36_000),
    ] {
        assert_eq!(seconds(Millis::new(millis)), want, "{millis}");
    }
}

#[test]
fn a_medium_goes_by_its_url_with_its_caption() {
    let extra = Some(r#"{"mediaUrl":"https://cdn.example/a.jpg"}"#);
    let look = Some("look");
    for (kind, captions) in [
        (MessageType::Image, [look, look]),
        (MessageType::Video, [look, look]),
        (MessageType::Document, [look, look]),
        (MessageType::Audio, [look, None]),
        (MessageType::Sticker, [None, None]),
    ] {
        let channels = [TwilioChannel::Sms, TwilioChannel::WhatsApp];
        for (channel, caption) in channels.into_iter().zip(captions) {
            let submission = of_kind(kind, Some("look"), extra);
            let request = request(&config(channel), &submission).unwrap();
            assert_eq!(
                field(&request, "MediaUrl"),
                Some("https://cdn.example/a.jpg")
            );
            assert_eq!(field(&request, "Body"), caption, "{kind:?}");
        }
    }
}

#[test]
fn a_medium_that_only_another_provider_knows_is_refused() {
    for extra in [
        None,
        Some(r#"{"mediaId":"123"}"#),
        Some(r#"{"mediaUrl":"file:///etc/passwd"}"#),
        Some("[]"),
    ] {
        let submission = of_kind(MessageType::Image, None, extra);
        let failure = rejected(TwilioChannel::WhatsApp, &submission);
        assert_eq!(failure.class, FailureClass::InvalidRequest, "{extra:?}");
    }
}

#[test]
fn every_kind_has_a_form_or_is_refused_in_words() {
    let extra = Some(r#"{"mediaUrl":"https://cdn.example/a.jpg"}"#);
    for kind in MessageType::ALL {
        for channel in [TwilioChannel::Sms, TwilioChannel::WhatsApp] {
            match request(&config(channel), &of_kind(kind, Some("x"), extra)) {
                Ok(request) => assert!(
                    field(&request, "Body")
                        .or(field(&request, "MediaUrl"))
                        .is_some(),
                    "{kind:?}"
                ),
                Err(SubmitOutcome::Rejected(failure)) => {
                    assert!(!failure.text.is_empty(), "{kind:?}");
                }
                Err(other) => panic!("{kind:?}: {other:?}"),
            }
        }
    }
    let failure = rejected(
        TwilioChannel::WhatsApp,
        &of_kind(MessageType::Buttons, Some("x"), None),
    );
    assert_eq!(
        &*failure.text,
        "Twilio has no form for messages of type buttons without a template."
    );
}

#[test]
fn a_text_may_have_1600_characters() {
    let longest = "ü".repeat(1_600);
    let config = config(TwilioChannel::Sms);
    assert!(request(&config, &submission(7, TO, &longest)).is_ok());
    let longer = submission(7, TO, &format!("{longest}."));
    let failure = rejected(TwilioChannel::Sms, &longer);
    assert_eq!(failure.class, FailureClass::InvalidRequest);
    let failure = rejected(TwilioChannel::Sms, &submission(7, TO, ""));
    assert_eq!(&*failure.code, "no_text");
}

#[test]
fn a_template_is_sent_by_its_id_at_twilio() {
    let submission = with_template(TemplateUse {
        header: Some(TemplateHeader::Medium {
            kind: HeaderKind::Image,
            url: Some("https://cdn.example/a.jpg".into()),
            id: None,
            filename: None,
        }),
        buttons: vec![
            TemplateButton {
                index: 0,
                kind: ButtonKind::QuickReply,
                text: "YES".into(),
            },
            TemplateButton {
                index: 1,
                kind: ButtonKind::Url,
                text: "A-17".into(),
            },
        ],
        ..template(vec![
            parameter(None, "Anna \"A\"\n\tB      C"),
            parameter(Some("order"), "A-17"),
        ])
    });
    let request = request(&config(TwilioChannel::WhatsApp), &submission).unwrap();
    assert_eq!(field(&request, "Body"), None);
    assert_eq!(field(&request, "ContentSid"), Some("HX77"));
    let variables: Value =
        serde_json::from_str(field(&request, "ContentVariables").unwrap()).unwrap();
    assert_eq!(
        variables,
        serde_json::json!({
            "1": "Anna \"A\"  B    C",
            "order": "A-17",
            "2": "https://cdn.example/a.jpg",
            "3": "A-17",
        })
    );
}

#[test]
fn a_code_is_given_to_a_template_once() {
    let submission = with_template(TemplateUse {
        buttons: vec![TemplateButton {
            index: 0,
            kind: ButtonKind::Otp,
            text: "123456".into(),
        }],
        ..template(vec![parameter(None, "123456")])
    });
    let request = request(&config(TwilioChannel::WhatsApp), &submission).unwrap();
    assert_eq!(
        field(&request, "ContentVariables"),
        Some(r#"{"1":"123456"}"#)
    );
}

#[test]
fn a_template_without_variables_sends_none() {
    let submission = with_template(template(Vec::new()));
    let request = request(&config(TwilioChannel::WhatsApp), &submission).unwrap();
    assert_eq!(field(&request, "ContentVariables"), None);
}

#[test]
fn a_template_that_twilio_does_not_have_is_a_template_fault() {
    let submission = with_template(TemplateUse {
        content_sid: None,
        ..template(Vec::new())
    });
    let failure = rejected(TwilioChannel::WhatsApp, &submission);
    assert_eq!(failure.class, FailureClass::TemplateFault);
    let unknown = of_kind(MessageType::Template, None, None);
    let failure = rejected(TwilioChannel::WhatsApp, &unknown);
    assert_eq!(failure.class, FailureClass::TemplateFault);
}

/// R-WIN-3.
#[test]
fn on_sms_a_template_is_its_text() {
    let submission = with_template(template(vec![parameter(None, "A-17")]));
    let sent = request(&config(TwilioChannel::Sms), &submission).unwrap();
    assert_eq!(field(&sent, "Body"), Some("Your order A-17"));
    assert_eq!(field(&sent, "ContentSid"), None);

    let mut own = of_kind(MessageType::Template, None, None);
    let mut content = Content::clone(&own.content);
    content.template = Some(template(Vec::new()));
    own.content = Arc::new(content);
    let sent = request(&config(TwilioChannel::Sms), &own).unwrap();
    assert_eq!(field(&sent, "Body"), Some("Your order A-17"));
}

#[test]
fn who_has_no_phone_number_is_left_to_other_routes() {
    for to in [
        Address::WhatsAppUser(WhatsAppUserId::parse("US.1").unwrap()),
        Address::Telegram(1),
        Address::Email(EmailAddress::parse("a@b.example").unwrap()),
    ] {
        let submission = Submission {
            to,
            ..submission(7, TO, "Hi")
        };
        let outcome = request(&config(TwilioChannel::WhatsApp), &submission).unwrap_err();
        assert!(
            matches!(outcome, SubmitOutcome::NotAccepted(_)),
            "{outcome:?}"
        );
    }
}
