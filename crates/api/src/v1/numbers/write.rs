//! Noting, naming and giving away phone numbers.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::model::sender::Origin;
use domain::phone::PhoneNumber;
use domain::time::Timestamp;
use ports::store::Op;
use ports::store::senders::{NumberRecord, SenderChange};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{EnvelopeOut, NumberOut, Owned, find, numbers};
use crate::asked::Asked;
use crate::auth::{Caller, Scopes};
use crate::body::clearable;
use crate::configuring::alone;
use crate::error::{ApiError, ErrorOut, FieldError, Problems};
use crate::path::InPath;
use crate::v1::senders::write as senders;
use crate::{ApiState, json};

/// Most characters of a name.
const NAME_CHARS: usize = 100;

/// A number that the project has at a provider.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AddPhoneNumber, example = json!({"phoneNumber": "+40700000001"}))]
pub(crate) struct AddIn {
    /// In E.164.
    #[schema(required = true)]
    phone_number: Option<String>,
    /// What people call it.
    #[schema(max_length = 100)]
    name: Option<String>,
}

/// A change of a number: what is absent stays, `null` clears.
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things"
)]
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UpdatePhoneNumber)]
pub(crate) struct UpdateIn {
    /// What people call it.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, max_length = 100)]
    name: Option<Option<String>>,
    /// The sender that is to use it, in place of its own address.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>)]
    sender_id: Option<Option<String>>,
}

