//! What did a person write? (reference: protocols 1.7)

use domain::model::content::{Content, MessageType};
use domain::time::{Millis, Timestamp};
use ports::connector::{ConsentSignal, IncomingMessage};
use serde_json::{Map, Value, json};

use super::people::Person;
use super::tree;
use crate::content_object::{Button, Card, ContentObject, Row, Section};

/// The message of one element of `messages`; `None` where nobody wrote anything to us.
pub(super) fn read(
    message: &Value,
    contacts: &[Value],
    our_number: &str,
) -> Option<IncomingMessage> {
    // What is said in a group is not said to us alone, and an answer would go to one person.
    if message.get("group_id").is_some() {
        return None;
    }
    let writer = Person::read(message, "from", "from_user_id");
    let contact = contact_of(writer.as_ref(), contacts);
    let named = contact.and_then(named);
    let person = writer.or_else(|| named.clone())?;
    let said = said(message)?;
    let mut aliases = person.aliases;
    for it in named.iter().flat_map(Person::addresses) {
        if *it != person.address && !aliases.contains(it) {
            aliases.push(it.clone());
        }
    }
    Some(IncomingMessage {
        from: person.address,
        aliases,
        profile_name: contact.and_then(profile_name),
        to: our_number.into(),
        unsupported: said.content.is_none(),
        content: said.content.unwrap_or_else(|| Content::text("")),
        quotes: said.quotes.or_else(|| quoted(message)),
        provider_id: tree::text(message, "id").map(Into::into),
        sent_at: sent_at(message),
    })
}

/// Whether somebody says something to us, and nobody could be answered.
pub(super) fn is_from_nobody(message: &Value, contacts: &[Value]) -> bool {
    let writer = Person::read(message, "from", "from_user_id");
    let named = contact_of(writer.as_ref(), contacts).and_then(named);
    message.get("group_id").is_none() && writer.or(named).is_none() && said(message).is_some()
}

/// The entry of `contacts` that is about the writer: the one with an address of theirs, else a single
/// one, where either side has no address to compare. A wrong one would make two persons one.
fn contact_of<'a>(writer: Option<&Person>, contacts: &'a [Value]) -> Option<&'a Value> {
    let may_be = |contact: &&Value| match (writer, named(contact)) {
        (Some(writer), Some(named)) => writer.is(&named),
        (Some(_), None) | (None, _) => contacts.len() == 1,
    };
    contacts.iter().find(may_be)
}

fn named(contact: &Value) -> Option<Person> {
    Person::read(contact, "wa_id", "user_id")
}

fn profile_name(contact: &Value) -> Option<Box<str>> {
    tree::text(contact.get("profile")?, "name").map(Into::into)
}

fn quoted(message: &Value) -> Option<Box<str>> {
    tree::text(message.get("context")?, "id").map(Into::into)
}

/// Meta counts in seconds.
fn sent_at(message: &Value) -> Option<Timestamp> {
    let seconds = tree::whole(message, "timestamp").filter(|it| *it > 0)?;
    Some(Timestamp::from_millis(Millis::seconds(seconds).get()))
}

/// What a message says, without who says it.
struct Said {
    /// `None`: there are no words for it.
    content: Option<Content>,
    /// The message that it is about, where its own object names that.
    quotes: Option<Box<str>>,
}

impl From<Option<Content>> for Said {
    fn from(content: Option<Content>) -> Self {
        Self {
            content,
            quotes: None,
        }
    }
}

/// `None` where nobody says anything: a number changed, a message was taken back, a chat was opened.
fn said(message: &Value) -> Option<Said> {
    let kind = tree::text(message, "type").unwrap_or_default();
    let object = message.get(kind).unwrap_or(&Value::Null);
    let said = match kind {
        "text" => tree::text(object, "body").map(Content::text).into(),
        "image" => medium(MessageType::Image, object).into(),
        "video" => medium(MessageType::Video, object).into(),
        "audio" | "voice" => medium(MessageType::Audio, object).into(),
        "document" => medium(MessageType::Document, object).into(),
        "sticker" => medium(MessageType::Sticker, object).into(),
        "location" => location(object).into(),
        "contacts" => contacts(tree::list(message, "contacts")).into(),
        "reaction" => reaction(object),
        "button" => pressed(tree::text(object, "text"), tree::text(object, "payload")).into(),
        "interactive" => answered(object).into(),
        "edit" => edited(object)?,
        "system" | "revoke" | "request_welcome" => return None,
        // Orders, flows and what is yet to come: somebody did write, so it is told, without words.
        _ => None.into(),
    };
    Some(Said {
        content: said.content.map(|it| with_referral(it, message)),
        quotes: said.quotes,
    })
}

fn content(kind: MessageType, text: Option<&str>, object: &ContentObject) -> Content {
    Content {
        kind,
        extra: object.to_extra(),
        text: text.map(Into::into),
        ..Content::text("")
    }
}

/// The medium stays at Meta: it is fetched by its id. A link that may stand beside it dies soon.
fn medium(kind: MessageType, object: &Value) -> Option<Content> {
    let extra = ContentObject {
        media_id: Some(tree::id(object, "id")?),
        mime_type: tree::text(object, "mime_type").map(str::to_owned),
        filename: tree::text(object, "filename").map(str::to_owned),
        ..ContentObject::default()
    };
    Some(content(kind, tree::text(object, "caption"), &extra))
}

