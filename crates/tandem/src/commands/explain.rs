//! `tandem explain`: what became of a message, and why, in plain words.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use crate::cli;
use crate::client::times::Zone;
use crate::client::{Client, story, text};
use crate::output;

/// Prints the story of a message, or both of the server's answers as one JSON object.
pub(super) async fn run(args: cli::Explain) -> Result<ExitCode> {
    let client = Client::new(&args.server)?;
    let message = client.get(&["messages", &args.id], &[]).await;
    let message =
        message.map_err(|it| it.naming(&args.id, "`tandem messages` lists the newest"))?;
    let message = &message["message"];
    let inbound = message["direction"] == "inbound";
    let routing = if inbound {
        json!({})
    } else {
        client.get(&["messages", &args.id, "routing"], &[]).await?
    };
    if args.server.json {
        output::line(text::pretty(
            &json!({ "message": message, "routing": routing }),
        ));
    } else {
        for line in story::lines(message, &routing, &Zone::asked(args.server.utc)) {
            output::line(line);
        }
    }
    Ok(ExitCode::SUCCESS)
}
