//! Connectors: what carries submissions to providers and hears from them.
//!
//! A connector with a free slot *pulls* its next submission ([`SubmissionSource`]), so there is no
//! second queue behind the route's lanes and nothing to push back. What it hears it gives to
//! [`RouteEvents`]; a receipt or inbound message is answered to the provider only after its
//! [`Ack`] was called, which is after it is durable.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use domain::ids::MessageId;
use domain::model::attempt::PartSet;
use domain::model::content::Content;
use domain::model::message::TrafficClass;
use domain::model::receipt::{ReceiptState, SubmitOutcome};
use domain::phone::PhoneNumber;
use domain::time::{Millis, Timestamp};

/// Names a submission between the engine and a connector.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SubmissionKey {
    /// The message.
    pub message: MessageId,
    /// The attempt's number.
    pub attempt: u8,
}

/// One message for a connector to put on the wire.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Its name; also our reference towards providers that give one back.
    pub key: SubmissionKey,
    /// Direct or bulk.
    pub class: TrafficClass,
    /// Our address: a number, a short code or a name; empty where the route fixes it.
    pub from: Arc<str>,
    /// The recipient.
    pub to: PhoneNumber,
    /// What it says.
    pub content: Arc<Content>,
    /// Number of parts.
    pub parts: u16,
    /// Parts that the provider took already; only the others are sent (R-PARTS).
    pub accepted: PartSet,
    /// How long the provider may keep trying, where it can honour that (R-FALL-5).
    pub validity: Option<Millis>,
    /// After this moment it must not be sent any more (R-LIFE-4).
    pub expires_at: Timestamp,
}

impl Submission {
    /// Parts still to be sent: what throughput and window count (R-PARTS).
    pub const fn parts_left(&self) -> u16 {
        self.parts.saturating_sub(self.accepted.len())
    }
}

/// How much room a connector's link has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slots {
    /// Free slots of the window.
    pub free: u16,
    /// All slots of the window.
    pub window: u16,
}

/// What a source gave.
#[derive(Debug, Default)]
pub struct Taken {
    /// In order of sending. Their parts fit into the free slots, but for a single longer message,
    /// whose parts go out as slots come free.
    pub submissions: Vec<Submission>,
    /// When to ask again although nothing new came: the throughput or a back-off holds some back.
    pub ask_again_at: Option<Timestamp>,
}

/// Called when a source that was empty may have something; must be cheap and may be called often.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// A route's lanes as its connector sees them.
pub trait SubmissionSource: Send + Sync + 'static {
    /// Takes what may be sent now: direct before bulk, within throughput, with one slot and one
    /// token kept for direct (R-CLASS-3). From then on the connector owes an outcome for each.
    fn take(&self, slots: Slots) -> Taken;

    /// Registers one link of the connector to be woken.
    fn on_ready(&self, wake: Wake);
}

/// Whether what was heard is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard {
    /// It is durable, or needs not be kept: answer the provider with success.
    Kept,
    /// It could not be kept: answer so that the provider tries again.
    TryAgain,
}

/// Called once, when it is known whether what was heard is kept. Must not block.
pub type Ack = Box<dyn FnOnce(Heard) + Send>;

/// A receipt as a provider gave it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncomingReceipt {
    /// The provider's id, in the forms under which it may have been kept, best first.
    pub references: Vec<Box<str>>,
    /// Our own reference, where the provider gives it back.
    pub ours: Option<SubmissionKey>,
    /// The recipient's number, where the provider names it.
    pub recipient: Option<PhoneNumber>,
    /// What it says.
    pub state: ReceiptState,
    /// The provider's own words, without message text.
    pub raw: Box<str>,
}

/// An inbound message as a provider gave it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncomingMessage {
    /// Who wrote it.
    pub from: PhoneNumber,
    /// Our address that it was written to.
    pub to: Box<str>,
    /// What it says.
    pub content: Content,
    /// The provider's id.
    pub provider_id: Option<Box<str>>,
    /// When it was sent, by the provider's clock; `None` where it does not say.
    pub sent_at: Option<Timestamp>,
}

/// Whether a route's link works.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LinkState {
    /// At least one link takes submissions.
    Up,
    /// None does; why, for the operator.
    Down(Box<str>),
}

/// Where a connector tells what happened on its route.
pub trait RouteEvents: Send + Sync + 'static {
    /// The outcome of a submission that it had taken.
    fn submitted(&self, key: SubmissionKey, outcome: SubmitOutcome);

    /// Gives a submission back that it had taken and that certainly has not left.
    fn returned(&self, key: SubmissionKey);

    /// A receipt came.
    fn receipt(&self, receipt: IncomingReceipt, ack: Ack);

    /// An inbound message came.
    fn inbound(&self, message: IncomingMessage, ack: Ack);

    /// The route's link changed.
    fn link(&self, state: LinkState);
}

/// A running connector of one route.
pub trait Connector: Send + Sync + 'static {
    /// Takes nothing more, waits for the outcomes under way (at most `patience`), and disconnects.
    fn stop(&self, patience: Millis) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// The simulator behind it, where it is one.
    fn simulator(&self) -> Option<&dyn Simulator> {
        None
    }
}

/// What can be done to a simulator from outside.
pub trait Simulator: Send + Sync {
    /// Plays a person who writes to us: goes the way of every inbound message, and opens the
    /// simulated WhatsApp window.
    fn inject_inbound(&self, message: IncomingMessage, ack: Ack);
}
