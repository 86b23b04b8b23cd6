//! What a route is about to submit: the bounded part of its lanes that is in memory, planned and
//! kept as `sending`. A connector pulls from it.

use std::collections::{HashMap, VecDeque};

use domain::ids::ConversationId;
use domain::model::consent::Standing;
use domain::model::message::{Category, Purpose, TrafficClass};
use domain::phone::{CountryCode, PhoneNumber};
use domain::rules::consent::{Consent, consent};
use domain::rules::order::OrderKey;
use domain::time::{Millis, Timestamp};
use ports::connector::{Slots, Submission, SubmissionKey};

use crate::headroom::DirectNeed;
use crate::throughput::{Pause, Throughput};
use crate::withdrawn::Withdrawn;

/// Most submissions that a route keeps in memory for each class.
const MAX_READY: usize = 4_096;
/// A direct message that was ready for so long found no free slot: one that finds it leaves at once.
const WAITED: Millis = Millis::new(3);
/// Fewest, however slow the route is.
const MIN_READY: usize = 16;

/// A submission and its place in the order of its class (R-ORDER): due time, then acceptance.
#[derive(Debug)]
pub(crate) struct Ready {
    /// When it was due.
    pub(crate) due: Timestamp,
    /// Since when only its turn is missing: it was handed over, or its mark was kept.
    pub(crate) waits_since: Timestamp,
    /// Its contact and sender, for whoever asks again for consent.
    pub(crate) thread: ConversationId,
    /// Whether consent is asked at all.
    pub(crate) purpose: Purpose,
    /// What is to be submitted.
    pub(crate) submission: Submission,
}

impl Ready {
    fn place(&self) -> OrderKey {
        OrderKey {
            due: self.due,
            accepted: self.submission.key.message,
        }
    }
}

/// What a connector has taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InHand {
    /// Its class.
    pub(crate) class: TrafficClass,
    /// When it was taken: delivery times run from here (R-METRIC-1).
    pub(crate) taken_at: Timestamp,
    /// Where its recipient is, as far as the number tells.
    pub(crate) country: Option<CountryCode>,
    /// Slots that it takes.
    slots: u16,
    /// For whoever asks again for consent.
    consent: Asked,
}

/// What consent is asked with.
#[derive(Debug, Clone, Copy)]
struct Asked {
    thread: ConversationId,
    purpose: Purpose,
    category: Category,
}

impl Asked {
    const fn of(ready: &Ready) -> Self {
        Self {
            thread: ready.thread,
            purpose: ready.purpose,
            category: ready.submission.category,
        }
    }

    /// Whether it may not be sent any more to who stands so.
    fn is_refused(self, thread: ConversationId, standing: Standing) -> bool {
        self.thread == thread
            && consent(standing, self.purpose, self.category) == Consent::Withdrawn
    }
}

/// What a connector is given, and what else fell out.
#[derive(Debug, Default)]
pub(crate) struct Drawn {
    /// To be submitted.
    pub(crate) submissions: Vec<Submission>,
    /// To be marked as started first; they come back by [`ReadyQueue::started`].
    pub(crate) to_start: Vec<SubmissionKey>,
    /// Their validity is over; they are to be released.
    pub(crate) expired: Vec<SubmissionKey>,
    /// When to ask again.
    pub(crate) ask_again_at: Option<Timestamp>,
}

/// Both classes of one route, and what its connector has in hand.
#[derive(Debug)]
pub(crate) struct ReadyQueue {
    direct: VecDeque<Ready>,
    bulk: VecDeque<Ready>,
    /// Places promised to messages whose acceptance is being committed.
    reserved: [usize; 2],
    bound: usize,
    /// Taken by the connector, which owes an outcome for each.
    in_hand: HashMap<SubmissionKey, InHand>,
    /// What the connector has that is not wanted any more.
    pub(crate) withdrawn: Withdrawn,
    direct_need: DirectNeed,
    /// Bulk messages among what the connector has.
    bulk_in_hand: usize,
    /// When the throughput or a pause last held something back.
    held_at: Timestamp,
    /// Whether what leaves is marked first (R-DUP): see `Topology::marks_started`.
    marks_started: bool,
    /// Being marked, and marked; in order.
    starting: HashMap<SubmissionKey, Ready>,
    startable: VecDeque<Ready>,
    pub(crate) throughput: Throughput,
    pub(crate) pause: Pause,
    /// Nothing is given while this is off: the route is down or stopping.
    pub(crate) open: bool,
    /// At most so many in hand: a route on probation is given one (R-HEALTH).
    pub(crate) probes_only: bool,
}

