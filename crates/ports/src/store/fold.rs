//! The part of each operation that is about the message alone: every store loads a [`Progress`],
//! calls the function of the operation, and writes the result back in the same transaction.
//!
//! `None` means that the operation came too late ([`Outcome::Stale`](super::Outcome::Stale)):
//! nothing is to be written.

use domain::ids::{MessageId, RouteKey, first_key_at};
use domain::model::address::Address;
use domain::model::attempt::{Attempt, AttemptState, PartSet};
use domain::model::channel::Channel;
use domain::model::message::Status;
use domain::model::progress::{MAX_ATTEMPTS, Progress, Waiting};
use domain::model::receipt::{PartReference, ReceiptState};
use domain::rules::due::{self, next_due};
use domain::rules::fallback::nothing_left;
use domain::rules::outcome::{self, Effects};
use domain::rules::person::{self, PersonRefusal};
use domain::rules::{bill, receipt_order, unknown};
use domain::time::{Millis, Timestamp};

use super::messages::NewMessage;
use super::operations::{
    Accept, Billed, Changed, FirstStep, Interrupted, PersonStep, Plan, PlanStep, Release, Settle,
    Start, Submitted,
};

/// How long an idempotency key is remembered (R-LIFE-3).
pub const IDEMPOTENCY_MEMORY: Millis = Millis::hours(24);

/// Gives keys to rows, ascending, also when the clock steps back. Contacts and messages share one
/// sequence.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct KeySequence {
    last: i64,
}

impl KeySequence {
    /// Goes on after the key `last`; zero when there is none yet.
    pub const fn after(last: i64) -> Self {
        Self { last }
    }

    /// The newest key given.
    pub const fn last(self) -> i64 {
        self.last
    }

    /// A key for a row made at `now`, greater than every earlier one.
    pub fn next(&mut self, now: Timestamp) -> i64 {
        self.last = self.last.saturating_add(1).max(first_key_at(now));
        self.last
    }
}

/// The place of a message in its lane: the later of acceptance and schedule (R-ORDER).
pub fn place(message: &NewMessage) -> Timestamp {
    message
        .scheduled_at
        .map_or(message.accepted_at, |at| at.max(message.accepted_at))
}

/// The channel that a conversation goes over with a new message, where that is known.
pub fn first_channel(accept: &Accept) -> Option<Channel> {
    match &accept.first {
        FirstStep::Send(planned) => Some(planned.channel),
        FirstStep::Person(_) => Some(Channel::Sms),
        FirstStep::Wait(_) | FirstStep::Schedule(_) => accept.decision.channel().map(|it| it.0),
    }
}

/// The channel that a plan hands a message to; nothing is handed over without consent.
pub const fn planned_channel(step: &PlanStep) -> Option<Channel> {
    match step {
        PlanStep::Start(planned) | PlanStep::Continue(planned) => Some(planned.channel),
        PlanStep::Wait(_) | PlanStep::Fail(_) => None,
    }
}

/// Whether messages on this channel are known by the provider's id to those who answer or react to
/// them.
pub const fn is_answerable(channel: Channel) -> bool {
    match channel {
        Channel::Sms => false,
        Channel::WhatsApp | Channel::Telegram | Channel::Email => true,
    }
}

/// The channel of an attempt, where the provider's name for it is kept by message.
pub fn answerable_channel(progress: &Progress, attempt: u8) -> Option<Channel> {
    let found = progress.attempts.iter().find(|it| it.no == attempt);
    found.map(|it| it.channel).filter(|it| is_answerable(*it))
}

/// A message at the moment of its acceptance.
pub fn accepted(accept: &Accept) -> Progress {
    let waiting = match &accept.first {
        FirstStep::Send(_) => Waiting::No,
        FirstStep::Wait(lane) => Waiting::Lane(*lane),
        FirstStep::Schedule(at) => Waiting::Schedule { at: *at },
        FirstStep::Person(claim) => Waiting::Person(*claim),
    };
    let (class, fallback) = (accept.message.class, accept.fallback);
    let mut progress = Progress::accepted(class, fallback, accept.expires_at, waiting);
    if let FirstStep::Send(planned) = &accept.first {
        progress.start_attempt(planned);
    }
    progress
}

