//! What a message says, before a channel gives it form.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::model::channel::Channel;
use crate::model::template::{TemplateButton, TemplateHeader, TemplateParameter};

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

impl PriceCategory {
    /// Every category.
    pub const ALL: [Self; 4] = [
        Self::Service,
        Self::Utility,
        Self::Marketing,
        Self::Authentication,
    ];

    /// The word for the store.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Utility => "utility",
            Self::Marketing => "marketing",
            Self::Authentication => "authentication",
        }
    }

    /// The category with this [`code`](Self::code).
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}

/// A template as a message uses it, its placeholders filled: a fact that is looked up, not part of
/// the request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TemplateUse {
    /// Public id of the template.
    pub id: Box<str>,
    /// What it is charged as.
    pub category: PriceCategory,
    /// Its text with the variables filled in, for channels that send plain text (R-WIN-3).
    pub plain_text: Option<Box<str>>,
    /// Its body with the variables filled in, where SMS has other words: what WhatsApp shows.
    #[serde(default)]
    pub body_text: Option<Box<str>>,
    /// Its text for Telegram with the variables filled in, where it has one of its own.
    #[serde(default)]
    pub telegram_text: Option<Box<str>>,
    /// The provider's name for it.
    #[serde(default)]
    pub name: Box<str>,
    /// Its language, as the provider writes it.
    #[serde(default)]
    pub language: Box<str>,
    /// What fills its header.
    #[serde(default)]
    pub header: Option<TemplateHeader>,
    /// What fills the placeholders of its body, in order.
    #[serde(default)]
    pub body: Vec<TemplateParameter>,
    /// What fills its buttons.
    #[serde(default)]
    pub buttons: Vec<TemplateButton>,
    /// The id of the same content at Twilio, which has its own (`HX…`).
    #[serde(default)]
    pub content_sid: Option<Box<str>>,
}

impl TemplateUse {
    /// A template without anything to fill.
    pub fn plain(id: impl Into<Box<str>>, category: PriceCategory) -> Self {
        Self {
            id: id.into(),
            category,
            plain_text: None,
            body_text: None,
            telegram_text: None,
            name: Box::default(),
            language: Box::default(),
            header: None,
            body: Vec::new(),
            buttons: Vec::new(),
            content_sid: None,
        }
    }
}

/// What a message has for e-mail beside its text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EmailParts {
    /// The subject line; it holds no line breaks.
    pub subject: Box<str>,
    /// The body as HTML, beside the plain text.
    pub html: Option<Box<str>>,
    /// Where an answer is to go, where not to the sender.
    pub reply_to: Option<Box<str>>,
    /// Files.
    pub attachments: Vec<EmailAttachment>,
}

/// A file of an e-mail.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EmailAttachment {
    /// Its name.
    pub filename: Box<str>,
    /// Its type; `application/octet-stream` where nobody said.
    pub content_type: Option<Box<str>>,
    /// By which the HTML body names it; it is shown inside then.
    pub content_id: Option<Box<str>>,
    /// Its bytes in base 64.
    pub content: Box<str>,
}

/// What is read of the API's `content` object.
#[derive(Deserialize)]
struct MediaObject<'a> {
    #[serde(rename = "mediaUrl", borrow)]
    media_url: Option<Cow<'a, str>>,
}

/// What a message says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Content {
    /// The kind.
    pub kind: MessageType,
    /// The text, or the caption of a medium.
    pub text: Option<Box<str>>,
    /// The API's `content` object as JSON text, for kinds other than text. Of it only
    /// [`media_url`](Self::media_url) is looked at here.
    pub extra: Option<Box<str>>,
    /// The template, when the message names one that exists.
    pub template: Option<TemplateUse>,
    /// What it has for e-mail: without, e-mail cannot carry it.
    pub email: Option<EmailParts>,
}

impl Content {
    /// A plain text.
    pub fn text(text: impl Into<Box<str>>) -> Self {
        Self {
            kind: MessageType::Text,
            text: Some(text.into()),
            extra: None,
            template: None,
            email: None,
        }
    }

    /// The words that the recipient sees on this channel: a template may have its own for each.
    pub fn plain_text_on(&self, channel: Channel) -> Option<&str> {
        let own = match channel {
            Channel::Telegram => self.telegram_text(),
            Channel::WhatsApp => self.own_words().and_then(|it| it.body_text.as_deref()),
            Channel::Sms | Channel::Email => None,
        };
        own.or_else(|| self.plain_text())
    }

    fn telegram_text(&self) -> Option<&str> {
        self.own_words()?.telegram_text.as_deref()
    }

    /// The template, where it is what the message says.
    fn own_words(&self) -> Option<&TemplateUse> {
        let template = self.template.as_ref();
        template.filter(|_| self.kind == MessageType::Template)
    }

    /// This content with [`plain_text`](Self::plain_text) as this channel has it; `None` where it
    /// has it so already.
    pub fn worded_for(&self, channel: Channel) -> Option<Self> {
        let text = match channel {
            Channel::Telegram => self.telegram_text()?,
            Channel::Sms | Channel::WhatsApp | Channel::Email => return None,
        };
        let mut content = self.clone();
        content.template.as_mut()?.plain_text = Some(text.into());
        Some(content)
    }

    /// Where the medium of this message is fetched from, if it says so. A medium that a provider keeps
    /// (`mediaId`) has no URL: no other provider has it.
    pub fn media_url(&self) -> Option<String> {
        let object: MediaObject<'_> = serde_json::from_str(self.extra.as_deref()?).ok()?;
        let url = object.media_url?;
        let is_web = is_web_url(&url);
        is_web.then(|| url.into_owned())
    }

    /// Whether it can go as an MMS: a picture, video, sound or file with a URL. Stickers are
    /// WhatsApp's and Telegram's.
    pub fn fits_mms(&self) -> bool {
        match self.kind {
            MessageType::Image
            | MessageType::Video
            | MessageType::Audio
            | MessageType::Document => self.media_url().is_some(),
            MessageType::Text
            | MessageType::Sticker
            | MessageType::Location
            | MessageType::Contact
            | MessageType::Buttons
            | MessageType::List
            | MessageType::CtaUrl
            | MessageType::RequestContactInfo
            | MessageType::LocationRequest
            | MessageType::Reaction
            | MessageType::Template => false,
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
/// Whether a text is a link of the web, as far as its beginning and its spaces tell. A scheme has no case
/// (RFC 3986, 3.1).
pub fn is_web_url(text: &str) -> bool {
    let is_web = |it: &str| {
        ["http", "https"]
            .iter()
            .any(|web| web.eq_ignore_ascii_case(it))
    };
    text.split_once("://").is_some_and(|(scheme, rest)| {
        is_web(scheme) && !rest.is_empty() && !rest.contains(char::is_whitespace)
    })
}
