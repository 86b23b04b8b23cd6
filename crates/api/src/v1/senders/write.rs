//! Making, changing and removing senders. Those of the configuration file are read-only here.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::ids::SenderKey;
use domain::model::sender::{Origin, Sender, sender_address};
use domain::phone::PhoneNumber;
use engine::topology::Topology;
use ports::store::senders::SenderRecord;
use serde::Deserialize;
use utoipa::ToSchema;

use super::SenderOut;
use crate::auth::{Caller, Scopes};
use crate::body::{self, ReadBody};
use crate::configuring::alone;
use crate::error::{ApiError, ErrorOut, FieldError, Problems};
use crate::path::InPath;
use crate::v1::webhooks::{self, ChangedWebhook, WebhookPlan, WebhookWish};
use crate::{ApiState, json};

/// Most characters of a name.
const NAME_CHARS: usize = 200;

/// A new sender.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CreateSender, example = json!({"name": "Acme support", "phoneNumber": "+40700000001"}))]
pub(crate) struct CreateIn {
    /// What people call it.
    #[schema(required = true, min_length = 1, max_length = 200)]
    name: Option<String>,
    /// The number, short code or name that recipients see; empty where the routes fix it.
    phone_number: Option<String>,
    /// Ids of its routes, in its order of preference. Default: those of the project's default sender,
    /// else all of the project.
    routes: Option<Vec<String>>,
    /// Whether it becomes the project's default; the first sender always does.
    set_as_default: Option<bool>,
    /// Where its events are posted.
    #[serde(default, deserialize_with = "body::clearable")]
    #[schema(value_type = Option<String>, max_length = 2048)]
    #[expect(
        clippy::option_option,
        reason = "absent, null and a value are three things"
    )]
    webhook_url: Option<Option<String>>,
    /// Which events; everything but `message.status` for a new webhook.
    webhook_events: Option<Vec<String>>,
    /// Whether the webhook is served.
    webhook_active: Option<bool>,
    /// How deliveries are signed: `v1`, `v1+v2` or `v2`.
    webhook_signature_version: Option<String>,
}

/// A change of a sender: what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UpdateSender)]
pub(crate) struct UpdateIn {
    /// What people call it.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// The number, short code or name that recipients see.
    phone_number: Option<String>,
    /// Ids of its routes, in its order of preference.
    routes: Option<Vec<String>>,
    /// `true` makes it the project's default.
    set_as_default: Option<bool>,
    /// Where its events are posted; `null` removes the webhook.
    #[serde(default, deserialize_with = "body::clearable")]
    #[schema(value_type = Option<String>, max_length = 2048)]
    #[expect(
        clippy::option_option,
        reason = "absent, null and a value are three things"
    )]
    webhook_url: Option<Option<String>>,
    /// Which events; everything but `message.status` for a new webhook.
    webhook_events: Option<Vec<String>>,
    /// Whether the webhook is served.
    webhook_active: Option<bool>,
    /// How deliveries are signed: `v1`, `v1+v2` or `v2`.
    webhook_signature_version: Option<String>,
}

/// What a request says of the webhook.
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things"
)]
fn wish<'a>(
    url: Option<Option<&'a str>>,
    events: Option<&'a [String]>,
    active: Option<bool>,
    signature: Option<&'a str>,
) -> WebhookWish<'a> {
    WebhookWish {
        prefix: "webhook",
        url,
        events: events.map(|it| it.iter().map(String::as_str).collect()),
        active,
        signature,
    }
}

