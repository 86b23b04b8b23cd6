//! What callers ask of the line, and what it answers.

use crate::standing::{OutOfQuota, QuotaStanding};
use domain::decision::Decision;
use domain::ids::{ConversationId, MessageId, ProjectKey, SenderKey, UserId};
use domain::model::address::Address;
use domain::model::channel::Channel;
use domain::model::content::Content;
use domain::model::control::RouteControl;
use domain::model::message::{Category, Speed, TrafficClass};
use domain::model::route::RouteCondition;
use domain::rules::health::HealthFigures;
use domain::rules::plan::Refusal;
use domain::time::{Millis, Timestamp};
use ports::store::Unavailable;
use ports::store::messages::{IdempotencyKey, MessageView};
use thiserror::Error;

use std::sync::Arc;

/// A message to be sent, checked for form but not for sense.
#[derive(Debug, Clone)]
pub struct SendRequest {
    /// Whose key asked.
    pub project: ProjectKey,
    /// Who it is from.
    pub sender: SenderKey,
    /// Who it is for.
    pub to: Address,
    /// What it says.
    pub content: Content,
    /// The channel that the caller named; `None` is `auto`.
    pub explicit: Option<Channel>,
    /// The caller's word on the traffic class (R-CLASS-1).
    pub traffic_class: Option<TrafficClass>,
    /// What it is for.
    pub category: Category,
    /// What to prefer; `None` follows the category.
    pub speed: Option<Speed>,
    /// The inbound message that it answers (R-CHAN-2).
    pub in_reply_to: Option<MessageId>,
    /// The message, of either direction, that it puts an emoji on.
    pub reacts_to: Option<MessageId>,
    /// The thread that it is to be put in; its contact must be the recipient.
    pub conversation: Option<ConversationId>,
    /// When to send it; past means now.
    pub scheduled_at: Option<Timestamp>,
    /// How long it may wait to be sent.
    pub validity: Option<Millis>,
    /// Whether it may fall back; `None` is yes for `auto` and no for a named channel (R-FALL-1).
    pub fallback_enabled: Option<bool>,
    /// Time without `delivered` that counts as failure (R-FALL-5).
    pub fallback_after: Option<Millis>,
    /// The caller's own data as JSON text.
    pub metadata: Option<Box<str>>,
    /// What the caller counts it under.
    pub campaign: Option<Box<str>>,
    /// The caller's key for "this is the same request".
    pub idempotency: Option<IdempotencyKey>,
    /// Whether a test key asked (R-TEST).
    pub test: bool,
    /// Who sends it from their own phone (R-PHONE-4), as a text message.
    pub by_person: Option<UserId>,
}

/// A message that is kept.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// As the API shows it: `queued` (DESIGN §1), with the channel that was chosen or is waited for.
    pub view: MessageView,
    /// What was decided, and why.
    pub decision: Decision,
}

/// What would be chosen now, had it been sent (R-API-2).
#[derive(Debug, Clone)]
pub struct Preview {
    /// What would be decided, and why; holds the refusal's reasons too.
    pub decision: Decision,
    /// Why it would be refused, if it would.
    pub refusal: Option<Refusal>,
    /// Whether it would have to wait for a route to come up.
    pub waits: bool,
}

/// Why a message was not kept. Nothing was stored.
#[derive(Debug, Clone, Error)]
pub enum Refused {
    /// The rules say no: consent, the named channel, or no channel at all.
    #[error("the message cannot be sent")]
    ByRule {
        /// Which rule.
        refusal: Refusal,
        /// What was found of each channel and route.
        decision: Box<Decision>,
    },
    /// The idempotency key was used before (R-LIFE-3).
    #[error("the idempotency key was used before")]
    AlreadyAccepted {
        /// The message that it was used for.
        original: MessageId,
        /// The first field that differs, when the request is not the same.
        differs: Option<Box<str>>,
    },
    /// `inReplyTo` names no inbound message of this project.
    #[error("there is no such inbound message")]
    NoSuchInbound,
    /// The message that is reacted to is none of this project, or its provider gave it no name.
    #[error("there is no message to react to")]
    NothingToReactTo,
    /// `inReplyTo` names a message of somebody else, or `conversationId` a thread with somebody
    /// else, or of another sender.
    #[error("the thread is with another contact or sender")]
    OtherThread,
    /// `scheduledAt` plus validity is already over, or a date beyond what can be kept.
    #[error("the time is out of range")]
    TimeOutOfRange,
    /// The backlog is at its bound; try again later (429).
    #[error("the backlog is full")]
    BacklogFull,
    /// The store did not take it (503).
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A route as the operator sees it.
#[derive(Debug, Clone)]
pub struct RouteStatus {
    /// Its configured id.
    pub id: Arc<str>,
    /// Whose it is.
    pub project: ProjectKey,
    /// Whether it takes submissions.
    pub condition: RouteCondition,
    /// Why it does not, in words.
    pub reason: Option<Box<str>>,
    /// Since when it is so; where it is up and out of quota, since when that is. `None` where it was
    /// out of quota before the start.
    pub since: Option<Timestamp>,
    /// A person's word over it.
    pub control: Option<Arc<RouteControl>>,
    /// What its breaker goes by (R-HEALTH).
    pub health: HealthFigures,
    /// How its quotas stand (R-QUOTA-1).
    pub quotas: Vec<QuotaStanding>,
    /// What is used up, if anything: the route takes nothing (R-QUOTA-2).
    pub out_of_quota: Option<OutOfQuota>,
    /// Messages that wait in its lanes.
    pub backlog: u64,
    /// Messages planned for it, for its connector to take next.
    pub ready: usize,
    /// Submissions in its hands.
    pub in_hand: usize,
}
