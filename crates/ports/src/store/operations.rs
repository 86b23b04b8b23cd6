//! The operations: everything that changes the store. Each doc comment is a contract, and each of
//! its sentences a test of the conformance suite.

use domain::decision::Decision;
use domain::ids::{ApiKeyId, ContactId, MessageId, ProjectKey, RouteKey, SenderKey, UserId};
use domain::model::address::Address;
use domain::model::attempt::PlannedAttempt;
use domain::model::audit::AuditEntry;
use domain::model::event::EventSeq;
use domain::model::failure::Failure;
use domain::model::message::Status;
use domain::model::money::Micros;
use domain::model::progress::{Claim, FallbackPolicy, Lane, Waiting};
use domain::model::receipt::{ReceiptState, SubmitOutcome};
use domain::model::route::OnUnknown;
use domain::rules::due::Due;
use domain::rules::keyword::Keyword;
use domain::rules::person::{PersonAct, PersonRefusal};
use domain::time::Timestamp;

use super::Epoch;
use super::alerts::AlertStep;
use super::audit::{Audited, PruneHistory};
use super::books::{Deposit, QuotaGone};
use super::consent::Consent;
use super::contacts::{ContactChange, ContactOutcome};
use super::controls::ControlChange;
use super::conversations::MarkRead;
use super::messages::{IdempotencyKey, InboundMessage, NewMessage};
use super::phones::PhoneChange;
use super::senders::SenderChange;
use super::templates::{TemplateChange, TemplateOutcome};
use super::users::{UserChange, UserOutcome};
use super::webhooks::{Delivery, PruneEvents, Webhook, WebhookChange};

/// One change, committed whole or not at all. The events that it brings
/// ([`events`](super::events)) are kept with it; and so is what follows for quotas, ledger and
/// tallies ([`domain::rules::booking`]).
#[derive(Debug, Clone)]
pub enum Op {
    /// See [`Accept`].
    Accept(Box<Accept>),
    /// See [`Plan`].
    Plan(Box<Plan>),
    /// See [`Start`].
    Start(Start),
    /// See [`Release`].
    Release(Release),
    /// See [`Submitted`].
    Submitted(Box<Submitted>),
    /// See [`Receipt`].
    Receipt(Box<Receipt>),
    /// See [`Settle`].
    Settle(Settle),
    /// See [`Billed`].
    Billed(Billed),
    /// See [`Interrupted`].
    Interrupted(Interrupted),
    /// Keeps an inbound message (R-IN-1): finds the contact by its address, else by the first alias
    /// that a contact has, else makes it; lists with it those of the addresses that nobody has, and
    /// gives a contact without a name the profile's. The contact's thread has it as the
    /// newest of its thread, and opens the WhatsApp window at the provider's time stamp unless a
    /// newer message opened it already. Who writes on a channel has it: that the contact was thought
    /// not to is forgotten. The conversation counts it as unread. A change of consent that it asks
    /// for is made in the thread, and remembered, as [`Consent`] does it.
    /// A repeat of the same route and provider id changes
    /// nothing and answers [`Outcome::InboundRepeated`] with the first one's id.
    Inbound(Box<InboundMessage>),
    /// See [`AnsweredInbound`].
    Keyword(Box<AnsweredInbound>),
    /// Changes a contact; see [`ContactChange`].
    Contact {
        /// Whose contact.
        project: ProjectKey,
        /// The change.
        change: Box<ContactChange>,
        /// When.
        at: Timestamp,
    },
    /// See [`KeyChange`].
    Key(Box<KeyChange>),
    /// See [`SenderChange`].
    Sender(Box<SenderChange>),
    /// Forgets idempotency keys made before `keys_before` and parked receipts that arrived before
    /// `receipts_before`, at most `limit` of each.
    Prune {
        /// Idempotency keys older than this go.
        keys_before: Timestamp,
        /// Parked receipts older than this go.
        receipts_before: Timestamp,
        /// At most so many of each.
        limit: u16,
    },
    /// See [`Consent`].
    Consent(Box<Consent>),
    /// See [`MarkRead`].
    MarkRead(MarkRead),
    /// Makes, changes or forgets a template; see [`TemplateChange`]. Answers
    /// [`Outcome::Template`].
    Template {
        /// Whose template.
        project: ProjectKey,
        /// The change.
        change: Box<TemplateChange>,
        /// When.
        at: Timestamp,
    },
    /// See [`WebhookChange`].
    Webhook(Box<WebhookChange>),
    /// See [`Delivery`].
    Delivery(Box<Delivery>),
    /// See [`PruneEvents`].
    PruneEvents(PruneEvents),
    /// See [`Deposit`].
    Deposit(Deposit),
    /// See [`PersonStep`].
    Person(PersonStep),
    /// See [`UserChange`].
    User(Box<UserChange>),
    /// See [`Audited`].
    Audited(Box<Audited>),
    /// Keeps a line of the audit log. Answers [`Outcome::Done`].
    Audit(Box<AuditEntry>),
    /// See [`ControlChange`].
    Control(Box<ControlChange>),
    /// See [`AlertStep`].
    Alert(Box<AlertStep>),
    /// See [`PruneHistory`].
    PruneHistory(PruneHistory),
    /// See [`PhoneChange`].
    Phone(PhoneChange),
}

