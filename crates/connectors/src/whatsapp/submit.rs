//! Which request carries a submission? (reference: protocols 1.1)

use domain::model::address::Address;
use domain::model::content::{MessageType, PriceCategory, TemplateUse};
use domain::model::failure::{Failure, FailureClass};
use domain::model::receipt::SubmitOutcome;
use ports::connector::{Submission, SubmissionKey};
use serde_json::{Map, Value, json};

use super::config::WhatsAppConfig;
use super::{interactive, submit_template};
use crate::content_object::ContentObject;
use crate::web::protocol::{Body, Method, Request};

/// Why content cannot be put into a request, as a sentence.
pub(super) type Unsayable = &'static str;

/// The request that submits it; else the outcome of what WhatsApp has no form for.
pub(super) fn request(
    config: &WhatsAppConfig,
    submission: &Submission,
) -> Result<Request, SubmitOutcome> {
    let template = template_of(submission);
    let body = match template {
        Some(template) => submit_template::message(config, template)
            .map_err(|why| refused(FailureClass::TemplateFault, why)),
        None => {
            message(config, submission).map_err(|why| refused(FailureClass::InvalidRequest, why))
        }
    }?;
    let envelope =
        envelope(submission, body).map_err(|why| refused(FailureClass::InvalidRequest, why))?;
    let is_marketing = template.is_some_and(|it| it.category == PriceCategory::Marketing);
    let path = if config.marketing_path && is_marketing {
        "/marketing_messages"
    } else {
        "/messages"
    };
    Ok(post(config, path, &envelope))
}

/// A POST of this tree below our number.
pub(super) fn post(config: &WhatsAppConfig, path: &str, body: &Value) -> Request {
    Request {
        method: Method::Post,
        url: config.number_url(path),
        headers: vec![config.authorization()],
        body: Body::Json(body.to_string()),
    }
}

/// The template to send: the one that was chosen for this submission, else the message's own.
fn template_of(submission: &Submission) -> Option<&TemplateUse> {
    let chosen = submission.template.as_deref();
    let own = || match submission.content.kind {
        MessageType::Template => submission.content.template.as_ref(),
        MessageType::Text
        | MessageType::Image
        | MessageType::Video
        | MessageType::Audio
        | MessageType::Document
        | MessageType::Sticker
        | MessageType::Location
        | MessageType::Contact
        | MessageType::Buttons
        | MessageType::List
        | MessageType::CtaUrl
        | MessageType::RequestContactInfo
        | MessageType::LocationRequest
        | MessageType::Reaction => None,
    };
    chosen.or_else(own)
}

