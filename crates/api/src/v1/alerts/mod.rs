//! `/v1/alerts`: what is wrong now and was before, who has seen it, and what is not to be told
//! (R-ALERT).

mod silences;

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::AlertId;
use domain::model::alert::{Alert, AlertQuota};
use ports::store::alerts::{AlertFilter, AlertStep};
use ports::store::{Op, Outcome};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::asked::AskedList;
use crate::auth::{Caller, Scopes};
use crate::error::{ApiError, ErrorOut};
use crate::json::{Iso, Shown};
use crate::page::{Page, PageIn, page};
use crate::path::InPath;
use crate::ui::Nudge;
use crate::v1::money::quotas::Amount;
use crate::{ApiState, json, schema};

/// The paths of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(acknowledge))
        .routes(routes!(silences::create, silences::list))
        .routes(routes!(silences::delete))
}

/// Which quota an alert is about, as it stood when the alert was raised.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AlertQuota)]
pub(crate) struct AlertQuotaOut {
    /// How long it counts: `hour`, `day` or `month`, in the project's time zone.
    per: &'static str,
    /// What it counts: `messages`, `segments` or `spend`, in units of the project's currency.
    unit: &'static str,
    /// The most that may be used.
    #[schema(value_type = f64)]
    limit: Amount,
    /// What was used.
    #[schema(value_type = f64)]
    used: Amount,
    /// What was used, in percent, rounded down: less than 100 in an alert `quota_100` where what is left
    /// is less than any message needs.
    used_percent: u32,
}

impl AlertQuotaOut {
    /// As it is shown in an alert and in its events.
    pub(crate) fn of(quota: AlertQuota) -> Self {
        Self {
            per: quota.per.code(),
            unit: quota.unit.code(),
            limit: Amount::of(quota.unit, quota.limit),
            used: Amount::of(quota.unit, quota.used),
            used_percent: quota.percent(),
        }
    }
}

/// An alert.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Alert)]
struct AlertOut<'a> {
    /// Its id.
    #[schema(value_type = String)]
    id: Shown<AlertId>,
    /// What it is about.
    #[schema(schema_with = schema::alert_kind)]
    kind: &'static str,
    /// How soon somebody should look.
    #[schema(schema_with = schema::severity)]
    severity: &'static str,
    /// Which one: kind and id.
    #[schema(example = "route:gw")]
    subject: &'a str,
    /// Which of its quotas, for `quota_80` and `quota_100`: each has alerts of its own. `null` for other
    /// kinds, and for alerts raised before quotas were told apart.
    #[schema(required = true)]
    quota: Option<AlertQuotaOut>,
    /// `raised` or `resolved`.
    status: &'static str,
    /// What it says.
    message: &'a str,
    /// What it was when it was raised; the unit is the kind's.
    value: i64,
    /// When it was raised.
    #[schema(value_type = String, format = DateTime)]
    raised_at: Iso,
    /// When it was resolved; `null` while it is raised.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    resolved_at: Option<Iso>,
    /// Whether it was silenced: nobody was told.
    silenced: bool,
    /// Who has seen it.
    #[schema(required = true)]
    acknowledged_by: Option<&'a str>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    acknowledged_at: Option<Iso>,
}

impl<'a> AlertOut<'a> {
    fn of(alert: &'a Alert) -> Self {
        let seen = alert.acknowledged.as_ref();
        Self {
            id: Shown(alert.id),
            kind: alert.kind.code(),
            severity: alert.kind.severity().code(),
            subject: &alert.subject,
            quota: alert.quota.map(AlertQuotaOut::of),
            status: match alert.resolved_at {
                Some(_) => "resolved",
                None => "raised",
            },
            message: &alert.words,
            value: alert.value,
            raised_at: Iso(alert.raised_at),
            resolved_at: alert.resolved_at.map(Iso),
            silenced: !alert.told,
            acknowledged_by: seen.map(|it| &*it.0.name),
            acknowledged_at: seen.map(|it| Iso(it.1)),
        }
    }
}

/// Lists alerts, newest first.
#[utoipa::path(
    get,
    path = "/v1/alerts",
    operation_id = "listAlerts",
    tag = "alerts",
    params(
        ("status" = Option<String>, Query, description = "Only those that are `raised`, or `resolved`"),
        PageIn,
    ),
    responses(
        (status = 200, description = "A page of alerts", body = Page<AlertOut<'_>>),
        (status = 400, description = "A parameter is wrong", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn list(asked: AskedList) -> Result<Response, ApiError> {
    let (api, caller, mut params) = asked.by(Scopes::READ)?;
    let limit = params.limit();
    let before: Option<AlertId> = params.cursor();
    let raised = params.read("status", "must be raised or resolved", |it| match it {
        "raised" => Some(true),
        "resolved" => Some(false),
        _ => None,
    });
    params.done()?;
    let filter = AlertFilter {
        project: Some(caller.project()),
        raised,
        before,
        limit: limit + 1,
    };
    let mut alerts = api.engine.store().alerts(filter).await?;
    Ok(page(&mut alerts, limit, |it| it.id, AlertOut::of))
}

/// Says that somebody has seen an alert; who did so first stays.
#[utoipa::path(
    post,
    path = "/v1/alerts/{alertId}/acknowledge",
    operation_id = "acknowledgeAlert",
    tag = "alerts",
    params(("alertId" = String, Path, description = "Id of the alert")),
    responses(
        (status = 200, description = "The alert", body = AlertOut<'_>),
        (status = 404, description = "No such alert", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn acknowledge(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    caller.may(Scopes::MANAGE)?;
    let nothing = || ApiError::not_found("alert");
    let id: AlertId = id.parse().map_err(|_| nothing())?;
    let step = AlertStep::Acknowledge {
        project: caller.project(),
        id,
        by: caller.actor(),
        at: api.engine.now(),
    };
    let op = Op::Alert(Box::new(step));
    if let Outcome::Missing = caller.engine(&api).apply(op).await? {
        return Err(nothing());
    }
    api.ui.tell(caller.project(), Nudge::Alerts);
    let alert = api.engine.store().alert(caller.project(), id).await?;
    let alert = alert.ok_or_else(nothing)?;
    Ok(json::response(StatusCode::OK, &AlertOut::of(&alert)))
}
