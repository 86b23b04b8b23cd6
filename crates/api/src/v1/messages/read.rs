//! `GET /v1/messages`, one message, and its routing.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::MessageId;
use domain::model::message::Status;
use ports::store::messages::{MessageFilter, MessageView};

use super::output::MessageOut;
use super::routing::MessageRoutingOut;
use super::send::{EnvelopeOut, routing_of};
use crate::asked::AskedList;
use crate::auth::{Caller, Scopes};
use crate::error::{ApiError, ErrorOut};
use crate::page::{ChannelWord, Page, PageIn, page};
use crate::path::InPath;
use crate::{ApiState, json};

/// The id in the path; a text that is no id names nothing.
pub(super) async fn find(
    api: &ApiState,
    caller: &Caller,
    id: &str,
) -> Result<MessageView, ApiError> {
    let id: MessageId = id.parse().map_err(|_| ApiError::not_found("message"))?;
    let found = api.engine.store().message(caller.project(), id).await?;
    found.ok_or_else(|| ApiError::not_found("message"))
}

/// Lists messages, newest first.
#[utoipa::path(
    get,
    path = "/v1/messages",
    operation_id = "listMessages",
    tag = "messages",
    params(
        ("status" = Option<String>, Query, description = "Only with this status: queued, sending, sent, failed, delivered, read or received"),
        ("to" = Option<String>, Query, description = "Only to this phone number, or from it where inbound"),
        ("channel" = Option<String>, Query, description = "Only on this channel"),
        PageIn,
    ),
    responses(
        (status = 200, description = "A page of messages", body = Page<MessageOut<'_>>),
        (status = 400, description = "A parameter is wrong", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn list(asked: AskedList) -> Result<Response, ApiError> {
    let (api, caller, mut params) = asked.by(Scopes::READ)?;
    let words = "must be one of queued, sending, sent, failed, delivered, read, received";
    let status = params.read("status", words, Status::from_code);
    let channel = params.read("channel", "is not a channel", ChannelWord::parse);
    let to = params.address("to", channel.and_then(ChannelWord::known));
    let limit = params.limit();
    let before: Option<MessageId> = params.cursor();
    params.done()?;
    let channel = match channel {
        // No message has gone there yet.
        Some(ChannelWord::NotYet) => {
            let empty: Page<MessageOut<'_>> = Page {
                items: Vec::new(),
                next_cursor: None,
            };
            return Ok(json::response(StatusCode::OK, &empty));
        }
        Some(ChannelWord::Known(channel)) => Some(channel),
        None => None,
    };
    let project = caller.project();
    let filter = MessageFilter {
        project,
        status,
        to,
        channel,
        conversation: None,
        before,
        limit: limit + 1,
    };
    let mut views = api.engine.store().messages(filter).await?;
    let topology = api.engine.topology();
    let show = |it| MessageOut::of(it, &topology);
    Ok(page(&mut views, limit, |it| it.id, show))
}

/// Shows one message.
#[utoipa::path(
    get,
    path = "/v1/messages/{messageId}",
    operation_id = "getMessage",
    tag = "messages",
    params(("messageId" = String, Path, description = "Id of the message")),
    responses(
        (status = 200, description = "The message", body = EnvelopeOut<'_>),
        (status = 404, description = "No such message", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn get(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    caller.may(Scopes::READ)?;
    let view = find(&api, &caller, &id).await?;
    let reference = api.engine.store().provider_reference(view.id).await?;
    let topology = api.engine.topology();
    let mut message = MessageOut::of(&view, &topology);
    if let Some(it) = &reference {
        message.named_by_provider(&it.reference);
    }
    let answer = EnvelopeOut {
        message,
        routing: routing_of(&view, &topology),
        warnings: &[],
    };
    Ok(json::response(StatusCode::OK, &answer))
}

/// Shows why a message went the way it did: every decision with its candidates, every attempt and
/// every receipt, and the decisions in words.
#[utoipa::path(
    get,
    path = "/v1/messages/{messageId}/routing",
    operation_id = "getMessageRouting",
    tag = "messages",
    params(("messageId" = String, Path, description = "Id of the message")),
    responses(
        (status = 200, description = "How it was routed", body = MessageRoutingOut<'_>),
        (status = 404, description = "No such message", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn routing(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    caller.may(Scopes::READ)?;
    let view = find(&api, &caller, &id).await?;
    let store = api.engine.store();
    let decisions = store.decisions(view.id).await?;
    let receipts = store.receipts(view.id).await?;
    let currency = api.currency(caller.project());
    let topology = api.engine.topology();
    let answer = MessageRoutingOut::of(&view, &decisions, &receipts, currency, &topology);
    Ok(json::response(StatusCode::OK, &answer))
}
