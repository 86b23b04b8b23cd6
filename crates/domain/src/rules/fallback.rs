//! R-FALL-1, R-FALL-2, R-FALL-4: when a channel attempt fails and fallback is enabled, Tandem
//! waits 5 seconds and tries the best other viable channel; at most 2 channels per message, never
//! the same twice; opt-out, blocked content and invalid requests never fall back.
//!
//! Also the one place that says when a message has ended (R-LIFE-2).

use crate::model::attempt::{Attempt, AttemptState};
use crate::model::failure::{Failure, FailureClass};
use crate::model::message::Status;
use crate::model::progress::{MAX_ATTEMPTS, Progress, Waiting};
use crate::rules::outcome::settle_cost_of_parts;
use crate::time::{Millis, Timestamp};

/// The wait between two channels: it absorbs receipts that were under way (R-FALL-3).
pub const FALLBACK_DELAY: Millis = Millis::seconds(5);

/// Whether a failure of this class may lead to another channel (R-FALL-4).
pub const fn allows_fallback(class: FailureClass) -> bool {
    match class {
        FailureClass::ContentBlocked | FailureClass::OptedOut | FailureClass::InvalidRequest => {
            false
        }
        FailureClass::RouteFault
        | FailureClass::Throttled
        | FailureClass::AccountFault
        | FailureClass::SenderFault
        | FailureClass::RecipientAbsent
        | FailureClass::RecipientIncapable
        | FailureClass::RecipientInvalid
        | FailureClass::Undeliverable
        | FailureClass::Expired
        | FailureClass::WindowClosed
        | FailureClass::TemplateFault
        | FailureClass::NoRoute
        | FailureClass::UnknownOutcome => true,
    }
}

/// Whether the message may be tried on another channel after a failure of this class at `now`.
///
/// Nothing is started once validity is over (R-LIFE-4), and nothing after a delivery.
pub fn may_fall_back(progress: &Progress, class: FailureClass, now: Timestamp) -> bool {
    progress.fallback.enabled
        && allows_fallback(class)
        && progress.attempts.len() < MAX_ATTEMPTS
        && !progress.fallback.untried.is_empty()
        && now.plus(FALLBACK_DELAY) < progress.expires_at
        && !progress.is_delivered()
}

/// Ends the attempt `no` as failed at `at`, and sets what follows: the wait for the second
/// channel, or the end of the message.
pub(super) fn fail_attempt(progress: &mut Progress, no: u8, failure: Failure, at: Timestamp) {
    let class = failure.class;
    let is_last = progress.last_attempt().is_some_and(|it| it.no == no);
    if let Some(attempt) = progress.attempt_mut(no) {
        attempt.state = AttemptState::Failed;
        attempt.failed_at = Some(at);
        attempt.resolve_at = None;
        attempt.failure = Some(failure.clone());
    }
    progress.failure = Some(failure);
    if is_last {
        progress.waiting = if may_fall_back(progress, class, at) {
            // A receipt may say so after an end as `sent`: the message goes on.
            progress.ended_at = None;
            Waiting::Fallback {
                at: at.plus(FALLBACK_DELAY),
            }
        } else {
            Waiting::No
        };
    }
    conclude(progress, at);
}

/// Planning found nothing that can carry the message: the attempt under way has failed; without
/// one the message has. After a failed attempt its error stays the last one (R-FALL-4).
pub fn nothing_left(progress: &mut Progress, failure: Failure, at: Timestamp) {
    progress.version += 1;
    match progress.last_attempt().map(|it| (it.no, it.state)) {
        Some((no, AttemptState::Sending)) => {
            if let Some(attempt) = progress.attempt_mut(no) {
                settle_cost_of_parts(attempt);
            }
            fail_attempt(progress, no, failure, at);
        }
        Some(_) => {
            progress.waiting = Waiting::No;
            conclude(progress, at);
        }
        None => {
            progress.failure = Some(failure);
            progress.waiting = Waiting::No;
            conclude(progress, at);
        }
    }
}

/// What has arrived goes nowhere else (R-FALL-3): whatever it waits for is over, and an attempt that no
/// route has any more ends, so that it holds nothing of the quotas (R-QUOTA-1).
pub(super) fn stop_waiting_after_delivery(progress: &mut Progress, at: Timestamp) {
    if !progress.is_delivered() || progress.waiting == Waiting::No {
        return;
    }
    progress.waiting = Waiting::No;
    let under_way = progress.attempts.last_mut();
    if let Some(attempt) = under_way.filter(|it| it.state == AttemptState::Sending) {
        attempt.state = AttemptState::Failed;
        attempt.failed_at = Some(at);
        settle_cost_of_parts(attempt);
    }
}

/// Sets the end of the message and its final status, if it has one now (R-LIFE-2).
///
/// Ends are: delivered or read; every attempt failed and nothing is waited for; `sent` where no
/// receipt will come. `sent` with a missing receipt is set by the clock ([`super::due`]).
pub(super) fn conclude(progress: &mut Progress, at: Timestamp) {
    if progress.is_delivered() {
        progress.failure = None;
        progress.receipt_missing = false;
        progress.ended_at.get_or_insert(at);
        return;
    }
    if progress.waiting != Waiting::No || progress.attempts.iter().any(is_open) {
        return;
    }
    if progress
        .attempts
        .iter()
        .any(|it| it.state == AttemptState::Sent)
    {
        progress.ended_at.get_or_insert(at);
        return;
    }
    if progress.failure.is_some() {
        progress.status = progress.status.advance(Status::Failed);
        progress.ended_at.get_or_insert(at);
    }
}

/// Whether more is expected of an attempt.
fn is_open(attempt: &Attempt) -> bool {
    match attempt.state {
        AttemptState::Sending | AttemptState::Unknown => true,
        AttemptState::Sent => attempt.receipts,
        AttemptState::Failed | AttemptState::Delivered | AttemptState::Read => false,
    }
}
