//! How amounts of money look: exact decimal text, and cents as the official clients want them.

use domain::model::money::Micros;
use serde::{Serialize, Serializer};

/// Micro-units of one unit.
const UNIT: i64 = 1_000_000;
/// Decimals of a micro-unit.
const DECIMALS: usize = 6;
/// Most units that can be moved at once.
const MOST_UNITS: i64 = 1_000_000_000;

/// An amount as exact decimal text with two to six decimals: `12.50`, `0.035`.
#[derive(Clone, Copy)]
pub(crate) struct Exact(pub(crate) Micros);

impl std::fmt::Display for Exact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0.0 < 0 { "-" } else { "" };
        let all = self.0.0.unsigned_abs();
        let unit = UNIT.unsigned_abs();
        let decimals = format!("{:06}", all % unit);
        let (always, sometimes) = decimals.split_at(2);
        let sometimes = sometimes.trim_end_matches('0');
        write!(f, "{sign}{}.{always}{sometimes}", all / unit)
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An amount in hundredths of the currency, as the official clients want a balance.
#[derive(Clone, Copy)]
pub(crate) struct Cents(pub(crate) Micros);

impl Serialize for Cents {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const CENT: i64 = 10_000;
        if self.0.0 % CENT == 0 {
            return serializer.serialize_i64(self.0.0 / CENT);
        }
        #[expect(clippy::cast_precision_loss, reason = "a float only where it is shown")]
        let cents = self.0.0 as f64 / 1e4;
        serializer.serialize_f64(cents)
    }
}

/// Reads `12.50` or `-3`: units with at most six decimals.
pub(crate) fn parse(text: &str) -> Option<Micros> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
    if !is_number(whole) || !is_number(decimals) || decimals.len() > DECIMALS {
        return None;
    }
    let whole: i64 = whole.parse().ok().filter(|it| *it <= MOST_UNITS)?;
    let decimals: i64 = format!("{decimals:0<DECIMALS$}").parse().ok()?;
    let micros = whole * UNIT + decimals;
    Some(Micros(if is_negative { -micros } else { micros }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_shown_exactly() {
        for (text, micros, shown) in [
            ("12.5", 12_500_000, "12.50"),
            ("0.000001", 1, "0.000001"),
            ("-3", -3_000_000, "-3.00"),
            ("-0.035", -35_000, "-0.035"),
            ("1000000000", 1_000_000_000_000_000, "1000000000.00"),
        ] {
            assert_eq!(parse(text), Some(Micros(micros)), "{text}");
            assert_eq!(Exact(Micros(micros)).to_string(), shown);
        }
        for wrong in [
            "",
            "-",
            ".5",
            "5.",
            "1e3",
            "+1",
            "1,5",
            "0.0000001",
            "1000000001",
            "--1",
            "1.-5",
            "99999999999999999999",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn cents_are_whole_where_they_can_be() {
        let text = |micros| serde_json::to_string(&Cents(Micros(micros))).unwrap();
        assert_eq!(text(12_500_000), "1250");
        assert_eq!(text(-35_000), "-3.5");
        assert_eq!(text(0), "0");
    }
}
