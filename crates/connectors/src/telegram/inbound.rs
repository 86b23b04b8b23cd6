//! What an update of Telegram tells: messages that people write, buttons that they press, and
//! whether they block the bot.
//!
//! - Only private chats count: what is written in a group is not written to us, and is passed over.
//! - A message that was edited is passed over: what was said first stands.
//! - Who blocks the bot has opted out; who lifts the block has opted in again, since Telegram makes
//!   them do so with their own hand. Nothing else about membership is a word about consent.

use domain::model::address::Address;
use domain::model::content::{Content, MessageType};
use domain::phone::PhoneNumber;
use domain::time::Timestamp;
use ports::connector::IncomingMessage;
use serde_json::Value;

use super::submit::message_id;
use crate::content_object::{Button, Card, ContentObject};
use crate::web::protocol::Telling;

/// The updates that we ask Telegram for.
pub(super) const ALLOWED_UPDATES: [&str; 2] = ["message", "callback_query"];

/// Fields by which Telegram reports something about the chat that nobody wrote (2026).
const NOT_WRITTEN: [&str; 14] = [
    "boost_added",
    "chat_background_set",
    "checklist_tasks_added",
    "checklist_tasks_done",
    "connected_website",
    "gift",
    "message_auto_delete_timer_changed",
    "migrate_from_chat_id",
    "migrate_to_chat_id",
    "pinned_message",
    "proximity_alert_triggered",
    "refunded_payment",
    "unique_gift",
    "write_access_allowed",
];

/// What an update tells of.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Update {
    /// Its number: polling goes on behind it.
    pub(super) id: Option<i64>,
    /// What it tells; `None` where it does not concern us.
    pub(super) telling: Option<Telling>,
    /// The pressed button that waits for a word, or it goes on spinning.
    pub(super) pressed: Option<Box<str>>,
}

/// Reads an update. `bot` is our address.
pub(super) fn read(update: &Value, bot: &str) -> Update {
    let query = &update["callback_query"];
    let telling = if update["message"].is_object() {
        written(&update["message"], bot)
    } else if query.is_object() {
        button(query, bot)
    } else {
        None
    };
    Update {
        id: update["update_id"].as_i64(),
        telling,
        pressed: query["id"].as_str().map(Into::into),
    }
}

/// The id of a private chat.
fn private(chat: &Value) -> Option<i64> {
    (chat["type"].as_str() == Some("private")).then_some(())?;
    chat["id"].as_i64().filter(|it| *it != 0)
}

fn name(person: &Value) -> Option<Box<str>> {
    let names = [&person["first_name"], &person["last_name"]];
    let names: Vec<&str> = names.iter().filter_map(|it| it.as_str()).collect();
    let name = names.join(" ");
    let name = name.trim();
    (!name.is_empty()).then(|| name.into())
}

fn written(message: &Value, bot: &str) -> Option<Telling> {
    let chat = private(&message["chat"])?;
    let from = &message["from"];
    if from["is_bot"].as_bool() == Some(true)
        || NOT_WRITTEN.iter().any(|it| message.get(*it).is_some())
    {
        return None;
    }
    let content = content(message);
    let mut told = IncomingMessage::new(
        Address::Telegram(chat),
        bot,
        content.clone().unwrap_or_else(|| empty(MessageType::Text)),
    );
    told.unsupported = content.is_none();
    told.aliases = own_number(message).into_iter().collect();
    told.profile_name = name(from).or_else(|| name(&message["chat"]));
    told.quotes = reference(chat, &message["reply_to_message"]);
    told.provider_id = reference(chat, message);
    told.sent_at = message["date"].as_i64().map(seconds);
    Some(Telling::Inbound(Box::new(told)))
}

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds.saturating_mul(1_000))
}

fn reference(chat: i64, message: &Value) -> Option<Box<str>> {
    let message = message["message_id"].as_i64()?;
    Some(message_id(chat, message).into())
}

fn empty(kind: MessageType) -> Content {
    Content {
        kind,
        text: None,
        extra: None,
        template: None,
        email: None,
    }
}

/// What was written; `None` for kinds that we have no words for.
fn content(message: &Value) -> Option<Content> {
    if let Some(text) = message["text"].as_str() {
        return Some(Content::text(text));
    }
    let (kind, object) = object(message)?;
    let mut content = empty(kind);
    content.text = message["caption"].as_str().map(Into::into);
    content.extra = object.to_extra();
    Some(content)
}