impl ReadyQueue {
    pub(crate) fn new(per_second: Option<u32>, marks_started: bool, now: Timestamp) -> Self {
        let second = per_second.map_or(MAX_READY, |it| usize::try_from(it).unwrap_or(MAX_READY));
        Self {
            direct: VecDeque::new(),
            bulk: VecDeque::new(),
            reserved: [0; 2],
            bound: second.clamp(MIN_READY, MAX_READY),
            in_hand: HashMap::new(),
            withdrawn: Withdrawn::default(),
            direct_need: DirectNeed::new(now),
            bulk_in_hand: 0,
            held_at: now,
            marks_started,
            starting: HashMap::new(),
            startable: VecDeque::new(),
            throughput: Throughput::new(per_second, now),
            pause: Pause::default(),
            open: false,
            probes_only: false,
        }
    }

    fn lane(&mut self, class: TrafficClass) -> &mut VecDeque<Ready> {
        match class {
            TrafficClass::Direct => &mut self.direct,
            TrafficClass::Bulk => &mut self.bulk,
        }
    }

    fn len(&self, class: TrafficClass) -> usize {
        match class {
            TrafficClass::Direct => self.direct.len(),
            TrafficClass::Bulk => self.bulk.len(),
        }
    }

    const fn reserved(&mut self, class: TrafficClass) -> &mut usize {
        match class {
            TrafficClass::Direct => &mut self.reserved[0],
            TrafficClass::Bulk => &mut self.reserved[1],
        }
    }

    /// How many more submissions of this class there is room for.
    pub(crate) fn room(&mut self, class: TrafficClass) -> usize {
        let taken = self.len(class) + *self.reserved(class);
        self.bound.saturating_sub(taken)
    }

    /// How many there may be of each class.
    pub(crate) const fn bound(&self) -> usize {
        self.bound
    }

    /// Promises a place, if there is room.
    pub(crate) fn reserve(&mut self, class: TrafficClass) -> bool {
        let has_room = self.room(class) > 0;
        if has_room {
            *self.reserved(class) += 1;
        }
        has_room
    }

    /// Takes a promise back.
    pub(crate) fn unreserve(&mut self, class: TrafficClass) {
        let reserved = self.reserved(class);
        *reserved = reserved.saturating_sub(1);
    }

    /// Puts a submission in its place: nearly always the end.
    pub(crate) fn push(&mut self, ready: Ready) {
        let lane = self.lane(ready.submission.class);
        let place = ready.place();
        match lane.back() {
            Some(last) if last.place() > place => {
                let index = lane.partition_point(|it| it.place() <= place);
                lane.insert(index, ready);
            }
            Some(_) | None => lane.push_back(ready),
        }
    }

