//! How is a `[[project]]` read?

use domain::model::message::Category;
use domain::model::money::Currency;
use domain::model::policy::{Overflow, Policy, ValidityPolicy};
use domain::model::quota::Quotas;
use domain::time::Millis;
use jiff::tz::TimeZone;

use super::fx::Rates;
use super::model::{ApiKey, Idempotency, Project, Scope, is_test_key};
use super::reader::{Field, Surroundings, Table};

/// Shortest validity that a message may have (R-API-6).
const VALIDITY_MIN: Millis = Millis::seconds(30);
/// Longest validity that a message may have (R-API-6).
const VALIDITY_MAX: Millis = Millis::seconds(604_800);
/// Keys shorter than this are told: they can be guessed.
const KEY_LEN: usize = 16;
/// Settings of capabilities that are not built yet.
const LATER: [&str; 7] = [
    "alert",
    "alerts",
    "quiet_hours",
    "user",
    "users",
    "webhook",
    "webhooks",
];

/// Reads one project; `None` when it has no usable id.
pub(super) fn read(mut table: Table<'_>, surroundings: Surroundings<'_>) -> Option<Project> {
    let id = table
        .require("id", super::values::ID_WORDS)
        .and_then(Field::id);
    let name = table.get("name").and_then(Field::words);
    let timezone = table.get("timezone").and_then(|field| {
        field.parse(
            "the IANA name of a time zone, such as \"Europe/Bucharest\"",
            |text| TimeZone::get(text).ok().map(|_| text.to_owned()),
        )
    });
    let currency = table.or("currency", Currency::EUR, |field| {
        field.parse("three capital letters, such as \"EUR\"", Currency::parse)
    });
    let api_keys = table.or("api_keys", Vec::new(), |field| {
        Some(keys(field.list()?, surroundings))
    });
    let idempotency = table.or("idempotency", Idempotency::Conflict, |field| {
        field.choice(
            &[
                ("conflict", Idempotency::Conflict),
                ("replay", Idempotency::Replay),
            ],
            &[],
        )
    });
    let zone = timezone.as_deref().and_then(|it| TimeZone::get(it).ok());
    let zone = zone.unwrap_or(TimeZone::UTC);
    let rates = table.or("fx", Rates::default(), |field| {
        super::fx::read(field, currency, &zone)
    });
    let policy = policy(&mut table, currency, zone);
    table.later(&LATER);
    table.finish();

    let id = id?;
    Some(Project {
        id: id.to_owned(),
        name: name.unwrap_or(id).to_owned(),
        timezone: timezone.unwrap_or_else(|| "UTC".to_owned()),
        api_keys,
        idempotency,
        policy,
        rates,
    })
}

fn policy(table: &mut Table<'_>, currency: Currency, timezone: TimeZone) -> Policy {
    let mut policy = Policy {
        timezone,
        ..Policy::new(currency)
    };
    policy.quotas = table.or("quota", Quotas::NONE, super::quota::read);
    policy.reply_window = table.or("reply_window", policy.reply_window, |field| {
        field.span_of_time(Millis::ZERO..=Millis::days(30))
    });
    policy.capability_memory = table.or("capability_memory", policy.capability_memory, |field| {
        field.span_of_time(Millis::ZERO..=Millis::days(365))
    });
    policy.validity = table.or("validity", policy.validity, validity);
    policy.overflow = table.or("overflow", policy.overflow, overflow);
    policy.fast_categories = table.or(
        "fast_categories",
        policy.fast_categories.clone(),
        categories,
    );
    if let Some(mut bulk) = table.get("bulk_detection").and_then(Field::table) {
        policy.bulk_recipients = bulk.or("recipients", policy.bulk_recipients, |field| {
            field.whole(1..=1_000_000)
        });
        policy.bulk_window = bulk.or("window", policy.bulk_window, |field| {
            field.span_of_time(Millis::seconds(1)..=Millis::hours(1))
        });
        bulk.finish();
    }
    policy
}

/// One duration for both classes, or `{ direct, bulk }` (R-LIFE-4).
fn validity(field: Field<'_>) -> Option<ValidityPolicy> {
    let span = |field: Field<'_>| field.span_of_time(VALIDITY_MIN..=VALIDITY_MAX);
    if !field.is_table() {
        return span(field).map(|both| ValidityPolicy {
            direct: both,
            bulk: both,
        });
    }
    let mut table = field.table()?;
    let default = ValidityPolicy::default();
    let validity = ValidityPolicy {
        direct: table.or("direct", default.direct, span),
        bulk: table.or("bulk", default.bulk, span),
    };
    table.finish();
    Some(validity)
}

fn overflow(field: Field<'_>) -> Option<Overflow> {
    let mut table = field.table()?;
    let default = Overflow::default();
    let overflow = Overflow {
        direct_to_platform: table.or(
            "direct_to_platform",
            default.direct_to_platform,
            Field::flag,
        ),
        bulk_to_gateway: table.or("bulk_to_gateway", default.bulk_to_gateway, Field::flag),
        reserve_direct_percent: table.or(
            "reserve_direct",
            default.reserve_direct_percent,
            |field| field.whole(0..=100),
        ),
    };
    table.finish();
    Some(overflow)
}

fn categories(field: Field<'_>) -> Option<Vec<Category>> {
    const WORDS: [(&str, Category); 3] = [
        ("transactional", Category::Transactional),
        ("otp", Category::Otp),
        ("promotional", Category::Promotional),
    ];
    Some(
        field
            .list()?
            .into_iter()
            .filter_map(|it| it.choice(&WORDS, &[]))
            .collect(),
    )
}

fn keys(fields: Vec<Field<'_>>, surroundings: Surroundings<'_>) -> Vec<ApiKey> {
    let mut keys: Vec<ApiKey> = Vec::new();
    for field in fields {
        let Some(mut table) = field.clone().table() else {
            continue;
        };
        let key_field = table.require("key", "text, { env = \"NAME\" } or { file = \"PATH\" }");
        let key = key_field.clone().and_then(|it| it.secret(surroundings));
        let name = table
            .require("name", "text in quotes")
            .and_then(Field::words);
        let default = vec![Scope::Send, Scope::Read];
        let scopes = table.or("scopes", default, |field| Some(scopes(field.list()?)));
        let traffic_class = table.or("traffic_class", true, Field::flag);
        let requests_per_minute = table
            .get("requests_per_minute")
            .and_then(|field| field.whole(1..=100_000_000));
        table.later(&["expires", "senders"]);
        table.finish();
        let (Some(key), Some(name), Some(key_field)) = (key, name, key_field) else {
            continue;
        };
        if key.expose().len() < KEY_LEN {
            key_field.warn(format!(
                "is shorter than {KEY_LEN} characters and may be guessed"
            ));
        }
        if let Some(other) = keys.iter().find(|it| it.name == name) {
            field.error(format!(
                "the name \"{}\" is used by another key of the project",
                other.name
            ));
        }
        let test = is_test_key(key.expose());
        let name = name.to_owned();
        keys.push(ApiKey {
            name,
            key,
            scopes,
            traffic_class,
            requests_per_minute,
            test,
        });
    }
    keys
}

fn scopes(fields: Vec<Field<'_>>) -> Vec<Scope> {
    let words = Scope::ALL.map(|it| (it.code(), it));
    let mut scopes: Vec<Scope> = fields
        .into_iter()
        .filter_map(|it| it.choice(&words, &[]))
        .collect();
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}
