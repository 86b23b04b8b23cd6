//! The requests, against the shapes that Meta documents.

use std::sync::Arc;

use domain::model::address::WhatsAppUserId;
use domain::model::content::Content;
use domain::model::template::{
    ButtonKind, HeaderKind, TemplateButton, TemplateHeader, TemplateParameter,
};

use super::*;
use crate::testing;

fn config() -> WhatsAppConfig {
    WhatsAppConfig {
        phone_number_id: "1055".to_owned(),
        access_token: "token".to_owned(),
        ..WhatsAppConfig::default()
    }
}

fn with(kind: MessageType, text: Option<&str>, extra: &Value) -> Submission {
    let mut submission = testing::submission(77, "+4917012345678", "Hello");
    submission.content = Arc::new(Content {
        kind,
        text: text.map(Into::into),
        extra: (!extra.is_null()).then(|| extra.to_string().into()),
        ..Content::text("")
    });
    submission
}

fn body(config: &WhatsAppConfig, submission: &Submission) -> Value {
    match request(config, submission).unwrap().body {
        Body::Json(text) => serde_json::from_str(&text).unwrap(),
        Body::None | Body::Form(_) => panic!("not JSON"),
    }
}

/// The type and its object, of content sent as it is.
fn sent(kind: MessageType, text: Option<&str>, extra: &Value) -> Value {
    let body = body(&config(), &with(kind, text, extra));
    json!({"type": body["type"], "object": body[body["type"].as_str().unwrap()]})
}

