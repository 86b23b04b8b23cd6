//! A message, and the sums of what is booked for it step by step.

use domain::ids::{RouteKey, VolumeKey};
use domain::model::attempt::PlannedAttempt;
use domain::model::channel::{Channel, ChannelSet};
use domain::model::failure::{Failure, FailureClass};
use domain::model::message::TrafficClass;
use domain::model::money::Micros;
use domain::model::progress::{FallbackPolicy, Progress, Waiting};
use domain::model::quota::{Reservation, Use};
use domain::model::receipt::{PartReference, ReceiptState, SubmitOutcome};
use domain::model::route::ChargedOn;
use domain::model::tally::Tally;
use domain::rules::booking::{Metered, Standings};
use domain::rules::outcome::submitted;
use domain::rules::receipt_order::receipt;
use domain::time::{Millis, Timestamp};

pub(super) const T0: Timestamp = Timestamp::from_millis(7_200_000);
pub(super) const END: Timestamp = T0.plus(Millis::hours(1));

pub(super) fn at(seconds: i64) -> Timestamp {
    T0.plus(Millis::seconds(seconds))
}

pub(super) fn planned(route: u32, parts: u16, charged_on: ChargedOn) -> PlannedAttempt {
    PlannedAttempt {
        channel: Channel::Sms,
        route: RouteKey(route),
        parts,
        estimated_cost: Micros(300),
        charged_on,
        receipts: true,
        country: None,
        reservation: Reservation {
            at: T0,
            ..Reservation::default()
        },
    }
}

/// A message, and the sums of what was booked for it.
pub(super) struct Books {
    pub(super) progress: Progress,
    pub(super) reserved: Use,
    pub(super) settled: Use,
    pub(super) charged: Micros,
    pub(super) tally: Tally,
    pub(super) routes: Vec<RouteKey>,
    pub(super) reserved_by: Vec<(RouteKey, Use)>,
    pub(super) settled_by: Vec<(RouteKey, Use)>,
    /// What was reserved and settled, with the volume that counts it.
    pub(super) volumes: Vec<(Option<VolumeKey>, Use, Use)>,
    pub(super) changes: Vec<Metered>,
}

impl Books {
    pub(super) fn new(parts: u16, charged_on: ChargedOn) -> Self {
        let fallback = FallbackPolicy {
            enabled: false,
            after: None,
            untried: ChannelSet::EMPTY.with(Channel::Sms),
        };
        let progress = Progress::accepted(TrafficClass::Direct, fallback, END, Waiting::No);
        let mut books = Self {
            progress,
            reserved: Use::NONE,
            settled: Use::NONE,
            charged: Micros::ZERO,
            tally: Tally::NONE,
            routes: Vec::new(),
            reserved_by: Vec::new(),
            settled_by: Vec::new(),
            volumes: Vec::new(),
            changes: Vec::new(),
        };
        books.step(|it| it.start_attempt(&planned(1, parts, charged_on)));
        books
    }

    pub(super) fn step<T>(&mut self, change: impl FnOnce(&mut Progress) -> T) {
        let before = Standings::of(&self.progress);
        change(&mut self.progress);
        for booking in before.bookings(&Standings::of(&self.progress)) {
            for it in booking.to_meter(false) {
                self.reserved = self.reserved.plus(it.reserved);
                self.reserved_by.push((it.route, it.reserved));
                self.settled = self.settled.plus(it.settled);
                self.settled_by.push((it.route, it.settled));
                self.volumes.push((it.volume, it.reserved, it.settled));
                self.changes.push(it);
                if it.is_reservation() {
                    self.routes.push(it.route);
                }
            }
            self.charged = self.charged.plus(booking.charged);
            for (_, change) in booking.tallies.into_iter().flatten() {
                self.tally = self.tally.plus(change);
            }
        }
    }

    pub(super) fn reserved_on(&self, route: u32) -> Use {
        on_route(&self.reserved_by, route)
    }

    pub(super) fn settled_on(&self, route: u32) -> Use {
        on_route(&self.settled_by, route)
    }

    pub(super) fn answered(&mut self, outcome: &SubmitOutcome) {
        self.step(|it| submitted(it, 1, outcome, at(30), at(1)));
    }

    pub(super) fn heard(&mut self, state: &ReceiptState) {
        self.step(|it| receipt(it, 1, 0, state, at(4)));
    }

    /// Goes on by the same route in the hour that begins then, or earlier.
    pub(super) fn goes_on_at(&mut self, at: Timestamp) {
        let mut planned = planned(1, 3, ChargedOn::Submit);
        let hour = Millis::hours(1).get();
        planned.parts = self.progress.attempts[0].parts;
        planned.reservation.at = at;
        planned.reservation.periods.hour =
            Timestamp::from_millis(at.as_millis().div_euclid(hour) * hour);
        self.step(|it| it.continue_attempt(&planned));
    }

    pub(super) fn reserved_in(&self, at: Timestamp) -> Use {
        self.in_the_hour_of(at)
            .fold(Use::NONE, |sum, it| sum.plus(it.reserved))
    }

    pub(super) fn settled_in(&self, at: Timestamp) -> Use {
        self.in_the_hour_of(at)
            .fold(Use::NONE, |sum, it| sum.plus(it.settled))
    }

    pub(super) fn in_the_hour_of(&self, at: Timestamp) -> impl Iterator<Item = &Metered> {
        let hour = |at: Timestamp| at.as_millis() / Millis::hours(1).get();
        self.changes
            .iter()
            .filter(move |it| hour(it.reserved_at) == hour(at))
    }

    pub(super) fn goes_on(&mut self, route: u32, parts: u16, charged_on: ChargedOn) {
        self.step(|it| it.continue_attempt(&planned(route, parts, charged_on)));
    }
}

pub(super) fn on_route(changes: &[(RouteKey, Use)], route: u32) -> Use {
    let of_route = changes.iter().filter(|it| it.0 == RouteKey(route));
    of_route.fold(Use::NONE, |sum, it| sum.plus(it.1))
}

pub(super) fn failure(class: FailureClass) -> Failure {
    Failure::new(class, class.code(), "")
}

pub(super) fn accepted(parts: std::ops::Range<u16>) -> SubmitOutcome {
    let name = |part| PartReference {
        part,
        reference: format!("ref{part}").into(),
    };
    SubmitOutcome::Accepted {
        references: parts.map(name).collect(),
    }
}

pub(super) fn units(messages: i64, segments: i64, spend: i64) -> Use {
    Use {
        messages,
        segments,
        spend: Micros(spend),
    }
}

pub(super) fn unknown() -> SubmitOutcome {
    SubmitOutcome::Unknown {
        references: Vec::new(),
    }
}
