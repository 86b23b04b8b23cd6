//! `tandem phones`: the team's phones with their state; `tandem phones pair`: what is typed into the
//! app of a new one.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli::{self, PhoneAction};
use crate::client::times::Zone;
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
    let zone = Zone::asked(args.server.utc);
    if args.server.json {
        output::line(text::pretty(&answer));
    } else if args.action.is_some() {
        pairing(&answer["pairing"], &zone);
    } else {
        list(&answer, &zone);
    }
    Ok(ExitCode::SUCCESS)
}

fn list(answer: &Value, zone: &Zone) {
    let items = output::items(answer).iter();
    let rows: Vec<Vec<String>> = items.map(|it| row(it, zone)).collect();
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

fn row(phone: &Value, zone: &Zone) -> Vec<String> {
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
        zone.date_time(&text::plain(&phone["lastSeenAt"])),
    ]
}

fn pairing(pairing: &Value, zone: &Zone) {
    for (name, field) in [
        ("API URL", "apiUrl"),
        ("Private Token", "token"),
        ("or By Code", "code"),
    ] {
        output::line(format_args!("{name:<14} {}", text::plain(&pairing[field])));
    }
    let until = zone.date_time(&text::plain(&pairing["expiresAt"]));
    output::line(format_args!("{:<14} {until}", "good until"));
    output::note(
        "set the app's notification channel to SSE_ONLY first; see docs/guides/team-phones.md",
    );
}
