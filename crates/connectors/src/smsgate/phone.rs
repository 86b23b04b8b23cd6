//! One phone of a pool, as it is now: is it there, what may it still send, and what is it told?

use std::collections::VecDeque;
use std::sync::Arc;

use domain::time::{Millis, Timestamp};
use ports::phones::PhoneEvent;
use ports::store::phones::PhoneRecord;
use tokio::sync::broadcast;

use super::clock::PhoneClock;
use super::config::SmsGateConfig;
use super::select::Card;
use super::wire::DeviceIn;

/// Events that a slow stream may be behind; beyond, it is told to pull and no more.
const BEHIND: usize = 64;
/// How long after a wake-up another is sent although the phone has not pulled. A wake-up takes the
/// place of the pull that runs on the phone, so it must not come while one may run.
pub(super) const WAKE_PAUSE: Millis = Millis::new(1_500);
/// How long after a pull the next wake-up is sent, at least: its answer is still on its way. Phones that
/// take longer to come are given as long as they take.
const PULL_PAUSE: Millis = Millis::new(300);
/// How much later a time of contact must be than the one that is kept, to be kept.
const SEEN_STEP: Millis = Millis::minutes(1);

/// There is something to pull.
pub(super) fn enqueued() -> PhoneEvent {
    event("MessageEnqueued")
}

/// An event without data: a frame without a line of data is dropped by the app.
pub(super) fn event(name: &'static str) -> PhoneEvent {
    PhoneEvent {
        name,
        data: "null".into(),
    }
}

/// What a card was handed.
#[derive(Debug)]
pub(super) struct Use {
    /// What; empty for what was handed before the start.
    pub(super) handing: Box<str>,
    pub(super) sim: Option<u8>,
    pub(super) at: Timestamp,
    pub(super) parts: u16,
}

/// How a phone was let in.
#[derive(Debug)]
pub(super) struct Entry {
    /// How it described itself when it registered; unknown after a restart.
    pub(super) described: Option<DeviceIn>,
    /// Whether it has called with its token: the answer to its registration has arrived.
    pub(super) has_called: bool,
}

/// A phone.
#[derive(Debug)]
pub(super) struct Phone {
    pub(super) record: PhoneRecord,
    /// Streams that are open.
    pub(super) streams: u32,
    /// It did not come for what it was offered, or was not heard of for long: it gets nothing until it is
    /// heard of again. Where it has a stream, whoever holds the other end of that is not a phone.
    pub(super) silent: bool,
    /// When it was heard of again after it had been silent.
    pub(super) back_at: Option<Timestamp>,
    /// Left alone until then, since it cannot send.
    pub(super) rests_until: Option<Timestamp>,
    /// What is known of its clock.
    pub(super) clock: PhoneClock,
    /// Whether it fetched its webhooks and settings since we know what they are.
    pub(super) has_hooks: bool,
    pub(super) has_settings: bool,
    /// How it was let in.
    pub(super) entry: Entry,
    pub(super) uses: VecDeque<Use>,
    ring: broadcast::Sender<PhoneEvent>,
    /// When it was last woken; nothing once it has come.
    rung_at: Option<Timestamp>,
    /// When it is to be woken.
    ring_at: Option<Timestamp>,
    /// Until then a wake-up could take the place of a pull.
    pulls_until: Timestamp,
    /// How long it last took to come when it was woken.
    pace: Millis,
    kept_seen: Timestamp,
}

impl Phone {
    pub(super) fn new(record: PhoneRecord) -> Self {
        let asked = record.hooks_at.is_some() || record.settings_at.is_some();
        Self {
            entry: Entry {
                described: None,
                has_called: asked || record.seen_at > record.created_at,
            },
            kept_seen: record.seen_at,
            record,
            streams: 0,
            silent: false,
            back_at: None,
            rests_until: None,
            clock: PhoneClock::default(),
            has_hooks: false,
            has_settings: false,
            uses: VecDeque::new(),
            ring: broadcast::channel(BEHIND).0,
            rung_at: None,
            ring_at: None,
            pulls_until: Timestamp::from_millis(0),
            pace: PULL_PAUSE,
        }
    }

    /// It was heard of; whether that is worth keeping.
    pub(super) fn seen(&mut self, now: Timestamp) -> bool {
        if self.silent {
            self.silent = false;
            self.back_at = Some(now);
        }
        self.record.seen_at = self.record.seen_at.max(now);
        let worth = now.since(self.kept_seen) >= SEEN_STEP;
        if worth {
            self.kept_seen = now;
        }
        worth
    }

    /// Whether messages can be handed to it.
    pub(super) fn is_present(&self, config: &SmsGateConfig, now: Timestamp) -> bool {
        !self.silent && (self.streams > 0 || self.was_heard(config, now))
    }

