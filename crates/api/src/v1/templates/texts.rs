//! Making, listing, showing and forgetting templates.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::ids::TemplateId;
use ports::store::templates::TemplateFilter;

use super::input::{CreateIn, named};
use super::output::TemplateOut;
use super::{refusal, template_id};
use crate::asked::{Asked, AskedList};
use crate::auth::{Caller, Scopes};
use crate::error::{ApiError, ErrorOut, Problems};
use crate::page::{Page, PageIn, page};
use crate::path::InPath;
use crate::{ApiState, json};

/// Makes a template, as a draft. SMS and Telegram carry it at once, WhatsApp once it is approved.
#[utoipa::path(
    post,
    path = "/v1/templates",
    operation_id = "createTemplate",
    tag = "templates",
    request_body(content = CreateIn, content_type = "application/json"),
    responses(
        (status = 201, description = "The template", body = TemplateOut<'_>),
        (status = 400, description = "A field is wrong", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn create(asked: Asked<CreateIn>) -> Result<Response, ApiError> {
    let Asked { api, caller, body } = asked.by(Scopes::MANAGE)?;
    let (input, warnings) = body.open()?;
    let mut problems = Problems::default();
    let text = input.text(&mut problems);
    let absent = problems.paths();
    for it in named(
        &domain::rules::template::problems(&text),
        "whatsappCategory",
    ) {
        // Of what is missing or no word of the API, the rule has nothing to add.
        if !absent.contains(&it.path) {
            problems.push(it);
        }
    }
    problems.finish()?;
    let template = caller
        .engine(&api)
        .create_template(caller.project(), text)
        .await;
    let template = template.map_err(|it| refusal::of(it, "whatsappCategory"))?;
    let answer = TemplateOut::of(&template, &warnings);
    Ok(json::response(StatusCode::CREATED, &answer))
}

/// Lists templates, newest first.
#[utoipa::path(
    get,
    path = "/v1/templates",
    operation_id = "listTemplates",
    tag = "templates",
    params(PageIn),
    responses(
        (status = 200, description = "A page of templates", body = Page<TemplateOut<'_>>),
        (status = 400, description = "A parameter is wrong", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn list(asked: AskedList) -> Result<Response, ApiError> {
    let (api, caller, mut params) = asked.by(Scopes::READ)?;
    let limit = params.limit();
    let before: Option<TemplateId> = params.cursor();
    params.done()?;
    let filter = TemplateFilter {
        project: caller.project(),
        before,
        limit: limit + 1,
    };
    let mut templates = api.engine.store().templates(filter).await?;
    let show = |it| TemplateOut::of(it, &[]);
    Ok(page(&mut templates, limit, |it| it.id, show))
}

/// Shows one template.
#[utoipa::path(
    get,
    path = "/v1/templates/{templateId}",
    operation_id = "getTemplate",
    tag = "templates",
    params(("templateId" = String, Path, description = "Id of the template")),
    responses(
        (status = 200, description = "The template", body = TemplateOut<'_>),
        (status = 404, description = "No such template", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn get(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    caller.may(Scopes::READ)?;
    let id = template_id(&id)?;
    let template = api.engine.store().template(caller.project(), id).await?;
    let template = template.ok_or_else(|| ApiError::not_found("template"))?;
    Ok(json::response(
        StatusCode::OK,
        &TemplateOut::of(&template, &[]),
    ))
}

/// Forgets a template here; at its provider it stays. Messages that took it keep its text for SMS.
#[utoipa::path(
    delete,
    path = "/v1/templates/{templateId}",
    operation_id = "deleteTemplate",
    tag = "templates",
    params(("templateId" = String, Path, description = "Id of the template")),
    responses(
        (status = 204, description = "Forgotten"),
        (status = 404, description = "No such template", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn delete(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    caller.may(Scopes::MANAGE)?;
    let id = template_id(&id)?;
    let deleted = caller
        .engine(&api)
        .delete_template(caller.project(), id)
        .await;
    deleted.map_err(|it| refusal::of(it, "category"))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
