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
use domain::model::address::Address;
use domain::model::attempt::PartSet;
use domain::model::content::{Content, TemplateUse};
use domain::model::message::{Category, TrafficClass};
use domain::model::money::Micros;
use domain::model::receipt::{ReceiptState, SubmitOutcome};
use domain::time::{Millis, Timestamp};

use crate::hooks::Hooks;
use crate::phones::PhoneGateway;
use crate::provider::{MediaSource, Presence, TemplateRegistrar, TemplateUpdate};

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
    /// The recipient, at an address of the route's channel.
    pub to: Address,
    /// What it says.
    pub content: Arc<Content>,
    /// The template to send in place of the content: the message's own, or the sender's default
    /// while the WhatsApp window is closed (R-WIN-2); `None` sends the content as it is.
    pub template: Option<Arc<TemplateUse>>,
    /// What the caller said it is for.
    pub category: Category,
    /// The provider's id of the message that this one answers or reacts to.
    pub context: Option<Box<str>>,
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
    /// How many links of the route have such a window, this one included.
    pub links: u16,
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

/// Called when a source that was empty may have something, and when [`SubmissionSource::in_use`] or
/// [`SubmissionSource::withdrawn`] changed; must be cheap and may be called often.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// A route's lanes as its connector sees them.
pub trait SubmissionSource: Send + Sync + 'static {
    /// Takes what may be sent now: direct before bulk, within throughput, with one slot and one
    /// token kept for direct (R-CLASS-3). From then on the connector owes an outcome for each.
    fn take(&self, slots: Slots) -> Taken;

    /// Whether people let the route be used at all (R-HEALTH). While they do not there is nothing to
    /// take, and a connector that keeps a session with its provider (a bind, a poll, a login) ends
    /// it once what is under way has its outcome, and begins none; calls of providers are answered
    /// as ever. It is known from the start on, and each change wakes.
    fn in_use(&self) -> bool;

    /// What the connector has and nobody wants any more: its recipient opted out (R-IN-2), or an
    /// earlier channel delivered meanwhile (R-FALL-3). Each is named until its end is told; most of the
    /// time there is none, and asking costs next to nothing. Each change wakes. Also what it may have from
    /// before an interruption is named, of which no outcome is owed.
    ///
    /// What certainly has not left the connector [gives back](RouteEvents::returned); whether that is
    /// so it alone decides, and of all else the outcome comes as ever. One with which something waits
    /// (for its recipient, for a server that put it off, for a phone to fetch it) asks when it is woken
    /// and before it lets such a thing go. One that writes what it takes at once need not ask: also not
    /// for the last parts of a long message, of which the first have left (R-PARTS).
    fn withdrawn(&self) -> Vec<SubmissionKey>;

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
    /// The recipient, where the provider names it.
    pub recipient: Option<Address>,
    /// Whether it speaks of the whole message, however many parts that has.
    pub whole: bool,
    /// What it says.
    pub state: ReceiptState,
    /// The provider's own words, without message text.
    pub raw: Box<str>,
}

/// An inbound message as a provider gave it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncomingMessage {
    /// Who wrote it: the phone number, where the provider tells it.
    pub from: Address,
    /// Other addresses that the provider says are the same person's.
    pub aliases: Vec<Address>,
    /// What the person calls themselves there.
    pub profile_name: Option<Box<str>>,
    /// Our address that it was written to.
    pub to: Box<str>,
    /// What it says; a button that was pressed is a text with the button's label.
    pub content: Content,
    /// Whether it is of a kind that the connector has no words for; the content is empty then.
    pub unsupported: bool,
    /// The provider's id of the message that it answers or reacts to.
    pub quotes: Option<Box<str>>,
    /// The provider's id.
    pub provider_id: Option<Box<str>>,
    /// When it was sent, by the provider's clock; `None` where it does not say.
    pub sent_at: Option<Timestamp>,
}

impl IncomingMessage {
    /// A message with nothing but what every provider tells.
    pub fn new(from: Address, to: impl Into<Box<str>>, content: Content) -> Self {
        Self {
            from,
            aliases: Vec::new(),
            profile_name: None,
            to: to.into(),
            content,
            unsupported: false,
            quotes: None,
            provider_id: None,
            sent_at: None,
        }
    }
}

/// What a provider says it charges for a submission, where it says so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bill {
    /// Number of segments that it counted.
    pub segments: Option<u16>,
    /// The price of all of it, in the project's currency.
    pub amount: Option<Micros>,
}

/// A person told the provider, not us, whether they want messages (R-IN-2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsentSignal {
    /// Who.
    pub from: Address,
    /// Our address that it is about; empty where the provider does not say.
    pub to: Box<str>,
    /// Whether they opted out; else in again.
    pub opted_out: bool,
    /// Whether it is about promotions only.
    pub promotions_only: bool,
    /// The provider's own words.
    pub raw: Box<str>,
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

    /// A person opted out or in at the provider.
    fn consent(&self, signal: ConsentSignal, ack: Ack);

    /// The provider changed a template.
    fn template(&self, update: TemplateUpdate, ack: Ack);

    /// The provider says what a submission costs; after its outcome was told.
    fn billed(&self, key: SubmissionKey, bill: Bill);

    /// The provider asks to be left alone for this long: the connector takes nothing meanwhile. After
    /// the outcome that it was said with; the route counts as throttled until then (R-ROUTE-4).
    fn paused(&self, wait: Millis);

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

    /// Where the provider's callbacks go, where it has any.
    fn hooks(&self) -> Option<&dyn Hooks> {
        None
    }

    /// Where phones with an app call, where the route is a pool of them.
    fn phones(&self) -> Option<&dyn PhoneGateway> {
        None
    }

    /// Read marks and typing indicators, where the provider has them.
    fn presence(&self) -> Option<&dyn Presence> {
        None
    }

    /// Media that people sent, where the provider keeps them.
    fn media(&self) -> Option<&dyn MediaSource> {
        None
    }

    /// The provider's templates, where it has them.
    fn templates(&self) -> Option<&dyn TemplateRegistrar> {
        None
    }
}

/// What can be done to a simulator from outside.
pub trait Simulator: Send + Sync {
    /// Plays a person who writes to us: goes the way of every inbound message, and opens the
    /// simulated WhatsApp window.
    fn inject_inbound(&self, message: IncomingMessage, ack: Ack);
}
