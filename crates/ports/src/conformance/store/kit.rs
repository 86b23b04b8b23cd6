//! Short ways to say what the cases do.

use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use domain::decision::{ClassReason, Decision};
use domain::ids::{ContactId, MessageId, ProjectKey, RouteKey, SenderKey};
use domain::model::address::Address;
use domain::model::attempt::PlannedAttempt;
use domain::model::channel::{Channel, ChannelSet};
use domain::model::contact::ContactFacts;
use domain::model::content::Content;
use domain::model::failure::{Failure, FailureClass};
use domain::model::message::{Category, Purpose, Speed, TrafficClass};
use domain::model::money::Micros;
use domain::model::progress::{FallbackPolicy, Lane, Progress};
use domain::model::quota::Reservation;
use domain::model::receipt::{PartReference, ReceiptState, SubmitOutcome};
use domain::model::route::ChargedOn;
use domain::phone::PhoneNumber;
use domain::time::{Millis, Timestamp};

use crate::store::messages::{InboundMessage, NewMessage};
use crate::store::operations::{Accept, Changed, FirstStep, Plan, PlanStep, Receipt, Submitted};
use crate::store::{Answer, Epoch, Op, Outcome, Store, Unavailable};

/// The project of most cases.
pub const PROJECT: ProjectKey = ProjectKey(1);
/// The sender of most cases.
pub const SENDER: SenderKey = SenderKey(1);
/// A route for text messages.
pub const SMS: RouteKey = RouteKey(1);
/// A route for WhatsApp.
pub const WHATSAPP: RouteKey = RouteKey(2);
/// How long an operation may take before the case fails.
const PATIENCE: Duration = Duration::from_mins(1);

/// A moment, so many milliseconds into the test.
pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + millis)
}

/// One of a family of numbers.
pub fn phone(last: u32) -> PhoneNumber {
    PhoneNumber::parse(&format!("+4477009{last:05}")).unwrap()
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for an answer.
pub fn ask<T>(answer: Answer<'_, T>) -> T {
    try_to_ask(answer).unwrap()
}

/// Waits for an answer that may be a fault.
pub fn try_to_ask<T>(answer: Answer<'_, T>) -> Result<T, Unavailable> {
    let mut answer = pin!(answer);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match answer.as_mut().poll(&mut context) {
            Poll::Ready(result) => return result,
            Poll::Pending => std::thread::park_timeout(PATIENCE),
        }
    }
}

/// Commits an operation and waits for its outcome.
pub fn commit(store: &dyn Store, op: Op) -> Outcome {
    let (sender, outcome) = mpsc::channel();
    store.commit(op, Box::new(move |result| drop(sender.send(result))));
    outcome.recv_timeout(PATIENCE).unwrap().unwrap()
}

/// Commits an operation that changes a message.
pub fn change(store: &dyn Store, op: Op) -> Changed {
    match commit(store, op) {
        Outcome::Changed(changed) => changed,
        other => panic!("not a change: {other:?}"),
    }
}

/// Commits an acceptance.
pub fn accept(store: &dyn Store, accept: Accept) -> (MessageId, ContactId) {
    match commit(store, Op::Accept(Box::new(accept))) {
        Outcome::Accepted {
            message, contact, ..
        } => (message, contact),
        other => panic!("not accepted: {other:?}"),
    }
}

/// Commits an inbound message.
pub fn receive(store: &dyn Store, inbound: InboundMessage) -> (MessageId, ContactId) {
    match commit(store, Op::Inbound(Box::new(inbound))) {
        Outcome::InboundKept {
            message, contact, ..
        } => (message, contact),
        other => panic!("not kept: {other:?}"),
    }
}

/// How a message stands.
pub fn progress(store: &dyn Store, id: MessageId) -> Progress {
    ask(store.outbound(id)).unwrap().progress
}

/// What is known of a person.
pub fn facts(store: &dyn Store, to: impl Into<Address>) -> ContactFacts {
    ask(store.contact_facts(PROJECT, SENDER, &to.into()))
}

/// A lane of direct messages.
pub fn lane(route: RouteKey) -> Lane {
    Lane {
        route,
        class: TrafficClass::Direct,
    }
}

/// An attempt of one part on a route with receipts.
pub fn planned(channel: Channel, route: RouteKey) -> PlannedAttempt {
    PlannedAttempt {
        channel,
        route,
        parts: 1,
        estimated_cost: Micros(35_000),
        charged_on: ChargedOn::Submit,
        receipts: true,
        country: None,
        reservation: Reservation::default(),
    }
}

