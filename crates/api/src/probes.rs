//! What operators and their tools ask: does it live, is it ready, how is it doing? No key needed,
//! nothing of a project is told beyond the ids and states of routes.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::v1::routes::condition;
use crate::{ApiState, json, openapi};

/// The paths of the probes.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(healthz))
        .routes(routes!(readyz))
        .routes(routes!(metrics))
        .routes(routes!(document))
}

/// Whether the process lives.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok`.
    status: &'static str,
}

/// Whether the server takes messages.
#[derive(Serialize, ToSchema)]
struct Readiness<'a> {
    /// `ready`, `starting` or `unavailable`.
    status: &'static str,
    /// The store; absent while it does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<StoreOut>,
    /// The routes of every project.
    routes: Vec<RouteOut<'a>>,
}

/// The store's state.
#[derive(Serialize, ToSchema)]
#[schema(as = StoreHealth)]
struct StoreOut {
    /// How each commit is made durable, read back from the embedded store: `FULL` survives power
    /// loss. Absent elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    synchronous: Option<&'static str>,
    /// Messages that wait for a route.
    backlog: u64,
}

/// A route's state.
#[derive(Serialize, ToSchema)]
#[schema(as = RouteHealth)]
struct RouteOut<'a> {
    id: &'a str,
    /// `up`, `down` or `throttled`.
    condition: &'static str,
}

/// SQLite's own words.
const fn synchronous(level: i64) -> &'static str {
    match level {
        0 => "OFF",
        1 => "NORMAL",
        2 => "FULL",
        3 => "EXTRA",
        _ => "UNKNOWN",
    }
}

/// Tells that the process lives. Asks nothing of the store.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "health",
    tag = "operation",
    security(()),
    responses((status = 200, description = "The process lives", body = Health)),
)]
pub(crate) async fn healthz() -> Response {
    json::response(StatusCode::OK, &Health { status: "ok" })
}

/// Tells whether messages are taken. Routes that are down do not make the server unready: it keeps
/// what waits for them.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "readiness",
    tag = "operation",
    security(()),
    responses(
        (status = 200, description = "Messages are taken", body = Readiness<'_>),
        (status = 503, description = "The server starts, stops, or has no store", body = Readiness<'_>),
    ),
)]
pub(crate) async fn readyz(State(api): State<Arc<ApiState>>) -> Response {
    let store = api.engine.store().health().await;
    let (code, status) = match (&store, api.engine.is_ready()) {
        (Ok(_), true) => (StatusCode::OK, "ready"),
        (Ok(_), false) => (StatusCode::SERVICE_UNAVAILABLE, "starting"),
        (Err(_), _) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    };
    let routes = api.engine.routes();
    let answer = Readiness {
        status,
        store: store.ok().map(|it| StoreOut {
            synchronous: it.synchronous.map(synchronous),
            backlog: it.backlog,
        }),
        routes: routes
            .iter()
            .map(|it| RouteOut {
                id: &it.id,
                condition: condition(it.condition),
            })
            .collect(),
    };
    json::response(code, &answer)
}

/// Figures for Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "operation",
    security(()),
    responses((status = 200, description = "The text format 0.0.4", body = String, content_type = "text/plain")),
)]
pub(crate) async fn metrics(State(api): State<Arc<ApiState>>) -> Response {
    let mut response = (api.metrics)().into_response();
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// This document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "openapi",
    tag = "operation",
    security(()),
    responses((status = 200, description = "OpenAPI 3.1", body = Object)),
)]
pub(crate) async fn document() -> Response {
    let mut response = openapi::openapi_json().into_response();
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
