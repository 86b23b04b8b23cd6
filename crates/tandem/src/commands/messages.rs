//! `tandem messages`: the newest messages.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli;
use crate::client::{Client, ClientError, text};
use crate::output;

/// Most messages the API gives at once.
const PAGE: usize = 100;

/// Lists them as a table or as one JSON object.
pub(super) async fn run(args: cli::Messages) -> Result<ExitCode> {
    let client = Client::new(&args.server)?;
    let filters = [
        ("status", args.status.clone()),
        ("to", args.to.clone()),
        ("channel", args.channel.clone()),
    ];
    let limit = usize::try_from(args.limit)?;
    let items = newest(&client, &filters, limit).await?;
    if args.server.json {
        output::line(text::pretty(&json!({ "items": items })));
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = items.iter().map(row).collect();
    for line in output::table(&["ID", "CREATED", "STATUS", "CHANNEL", "TO", "TEXT"], &rows) {
        output::line(line);
    }
    Ok(ExitCode::SUCCESS)
}

/// Up to `limit` messages, page by page.
async fn newest(
    client: &Client,
    filters: &[(&str, Option<String>)],
    limit: usize,
) -> Result<Vec<Value>, ClientError> {
    let mut items: Vec<Value> = Vec::new();
    let mut cursor: Option<String> = None;
    while items.len() < limit {
        let mut query = filters.to_vec();
        query.push(("limit", Some(PAGE.min(limit - items.len()).to_string())));
        query.push(("cursor", cursor));
        let mut page = client.get(&["messages"], &query).await?;
        let got = page["items"]
            .as_array_mut()
            .map(std::mem::take)
            .unwrap_or_default();
        cursor = page["nextCursor"].as_str().map(str::to_owned);
        let ended = got.is_empty() || cursor.is_none();
        items.extend(got);
        if ended {
            break;
        }
    }
    Ok(items)
}

/// One message as a row.
fn row(message: &Value) -> Vec<String> {
    let inbound = message["direction"] == "inbound";
    let person = if inbound {
        &message["from"]
    } else {
        &message["to"]
    };
    vec![
        text::plain(&message["id"]),
        text::date_time(message["createdAt"].as_str().unwrap_or_default()),
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
        assert_eq!(row(&message)[4..], ["+40712345678", "a b"]);
    }
}
