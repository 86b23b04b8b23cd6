//! `tandem tail`: follows messages as their status changes.
//!
//! It polls the newest messages, so a step that is over between two looks is not shown, and
//! changes of messages older than the newest hundred are not seen.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use crate::cli;
use crate::client::times::Zone;
use crate::client::{Client, text};
use crate::output;

/// How many of the newest messages are looked at.
const LOOKED_AT: &str = "100";

/// Runs until it is interrupted.
pub(super) async fn run(args: cli::Tail) -> Result<ExitCode> {
    let client = Client::new(&args.server)?;
    let zone = Zone::asked(args.server.utc);
    let mut seen = Seen::default();
    loop {
        let page = client
            .get(&["messages"], &[("limit", Some(LOOKED_AT.to_owned()))])
            .await?;
        for message in seen.changes(page["items"].as_array().map_or(&[][..], Vec::as_slice)) {
            if args.server.json {
                output::line(message);
            } else {
                output::line(line(message, &zone));
            }
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(args.every)) => {}
            _ = tokio::signal::ctrl_c() => return Ok(ExitCode::SUCCESS),
        }
    }
}

/// What was shown of the messages that are still looked at.
#[derive(Debug, Default)]
struct Seen {
    states: BTreeMap<String, String>,
    started: bool,
}

impl Seen {
    /// The messages that are new or have changed, oldest first. The first page is what was there
    /// before: it is not shown.
    fn changes<'m>(&mut self, newest_first: &'m [Value]) -> Vec<&'m Value> {
        let mut states = BTreeMap::new();
        let mut changed = Vec::new();
        for message in newest_first.iter().rev() {
            let id = text::plain(&message["id"]);
            let state = format!("{} {}", message["status"], message["channel"]);
            if self.states.get(&id) != Some(&state) && self.started {
                changed.push(message);
            }
            states.insert(id, state);
        }
        self.states = states;
        self.started = true;
        changed
    }
}

fn line(message: &Value, zone: &Zone) -> String {
    let time = message["updatedAt"]
        .as_str()
        .or(message["createdAt"].as_str())
        .unwrap_or_default();
    let inbound = message["direction"] == "inbound";
    let person = text::plain(if inbound {
        &message["from"]
    } else {
        &message["to"]
    });
    let tried: Vec<String> = message["attemptedChannels"]
        .as_array()
        .into_iter()
        .flatten()
        .map(text::plain)
        .collect();
    let channel = if tried.len() > 1 {
        tried.join(" → ")
    } else {
        text::plain(&message["channel"])
    };
    format!(
        "{}  {:<9}  {:<15}  {:<15}  {}  {}",
        zone.clock(time),
        text::plain(&message["status"]),
        channel,
        person,
        text::plain(&message["id"]),
        text::clipped(message["text"].as_str().unwrap_or_default(), 40)
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_changes_are_shown_oldest_first() {
        let message =
            |id: &str, status: &str| json!({"id": id, "status": status, "channel": "sms"});
        let mut seen = Seen::default();
        assert!(
            seen.changes(&[message("b", "sent"), message("a", "sent")])
                .is_empty()
        );
        assert!(
            seen.changes(&[message("b", "sent"), message("a", "sent")])
                .is_empty()
        );
        let page = [
            message("d", "queued"),
            message("c", "queued"),
            message("b", "delivered"),
            message("a", "sent"),
        ];
        let ids: Vec<&Value> = seen
            .changes(&page)
            .into_iter()
            .map(|it| &it["id"])
            .collect();
        assert_eq!(ids, [&json!("b"), &json!("c"), &json!("d")]);
    }

    #[test]
    fn the_first_page_may_be_empty() {
        let mut seen = Seen::default();
        assert!(seen.changes(&[]).is_empty());
        assert_eq!(
            seen.changes(&[json!({"id": "a", "status": "queued"})])
                .len(),
            1
        );
    }
}
