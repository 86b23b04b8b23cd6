//! A conversation as the API shows it.

use std::borrow::Cow;

use domain::ids::{ContactId, ConversationId, MessageId};
use domain::model::channel::Channel;
use domain::model::contact::AddressKind;
use domain::rules::window::{Window, window};
use domain::time::Timestamp;
use engine::topology::Topology;
use ports::store::contacts::ContactView;
use ports::store::conversations::ConversationView;
use ports::store::messages::{MessageView, ViewKind};
use serde::Serialize;
use utoipa::ToSchema;

use crate::json::{Iso, Shown};
use crate::schema;
use crate::v1::messages::output::MessageOut;

/// The thread with one contact across all channels, for one sender.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Conversation)]
pub(super) struct ConversationOut<'a> {
    /// Its id.
    #[schema(value_type = String, example = "conv_0b5k3zrmwg0001")]
    id: Shown<ConversationId>,
    /// The contact.
    #[schema(value_type = String)]
    contact_id: Shown<ContactId>,
    /// The contact's number; where it has none, the first of its other addresses.
    contact_identifier: &'a str,
    /// What people call the contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
    /// The contact's e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    /// What WhatsApp calls a contact whose number is hidden.
    #[serde(skip_serializing_if = "Option::is_none")]
    whatsapp: Option<WhatsAppOut<'a>>,
    /// The sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender_id: Option<&'a str>,
    /// The channels that it went over so far.
    #[schema(value_type = Vec<String>)]
    channels: Vec<&'static str>,
    /// Its newest message.
    last_message: LastMessageOut<'a>,
    /// How many messages it has.
    message_count: u32,
    /// How many came in since somebody said that they are read.
    unread_count: u32,
    /// Whether the contact opted out of this sender: then nothing can be sent.
    opted_out: bool,
    /// Until when anything can be sent on WhatsApp; absent while its window is closed (R-WIN-1).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    whatsapp_window_until: Option<Iso>,
    /// When it began.
    #[schema(schema_with = schema::time)]
    created_at: Iso,
    /// The time of its newest message.
    #[schema(schema_with = schema::time)]
    updated_at: Iso,
}

/// What WhatsApp calls a contact.
#[derive(Serialize, ToSchema)]
#[schema(as = ConversationWhatsApp)]
struct WhatsAppOut<'a> {
    /// Its business-scoped user id.
    bsuid: &'a str,
}

/// The newest message of a conversation, in short.
#[derive(Serialize, ToSchema)]
#[schema(as = ConversationLastMessage)]
struct LastMessageOut<'a> {
    /// Its id.
    #[schema(value_type = String)]
    id: Shown<MessageId>,
    /// Its text; where it has none, its kind in brackets.
    #[schema(value_type = String)]
    text: Cow<'a, str>,
    /// Its channel.
    #[schema(schema_with = schema::channel_in)]
    channel: &'static str,
    /// Which way it went.
    #[schema(schema_with = schema::direction)]
    direction: &'static str,
    /// When it was accepted, or reached us.
    #[schema(schema_with = schema::time)]
    at: Iso,
}

impl<'a> LastMessageOut<'a> {
    fn of(view: &'a MessageView, topology: &'a Topology) -> Self {
        let (content, at) = match &view.kind {
            ViewKind::Outbound { message, .. } => (&*message.content, message.accepted_at),
            ViewKind::Inbound(inbound) => (&inbound.content, inbound.received_at),
        };
        let said = content.plain_text().or(content.text.as_deref());
        let text = match said.filter(|it| !it.is_empty()) {
            Some(text) => Cow::Borrowed(text),
            None => Cow::Owned(format!("[{}]", content.kind.code())),
        };
        let shown = MessageOut::of(view, topology);
        Self {
            id: Shown(view.id),
            text,
            channel: shown.channel(),
            direction: shown.direction(),
            at: Iso(at),
        }
    }
}

impl<'a> ConversationOut<'a> {
    /// The conversation as it stands at `now`.
    pub(super) fn of(view: &'a ConversationView, now: Timestamp, topology: &'a Topology) -> Self {
        let ConversationView {
            contact,
            thread,
            last_message,
            ..
        } = view;
        let last_message = LastMessageOut::of(last_message, topology);
        let window_until = match window(thread.whatsapp_window_from, now) {
            Window::Open { closes_at } => Some(Iso(closes_at)),
            Window::Closed => None,
        };
        let email = first(contact, |kind, _| kind == AddressKind::Email);
        let bsuid = first(contact, |kind, identifier| {
            kind == AddressKind::WhatsApp && !identifier.starts_with('+')
        });
        Self {
            id: Shown(view.id),
            contact_id: Shown(contact.id),
            contact_identifier: identifier(contact),
            display_name: contact.display_name.as_deref(),
            email,
            whatsapp: bsuid.map(|bsuid| WhatsAppOut { bsuid }),
            sender_id: topology.sender(view.id.sender).map(|it| &*it.id),
            channels: Channel::ALL
                .into_iter()
                .filter(|it| view.channels.contains(*it))
                .map(Channel::code)
                .collect(),
            message_count: view.message_count,
            unread_count: view.unread_count,
            opted_out: thread.opted_out,
            whatsapp_window_until: window_until,
            created_at: Iso(view.created_at),
            updated_at: last_message.at,
            last_message,
        }
    }
}

fn identifier(contact: &ContactView) -> &str {
    match &contact.phone {
        Some(phone) => phone.as_str(),
        None => first(contact, |_, _| true).unwrap_or_default(),
    }
}

/// The first choice among the addresses that are so.
fn first(contact: &ContactView, is_so: impl Fn(AddressKind, &str) -> bool) -> Option<&str> {
    let mut fitting = contact
        .channels
        .iter()
        .filter(|it| is_so(it.kind, &it.identifier));
    let preferred = fitting.clone().find(|it| it.is_primary);
    let found = preferred.or_else(|| fitting.next())?;
    Some(&found.identifier)
}
