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
        .map(|(name, value)| {
            let value = text::plain(value);
            match name.as_str() {
                "until" => format!("until: {}", moment(&value, zone)),
                "micros" => format!("amount: {}", units(&value)),
                _ => format!("{}: {value}", text::one_line(name)),
            }
        })
        .collect()
}

/// The log keeps times in milliseconds.
fn moment(value: &str, zone: &Zone) -> String {
    let millis = value.parse().ok();
    let at = millis.and_then(|it| jiff::Timestamp::from_millisecond(it).ok());
    at.map_or_else(|| value.to_owned(), |it| zone.date_time(&it.to_string()))
}

/// The log keeps money in millionths.
fn units(value: &str) -> String {
    let Ok(micros) = value.parse::<i64>() else {
        return value.to_owned();
    };
    let sign = if micros < 0 { "-" } else { "" };
    let (whole, rest) = (
        micros.unsigned_abs() / 1_000_000,
        micros.unsigned_abs() % 1_000_000,
    );
    let rest = format!("{rest:06}");
    // Two decimals at least, as money is written.
    let rest = rest.trim_end_matches('0');
    format!("{sign}{whole}.{rest:0<2}")
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
                "detail": {"mode": "drain", "until": "1900000000000", "was": "auto"}, "count": 1}),
            json!({"at": "2026-11-22T08:36:00.000Z", "actor": "tandem", "actorKind": "system",
                "action": "route.down", "subject": "route:gw", "reason": null, "detail": {}, "count": 12}),
        ];
        assert_eq!(
            lines(&entries, &Zone::asked(true)),
            [
                "WHEN                     WHO        WHAT                  SUBJECT   WHY",
                "2026-11-22 08:37:10 UTC  app (key)  route.controlled      route:gw  maintenance now",
                "    mode: drain; until: 2030-03-17 17:46:40 UTC; was: auto",
                "2026-11-22 08:36:00 UTC  tandem     route.down, 12 times  route:gw",
            ]
        );
    }

    #[test]
    fn money_of_the_log_is_told_in_units() {
        for (micros, want) in [
            ("12500000", "12.50"),
            ("-35000", "-0.035"),
            ("1", "0.000001"),
            ("0", "0.00"),
            ("much", "much"),
        ] {
            assert_eq!(units(micros), want);
        }
    }
}
