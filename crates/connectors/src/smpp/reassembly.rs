//! Where the parts of inbound messages wait for each other.
//!
//! Shared by all binds of a route, since parts may come by different binds. Bounded in messages and
//! octets: what does not fit is given out incomplete, oldest first, rather than lost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::model::content::Content;
use domain::phone::PhoneNumber;
use parking_lot::Mutex;
use ports::connector::{Ack, Heard, IncomingMessage};
use tokio::time::Instant;

use super::config::{DefaultAlphabet, SmppConfig};
use super::inbound::{Coding, Piece, Place, read};

/// Messages that wait for parts at most.
const MESSAGES: usize = 1_000;
/// Octets that they may hold together.
const OCTETS: usize = 4 * 1024 * 1024;
/// What stands where parts never came.
const GAP: &str = " […] ";

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Key {
    from: Box<[u8]>,
    to: Box<[u8]>,
    reference: u16,
    wide: bool,
    total: u8,
}

struct Part {
    octets: Box<[u8]>,
    /// How to answer the SMSC; `None` once that is done.
    answer: Option<Ack>,
}

struct Group {
    parts: BTreeMap<u8, Part>,
    /// Answers to parts that came twice.
    repeated: Vec<Ack>,
    coding: Coding,
    hold_until: Instant,
    give_up_at: Instant,
}

impl Group {
    fn octets(&self) -> usize {
        self.parts.values().map(|it| it.octets.len()).sum()
    }

    fn has_open_answers(&self) -> bool {
        !self.repeated.is_empty() || self.parts.values().any(|it| it.answer.is_some())
    }

    fn due(&self) -> Instant {
        if self.has_open_answers() {
            self.hold_until.min(self.give_up_at)
        } else {
            self.give_up_at
        }
    }

    fn text(&self, total: u8, alphabet: DefaultAlphabet) -> String {
        if self.parts.len() == usize::from(total) {
            let whole: Vec<u8> = self
                .parts
                .values()
                .flat_map(|it| it.octets.iter().copied())
                .collect();
            return read(self.coding, &whole, alphabet);
        }
        let mut text = String::new();
        let mut is_gap = false;
        for number in 1..=total {
            match self.parts.get(&number) {
                Some(part) => text.push_str(&read(self.coding, &part.octets, alphabet)),
                None if !is_gap => text.push_str(GAP),
                None => {}
            }
            is_gap = !self.parts.contains_key(&number);
        }
        text
    }
}

/// A message that is ready, and how to answer the SMSC.
pub(super) type Ready = (IncomingMessage, Ack);

/// The waiting parts of one route.
pub(super) struct Reassembly {
    groups: Mutex<BTreeMap<Key, Group>>,
    /// Number of groups, to be looked at without the lock.
    waiting: AtomicUsize,
    alphabet: DefaultAlphabet,
    hold: std::time::Duration,
    timeout: std::time::Duration,
}

impl Reassembly {
    pub(super) fn new(config: &SmppConfig) -> Arc<Self> {
        Arc::new(Self {
            groups: Mutex::new(BTreeMap::new()),
            waiting: AtomicUsize::new(0),
            alphabet: config.default_alphabet,
            hold: config.reassembly_hold.to_duration(),
            timeout: config.reassembly_timeout.to_duration(),
        })
    }

