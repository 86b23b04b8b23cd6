//! `tandem messages`: the newest messages.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli;
use crate::client::times::Zone;
use crate::client::{Client, text};
use crate::output;

/// Lists them as a table or as one JSON object.
pub(super) async fn run(args: cli::Messages) -> Result<ExitCode> {
    let client = Client::new(&args.server)?;
    let filters = [
        ("status", args.status.clone()),
        ("to", args.to.clone()),
        ("channel", args.channel.clone()),
    ];
    let answer = client.list(&["messages"], &filters, args.limit).await?;
    let items = output::items(&answer);
    if args.server.json {
        output::line(text::pretty(&json!({ "items": items })));
        return Ok(ExitCode::SUCCESS);
    }
    let zone = Zone::asked(args.server.utc);
    let rows: Vec<Vec<String>> = items.iter().map(|it| row(it, &zone)).collect();
    for line in output::table(&["ID", "CREATED", "STATUS", "CHANNEL", "TO", "TEXT"], &rows) {
        output::line(line);
    }
    if items.is_empty() {
        output::note("no such messages");
    }
    Ok(ExitCode::SUCCESS)
}

/// One message as a row.
fn row(message: &Value, zone: &Zone) -> Vec<String> {
    let inbound = message["direction"] == "inbound";
    let person = if inbound {
        &message["from"]
    } else {
        &message["to"]
    };
    vec![
        text::plain(&message["id"]),
        zone.date_time(message["createdAt"].as_str().unwrap_or_default()),
        text::plain(&message["status"]),
        text::plain(&message["channel"]),
        text::plain(person),
        text::clipped(message["text"].as_str().unwrap_or_default(), 60),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inbound_message_shows_who_wrote_it() {
        let message = json!({"id": "msg_1", "direction": "inbound", "from": "+40712345678",
            "to": "+40700000001", "status": "received", "channel": "sms", "text": "a\nb"});
        assert_eq!(
            row(&message, &Zone::asked(true))[4..],
            ["+40712345678", "a b"]
        );
    }
}
