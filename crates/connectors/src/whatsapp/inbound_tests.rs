//! What people write, as Meta documents it.

use domain::model::address::{Address, WhatsAppUserId};
use domain::phone::PhoneNumber;

use super::*;

const OURS: &str = "+15550783881";

fn phone() -> Address {
    PhoneNumber::parse("+16505551234").unwrap().into()
}

fn user() -> Address {
    Address::WhatsAppUser(WhatsAppUserId::parse("US.1349").unwrap())
}

fn contacts() -> Value {
    json!([{"profile": {"name": "Sheena", "username": "sheena"}, "wa_id": "16505551234",
        "user_id": "US.1349", "parent_user_id": "US.ENT.1181"}])
}

fn message(kind: &str, object: &Value) -> Value {
    json!({"from": "16505551234", "from_user_id": "US.1349", "id": "wamid.IN",
        "timestamp": "1749416383", "type": kind, kind: object})
}

fn heard(message: &Value) -> IncomingMessage {
    read(message, contacts().as_array().unwrap(), OURS).unwrap()
}

/// The kind, the text and the content object.
fn content_of(kind: &str, object: &Value) -> (MessageType, Option<String>, Value) {
    let heard = heard(&message(kind, object));
    assert!(!heard.unsupported);
    let extra = heard
        .content
        .extra
        .map(|it| serde_json::from_str(&it).unwrap());
    (
        heard.content.kind,
        heard.content.text.map(String::from),
        extra.unwrap_or(Value::Null),
    )
}

#[test]
fn a_text_has_writer_name_time_and_id() {
    let mut text = message("text", &json!({"body": "Does it come in blue?"}));
    text["context"] = json!({"from": "15550783881", "id": "wamid.OUT"});
    assert_eq!(
        heard(&text),
        IncomingMessage {
            from: phone(),
            aliases: vec![user()],
            profile_name: Some("Sheena".into()),
            to: OURS.into(),
            content: Content::text("Does it come in blue?"),
            unsupported: false,
            quotes: Some("wamid.OUT".into()),
            provider_id: Some("wamid.IN".into()),
            sent_at: Some(Timestamp::from_millis(1_749_416_383_000)),
        }
    );
}

#[test]
fn a_person_whose_number_is_hidden_writes_under_the_user_id() {
    for text in [
        json!({"from_user_id": "US.1349", "id": "w", "type": "text", "text": {"body": "Hi"}}),
        json!({"from": "", "from_user_id": "US.1349", "id": "w", "type": "text", "text": {"body": "Hi"}}),
        json!({"from": "US.1349", "id": "w", "type": "text", "text": {"body": "Hi"}}),
    ] {
        let heard = read(&text, &[], OURS).unwrap();
        assert_eq!((heard.from, heard.aliases), (user(), vec![]));
    }
}

#[test]
fn a_number_that_only_the_contact_names_is_an_alias() {
    let text =
        json!({"from_user_id": "US.1349", "id": "w", "type": "text", "text": {"body": "Hi"}});
    let heard = read(&text, contacts().as_array().unwrap(), OURS).unwrap();
    assert_eq!((heard.from, heard.aliases), (user(), vec![phone()]));
}

#[test]
fn among_several_contacts_the_writer_is_found_by_number_or_user_id() {
    let two = json!([
        {"profile": {"name": "Other"}, "wa_id": "4917012345678"},
        {"profile": {"name": "Sheena"}, "user_id": "US.1349"},
    ]);
    let text = message("text", &json!({"body": "Hi"}));
    let heard = read(&text, two.as_array().unwrap(), OURS).unwrap();
    assert_eq!(heard.profile_name.as_deref(), Some("Sheena"));
    let stranger =
        json!({"from": "40712345678", "id": "w", "type": "text", "text": {"body": "Hi"}});
    let heard = read(&stranger, two.as_array().unwrap(), OURS).unwrap();
    assert_eq!((heard.profile_name, heard.aliases), (None, vec![]));
}

