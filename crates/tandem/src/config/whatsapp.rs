//! How is a route's `whatsapp` table read?

use connectors::whatsapp::WhatsAppConfig;
use domain::time::Millis;

use super::reader::{Field, Surroundings, Table};
use super::values;

/// Reads the settings of a number at Meta's Cloud API; `None` when it cannot be used.
pub(super) fn read(mut table: Table<'_>, surroundings: Surroundings<'_>) -> Option<WhatsAppConfig> {
    let default = WhatsAppConfig::default();
    let secret = |field: Field<'_>| {
        let secret = field.secret(surroundings)?;
        Some(secret.expose().to_owned())
    };
    let id = |field: Field<'_>| field.parse("digits, as Meta shows them", digits);
    let phone_number_id = table
        .require("phone_number_id", "Meta's id of the number: digits")
        .and_then(id);
    let waba_id = table.get("waba_id").and_then(id);
    let access_token = table
        .require("access_token", values::SECRET_WORDS)
        .and_then(secret);
    let app_secret = table
        .require("app_secret", values::SECRET_WORDS)
        .and_then(secret);
    let verify_token = table
        .require("verify_token", values::SECRET_WORDS)
        .and_then(secret);
    let config = WhatsAppConfig {
        phone_number_id: phone_number_id.unwrap_or_default(),
        waba_id,
        access_token: access_token.unwrap_or_default(),
        app_secret: app_secret.unwrap_or_default(),
        verify_token: verify_token.unwrap_or_default(),
        base_url: table.or("base_url", default.base_url, values::base_url),
        window: table.or("window", default.window, |field| field.whole(1..=10_000)),
        timeout: table.or("timeout", default.timeout, |field| {
            field.span_of_time(Millis::seconds(1)..=Millis::minutes(5))
        }),
        marketing_path: table.or("marketing_path", default.marketing_path, Field::flag),
        preview_url: table.or("preview_url", default.preview_url, Field::flag),
        language_policy: table.or("language_policy", default.language_policy, Field::flag),
    };
    table.finish();
    (!config.phone_number_id.is_empty()).then_some(config)
}

fn digits(text: &str) -> Option<String> {
    let good = (1..=32).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_digit());
    good.then(|| text.to_owned())
}
