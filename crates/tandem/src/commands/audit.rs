//! `tandem audit`: who changed what and why, and what happened to routes (R-SEC, R-HEALTH).

use std::process::ExitCode;

use anyhow::Result;
use serde_json::Value;

use crate::cli;
use crate::client::times::Zone;
use crate::client::{Client, text};
use crate::output;

/// Lists the newest lines, what each changed under it, or as the server's JSON.
pub(super) async fn run(args: cli::Audit) -> Result<ExitCode> {
    let client = Client::new(&args.server)?;
    let filters = [
        ("subject", args.subject),
        ("action", args.action),
        ("actor", args.actor),
    ];
    let answer = client.list(&["audit"], &filters, args.limit).await?;
    if args.server.json {
        output::line(text::pretty(&answer));
        return Ok(ExitCode::SUCCESS);
    }
    let entries = output::items(&answer);
    if entries.is_empty() {
        output::note("no such lines in the audit log");
        return Ok(ExitCode::SUCCESS);
    }
    for line in lines(entries, &Zone::asked(args.server.utc)) {
        output::line(line);
    }
    output::note_more(&answer);
    Ok(ExitCode::SUCCESS)
}

/// A table, with what was changed under each line that says more.
fn lines(entries: &[Value], zone: &Zone) -> Vec<String> {
    let rows: Vec<Vec<String>> = entries.iter().map(|it| row(it, zone)).collect();
    let table = output::table(&["WHEN", "WHO", "WHAT", "SUBJECT", "WHY"], &rows);
    let mut table = table.into_iter();
    let mut lines: Vec<String> = table.next().into_iter().collect();
    for (line, entry) in table.zip(entries) {
        lines.push(line);
        let detail = detail(entry, zone);
        if !detail.is_empty() {
            lines.push(format!("    {}", detail.join("; ")));
        }
    }
    lines
}

fn row(entry: &Value, zone: &Zone) -> Vec<String> {
    let action = text::plain(&entry["action"]);
    vec![
        zone.date_time(entry["at"].as_str().unwrap_or_default()),
        who(entry),
        match entry["count"].as_u64() {
            Some(times @ 2..) => format!("{action}, {times} times"),
            Some(_) | None => action,
        },
        text::plain(&entry["subject"]),
        text::plain(&entry["reason"]),
    ]
}

/// The actor, and of what kind; the automatics are one.
fn who(entry: &Value) -> String {
    let (name, kind) = (
        text::plain(&entry["actor"]),
        text::plain(&entry["actorKind"]),
    );
    match kind.as_str() {
        "" | "system" => name,
        "cli" => format!("{name} (command line)"),
        _ => format!("{name} ({kind})"),
    }
}

/// What was changed, by name.
fn detail(entry: &Value, zone: &Zone) -> Vec<String> {
    let detail = entry["detail"].as_object();
    let named = detail.into_iter().flatten();
    named
        // It stands behind the amount.
        .filter(|(name, _)| *name != "currency")
        .map(|(name, value)| {
            let value = text::plain(value);
            match name.as_str() {
                "until" => format!("until: {}", zone.date_time(&value)),
                "amount" => format!(
                    "amount: {value} {}",
                    text::plain(&entry["detail"]["currency"])
                ),
                _ => format!("{}: {value}", text::one_line(name)),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_line_says_who_what_why_and_what_was_changed() {
        let entries = [
            json!({"at": "2026-11-22T08:37:10.000Z", "actor": "app", "actorKind": "key",
                "action": "route.controlled", "subject": "route:gw", "reason": "maintenance\nnow",
                "detail": {"mode": "drain", "until": "2030-03-17T17:46:40.000Z", "was": "auto"}, "count": 1}),
            json!({"at": "2026-11-22T08:36:00.000Z", "actor": "tandem", "actorKind": "system",
                "action": "route.down", "subject": "route:gw", "reason": null, "detail": {}, "count": 12}),
            json!({"at": "2026-11-22T08:35:00.000Z", "actor": "app", "actorKind": "key",
                "action": "balance.deposited", "subject": "balance", "reason": null,
                "detail": {"amount": "12.50", "currency": "EUR"}, "count": 1}),
        ];
        assert_eq!(
            lines(&entries, &Zone::asked(true)),
            [
                "WHEN                     WHO        WHAT                  SUBJECT   WHY",
                "2026-11-22 08:37:10 UTC  app (key)  route.controlled      route:gw  maintenance now",
                "    mode: drain; until: 2030-03-17 17:46:40 UTC; was: auto",
                "2026-11-22 08:36:00 UTC  tandem     route.down, 12 times  route:gw",
                "2026-11-22 08:35:00 UTC  app (key)  balance.deposited     balance",
                "    amount: 12.50 EUR",
            ]
        );
    }
}
