//! `GET /v1/me`: whose key is this, and what may it do?

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Caller, Scopes};
use crate::error::{ApiError, ErrorOut};
use crate::{ApiState, json};

/// The paths of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new().routes(routes!(me))
}

/// Whose key it is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Me)]
struct MeOut<'a> {
    /// The project.
    project: ProjectOut<'a>,
    /// The team; a project is its own.
    team: TeamOut<'a>,
    /// The key.
    api_key: KeyOut<'a>,
    /// Whether the key sends through simulators only (R-TEST).
    is_test_mode: bool,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MeProject)]
struct ProjectOut<'a> {
    id: &'a str,
    name: &'a str,
    /// Always false: there are no sub-accounts.
    is_sub_account: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = MeTeam)]
struct TeamOut<'a> {
    id: &'a str,
    name: &'a str,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MeApiKey)]
struct KeyOut<'a> {
    id: &'a str,
    name: &'a str,
    /// What it may do: `send`, `read`, `manage`.
    #[schema(value_type = Vec<String>)]
    scopes: Vec<&'static str>,
    /// Whether it may set `trafficClass`.
    traffic_class: bool,
}

/// Shows the project and the rights of the key that asks.
#[utoipa::path(
    get,
    path = "/v1/me",
    operation_id = "getMe",
    tag = "account",
    responses(
        (status = 200, description = "The key's project and rights", body = MeOut<'_>),
        (status = 401, description = "Not a known key", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn me(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let topology = api.engine.topology();
    let Some(project) = topology.project(caller.project()) else {
        // A key of the store whose project was taken out of the configuration.
        return Err(ApiError::unauthorized());
    };
    let key = &caller.0;
    let answer = MeOut {
        project: ProjectOut {
            id: &project.id,
            name: &project.name,
            is_sub_account: false,
        },
        team: TeamOut {
            id: &project.id,
            name: &project.name,
        },
        api_key: KeyOut {
            id: &key.id,
            name: &key.name,
            scopes: key.scopes.names().collect(),
            traffic_class: key.scopes.contains(Scopes::TRAFFIC_CLASS),
        },
        is_test_mode: key.test,
    };
    Ok(json::response(StatusCode::OK, &answer))
}
