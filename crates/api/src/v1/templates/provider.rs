//! Giving templates to providers, and bringing in what they have.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use domain::model::sender::Sender;
use engine::registrar::{SyncReport, TemplateError};

use super::input::{SubmitIn, SyncIn, read_category};
use super::output::{SyncOut, TemplateOut};
use super::{refusal, template_id};
use crate::asked::Asked;
use crate::auth::{Caller, Scopes};
use crate::error::{ApiError, ErrorOut, Problems};
use crate::path::InPath;
use crate::{ApiState, json};

fn sender(api: &ApiState, caller: &Caller, id: &str) -> Result<Arc<Sender>, ApiError> {
    let topology = api.engine.topology();
    let sender = topology.sender_by_id(caller.project(), id);
    sender.map(Arc::clone).ok_or_else(|| {
        let words = "is not the id of a sender of this project";
        ApiError::not_found("sender").with_field(&["senderId"], words)
    })
}

/// Gives a template to the provider of the sender's WhatsApp for approval.
#[utoipa::path(
    post,
    path = "/v1/templates/{templateId}/submit",
    operation_id = "submitTemplate",
    tag = "templates",
    params(("templateId" = String, Path, description = "Id of the template")),
    request_body(content = SubmitIn, content_type = "application/json"),
    responses(
        (status = 202, description = "The provider has it", body = TemplateOut<'_>),
        (status = 400, description = "A field is wrong, it was submitted before, the sender has no WhatsApp account, or the provider refused it", body = ErrorOut<'_>),
        (status = 404, description = "No such template or sender", body = ErrorOut<'_>),
        (status = 503, description = "The provider or the store cannot be reached", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn submit(
    InPath(id): InPath<String>,
    asked: Asked<SubmitIn>,
) -> Result<Response, ApiError> {
    let Asked { api, caller, body } = asked.by(Scopes::MANAGE)?;
    let id = template_id(&id)?;
    let (input, warnings) = body.open()?;
    let mut problems = Problems::default();
    let category = read_category(input.category.as_deref(), "category", &mut problems);
    if input.sender_id.is_none() {
        problems.add(&["senderId"], "is needed");
    }
    problems.finish()?;
    let sender = sender(&api, &caller, &input.sender_id.unwrap_or_default())?;
    let submitted = caller
        .engine(&api)
        .submit_template(id, &sender, category, caller.0.test)
        .await;
    let template = submitted.map_err(|it| refusal::of(it, "category"))?;
    let answer = TemplateOut::of(&template, &warnings);
    Ok(json::response(StatusCode::ACCEPTED, &answer))
}

/// Brings in the templates that providers have: new ones are made, ours are linked, and what changed
/// there is taken over.
#[utoipa::path(
    post,
    path = "/v1/templates/sync",
    operation_id = "syncTemplates",
    tag = "templates",
    request_body(content = SyncIn, content_type = "application/json"),
    responses(
        (status = 200, description = "What was done", body = SyncOut),
        (status = 400, description = "A field is wrong, or the sender has no WhatsApp account", body = ErrorOut<'_>),
        (status = 404, description = "No such sender", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn sync(asked: Asked<SyncIn>) -> Result<Response, ApiError> {
    let Asked { api, caller, body } = asked.by(Scopes::MANAGE)?;
    let (input, warnings) = body.open_if_any()?;
    let sender = match &input.sender_id {
        Some(id) => Some(sender(&api, &caller, id)?),
        None => None,
    };
    let (project, test) = (caller.project(), caller.0.test);
    let engine = caller.engine(&api);
    let synced = engine.sync_templates(project, sender.as_deref(), test);
    let report = match synced.await {
        // A project without any account has nothing to bring in.
        Err(TemplateError::NoAccount) if sender.is_none() => SyncReport::default(),
        other => other.map_err(|it| refusal::of(it, "category"))?,
    };
    let answer = SyncOut {
        accounts_synced: report.accounts,
        imported: report.imported,
        linked: report.linked,
        updated: report.updated,
        skipped: report.skipped,
        errors: report.errors,
        warnings,
    };
    Ok(json::response(StatusCode::OK, &answer))
}
