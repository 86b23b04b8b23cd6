//! `tandem audit`: who changed what, and what happened to routes.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::Value;

use crate::cli;
use crate::client::{Client, text};
use crate::output;

/// Lists the newest lines as a table or as the server's JSON.
pub(super) async fn run(args: cli::Audit) -> Result<ExitCode> {
    let client = Client::new(&args.server)?;
    let query = [
        ("subject", args.subject),
        ("action", args.action),
        ("actor", args.actor),
        ("limit", Some(args.limit.to_string())),
    ];
    let answer = client.get(&["audit"], &query).await?;
    if args.server.json {
        output::line(text::pretty(&answer));
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = answer["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(row)
        .collect();
    for line in output::table(&["WHEN", "WHO", "WHAT", "SUBJECT", "TIMES", "WHY"], &rows) {
        output::line(line);
    }
    Ok(ExitCode::SUCCESS)
}

fn row(entry: &Value) -> Vec<String> {
    vec![
        text::date_time(&text::plain(&entry["at"])),
        text::plain(&entry["actor"]),
        text::plain(&entry["action"]),
        text::plain(&entry["subject"]),
        text::plain(&entry["count"]),
        text::one_line(&text::plain(&entry["reason"])),
    ]
}
