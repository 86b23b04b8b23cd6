//! `POST /v1/routing/preview`: what would be chosen now, sending nothing (R-API-2).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::output::CurrencyCode;
use super::refusal;
use super::request::{SendHeaders, SendIn, prepare};
use super::routing::DecisionOut;
use crate::auth::{Caller, Scopes};
use crate::body::{self, ReadBody};
use crate::error::{ApiError, ErrorOut, FieldError};
use crate::{ApiState, json};

/// What would be chosen.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RoutingPreview)]
struct PreviewOut<'a> {
    /// The decision.
    routing: DecisionOut<'a>,
    /// The currency of all costs.
    #[schema(value_type = String, example = "EUR")]
    currency: CurrencyCode,
    /// Whether it would be kept until a route comes up (R-CHAN-5).
    waits: bool,
    /// How a send would be refused; `null` where it would be accepted.
    #[schema(value_type = Option<ErrorOut<'static>>, required = true)]
    refusal: Option<&'a serde_json::value::RawValue>,
    /// Fields of the request that were ignored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<FieldError>,
}

/// Answers what would be chosen for this message now, and sends nothing.
///
/// Takes the same body as `POST /v1/messages`; an idempotency key has no effect.
#[utoipa::path(
    post,
    path = "/v1/routing/preview",
    operation_id = "previewRouting",
    tag = "messages",
    params(
        ("Zavu-Sender" = Option<String>, Header, description = "Id of the sender; the project's default sender otherwise"),
    ),
    request_body(content = SendIn<'_>, content_type = "application/json"),
    responses(
        (status = 200, description = "What would be chosen, or why it would be refused", body = PreviewOut<'_>),
        (status = 400, description = "A field is wrong", body = ErrorOut<'_>),
        (status = 404, description = "No such sender or template", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn preview(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    headers: SendHeaders,
    body: ReadBody,
) -> Result<Response, ApiError> {
    caller.may(Scopes::SEND)?;
    let bytes = body::bytes(body, api.limits.body_bytes)?;
    let topology = api.engine.topology();
    let mut prepared = prepare(&bytes, &headers, &caller, &api.engine)?;
    prepared.request.idempotency = None;
    let replies = prepared.request.in_reply_to.is_some();
    let preview = api.engine.preview(prepared.request).await;
    let preview = preview.map_err(|it| refusal::of(it, replies))?;
    let currency = api.currency(caller.project());
    let refusal = preview
        .refusal
        .and_then(|it| refusal::by_rule(it, &preview.decision).to_raw());
    let answer = PreviewOut {
        routing: DecisionOut::of(&preview.decision, None, currency, &topology),
        currency: CurrencyCode(currency),
        waits: preview.waits,
        refusal: refusal.as_deref(),
        warnings: prepared.warnings,
    };
    Ok(json::response(StatusCode::OK, &answer))
}
