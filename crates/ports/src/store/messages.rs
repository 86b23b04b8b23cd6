//! Messages as they are written once at acceptance, and as queries give them back.

use std::sync::Arc;

use domain::decision::{ClassReason, Decision};
use domain::ids::{ContactId, ConversationId, MessageId, ProjectKey, RouteKey, SenderKey};
use domain::model::address::Address;
use domain::model::channel::Channel;
use domain::model::consent::ConsentChange;
use domain::model::contact::ContactFacts;
use domain::model::content::{Content, MessageType};
use domain::model::message::{Campaign, Category, Direction, Purpose, Speed, Status, TrafficClass};
use domain::model::progress::Progress;
use domain::time::Timestamp;

/// What of an outbound message never changes after acceptance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewMessage {
    /// Whose it is.
    pub project: ProjectKey,
    /// Who it is from.
    pub sender: SenderKey,
    /// Who it is for.
    pub to: Address,
    /// What it says.
    pub content: Arc<Content>,
    /// Direct or bulk.
    pub class: TrafficClass,
    /// Why.
    pub class_reason: ClassReason,
    /// What the caller said it is for.
    pub category: Category,
    /// Whether it answers a keyword: then no consent is asked for (R-IN-2).
    pub purpose: Purpose,
    /// What to prefer.
    pub speed: Speed,
    /// The channel that the caller named.
    pub explicit: Option<Channel>,
    /// The inbound message that it answers, and that message's channel.
    pub reply_to: Option<(MessageId, Channel)>,
    /// The provider's id of the message that it answers or reacts to, where that one has one.
    pub context: Option<Box<str>>,
    /// Whether a test key sent it: simulators only (R-TEST).
    pub test: bool,
    /// The caller's own data as JSON text.
    pub metadata: Option<Box<str>>,
    /// What the caller counts it under.
    pub campaign: Option<Campaign>,
    /// When it is to be sent; `None` is at once.
    pub scheduled_at: Option<Timestamp>,
    /// When it was accepted.
    pub accepted_at: Timestamp,
}

/// The caller's key for "this is the same request" (R-LIFE-3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdempotencyKey {
    /// The key, unique in the project for 24 h.
    pub key: Box<str>,
    /// A hash of each field of the request, in a fixed order, to name the one that differs.
    pub fields: Vec<(&'static str, u64)>,
}

impl IdempotencyKey {
    /// The first field, in the order of this request, that the earlier request had differently or
    /// not at all; else one that only the earlier request had.
    pub fn first_difference<N: AsRef<str>>(&self, earlier: &[(N, u64)]) -> Option<Box<str>> {
        let in_earlier = |name: &str| earlier.iter().find(|it| it.0.as_ref() == name);
        let changed = self.fields.iter().find(|(name, hash)| {
            in_earlier(name).is_none_or(|(_, earlier_hash)| earlier_hash != hash)
        });
        let dropped = || {
            earlier
                .iter()
                .find(|(name, _)| self.fields.iter().all(|it| it.0 != name.as_ref()))
        };
        changed
            .map(|it| it.0.into())
            .or_else(|| dropped().map(|it| it.0.as_ref().into()))
    }
}

/// An outbound message with all that a station needs to go on with it.
#[derive(Clone, PartialEq, Debug)]
pub struct Outbound {
    /// Its id.
    pub id: MessageId,
    /// Its contact.
    pub contact: ContactId,
    /// What never changes.
    pub message: NewMessage,
    /// What does.
    pub progress: Progress,
    /// What is known of the contact now.
    pub facts: ContactFacts,
}

/// A message as the API shows it.
#[derive(Clone, PartialEq, Debug)]
pub struct MessageView {
    /// Its id.
    pub id: MessageId,
    /// Which way it went.
    pub direction: Direction,
    /// Its contact; `None` after the contact was erased.
    pub contact: Option<ContactId>,
    /// Public status.
    pub status: Status,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The message that an inbound one answers or reacts to, where it is one that is kept: found by
    /// the provider's id of it among what came and went by the same route.
    pub quoted: Option<Box<Quoted>>,
    /// The rest, by direction.
    pub kind: ViewKind,
}

