//! How are times, prices, addresses and names written?

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use domain::model::money::Micros;
use domain::time::{Millis, Timestamp};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::Database;
use super::reader::Field;

/// What an id may be, in words.
pub(super) const ID_WORDS: &str = "1 to 64 letters, digits, dots, dashes and underscores";
/// What a duration may be, in words.
pub(super) const SPAN_WORDS: &str = "text such as \"30s\": a whole number with ms, s, m, h or d";
/// What a secret must be, for messages.
pub(super) const SECRET_WORDS: &str = "text, { env = \"NAME\" } or { file = \"PATH\" }";

/// Most decimals a price may have: money is counted in millionths (R-COST-1).
const PRICE_DECIMALS: u32 = 6;
/// Millionths in one unit of a currency.
const MICROS: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);
/// No price of one message is as high as this; catches prices written in millionths.
const PRICE_LIMIT: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);
/// The same limit as an amount.
pub(super) const PRICE_LIMIT_MICROS: Micros = Micros(1_000_000_000_000);

/// Units of durations with their milliseconds, largest first.
const UNITS: [(&str, i64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// `"500ms"`, `"30s"`, `"10m"`, `"48h"`, `"30d"`.
pub(super) fn span(text: &str) -> Option<Millis> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, millis) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    number
        .parse::<i64>()
        .ok()?
        .checked_mul(millis)
        .map(Millis::new)
}

/// The shortest way to write a duration that [`span`] reads back.
pub(super) fn show_span(span: Millis) -> String {
    let fits = |(_, millis): &(&str, i64)| span.get() != 0 && span.get() % millis == 0;
    let (unit, millis) = UNITS.into_iter().find(fits).unwrap_or(("s", 1_000));
    format!("{}{unit}", span.get() / millis)
}

/// A price as text, `"0.035"`, exact to the millionth.
pub(super) fn price(text: &str) -> Option<Micros> {
    let plain = text.bytes().all(|it| it.is_ascii_digit() || it == b'.');
    let amount = Decimal::from_str_exact(text)
        .ok()
        .filter(|_| plain)?
        .normalize();
    if amount.scale() > PRICE_DECIMALS || amount >= PRICE_LIMIT {
        return None;
    }
    (amount * MICROS).to_i64().map(Micros)
}

/// The same, or what speaks against it; `allowed` says in words what is read.
pub(super) fn price_or_why(text: &str, allowed: &str) -> Result<Micros, String> {
    let is_too_much = || {
        let whole = text.split('.').next().unwrap_or_default();
        let is_plain = text.bytes().all(|it| it.is_ascii_digit() || it == b'.');
        // More digits than are counted are more than the limit as well.
        is_plain
            && whole
                .parse::<u64>()
                .map_or(!whole.is_empty(), |it| Decimal::from(it) >= PRICE_LIMIT)
    };
    price(text).ok_or_else(|| {
        if is_too_much() {
            format!("must be less than {PRICE_LIMIT}: amounts are in units of the currency")
        } else {
            format!("must be {allowed}")
        }
    })
}

/// An amount for people: at least two decimals, at most six.
pub(super) fn show_money(amount: Micros) -> String {
    let sign = if amount.0 < 0 { "-" } else { "" };
    let (whole, micros) = (
        amount.0.unsigned_abs() / 1_000_000,
        amount.0.unsigned_abs() % 1_000_000,
    );
    let decimals = format!("{micros:06}");
    let (always, sometimes) = decimals.split_at(2);
    format!("{sign}{whole}.{always}{}", sometimes.trim_end_matches('0'))
}

/// A count for people: `20,000`.
pub(super) fn show_count(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let sign = if count < 0 { "-" } else { "" };
    let mut shown = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    format!("{sign}{shown}")
}

/// A point in time: RFC 3339, or a date or local time in this zone.
pub(super) fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let stamp = jiff::Timestamp::from_str(text).ok().or_else(|| {
        let local = jiff::civil::DateTime::from_str(text).ok()?;
        Some(local.to_zoned(zone.clone()).ok()?.timestamp())
    })?;
    Some(Timestamp::from_millis(stamp.as_millisecond()))
}

/// Whether this may be an id.
pub(super) fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'-' | b'_'))
}

/// A prefix of international numbers: `+40`.
pub(super) fn prefix(text: &str) -> Option<Box<str>> {
    let digits = text.strip_prefix('+')?;
    let fits = (1..=15).contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit());
    (fits && !digits.starts_with('0')).then(|| text.into())
}

/// An address to listen on: `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`.
pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    let text = text.replace("localhost:", "127.0.0.1:");
    if let Some(port) = text.strip_prefix(':') {
        return Err(format!(
            "name the address too: \"127.0.0.1:{port}\", or \"0.0.0.0:{port}\" for every network"
        ));
    }
    text.parse()
        .map_err(|_| "must be an address and a port, such as \"127.0.0.1:8080\"".to_owned())
}

/// A database: `sqlite:PATH`.
pub(super) fn database(text: &str) -> Result<Database, String> {
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return Err("PostgreSQL is not yet supported; use \"sqlite:PATH\"".to_owned());
    }
    match text
        .strip_prefix("sqlite:")
        .map(|path| path.strip_prefix("//").unwrap_or(path))
    {
        Some("") | None => {
            Err("must be \"sqlite:PATH\", such as \"sqlite:./data/tandem.db\"".to_owned())
        }
        Some(path) => Ok(Database::Sqlite(PathBuf::from(path))),
    }
}

