//! Messages: sending, reading, and why each went the way it did.

pub(crate) mod content;
mod email;
mod idempotency;
pub(crate) mod output;
mod preview;
mod read;
mod refusal;
pub(crate) mod request;
mod routing;
mod send;
mod template;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::ApiState;

/// The paths of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(send::send, read::list))
        .routes(routes!(read::get))
        .routes(routes!(read::routing))
        .routes(routes!(read::attachments))
        .routes(routes!(preview::preview))
}
