//! `tandem route`: a person's word over a route.

use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::json;

use crate::cli::{self, RouteMode};
use crate::client::times::Zone;
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
    let now = jiff::Zoned::now();
    let until = args.until.map(|it| it.from(&now)).transpose();
    let until = until.context("--until is too far away")?;
    let body = json!({"mode": mode, "reason": args.reason, "until": until});
    let answer = client.put(&["routes", &args.id, "control"], &body).await;
    let answer = answer.map_err(|it| it.naming(&args.id, "`tandem routes` lists them"))?;
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
    let until = match route["control"]["until"].as_str() {
        Some(at) => format!(", until {}", Zone::asked(args.server.utc).date_time(at)),
        None => String::new(),
    };
    output::line(format!(
        "{} is {}{why}{until}",
        text::plain(&route["id"]),
        text::plain(&route["condition"]),
    ));
    Ok(ExitCode::SUCCESS)
}
