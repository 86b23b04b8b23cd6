//! R-LIFE-1, R-METRIC-3, R-FALL-3: receipts folded once, whatever their number and order.
//! `delivered` beats `failed`; a delivery of the first attempt cancels a fallback that has not
//! left yet, and a second delivery is counted as a duplicate.

use crate::model::attempt::{Attempt, AttemptState};
use crate::model::failure::Failure;
use crate::model::message::Status;
use crate::model::progress::{Progress, Waiting};
use crate::model::receipt::ReceiptState;
use crate::rules::fallback::{conclude, stop_waiting_after_delivery};
use crate::rules::metrics;
use crate::rules::outcome::{Effects, mark_sent, reject, settle_cost_of_parts};
use crate::rules::unknown::in_hand;
use crate::time::Timestamp;

/// Folds a receipt for one part of attempt `no` into the message.
///
/// A receipt that says nothing new changes nothing, not even the version.
pub fn receipt(
    progress: &mut Progress,
    no: u8,
    part: u16,
    state: &ReceiptState,
    at: Timestamp,
) -> Effects {
    let is_in_hand = in_hand(progress) == Some(no);
    let Some(attempt) = progress.attempt_mut(no) else {
        return Effects::default();
    };
    let was_unknown = attempt.state == AttemptState::Unknown;
    let was_known = attempt.known_parts();
    let was_resent = attempt.state == AttemptState::Sending && attempt.resends > 0;
    let was_rest = is_in_hand && !attempt.accepted.is_empty();
    let has_left = is_in_hand || was_unknown;
    let is_of_doubt = !has_left && tells_of_doubt(attempt, state);
    if is_of_doubt {
        go_by_doubt(attempt);
    }
    let mut effects = match state {
        ReceiptState::InTransit => in_transit(progress, no, part, at),
        ReceiptState::Delivered => delivered(progress, no, part, at),
        ReceiptState::Read => read(progress, no, at),
        ReceiptState::Failed(failure) => failed(progress, (no, part), failure, is_of_doubt, at),
    };
    let now = progress.attempt_mut(no).map(|it| {
        if is_of_doubt {
            doubt_rest(it);
        } else if has_left && it.state == AttemptState::Failed {
            it.give_up_copy();
        } else if !has_left && it.take_from_doubt(was_known) && it.state == AttemptState::Failed {
            settle_cost_of_parts(it);
        }
        it.state
    });
    effects.unknown_resolved = was_unknown && now != Some(AttemptState::Unknown);
    if (was_resent || was_rest) && now != Some(AttemptState::Sending) {
        // The copy before this one has arrived: the next must not leave as well (R-DUP). Nor must the rest
        // of what failed (R-PARTS).
        effects.cancelled = effects.cancelled.or(Some(no));
    }
    effects
}

/// Whether a receipt for an attempt that has nothing under way makes known that the provider took a copy
/// that was given up: no other has left.
fn tells_of_doubt(attempt: &Attempt, state: &ReceiptState) -> bool {
    let is_known = attempt.doubts.is_empty() || attempt.is_taken();
    match attempt.state {
        AttemptState::Sending => !is_known,
        AttemptState::Failed => !is_known && *state != ReceiptState::InTransit,
        AttemptState::Unknown
        | AttemptState::Sent
        | AttemptState::Delivered
        | AttemptState::Read => false,
    }
}

/// The copy that was given up last is the one that counts: it is in doubt no more, and what was planned
/// after it is not.
fn go_by_doubt(attempt: &mut Attempt) {
    if let Some(doubt) = attempt.doubts.last().copied() {
        attempt.route = doubt.route;
        attempt.estimated_cost = doubt.estimated_cost;
        attempt.volume = doubt.volume;
        // The place that its price was made for is not known any more.
        attempt.used_before = None;
        attempt.reserved_at = Some(doubt.reserved_at);
        attempt.rest_in_doubt = false;
        attempt.end_doubt();
    }
}

/// A receipt told of one part of a copy that was given up; nobody knows of the others.
fn doubt_rest(attempt: &mut Attempt) {
    if matches!(attempt.state, AttemptState::Sending | AttemptState::Failed) {
        attempt.give_up_copy();
    }
}

/// The provider has the part; that resolves an unknown outcome.
fn in_transit(progress: &mut Progress, no: u8, part: u16, at: Timestamp) -> Effects {
    let Some(attempt) = progress.attempt_mut(no) else {
        return Effects::default();
    };
    let open = matches!(attempt.state, AttemptState::Sending | AttemptState::Unknown);
    if !open || attempt.accepted.contains(part) {
        return Effects::default();
    }
    attempt.accepted = attempt.accepted.with(part);
    let complete = attempt.is_accepted();
    progress.version += 1;
    if complete {
        mark_sent(progress, no, at)
    } else {
        Effects::default()
    }
}

