//! How a refusal of the line is answered.

use axum::http::StatusCode;
use domain::decision::{ChannelVerdict, Decision};
use domain::explain::Words;
use domain::rules::plan::Refusal;
use engine::request::{Refused, SendRequest};
use serde_json::{Value, json};

use crate::error::{ApiError, ErrorCode};
use crate::v1::idempotency;

/// The answer where the rules say no.
pub(super) fn by_rule(refusal: Refusal, decision: &Decision) -> ApiError {
    match refusal {
        Refusal::OptedOut => opted_out(),
        Refusal::WindowClosed => ApiError::new(
            StatusCode::BAD_REQUEST,
            ErrorCode::WhatsappWindowClosed,
            "WhatsApp 24-hour window is not open. Use a template message or wait for user to message first.",
        )
        .with_field(&["channel"], "WhatsApp cannot carry this text now"),
        Refusal::TemplateNotApproved => ApiError::new(
            StatusCode::BAD_REQUEST,
            ErrorCode::TemplateNotApproved,
            "The template is not approved, and WhatsApp takes no other",
        )
        .with_field(&["content", "templateId"], "is not approved"),
        Refusal::ExplicitChannel(drop) => no_channel(
            format!("The channel cannot carry this message: {}", drop.words()),
            decision,
        ),
        Refusal::NoChannel => no_channel("No channel can carry this message".to_owned(), decision),
    }
}

/// `403 recipient_opted_out`.
pub(super) fn opted_out() -> ApiError {
    ApiError::new(
        StatusCode::FORBIDDEN,
        ErrorCode::RecipientOptedOut,
        "The recipient does not want messages from this sender",
    )
}

/// `409 no_channel`, with the reason of each channel (R-CHAN-5).
fn no_channel(message: String, decision: &Decision) -> ApiError {
    let channels: Vec<Value> = decision
        .channels
        .iter()
        .filter_map(|it| match it.verdict {
            ChannelVerdict::Dropped(why) => Some(json!({
                "channel": it.channel.code(),
                "reason": why,
                "message": why.words(),
            })),
            ChannelVerdict::Chosen(_)
            | ChannelVerdict::Dearer
            | ChannelVerdict::Slower
            | ChannelVerdict::PoorRecord
            | ChannelVerdict::PassedOver
            | ChannelVerdict::Waiting => None,
        })
        .collect();
    ApiError::new(StatusCode::CONFLICT, ErrorCode::NoChannel, message)
        .detail("channels", channels)
        .should_retry(false)
}

/// Which message a request named, for words about it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// None; at most a conversation.
    NoMessage,
    /// The one that it answers.
    Answered,
    /// The one that it reacts to.
    ReactedTo,
}

impl Names {
    /// What this request named.
    pub(super) const fn of(request: &SendRequest) -> Self {
        if request.reacts_to.is_some() {
            Self::ReactedTo
        } else if request.in_reply_to.is_some() {
            Self::Answered
        } else {
            Self::NoMessage
        }
    }
}

/// The answer to a refusal that does not need the store.
///
/// A repeated idempotency key is answered by [`super::send`], which shows the original.
pub(super) fn of(refused: Refused, names: Names) -> ApiError {
    match refused {
        Refused::ByRule { refusal, decision } => by_rule(refusal, &decision),
        Refused::AlreadyAccepted { .. } => idempotency::repeated("message"),
        Refused::NoSuchInbound => ApiError::field(
            &["inReplyTo"],
            "is not the id of an inbound message of this project",
        ),
        Refused::OtherThread => match names {
            Names::Answered => {
                ApiError::field(&["inReplyTo"], "is a message of another contact or sender")
            }
            Names::ReactedTo => ApiError::field(
                &["content", "reactToMessageId"],
                "is a message of another contact or sender",
            ),
            Names::NoMessage => ApiError::field(
                &["conversationId"],
                "is a thread with another contact or sender",
            ),
        },
        Refused::NothingToReactTo => {
            ApiError::bad_request("Cannot react: no provider message ID available")
        }
        Refused::TimeOutOfRange => ApiError::field(
            &["scheduledAt"],
            "is over with its validity, or too far away",
        ),
        Refused::BacklogFull => ApiError::new(
            StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::BacklogFull,
            "The backlog is full; try again in a moment",
        )
        .retry_after(1)
        .should_retry(true),
        Refused::Unavailable(error) => error.into(),
    }
}