/// Notes a number that the project has at a provider. Nothing is bought.
#[utoipa::path(
    post,
    path = "/v1/phone-numbers",
    operation_id = "addPhoneNumber",
    tag = "phone numbers",
    request_body(content = AddIn, content_type = "application/json"),
    responses(
        (status = 201, description = "The number", body = EnvelopeOut<'_>),
        (status = 400, description = "A field is wrong", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn add(asked: Asked<AddIn>) -> Result<Response, ApiError> {
    let asked = asked.by(Scopes::MANAGE)?;
    alone(&Arc::clone(&asked.api), added(asked)).await
}

async fn added(asked: Asked<AddIn>) -> Result<Response, ApiError> {
    let Asked { api, caller, body } = asked;
    let (input, warnings) = body.open()?;
    let mut problems = Problems::default();
    let number = match input.phone_number.as_deref().map(PhoneNumber::parse) {
        Some(Ok(number)) => Some(number),
        Some(Err(error)) => {
            problems.add(&["phoneNumber"], error.to_string());
            None
        }
        None => {
            problems.add(&["phoneNumber"], "is needed: a phone number in E.164");
            None
        }
    };
    let name = input.name.as_deref().and_then(|it| name(it, &mut problems));
    problems.finish()?;
    // Safe: without a number `problems` has said so above.
    let number = number.ok_or_else(|| ApiError::field(&["phoneNumber"], "is needed"))?;
    let now = api.engine.now();
    let known = numbers(&api, caller.project()).await?;
    let before = known.into_iter().find(|it| it.number == number);
    let before = before.and_then(|it| it.record);
    let record = NumberRecord {
        project: caller.project(),
        number: number.as_str().into(),
        name: name.or_else(|| before.as_ref().and_then(|it| it.name.clone())),
        created_at: before.as_ref().map_or(now, |it| it.created_at),
        updated_at: now,
    };
    keep(&api, &caller, record).await?;
    answer(&api, &caller, &number, StatusCode::CREATED, &warnings).await
}

/// Names a number, or gives it to a sender.
#[utoipa::path(
    patch,
    path = "/v1/phone-numbers/{phoneNumberId}",
    operation_id = "updatePhoneNumber",
    tag = "phone numbers",
    params(("phoneNumberId" = String, Path, description = "Id of the number")),
    request_body(content = UpdateIn, content_type = "application/json"),
    responses(
        (status = 200, description = "The number", body = EnvelopeOut<'_>),
        (status = 400, description = "A field is wrong, or the configuration file has the sender", body = ErrorOut<'_>),
        (status = 404, description = "No such number", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn update(
    InPath(id): InPath<String>,
    asked: Asked<UpdateIn>,
) -> Result<Response, ApiError> {
    let asked = asked.by(Scopes::MANAGE)?;
    alone(&Arc::clone(&asked.api), changed(id, asked)).await
}

async fn changed(id: String, asked: Asked<UpdateIn>) -> Result<Response, ApiError> {
    let Asked { api, caller, body } = asked;
    let number = find(&api, caller.project(), &id).await?;
    let (input, warnings) = body.open()?;
    let mut problems = Problems::default();
    let new_name = input
        .name
        .map(|it| it.and_then(|it| name(&it, &mut problems)));
    problems.finish()?;
    if let Some(sender) = &input.sender_id {
        give(&api, &caller, &number, sender.as_deref()).await?;
    }
    if let Some(name) = new_name {
        let now = api.engine.now();
        let mut record = number.record.unwrap_or_else(|| NumberRecord {
            project: caller.project(),
            number: number.number.as_str().into(),
            name: None,
            created_at: number.created_at,
            updated_at: now,
        });
        record.name = name;
        record.updated_at = now;
        keep(&api, &caller, record).await?;
    }
    answer(&api, &caller, &number.number, StatusCode::OK, &warnings).await
}

/// Forgets a number that no sender uses. What the provider charges for it goes on.
#[utoipa::path(
    delete,
    path = "/v1/phone-numbers/{phoneNumberId}",
    operation_id = "removePhoneNumber",
    tag = "phone numbers",
    params(("phoneNumberId" = String, Path, description = "Id of the number")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 400, description = "A sender uses it", body = ErrorOut<'_>),
        (status = 404, description = "No such number", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn remove(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    caller.may(Scopes::MANAGE)?;
    alone(&api, removed(Arc::clone(&api), caller, id)).await
}

async fn removed(api: Arc<ApiState>, caller: Caller, id: String) -> Result<Response, ApiError> {
    let number = find(&api, caller.project(), &id).await?;
    if number.sender.is_some() {
        return Err(ApiError::bad_request(
            "A sender uses the number; take it from the sender first",
        ));
    }
    let change = SenderChange::DeleteNumber(caller.project(), number.number.as_str().into());
    let engine = caller.engine(&api);
    engine.apply(Op::Sender(Box::new(change))).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Makes it the address of a sender, or of none.
async fn give(
    api: &ApiState,
    caller: &Caller,
    number: &Owned,
    to: Option<&str>,
) -> Result<(), ApiError> {
    let topology = api.engine.topology();
    let taker = match to {
        Some(id) => Some(topology.sender_by_id(caller.project(), id).ok_or_else(|| {
            ApiError::field(&["senderId"], "is not the id of a sender of this project")
        })?),
        None => None,
    };
    if taker.map(|it| it.key) == number.sender.as_ref().map(|it| it.key) {
        return Ok(());
    }
    let involved = [number.sender.as_ref(), taker].into_iter().flatten();
    if involved.clone().any(|it| it.origin == Origin::File) {
        return Err(ApiError::field(
            &["senderId"],
            "the sender stands in the configuration file; change it there",
        ));
    }
    // First what must not be forgotten: a number that was known by its sender alone.
    if number.record.is_none() {
        note(api, caller, &number.number, number.created_at).await?;
    }
    if let Some(former) = taker.and_then(|it| PhoneNumber::from_canonical(&it.address)) {
        let known = numbers(api, caller.project()).await?;
        let known = known.into_iter().find(|it| it.number == former);
        if let Some(known) = known.filter(|it| it.record.is_none()) {
            note(api, caller, &former, known.created_at).await?;
        }
    }
    for sender in involved {
        let is_taker = taker.is_some_and(|it| it.key == sender.key);
        let mut record = senders::kept(api, sender, &topology).await?;
        record.address = if is_taker {
            number.number.as_str().into()
        } else {
            Box::default()
        };
        record.updated_at = api.engine.now();
        caller.engine(api).put_sender(record).await?;
    }
    Ok(())
}

/// Keeps a number that has no name.
async fn note(
    api: &ApiState,
    caller: &Caller,
    number: &PhoneNumber,
    created_at: Timestamp,
) -> Result<(), ApiError> {
    let record = NumberRecord {
        project: caller.project(),
        number: number.as_str().into(),
        name: None,
        created_at,
        updated_at: api.engine.now(),
    };
    keep(api, caller, record).await
}

async fn keep(api: &ApiState, caller: &Caller, record: NumberRecord) -> Result<(), ApiError> {
    let change = SenderChange::PutNumber(record);
    let engine = caller.engine(api);
    engine.apply(Op::Sender(Box::new(change))).await?;
    Ok(())
}

async fn answer(
    api: &ApiState,
    caller: &Caller,
    number: &PhoneNumber,
    status: StatusCode,
    warnings: &[FieldError],
) -> Result<Response, ApiError> {
    let number = find(api, caller.project(), &format!("pn_{}", number.digits())).await?;
    let phone_number = NumberOut::of(&number, api, caller);
    let answer = EnvelopeOut {
        phone_number,
        warnings,
    };
    Ok(json::response(status, &answer))
}

fn name(text: &str, problems: &mut Problems) -> Option<Box<str>> {
    let text = text.trim();
    if text.chars().count() > NAME_CHARS || text.chars().any(char::is_control) {
        problems.add(&["name"], "must have at most 100 characters");
    }
    (!text.is_empty()).then(|| text.into())
}