    /// Takes a part; gives the messages that are ready through it.
    pub(super) fn add(
        self: &Arc<Self>,
        from: &[u8],
        to: &[u8],
        (piece, place): (&Piece<'_>, Place),
        answer: Ack,
        now: Instant,
    ) -> Vec<Ready> {
        let key = Key {
            from: from.into(),
            to: to.into(),
            reference: place.reference,
            wide: place.wide,
            total: place.total,
        };
        let mut groups = self.groups.lock();
        let group = groups.entry(key.clone()).or_insert_with(|| Group {
            parts: BTreeMap::new(),
            repeated: Vec::new(),
            coding: piece.coding,
            hold_until: now + self.hold,
            give_up_at: now + self.timeout,
        });
        if let Some(known) = group.parts.get_mut(&place.number) {
            // Sent again because its answer was lost, or was "try again".
            match &mut known.answer {
                Some(_) => group.repeated.push(answer),
                unanswered @ None => *unanswered = Some(answer),
            }
            group.hold_until = group.hold_until.max(now + self.hold);
        } else {
            let part = Part {
                octets: piece.octets.into(),
                answer: Some(answer),
            };
            group.parts.insert(place.number, part);
        }
        let mut ready = Vec::new();
        if group.parts.len() == usize::from(place.total)
            && let Some(group) = groups.remove(&key)
        {
            ready.push((key, group));
        }
        while groups.len() > MESSAGES || groups.values().map(Group::octets).sum::<usize>() > OCTETS
        {
            let oldest = groups
                .iter()
                .min_by_key(|it| it.1.give_up_at)
                .map(|it| it.0.clone());
            let Some(entry) = oldest.and_then(|it| groups.remove_entry(&it)) else {
                break;
            };
            ready.push(entry);
        }
        self.waiting.store(groups.len(), Ordering::Release);
        drop(groups);
        ready
            .into_iter()
            .filter_map(|(key, group)| self.give_out(key, group, now))
            .collect()
    }

    /// When [`sweep`](Self::sweep) has something to do.
    pub(super) fn due(&self) -> Option<Instant> {
        if self.waiting.load(Ordering::Acquire) == 0 {
            return None;
        }
        self.groups.lock().values().map(Group::due).min()
    }

    /// Answers parts that were held long enough, and gives out what stays incomplete.
    pub(super) fn sweep(self: &Arc<Self>, now: Instant) -> Vec<Ready> {
        let mut groups = self.groups.lock();
        let mut answers = Vec::new();
        for group in groups.values_mut().filter(|it| it.hold_until <= now) {
            answers.append(&mut group.repeated);
            answers.extend(group.parts.values_mut().filter_map(|it| it.answer.take()));
        }
        let over: Vec<Key> = groups
            .iter()
            .filter(|it| it.1.give_up_at <= now)
            .map(|it| it.0.clone())
            .collect();
        let over: Vec<_> = over
            .iter()
            .filter_map(|it| groups.remove_entry(it))
            .collect();
        self.waiting.store(groups.len(), Ordering::Release);
        drop(groups);
        for answer in answers {
            answer(Heard::Kept);
        }
        over.into_iter()
            .filter_map(|(key, group)| self.give_out(key, group, now))
            .collect()
    }

    fn give_out(self: &Arc<Self>, key: Key, mut group: Group, now: Instant) -> Option<Ready> {
        let mut answers = std::mem::take(&mut group.repeated);
        let mut open = Vec::new();
        for (number, part) in &mut group.parts {
            if let Some(answer) = part.answer.take() {
                answers.push(answer);
                open.push(*number);
            }
        }
        let Some(message) = message(&key, group.text(key.total, self.alphabet)) else {
            for answer in answers {
                answer(Heard::Kept);
            }
            return None;
        };
        let this = Arc::clone(self);
        let ack: Ack = Box::new(move |heard| {
            if heard == Heard::TryAgain {
                this.take_back(key, group, &open, now);
            }
            for answer in answers {
                answer(heard);
            }
        });
        Some((message, ack))
    }

    /// The message could not be kept. The SMSC sends again what is not answered yet; what was
    /// answered before has to wait here for it.
    fn take_back(&self, key: Key, mut group: Group, open: &[u8], now: Instant) {
        let is_complete = group.parts.len() == usize::from(key.total);
        for number in open {
            group.parts.remove(number);
        }
        if group.parts.is_empty() {
            return;
        }
        if is_complete && open.is_empty() {
            // Nothing will come again, so a part less makes it come up at its time.
            group.give_up_at = now + self.hold;
        } else {
            group.give_up_at = now + self.timeout;
        }
        let mut groups = self.groups.lock();
        groups.entry(key).or_insert(group);
        self.waiting.store(groups.len(), Ordering::Release);
    }
}

fn message(key: &Key, text: String) -> Option<IncomingMessage> {
    incoming(&key.from, &key.to, text)
}

/// An inbound message; `None` when its writer has no phone number, so that no answer could reach it.
pub(super) fn incoming(from: &[u8], to: &[u8], text: String) -> Option<IncomingMessage> {
    let from = PhoneNumber::from_msisdn(std::str::from_utf8(from).ok()?.trim()).ok()?;
    let to = String::from_utf8_lossy(to);
    Some(IncomingMessage::new(
        from.into(),
        to.trim(),
        Content::text(text),
    ))
}

#[cfg(test)]
#[path = "reassembly_tests.rs"]
mod tests;
