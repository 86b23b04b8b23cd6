//! `POST /v1/messages/{id}/typing`: the person sees that somebody types.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::model::channel::Channel;
use ports::store::messages::ViewKind;
use serde::Serialize;
use utoipa::ToSchema;

use super::read::find;
use super::refusal;
use crate::auth::{Caller, Scopes};
use crate::error::{ApiError, ErrorOut};
use crate::path::InPath;
use crate::{ApiState, json};

/// It is done.
#[derive(Serialize, ToSchema)]
#[schema(as = Success)]
pub(super) struct SuccessOut {
    /// Always true.
    success: bool,
}

/// Marks an inbound WhatsApp message as read, and shows its writer that somebody types: until an
/// answer is sent, or for 25 seconds.
#[utoipa::path(
    post,
    path = "/v1/messages/{messageId}/typing",
    operation_id = "showTyping",
    tag = "messages",
    params(
        ("messageId" = String, Path, description = "Id of the inbound message that is going to be answered"),
        ("Zavu-Sender" = Option<String>, Header, description = "Not needed: the message has a sender"),
    ),
    responses(
        (status = 202, description = "The provider was told", body = SuccessOut),
        (status = 400, description = "The message is not inbound, or not on WhatsApp", body = ErrorOut<'_>),
        (status = 403, description = "The writer opted out", body = ErrorOut<'_>),
        (status = 404, description = "No such message", body = ErrorOut<'_>),
        (status = 502, description = "The provider did not do it", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn typing(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    caller.may(Scopes::SEND)?;
    let view = find(&api, &caller, &id).await?;
    let ViewKind::Inbound(inbound) = &view.kind else {
        return Err(ApiError::bad_request(
            "Typing indicators can only be sent in response to inbound messages",
        ));
    };
    let connector = api.engine.connector(inbound.route);
    let presence = connector.as_deref().and_then(|it| it.presence());
    if presence.is_none() && inbound.channel != Channel::WhatsApp {
        return Err(ApiError::bad_request(
            "Typing indicators are only supported for WhatsApp messages",
        ));
    }
    let Some(provider_id) = &inbound.provider_id else {
        return Err(ApiError::bad_request(
            "Cannot send typing indicator: no provider message ID available",
        ));
    };
    let Some(presence) = presence else {
        return Err(ApiError::bad_request(
            "Cannot send typing indicator: the route of the message has none",
        ));
    };
    let store = api.engine.store();
    let (project, sender) = (caller.project(), inbound.sender);
    let writer = store.contact_facts(project, sender, &inbound.from).await?;
    if writer.thread.opted_out {
        return Err(refusal::opted_out());
    }
    presence.typing(provider_id).await?;
    let done = SuccessOut { success: true };
    Ok(json::response(StatusCode::ACCEPTED, &done))
}
