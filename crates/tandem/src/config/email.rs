//! How is a route's `email` table read?

use connectors::email::{EmailConfig, Security, is_host_name};
use domain::model::address::EmailAddress;
use domain::time::Millis;

use super::reader::{Field, Surroundings, Table};

/// Reads the settings of a mail server; `None` when it cannot be used.
pub(super) fn read(mut table: Table<'_>, surroundings: Surroundings<'_>) -> Option<EmailConfig> {
    let default = EmailConfig::default();
    let text = |field: Field<'_>| field.words().map(str::to_owned);
    let host = table
        .require("host", "the name or address of the mail server")
        .and_then(text);
    let from = table
        .require("from", "our e-mail address")
        .and_then(|field| field.check(email));
    let security_words = [
        ("starttls", Security::StartTls),
        ("tls", Security::Tls),
        ("none", Security::None),
    ];
    let security = table.or("security", default.security, |field: Field<'_>| {
        field.choice(&security_words, &[])
    });
    let usual_port = match security {
        Security::StartTls => 587,
        Security::Tls => 465,
        Security::None => 25,
    };
    let (username, password) = (table.get("username"), table.get("password"));
    // By what is written: why one of them cannot be read is told where it stands.
    if username.is_some() != password.is_some() {
        table.error("username", "goes with `password`: give both or neither");
    }
    let username = username.and_then(text);
    let password = password.and_then(|field| {
        let secret = field.secret(surroundings)?;
        Some(secret.expose().to_owned())
    });
    let config = EmailConfig {
        host: host.unwrap_or_default(),
        port: table.or("port", usual_port, |field| field.whole(1..=65_535)),
        security,
        ca: table.get("ca").and_then(|field| field.pem(surroundings)),
        username,
        password,
        from: from.unwrap_or_default(),
        from_name: table.get("from_name").and_then(one_line),
        unsubscribe: table.get("unsubscribe").and_then(|field| {
            field.parse("a https: or mailto: URL", |it| {
                let good = it.starts_with("https://") || it.starts_with("mailto:");
                let good = good && !it.chars().any(char::is_control);
                good.then(|| it.to_owned())
            })
        }),
        hello_name: table.get("hello_name").and_then(|field| {
            field.parse("a host name, or an address in [ ]", |it| {
                is_host_name(it).then(|| it.to_owned())
            })
        }),
        window: table.or("window", default.window, |field| field.whole(1..=100)),
        timeout: table.or("timeout", default.timeout, |field| {
            field.span_of_time(Millis::seconds(1)..=Millis::minutes(5))
        }),
    };
    if config.exposes_password() {
        table.error(
            "security",
            "\"none\" would send the password in the clear; use \"starttls\" or \"tls\"",
        );
    }
    table.finish();
    (!config.host.is_empty() && !config.from.is_empty()).then_some(config)
}

/// Text without line breaks: it stands in a header.
fn one_line(field: Field<'_>) -> Option<String> {
    let place = field.clone();
    let text = field.words()?;
    if text.chars().any(char::is_control) {
        place.error("holds a line break or another control character");
        return None;
    }
    Some(text.to_owned())
}

fn email(text: &str) -> Result<String, String> {
    EmailAddress::parse(text)
        .map(|it| it.as_str().to_owned())
        .map_err(|error| error.to_string())
}