#[test]
fn a_single_contact_that_is_somebody_else_is_not_the_writer() {
    let other = json!([{"profile": {"name": "Other"}, "wa_id": "4917012345678"}]);
    let text = message("text", &json!({"body": "Hi"}));
    let heard = read(&text, other.as_array().unwrap(), OURS).unwrap();
    assert_eq!((heard.profile_name, heard.aliases), (None, vec![user()]));

    let nameless = json!([{"profile": {"name": "Sheena"}}]);
    let heard = read(&text, nameless.as_array().unwrap(), OURS).unwrap();
    assert_eq!(heard.profile_name.as_deref(), Some("Sheena"));

    let anonymous = json!({"id": "w", "type": "text", "text": {"body": "Hi"}});
    let heard = read(&anonymous, contacts().as_array().unwrap(), OURS).unwrap();
    assert_eq!((heard.from, heard.aliases), (phone(), vec![user()]));
}

#[test]
fn the_brazilian_number_of_an_old_account_is_the_person_of_today() {
    let text = json!({"from": "551187654321", "id": "w", "type": "text", "text": {"body": "Oi"}});
    let heard = read(&text, &[], OURS).unwrap();
    assert_eq!(
        heard.from,
        PhoneNumber::parse("+5511987654321").unwrap().into()
    );
}

#[test]
fn media_are_told_by_their_id() {
    for (kind, want) in [
        ("image", MessageType::Image),
        ("video", MessageType::Video),
        ("audio", MessageType::Audio),
        ("document", MessageType::Document),
        ("sticker", MessageType::Sticker),
    ] {
        let object = json!({"id": "998", "mime_type": "x/y", "sha256": "s", "caption": "Look",
            "filename": "f", "url": "https://lookaside.example/short-lived"});
        let extra = json!({"mediaId": "998", "mimeType": "x/y", "filename": "f"});
        assert_eq!(
            content_of(kind, &object),
            (want, Some("Look".to_owned()), extra)
        );
    }
}

#[test]
fn a_place_and_contact_cards_are_told_as_the_api_has_them() {
    let place = json!({"latitude": 37.4, "longitude": -122.2, "name": "HQ", "address": "1 Way"});
    let extra = json!({"latitude": 37.4, "longitude": -122.2, "locationName": "HQ",
        "locationAddress": "1 Way"});
    assert_eq!(
        content_of("location", &place),
        (MessageType::Location, None, extra)
    );

    let cards = json!([
        {"name": {"formatted_name": "Ana Pop"}, "phones": [{"phone": "+40 712 345 678", "type": "CELL"}]},
        {"origin": "contact_request", "phones": [{"wa_id": "16505551234"}]},
        {"name": {}},
    ]);
    let extra = json!({"contacts": [{"name": "Ana Pop", "phones": ["+40 712 345 678"]},
        {"phones": ["16505551234"]}]});
    assert_eq!(
        content_of("contacts", &cards),
        (MessageType::Contact, None, extra)
    );
}

#[test]
fn what_was_pressed_is_a_text_with_its_label() {
    let stop = json!({"payload": "STOP_ALL", "text": "Unsubscribe"});
    let extra = json!({"buttons": [{"id": "STOP_ALL", "title": "Unsubscribe"}]});
    let want = (MessageType::Text, Some("Unsubscribe".to_owned()), extra);
    assert_eq!(content_of("button", &stop), want);

    let reply =
        json!({"type": "button_reply", "button_reply": {"id": "STOP_ALL", "title": "Unsubscribe"}});
    assert_eq!(content_of("interactive", &reply), want);

    let row = json!({"type": "list_reply",
        "list_reply": {"id": "a", "title": "First", "description": "the first"}});
    let extra = json!({"sections": [{"title": "",
        "rows": [{"id": "a", "title": "First", "description": "the first"}]}]});
    assert_eq!(
        content_of("interactive", &row),
        (MessageType::Text, Some("First".to_owned()), extra)
    );

    let form = json!({"type": "nfm_reply",
        "nfm_reply": {"response_json": "{}", "body": "Ana\nStrada 1", "name": "address_message"}});
    let want = (
        MessageType::Text,
        Some("Ana\nStrada 1".to_owned()),
        Value::Null,
    );
    assert_eq!(content_of("interactive", &form), want);
}