/// Keeps a message (station 1, with station 2 where it can go at once). Fenced: an owner that was
/// replaced must not answer for what only the new one will send.
///
/// - With an idempotency key that was used in the project less than 24 h ago, nothing is written
///   and the answer is [`Outcome::AlreadyAccepted`] with the first field that differs.
/// - When the contact withdrew its consent ([`domain::rules::consent`]), nothing is written and the
///   answer is [`Outcome::OptedOut`]; so, too, when nobody has the address, and the contact that had
///   it withdrew its consent before it was erased.
/// - The contact is found by its number, or made; the thread's newest outbound time is moved
///   forward, and the conversation has one message more, its newest.
/// - The id is given in the order of commit and is greater than every earlier one.
/// - With [`FirstStep::Send`] the first attempt is started in the same transaction, and its use
///   reserved; when a quota has no room for it, nothing is written and the answer is
///   [`Outcome::QuotaGone`] (R-QUOTA-1). A price that goes by volume
///   ([`Reservation::tariff`](domain::model::quota::Reservation)) is what the meter of the route makes
///   of it at that moment, whatever the plan took it for (R-COST-1).
/// - Otherwise the message waits as said, in its lane in the order of (due time, id).
/// - The decision is kept. What is due next follows from the progress.
#[derive(Debug, Clone)]
pub struct Accept {
    /// What never changes.
    pub message: NewMessage,
    /// What was decided about fallback; `untried` holds every channel of the sender, the one of
    /// the first attempt included.
    pub fallback: FallbackPolicy,
    /// End of validity.
    pub expires_at: Timestamp,
    /// What happens first.
    pub first: FirstStep,
    /// Why.
    pub decision: Decision,
    /// The caller's key.
    pub idempotency: Option<IdempotencyKey>,
    /// Whose work.
    pub epoch: Epoch,
}

/// Keeps an inbound message that is a keyword, as [`Op::Inbound`] does and with its outcome; and
/// where that is to be answered ([`Keyword::is_answered`]), accepts the answer in the same
/// transaction, as an answer to it: no crash comes between the two. The answer is not fenced, since
/// it only waits for whoever owns the work.
#[derive(Debug, Clone)]
pub struct AnsweredInbound {
    /// The message.
    pub inbound: InboundMessage,
    /// What it is.
    pub keyword: Keyword,
    /// The answer; what it answers is filled in.
    pub answer: Accept,
}

impl AnsweredInbound {
    /// The answer, where one is owed after this outcome; `epoch` is that of the work's owner.
    pub fn owed(&self, outcome: &Outcome, epoch: Epoch) -> Option<Accept> {
        let Outcome::InboundKept {
            message,
            consent_changed,
            ..
        } = outcome
        else {
            return None;
        };
        if !self.keyword.is_answered(*consent_changed) {
            return None;
        }
        let mut answer = self.answer.clone();
        answer.message.reply_to = Some((*message, self.inbound.channel));
        answer.epoch = epoch;
        Some(answer)
    }
}

/// What happens first to an accepted message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstStep {
    /// It is handed to its route at once.
    Send(PlannedAttempt),
    /// It waits in a lane.
    Wait(Lane),
    /// It waits for its time.
    Schedule(Timestamp),
    /// A person has it from the start (R-PHONE-4).
    Person(Claim),
}

