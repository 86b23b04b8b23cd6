//! Naming a phone, limiting it, and sending it away.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ports::connector::Connector;
use ports::phones::PhonePatch;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::pairing::name;
use super::{PhoneOut, phones_of, pools_of};
use crate::auth::{Caller, Scopes};
use crate::body::{self, ReadBody, clearable};
use crate::error::{ApiError, ErrorOut, FieldError, Problems};
use crate::path::InPath;
use crate::{ApiState, json};

/// Highest limit.
const LIMIT_MAX: u32 = 100_000;
/// Highest number of a SIM card.
const SIM_MAX: u8 = 8;

/// A change of a phone: what is absent stays, `null` takes the route's figure.
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things"
)]
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UpdatePhone)]
pub(crate) struct UpdateIn {
    /// What people call it.
    #[schema(max_length = 100)]
    name: Option<String>,
    /// The SIM cards that may send, by their numbers; an empty list is the first.
    may_send: Option<Vec<u8>>,
    /// Parts that each of its SIM cards may send in an hour.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<u32>)]
    per_hour: Option<Option<u32>>,
    /// The same in 24 hours.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<u32>)]
    per_day: Option<Option<u32>>,
}

/// The answer.
#[derive(Serialize, ToSchema)]
#[schema(as = PhoneEnvelope)]
struct EnvelopeOut<'a> {
    phone: PhoneOut,
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    warnings: &'a [FieldError],
}

/// Changes a phone's name, limits, or which of its SIM cards may send.
#[utoipa::path(
    patch,
    path = "/v1/phones/{phoneId}",
    operation_id = "updatePhone",
    tag = "phones",
    params(("phoneId" = String, Path, description = "Id of the phone")),
    request_body(content = UpdateIn, content_type = "application/json"),
    responses(
        (status = 200, description = "The phone", body = EnvelopeOut<'_>),
        (status = 400, description = "A field is wrong", body = ErrorOut<'_>),
        (status = 404, description = "No such phone", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn update(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath(id): InPath<String>,
    body: ReadBody,
) -> Result<Response, ApiError> {
    caller.may(Scopes::MANAGE)?;
    let (route, connector, sims) = found(&api, &caller, &id).await?;
    let bytes = body::bytes(body, api.limits.body_bytes)?;
    let mut warnings = Vec::new();
    let input: UpdateIn = body::parse(&bytes, &mut warnings)?;
    let mut problems = Problems::default();
    let new_name = input.name.as_deref().and_then(|it| name(it, &mut problems));
    for (field, limit) in [("perHour", input.per_hour), ("perDay", input.per_day)] {
        if limit.flatten().is_some_and(|it| it > LIMIT_MAX) {
            problems.add(&[field], "must be at most 100000");
        }
    }
    let cards = input.may_send.as_deref().unwrap_or_default();
    if cards.iter().any(|it| !(1..=SIM_MAX).contains(it)) {
        problems.add(&["maySend"], "must be numbers of SIM cards, from 1");
    } else if !cards.is_empty() && sims.is_empty() {
        // It tells them with each start, where it may read them.
        let words = "the phone has not told its SIM cards: until it does, it chooses one itself";
        warnings.push(FieldError::new(&["maySend"], words));
    } else if let Some(absent) = cards.iter().find(|it| !sims.contains(it)) {
        let sims: Vec<_> = sims.iter().map(ToString::to_string).collect();
        let has = sims.join(", ");
        let words = format!("the phone has no SIM card {absent}; it has {has}");
        problems.add(&["maySend"], words);
    }
    problems.finish()?;
    let patch = PhonePatch {
        name: new_name,
        may_send: input.may_send,
        per_hour: input.per_hour,
        per_day: input.per_day,
    };
    if let Some(pool) = connector.phones()
        && pool.change(&id, patch, caller.actor()).await?
    {
        let phones = phones_of(&route, &*connector).await;
        if let Some(phone) = phones.into_iter().find(|it| it.id == id) {
            let warnings = &*warnings;
            let answer = EnvelopeOut { phone, warnings };
            return Ok(json::response(StatusCode::OK, &answer));
        }
    }
    // It was sent away meanwhile.
    Err(ApiError::not_found("phone"))
}

/// The pool of a phone, by its route, and the numbers of the phone's SIM cards.
async fn found(
    api: &ApiState,
    caller: &Caller,
    id: &str,
) -> Result<(Box<str>, Arc<dyn Connector>, Vec<u8>), ApiError> {
    for (route, connector) in pools_of(api, caller) {
        let Some(pool) = connector.phones() else {
            continue;
        };
        let phones = pool.phones().await;
        if let Some(phone) = phones.iter().find(|it| *it.record.id == *id) {
            let sims = phone.record.sims.iter().map(|it| it.number).collect();
            return Ok((route, connector, sims));
        }
    }
    Err(ApiError::not_found("phone"))
}

/// Sends a phone away: from now on its token opens nothing. What it holds goes elsewhere once it
/// certainly does not send it any more.
#[utoipa::path(
    delete,
    path = "/v1/phones/{phoneId}",
    operation_id = "removePhone",
    tag = "phones",
    params(("phoneId" = String, Path, description = "Id of the phone")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "No such phone", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn remove(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    caller.may(Scopes::MANAGE)?;
    for (_, connector) in pools_of(&api, &caller) {
        if let Some(pool) = connector.phones()
            && pool.revoke(&id, caller.actor()).await?
        {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
    }
    Err(ApiError::not_found("phone"))
}
