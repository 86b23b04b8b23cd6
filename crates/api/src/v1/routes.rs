//! `GET /v1/routes`: which ways are there, and does each take messages now?

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::model::channel::Channel;
use domain::model::quota::MeterOf;
use domain::model::route::{RouteClass, RouteCondition};
use domain::rules::health::ERROR_WINDOW_SECONDS;
use domain::time::Timestamp;
use engine::request::RouteStatus;
use engine::standing::{Opening, OutOfQuota};
use engine::topology::Topology;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::money::quotas::QuotaOut;
use crate::auth::{Caller, Scopes};
use crate::error::{ApiError, ErrorOut};
use crate::json::Iso;
use crate::page::Page;
use crate::v1::route_control;
use crate::{ApiState, json};

/// The paths of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(route_control::put))
}

/// A route as it is now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Route)]
pub(crate) struct RouteOut<'a> {
    /// Its id in the configuration.
    id: &'a str,
    /// What it carries: `sms` or `whatsapp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'static str>,
    /// What traffic it is meant for: `gateway`, `platform` or `phone`; `null` serves every kind.
    #[schema(required = true)]
    route_class: Option<&'static str>,
    /// Whether it is a simulator: the only kind that test keys may use.
    simulator: bool,
    /// Whether it carries media as MMS, beside texts.
    mms: bool,
    /// Whether it takes messages: `up`, `down`, `throttled`, `out_of_quota`, `drained` or `disabled`.
    condition: &'static str,
    /// Why it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    /// Since when it is so; `null` where it was out of quota before the server started. What is down
    /// when the server starts counts from there.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    since: Option<Iso>,
    /// Until when it is out of quota: when the period turns. Absent where it is not out of quota, and
    /// where only a higher quota helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Iso>,
    /// A person's word over it; `null` where the automatics decide.
    #[schema(required = true)]
    control: Option<ControlOut<'a>>,
    /// What the automatics go by.
    health: HealthOut,
    /// What is used of its quotas, as it was a moment ago. `GET /v1/quotas` is exact.
    quotas: Vec<QuotaOut<'a>>,
    /// Messages that wait for it.
    backlog: u64,
    /// Messages planned for it that leave next: they are `sending`, and not with its provider yet.
    ready: usize,
    /// Messages in its hands: they leave, or left and have no answer yet.
    in_hand: usize,
    /// Submissions a second that it may make; `null` is any number.
    #[schema(required = true)]
    throughput: Option<u32>,
}

/// A person's word over a route.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RouteControl)]
pub(crate) struct ControlOut<'a> {
    /// What they say: `pin`, `drain` or `disable`.
    mode: &'static str,
    /// Why.
    reason: &'a str,
    /// Who.
    by: &'a str,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    since: Iso,
    /// Until when; `null` is until somebody says otherwise.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    until: Option<Iso>,
}

/// What the breaker of a route goes by.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RouteBreaker)]
pub(crate) struct HealthOut {
    /// Seconds that the figures go back.
    window_seconds: usize,
    /// Submissions within them that say something of its health.
    submissions: u32,
    /// Those that failed through the route's fault.
    errors: u32,
    /// Errors in a row, up to now.
    consecutive_errors: u32,
}

/// The word for whether a route takes messages.
pub(crate) const fn condition(condition: RouteCondition) -> &'static str {
    match condition {
        RouteCondition::Up => "up",
        RouteCondition::Down => "down",
        RouteCondition::Throttled => "throttled",
        RouteCondition::Drained => "drained",
        RouteCondition::Disabled => "disabled",
    }
}

/// Which quota is out, and what helps where no time does.
const fn out_of_quota(out: OutOfQuota) -> &'static str {
    let is_of_project = match out.of {
        MeterOf::Route(_) | MeterOf::Volume(..) => false,
        MeterOf::Project(_) => true,
    };
    match (out.opening, is_of_project) {
        (Opening::Turn(_), false) => "out of quota",
        (Opening::Turn(_), true) => "the project is out of quota",
        (Opening::Zero, false) => "a quota of it is 0; it is out until that is raised",
        (Opening::Zero, true) => "a quota of the project is 0; it is out until that is raised",
        (Opening::TooSmall, false) => {
            "a quota of it is less than any message needs; it is out until that is raised"
        }
        (Opening::TooSmall, true) => {
            "a quota of the project is less than any message needs; it is out until that is raised"
        }
    }
}

/// When the period turns that it is out of quota for.
const fn turn(out: OutOfQuota) -> Option<Timestamp> {
    match out.opening {
        Opening::Turn(at) => Some(at),
        Opening::TooSmall | Opening::Zero => None,
    }
}

impl<'a> RouteOut<'a> {
    pub(crate) fn of(status: &'a RouteStatus, topology: &'a Topology) -> Self {
        let is_up = status.condition == RouteCondition::Up;
        let out = status.out_of_quota.filter(|_| is_up);
        let route = topology
            .routes()
            .find(|it| it.project == status.project && it.id == status.id);
        Self {
            id: &status.id,
            channel: route.map(|it| Channel::code(it.channel)),
            route_class: route.and_then(|it| it.class).map(RouteClass::code),
            simulator: route.is_some_and(|it| it.simulator),
            mms: route.is_some_and(|it| it.mms),
            condition: match out {
                Some(_) => "out_of_quota",
                None => condition(status.condition),
            },
            reason: status.reason.as_deref().or(out.map(out_of_quota)),
            quotas: status
                .quotas
                .iter()
                .map(|it| QuotaOut::of(it, topology))
                .collect(),
            since: status.since.map(Iso),
            until: out.and_then(turn).map(Iso),
            control: status.control.as_deref().map(|it| ControlOut {
                mode: it.mode.code(),
                reason: &it.reason,
                by: &it.by.name,
                since: Iso(it.since),
                until: it.until.map(Iso),
            }),
            health: HealthOut {
                window_seconds: ERROR_WINDOW_SECONDS,
                submissions: status.health.submissions,
                errors: status.health.errors,
                consecutive_errors: status.health.consecutive,
            },
            backlog: status.backlog,
            ready: status.ready,
            in_hand: status.in_hand,
            throughput: route.and_then(|it| it.throughput),
        }
    }
}

/// Lists the project's routes with their state now.
#[utoipa::path(
    get,
    path = "/v1/routes",
    operation_id = "listRoutes",
    tag = "routes",
    responses(
        (status = 200, description = "All routes; one page", body = Page<RouteOut<'_>>),
        (status = 401, description = "Not a known key", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn list(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
) -> Result<Response, ApiError> {
    caller.may(Scopes::READ)?;
    let topology = api.engine.topology();
    let statuses = api.engine.routes();
    let items = statuses
        .iter()
        .filter(|it| it.project == caller.project())
        .map(|it| RouteOut::of(it, &topology))
        .collect();
    Ok(json::response(
        StatusCode::OK,
        &Page {
            items,
            next_cursor: None,
        },
    ))
}
