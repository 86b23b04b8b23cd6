//! Events and the webhooks that they are delivered to.

use std::collections::{BTreeMap, BTreeSet};

use domain::ids::{ContactId, MessageId, ProjectKey, SenderKey};
use domain::model::event::{EventKinds, EventSeq};
use domain::time::Timestamp;

use super::state::State;
use crate::store::Outcome;
use crate::store::events::{Event, EventFilter, EventPage, EventRecord};
use crate::store::webhooks::{
    COUNT_MAX, DeadLetter, Delivery, DeliveryResult, PruneEvents, REPLAY_MAX, Replay, Webhook,
    WebhookChange, WebhookSetting, WebhookStanding,
};

/// Events, endpoints, and what waits for them beside their queue.
#[derive(Debug, Default)]
pub(super) struct Publishing {
    events: BTreeMap<EventSeq, Event>,
    webhooks: BTreeMap<SenderKey, Webhook>,
    again: BTreeSet<(SenderKey, EventSeq)>,
    dead: BTreeMap<(SenderKey, EventSeq), (Timestamp, Box<str>)>,
}

impl Publishing {
    pub(super) fn add(&mut self, event: Event) {
        let seq = EventSeq(self.newest().0 + 1);
        self.events.insert(seq, event);
    }

    pub(super) fn newest(&self) -> EventSeq {
        self.events
            .last_key_value()
            .map(|it| *it.0)
            .unwrap_or_default()
    }

    pub(super) fn event(&self, seq: EventSeq) -> Option<EventRecord> {
        let event = self.events.get(&seq)?.clone();
        Some(EventRecord { seq, event })
    }

    fn fitting(&self, filter: EventFilter) -> impl Iterator<Item = EventSeq> {
        let after = EventSeq(filter.after.0.saturating_add(1));
        let fits = move |it: &Event| {
            let concerns = match filter.sender {
                Some(sender) => concerns(it, filter.project, sender),
                None => it.project == filter.project,
            };
            concerns && filter.kinds.contains(it.kind)
        };
        self.events
            .range(after..)
            .filter(move |it| fits(it.1))
            .map(|it| *it.0)
    }

    /// A page; `recipient` is the contact of an outbound message, where it is not erased.
    pub(super) fn read(
        &self,
        filter: EventFilter,
        recipient: impl Fn(MessageId) -> Option<ContactId>,
    ) -> EventPage {
        let first = self.events.first_key_value().map_or(1, |it| it.0.0);
        let from = filter.after.0.max(first.saturating_sub(1));
        let newest = self.newest();
        let end = newest.min(EventSeq(from.saturating_add(filter.look_at.into())));
        let is_step_elsewhere = |it: &Event| {
            filter.steps_in.is_some_and(|thread| {
                let is_in_it = it.sender == Some(thread.sender)
                    && it.message.and_then(&recipient) == Some(thread.contact);
                EventKinds::STEPS.contains(it.kind) && !is_in_it
            })
        };
        let limit = usize::from(filter.limit);
        let found: Vec<_> = self
            .fitting(filter)
            .take_while(|it| *it <= end)
            .filter_map(|it| self.event(it))
            .filter(|it| !is_step_elsewhere(&it.event))
            .take(limit)
            .collect();
        let is_full = found.len() == limit;
        let upto = match found.last() {
            Some(last) if is_full => last.seq,
            Some(_) | None => end.max(filter.after),
        };
        let more = is_full || end < newest;
        EventPage {
            events: found,
            upto,
            more,
        }
    }

    pub(super) fn webhooks(&self) -> Vec<Webhook> {
        self.webhooks.values().cloned().collect()
    }

    pub(super) fn webhook(&self, sender: SenderKey) -> Option<Webhook> {
        self.webhooks.get(&sender).cloned()
    }

