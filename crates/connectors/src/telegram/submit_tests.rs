//! Requests of the Bot API, field by field.

use std::sync::Arc;

use domain::model::content::{PriceCategory, TemplateUse};
use serde_json::json;

use super::*;
use crate::testing::submission;

const CHAT: i64 = 4_242;

fn config() -> TelegramConfig {
    TelegramConfig {
        bot_token: "42:token".into(),
        ..TelegramConfig::default()
    }
}

fn to_chat(content: Content) -> Submission {
    let mut it = submission(1, "+40712345678", "");
    it.to = Address::Telegram(CHAT);
    it.content = Arc::new(content);
    it
}

fn content(kind: MessageType, text: Option<&str>, object: &Value) -> Content {
    Content {
        kind,
        text: text.map(Into::into),
        extra: Some(object.to_string().into()),
        template: None,
        email: None,
    }
}

/// The method and the fields of the request.
fn asked(submission: &Submission) -> (String, Value) {
    let request = submit(&config(), submission).unwrap();
    assert_eq!(request.method, Method::Post);
    let method = request
        .url
        .strip_prefix("https://api.telegram.org/bot42:token/")
        .unwrap();
    let Body::Json(body) = request.body else {
        panic!("{method} has no JSON");
    };
    (method.into(), serde_json::from_str(&body).unwrap())
}

