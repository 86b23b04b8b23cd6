//! What a message says, before a channel gives it form.

use serde::{Deserialize, Serialize};

/// The kind of content, in the API's words.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageType {
    /// Plain text.
    Text,
    /// A picture with an optional caption.
    Image,
    /// A video with an optional caption.
    Video,
    /// A sound or voice note.
    Audio,
    /// A file.
    Document,
    /// A sticker.
    Sticker,
    /// A place.
    Location,
    /// One or more contact cards.
    Contact,
    /// A text with up to three buttons.
    Buttons,
    /// A text with a list to choose from.
    List,
    /// A text with a link button.
    CtaUrl,
    /// Asks the recipient for their contact details.
    RequestContactInfo,
    /// Asks the recipient for their place.
    LocationRequest,
    /// An emoji on another message.
    Reaction,
    /// An approved template with variables.
    Template,
}

impl MessageType {
    /// Every kind, in the API's order.
    pub const ALL: [Self; 15] = [
        Self::Text,
        Self::Image,
        Self::Video,
        Self::Audio,
        Self::Document,
        Self::Sticker,
        Self::Location,
        Self::Contact,
        Self::Buttons,
        Self::List,
        Self::CtaUrl,
        Self::RequestContactInfo,
        Self::LocationRequest,
        Self::Reaction,
        Self::Template,
    ];

    /// The word of the API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Sticker => "sticker",
            Self::Location => "location",
            Self::Contact => "contact",
            Self::Buttons => "buttons",
            Self::List => "list",
            Self::CtaUrl => "cta_url",
            Self::RequestContactInfo => "request_contact_info",
            Self::LocationRequest => "location_request",
            Self::Reaction => "reaction",
            Self::Template => "template",
        }
    }

    /// The kind with this [`code`](Self::code).
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}

/// What a template message is charged as on WhatsApp.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceCategory {
    /// Free-form content inside the 24-hour window.
    Service,
    /// A template about something the person did.
    Utility,
    /// A template that promotes.
    Marketing,
    /// A template with a one-time code.
    Authentication,
}

/// An approved template as a message uses it: a fact that is looked up, not part of the request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TemplateUse {
    /// Public id of the template.
    pub id: Box<str>,
    /// What it is charged as.
    pub category: PriceCategory,
    /// Its text with the variables filled in, for channels that send plain text (R-WIN-3).
    pub plain_text: Option<Box<str>>,
}

/// What a message says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Content {
    /// The kind.
    pub kind: MessageType,
    /// The text, or the caption of a medium.
    pub text: Option<Box<str>>,
    /// The API's `content` object as JSON text, for kinds other than text. Not looked into here.
    pub extra: Option<Box<str>>,
    /// The template, when the message names one that exists.
    pub template: Option<TemplateUse>,
}

impl Content {
    /// A plain text.
    pub fn text(text: impl Into<Box<str>>) -> Self {
        Self {
            kind: MessageType::Text,
            text: Some(text.into()),
            extra: None,
            template: None,
        }
    }

    /// The words that a plain-text channel would carry: the text, or the template's rendering.
    pub fn plain_text(&self) -> Option<&str> {
        match self.kind {
            MessageType::Text => self.text.as_deref(),
            MessageType::Template => self.template.as_ref()?.plain_text.as_deref(),
            MessageType::Image
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
        }
    }
}
