//! At start: finds what the last owner left (R-LIFE-2, R-DUP). Lanes and what is due are rows and
//! need no recovery; submissions that were in hand are of unknown outcome, unless their route marks
//! what leaves and they have no mark.

use std::sync::Arc;

use domain::model::progress::Lane;
use domain::model::route::UnknownWait;
use ports::store::operations::Interrupted;
use ports::store::{Op, Unavailable};
use tokio::sync::oneshot;

use crate::plan::plan_lane;
use crate::{Inner, settle};

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
    let mut found = 0_usize;
    loop {
        let page = inner.store.in_hand(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        found += page.len();
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
            let op = Op::Interrupted(Interrupted {
                message: outbound.id,
                marks_started: route.is_some_and(|it| inner.topology().marks_started(&it)),
                resolve_at: now.plus(wait.of(outbound.message.class)),
                at: now,
                epoch: inner.epoch,
            });
            let (done, answer) = oneshot::channel();
            let after_commit = {
                let inner = Arc::clone(inner);
                move |result| {
                    settle::follow(&inner, result);
                    // Safe because: nobody waits once the start was given up.
                    let _unheard = done.send(());
                }
            };
            inner.store.commit(op, Box::new(after_commit));
            answers.push(answer);
        }
        for answer in answers {
            answer
                .await
                .map_err(|_| Unavailable::new("the store has stopped"))?;
        }
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
