//! What is one unit of another currency worth, and when (R-COST-1)?

use std::collections::BTreeMap;

use domain::model::money::{Currency, Micros};
use domain::time::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

use super::reader::Field;
use super::values;

/// Most decimals of a rate. With at most six digits before them, a price times a rate is exact.
const RATE_DECIMALS: u32 = 10;
/// No currency is worth as much of another; catches rates written in millionths.
const RATE_LIMIT: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);

/// The rates of a project, from other currencies to its own.
#[derive(Clone, Default, Debug)]
pub(crate) struct Rates {
    /// For each currency, by its code, what one unit is worth from which moment on, oldest first.
    by_currency: BTreeMap<String, Vec<(Timestamp, Decimal)>>,
}

/// A part of a price line's time in which one rate holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    /// Units of the project's currency for one of the other.
    rate: Decimal,
    /// First moment it holds.
    pub(super) from: Timestamp,
    /// First moment it no longer does; `None` is for ever.
    pub(super) until: Option<Timestamp>,
}

/// Why a price line cannot be converted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NoRate {
    /// There is none from this currency.
    AtAll,
    /// The first one, at this moment, comes after the line begins to hold, or ends.
    Before(Timestamp),
}

impl Rates {
    /// The rates from `currency` between these moments, each with its part of that time. Without
    /// a first moment, it begins with the first rate.
    pub(super) fn between(
        &self,
        currency: Currency,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<Vec<Span>, NoRate> {
        let rates = self
            .by_currency
            .get(currency.code())
            .map_or(&[][..], Vec::as_slice);
        let (first, _) = *rates.first().ok_or(NoRate::AtAll)?;
        if from.is_some_and(|it| it < first) || until.is_some_and(|it| it <= first) {
            return Err(NoRate::Before(first));
        }
        let start = from.unwrap_or(first);
        let mut spans = Vec::new();
        for (place, (since, rate)) in rates.iter().enumerate() {
            let next = rates.get(place + 1).map(|(at, _)| *at);
            let begin = start.max(*since);
            let end = match (next, until) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (one, None) | (None, one) => one,
            };
            if end.is_none_or(|it| begin < it) {
                spans.push(Span {
                    rate: *rate,
                    from: begin,
                    until: end,
                });
            }
        }
        Ok(spans)
    }
}

impl Span {
    /// An amount of the other currency in the project's, rounded half up to the millionth; `None`
    /// when no price is as high as that.
    pub(super) fn convert(&self, amount: Micros) -> Option<Micros> {
        Decimal::from(amount.0)
            .checked_mul(self.rate)?
            .round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)
            .to_i64()
            .map(Micros)
            .filter(|it| *it < values::PRICE_LIMIT_MICROS)
    }
}

/// Reads `fx` of a project whose currency is `own`.
pub(super) fn read(field: Field<'_>, own: Currency, zone: &TimeZone) -> Option<Rates> {
    let mut rates = Rates::default();
    for entry in field.list()? {
        let Some(mut table) = entry.clone().table() else {
            continue;
        };
        let from = table.require("from", "three capital letters, such as \"USD\"");
        let currency = from
            .clone()
            .and_then(|it| it.parse("three capital letters, such as \"USD\"", Currency::parse));
        let rate = table
            .require("rate", "a decimal number in quotes, such as \"0.92\"")
            .and_then(|it| {
                it.parse(
                    "a decimal number above 0 with at most 10 decimals, such as \"0.92\"",
                    rate,
                )
            });
        let since = table
            .require(
                "valid_from",
                "the date from which the rate holds, such as \"2026-01-01\"",
            )
            .and_then(|it| it.moment(zone));
        table.finish();
        let (Some(from), Some(currency), Some(rate), Some(since)) = (from, currency, rate, since)
        else {
            continue;
        };
        if currency == own {
            from.error(format!("is the project's own currency, {}", own.code()));
            continue;
        }
        let known = rates
            .by_currency
            .entry(currency.code().to_owned())
            .or_default();
        match known.binary_search_by_key(&since, |(at, _)| *at) {
            Ok(_) => entry.error(format!(
                "an earlier rate from {} holds from the same moment; only one may",
                currency.code()
            )),
            Err(place) => known.insert(place, (since, rate)),
        }
    }
    Some(rates)
}

/// A rate as text, `"0.92"`.
fn rate(text: &str) -> Option<Decimal> {
    let plain = text.bytes().all(|it| it.is_ascii_digit() || it == b'.');
    let rate = Decimal::from_str_exact(text)
        .ok()
        .filter(|_| plain)?
        .normalize();
    let fits = !rate.is_zero() && rate.scale() <= RATE_DECIMALS && rate < RATE_LIMIT;
    fits.then_some(rate)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const USD: &str = "USD";

    fn at(day: i64) -> Timestamp {
        Timestamp::from_millis(day * 86_400_000)
    }

    fn rates(dated: &[(i64, &str)]) -> Rates {
        let dated = dated.iter().map(|(day, it)| (at(*day), rate(it).unwrap()));
        Rates {
            by_currency: BTreeMap::from([(USD.to_owned(), dated.collect())]),
        }
    }

    fn between(rates: &Rates, from: Option<i64>, until: Option<i64>) -> Result<String, NoRate> {
        let usd = Currency::parse(USD).unwrap();
        let spans = rates.between(usd, from.map(at), until.map(at))?;
        let day = |it: Timestamp| it.as_millis() / 86_400_000;
        let words = |it: &Span| {
            let until = it.until.map(|it| day(it).to_string()).unwrap_or_default();
            format!("{}..{until} at {}", day(it.from), it.rate)
        };
        Ok(spans.iter().map(words).collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn each_rate_holds_from_its_date_to_the_next_ones() {
        let two = rates(&[(10, "0.92"), (20, "0.9")]);
        for (from, until, want) in [
            (None, None, "10..20 at 0.92, 20.. at 0.9"),
            (Some(12), None, "12..20 at 0.92, 20.. at 0.9"),
            (Some(20), None, "20.. at 0.9"),
            (Some(25), Some(30), "25..30 at 0.9"),
            (None, Some(20), "10..20 at 0.92"),
            (Some(12), Some(21), "12..20 at 0.92, 20..21 at 0.9"),
        ] {
            assert_eq!(between(&two, from, until).as_deref(), Ok(want));
        }
    }

    #[test]
    fn there_is_no_rate_before_the_first() {
        let one = rates(&[(10, "0.92")]);
        let before = Err(NoRate::Before(at(10)));
        assert_eq!(between(&one, Some(9), None), before);
        assert_eq!(between(&one, None, Some(10)), before);
        assert_eq!(between(&Rates::default(), None, None), Err(NoRate::AtAll));
    }

    #[test]
    fn half_a_millionth_is_rounded_up() {
        let convert = |amount, it: &str| {
            let span = Span {
                rate: rate(it).unwrap(),
                from: at(0),
                until: None,
            };
            span.convert(Micros(amount)).map(|it| it.0)
        };
        assert_eq!(convert(10_000, "0.92"), Some(9_200));
        assert_eq!(convert(1, "0.5"), Some(1));
        assert_eq!(convert(3, "0.5"), Some(2));
        assert_eq!(convert(1, "0.4999999999"), Some(0));
        assert_eq!(convert(999_999_999_999, "999999.9999999999"), None);
    }

    proptest! {
        #[test]
        fn no_rate_makes_it_panic(text: String) {
            let _ = rate(&text);
        }
    }
}
