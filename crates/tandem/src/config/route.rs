//! How is a `[[route]]` read?

use domain::model::channel::Channel;
use domain::model::route::{Destinations, OnUnknown, RouteClass, UnknownWait};
use domain::time::Millis;
use jiff::tz::TimeZone;

use super::model::{Project, Provider, Route};
use super::reader::{Field, Surroundings, Table, quoted};
use super::{price, simulator, smpp, values};

/// Channels that are known and not built yet.
const CHANNELS_LATER: [&str; 7] = [
    "email",
    "instagram",
    "messenger",
    "rcs",
    "telegram",
    "viber",
    "voice",
];
/// Kinds of connections that are known and not built yet; their tables too.
const PROVIDERS_LATER: [&str; 6] = ["email", "http", "smsgate", "telegram", "twilio", "whatsapp"];
/// Settings of capabilities that are not built yet.
const LATER: [&str; 6] = ["alert", "alerts", "fx", "quiet_hours", "quota", "webhook"];

/// The kinds of connections.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Smpp,
    Simulator,
}

/// Reads one route of one of these projects; `None` when too little of it is usable.
pub(super) fn read(
    place: Field<'_>,
    projects: &[Project],
    surroundings: Surroundings<'_>,
) -> Option<Route> {
    let mut table = place.table()?;
    let id = table.require("id", values::ID_WORDS).and_then(Field::id);
    let project = super::checks::project_of(&mut table, projects);
    let channel = table
        .require("channel", "\"sms\" or \"whatsapp\"")
        .and_then(|field| field.choice(&Channel::ALL.map(|it| (it.code(), it)), &CHANNELS_LATER));
    let class = table.get("class").and_then(|field| {
        let all = [RouteClass::Gateway, RouteClass::Platform, RouteClass::Phone];
        field.choice(&all.map(|it| (it.code(), it)), &[])
    });
    let enabled = table.or("enabled", true, Field::flag);
    let throughput = table
        .get("throughput")
        .and_then(|field| field.whole(1..=1_000_000));
    let zone = project
        .and_then(|it| TimeZone::get(&it.timezone).ok())
        .unwrap_or(TimeZone::UTC);
    let currency = project.map(|it| it.policy.currency);
    let prices = table.or("prices", Vec::new(), |field| {
        Some(price::read(field.list()?, currency, &zone))
    });
    let destinations = table.or("destinations", Destinations::default(), destinations);
    let receipts = table.or("receipts", true, Field::flag);
    let on_unknown = table.or("on_unknown", OnUnknown::Resend, |field| {
        field.choice(
            &[("resend", OnUnknown::Resend), ("fail", OnUnknown::Fail)],
            &[],
        )
    });
    let unknown_wait = table.or("unknown_wait", UnknownWait::default(), unknown_wait);
    let provider = provider(&mut table, channel, receipts, surroundings);
    table.later(&LATER);
    table.later(&PROVIDERS_LATER);
    table.finish();

    Some(Route {
        id: id?.to_owned(),
        project: project?.id.clone(),
        channel: channel?,
        class,
        enabled,
        throughput,
        prices,
        destinations,
        receipts,
        on_unknown,
        unknown_wait,
        provider: provider?,
    })
}

fn provider(
    table: &mut Table<'_>,
    channel: Option<Channel>,
    receipts: bool,
    surroundings: Surroundings<'_>,
) -> Option<Provider> {
    const WORDS: [(&str, Kind); 2] = [("smpp", Kind::Smpp), ("simulator", Kind::Simulator)];
    let kind = table
        .require("provider", &quoted(&WORDS.map(|(word, _)| word)))
        .and_then(|field| field.choice(&WORDS, &PROVIDERS_LATER));
    let (smpp, simulator) = (table.get("smpp"), table.get("simulator"));
    for (written, its_kind) in [(&smpp, Kind::Smpp), (&simulator, Kind::Simulator)] {
        if let (Some(field), Some(kind)) = (written, kind)
            && kind != its_kind
        {
            field.error(
                "belongs to another provider than the one of this route; remove one of them",
            );
        }
    }
    match kind? {
        Kind::Smpp => {
            if channel.is_some_and(|it| it != Channel::Sms) {
                table.error("provider", "\"smpp\" carries the channel \"sms\" only");
            }
            if smpp.is_none() {
                table.require("smpp", "a table with host, system_id and password");
            }
            smpp::read(smpp?.table()?, receipts, surroundings)
                .map(|it| Provider::Smpp(Box::new(it)))
        }
        Kind::Simulator => {
            let settings = simulator.and_then(Field::table);
            Some(Provider::Simulator(simulator::read(
                settings, channel?, receipts,
            )))
        }
    }
}

fn destinations(field: Field<'_>) -> Option<Destinations> {
    let mut table = field.table()?;
    let prefixes = |field: Field<'_>| {
        let read = |it: Field<'_>| it.parse("a prefix such as \"+40\"", values::prefix);
        Some(field.list()?.into_iter().filter_map(read).collect())
    };
    let destinations = Destinations {
        allow: table.or("allow", Vec::new(), prefixes),
        deny: table.or("deny", Vec::new(), prefixes),
    };
    if let Some(both) = destinations
        .allow
        .iter()
        .find(|it| destinations.deny.contains(it))
    {
        table.error("deny", format!("\"{both}\" is allowed and denied"));
    }
    table.finish();
    Some(destinations)
}

/// One duration for both classes, or `{ direct, bulk }`.
fn unknown_wait(field: Field<'_>) -> Option<UnknownWait> {
    let span = |field: Field<'_>| field.span_of_time(Millis::ZERO..=Millis::days(7));
    if !field.is_table() {
        return span(field).map(|both| UnknownWait {
            direct: both,
            bulk: both,
        });
    }
    let mut table = field.table()?;
    let default = UnknownWait::default();
    let wait = UnknownWait {
        direct: table.or("direct", default.direct, span),
        bulk: table.or("bulk", default.bulk, span),
    };
    table.finish();
    Some(wait)
}
