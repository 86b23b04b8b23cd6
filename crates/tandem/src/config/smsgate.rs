//! How is a route's `smsgate` table read?

use connectors::smsgate::SmsGateConfig;
use domain::ids::RouteKey;
use domain::time::Millis;

use super::reader::{Field, Table};

/// Reads the settings of a pool of phones; every one has a default. The route's key and where phones
/// call are filled in later: the one follows from the database, the other from `public_url`.
pub(super) fn read(table: Option<Table<'_>>, receipts: bool) -> SmsGateConfig {
    let default = SmsGateConfig {
        delivery_reports: receipts,
        ..SmsGateConfig::new(RouteKey(0))
    };
    let Some(mut table) = table else {
        return default;
    };
    let span =
        |least: Millis, most: Millis| move |field: Field<'_>| field.span_of_time(least..=most);
    let limit = |field: Field<'_>| field.whole::<u32>(0..=100_000);
    let seconds = Millis::seconds;
    let config = SmsGateConfig {
        window: table.or("window", default.window, |field| field.whole(1..=100)),
        hold: table.or("hold", default.hold, span(seconds(30), Millis::hours(24))),
        per_hour: table.or("per_hour", default.per_hour, limit),
        per_day: table.or("per_day", default.per_day, limit),
        present_for: table.or(
            "present_for",
            default.present_for,
            span(seconds(10), Millis::hours(1)),
        ),
        fetch_within: table.or(
            "fetch_within",
            default.fetch_within,
            span(seconds(2), Millis::minutes(10)),
        ),
        ping: table.or("ping", default.ping, span(seconds(15), Millis::hours(1))),
        ..default
    };
    table.finish();
    config
}
