//! R-QUOTA-1: whatever happens to the copies of a message in whatever order, what is settled and what is
//! reserved on a route is never less than what its provider took. The world here knows what each
//! provider took; the message hears of it late, in parts, in another order, or never.

use std::collections::{BTreeMap, BTreeSet};

use domain::ids::{RouteKey, VolumeKey};
use domain::model::attempt::{Attempt, AttemptState, PlannedAttempt};
use domain::model::channel::{Channel, ChannelSet};
use domain::model::failure::{Failure, FailureClass};
use domain::model::message::TrafficClass;
use domain::model::money::Micros;
use domain::model::progress::{FallbackPolicy, Progress, Waiting};
use domain::model::quota::{Periods, Reservation, Use};
use domain::model::receipt::{PartReference, ReceiptState, SubmitOutcome};
use domain::model::route::{ChargedOn, OnUnknown};
use domain::rules::booking::Standings;
use domain::rules::due::settle;
use domain::rules::outcome::submitted;
use domain::rules::receipt_order::receipt;
use domain::rules::unknown::{in_hand, interrupted, never_left, release};
use domain::time::{Millis, Timestamp};
use proptest::prelude::*;

/// An hour of this world is a quarter of one: the first ends a minute after the beginning.
const HOUR: Millis = Millis::minutes(15);
const T0: Timestamp = Timestamp::from_millis(7_200_000 - 60_000);
const VALIDITY: Millis = Millis::seconds(600);
const PART: i64 = 100;
const ROUTES: usize = 5;

/// One submission of a message, and what its provider made of it.
#[derive(Debug, Clone)]
struct Copy {
    attempt: u8,
    route: RouteKey,
    /// Its parts: all of them, or those that were left.
    parts: Vec<u16>,
    /// Whether it is one more message, not the rest of one.
    is_whole: bool,
    /// How many of its parts the provider took; `None` while it has not left.
    taken: Option<usize>,
    /// Whether the connector owes its answer.
    is_owed: bool,
    /// The hour in which it was reserved.
    hour: Timestamp,
}

#[derive(Debug, Clone)]
enum Event {
    /// The message is planned on this route.
    Planned(u32),
    /// The bytes leave, and the provider takes so many of the parts.
    Leaves(usize),
    /// The connector answers, as it knows it.
    Answered { knows: bool, for_good: bool },
    /// What has not left goes back.
    TakenBack,
    /// The process dies.
    Crashed,
    /// A provider tells of a part that it took.
    Told { which: usize, how: usize },
    /// So much time goes by.
    Later(i64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        3 => (1_u32..4).prop_map(Event::Planned),
        3 => (0_usize..4).prop_map(Event::Leaves),
        3 => any::<(bool, bool)>().prop_map(|it| Event::Answered { knows: it.0, for_good: it.1 }),
        1 => Just(Event::TakenBack),
        1 => Just(Event::Crashed),
        3 => (0_usize..8, 0_usize..4).prop_map(|it| Event::Told { which: it.0, how: it.1 }),
        2 => prop::sample::select(vec![1, 6, 31, 61, 300, 700]).prop_map(Event::Later),
    ];
    prop::collection::vec(event, 0..40)
}

struct World {
    progress: Progress,
    parts: u16,
    on_unknown: OnUnknown,
    marks: bool,
    charged_on: ChargedOn,
    now: Timestamp,
    copies: Vec<Copy>,
    reserved: [Use; ROUTES],
    settled: [Use; ROUTES],
    /// What is reserved and settled on a route in each volume.
    volumes: BTreeMap<(RouteKey, Option<VolumeKey>), [Use; 2]>,
    /// What is reserved and settled on a route in each hour.
    hours: BTreeMap<(RouteKey, Timestamp), [Use; 2]>,
    /// Whether providers say that a message was read of which they took only parts.
    lies: bool,
    /// What took more of an hour, though nothing was planned.
    unasked: Vec<String>,
    charged: [Micros; ROUTES],
    tallied: [i64; ROUTES],
}

fn hour(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_millis().div_euclid(HOUR.get()) * HOUR.get())
}

fn failure(class: FailureClass) -> Failure {
    Failure::new(class, class.code(), "")
}

