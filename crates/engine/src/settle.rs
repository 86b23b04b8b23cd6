//! Station 5: follows a message after each change. The change itself was folded inside the store's
//! transaction; here its consequences are set going: what is due next, what waits, what must not
//! be sent any more.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::ids::{MessageId, RouteKey};
use domain::model::message::{Status, TrafficClass};
use domain::model::progress::{Lane, Waiting};
use domain::rules::due::Due;
use ports::connector::SubmissionKey;
use ports::store::operations::{Changed, Release};
use ports::store::{Op, Outcome, Unavailable};

use crate::line::{RouteLine, Turn};
use crate::ready::Ready;
use crate::{Ending, Inner, facts, templates};

/// The operation that puts a submission back into its lane.
pub(crate) fn release(inner: &Inner, key: SubmissionKey) -> Op {
    Op::Release(Release {
        message: key.message,
        attempt: key.attempt,
        at: inner.now(),
        epoch: inner.epoch,
    })
}

/// Puts a submission that has not left back into its lane.
pub(crate) fn put_back(inner: &Arc<Inner>, key: SubmissionKey) {
    let op = release(inner, key);
    let after_commit = {
        let inner = Arc::clone(inner);
        move |result| follow(&inner, result)
    };
    inner.store.commit(op, Box::new(after_commit));
}

/// Puts one back that is not wanted any more, and has it planned at once, whatever its route can take:
/// that ends it, unless it is wanted again.
pub(crate) fn put_back_unwanted(inner: &Arc<Inner>, key: SubmissionKey) {
    let op = release(inner, key);
    let after_commit = {
        let inner = Arc::clone(inner);
        move |result| {
            let waits = matches!(&result, Ok(Outcome::Changed(it))
                if matches!(it.waiting, Waiting::Lane(_)));
            follow(&inner, result);
            if waits {
                // Safe because: the planner only goes away when the engine stops.
                let _stopped = inner.replan.send(key.message);
            }
        }
    };
    inner.store.commit(op, Box::new(after_commit));
}

/// Hands a planned submission to its route; if that went down meanwhile, it goes to its lane.
pub(crate) fn hand_over(inner: &Arc<Inner>, route: RouteKey, mut ready: Ready) {
    ready.waits_since = inner.now();
    let key = ready.submission.key;
    if !templates::still_stands(inner, &ready.submission) {
        // Its provider changed it while the plan was being kept: it is planned anew.
        if let Some(line) = inner.lines.get(&route) {
            line.unreserve(ready.submission.class);
        }
        put_back(inner, key);
        return;
    }
    let pushed = inner
        .lines
        .get(&route)
        .map_or(Err(key), |it| it.push(ready, true));
    if let Err(key) = pushed {
        put_back(inner, key);
    }
}

/// Follows the outcome of an operation on a message: what changed, if anything did.
pub(crate) fn follow(inner: &Arc<Inner>, result: Result<Outcome, Unavailable>) {
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(error) => {
            tracing::error!(%error, "a step was not kept; the message stays as it was");
            // Only the disk knows now what is true: the next start finds it out (R-LIFE-2).
            inner.end(Ending::StepLost);
            return;
        }
    };
    if let Outcome::Changed(changed) = outcome {
        changed_now(inner, &changed);
    } else if let Outcome::Fenced = outcome {
        replaced(inner);
    }
}

/// A newer owner has the work.
pub(crate) fn replaced(inner: &Inner) {
    if inner.accepting.load(Ordering::SeqCst) {
        tracing::error!("another process owns this database now: this one does nothing more");
    }
    // What was ready is the new owner's: it must not be sent from here as well.
    inner.end(Ending::Replaced);
}

/// Sets going what follows from a change.
pub(crate) fn changed_now(inner: &Arc<Inner>, changed: &Changed) {
    if let Some(other) = &changed.resolved {
        changed_now(inner, other);
    }
    inner.lanes.moved(changed.was_waiting, changed.waiting);
    note_due(inner, changed.due);
    if let Waiting::Lane(lane) = changed.waiting {
        entered(inner, lane, changed.message);
    }
    if let Some(attempt) = changed.cancelled {
        let key = SubmissionKey {
            message: changed.message,
            attempt,
        };
        if inner.lines.values().any(|line| line.cancel(key)) {
            put_back(inner, key);
        }
    }
    if changed.status != changed.was && is_end(changed.status) {
        metrics::counter!("tandem_settled_total", "status" => changed.status.code()).increment(1);
    }
    if changed.duplicate_delivery {
        metrics::counter!("tandem_duplicate_deliveries_total").increment(1);
    }
    if changed.unknown_resolved {
        metrics::counter!("tandem_unknown_resolved_total").increment(1);
    }
}

/// A message waits in a lane: its pump finds it. A route that is not configured any more has no
/// pump, so the message is planned again at once.
pub(crate) fn entered(inner: &Inner, lane: Lane, message: MessageId) {
    if lane.class == TrafficClass::Direct {
        inner.direct_waits.notify_one();
    }
    match inner.lines.get(&lane.route) {
        Some(line) => line.pump.notify_one(),
        None => {
            // Safe because: the planner only goes away when the engine stops.
            let _stopped = inner.replan.send(message);
        }
    }
}

const fn is_end(status: Status) -> bool {
    match status {
        Status::Delivered | Status::Read | Status::Failed => true,
        Status::Queued | Status::Sending | Status::Sent | Status::Received => false,
    }
}

/// Wakes the timer when something is due earlier than it sleeps.
pub(crate) fn note_due(inner: &Inner, due: Option<Due>) {
    if let Some(due) = due
        && due.at.as_millis() < inner.timer_sleeps_until.load(Ordering::SeqCst)
    {
        inner.timer.notify_one();
    }
}

/// What a route has not taken goes back to its lanes.
pub(crate) fn give_back(inner: &Arc<Inner>, line: &RouteLine) {
    for key in line.drain() {
        put_back(inner, key);
    }
}

/// A route came up or went down: what waits anywhere is looked at again.
pub(crate) fn turned(inner: &Arc<Inner>, route: RouteKey, turn: Turn) {
    let Some(line) = inner.lines.get(&route) else {
        return;
    };
    match turn {
        Turn::None => return,
        Turn::WentDown => {}
        Turn::CameUp => line.wake(),
    }
    look_again(inner);
}

/// Something changed that plans hang on: what waits anywhere is looked at again.
pub(crate) fn look_again(inner: &Arc<Inner>) {
    inner.turns.fetch_add(1, Ordering::SeqCst);
    let now = inner.now();
    for line in inner.lines.values() {
        // Also of a route that was the last before this one came up; statistics alone do not take
        // its work from the last one (R-HEALTH).
        if facts::condition(inner, line, now).0.is_out() {
            give_back(inner, line);
        }
        line.pump.notify_one();
    }
}
