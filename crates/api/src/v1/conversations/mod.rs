//! Conversations: the thread with one contact across all channels, for one sender.

mod mark;
mod output;
mod read;

use std::sync::Arc;

use domain::ids::ConversationId;
use ports::store::conversations::ConversationView;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::ApiState;
use crate::auth::Caller;
use crate::error::ApiError;

/// The paths of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(read::list))
        .routes(routes!(read::get))
        .routes(routes!(read::messages))
        .routes(routes!(mark::read))
}

/// The id in the path; a text that is no id names nothing.
fn conversation_id(text: &str) -> Result<ConversationId, ApiError> {
    text.parse()
        .map_err(|_| ApiError::not_found("conversation"))
}

async fn find(
    api: &ApiState,
    caller: &Caller,
    id: ConversationId,
) -> Result<ConversationView, ApiError> {
    let store = api.engine.store();
    let found = store.conversation(caller.project(), id).await?;
    found.ok_or_else(|| ApiError::not_found("conversation"))
}
