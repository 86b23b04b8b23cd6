//! `tandem routes`: the routes with their state.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::Value;

use crate::cli;
use crate::client::times::Zone;
use crate::client::{Client, text};
use crate::output;

/// Lists them as a table or as the server's JSON.
pub(super) async fn run(args: cli::Routes) -> Result<ExitCode> {
    let client = Client::new(&args.server)?;
    let answer = client.get(&["routes"], &[]).await?;
    if args.server.json {
        output::line(text::pretty(&answer));
        return Ok(ExitCode::SUCCESS);
    }
    let zone = Zone::asked(args.server.utc);
    let items = output::items(&answer).iter();
    let rows: Vec<Vec<String>> = items.map(|it| row(it, &zone)).collect();
    for line in output::table(
        &[
            "ROUTE", "CHANNEL", "CLASS", "STATE", "SINCE", "QUOTA", "WAITING", "READY", "IN HAND",
            "WORD", "WHY",
        ],
        &rows,
    ) {
        output::line(line);
    }
    Ok(ExitCode::SUCCESS)
}

/// What a person says of it; nothing where the automatics decide.
fn word(control: &Value, zone: &Zone) -> String {
    let mode = text::plain(&control["mode"]);
    let until = text::plain(&control["until"]);
    if until.is_empty() {
        mode
    } else {
        format!("{mode} until {}", zone.date_time(&until))
    }
}

/// What is used of the quota that is used most; nothing where there is none.
fn quota_use(quotas: &Value) -> String {
    let percents = quotas.as_array().into_iter().flatten();
    percents
        .filter_map(|it| it["usedPercent"].as_i64())
        .max()
        .map(|it| format!("{it}%"))
        .unwrap_or_default()
}

fn row(route: &Value, zone: &Zone) -> Vec<String> {
    let class = text::plain(&route["routeClass"]);
    vec![
        text::plain(&route["id"]),
        text::plain(&route["channel"]),
        if class.is_empty() {
            "both".to_owned()
        } else {
            class
        },
        text::plain(&route["condition"]),
        zone.date_time(&text::plain(&route["since"])),
        quota_use(&route["quotas"]),
        text::plain(&route["backlog"]),
        text::plain(&route["ready"]),
        text::plain(&route["inHand"]),
        word(&route["control"], zone),
        why(route, zone),
    ]
}

/// Why it takes nothing, and until when where it takes messages again by itself.
pub(super) fn why(route: &Value, zone: &Zone) -> String {
    let reason = text::plain(&route["reason"]);
    match route["until"].as_str() {
        Some(until) => format!("{reason} until {}", zone.date_time(until)),
        None => reason,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_quota_that_is_used_most_is_shown() {
        let quotas = json!([{"usedPercent": 20}, {"usedPercent": 80}, {"usedPercent": 5}]);
        assert_eq!(quota_use(&quotas), "80%");
        assert_eq!(quota_use(&json!([])), "");
    }

    #[test]
    fn the_time_until_which_a_quota_is_out_is_told_as_all_times_are() {
        let zone = Zone::asked(true);
        let route = json!({"reason": "out of quota", "until": "2026-11-27T05:00:00Z"});
        assert_eq!(
            why(&route, &zone),
            "out of quota until 2026-11-27 05:00:00 UTC"
        );
        let refused = json!({"reason": "cannot connect"});
        assert_eq!(why(&refused, &zone), "cannot connect");
    }

    #[test]
    fn a_time_that_nobody_knows_is_left_out() {
        let route = json!({"id": "gw", "condition": "out_of_quota", "since": null});
        assert_eq!(row(&route, &Zone::asked(true))[4], "");
    }
}
