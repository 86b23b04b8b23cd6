//! `POST /v1/simulator/inbound`: a test key plays the person who writes to us (R-TEST).

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::MessageId;
use domain::model::address::Address;
use domain::model::channel::Channel;
use domain::model::content::Content;
use engine::SimulateError;
use ports::connector::IncomingMessage;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::address;
use crate::asked::Asked;
use crate::auth::Scopes;
use crate::error::{ApiError, ErrorCode, ErrorOut, FieldError, Problems};
use crate::json::Shown;
use crate::schema;
use crate::{ApiState, json};

/// The paths of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new().routes(routes!(inbound))
}

/// A message from a made-up person.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SimulateInbound, example = json!({"from": "+40712345678", "text": "Hello", "channel": "whatsapp"}))]
pub(crate) struct InboundIn {
    /// Who writes.
    #[schema(required = true, value_type = String)]
    from: Option<String>,
    /// What they write.
    #[schema(required = true, value_type = String, min_length = 1, max_length = 4096)]
    text: Option<String>,
    /// On which channel.
    #[schema(required = true, schema_with = schema::channel)]
    channel: Option<String>,
    /// To which sender; the project's default otherwise.
    sender_id: Option<String>,
}

/// The message as it is kept.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SimulatedInbound)]
struct InboundOut {
    /// Its id: what `inReplyTo` takes.
    #[schema(value_type = String)]
    message_id: Shown<MessageId>,
    /// Fields of the request that were ignored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<FieldError>,
}

/// Plays a person who writes to a sender, through its simulator: the message is kept, opens the
/// WhatsApp window and can be answered. For test keys only.
#[utoipa::path(
    post,
    path = "/v1/simulator/inbound",
    operation_id = "simulateInbound",
    tag = "simulator",
    request_body(content = InboundIn, content_type = "application/json"),
    responses(
        (status = 202, description = "The message is kept", body = InboundOut),
        (status = 400, description = "A field is wrong, or the sender has no simulator on the channel", body = ErrorOut<'_>),
        (status = 403, description = "Not a test key", body = ErrorOut<'_>),
        (status = 404, description = "No such sender", body = ErrorOut<'_>),
        (status = 503, description = "The store is not available; nothing was kept", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn inbound(asked: Asked<InboundIn>) -> Result<Response, ApiError> {
    let Asked { api, caller, body } = asked.by(Scopes::SEND)?;
    if !caller.0.test {
        return Err(ApiError::forbidden("Simulated messages need a test key"));
    }
    let (input, warnings) = body.open()?;
    let mut problems = Problems::default();
    let checked = check(&input, &mut problems);
    problems.finish()?;
    // Safe: without any of them `problems` has said so above.
    let (from, channel, text) =
        checked.ok_or_else(|| ApiError::field(&[], "the request is not complete"))?;
    let topology = api.engine.topology();
    let project = caller.project();
    let sender = match &input.sender_id {
        Some(id) => topology.sender_by_id(project, id),
        None => topology.default_sender(project),
    };
    let sender = sender
        .ok_or_else(|| ApiError::not_found("sender").with_field(&["senderId"], "is not known"))?;
    let message = IncomingMessage::new(from, &*sender.address, Content::text(text));
    match api
        .engine
        .simulate_inbound(project, sender.key, channel, message)
        .await
    {
        Ok(id) => {
            let answer = InboundOut {
                message_id: Shown(id),
                warnings,
            };
            Ok(json::response(StatusCode::ACCEPTED, &answer))
        }
        Err(SimulateError::NoSimulator) => Err(ApiError::field(
            &["channel"],
            "the sender has no simulator on this channel",
        )),
        Err(SimulateError::NotKept) => Err(ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::Unavailable,
            "The message could not be kept",
        )
        .should_retry(true)
        .retry_after(1)),
    }
}

fn check<'a>(input: &'a InboundIn, problems: &mut Problems) -> Option<(Address, Channel, &'a str)> {
    let channel = input.channel.as_deref().and_then(Channel::from_code);
    let from = match input.from.as_deref().map(|it| address::read(it, channel)) {
        Some(Ok(from)) if channel.is_none_or(|it| from.is_on(it)) => Some(from),
        Some(Ok(_)) => {
            problems.add(&["from"], "is no address on this channel");
            None
        }
        Some(Err(message)) => {
            problems.add(&["from"], message);
            None
        }
        None => {
            problems.add(&["from"], "is needed: a phone number in E.164");
            None
        }
    };
    if channel.is_none() {
        problems.add(
            &["channel"],
            "must be one of sms, whatsapp, telegram, email",
        );
    }
    let text = input
        .text
        .as_deref()
        .filter(|it| (1..=4_096).contains(&it.chars().count()));
    if text.is_none() {
        problems.add(&["text"], "is needed, with 1 to 4096 characters");
    }
    Some((from?, channel?, text?))
}