impl World {
    fn new(parts: u16, on_unknown: OnUnknown, marks: bool) -> Self {
        let fallback = FallbackPolicy {
            enabled: true,
            after: None,
            untried: ChannelSet::EMPTY.with(Channel::Sms).with(Channel::WhatsApp),
        };
        let waiting = Waiting::Schedule { at: T0 };
        let until = T0.plus(VALIDITY);
        Self {
            progress: Progress::accepted(TrafficClass::Direct, fallback, until, waiting),
            parts,
            on_unknown,
            marks,
            charged_on: ChargedOn::Submit,
            now: T0,
            copies: Vec::new(),
            reserved: [Use::NONE; ROUTES],
            settled: [Use::NONE; ROUTES],
            volumes: BTreeMap::new(),
            hours: BTreeMap::new(),
            lies: true,
            unasked: Vec::new(),
            charged: [Micros::ZERO; ROUTES],
            tallied: [0; ROUTES],
        }
    }

    fn step<T>(&mut self, change: impl FnOnce(&mut Progress) -> T) {
        let before = Standings::of(&self.progress);
        change(&mut self.progress);
        let hours_before = self.hours.clone();
        // A receipt for a copy on another route may be taken for the one that is in hand.
        let is_of_one_route = self.progress.attempts.iter().all(|attempt| {
            let mut doubts = attempt.doubts.iter();
            doubts.all(|it| it.route == attempt.route)
        });
        for booking in before.bookings(&Standings::of(&self.progress)) {
            for it in booking.to_meter(false) {
                let route = it.route.0 as usize;
                self.reserved[route] = self.reserved[route].plus(it.reserved);
                self.settled[route] = self.settled[route].plus(it.settled);
                let [reserved, settled] = self.volumes.entry((it.route, it.volume)).or_default();
                *reserved = reserved.plus(it.reserved);
                *settled = settled.plus(it.settled);
                let [reserved, settled] = self
                    .hours
                    .entry((it.route, hour(it.reserved_at)))
                    .or_default();
                *reserved = reserved.plus(it.reserved);
                *settled = settled.plus(it.settled);
            }
            let route = booking.route.0 as usize;
            self.charged[route] = self.charged[route].plus(booking.charged);
            for (_, change) in booking.tallies.into_iter().flatten() {
                self.tallied[route] += change.sent + change.failed;
            }
        }
        for (place, [reserved, settled]) in &self.hours {
            let [was_reserved, was_settled] = hours_before.get(place).copied().unwrap_or_default();
            let more = reserved
                .plus(*settled)
                .minus(was_reserved.plus(was_settled));
            if is_of_one_route && (more.messages > 0 || more.segments > 0) {
                self.unasked.push(format!("{place:?}: {more:?}"));
            }
        }
    }

    fn planned(&self, channel: Channel, route: u32) -> PlannedAttempt {
        let parts = if channel == Channel::Sms {
            self.parts
        } else {
            1
        };
        PlannedAttempt {
            channel,
            route: RouteKey(route),
            parts,
            estimated_cost: Micros(PART * i64::from(parts)),
            charged_on: self.charged_on,
            receipts: true,
            country: None,
            reservation: Reservation {
                at: self.now,
                // One copy is priced by this line of the book, the next by that.
                volume: [None, Some(VolumeKey(1)), Some(VolumeKey(2))][self.copies.len() % 3],
                periods: Periods {
                    hour: hour(self.now),
                    ..Periods::default()
                },
                ..Reservation::default()
            },
        }
    }

