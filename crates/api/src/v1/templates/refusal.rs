//! How it is answered that a template was not made, or not given to a provider.

use axum::http::StatusCode;
use domain::model::template::TemplateStatus;
use engine::registrar::TemplateError;
use ports::provider::ProviderError;

use super::input::named;
use crate::error::{ApiError, ErrorCode};

/// The answer. `category` is the field that says what a template is charged as.
pub(super) fn of(error: TemplateError, category: &str) -> ApiError {
    match error {
        TemplateError::NoSuchTemplate => ApiError::not_found("template"),
        TemplateError::AlreadySubmitted(TemplateStatus::Paused | TemplateStatus::Disabled) => {
            ApiError::bad_request("Template was approved before and is held back by its provider")
        }
        TemplateError::AlreadySubmitted(
            TemplateStatus::Draft
            | TemplateStatus::Pending
            | TemplateStatus::Approved
            | TemplateStatus::Rejected,
        ) => ApiError::bad_request("Template is already pending approval or approved"),
        TemplateError::NoAccount => ApiError::bad_request(
            "Sender does not have a WhatsApp Business Account configured/connected",
        ),
        TemplateError::Invalid(problems) => ApiError::fields(named(&problems, category)),
        TemplateError::TooMany => ApiError::bad_request(error.to_string()),
        TemplateError::Provider(error) => by_provider(&error),
        TemplateError::Unavailable(error) => error.into(),
    }
}

fn by_provider(error: &ProviderError) -> ApiError {
    match error {
        ProviderError::Refused { code, text } => {
            ApiError::bad_request(format!("The provider refused the template: {text}"))
                .detail("providerCode", &**code)
        }
        ProviderError::NotConfigured(why) => ApiError::bad_request(why.to_string()),
        ProviderError::Unreachable(why) => {
            tracing::warn!(%why, "a provider was asked for templates and did not answer");
            ApiError::new(
                StatusCode::SERVICE_UNAVAILABLE,
                ErrorCode::Unavailable,
                "The provider cannot be reached",
            )
            .should_retry(true)
            .retry_after(5)
        }
    }
}