/// Makes a sender.
#[utoipa::path(
    post,
    path = "/v1/senders",
    operation_id = "createSender",
    tag = "senders",
    request_body(content = CreateIn, content_type = "application/json"),
    responses(
        (status = 201, description = "The sender", body = SenderOut<'_>),
        (status = 400, description = "A field is wrong", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn create(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    body: ReadBody,
) -> Result<Response, ApiError> {
    caller.may(Scopes::MANAGE)?;
    alone(&api, made(Arc::clone(&api), caller, body)).await
}

async fn made(api: Arc<ApiState>, caller: Caller, body: ReadBody) -> Result<Response, ApiError> {
    let bytes = body::bytes(body, api.limits.body_bytes)?;
    let mut warnings = Vec::new();
    let input: CreateIn = body::parse(&bytes, &mut warnings)?;
    let topology = api.engine.topology();
    let project = caller.project();
    let mut problems = Problems::default();
    let name = if let Some(name) = &input.name {
        checked_name(name, &mut problems)
    } else {
        problems.add(&["name"], "is needed");
        None
    };
    let address = match &input.phone_number {
        Some(text) => checked_address(text, None, &caller, &topology, &mut problems),
        None => Some(String::new()),
    };
    let routes = match &input.routes {
        Some(ids) => checked_routes(ids, &caller, &topology, &mut problems),
        None => usual_routes(&caller, &topology),
    };
    let wish = wish(
        input.webhook_url.as_ref().map(Option::as_deref),
        input.webhook_events.as_deref(),
        input.webhook_active,
        input.webhook_signature_version.as_deref(),
    );
    let webhook = wish.check(None, api.webhooks, &mut problems);
    problems.finish()?;
    // Safe: without either of them `problems` has said so above.
    let (name, address) = name
        .zip(address)
        .ok_or_else(|| ApiError::field(&["name"], "is needed"))?;
    let now = api.engine.now();
    let id: Box<str> = format!("snd_{:013x}", api.engine.fresh_number() >> 12).into();
    let key = api.engine.sender_key(project, &id).await?;
    api.engine
        .put_sender(SenderRecord {
            key,
            project,
            id,
            name: name.into(),
            address: address.into(),
            routes,
            created_at: now,
            updated_at: now,
        })
        .await?;
    let is_first = topology.senders(project).next().is_none();
    if is_first || input.set_as_default == Some(true) {
        api.engine.make_default(project, key).await?;
    }
    let webhook = webhooks::carry_out(&api, project, key, webhook).await?;
    answer(
        &api,
        &caller,
        (key, webhook),
        StatusCode::CREATED,
        &warnings,
    )
    .await
}

/// Changes a sender that was made by the API. Of one of the configuration file only
/// `setAsDefault` can be changed here.
#[utoipa::path(
    patch,
    path = "/v1/senders/{senderId}",
    operation_id = "updateSender",
    tag = "senders",
    params(("senderId" = String, Path, description = "Id of the sender")),
    request_body(content = UpdateIn, content_type = "application/json"),
    responses(
        (status = 200, description = "The sender", body = SenderOut<'_>),
        (status = 400, description = "A field is wrong, or the configuration file has the sender", body = ErrorOut<'_>),
        (status = 404, description = "No such sender", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn update(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath(id): InPath<String>,
    body: ReadBody,
) -> Result<Response, ApiError> {
    caller.may(Scopes::MANAGE)?;
    alone(&api, changed(Arc::clone(&api), caller, id, body)).await
}

async fn changed(
    api: Arc<ApiState>,
    caller: Caller,
    id: String,
    body: ReadBody,
) -> Result<Response, ApiError> {
    let bytes = body::bytes(body, api.limits.body_bytes)?;
    let mut warnings = Vec::new();
    let input: UpdateIn = body::parse(&bytes, &mut warnings)?;
    let topology = api.engine.topology();
    let sender = find(&topology, &caller, &id)?;
    let mut problems = Problems::default();
    for (field, is_given) in [
        ("name", input.name.is_some()),
        ("phoneNumber", input.phone_number.is_some()),
        ("routes", input.routes.is_some()),
    ] {
        if is_given && sender.origin == Origin::File {
            problems.add(
                &[field],
                "is set in the configuration file; change it there",
            );
        }
    }
    let name = input
        .name
        .as_deref()
        .and_then(|it| checked_name(it, &mut problems));
    let address = input
        .phone_number
        .as_deref()
        .and_then(|it| checked_address(it, Some(sender.key), &caller, &topology, &mut problems));
    let routes = input
        .routes
        .as_ref()
        .map(|it| checked_routes(it, &caller, &topology, &mut problems));
    let known = api.engine.store().webhook(sender.key).await?;
    let wish = wish(
        input.webhook_url.as_ref().map(Option::as_deref),
        input.webhook_events.as_deref(),
        input.webhook_active,
        input.webhook_signature_version.as_deref(),
    );
    let webhook = wish.check(known.as_ref(), api.webhooks, &mut problems);
    problems.finish()?;
    if name.is_some() || address.is_some() || routes.is_some() {
        let mut record = kept(&api, sender, &topology).await?;
        record.name = name.map_or(record.name, Into::into);
        record.address = address.map_or(record.address, Into::into);
        record.routes = routes.unwrap_or(record.routes);
        record.updated_at = api.engine.now();
        api.engine.put_sender(record).await?;
    }
    if input.set_as_default == Some(true) && !sender.is_default {
        api.engine.make_default(sender.project, sender.key).await?;
    }
    let webhook = webhooks::carry_out(&api, sender.project, sender.key, webhook).await?;
    answer(
        &api,
        &caller,
        (sender.key, webhook),
        StatusCode::OK,
        &warnings,
    )
    .await
}

/// Removes a sender that was made by the API. What waits for it fails.
#[utoipa::path(
    delete,
    path = "/v1/senders/{senderId}",
    operation_id = "deleteSender",
    tag = "senders",
    params(("senderId" = String, Path, description = "Id of the sender")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 400, description = "It is the default, or the configuration file has it", body = ErrorOut<'_>),
        (status = 404, description = "No such sender", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn delete(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    caller.may(Scopes::MANAGE)?;
    alone(&api, deleted(Arc::clone(&api), caller, id)).await
}

async fn deleted(api: Arc<ApiState>, caller: Caller, id: String) -> Result<Response, ApiError> {
    let topology = api.engine.topology();
    let sender = find(&topology, &caller, &id)?;
    if sender.origin == Origin::File {
        return Err(ApiError::bad_request(
            "The sender stands in the configuration file; remove it there",
        ));
    }
    // Where none is marked, the first stands in.
    let default = topology.default_sender(caller.project());
    if default.is_some_and(|it| it.key == sender.key) {
        return Err(ApiError::bad_request(
            "Cannot delete the default sender; make another the default first",
        ));
    }
    api.engine.delete_sender(sender.key).await?;
    webhooks::carry_out(&api, sender.project, sender.key, WebhookPlan::Clear).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The project's sender with this id.
pub(crate) fn find<'a>(
    topology: &'a Topology,
    caller: &Caller,
    id: &str,
) -> Result<&'a Arc<Sender>, ApiError> {
    topology
        .sender_by_id(caller.project(), id)
        .ok_or_else(|| ApiError::not_found("sender"))
}

/// A sender of the API as the store keeps it: it may name routes that are not configured for now.
pub(crate) async fn kept(
    api: &ApiState,
    sender: &Sender,
    topology: &Topology,
) -> Result<SenderRecord, ApiError> {
    let kept = api.engine.store().configured_by_api().await?;
    let record = kept.senders.into_iter().find(|it| it.key == sender.key);
    Ok(record.unwrap_or_else(|| record_of(sender, topology)))
}

/// A sender as it is in use.
fn record_of(sender: &Sender, topology: &Topology) -> SenderRecord {
    SenderRecord {
        key: sender.key,
        project: sender.project,
        id: Box::from(&*sender.id),
        name: Box::from(&*sender.name),
        address: Box::from(&*sender.address),
        routes: topology
            .routes_of(sender)
            .map(|it| Box::from(&*it.id))
            .collect(),
        created_at: sender.created_at,
        updated_at: sender.updated_at,
    }
}

async fn answer(
    api: &ApiState,
    caller: &Caller,
    (key, changed): (SenderKey, Option<ChangedWebhook>),
    status: StatusCode,
    warnings: &[FieldError],
) -> Result<Response, ApiError> {
    let (webhook, is_new) = match changed {
        Some(changed) => (Some(changed.webhook), changed.is_new),
        None => (api.engine.store().webhook(key).await?, false),
    };
    let topology = api.engine.topology();
    let sender = topology
        .sender(key)
        .ok_or_else(|| ApiError::not_found("sender"))?;
    let mut answer =
        SenderOut::of(sender, &topology, caller.0.test).with_webhook(webhook.as_ref(), is_new);
    answer.warnings = warnings;
    Ok(json::response(status, &answer))
}

fn checked_name(name: &str, problems: &mut Problems) -> Option<String> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS || name.chars().any(char::is_control) {
        problems.add(&["name"], "must have 1 to 200 characters");
        return None;
    }
    Some(name.to_owned())
}

/// The address in its normal form. A number is one sender's, since its answers are.
fn checked_address(
    text: &str,
    its: Option<SenderKey>,
    caller: &Caller,
    topology: &Topology,
    problems: &mut Problems,
) -> Option<String> {
    let Some(address) = sender_address(text) else {
        problems.add(
            &["phoneNumber"],
            "must be a phone number in E.164, a short code of 3 to 8 digits, or a name of up to 11 letters and digits",
        );
        return None;
    };
    let other = topology
        .senders(caller.project())
        .find(|it| *it.address == *address && Some(it.key) != its);
    if let (Some(other), Some(_)) = (other, PhoneNumber::from_canonical(&address)) {
        let other = &other.id;
        problems.add(
            &["phoneNumber"],
            format!("is the number of the sender {other}"),
        );
        return None;
    }
    Some(address)
}

fn checked_routes(
    ids: &[String],
    caller: &Caller,
    topology: &Topology,
    problems: &mut Problems,
) -> Vec<Box<str>> {
    if ids.is_empty() {
        problems.add(&["routes"], "must name at least one route");
    }
    let mut routes: Vec<Box<str>> = Vec::with_capacity(ids.len());
    for (at, id) in ids.iter().enumerate() {
        let at = at.to_string();
        if topology.route_by_id(caller.project(), id).is_none() {
            problems.add(&["routes", &at], "is not the id of a route of this project");
        } else if routes.iter().any(|it| **it == **id) {
            problems.add(&["routes", &at], "is named twice");
        } else {
            routes.push(id.as_str().into());
        }
    }
    routes
}

/// The routes of a sender that names none.
fn usual_routes(caller: &Caller, topology: &Topology) -> Vec<Box<str>> {
    if let Some(default) = topology.default_sender(caller.project()) {
        return record_of(default, topology).routes;
    }
    topology
        .routes()
        .filter(|it| it.project == caller.project())
        .map(|it| Box::from(&*it.id))
        .collect()
}
