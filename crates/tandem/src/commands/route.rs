//! `tandem route`: a person's word over a route.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use crate::cli::{self, RouteMode};
use crate::client::{Client, text};
use crate::output;

/// Says it, and tells how the route stands then.
pub(super) async fn run(args: cli::Route) -> Result<ExitCode> {
    let client = Client::new(&args.server)?;
    let mode = match args.mode {
        RouteMode::Drain => "drain",
        RouteMode::Pin => "pin",
        RouteMode::Disable => "disable",
        RouteMode::Auto => "auto",
    };
    let body = json!({"mode": mode, "reason": args.reason, "until": args.until});
    let answer = client.put(&["routes", &args.id, "control"], &body).await?;
    if args.server.json {
        output::line(text::pretty(&answer));
        return Ok(ExitCode::SUCCESS);
    }
    let route = &answer["route"];
    let why = text::plain(&route["reason"]);
    let why = if why.is_empty() {
        why
    } else {
        format!(": {why}")
    };
    output::line(format!(
        "{} is {}{why}",
        text::plain(&route["id"]),
        text::plain(&route["condition"]),
    ));
    Ok(ExitCode::SUCCESS)
}