    /// Plans what waits, as the engine would: the rest of a message on its route, else on any that has
    /// not refused it.
    fn plan(&mut self, route: u32) {
        let is_due = match self.progress.waiting {
            Waiting::No | Waiting::Person(_) => false,
            Waiting::Lane(_) => true,
            Waiting::Schedule { at } | Waiting::Fallback { at } => at <= self.now,
        };
        if !is_due || self.now >= self.progress.expires_at {
            return;
        }
        let live = self
            .progress
            .last_attempt()
            .filter(|it| it.state == AttemptState::Sending);
        let (route, channel, is_whole) = match live {
            Some(it) if !it.accepted.is_empty() => (it.route.0, it.channel, false),
            Some(it) if it.channel == Channel::WhatsApp => (4, it.channel, true),
            Some(it) if it.refused_by.contains(&RouteKey(route)) => return,
            Some(it) => (route, it.channel, true),
            None if self.progress.attempts.is_empty() => (route, Channel::Sms, true),
            None => (4, Channel::WhatsApp, true),
        };
        let planned = self.planned(channel, route);
        if live.is_some() {
            self.step(|it| it.continue_attempt(&planned));
        } else {
            self.step(|it| it.start_attempt(&planned));
        }
        self.unasked.clear();
        let Some(attempt) = self.progress.last_attempt() else {
            return;
        };
        let parts = (0..attempt.parts).filter(|it| !attempt.accepted.contains(*it));
        self.copies.push(Copy {
            attempt: attempt.no,
            route: RouteKey(route),
            parts: parts.collect(),
            is_whole,
            taken: None,
            is_owed: true,
            hour: hour(self.now),
        });
    }

    fn answer(&mut self, knows: bool, for_good: bool) {
        let Some(copy) = self.copies.iter_mut().rev().find(|it| it.is_owed) else {
            return;
        };
        let Some(taken) = copy.taken else { return };
        copy.is_owed = false;
        let copy = copy.clone();
        let name = |part: &u16| PartReference {
            part: *part,
            reference: format!("{part}").into(),
        };
        let why = failure(if for_good {
            FailureClass::RecipientInvalid
        } else {
            FailureClass::RouteFault
        });
        let references = copy.parts[..taken].iter().map(name).collect();
        let outcome = if !knows {
            SubmitOutcome::Unknown {
                references: copy.parts[..taken / 2].iter().map(name).collect(),
            }
        } else if taken == copy.parts.len() {
            SubmitOutcome::Accepted { references }
        } else if taken > 0 {
            SubmitOutcome::PartlyAccepted {
                references,
                failure: why,
                retriable: !for_good,
            }
        } else if for_good {
            SubmitOutcome::Rejected(why)
        } else {
            SubmitOutcome::NotAccepted(why)
        };
        let at = self.now;
        let is_its = self
            .progress
            .attempt_mut(copy.attempt)
            .is_some_and(|it| it.route == copy.route);
        if is_its {
            let resolve_at = at.plus(Millis::seconds(30));
            self.step(|it| submitted(it, copy.attempt, &outcome, resolve_at, at));
        }
    }

    fn tell(&mut self, which: usize, how: usize) {
        let told: Vec<_> = self
            .copies
            .iter()
            .flat_map(|it| {
                let taken = it.taken.unwrap_or(0);
                it.parts[..taken].iter().map(|part| (it.attempt, *part))
            })
            .collect();
        if told.is_empty() {
            return;
        }
        let (attempt, part) = told[which % told.len()];
        let parts: BTreeSet<_> = told.iter().filter(|it| it.0 == attempt).collect();
        let all = self.progress.attempt_mut(attempt).map_or(1, |it| it.parts);
        let is_all_there = parts.len() >= usize::from(all);
        let state = match how {
            0 => ReceiptState::InTransit,
            1 => ReceiptState::Failed(failure(FailureClass::Undeliverable)),
            2 if is_all_there || self.lies => ReceiptState::Read,
            _ => ReceiptState::Delivered,
        };
        let at = self.now;
        self.step(|it| receipt(it, attempt, part, &state, at));
    }

