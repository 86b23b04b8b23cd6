//! How is a price book read (R-COST-1)?

use std::collections::BTreeMap;

use domain::ids::VolumeKey;
use domain::model::content::PriceCategory;
use domain::model::money::{Currency, Micros};
use domain::model::route::{ChargedOn, Price, PriceScope, PriceUnit};
use domain::model::tariff::{Tier, Tiers};
use domain::phone::CountryCode;
use domain::time::Timestamp;
use jiff::tz::TimeZone;
use toml::de::DeTable;

use super::fx::{NoRate, Span};
use super::model::Project;
use super::problem::Report;
use super::reader::{Field, Surroundings, Table, file_text};
use super::values;

/// The most units that a tier may begin above.
const MOST_UNITS: i64 = 1_000_000_000_000;

/// What a price is.
const PRICE_WORDS: &str = "a decimal number in quotes, such as \"0.035\"";

/// Whose book it is.
pub(super) struct Book<'a> {
    /// The route's project; `None` where it names none that is usable.
    pub(super) project: Option<&'a Project>,
    /// Its time zone.
    pub(super) zone: &'a TimeZone,
    /// Whether the route carries media.
    pub(super) mms: bool,
}

/// Reads a price book: a list of lines, or `{ file = "PATH" }` for a file of them.
pub(super) fn read(
    field: Field<'_>,
    book: &Book<'_>,
    surroundings: Surroundings<'_>,
) -> Option<Vec<Price>> {
    if !field.is_table() {
        return Some(lines(field.list()?, book));
    }
    let mut table = field.table()?;
    let path = table.require("file", "the path of a file with [[price]] lines");
    table.finish();
    let path = path?;
    let named = path.clone().words()?;
    let text = file_text(path.clone(), surroundings)?;
    let report = Report::new(&text);
    let prices = list(&text, &report, book);
    let shown = surroundings.folder.join(named).display().to_string();
    path.report.adopt(report, &shown);
    prices
}

/// Reads a file of prices: `[[price]]` lines and nothing else.
fn list(text: &str, report: &Report<'_>, book: &Book<'_>) -> Option<Vec<Price>> {
    let (root, syntax) = DeTable::parse_recoverable(text);
    for error in &syntax {
        let what = format!("this is not TOML: {}", error.message().replace('\n', ", "));
        report.error(&error.span().unwrap_or_default(), "", what);
    }
    if !syntax.is_empty() {
        return None;
    }
    let root = root.into_inner();
    let mut table = Table::root(&root, report);
    let fields = table.require("price", "at least one [[price]] line");
    table.finish();
    Some(lines(fields?.list()?, book))
}

/// Reads the lines of a price book, told when two of them could both apply.
fn lines(fields: Vec<Field<'_>>, book: &Book<'_>) -> Vec<Price> {
    let mut prices: Vec<Price> = Vec::new();
    let mut volumes = Volumes::new();
    for field in fields {
        let Some(table) = field.clone().table() else {
            continue;
        };
        let Some(read) = line(table, book, &mut volumes) else {
            continue;
        };
        if read
            .iter()
            .any(|line| prices.iter().any(|it| collide(it, line)))
        {
            field.error(
                "an earlier line holds for the same destination, category and time; only one may",
            );
        }
        prices.extend(read);
    }
    prices
}

/// Reads one line. In another currency it becomes one line for each rate that holds in its time.
fn line(mut table: Table<'_>, book: &Book<'_>, volumes: &mut Volumes) -> Option<Vec<Price>> {
    const CATEGORIES: [(&str, PriceCategory); 4] = [
        ("service", PriceCategory::Service),
        ("utility", PriceCategory::Utility),
        ("marketing", PriceCategory::Marketing),
        ("authentication", PriceCategory::Authentication),
    ];
    let scope = scope(&mut table);
    let amount = table.require("price", PRICE_WORDS).and_then(money);
    let free = table.get("free").and_then(units);
    let tiers = table.or("tiers", Vec::new(), |it| tiers(it, free));
    let volume = table.get("volume").and_then(|it| volume(it, volumes));
    let of_mms = table.get("mms");
    if let Some(field) = of_mms.as_ref().filter(|_| !book.mms) {
        field.error("is the price of an MMS, and the route carries none; it needs `mms = true`");
    }
    let of_mms = of_mms.and_then(money);
    let written = table.get("currency");
    let currency = written
        .clone()
        .and_then(|it| it.parse("three capital letters, such as \"EUR\"", Currency::parse));
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
    let valid_from = table.get("from").and_then(|it| it.moment(book.zone));
    let valid_until = table.get("until").and_then(|it| it.moment(book.zone));
    if let (Some(from), Some(until)) = (valid_from, valid_until)
        && until <= from
    {
        table.error("until", "must be later than `from`");
    }
    table.finish();
    let foreign = match (book.project, written, currency) {
        (Some(project), Some(place), Some(other)) if other != project.policy.currency => {
            let spans = spans(&place, other, project, valid_from, valid_until);
            Some((place, spans, project.policy.currency))
        }
        (_, Some(_), None) => return None,
        (_, _, Some(_)) | (_, None, None) => None,
    };
    let (amount, tiers) = by_volume(amount?, free, tiers);
    let price = Price {
        scope: scope?,
        category,
        amount,
        tiers,
        volume,
        mms: of_mms,
        unit,
        charged_on,
        valid_from,
        valid_until,
    };
    match foreign {
        Some((place, spans, own)) => converted(&price, &spans?, &place, own),
        None => Some(vec![price]),
    }
}

