//! How far a queue was delivered, kept without holding up the next delivery.
//!
//! One commit at most is under way for an endpoint; what is delivered meanwhile is kept by the next.
//! So an endpoint that is fast costs the store little, and after a crash at most the deliveries of
//! one commit are made again, under the same ids.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::model::event::EventSeq;
use ports::store::webhooks::{Delivery, DeliveryResult, Webhook};
use ports::store::{Op, Outcome, Unavailable};

use crate::{Inner, settle};

/// The successes of an endpoint.
pub(super) struct Kept {
    inner: Arc<Inner>,
    under_way: Arc<AtomicBool>,
    /// The newest delivery of the queue that no commit has.
    newest: Option<EventSeq>,
}

impl Kept {
    pub(super) fn new(inner: &Arc<Inner>) -> Self {
        Self {
            inner: Arc::clone(inner),
            under_way: Arc::default(),
            newest: None,
        }
    }

    /// An event of the queue was delivered.
    pub(super) fn delivered(&mut self, webhook: &Webhook, seq: EventSeq) {
        self.newest = Some(seq);
        if !self.under_way.load(Ordering::SeqCst) {
            self.keep(webhook);
        }
    }

    /// An event was delivered again.
    pub(super) fn delivered_again(&self, webhook: &Webhook, seq: EventSeq) {
        let op = operation(&self.inner, webhook, seq, true, DeliveryResult::Delivered);
        self.commit(op);
    }

    /// Commits what no commit has yet.
    pub(super) fn keep(&mut self, webhook: &Webhook) {
        if let Some(seq) = self.newest.take() {
            let op = operation(&self.inner, webhook, seq, false, DeliveryResult::Delivered);
            self.commit(op);
        }
    }

    /// Commits what no commit has yet, and waits until all of it is there.
    pub(super) async fn settle(&mut self, webhook: &Webhook) -> Result<Outcome, Unavailable> {
        self.keep(webhook);
        // Operations are committed in their order: when this one is there, so are the others.
        let barrier = operation(
            &self.inner,
            webhook,
            EventSeq(0),
            false,
            DeliveryResult::Passed,
        );
        self.inner.apply(barrier).await
    }

    fn commit(&self, op: Op) {
        self.under_way.store(true, Ordering::SeqCst);
        let inner = Arc::clone(&self.inner);
        let under_way = Arc::clone(&self.under_way);
        let done = move |result: Result<Outcome, Unavailable>| {
            under_way.store(false, Ordering::SeqCst);
            settle::follow(&inner, result);
        };
        self.inner.store.commit(op, Box::new(done));
    }
}

/// The operation that keeps what became of a delivery.
pub(super) fn operation(
    inner: &Inner,
    webhook: &Webhook,
    seq: EventSeq,
    again: bool,
    result: DeliveryResult,
) -> Op {
    Op::Delivery(Box::new(Delivery {
        sender: webhook.sender,
        version: webhook.version,
        seq,
        again,
        result,
        at: inner.now(),
        epoch: inner.epoch,
    }))
}