    fn happens(&mut self, event: &Event) {
        let at = self.now;
        match event {
            Event::Planned(route) => self.plan(*route),
            Event::Leaves(taken) => {
                if let Some(copy) = self.copies.last_mut().filter(|it| it.taken.is_none()) {
                    copy.taken = Some((*taken).min(copy.parts.len()));
                }
            }
            Event::Answered { knows, for_good } => self.answer(*knows, *for_good),
            Event::TakenBack => {
                let Some(copy) = self.copies.last().filter(|it| it.taken.is_none()) else {
                    return;
                };
                let no = copy.attempt;
                if in_hand(&self.progress) == Some(no) {
                    self.step(|it| release(it, no, at));
                } else {
                    self.step(|it| never_left(it, no));
                }
                if let Some(copy) = self.copies.last_mut() {
                    (copy.taken, copy.is_owed) = (Some(0), false);
                }
            }
            Event::Crashed => {
                let has_left = self.copies.last().is_some_and(|it| it.taken.is_some());
                for copy in &mut self.copies {
                    copy.is_owed = false;
                    copy.taken.get_or_insert(0);
                }
                if let Some(no) = in_hand(&self.progress).filter(|_| !self.progress.is_ended()) {
                    if let Some(attempt) = self.progress.attempt_mut(no) {
                        attempt.started = has_left;
                    }
                    let (marks, until) = (self.marks, at.plus(Millis::seconds(30)));
                    self.step(|it| interrupted(it, no, marks, until, at));
                }
            }
            Event::Told { which, how } => self.tell(*which, *how),
            Event::Later(seconds) => {
                self.now = at.plus(Millis::seconds(*seconds));
                let (now, on_unknown) = (self.now, self.on_unknown);
                self.step(|it| settle(it, on_unknown, now));
            }
        }
    }

    /// What the provider of a route took.
    fn taken(&self, route: usize) -> Use {
        let of_route = |it: &&Copy| it.route.0 as usize == route && it.taken.is_some();
        self.copies
            .iter()
            .filter(of_route)
            .fold(Use::NONE, |sum, it| {
                let parts = i64::try_from(it.taken.unwrap_or(0)).unwrap_or(0);
                sum.plus(Use {
                    messages: i64::from(it.is_whole && parts > 0),
                    segments: parts,
                    spend: Micros(parts * PART),
                })
            })
    }

    /// How many copies of the message a route was handed.
    fn handed(&self, route: usize) -> i64 {
        let of_route = |it: &&Copy| it.route.0 as usize == route && it.is_whole;
        i64::try_from(self.copies.iter().filter(of_route).count()).unwrap_or(i64::MAX)
    }

    /// Whether an answer may still come, or a receipt is waited for.
    fn is_open(&self) -> bool {
        let is_unknown = |it: &Attempt| it.state == AttemptState::Unknown;
        self.copies.iter().any(|it| it.is_owed) || self.progress.attempts.iter().any(is_unknown)
    }
}

fn messages(of: &[Use]) -> i64 {
    of.iter().map(|it| it.messages).sum()
}