/// What Meta calls a message: its type and the object of that name.
pub(super) type Typed = (&'static str, Value);

/// Around every message: for whom, in answer to what, and our own reference.
fn envelope(submission: &Submission, (kind, object): Typed) -> Result<Value, Unsayable> {
    let mut envelope = Map::new();
    let mut put = |key: &str, value: Value| envelope.insert(key.to_owned(), value);
    put("messaging_product", json!("whatsapp"));
    put("recipient_type", json!("individual"));
    match &submission.to {
        Address::Phone(number) => put("to", json!(number.digits())),
        Address::WhatsAppUser(user) => put("recipient", json!(user.as_str())),
        Address::Telegram(_) | Address::Email(_) => {
            return Err("The recipient's address is not one of WhatsApp.");
        }
    };
    put("type", json!(kind));
    put("biz_opaque_callback_data", json!(reference(submission.key)));
    // A reaction names its message itself, and is no answer to it.
    if let Some(id) = submission.context.as_deref().filter(|_| kind != "reaction") {
        put("context", json!({ "message_id": id }));
    }
    put(kind, object);
    Ok(Value::Object(envelope))
}

/// Our reference, as receipts give it back: the message's public id and the attempt.
fn reference(key: SubmissionKey) -> String {
    format!("{}/{}", key.message, key.attempt)
}

/// Reads our reference back.
pub(super) fn ours(reference: &str) -> Option<SubmissionKey> {
    let (message, attempt) = reference.split_once('/')?;
    Some(SubmissionKey {
        message: message.parse().ok()?,
        attempt: attempt.parse().ok()?,
    })
}

fn message(config: &WhatsAppConfig, submission: &Submission) -> Result<Typed, Unsayable> {
    let content = &*submission.content;
    let object = ContentObject::of(content).ok_or("The content object is not one.")?;
    let text = content.text.as_deref().filter(|it| !it.is_empty());
    match content.kind {
        MessageType::Text => {
            let body = text.ok_or("A text message needs a text.")?;
            Ok((
                "text",
                json!({"body": body, "preview_url": config.preview_url}),
            ))
        }
        MessageType::Image => Ok(("image", captioned(&object, text)?)),
        MessageType::Video => Ok(("video", captioned(&object, text)?)),
        MessageType::Document => {
            let mut document = captioned(&object, text)?;
            if let Some(name) = &object.filename {
                document["filename"] = json!(name);
            }
            Ok(("document", document))
        }
        MessageType::Audio => Ok(("audio", without_caption(&object, text)?)),
        MessageType::Sticker => Ok(("sticker", without_caption(&object, text)?)),
        MessageType::Location => Ok(("location", location(&object)?)),
        MessageType::Contact => Ok(("contacts", contacts(&object)?)),
        MessageType::Buttons => Ok(("interactive", interactive::buttons(&object, text)?)),
        MessageType::List => Ok(("interactive", interactive::list(&object, text)?)),
        MessageType::CtaUrl => Ok(("interactive", interactive::link(&object, text)?)),
        MessageType::LocationRequest => Ok(("interactive", interactive::ask_for_place(text)?)),
        MessageType::RequestContactInfo => Ok(("interactive", interactive::ask_for_contact(text)?)),
        MessageType::Reaction => Ok(("reaction", reaction(submission, &object, text)?)),
        // Reached only where there is no template to send.
        MessageType::Template => Err("The message's template is missing."),
    }
}

/// A medium: by Meta's id of it, else by where Meta is to fetch it.
fn medium(object: &ContentObject) -> Result<Value, Unsayable> {
    match (&object.media_id, &object.media_url) {
        (Some(id), _) => Ok(json!({ "id": id })),
        (None, Some(link)) => Ok(json!({ "link": link })),
        (None, None) => Err("A medium needs a mediaUrl or a mediaId."),
    }
}

fn captioned(object: &ContentObject, text: Option<&str>) -> Result<Value, Unsayable> {
    let mut medium = medium(object)?;
    if let Some(text) = text {
        medium["caption"] = json!(text);
    }
    Ok(medium)
}

/// WhatsApp shows no text with these, and what somebody wrote must not vanish.
fn without_caption(object: &ContentObject, text: Option<&str>) -> Result<Value, Unsayable> {
    match text {
        None => medium(object),
        Some(_) => Err("WhatsApp shows no text with audio and stickers: send it by itself."),
    }
}

fn location(object: &ContentObject) -> Result<Value, Unsayable> {
    let (Some(latitude), Some(longitude)) = (object.latitude, object.longitude) else {
        return Err("A location needs a latitude and a longitude.");
    };
    let mut location = json!({"latitude": latitude, "longitude": longitude});
    if let Some(name) = &object.location_name {
        location["name"] = json!(name);
    }
    if let Some(address) = &object.location_address {
        location["address"] = json!(address);
    }
    Ok(location)
}

/// Meta wants a name as it is shown, and at least one of its parts: the whole name is that one, too.
fn contacts(object: &ContentObject) -> Result<Value, Unsayable> {
    let card = |card: &crate::content_object::Card| {
        let name = card.name.as_ref().or_else(|| card.phones.first());
        let name = name.ok_or("A contact card needs a name or a number.")?;
        let phones = card.phones.iter().map(|it| json!({ "phone": it }));
        Ok(json!({
            "name": {"formatted_name": name, "first_name": name},
            "phones": phones.collect::<Vec<_>>(),
        }))
    };
    if object.contacts.is_empty() {
        return Err("A contact message needs a contact.");
    }
    object.contacts.iter().map(card).collect()
}

/// An emoji on a message; an empty one takes it away again.
fn reaction(
    submission: &Submission,
    object: &ContentObject,
    text: Option<&str>,
) -> Result<Value, Unsayable> {
    let named = object.react_to_message_id.as_deref();
    let is_metas = |id: &&str| id.starts_with("wamid.");
    let id = submission.context.as_deref().or(named.filter(is_metas));
    let id = id.ok_or("A reaction needs a message that WhatsApp knows.")?;
    let emoji = object.emoji.as_deref().or(text);
    let emoji = emoji.ok_or("A reaction needs an emoji.")?;
    Ok(json!({"message_id": id, "emoji": emoji}))
}

fn refused(class: FailureClass, why: Unsayable) -> SubmitOutcome {
    SubmitOutcome::Rejected(Failure::new(class, class.code(), why))
}

#[cfg(test)]
#[path = "submit_tests.rs"]
mod tests;
