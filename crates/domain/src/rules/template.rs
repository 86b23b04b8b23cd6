//! R-WIN-3: a template has a body for WhatsApp and may have a text for SMS; sent on SMS, it is
//! rendered with its variables (`smsBody`, else the body).
//!
//! What may stand in a template is asked when it is made ([`problems`]), what fills it when a
//! message uses it ([`fill`]), and whether it may go on a channel whenever that message is planned.

mod check;

use thiserror::Error;

use crate::ids::TemplateId;
use crate::model::content::TemplateUse;
use crate::model::template::{
    ButtonDefinition, ButtonKind, HeaderDefinition, HeaderKind, TemplateButton, TemplateHeader,
    TemplateParameter, TemplateStanding, TemplateStatus, TemplateText, TemplateValues,
};

pub use check::{
    BODY_MAX, BUTTON_TEXT_MAX, BUTTONS_MAX, FOOTER_MAX, HEADER_TEXT_MAX, TemplateField,
    TemplateProblem, problems,
};

/// The templates that may carry a message on WhatsApp, as they stand now.
#[derive(Clone, Copy, Debug, Default)]
pub struct TemplateFacts<'a> {
    /// How the message's own template stands; `None` where it has none, or where that is gone.
    pub own: Option<TemplateStanding>,
    /// The sender's default (R-WIN-2), filled for this message, and how it stands.
    pub default: Option<(&'a TemplateUse, TemplateStanding)>,
}

/// Whether a template with this status may be sent on WhatsApp. Other channels do not ask: there it
/// is a text like any other.
pub const fn may_go_on_whatsapp(status: TemplateStatus) -> bool {
    match status {
        TemplateStatus::Approved => true,
        TemplateStatus::Draft
        | TemplateStatus::Pending
        | TemplateStatus::Rejected
        | TemplateStatus::Paused
        | TemplateStatus::Disabled => false,
    }
}

/// A piece of a text with placeholders.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Piece<'a> {
    /// Words.
    Text(&'a str),
    /// The name or number between the braces.
    Placeholder(&'a str),
}

/// The pieces of a text, in order. Braces around anything that is no name or number are words.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let (mut from, mut at) = (0, 0);
    while let Some(opened) = text[at..].find("{{").map(|it| at + it) {
        let inner = &text[opened + 2..];
        let name = inner.find("}}").map(|end| &inner[..end]);
        let Some(name) = name.filter(|it| is_placeholder_name(it)) else {
            at = opened + 2;
            continue;
        };
        if from < opened {
            found.push(Piece::Text(&text[from..opened]));
        }
        found.push(Piece::Placeholder(name));
        at = opened + name.len() + 4;
        from = at;
    }
    if from < text.len() {
        found.push(Piece::Text(&text[from..]));
    }
    found
}

/// A number without leading zeros, or a name of letters, digits and underscores.
fn is_placeholder_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    match bytes.next() {
        Some(b'1'..=b'9') => name.len() <= 3 && bytes.all(|it| it.is_ascii_digit()),
        Some(first) if first.is_ascii_alphabetic() || first == b'_' => {
            bytes.all(|it| it.is_ascii_alphanumeric() || it == b'_')
        }
        Some(_) | None => false,
    }
}

/// The placeholders of a text, each once: numbers in their order, names in that of the text.
pub fn placeholders(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for piece in pieces(text) {
        match piece {
            Piece::Placeholder(name) if !found.contains(&name) => found.push(name),
            Piece::Placeholder(_) | Piece::Text(_) => {}
        }
    }
    // Stable, so that names, which have no number, stay where they stand.
    found.sort_by_key(|it| number(it).unwrap_or(0));
    found
}

fn number(placeholder: &str) -> Option<usize> {
    placeholder.parse().ok()
}

/// A message does not fill a template.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum FillError {
    /// A placeholder of one of its texts has no value.
    #[error("there is no value for {{{{{0}}}}}")]
    Missing(Box<str>),
    /// A placeholder of its header has no value.
    #[error("there is no value for {{{{{0}}}}} of the header")]
    MissingInHeader(Box<str>),
    /// Its header is a medium, and neither the message nor the template says which.
    #[error("the header needs a medium")]
    MissingMedium(HeaderKind),
    /// A button has no value.
    #[error("there is no value for button {0}")]
    MissingForButton(u8),
}

/// Fills a template's placeholders; values that no placeholder asks for are ignored.
pub fn fill(
    id: TemplateId,
    text: &TemplateText,
    values: &TemplateValues,
) -> Result<TemplateUse, FillError> {
    let value = |name: &str| body_value(text, values, name);
    let definition = &text.definition;
    let mut body = Vec::new();
    for name in placeholders(&definition.body) {
        body.push(parameter(name, value(name)?));
    }
    let sms = text.sms_body.as_deref().unwrap_or(&definition.body);
    let telegram = text.telegram_body.as_deref();
    let shown = text.sms_body.as_ref().map(|_| &*definition.body);
    Ok(TemplateUse {
        id: id.to_string().into(),
        category: definition.category,
        plain_text: Some(render(sms, value)?),
        body_text: shown.map(|it| render(it, value)).transpose()?,
        telegram_text: telegram.map(|it| render(it, value)).transpose()?,
        name: definition.name.clone(),
        language: definition.language.clone(),
        header: match &definition.header {
            Some(header) => fill_header(header, values)?,
            None => None,
        },
        buttons: fill_buttons(&definition.buttons, &body, values)?,
        body,
        content_sid: None,
    })
}

