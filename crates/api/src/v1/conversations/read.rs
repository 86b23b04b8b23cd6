//! `GET /v1/conversations`, one conversation, and its messages.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::MessageId;
use ports::store::conversations::ConversationFilter;
use ports::store::messages::MessageFilter;
use serde::Serialize;
use utoipa::ToSchema;

use super::output::ConversationOut;
use super::{conversation_id, find};
use crate::asked::AskedList;
use crate::auth::{Caller, Scopes};
use crate::error::{ApiError, ErrorOut};
use crate::page::{ChannelWord, Cursor, Page, PageIn, page};
use crate::path::InPath;
use crate::v1::messages::output::MessageOut;
use crate::{ApiState, json};

/// A place in the list of conversations: the newest message of the last of a page.
struct Place(MessageId);

impl Cursor for Place {
    fn to_cursor(&self) -> String {
        format!("v{}", self.0.to_cursor())
    }

    fn from_cursor(text: &str) -> Option<Self> {
        MessageId::from_cursor(text.strip_prefix('v')?).map(Self)
    }
}

/// One conversation.
#[derive(Serialize, ToSchema)]
#[schema(as = ConversationEnvelope)]
pub(super) struct EnvelopeOut<'a> {
    /// The conversation.
    pub(super) conversation: ConversationOut<'a>,
}

/// Lists conversations, those with the newest message first. Where few of many fit a filter, a page may
/// have fewer items than asked for, or none, and a `nextCursor` all the same.
#[utoipa::path(
    get,
    path = "/v1/conversations",
    operation_id = "listConversations",
    tag = "conversations",
    params(
        ("senderId" = Option<String>, Query, description = "Only those of this sender"),
        ("channel" = Option<String>, Query, description = "Only those that went over this channel"),
        ("search" = Option<String>, Query, description = "Only with people found by this: whole words of their name or addresses, the last may be a beginning; or a phone number in any form. What was written is not searched"),
        ("unread" = Option<bool>, Query, description = "`true`: only those with something unread"),
        PageIn,
    ),
    responses(
        (status = 200, description = "A page of conversations", body = Page<ConversationOut<'_>>),
        (status = 400, description = "A parameter is wrong", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn list(asked: AskedList) -> Result<Response, ApiError> {
    let (api, caller, mut params) = asked.by(Scopes::READ)?;
    let (project, topology) = (caller.project(), api.engine.topology());
    let words = "is not the id of a sender of this project";
    let sender = params.read("senderId", words, |it| topology.sender_by_id(project, it));
    let channel = params.read("channel", "is not a channel", ChannelWord::parse);
    let search = params.given("search").map(str::to_owned);
    let unread = params.read("unread", "is neither true nor false", |it| it.parse().ok());
    let limit = params.limit();
    let before: Option<Place> = params.cursor();
    params.done()?;
    let is_blank = search.as_ref().is_some_and(|it| it.trim().is_empty());
    let channel = match channel {
        None => None,
        Some(ChannelWord::Known(channel)) if !is_blank => Some(channel),
        // No conversation has gone there yet.
        Some(ChannelWord::NotYet | ChannelWord::Known(_)) => return Ok(nothing()),
    };
    if is_blank {
        return Ok(nothing());
    }
    let filter = ConversationFilter {
        project,
        sender: sender.map(|it| it.key),
        channel,
        search: search.map(Into::into),
        unread: unread.unwrap_or(false),
        before: before.map(|it| it.0),
        limit,
    };
    let page = api.engine.store().conversations(filter).await?;
    let next_cursor = page.next.map(|it| Place(it).to_cursor());
    let now = api.engine.now();
    let items = page
        .conversations
        .iter()
        .map(|it| ConversationOut::of(it, now, &topology))
        .collect();
    Ok(json::response(StatusCode::OK, &Page { items, next_cursor }))
}

/// A page without items: nobody is found by a blank text.
fn nothing() -> Response {
    let empty: Page<ConversationOut<'_>> = Page {
        items: Vec::new(),
        next_cursor: None,
    };
    json::response(StatusCode::OK, &empty)
}

/// Shows one conversation.
#[utoipa::path(
    get,
    path = "/v1/conversations/{conversationId}",
    operation_id = "getConversation",
    tag = "conversations",
    params(("conversationId" = String, Path, description = "Id of the conversation")),
    responses(
        (status = 200, description = "The conversation", body = EnvelopeOut<'_>),
        (status = 404, description = "No such conversation", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn get(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    caller.may(Scopes::READ)?;
    let view = find(&api, &caller, conversation_id(&id)?).await?;
    let topology = api.engine.topology();
    let conversation = ConversationOut::of(&view, api.engine.now(), &topology);
    Ok(json::response(
        StatusCode::OK,
        &EnvelopeOut { conversation },
    ))
}

/// Lists the messages of a conversation, newest first.
#[utoipa::path(
    get,
    path = "/v1/conversations/{conversationId}/messages",
    operation_id = "listConversationMessages",
    tag = "conversations",
    params(
        ("conversationId" = String, Path, description = "Id of the conversation"),
        PageIn,
    ),
    responses(
        (status = 200, description = "A page of messages", body = Page<MessageOut<'_>>),
        (status = 400, description = "A parameter is wrong", body = ErrorOut<'_>),
        (status = 404, description = "No such conversation", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn messages(
    InPath(id): InPath<String>,
    asked: AskedList,
) -> Result<Response, ApiError> {
    let (api, caller, mut params) = asked.by(Scopes::READ)?;
    let limit = params.limit();
    let before: Option<MessageId> = params.cursor();
    params.done()?;
    let view = find(&api, &caller, conversation_id(&id)?).await?;
    let filter = MessageFilter {
        project: caller.project(),
        status: None,
        to: None,
        channel: None,
        conversation: Some(view.id),
        before,
        limit: limit + 1,
    };
    let mut views = api.engine.store().messages(filter).await?;
    let topology = api.engine.topology();
    let show = |it| MessageOut::of(it, &topology);
    Ok(page(&mut views, limit, |it| it.id, show))
}
