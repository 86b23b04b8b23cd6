//! Routes: the configured ways to carry a channel, and what is known of each at this moment.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::{ProjectKey, RouteKey, VolumeKey};
use crate::model::channel::Channel;
use crate::model::content::PriceCategory;
use crate::model::control::RouteControl;
use crate::model::message::TrafficClass;
use crate::model::money::Micros;
use crate::model::quota::{Meter, Quotas, Span, Use};
use crate::model::tariff::{NamedVolumes, Tariff, Tiers, Volumes};
use crate::phone::CountryCode;
use crate::time::{Millis, Timestamp};

/// What kind of traffic a route is meant for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteClass {
    /// Two-way, for direct messages.
    Gateway,
    /// A bulk provider.
    Platform,
    /// A team member's phone: the last resort of direct messages (R-ROUTE-3).
    Phone,
}

impl RouteClass {
    /// The word of the API and of the configuration.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Platform => "platform",
            Self::Phone => "phone",
        }
    }
}

/// One configured way to carry a channel. Does not change while the server runs.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says something of its own"
)]
pub struct Route {
    /// The store's name for it.
    pub key: RouteKey,
    /// The operator's name for it.
    pub id: Arc<str>,
    /// Whose it is.
    pub project: ProjectKey,
    /// What it carries.
    pub channel: Channel,
    /// What traffic it is meant for; a route without a class serves both (R-COST-1).
    pub class: Option<RouteClass>,
    /// Whether it is a simulator: the only kind that test keys may use (R-TEST).
    pub simulator: bool,
    /// Whether the provider gives receipts; without, `sent` is the end (R-LIFE-2).
    pub receipts: bool,
    /// Whether the provider answers STOP and its like itself; then no second answer is sent (R-IN-2).
    pub answers_stop: bool,
    /// Whether it carries media too (MMS), on the channel for text messages (R-ROUTE-1).
    pub mms: bool,
    /// Submissions per second; `None` is unlimited.
    pub throughput: Option<u32>,
    /// Which destinations it serves.
    pub destinations: Destinations,
    /// Its price book.
    pub prices: Vec<Price>,
    /// What it may use (R-QUOTA-1).
    pub quotas: Quotas,
    /// What to do with a submission of unknown outcome (R-DUP).
    pub on_unknown: OnUnknown,
    /// How long to wait for a receipt that resolves an unknown submission (R-DUP).
    pub unknown_wait: UnknownWait,
}

impl Route {
    /// Whether any of its prices, whenever it holds, goes by the volume of the month (R-COST-1).
    pub fn goes_by_volume(&self) -> bool {
        self.prices.iter().any(Price::goes_by_volume)
    }

    /// Whether what it has used is asked for when a message is planned: it has quotas, or prices that
    /// go by volume.
    pub fn goes_by_use(&self) -> bool {
        !self.quotas.is_none() || self.goes_by_volume()
    }
}

/// Which destinations a route serves: by prefix, the longest wins (R-ROUTE-1).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Destinations {
    /// Prefixes with a plus (`+40`) that it serves; empty means all.
    pub allow: Vec<Box<str>>,
    /// Prefixes with a plus that it does not serve.
    pub deny: Vec<Box<str>>,
}

/// What a price applies to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PriceScope {
    /// Any destination (`*`).
    Any,
    /// Numbers with this prefix, with a plus.
    Prefix(Box<str>),
    /// Numbers of this country.
    Country(CountryCode),
}

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PriceUnit {
    /// Each segment of the text.
    Segment,
    /// Each message, however long.
    Message,
}

/// When it is charged.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChargedOn {
    /// When the provider takes it.
    Submit,
    /// When it is delivered.
    Delivery,
}

/// One line of a price book (R-COST-1), in the project's currency.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Price {
    /// Which destinations.
    pub scope: PriceScope,
    /// Which kind of message; `None` fits every kind.
    pub category: Option<PriceCategory>,
    /// The price of one unit; with tiers, of one before the first of them.
    pub amount: Micros,
    /// What a unit costs from some volume of the month on.
    pub tiers: Tiers,
    /// The volume that it counts in and goes by, together with the lines of the same name; `None`: it
    /// goes by all that the route carried, whatever line it was charged by.
    pub volume: Option<VolumeKey>,
    /// The price of a message with a medium (MMS), however long its text; `None`: the line says
    /// nothing of such messages.
    pub mms: Option<Micros>,
    /// What is counted.
    pub unit: PriceUnit,
    /// When it is charged.
    pub charged_on: ChargedOn,
    /// First moment it holds; `None` is always.
    pub valid_from: Option<Timestamp>,
    /// First moment it no longer holds; `None` is for ever.
    pub valid_until: Option<Timestamp>,
}

