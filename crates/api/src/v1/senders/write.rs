//! Making, changing and removing senders. Those of the configuration file are read-only here.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::ids::SenderKey;
use domain::model::sender::{Origin, Sender};
use engine::topology::Topology;
use ports::store::Outcome;
use ports::store::senders::{SenderRecord, SenderSettings};

use super::SenderOut;
use super::input::{
    CreateIn, UpdateIn, checked_address, checked_fallback, checked_name, checked_routes,
    checked_template,
};
use crate::asked::Asked;
use crate::auth::{Caller, Scopes};
use crate::configuring::alone;
use crate::error::{ApiError, ErrorOut, FieldError, Problems};
use crate::path::InPath;
use crate::v1::webhooks::{ChangedWebhook, ReadyWebhook};
use crate::{ApiState, json};

/// Makes a sender, with its webhook and as the default where that is asked for: all of it, or nothing.
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
pub(crate) async fn create(asked: Asked<CreateIn>) -> Result<Response, ApiError> {
    let asked = asked.by(Scopes::MANAGE)?;
    alone(&Arc::clone(&asked.api), made(asked)).await
}

async fn made(asked: Asked<CreateIn>) -> Result<Response, ApiError> {
    let Asked { api, caller, body } = asked;
    let (input, warnings) = body.open()?;
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
    let template = checked_template(
        input.default_template.as_ref(),
        project,
        &api.engine,
        &mut problems,
    );
    let fallback_after = checked_fallback(input.fallback_after, &mut problems);
    let webhook = input.webhook().check(None, api.webhooks, &mut problems);
    problems.finish()?;
    // Safe: without either of them `problems` has said so above.
    let (name, address) = name
        .zip(address)
        .ok_or_else(|| ApiError::field(&["name"], "is needed"))?;
    let now = api.engine.now();
    let id: Box<str> = format!("snd_{:013x}", api.engine.fresh_number() >> 12).into();
    let key = api.engine.sender_key(project, &id).await?;
    let record = SenderRecord {
        key,
        project,
        id,
        name: name.into(),
        address: address.into(),
        routes,
        default_template: template.flatten(),
        fallback_after: fallback_after.flatten(),
        created_at: now,
        updated_at: now,
    };
    let is_first = topology.senders(project).next().is_none();
    let webhook = ReadyWebhook::of(webhook)?;
    let settings = SenderSettings {
        project,
        sender: key,
        record: Some(record),
        make_default: is_first || input.set_as_default == Some(true),
        webhook: webhook.setting.clone(),
        at: now,
    };
    let webhook = webhook.changed(set(&api, &caller, settings).await?);
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
/// `setAsDefault` and the webhook can be changed here. All of it is done, or nothing.
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
    InPath(id): InPath<String>,
    asked: Asked<UpdateIn>,
) -> Result<Response, ApiError> {
    let asked = asked.by(Scopes::MANAGE)?;
    alone(&Arc::clone(&asked.api), changed(id, asked)).await
}

async fn changed(id: String, asked: Asked<UpdateIn>) -> Result<Response, ApiError> {
    let Asked { api, caller, body } = asked;
    let topology = api.engine.topology();
    let sender = find(&topology, &caller, &id)?;
    let (input, warnings) = body.open()?;
    let mut problems = Problems::default();
    for (field, is_given) in [
        ("name", input.name.is_some()),
        ("phoneNumber", input.phone_number.is_some()),
        ("routes", input.routes.is_some()),
        ("defaultTemplate", input.default_template.is_some()),
        ("fallbackAfter", input.fallback_after.is_some()),
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
    let template = checked_template(
        input.default_template.as_ref(),
        sender.project,
        &api.engine,
        &mut problems,
    );
    let fallback_after = checked_fallback(input.fallback_after, &mut problems);
    let wish = input.webhook();
    let webhook = wish.check(known.as_ref(), api.webhooks, &mut problems);
    problems.finish()?;
    let now = api.engine.now();
    let changes = name.is_some()
        || address.is_some()
        || routes.is_some()
        || template.is_some()
        || fallback_after.is_some();
    let record = if changes {
        let mut record = kept(&api, sender, &topology).await?;
        record.name = name.map_or(record.name, Into::into);
        record.address = address.map_or(record.address, Into::into);
        record.routes = routes.unwrap_or(record.routes);
        record.default_template = template.unwrap_or(record.default_template);
        record.fallback_after = fallback_after.unwrap_or(record.fallback_after);
        record.updated_at = now;
        Some(record)
    } else {
        None
    };
    let webhook = ReadyWebhook::of(webhook)?;
    let settings = SenderSettings {
        project: sender.project,
        sender: sender.key,
        record,
        make_default: input.set_as_default == Some(true) && !sender.is_default,
        webhook: webhook.setting.clone(),
        at: now,
    };
    let webhook = webhook.changed(set(&api, &caller, settings).await?);
    answer(
        &api,
        &caller,
        (sender.key, webhook),
        StatusCode::OK,
        &warnings,
    )
    .await
}

/// Has all of it done, or nothing.
async fn set(
    api: &ApiState,
    caller: &Caller,
    settings: SenderSettings,
) -> Result<Outcome, ApiError> {
    let outcome = caller.engine(api).set_sender(settings).await?;
    if let Outcome::Missing = outcome {
        // The webhook was removed while this was read.
        return Err(ApiError::field(
            &["webhookUrl"],
            "is needed: the sender has no webhook",
        ));
    }
    Ok(outcome)
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
    caller.engine(&api).delete_sender(sender.key).await?;
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
        default_template: sender.default_template.clone(),
        fallback_after: sender.fallback_after,
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