/// Carries out the step of a plan.
pub fn plan(progress: &mut Progress, plan: &Plan) -> Option<Effects> {
    if progress.version != plan.version {
        return None;
    }
    match &plan.step {
        PlanStep::Start(planned) if progress.attempts.len() < MAX_ATTEMPTS => {
            progress.start_attempt(planned);
        }
        PlanStep::Continue(planned) if is_under_way(progress) => progress.continue_attempt(planned),
        PlanStep::Wait(lane) => progress.wait_in(*lane),
        PlanStep::Fail(failure) => nothing_left(progress, failure.clone(), plan.at),
        PlanStep::Start(_) | PlanStep::Continue(_) => return None,
    }
    Some(Effects::default())
}

fn is_under_way(progress: &Progress) -> bool {
    progress
        .last_attempt()
        .is_some_and(|it| it.state == AttemptState::Sending)
}

/// Marks an attempt as started.
pub fn start(progress: &mut Progress, start: &Start) -> Option<Effects> {
    held(progress, start.attempt)?;
    progress.attempt_mut(start.attempt)?.started = true;
    progress.version += 1;
    Some(Effects::default())
}

/// Takes an attempt back that has not left; of one that a receipt ended meanwhile, what it held of the
/// quotas.
pub fn release(progress: &mut Progress, release: &Release) -> Option<Effects> {
    if held(progress, release.attempt).is_some() {
        unknown::release(progress, release.attempt, release.at);
        return Some(Effects::default());
    }
    unknown::never_left(progress, release.attempt).then(Effects::default)
}

/// The attempt, if it is in the hands of a route.
fn held(progress: &Progress, attempt: u8) -> Option<()> {
    (unknown::in_hand(progress) == Some(attempt)).then_some(())
}

/// Folds the answer to a submission.
pub fn submitted(progress: &mut Progress, submitted: &Submitted) -> Option<Effects> {
    let attempt = progress.attempt_mut(submitted.attempt)?;
    if attempt.route != submitted.route {
        return None;
    }
    let Submitted {
        attempt,
        outcome,
        submitted_at,
        resolve_at,
        at,
        ..
    } = submitted;
    let effects = outcome::submitted(progress, *attempt, outcome, *resolve_at, *at);
    if let Some(attempt) = progress
        .attempt_mut(*attempt)
        .filter(|it| it.sent_at == Some(*at))
    {
        // Delivery times run from the submission, not from its answer (R-METRIC-1).
        attempt.sent_at = Some(*submitted_at);
    }
    Some(effects)
}

/// The references that a submission's answer brings.
pub fn references(submitted: &Submitted) -> &[PartReference] {
    outcome::references(&submitted.outcome)
}

/// Whether a receipt may be for a message to this number, by the form of its reference: the exact
/// form speaks for itself, another (hexadecimal for decimal, without zeros) may be a different
/// message's and counts only where the receipt names the same recipient.
pub fn may_be_for(form: usize, receipt: Option<&Address>, to: &Address) -> bool {
    form == 0 || receipt == Some(to)
}

/// Folds a receipt.
pub fn receipt(
    progress: &mut Progress,
    attempt: u8,
    part: u16,
    state: &ReceiptState,
    at: Timestamp,
) -> Effects {
    receipt_order::receipt(progress, attempt, part, state, at)
}

/// Which part a receipt speaks of whose reference is not known: all of them where it is about the
/// whole message; else the first that was not accepted, else the first that was not delivered.
///
/// The store keeps the reference for it, so that a repeat finds the same part again.
pub fn unnamed_part(attempt: &Attempt, whole: bool) -> u16 {
    if whole {
        return PartSet::WHOLE;
    }
    let mut parts = 0..attempt.parts;
    parts
        .clone()
        .find(|part| !attempt.accepted.contains(*part))
        .or_else(|| parts.find(|part| !attempt.delivered.contains(*part)))
        .unwrap_or(0)
}