/// An amount of money.
fn money(field: Field<'_>) -> Option<Micros> {
    const ALLOWED: &str = "a decimal number with at most 6 decimals, such as \"0.035\"";
    field.check(|text| values::price_or_why(text, ALLOWED))
}

/// How many units of a month.
fn units(field: Field<'_>) -> Option<i64> {
    field.whole(1..=MOST_UNITS)
}

/// The names of a book's volumes, by their keys.
type Volumes = BTreeMap<VolumeKey, String>;

/// The volume of this name; told where another name has the same key.
fn volume(field: Field<'_>, known: &mut Volumes) -> Option<VolumeKey> {
    let place = field.clone();
    let name = field.id()?;
    let key = VolumeKey::of(name);
    let first = known.entry(key).or_insert_with(|| name.to_owned());
    if first != name {
        place.error(format!(
            "has the same key as `{first}`; give it another name"
        ));
        return None;
    }
    Some(key)
}

/// Reads tiers, told where one does not begin above the one before it, and above what is free.
fn tiers(field: Field<'_>, free: Option<i64>) -> Option<Vec<Tier>> {
    let mut tiers: Vec<Tier> = Vec::new();
    for field in field.list()? {
        let Some(mut table) = field.table() else {
            continue;
        };
        let place = table.require("above", "how many units of a month come before it");
        let above = place.clone().and_then(units);
        let amount = table.require("price", PRICE_WORDS).and_then(money);
        table.finish();
        let (Some(place), Some(above)) = (place, above) else {
            continue;
        };
        let last = tiers.last().map(|it| it.above);
        match (last, free) {
            (Some(last), _) if above <= last => place.error(format!(
                "is {above}; must be more than the {last} of the tier before it"
            )),
            (None, Some(free)) if above <= free => place.error(format!(
                "is {above}; must be more than the {free} that are `free`: it counts those too"
            )),
            (_, _) => {}
        }
        tiers.push(Tier {
            above,
            amount: amount.unwrap_or_default(),
        });
    }
    Some(tiers)
}

/// The first price of a unit and what later ones cost: what is free is a first tier of its own.
fn by_volume(amount: Micros, free: Option<i64>, tiers: Vec<Tier>) -> (Micros, Tiers) {
    match free {
        Some(above) => {
            let paid = Tier { above, amount };
            let all = std::iter::once(paid).chain(tiers);
            (Micros::ZERO, Tiers::new(all))
        }
        None => (amount, Tiers::new(tiers)),
    }
}

/// The rates that hold in a line's time; told when there is none.
fn spans(
    place: &Field<'_>,
    other: Currency,
    project: &Project,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Option<Vec<Span>> {
    let (code, own) = (other.code(), project.policy.currency.code());
    let what = match project.rates.between(other, from, until) {
        Ok(spans) => return Some(spans),
        Err(NoRate::AtAll) => format!(
            "is {code}; the project's currency is {own}, and its `fx` has no rate from {code}: \
             add {{ from = \"{code}\", rate = \"…\", valid_from = \"…\" }} to it"
        ),
        Err(NoRate::Before(first)) => format!(
            "is {code}; the first rate from {code} in the project's `fx` holds from {}, later \
             than this line: add an earlier one",
            shown(first, &project.policy.timezone)
        ),
    };
    place.error(what);
    None
}

/// A line in another currency as lines in the project's, `own`: one for each of these rates.
fn converted(
    price: &Price,
    spans: &[Span],
    place: &Field<'_>,
    own: Currency,
) -> Option<Vec<Price>> {
    let tiers = |span: &Span| -> Option<Vec<Tier>> {
        let convert = |it: &Tier| {
            Some(Tier {
                amount: span.convert(it.amount)?,
                ..*it
            })
        };
        price.tiers.all().iter().map(convert).collect()
    };
    let at = |span: &Span| {
        Some(Price {
            amount: span.convert(price.amount)?,
            tiers: Tiers::new(tiers(span)?),
            mms: match price.mms {
                Some(amount) => Some(span.convert(amount)?),
                None => None,
            },
            valid_from: Some(span.from),
            valid_until: span.until,
            ..price.clone()
        })
    };
    let lines: Option<Vec<Price>> = spans.iter().map(at).collect();
    if lines.is_none() {
        place.error(format!(
            "makes the price a million {} or more, at the rate in the project's `fx`",
            own.code()
        ));
    }
    lines
}

/// A moment in the project's time zone, without its time where that is midnight.
fn shown(at: Timestamp, zone: &TimeZone) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis()).map_or_else(
        |_| at.as_millis().to_string(),
        |it| {
            let local = it.to_zoned(zone.clone()).datetime();
            if local.time() == jiff::civil::Time::midnight() {
                local.date().to_string()
            } else {
                local.to_string()
            }
        },
    )
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
        (None, Some(country)) => country.check(|text| {
            let country = CountryCode::with_numbers(text).map_err(|it| it.to_string())?;
            Ok(PriceScope::Country(country))
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