/// A text with its placeholders replaced.
pub fn render<'a>(
    text: &str,
    value: impl Fn(&str) -> Result<&'a str, FillError>,
) -> Result<Box<str>, FillError> {
    let mut rendered = String::with_capacity(text.len());
    for piece in pieces(text) {
        rendered.push_str(match piece {
            Piece::Text(words) => words,
            Piece::Placeholder(name) => value(name)?,
        });
    }
    Ok(rendered.into())
}

/// The value of a placeholder: under its name, or for a number under the name that the template
/// gives it. An empty one is none, since providers refuse it.
fn body_value<'a>(
    text: &TemplateText,
    values: &'a TemplateValues,
    name: &str,
) -> Result<&'a str, FillError> {
    let label = || {
        let place = number(name)?.checked_sub(1)?;
        values.body.get(text.variables.get(place)?)
    };
    values
        .body
        .get(name)
        .or_else(label)
        .map(|it| &**it)
        .filter(|it| !it.is_empty())
        .ok_or_else(|| FillError::Missing(name.into()))
}

fn parameter(placeholder: &str, value: &str) -> TemplateParameter {
    TemplateParameter {
        name: number(placeholder).is_none().then(|| placeholder.into()),
        text: value.into(),
    }
}

/// What a message says of the header; `None` where that has nothing to fill.
fn fill_header(
    header: &HeaderDefinition,
    values: &TemplateValues,
) -> Result<Option<TemplateHeader>, FillError> {
    let given = |name: &str| {
        let value = values.header.get(name);
        value.filter(|it| !it.is_empty()).cloned()
    };
    match header.kind {
        HeaderKind::Text => {
            let words = header.content.as_deref().unwrap_or_default();
            let Some(&name) = placeholders(words).first() else {
                return Ok(None);
            };
            // A name means the same in the header; a number counts anew there.
            let same = || values.body.get(name).filter(|_| number(name).is_none());
            let value = given(name).or_else(|| same().cloned());
            let value = value.filter(|it| !it.is_empty());
            let value = value.ok_or_else(|| FillError::MissingInHeader(name.into()))?;
            Ok(Some(TemplateHeader::Text(parameter(name, &value))))
        }
        kind @ (HeaderKind::Image | HeaderKind::Video | HeaderKind::Document) => {
            let id = given("mediaId");
            let example = || header.content.clone().filter(|_| id.is_none());
            let url = given("mediaUrl").or_else(example);
            if id.is_none() && url.is_none() {
                return Err(FillError::MissingMedium(kind));
            }
            Ok(Some(TemplateHeader::Medium {
                kind,
                url,
                id,
                filename: given("filename"),
            }))
        }
    }
}

/// What a message says of the buttons. A one-time code's button takes over the code that the body
/// shows, where the message says nothing else (protocols 1.2).
fn fill_buttons(
    buttons: &[ButtonDefinition],
    body: &[TemplateParameter],
    values: &TemplateValues,
) -> Result<Vec<TemplateButton>, FillError> {
    let mut filled = Vec::new();
    for (place, button) in buttons.iter().enumerate() {
        let index = u8::try_from(place).unwrap_or(u8::MAX);
        let given = values
            .buttons
            .get(&index)
            .map(|it| &**it)
            .filter(|it| !it.is_empty());
        let text = match button.kind {
            ButtonKind::QuickReply => given,
            ButtonKind::Url if has_placeholder(button) => {
                Some(given.ok_or(FillError::MissingForButton(index))?)
            }
            ButtonKind::Otp => {
                let code = given.or_else(|| body.first().map(|it| &*it.text));
                Some(code.ok_or(FillError::MissingForButton(index))?)
            }
            ButtonKind::Url | ButtonKind::Phone | ButtonKind::RequestContactInfo => None,
        };
        filled.extend(text.map(|text| TemplateButton {
            index,
            kind: button.kind,
            text: text.into(),
        }));
    }
    Ok(filled)
}

fn has_placeholder(button: &ButtonDefinition) -> bool {
    !placeholders(button.url.as_deref().unwrap_or_default()).is_empty()
}

/// Fills the sender's default template for a message that has none of its own (R-WIN-2): as it
/// stands, or with the message's text where it has one placeholder. `None` where that does not
/// make a message.
pub fn fill_default(
    id: TemplateId,
    text: &TemplateText,
    message: Option<&str>,
) -> Option<TemplateUse> {
    let mut values = TemplateValues::default();
    if let ([name], Some(message)) = (&*placeholders(&text.definition.body), message) {
        values.body.insert((*name).into(), message.trim().into());
    }
    let filled = fill(id, text, &values).ok()?;
    let whole = render(&text.definition.body, |it| body_value(text, &values, it)).ok()?;
    (whole.chars().count() <= BODY_MAX).then_some(filled)
}

#[cfg(test)]
mod tests;
