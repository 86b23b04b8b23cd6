//! Updates as Telegram sends them.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const BOT: &str = "42";

fn telling(update: &Value) -> Option<Telling> {
    read(update, BOT).telling
}

/// What a message of a private chat becomes.
fn inbound(fields: Value) -> IncomingMessage {
    match telling(&message(fields)) {
        Some(Telling::Inbound(it)) => *it,
        other => panic!("{other:?}"),
    }
}

fn message(fields: Value) -> Value {
    let mut message = json!({
        "message_id": 7,
        "from": {"id": 4242, "is_bot": false, "first_name": "Ana", "last_name": "Pop",
                 "username": "anapop", "language_code": "ro"},
        "chat": {"id": 4242, "first_name": "Ana", "type": "private"},
        "date": 1_700_000_000,
    });
    let (Value::Object(into), Value::Object(fields)) = (&mut message, fields) else {
        panic!();
    };
    into.extend(fields);
    json!({"update_id": 99, "message": message})
}

fn object(message: &IncomingMessage) -> Value {
    serde_json::from_str(message.content.extra.as_deref().unwrap()).unwrap()
}

#[test]
fn a_text_is_told_with_who_when_and_under_which_id() {
    let told = inbound(json!({"text": "Bună"}));
    assert_eq!(told.from, Address::Telegram(4_242));
    assert_eq!(&*told.to, BOT);
    assert_eq!(told.content, Content::text("Bună"));
    assert_eq!(told.profile_name.as_deref(), Some("Ana Pop"));
    assert_eq!(told.provider_id.as_deref(), Some("4242:7"));
    assert_eq!(
        told.sent_at,
        Some(Timestamp::from_millis(1_700_000_000_000))
    );
    assert_eq!(told.quotes, None);
    assert!(told.aliases.is_empty());
    assert!(!told.unsupported);
}

#[test]
fn start_and_what_follows_it_stay_text() {
    let told = inbound(json!({
        "text": "/start inv-123", "entities": [{"type": "bot_command", "offset": 0, "length": 6}]
    }));
    assert_eq!(told.content, Content::text("/start inv-123"));
}

#[test]
fn an_answer_names_what_it_answers() {
    let told = inbound(json!({"text": "Yes", "reply_to_message": {"message_id": 5, "text": "?"}}));
    assert_eq!(told.quotes.as_deref(), Some("4242:5"));
}

#[test]
fn each_kind_of_medium_is_told_with_its_id_and_type() {
    for (fields, kind, want) in [
        (
            json!({"photo": [{"file_id": "small"}, {"file_id": "large"}], "caption": "Look"}),
            MessageType::Image,
            json!({"mediaId": "large", "mimeType": "image/jpeg"}),
        ),
        (
            json!({"video": {"file_id": "f", "mime_type": "video/quicktime", "file_name": "a.mov"}}),
            MessageType::Video,
            json!({"mediaId": "f", "mimeType": "video/quicktime", "filename": "a.mov"}),
        ),
        (
            json!({"animation": {"file_id": "f"}, "document": {"file_id": "f"}}),
            MessageType::Video,
            json!({"mediaId": "f", "mimeType": "video/mp4"}),
        ),
        (
            json!({"video_note": {"file_id": "f"}}),
            MessageType::Video,
            json!({"mediaId": "f", "mimeType": "video/mp4"}),
        ),
        (
            json!({"voice": {"file_id": "f", "duration": 3}}),
            MessageType::Audio,
            json!({"mediaId": "f", "mimeType": "audio/ogg"}),
        ),
        (
            json!({"audio": {"file_id": "f", "mime_type": "audio/mp4"}}),
            MessageType::Audio,
            json!({"mediaId": "f", "mimeType": "audio/mp4"}),
        ),
        (
            json!({"document": {"file_id": "f", "file_name": "a.pdf",
                                "mime_type": "application/pdf"}}),
            MessageType::Document,
            json!({"mediaId": "f", "mimeType": "application/pdf", "filename": "a.pdf"}),
        ),
        (
            json!({"sticker": {"file_id": "f", "emoji": "👍", "is_animated": false,
                               "is_video": false}}),
            MessageType::Sticker,
            json!({"mediaId": "f", "mimeType": "image/webp", "emoji": "👍"}),
        ),
        (
            json!({"location": {"latitude": 44.5, "longitude": 26.0}}),
            MessageType::Location,
            json!({"latitude": 44.5, "longitude": 26.0}),
        ),
        (
            json!({"location": {"latitude": 44.5, "longitude": 26.0},
                   "venue": {"title": "Shop", "address": "Street 1"}}),
            MessageType::Location,
            json!({"latitude": 44.5, "longitude": 26.0, "locationName": "Shop",
                   "locationAddress": "Street 1"}),
        ),
        (
            json!({"contact": {"phone_number": "+40712345678", "first_name": "Ion",
                               "user_id": 777}}),
            MessageType::Contact,
            json!({"contacts": [{"name": "Ion", "phones": ["+40712345678"]}]}),
        ),
    ] {
        let told = inbound(fields.clone());
        assert_eq!(told.content.kind, kind, "{fields}");
        assert_eq!(object(&told), want, "{fields}");
        assert_eq!(told.content.text.as_deref(), fields["caption"].as_str());
        assert!(told.aliases.is_empty(), "{fields}");
        assert!(!told.unsupported);
    }
}

