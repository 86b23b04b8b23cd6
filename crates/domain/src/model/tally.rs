//! Tallies: what came of submissions by hour, route, sender, country, class and campaign (R-METRIC-4),
//! and what they cost.

use crate::ids::{CampaignKey, ProjectKey, RouteKey, SenderKey};
use crate::model::message::TrafficClass;
use crate::model::money::Micros;
use crate::phone::CountryCode;
use crate::time::{Millis, Timestamp};

/// How long one row of the time series lasts.
pub const TALLY_SPAN: Millis = Millis::hours(1);

/// What a tally counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TallyKey {
    /// Whose.
    pub project: ProjectKey,
    /// The start of the hour (UTC) in which the attempts were sent; failed, where they never were.
    pub hour: Timestamp,
    /// The route.
    pub route: RouteKey,
    /// The sender.
    pub sender: SenderKey,
    /// The country of the recipient, where its address tells one.
    pub country: Option<CountryCode>,
    /// Direct or bulk.
    pub class: TrafficClass,
    /// The campaign that the caller named.
    pub campaign: Option<CampaignKey>,
}

/// Counts of channel attempts; a difference of two where they are negative.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Tally {
    /// Attempts that the provider took whole.
    pub sent: i64,
    /// Of those, delivered or read.
    pub delivered: i64,
    /// Attempts that failed, before or after they were sent.
    pub failed: i64,
    /// Segments that the provider took.
    pub segments: i64,
    /// What it has charged.
    pub cost: Micros,
    /// The sum of the times from submission to delivery.
    pub delivery_time: Millis,
}

impl Tally {
    /// Nothing.
    pub const NONE: Self = Self {
        sent: 0,
        delivered: 0,
        failed: 0,
        segments: 0,
        cost: Micros::ZERO,
        delivery_time: Millis::ZERO,
    };

    /// The sum; saturates.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            sent: self.sent.saturating_add(other.sent),
            delivered: self.delivered.saturating_add(other.delivered),
            failed: self.failed.saturating_add(other.failed),
            segments: self.segments.saturating_add(other.segments),
            cost: self.cost.plus(other.cost),
            delivery_time: Millis::new(
                self.delivery_time
                    .get()
                    .saturating_add(other.delivery_time.get()),
            ),
        }
    }

    /// The same, taken away.
    #[must_use]
    pub const fn negated(self) -> Self {
        Self {
            sent: -self.sent,
            delivered: -self.delivered,
            failed: -self.failed,
            segments: -self.segments,
            cost: Micros(-self.cost.0),
            delivery_time: Millis::new(-self.delivery_time.get()),
        }
    }
}
