//! Where in the quotas do the parts of a long message count of which the provider took some, and what
//! does the rest need before it goes on (R-PARTS, R-QUOTA-1)?
//!
//! An attempt has one place in the quotas: that of all its parts, or, once the rest was reserved anew, that
//! of the rest. Parts that were taken before then count where they were reserved.

use crate::model::attempt::{Attempt, AttemptState, Doubt};
use crate::model::money::Micros;
use crate::model::quota::{Reservation, Use};
use crate::time::{Millis, Timestamp};

/// Times in the same quarter of an hour count in the same hour, day and month, in every time zone.
const QUARTER: Millis = Millis::minutes(15);

/// Parts that the provider took before the rest of their message was reserved anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EarlierPlace {
    /// How many.
    pub parts: u16,
    /// When they were reserved.
    pub reserved_at: Timestamp,
}

/// What the rest of a partly accepted message needs of the quotas before it goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rest {
    /// How much: no message more.
    pub need: Use,
    /// Since when it has its place: it needs none in the periods that began by then. `None`: it has none.
    pub held_since: Option<Timestamp>,
}

/// Whether both count in the same periods for certain.
pub(crate) fn in_same_quarter(a: Timestamp, b: Timestamp) -> bool {
    let quarter = |at: Timestamp| at.as_millis().div_euclid(QUARTER.get());
    quarter(a) == quarter(b)
}

impl Attempt {
    /// How many of its parts the provider is known to have taken.
    pub(crate) fn known_parts(&self) -> u16 {
        let parts = self.parts.max(1);
        match self.state {
            AttemptState::Delivered | AttemptState::Read => parts,
            AttemptState::Sending
            | AttemptState::Unknown
            | AttemptState::Sent
            | AttemptState::Failed => self.accepted.len().min(parts),
        }
    }

    /// The share of the expected cost that so many parts have.
    pub(crate) fn cost_of(&self, parts: u16) -> Micros {
        let all = i64::from(self.parts.max(1));
        Micros(self.estimated_cost.0.saturating_mul(i64::from(parts)) / all)
    }

    /// What its rest needs, where the provider took some of its parts.
    pub fn rest(&self) -> Option<Rest> {
        if self.accepted.is_empty() {
            return None;
        }
        let known = self.known_parts();
        let left = Use {
            messages: 0,
            segments: i64::from(self.parts.max(1) - known),
            spend: Micros(self.estimated_cost.0.saturating_sub(self.cost_of(known).0)),
        };
        Some(Rest {
            // What was planned before uses were counted has no place and needs none.
            need: self.reserved_at.map_or(Use::NONE, |_| left),
            held_since: self.reserved_at.filter(|_| !self.rest_in_doubt),
        })
    }

    /// Its rest goes on: it keeps its place where it has one that counts in the hour of now, else it is
    /// reserved anew.
    pub(crate) fn reserve_rest(&mut self, reservation: &Reservation) {
        let Some(since) = self.reserved_at else {
            return;
        };
        if !self.rest_in_doubt && reservation.periods.hour <= since {
            return;
        }
        let taken = self.known_parts().saturating_sub(self.earlier_parts());
        self.note_earlier(taken, since);
        self.reserved_at = Some(reservation.at);
        self.rest_in_doubt = false;
    }

    /// Where so many of its parts count: how many were reserved when, in order.
    pub(crate) fn places(&self, parts: u16) -> Vec<EarlierPlace> {
        let mut places = self.earlier.clone();
        let own = parts.saturating_sub(self.earlier_parts());
        if let Some(reserved_at) = self.reserved_at.filter(|_| own > 0) {
            places.push(EarlierPlace {
                parts: own,
                reserved_at,
            });
        }
        places
    }

    fn earlier_parts(&self) -> u16 {
        self.earlier.iter().map(|it| it.parts).sum()
    }

    fn note_earlier(&mut self, parts: u16, reserved_at: Timestamp) {
        if parts == 0 {
            return;
        }
        match self.earlier.last_mut() {
            Some(last) if in_same_quarter(last.reserved_at, reserved_at) => last.parts += parts,
            Some(_) | None => self.earlier.push(EarlierPlace { parts, reserved_at }),
        }
    }

    /// A receipt made known that the provider took more parts than the `before` that were known, while
    /// nothing of it was under way: they are of the copy that was given up last, which is in doubt as far
    /// as its others go. Whether there were any.
    pub(crate) fn take_from_doubt(&mut self, before: u16) -> bool {
        let known = self.known_parts();
        let is_of_route = |it: &Doubt| it.route == self.route;
        let Some(doubt) = self.doubts.last().copied().filter(is_of_route) else {
            return false;
        };
        let news = known.saturating_sub(before).min(doubt.parts);
        if news == 0 {
            return false;
        }
        self.end_doubt();
        if doubt.parts > news {
            let gained = self.cost_of(known).0 - self.cost_of(before).0;
            self.add_doubt(Doubt {
                copies: 1,
                parts: doubt.parts - news,
                estimated_cost: Micros(doubt.estimated_cost.0.saturating_sub(gained).max(0)),
                ..doubt
            });
        }
        let is_elsewhere = |at: &Timestamp| !in_same_quarter(*at, doubt.reserved_at);
        if let Some(reserved_at) = self.reserved_at.filter(is_elsewhere) {
            if self.earlier.is_empty() {
                self.note_earlier(before, reserved_at);
            }
            self.note_earlier(news, doubt.reserved_at);
        }
        true
    }

    /// The copy that was in hand when a receipt ended the attempt never left: what the receipt told of
    /// was the copy before it. Whether that changes anything.
    pub(crate) fn never_left(&mut self) -> bool {
        let Some(doubt) = self.doubts.last().copied() else {
            return false;
        };
        let is_whole = self.known_parts() >= self.parts.max(1);
        match self.state {
            AttemptState::Sending | AttemptState::Unknown => false,
            // As it failed, it was given up as one that may have left.
            AttemptState::Failed if !is_whole => {
                self.end_doubt();
                true
            }
            AttemptState::Failed
            | AttemptState::Sent
            | AttemptState::Delivered
            | AttemptState::Read => {
                let own = self.parts.max(1) - self.earlier_parts();
                let is_its = (doubt.route, doubt.volume, doubt.parts)
                    == (self.route, self.volume, own)
                    && doubt.is_rest != self.earlier.is_empty();
                if is_its {
                    self.reserved_at = Some(doubt.reserved_at);
                    self.end_doubt();
                }
                is_its
            }
        }
    }
}
