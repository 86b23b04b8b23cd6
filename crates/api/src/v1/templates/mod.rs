//! `/v1/templates`: texts with variables that a provider approves for WhatsApp, and that any channel
//! can carry (R-WIN-2, R-WIN-3).

mod input;
pub(crate) mod output;
mod provider;
mod refusal;
mod texts;

use std::sync::Arc;

use domain::ids::TemplateId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::ApiState;
use crate::error::ApiError;

/// The paths of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(texts::create, texts::list))
        .routes(routes!(provider::sync))
        .routes(routes!(texts::get, texts::delete))
        .routes(routes!(provider::submit))
}

/// The id in the path; a text that is no id names nothing.
fn template_id(text: &str) -> Result<TemplateId, ApiError> {
    text.parse().map_err(|_| ApiError::not_found("template"))
}
