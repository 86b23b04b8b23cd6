//! Events as they are kept, and which of them an operation brings (R-MON-1).
//!
//! Rows are narrow, since every message has several: what an event tells is rendered when it is
//! delivered, from the row and from what never changes of the message.

use domain::decision::Decision;
use domain::ids::{ConversationId, MessageId, ProjectKey, SenderKey};
use domain::model::channel::Channel;
use domain::model::event::{EventDetail, EventId, EventKind, EventKinds, EventSeq, TemplateMove};
use domain::model::message::Status;
use domain::model::progress::Progress;
use domain::model::template::TemplateStanding;
use domain::rules::publish::brought_by;
use domain::time::Timestamp;

use super::messages::{InboundMessage, NewMessage};
use super::templates::Template;

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Whose.
    pub project: ProjectKey,
    /// Of which sender; `None` where it concerns the whole project: then it is one event in the
    /// stream, and in the queue of every sender's endpoint, at the same place.
    pub sender: Option<SenderKey>,
    /// What happened.
    pub kind: EventKind,
    /// The message that it is about, if it is about one.
    pub message: Option<MessageId>,
    /// When.
    pub at: Timestamp,
    /// The channel that the message had then, where it had one.
    pub channel: Option<Channel>,
    /// What nothing else may tell any more.
    pub detail: Option<EventDetail>,
}

/// An event with its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventRecord {
    /// Its place among all events.
    pub seq: EventSeq,
    /// What happened.
    pub event: Event,
}

impl EventRecord {
    /// Its public id.
    pub const fn id(&self) -> EventId {
        EventId {
            at: self.event.at,
            seq: self.seq,
        }
    }
}

/// Which events to read, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventFilter {
    /// Whose.
    pub project: ProjectKey,
    /// Only of this sender, and what concerns the whole project.
    pub sender: Option<SenderKey>,
    /// Only of these kinds.
    pub kinds: EventKinds,
    /// Of the steps of outbound messages, only those in this conversation: none once its contact is
    /// erased or merged into another. Everything else is found all the same.
    pub steps_in: Option<ConversationId>,
    /// Only after this place.
    pub after: EventSeq,
    /// At most so many.
    pub limit: u16,
    /// At most so many places are looked at, so that a reading is never long, however little is found.
    pub look_at: u32,
}

impl EventFilter {
    /// How many places are looked at where what fits is told by the event's row alone.
    pub const LOOK_AT: u32 = 20_000;
}

/// Some events, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EventPage {
    /// The events.
    pub events: Vec<EventRecord>,
    /// Everything up to this place was looked at: where to go on. It moves although none fits, at
    /// most by [`look_at`](EventFilter::look_at) from the place before the oldest event that is kept.
    pub upto: EventSeq,
    /// Whether there may be more behind that already.
    pub more: bool,
}

/// What an acceptance brings.
pub fn of_acceptance(
    id: MessageId,
    message: &NewMessage,
    progress: &Progress,
    decision: &Decision,
) -> Event {
    let tried = progress.last_attempt().map(|it| it.channel);
    Event {
        project: message.project,
        sender: Some(message.sender),
        kind: EventKind::Queued,
        message: Some(id),
        at: message.accepted_at,
        channel: tried.or_else(|| decision.channel().map(|it| it.0)),
        detail: None,
    }
}

/// What a change of an outbound message brings.
pub fn of_change(
    (project, sender, id): (ProjectKey, SenderKey, MessageId),
    was: Status,
    progress: &Progress,
    at: Timestamp,
) -> Option<Event> {
    let kind = brought_by(was, progress.status)?;
    let failure = progress
        .failure
        .clone()
        .filter(|_| kind == EventKind::Failed);
    Some(Event {
        project,
        sender: Some(sender),
        kind,
        message: Some(id),
        at,
        channel: progress.last_attempt().map(|it| it.channel),
        detail: failure.map(EventDetail::Failed),
    })
}

/// What an inbound message brings, in order: `conversation.new` before the message itself when
/// nobody had written in the thread before.
pub fn of_inbound(
    id: MessageId,
    inbound: &InboundMessage,
    is_new_thread: bool,
) -> impl Iterator<Item = Event> {
    let itself = if inbound.unsupported {
        EventKind::Unsupported
    } else {
        EventKind::Inbound
    };
    let event = |kind| Event {
        project: inbound.project,
        sender: Some(inbound.sender),
        kind,
        message: Some(id),
        at: inbound.received_at,
        channel: Some(inbound.channel),
        detail: None,
    };
    is_new_thread
        .then(|| event(EventKind::ConversationNew))
        .into_iter()
        .chain([event(itself)])
}

/// What a change of a template brings: an event of the whole project when it stands otherwise than
/// before. One that was made, brought in or forgotten did not move.
pub fn of_template(was: TemplateStanding, template: &Template, at: Timestamp) -> Option<Event> {
    let now = template.standing();
    if now == was {
        return None;
    }
    let definition = &template.text.definition;
    let moved = TemplateMove {
        template: template.id,
        name: definition.name.clone(),
        language: definition.language.clone(),
        was,
        now,
        reason: template.reason.clone(),
    };
    Some(Event {
        project: template.project,
        sender: None,
        kind: EventKind::TemplateMoved,
        message: None,
        at,
        channel: None,
        detail: Some(EventDetail::Template(Box::new(moved))),
    })
}
