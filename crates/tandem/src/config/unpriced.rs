//! What does a route send at a price that nobody knows (R-COST-1)? It costs nothing as far as Tandem
//! knows, and quotas of money (R-QUOTA-1) do not see it: allowed, and probably not meant.

use std::collections::BTreeMap;

use domain::model::channel::Channel;
use domain::model::content::PriceCategory;
use domain::model::quota::Quotas;
use domain::model::route::{Destinations, Price, PriceScope};
use domain::time::Timestamp;

use super::model::Project;
use super::reader::{Field, quoted};

/// Most destinations that one warning names.
const NAMED: usize = 5;

/// A route, as far as it matters here.
pub(super) struct Priced<'a> {
    /// Where it stands.
    pub(super) place: Field<'a>,
    /// Where its quotas stand.
    pub(super) quota: Option<Field<'a>>,
    /// Where its prices stand.
    pub(super) prices: Option<Field<'a>>,
    /// Its project.
    pub(super) project: Option<&'a Project>,
    /// Its channel.
    pub(super) channel: Option<Channel>,
    /// Whether what it sends is no cost of the project: a simulator's messages, a team phone's.
    pub(super) costs_nothing: bool,
}

/// Warns of what has no price at this moment.
pub(super) fn warn(
    route: &Priced<'_>,
    book: &[Price],
    quotas: &Quotas,
    destinations: &Destinations,
    now: Timestamp,
) {
    let Some(prices) = route.prices.as_ref().filter(|_| !book.is_empty()) else {
        return warn_of_none(route, quotas);
    };
    let over = over(book, now);
    if !over.is_empty() {
        prices.warn(over_words(&over, book, now));
        if !book.iter().any(|it| !is_over(it, now)) {
            return;
        }
    }
    let Some(whose) = whose_money(route, quotas) else {
        return;
    };
    let missing = unpriced(book, destinations, route.channel, now);
    if missing.is_empty() {
        return;
    }
    let of: Vec<&str> = missing.iter().flatten().map(|it| it.code()).collect();
    let of = if of.is_empty() {
        String::new()
    } else {
        format!(" for {}", quoted(&of))
    };
    prices.warn(format!(
        "no line for every destination (`prefix = \"*\"`) holds now{of}, and {whose} `quota` counts \
         money: what has no price costs nothing there"
    ));
}

/// A route without prices that a quota of money counts.
fn warn_of_none(route: &Priced<'_>, quotas: &Quotas) {
    let Some(whose) = whose_money(route, quotas) else {
        return;
    };
    let what = format!(
        "the route has no `prices`, and {whose} `quota` counts money: what it sends costs nothing there; \
         `price = \"0\"` says that something is free"
    );
    let own = route.quota.as_ref().filter(|_| quotas.count_money());
    own.unwrap_or(&route.place).warn(what);
}

/// Whose quota of money counts the route. What costs nothing is no loss under its project's.
fn whose_money(route: &Priced<'_>, quotas: &Quotas) -> Option<&'static str> {
    let of_project = route.project.map(|it| &it.policy.quotas);
    if quotas.count_money() {
        Some("its")
    } else if !route.costs_nothing && of_project.is_some_and(Quotas::count_money) {
        Some("the project's")
    } else {
        None
    }
}

/// The kinds of messages that have no price now at some destination that the route serves; `None`
/// stands for every kind, on channels without categories.
fn unpriced(
    book: &[Price],
    destinations: &Destinations,
    channel: Option<Channel>,
    now: Timestamp,
) -> Vec<Option<PriceCategory>> {
    let kinds = match channel {
        Some(Channel::WhatsApp) => PriceCategory::ALL.map(Some).to_vec(),
        Some(Channel::Sms | Channel::Telegram | Channel::Email) | None => vec![None],
    };
    let is_covered = |kind: &Option<PriceCategory>| {
        let fits = |it: &&Price| it.category.is_none() || it.category == *kind;
        let lines: Vec<_> = book
            .iter()
            .filter(|it| it.holds_at(now))
            .filter(fits)
            .collect();
        let begins = |prefix: &str| {
            lines.iter().any(|it| match &it.scope {
                PriceScope::Any => true,
                PriceScope::Prefix(line) => prefix.starts_with(&**line),
                PriceScope::Country(_) => false,
            })
        };
        let allowed = &destinations.allow;
        let serves_few = !allowed.is_empty() && allowed.iter().all(|it| begins(it));
        serves_few || lines.iter().any(|it| it.scope == PriceScope::Any)
    };
    kinds.into_iter().filter(|it| !is_covered(it)).collect()
}

fn is_over(price: &Price, now: Timestamp) -> bool {
    price.valid_until.is_some_and(|until| until <= now)
}

/// The destinations of which every line of some kind is over, each once, in the order of their words.
fn over(book: &[Price], now: Timestamp) -> Vec<String> {
    let mut over = BTreeMap::new();
    for price in book {
        let kind = price.category.map_or("", PriceCategory::code);
        let is_over = is_over(price, now);
        over.entry((scope_words(&price.scope), kind))
            .and_modify(|known| *known &= is_over)
            .or_insert(is_over);
    }
    let over = over.into_iter().filter(|it| it.1);
    let mut words: Vec<String> = over.map(|((scope, _), _)| scope).collect();
    words.dedup();
    words
}

fn over_words(over: &[String], book: &[Price], now: Timestamp) -> String {
    if book.iter().all(|it| is_over(it, now)) {
        return "the time of every line is over: nothing that the route sends has a price"
            .to_owned();
    }
    let named: Vec<&str> = over.iter().take(NAMED).map(String::as_str).collect();
    let more = over.len().saturating_sub(NAMED);
    let more = if more == 0 {
        String::new()
    } else {
        format!(" and {more} more")
    };
    format!(
        "the time of every line for {}{more} is over: other lines hold there, or none",
        quoted(&named)
    )
}

fn scope_words(scope: &PriceScope) -> String {
    match scope {
        PriceScope::Any => "*".to_owned(),
        PriceScope::Prefix(prefix) => prefix.to_string(),
        PriceScope::Country(country) => country.as_str().to_owned(),
    }
}
