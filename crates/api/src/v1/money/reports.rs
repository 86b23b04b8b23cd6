//! `GET /v1/costs` and `GET /v1/deliverability`: what did messages cost, and what became of them, by
//! time, channel, route, sender, country, class and campaign (R-METRIC-4)?

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::{CampaignKey, RouteKey, SenderKey};
use domain::model::channel::Channel;
use domain::model::message::TrafficClass;
use domain::model::tally::Tally;
use domain::phone::CountryCode;
use domain::time::Timestamp;
use engine::topology::{Project, Topology};
use ports::store::books::TallyRow;
use serde::Serialize;
use utoipa::ToSchema;

use super::amount::Exact;
use super::range::{MOST_ITEMS, MOST_READ, Range, Step, day};
use crate::auth::{Caller, Scopes};
use crate::error::{ApiError, ErrorOut};
use crate::json::{Iso, Money};
use crate::page::Query;
use crate::v1::messages::output::CurrencyCode;
use crate::{ApiState, json, schema};

/// Sums of a time.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Report<T: ToSchema> {
    /// In the order of time, channel, route, sender, country, class and campaign.
    items: Vec<T>,
    /// All of them together.
    total: T,
    /// Hours that begin at this time or later …
    #[schema(schema_with = schema::time)]
    from: Iso,
    /// … and before this.
    #[schema(schema_with = schema::time)]
    until: Iso,
    /// The time zone of the days.
    timezone: String,
    /// The currency of the costs.
    #[schema(value_type = String, example = "EUR")]
    currency: CurrencyCode,
}

/// What a sum is of. What it is not kept apart by is absent.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ReportGroup)]
struct GroupOut {
    /// The day, in the project's time zone. An hour belongs to the day in which it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    day: Option<String>,
    /// The start of the hour. Hours are those of UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    hour: Option<Iso>,
    /// The channel, empty where the route does not stand in the configuration any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'static str>,
    /// The route, also where it is not configured any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<String>,
    /// The sender, empty where there is none any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<String>,
    /// The recipients' country, empty where their addresses tell none.
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    /// `direct` or `bulk`.
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'static str>,
    /// The campaign that callers named, empty where they named none.
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign: Option<String>,
}

/// What messages cost.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Costs)]
struct CostsOut {
    #[serde(flatten)]
    group: GroupOut,
    /// Attempts that a provider took.
    sent: i64,
    /// Segments that providers took.
    segments: i64,
    /// What they charged.
    #[schema(value_type = f64)]
    cost: Money,
    /// The same exactly.
    #[schema(value_type = String, example = "0.035")]
    cost_exact: Exact,
}

/// What became of messages.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Deliverability)]
struct DeliverabilityOut {
    #[serde(flatten)]
    group: GroupOut,
    /// Attempts that a provider took.
    sent: i64,
    /// Of those, delivered or read.
    delivered: i64,
    /// Attempts that failed, before or after a provider took them.
    failed: i64,
    /// Of the sent ones, the delivered ones in percent; `null` where none was sent.
    #[schema(required = true)]
    delivered_percent: Option<f64>,
    /// Of those that ended, the failed ones in percent; `null` where none ended.
    #[schema(required = true)]
    failed_percent: Option<f64>,
    /// Mean of the times from submission to delivery; `null` where none was delivered.
    #[schema(required = true)]
    avg_delivery_time_ms: Option<i64>,
}

/// In percent, with two decimals.
fn percent(part: i64, whole: i64) -> Option<f64> {
    if whole <= 0 {
        return None;
    }
    let hundredths = (i128::from(part) * 10_000 + i128::from(whole) / 2) / i128::from(whole);
    let hundredths = u32::try_from(hundredths).ok()?;
    Some(f64::from(hundredths) / 100.0)
}

impl CostsOut {
    fn of(group: GroupOut, tally: &Tally) -> Self {
        Self {
            group,
            sent: tally.sent,
            segments: tally.segments,
            cost: Money(tally.cost),
            cost_exact: Exact(tally.cost),
        }
    }
}

impl DeliverabilityOut {
    fn of(group: GroupOut, tally: &Tally) -> Self {
        Self {
            group,
            sent: tally.sent,
            delivered: tally.delivered,
            failed: tally.failed,
            delivered_percent: percent(tally.delivered, tally.sent),
            failed_percent: percent(tally.failed, tally.delivered + tally.failed),
            avg_delivery_time_ms: (tally.delivered > 0)
                .then(|| tally.delivery_time.get() / tally.delivered),
        }
    }
}

/// What a row is of, in the order in which rows are served.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    hour: Option<Timestamp>,
    day: Option<jiff::civil::Date>,
    #[expect(
        clippy::option_option,
        reason = "not kept apart, the channel of a route that is gone, and a channel are three things"
    )]
    channel: Option<Option<Channel>>,
    route: Option<RouteKey>,
    sender: Option<SenderKey>,
    #[expect(
        clippy::option_option,
        reason = "not kept apart, no country, and a country are three things"
    )]
    country: Option<Option<CountryCode>>,
    class: Option<TrafficClass>,
    #[expect(
        clippy::option_option,
        reason = "not kept apart, no campaign, and a campaign are three things"
    )]
    campaign: Option<Option<CampaignKey>>,
}

