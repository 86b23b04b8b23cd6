//! `POST /v1/messages/{id}/reactions`: an emoji on a message.

use axum::http::StatusCode;
use axum::response::Response;
use domain::model::channel::Channel;
use domain::model::content::{Content, MessageType};
use domain::model::message::Category;
use engine::request::{Accepted, Refused, SendRequest};
use ports::store::messages::{MessageView, ViewKind};
use serde::Deserialize;
use utoipa::ToSchema;

use super::content::EMOJI_CHARS;
use super::output::{MessageOut, RoutingOut};
use super::read::find;
use super::refusal::{self, Names};
use super::request::{SendHeaders, sender};
use super::send::EnvelopeOut;
use crate::asked::Asked;
use crate::auth::Scopes;
use crate::error::{ApiError, ErrorOut};
use crate::json;
use crate::path::InPath;

/// A reaction.
#[derive(Deserialize, ToSchema)]
#[schema(as = React, example = json!({"emoji": "👍"}))]
pub(crate) struct ReactIn {
    /// The emoji; an empty one takes an earlier reaction back.
    #[schema(required = true, value_type = String, max_length = 32)]
    emoji: Option<String>,
}

/// Puts an emoji on a message, whoever wrote it. WhatsApp only, and only inside its window. The
/// answer is the reaction, which is a message of its own.
#[utoipa::path(
    post,
    path = "/v1/messages/{messageId}/reactions",
    operation_id = "reactToMessage",
    tag = "messages",
    params(
        ("messageId" = String, Path, description = "Id of the message that the emoji is put on"),
        ("Zavu-Sender" = Option<String>, Header, description = "Id of the sender; that of the message otherwise"),
    ),
    request_body(content = ReactIn, content_type = "application/json"),
    responses(
        (status = 202, description = "Accepted, and durable", body = EnvelopeOut<'_>),
        (status = 400, description = "A field is wrong, the message is not on WhatsApp, or its window is closed", body = ErrorOut<'_>),
        (status = 403, description = "The key may not, or the recipient opted out", body = ErrorOut<'_>),
        (status = 404, description = "No such message", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn react(
    InPath(id): InPath<String>,
    headers: SendHeaders,
    asked: Asked<ReactIn>,
) -> Result<Response, ApiError> {
    let Asked { api, caller, body } = asked.by(Scopes::SEND)?;
    let view = find(&api, &caller, &id).await?;
    let (input, warnings) = body.open()?;
    let Some(emoji) = input.emoji else {
        return Err(ApiError::field(&["emoji"], "is needed"));
    };
    if emoji.chars().count() > EMOJI_CHARS {
        let words = "must have at most 32 characters";
        return Err(ApiError::field(&["emoji"], words));
    }
    if channel_of(&view) != Some(Channel::WhatsApp) {
        let words = "Reactions are only supported for WhatsApp messages";
        return Err(ApiError::bad_request(words));
    }
    let topology = api.engine.topology();
    let (to, its_sender) = match &view.kind {
        ViewKind::Outbound { message, .. } => (&message.to, message.sender),
        ViewKind::Inbound(inbound) => (&inbound.from, inbound.sender),
    };
    let sender = if headers.names_a_sender() {
        sender(&headers, &caller, &topology)?
    } else {
        its_sender
    };
    let object = serde_json::json!({"emoji": emoji, "reactToMessageId": view.id.to_string()});
    let request = SendRequest {
        project: caller.project(),
        sender,
        to: to.clone(),
        content: Content {
            kind: MessageType::Reaction,
            extra: Some(object.to_string().into()),
            text: None,
            template: None,
            email: None,
        },
        explicit: Some(Channel::WhatsApp),
        traffic_class: None,
        category: Category::Transactional,
        speed: None,
        in_reply_to: None,
        reacts_to: Some(view.id),
        conversation: None,
        scheduled_at: None,
        validity: None,
        fallback_enabled: Some(false),
        fallback_after: None,
        metadata: None,
        campaign: None,
        idempotency: None,
        test: caller.0.test,
        by_person: None,
    };
    match api.engine.accept(request).await {
        Ok(Accepted { view, decision }) => {
            let answer = EnvelopeOut {
                message: MessageOut::just_accepted(&view, &topology),
                routing: Some(RoutingOut::of(&decision, &topology)),
                warnings: &warnings,
            };
            Ok(json::response(StatusCode::ACCEPTED, &answer))
        }
        Err(Refused::OtherThread) => Err(ApiError::bad_request(
            "The message is not of a conversation of this sender",
        )),
        Err(refused) => Err(refusal::of(refused, Names::NoMessage)),
    }
}

/// The channel that a message came or was last tried on; that it is to be tried on, before.
pub(super) fn channel_of(view: &MessageView) -> Option<Channel> {
    match &view.kind {
        ViewKind::Inbound(inbound) => Some(inbound.channel),
        ViewKind::Outbound {
            progress, decision, ..
        } => {
            let attempted = progress.last_attempt().map(|it| it.channel);
            let decided = || Some(decision.as_ref()?.channel()?.0);
            attempted.or_else(decided)
        }
    }
}