/// Decides what happens next to a message that is not in the hands of a route (station 2).
///
/// - Fenced by the epoch. [`Outcome::Stale`] when the message's version is not the expected one.
/// - Nothing is handed to a route once the contact withdrew its consent: nothing is written and the
///   answer is [`Outcome::OptedOut`].
/// - What is handed to a route reserves its use; when a quota has no room for it, nothing is
///   written and the answer is [`Outcome::QuotaGone`] (R-QUOTA-1). A price that goes by volume is
///   that of the moment, as in [`Accept`].
/// - The step is carried out; a decision, where given, is kept beside the earlier ones.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Which message.
    pub message: MessageId,
    /// The version that the decision was made on.
    pub version: u32,
    /// What happens.
    pub step: PlanStep,
    /// Why.
    pub decision: Option<Decision>,
    /// When.
    pub at: Timestamp,
    /// Whose decision.
    pub epoch: Epoch,
}

/// What a plan decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanStep {
    /// Starts the next attempt.
    Start(PlannedAttempt),
    /// Goes on with the attempt under way, on its route or on another that has not refused it
    /// (R-ROUTE-4).
    Continue(PlannedAttempt),
    /// Waits in this lane.
    Wait(Lane),
    /// The attempt under way has failed, or no attempt can be made: fallback and failure follow
    /// by R-FALL ([`domain::rules::fallback::nothing_left`]).
    Fail(Failure),
}

/// Marks an attempt as started, on routes where an unknown outcome counts as failed (R-DUP).
/// Fenced. Answers [`Outcome::Changed`], or [`Outcome::Stale`] when the attempt is no longer in
/// the hands of that route.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    /// Which message.
    pub message: MessageId,
    /// Which attempt.
    pub attempt: u8,
    /// Whose work.
    pub epoch: Epoch,
}

/// Puts a message whose bytes have not left back into the lane of its route. Fenced.
///
/// - An attempt that no provider has seen is taken back altogether, so that the channel is chosen
///   again; one that was refused or partly accepted stays and waits.
/// - [`Outcome::Stale`] when the attempt is no longer in the hands of a route.
/// - A receipt that may have been for it is looked at again, as in [`Submitted`].
#[derive(Debug, Clone, Copy)]
pub struct Release {
    /// Which message.
    pub message: MessageId,
    /// Which attempt.
    pub attempt: u8,
    /// When.
    pub at: Timestamp,
    /// Whose work.
    pub epoch: Epoch,
}

/// Keeps what became of a submission (station 3) and folds it ([`domain::rules::outcome`]).
///
/// - Fenced. [`Outcome::Stale`] when the attempt is not on this route any more.
/// - The provider's references are kept, for receipts to find; a submission of unknown outcome is
///   kept by route and recipient, for a receipt that fits no other.
/// - A submission of unknown outcome takes the one receipt that was parked on the route for its
///   recipient since it was submitted, if no other is unknown there or waits for its answer (R-DUP).
/// - Receipts that were parked under one of the references are folded in the same transaction, in
///   the order in which they arrived.
/// - Whatever ends the wait for the answer of a submission, this or another operation: a receipt that was
///   parked since it may have been for that one is looked at again in the same transaction (R-DUP). It is
///   folded into the only other submission of unknown outcome to the recipient on the route, as one that
///   came just now would be, if it is the only one parked for the recipient there since that submission
///   was planned; the answer names that message, too ([`Changed::resolved`]). Nothing is folded while a
///   copy of the submission that ended is in doubt on the route: the receipt may still be for that.
/// - Where starts are marked, a submission without a mark has not left: no receipt can be for it, and it
///   holds none up.
#[derive(Debug, Clone)]
pub struct Submitted {
    /// Which message.
    pub message: MessageId,
    /// Which attempt.
    pub attempt: u8,
    /// The route that had it.
    pub route: RouteKey,
    /// What became of it.
    pub outcome: SubmitOutcome,
    /// When the connector took it: delivery times run from here (R-METRIC-1).
    pub submitted_at: Timestamp,
    /// When the wait for a receipt ends, should the outcome be unknown (R-DUP).
    pub resolve_at: Timestamp,
    /// Whether the route marks what it starts.
    pub marks_started: bool,
    /// When.
    pub at: Timestamp,
    /// Whose work.
    pub epoch: Epoch,
}