/// Where a provider's API is: a URL without query, and without a slash at the end.
pub(super) fn base_url(field: Field<'_>) -> Option<String> {
    field.check(public_url)
}

/// The public URL without a slash at its end.
pub(super) fn public_url(text: &str) -> Result<String, String> {
    const WANTED: &str =
        "must be an http or https URL without query, such as \"https://msg.example.com\"";
    let url = reqwest::Url::parse(text).map_err(|_| WANTED.to_owned())?;
    let fits = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if fits {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err(WANTED.to_owned())
    }
}

/// The known name that was probably meant; `None` when none is near.
pub(super) fn nearest<'n>(written: &str, known: &[&'n str]) -> Option<&'n str> {
    let written = written.to_ascii_lowercase();
    let far = 1 + written.len() / 3;
    let near =
        |name: &&&str| strsim::damerau_levenshtein(&written, name) <= far.min(1 + name.len() / 3);
    let best = known
        .iter()
        .filter(near)
        .min_by_key(|name| strsim::damerau_levenshtein(&written, name));
    best.copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        for (text, want) in [
            ("500ms", Some(500)),
            ("30s", Some(30_000)),
            ("10m", Some(600_000)),
            ("48h", Some(172_800_000)),
            ("30d", Some(2_592_000_000)),
            ("0s", Some(0)),
            ("", None),
            ("30", None),
            ("s", None),
            ("-5s", None),
            ("1.5h", None),
            ("30 s", None),
            ("99999999999999999d", None),
        ] {
            assert_eq!(span(text), want.map(Millis::new), "{text}");
        }
    }

    #[test]
    fn an_amount_that_is_too_large_is_told_the_most_that_it_may_be() {
        let most = "must be less than 1000000: amounts are in units of the currency";
        for (text, want) in [
            ("999999.999999", Ok(Micros(999_999_999_999))),
            ("1000000", Err(most)),
            ("1000000001", Err(most)),
            ("99999999999999999999999999999999", Err(most)),
            ("1000001.0000001", Err(most)),
            ("0.0000001", Err("must be x")),
            ("-5", Err("must be x")),
            ("1e9", Err("must be x")),
            ("", Err("must be x")),
            (".", Err("must be x")),
        ] {
            let want = want.map_err(str::to_owned);
            assert_eq!(price_or_why(text, "x"), want, "{text}");
        }
    }

    #[test]
    fn prices_are_exact_to_the_millionth() {
        for (text, want) in [
            ("0.035", Some(35_000)),
            ("0", Some(0)),
            ("12", Some(12_000_000)),
            ("0.000001", Some(1)),
            ("0.0350000000", Some(35_000)),
            ("0.0000001", None),
            ("-1", None),
            ("+1", None),
            ("1e3", None),
            ("1_000", None),
            ("", None),
            (".", None),
            ("0,035", None),
            ("1000000", None),
            ("99999999999999999999999999999999", None),
        ] {
            assert_eq!(price(text), want.map(Micros), "{text}");
        }
    }

    #[test]
    fn money_is_shown_with_two_to_six_decimals() {
        for (micros, want) in [
            (0, "0.00"),
            (35_000, "0.035"),
            (1_500_000, "1.50"),
            (-1, "-0.000001"),
            (120_000, "0.12"),
        ] {
            assert_eq!(show_money(Micros(micros)), want);
        }
    }

    #[test]
    fn moments_are_rfc_3339_or_local_in_the_projects_zone() {
        let zone = TimeZone::get("Europe/Bucharest").unwrap();
        for (text, want) in [
            ("2026-01-01T00:00:00Z", Some(1_767_225_600_000)),
            ("2026-01-01T02:00:00+02:00", Some(1_767_225_600_000)),
            ("2026-01-01", Some(1_767_218_400_000)),
            ("2026-01-01T02:00:00", Some(1_767_225_600_000)),
            ("tomorrow", None),
        ] {
            assert_eq!(
                moment(text, &zone),
                want.map(Timestamp::from_millis),
                "{text}"
            );
        }
    }

    #[test]
    fn the_nearest_name_is_near() {
        let known = ["throughput", "destinations", "channel", "id"];
        for (written, want) in [
            ("troughput", Some("throughput")),
            ("chanel", Some("channel")),
            ("Channel", Some("channel")),
            ("di", Some("id")),
            ("zzz", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, &known), want, "{written}");
        }
    }

    proptest! {
        #[test]
        fn a_shown_duration_reads_back(millis in 0..i64::MAX) {
            prop_assert_eq!(span(&show_span(Millis::new(millis))), Some(Millis::new(millis)));
        }

        #[test]
        fn a_shown_price_reads_back(micros in 0..1_000_000_000_000_i64) {
            prop_assert_eq!(price(&show_money(Micros(micros))), Some(Micros(micros)));
        }

        #[test]
        fn no_text_makes_a_value_panic(text: String) {
            drop((span(&text), price(&text), prefix(&text), listen(&text), database(&text), public_url(&text)));
            let _ = (moment(&text, &TimeZone::UTC), nearest(&text, &["listen"]), is_id(&text));
        }
    }
}
