//! `POST /v1/messages`: the hot path.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use domain::ids::{MessageId, ProjectKey};
use engine::request::{Accepted, Refused};
use engine::topology::Topology;
use ports::store::messages::{MessageView, ViewKind};
use serde::Serialize;
use utoipa::ToSchema;

use super::output::{MessageOut, RoutingOut};
use super::refusal::{self, Names};
use super::request::{SendHeaders, SendIn, prepare};
use crate::auth::{Caller, Scopes};
use crate::body::{self, ReadBody};
use crate::error::{ApiError, ErrorOut, FieldError};
use crate::v1::idempotency;
use crate::{ApiState, json};

/// One message, and how it was or would be routed.
#[derive(Serialize, ToSchema)]
#[schema(as = MessageEnvelope)]
pub(super) struct EnvelopeOut<'a> {
    /// The message.
    pub(super) message: MessageOut<'a>,
    /// What was decided (R-API-2); absent for inbound messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) routing: Option<RoutingOut<'a>>,
    /// Fields of the request that were ignored.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<FieldError>, required = false)]
    pub(super) warnings: &'a [FieldError],
}

/// Accepts a message: when this answers 202, the message is durable (R-LIFE-2).
///
/// It goes on the channel and route that the rules choose, falls back to another channel when the
/// first fails, and can be followed at `GET /v1/messages/{messageId}`.
#[utoipa::path(
    post,
    path = "/v1/messages",
    operation_id = "sendMessage",
    tag = "messages",
    params(
        ("Zavu-Sender" = Option<String>, Header, description = "Id of the sender; the project's default sender otherwise"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same as `idempotencyKey` in the body; if both are given they must be equal"),
    ),
    request_body(content = SendIn<'_>, content_type = "application/json"),
    responses(
        (status = 202, description = "Accepted, and durable. With the project's `idempotency = \"replay\"` also the answer to a repeat, with the header `Idempotent-Replayed: true`", body = EnvelopeOut<'_>),
        (status = 400, description = "A field is wrong, or WhatsApp was named and its window is closed or its template not approved", body = ErrorOut<'_>),
        (status = 403, description = "The key may not, or the recipient opted out", body = ErrorOut<'_>),
        (status = 404, description = "No such sender or template", body = ErrorOut<'_>),
        (status = 409, description = "No channel can carry it, or the idempotency key was used before: `details.message` is the original", body = ErrorOut<'_>),
        (status = 413, description = "The body is too large", body = ErrorOut<'_>),
        (status = 429, description = "The backlog is full, or the key's rate limit is reached", body = ErrorOut<'_>),
        (status = 503, description = "The store is not available; nothing was kept", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn send(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    headers: SendHeaders,
    body: ReadBody,
) -> Result<Response, ApiError> {
    caller.may(Scopes::SEND)?;
    let bytes = body::bytes(body, api.limits.body_bytes)?;
    let topology = api.engine.topology();
    let prepared = prepare(&bytes, &headers, &caller, &api.engine)?;
    let names = Names::of(&prepared.request);
    match api.engine.accept(prepared.request).await {
        Ok(Accepted { view, decision }) => {
            let answer = EnvelopeOut {
                message: MessageOut::just_accepted(&view, &topology),
                routing: Some(RoutingOut::of(&decision, &topology)),
                warnings: &prepared.warnings,
            };
            Ok(json::response(StatusCode::ACCEPTED, &answer))
        }
        Err(Refused::AlreadyAccepted { original, differs }) => {
            repeat(
                &api,
                caller.project(),
                original,
                differs.as_deref(),
                &prepared.warnings,
            )
            .await
        }
        Err(refused) => Err(refusal::of(refused, names)),
    }
}

/// The answer to a repeat (R-LIFE-3).
#[cold]
async fn repeat(
    api: &ApiState,
    project: ProjectKey,
    original: MessageId,
    differs: Option<&str>,
    warnings: &[FieldError],
) -> Result<Response, ApiError> {
    let topology = api.engine.topology();
    let view = api.engine.store().message(project, original).await?;
    let replay = topology
        .project(project)
        .is_some_and(|it| it.idempotency_replay);
    if let (true, None, Some(view)) = (replay, differs, &view) {
        let message = MessageOut::of(view, &topology);
        let routing = routing_of(view, &topology);
        let answer = EnvelopeOut {
            message,
            routing,
            warnings,
        };
        let mut response = json::response(StatusCode::ACCEPTED, &answer);
        response
            .headers_mut()
            .insert(idempotency::REPLAYED, HeaderValue::from_static("true"));
        return Ok(response);
    }
    let mut error = idempotency::repeated("message");
    if let Some(view) = &view {
        let message = serde_json::to_value(MessageOut::of(view, &topology));
        error = error.detail("message", message.unwrap_or_default());
    }
    Err(match differs {
        Some(field) => idempotency::differs(error, field),
        None => error,
    })
}

/// The decision in force, in short; none for inbound messages.
pub(super) fn routing_of<'a>(view: &MessageView, topology: &'a Topology) -> Option<RoutingOut<'a>> {
    match &view.kind {
        ViewKind::Outbound {
            decision: Some(decision),
            ..
        } => Some(RoutingOut::of(decision, topology)),
        ViewKind::Outbound { decision: None, .. } | ViewKind::Inbound(_) => None,
    }
}
