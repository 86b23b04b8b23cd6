//! Quotas: what a route or a project may use in an hour, a day or a month (R-QUOTA-1), and what it has
//! used.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::{ProjectKey, RouteKey, VolumeKey};
use crate::model::money::Micros;
use crate::model::tariff::Tariff;
use crate::time::Timestamp;

/// How long a quota counts before it begins again, in the project's time zone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    /// From one full hour to the next.
    Hour,
    /// From midnight to midnight: 23 or 25 hours where the clocks change.
    Day,
    /// From the first of the month.
    Month,
}

impl Period {
    /// Every period, the shortest first.
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Month];

    /// The word of the configuration and of the API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }
}

/// What a quota counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QuotaUnit {
    /// Messages, however long.
    Messages,
    /// Segments of text messages; a message of another kind is one.
    Segments,
    /// Money, in micro-units of the project's currency.
    Spend,
}

impl QuotaUnit {
    /// Every unit.
    pub const ALL: [Self; 3] = [Self::Messages, Self::Segments, Self::Spend];

    /// The word of the configuration and of the API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Segments => "segments",
            Self::Spend => "spend",
        }
    }
}

/// One limit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Quota {
    /// How long it counts.
    pub per: Period,
    /// What it counts.
    pub unit: QuotaUnit,
    /// The most that may be used: a count, or micro-units.
    pub limit: i64,
}

/// Every quota of a route or a project. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Quotas(Option<Arc<[Quota]>>);

impl Quotas {
    /// No limit.
    pub const NONE: Self = Self(None);

    /// These limits.
    pub fn new(quotas: impl IntoIterator<Item = Quota>) -> Self {
        let quotas: Arc<[Quota]> = quotas.into_iter().collect();
        Self((!quotas.is_empty()).then_some(quotas))
    }

    /// Each of them.
    pub fn all(&self) -> &[Quota] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Whether there is none.
    pub const fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Whether any of them counts money.
    pub fn count_money(&self) -> bool {
        self.all().iter().any(|it| it.unit == QuotaUnit::Spend)
    }
}

/// An amount of use; a difference of two where it is negative.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Use {
    /// Messages.
    pub messages: i64,
    /// Segments.
    pub segments: i64,
    /// Money.
    pub spend: Micros,
}

impl Use {
    /// Nothing.
    pub const NONE: Self = Self {
        messages: 0,
        segments: 0,
        spend: Micros::ZERO,
    };

    /// The sum; saturates.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            messages: self.messages.saturating_add(other.messages),
            segments: self.segments.saturating_add(other.segments),
            spend: self.spend.plus(other.spend),
        }
    }

    /// This without `other`; saturates.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self {
            messages: self.messages.saturating_sub(other.messages),
            segments: self.segments.saturating_sub(other.segments),
            spend: Micros(self.spend.0.saturating_sub(other.spend.0)),
        }
    }

    /// How much of this unit it is.
    pub const fn of(self, unit: QuotaUnit) -> i64 {
        match unit {
            QuotaUnit::Messages => self.messages,
            QuotaUnit::Segments => self.segments,
            QuotaUnit::Spend => self.spend.0,
        }
    }
}

/// When the periods began that hold a moment ([`crate::rules::period`]).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Periods {
    /// The hour.
    pub hour: Timestamp,
    /// The day.
    pub day: Timestamp,
    /// The month.
    pub month: Timestamp,
    /// When the next hour begins: until then these hold.
    pub until: Timestamp,
}

impl Periods {
    /// When this period began.
    pub const fn began(&self, period: Period) -> Timestamp {
        match period {
            Period::Hour => self.hour,
            Period::Day => self.day,
            Period::Month => self.month,
        }
    }
}

/// What was used in one period.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Span {
    /// When the period began.
    pub began: Timestamp,
    /// Reserved for submissions whose outcome is not known yet.
    pub reserved: Use,
    /// Taken by the provider.
    pub settled: Use,
}

impl Span {
    /// All that counts against a quota.
    pub const fn used(&self) -> Use {
        self.reserved.plus(self.settled)
    }
}

/// What a route or a project has used in the hour, day and month that it counts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Meter {
    /// The hour.
    pub hour: Span,
    /// The day.
    pub day: Span,
    /// The month.
    pub month: Span,
}

impl Meter {
    /// What was used in this period.
    pub const fn span(&self, period: Period) -> &Span {
        match period {
            Period::Hour => &self.hour,
            Period::Day => &self.day,
            Period::Month => &self.month,
        }
    }

    /// Every period's.
    pub const fn spans_mut(&mut self) -> [&mut Span; 3] {
        [&mut self.hour, &mut self.day, &mut self.month]
    }
}

/// What a meter counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MeterOf {
    /// The use of a route.
    Route(RouteKey),
    /// The use of all of a project's routes.
    Project(ProjectKey),
    /// What lines of a route's price book charge that name this volume. It has no quota: prices go by it
    /// (R-COST-1).
    Volume(RouteKey, VolumeKey),
}

/// What an attempt that is handed to a route asks of the quotas.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reservation {
    /// When it is made.
    pub at: Timestamp,
    /// The periods that it counts for.
    pub periods: Periods,
    /// The quotas of the route.
    pub route: Quotas,
    /// How much of them it may use up, in percent: what is beyond is kept for direct traffic
    /// (R-ROUTE-2).
    pub share_percent: u8,
    /// The quotas of the project.
    pub project: Quotas,
    /// The volume of the route's price book that it counts in, where its price names one.
    pub volume: Option<VolumeKey>,
    /// Its price, where that goes by what the route has used in the month: the store says it, since
    /// only there one comes after the other (R-COST-1).
    pub tariff: Option<Tariff>,
}