fn object(message: &Value) -> Option<(MessageType, ContentObject)> {
    // The last picture is the largest.
    let photo = message["photo"].as_array().and_then(|it| it.last());
    if let Some(photo) = photo {
        return Some((MessageType::Image, medium(photo, "image/jpeg")?));
    }
    // An animation comes as a document as well, for clients that do not know animations.
    for (field, kind, mime) in [
        ("video", MessageType::Video, "video/mp4"),
        ("animation", MessageType::Video, "video/mp4"),
        ("video_note", MessageType::Video, "video/mp4"),
        ("voice", MessageType::Audio, "audio/ogg"),
        ("audio", MessageType::Audio, "audio/mpeg"),
        (
            "document",
            MessageType::Document,
            "application/octet-stream",
        ),
    ] {
        if message[field].is_object() {
            return Some((kind, medium(&message[field], mime)?));
        }
    }
    let sticker = &message["sticker"];
    if sticker.is_object() {
        let mime = match (
            sticker["is_video"].as_bool(),
            sticker["is_animated"].as_bool(),
        ) {
            (Some(true), _) => "video/webm",
            (_, Some(true)) => "application/x-tgsticker",
            (_, _) => "image/webp",
        };
        let mut object = medium(sticker, mime)?;
        object.emoji = text(&sticker["emoji"]);
        return Some((MessageType::Sticker, object));
    }
    if message["location"].is_object() {
        return Some((MessageType::Location, place(message)?));
    }
    let contact = &message["contact"];
    contact
        .is_object()
        .then(|| (MessageType::Contact, card(contact)))
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn medium(file: &Value, mime: &str) -> Option<ContentObject> {
    Some(ContentObject {
        media_id: Some(text(&file["file_id"])?),
        mime_type: text(&file["mime_type"]).or_else(|| Some(mime.to_owned())),
        filename: text(&file["file_name"]),
        ..ContentObject::default()
    })
}

fn place(message: &Value) -> Option<ContentObject> {
    let (location, venue) = (&message["location"], &message["venue"]);
    Some(ContentObject {
        latitude: Some(location["latitude"].as_f64()?),
        longitude: Some(location["longitude"].as_f64()?),
        location_name: text(&venue["title"]),
        location_address: text(&venue["address"]),
        ..ContentObject::default()
    })
}

fn card(contact: &Value) -> ContentObject {
    let phone = text(&contact["phone_number"]);
    ContentObject {
        contacts: vec![Card {
            name: name(contact).map(Into::into),
            phones: phone.into_iter().collect(),
        }],
        ..ContentObject::default()
    }
}

/// The phone number of the person who writes, where they shared their own card: Telegram puts the
/// number's owner on it.
fn own_number(message: &Value) -> Option<Address> {
    let contact = &message["contact"];
    let owner = contact["user_id"].as_i64()?;
    (message["from"]["id"].as_i64() == Some(owner)).then_some(())?;
    let number = PhoneNumber::from_msisdn(contact["phone_number"].as_str()?).ok()?;
    Some(Address::Phone(number))
}

fn button(query: &Value, bot: &str) -> Option<Telling> {
    let message = &query["message"];
    let chat = private(&message["chat"])?;
    let data = query["data"].as_str()?;
    let label = label(message, data).unwrap_or_else(|| data.to_owned());
    let object = ContentObject {
        buttons: vec![Button {
            id: data.to_owned(),
            title: label.clone(),
        }],
        ..ContentObject::default()
    };
    let mut content = Content::text(label);
    content.extra = object.to_extra();
    let mut told = IncomingMessage::new(Address::Telegram(chat), bot, content);
    told.profile_name = name(&query["from"]);
    told.quotes = reference(chat, message);
    let id = query["id"].as_str();
    told.provider_id = id.map(|it| format!("button:{it}").into());
    Some(Telling::Inbound(Box::new(told)))
}

/// What stands on the button with this data.
fn label(message: &Value, data: &str) -> Option<String> {
    let rows = message["reply_markup"]["inline_keyboard"].as_array()?;
    let mut keys = rows.iter().filter_map(Value::as_array).flatten();
    let key = keys.find(|it| it["callback_data"].as_str() == Some(data))?;
    text(&key["text"])
}

#[cfg(test)]
#[path = "inbound_tests.rs"]
mod tests;
