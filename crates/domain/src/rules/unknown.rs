//! R-DUP: a submission of unknown outcome waits for a receipt, and after `unknown_wait` the
//! policy decides: submit again, or count it as failed and fall back. Either way that copy stays in
//! doubt, and what it may have used stays reserved (R-QUOTA-1), until a late answer or receipt ends it.

use crate::model::attempt::{Attempt, AttemptState};
use crate::model::failure::{Failure, FailureClass};
use crate::model::progress::{Lane, Progress, Waiting};
use crate::model::route::OnUnknown;
use crate::rules::fallback::{conclude, fail_attempt, stop_waiting_after_delivery};
use crate::rules::outcome::settle_cost_of_parts;
use crate::time::Timestamp;

/// Whether an attempt is in the hands of a route: planned and not waiting.
pub fn in_hand(progress: &Progress) -> Option<u8> {
    progress
        .last_attempt()
        .filter(|it| it.state == AttemptState::Sending && progress.waiting == Waiting::No)
        .map(|it| it.no)
}

/// The owner died while attempt `no` was in the hands of a route.
///
/// Where `marks_started`, what leaves is marked first, so what is not marked has not left and
/// goes back to its lane; what was reserved for it is free again (R-QUOTA-1).
pub fn interrupted(
    progress: &mut Progress,
    no: u8,
    marks_started: bool,
    resolve_at: Timestamp,
    at: Timestamp,
) {
    let Some(attempt) = progress.attempt_mut(no) else {
        return;
    };
    if marks_started && !attempt.started {
        release(progress, no, at);
        return;
    }
    attempt.state = AttemptState::Unknown;
    attempt.resolve_at = Some(resolve_at);
    progress.version += 1;
}

/// Puts attempt `no`, which has certainly not left, back into the lane of its route. An attempt
/// that no provider has seen is taken back, so that the channel is chosen again; after a delivery
/// nothing is left to wait for (R-FALL-3).
pub fn release(progress: &mut Progress, no: u8, at: Timestamp) {
    let class = progress.class;
    let Some(attempt) = progress.attempt_mut(no) else {
        return;
    };
    let lane = Lane {
        route: attempt.route,
        class,
    };
    let channel = attempt.channel;
    attempt.started = false;
    if attempt.is_untouched() {
        progress.attempts.retain(|it| it.no != no);
        progress.fallback.untried = progress.fallback.untried.with(channel);
    }
    progress.waiting = Waiting::Lane(lane);
    stop_waiting_after_delivery(progress, at);
    progress.version += 1;
    conclude(progress, at);
}

/// Attempt `no` has certainly not left, though a receipt ended it while it was in the hands of a route: it
/// is in doubt no more, and what was reserved for it is free again (R-QUOTA-1). Whether that changes
/// anything.
pub fn never_left(progress: &mut Progress, no: u8) -> bool {
    let changes = progress.attempt_mut(no).is_some_and(Attempt::never_left);
    progress.version += u32::from(changes);
    changes
}

/// The wait for a receipt of attempt `no` is over.
pub(super) fn give_up_waiting(
    progress: &mut Progress,
    no: u8,
    on_unknown: OnUnknown,
    at: Timestamp,
) {
    let class = progress.class;
    let in_time = at < progress.expires_at && !progress.is_delivered();
    progress.version += 1;
    let Some(attempt) = progress.attempt_mut(no) else {
        return;
    };
    attempt.give_up_copy();
    if on_unknown == OnUnknown::Resend && in_time {
        attempt.state = AttemptState::Sending;
        attempt.resolve_at = None;
        attempt.started = false;
        attempt.resends = attempt.resends.saturating_add(1);
        let lane = Lane {
            route: attempt.route,
            class,
        };
        progress.waiting = Waiting::Lane(lane);
        return;
    }
    settle_cost_of_parts(attempt);
    let failure = Failure::new(
        FailureClass::UnknownOutcome,
        "unknown_outcome",
        "The provider never said whether it took the message.",
    );
    fail_attempt(progress, no, failure, at);
}
