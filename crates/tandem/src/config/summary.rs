//! What does a configuration set up, in words?

use domain::model::channel::Channel;
use domain::model::money::Micros;
use domain::model::quota::{Period, Quota, QuotaUnit, Quotas};
use domain::model::route::{Price, PriceScope, PriceUnit};
use domain::model::tariff::Tier;
use domain::time::Timestamp;

use super::model::{Config, Project, Route, Sender};
use super::values::{show_count, show_money, show_span};

/// What `tandem check` prints of a configuration that holds, line by line.
pub(crate) fn summary(config: &Config) -> Vec<String> {
    let mut lines = vec![
        format!("listens on http://{}", config.listen),
        format!("keeps everything in {}", config.database),
    ];
    if let Some(url) = &config.public_url {
        lines.push(format!("is reached from outside at {url}"));
    }
    for project in &config.projects {
        lines.push(String::new());
        lines.push(project_line(project));
        for key in &project.api_keys {
            let scopes: Vec<&str> = key.scopes.iter().map(|it| it.code()).collect();
            let kind = if key.test { "test key" } else { "key" };
            lines.push(format!("  {kind} {}: {}", key.name, scopes.join(", ")));
        }
        let routes = config.routes.iter().filter(|it| it.project == project.id);
        lines.extend(routes.map(|it| route_line(it, project.policy.currency.code())));
        let senders = config.senders.iter().filter(|it| it.project == project.id);
        lines.extend(senders.map(sender_line));
    }
    lines
}

fn project_line(project: &Project) -> String {
    let Project {
        id,
        name,
        timezone,
        policy,
        ..
    } = project;
    let named = if id == name {
        String::new()
    } else {
        format!(" ({name})")
    };
    format!(
        "project {id}{named}: prices in {}, time zone {timezone}{}",
        policy.currency.code(),
        quota_words(&policy.quotas, policy.currency.code())
    )
}

/// `, at most 20,000 messages a month, 100.00 EUR a day`; nothing where there is no limit.
fn quota_words(quotas: &Quotas, currency: &str) -> String {
    let words = |quota: &Quota| {
        let limit = match quota.unit {
            QuotaUnit::Messages => format!("{} messages", show_count(quota.limit)),
            QuotaUnit::Segments => format!("{} segments", show_count(quota.limit)),
            QuotaUnit::Spend => format!("{} {currency}", show_money(Micros(quota.limit))),
        };
        let a = if quota.per == Period::Hour { "an" } else { "a" };
        format!("{limit} {a} {}", quota.per.code())
    };
    let all: Vec<String> = quotas.all().iter().map(words).collect();
    if all.is_empty() {
        String::new()
    } else {
        format!(", at most {}", all.join(", "))
    }
}

fn route_line(route: &Route, currency: &str) -> String {
    let class = route
        .class
        .map_or("direct and bulk", domain::model::route::RouteClass::code);
    let throughput = route
        .throughput
        .map(|it| format!(", {it} a second"))
        .unwrap_or_default();
    let words = |it| price_words(it, route.channel);
    let prices: Vec<String> = route.prices.iter().map(words).collect();
    let prices = if prices.is_empty() {
        "free of charge".to_owned()
    } else {
        format!("{} {currency}", prices.join("; "))
    };
    let quotas = quota_words(&route.quotas, currency);
    let off = if route.enabled { "" } else { " (switched off)" };
    let mms = if route.mms { " and MMS" } else { "" };
    let (channel, provider) = (route.channel.code(), route.provider.code());
    format!(
        "  route {}: {channel}{mms} by {provider}, {class}{throughput}, {prices}{quotas}{off}",
        route.id
    )
}

fn price_words(price: &Price, channel: Channel) -> String {
    let scope = match &price.scope {
        PriceScope::Any => String::new(),
        PriceScope::Prefix(prefix) => format!("{prefix}: "),
        PriceScope::Country(country) => format!("{}: ", country.as_str()),
    };
    let unit = match (price.unit, channel) {
        (PriceUnit::Segment, Channel::Sms) => "a segment",
        // Elsewhere a message is one whole.
        (PriceUnit::Segment, Channel::WhatsApp | Channel::Telegram | Channel::Email)
        | (PriceUnit::Message, _) => "a message",
    };
    let limited = |at: Option<Timestamp>| at.is_some();
    let dated = if limited(price.valid_from) || limited(price.valid_until) {
        " (dated)"
    } else {
        ""
    };
    let category = price
        .category
        .map(|it| format!(" ({})", it.code()))
        .unwrap_or_default();
    let mms = price
        .mms
        .map(|it| format!(", {} an MMS", show_money(it)))
        .unwrap_or_default();
    let own = match price.volume {
        Some(_) if price.goes_by_volume() => " (own volume)",
        Some(_) | None => "",
    };
    let volume = volume_words(price, unit);
    format!("{scope}{volume}{own}{category}{mms}{dated}")
}

/// `0.05 a segment`, `0.05 a segment, 0.04 above 1,000 a month` or `free up to 1,000 a month, then 0.05 a
/// segment`.
fn volume_words(price: &Price, unit: &str) -> String {
    let tiers = price.tiers.all();
    let (first, later) = match tiers.split_first() {
        Some((paid, later)) if price.amount == Micros::ZERO => (
            format!(
                "free up to {} a month, then {} {unit}",
                show_count(paid.above),
                show_money(paid.amount)
            ),
            later,
        ),
        Some(_) | None => (format!("{} {unit}", show_money(price.amount)), tiers),
    };
    let step = |it: &Tier| {
        let (amount, above) = (show_money(it.amount), show_count(it.above));
        format!("{amount} above {above} a month")
    };
    let all: Vec<String> = std::iter::once(first)
        .chain(later.iter().map(step))
        .collect();
    all.join(", ")
}

fn sender_line(sender: &Sender) -> String {
    let address = if sender.phone_number.is_empty() {
        "without a number"
    } else {
        &sender.phone_number
    };
    let default = if sender.is_default {
        ", the default"
    } else {
        ""
    };
    let fallback = sender
        .fallback_after
        .map(|it| format!(", falls back after {}", show_span(it)))
        .unwrap_or_default();
    let template = sender
        .default_template
        .as_ref()
        .map(|it| format!(", template {it}"))
        .unwrap_or_default();
    format!(
        "  sender {}: {address}{default}, routes {}{fallback}{template}",
        sender.id,
        sender.routes.join(", ")
    )
}
