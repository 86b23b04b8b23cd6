//! `/v1/senders`: who messages are from. Senders come from the configuration file, where they are
//! read-only here, or are made here.

pub(crate) mod input;
pub(crate) mod write;

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::SenderKey;
use domain::model::channel::Channel;
use domain::model::sender::{Origin, Sender};
use engine::topology::Topology;
use ports::store::webhooks::Webhook;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::asked::AskedList;
use crate::auth::{Caller, Scopes};
use crate::error::{ApiError, ErrorOut, FieldError};
use crate::json::Iso;
use crate::page::{Page, PageIn, page};
use crate::path::InPath;
use crate::schema;
use crate::v1::webhooks::WebhookOut;
use crate::{ApiState, json};

/// The paths of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(list, write::create))
        .routes(routes!(get, write::update, write::delete))
}

/// Who a message is from.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Sender)]
pub(crate) struct SenderOut<'a> {
    /// Its id: what `Zavu-Sender` takes.
    id: &'a str,
    /// What people call it.
    name: &'a str,
    /// The number or name that recipients see; empty where the routes fix it.
    phone_number: &'a str,
    /// What it can send on with this key.
    #[schema(value_type = Vec<String>)]
    channels: Vec<&'static str>,
    /// Whether it is the project's default.
    is_default: bool,
    /// When it was first configured.
    #[schema(schema_with = schema::time)]
    created_at: Iso,
    /// When it was last changed.
    #[schema(schema_with = schema::time)]
    updated_at: Iso,
    /// Ids of its routes, in its order of preference.
    routes: Vec<&'a str>,
    /// The template that WhatsApp carries while its window is closed, as it was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    default_template: Option<String>,
    /// Seconds without `delivered` that count as failure, where the message does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback_after: Option<i64>,
    /// `file`: the configuration file has it, and it can be changed there only; else `api`.
    managed_by: &'static str,
    /// Where its events are posted, if anywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<WebhookOut<'a>>,
    /// What was ignored of a change.
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    #[schema(required = false)]
    warnings: &'a [FieldError],
}

impl<'a> SenderOut<'a> {
    fn of(sender: &'a Sender, topology: &'a Topology, test: bool) -> Self {
        let channels = topology.channels_of(sender, test);
        let default = topology.default_sender(sender.project);
        Self {
            id: &sender.id,
            name: &sender.name,
            phone_number: &sender.address,
            channels: Channel::ALL
                .into_iter()
                .filter(|it| channels.contains(*it))
                .map(Channel::code)
                .collect(),
            is_default: default.is_some_and(|it| it.key == sender.key),
            created_at: Iso(sender.created_at),
            updated_at: Iso(sender.updated_at),
            routes: topology.routes_of(sender).map(|it| &*it.id).collect(),
            default_template: sender.default_template.as_ref().map(ToString::to_string),
            fallback_after: sender.fallback_after.map(|it| it.get() / 1_000),
            managed_by: match sender.origin {
                Origin::File => "file",
                Origin::Api => "api",
            },
            webhook: None,
            warnings: &[],
        }
    }

    /// With its webhook; with the secret of one that was just made.
    fn with_webhook(self, webhook: Option<&'a Webhook>, is_new: bool) -> Self {
        let webhook = webhook.map(|it| WebhookOut::of(it, is_new));
        Self { webhook, ..self }
    }
}

/// Lists the project's senders, in the order in which they were first configured.
#[utoipa::path(
    get,
    path = "/v1/senders",
    operation_id = "listSenders",
    tag = "senders",
    params(PageIn),
    responses(
        (status = 200, description = "A page of senders", body = Page<SenderOut<'_>>),
        (status = 400, description = "A parameter is wrong", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn list(asked: AskedList) -> Result<Response, ApiError> {
    let (api, caller, mut params) = asked.by(Scopes::READ)?;
    let limit = params.limit();
    let after: Option<SenderKey> = params.cursor();
    params.done()?;
    let webhooks = api.engine.store().webhooks().await?;
    let topology = api.engine.topology();
    let mut senders: Vec<_> = topology
        .senders(caller.project())
        .filter(|it| after.is_none_or(|after| it.key > after))
        .take(usize::from(limit) + 1)
        .collect();
    Ok(page(
        &mut senders,
        limit,
        |it| it.key,
        |it| {
            let webhook = webhooks.iter().find(|webhook| webhook.sender == it.key);
            SenderOut::of(it, &topology, caller.0.test).with_webhook(webhook, false)
        },
    ))
}

/// Shows one sender.
#[utoipa::path(
    get,
    path = "/v1/senders/{senderId}",
    operation_id = "getSender",
    tag = "senders",
    params(("senderId" = String, Path, description = "Id of the sender")),
    responses(
        (status = 200, description = "The sender", body = SenderOut<'_>),
        (status = 404, description = "No such sender", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn get(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    caller.may(Scopes::READ)?;
    let topology = api.engine.topology();
    let sender = topology.sender_by_id(caller.project(), &id);
    let sender = sender.ok_or_else(|| ApiError::not_found("sender"))?;
    let webhook = api.engine.store().webhook(sender.key).await?;
    let answer = SenderOut::of(sender, &topology, caller.0.test);
    Ok(json::response(
        StatusCode::OK,
        &answer.with_webhook(webhook.as_ref(), false),
    ))
}
