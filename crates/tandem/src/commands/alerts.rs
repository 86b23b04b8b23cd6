//! `tandem alerts`: what is wrong now, and what is not to be told.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli;
use crate::client::{Client, text};
use crate::output;

/// Lists alerts, acknowledges one, or silences some.
pub(super) async fn run(args: cli::Alerts) -> Result<ExitCode> {
    let client = Client::new(&args.server)?;
    let answer = if let Some(id) = &args.acknowledge {
        let path = ["alerts", id, "acknowledge"];
        client.post(&path, &json!({}), None).await?
    } else if let Some(until) = &args.silence {
        let body = json!({"until": until, "kind": args.kind, "subject": args.subject,
            "reason": args.reason});
        client.post(&["alerts", "silences"], &body, None).await?
    } else {
        let status = (!args.all).then(|| "raised".to_owned());
        client.get(&["alerts"], &[("status", status)]).await?
    };
    if args.server.json {
        output::line(text::pretty(&answer));
    } else if args.acknowledge.is_some() {
        output::note("acknowledged");
    } else if args.silence.is_some() {
        let id = text::plain(&answer["id"]);
        output::note(format_args!(
            "silenced until {}: {id}",
            text::plain(&answer["until"])
        ));
    } else {
        let rows: Vec<Vec<String>> = answer["items"]
            .as_array()
            .into_iter()
            .flatten()
            .map(row)
            .collect();
        for line in output::table(
            &["ID", "STATUS", "SEVERITY", "RAISED", "SEEN BY", "MESSAGE"],
            &rows,
        ) {
            output::line(line);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn row(alert: &Value) -> Vec<String> {
    vec![
        text::plain(&alert["id"]),
        text::plain(&alert["status"]),
        text::plain(&alert["severity"]),
        text::date_time(&text::plain(&alert["raisedAt"])),
        text::plain(&alert["acknowledgedBy"]),
        text::one_line(&text::plain(&alert["message"])),
    ]
}
