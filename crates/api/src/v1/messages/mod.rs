//! Messages: sending, reading, and why each went the way it did.

pub(crate) mod content;
mod email;
pub(crate) mod files;
pub(crate) mod output;
mod preview;
pub(crate) mod quoted;
mod reactions;
mod read;
mod refusal;
pub(crate) mod request;
mod routing;
mod send;
mod template;
mod typing;
mod waits;

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
        .routes(routes!(files::attachments))
        .routes(routes!(files::attachment))
        .routes(routes!(files::media))
        .routes(routes!(reactions::react))
        .routes(routes!(typing::typing))
        .routes(routes!(preview::preview))
}
