//! A submission as a request of the Bot API (<https://core.telegram.org/bots/api>, version 9).
//!
//! Texts go without `parse_mode`: what a person wrote is never read as markup.

use domain::model::address::Address;
use domain::model::content::{Content, MessageType};
use domain::model::failure::{Failure, FailureClass};
use domain::model::receipt::SubmitOutcome;
use ports::connector::Submission;
use serde_json::{Map, Value, json};

use super::config::TelegramConfig;
use crate::content_object::{Button, ContentObject};
use crate::web::protocol::{Body, Method, Request};

/// Octets that the data of a button may have.
const BUTTON_DATA_MAX: usize = 64;

/// The chat and number of a message, as we write a provider's id: `<chat>:<message>`.
pub(super) fn message_id(chat: i64, message: i64) -> String {
    format!("{chat}:{message}")
}

/// The number of the message with this id, in this chat.
fn message_in(chat: i64, id: &str) -> Option<i64> {
    let (of, message) = id.split_once(':')?;
    (of.parse::<i64>().ok()? == chat).then_some(())?;
    message.parse().ok().filter(|it| *it > 0)
}

/// The request that submits it.
pub(super) fn submit(
    config: &TelegramConfig,
    submission: &Submission,
) -> Result<Request, SubmitOutcome> {
    let Address::Telegram(chat) = submission.to else {
        return Err(unfit("address", "The address is not a chat of Telegram."));
    };
    let form = form(submission, chat)?;
    let mut fields = form.fields;
    fields.insert("chat_id".into(), chat.into());
    if form.method != REACTION
        && let Some(message) = submission
            .context
            .as_deref()
            .and_then(|it| message_in(chat, it))
    {
        // The person may have deleted it meanwhile: the answer shall arrive all the same.
        fields.insert(
            "reply_parameters".into(),
            json!({"message_id": message, "allow_sending_without_reply": true}),
        );
    }
    Ok(call(config, form.method, fields))
}

/// A call of a method with these fields.
pub(super) fn call(config: &TelegramConfig, method: &str, fields: Map<String, Value>) -> Request {
    Request {
        method: Method::Post,
        url: config.method(method),
        headers: Vec::new(),
        body: Body::Json(Value::Object(fields).to_string()),
    }
}

const REACTION: &str = "setMessageReaction";

/// A method and its fields, the chat aside.
struct Form {
    method: &'static str,
    fields: Map<String, Value>,
}

impl Form {
    fn new(method: &'static str) -> Self {
        Self {
            method,
            fields: Map::new(),
        }
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.into(), value.into());
        self
    }

    fn with_some(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}

fn form(submission: &Submission, chat: i64) -> Result<Form, SubmitOutcome> {
    let content = &*submission.content;
    if let Some(template) = &submission.template {
        return text(template.plain_text.as_deref());
    }
    let object = ContentObject::of(content)
        .ok_or_else(|| unfit("content", "The content object cannot be read."))?;
    match content.kind {
        MessageType::Text => text(content.text.as_deref()),
        MessageType::Template => text(content.plain_text()),
        MessageType::Image => medium("sendPhoto", "photo", content, &object),
        MessageType::Video => medium("sendVideo", "video", content, &object),
        MessageType::Audio if is_voice(&object) => medium("sendVoice", "voice", content, &object),
        MessageType::Audio => medium("sendAudio", "audio", content, &object),
        MessageType::Document => medium("sendDocument", "document", content, &object),
        MessageType::Sticker => {
            let file = file(&object)?;
            Ok(Form::new("sendSticker").with("sticker", file))
        }
        MessageType::Location => location(&object),
        MessageType::Contact => contact(&object),
        MessageType::Buttons => {
            let rows: Result<Vec<_>, _> = object.buttons.iter().map(button).collect();
            Ok(asking(content, &object, None)?.with("reply_markup", inline(rows?)))
        }
        MessageType::List => {
            let rows = object.sections.iter().flat_map(|it| &it.rows);
            let rows: Result<Vec<_>, _> = rows
                .map(|it| {
                    let title = match &it.description {
                        Some(description) => format!("{}: {description}", it.title),
                        None => it.title.clone(),
                    };
                    button(&Button {
                        id: it.id.clone(),
                        title,
                    })
                })
                .collect();
            Ok(asking(content, &object, None)?.with("reply_markup", inline(rows?)))
        }
        MessageType::CtaUrl => link(content, &object),
        MessageType::RequestContactInfo => {
            let key = json!({"text": "📱", "request_contact": true});
            Ok(text(content.text.as_deref())?.with("reply_markup", keyboard(&key)))
        }
        MessageType::LocationRequest => {
            let key = json!({"text": "📍", "request_location": true});
            Ok(text(content.text.as_deref())?.with("reply_markup", keyboard(&key)))
        }
        MessageType::Reaction => reaction(&object, submission, chat),
    }
}

fn text(text: Option<&str>) -> Result<Form, SubmitOutcome> {
    match text {
        Some(text) if !text.trim().is_empty() => Ok(Form::new("sendMessage").with("text", text)),
        Some(_) | None => Err(unfit("no_text", "There is no text to send.")),
    }
}

