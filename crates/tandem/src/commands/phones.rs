//! `tandem phones`: the team's phones with their state; `tandem phones pair`: what is typed into the
//! app of a new one.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli::{self, PhoneAction};
use crate::client::{Client, text};
use crate::output;

/// Lists phones, or makes a permission for one.
pub(super) async fn run(args: cli::Phones) -> Result<ExitCode> {
    let client = Client::new(&args.server)?;
    let answer = match &args.action {
        None => client.get(&["phones"], &[]).await?,
        Some(PhoneAction::Pair { route, name }) => {
            let mut body = json!({});
            for (field, value) in [("route", route), ("name", name)] {
                if let Some(value) = value {
                    body[field] = json!(value);
                }
            }
            client.post(&["phones", "pairings"], &body, None).await?
        }
    };
    if args.server.json {
        output::line(text::pretty(&answer));
    } else if args.action.is_some() {
        pairing(&answer["pairing"]);
    } else {
        list(&answer);
    }
    Ok(ExitCode::SUCCESS)
}

fn list(answer: &Value) {
    let items = answer["items"].as_array();
    let rows: Vec<Vec<String>> = items.into_iter().flatten().map(row).collect();
    if rows.is_empty() {
        output::note("no phones; add one with `tandem phones pair`");
        return;
    }
    let head = [
        "PHONE",
        "NAME",
        "ROUTE",
        "STATE",
        "RECEIVES",
        "HOLDS",
        "HOUR",
        "DAY",
        "LAST SEEN",
    ];
    for line in output::table(&head, &rows) {
        output::line(line);
    }
}

fn row(phone: &Value) -> Vec<String> {
    let is = |name: &str| phone[name].as_bool().unwrap_or_default();
    let state = if !is("present") {
        "away"
    } else if phone["restsUntil"].is_string() {
        "rests"
    } else if is("connected") {
        "connected"
    } else {
        "polls"
    };
    let receives = if is("webhooksInstalled") { "yes" } else { "no" };
    vec![
        text::plain(&phone["id"]),
        text::plain(&phone["name"]),
        text::plain(&phone["routeId"]),
        state.to_owned(),
        receives.to_owned(),
        text::plain(&phone["holds"]),
        text::plain(&phone["sentLastHour"]),
        text::plain(&phone["sentLastDay"]),
        text::plain(&phone["lastSeenAt"]),
    ]
}

fn pairing(pairing: &Value) {
    for (name, field) in [
        ("API URL", "apiUrl"),
        ("Private Token", "token"),
        ("or By Code", "code"),
        ("good until", "expiresAt"),
    ] {
        output::line(format_args!("{name:<14} {}", text::plain(&pairing[field])));
    }
    output::note(
        "set the app's notification channel to SSE_ONLY first; see docs/guides/team-phones.md",
    );
}