impl Group {
    const ALL: Self = Self {
        hour: None,
        day: None,
        channel: None,
        route: None,
        sender: None,
        country: None,
        class: None,
        campaign: None,
    };

    /// `channel`: that of the row's route, where it is read and known.
    fn of(row: &TallyRow, range: &Range, channel: Option<Channel>, project: &Project) -> Self {
        let is_by_day = range.step == Step::Day;
        let day = |hour| day(hour, &project.policy.timezone);
        Self {
            hour: row.hour.filter(|_| !is_by_day),
            day: row.hour.filter(|_| is_by_day).and_then(day),
            channel: range.by.channel.then_some(channel),
            route: row.route.filter(|_| range.by.route),
            sender: row.sender,
            country: row.country,
            class: row.class,
            campaign: row.campaign,
        }
    }

    /// `campaigns`: their names, in the order of their keys.
    fn shown(self, topology: &Topology, campaigns: &[(CampaignKey, Box<str>)]) -> GroupOut {
        let named = |it: Option<&str>| it.unwrap_or_default().to_owned();
        let name_of = |key: CampaignKey| {
            let at = campaigns.binary_search_by_key(&key, |it| it.0).ok()?;
            Some(&*campaigns[at].1)
        };
        GroupOut {
            day: self.day.map(|it| it.to_string()),
            hour: self.hour.map(Iso),
            channel: self.channel.map(|it| it.map_or("", Channel::code)),
            route: self.route.map(|it| named(topology.route_name(it))),
            sender: self
                .sender
                .map(|it| named(topology.sender(it).map(|it| &*it.id))),
            country: self
                .country
                .map(|it| it.map(|it| it.to_string()).unwrap_or_default()),
            class: self.class.map(TrafficClass::code),
            campaign: self.campaign.map(|it| named(it.and_then(name_of))),
        }
    }
}

/// Reads what is asked for, and shows it so.
async fn report<T: Serialize + ToSchema>(
    api: &ApiState,
    caller: &Caller,
    query: Query,
    show: impl Fn(GroupOut, &Tally) -> T,
) -> Result<Response, ApiError> {
    caller.may(Scopes::READ)?;
    let topology = api.engine.topology();
    let project = topology
        .project(caller.project())
        .ok_or_else(ApiError::unauthorized)?;
    let campaigns = api.engine.store().campaigns(project.key).await?;
    let now = api.engine.now();
    let range = Range::read(query, project, &topology, &campaigns, now)?;
    let filter = range.filter;
    let rows = api.engine.store().tallies(filter).await?;
    let too_many = || {
        ApiError::field(
            &["by"],
            "gives more sums than one answer may have; ask for a shorter time, for one channel, route, sender, country, class or campaign, or by less",
        )
    };
    if rows.len() > MOST_READ as usize {
        return Err(too_many());
    }
    let mut total = Tally::NONE;
    let mut sums: BTreeMap<Group, Tally> = BTreeMap::new();
    for row in &rows {
        let channel = row.route.and_then(|it| topology.channel_of_route(it));
        if range.channel.is_some() && channel != range.channel {
            continue;
        }
        total = total.plus(row.tally);
        let sum = sums
            .entry(Group::of(row, &range, channel, project))
            .or_default();
        *sum = sum.plus(row.tally);
    }
    if sums.len() > MOST_ITEMS {
        return Err(too_many());
    }
    let items = sums
        .into_iter()
        .filter(|(_, tally)| *tally != Tally::NONE)
        .map(|(group, tally)| show(group.shown(&topology, &campaigns), &tally))
        .collect();
    let answer = Report {
        items,
        total: show(Group::ALL.shown(&topology, &campaigns), &total),
        from: Iso(filter.from),
        until: Iso(filter.until),
        timezone: zone_name(project),
        currency: CurrencyCode(project.policy.currency),
    };
    Ok(json::response(StatusCode::OK, &answer))
}

fn zone_name(project: &Project) -> String {
    let zone = &project.policy.timezone;
    zone.iana_name().unwrap_or("UTC").to_owned()
}

/// Sums up what messages cost.
#[utoipa::path(
    get,
    path = "/v1/costs",
    operation_id = "getCosts",
    tag = "money",
    params(Range),
    responses(
        (status = 200, description = "The sums", body = Report<CostsOut>),
        (status = 400, description = "A parameter is wrong", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn costs(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    query: Query,
) -> Result<Response, ApiError> {
    report(&api, &caller, query, CostsOut::of).await
}

/// Sums up what became of messages.
#[utoipa::path(
    get,
    path = "/v1/deliverability",
    operation_id = "getDeliverability",
    tag = "money",
    params(Range),
    responses(
        (status = 200, description = "The sums", body = Report<DeliverabilityOut>),
        (status = 400, description = "A parameter is wrong", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn deliverability(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    query: Query,
) -> Result<Response, ApiError> {
    report(&api, &caller, query, DeliverabilityOut::of).await
}