/// Where the file is, or the id of one that Telegram has already.
fn file(object: &ContentObject) -> Result<String, SubmitOutcome> {
    let file = object.media_url.as_ref().or(object.media_id.as_ref());
    file.cloned()
        .ok_or_else(|| unfit("no_medium", "Neither mediaUrl nor mediaId is given."))
}

fn medium(
    method: &'static str,
    field: &str,
    content: &Content,
    object: &ContentObject,
) -> Result<Form, SubmitOutcome> {
    Ok(Form::new(method)
        .with(field, file(object)?)
        .with_some("caption", content.text.as_deref()))
}

/// Telegram shows what is Ogg as a voice note, and takes nothing else for one.
fn is_voice(object: &ContentObject) -> bool {
    let mime = object.mime_type.as_deref().unwrap_or_default();
    mime.starts_with("audio/ogg") || mime.starts_with("audio/opus")
}

fn location(object: &ContentObject) -> Result<Form, SubmitOutcome> {
    let (Some(latitude), Some(longitude)) = (object.latitude, object.longitude) else {
        return Err(unfit(
            "no_location",
            "Latitude and longitude are not both given.",
        ));
    };
    let form = match (&object.location_name, &object.location_address) {
        (None, None) => Form::new("sendLocation"),
        (name, address) => Form::new("sendVenue")
            .with("title", name.as_ref().or(address.as_ref()).cloned())
            .with("address", address.as_ref().or(name.as_ref()).cloned()),
    };
    Ok(form.with("latitude", latitude).with("longitude", longitude))
}

fn contact(object: &ContentObject) -> Result<Form, SubmitOutcome> {
    let [card] = &*object.contacts else {
        return Err(unfit(
            "contacts",
            "Telegram carries exactly one contact card a message.",
        ));
    };
    let Some(phone) = card.phones.first() else {
        return Err(unfit("contacts", "The contact card has no phone number."));
    };
    Ok(Form::new("sendContact")
        .with("phone_number", &**phone)
        .with("first_name", card.name.as_deref().unwrap_or(phone)))
}

/// What stands over the buttons: header, text and footer, under a medium where there is one.
fn asking(
    content: &Content,
    object: &ContentObject,
    header: Option<&str>,
) -> Result<Form, SubmitOutcome> {
    let parts = [
        header,
        content.text.as_deref(),
        object.footer_text.as_deref(),
    ];
    let words: Vec<&str> = parts.into_iter().flatten().collect();
    let words = words.join("\n\n");
    let Some(medium) = &object.cta_header_media_url else {
        return text(Some(&words));
    };
    let form = match object.cta_header_type.as_deref() {
        Some("video") => Form::new("sendVideo").with("video", &**medium),
        Some("document") => Form::new("sendDocument").with("document", &**medium),
        Some(_) | None => Form::new("sendPhoto").with("photo", &**medium),
    };
    Ok(form.with("caption", words))
}

fn link(content: &Content, object: &ContentObject) -> Result<Form, SubmitOutcome> {
    let Some(url) = &object.cta_url else {
        return Err(unfit("no_link", "There is no ctaUrl."));
    };
    let label = object.cta_display_text.as_ref().unwrap_or(url);
    let form = asking(content, object, object.cta_header_text.as_deref())?;
    Ok(form.with(
        "reply_markup",
        inline(vec![json!({"text": label, "url": url})]),
    ))
}

fn button(button: &Button) -> Result<Value, SubmitOutcome> {
    if button.id.len() > BUTTON_DATA_MAX {
        return Err(unfit(
            "button_id",
            "On Telegram the id of a button has at most 64 bytes.",
        ));
    }
    Ok(json!({"text": button.title, "callback_data": button.id}))
}

/// One button a row: labels are cut otherwise.
fn inline(buttons: Vec<Value>) -> Value {
    let rows: Vec<Value> = buttons.into_iter().map(|it| json!([it])).collect();
    json!({"inline_keyboard": rows})
}

fn keyboard(key: &Value) -> Value {
    json!({"keyboard": [[key]], "one_time_keyboard": true, "resize_keyboard": true})
}

fn reaction(
    object: &ContentObject,
    submission: &Submission,
    chat: i64,
) -> Result<Form, SubmitOutcome> {
    let context = submission.context.as_deref();
    let Some(message) = context.and_then(|it| message_in(chat, it)) else {
        return Err(unfit(
            "no_message",
            "The message to react to is not in this chat.",
        ));
    };
    let reaction = match object.emoji.as_deref() {
        None | Some("") => json!([]),
        Some(emoji) => json!([{"type": "emoji", "emoji": emoji}]),
    };
    Ok(Form::new(REACTION)
        .with("message_id", message)
        .with("reaction", reaction))
}

fn unfit(code: &str, text: &str) -> SubmitOutcome {
    SubmitOutcome::Rejected(Failure::new(FailureClass::InvalidRequest, code, text))
}

#[cfg(test)]
#[path = "submit_tests.rs"]
mod tests;
