//! What an event says on the wire: the same to a webhook and in the stream. What concerns the whole
//! project has no `senderId`.
//!
//! The order of the fields is the documented one, and the text is compact: some receivers write it
//! anew before they check its signature.

use std::borrow::Cow;

use domain::decision::Decision;
use domain::ids::{AlertId, ConversationId, MessageId, TemplateId};
use domain::model::address::Address;
use domain::model::alert::AlertNews;
use domain::model::channel::Channel;
use domain::model::event::{EventDetail, EventId, EventKind, TemplateMove};
use domain::model::failure::Failure;
use domain::model::message::Status;
use domain::model::progress::Progress;
use engine::topology::Topology;
use ports::store::events::{Event, EventRecord};
use ports::store::messages::{InboundMessage, MessageView, NewMessage, ViewKind};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::json::Shown;
use crate::v1::alerts::AlertQuotaOut;
use crate::v1::messages::files::{AttachmentOut, attachments_of};
use crate::v1::messages::quoted::content_of;
use crate::v1::templates::output as words;

/// An event.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a, D> {
    id: Shown<EventId>,
    r#type: &'static str,
    /// Milliseconds since 1970.
    timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender_id: Option<&'a str>,
    project_id: &'a str,
    data: D,
}

/// A step of an outbound message.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusData<'a> {
    message_id: Shown<MessageId>,
    to: Cow<'a, str>,
    channel: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    message_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation_id: Option<Shown<ConversationId>>,
    error_code: Option<&'a str>,
    error_message: Option<&'a str>,
    attempted_channels: Vec<&'static str>,
}

/// A message from a person.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InboundData<'a> {
    message_id: Shown<MessageId>,
    conversation_id: Option<Shown<ConversationId>>,
    from: Cow<'a, str>,
    to: &'a str,
    channel: &'static str,
    status: &'static str,
    message_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Cow<'a, RawValue>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<AttachmentOut<'a>>,
    provider_timestamp: i64,
}

/// A new thread.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConversationData<'a> {
    conversation_id: Option<Shown<ConversationId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    /// The address, where it is neither.
    #[serde(skip_serializing_if = "Option::is_none")]
    identifier: Option<String>,
    channel: &'static str,
    first_message_id: Shown<MessageId>,
    first_message_text: Option<&'a str>,
    profile_name: Option<&'a str>,
}

/// A template that stands otherwise.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TemplateData<'a> {
    template_id: Shown<TemplateId>,
    name: &'a str,
    language: &'a str,
    previous_status: &'static str,
    current_status: &'static str,
    /// The current status exactly: `paused` and `disabled` too.
    provider_status: &'static str,
    previous_category: &'static str,
    category: &'static str,
    reason: Option<&'a str>,
}

/// An alert that was raised or resolved.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AlertData<'a> {
    alert_id: Shown<AlertId>,
    kind: &'static str,
    severity: &'static str,
    subject: &'a str,
    /// Which of its quotas, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    quota: Option<AlertQuotaOut>,
    status: &'static str,
    message: &'a str,
    /// What it was when it was raised.
    value: i64,
    raised_at: i64,
    resolved_at: Option<i64>,
}

/// The event as JSON; `None` where there is nothing to tell any more: its message is gone, or its
/// project is not configured.
pub(crate) fn write(
    record: &EventRecord,
    message: Option<&MessageView>,
    topology: &Topology,
) -> Option<String> {
    let event = &record.event;
    if let (EventKind::TemplateMoved, Some(EventDetail::Template(moved))) =
        (event.kind, &event.detail)
    {
        return enveloped(record, template_data(moved), topology);
    }
    if let (EventKind::AlertRaised | EventKind::AlertResolved, Some(EventDetail::Alert(news))) =
        (event.kind, &event.detail)
    {
        return enveloped(record, alert_data(event, news), topology);
    }
    let view = message?;
    match (&view.kind, event.kind) {
        (
            ViewKind::Outbound {
                message,
                progress,
                decision,
            },
            EventKind::Queued
            | EventKind::Sent
            | EventKind::Delivered
            | EventKind::Read
            | EventKind::Failed,
        ) => {
            let data = status_data(
                event,
                view,
                message,
                progress,
                decision.as_deref(),
                topology,
            );
            enveloped(record, data, topology)
        }
        (ViewKind::Inbound(inbound), EventKind::Inbound | EventKind::Unsupported) => {
            enveloped(record, inbound_data(view, inbound, topology), topology)
        }
        (ViewKind::Inbound(inbound), EventKind::ConversationNew) => {
            enveloped(record, conversation_data(view, inbound), topology)
        }
        // Nothing of a message brings the others.
        (
            ViewKind::Outbound { .. } | ViewKind::Inbound(_),
            EventKind::Queued
            | EventKind::Sent
            | EventKind::Delivered
            | EventKind::Read
            | EventKind::Failed
            | EventKind::Inbound
            | EventKind::Unsupported
            | EventKind::Story
            | EventKind::ConversationNew
            | EventKind::BroadcastMoved
            | EventKind::TemplateMoved
            | EventKind::InvitationMoved
            | EventKind::CallInitiated
            | EventKind::CallAnswered
            | EventKind::CallCompleted
            | EventKind::CallFailed
            | EventKind::DomainVerified
            | EventKind::DomainFailed
            | EventKind::AlertRaised
            | EventKind::AlertResolved,
        ) => None,
    }
}