/// What the provider of each route took of what was reserved in each hour.
fn taken_by_hour(world: &World) -> BTreeMap<(RouteKey, Timestamp), Use> {
    let mut sums: BTreeMap<_, Use> = BTreeMap::new();
    for it in &world.copies {
        let parts = i64::try_from(it.taken.unwrap_or(0)).unwrap_or(0);
        let sum = sums.entry((it.route, it.hour)).or_default();
        *sum = sum.plus(Use {
            messages: i64::from(it.is_whole && parts > 0),
            segments: parts,
            spend: Micros(parts * PART),
        });
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn no_route_counts_less_than_its_provider_took(
        events in events(), parts in 1_u16..4, resend: bool, marks: bool, on_delivery: bool,
    ) {
        let on_unknown = if resend { OnUnknown::Resend } else { OnUnknown::Fail };
        let mut world = World::new(parts, on_unknown, marks);
        if on_delivery {
            world.charged_on = ChargedOn::Delivery;
        }
        for event in events {
            world.happens(&event);
            let is_positive = |it: Use| it.messages >= 0 && it.segments >= 0 && it.spend.0 >= 0;
            for route in 1..ROUTES {
                let (reserved, settled) = (world.reserved[route], world.settled[route]);
                let (counted, mut taken) = (reserved.plus(settled), world.taken(route));
                if on_delivery {
                    // What failed is taken and costs nothing.
                    taken.spend = Micros::ZERO;
                }
                prop_assert!(is_positive(reserved), "{reserved:?}, {event:?}");
                prop_assert!(is_positive(settled), "{settled:?}, {event:?}");
                prop_assert!(
                    is_positive(counted.minus(taken)),
                    "route {route} counts {counted:?} and took {taken:?} after {event:?}: {:?}",
                    world.progress.attempts,
                );
                prop_assert!(world.tallied[route] >= 0, "{event:?}");
            }
        }
    }

    #[test]
    fn no_route_counts_more_than_it_was_handed_nor_settles_more_than_was_taken(
        events in events(), parts in 1_u16..4, resend: bool, marks: bool,
    ) {
        let on_unknown = if resend { OnUnknown::Resend } else { OnUnknown::Fail };
        let mut world = World::new(parts, on_unknown, marks);
        for event in events {
            world.happens(&event);
            for route in 1..ROUTES {
                let counted = world.reserved[route].plus(world.settled[route]);
                prop_assert!(counted.messages <= world.handed(route), "{route}: {counted:?}, {event:?}");
            }
            let taken: Vec<_> = (1..ROUTES).map(|it| world.taken(it)).collect();
            prop_assert!(messages(&world.settled) <= messages(&taken), "{event:?}");
        }
    }

    #[test]
    fn what_a_route_counts_is_what_its_volumes_count_and_none_is_given_back_more_than_it_got(
        events in events(), parts in 1_u16..4, resend: bool, marks: bool,
    ) {
        let on_unknown = if resend { OnUnknown::Resend } else { OnUnknown::Fail };
        let mut world = World::new(parts, on_unknown, marks);
        for event in events {
            world.happens(&event);
            let mut sums = [[Use::NONE; 2]; ROUTES];
            for ((route, volume), counted) in &world.volumes {
                for (sum, it) in sums[route.0 as usize].iter_mut().zip(counted) {
                    let is_positive = it.messages >= 0 && it.segments >= 0 && it.spend.0 >= 0;
                    prop_assert!(is_positive, "{route:?} {volume:?} {it:?} after {event:?}");
                    *sum = sum.plus(*it);
                }
            }
            for (route, sum) in sums.into_iter().enumerate() {
                prop_assert_eq!(sum, [world.reserved[route], world.settled[route]]);
            }
        }
    }

    /// What was not planned takes nothing more of any quota, whatever becomes known; and no hour counts
    /// less than what was reserved in it and taken.
    #[test]
    fn only_a_plan_takes_more_of_an_hour_and_each_hour_counts_its_own(
        events in events(), parts in 1_u16..4, resend: bool, marks: bool,
    ) {
        let on_unknown = if resend { OnUnknown::Resend } else { OnUnknown::Fail };
        let mut world = World::new(parts, on_unknown, marks);
        world.lies = false;
        for event in events {
            world.happens(&event);
            prop_assert_eq!(&world.unasked, &Vec::<String>::new(), "{:?}: {:?}", event, world.progress.attempts);
            for (place, taken) in taken_by_hour(&world) {
                let [reserved, settled] = world.hours.get(&place).copied().unwrap_or_default();
                let spare = reserved.plus(settled).minus(taken);
                prop_assert!(
                    spare.messages >= 0 && spare.segments >= 0 && spare.spend.0 >= 0,
                    "{place:?} counts {reserved:?} and {settled:?}, and took {taken:?} after {event:?}: {:?}",
                    world.progress.attempts,
                );
            }
        }
    }

    /// What has arrived waits for nothing, and nothing stays reserved but what is in doubt.
    #[test]
    fn what_was_delivered_waits_for_nothing_and_holds_nothing_but_doubts(
        events in events(), parts in 1_u16..4, resend: bool, marks: bool,
    ) {
        let on_unknown = if resend { OnUnknown::Resend } else { OnUnknown::Fail };
        let mut world = World::new(parts, on_unknown, marks);
        // After a crash it is not known whether the copy of another channel has left.
        for event in events.iter().filter(|it| !matches!(it, Event::Crashed)) {
            world.happens(event);
            if world.progress.is_delivered() {
                prop_assert_eq!(world.progress.waiting, Waiting::No, "{:?}", event);
                let doubts = world.progress.attempts.iter().flat_map(|it| &it.doubts);
                let copies: i64 = doubts.filter(|it| !it.is_rest).map(|it| i64::from(it.copies)).sum();
                if !world.is_open() {
                    prop_assert_eq!(messages(&world.reserved), copies, "{:?}", event);
                }
            }
        }
    }
}