/// Does what is due by the clock.
pub fn settle(progress: &mut Progress, settle: &Settle) -> Option<Effects> {
    (progress.version == settle.version)
        .then(|| due::settle(progress, settle.on_unknown, settle.at))
}

/// Takes the provider's price.
pub fn billed(progress: &mut Progress, it: &Billed) -> Option<Effects> {
    let attempt = progress.attempt_mut(it.attempt)?;
    if attempt.route != it.route {
        return None;
    }
    bill::billed(progress, it.attempt, it.cost);
    Some(Effects::default())
}

/// Carries out what a person does; why not, where it cannot be.
pub fn person(progress: &mut Progress, it: &PersonStep) -> Result<Effects, PersonRefusal> {
    person::act(progress, it.person, it.act, it.at)
}

/// Whether a person has the message.
pub const fn is_claimed(progress: &Progress) -> bool {
    matches!(progress.waiting, Waiting::Person(_))
}

/// Makes unknown what the last owner left in the hands of a route.
pub fn interrupted(progress: &mut Progress, it: &Interrupted) -> Option<Effects> {
    let attempt = unknown::in_hand(progress)?;
    unknown::interrupted(progress, attempt, it.marks_started, it.resolve_at, it.at);
    Some(Effects::default())
}

/// Whether the last owner's death matters to the message: an attempt is in the hands of a route
/// and the message has not ended.
pub fn is_in_hand(progress: &Progress) -> bool {
    !progress.is_ended() && unknown::in_hand(progress).is_some()
}

/// The route that has a submission of the message whose answer has not come.
pub fn in_hand_of(progress: &Progress) -> Option<RouteKey> {
    let attempt = progress.last_attempt()?;
    is_in_hand(progress).then_some(attempt.route)
}

/// Whether a receipt of this route under a name that nobody knows yet may be for a submission of the message
/// whose answer has not come (R-DUP). Where `marks_started`, what is not marked has not left.
pub fn is_with(progress: &Progress, route: RouteKey, marks_started: bool) -> bool {
    let attempt = progress.last_attempt();
    let may_have_left = attempt.is_some_and(|it| it.started || !marks_started);
    may_have_left && in_hand_of(progress) == Some(route)
}

/// The route whose answer the message waited for before, `in_hand_of` then, and does not now: a receipt that
/// was parked because it may be for this message is for another (R-DUP), unless a copy is in doubt there.
pub fn answered(in_hand_of_then: Option<RouteKey>, progress: &Progress) -> Option<RouteKey> {
    let route = in_hand_of_then.filter(|it| in_hand_of(progress) != Some(*it))?;
    let mut doubts = progress.attempts.iter().flat_map(|it| &it.doubts);
    doubts
        .all(|it| it.route != route || it.copies == 0)
        .then_some(route)
}

/// What a change is answered with, before any [`Effects`] are [noted](note) in it. `was` and
/// `was_waiting` are the message's status and waiting before the change.
pub fn changed(
    message: MessageId,
    was: Status,
    was_waiting: Waiting,
    progress: &Progress,
) -> Changed {
    Changed {
        message,
        version: progress.version,
        was,
        status: progress.status,
        was_waiting,
        waiting: progress.waiting,
        due: next_due(progress),
        cancelled: None,
        duplicate_delivery: false,
        unknown_resolved: false,
        resolved: None,
    }
}

/// Adds what one fold brought to the answer.
pub fn note(changed: &mut Changed, effects: &Effects) {
    changed.cancelled = changed.cancelled.or(effects.cancelled);
    changed.duplicate_delivery |= effects.duplicate_delivery;
    changed.unknown_resolved |= effects.unknown_resolved;
}