#[test]
fn a_reaction_quotes_its_message_and_an_empty_one_takes_it_back() {
    let reaction = message(
        "reaction",
        &json!({"message_id": "wamid.OUT", "emoji": "😮"}),
    );
    let heard_it = heard(&reaction);
    assert_eq!(heard_it.quotes.as_deref(), Some("wamid.OUT"));
    assert_eq!(heard_it.content.kind, MessageType::Reaction);
    assert_eq!(heard_it.content.extra.as_deref(), Some(r#"{"emoji":"😮"}"#));
    for gone in [
        json!({"message_id": "wamid.OUT", "emoji": ""}),
        json!({"message_id": "wamid.OUT"}),
    ] {
        let extra = content_of("reaction", &gone).2;
        assert_eq!(extra, json!({"emoji": ""}));
    }
}

#[test]
fn an_advertisement_that_opened_the_chat_is_told_with_the_message() {
    let mut text = message("text", &json!({"body": "Hi"}));
    text["referral"] = json!({"source_type": "ad", "source_id": "AD", "ctwa_clid": "C",
        "headline": "Sale", "welcome_message": {"text": "unknown field"}});
    let heard = heard(&text);
    assert_eq!(heard.content.text.as_deref(), Some("Hi"));
    let extra: Value = serde_json::from_str(&heard.content.extra.unwrap()).unwrap();
    assert_eq!(
        extra,
        json!({"referral": {"sourceType": "ad", "sourceId": "AD", "ctwaClid": "C", "headline": "Sale"}})
    );
}

#[test]
fn an_edit_is_a_message_that_quotes_the_former_one() {
    let edit = message(
        "edit",
        &json!({"original_message_id": "wamid.FIRST",
            "message": {"context": {"id": "M0"}, "type": "text", "text": {"body": "STOP"}}}),
    );
    let heard = heard(&edit);
    assert_eq!(heard.content, Content::text("STOP"));
    assert_eq!(heard.quotes.as_deref(), Some("wamid.FIRST"));
}

#[test]
fn what_there_are_no_words_for_is_told_as_unsupported() {
    for (kind, object) in [
        ("unsupported", json!({"type": "poll"})),
        ("order", json!({"catalog_id": "1", "product_items": []})),
        ("hologram", json!({})),
        (
            "interactive",
            json!({"type": "call_permission_reply", "call_permission_reply": {}}),
        ),
        ("interactive", Value::Null),
        ("image", json!({"caption": "no id"})),
        ("text", json!({"body": ""})),
    ] {
        let heard = heard(&message(kind, &object));
        assert!(heard.unsupported, "{kind}");
        assert_eq!(heard.content, Content::text(""), "{kind}");
    }
}

#[test]
fn what_nobody_wrote_to_us_is_no_message() {
    for (kind, object) in [
        (
            "system",
            json!({"type": "user_changed_number", "wa_id": "16505550000", "body": "b"}),
        ),
        ("revoke", json!({"original_message_id": "wamid.FIRST"})),
        ("request_welcome", json!({})),
        (
            "edit",
            json!({"original_message_id": "w", "message": {"type": "edit", "edit": {}}}),
        ),
    ] {
        assert_eq!(read(&message(kind, &object), &[], OURS), None, "{kind}");
    }
    let mut in_group = message("text", &json!({"body": "Hi all"}));
    in_group["group_id"] = json!("G1");
    assert_eq!(read(&in_group, &[], OURS), None);
    let nobody = json!({"id": "w", "type": "text", "text": {"body": "Hi"}});
    assert_eq!(read(&nobody, &[], OURS), None);
}

#[test]
fn a_preference_for_marketing_is_consent_for_promotions() {
    for (value, opted_out) in [("stop", true), ("resume", false), ("signup", false)] {
        for (who, person) in [("wa_id", "16505551234"), ("user_id", "US.1349")] {
            let told = json!({who: person, "category": "marketing_messages", "value": value,
                "detail": "User requested it", "timestamp": 1_731_705_721});
            let signal = preference(&told, OURS).unwrap();
            assert_eq!(signal.opted_out, opted_out, "{value}");
            assert!(signal.promotions_only);
            let want = if who == "wa_id" { phone() } else { user() };
            assert_eq!(signal.from, want);
        }
    }
    for nothing in [
        json!({"wa_id": "16505551234", "category": "marketing_messages", "value": "maybe"}),
        json!({"wa_id": "16505551234", "category": "other", "value": "stop"}),
        json!({"category": "marketing_messages", "value": "stop"}),
    ] {
        assert_eq!(preference(&nothing, OURS), None);
    }
}

#[test]
fn a_user_id_is_never_taken_for_a_phone_number() {
    let mut text = message("text", &json!({"body": "Hi"}));
    text["from_user_id"] = json!("4917012345678");
    let read = read(&text, &[], OURS).unwrap();
    assert_eq!((read.from, read.aliases), (phone(), Vec::new()));
}
