//! `GET /v1/quotas`: what is used and left of each quota (R-QUOTA-1)?

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::model::money::Micros;
use domain::model::quota::{MeterOf, QuotaUnit};
use engine::standing::QuotaStanding;
use engine::topology::Topology;
use serde::Serialize;
use utoipa::ToSchema;

use super::amount::Exact;
use crate::auth::{Caller, Scopes};
use crate::error::ApiError;
use crate::json::{Iso, Money};
use crate::page::Page;
use crate::v1::messages::output::CurrencyCode;
use crate::{ApiState, json, schema};

/// How one quota stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Quota)]
pub(crate) struct QuotaOut<'a> {
    /// The route; absent for a quota of the whole project.
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'a str>,
    /// How long it counts: `hour`, `day` or `month`, in the project's time zone.
    per: &'static str,
    /// What it counts: `messages`, `segments` or `spend`, in units of the project's currency.
    unit: &'static str,
    /// The most that may be used.
    #[schema(value_type = f64)]
    limit: Amount,
    /// What is used: settled, or reserved.
    #[schema(value_type = f64)]
    used: Amount,
    /// Of that, reserved: for submissions whose outcome is not known yet, and for copies that were
    /// given up without an answer, which the provider may have.
    #[schema(value_type = f64)]
    reserved: Amount,
    /// What is left.
    #[schema(value_type = f64)]
    left: Amount,
    /// The same exactly, for `spend`; absent for counts, which are exact.
    #[serde(skip_serializing_if = "Option::is_none")]
    exact: Option<ExactQuotaOut>,
    /// The currency, for `spend`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "EUR")]
    currency: Option<CurrencyCode>,
    /// What is used, in percent, rounded down; above 100 where a provider charged more than expected.
    used_percent: i64,
    /// When the period began.
    #[schema(schema_with = schema::time)]
    period_start: Iso,
    /// When it ends, and all of the quota is there again.
    #[schema(schema_with = schema::time)]
    period_end: Iso,
}

/// Amounts of a quota as decimal text.
#[derive(Serialize, ToSchema)]
#[schema(as = ExactQuota)]
struct ExactQuotaOut {
    /// The most that may be used.
    #[schema(value_type = String, example = "100.00")]
    limit: Exact,
    /// What is used: settled, or reserved.
    #[schema(value_type = String, example = "12.345")]
    used: Exact,
    /// Of that, reserved.
    #[schema(value_type = String, example = "0.045")]
    reserved: Exact,
    /// What is left.
    #[schema(value_type = String, example = "87.655")]
    left: Exact,
}

impl ExactQuotaOut {
    fn of(standing: &QuotaStanding) -> Self {
        let exact = |it: i64| Exact(Micros(it));
        Self {
            limit: exact(standing.quota.limit),
            used: exact(standing.used),
            reserved: exact(standing.reserved),
            left: exact(standing.left()),
        }
    }
}

/// A count, or units of the currency.
#[derive(Clone, Copy)]
pub(crate) enum Amount {
    /// Messages or segments.
    Count(i64),
    /// Money.
    Money(Money),
}

impl Amount {
    /// So much of what a quota counts.
    pub(crate) const fn of(unit: QuotaUnit, it: i64) -> Self {
        match unit {
            QuotaUnit::Messages | QuotaUnit::Segments => Self::Count(it),
            QuotaUnit::Spend => Self::Money(Money(Micros(it))),
        }
    }
}

impl Serialize for Amount {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(count) => serializer.serialize_i64(*count),
            Self::Money(money) => money.serialize(serializer),
        }
    }
}

impl<'a> QuotaOut<'a> {
    /// As it is shown in a list of all.
    pub(crate) fn of(standing: &QuotaStanding, topology: &'a Topology) -> Self {
        let unit = standing.quota.unit;
        let is_money = unit == QuotaUnit::Spend;
        let project = match standing.of {
            MeterOf::Route(key) | MeterOf::Volume(key, _) => topology.project_of_route(key),
            MeterOf::Project(key) => Some(key),
        };
        let project = project.and_then(|it| topology.project(it));
        let currency = project.map(|it| CurrencyCode(it.policy.currency));
        let amount = |it: i64| Amount::of(unit, it);
        Self {
            route: match standing.of {
                MeterOf::Route(key) | MeterOf::Volume(key, _) => {
                    topology.route(key).map(|it| &*it.id)
                }
                MeterOf::Project(_) => None,
            },
            per: standing.quota.per.code(),
            unit: unit.code(),
            limit: amount(standing.quota.limit),
            used: amount(standing.used),
            reserved: amount(standing.reserved),
            left: amount(standing.left()),
            exact: is_money.then(|| ExactQuotaOut::of(standing)),
            currency: currency.filter(|_| is_money),
            used_percent: standing.percent().into(),
            period_start: Iso(standing.began),
            period_end: Iso(standing.ends),
        }
    }
}

/// Lists the quotas of the project and of its routes, the project's first.
#[utoipa::path(
    get,
    path = "/v1/quotas",
    operation_id = "listQuotas",
    tag = "money",
    responses((status = 200, description = "All quotas; one page", body = Page<QuotaOut<'_>>)),
)]
pub(crate) async fn list(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
) -> Result<Response, ApiError> {
    caller.may(Scopes::READ)?;
    let standings = api.engine.quotas(caller.project()).await?;
    let topology = api.engine.topology();
    let items = standings
        .iter()
        .map(|it| QuotaOut::of(it, &topology))
        .collect();
    let page = Page {
        items,
        next_cursor: None,
    };
    Ok(json::response(StatusCode::OK, &page))
}
