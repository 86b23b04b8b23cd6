//! `POST /v1/conversations/{id}/read`: somebody has read what came in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use ports::store::conversations::MarkRead;
use ports::store::{Op, Outcome};

use super::output::ConversationOut;
use super::read::EnvelopeOut;
use super::{conversation_id, find};
use crate::auth::{Caller, Scopes};
use crate::error::{ApiError, ErrorOut};
use crate::path::InPath;
use crate::ui::Nudge;
use crate::{ApiState, json};

/// Says that everything that came in so far is read. The person is told nothing of it.
#[utoipa::path(
    post,
    path = "/v1/conversations/{conversationId}/read",
    operation_id = "markConversationRead",
    tag = "conversations",
    params(("conversationId" = String, Path, description = "Id of the conversation")),
    responses(
        (status = 200, description = "The conversation, with nothing unread", body = EnvelopeOut<'_>),
        (status = 404, description = "No such conversation", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn read(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    caller.may(Scopes::SEND)?;
    let conversation = conversation_id(&id)?;
    let mark = MarkRead {
        project: caller.project(),
        conversation,
    };
    let outcome = api.engine.apply(Op::MarkRead(mark)).await?;
    if matches!(outcome, Outcome::Missing) {
        return Err(ApiError::not_found("conversation"));
    }
    api.ui.tell(caller.project(), Nudge::Conversations);
    let view = find(&api, &caller, conversation).await?;
    let topology = api.engine.topology();
    let conversation = ConversationOut::of(&view, api.engine.now(), &topology);
    Ok(json::response(
        StatusCode::OK,
        &EnvelopeOut { conversation },
    ))
}