/// A message that another one answers or reacts to, in short.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quoted {
    /// Its id.
    pub id: MessageId,
    /// Who wrote it, where it is inbound; else its sender did.
    pub from: Option<Address>,
    /// Its kind.
    pub kind: MessageType,
    /// Its words, as its recipient saw them.
    pub text: Option<Box<str>>,
}

impl Quoted {
    /// A message in short.
    pub fn of(view: &MessageView) -> Self {
        let (from, content, text) = match &view.kind {
            ViewKind::Outbound {
                message, progress, ..
            } => {
                let content = &message.content;
                let text = content.text.as_deref();
                let last = progress.last_attempt().map(|it| it.channel);
                let worded = || match last {
                    Some(channel) => content.plain_text_on(channel),
                    None => content.plain_text(),
                };
                (None, &**content, text.or_else(worded))
            }
            ViewKind::Inbound(it) => {
                let text = it.content.text.as_deref();
                (Some(it.from.clone()), &it.content, text)
            }
        };
        Self {
            id: view.id,
            from,
            kind: content.kind,
            text: text.map(Into::into),
        }
    }
}

/// What a message view holds beside what is common.
#[derive(Clone, PartialEq, Debug)]
pub enum ViewKind {
    /// From us.
    Outbound {
        /// What never changes.
        message: Box<NewMessage>,
        /// What does.
        progress: Box<Progress>,
        /// The decision that is in force, for its channel and reasons.
        decision: Option<Box<Decision>>,
    },
    /// To us.
    Inbound(Box<InboundMessage>),
}

/// A message that a person sent us.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InboundMessage {
    /// Whose it is.
    pub project: ProjectKey,
    /// The sender that it was written to.
    pub sender: SenderKey,
    /// The route that it came by.
    pub route: RouteKey,
    /// Its channel.
    pub channel: Channel,
    /// Who wrote it.
    pub from: Address,
    /// Other addresses that the provider says are the same person's.
    pub aliases: Vec<Address>,
    /// What the person calls themselves there; a contact without a name takes it.
    pub profile_name: Option<Box<str>>,
    /// Our address that it was written to, as the provider gave it.
    pub to: Box<str>,
    /// What it says.
    pub content: Content,
    /// Whether it is of a kind that the connector has no words for.
    pub unsupported: bool,
    /// The provider's id of the message that it answers or reacts to.
    pub quotes: Option<Box<str>>,
    /// The provider's id, by which a repeat is known (R-IN-1); `None` where it gives none.
    pub provider_id: Option<Box<str>>,
    /// What it asks to change of the consent towards its sender, where it is a keyword (R-IN-2).
    pub consent: Option<ConsentChange>,
    /// When it was sent, by the provider's clock; it opens the WhatsApp window (R-WIN-1).
    pub sent_at: Timestamp,
    /// When it reached us.
    pub received_at: Timestamp,
}

/// A receipt as it was kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReceiptRecord {
    /// When it reached us.
    pub at: Timestamp,
    /// The attempt that it was for.
    pub attempt: u8,
    /// What it said: the state's code.
    pub state: Box<str>,
    /// The provider's own words.
    pub raw: Box<str>,
}

/// A decision as it was kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DecisionRecord {
    /// When it was made.
    pub at: Timestamp,
    /// What it says.
    pub decision: Decision,
}

/// Which messages to list, newest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MessageFilter {
    /// Whose.
    pub project: ProjectKey,
    /// Only with this status.
    pub status: Option<Status>,
    /// Only to this address, or from it where inbound; messages of an erased contact are not found
    /// by address.
    pub to: Option<Address>,
    /// Only on this channel: the last tried, or the one an inbound message came by.
    pub channel: Option<Channel>,
    /// Only of this conversation.
    pub conversation: Option<ConversationId>,
    /// Only older than this one.
    pub before: Option<MessageId>,
    /// At most so many.
    pub limit: u16,
}
