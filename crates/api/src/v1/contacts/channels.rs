//! `/v1/contacts/{id}/channels`: the addresses of a contact.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ports::store::contacts::{ContactChange, ContactChannelView, ContactView};
use serde::Serialize;
use utoipa::ToSchema;

use super::input::{self, AddressIn, UpdateAddressIn};
use super::output::ContactChannelOut;
use super::{apply, contact_id, refusal};
use crate::asked::Asked;
use crate::auth::{Caller, Scopes};
use crate::error::{ApiError, ErrorOut, FieldError, Problems};
use crate::path::InPath;
use crate::{ApiState, json};

/// One address.
#[derive(Serialize, ToSchema)]
#[schema(as = ContactChannelEnvelope)]
struct EnvelopeOut<'a> {
    /// The address.
    channel: ContactChannelOut<'a>,
    /// Fields of the request that were ignored.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<FieldError>, required = false)]
    warnings: &'a [FieldError],
}

fn answer(
    status: StatusCode,
    view: &ContactView,
    which: impl Fn(&ContactChannelView) -> bool,
    warnings: &[FieldError],
) -> Result<Response, ApiError> {
    let Some(channel) = view.channels.iter().find(|it| which(it)) else {
        return Err(ApiError::internal(
            "a contact came back without the address that was changed",
        ));
    };
    let channel = ContactChannelOut::of(channel);
    Ok(json::response(status, &EnvelopeOut { channel, warnings }))
}

/// Adds an address to a contact.
#[utoipa::path(
    post,
    path = "/v1/contacts/{contactId}/channels",
    operation_id = "addContactChannel",
    tag = "contacts",
    params(("contactId" = String, Path, description = "Id of the contact")),
    request_body(content = AddressIn, content_type = "application/json"),
    responses(
        (status = 201, description = "The address", body = EnvelopeOut<'_>),
        (status = 400, description = "A field is wrong, or a contact has the address", body = ErrorOut<'_>),
        (status = 404, description = "No such contact", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn add(
    InPath(id): InPath<String>,
    asked: Asked<AddressIn>,
) -> Result<Response, ApiError> {
    let Asked { api, caller, body } = asked.by(Scopes::MANAGE)?;
    let contact = contact_id(&id)?;
    let (input, warnings) = body.open()?;
    let mut problems = Problems::default();
    let address = input.check(&[], &mut problems);
    problems.finish()?;
    // Safe: without an address `problems` has said so above.
    let address = address.ok_or_else(|| ApiError::field(&["identifier"], "is needed"))?;
    let (kind, identifier) = (address.kind, address.identifier.clone());
    let change = ContactChange::AddChannel { contact, address };
    let outcome = apply(&api, &caller, change).await?;
    let view = refusal::done(outcome, |_| vec!["identifier".to_owned()])?;
    let which = |it: &ContactChannelView| it.kind == kind && it.identifier == identifier;
    answer(StatusCode::CREATED, &view, which, &warnings)
}

/// Changes an address. Absent means unchanged, `null` clears.
#[utoipa::path(
    patch,
    path = "/v1/contacts/{contactId}/channels/{channelId}",
    operation_id = "updateContactChannel",
    tag = "contacts",
    params(
        ("contactId" = String, Path, description = "Id of the contact"),
        ("channelId" = String, Path, description = "Id of the address"),
    ),
    request_body(content = UpdateAddressIn, content_type = "application/json"),
    responses(
        (status = 200, description = "The address", body = EnvelopeOut<'_>),
        (status = 400, description = "A field is wrong", body = ErrorOut<'_>),
        (status = 404, description = "No such contact or address", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn update(
    InPath((id, channel)): InPath<(String, String)>,
    asked: Asked<UpdateAddressIn>,
) -> Result<Response, ApiError> {
    let Asked { api, caller, body } = asked.by(Scopes::MANAGE)?;
    let contact = contact_id(&id)?;
    let (input, warnings) = body.open()?;
    let mut problems = Problems::default();
    let label = input::changed_label(input.label.as_ref().map(Option::as_deref), &mut problems);
    let metadata =
        input::changed_metadata(input.metadata.as_ref().map(Option::as_ref), &mut problems);
    problems.finish()?;
    let change = ContactChange::UpdateChannel {
        contact,
        channel: channel.as_str().into(),
        label,
        verified: input.verified,
        metadata,
    };
    let outcome = apply(&api, &caller, change).await?;
    let view = refusal::done(outcome, |_| Vec::new())?;
    answer(StatusCode::OK, &view, |it| *it.id == *channel, &warnings)
}

/// Makes an address the first choice of its kind. Takes no body.
#[utoipa::path(
    post,
    path = "/v1/contacts/{contactId}/channels/{channelId}/primary",
    operation_id = "makeContactChannelPrimary",
    tag = "contacts",
    params(
        ("contactId" = String, Path, description = "Id of the contact"),
        ("channelId" = String, Path, description = "Id of the address"),
    ),
    responses(
        (status = 200, description = "The address", body = EnvelopeOut<'_>),
        (status = 404, description = "No such contact or address", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn make_primary(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath((id, channel)): InPath<(String, String)>,
) -> Result<Response, ApiError> {
    caller.may(Scopes::MANAGE)?;
    let contact = contact_id(&id)?;
    let change = ContactChange::MakePrimary {
        contact,
        channel: channel.as_str().into(),
    };
    let outcome = apply(&api, &caller, change).await?;
    let view = refusal::done(outcome, |_| Vec::new())?;
    answer(StatusCode::OK, &view, |it| *it.id == *channel, &[])
}

/// Removes an address. The last one stays.
#[utoipa::path(
    delete,
    path = "/v1/contacts/{contactId}/channels/{channelId}",
    operation_id = "removeContactChannel",
    tag = "contacts",
    params(
        ("contactId" = String, Path, description = "Id of the contact"),
        ("channelId" = String, Path, description = "Id of the address"),
    ),
    responses(
        (status = 204, description = "Removed"),
        (status = 400, description = "It is the contact's only address", body = ErrorOut<'_>),
        (status = 404, description = "No such contact or address", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn remove(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath((id, channel)): InPath<(String, String)>,
) -> Result<Response, ApiError> {
    caller.may(Scopes::MANAGE)?;
    let contact = contact_id(&id)?;
    let change = ContactChange::RemoveChannel {
        contact,
        channel: channel.as_str().into(),
    };
    refusal::removed(apply(&api, &caller, change).await?)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
