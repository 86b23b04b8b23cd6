//! `/hooks/{route id}`: what providers call, with receipts and inbound messages (R-IN-1). No key is
//! needed: the connector checks the provider's signature, over the bytes as they came.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use ports::hooks::{HookAnswer, HookCall};
use tracing::Instrument;

use crate::ApiState;
use crate::error::ApiError;

/// Longest body of a callback: Meta's batches are the largest (reference: protocols 1.7).
const BODY_BYTES: usize = 4 * 1_024 * 1_024;

/// The path of the hooks. Not part of the document: each provider has its own.
pub(crate) fn router() -> Router<Arc<ApiState>> {
    Router::new()
        .route("/hooks/{route}", any(call))
        .layer(axum::extract::DefaultBodyLimit::max(BODY_BYTES))
}

async fn call(
    State(api): State<Arc<ApiState>>,
    Path(route): Path<String>,
    method: Method,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Ok(body) = body else {
        return ApiError::payload_too_large(BODY_BYTES).into_response();
    };
    let Some(connector) = api.engine.connector_of(&route) else {
        return ApiError::not_found("route").into_response();
    };
    let Some(hooks) = connector.hooks() else {
        return ApiError::not_found("callback of this route").into_response();
    };
    let query = query.unwrap_or_default();
    // A connector does not know what its route is called; whatever it logs meanwhile says it.
    let span = tracing::error_span!("callback", %route);
    let answer = hooks
        .call(HookCall {
            method: method.as_str().into(),
            url: url(&api, &route, &query).into(),
            query: query.into(),
            headers: headers
                .iter()
                .map(|(name, value)| (name.as_str().into(), value.as_bytes().into()))
                .collect(),
            body: body.into(),
        })
        .instrument(span)
        .await;
    metrics::counter!("tandem_hook_calls_total",
        "route" => route, "class" => if answer.status < 400 { "taken" } else { "refused" })
    .increment(1);
    response(answer)
}

/// The URL as the provider was given it; the path alone where no public URL is configured.
fn url(api: &ApiState, route: &str, query: &str) -> String {
    let base = &api.public_url;
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{base}/hooks/{route}{mark}{query}")
}

/// An answer as it is sent.
pub(crate) fn response(answer: HookAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = status;
    let content_type = answer
        .content_type
        .and_then(|it| HeaderValue::from_str(&it).ok());
    if let Some(content_type) = content_type {
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, content_type);
    }
    response
}