    /// Whether it is there with what it has fetched. One that only polls is not away because it did not
    /// come at once for more.
    pub(super) fn keeps_on(&self, config: &SmsGateConfig, now: Timestamp) -> bool {
        if self.streams > 0 {
            !self.silent
        } else {
            self.was_heard(config, now)
        }
    }

    fn was_heard(&self, config: &SmsGateConfig, now: Timestamp) -> bool {
        now.since(self.record.seen_at) < config.present_for
    }

    pub(super) fn rests(&self, now: Timestamp) -> bool {
        self.rests_until.is_some_and(|it| it > now)
    }

    /// Listens to what it is told from now on.
    pub(super) fn subscribe(&self) -> broadcast::Receiver<PhoneEvent> {
        self.ring.subscribe()
    }

    /// Tells all of its streams.
    pub(super) fn tell(&self, event: PhoneEvent) {
        // Safe because: without a stream it pulls by itself.
        let _unheard = self.ring.send(event);
    }

    /// Tells it to pull: at once, but where it may be pulling, once that is over.
    pub(super) fn wake(&mut self, now: Timestamp) {
        let free_at = self.pulls_until.max(now);
        self.ring_at = Some(self.ring_at.unwrap_or(free_at).max(now));
        self.ring(now);
    }

    /// Sends the wake-up that is due; when the next is.
    pub(super) fn ring(&mut self, now: Timestamp) -> Option<Timestamp> {
        if self.ring_at.is_some_and(|it| it <= now) {
            self.ring_at = None;
            self.rung_at = Some(now);
            self.pulls_until = now.plus(WAKE_PAUSE);
            self.tell(enqueued());
        }
        self.ring_at
    }

    /// It has pulled, and was shown `all` there is or a part of it. Of what it was shown it need not be
    /// woken any more.
    pub(super) fn pulled(&mut self, all: bool, now: Timestamp) {
        if let Some(rung_at) = self.rung_at.take() {
            self.pace = now.since(rung_at).clamp(PULL_PAUSE, WAKE_PAUSE);
        }
        self.pulls_until = now.plus(self.pace);
        self.ring_at = (!all).then_some(self.pulls_until);
    }

    /// Its cards that may send; `held` are the parts that it holds.
    pub(super) fn cards(&self, config: &SmsGateConfig, held: u16, now: Timestamp) -> Vec<Card> {
        let able = self.is_present(config, now) && !self.rests(now);
        let card = |sim| {
            let (hour, day) = self.used(sim, now);
            let per_hour = self.record.per_hour.unwrap_or(config.per_hour);
            let per_day = self.record.per_day.unwrap_or(config.per_day);
            Card {
                phone: Arc::clone(&self.record.id),
                sim,
                able,
                is_connected: self.streams > 0,
                room: config.window.saturating_sub(held),
                left: per_hour
                    .saturating_sub(hour)
                    .min(per_day.saturating_sub(day)),
                used: hour,
                last: self
                    .uses
                    .iter()
                    .filter(|it| it.sim == sim)
                    .map(|it| it.at)
                    .max(),
            }
        };
        self.sims().into_iter().map(card).collect()
    }

    /// The cards that may send: those that were named and are there, else the first: a second card
    /// may be somebody's private one.
    fn sims(&self) -> Vec<Option<u8>> {
        let sims = &self.record.sims;
        let named = sims.iter().map(|it| it.number);
        let named: Vec<_> = named
            .filter(|it| self.record.may_send.contains(it))
            .map(Some)
            .collect();
        if named.is_empty() {
            return vec![sims.iter().map(|it| it.number).min()];
        }
        named
    }

    /// Parts that a card was handed in the last hour and day.
    pub(super) fn used(&self, sim: Option<u8>, now: Timestamp) -> (u32, u32) {
        let within = |span: Millis| {
            let uses = self.uses.iter().filter(|it| it.sim == sim);
            uses.filter(|it| now.since(it.at) < span)
                .map(|it| u32::from(it.parts))
                .sum()
        };
        (within(Millis::hours(1)), within(Millis::days(1)))
    }

    /// The same of all its cards.
    pub(super) fn used_by_all(&self, now: Timestamp) -> (u32, u32) {
        let mut sims: Vec<_> = self.uses.iter().map(|it| it.sim).collect();
        sims.sort_unstable();
        sims.dedup();
        sims.into_iter().fold((0, 0), |(hour, day), sim| {
            let (its_hour, its_day) = self.used(sim, now);
            (hour + its_hour, day + its_day)
        })
    }

    /// Notes what it is handed, and forgets what counts no more.
    pub(super) fn note(&mut self, used: Use, now: Timestamp) {
        self.uses.push_back(used);
        while let Some(first) = self.uses.front()
            && now.since(first.at) >= Millis::days(1)
        {
            self.uses.pop_front();
        }
    }

    /// It did not send it.
    pub(super) fn not_used(&mut self, handing: &str) {
        self.uses.retain(|it| &*it.handing != handing);
    }
}
