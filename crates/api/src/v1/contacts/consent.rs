//! `/v1/contacts/{id}/opt-out`, `opt-in` and `consent`: whether a person wants messages, by what
//! somebody was told outside of Tandem (R-IN-2).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::SenderKey;
use domain::model::channel::Channel;
use domain::model::consent::{ConsentChange, ConsentScope, ConsentSource};
use ports::store::Outcome;
use ports::store::consent::{Consent, ConsentSubject, Towards};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::contact_id;
use super::output::ContactOut;
use crate::asked::Asked;
use crate::auth::{Caller, Scopes};
use crate::error::{ApiError, ErrorOut, Problems};
use crate::json::Iso;
use crate::page::{Params, Query};
use crate::path::InPath;
use crate::schema;
use crate::{ApiState, json};

/// Most characters of a reason.
const REASON_CHARS: usize = 500;

/// What changes. Without a body: everything, from the whole project.
#[derive(Deserialize, Default, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(as = ChangeConsent, example = json!({"senderId": "support", "reason": "asked by phone"}))]
pub(crate) struct ConsentIn {
    /// Towards which sender; otherwise every sender of the project, also one that is made later.
    sender_id: Option<String>,
    /// `everything` (the default), or `promotions` only.
    #[schema(schema_with = schema::consent_scope, default = "everything")]
    scope: Option<String>,
    /// How it is known; kept for whoever has to prove it.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// Notes that a contact wants no more messages: nothing is sent any more, what waits included.
#[utoipa::path(
    post,
    path = "/v1/contacts/{contactId}/opt-out",
    operation_id = "optContactOut",
    tag = "contacts",
    params(("contactId" = String, Path, description = "Id of the contact")),
    request_body(content = Option<ConsentIn>, content_type = "application/json"),
    responses(
        (status = 200, description = "The contact", body = ContactOut<'_>),
        (status = 400, description = "A field is wrong", body = ErrorOut<'_>),
        (status = 404, description = "No such contact", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn opt_out(
    InPath(id): InPath<String>,
    asked: Asked<ConsentIn>,
) -> Result<Response, ApiError> {
    change(&id, asked, true).await
}

/// Notes that a contact wants messages again: of one sender, whatever it told the whole project; or
/// of all of them, whatever it told single ones.
#[utoipa::path(
    post,
    path = "/v1/contacts/{contactId}/opt-in",
    operation_id = "optContactIn",
    tag = "contacts",
    params(("contactId" = String, Path, description = "Id of the contact")),
    request_body(content = Option<ConsentIn>, content_type = "application/json"),
    responses(
        (status = 200, description = "The contact", body = ContactOut<'_>),
        (status = 400, description = "A field is wrong", body = ErrorOut<'_>),
        (status = 404, description = "No such contact", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn opt_in(
    InPath(id): InPath<String>,
    asked: Asked<ConsentIn>,
) -> Result<Response, ApiError> {
    change(&id, asked, false).await
}

async fn change(id: &str, asked: Asked<ConsentIn>, opted_out: bool) -> Result<Response, ApiError> {
    let Asked { api, caller, body } = asked.by(Scopes::MANAGE)?;
    let contact = contact_id(id)?;
    let is_there = api
        .engine
        .store()
        .contact(caller.project(), contact)
        .await?;
    if is_there.is_none() {
        return Err(ApiError::not_found("contact"));
    }
    let (input, warnings) = body.open_if_any()?;
    let mut problems = Problems::default();
    let sender = sender(&api, &caller, input.sender_id.as_deref(), &mut problems);
    let scope = match input.scope.as_deref() {
        None => ConsentScope::Everything,
        Some(word) => {
            let found = ConsentScope::ALL.into_iter().find(|it| it.code() == word);
            if found.is_none() {
                problems.add(&["scope"], "must be one of everything, promotions");
            }
            found.unwrap_or(ConsentScope::Everything)
        }
    };
    let reason = input.reason.unwrap_or_default();
    if reason.chars().count() > REASON_CHARS {
        problems.add(&["reason"], "must have at most 500 characters");
    }
    problems.finish()?;
    let consent = Consent {
        project: caller.project(),
        who: ConsentSubject::Contact(contact),
        towards: sender.map_or(Towards::Project, |it| Towards::Senders(vec![it])),
        change: ConsentChange {
            opted_out,
            scope,
            only_if_out: false,
            wording: reason.into(),
        },
        source: ConsentSource::Api,
        channel: None,
        at: api.engine.now(),
    };
    let outcome = caller.engine(&api).change_consent(consent).await?;
    if matches!(outcome, Outcome::Missing) {
        return Err(ApiError::not_found("contact"));
    }
    let Outcome::ConsentKept { .. } = outcome else {
        let words = format!("a change of consent was answered by {outcome:?}");
        return Err(ApiError::internal(&words));
    };
    let store = api.engine.store();
    let view = store.contact(caller.project(), contact).await?;
    let view = view.ok_or_else(|| ApiError::not_found("contact"))?;
    let topology = api.engine.topology();
    let answer = ContactOut::of(
        &view,
        caller.project(),
        api.engine.now(),
        &topology,
        &warnings,
    );
    Ok(json::response(StatusCode::OK, &answer))
}

/// The sender that is named, where one is.
fn sender(
    api: &ApiState,
    caller: &Caller,
    named: Option<&str>,
    problems: &mut Problems,
) -> Option<SenderKey> {
    let (topology, project) = (api.engine.topology(), caller.project());
    let found = topology.sender_by_id(project, named?);
    if found.is_none() {
        problems.add(&["senderId"], "is not the id of a sender of this project");
    }
    found.map(|it| it.key)
}

/// What changed a contact's consent.
#[derive(Serialize, ToSchema)]
#[schema(as = ConsentHistory)]
struct HistoryOut<'a> {
    /// Oldest first.
    items: Vec<RecordOut<'a>>,
}

/// One change of consent.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ConsentRecord)]
struct RecordOut<'a> {
    /// Towards which sender; absent where it was every sender of the project.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender_id: Option<&'a str>,
    /// Whether the contact wanted no more; else again.
    opted_out: bool,
    /// Of which messages.
    #[schema(schema_with = schema::consent_scope)]
    scope: &'static str,
    /// Who told us: a `keyword` of the person, the `provider`, or a caller of the `api`.
    source: &'static str,
    /// On which channel it was said, where on one.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'static str>,
    /// The keyword, the provider's words, or the caller's reason.
    wording: &'a str,
    /// When.
    #[schema(schema_with = schema::time)]
    at: Iso,
}

/// Shows what changed a contact's consent: who said it, when, where, and in which words.
#[utoipa::path(
    get,
    path = "/v1/contacts/{contactId}/consent",
    operation_id = "getContactConsent",
    tag = "contacts",
    params(
        ("contactId" = String, Path, description = "Id of the contact"),
        ("senderId" = Option<String>, Query, description = "Only what counts for this sender: towards it, or the whole project"),
    ),
    responses(
        (status = 200, description = "The changes", body = HistoryOut<'_>),
        (status = 400, description = "A parameter is wrong", body = ErrorOut<'_>),
        (status = 404, description = "No such contact", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn history(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath(id): InPath<String>,
    query: Query,
) -> Result<Response, ApiError> {
    caller.may(Scopes::READ)?;
    let params = Params::new(query)?;
    let mut problems = Problems::default();
    let only = sender(&api, &caller, params.get("senderId"), &mut problems);
    problems.finish()?;
    let contact = contact_id(&id)?;
    let store = api.engine.store();
    if store.contact(caller.project(), contact).await?.is_none() {
        return Err(ApiError::not_found("contact"));
    }
    let records = store.consents(contact).await?;
    let topology = api.engine.topology();
    let items = records
        .iter()
        .filter(|it| only.is_none() || it.sender.is_none() || it.sender == only)
        .filter_map(|it| {
            let sender_id = match it.sender {
                Some(key) => Some(&*topology.sender(key)?.id),
                None => None,
            };
            Some(RecordOut {
                sender_id,
                opted_out: it.change.opted_out,
                scope: it.change.scope.code(),
                source: it.source.code(),
                channel: it.channel.map(Channel::code),
                wording: &it.change.wording,
                at: Iso(it.at),
            })
        })
        .collect();
    Ok(json::response(StatusCode::OK, &HistoryOut { items }))
}
