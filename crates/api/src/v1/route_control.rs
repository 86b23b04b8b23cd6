//! `PUT /v1/routes/{id}/control`: a person's word over a route (R-HEALTH).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::model::control::{ControlMode, RouteControl};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::routes::RouteOut;
use crate::auth::{Caller, Scopes};
use crate::body::{self, ReadBody, Text};
use crate::error::{ApiError, ErrorOut, FieldError, Problems};
use crate::path::InPath;
use crate::{ApiState, json, schema};

/// Most characters of a reason.
const REASON_CHARS: usize = 500;
/// What takes a word back.
const AUTO: &str = "auto";

/// What a person says of a route.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ControlRoute, example = json!({"mode": "drain", "reason": "maintenance until noon"}))]
struct ControlIn<'a> {
    /// `pin`: it counts as up whatever its statistics say. `drain`: it gets nothing new and
    /// hears as ever. `disable`: it is out of use, its link is closed. `auto`: the automatics decide again.
    #[serde(borrow)]
    #[schema(schema_with = schema::control_mode, required = true)]
    mode: Option<Text<'a>>,
    /// Why; needed for all but `auto`. It stands in the audit log and in decisions.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 500)]
    reason: Option<Text<'a>>,
    /// Until when, RFC 3339; until somebody says otherwise where it is absent.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Text<'a>>,
}

/// A route after a change.
#[derive(Serialize, ToSchema)]
#[schema(as = RouteEnvelope)]
struct EnvelopeOut<'a> {
    /// The route.
    route: RouteOut<'a>,
    /// Fields of the request that were ignored.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<FieldError>)]
    warnings: &'a [FieldError],
}

/// Says what becomes of a route, in place of the automatics, or lets them decide again. What waits for
/// a route that gets nothing new goes elsewhere; what is in its hands finishes. The link of a disabled
/// route (an SMPP bind, a Telegram poll, a mail server's connection) is closed once that has its answers, and made
/// again when it is let go; what a provider tells by callback counts as ever.
#[utoipa::path(
    put,
    path = "/v1/routes/{routeId}/control",
    operation_id = "controlRoute",
    tag = "routes",
    params(("routeId" = String, Path, description = "Id of the route in the configuration")),
    request_body(content = ControlIn<'_>, content_type = "application/json"),
    responses(
        (status = 200, description = "The route as it is now", body = EnvelopeOut<'_>),
        (status = 400, description = "A field is wrong", body = ErrorOut<'_>),
        (status = 404, description = "No such route", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn put(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath(id): InPath<String>,
    body: ReadBody,
) -> Result<Response, ApiError> {
    caller.may(Scopes::MANAGE)?;
    let bytes = body::bytes(body, api.limits.body_bytes)?;
    let mut warnings = Vec::new();
    let input: ControlIn<'_> = body::parse(&bytes, &mut warnings)?;
    let topology = api.engine.topology();
    let route = topology.route_by_id(caller.project(), &id);
    let route = route.ok_or_else(|| ApiError::not_found("route"))?;
    let engine = caller.engine(&api);
    match read(&api, &caller, &input)? {
        Word::Hold(control) => {
            engine
                .control_route(caller.project(), route.key, control)
                .await?
        }
        // Where there is nothing to take back, nothing changed.
        Word::Auto(reason) => engine.release_route(route.key, reason).await?,
    };
    let statuses = api.engine.routes();
    let mut own = statuses.iter().filter(|it| it.project == caller.project());
    let status = own.find(|it| it.id == route.id);
    let status = status.ok_or_else(|| ApiError::not_found("route"))?;
    let answer = EnvelopeOut {
        route: RouteOut::of(status, &topology),
        warnings: &warnings,
    };
    Ok(json::response(StatusCode::OK, &answer))
}

/// What a person says.
enum Word {
    Hold(RouteControl),
    /// The automatics decide again, and perhaps why.
    Auto(Option<Box<str>>),
}

/// The word.
fn read(api: &ApiState, caller: &Caller, input: &ControlIn<'_>) -> Result<Word, ApiError> {
    let now = api.engine.now();
    let mut problems = Problems::default();
    let word = input.mode.as_ref().map_or("", Text::as_str);
    let mode = ControlMode::from_code(word);
    if mode.is_none() && word != AUTO {
        problems.add(&["mode"], "must be one of auto, pin, drain, disable");
    }
    let reason = input.reason.as_ref().map_or("", Text::as_str).trim();
    let chars = reason.chars().count();
    if chars > REASON_CHARS || reason.chars().any(char::is_control) {
        problems.add(&["reason"], "must have at most 500 characters, on one line");
    } else if chars == 0 && mode.is_some() {
        problems.add(&["reason"], "is needed: others will want to know why");
    }
    let until = input.until.as_ref().and_then(|text| {
        let until = json::timestamp(text.as_str()).filter(|it| *it > now);
        if until.is_none() {
            problems.add(
                &["until"],
                "must be a time in the future, such as 2030-01-31T08:00:00Z",
            );
        }
        until
    });
    problems.finish()?;
    let Some(mode) = mode else {
        return Ok(Word::Auto((chars > 0).then(|| reason.into())));
    };
    Ok(Word::Hold(RouteControl {
        mode,
        reason: reason.into(),
        by: caller.actor(),
        since: now,
        until,
    }))
}
