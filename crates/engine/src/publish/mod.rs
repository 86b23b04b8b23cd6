//! Publishing: what happens becomes known outside (R-MON-1, R-MON-2).
//!
//! Events are rows that the store wrote with the change itself. [`watch`] notices new ones and tells
//! whoever listens; [`endpoint`] delivers a sender's to its webhook, one task an endpoint, so that
//! a receiver that hangs never slows another. What an event looks like on the wire is not known
//! here: [`Letters`] writes it, the courier carries it.

mod endpoint;
mod kept;
pub(crate) mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::ids::SenderKey;
use domain::model::event::EventSeq;
use domain::time::{Millis, Timestamp};
use ports::courier::{Courier, PostRequest};
use ports::store::events::EventRecord;
use ports::store::messages::MessageView;
use ports::store::webhooks::{PruneEvents, Webhook};
use ports::store::{Op, Outcome, Unavailable};
use tokio_util::sync::CancellationToken;

use crate::topology::Topology;
use crate::{Inner, worker};

pub(crate) use watch::Watch;

/// How long events are kept that nobody waits for: so long a reader of `GET /v1/events` may be away.
const EVENT_MEMORY: Millis = Millis::days(3);
/// How long an event waits for an endpoint at most, and how long one that was given up is kept.
const NEEDED_MEMORY: Millis = Millis::days(30);
/// Events that the upkeep looks at in one operation: few enough not to hold up messages for long.
const PRUNE_PAGE: u16 = 5_000;
/// Operations of one upkeep: with its pace, enough for tens of thousands of events a second.
const PRUNE_PAGES: usize = 50;
/// How often the endpoints are looked at although nobody changed one.
const LOOK_AGAIN: Millis = Millis::seconds(60);

/// Writes down what an event tells.
pub trait Letters: Send + Sync + 'static {
    /// The signed letter to an endpoint, made at `now` and answered within `patience`; `None` where there is nothing to tell any
    /// more, as of a message that is gone.
    fn letter(
        &self,
        event: &EventRecord,
        message: Option<&MessageView>,
        webhook: &Webhook,
        topology: &Topology,
        now: Timestamp,
        patience: Duration,
    ) -> Option<PostRequest>;
}

/// What webhooks need.
#[derive(Clone)]
pub struct Publishing {
    /// Carries letters.
    pub courier: Arc<dyn Courier>,
    /// Writes them.
    pub letters: Arc<dyn Letters>,
}

/// Starts what serves the endpoints.
pub(crate) fn start(inner: &Arc<Inner>, publishing: Publishing) {
    worker::spawn_one(inner, supervise(Arc::clone(inner), publishing));
}

/// Keeps a task running for every active endpoint, and for no other.
async fn supervise(inner: Arc<Inner>, publishing: Publishing) {
    let mut changes = inner.watch.changes();
    let mut running = BTreeMap::<SenderKey, CancellationToken>::new();
    loop {
        changes.mark_unchanged();
        match inner.store.webhooks().await {
            Ok(mut webhooks) => {
                webhooks.retain(|it| it.active);
                running.retain(|sender, served| {
                    let stays = webhooks.iter().any(|it| it.sender == *sender);
                    if !stays {
                        served.cancel();
                    }
                    stays
                });
                for webhook in webhooks {
                    running
                        .entry(webhook.sender)
                        .or_insert_with(|| serve(&inner, &publishing, webhook.sender));
                }
            }
            Err(error) => tracing::error!(%error, "the webhooks cannot be read"),
        }
        tokio::select! {
            _ = changes.changed() => {}
            () = worker::sleep(LOOK_AGAIN) => {}
        }
    }
}

fn serve(inner: &Arc<Inner>, publishing: &Publishing, sender: SenderKey) -> CancellationToken {
    let served = inner.stopping.child_token();
    let work = endpoint::serve(Arc::clone(inner), publishing.clone(), sender);
    let until = served.clone();
    inner
        .tasks
        .spawn(async move { until.run_until_cancelled_owned(work).await });
    served
}

/// Forgets events that nobody needs any more.
///
/// Goes on after a place; gives where the next call is to go on: from the beginning again, once all
/// that is old was looked at.
pub(crate) async fn forget(
    inner: &Inner,
    after: EventSeq,
    now: Timestamp,
) -> Result<EventSeq, Unavailable> {
    let back = |span: Millis| now.plus(Millis::new(-span.get()));
    let mut after = after;
    for _ in 0..PRUNE_PAGES {
        let prune = PruneEvents {
            events_before: back(EVENT_MEMORY),
            needed_before: back(NEEDED_MEMORY),
            after,
            limit: PRUNE_PAGE,
        };
        let pruned = inner.apply(Op::PruneEvents(prune)).await?;
        let Outcome::EventsPruned { upto: Some(upto) } = pruned else {
            return Ok(EventSeq(0));
        };
        after = upto;
    }
    Ok(after)
}