#[test]
fn a_person_who_shares_their_own_card_tells_their_number() {
    let told = inbound(json!({
        "contact": {"phone_number": "40712345678", "first_name": "Ana", "user_id": 4242}
    }));
    let number = PhoneNumber::parse("+40712345678").unwrap();
    assert_eq!(told.aliases, [Address::Phone(number)]);
}

#[test]
fn what_we_have_no_words_for_is_told_as_unsupported() {
    for fields in [
        json!({"poll": {"id": "1", "question": "?"}}),
        json!({"dice": {"emoji": "🎲", "value": 3}}),
        json!({"voice": {"no_id": true}}),
    ] {
        let told = inbound(fields);
        assert!(told.unsupported);
        assert_eq!(told.content.text, None);
        assert!(told.provider_id.is_some());
    }
}

#[test]
fn a_pressed_button_is_a_text_with_its_label_and_carries_its_id() {
    let update = json!({"update_id": 100, "callback_query": {
        "id": "555", "from": {"id": 4242, "is_bot": false, "first_name": "Ana"}, "data": "y",
        "message": {"message_id": 8, "chat": {"id": 4242, "type": "private"}, "text": "Come?",
            "reply_markup": {"inline_keyboard": [
                [{"text": "Yes", "callback_data": "y"}], [{"text": "No", "callback_data": "n"}]]}},
    }});
    let read = read(&update, BOT);
    assert_eq!(read.pressed.as_deref(), Some("555"));
    let Some(Telling::Inbound(told)) = read.telling else {
        panic!();
    };
    assert_eq!(told.content.kind, MessageType::Text);
    assert_eq!(told.content.text.as_deref(), Some("Yes"));
    assert_eq!(
        object(&told),
        json!({"buttons": [{"id": "y", "title": "Yes"}]})
    );
    assert_eq!(told.quotes.as_deref(), Some("4242:8"));
    assert_eq!(told.provider_id.as_deref(), Some("button:555"));
}

#[test]
fn a_button_of_a_message_that_is_gone_is_a_text_with_its_id() {
    let update = json!({"update_id": 100, "callback_query": {
        "id": "555", "from": {"id": 4242}, "data": "y",
        "message": {"message_id": 8, "chat": {"id": 4242, "type": "private"}, "date": 0},
    }});
    let Some(Telling::Inbound(told)) = telling(&update) else {
        panic!();
    };
    assert_eq!(told.content.text.as_deref(), Some("y"));
}

#[test]
fn who_blocks_the_bot_is_no_opt_out_since_that_says_nothing_of_other_channels() {
    let blocked = json!({"update_id": 1, "my_chat_member": {
        "chat": {"id": 4242, "type": "private"}, "from": {"id": 4242}, "date": 1_700_000_000,
        "old_chat_member": {"status": "member", "user": {"id": 42, "is_bot": true}},
        "new_chat_member": {"status": "kicked", "user": {"id": 42, "is_bot": true}},
    }});
    assert_eq!(telling(&blocked), None);
}

#[test]
fn what_nobody_wrote_to_us_is_passed_over() {
    let in_group = json!({"text": "Hi", "chat": {"id": -100, "type": "group"}});
    let in_channel = json!({"text": "Hi", "chat": {"id": -100, "type": "channel"}});
    let by_a_bot = json!({"text": "Hi", "from": {"id": 1, "is_bot": true}});
    let pinned = json!({"pinned_message": {"message_id": 3, "text": "Hi"}});
    for fields in [in_group, in_channel, by_a_bot, pinned] {
        assert_eq!(telling(&message(fields.clone())), None, "{fields}");
    }
    let edited =
        json!({"update_id": 1, "edited_message": message(json!({"text": "Hi"}))["message"]});
    assert_eq!(telling(&edited), None);
}

/// JSON of any shape, with the names that are looked for.
fn any_json() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "message",
        "callback_query",
        "my_chat_member",
        "chat",
        "id",
        "type",
        "from",
        "text",
        "photo",
        "voice",
        "sticker",
        "location",
        "latitude",
        "contact",
        "user_id",
        "data",
        "reply_markup",
        "inline_keyboard",
        "new_chat_member",
        "status",
        "date",
        "message_id",
        "phone_number",
        "file_id",
        "update_id",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(Value::from("private")),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6)
                .prop_map(|it| it.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_breaks_the_reading(update in any_json()) {
        drop(read(&update, BOT));
        drop(read(&message(json!({"photo": update, "contact": update})), BOT));
    }
}