/// Keeps a receipt (station 4) and folds it (station 5, [`domain::rules::receipt_order`]).
/// Not fenced.
///
/// - The submission is found by route and the first of `references` that is known, where a form
///   after the first counts only if the receipt names the message's recipient; else by
///   `ours`; else it is the only submission of unknown outcome on the route to this recipient
///   (R-DUP), and no other one to the recipient waits for its answer: the receipt may be for that
///   one, and is early. Where starts are marked, one without a mark has not left and does not count. The
///   raw text is kept with the message.
/// - The contact's metrics change as the fold says, in the same transaction.
/// - A receipt that finds nothing is parked under its references, for the answer of its
///   submission that may still come; the answer is [`Outcome::ReceiptParked`]. Without any
///   reference it cannot be: [`Outcome::Missing`].
/// - A reference by which it was not found is kept for the part that it was taken for, so that a
///   repeat finds the same part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The route that it came by.
    pub route: RouteKey,
    /// The provider's id, in the forms under which it may have been kept, best first.
    pub references: Vec<Box<str>>,
    /// Our own reference, where the provider gives it back.
    pub ours: Option<(MessageId, u8)>,
    /// The recipient, where the provider names it.
    pub recipient: Option<Address>,
    /// Whether it speaks of the whole message, however many parts that has.
    pub whole: bool,
    /// What it says.
    pub state: ReceiptState,
    /// Whether the route marks what it starts.
    pub marks_started: bool,
    /// The provider's own words.
    pub raw: Box<str>,
    /// When it reached us.
    pub at: Timestamp,
}

/// Does what is due by the clock: expiry, a missing receipt, the end of the wait for an unknown
/// outcome, `fallbackAfter` (station 5, [`domain::rules::due`]). Fenced.
///
/// - [`Outcome::Stale`] when the message's version is not the expected one.
/// - What is due is found again from the progress and `at`; when nothing is, nothing changes.
#[derive(Debug, Clone, Copy)]
pub struct Settle {
    /// Which message.
    pub message: MessageId,
    /// The version that was seen to be due.
    pub version: u32,
    /// What to do at the end of the wait for an unknown outcome: the route's policy.
    pub on_unknown: OnUnknown,
    /// Now.
    pub at: Timestamp,
    /// Whose work.
    pub epoch: Epoch,
}

/// The owner of this submission died while it was in its hands: its outcome is unknown (R-DUP),
/// unless the route marks what it starts and this was not marked; that one goes back to its lane, and a
/// receipt that may have been for it is looked at again, as in [`Submitted`]. Fenced. [`Outcome::Stale`] when the attempt is not in the hands of a route.
#[derive(Debug, Clone, Copy)]
pub struct Interrupted {
    /// Which message.
    pub message: MessageId,
    /// Whether the route marks what it starts.
    pub marks_started: bool,
    /// When the wait for a receipt ends.
    pub resolve_at: Timestamp,
    /// Now.
    pub at: Timestamp,
    /// Whose work.
    pub epoch: Epoch,
}

/// Takes what the provider charges for a submission in the place of our estimate
/// ([`domain::rules::bill`]). Fenced. [`Outcome::Stale`] when the attempt does not exist or another
/// route has it.
#[derive(Debug, Clone, Copy)]
pub struct Billed {
    /// Which message.
    pub message: MessageId,
    /// Which attempt.
    pub attempt: u8,
    /// The route that carried it.
    pub route: RouteKey,
    /// The price of all of it, in the project's currency.
    pub cost: Micros,
    /// When.
    pub at: Timestamp,
    /// Whose work.
    pub epoch: Epoch,
}

/// What a person does with a message that waits (R-PHONE-2, [`domain::rules::person`]). Not fenced: the
/// step is carried out on the message as it is. Answers [`Outcome::Changed`], or
/// [`Outcome::PersonRefused`], or [`Outcome::Missing`] where the project has no such message.
///
/// - Who has a message is found by its project ([`Queries::claimed`](super::Queries::claimed)) until it
///   is sent, given back, or planned again.
/// - Nothing is taken that goes to a contact who withdrew its consent: the answer is
///   [`Outcome::OptedOut`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonStep {
    /// Whose message.
    pub project: ProjectKey,
    /// Which.
    pub message: MessageId,
    /// Who.
    pub person: UserId,
    /// What.
    pub act: PersonAct,
    /// When.
    pub at: Timestamp,
}

