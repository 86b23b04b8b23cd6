//! How many messages wait in each durable lane, known without asking the store.
//!
//! While a lane is not empty, new messages for it go to its end (R-ORDER); so a message is counted
//! before it is committed, and uncounted if it was not kept.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::ids::RouteKey;
use domain::model::message::TrafficClass;
use domain::model::progress::{Lane, Waiting};

/// Counts by lane.
#[derive(Debug)]
pub(crate) struct Lanes {
    counts: BTreeMap<Lane, AtomicI64>,
    total: AtomicI64,
}

impl Lanes {
    /// Empty lanes of these routes.
    pub(crate) fn of(routes: impl Iterator<Item = RouteKey>) -> Self {
        let lanes = routes.flat_map(|route| TrafficClass::ALL.map(|class| Lane { route, class }));
        Self {
            counts: lanes.map(|lane| (lane, AtomicI64::new(0))).collect(),
            total: 0.into(),
        }
    }

    /// Counts `by` more messages in a lane.
    pub(crate) fn add(&self, lane: Lane, by: i64) {
        self.total.fetch_add(by, Ordering::SeqCst);
        if let Some(count) = self.counts.get(&lane) {
            count.fetch_add(by, Ordering::SeqCst);
        }
    }

    /// Follows a message that moved.
    pub(crate) fn moved(&self, from: Waiting, to: Waiting) {
        if from == to {
            return;
        }
        if let Waiting::Lane(lane) = from {
            self.add(lane, -1);
        }
        if let Waiting::Lane(lane) = to {
            self.add(lane, 1);
        }
    }

    /// Messages in this lane.
    pub(crate) fn waiting_in(&self, lane: Lane) -> u64 {
        self.counts
            .get(&lane)
            .map_or(0, |it| clamp(it.load(Ordering::SeqCst)))
    }

    /// Messages in either lane of this route.
    pub(crate) fn waiting_for(&self, route: RouteKey) -> u64 {
        TrafficClass::ALL
            .into_iter()
            .map(|class| self.waiting_in(Lane { route, class }))
            .sum()
    }

    /// Messages in all lanes.
    pub(crate) fn total(&self) -> u64 {
        clamp(self.total.load(Ordering::SeqCst))
    }
}

fn clamp(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
