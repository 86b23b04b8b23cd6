//! `tandem send`: one message.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use crate::cli;
use crate::client::{Client, text};
use crate::output;

/// How long `--wait` waits.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often it looks.
const EVERY: Duration = Duration::from_millis(200);

/// Sends it; with `--wait` exit code 1 when it failed.
pub(super) async fn run(args: cli::Send) -> Result<ExitCode> {
    let client = Client::new(&args.server)?;
    let answer = client
        .post(&["messages"], &body(&args)?, args.sender.as_deref())
        .await
        .map_err(|it| {
            let sender = args.sender.as_deref().unwrap_or_default();
            it.naming(sender, "--sender takes the id of one of `GET /v1/senders`")
        })?;
    let id = answer["message"]["id"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    if !args.wait {
        if args.server.json {
            output::line(text::pretty(&answer));
        } else {
            for line in words(&answer) {
                output::line(line);
            }
            output::note(format_args!("tandem explain {id} tells what becomes of it"));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let last = wait(&client, &id, args.server.json).await?;
    if args.server.json {
        output::line(text::pretty(&last));
    }
    let failed = last["message"]["status"] == "failed";
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// The request; only what was asked for stands in it.
fn body(args: &cli::Send) -> Result<Value> {
    let now = jiff::Zoned::now();
    let at = args.at.as_ref().map(|it| it.from(&now)).transpose();
    let at = at.context("--at is too far away")?;
    let mut body = Map::new();
    let fields = [
        ("to", Some(&args.to)),
        ("text", Some(&args.text)),
        ("channel", Some(&args.channel)),
        ("category", args.category.as_ref()),
        ("trafficClass", args.traffic_class.as_ref()),
        ("campaign", args.campaign.as_ref()),
        ("scheduledAt", at.as_ref()),
        ("idempotencyKey", args.idempotency_key.as_ref()),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            body.insert(name.to_owned(), json!(value));
        }
    }
    Ok(Value::Object(body))
}

/// What was accepted, and where it goes.
fn words(answer: &Value) -> Vec<String> {
    let (message, routing) = (&answer["message"], &answer["routing"]);
    let mut lines = vec![format!(
        "{} {}",
        text::plain(&message["id"]),
        text::plain(&message["status"])
    )];
    let mut said = Vec::new();
    for (name, label) in [
        ("channel", ""),
        ("route", "by route "),
        ("routeClass", "class "),
        ("reason", "because "),
    ] {
        let value = text::plain(&routing[name]);
        if !value.is_empty() {
            said.push(format!("{label}{}", value.replace('_', " ")));
        }
    }
    let obstacle = text::plain(&routing["obstacle"]).replace('_', " ");
    if let Some(reason) = said.last_mut().filter(|_| !obstacle.is_empty()) {
        *reason = format!("{reason} ({obstacle})");
    }
    if !said.is_empty() {
        lines.push(said.join(", "));
    }
    lines
}

/// Follows the message to its end; answers with its last state.
async fn wait(client: &Client, id: &str, quiet: bool) -> Result<Value> {
    let started = tokio::time::Instant::now();
    let mut shown = String::new();
    loop {
        let answer = client.get(&["messages", id], &[]).await?;
        let message = &answer["message"];
        let now = format!(
            "{} {} {}",
            id,
            text::plain(&message["channel"]),
            text::plain(&message["status"])
        );
        if now != shown && !quiet {
            output::line(&now);
        }
        shown = now;
        let ended = ["delivered", "read", "failed"]
            .iter()
            .any(|it| message["status"] == *it);
        if ended || started.elapsed() >= PATIENCE {
            let why = text::plain(&message["errorMessage"]);
            if !why.is_empty() && !quiet {
                output::note(why);
            }
            return Ok(answer);
        }
        tokio::time::sleep(EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    #[test]
    fn only_what_was_asked_for_is_sent() {
        let line = [
            "tandem",
            "send",
            "--to",
            "+40712345678",
            "--text",
            "hi",
            "--category",
            "otp",
        ];
        let Command::Send(args) = Cli::try_parse_from(line).unwrap().command else {
            panic!("it is a send");
        };
        assert_eq!(
            body(&args).unwrap(),
            json!({"to": "+40712345678", "text": "hi", "channel": "auto", "category": "otp"})
        );
    }

    #[test]
    fn the_answer_is_told_in_two_lines() {
        let answer = json!({
            "message": {"id": "msg_1", "status": "queued"},
            "routing": {"channel": "sms", "routeClass": "gateway", "reason": "cheapest_viable"},
        });
        assert_eq!(
            words(&answer),
            [
                "msg_1 queued",
                "sms, class gateway, because cheapest viable"
            ]
        );
        let waits = json!({
            "message": {"id": "msg_1", "status": "queued"},
            "routing": {"channel": "sms", "route": "gw", "reason": "waiting", "obstacle": "out_of_quota"},
        });
        assert_eq!(
            words(&waits)[1],
            "sms, by route gw, because waiting (out of quota)"
        );
    }
}
