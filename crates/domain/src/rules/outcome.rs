//! R-ROUTE-4, R-ROUTE-5, R-PARTS: what the answer to a submission makes of an attempt.
//!
//! Certainly not accepted: the attempt goes on with the next route at once. Unknown: it waits for
//! a receipt (R-DUP). Refused for good: the channel attempt has failed.

use crate::model::attempt::{Attempt, AttemptState};
use crate::model::failure::{Failure, FailureClass};
use crate::model::message::Status;
use crate::model::progress::{Lane, Progress, Waiting};
use crate::model::receipt::{PartReference, SubmitOutcome};
use crate::model::route::ChargedOn;
use crate::rules::fallback::{conclude, fail_attempt, stop_waiting_after_delivery};
use crate::rules::metrics::{self, MetricChange};
use crate::time::{Millis, Timestamp};

/// The first pause before the rest of a partly accepted message is tried again.
pub const FIRST_RETRY: Millis = Millis::seconds(1);
/// The longest such pause.
pub const LONGEST_RETRY: Millis = Millis::seconds(60);

/// What a fold changes outside of the message itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Effects {
    /// The contact's record on a channel.
    pub metric: Option<MetricChange>,
    /// What was learnt of the contact.
    pub learnt: Option<Learnt>,
    /// An attempt that must not be submitted any more (R-FALL-3).
    pub cancelled: Option<u8>,
    /// Whether this was a delivery beyond the first (R-FALL-3).
    pub duplicate_delivery: bool,
    /// Whether a submission of unknown outcome was resolved.
    pub unknown_resolved: bool,
}

/// What a failure teaches about the contact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Learnt {
    /// The contact does not have this channel; remembered for `capability_memory` (R-CHAN-3).
    Incapable(crate::model::channel::Channel),
    /// The WhatsApp window is closed, whatever our clock says (R-WIN-4).
    WindowClosed,
}

/// What a failure of this class on this channel teaches.
pub(super) fn lesson(class: FailureClass, attempt: &Attempt) -> Option<Learnt> {
    match class {
        FailureClass::RecipientIncapable => Some(Learnt::Incapable(attempt.channel)),
        FailureClass::WindowClosed => Some(Learnt::WindowClosed),
        FailureClass::RouteFault
        | FailureClass::Throttled
        | FailureClass::AccountFault
        | FailureClass::SenderFault
        | FailureClass::RecipientAbsent
        | FailureClass::RecipientInvalid
        | FailureClass::Undeliverable
        | FailureClass::Expired
        | FailureClass::TemplateFault
        | FailureClass::ContentBlocked
        | FailureClass::OptedOut
        | FailureClass::InvalidRequest
        | FailureClass::NoRoute
        | FailureClass::UnknownOutcome => None,
    }
}

/// Folds the answer to the submission of attempt `no` into the message.
///
/// `resolve_at` is when the wait for a receipt ends, should the outcome be unknown. Parts of an
/// attempt that has moved on already (a receipt came first) are still noted.
pub fn submitted(
    progress: &mut Progress,
    no: u8,
    outcome: &SubmitOutcome,
    resolve_at: Timestamp,
    at: Timestamp,
) -> Effects {
    let class = progress.class;
    let expires_at = progress.expires_at;
    let Some(attempt) = progress.attempt_mut(no) else {
        return Effects::default();
    };
    let was_accepted = attempt.is_accepted();
    note_accepted_parts(attempt, outcome);
    let lane = Lane {
        route: attempt.route,
        class,
    };
    let was_open = matches!(attempt.state, AttemptState::Sending | AttemptState::Unknown);
    let mut effects = Effects::default();
    match outcome {
        _ if !was_open => {
            if attempt.state == AttemptState::Failed && !was_accepted {
                // It was given up without this answer.
                attempt.end_doubt();
                attempt.rest_in_doubt = false;
                settle_cost_of_parts(attempt);
                if matches!(outcome, SubmitOutcome::Unknown { .. }) {
                    attempt.give_up_copy();
                }
            }
            settle_cost_on_submit(attempt);
        }
        SubmitOutcome::Accepted { .. } if attempt.is_accepted() => {
            effects = mark_sent(progress, no, at);
        }
        // The provider took what it was given and nothing refused the rest: it goes on.
        SubmitOutcome::Accepted { .. } => progress.waiting = Waiting::Lane(lane),
        SubmitOutcome::PartlyAccepted {
            failure,
            retriable: true,
            ..
        } => {
            attempt.failure = Some(failure.clone());
            let retry = retry_rest(attempt, failure.class, expires_at, at);
            progress.waiting = retry.unwrap_or(Waiting::Lane(lane));
        }
        SubmitOutcome::NotAccepted(failure) => {
            attempt.failure = Some(failure.clone());
            // Throttling is waited for, not counted as a try (R-ROUTE-4); after one part was
            // accepted there is no other route (R-PARTS).
            if failure.class != FailureClass::Throttled && attempt.accepted.is_empty() {
                let route = attempt.route;
                attempt.refused_by.push(route);
            }
            let retry = retry_rest(attempt, failure.class, expires_at, at);
            progress.waiting = retry.unwrap_or(Waiting::Lane(lane));
        }
        SubmitOutcome::PartlyAccepted {
            failure,
            retriable: false,
            ..
        }
        | SubmitOutcome::Rejected(failure) => {
            effects = reject(progress, no, failure, at);
        }
        SubmitOutcome::Unknown { .. } => {
            attempt.state = AttemptState::Unknown;
            attempt.resolve_at = Some(resolve_at);
        }
    }
    progress.version += 1;
    stop_waiting_after_delivery(progress, at);
    effects
}