fn unsayable(submission: &Submission) -> Failure {
    match request(&config(), submission) {
        Err(SubmitOutcome::Rejected(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_text_is_one_golden_request() {
    let request = request(
        &config(),
        &testing::submission(77, "+4917012345678", "Hello €"),
    )
    .unwrap();
    assert_eq!(request.method, Method::Post);
    assert_eq!(
        request.url,
        "https://graph.facebook.com/v23.0/1055/messages"
    );
    let bearer = ("authorization".to_owned(), "Bearer token".to_owned());
    assert_eq!(request.headers, [bearer]);
    let Body::Json(text) = request.body else {
        panic!("not JSON");
    };
    let reference = format!("{}/1", testing::key(77).message);
    assert_eq!(
        serde_json::from_str::<Value>(&text).unwrap(),
        json!({
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": "4917012345678",
            "type": "text",
            "biz_opaque_callback_data": reference,
            "text": {"body": "Hello €", "preview_url": false},
        })
    );
}

#[test]
fn a_hidden_number_is_reached_by_its_user_id() {
    let mut submission = testing::submission(77, "+4917012345678", "Hello");
    let user = WhatsAppUserId::parse("US.13491208655302741918").unwrap();
    submission.to = Address::WhatsAppUser(user);
    let body = body(&config(), &submission);
    assert_eq!(body["recipient"], "US.13491208655302741918");
    assert_eq!(body.get("to"), None);
}

#[test]
fn an_address_of_another_channel_is_not_sent_to() {
    let mut submission = testing::submission(77, "+4917012345678", "Hello");
    submission.to = Address::Telegram(5);
    assert_eq!(unsayable(&submission).class, FailureClass::InvalidRequest);
}

#[test]
fn a_reply_quotes_the_message_that_it_answers() {
    let mut submission = testing::submission(77, "+4917012345678", "Hello");
    submission.context = Some("wamid.A".into());
    let body = body(&config(), &submission);
    assert_eq!(body["context"], json!({"message_id": "wamid.A"}));
}

#[test]
fn our_reference_is_read_back_as_it_was_written() {
    let key = testing::key(77);
    assert_eq!(ours(&reference(key)), Some(key));
    for strange in [
        "",
        "msg_1",
        "msg_1/1",
        "a/b",
        &format!("{}/", key.message),
        "/1",
    ] {
        assert_eq!(ours(strange), None, "{strange}");
    }
}

#[test]
fn each_medium_goes_by_id_or_by_link() {
    let link = json!({"mediaUrl": "https://x.example/a"});
    for (kind, name) in [
        (MessageType::Image, "image"),
        (MessageType::Video, "video"),
        (MessageType::Document, "document"),
    ] {
        let want =
            json!({"type": name, "object": {"link": "https://x.example/a", "caption": "Look"}});
        assert_eq!(sent(kind, Some("Look"), &link), want);
    }
    for (kind, name) in [
        (MessageType::Audio, "audio"),
        (MessageType::Sticker, "sticker"),
    ] {
        let both = json!({"mediaId": "998", "mediaUrl": "https://x.example/a"});
        let want = json!({"type": name, "object": {"id": "998"}});
        assert_eq!(sent(kind, None, &both), want);
    }
    let named = json!({"mediaId": "998", "filename": "Invoice.pdf"});
    assert_eq!(
        sent(MessageType::Document, None, &named)["object"],
        json!({"id": "998", "filename": "Invoice.pdf"})
    );
}

#[test]
fn a_location_has_its_coordinates_as_numbers() {
    let place = json!({"latitude": 44.4268, "longitude": 26.1025,
        "locationName": "Office", "locationAddress": "Strada 1"});
    let want = json!({"type": "location", "object": {"latitude": 44.4268, "longitude": 26.1025,
        "name": "Office", "address": "Strada 1"}});
    assert_eq!(sent(MessageType::Location, None, &place), want);
}

#[test]
fn contact_cards_have_the_names_that_meta_wants() {
    let cards = json!({"contacts": [{"name": "Ana Pop", "phones": ["+40712345678"]},
        {"phones": ["+40712345679"]}]});
    let want = json!({"type": "contacts", "object": [
        {"name": {"formatted_name": "Ana Pop", "first_name": "Ana Pop"},
         "phones": [{"phone": "+40712345678"}]},
        {"name": {"formatted_name": "+40712345679", "first_name": "+40712345679"},
         "phones": [{"phone": "+40712345679"}]},
    ]});
    assert_eq!(sent(MessageType::Contact, None, &cards), want);
}

#[test]
fn buttons_are_an_interactive_message() {
    let buttons = json!({"buttons": [{"id": "y", "title": "Yes"}, {"id": "n", "title": "No"}],
        "footerText": "Acme"});
    let want = json!({"type": "interactive", "object": {
        "type": "button",
        "body": {"text": "Sure?"},
        "footer": {"text": "Acme"},
        "action": {"buttons": [
            {"type": "reply", "reply": {"id": "y", "title": "Yes"}},
            {"type": "reply", "reply": {"id": "n", "title": "No"}},
        ]},
    }});
    assert_eq!(sent(MessageType::Buttons, Some("Sure?"), &buttons), want);
}

#[test]
fn a_list_leaves_empty_titles_out() {
    let list = json!({"listButton": "Choose", "sections": [
        {"title": "", "rows": [{"id": "a", "title": "A", "description": "first"}]},
        {"title": "More", "rows": [{"id": "b", "title": "B"}]},
    ]});
    let want = json!({"type": "interactive", "object": {
        "type": "list",
        "body": {"text": "Which?"},
        "action": {"button": "Choose", "sections": [
            {"rows": [{"id": "a", "title": "A", "description": "first"}]},
            {"title": "More", "rows": [{"id": "b", "title": "B"}]},
        ]},
    }});
    assert_eq!(sent(MessageType::List, Some("Which?"), &list), want);
}

#[test]
fn a_link_button_has_header_and_footer() {
    let link = |extra: Value| {
        let mut object = json!({"ctaDisplayText": "Open", "ctaUrl": "https://x.example"});
        for (key, it) in extra.as_object().unwrap() {
            object[key] = it.clone();
        }
        sent(MessageType::CtaUrl, Some("Look"), &object)["object"].clone()
    };
    let plain = json!({
        "type": "cta_url",
        "body": {"text": "Look"},
        "action": {"name": "cta_url",
            "parameters": {"display_text": "Open", "url": "https://x.example"}},
    });
    assert_eq!(link(json!({})), plain);
    let mut want = plain.clone();
    want["header"] = json!({"type": "text", "text": "Sale"});
    want["footer"] = json!({"text": "Acme"});
    let titled = json!({"ctaHeaderType": "text", "ctaHeaderText": "Sale", "footerText": "Acme"});
    assert_eq!(link(titled), want);
    assert_eq!(
        link(json!({"ctaHeaderType": "video", "ctaHeaderMediaUrl": "https://x.example/v"}))["header"],
        json!({"type": "video", "video": {"link": "https://x.example/v"}})
    );
    assert_eq!(
        link(json!({"ctaHeaderMediaUrl": "https://x.example/i"}))["header"],
        json!({"type": "image", "image": {"link": "https://x.example/i"}})
    );
}

#[test]
fn requests_for_place_and_number_have_nothing_but_their_prompt() {
    for (kind, name, action) in [
        (
            MessageType::LocationRequest,
            "location_request_message",
            "send_location",
        ),
        (
            MessageType::RequestContactInfo,
            "request_contact_info",
            "request_contact_info",
        ),
    ] {
        let want = json!({"type": "interactive", "object": {
            "type": name,
            "body": {"text": "Please share"},
            "action": {"name": action},
        }});
        assert_eq!(sent(kind, Some("Please share"), &Value::Null), want);
    }
}

#[test]
fn a_reaction_names_its_message_inside_and_quotes_nothing() {
    let mut reaction = with(MessageType::Reaction, None, &json!({"emoji": "👍"}));
    reaction.context = Some("wamid.A".into());
    let made = body(&config(), &reaction);
    assert_eq!(
        made["reaction"],
        json!({"message_id": "wamid.A", "emoji": "👍"})
    );
    assert_eq!(made.get("context"), None);

    let named = json!({"emoji": "", "reactToMessageId": "wamid.B"});
    let taken_back = sent(MessageType::Reaction, None, &named);
    assert_eq!(
        taken_back["object"],
        json!({"message_id": "wamid.B", "emoji": ""})
    );

    let unresolved = json!({"emoji": "👍", "reactToMessageId": "msg_01"});
    let refused = unsayable(&with(MessageType::Reaction, None, &unresolved));
    assert_eq!(refused.class, FailureClass::InvalidRequest);
}

#[test]
fn what_whatsapp_has_no_form_for_is_refused_and_nothing_is_sent() {
    let medium = json!({"mediaId": "1"});
    let nothing = Value::Null;
    for (kind, text, extra) in [
        (MessageType::Text, None, &nothing),
        (MessageType::Text, Some(""), &nothing),
        (MessageType::Image, Some("no medium"), &nothing),
        (MessageType::Audio, Some("no captions"), &medium),
        (MessageType::Sticker, Some("no captions"), &medium),
        (MessageType::Location, None, &json!({"latitude": 1.0})),
        (MessageType::Contact, None, &nothing),
        (MessageType::Contact, None, &json!({"contacts": [{}]})),
        (MessageType::Buttons, Some("no buttons"), &nothing),
        (
            MessageType::Buttons,
            None,
            &json!({"buttons": [{"id": "y", "title": "Yes"}]}),
        ),
        (
            MessageType::List,
            Some("no button"),
            &json!({"sections": [{"rows": []}]}),
        ),
        (
            MessageType::List,
            Some("no rows"),
            &json!({"listButton": "Choose"}),
        ),
        (MessageType::CtaUrl, Some("no link"), &nothing),
        (
            MessageType::CtaUrl,
            Some("odd header"),
            &json!({"ctaDisplayText": "Open", "ctaUrl": "https://x.example", "ctaHeaderType": "gif"}),
        ),
        (MessageType::LocationRequest, None, &nothing),
        (MessageType::RequestContactInfo, None, &nothing),
        (MessageType::Reaction, None, &json!({"emoji": "👍"})),
        (MessageType::Template, None, &nothing),
        (MessageType::Image, None, &json!({"mediaUrl": 5})),
    ] {
        let failure = unsayable(&with(kind, text, extra));
        assert_eq!(
            failure.class,
            FailureClass::InvalidRequest,
            "{kind:?} {text:?}"
        );
    }
}

fn positional(text: &str) -> TemplateParameter {
    TemplateParameter {
        name: None,
        text: text.into(),
    }
}

fn order_update() -> TemplateUse {
    TemplateUse {
        name: "order_update".into(),
        language: "en_US".into(),
        header: Some(TemplateHeader::Medium {
            kind: HeaderKind::Image,
            url: Some("https://x.example/i".into()),
            id: None,
            filename: None,
        }),
        body: vec![
            positional("Anna\nPop"),
            TemplateParameter {
                name: Some("order_id".into()),
                text: "A-17".into(),
            },
        ],
        buttons: vec![
            TemplateButton {
                index: 0,
                kind: ButtonKind::QuickReply,
                text: "CONFIRM".into(),
            },
            TemplateButton {
                index: 1,
                kind: ButtonKind::Url,
                text: "A-17".into(),
            },
            TemplateButton {
                index: 2,
                kind: ButtonKind::Phone,
                text: "+40".into(),
            },
        ],
        ..TemplateUse::plain("tpl_1", PriceCategory::Utility)
    }
}

#[test]
fn a_template_goes_in_place_of_the_content() {
    let mut submission = testing::submission(77, "+4917012345678", "not this");
    submission.template = Some(Arc::new(order_update()));
    let made = body(&config(), &submission);
    assert_eq!(made["type"], "template");
    assert_eq!(made.get("text"), None);
    assert_eq!(
        made["template"],
        json!({"name": "order_update", "language": {"code": "en_US"}, "components": [
            {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://x.example/i"}}]},
            {"type": "body", "parameters": [
                {"type": "text", "text": "Anna Pop"},
                {"type": "text", "parameter_name": "order_id", "text": "A-17"}]},
            {"type": "button", "sub_type": "quick_reply", "index": "0",
             "parameters": [{"type": "payload", "payload": "CONFIRM"}]},
            {"type": "button", "sub_type": "url", "index": "1",
             "parameters": [{"type": "text", "text": "A-17"}]},
        ]})
    );
}

#[test]
fn a_message_that_is_a_template_sends_its_own() {
    let mut submission = with(MessageType::Template, None, &Value::Null);
    let own = TemplateUse {
        name: "hello".into(),
        language: "ro".into(),
        ..TemplateUse::plain("tpl_2", PriceCategory::Marketing)
    };
    submission.content = Arc::new(Content {
        template: Some(own),
        ..(*submission.content).clone()
    });
    let made = body(&config(), &submission);
    assert_eq!(
        made["template"],
        json!({"name": "hello", "language": {"code": "ro"}})
    );
}

#[test]
fn a_document_header_has_its_file_name() {
    let mut template = order_update();
    template.header = Some(TemplateHeader::Medium {
        kind: HeaderKind::Document,
        url: None,
        id: Some("998".into()),
        filename: Some("Invoice.pdf".into()),
    });
    let (_, object) = submit_template::message(&config(), &template).unwrap();
    assert_eq!(
        object["components"][0]["parameters"][0],
        json!({"type": "document", "document": {"id": "998", "filename": "Invoice.pdf"}})
    );
}

#[test]
fn a_one_time_code_stands_in_the_body_and_in_the_button() {
    let code = TemplateButton {
        index: 0,
        kind: ButtonKind::Otp,
        text: "123456".into(),
    };
    let golden = json!([
        {"type": "body", "parameters": [{"type": "text", "text": "123456"}]},
        {"type": "button", "sub_type": "url", "index": "0",
         "parameters": [{"type": "text", "text": "123456"}]},
    ]);
    for (body, buttons) in [
        (vec![positional("123456")], vec![]),
        (vec![positional("123456")], vec![code.clone()]),
        (vec![], vec![code]),
    ] {
        let template = TemplateUse {
            name: "login".into(),
            language: "en_US".into(),
            body,
            buttons,
            ..TemplateUse::plain("tpl_3", PriceCategory::Authentication)
        };
        let (_, object) = submit_template::message(&config(), &template).unwrap();
        assert_eq!(object["components"], golden);
    }
}

#[test]
fn a_template_that_meta_cannot_know_is_its_own_fault_and_may_fall_back() {
    let mut submission = testing::submission(77, "+4917012345678", "Hello");
    submission.template = Some(Arc::new(TemplateUse::plain(
        "tpl_4",
        PriceCategory::Utility,
    )));
    let failure = unsayable(&submission);
    assert_eq!(failure.class, FailureClass::TemplateFault);
    assert!(domain::rules::fallback::allows_fallback(failure.class));
}

#[test]
fn only_marketing_templates_take_the_marketing_path_and_only_where_it_is_set() {
    let url = |config: &WhatsAppConfig, category| {
        let mut submission = testing::submission(77, "+4917012345678", "Hello");
        submission.template = Some(Arc::new(TemplateUse {
            category,
            ..order_update()
        }));
        request(config, &submission).unwrap().url
    };
    let set = WhatsAppConfig {
        marketing_path: true,
        ..config()
    };
    assert!(url(&set, PriceCategory::Marketing).ends_with("/1055/marketing_messages"));
    assert!(url(&set, PriceCategory::Utility).ends_with("/1055/messages"));
    assert!(url(&config(), PriceCategory::Marketing).ends_with("/1055/messages"));
}

#[test]
fn previews_and_the_language_policy_are_settings() {
    let set = WhatsAppConfig {
        preview_url: true,
        language_policy: true,
        ..config()
    };
    let mut submission = testing::submission(77, "+4917012345678", "https://x.example");
    assert_eq!(body(&set, &submission)["text"]["preview_url"], true);
    submission.template = Some(Arc::new(order_update()));
    assert_eq!(
        body(&set, &submission)["template"]["language"],
        json!({"code": "en_US", "policy": "deterministic"})
    );
}