    fn waiting(&self, webhook: &Webhook) -> impl Iterator<Item = EventSeq> {
        self.fitting(EventFilter {
            project: webhook.project,
            sender: Some(webhook.sender),
            kinds: webhook.events,
            steps_in: None,
            after: webhook.cursor,
            limit: 0,
            look_at: EventFilter::LOOK_AT,
        })
    }

    pub(super) fn standing(&self, sender: SenderKey) -> Option<WebhookStanding> {
        let webhook = self.webhook(sender)?;
        let counted = |it: usize| u64::try_from(it).map_or(COUNT_MAX, |it| it.min(COUNT_MAX));
        Some(WebhookStanding {
            backlog: counted(self.waiting(&webhook).count()),
            replays: counted(self.again.iter().filter(|it| it.0 == sender).count()),
            dead: counted(self.dead.keys().filter(|it| it.0 == sender).count()),
            webhook,
        })
    }

    pub(super) fn replays(&self, sender: SenderKey, limit: usize) -> Vec<EventRecord> {
        let theirs = self.again.iter().filter(|it| it.0 == sender);
        theirs
            .filter_map(|it| self.event(it.1))
            .take(limit)
            .collect()
    }

    pub(super) fn dead_letters(
        &self,
        sender: SenderKey,
        before: Option<EventSeq>,
        limit: usize,
    ) -> Vec<DeadLetter> {
        let theirs = self.dead.iter().rev().filter(|it| it.0.0 == sender);
        theirs
            .filter(|it| before.is_none_or(|before| it.0.1 < before))
            .filter_map(|((_, seq), (at, why))| {
                Some(DeadLetter {
                    record: self.event(*seq)?,
                    at: *at,
                    why: why.clone(),
                })
            })
            .take(limit)
            .collect()
    }

    pub(super) fn change(&mut self, change: &WebhookChange) -> Outcome {
        let sender = change.sender;
        match &change.setting {
            WebhookSetting::Set { .. } | WebhookSetting::Rotate(_) => {
                let known = self.webhooks.get(&sender).cloned();
                let Some(webhook) = change.changed(known, self.newest()) else {
                    return Outcome::Missing;
                };
                self.webhooks.insert(sender, webhook.clone());
                Outcome::Webhook(Box::new(webhook))
            }
            WebhookSetting::Clear => {
                if self.forget(sender) {
                    Outcome::Done
                } else {
                    Outcome::Missing
                }
            }
            WebhookSetting::Replay(replay) => self.replay(sender, replay),
        }
    }

    /// Forgets an endpoint and what waits for it; whether there was one.
    pub(super) fn forget(&mut self, sender: SenderKey) -> bool {
        self.again.retain(|it| it.0 != sender);
        self.dead.retain(|it, _| it.0 != sender);
        self.webhooks.remove(&sender).is_some()
    }

    fn replay(&mut self, sender: SenderKey, replay: &Replay) -> Outcome {
        let Some(webhook) = self.webhooks.get(&sender) else {
            return Outcome::Missing;
        };
        let mut found: BTreeSet<EventSeq> = match replay {
            Replay::Events(events) => events
                .iter()
                .copied()
                .filter(|it| {
                    let event = self.events.get(it);
                    event.is_some_and(|it| concerns(it, webhook.project, sender))
                })
                .collect(),
            Replay::Since(since) => self
                .events
                .iter()
                .filter(|(_, it)| concerns(it, webhook.project, sender) && it.at >= *since)
                .filter(|(_, it)| webhook.events.contains(it.kind))
                .map(|it| *it.0)
                .collect(),
            Replay::Dead => self
                .dead
                .keys()
                .filter(|it| it.0 == sender)
                .map(|it| it.1)
                .collect(),
        };
        found.retain(|it| *it <= webhook.cursor);
        let more = found.len() > REPLAY_MAX;
        let mut count = 0;
        for seq in found.into_iter().take(REPLAY_MAX) {
            self.again.insert((sender, seq));
            self.dead.remove(&(sender, seq));
            count += 1;
        }
        Outcome::Replayed { count, more }
    }

