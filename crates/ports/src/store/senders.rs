//! Senders and phone numbers that were made by the API; those of the configuration are not kept.

use domain::ids::{ProjectKey, SenderKey};
use domain::model::template::TemplateRef;
use domain::time::{Millis, Timestamp};

use super::webhooks::WebhookSetting;

/// A sender that was made by the API.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SenderRecord {
    /// The store's name for it: its id, registered.
    pub key: SenderKey,
    /// Whose it is.
    pub project: ProjectKey,
    /// Its public id.
    pub id: Box<str>,
    /// What people call it.
    pub name: Box<str>,
    /// The address that recipients see; empty for one without.
    pub address: Box<str>,
    /// Configured ids of its routes, in its order of preference.
    pub routes: Vec<Box<str>>,
    /// The template for a closed WhatsApp window (R-WIN-2); it need not exist.
    pub default_template: Option<TemplateRef>,
    /// How long without `delivered` counts as failure, where the message does not say (R-FALL-5).
    pub fallback_after: Option<Millis>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A phone number that a project says it has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NumberRecord {
    /// Whose it is.
    pub project: ProjectKey,
    /// In E.164.
    pub number: Box<str>,
    /// What people call it.
    pub name: Option<Box<str>>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A change of what is configured by the API. Answers [`Outcome::Done`](super::Outcome::Done), or
/// [`Outcome::Missing`](super::Outcome::Missing) where what is to go does not exist.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SenderChange {
    /// Keeps a sender, in place of the one with its key.
    Put(SenderRecord),
    /// Does all that is said of one sender, or nothing of it. Where its endpoint is changed, this
    /// answers as [`WebhookChange`](super::webhooks::WebhookChange) does; but to clear one that is
    /// gone already is done.
    Set(Box<SenderSettings>),
    /// Forgets a sender and its endpoint; a default that it was is none any more.
    Delete(SenderKey),
    /// Keeps a phone number, in place of the same one.
    PutNumber(NumberRecord),
    /// Forgets a phone number.
    DeleteNumber(ProjectKey, Box<str>),
}

/// What is said of one sender at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SenderSettings {
    /// Whose it is.
    pub project: ProjectKey,
    /// Which.
    pub sender: SenderKey,
    /// Keeps it so, in place of the one with its key; `None` for one of the configuration, and where
    /// nothing of it changes.
    pub record: Option<SenderRecord>,
    /// Whether it becomes the default of its project, in place of any other.
    pub make_default: bool,
    /// What changes of its endpoint.
    pub webhook: Option<WebhookSetting>,
    /// When.
    pub at: Timestamp,
}

/// Everything that was configured by the API.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ConfiguredByApi {
    /// Senders, by key.
    pub senders: Vec<SenderRecord>,
    /// The default sender of each project that has one so.
    pub defaults: Vec<(ProjectKey, SenderKey)>,
}
