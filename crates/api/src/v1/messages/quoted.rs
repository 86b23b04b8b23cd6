//! What an inbound message holds, with the message that it answers or reacts to: the same to who asks
//! for the message and to who is told of it.

use std::borrow::Cow;

use domain::model::content::MessageType;
use engine::topology::Topology;
use ports::store::messages::{InboundMessage, MessageView, Quoted};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::content::ContentIn;
use crate::json;

/// What a message holds beside its text.
#[derive(Serialize, ToSchema)]
#[schema(as = MessageContentShown)]
pub(crate) struct ContentOut<'a> {
    /// What it was sent with.
    #[serde(flatten)]
    #[schema(value_type = ContentIn)]
    content: Map<String, Value>,
    /// What it answers, where it is inbound.
    #[serde(flatten)]
    quoted: QuotedOut<'a>,
}

/// The message that an inbound one answers or reacts to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MessageContentQuoted)]
#[expect(
    clippy::struct_field_names,
    reason = "the names of the API, beside those of the content"
)]
struct QuotedOut<'a> {
    /// Its id, where it is known here.
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to_message_id: Option<String>,
    /// The provider's id of it.
    reply_to_provider_message_id: Option<&'a str>,
    /// Who wrote it: the person, or our address.
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to_from: Option<String>,
    /// Its words.
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to_text: Option<&'a str>,
    /// Its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to_message_type: Option<&'static str>,
}

/// The content object of an inbound message.
pub(crate) fn content_of<'a>(
    view: &'a MessageView,
    inbound: &'a InboundMessage,
    topology: &Topology,
) -> Option<Cow<'a, RawValue>> {
    let kept = json::kept(inbound.content.extra.as_deref());
    let Some(name) = inbound.quotes.as_deref() else {
        return kept.map(Cow::Borrowed);
    };
    let object = kept.and_then(|it| serde_json::from_str(it.get()).ok());
    let mut content: Map<String, Value> = object.unwrap_or_default();
    let quoted = view.quoted.as_deref();
    if let (MessageType::Reaction, Some(it)) = (inbound.content.kind, quoted) {
        content.insert("reactToMessageId".to_owned(), it.id.to_string().into());
    }
    let ours = || {
        let sender = topology.sender(inbound.sender)?;
        Some(sender.address.to_string()).filter(|it| !it.is_empty())
    };
    let from = |it: &Quoted| it.from.as_ref().map(ToString::to_string).or_else(ours);
    let quoted = QuotedOut {
        reply_to_message_id: quoted.map(|it| it.id.to_string()),
        reply_to_provider_message_id: Some(name),
        reply_to_from: quoted.and_then(from),
        reply_to_text: quoted.and_then(|it| it.text.as_deref()),
        reply_to_message_type: quoted.map(|it| it.kind.code()),
    };
    // Every key is text, so that this does not fail.
    to_raw_value(&ContentOut { content, quoted })
        .ok()
        .map(Cow::Owned)
}
