//! One endpoint's queue (R-MON-2): which event is next, and what follows from what became of it?
//!
//! The sender's events after the cursor go in their order, one at a time; a page of those to be
//! delivered again goes between two pages of the queue. After a failure the endpoint rests and
//! begins again with the same event, until that is given up ([`domain::rules::publish`]).

use std::sync::Arc;
use std::time::Duration;

use domain::ids::SenderKey;
use domain::model::event::EventSeq;
use domain::rules::publish::{is_given_up, retry_after};
use domain::time::Millis;
use ports::courier::CourierError;
use ports::store::events::{EventFilter, EventRecord};
use ports::store::webhooks::{DeliveryResult, Webhook};
use ports::store::{Outcome, Unavailable};
use tokio::sync::watch;

use super::Publishing;
use super::kept::{Kept, operation};
use crate::{Inner, settle, worker};

/// Events read at once; what an endpoint holds in memory.
const PAGE: u16 = 32;
/// So far may the cursor that is kept be behind, where nothing is wanted of what happens.
const PASS_AFTER: i64 = 1_000;
/// Pause after the store did not answer.
const STORE_PAUSE: Millis = Millis::seconds(1);
/// Longest rest, so that a clock that was set is noticed.
const LONGEST_REST: Millis = Millis::seconds(60);
/// How long an endpoint may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a round ended.
enum Round {
    /// There may be more to do at once.
    More,
    /// Everything is done.
    Idle,
    /// A delivery failed.
    Failed,
    /// Another process owns the work.
    Fenced,
}

/// The queue whose turn it is.
#[derive(Clone, Copy)]
enum Turn {
    Queue,
    Again,
}

struct Endpoint {
    inner: Arc<Inner>,
    sender: SenderKey,
    changes: watch::Receiver<u64>,
    publishing: Publishing,
    kept: Kept,
    turn: Turn,
    /// Everything up to here was looked at, whether that is kept already or not.
    place: EventSeq,
}

/// Serves an endpoint until it is cancelled.
pub(super) async fn serve(inner: Arc<Inner>, publishing: Publishing, sender: SenderKey) {
    let mut changes = inner.watch.changes();
    let mut endpoint = Endpoint {
        kept: Kept::new(&inner),
        publishing,
        changes: inner.watch.changes(),
        inner,
        sender,
        turn: Turn::Queue,
        place: EventSeq(0),
    };
    while !endpoint.inner.stopping.is_cancelled() {
        // Before the round, so that nothing is missed; and not while the endpoint rests.
        let mut newest = endpoint.inner.watch.newest();
        changes.mark_unchanged();
        match endpoint.round().await {
            Ok(Round::More) => {}
            Ok(Round::Idle) => {
                tokio::select! {
                    _ = newest.changed() => {}
                    _ = changes.changed() => {}
                }
            }
            Ok(Round::Failed) => {
                drop(newest);
                endpoint.rest(&mut changes).await;
            }
            Ok(Round::Fenced) => return settle::follow(&endpoint.inner, Ok(Outcome::Fenced)),
            Err(error) => {
                tracing::error!(%error, sender = sender.0, "a webhook cannot be served now");
                worker::sleep(STORE_PAUSE).await;
            }
        }
    }
}

impl Endpoint {
    /// Waits until the endpoint may be tried again, or was changed.
    async fn rest(&self, changes: &mut watch::Receiver<u64>) {
        loop {
            let until = match self.inner.store.webhook(self.sender).await {
                Ok(webhook) => webhook.and_then(|it| it.next_try_at),
                Err(_) => Some(self.inner.now().plus(STORE_PAUSE)),
            };
            let now = self.inner.now();
            let Some(until) = until.filter(|it| *it > now) else {
                return;
            };
            let rest = until.since(now).min(LONGEST_REST);
            tokio::select! {
                () = worker::sleep(rest) => {}
                _ = changes.changed() => {}
            }
        }
    }

    async fn round(&mut self) -> Result<Round, Unavailable> {
        self.changes.mark_unchanged();
        let Some(webhook) = self.inner.store.webhook(self.sender).await? else {
            return Ok(Round::Idle);
        };
        if webhook.next_try_at.is_some_and(|it| it > self.inner.now()) {
            return Ok(Round::Failed);
        }
        self.place = self.place.max(webhook.cursor);
        // Where a delivery failed, its queue begins: the turn changes only after a whole page.
        let first = self.page(&webhook).await?;
        if let Round::Failed | Round::Fenced = first {
            return Ok(first);
        }
        self.turn = match self.turn {
            Turn::Queue => Turn::Again,
            Turn::Again => Turn::Queue,
        };
        let second = self.page(&webhook).await?;
        Ok(match (first, second) {
            (Round::Idle, second) => second,
            (_, ended @ (Round::Failed | Round::Fenced)) => ended,
            (_, Round::More | Round::Idle) => Round::More,
        })
    }

    /// A page of the queue whose turn it is.
    async fn page(&mut self, webhook: &Webhook) -> Result<Round, Unavailable> {
        match self.turn {
            Turn::Queue => self.queue(webhook).await,
            Turn::Again => self.again(webhook).await,
        }
    }

