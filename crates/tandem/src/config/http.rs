//! How is a route's `http` table read? Its keys are those of `docs/reference/http-provider.md`, which
//! the connector knows; ours are `settings`, `window` and `timeout`.

use connectors::http::{HttpConfig, ProviderSpec};
use domain::model::money::Currency;
use domain::time::Millis;

use super::described;
use super::reader::{Field, Surroundings, Table};

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
    let settings = table
        .get("settings")
        .and_then(|field| described::settings(field, secret))
        .unwrap_or_default();
    let window = table.or("window", WINDOW, |field| field.whole(1..=10_000));
    let timeout = table.or("timeout", TIMEOUT, |field| {
        field.span_of_time(Millis::seconds(1)..=Millis::minutes(5))
    });
    let spec = match ProviderSpec::read(table.described()) {
        Ok(spec) => spec,
        Err(problem) => {
            table.error_at(&problem.path, &problem.message);
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
                table.error_at(&problem.path, &problem.message);
            }
            None
        }
    }
}
