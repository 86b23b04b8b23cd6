//! How is a route's `telegram` table read?

use connectors::telegram::{TelegramConfig, Updates};
use domain::time::Millis;

use super::reader::{Field, Surroundings, Table};
use super::values;

/// Reads the settings of a bot; `None` when it cannot be used. Where its calls go is filled in later:
/// it follows from `public_url`.
pub(super) fn read(mut table: Table<'_>, surroundings: Surroundings<'_>) -> Option<TelegramConfig> {
    let default = TelegramConfig::default();
    let bot_token = table.require("bot_token", values::SECRET_WORDS);
    let bot_token = bot_token.and_then(|field| {
        let place = field.clone();
        let token = field.secret(surroundings)?;
        if !is_token(token.expose()) {
            place.error("is not a bot's token: a number, a colon, and letters and digits");
            return None;
        }
        Some(token.expose().to_owned())
    });
    let secret_token = table.get("secret_token").and_then(|field| {
        let place = field.clone();
        let secret = field.secret(surroundings)?;
        if !is_secret(secret.expose()) {
            place.error("must have 1 to 256 letters, digits, underscores and dashes");
            return None;
        }
        Some(secret.expose().to_owned())
    });
    let config = TelegramConfig {
        bot_token: bot_token.unwrap_or_default(),
        secret_token,
        base_url: table.or("base_url", default.base_url, values::base_url),
        updates: table.or("updates", default.updates, |field: Field<'_>| {
            let words = [("webhook", Updates::Webhook), ("polling", Updates::Polling)];
            field.choice(&words, &[])
        }),
        callback_url: None,
        window: table.or("window", default.window, |field| field.whole(1..=1_000)),
        timeout: table.or("timeout", default.timeout, |field| {
            field.span_of_time(Millis::seconds(1)..=Millis::minutes(5))
        }),
    };
    table.finish();
    (!config.bot_token.is_empty()).then_some(config)
}

fn is_token(text: &str) -> bool {
    text.split_once(':').is_some_and(|(bot, rest)| {
        !bot.is_empty()
            && bot.bytes().all(|it| it.is_ascii_digit())
            && !rest.is_empty()
            && rest
                .bytes()
                .all(|it| it.is_ascii_alphanumeric() || b"_-".contains(&it))
    })
}

fn is_secret(text: &str) -> bool {
    (1..=256).contains(&text.len())
        && text
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || b"_-".contains(&it))
}