    pub(super) fn delivery(&mut self, delivery: &Delivery) -> Outcome {
        let Delivery {
            sender,
            version,
            seq,
            again,
            result,
            at,
            ..
        } = delivery;
        let place = (*sender, *seq);
        let Some(webhook) = self.webhooks.get_mut(sender) else {
            return Outcome::Missing;
        };
        match result {
            DeliveryResult::Delivered => {
                webhook.failures = 0;
                webhook.tried = (EventSeq(0), 0);
                webhook.next_try_at = None;
                webhook.last_error = None;
                webhook.delivered_at = Some(*at);
                if *again {
                    self.again.remove(&place);
                } else {
                    webhook.cursor = webhook.cursor.max(*seq);
                }
            }
            DeliveryResult::Passed => webhook.cursor = webhook.cursor.max(*seq),
            DeliveryResult::Failed { .. } | DeliveryResult::GivenUp { .. }
                if webhook.version != *version =>
            {
                return Outcome::Stale;
            }
            DeliveryResult::Failed { next_try_at, why } => {
                let (tried, tries) = webhook.tried;
                let before = if tried == *seq { tries } else { 0 };
                fail(webhook, (*seq, before + 1), *next_try_at, why);
            }
            DeliveryResult::GivenUp { next_try_at, why } => {
                fail(webhook, (EventSeq(0), 0), *next_try_at, why);
                if *again {
                    self.again.remove(&place);
                } else {
                    webhook.cursor = webhook.cursor.max(*seq);
                }
                self.dead.insert(place, (*at, why.clone()));
            }
        }
        Outcome::Done
    }

    pub(super) fn prune(&mut self, prune: &PruneEvents) -> Outcome {
        let newest = self.newest();
        let beside: BTreeSet<_> = self.again.iter().chain(self.dead.keys()).collect();
        let is_beside = |seq| beside.iter().any(|it| it.1 == seq);
        let is_waited_for = |seq, it: &Event| {
            let webhook = it.sender.and_then(|it| self.webhooks.get(&it));
            webhook.is_some_and(|it| it.active && it.cursor < seq)
        };
        let goes = |(seq, it): &(&EventSeq, &Event)| {
            let is_needed = is_waited_for(**seq, it) || is_beside(**seq);
            let unneeded = it.at < prune.events_before && !is_needed;
            (unneeded || it.at < prune.needed_before) && **seq < newest
        };
        let behind = self.events.iter().filter(|it| *it.0 > prune.after);
        let page: Vec<_> = behind.take(prune.limit.into()).collect();
        let upto = page
            .last()
            .filter(|it| page.len() == usize::from(prune.limit) && it.1.at < prune.events_before)
            .map(|it| *it.0);
        let old: Vec<_> = page.into_iter().filter(goes).map(|it| *it.0).collect();
        if old.is_empty() {
            return Outcome::EventsPruned { upto };
        }
        for seq in old {
            self.events.remove(&seq);
        }
        self.again.retain(|it| self.events.contains_key(&it.1));
        self.dead.retain(|it, _| self.events.contains_key(&it.1));
        Outcome::EventsPruned { upto }
    }
}

fn fail(webhook: &mut Webhook, tried: (EventSeq, u32), next_try_at: Timestamp, why: &str) {
    webhook.failures += 1;
    webhook.tried = tried;
    webhook.next_try_at = Some(next_try_at);
    webhook.last_error = Some(why.into());
}

/// Whether an event belongs in the queue of a sender: it is the sender's, or its project's.
fn concerns(event: &Event, project: ProjectKey, sender: SenderKey) -> bool {
    event.project == project && event.sender.is_none_or(|it| it == sender)
}

impl State {
    pub(super) fn delivery(&mut self, delivery: &Delivery) -> Outcome {
        if delivery.epoch < self.epoch {
            return Outcome::Fenced;
        }
        self.publishing.delivery(delivery)
    }
}
