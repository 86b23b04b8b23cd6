//! `tandem route`: a person's word over a route.

use std::process::ExitCode;

use anyhow::{Context, Result};
use domain::model::control::ControlMode;
use serde_json::{Value, json};

use crate::cli::{self, RouteMode};
use crate::client::times::Zone;
use crate::client::{Client, text};
use crate::commands::routes;
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
    output::line(words(&answer["route"], &Zone::asked(args.server.utc)));
    Ok(ExitCode::SUCCESS)
}

/// What a person says of the route now, until when, and then how it stands.
fn words(route: &Value, zone: &Zone) -> String {
    let id = text::plain(&route["id"]);
    let control = &route["control"];
    let mode = text::plain(&control["mode"]);
    let mode = ControlMode::from_code(&mode).map_or(mode, |it| it.done().to_owned());
    let said = match control["until"].as_str() {
        _ if mode.is_empty() => format!("{id} is left to the automatics."),
        Some(until) => format!("{id} is {mode} until {}.", zone.date_time(until)),
        None => format!("{id} is {mode}."),
    };
    let condition = text::plain(&route["condition"]);
    let why = routes::why(route, zone);
    if condition == mode {
        said
    } else if why.is_empty() {
        format!("{said} Its state is {condition}.")
    } else {
        format!("{said} Its state is {condition}: {why}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_its_end_and_the_state_are_told_one_after_the_other() {
        let (end, turn) = ("2026-11-27T05:52:36Z", "2026-11-27T22:00:00Z");
        for (route, want) in [
            (
                json!({"id": "gw", "condition": "out_of_quota", "reason": "out of quota",
                    "until": turn, "control": {"mode": "pin", "until": end}}),
                "gw is pinned until 2026-11-27 05:52:36 UTC. Its state is out_of_quota: out of quota \
                 until 2026-11-27 22:00:00 UTC.",
            ),
            (
                json!({"id": "gw", "condition": "up", "control": {"mode": "pin", "until": null}}),
                "gw is pinned. Its state is up.",
            ),
            (
                json!({"id": "gw", "condition": "drained", "reason": "drained by app: maintenance",
                    "control": {"mode": "drain", "until": end}}),
                "gw is drained until 2026-11-27 05:52:36 UTC.",
            ),
            (
                json!({"id": "gw", "condition": "disabled", "reason": "disabled by app: x",
                    "control": {"mode": "disable", "until": null}}),
                "gw is disabled.",
            ),
            (
                json!({"id": "gw", "condition": "down", "reason": "cannot connect", "control": null}),
                "gw is left to the automatics. Its state is down: cannot connect.",
            ),
        ] {
            assert_eq!(words(&route, &Zone::asked(true)), want);
        }
    }
}
