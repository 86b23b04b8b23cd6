//! R-COST-1: money is integer micro-units. Prices come from a price book: country or prefix,
//! (template category,) price per segment, per message or per MMS, charged on submit or on delivery,
//! valid from/until. The most specific line that fits is the price; it may go by [volume].
//!
//! R-QUOTA-2: a route that has less money left than the next message costs at the least is out.

use std::cmp::Reverse;

use crate::model::address::Address;
use crate::model::content::PriceCategory;
use crate::model::money::Micros;
use crate::model::quota::Use;
use crate::model::route::{ChargedOn, PriceScope, Route};
use crate::model::tariff::Volumes;
use crate::rules::quota::SMALLEST;
use crate::rules::volume;
use crate::time::Timestamp;

/// The expected price of one message on one route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quote {
    /// For the whole message, in the project's currency.
    pub amount: Micros,
    /// When it is charged.
    pub charged_on: ChargedOn,
    /// The line of the route's price book that says so, by its place; `None` without a book.
    pub line: Option<usize>,
}

impl Quote {
    /// The quote of a route without a price book.
    pub const FREE: Self = Self {
        amount: Micros::ZERO,
        charged_on: ChargedOn::Submit,
        line: None,
    };
}

/// What is counted of a message: its price, its parts and its share of the throughput follow.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Size {
    /// A text of so many segments, at least 1; 1 on channels that count none.
    Segments(u16),
    /// A message with a medium on a text-message route: one, however long its text.
    Mms,
}

impl Size {
    /// Number of parts, at least 1.
    pub const fn parts(self) -> u16 {
        match self {
            Self::Segments(count) => count,
            Self::Mms => 1,
        }
    }
}

/// What a message of this kind and size costs on `route` at `now`, after what the route has `carried` in
/// the month.
///
/// For an MMS only lines that say what one costs fit. Among the lines that fit, the longest prefix wins,
/// then the country, then `*`; then a line for the category before one for any; then the one that came
/// into force last; then the one that stands first in the book. A route without a price book is free.
/// `None`: it has one, and no line fits, so the price is unknown; such a route is used only after every
/// route with a price.
pub fn price_of(
    route: &Route,
    to: &Address,
    category: Option<PriceCategory>,
    size: Size,
    now: Timestamp,
    carried: Volumes<'_>,
) -> Option<Quote> {
    if route.prices.is_empty() {
        return Some(Quote::FREE);
    }
    let (_, (place, line)) = route
        .prices
        .iter()
        .enumerate()
        .filter(|(_, it)| it.category.is_none() || it.category == category)
        .filter(|(_, it)| it.holds_at(now))
        .filter(|(_, it)| size != Size::Mms || it.mms.is_some())
        .filter_map(|(place, it)| Some((scope_rank(&it.scope, to)?, place, it)))
        .map(|(scope, place, it)| {
            (
                (scope, it.category.is_some(), it.valid_from, Reverse(place)),
                (place, it),
            )
        })
        .max_by_key(|(rank, _)| *rank)?;
    let amount = match size {
        Size::Mms => line.mms?,
        Size::Segments(count) => volume::price(&line.tariff(), count, carried.of(line.volume)),
    };
    Some(Quote {
        amount,
        charged_on: line.charged_on,
        line: Some(place),
    })
}

/// The least that the next message on `route` costs at `now`, after what it `carried` in the month:
/// of every line that holds, whatever it is for, and zero where something is free. What no line fits is no
/// part of it; where no line holds, all is booked as free.
///
/// More units never cost less than one, so that only the place of the next one is looked at, and not the
/// tiers that its money does not reach.
pub fn least_price(route: &Route, now: Timestamp, carried: Volumes<'_>) -> Micros {
    let lines = route.prices.iter().filter(|it| it.holds_at(now));
    lines
        .flat_map(|it| {
            let used = carried.of(it.volume);
            [Some(volume::price(&it.tariff(), 1, used)), it.mms]
        })
        .flatten()
        .min()
        .unwrap_or(Micros::ZERO)
}

/// The smallest message that one of these routes charges now, each with what it carried in the month: with
/// less than that left of a quota, none of them takes anything more that it counts. Where none charges
/// anything, it is that of [`SMALLEST`].
pub fn smallest<'a>(
    routes: impl IntoIterator<Item = (&'a Route, Volumes<'a>)>,
    now: Timestamp,
) -> Use {
    let prices = routes
        .into_iter()
        .map(|(route, carried)| least_price(route, now, carried));
    let least = prices.filter(|it| *it > Micros::ZERO).min();
    Use {
        spend: least.unwrap_or(SMALLEST.spend),
        ..SMALLEST
    }
}

/// How specific a scope is, in the order of preference. Longer prefixes are greater.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum ScopeRank {
    Any,
    Country,
    Prefix(usize),
}

/// How specifically the scope names the destination; `None` when it does not cover it.
fn scope_rank(scope: &PriceScope, to: &Address) -> Option<ScopeRank> {
    match scope {
        PriceScope::Any => Some(ScopeRank::Any),
        PriceScope::Country(country) => {
            (to.country() == Some(*country)).then_some(ScopeRank::Country)
        }
        PriceScope::Prefix(prefix) => to
            .phone()
            .is_some_and(|it| it.as_str().starts_with(&**prefix))
            .then_some(ScopeRank::Prefix(prefix.len())),
    }
}