/// A text to a person on SMS and, failing that, WhatsApp, sent at once.
pub fn sent_at_once(to: impl Into<Address>, now: Timestamp) -> Accept {
    first(FirstStep::Send(planned(Channel::Sms, SMS)), to, now)
}

/// A text to a person that waits in the lane of the SMS route.
pub fn waiting(to: impl Into<Address>, now: Timestamp) -> Accept {
    first(FirstStep::Wait(lane(SMS)), to, now)
}

/// A text to a person.
pub fn first(first: FirstStep, to: impl Into<Address>, now: Timestamp) -> Accept {
    let untried: ChannelSet = Channel::ALL.into_iter().collect();
    Accept {
        message: NewMessage {
            project: PROJECT,
            sender: SENDER,
            to: to.into(),
            content: Arc::new(Content::text("Bună ziua")),
            class: TrafficClass::Direct,
            class_reason: ClassReason::Default,
            category: Category::Transactional,
            purpose: Purpose::Ordinary,
            speed: Speed::Normal,
            explicit: None,
            reply_to: None,
            context: None,
            test: false,
            metadata: None,
            campaign: None,
            scheduled_at: None,
            accepted_at: now,
        },
        fallback: FallbackPolicy {
            enabled: true,
            after: None,
            untried,
        },
        expires_at: now.plus(Millis::hours(48)),
        first,
        decision: decision(ClassReason::Default),
        idempotency: None,
        // Whoever owns the work, unless a test says otherwise.
        epoch: Epoch(i64::MAX),
    }
}

/// A decision that is known again by its reason.
pub fn decision(class_reason: ClassReason) -> Decision {
    Decision {
        class: TrafficClass::Direct,
        class_reason,
        channels: Vec::new(),
        routes: Vec::new(),
    }
}

/// The first owner's epoch.
pub const OWNER: Epoch = Epoch(0);

/// A plan without a decision.
pub fn plan(message: MessageId, version: u32, step: PlanStep, now: Timestamp) -> Op {
    Op::Plan(Box::new(Plan {
        message,
        version,
        step,
        decision: None,
        at: now,
        epoch: OWNER,
    }))
}

/// What became of the first attempt, on the SMS route.
pub fn submitted(message: MessageId, outcome: SubmitOutcome, now: Timestamp) -> Submitted {
    let resolve_at = now.plus(Millis::seconds(30));
    Submitted {
        message,
        attempt: 1,
        route: SMS,
        outcome,
        submitted_at: now,
        marks_started: false,
        resolve_at,
        at: now,
        epoch: OWNER,
    }
}

/// The provider took one part under this name.
pub fn taken(reference: &str) -> SubmitOutcome {
    SubmitOutcome::Accepted {
        references: vec![part(0, reference)],
    }
}

/// The provider's name for a part.
pub fn part(part: u16, reference: &str) -> PartReference {
    PartReference {
        part,
        reference: reference.into(),
    }
}

/// A receipt on the SMS route.
pub fn receipt(reference: &str, state: ReceiptState, now: Timestamp) -> Receipt {
    Receipt {
        route: SMS,
        references: vec![reference.into()],
        ours: None,
        recipient: None,
        whole: false,
        state,
        marks_started: false,
        raw: reference.into(),
        at: now,
    }
}

/// The receipt as an operation.
pub fn op(receipt: Receipt) -> Op {
    Op::Receipt(Box::new(receipt))
}

/// A failure of this class.
pub fn failure(class: FailureClass) -> Failure {
    Failure::new(class, "42", "The provider says so.")
}

/// A message from a person on this channel, on its route.
pub fn written(
    from: impl Into<Address>,
    channel: Channel,
    id: &str,
    now: Timestamp,
) -> InboundMessage {
    InboundMessage {
        project: PROJECT,
        sender: SENDER,
        route: match channel {
            Channel::Sms => SMS,
            Channel::WhatsApp | Channel::Telegram | Channel::Email => WHATSAPP,
        },
        channel,
        from: from.into(),
        aliases: Vec::new(),
        profile_name: None,
        to: "+40700000001".into(),
        content: Content::text("Salut"),
        unsupported: false,
        quotes: None,
        provider_id: Some(id.into()),
        consent: None,
        sent_at: now.plus(Millis::new(-700)),
        received_at: now,
    }
}

/// Whether a lane holds these messages, in this order.
pub fn assert_lane(store: &dyn Store, lane: Lane, want: &[MessageId]) {
    let found = ask(store.lane(lane, None, 100));
    let ids: Vec<_> = found.iter().map(|it| it.1.id).collect();
    assert_eq!(ids, want);
}