/// Makes or revokes an API key. Answers [`Outcome::Done`], or [`Outcome::Missing`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyChange {
    /// Keeps a new key.
    Create(ApiKeyRecord),
    /// Revokes it for good.
    Revoke {
        /// Whose.
        project: ProjectKey,
        /// Which.
        id: ApiKeyId,
        /// When.
        at: Timestamp,
    },
}

/// An API key as it is kept: never the key itself (R-SEC).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyRecord {
    /// Its id.
    pub id: ApiKeyId,
    /// Whose.
    pub project: ProjectKey,
    /// A name for people.
    pub name: Box<str>,
    /// SHA-256 of the key.
    pub hash: [u8; 32],
    /// Scopes as bits; see `api`.
    pub scopes: u8,
    /// Whether it is a test key (R-TEST).
    pub test: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// What became of an operation.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The message is kept.
    Accepted {
        /// Its id.
        message: MessageId,
        /// Its contact.
        contact: ContactId,
        /// Its version, for a first attempt under way.
        version: u32,
        /// What is due next.
        due: Option<Due>,
        /// What its first attempt is expected to cost, where one is under way.
        cost: Option<Micros>,
    },
    /// The idempotency key was used before (R-LIFE-3).
    AlreadyAccepted {
        /// The message that the key was used for.
        original: MessageId,
        /// The first field that differs, when the request is not the same.
        differs: Option<Box<str>>,
    },
    /// The idempotency key of a deposit was used before (R-LIFE-3).
    AlreadyDeposited {
        /// The first field that differs, when the deposit is not the same.
        differs: Option<Box<str>>,
    },
    /// The contact has withdrawn its consent towards the sender; nothing was written.
    OptedOut,
    /// The message changed.
    Changed(Changed),
    /// A person cannot do that with the message; nothing was written.
    PersonRefused(PersonRefusal),
    /// A receipt was kept for an unknown submission, until that is known.
    ReceiptParked,
    /// The inbound message is kept.
    InboundKept {
        /// Its id.
        message: MessageId,
        /// Who wrote it.
        contact: ContactId,
        /// Whether it changed the consent towards its sender.
        consent_changed: bool,
    },
    /// The inbound message was known already.
    InboundRepeated {
        /// The first one's id.
        message: MessageId,
    },
    /// What became of a change to a contact.
    Contact(ContactOutcome),
    /// Done.
    Done,
    /// What was to be changed does not exist.
    Missing,
    /// The message went on since; nothing was written.
    Stale,
    /// A newer owner has the work; nothing was written.
    Fenced,
    /// A quota has no room for it; nothing was written (R-QUOTA-1).
    QuotaGone(QuotaGone),
    /// The person's consent is as asked for.
    ConsentKept {
        /// Who.
        contact: ContactId,
        /// The senders with a thread towards which it was different before.
        changed: Vec<SenderKey>,
        /// Whether it was different before towards senders without a thread.
        everywhere: bool,
    },
    /// What became of a change to a template.
    Template(TemplateOutcome),
    /// What became of a change of users.
    User(UserOutcome),
    /// A sender's endpoint after a change.
    Webhook(Box<Webhook>),
    /// Old events were looked at, and forgotten where nobody needs them.
    EventsPruned {
        /// Where to go on; `None` where nothing behind that is old.
        upto: Option<EventSeq>,
    },
    /// Events were put back to be delivered again.
    Replayed {
        /// How many.
        count: u32,
        /// Whether there are more than one replay puts back.
        more: bool,
    },
}

/// A message after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Which message.
    pub message: MessageId,
    /// Its version now.
    pub version: u32,
    /// Its public status before.
    pub was: Status,
    /// Its public status now.
    pub status: Status,
    /// Where it waited before.
    pub was_waiting: Waiting,
    /// Where it waits now.
    pub waiting: Waiting,
    /// What is due next.
    pub due: Option<Due>,
    /// An attempt that must not be submitted any more, because an earlier one was delivered
    /// (R-FALL-3).
    pub cancelled: Option<u8>,
    /// Whether this was a delivery beyond the first (R-FALL-3).
    pub duplicate_delivery: bool,
    /// Whether a submission of unknown outcome was resolved by this.
    pub unknown_resolved: bool,
    /// Another message to the recipient, whose submission of unknown outcome took a parked receipt now
    /// that this one's answer is not waited for any more (R-DUP): what follows for it follows from here.
    pub resolved: Option<Box<Changed>>,
}
