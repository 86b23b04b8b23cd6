//! What a provider says that it charges.

use domain::model::money::{Currency, Micros};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::place::Document;
use super::spec::PriceSpec;

/// The price of a message, where it is told in this currency: one in another needs a rate of its day,
/// which nobody has here.
pub(super) fn price(
    spec: Option<&PriceSpec>,
    document: &Document<'_>,
    segments: Option<u16>,
    currency: Currency,
) -> Option<Micros> {
    let spec = spec?;
    let told = document.read(&spec.currency);
    let told = told.as_deref().or(spec.currency_is.as_deref())?;
    if Currency::parse(&told.to_ascii_uppercase()) != Some(currency) {
        return None;
    }
    let amount = micros(&document.read(&spec.amount)?)?;
    if spec.per_segment {
        Some(amount.times(u32::from(segments?)))
    } else {
        Some(amount)
    }
}

/// A decimal amount as millionths, rounded to the nearest.
fn micros(text: &str) -> Option<Micros> {
    let amount = text
        .parse::<Decimal>()
        .or_else(|_| Decimal::from_scientific(text))
        .ok()?;
    let micros = amount.checked_mul(Decimal::from(1_000_000))?.round();
    micros.to_i64().map(Micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_to_the_millionth() {
        for (text, want) in [
            ("0.03330000", Some(33_300)),
            ("1e-5", Some(10)),
            ("0.0000025", Some(2)),
            ("12", Some(12_000_000)),
            ("-0.5", Some(-500_000)),
            ("free", None),
            ("", None),
        ] {
            assert_eq!(micros(text).map(|it| it.0), want, "{text}");
        }
    }
}
