//! At start: finds what the last owner left (R-LIFE-2, R-DUP). Lanes and what is due are rows and
//! need no recovery; submissions that were in hand are of unknown outcome, unless their route marks
//! what leaves and they have no mark. Receipts for them that came before the owner died are looked for.

use std::sync::Arc;

use domain::model::progress::{Lane, Waiting};
use domain::model::receipt::SubmitOutcome;
use domain::model::route::UnknownWait;
use domain::time::Timestamp;
use ports::store::messages::Outbound;
use ports::store::operations::{Interrupted, Submitted};
use ports::store::{Op, Outcome, Unavailable};
use tokio::sync::oneshot;

use crate::commit::stopped;
use crate::plan::plan_lane;
use crate::{Inner, consent, settle};

/// Messages that are looked at in one query.
const PAGE: u16 = 1_000;

pub(crate) async fn recover(inner: &Arc<Inner>) -> Result<(), Unavailable> {
    let lanes = inner.store.lanes().await?;
    for (lane, count) in &lanes {
        inner
            .lanes
            .add(*lane, i64::try_from(*count).unwrap_or(i64::MAX));
    }
    interrupted(inner).await?;
    for (lane, _) in lanes {
        if !inner.lines.contains_key(&lane.route) {
            empty(inner, lane).await?;
        }
    }
    Ok(())
}

/// Plans what waits for a route that is not configured any more: another route takes it, or waits
/// with it.
async fn empty(inner: &Arc<Inner>, lane: Lane) -> Result<(), Unavailable> {
    let mut place = None;
    let mut moved = 0;
    loop {
        let (read, planned) = plan_lane(inner, lane, &mut place, PAGE).await?;
        moved += planned;
        if read == 0 {
            break;
        }
    }
    tracing::warn!(
        moved,
        "messages waited for a route that is not configured any more"
    );
    Ok(())
}

/// What the last owner left in the hands of its routes is of unknown outcome (R-DUP).
async fn interrupted(inner: &Arc<Inner>) -> Result<(), Unavailable> {
    let mut after = None;
    let mut unknown = Vec::new();
    loop {
        let page = inner.store.in_hand(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        let mut answers = Vec::with_capacity(page.len());
        for outbound in &page {
            let route = outbound
                .progress
                .last_attempt()
                .and_then(|it| inner.topology().route(it.route).cloned());
            let wait = route
                .as_ref()
                .map_or_else(UnknownWait::default, |it| it.unknown_wait);
            let now = inner.now();
            let resolve_at = now.plus(wait.of(outbound.message.class));
            let op = Op::Interrupted(Interrupted {
                message: outbound.id,
                marks_started: route.is_some_and(|it| inner.topology().marks_started(&it)),
                resolve_at,
                at: now,
                epoch: inner.epoch,
            });
            answers.push((commit(inner, op), resolve_at, outbound));
        }
        for (answer, resolve_at, outbound) in answers {
            let is_unknown = kept(answer).await?;
            if is_unknown {
                // Its recipient may have opted out just before.
                consent::stop_left_behind(inner, outbound, resolve_at);
            }
            unknown.extend(lost(inner, outbound, resolve_at).filter(|_| is_unknown));
        }
    }
    let found = unknown.len();
    // Once all of them are known to be unknown: a receipt that fits two of them fits none.
    let answers: Vec<_> = unknown
        .into_iter()
        .map(|it| commit(inner, Op::Submitted(Box::new(it))))
        .collect();
    for answer in answers {
        kept(answer).await?;
    }
    if found > 0 {
        tracing::warn!(
            found,
            "submissions of unknown outcome were left by the last run"
        );
        metrics::counter!("tandem_unknown_total").increment(u64::try_from(found).unwrap_or(0));
    }
    Ok(())
}

/// The loss of the answer to a submission, which takes a receipt that was parked since it was planned.
fn lost(inner: &Inner, outbound: &Outbound, resolve_at: Timestamp) -> Option<Submitted> {
    let attempt = outbound.progress.last_attempt()?;
    let topology = inner.topology();
    let route = topology.route(attempt.route);
    let now = inner.now();
    Some(Submitted {
        message: outbound.id,
        attempt: attempt.no,
        route: attempt.route,
        outcome: SubmitOutcome::Unknown {
            references: Vec::new(),
        },
        submitted_at: attempt.reserved_at.unwrap_or(now),
        resolve_at,
        marks_started: route.is_some_and(|it| topology.marks_started(it)),
        at: now,
        epoch: inner.epoch,
    })
}

/// Commits a step; the answer is whether it left the message with a route.
fn commit(inner: &Arc<Inner>, op: Op) -> oneshot::Receiver<bool> {
    let (done, answer) = oneshot::channel();
    let after_commit = {
        let inner = Arc::clone(inner);
        move |result: Result<Outcome, Unavailable>| {
            let with_route =
                matches!(&result, Ok(Outcome::Changed(it)) if it.waiting == Waiting::No);
            settle::follow(&inner, result);
            // Safe because: nobody waits once the start was given up.
            let _unheard = done.send(with_route);
        }
    };
    inner.store.commit(op, Box::new(after_commit));
    answer
}

async fn kept(answer: oneshot::Receiver<bool>) -> Result<bool, Unavailable> {
    answer.await.map_err(stopped)
}
