//! An attempt: one try of a message on one channel; inside it one or more route submissions.

use serde::{Deserialize, Serialize};

use crate::ids::{RouteKey, VolumeKey};
use crate::model::channel::Channel;
use crate::model::failure::Failure;
use crate::model::money::Micros;
use crate::model::quota::Reservation;
use crate::model::rest::{EarlierPlace, in_same_quarter};
use crate::model::route::ChargedOn;
use crate::phone::CountryCode;
use crate::time::Timestamp;

/// Most parts that one message may have; a longer text is not expressible as SMS.
pub const MAX_PARTS: u16 = 16;

/// Where an attempt stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    /// Planned, and in the hands of its route; the bytes may or may not have left.
    Sending,
    /// The bytes left and nobody knows whether the provider took them (R-DUP).
    Unknown,
    /// Every part was accepted.
    Sent,
    /// It will not arrive.
    Failed,
    /// Every part was delivered.
    Delivered,
    /// The recipient has seen it.
    Read,
}

impl AttemptState {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Sending,
        Self::Unknown,
        Self::Sent,
        Self::Failed,
        Self::Delivered,
        Self::Read,
    ];

    /// The word for the store and the API's extra fields.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Unknown => "unknown",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
            Self::Read => "read",
        }
    }
}

/// A set of the parts of one message, by index from zero; holds at most [`MAX_PARTS`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartSet(u16);

impl PartSet {
    /// No part.
    pub const NONE: Self = Self(0);

    /// In the place of an index: every part. Providers that take a long message whole have one id
    /// for all of it.
    pub const WHOLE: u16 = u16::MAX;

    /// The set as bits, for the store.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The set that [`bits`](Self::bits) gave.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// The first `count` parts.
    pub const fn first(count: u16) -> Self {
        if count >= MAX_PARTS {
            Self(u16::MAX)
        } else {
            Self((1 << count) - 1)
        }
    }

    /// This set and the part with this index, or every part with [`WHOLE`](Self::WHOLE).
    #[must_use]
    pub const fn with(self, index: u16) -> Self {
        if index == Self::WHOLE {
            Self(u16::MAX)
        } else if index >= MAX_PARTS {
            self
        } else {
            Self(self.0 | 1 << index)
        }
    }

    /// Whether the part is in it; with [`WHOLE`](Self::WHOLE), whether all are.
    pub const fn contains(self, index: u16) -> bool {
        if index == Self::WHOLE {
            self.0 == u16::MAX
        } else {
            index < MAX_PARTS && self.0 & (1 << index) != 0
        }
    }

    /// How many parts are in it; 16 once it was marked [`WHOLE`](Self::WHOLE).
    #[expect(clippy::cast_possible_truncation, reason = "a u16 has at most 16 ones")]
    pub const fn len(self) -> u16 {
        self.0.count_ones() as u16
    }

    /// Whether no part is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// How an attempt was counted in the contact's metrics, so that no receipt counts twice
/// (R-METRIC-3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Not yet.
    #[default]
    No,
    /// As a success.
    Success,
    /// As a failure.
    Failure,
}

/// One try of a message on one channel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// 1 for the first channel, 2 for the fallback.
    pub no: u8,
    /// The channel.
    pub channel: Channel,
    /// The route that has it, or had it last.
    pub route: RouteKey,
    /// Where it stands.
    pub state: AttemptState,
    /// Number of parts, at least 1.
    pub parts: u16,
    /// Parts that the provider accepted.
    pub accepted: PartSet,
    /// Parts whose delivery is confirmed.
    pub delivered: PartSet,
    /// Set just before the bytes leave, on routes where an unknown outcome counts as failed
    /// (R-DUP) or that have a quota (R-QUOTA-1): what was never started is known not to have been sent.
    pub started: bool,
    /// Expected cost of the submission.
    pub estimated_cost: Micros,
    /// When the route charges.
    pub charged_on: ChargedOn,
    /// Whether the route gives receipts; without, `sent` is the end (R-LIFE-2).
    pub receipts: bool,
    /// What it has cost, once charged.
    pub settled_cost: Option<Micros>,
    /// When the provider took every part, by our clock: the time of the submission, or of the
    /// receipt that made it known.
    pub sent_at: Option<Timestamp>,
    /// When its delivery became known to us.
    pub delivered_at: Option<Timestamp>,
    /// When it failed.
    pub failed_at: Option<Timestamp>,
    /// While its outcome is unknown: when the wait for a receipt ends (R-DUP).
    pub resolve_at: Option<Timestamp>,
    /// How often it was handed to a route again after an unknown outcome.
    pub resends: u16,
    /// Why it failed, or the last obstacle.
    pub failure: Option<Failure>,
    /// Routes that certainly did not accept it; none of them is tried again (R-ROUTE-4).
    pub refused_by: Vec<RouteKey>,
    /// How it was counted.
    pub counted: Counted,
    /// When its use was reserved (R-QUOTA-1); `None` for what was planned before uses were counted. Once
    /// its rest was reserved anew, when that was.
    pub reserved_at: Option<Timestamp>,
    /// Parts that were taken before its rest was reserved anew (R-PARTS).
    pub earlier: Vec<EarlierPlace>,
    /// Whether the place of the parts that are not known to be taken went over to the last of its
    /// [`doubts`](Self::doubts): the rest has none until it is reserved anew.
    pub rest_in_doubt: bool,
    /// The recipient's country, where its address tells one.
    pub country: Option<CountryCode>,
    /// How many units its route had used in the month before it, where its price goes by that
    /// (R-COST-1).
    pub used_before: Option<i64>,
    /// The volume of its route's price book that it counts in, where its price names one.
    pub volume: Option<VolumeKey>,
    /// Copies that were given up without an answer, and are still in doubt.
    pub doubts: Vec<Doubt>,
}