impl Price {
    /// Whether what a unit costs goes by the volume of the month. What a medium costs never does.
    pub const fn goes_by_volume(&self) -> bool {
        !self.tiers.is_none()
    }

    /// Whether it holds at this moment.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.valid_from.is_none_or(|from| from <= now)
            && self.valid_until.is_none_or(|until| now < until)
    }

    /// What it makes of a volume.
    pub fn tariff(&self) -> Tariff {
        Tariff {
            amount: self.amount,
            tiers: self.tiers.clone(),
            unit: self.unit,
        }
    }
}

/// What happens to a submission whose outcome stays unknown (R-DUP).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnUnknown {
    /// Submit again: at least once.
    #[default]
    Resend,
    /// Count it as failed, and fall back: at most once.
    Fail,
}

/// How long an unknown submission waits for a receipt, by traffic class (R-DUP).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownWait {
    /// For direct messages.
    pub direct: Millis,
    /// For bulk messages.
    pub bulk: Millis,
}

impl UnknownWait {
    /// The wait for this class.
    pub const fn of(self, class: TrafficClass) -> Millis {
        match class {
            TrafficClass::Direct => self.direct,
            TrafficClass::Bulk => self.bulk,
        }
    }
}

impl Default for UnknownWait {
    /// 30 s for direct, 10 min for bulk (R-DUP).
    fn default() -> Self {
        Self {
            direct: Millis::seconds(30),
            bulk: Millis::minutes(10),
        }
    }
}

/// Whether a route can take submissions now. All but `Up` are temporary (R-CHAN-3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteCondition {
    /// It takes submissions.
    Up,
    /// No connection, login refused, or switched off by its breaker (R-HEALTH).
    Down,
    /// The provider asked to slow down; it is waited for, not tried (R-ROUTE-4).
    Throttled,
    /// A person drained it: what is in its hands finishes, and it gets nothing new.
    Drained,
    /// A person put it out of use.
    Disabled,
}

impl RouteCondition {
    /// Whether it carries nothing for now, whoever said so: what waits for it may go elsewhere.
    pub const fn is_out(self) -> bool {
        match self {
            Self::Down | Self::Drained | Self::Disabled => true,
            Self::Up | Self::Throttled => false,
        }
    }
}

/// What is known of a quota when a decision is made: the limits, and what was used. A route without
/// limits has uses too, where its prices go by them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct QuotaFacts {
    /// The limits.
    pub limits: Quotas,
    /// What was used, in the periods of the moment of the decision.
    pub used: Meter,
}

impl QuotaFacts {
    /// Without a limit.
    pub const UNLIMITED: Self = Self {
        limits: Quotas::NONE,
        used: Meter {
            hour: EMPTY,
            day: EMPTY,
            month: EMPTY,
        },
    };
}

const EMPTY: Span = Span {
    began: Timestamp::from_millis(0),
    reserved: Use::NONE,
    settled: Use::NONE,
};

/// What is known of a route when a decision is made.
#[derive(Clone, Debug)]
pub struct RouteFacts {
    /// Its configuration.
    pub route: Arc<Route>,
    /// Whether it takes submissions now.
    pub condition: RouteCondition,
    /// What is left of its quota.
    pub quota: QuotaFacts,
    /// What its price book's named volumes hold.
    pub volumes: NamedVolumes,
    /// Recent successes on it, any contact.
    pub successes: u64,
    /// Recent failures on it, any contact.
    pub failures: u64,
    /// How many more submissions it could take this second; `u32::MAX` when unlimited.
    pub free_throughput: u32,
    /// A person's word over it, where there is one.
    pub control: Option<Arc<RouteControl>>,
}

impl RouteFacts {
    /// A route that is up, unlimited and without a record.
    pub fn fresh(route: Arc<Route>) -> Self {
        Self {
            route,
            condition: RouteCondition::Up,
            quota: QuotaFacts::UNLIMITED,
            volumes: NamedVolumes::NONE,
            successes: 0,
            failures: 0,
            free_throughput: u32::MAX,
            control: None,
        }
    }

    /// What its prices by volume go by.
    pub fn carried(&self) -> Volumes<'_> {
        Volumes {
            whole: self.quota.used.month.used(),
            named: &self.volumes,
        }
    }
}
