//! `tandem quotas`, `tandem balance` and `tandem costs`: what is used, left and spent.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli;
use crate::client::{Client, text};
use crate::output;

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
    show(&answer, args.server.json, &head, quota_row);
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
            client.post(&["balance", "deposits"], &body, None).await?
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
    ];
    let answer = client.get(&["costs"], &query).await?;
    let head = [
        "TIME", "ROUTE", "SENDER", "COUNTRY", "CLASS", "CAMPAIGN", "SENT", "SEGMENTS", "COST",
    ];
    show(&answer, args.server.json, &head, cost_row);
    if !args.server.json {
        let currency = text::plain(&answer["currency"]);
        let total = text::plain(&answer["total"]["costExact"]);
        output::line(format_args!("total {total} {currency}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn show(answer: &Value, as_json: bool, head: &[&str], row: impl Fn(&Value) -> Vec<String>) {
    if as_json {
        output::line(text::pretty(answer));
        return;
    }
    let items = answer["items"].as_array().into_iter().flatten();
    let rows: Vec<Vec<String>> = items.map(row).collect();
    for line in output::table(head, &rows) {
        output::line(line);
    }
}

fn quota_row(quota: &Value) -> Vec<String> {
    let route = text::plain(&quota["route"]);
    let whose = if route.is_empty() {
        "the project".to_owned()
    } else {
        format!("route {route}")
    };
    let mut row = vec![whose];
    row.extend(["per", "unit", "used", "limit", "left"].map(|it| text::plain(&quota[it])));
    row.push(format!("{}%", text::plain(&quota["usedPercent"])));
    row.push(text::date_time(
        quota["periodEnd"].as_str().unwrap_or_default(),
    ));
    row
}

fn cost_row(sum: &Value) -> Vec<String> {
    let day = text::plain(&sum["day"]);
    let time = if day.is_empty() {
        sum["hour"]
            .as_str()
            .map(text::date_time)
            .unwrap_or_default()
    } else {
        day
    };
    let mut row = vec![time];
    let rest = [
        "route",
        "sender",
        "country",
        "class",
        "campaign",
        "sent",
        "segments",
        "costExact",
    ];
    row.extend(rest.map(|it| text::plain(&sum[it])));
    row
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
        let id = if id.is_empty() {
            "routes that are not configured any more".to_owned()
        } else {
            format!("route {id}")
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
            quota_row(&quota)[..7],
            ["the project", "day", "messages", "5", "20", "15", "25%"]
        );
        quota["route"] = json!("gw");
        assert_eq!(quota_row(&quota)[0], "route gw");
    }

    #[test]
    fn the_balance_is_told_exactly() {
        let balance = json!({"currency": "EUR", "exact": {"balance": "9.965", "deposited": "10.00", "totalSpent": "0.035"},
            "routes": [{"route": "gw", "charged": "0.025"}, {"route": null, "charged": "0.01"}]});
        assert_eq!(
            balance_lines(&balance),
            [
                "left      9.965 EUR",
                "deposited 10.00 EUR",
                "spent     0.035 EUR",
                "  route gw: 0.025 EUR",
                "  routes that are not configured any more: 0.01 EUR",
            ]
        );
    }

    #[test]
    fn what_a_sum_is_not_kept_apart_by_is_left_blank() {
        let sum = json!({"day": "2026-11-22", "route": "gw", "sent": 2, "segments": 3, "costExact": "0.07"});
        assert_eq!(
            cost_row(&sum),
            ["2026-11-22", "gw", "", "", "", "", "2", "3", "0.07"]
        );
    }
}