    /// Gives what may be submitted now: direct first; of bulk only what leaves the slots that are
    /// [kept](DirectNeed::kept) and one token for direct (R-CLASS-3).
    pub(crate) fn draw(&mut self, slots: Slots, now: Timestamp) -> Drawn {
        let mut drawn = Drawn::default();
        if !self.open {
            return drawn;
        }
        if let Some(until) = self.pause.until(now) {
            drawn.ask_again_at = Some(until);
            self.held_at = now;
            return drawn;
        }
        let mut free = if self.probes_only {
            slots.free.min(u16::from(self.in_hand.is_empty()))
        } else {
            slots.free
        };
        if self.marks_started {
            self.mark_ahead(slots, now, &mut drawn);
        }
        while free > 0 {
            let kept = if self.probes_only {
                0
            } else {
                self.kept(slots, now)
            };
            let Some(class) = self.next_class(free > kept) else {
                self.ask_for_bulk_again(kept, &mut drawn);
                break;
            };
            let Some(parts) = self.front(class).map(|it| it.submission.parts_left()) else {
                break;
            };
            if self
                .front(class)
                .is_some_and(|it| it.submission.expires_at <= now)
            {
                drawn
                    .expired
                    .extend(self.pop(class).map(|it| it.submission.key));
                continue;
            }
            // A long message waits until all its parts fit, unless they never can; of bulk, into
            // what leaves free what is kept for direct.
            let usable = match class {
                TrafficClass::Direct => free,
                TrafficClass::Bulk => free - kept,
            };
            let waits = parts > usable && free < slots.window;
            // A probe goes out whatever its length.
            if waits && !self.probes_only {
                break;
            }
            if let Err(again) = self.throughput.take(class, parts, now) {
                drawn.ask_again_at = Some(again);
                self.held_at = now;
                break;
            }
            let Some(ready) = self.pop(class) else { break };
            let taken = parts.max(1);
            match class {
                TrafficClass::Direct => {
                    // What the throughput or a pause held back did not wait for a slot.
                    if now.since(ready.waits_since.max(self.held_at)) >= WAITED {
                        self.direct_need.waited(now);
                    }
                    self.direct_need.took(taken, now);
                }
                TrafficClass::Bulk => self.bulk_in_hand += 1,
            }
            self.withdrawn.forget(ready.submission.key);
            self.in_hand.insert(
                ready.submission.key,
                InHand {
                    class,
                    taken_at: now,
                    country: ready.submission.to.phone().and_then(PhoneNumber::country),
                    slots: taken,
                    consent: Asked::of(&ready),
                },
            );
            free = free.saturating_sub(taken);
            drawn.submissions.push(ready.submission);
        }
        drawn
    }

    /// How many slots bulk leaves free. Where nothing of it is under way, one is enough: that is the one
    /// submission that bulk may add, and it would wait for as long as direct messages come.
    fn kept(&mut self, slots: Slots, now: Timestamp) -> u16 {
        let kept = self.direct_need.kept(slots, now);
        if self.bulk_in_hand == 0 {
            kept.min(1)
        } else {
            kept
        }
    }

    /// Bulk that is held back for direct messages that may come goes when they do not.
    fn ask_for_bulk_again(&self, kept: u16, drawn: &mut Drawn) {
        let waits = !self.bulk.is_empty() || !self.startable.is_empty();
        if kept > 1 && waits {
            drawn.ask_again_at = Some(self.direct_need.eases_at());
        }
    }

    /// Which class is next; `bulk_may`: more is free than what is kept for direct.
    fn next_class(&self, bulk_may: bool) -> Option<TrafficClass> {
        let (direct, bulk) = if self.marks_started {
            let class = self.startable.front().map(|it| it.submission.class);
            (
                class == Some(TrafficClass::Direct),
                class == Some(TrafficClass::Bulk),
            )
        } else {
            (!self.direct.is_empty(), !self.bulk.is_empty())
        };
        if direct {
            Some(TrafficClass::Direct)
        } else if bulk && bulk_may {
            Some(TrafficClass::Bulk)
        } else {
            None
        }
    }

    fn front(&self, class: TrafficClass) -> Option<&Ready> {
        if self.marks_started {
            return self.startable.front();
        }
        match class {
            TrafficClass::Direct => self.direct.front(),
            TrafficClass::Bulk => self.bulk.front(),
        }
    }

    fn pop(&mut self, class: TrafficClass) -> Option<Ready> {
        if self.marks_started {
            return self.startable.pop_front();
        }
        self.lane(class).pop_front()
    }

    /// Has as many marked as the window holds, no more: what is marked counts as sent after a
    /// crash. What is kept for direct stays free of bulk (R-CLASS-3).
    fn mark_ahead(&mut self, slots: Slots, now: Timestamp, drawn: &mut Drawn) {
        let window = usize::from(slots.window);
        let kept = usize::from(self.direct_need.kept(slots, now));
        let for_bulk = window.saturating_sub(kept);
        loop {
            let marked = self.starting.len() + self.startable.len();
            let ready = match self.direct.front() {
                Some(_) if marked < window => self.direct.pop_front(),
                None if marked < for_bulk => self.bulk.pop_front(),
                Some(_) | None => None,
            };
            let Some(ready) = ready else { break };
            let key = ready.submission.key;
            if ready.submission.expires_at <= now {
                drawn.expired.push(key);
            } else {
                self.starting.insert(key, ready);
                drawn.to_start.push(key);
            }
        }
    }