    /// A page of the queue.
    async fn queue(&mut self, webhook: &Webhook) -> Result<Round, Unavailable> {
        let page = self
            .inner
            .store
            .events(EventFilter {
                project: webhook.project,
                sender: Some(self.sender),
                kinds: webhook.events,
                steps_in: None,
                after: self.place,
                limit: PAGE,
                look_at: EventFilter::LOOK_AT,
            })
            .await?;
        for record in &page.events {
            if self.was_changed() {
                return Ok(Round::More);
            }
            match self.deliver(webhook, record, false).await? {
                Round::More | Round::Idle => self.place = record.seq,
                ended @ (Round::Failed | Round::Fenced) => return Ok(ended),
            }
        }
        self.kept.keep(webhook);
        self.place = self.place.max(page.upto);
        if page.events.is_empty() && self.place.0 - webhook.cursor.0 >= PASS_AFTER {
            let op = operation(
                &self.inner,
                webhook,
                self.place,
                false,
                DeliveryResult::Passed,
            );
            if let Outcome::Fenced = self.inner.apply(op).await? {
                return Ok(Round::Fenced);
            }
        }
        Ok(if page.more { Round::More } else { Round::Idle })
    }

    /// A page of what is to be delivered again.
    async fn again(&mut self, webhook: &Webhook) -> Result<Round, Unavailable> {
        let page = self.inner.store.replays(self.sender, PAGE).await?;
        for record in &page {
            if self.was_changed() {
                break;
            }
            match self.deliver(webhook, record, true).await? {
                Round::More | Round::Idle => {}
                ended @ (Round::Failed | Round::Fenced) => return Ok(ended),
            }
        }
        if page.is_empty() {
            return Ok(Round::Idle);
        }
        // What was delivered must be gone before the next page is read: it would come again.
        let is_fenced = matches!(self.kept.settle(webhook).await?, Outcome::Fenced);
        Ok(if is_fenced {
            Round::Fenced
        } else {
            Round::More
        })
    }

    /// Whether to read the endpoint anew before the next delivery, or to end.
    fn was_changed(&self) -> bool {
        self.inner.stopping.is_cancelled() || self.changes.has_changed().unwrap_or(false)
    }

    /// Delivers one event, and keeps what became of it.
    async fn deliver(
        &mut self,
        webhook: &Webhook,
        record: &EventRecord,
        again: bool,
    ) -> Result<Round, Unavailable> {
        match self.post(webhook, record).await? {
            Ok(()) if again => self.kept.delivered_again(webhook, record.seq),
            Ok(()) => self.kept.delivered(webhook, record.seq),
            Err(why) => return self.failed(webhook, record, again, why).await,
        }
        Ok(Round::More)
    }

    /// Posts an event; why not, where the endpoint did not take it.
    async fn post(
        &self,
        webhook: &Webhook,
        record: &EventRecord,
    ) -> Result<Result<(), Box<str>>, Unavailable> {
        let event = &record.event;
        let message = match event.message {
            Some(id) => self.inner.store.message(event.project, id).await?,
            None => None,
        };
        let (topology, now) = (self.inner.topology(), self.inner.now());
        let letters = &self.publishing.letters;
        let letter = letters.letter(record, message.as_ref(), webhook, &topology, now, PATIENCE);
        let Some(letter) = letter else {
            return Ok(Ok(()));
        };
        let posted = tokio::time::timeout(PATIENCE, self.publishing.courier.post(letter)).await;
        Ok(match posted {
            Ok(Ok(200..300)) => {
                count("delivered");
                Ok(())
            }
            Ok(Ok(status)) => Err(format!("it answered {status}").into()),
            Ok(Err(error)) => Err(error.to_string().into()),
            Err(_) => Err(CourierError::TimedOut.to_string().into()),
        })
    }

    async fn failed(
        &mut self,
        webhook: &Webhook,
        record: &EventRecord,
        again: bool,
        why: Box<str>,
    ) -> Result<Round, Unavailable> {
        if let Outcome::Fenced = self.kept.settle(webhook).await? {
            return Ok(Round::Fenced);
        }
        let Some(current) = self.inner.store.webhook(self.sender).await? else {
            return Ok(Round::Idle);
        };
        let (tried, tries) = current.tried;
        let tries = 1 + if tried == record.seq { tries } else { 0 };
        let next_try_at = self.inner.now().plus(retry_after(current.failures + 1));
        tracing::warn!(sender = self.sender.0, event = %record.id(), tries, %why,
            "a webhook did not take an event");
        let result = if is_given_up(tries) {
            count("given_up");
            DeliveryResult::GivenUp { next_try_at, why }
        } else {
            count("failed");
            DeliveryResult::Failed { next_try_at, why }
        };
        let op = operation(&self.inner, webhook, record.seq, again, result);
        let is_fenced = matches!(self.inner.apply(op).await?, Outcome::Fenced);
        // Where the endpoint was changed meanwhile, the next round tries the new one at once.
        Ok(if is_fenced {
            Round::Fenced
        } else {
            Round::Failed
        })
    }
}

/// Counts by what became of it (R-MON-3).
fn count(result: &'static str) {
    metrics::counter!("tandem_webhook_deliveries_total", "result" => result).increment(1);
}