/// Copies of a message on one route of which nobody knows whether the provider took them (R-DUP): the
/// answer never came. What they may have used stays reserved (R-QUOTA-1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Doubt {
    /// The route that had them.
    pub route: RouteKey,
    /// How many.
    pub copies: u16,
    /// Whether each is the rest of a message of which the provider took other parts: no message more.
    pub is_rest: bool,
    /// Parts of each.
    pub parts: u16,
    /// Expected cost of each.
    pub estimated_cost: Micros,
    /// The volume of the route's price book that they count in, where their price names one.
    pub volume: Option<VolumeKey>,
    /// When the first of them was reserved.
    pub reserved_at: Timestamp,
}

impl Doubt {
    /// Whether it differs from `other` in nothing but the number of copies, and a time that counts in the
    /// same periods.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let Self {
            copies,
            reserved_at,
            ..
        } = *other;
        let is_same = Self {
            copies,
            reserved_at,
            ..*self
        } == *other;
        is_same && in_same_quarter(self.reserved_at, reserved_at)
    }
}

impl Attempt {
    /// Its answer is waited for no more: of what it handed over last nothing tells whether the provider
    /// took those parts that are not known to be accepted. The doubt takes over their place.
    pub(crate) fn give_up_copy(&mut self) {
        let (parts, known) = (self.parts.max(1), self.accepted.len());
        let is_rest = known > 0;
        let Some(reserved_at) = self
            .reserved_at
            .filter(|_| known < parts && !(is_rest && self.rest_in_doubt))
        else {
            return;
        };
        self.add_doubt(Doubt {
            route: self.route,
            copies: 1,
            is_rest,
            parts: parts - known,
            estimated_cost: Micros(self.estimated_cost.0.saturating_sub(self.cost_of_parts().0)),
            volume: self.volume,
            reserved_at,
        });
        self.rest_in_doubt = is_rest;
    }

    /// Adds it to the last one, where it counts in the same periods for certain.
    pub(crate) fn add_doubt(&mut self, doubt: Doubt) {
        match self.doubts.last_mut().filter(|it| it.is_like(&doubt)) {
            Some(last) => last.copies = last.copies.saturating_add(doubt.copies),
            None => self.doubts.push(doubt),
        }
    }

    /// What became of the copy that was given up last is known now.
    pub(crate) fn end_doubt(&mut self) {
        if let Some(last) = self.doubts.last_mut() {
            last.copies = last.copies.saturating_sub(1);
            if last.copies == 0 {
                self.doubts.pop();
            }
        }
    }

    /// The share of the expected cost that the accepted parts have.
    pub(crate) fn cost_of_parts(&self) -> Micros {
        self.cost_of(self.accepted.len().min(self.parts.max(1)))
    }

    /// Whether the provider is known to have taken any of it.
    pub fn is_taken(&self) -> bool {
        !self.accepted.is_empty()
            || self.sent_at.is_some()
            || matches!(self.state, AttemptState::Delivered | AttemptState::Read)
    }

    /// Whether a receipt of this route may be for it: it has it, or had a copy that is in doubt.
    pub fn may_be_of(&self, route: RouteKey) -> bool {
        self.route == route || self.doubts.iter().any(|it| it.route == route)
    }

    /// Whether no provider has seen any of it yet, so that it can be taken back (R-ROUTE-4).
    pub fn is_untouched(&self) -> bool {
        self.state == AttemptState::Sending
            && self.accepted.is_empty()
            && self.refused_by.is_empty()
            && self.resends == 0
    }

    /// Whether every part was accepted.
    pub const fn is_accepted(&self) -> bool {
        self.accepted.len() >= self.parts
    }
}

/// An attempt as the plan rule decided it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlannedAttempt {
    /// The channel.
    pub channel: Channel,
    /// The route.
    pub route: RouteKey,
    /// Number of parts, at least 1.
    pub parts: u16,
    /// Expected cost of the submission.
    pub estimated_cost: Micros,
    /// When the route charges.
    pub charged_on: ChargedOn,
    /// Whether the route gives receipts.
    pub receipts: bool,
    /// The recipient's country, where its address tells one.
    pub country: Option<CountryCode>,
    /// What it asks of the quotas.
    pub reservation: Reservation,
}

impl PlannedAttempt {
    /// The attempt that this plan starts.
    pub fn start(&self, no: u8) -> Attempt {
        Attempt {
            no,
            channel: self.channel,
            route: self.route,
            state: AttemptState::Sending,
            parts: self.parts,
            accepted: PartSet::NONE,
            delivered: PartSet::NONE,
            started: false,
            estimated_cost: self.estimated_cost,
            charged_on: self.charged_on,
            receipts: self.receipts,
            settled_cost: None,
            sent_at: None,
            delivered_at: None,
            failed_at: None,
            resolve_at: None,
            resends: 0,
            failure: None,
            refused_by: Vec::new(),
            counted: Counted::No,
            reserved_at: Some(self.reservation.at),
            earlier: Vec::new(),
            rest_in_doubt: false,
            country: self.country,
            used_before: None,
            volume: self.reservation.volume,
            doubts: Vec::new(),
        }
    }
}
