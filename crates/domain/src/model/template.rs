//! Templates: texts with variables that a provider approves, as WhatsApp wants them outside of the
//! 24-hour window, and as any channel may use them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::TemplateId;
use crate::model::content::PriceCategory;

/// Where a template stands with the provider. Only `Approved` may be sent on WhatsApp (R-WIN-1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateStatus {
    /// Not given to a provider yet.
    Draft,
    /// The provider looks at it.
    Pending,
    /// It may be sent.
    Approved,
    /// The provider said no.
    Rejected,
    /// The provider holds it back for some hours, for its quality.
    Paused,
    /// The provider will not send it any more.
    Disabled,
}

impl TemplateStatus {
    /// Every status.
    pub const ALL: [Self; 6] = [
        Self::Draft,
        Self::Pending,
        Self::Approved,
        Self::Rejected,
        Self::Paused,
        Self::Disabled,
    ];

    /// The word for the store.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }

    /// The status with this [`code`](Self::code).
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}

/// How a template stands now, whatever it was when a message took it: asked anew with each plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TemplateStanding {
    /// Whether the provider takes it.
    pub status: TemplateStatus,
    /// What it is charged as.
    pub category: PriceCategory,
}

/// The text of a template: what the provider approves, and what other channels send in its place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TemplateText {
    /// What a provider approves.
    pub definition: TemplateDefinition,
    /// Names for numbered placeholders, in order: `{{1}}` may be filled by the first of them.
    #[serde(default)]
    pub variables: Vec<Box<str>>,
    /// What a text message says in place of the body (R-WIN-3).
    pub sms_body: Option<Box<str>>,
    /// What Telegram says in place of the body.
    pub telegram_body: Option<Box<str>>,
    /// What Instagram says in place of the body; kept, and sent nowhere yet.
    pub instagram_body: Option<Box<str>>,
}

/// What a message fills a template's placeholders with.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TemplateValues {
    /// For the body, by placeholder.
    pub body: BTreeMap<Box<str>, Box<str>>,
    /// For the header, by placeholder; for a medium `mediaUrl`, `mediaId` and `filename`.
    pub header: BTreeMap<Box<str>, Box<str>>,
    /// For the buttons, by their place from zero.
    pub buttons: BTreeMap<u8, Box<str>>,
}

/// How the configuration names a template: templates live in the store, so that a name may mean
/// nothing yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TemplateRef {
    /// By its public id.
    Id(TemplateId),
    /// By its name, and its language where one is wanted.
    Name {
        /// Its name.
        name: Box<str>,
        /// Its language; any where none is said.
        language: Option<Box<str>>,
    },
}

impl TemplateRef {
    /// Reads `tpl_…`, `name` or `name/language`; `None` where it is none of these.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(id) = text.parse() {
            return Some(Self::Id(id));
        }
        let (name, language) = match text.split_once('/') {
            Some((name, language)) => (name, Some(language)),
            None => (text, None),
        };
        let good = is_template_name(name) && language.is_none_or(is_template_language);
        good.then(|| Self::Name {
            name: name.into(),
            language: language.map(Into::into),
        })
    }
}

impl fmt::Display for TemplateRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Name {
                name,
                language: Some(language),
            } => write!(f, "{name}/{language}"),
            Self::Name {
                name,
                language: None,
            } => f.write_str(name),
        }
    }
}

/// Longest name of a template (Cloud API).
pub const TEMPLATE_NAME_MAX: usize = 512;

/// Whether providers take this as a name: lower-case letters, digits and underscores.
pub fn is_template_name(name: &str) -> bool {
    let is_plain = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_';
    (1..=TEMPLATE_NAME_MAX).contains(&name.len()) && name.bytes().all(is_plain)
}

/// Whether this is a language as providers write it: `en`, `fil`, `pt_BR`, `zh_Hant`.
pub fn is_template_language(language: &str) -> bool {
    let (base, region) = match language.split_once('_') {
        Some((base, region)) => (base, Some(region)),
        None => (language, None),
    };
    (2..=3).contains(&base.len())
        && base.bytes().all(|it| it.is_ascii_lowercase())
        && region.is_none_or(|it| {
            (2..=4).contains(&it.len()) && it.bytes().all(|it| it.is_ascii_alphanumeric())
        })
}

