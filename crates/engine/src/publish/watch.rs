//! Who is told when something new happened?
//!
//! The newest event's place is asked for ten times a second while somebody listens, and not at all
//! while nobody does. So it does not matter which operation brought an event, nor which process.

use std::sync::Arc;

use domain::model::event::EventSeq;
use domain::time::Millis;
use tokio::sync::{Notify, watch};

use crate::{Inner, worker};

/// How often is looked: R-MON-1 allows a second.
const LOOK_EVERY: Millis = Millis::new(100);

/// What listeners listen to.
pub(crate) struct Watch {
    newest: watch::Sender<EventSeq>,
    changes: watch::Sender<u64>,
    /// Woken by the first listener.
    listened: Notify,
}

impl Watch {
    pub(crate) fn new() -> Self {
        Self {
            newest: watch::Sender::new(EventSeq(0)),
            changes: watch::Sender::new(0),
            listened: Notify::new(),
        }
    }

    /// Changes when there are new events.
    pub(crate) fn newest(&self) -> watch::Receiver<EventSeq> {
        let receiver = self.newest.subscribe();
        self.listened.notify_one();
        receiver
    }

    /// Changes when an endpoint was changed.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// An endpoint was changed.
    pub(crate) fn changed(&self) {
        self.changes.send_modify(|it| *it += 1);
    }
}

/// Looks for new events.
pub(crate) async fn look(inner: Arc<Inner>) {
    loop {
        if inner.watch.newest.receiver_count() == 0 {
            inner.watch.listened.notified().await;
        }
        match inner.store.newest_event().await {
            Ok(newest) => {
                inner.watch.newest.send_if_modified(|it| {
                    let is_new = newest > *it;
                    *it = newest.max(*it);
                    is_new
                });
            }
            Err(error) => tracing::error!(%error, "new events cannot be seen"),
        }
        worker::sleep(LOOK_EVERY).await;
    }
}
