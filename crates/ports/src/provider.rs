//! What some providers can do beside carrying messages: read marks and typing indicators, media,
//! templates.

use domain::model::content::PriceCategory;
use domain::model::template::{TemplateDefinition, TemplateStatus};
use thiserror::Error;

use crate::hooks::Pending;

/// A provider did not do it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProviderError {
    /// It could not be reached, or broke; it may work later.
    #[error("the provider cannot be reached: {0}")]
    Unreachable(Box<str>),
    /// It refused, with its code and words.
    #[error("the provider refused ({code}): {text}")]
    Refused {
        /// The provider's own code.
        code: Box<str>,
        /// The provider's own words.
        text: Box<str>,
    },
    /// The route is not configured for it.
    #[error("{0}")]
    NotConfigured(Box<str>),
}

/// Read marks and typing indicators.
pub trait Presence: Send + Sync {
    /// Marks the inbound message with this provider id as read and shows the person that we type,
    /// until we answer or some 25 s are over.
    fn typing(&self, provider_id: &str) -> Pending<'_, Result<(), ProviderError>>;
}

/// A medium.
#[derive(Clone, PartialEq, Eq)]
pub struct Media {
    /// Its type.
    pub content_type: Box<str>,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Media {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Media")
            .field("content_type", &self.content_type)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

/// Media that people sent, which providers keep for some time.
pub trait MediaSource: Send + Sync {
    /// Fetches the medium with this id of the provider's (the `mediaId` or, where there is none, the
    /// `mediaUrl` of an inbound message).
    fn fetch(&self, id: &str) -> Pending<'_, Result<Media, ProviderError>>;
}

/// A template as the provider has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProviderTemplate {
    /// The provider's id of it.
    pub provider_id: Box<str>,
    /// Where it stands.
    pub status: TemplateStatus,
    /// What it consists of, its category as the provider has it now.
    pub definition: TemplateDefinition,
}

/// What became of giving a template to a provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SubmittedTemplate {
    /// The provider's id of it.
    pub provider_id: Box<str>,
    /// Where it stands.
    pub status: TemplateStatus,
    /// The category that the provider gave it.
    pub category: PriceCategory,
}

/// The provider's templates.
pub trait TemplateRegistrar: Send + Sync {
    /// Names the account that the templates belong to: routes with the same account share them.
    fn account(&self) -> &str;

    /// Gives a template to the provider for approval.
    fn submit(
        &self,
        definition: TemplateDefinition,
    ) -> Pending<'_, Result<SubmittedTemplate, ProviderError>>;

    /// All templates of the account.
    fn list(&self) -> Pending<'_, Result<Vec<ProviderTemplate>, ProviderError>>;
}

/// A provider changed a template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TemplateUpdate {
    /// The provider's id of it.
    pub provider_id: Box<str>,
    /// Its name there.
    pub name: Box<str>,
    /// Its language there.
    pub language: Box<str>,
    /// Where it stands now, if that changed.
    pub status: Option<TemplateStatus>,
    /// What it is charged as now, if that changed.
    pub category: Option<PriceCategory>,
    /// Why, in the provider's words.
    pub reason: Option<Box<str>>,
}
