//! All of an outbound message that changes after it was accepted.
//!
//! The store loads it, a rule folds an event into it, the store writes it back, in one
//! transaction. What is due next is never stored by hand: it follows from the state
//! ([`crate::rules::due`]).

use serde::{Deserialize, Serialize};

use crate::ids::{RouteKey, UserId};
use crate::model::attempt::{Attempt, AttemptState, PlannedAttempt};
use crate::model::channel::ChannelSet;
use crate::model::failure::Failure;
use crate::model::message::{Status, TrafficClass};
use crate::time::{Millis, Timestamp};

/// Most channels that one message is tried on (R-FALL-2).
pub const MAX_ATTEMPTS: usize = 2;

/// Where a message without an attempt under way waits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Waiting {
    /// For its time (`scheduledAt`).
    Schedule {
        /// When it is due.
        at: Timestamp,
    },
    /// In the lane of a route, for room on it or for the route to come up.
    Lane(Lane),
    /// Between two channels (R-FALL-1).
    Fallback {
        /// When the second channel is planned.
        at: Timestamp,
    },
    /// In the hands of a person, who sends it from their own phone (R-PHONE-2): the router leaves it
    /// alone.
    Person(Claim),
    /// An attempt under way has it; or nothing is left to wait for.
    No,
}

/// A person's hold on a message (R-PHONE-2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Claim {
    /// Who has it.
    pub person: UserId,
    /// Until when: then it waits in its lane again.
    pub until: Timestamp,
    /// The lane that it came from.
    pub lane: Lane,
}

/// A route's queue of one traffic class.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Lane {
    /// The route.
    pub route: RouteKey,
    /// The class.
    pub class: TrafficClass,
}

/// What was decided about fallback when the message was accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FallbackPolicy {
    /// Whether it may fall back at all.
    pub enabled: bool,
    /// Time without `delivered` that counts as failure (R-FALL-5).
    pub after: Option<Millis>,
    /// Channels of the sender that were not tried yet.
    pub untried: ChannelSet,
}

/// All of an outbound message that changes after it was accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Public status.
    pub status: Status,
    /// Traffic class, which fixes the wait for unknown outcomes.
    pub class: TrafficClass,
    /// What was decided about fallback.
    pub fallback: FallbackPolicy,
    /// End of validity (R-LIFE-4).
    pub expires_at: Timestamp,
    /// Where it waits.
    pub waiting: Waiting,
    /// Attempts in order, at most [`MAX_ATTEMPTS`]: what a message shows as its channels (R-FALL-6).
    pub attempts: Vec<Attempt>,
    /// The last error, shown on a failed message.
    pub failure: Option<Failure>,
    /// Whether validity ended without a receipt (R-LIFE-2).
    pub receipt_missing: bool,
    /// Deliveries beyond the first: on a second channel, after the first delivered too (R-FALL-3).
    pub duplicate_deliveries: u8,
    /// Set when validity ended while a route had it in hand: when to look again.
    pub look_again_at: Option<Timestamp>,
    /// When it reached an end (R-LIFE-2); a later receipt may still correct the end.
    pub ended_at: Option<Timestamp>,
    /// Raised by every change, so that a decision made on older facts is noticed.
    pub version: u32,
}

impl Progress {
    /// A message just accepted.
    pub fn accepted(
        class: TrafficClass,
        fallback: FallbackPolicy,
        expires_at: Timestamp,
        waiting: Waiting,
    ) -> Self {
        Self {
            status: Status::Queued,
            class,
            fallback,
            expires_at,
            waiting,
            attempts: Vec::new(),
            failure: None,
            receipt_missing: false,
            duplicate_deliveries: 0,
            look_again_at: None,
            ended_at: None,
            version: 0,
        }
    }

    /// Starts the next attempt. The caller has checked that one is left ([`MAX_ATTEMPTS`]).
    pub fn start_attempt(&mut self, planned: &PlannedAttempt) {
        let no = u8::try_from(self.attempts.len() + 1).unwrap_or(u8::MAX);
        self.attempts.push(planned.start(no));
        self.fallback.untried = self.fallback.untried.without(planned.channel);
        self.waiting = Waiting::No;
        self.status = self.status.advance(Status::Sending);
        self.version += 1;
    }

    /// Goes on with the attempt under way, on its route or another (R-ROUTE-4).
    pub fn continue_attempt(&mut self, planned: &PlannedAttempt) {
        self.version += 1;
        self.waiting = Waiting::No;
        if let Some(attempt) = self.attempts.last_mut() {
            // The rest of a partly accepted message has its price already.
            if attempt.accepted.is_empty() {
                attempt.reserved_at = Some(planned.reservation.at);
                attempt.estimated_cost = planned.estimated_cost;
                attempt.charged_on = planned.charged_on;
                attempt.used_before = None;
                attempt.volume = planned.reservation.volume;
                attempt.rest_in_doubt = false;
            } else {
                attempt.reserve_rest(&planned.reservation);
            }
            attempt.route = planned.route;
            attempt.receipts = planned.receipts;
            attempt.started = false;
        }
    }

    /// Waits in a lane for room on its route.
    pub fn wait_in(&mut self, lane: Lane) {
        self.version += 1;
        self.waiting = Waiting::Lane(lane);
    }

    /// The attempt with this number.
    pub fn attempt_mut(&mut self, no: u8) -> Option<&mut Attempt> {
        self.attempts.iter_mut().find(|it| it.no == no)
    }

    /// The newest attempt.
    pub fn last_attempt(&self) -> Option<&Attempt> {
        self.attempts.last()
    }

    /// Whether any attempt was delivered or read.
    pub fn is_delivered(&self) -> bool {
        self.attempts
            .iter()
            .any(|it| matches!(it.state, AttemptState::Delivered | AttemptState::Read))
    }

    /// Whether it reached an end.
    pub const fn is_ended(&self) -> bool {
        self.ended_at.is_some()
    }
}
