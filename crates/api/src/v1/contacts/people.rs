//! `/v1/contacts`: making, finding, changing, merging and erasing contacts.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::ids::{ContactId, ProjectKey};
use domain::phone::PhoneNumber;
use ports::store::contacts::{ContactChange, ContactFilter, ContactView};

use super::input::{self, CreateIn, MergeIn, UpdateIn};
use super::output::ContactOut;
use super::{apply, contact_id, refusal};
use crate::asked::{Asked, AskedList};
use crate::auth::{Caller, Scopes};
use crate::error::{ApiError, ErrorOut, FieldError, Problems};
use crate::page::{Page, PageIn, page};
use crate::path::InPath;
use crate::v1::messages::request::metadata;
use crate::{ApiState, json};

fn answer(
    api: &ApiState,
    project: ProjectKey,
    status: StatusCode,
    view: &ContactView,
    warnings: &[FieldError],
) -> Response {
    let (now, topology) = (api.engine.now(), api.engine.topology());
    json::response(
        status,
        &ContactOut::of(view, project, now, &topology, warnings),
    )
}

/// Makes a contact. Contacts are also made by the first message to or from a number.
#[utoipa::path(
    post,
    path = "/v1/contacts",
    operation_id = "createContact",
    tag = "contacts",
    request_body(content = CreateIn, content_type = "application/json"),
    responses(
        (status = 201, description = "The contact", body = ContactOut<'_>),
        (status = 400, description = "A field is wrong, or another contact has an address", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn create(asked: Asked<CreateIn>) -> Result<Response, ApiError> {
    let Asked { api, caller, body } = asked.by(Scopes::MANAGE)?;
    let (input, warnings) = body.open()?;
    let mut problems = Problems::default();
    let addresses = input.addresses(&mut problems);
    let display_name = input::display_name(input.display_name.as_deref(), &mut problems);
    let metadata = input
        .metadata
        .as_ref()
        .map(|it| metadata(it, &mut problems));
    problems.finish()?;
    let kinds: Vec<_> = addresses.iter().map(|it| it.kind).collect();
    let change = ContactChange::Create {
        display_name,
        metadata,
        addresses,
    };
    let outcome = apply(&api, &caller, change).await?;
    let view = refusal::done(outcome, |kind| {
        // The first of that kind; which of several it is, the store does not say.
        let index = kinds.iter().position(|it| *it == kind).unwrap_or(0);
        vec![
            "channels".to_owned(),
            index.to_string(),
            "identifier".to_owned(),
        ]
    })?;
    Ok(answer(
        &api,
        caller.project(),
        StatusCode::CREATED,
        &view,
        &warnings,
    ))
}

/// Lists contacts, newest first.
#[utoipa::path(
    get,
    path = "/v1/contacts",
    operation_id = "listContacts",
    tag = "contacts",
    params(
        ("phoneNumber" = Option<String>, Query, description = "Only the one with this number"),
        ("search" = Option<String>, Query, description = "Only those whose name, number or other address contains this"),
        PageIn,
    ),
    responses(
        (status = 200, description = "A page of contacts", body = Page<ContactOut<'_>>),
        (status = 400, description = "A parameter is wrong", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn list(asked: AskedList) -> Result<Response, ApiError> {
    let (api, caller, mut params) = asked.by(Scopes::READ)?;
    let phone = params.phone("phoneNumber");
    if params.get("tag").is_some() {
        params.wrong("tag", "no contact has tags: they are not yet supported");
    }
    let search = params.get("search").map(Into::into);
    let limit = params.limit();
    let before: Option<ContactId> = params.cursor();
    params.done()?;
    let project = caller.project();
    let filter = ContactFilter {
        project,
        phone,
        search,
        before,
        limit: limit + 1,
    };
    let mut views = api.engine.store().contacts(filter).await?;
    let (now, topology) = (api.engine.now(), api.engine.topology());
    let show = |it| ContactOut::of(it, project, now, &topology, &[]);
    Ok(page(&mut views, limit, |it| it.id, show))
}

/// Shows one contact.
#[utoipa::path(
    get,
    path = "/v1/contacts/{contactId}",
    operation_id = "getContact",
    tag = "contacts",
    params(("contactId" = String, Path, description = "Id of the contact")),
    responses(
        (status = 200, description = "The contact", body = ContactOut<'_>),
        (status = 404, description = "No such contact", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn get(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    caller.may(Scopes::READ)?;
    let found = api
        .engine
        .store()
        .contact(caller.project(), contact_id(&id)?)
        .await?;
    let view = found.ok_or_else(|| ApiError::not_found("contact"))?;
    Ok(answer(&api, caller.project(), StatusCode::OK, &view, &[]))
}

/// Shows the contact with a phone number.
#[utoipa::path(
    get,
    path = "/v1/contacts/phone/{phoneNumber}",
    operation_id = "getContactByPhone",
    tag = "contacts",
    params(("phoneNumber" = String, Path, description = "The number in E.164; the plus need not be escaped")),
    responses(
        (status = 200, description = "The contact", body = ContactOut<'_>),
        (status = 400, description = "Not a phone number", body = ErrorOut<'_>),
        (status = 404, description = "No such contact", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn by_phone(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath(number): InPath<String>,
) -> Result<Response, ApiError> {
    caller.may(Scopes::READ)?;
    let phone = PhoneNumber::parse(&number)
        .map_err(|error| ApiError::field(&["phoneNumber"], error.to_string()))?;
    let project = caller.project();
    let filter = ContactFilter {
        project,
        phone: Some(phone),
        search: None,
        before: None,
        limit: 1,
    };
    let found = api.engine.store().contacts(filter).await?;
    let view = found
        .first()
        .ok_or_else(|| ApiError::not_found("contact"))?;
    Ok(answer(&api, caller.project(), StatusCode::OK, view, &[]))
}

/// Changes a contact. Absent means unchanged, `null` clears.
#[utoipa::path(
    patch,
    path = "/v1/contacts/{contactId}",
    operation_id = "updateContact",
    tag = "contacts",
    params(("contactId" = String, Path, description = "Id of the contact")),
    request_body(content = UpdateIn, content_type = "application/json"),
    responses(
        (status = 200, description = "The contact", body = ContactOut<'_>),
        (status = 400, description = "A field is wrong", body = ErrorOut<'_>),
        (status = 404, description = "No such contact", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn update(
    InPath(id): InPath<String>,
    asked: Asked<UpdateIn>,
) -> Result<Response, ApiError> {
    let Asked { api, caller, body } = asked.by(Scopes::MANAGE)?;
    let contact = contact_id(&id)?;
    let (input, warnings) = body.open()?;
    let mut problems = Problems::default();
    let display_name = input
        .display_name
        .map(|it| input::display_name(it.as_deref(), &mut problems));
    let default_channel = input
        .default_channel
        .map(|it| it.and_then(|word| input::kind(Some(&word), &["defaultChannel"], &mut problems)));
    let metadata =
        input::changed_metadata(input.metadata.as_ref().map(Option::as_ref), &mut problems);
    problems.finish()?;
    let change = ContactChange::Update {
        contact,
        display_name,
        default_channel,
        metadata,
    };
    let outcome = apply(&api, &caller, change).await?;
    let view = refusal::done(outcome, |_| Vec::new())?;
    Ok(answer(
        &api,
        caller.project(),
        StatusCode::OK,
        &view,
        &warnings,
    ))
}

/// Erases a contact with its addresses, metrics and threads. Its messages stay, without it. What it
/// opted out of is remembered for its addresses, as a keyed hash that does not tell them.
#[utoipa::path(
    delete,
    path = "/v1/contacts/{contactId}",
    operation_id = "deleteContact",
    tag = "contacts",
    params(("contactId" = String, Path, description = "Id of the contact")),
    responses(
        (status = 204, description = "Erased"),
        (status = 404, description = "No such contact", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn delete(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    caller.may(Scopes::MANAGE)?;
    let change = ContactChange::Delete {
        contact: contact_id(&id)?,
    };
    refusal::removed(apply(&api, &caller, change).await?)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Moves addresses, messages, threads and metrics of another contact to this one, and erases the
/// other.
#[utoipa::path(
    post,
    path = "/v1/contacts/{contactId}/merge",
    operation_id = "mergeContacts",
    tag = "contacts",
    params(("contactId" = String, Path, description = "Id of the contact that stays")),
    request_body(content = MergeIn, content_type = "application/json"),
    responses(
        (status = 200, description = "The contact that stays", body = ContactOut<'_>),
        (status = 400, description = "A field is wrong, or both are the same contact", body = ErrorOut<'_>),
        (status = 404, description = "No such contact", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn merge(
    InPath(id): InPath<String>,
    asked: Asked<MergeIn>,
) -> Result<Response, ApiError> {
    let Asked { api, caller, body } = asked.by(Scopes::MANAGE)?;
    let target = contact_id(&id)?;
    let (input, warnings) = body.open()?;
    let Some(source) = input.source_contact_id else {
        return Err(ApiError::field(&["sourceContactId"], "is needed"));
    };
    let source = contact_id(&source)
        .map_err(|it| it.with_field(&["sourceContactId"], "is not the id of a contact"))?;
    let outcome = apply(&api, &caller, ContactChange::Merge { target, source }).await?;
    let view = refusal::done(outcome, |_| Vec::new())?;
    Ok(answer(
        &api,
        caller.project(),
        StatusCode::OK,
        &view,
        &warnings,
    ))
}
