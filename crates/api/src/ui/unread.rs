//! `/ui/v1/unread`: how many conversations have something unread, however many others there are.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::session::Person;
use crate::error::ApiError;
use crate::{ApiState, json};

/// Most that are counted: a tab shows no larger figure.
const COUNTED_MAX: u16 = 100;

/// The paths of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new().routes(routes!(count))
}

/// What is unread.
#[derive(Serialize, ToSchema)]
#[schema(as = UnreadCount)]
struct UnreadOut {
    /// How many conversations have something unread; counted up to 100.
    conversations: u16,
}

/// Counts the conversations with something unread.
#[utoipa::path(
    get,
    path = "/ui/v1/unread",
    operation_id = "uiCountUnread",
    tag = "pages",
    security(("session" = [])),
    responses((status = 200, description = "The number, 100 for more", body = UnreadOut)),
)]
pub(crate) async fn count(
    State(api): State<Arc<ApiState>>,
    person: Person,
) -> Result<Response, ApiError> {
    let project = person.user.project;
    let conversations = api
        .engine
        .store()
        .unread_conversations(project, COUNTED_MAX)
        .await?;
    Ok(json::response(StatusCode::OK, &UnreadOut { conversations }))
}
