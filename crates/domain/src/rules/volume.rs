//! R-COST-1: a price may go by volume. Each unit costs what its own place among the units of its route
//! in the month makes it cost, so that the prices of single messages add up to the price of all of
//! them, wherever a message lies across the border of a tier.

use crate::model::money::Micros;
use crate::model::quota::Use;
use crate::model::tariff::{Tariff, Tier};

/// What a message of so many parts costs, where its route has `used` so much of the month before it.
pub fn price(tariff: &Tariff, parts: u16, used: Use) -> Micros {
    let (volume, units) = (tariff.volume(used), tariff.units(parts));
    next_units(tariff.amount, tariff.tiers.all(), volume, units)
}

/// What a message of so many parts costs at least, whatever its route has carried; saturates.
pub fn least(tariff: &Tariff, parts: u16) -> Micros {
    let tiers = tariff.tiers.all().iter().map(|it| it.amount);
    let unit = tiers.fold(tariff.amount, Micros::min);
    Micros(unit.0.saturating_mul(tariff.units(parts)))
}

/// What the next `count` units cost after `used` of them, where one costs `amount` before the first of
/// the tiers. Saturates.
pub fn next_units(amount: Micros, tiers: &[Tier], used: i64, count: i64) -> Micros {
    let first = used.max(0);
    let end = first.saturating_add(count.max(0));
    let begins = std::iter::once((0, amount)).chain(tiers.iter().map(|it| (it.above, it.amount)));
    let ends = tiers.iter().map(|it| it.above).chain([i64::MAX]);
    let total = begins
        .zip(ends)
        .fold(0_i128, |total, ((from, amount), until)| {
            let units = end.min(until).saturating_sub(first.max(from)).max(0);
            total.saturating_add(i128::from(units) * i128::from(amount.0))
        });
    Micros(i64::try_from(total).unwrap_or(i64::MAX))
}
