//! Templates: texts with variables that a provider approves, as WhatsApp wants them outside of the
//! 24-hour window, and as any channel may use them.

use serde::{Deserialize, Serialize};

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