fn enveloped(record: &EventRecord, data: impl Serialize, topology: &Topology) -> Option<String> {
    let event = &record.event;
    let envelope = Envelope {
        id: Shown(record.id()),
        r#type: event.kind.code(),
        timestamp: event.at.as_millis(),
        sender_id: event
            .sender
            .and_then(|it| topology.sender(it))
            .map(|it| &*it.id),
        project_id: &topology.project(event.project)?.id,
        data,
    };
    // No type here has a map with keys that are not text, or a serializer that fails.
    serde_json::to_string(&envelope).ok()
}

fn status_data<'a>(
    event: &'a Event,
    view: &MessageView,
    message: &'a NewMessage,
    progress: &Progress,
    decision: Option<&Decision>,
    topology: &'a Topology,
) -> StatusData<'a> {
    let decided = || decision.and_then(Decision::channel).map(|it| it.0);
    let channel = event.channel.or_else(decided).or(message.explicit);
    let failure: Option<&Failure> = event.detail.as_ref().and_then(|it| match it {
        EventDetail::Failed(failure) => Some(failure),
        EventDetail::Template(_) | EventDetail::Alert(_) => None,
    });
    StatusData {
        message_id: Shown(view.id),
        to: shown(&message.to),
        channel: channel.map_or("auto", Channel::code),
        status: status(event.kind),
        from: topology
            .sender(message.sender)
            .map(|it| &*it.address)
            .filter(|it| !it.is_empty()),
        message_type: message.content.kind.code(),
        text: message.content.text.as_deref(),
        conversation_id: conversation(view, message.sender),
        error_code: failure.map(|it| &*it.code),
        error_message: failure.map(|it| &*it.text),
        attempted_channels: attempted(progress, event.channel),
    }
}

/// The channels that were tried by then: up to the one of the event, since no channel is tried twice.
fn attempted(progress: &Progress, then: Option<Channel>) -> Vec<&'static str> {
    let channels = progress.attempts.iter().map(|it| it.channel);
    let count = channels.clone().position(|it| Some(it) == then);
    channels
        .take(count.map_or(0, |it| it + 1))
        .map(Channel::code)
        .collect()
}

fn status(kind: EventKind) -> &'static str {
    // The kind's word is the status behind a dot.
    kind.code().rsplit('.').next().unwrap_or_default()
}

fn inbound_data<'a>(
    view: &'a MessageView,
    inbound: &'a InboundMessage,
    topology: &Topology,
) -> InboundData<'a> {
    InboundData {
        message_id: Shown(view.id),
        conversation_id: conversation(view, inbound.sender),
        from: shown(&inbound.from),
        to: &inbound.to,
        channel: inbound.channel.code(),
        status: Status::Received.code(),
        message_type: inbound.content.kind.code(),
        text: inbound.content.text.as_deref(),
        content: content_of(view, inbound, topology),
        attachments: attachments_of(view),
        provider_timestamp: inbound.sent_at.as_millis(),
    }
}

fn conversation_data<'a>(view: &MessageView, inbound: &'a InboundMessage) -> ConversationData<'a> {
    let (phone_number, email, identifier) = match &inbound.from {
        Address::Phone(number) => (Some(number.as_str()), None, None),
        Address::Email(email) => (None, Some(email.as_str()), None),
        other @ (Address::WhatsAppUser(_) | Address::Telegram(_)) => {
            (None, None, Some(other.to_string()))
        }
    };
    ConversationData {
        conversation_id: conversation(view, inbound.sender),
        phone_number,
        email,
        identifier,
        channel: inbound.channel.code(),
        first_message_id: Shown(view.id),
        first_message_text: inbound.content.text.as_deref(),
        profile_name: inbound.profile_name.as_deref(),
    }
}

fn template_data(moved: &TemplateMove) -> TemplateData<'_> {
    TemplateData {
        template_id: Shown(moved.template),
        name: &moved.name,
        language: &moved.language,
        previous_status: words::status(moved.was.status),
        current_status: words::status(moved.now.status),
        provider_status: moved.now.status.code(),
        previous_category: words::category(moved.was.category),
        category: words::category(moved.now.category),
        reason: moved.reason.as_deref(),
    }
}

fn alert_data<'a>(event: &Event, news: &'a AlertNews) -> AlertData<'a> {
    let is_over = event.kind == EventKind::AlertResolved;
    AlertData {
        alert_id: Shown(news.alert),
        kind: news.kind.code(),
        severity: news.kind.severity().code(),
        subject: &news.subject,
        quota: news.quota.map(AlertQuotaOut::of),
        status: if is_over { "resolved" } else { "raised" },
        message: &news.words,
        value: news.value,
        raised_at: news.raised_at.as_millis(),
        resolved_at: is_over.then(|| event.at.as_millis()),
    }
}

fn conversation(
    view: &MessageView,
    sender: domain::ids::SenderKey,
) -> Option<Shown<ConversationId>> {
    view.contact
        .map(|contact| Shown(ConversationId { contact, sender }))
}

fn shown(address: &Address) -> Cow<'_, str> {
    match address {
        Address::Phone(number) => Cow::Borrowed(number.as_str()),
        other @ (Address::WhatsAppUser(_) | Address::Telegram(_) | Address::Email(_)) => {
            Cow::Owned(other.to_string())
        }
    }
}
