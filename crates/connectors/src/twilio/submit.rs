//! From a submission to the form that Twilio takes (reference: protocols 2.1).

use domain::model::address::Address;
use domain::model::content::{Content, MessageType, TemplateUse, is_web_url};
use domain::model::failure::{Failure, FailureClass};
use domain::model::receipt::SubmitOutcome;
use domain::model::template::{ButtonKind, TemplateHeader, TemplateParameter};
use domain::time::Millis;
use ports::connector::{Submission, SubmissionKey};
use serde_json::{Map, Value};

use super::config::{TwilioChannel, TwilioConfig};
use crate::content_object::ContentObject;
use crate::web::protocol::{Body, Method, Request};

/// Longest text, in characters.
const TEXT_MAX: usize = 1_600;
/// Longest validity period, in seconds; also what Twilio takes without one.
const VALIDITY_MAX: i64 = 36_000;
/// In the query of the callback URL: our reference. The endpoint has no idempotency key, so this is
/// what tells of a submission whose answer was lost that it was taken (R-DUP).
const REFERENCE: &str = "ref";

type Form = Vec<(String, String)>;

/// The request that submits it.
pub(super) fn request(
    config: &TwilioConfig,
    submission: &Submission,
) -> Result<Request, SubmitOutcome> {
    let mut form = Form::new();
    put(&mut form, "To", recipient(config.channel, &submission.to)?);
    match &config.messaging_service_sid {
        // The service keeps to the sender that it used for this recipient before.
        Some(service) => put(&mut form, "MessagingServiceSid", service.as_str()),
        None if submission.from.is_empty() => {
            return Err(SubmitOutcome::NotAccepted(Failure::new(
                FailureClass::SenderFault,
                "no_sender",
                "The route has neither a messaging service nor a sender's address.",
            )));
        }
        None => {
            let from = format!("{}{}", config.channel.prefix(), submission.from);
            put(&mut form, "From", from);
        }
    }
    match (config.channel, submission.template.as_deref()) {
        (TwilioChannel::WhatsApp, Some(template)) => put_template(&mut form, template)?,
        (TwilioChannel::Sms, Some(template)) => {
            put_text(&mut form, template.plain_text.as_deref())?;
        }
        (TwilioChannel::Sms | TwilioChannel::WhatsApp, None) => {
            put_content(&mut form, config.channel, &submission.content)?;
        }
    }
    if let Some(validity) = submission.validity {
        put(&mut form, "ValidityPeriod", seconds(validity).to_string());
    }
    if !config.callback_url.is_empty() {
        let callback = callback_url(&config.callback_url, submission.key);
        put(&mut form, "StatusCallback", callback);
    }
    Ok(Request {
        method: Method::Post,
        url: format!("{}/Messages.json", config.account_url()),
        headers: vec![config.authorization()],
        body: Body::Form(form),
    })
}

fn put(form: &mut Form, name: &str, value: impl Into<String>) {
    form.push((name.to_owned(), value.into()));
}

/// Behind the URL of a callback: Twilio shall come again three times, whatever the reason. By default
/// it does so only where it found no connection, and what we could not keep would be lost.
pub(super) const RETRIES: &str = "#rc=3&rp=all";

/// Where receipts of this submission are asked for.
fn callback_url(url: &str, key: SubmissionKey) -> String {
    let (message, attempt) = (key.message, key.attempt);
    format!("{url}?{REFERENCE}={message}.{attempt}{RETRIES}")
}

/// Our reference in the query of a callback.
pub(super) fn reference(query: &[(String, String)]) -> Option<SubmissionKey> {
    let (_, text) = query.iter().find(|it| it.0 == REFERENCE)?;
    let (message, attempt) = text.split_once('.')?;
    Some(SubmissionKey {
        message: message.parse().ok()?,
        attempt: attempt.parse().ok()?,
    })
}

fn recipient(channel: TwilioChannel, to: &Address) -> Result<String, SubmitOutcome> {
    match to {
        Address::Phone(number) => Ok(format!("{}{number}", channel.prefix())),
        // Says nothing about the recipient: another provider may know them by this id.
        Address::WhatsAppUser(_) | Address::Telegram(_) | Address::Email(_) => {
            Err(SubmitOutcome::NotAccepted(Failure::new(
                FailureClass::SenderFault,
                "no_phone_number",
                "Twilio takes phone numbers only.",
            )))
        }
    }
}

/// Rounded down, so that nothing arrives after it is over (R-FALL-5).
fn seconds(validity: Millis) -> i64 {
    (validity.get() / 1_000).clamp(1, VALIDITY_MAX)
}

fn invalid(code: &str, text: &str) -> SubmitOutcome {
    SubmitOutcome::Rejected(Failure::new(FailureClass::InvalidRequest, code, text))
}

fn put_text(form: &mut Form, text: Option<&str>) -> Result<(), SubmitOutcome> {
    let text = text.unwrap_or_default();
    if text.is_empty() {
        return Err(invalid("no_text", "The message has no text."));
    }
    put_caption(form, text)
}

