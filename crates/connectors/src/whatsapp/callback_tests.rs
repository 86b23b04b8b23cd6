//! Calls: handshake, signature, batches, and bodies of any shape.

use domain::model::receipt::ReceiptState;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::compliance::logs::Log;
use crate::web::testing::hook;

fn config() -> WhatsAppConfig {
    WhatsAppConfig {
        phone_number_id: "106540352242922".to_owned(),
        app_secret: "appsecret123".to_owned(),
        verify_token: "verify me".to_owned(),
        ..WhatsAppConfig::default()
    }
}

const URL: &str = "https://msg.example/hooks/wa";

fn signed(body: &str, signature: &str) -> HookCall {
    let mut call = hook("POST", URL, body);
    let header = (
        "x-hub-signature-256".into(),
        format!("sha256={signature}").into_bytes().into(),
    );
    call.headers.push(header);
    call
}

fn handshake(query: &str) -> HookAnswer {
    let call = hook("GET", &format!("{URL}?{query}"), "");
    read(&config(), &call).unwrap_err()
}

#[test]
fn the_handshake_gives_the_challenge_back_to_who_knows_the_token() {
    let good = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=verify%20me";
    assert_eq!(
        handshake(good),
        HookAnswer::with(200, "text/plain", "1158201444")
    );
    for wrong in [
        "",
        "hub.mode=subscribe&hub.challenge=1&hub.verify_token=verify",
        "hub.mode=subscribe&hub.challenge=1",
        "hub.mode=subscribe&hub.verify_token=verify+me",
        "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=verify+me",
    ] {
        assert_eq!(handshake(wrong), HookAnswer::empty(403), "{wrong}");
    }
}

#[test]
fn a_message_from_nobody_is_warned_of_without_what_it_says() {
    let warned = |message: serde_json::Value| {
        let log = Log::default();
        let guard = log.capture();
        let value = json!({
            "metadata": {"display_phone_number": "15550783881", "phone_number_id": "1055"},
            "messages": [message],
        });
        let changes = json!([{"field": "messages", "value": value}]);
        let body = json!({"entry": [{"id": "1", "changes": changes}]});
        let told = tellings(body.to_string().as_bytes());
        drop(guard);
        let text = log.text();
        assert!(!text.contains("Sesame"), "{text}");
        assert!(!text.contains("not-a-writer"), "{text}");
        (told.len(), text.contains("WARN") && text.contains("1055"))
    };
    let text = json!({"body": "Sesame"});
    let from = |from: &str| json!({"from": from, "id": "x", "type": "text", "text": text});
    assert_eq!(warned(from("40712345678")), (1, false));
    assert_eq!(warned(from("not-a-writer")), (0, true));
    // Said by nobody, or not to us: no news.
    let changed = json!({"from": "not-a-writer", "id": "x", "type": "system", "system": {}});
    assert_eq!(warned(changed), (0, false));
    let mut in_a_group = from("not-a-writer");
    in_a_group["group_id"] = json!("g");
    assert_eq!(warned(in_a_group), (0, false));
}

#[test]
fn nothing_is_confirmed_or_believed_without_secrets() {
    let bare = WhatsAppConfig::default();
    let query = "hub.mode=subscribe&hub.challenge=1&hub.verify_token=";
    let get = hook("GET", &format!("{URL}?{query}"), "");
    assert_eq!(read(&bare, &get), Err(HookAnswer::empty(403)));
    // The right signature with an empty key.
    let hex = crate::whatsapp::tests::signature("", "{}");
    assert_eq!(
        read(&bare, &signed("{}", &hex)),
        Err(HookAnswer::empty(403))
    );
}