/// Why it cannot be asked.
fn refused(submission: &Submission) -> Failure {
    match submit(&config(), submission) {
        Err(SubmitOutcome::Rejected(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_text_goes_as_it_is_and_is_never_read_as_markup() {
    let (method, fields) = asked(&to_chat(Content::text("*a* <b>_c_</b>\n[x](y)")));
    assert_eq!(method, "sendMessage");
    assert_eq!(
        fields,
        json!({"chat_id": CHAT, "text": "*a* <b>_c_</b>\n[x](y)"})
    );
}

#[test]
fn each_kind_of_content_has_its_method() {
    let url = "https://example.com/f";
    let medium = json!({"mediaUrl": url});
    let at = json!({"latitude": 44.5, "longitude": 26.0});
    for (kind, text, object, method, fields) in [
        (
            MessageType::Image,
            Some("Look"),
            medium.clone(),
            "sendPhoto",
            json!({"photo": url, "caption": "Look"}),
        ),
        (
            MessageType::Video,
            None,
            medium.clone(),
            "sendVideo",
            json!({"video": url}),
        ),
        (
            MessageType::Audio,
            None,
            medium.clone(),
            "sendAudio",
            json!({"audio": url}),
        ),
        (
            MessageType::Audio,
            None,
            json!({"mediaUrl": url, "mimeType": "audio/ogg; codecs=opus"}),
            "sendVoice",
            json!({"voice": url}),
        ),
        (
            MessageType::Document,
            Some("Bill"),
            json!({"mediaId": "BQAC-1"}),
            "sendDocument",
            json!({"document": "BQAC-1", "caption": "Bill"}),
        ),
        (
            MessageType::Sticker,
            Some("not shown"),
            medium,
            "sendSticker",
            json!({"sticker": url}),
        ),
        (
            MessageType::Location,
            None,
            at.clone(),
            "sendLocation",
            at.clone(),
        ),
        (
            MessageType::Location,
            None,
            json!({"latitude": 44.5, "longitude": 26.0, "locationName": "Shop"}),
            "sendVenue",
            json!({"latitude": 44.5, "longitude": 26.0, "title": "Shop", "address": "Shop"}),
        ),
        (
            MessageType::Contact,
            None,
            json!({"contacts": [{"name": "Ana", "phones": ["+40712345678", "+40712345679"]}]}),
            "sendContact",
            json!({"phone_number": "+40712345678", "first_name": "Ana"}),
        ),
        (
            MessageType::RequestContactInfo,
            Some("Your number?"),
            json!({}),
            "sendMessage",
            json!({"text": "Your number?", "reply_markup": {
                "keyboard": [[{"text": "📱", "request_contact": true}]],
                "one_time_keyboard": true, "resize_keyboard": true}}),
        ),
        (
            MessageType::LocationRequest,
            Some("Where?"),
            json!({}),
            "sendMessage",
            json!({"text": "Where?", "reply_markup": {
                "keyboard": [[{"text": "📍", "request_location": true}]],
                "one_time_keyboard": true, "resize_keyboard": true}}),
        ),
    ] {
        let (asked_method, mut asked_fields) = asked(&to_chat(content(kind, text, &object)));
        assert_eq!(asked_method, method, "{kind:?}");
        assert_eq!(asked_fields["chat_id"], CHAT);
        asked_fields.as_object_mut().unwrap().remove("chat_id");
        assert_eq!(asked_fields, fields, "{kind:?}");
    }
}

#[test]
fn buttons_lists_and_links_are_keys_under_the_text() {
    let buttons = json!({
        "buttons": [{"id": "y", "title": "Yes"}, {"id": "n", "title": "No"}],
        "footerText": "ACME",
    });
    let (method, fields) = asked(&to_chat(content(
        MessageType::Buttons,
        Some("Come?"),
        &buttons,
    )));
    assert_eq!(method, "sendMessage");
    assert_eq!(
        fields,
        json!({"chat_id": CHAT, "text": "Come?\n\nACME", "reply_markup": {"inline_keyboard": [
            [{"text": "Yes", "callback_data": "y"}], [{"text": "No", "callback_data": "n"}]]}})
    );

    let list = json!({"listButton": "Choose", "sections": [
        {"title": "Days", "rows": [{"id": "1", "title": "Monday", "description": "from 9"}]},
        {"title": "More", "rows": [{"id": "2", "title": "Later"}]},
    ]});
    let (_, fields) = asked(&to_chat(content(MessageType::List, Some("When?"), &list)));
    assert_eq!(
        fields["reply_markup"]["inline_keyboard"],
        json!([[{"text": "Monday: from 9", "callback_data": "1"}],
               [{"text": "Later", "callback_data": "2"}]])
    );

    let link = json!({
        "ctaUrl": "https://example.com/o/1", "ctaDisplayText": "Open",
        "ctaHeaderText": "Order 1", "ctaHeaderMediaUrl": "https://example.com/p.jpg",
    });
    let (method, fields) = asked(&to_chat(content(MessageType::CtaUrl, Some("Sent."), &link)));
    assert_eq!(method, "sendPhoto");
    assert_eq!(
        fields,
        json!({"chat_id": CHAT, "photo": "https://example.com/p.jpg",
               "caption": "Order 1\n\nSent.", "reply_markup": {"inline_keyboard": [
               [{"text": "Open", "url": "https://example.com/o/1"}]]}})
    );
}

#[test]
fn an_answer_quotes_what_it_answers_in_this_chat_and_survives_its_deletion() {
    let mut it = to_chat(Content::text("Yes"));
    it.context = Some(format!("{CHAT}:7").into());
    assert_eq!(
        asked(&it).1["reply_parameters"],
        json!({"message_id": 7, "allow_sending_without_reply": true})
    );
    for elsewhere in ["1:7", "7", "", "4242:x", "4242:-1", "button:9"] {
        it.context = Some(elsewhere.into());
        assert_eq!(asked(&it).1.get("reply_parameters"), None, "{elsewhere}");
    }
}

#[test]
fn a_reaction_is_set_on_its_message_and_taken_back_by_an_empty_one() {
    let mut it = to_chat(content(
        MessageType::Reaction,
        None,
        &json!({"emoji": "👍"}),
    ));
    it.context = Some(format!("{CHAT}:7").into());
    assert_eq!(
        asked(&it),
        (
            "setMessageReaction".into(),
            json!({"chat_id": CHAT, "message_id": 7,
                   "reaction": [{"type": "emoji", "emoji": "👍"}]})
        )
    );
    it.content = Arc::new(content(MessageType::Reaction, None, &json!({"emoji": ""})));
    assert_eq!(asked(&it).1["reaction"], json!([]));
    it.context = None;
    assert_eq!(&*refused(&it).code, "no_message");
}

#[test]
fn a_template_goes_as_its_text() {
    let mut template = TemplateUse::plain("tpl_1", PriceCategory::Utility);
    template.plain_text = Some("Your code is 123".into());
    let mut it = to_chat(Content::text("replaced"));
    it.template = Some(Arc::new(template));
    assert_eq!(asked(&it).1["text"], "Your code is 123");
}

#[test]
fn what_telegram_has_no_form_for_is_refused_before_it_is_asked() {
    let no_cards = json!({"contacts": []});
    let two_cards = json!({"contacts": [{"phones": ["1"]}, {"phones": ["2"]}]});
    let no_phone = json!({"contacts": [{"name": "Ana"}]});
    let long_id = json!({"buttons": [{"id": "x".repeat(65), "title": "X"}]});
    for (code, it) in [
        ("no_text", Content::text(" \n")),
        ("no_medium", content(MessageType::Image, None, &json!({}))),
        (
            "no_location",
            content(MessageType::Location, None, &json!({"latitude": 1.0})),
        ),
        ("contacts", content(MessageType::Contact, None, &no_cards)),
        ("contacts", content(MessageType::Contact, None, &two_cards)),
        ("contacts", content(MessageType::Contact, None, &no_phone)),
        (
            "button_id",
            content(MessageType::Buttons, Some("?"), &long_id),
        ),
        (
            "no_link",
            content(MessageType::CtaUrl, Some("?"), &json!({})),
        ),
        (
            "content",
            content(MessageType::Image, None, &json!("no object")),
        ),
    ] {
        let failure = refused(&to_chat(it));
        assert_eq!(&*failure.code, code);
        assert_eq!(failure.class, FailureClass::InvalidRequest);
    }
    let mut elsewhere = to_chat(Content::text("Hello"));
    elsewhere.to = submission(1, "+40712345678", "").to;
    assert_eq!(&*refused(&elsewhere).code, "address");
}