    /// The mark of a submission is kept: it may be submitted. Whether it was there.
    pub(crate) fn started(&mut self, key: SubmissionKey, now: Timestamp) -> bool {
        let Some(mut ready) = self.starting.remove(&key) else {
            return false;
        };
        ready.waits_since = now;
        let direct = ready.submission.class == TrafficClass::Direct;
        let index = if direct {
            self.startable
                .partition_point(|it| it.submission.class == TrafficClass::Direct)
        } else {
            self.startable.len()
        };
        self.startable.insert(index, ready);
        true
    }

    /// The mark was not kept: forget the submission. Whether it was there.
    pub(crate) fn not_started(&mut self, key: SubmissionKey) -> bool {
        self.starting.remove(&key).is_some()
    }

    /// Removes a submission that is not wanted any more; whether it was there. One that was taken stays
    /// with the connector, which [learns](Withdrawn) of it.
    pub(crate) fn cancel(&mut self, key: SubmissionKey) -> bool {
        if self.in_hand.contains_key(&key) {
            self.withdrawn.add(key);
            return false;
        }
        self.remove(key)
    }

    /// Takes out a submission that the connector has not taken; whether it was there.
    pub(crate) fn remove(&mut self, key: SubmissionKey) -> bool {
        if self.starting.remove(&key).is_some() {
            return true;
        }
        for lane in [&mut self.direct, &mut self.bulk, &mut self.startable] {
            if let Some(index) = lane.iter().position(|it| it.submission.key == key) {
                lane.remove(index);
                return true;
            }
        }
        false
    }

    /// Takes out what may not be sent to a contact any more (R-IN-2). What was taken stays with the
    /// connector, which [learns](Withdrawn) of it.
    pub(crate) fn withdraw(
        &mut self,
        thread: ConversationId,
        standing: Standing,
    ) -> Vec<SubmissionKey> {
        for (key, taken) in &self.in_hand {
            if taken.consent.is_refused(thread, standing) {
                self.withdrawn.add(*key);
            }
        }
        self.take_out(|it| Asked::of(it).is_refused(thread, standing))
    }

    /// Removes all of this kind that has not been taken yet.
    pub(crate) fn take_back(&mut self, kind: impl Fn(&Submission) -> bool) -> Vec<SubmissionKey> {
        self.take_out(|it| kind(&it.submission))
    }

    fn take_out(&mut self, goes: impl Fn(&Ready) -> bool) -> Vec<SubmissionKey> {
        let mut keys = Vec::new();
        let mut stays = |it: &Ready| {
            let goes = goes(it);
            keys.extend(goes.then_some(it.submission.key));
            !goes
        };
        for lane in [&mut self.startable, &mut self.direct, &mut self.bulk] {
            lane.retain(&mut stays);
        }
        self.starting.retain(|_, it| stays(it));
        keys
    }

    /// The connector gave its outcome, or gave the submission back; what it had, if it had it.
    pub(crate) fn settle(&mut self, key: SubmissionKey) -> Option<InHand> {
        let had = self.in_hand.remove(&key)?;
        self.withdrawn.forget(key);
        match had.class {
            TrafficClass::Direct => self.direct_need.gave_back(had.slots),
            TrafficClass::Bulk => self.bulk_in_hand = self.bulk_in_hand.saturating_sub(1),
        }
        Some(had)
    }

    /// How many submissions the connector has.
    pub(crate) fn in_hand(&self) -> usize {
        self.in_hand.len()
    }

    /// How many submissions the connector may take or will be able to.
    pub(crate) fn ready(&self) -> usize {
        self.direct.len() + self.bulk.len() + self.starting.len() + self.startable.len()
    }

    /// Empties the queue of all that was not taken.
    pub(crate) fn drain(&mut self) -> Vec<SubmissionKey> {
        let lanes = [&mut self.startable, &mut self.direct, &mut self.bulk];
        let starting = self.starting.drain().map(|it| it.0);
        lanes
            .into_iter()
            .flat_map(|it| it.drain(..))
            .map(|it| it.submission.key)
            .chain(starting)
            .collect()
    }
}

#[cfg(test)]
#[path = "ready_tests.rs"]
mod tests;