fn location(object: &Value) -> Option<Content> {
    let number = |key: &str| object.get(key).and_then(Value::as_f64);
    let extra = ContentObject {
        latitude: Some(number("latitude")?),
        longitude: Some(number("longitude")?),
        location_name: tree::text(object, "name").map(str::to_owned),
        location_address: tree::text(object, "address").map(str::to_owned),
        ..ContentObject::default()
    };
    Some(content(MessageType::Location, None, &extra))
}

fn contacts(cards: &[Value]) -> Option<Content> {
    let card = |card: &Value| Card {
        name: card
            .get("name")
            .and_then(|it| tree::text(it, "formatted_name"))
            .map(str::to_owned),
        phones: tree::list(card, "phones")
            .iter()
            .filter_map(phone)
            .collect(),
    };
    let extra = ContentObject {
        contacts: cards
            .iter()
            .map(card)
            .filter(|it| *it != Card::default())
            .collect(),
        ..ContentObject::default()
    };
    (!extra.contacts.is_empty()).then(|| content(MessageType::Contact, None, &extra))
}

fn phone(phone: &Value) -> Option<String> {
    let number = tree::text(phone, "phone").or_else(|| tree::text(phone, "wa_id"));
    number.map(str::to_owned)
}

/// An empty emoji takes an earlier one back.
fn reaction(object: &Value) -> Said {
    let emoji = object
        .get("emoji")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let extra = ContentObject {
        emoji: Some(emoji.to_owned()),
        ..ContentObject::default()
    };
    Said {
        content: Some(content(MessageType::Reaction, None, &extra)),
        quotes: tree::text(object, "message_id").map(Into::into),
    }
}

/// A button of a template, or of buttons: a text with its label, and what it stands for beside it.
fn pressed(title: Option<&str>, id: Option<&str>) -> Option<Content> {
    let title = title.or(id)?;
    let button = Button {
        id: id.unwrap_or(title).to_owned(),
        title: title.to_owned(),
    };
    let extra = ContentObject {
        buttons: vec![button],
        ..ContentObject::default()
    };
    Some(content(MessageType::Text, Some(title), &extra))
}

fn answered(object: &Value) -> Option<Content> {
    let kind = tree::text(object, "type")?;
    let reply = object.get(kind)?;
    match kind {
        "button_reply" => pressed(tree::text(reply, "title"), tree::text(reply, "id")),
        "list_reply" => chosen(reply),
        // A form that was filled in; for some kinds Meta puts the answers into words.
        "nfm_reply" => tree::text(reply, "body").map(Content::text),
        _ => None,
    }
}

/// A row of a list: a text with its title, and the row beside it.
fn chosen(reply: &Value) -> Option<Content> {
    let title = tree::text(reply, "title")?;
    let row = Row {
        id: tree::text(reply, "id").unwrap_or(title).to_owned(),
        title: title.to_owned(),
        description: tree::text(reply, "description").map(str::to_owned),
    };
    let section = Section {
        title: String::new(),
        rows: vec![row],
    };
    let extra = ContentObject {
        sections: vec![section],
        ..ContentObject::default()
    };
    Some(content(MessageType::Text, Some(title), &extra))
}

/// A message that its writer changed: told as one of its own that quotes the former one. An edit of
/// an edit has none inside.
fn edited(object: &Value) -> Option<Said> {
    let message = object.get("message")?;
    let kind = tree::text(message, "type").filter(|it| *it != "edit")?;
    let said = said(&json!({"type": kind, kind: message.get(kind)}))?;
    Some(Said {
        quotes: tree::text(object, "original_message_id").map(Into::into),
        ..said
    })
}

/// The fields of an advertisement that opened the chat: Meta's name, and the API's.
const REFERRAL: [(&str, &str); 10] = [
    ("body", "body"),
    ("ctwa_clid", "ctwaClid"),
    ("headline", "headline"),
    ("image_url", "imageUrl"),
    ("media_type", "mediaType"),
    ("source_id", "sourceId"),
    ("source_type", "sourceType"),
    ("source_url", "sourceUrl"),
    ("thumbnail_url", "thumbnailUrl"),
    ("video_url", "videoUrl"),
];

/// Adds the advertisement that a message came by.
fn with_referral(content: Content, message: &Value) -> Content {
    let Some(referral) = message.get("referral") else {
        return content;
    };
    let field = |(metas, ours): &(&str, &str)| {
        Some((
            (*ours).to_owned(),
            Value::from(tree::text(referral, metas)?),
        ))
    };
    let fields: Map<String, Value> = REFERRAL.iter().filter_map(field).collect();
    match ContentObject::of(&content) {
        Some(mut extra) if !fields.is_empty() => {
            extra.referral = Some(Value::Object(fields));
            Content {
                extra: extra.to_extra(),
                ..content
            }
        }
        Some(_) | None => content,
    }
}

/// What one element of `user_preferences` says of consent: it is about marketing only.
pub(super) fn preference(preference: &Value, our_number: &str) -> Option<ConsentSignal> {
    if tree::text(preference, "category") != Some("marketing_messages") {
        return None;
    }
    let value = tree::text(preference, "value")?;
    let opted_out = match value {
        "stop" => true,
        "resume" | "signup" => false,
        _ => return None,
    };
    let person = Person::read(preference, "wa_id", "user_id")?;
    Some(ConsentSignal {
        from: person.address,
        to: our_number.into(),
        opted_out,
        promotions_only: true,
        raw: json!({
            "category": "marketing_messages",
            "value": value,
            "timestamp": preference.get("timestamp"),
        })
        .to_string()
        .into_boxed_str(),
    })
}

#[cfg(test)]
#[path = "inbound_tests.rs"]
mod tests;
