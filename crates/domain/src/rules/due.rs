//! R-LIFE-2, R-LIFE-4, R-FALL-5, R-DUP: what is due by the clock. It follows from the state of a
//! message and is never set by hand.

use serde::{Deserialize, Serialize};

use crate::model::attempt::{Attempt, AttemptState};
use crate::model::failure::{Failure, FailureClass};
use crate::model::progress::{Progress, Waiting};
use crate::model::route::OnUnknown;
use crate::rules::fallback::{fail_attempt, may_fall_back, nothing_left};
use crate::rules::metrics;
use crate::rules::outcome::Effects;
use crate::rules::unknown::give_up_waiting;
use crate::time::{Millis, Timestamp};

/// How long after the end of validity a route may still hold a submission before it counts as lost.
pub const IN_HAND_GRACE: Millis = Millis::seconds(60);

/// Which station has something to do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum DueKind {
    /// Plan: facts are needed.
    Plan,
    /// Settle: the clock alone decides.
    Settle,
}

/// The next thing due of a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Due {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: DueKind,
}

/// What is due next of a message; `None` when only the outside world can change it.
pub fn next_due(progress: &Progress) -> Option<Due> {
    if progress.is_ended() {
        return None;
    }
    let settle = |at| {
        Some(Due {
            at,
            kind: DueKind::Settle,
        })
    };
    match progress.waiting {
        Waiting::Schedule { at } | Waiting::Fallback { at } => Some(Due {
            at,
            kind: DueKind::Plan,
        }),
        // Nobody has it any more then: it is planned like what waits in its lane.
        Waiting::Person(claim) => Some(Due {
            at: claim.until,
            kind: DueKind::Plan,
        }),
        Waiting::Lane(_) => settle(progress.expires_at),
        Waiting::No => {
            let attempt = progress.last_attempt()?;
            match attempt.state {
                AttemptState::Sending => {
                    settle(progress.look_again_at.unwrap_or(progress.expires_at))
                }
                AttemptState::Unknown => settle(attempt.resolve_at.unwrap_or(progress.expires_at)),
                AttemptState::Sent | AttemptState::Failed => {
                    settle(fallback_after(progress, attempt).unwrap_or(progress.expires_at))
                }
                AttemptState::Delivered | AttemptState::Read => None,
            }
        }
    }
}

/// When the absence of a delivery counts as failure (R-FALL-5), where another channel is left.
fn fallback_after(progress: &Progress, attempt: &Attempt) -> Option<Timestamp> {
    let at = attempt.sent_at?.plus(progress.fallback.after?);
    let possible = attempt.state == AttemptState::Sent
        && may_fall_back(progress, FailureClass::RecipientAbsent, at);
    possible.then_some(at)
}

/// Does what is due at `at`, by the clock alone. What is due for planning is left alone.
///
/// Nothing changes, not even the version, when nothing is due.
pub fn settle(progress: &mut Progress, on_unknown: OnUnknown, at: Timestamp) -> Effects {
    let due = next_due(progress).filter(|it| it.kind == DueKind::Settle && it.at <= at);
    if due.is_none() {
        return Effects::default();
    }
    match progress.waiting {
        Waiting::Schedule { .. } | Waiting::Fallback { .. } | Waiting::Person(_) => {
            Effects::default()
        }
        Waiting::Lane(_) => {
            expire(progress, at);
            Effects::default()
        }
        Waiting::No => settle_attempt(progress, on_unknown, at),
    }
}

fn settle_attempt(progress: &mut Progress, on_unknown: OnUnknown, at: Timestamp) -> Effects {
    let Some(attempt) = progress.last_attempt() else {
        return Effects::default();
    };
    let no = attempt.no;
    let late = fallback_after(progress, attempt).is_some_and(|it| it <= at);
    match attempt.state {
        AttemptState::Sending if progress.look_again_at.is_none() => {
            progress.look_again_at = Some(at.plus(IN_HAND_GRACE));
            progress.version += 1;
        }
        // The route still has not answered, long after the end of validity.
        AttemptState::Sending => give_up_waiting(progress, no, OnUnknown::Fail, at),
        AttemptState::Unknown => give_up_waiting(progress, no, on_unknown, at),
        AttemptState::Sent if late => {
            progress.version += 1;
            let failure = Failure::new(
                FailureClass::RecipientAbsent,
                "fallback_after",
                "Not delivered within the time that the message allows before falling back.",
            );
            fail_attempt(progress, no, failure, at);
            let metric = progress
                .attempt_mut(no)
                .and_then(|it| metrics::count(it, at));
            return Effects {
                metric,
                ..Effects::default()
            };
        }
        AttemptState::Sent | AttemptState::Failed => {
            progress.receipt_missing = true;
            progress.ended_at = Some(at);
            progress.version += 1;
        }
        AttemptState::Delivered | AttemptState::Read => {}
    }
    Effects::default()
}

/// Validity is over and it was not submitted (R-LIFE-4).
fn expire(progress: &mut Progress, at: Timestamp) {
    let failure = Failure::new(
        FailureClass::Expired,
        "expired",
        "The validity period ended before the message could be sent.",
    );
    progress.failure = Some(failure.clone());
    nothing_left(progress, failure, at);
}