/// The rest of a message of which a part was accepted can only go by the same route (R-PARTS):
/// when that refused it, it is tried again after a pause, which doubles from one second to a
/// minute. Throttling has a pause of its own.
fn retry_rest(
    attempt: &mut Attempt,
    class: FailureClass,
    expires_at: Timestamp,
    at: Timestamp,
) -> Option<Waiting> {
    if attempt.accepted.is_empty() || class == FailureClass::Throttled {
        return None;
    }
    let doubled = FIRST_RETRY.get() << attempt.resends.min(6);
    attempt.resends = attempt.resends.saturating_add(1);
    let pause = Millis::new(doubled.min(LONGEST_RETRY.get()));
    Some(Waiting::Schedule {
        at: at.plus(pause).min(expires_at),
    })
}

/// Notes the parts that the provider took.
fn note_accepted_parts(attempt: &mut Attempt, outcome: &SubmitOutcome) {
    for PartReference { part, .. } in references(outcome) {
        attempt.accepted = attempt.accepted.with(*part);
    }
}

/// The references that an outcome brings.
pub fn references(outcome: &SubmitOutcome) -> &[PartReference] {
    match outcome {
        SubmitOutcome::Accepted { references }
        | SubmitOutcome::PartlyAccepted { references, .. }
        | SubmitOutcome::Unknown { references } => references,
        SubmitOutcome::NotAccepted(_) | SubmitOutcome::Rejected(_) => &[],
    }
}

/// Every part of attempt `no` is accepted.
pub(super) fn mark_sent(progress: &mut Progress, no: u8, at: Timestamp) -> Effects {
    let Some(attempt) = progress.attempt_mut(no) else {
        return Effects::default();
    };
    attempt.state = AttemptState::Sent;
    attempt.sent_at = Some(at);
    attempt.resolve_at = None;
    attempt.failure = None;
    settle_cost_on_submit(attempt);
    let metric = metrics::count(attempt, at);
    progress.status = progress.status.advance(Status::Sent);
    progress.waiting = match progress.waiting {
        // Another attempt's wait is not ended by this one.
        Waiting::Fallback { at } => Waiting::Fallback { at },
        Waiting::Schedule { .. } | Waiting::Lane(_) | Waiting::Person(_) | Waiting::No => {
            Waiting::No
        }
    };
    conclude(progress, at);
    Effects {
        metric,
        ..Effects::default()
    }
}

/// Attempt `no` was refused for good.
pub(super) fn reject(progress: &mut Progress, no: u8, failure: &Failure, at: Timestamp) -> Effects {
    if let Some(attempt) = progress.attempt_mut(no) {
        settle_cost_of_parts(attempt);
    }
    fail_attempt(progress, no, failure.clone(), at);
    progress
        .attempt_mut(no)
        .map_or_else(Effects::default, |attempt| Effects {
            metric: metrics::count(attempt, at),
            learnt: lesson(failure.class, attempt),
            ..Effects::default()
        })
}

/// Books the cost where the route charges when it takes a message (R-COST-1).
pub(super) fn settle_cost_on_submit(attempt: &mut Attempt) {
    if attempt.charged_on == ChargedOn::Submit && attempt.is_accepted() {
        attempt.settled_cost = Some(attempt.estimated_cost);
    }
}

/// Books the share of the parts that were taken before one was refused.
pub(super) fn settle_cost_of_parts(attempt: &mut Attempt) {
    if attempt.charged_on == ChargedOn::Submit && !attempt.accepted.is_empty() {
        attempt.settled_cost = Some(attempt.cost_of_parts());
    }
}