fn delivered(progress: &mut Progress, no: u8, part: u16, at: Timestamp) -> Effects {
    let Some(attempt) = progress.attempt_mut(no) else {
        return Effects::default();
    };
    if attempt.delivered.contains(part) {
        return Effects::default();
    }
    attempt.accepted = attempt.accepted.with(part);
    attempt.delivered = attempt.delivered.with(part);
    let complete = attempt.delivered.len() >= attempt.parts;
    let part_resolves = attempt.state == AttemptState::Unknown && attempt.is_accepted();
    progress.version += 1;
    if complete {
        arrived(progress, no, AttemptState::Delivered, at)
    } else if part_resolves {
        mark_sent(progress, no, at)
    } else {
        Effects::default()
    }
}

fn read(progress: &mut Progress, no: u8, at: Timestamp) -> Effects {
    let Some(attempt) = progress.attempt_mut(no) else {
        return Effects::default();
    };
    if attempt.state == AttemptState::Read {
        return Effects::default();
    }
    progress.version += 1;
    arrived(progress, no, AttemptState::Read, at)
}

/// Every part of the attempt is on the recipient's device, or was read.
fn arrived(progress: &mut Progress, no: u8, state: AttemptState, at: Timestamp) -> Effects {
    let another_arrived = progress
        .attempts
        .iter()
        .any(|it| it.no != no && has_arrived(it));
    let Some(attempt) = progress.attempt_mut(no) else {
        return Effects::default();
    };
    let first_arrival = !has_arrived(attempt);
    attempt.state = attempt.state.max(state);
    attempt.resolve_at = None;
    attempt.failure = None;
    attempt.delivered_at.get_or_insert(at);
    // Charged on delivery; or on submit, and the receipt came before the answer, or a part of it is.
    attempt.settled_cost = Some(attempt.estimated_cost);
    let metric = metrics::count(attempt, at);
    let cancelled = cancel_later_attempts(progress, no, at);
    let duplicate = first_arrival && another_arrived;
    if duplicate {
        progress.duplicate_deliveries = progress.duplicate_deliveries.saturating_add(1);
    }
    progress.status = progress.status.advance(match state {
        AttemptState::Read => Status::Read,
        AttemptState::Sending
        | AttemptState::Unknown
        | AttemptState::Sent
        | AttemptState::Failed
        | AttemptState::Delivered => Status::Delivered,
    });
    conclude(progress, at);
    Effects {
        metric,
        cancelled,
        duplicate_delivery: duplicate,
        ..Effects::default()
    }
}

fn has_arrived(attempt: &Attempt) -> bool {
    matches!(attempt.state, AttemptState::Delivered | AttemptState::Read)
}

/// A delivery ends every wait: for the second channel, and for a lane (R-FALL-3).
fn cancel_later_attempts(progress: &mut Progress, no: u8, at: Timestamp) -> Option<u8> {
    let later = progress
        .attempts
        .iter()
        .find(|it| it.no > no && it.state == AttemptState::Sending && it.is_untouched())
        .map(|it| it.no);
    match (progress.waiting, later) {
        // The second attempt was taken back and waits for room: nothing of it has left.
        (Waiting::Lane(_) | Waiting::Person(_), Some(later)) => {
            progress.attempts.retain(|it| it.no != later);
            progress.waiting = Waiting::No;
            None
        }
        (Waiting::No, later) => later,
        (
            Waiting::Lane(_)
            | Waiting::Person(_)
            | Waiting::Fallback { .. }
            | Waiting::Schedule { .. },
            _,
        ) => {
            stop_waiting_after_delivery(progress, at);
            None
        }
    }
}

fn failed(
    progress: &mut Progress,
    (no, part): (u8, u16),
    failure: &Failure,
    is_of_doubt: bool,
    at: Timestamp,
) -> Effects {
    let Some(attempt) = progress.attempt_mut(no) else {
        return Effects::default();
    };
    let is_of_rest = attempt.doubts.last().is_some_and(|it| it.is_rest);
    let is_news = is_of_doubt || (is_of_rest && !attempt.accepted.contains(part));
    // `delivered` beats `failed`, and a second failure says nothing new.
    match attempt.state {
        AttemptState::Failed if is_news => {
            // The provider took what was given up without an answer.
            attempt.accepted = attempt.accepted.with(part);
            attempt.sent_at.get_or_insert(at);
            settle_cost_of_parts(attempt);
            progress.version += 1;
            Effects::default()
        }
        AttemptState::Delivered | AttemptState::Read | AttemptState::Failed => Effects::default(),
        AttemptState::Sending | AttemptState::Unknown | AttemptState::Sent => {
            // A receipt tells that the provider took the part, whatever became of it.
            attempt.accepted = attempt.accepted.with(part);
            attempt.sent_at.get_or_insert(at);
            progress.status = progress.status.advance(Status::Sent);
            progress.version += 1;
            reject(progress, no, failure, at)
        }
    }
}