#[test]
fn a_signature_is_made_over_the_bytes_as_they_came() {
    let empty = r#"{"object":"whatsapp_business_account","entry":[]}"#;
    let of_empty = "5f5d4ae685e6c323ebea2d5a7d58ac41acf4344a54bae38373a09987238e8198";
    assert_eq!(read(&config(), &signed(empty, of_empty)), Ok(vec![]));

    let escaped = r#"{"k":"\u00e9"}"#;
    let of_escaped = "a8dd2e19b52c9cb30f887774d2797febe1bf0e874497e3b02d4a4eae776bf741";
    let of_rewritten = "4ab2dae936a84dd9b010d43d2f9ab672d89393425a3077f8532f09495967ebc1";
    assert_eq!(read(&config(), &signed(escaped, of_escaped)), Ok(vec![]));
    assert_eq!(
        read(&config(), &signed(escaped, of_rewritten)),
        Err(HookAnswer::empty(403))
    );
    assert_eq!(
        read(&config(), &signed(r#"{"k":"é"}"#, of_escaped)),
        Err(HookAnswer::empty(403))
    );
}

#[test]
fn a_call_without_a_signature_or_of_another_method_tells_nothing() {
    assert_eq!(
        read(&config(), &hook("POST", URL, "{}")),
        Err(HookAnswer::empty(401))
    );
    assert!(read(&config(), &signed("{}", "")).is_err());
    assert_eq!(
        read(&config(), &hook("PUT", URL, "{}")),
        Err(HookAnswer::empty(405))
    );
}

fn value(number: &str, extra: &Value) -> Value {
    let mut value = json!({"messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": number}});
    for (key, it) in extra.as_object().unwrap() {
        value[key] = it.clone();
    }
    value
}

#[test]
fn every_entry_change_message_and_status_is_told_in_order() {
    let text =
        |id: &str| json!({"from": "16505551234", "id": id, "type": "text", "text": {"body": "é"}});
    let status = |id: &str, word: &str| json!({"id": id, "status": word});
    let body = json!({"object": "whatsapp_business_account", "entry": [
        {"id": "W1", "changes": [
            {"field": "messages", "value": value("1", &json!({
                "messages": [text("in.1"), text("in.2")],
                "statuses": [status("out.1", "sent"), status("out.1", "delivered")]}))},
            {"field": "messages", "value": value("2", &json!({"statuses": [status("out.2", "read")]}))},
        ]},
        {"id": "W2", "changes": [
            {"field": "user_preferences", "value": value("1", &json!({"user_preferences": [
                {"wa_id": "16505551234", "category": "marketing_messages", "value": "stop"}]}))},
            {"field": "template_category_update", "value": {"message_template_id": 5,
                "message_template_name": "t", "message_template_language": "ro",
                "new_category": "MARKETING"}},
        ]},
    ]});
    // As Meta writes it: with everything beyond ASCII escaped.
    let escaped = body.to_string().replace('é', "\\u00e9");
    let told = tellings(escaped.as_bytes());
    let number = |it: &str| Whom::Number(it.to_owned());
    let whom: Vec<Whom> = told.iter().map(|it| it.0.clone()).collect();
    assert_eq!(
        whom,
        [
            number("1"),
            number("1"),
            number("1"),
            number("1"),
            number("2"),
            number("1"),
            Whom::Account("W2".to_owned()),
        ]
    );
    let words: Vec<String> = told
        .iter()
        .map(|(_, telling)| match telling {
            Telling::Inbound(it) => {
                assert_eq!(&*it.to, "+15550783881");
                format!(
                    "{} {}",
                    it.provider_id.as_deref().unwrap(),
                    it.content.text.as_deref().unwrap()
                )
            }
            Telling::Receipt(it) => format!("{} {}", it.references[0], it.state.code()),
            Telling::Consent(it) => format!("consent {}", it.opted_out),
            Telling::Template(it) => format!("template {}", it.provider_id),
            Telling::Bill(..) => "bill".to_owned(),
        })
        .collect();
    assert_eq!(
        words,
        [
            "in.1 é",
            "in.2 é",
            "out.1 in_transit",
            "out.1 delivered",
            "out.2 read",
            "consent true",
            "template 5",
        ]
    );
}

#[test]
fn what_does_not_concern_us_tells_nothing() {
    for change in [
        json!({"field": "account_update", "value": {"event": "VERIFIED_ACCOUNT"}}),
        json!({"field": "messages", "value": {"messages": [{"from": "16505551234"}]}}),
        json!({"field": "smb_message_echoes", "value": value("1", &json!({"message_echoes": [{}]}))}),
        json!({"value": value("1", &json!({}))}),
        json!({}),
    ] {
        let body = json!({"entry": [{"id": "W1", "changes": [change]}]}).to_string();
        assert_eq!(tellings(body.as_bytes()), [], "{body}");
    }
    assert_eq!(tellings(b"not json"), []);
    assert_eq!(tellings(b""), []);
}

#[test]
fn errors_of_the_whole_number_do_not_hide_the_statuses() {
    let value = value(
        "1",
        &json!({
        "errors": [{"code": 131_000, "title": "t"}],
        "statuses": [{"id": "out.1", "status": "delivered"}]}),
    );
    let body = json!({"entry": [{"changes": [{"field": "messages", "value": value}]}]}).to_string();
    let told = tellings(body.as_bytes());
    assert!(
        matches!(&told[..], [(_, Telling::Receipt(it))] if it.state == ReceiptState::Delivered)
    );
}

/// Words of the format, so that arbitrary trees come to the places where they are read.
fn keys() -> impl Strategy<Value = String> {
    let known: &'static [&'static str] = &[
        "entry",
        "changes",
        "field",
        "value",
        "messages",
        "statuses",
        "contacts",
        "errors",
        "from",
        "id",
        "type",
        "text",
        "body",
        "metadata",
        "phone_number_id",
        "display_phone_number",
        "wa_id",
        "user_id",
        "from_user_id",
        "profile",
        "name",
        "timestamp",
        "status",
        "code",
        "image",
        "location",
        "latitude",
        "longitude",
        "interactive",
        "button_reply",
        "edit",
        "message",
        "reaction",
        "context",
        "referral",
        "user_preferences",
        "category",
        "message_template_id",
        "event",
        "pricing",
        "error_data",
        "recipient_id",
        "button",
    ];
    prop_oneof![4 => proptest::sample::select(known).prop_map(str::to_owned), 1 => ".{0,6}"]
}

fn trees() -> impl Strategy<Value = Value> {
    let known: &'static [&'static str] = &[
        "messages",
        "text",
        "image",
        "failed",
        "delivered",
        "16505551234",
        "US.1349",
        "131026",
        "marketing_messages",
        "stop",
        "edit",
        "reaction",
        "location",
        "contacts",
        "interactive",
        "button_reply",
        "template_category_update",
        "99999999999999999999",
        "-1",
        "",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        proptest::sample::select(known).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(8, 64, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((keys(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_body_makes_the_parser_panic(body: Vec<u8>) {
        tellings(&body);
    }

    #[test]
    fn no_json_makes_the_parser_panic(value in trees(), field in keys(), more in trees()) {
        let mut inside = json!({"metadata": {"phone_number_id": "1"}, "messages": [more.clone()],
            "statuses": [more.clone()], "user_preferences": [more.clone()], "contacts": [more]});
        if let Some(object) = value.as_object() {
            for (key, it) in object {
                inside[key] = it.clone();
            }
        }
        for value in [inside, value] {
            for field in ["messages", "user_preferences", &*field] {
                let change = json!({"field": field, "value": value.clone()});
                let body = json!({"entry": [{"id": value.clone(), "changes": [change]}]});
                tellings(body.to_string().as_bytes());
            }
        }
    }
}
