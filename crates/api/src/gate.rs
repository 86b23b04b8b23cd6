//! The gate in front of `/v1`: who asks, are they within their limit, and the headers that every
//! answer has (R-API-5).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::time::Timestamp;

use crate::ApiState;
use crate::auth::{Caller, Key, RateLimit};
use crate::error::{ApiError, ErrorCode};
use crate::ui::session;

/// Lets in who has a good key and is within its limit.
pub(crate) async fn gate(
    State(api): State<Arc<ApiState>>,
    mut request: Request,
    next: Next,
) -> Response {
    let now = api.engine.now();
    let (rate, mut response) = match caller(&api, request.headers(), request.method(), now).await {
        Err(error) => (RateLimit::none(now), error.into_response()),
        Ok(key) => match RateLimit::count(&key, now) {
            (rate, Err(error)) => (rate, error.into_response()),
            (rate, Ok(())) => {
                request.extensions_mut().insert(Caller(key));
                (rate, next.run(request).await)
            }
        },
    };
    rate.apply(response.headers_mut());
    count(response.status());
    response
}

/// Who asks: a key, or the user of our pages whose cookie it brings (R-SEC).
async fn caller(
    api: &ApiState,
    headers: &HeaderMap,
    method: &Method,
    now: Timestamp,
) -> Result<Arc<Key>, ApiError> {
    if let Some(key) = session::key(api, headers, method).await? {
        return Ok(key);
    }
    api.keys.find(headers, api.engine.store(), now).await
}

/// Counts answers by kind of status: a bounded set of labels (R-MON-3).
fn count(status: StatusCode) {
    let class = match status.as_u16() {
        200..=299 => "2xx",
        429 => "429",
        400..=499 => "4xx",
        _ => "5xx",
    };
    metrics::counter!("tandem_http_responses_total", "class" => class).increment(1);
}

/// A path that does not exist.
pub(crate) async fn unknown_path(State(api): State<Arc<ApiState>>, uri: Uri) -> Response {
    outside(&api, &uri, ApiError::not_found("path"))
}

/// A path that exists, with another method.
pub(crate) async fn unknown_method(State(api): State<Arc<ApiState>>, uri: Uri) -> Response {
    let error = ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        ErrorCode::MethodNotAllowed,
        "This path does not take that method",
    );
    outside(&api, &uri, error)
}

/// An answer that does not pass the gate, with the headers that clients expect of `/v1`.
fn outside(api: &ApiState, uri: &Uri, error: ApiError) -> Response {
    let mut response = error.into_response();
    if uri.path().starts_with("/v1/") {
        RateLimit::none(api.engine.now()).apply(response.headers_mut());
    }
    response
}

/// The answer where a handler panicked: a fault of ours, kept from the client's eyes.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the layer hands the panic over"
)]
pub(crate) fn panicked(panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let words = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no words");
    ApiError::internal(&format!("a handler panicked: {words}")).into_response()
}
