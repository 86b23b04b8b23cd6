//! `tandem quotas`, `tandem balance` and `tandem costs`: what is used, left and spent.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli;
use crate::client::times::Zone;
use crate::client::{Client, text};
use crate::output;

/// By what sums may be kept apart, and the heads of those columns.
const GROUPS: [(&str, &str); 8] = [
    ("day", "DAY"),
    ("hour", "HOUR"),
    ("channel", "CHANNEL"),
    ("route", "ROUTE"),
    ("sender", "SENDER"),
    ("country", "COUNTRY"),
    ("class", "CLASS"),
    ("campaign", "CAMPAIGN"),
];
/// What is summed up, and the heads of those columns.
const FIGURES: [(&str, &str); 3] = [
    ("sent", "SENT"),
    ("segments", "SEGMENTS"),
    ("costExact", "COST"),
];

/// Lists the quotas as a table or as the server's JSON.
pub(super) async fn quotas(args: cli::Quotas) -> Result<ExitCode> {
    let client = Client::new(&args.server)?;
    let answer = client.get(&["quotas"], &[]).await?;
    let head = [
        "OF",
        "PER",
        "UNIT",
        "USED",
        "LIMIT",
        "LEFT",
        "USE",
        "BEGINS ANEW",
    ];
    if args.server.json {
        output::line(text::pretty(&answer));
        return Ok(ExitCode::SUCCESS);
    }
    let items = output::items(&answer);
    if items.is_empty() {
        output::note("no quotas; `quota` of a route or of a project in the configuration sets one");
        return Ok(ExitCode::SUCCESS);
    }
    let zone = Zone::asked(args.server.utc);
    let rows: Vec<Vec<String>> = items.iter().map(|it| quota_row(it, &zone)).collect();
    for line in output::table(&head, &rows) {
        output::line(line);
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows the balance, after a deposit where one is to be noted.
pub(super) async fn balance(args: cli::Balance) -> Result<ExitCode> {
    let client = Client::new(&args.server)?;
    let answer = match &args.deposit {
        Some(amount) => {
            let mut body = json!({ "amount": amount });
            if let Some(note) = &args.note {
                body["note"] = json!(note);
            }
            if let Some(key) = &args.idempotency_key {
                body["idempotencyKey"] = json!(key);
            }
            let (answer, is_repeat) = client.post_once(&["balance", "deposits"], &body).await?;
            if is_repeat {
                output::note(
                    "this deposit was noted before under the same idempotency key; nothing was added",
                );
            }
            answer
        }
        None => client.get(&["balance"], &[]).await?,
    };
    if args.server.json {
        output::line(text::pretty(&answer));
        return Ok(ExitCode::SUCCESS);
    }
    for line in balance_lines(&answer) {
        output::line(line);
    }
    Ok(ExitCode::SUCCESS)
}

/// Lists sums of costs as a table or as the server's JSON.
pub(super) async fn costs(args: cli::Costs) -> Result<ExitCode> {
    let client = Client::new(&args.server)?;
    let query = [
        ("from", args.from),
        ("until", args.until),
        ("by", Some(args.by)),
        ("channel", args.channel),
        ("route", args.route),
        ("sender", args.sender),
        ("country", args.country),
        ("class", args.class),
        ("campaign", args.campaign),
    ];
    let answer = client.get(&["costs"], &query).await?;
    if args.server.json {
        output::line(text::pretty(&answer));
        return Ok(ExitCode::SUCCESS);
    }
    for line in cost_lines(&answer, &Zone::asked(args.server.utc)) {
        output::line(line);
    }
    Ok(ExitCode::SUCCESS)
}

fn quota_row(quota: &Value, zone: &Zone) -> Vec<String> {
    let route = text::plain(&quota["route"]);
    let whose = if route.is_empty() {
        "the project".to_owned()
    } else {
        format!("route {route}")
    };
    let mut row = vec![whose];
    let currency = text::plain(&quota["currency"]);
    let amount = |name: &str| match quota["exact"][name].as_str() {
        Some(exact) => format!("{} {currency}", text::one_line(exact)),
        None => text::plain(&quota[name]),
    };
    row.extend(["per", "unit"].map(|it| text::plain(&quota[it])));
    row.extend(["used", "limit", "left"].map(amount));
    row.push(format!("{}%", text::plain(&quota["usedPercent"])));
    row.push(zone.date_time(quota["periodEnd"].as_str().unwrap_or_default()));
    row
}

/// The sums, with the columns by which they are kept apart, and all of them together.
fn cost_lines(costs: &Value, zone: &Zone) -> Vec<String> {
    let items = output::items(costs);
    let is_by = |it: &&(&str, &str)| items.iter().any(|sum| sum.get(it.0).is_some());
    let columns: Vec<(&str, &str)> = GROUPS
        .iter()
        .filter(is_by)
        .chain(&FIGURES)
        .copied()
        .collect();
    let cell = |sum: &Value, name: &str| match (name, &sum[name]) {
        ("hour", Value::String(hour)) => zone.date_time(hour),
        (_, Value::String(text)) if text.is_empty() => "(none)".to_owned(),
        (_, value) => text::plain(value),
    };
    let row = |sum: &Value| columns.iter().map(|it| cell(sum, it.0)).collect();
    let rows: Vec<Vec<String>> = items.iter().map(row).collect();
    let head: Vec<&str> = columns.iter().map(|it| it.1).collect();
    let mut lines = if rows.is_empty() {
        Vec::new()
    } else {
        output::table(&head, &rows)
    };
    let total = text::plain(&costs["total"]["costExact"]);
    let currency = text::plain(&costs["currency"]);
    let days = if columns.iter().any(|it| it.0 == "day") {
        format!(" (days of {})", text::plain(&costs["timezone"]))
    } else {
        String::new()
    };
    lines.push(format!("total {total} {currency}{days}"));
    lines
}

fn balance_lines(balance: &Value) -> Vec<String> {
    let currency = text::plain(&balance["currency"]);
    let exact = |name: &str| text::plain(&balance["exact"][name]);
    let mut lines = vec![
        format!("left      {} {currency}", exact("balance")),
        format!("deposited {} {currency}", exact("deposited")),
        format!("spent     {} {currency}", exact("totalSpent")),
    ];
    for route in balance["routes"].as_array().into_iter().flatten() {
        let id = text::plain(&route["route"]);
        let id = match (id.as_str(), route["standing"].as_str()) {
            ("", _) => "a removed route".to_owned(),
            (_, Some("switched_off")) => format!("route {id} (switched off)"),
            (_, Some("removed")) => format!("route {id} (not configured)"),
            (_, _) => format!("route {id}"),
        };
        let charged = text::plain(&route["charged"]);
        lines.push(format!("  {id}: {charged} {currency}"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_of_the_project_is_told_from_one_of_a_route() {
        let mut quota = json!({"per": "day", "unit": "messages", "used": 5, "limit": 20, "left": 15, "usedPercent": 25});
        assert_eq!(
            quota_row(&quota, &Zone::asked(true))[..7],
            ["the project", "day", "messages", "5", "20", "15", "25%"]
        );
        quota["route"] = json!("gw");
        assert_eq!(quota_row(&quota, &Zone::asked(true))[0], "route gw");
    }

    #[test]
    fn a_quota_of_money_is_told_exactly_and_with_its_currency() {
        let quota = json!({"per": "day", "unit": "spend", "used": 0.25, "limit": 1, "left": 0.75, "usedPercent": 25,
            "exact": {"used": "0.25", "limit": "1.00", "left": "0.75"}, "currency": "EUR"});
        assert_eq!(
            quota_row(&quota, &Zone::asked(true))[1..6],
            ["day", "spend", "0.25 EUR", "1.00 EUR", "0.75 EUR"]
        );
    }

    #[test]
    fn the_balance_is_told_exactly() {
        let balance = json!({"currency": "EUR", "exact": {"balance": "9.965", "deposited": "10.00", "totalSpent": "0.035"},
            "routes": [{"route": "gw", "standing": "active", "charged": "0.02"},
                {"route": "two", "standing": "switched_off", "charged": "0.01"},
                {"route": "old", "standing": "removed", "charged": "0.004"},
                {"route": null, "standing": "removed", "charged": "0.001"}]});
        assert_eq!(
            balance_lines(&balance),
            [
                "left      9.965 EUR",
                "deposited 10.00 EUR",
                "spent     0.035 EUR",
                "  route gw: 0.02 EUR",
                "  route two (switched off): 0.01 EUR",
                "  route old (not configured): 0.004 EUR",
                "  a removed route: 0.001 EUR",
            ]
        );
    }

    #[test]
    fn sums_have_the_columns_that_were_asked_for_and_say_whose_days_they_are() {
        let total = json!({"costExact": "0.07"});
        let days = json!({"currency": "EUR", "timezone": "Europe/Bucharest", "total": total, "items": [
            {"day": "2026-11-22", "route": "gw", "sent": 2, "segments": 3, "costExact": "0.07"},
            {"day": "2026-11-22", "route": "", "sent": 1, "segments": 1, "costExact": "0.00"}]});
        assert_eq!(
            cost_lines(&days, &Zone::asked(true)),
            [
                "DAY         ROUTE   SENT  SEGMENTS  COST",
                "2026-11-22  gw      2     3         0.07",
                "2026-11-22  (none)  1     1         0.00",
                "total 0.07 EUR (days of Europe/Bucharest)",
            ]
        );
        let hours = json!({"currency": "EUR", "timezone": "UTC", "total": total, "items": [
            {"hour": "2026-11-22T10:00:00.000Z", "sent": 2, "segments": 3, "costExact": "0.07"}]});
        assert_eq!(
            cost_lines(&hours, &Zone::asked(true))[1],
            "2026-11-22 10:00:00 UTC  2     3         0.07"
        );
        let nothing = json!({"currency": "EUR", "timezone": "UTC", "total": {"costExact": "0.00"}, "items": []});
        assert_eq!(cost_lines(&nothing, &Zone::asked(true)), ["total 0.00 EUR"]);
    }
}
