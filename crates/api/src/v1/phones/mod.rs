//! `/v1/phones`: the team's phones with an app: which are there, and how one is added (R-PHONE-1).

mod pairing;
mod write;

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use ports::connector::Connector;
use ports::phones::PhoneStanding;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Caller, Scopes};
use crate::error::{ApiError, ErrorOut};
use crate::json::Iso;
use crate::page::Page;
use crate::phone::pools;
use crate::schema;
use crate::{ApiState, json};

/// The paths of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(pairing::pair))
        .routes(routes!(write::update, write::remove))
}

/// The pools of the caller's project: the ids of their routes, and their connectors.
fn pools_of(api: &ApiState, caller: &Caller) -> Vec<(Box<str>, Arc<dyn Connector>)> {
    let topology = api.engine.topology();
    let mut pools = pools(api);
    pools.retain(|(id, _)| topology.route_by_id(caller.project(), id).is_some());
    pools
}

/// A SIM card of a phone.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PhoneSim)]
struct SimOut {
    /// Its number in the phone, from 1.
    number: u8,
    /// Its telephone number as the phone tells it: often all but the last digits are stars.
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<Box<str>>,
    /// Its carrier as the phone tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<Box<str>>,
}

/// How a phone is, by its own word.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PhoneHealth)]
struct HealthOut {
    /// `pass`, `warn` or `fail`.
    status: Box<str>,
    /// The version of its app.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<Box<str>>,
    /// Its battery, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    battery: Option<u8>,
    /// When it said so.
    #[schema(schema_with = schema::time)]
    at: Iso,
}

/// A phone of the team.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Phone)]
pub(crate) struct PhoneOut {
    /// Its id.
    id: String,
    /// What people call it.
    name: Box<str>,
    /// The route of its pool.
    route_id: String,
    /// Whether messages can be handed to it now.
    present: bool,
    /// Whether it listens for messages all the time; else it looks for them now and then.
    connected: bool,
    /// Whether it has its webhooks: without them nothing comes in.
    webhooks_installed: bool,
    /// Messages that it holds.
    holds: u32,
    /// Parts that it was handed in the last hour.
    sent_last_hour: u32,
    /// Parts that it was handed in the last 24 hours.
    sent_last_day: u32,
    /// Parts that each of its SIM cards may send in an hour; `null` is the route's figure.
    #[schema(required = true)]
    per_hour: Option<u32>,
    /// The same in 24 hours.
    #[schema(required = true)]
    per_day: Option<u32>,
    /// Its SIM cards.
    sims: Vec<SimOut>,
    /// The SIM cards that may send; empty is the first.
    may_send: Vec<u8>,
    /// How it is, where it said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<HealthOut>,
    /// Until when it is left alone, because it could not send.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::time)]
    rests_until: Option<Iso>,
    /// By how many seconds its clock is ahead of the server's, less than zero behind; absent until it said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    clock_off_seconds: Option<i64>,
    /// When it was last heard of.
    #[schema(schema_with = schema::time)]
    last_seen_at: Iso,
    /// When it was paired.
    #[schema(schema_with = schema::time)]
    created_at: Iso,
}

impl PhoneOut {
    fn of(route: &str, it: PhoneStanding) -> Self {
        let sim = |it: ports::store::phones::SimCard| SimOut {
            number: it.number,
            phone_number: it.phone_number,
            carrier: it.carrier,
        };
        Self {
            id: it.record.id.to_string(),
            name: it.record.name,
            route_id: route.to_owned(),
            present: it.present,
            connected: it.streams > 0,
            webhooks_installed: it.hooks_installed,
            holds: it.holds,
            sent_last_hour: it.used.0,
            sent_last_day: it.used.1,
            per_hour: it.record.per_hour,
            per_day: it.record.per_day,
            sims: it.record.sims.into_iter().map(sim).collect(),
            may_send: it.record.may_send,
            health: it.record.health.map(|it| HealthOut {
                status: it.status,
                version: it.version,
                battery: it.battery,
                at: Iso(it.at),
            }),
            rests_until: it.rests_until.map(Iso),
            clock_off_seconds: it.clock_off,
            last_seen_at: Iso(it.record.seen_at),
            created_at: Iso(it.record.created_at),
        }
    }
}

/// The phones of a pool.
async fn phones_of(route: &str, connector: &dyn Connector) -> Vec<PhoneOut> {
    let Some(pool) = connector.phones() else {
        return Vec::new();
    };
    let phones = pool.phones().await.into_iter();
    phones.map(|it| PhoneOut::of(route, it)).collect()
}

/// Lists the team's phones with their state now.
#[utoipa::path(
    get,
    path = "/v1/phones",
    operation_id = "listPhones",
    tag = "phones",
    responses(
        (status = 200, description = "All phones; one page", body = Page<PhoneOut>),
        (status = 401, description = "Not a known key", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn list(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
) -> Result<Response, ApiError> {
    caller.may(Scopes::READ)?;
    let mut items = Vec::new();
    for (route, connector) in pools_of(&api, &caller) {
        items.extend(phones_of(&route, &*connector).await);
    }
    let page = Page {
        items,
        next_cursor: None,
    };
    Ok(json::response(StatusCode::OK, &page))
}
