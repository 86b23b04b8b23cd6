//! How is a route's `http` table read? Its keys are those of `docs/reference/http-provider.md`, which
//! the connector knows; ours are `settings`, `window` and `timeout`.

use std::collections::{BTreeMap, BTreeSet};

use connectors::http::{HttpConfig, Problem, ProviderSpec};
use domain::model::money::Currency;
use domain::time::Millis;

use super::described;
use super::reader::{Field, Surroundings, Table, not_known};

/// Unanswered requests, unless the route says otherwise.
const WINDOW: u16 = 20;
/// How long an answer may take, unless the route says otherwise.
const TIMEOUT: Millis = Millis::seconds(30);

/// Reads a described provider; `None` when it cannot be used. Where its callbacks go is filled in
/// later: it follows from `public_url`.
pub(super) fn read(
    mut table: Table<'_>,
    currency: Option<Currency>,
    surroundings: Surroundings<'_>,
) -> Option<HttpConfig> {
    let secret = |field: Field<'_>| Some(field.secret(surroundings)?.expose().to_owned());
    let (mut settings, mut unread) = (BTreeMap::new(), BTreeSet::new());
    for (name, value) in table
        .get("settings")
        .and_then(|field| described::settings(field, secret))
        .unwrap_or_default()
    {
        if value.is_none() {
            unread.insert(name.clone());
        }
        settings.insert(name, value.unwrap_or_default());
    }
    let window = table.or("window", WINDOW, |field| field.whole(1..=10_000));
    let timeout = table.or("timeout", TIMEOUT, |field| {
        field.span_of_time(Millis::seconds(1)..=Millis::minutes(5))
    });
    let spec = match ProviderSpec::read(table.described()) {
        Ok(spec) => spec,
        Err(problem) => {
            tell(&table, &problem);
            return None;
        }
    };
    match spec.check(&settings) {
        Ok(provider) => Some(HttpConfig {
            provider,
            hook_url: None,
            currency: currency.unwrap_or(Currency::EUR),
            window,
            timeout,
        }),
        Err(problems) => {
            for problem in problems {
                // Why a setting cannot be read was told where it stands.
                let setting = problem.path.strip_prefix("settings.");
                if !setting.is_some_and(|it| unread.contains(it)) {
                    tell(&table, &problem);
                }
            }
            None
        }
    }
}

/// Tells what the connector says of the description, with the name that was probably meant.
fn tell(table: &Table<'_>, problem: &Problem) {
    let Problem {
        path,
        message,
        known,
    } = problem;
    if known.is_empty() {
        return table.error_at(path, message);
    }
    let (around, key) = path.rsplit_once('.').unwrap_or(("", path));
    let mut known: Vec<&str> = known.iter().map(String::as_str).collect();
    if around.is_empty() {
        // Beside the description stand the settings of the connection, which the connector does not see.
        known.push("preset");
        known.extend(table.known());
    }
    table.error_at(path, &not_known(message, key, &known));
}