fn put_caption(form: &mut Form, text: &str) -> Result<(), SubmitOutcome> {
    if text.chars().count() > TEXT_MAX {
        let limit = format!("Twilio takes texts of at most {TEXT_MAX} characters.");
        return Err(invalid("text_too_long", &limit));
    }
    if !text.is_empty() {
        put(form, "Body", text);
    }
    Ok(())
}

fn put_content(
    form: &mut Form,
    channel: TwilioChannel,
    content: &Content,
) -> Result<(), SubmitOutcome> {
    match content.kind {
        MessageType::Text => put_text(form, content.text.as_deref()),
        MessageType::Image | MessageType::Video | MessageType::Document => {
            put_medium(form, content)?;
            put_caption(form, content.text.as_deref().unwrap_or_default())
        }
        MessageType::Audio => {
            put_medium(form, content)?;
            match channel {
                TwilioChannel::Sms => {
                    put_caption(form, content.text.as_deref().unwrap_or_default())
                }
                // It has no caption there.
                TwilioChannel::WhatsApp => Ok(()),
            }
        }
        // Nor has a sticker; the rules give none to text-message routes.
        MessageType::Sticker => put_medium(form, content),
        MessageType::Template => match channel {
            TwilioChannel::Sms => put_text(form, content.plain_text()),
            TwilioChannel::WhatsApp => Err(no_template()),
        },
        MessageType::Location
        | MessageType::Contact
        | MessageType::Buttons
        | MessageType::List
        | MessageType::CtaUrl
        | MessageType::RequestContactInfo
        | MessageType::LocationRequest
        | MessageType::Reaction => {
            let kind = content.kind.code();
            let text =
                format!("Twilio has no form for messages of type {kind} without a template.");
            Err(invalid("unsupported_content", &text))
        }
    }
}

/// Twilio fetches a medium itself, so it must have a URL.
fn put_medium(form: &mut Form, content: &Content) -> Result<(), SubmitOutcome> {
    let Some(object) = ContentObject::of(content) else {
        return Err(invalid("invalid_content", "The content is not readable."));
    };
    match object.media_url {
        Some(url) if is_web_url(&url) => {
            put(form, "MediaUrl", url);
            Ok(())
        }
        Some(_) | None => Err(invalid(
            "no_media_url",
            "Twilio fetches media by URL, and the message has none.",
        )),
    }
}

fn no_template() -> SubmitOutcome {
    SubmitOutcome::Rejected(Failure::new(
        FailureClass::TemplateFault,
        "no_content_sid",
        "The template has no id at Twilio (content_sid).",
    ))
}

fn put_template(form: &mut Form, template: &TemplateUse) -> Result<(), SubmitOutcome> {
    let Some(content_sid) = template.content_sid.as_deref() else {
        return Err(no_template());
    };
    put(form, "ContentSid", content_sid);
    let variables = variables(template);
    if !variables.is_empty() {
        let json = Value::Object(variables).to_string();
        put(form, "ContentVariables", json);
    }
    Ok(())
}

/// The variables by name, or by number from 1 where they have none.
///
/// Twilio numbers all of a template's variables in one sequence. The body comes first, then the
/// header, then the ends of links, by their place; the button of a one-time code takes the body's.
fn variables(template: &TemplateUse) -> Map<String, Value> {
    let mut all = Map::new();
    let mut number = 0_u32;
    let mut fill = |name: Option<&str>, text: &str| {
        let name = name.map_or_else(
            || {
                number += 1;
                number.to_string()
            },
            str::to_owned,
        );
        all.insert(name, Value::String(one_line(text)));
    };
    for TemplateParameter { name, text } in &template.body {
        fill(name.as_deref(), text);
    }
    match &template.header {
        Some(TemplateHeader::Text(TemplateParameter { name, text })) => fill(name.as_deref(), text),
        Some(TemplateHeader::Medium { url: Some(url), .. }) => fill(None, url),
        Some(TemplateHeader::Medium { url: None, .. }) | None => {}
    }
    for button in &template.buttons {
        match button.kind {
            ButtonKind::Url => fill(None, &button.text),
            ButtonKind::QuickReply
            | ButtonKind::Phone
            | ButtonKind::Otp
            | ButtonKind::RequestContactInfo => {}
        }
    }
    all
}

/// Longest run of spaces in a variable of a template.
const SPACES_MAX: usize = 4;

/// `WhatsApp` takes no line breaks, tabs or long runs of spaces in a variable.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut spaces = 0;
    for it in text.chars() {
        let it = if matches!(it, '\n' | '\r' | '\t') {
            ' '
        } else {
            it
        };
        spaces = if it == ' ' { spaces + 1 } else { 0 };
        if spaces <= SPACES_MAX {
            line.push(it);
        }
    }
    line
}

#[cfg(test)]
#[path = "submit_tests.rs"]
mod tests;