/// What a template consists of, as it is written and submitted. The placeholders are `{{1}}` or
/// `{{name}}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TemplateDefinition {
    /// The provider's name for it: lower-case letters, digits and underscores.
    pub name: Box<str>,
    /// Its language, as the provider writes it: `en_US`.
    pub language: Box<str>,
    /// What it is charged as.
    pub category: PriceCategory,
    /// What stands above the body.
    pub header: Option<HeaderDefinition>,
    /// The text.
    pub body: Box<str>,
    /// What stands below the body.
    pub footer: Option<Box<str>>,
    /// Buttons, in order.
    pub buttons: Vec<ButtonDefinition>,
    /// For one-time codes: whether the provider adds that the code is not to be shared.
    pub add_security_recommendation: bool,
    /// For one-time codes: after how many minutes the code expires, 1 to 90.
    pub code_expiration_minutes: Option<u8>,
}

/// The header of a template.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HeaderDefinition {
    /// What it is.
    pub kind: HeaderKind,
    /// Its text, or an example of its medium: a URL.
    pub content: Option<Box<str>>,
}

/// What the header of a template is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderKind {
    /// A line of text, with at most one placeholder.
    Text,
    /// A picture.
    Image,
    /// A video.
    Video,
    /// A file.
    Document,
}

/// A button of a template.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ButtonDefinition {
    /// What it does.
    pub kind: ButtonKind,
    /// Its label; some kinds have a label of the provider's.
    pub text: Option<Box<str>>,
    /// Where a link leads; a placeholder may stand at its end.
    pub url: Option<Box<str>>,
    /// An example of the link or code, which the provider asks for.
    pub example: Option<Box<str>>,
    /// Which number a phone button calls.
    pub phone_number: Option<Box<str>>,
    /// How a one-time code is taken over: `COPY_CODE` or `ONE_TAP`.
    pub otp_type: Option<Box<str>>,
    /// The Android package that takes a code over.
    pub package_name: Option<Box<str>>,
    /// The hash of that package's signature.
    pub signature_hash: Option<Box<str>>,
}

/// What a button of a template does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ButtonKind {
    /// Answers with its label.
    QuickReply,
    /// Opens a link.
    Url,
    /// Calls a number.
    Phone,
    /// Takes a one-time code over.
    Otp,
    /// Asks for the person's contact details.
    RequestContactInfo,
}

/// A value for a placeholder.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TemplateParameter {
    /// The placeholder's name; `None` where placeholders are numbered and this is the next one.
    pub name: Option<Box<str>>,
    /// What is filled in.
    pub text: Box<str>,
}

/// The header of a template as a message fills it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateHeader {
    /// A text with a placeholder.
    Text(TemplateParameter),
    /// A medium: its URL, or the provider's id of it.
    Medium {
        /// Image, video or document.
        kind: HeaderKind,
        /// Where it is fetched from.
        url: Option<Box<str>>,
        /// The provider's id of it.
        id: Option<Box<str>>,
        /// The name of the file that the recipient sees.
        filename: Option<Box<str>>,
    },
}

/// A button of a template as a message fills it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TemplateButton {
    /// Its place among the template's buttons, from zero.
    pub index: u8,
    /// What it does.
    pub kind: ButtonKind,
    /// The end of the link, the code, or what a quick reply sends back.
    pub text: Box<str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_named_by_id_or_by_name_and_language() {
        let id = TemplateId::from_key(77);
        assert_eq!(
            TemplateRef::parse(&id.to_string()),
            Some(TemplateRef::Id(id))
        );
        for good in ["hello", "order_2", "hello/en", "hello/pt_BR"] {
            let read = TemplateRef::parse(good);
            assert_eq!(read.map(|it| it.to_string()).as_deref(), Some(good));
        }
        for wrong in [
            "",
            "Hello",
            "a b",
            "hello/",
            "/en",
            "hello/EN",
            "hello/en_",
            "ä",
        ] {
            assert_eq!(TemplateRef::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn every_status_is_known_by_its_code() {
        for status in TemplateStatus::ALL {
            assert_eq!(TemplateStatus::from_code(status.code()), Some(status));
        }
    }
}
