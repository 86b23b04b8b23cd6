//! What one unit costs by how many units came before it in the month (R-COST-1).

use std::sync::Arc;

use crate::ids::VolumeKey;
use crate::model::money::Micros;
use crate::model::quota::Use;
use crate::model::route::PriceUnit;

/// Another price of one unit, from some volume of the month on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Tier {
    /// It holds for every unit after this many.
    pub above: i64,
    /// The price of one such unit.
    pub amount: Micros,
}

/// The tiers of a price, each above the one before it. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tiers(Option<Arc<[Tier]>>);

impl Tiers {
    /// None: the price is the same at any volume.
    pub const NONE: Self = Self(None);

    /// These tiers, in rising order.
    pub fn new(tiers: impl IntoIterator<Item = Tier>) -> Self {
        let tiers: Arc<[Tier]> = tiers.into_iter().collect();
        Self((!tiers.is_empty()).then_some(tiers))
    }

    /// Each of them.
    pub fn all(&self) -> &[Tier] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Whether there is none.
    pub const fn is_none(&self) -> bool {
        self.0.is_none()
    }
}

/// What was charged by lines that name a volume. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NamedVolumes(Option<Arc<Vec<(VolumeKey, Use)>>>);

impl NamedVolumes {
    /// Nothing.
    pub const NONE: Self = Self(None);

    /// These volumes, in the order of their keys; one that is not among them is empty.
    pub fn new(named: Arc<Vec<(VolumeKey, Use)>>) -> Self {
        Self((!named.is_empty()).then_some(named))
    }

    /// What this one holds.
    pub fn of(&self, volume: VolumeKey) -> Use {
        let Some(named) = &self.0 else {
            return Use::NONE;
        };
        let place = named.binary_search_by_key(&volume, |it| it.0);
        place.map_or(Use::NONE, |it| named[it].1)
    }
}

/// What a route has carried in the month, as its prices count it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Volumes<'a> {
    /// Everything.
    pub whole: Use,
    /// What was charged by lines that name a volume.
    pub named: &'a NamedVolumes,
}

impl Volumes<'_> {
    /// Nothing yet.
    pub const NONE: Self = Self {
        whole: Use::NONE,
        named: &NamedVolumes::NONE,
    };

    /// What a price goes by that names this volume, or none.
    pub fn of(&self, volume: Option<VolumeKey>) -> Use {
        volume.map_or(self.whole, |it| self.named.of(it))
    }
}

/// A price that goes by the volume of the month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tariff {
    /// The price of one unit before the first tier.
    pub amount: Micros,
    /// What later units cost.
    pub tiers: Tiers,
    /// What is counted.
    pub unit: PriceUnit,
}

impl Tariff {
    /// How many of its units a message of so many parts is.
    pub fn units(&self, parts: u16) -> i64 {
        match self.unit {
            PriceUnit::Segment => parts.into(),
            PriceUnit::Message => 1,
        }
    }

    /// How many of its units this use is.
    pub const fn volume(&self, used: Use) -> i64 {
        match self.unit {
            PriceUnit::Segment => used.segments,
            PriceUnit::Message => used.messages,
        }
    }
}
