//! Why something was not delivered, and who is to blame (reference: routing, "Normalised outcomes").

use serde::{Deserialize, Serialize};

/// The class of a failure: it decides who is blamed and what happens next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// The route could not carry it: system error, rejected for reasons of its own.
    RouteFault,
    /// The provider asked to slow down.
    Throttled,
    /// Our account at the provider: credit, suspension, wrong credentials.
    AccountFault,
    /// Our sender is not allowed or not registered there.
    SenderFault,
    /// The recipient could not be reached for now (phone off, memory full).
    RecipientAbsent,
    /// The recipient does not have this channel.
    RecipientIncapable,
    /// There is no such recipient.
    RecipientInvalid,
    /// The carrier or the channel says it could not be delivered, without saying more.
    Undeliverable,
    /// The validity period ended before delivery.
    Expired,
    /// The WhatsApp window was closed after all (R-WIN-4).
    WindowClosed,
    /// The template is missing, paused or does not fit.
    TemplateFault,
    /// The content was blocked. Never falls back (R-FALL-4).
    ContentBlocked,
    /// The recipient opted out. Never falls back (R-FALL-4).
    OptedOut,
    /// The request was wrong. Never falls back (R-FALL-4).
    InvalidRequest,
    /// No route was left to try.
    NoRoute,
    /// Nobody knows whether it was accepted, and the operator said to count that as failed (R-DUP).
    UnknownOutcome,
}

impl FailureClass {
    /// Every class, for tables and enumerating tests.
    pub const ALL: [Self; 16] = [
        Self::RouteFault,
        Self::Throttled,
        Self::AccountFault,
        Self::SenderFault,
        Self::RecipientAbsent,
        Self::RecipientIncapable,
        Self::RecipientInvalid,
        Self::Undeliverable,
        Self::Expired,
        Self::WindowClosed,
        Self::TemplateFault,
        Self::ContentBlocked,
        Self::OptedOut,
        Self::InvalidRequest,
        Self::NoRoute,
        Self::UnknownOutcome,
    ];

    /// The word for the store, the API's extra fields and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::RouteFault => "route_fault",
            Self::Throttled => "throttled",
            Self::AccountFault => "account_fault",
            Self::SenderFault => "sender_fault",
            Self::RecipientAbsent => "recipient_absent",
            Self::RecipientIncapable => "recipient_incapable",
            Self::RecipientInvalid => "recipient_invalid",
            Self::Undeliverable => "undeliverable",
            Self::Expired => "expired",
            Self::WindowClosed => "window_closed",
            Self::TemplateFault => "template_fault",
            Self::ContentBlocked => "content_blocked",
            Self::OptedOut => "opted_out",
            Self::InvalidRequest => "invalid_request",
            Self::NoRoute => "no_route",
            Self::UnknownOutcome => "unknown_outcome",
        }
    }

    /// The class with this [`code`](Self::code).
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}

/// One failure as it is kept and shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// Its class.
    pub class: FailureClass,
    /// The provider's own code, or ours: shown as `errorCode`.
    pub code: Box<str>,
    /// A sentence for a person: shown as `errorMessage`. Never holds message text.
    pub text: Box<str>,
}

impl Failure {
    /// A failure of this class.
    pub fn new(class: FailureClass, code: impl Into<Box<str>>, text: impl Into<Box<str>>) -> Self {
        Self {
            class,
            code: code.into(),
            text: text.into(),
        }
    }
}
