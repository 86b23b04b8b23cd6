//! How is a route's `http` table read? Its keys are those of `docs/reference/http-provider.md`, which
//! the connector knows; ours are `settings`, `window` and `timeout`.

use std::collections::{BTreeMap, BTreeSet};

use connectors::http::{HttpConfig, Problem, ProviderSpec};
use domain::model::channel::Channel;
use domain::model::money::Currency;
use domain::time::Millis;

use super::described;
use super::reader::{Field, Surroundings, Table, not_known};

/// Unanswered requests, unless the route says otherwise.
const WINDOW: u16 = 20;
/// How long an answer may take, unless the route says otherwise.
const TIMEOUT: Millis = Millis::seconds(30);

/// Reads a described provider; `None` when it cannot be used. Where its callbacks go is filled in
/// later: it follows from `public_url`. `mms`: whether the route says that it carries media.
pub(super) fn read(
    mut table: Table<'_>,
    channel: Option<Channel>,
    mms: bool,
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
    let described = table.described();
    if channel == Some(Channel::WhatsApp) && described.contains_key("preset") {
        let what = "the presets carry the channel \"sms\" only; on \"whatsapp\" it takes a description of your own";
        table.error_at("preset", what);
    }
    let has_own_mms = described.get("send").and_then(|it| it.get("mms")).is_some();
    if has_own_mms && !mms {
        let what = "is used for nothing: the route carries media once it says `mms = true`";
        table.warn_at("send.mms", what);
    }
    let spec = match ProviderSpec::read(described) {
        Ok(spec) => spec,
        Err(problems) => {
            for problem in problems {
                tell(&table, &problem);
            }
            return None;
        }
    };
    match spec.check(&settings) {
        Ok(provider) => {
            if provider.believes_everybody() {
                let what = "is not there, or \"none\": everybody who knows the URL of the callbacks is \
                            believed; sign with `kind = \"url\"` at least";
                table.warn_at("signature", what);
            }
            Some(HttpConfig {
                provider,
                hook_url: None,
                currency: currency.unwrap_or(Currency::EUR),
                window,
                timeout,
            })
        }
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
