//! How is a price book read (R-COST-1)?

use domain::model::content::PriceCategory;
use domain::model::money::Currency;
use domain::model::route::{ChargedOn, Price, PriceScope, PriceUnit};
use domain::phone::CountryCode;
use domain::time::Timestamp;
use jiff::tz::TimeZone;

use super::reader::{Field, Table};
use super::values;

/// Reads the lines of a price book, told when two of them could both apply. `mms`: whether the route
/// carries media.
pub(super) fn read(
    fields: Vec<Field<'_>>,
    currency: Option<Currency>,
    zone: &TimeZone,
    mms: bool,
) -> Vec<Price> {
    let mut prices: Vec<Price> = Vec::new();
    for field in fields {
        let Some(table) = field.clone().table() else {
            continue;
        };
        let Some(price) = line(table, currency, zone, mms) else {
            continue;
        };
        if prices.iter().any(|it| collide(it, &price)) {
            field.error(
                "an earlier line holds for the same destination, category and time; only one may",
            );
        }
        prices.push(price);
    }
    prices
}

fn line(
    mut table: Table<'_>,
    currency: Option<Currency>,
    zone: &TimeZone,
    mms: bool,
) -> Option<Price> {
    const CATEGORIES: [(&str, PriceCategory); 4] = [
        ("service", PriceCategory::Service),
        ("utility", PriceCategory::Utility),
        ("marketing", PriceCategory::Marketing),
        ("authentication", PriceCategory::Authentication),
    ];
    let scope = scope(&mut table);
    let money = |it: Field<'_>| {
        it.parse(
            "a decimal number with at most 6 decimals, such as \"0.035\"",
            values::price,
        )
    };
    let amount = table
        .require("price", "a decimal number in quotes, such as \"0.035\"")
        .and_then(money);
    let of_mms = table.get("mms");
    if let Some(field) = of_mms.as_ref().filter(|_| !mms) {
        field.error("is the price of an MMS, and the route carries none; it needs `mms = true`");
    }
    let of_mms = of_mms.and_then(money);
    if let Some(field) = table.get("currency") {
        let place = field.clone();
        let own = field.parse("three capital letters, such as \"EUR\"", Currency::parse);
        if let (Some(own), Some(currency)) = (own, currency)
            && own != currency
        {
            place.error(format!(
                "is {}; the project's currency is {}, and exchange rates (fx) are not yet supported",
                own.code(),
                currency.code()
            ));
        }
    }
    let unit = table.or("per", PriceUnit::Segment, |it| {
        it.choice(
            &[
                ("segment", PriceUnit::Segment),
                ("message", PriceUnit::Message),
            ],
            &[],
        )
    });
    let charged_on = table.or("on", ChargedOn::Submit, |it| {
        it.choice(
            &[
                ("submit", ChargedOn::Submit),
                ("delivery", ChargedOn::Delivery),
            ],
            &[],
        )
    });
    let category = table
        .get("category")
        .and_then(|it| it.choice(&CATEGORIES, &[]));
    let valid_from = table.get("from").and_then(|it| it.moment(zone));
    let valid_until = table.get("until").and_then(|it| it.moment(zone));
    if let (Some(from), Some(until)) = (valid_from, valid_until)
        && until <= from
    {
        table.error("until", "must be later than `from`");
    }
    table.finish();
    Some(Price {
        scope: scope?,
        category,
        amount: amount?,
        mms: of_mms,
        unit,
        charged_on,
        valid_from,
        valid_until,
    })
}

/// A prefix, a country, or `*` for any destination; one of them.
fn scope(table: &mut Table<'_>) -> Option<PriceScope> {
    let (prefix, country) = (table.get("prefix"), table.get("country"));
    match (prefix, country) {
        (Some(prefix), None) => {
            prefix.parse("a prefix such as \"+40\", or \"*\" for any", |text| {
                if text == "*" {
                    Some(PriceScope::Any)
                } else {
                    values::prefix(text).map(PriceScope::Prefix)
                }
            })
        }
        (None, Some(country)) => country
            .parse("a country's two capital letters, such as \"RO\"", |text| {
                CountryCode::parse(text).map(PriceScope::Country)
            }),
        (Some(_), Some(_)) => {
            table.error("country", "stands beside `prefix`; a line has one of them");
            None
        }
        (None, None) => {
            table.require(
                "prefix",
                "a prefix such as \"+40\", or \"*\" for any; or give `country`",
            );
            None
        }
    }
}

/// Whether both lines apply to some message, neither more exactly than the other.
fn collide(a: &Price, b: &Price) -> bool {
    let from = |it: &Price| it.valid_from.unwrap_or(Timestamp::from_millis(i64::MIN));
    let until = |it: &Price| it.valid_until.unwrap_or(Timestamp::from_millis(i64::MAX));
    a.scope == b.scope && a.category == b.category && from(a) < until(b) && from(b) < until(a)
}
