//! How is a route's `twilio` table read?

use connectors::twilio::{ApiKey, TwilioChannel, TwilioConfig};
use domain::model::channel::Channel;
use domain::model::money::Currency;
use domain::time::Millis;

use super::reader::{Field, Surroundings, Table};
use super::values;

/// Reads the settings of a Twilio account; `None` when it cannot be used. Where its callbacks go is
/// filled in later: it follows from `public_url`.
pub(super) fn read(
    mut table: Table<'_>,
    channel: Channel,
    currency: Option<Currency>,
    surroundings: Surroundings<'_>,
) -> Option<TwilioConfig> {
    let default = TwilioConfig::default();
    let secret = |field: Field<'_>| {
        let secret = field.secret(surroundings)?;
        Some(secret.expose().to_owned())
    };
    let account_sid = table
        .require(
            "account_sid",
            "the account's SID: AC and 32 letters and digits",
        )
        .and_then(|field| field.parse("AC and 32 letters and digits", |it| sid("AC", it)));
    let auth_token = table
        .require("auth_token", values::SECRET_WORDS)
        .and_then(secret);
    let api_key = table.get("api_key").and_then(|field| {
        let mut table = field.table()?;
        let sid = table
            .require("sid", "the key's SID: SK and 32 letters and digits")
            .and_then(|field| field.parse("SK and 32 letters and digits", |it| sid("SK", it)));
        let secret = table
            .require("secret", values::SECRET_WORDS)
            .and_then(secret);
        table.finish();
        Some(ApiKey {
            sid: sid?,
            secret: secret?,
        })
    });
    let config = TwilioConfig {
        account_sid: account_sid.unwrap_or_default(),
        auth_token: auth_token.unwrap_or_default(),
        api_key,
        messaging_service_sid: table
            .get("messaging_service_sid")
            .and_then(|field| field.parse("MG and 32 letters and digits", |it| sid("MG", it))),
        channel: match channel {
            Channel::WhatsApp => TwilioChannel::WhatsApp,
            Channel::Sms | Channel::Telegram | Channel::Email => TwilioChannel::Sms,
        },
        base_url: table.or("base_url", default.base_url, values::base_url),
        callback_url: String::new(),
        webhook_shared_key: table.get("webhook_shared_key").and_then(secret),
        auto_replies_to_stop: table.or(
            "auto_replies_to_stop",
            default.auto_replies_to_stop,
            Field::flag,
        ),
        currency,
        window: table.or("window", default.window, |field| field.whole(1..=10_000)),
        timeout: table.or("timeout", default.timeout, |field| {
            field.span_of_time(Millis::seconds(1)..=Millis::minutes(5))
        }),
    };
    table.finish();
    (!config.account_sid.is_empty()).then_some(config)
}

fn sid(prefix: &str, text: &str) -> Option<String> {
    let rest = text.strip_prefix(prefix)?;
    let good = rest.len() == 32 && rest.bytes().all(|it| it.is_ascii_alphanumeric());
    good.then(|| text.to_owned())
}
