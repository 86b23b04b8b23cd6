//! How are the quotas of a route or a project read (R-QUOTA-1)?

use domain::model::quota::{Period, Quota, QuotaUnit, Quotas};

use super::reader::{Field, Table};
use super::values;

/// The most that a quota may count.
const MOST: i64 = 1_000_000_000_000;

/// Reads a list of quotas, told where two of them limit the same.
pub(super) fn read(field: Field<'_>) -> Option<Quotas> {
    let mut quotas: Vec<Quota> = Vec::new();
    for field in field.list()? {
        let Some(table) = field.clone().table() else {
            continue;
        };
        for quota in line(table) {
            let is_same = |it: &Quota| it.per == quota.per && it.unit == quota.unit;
            if quotas.iter().any(is_same) {
                field.error(format!(
                    "an earlier line limits {} per {}; only one may",
                    quota.unit.code(),
                    quota.per.code()
                ));
            }
            quotas.push(quota);
        }
    }
    Some(Quotas::new(quotas))
}

/// One line: a period, and one limit or several.
fn line(mut table: Table<'_>) -> Vec<Quota> {
    let per = table
        .require("per", "\"hour\", \"day\" or \"month\"")
        .and_then(|it| it.choice(&Period::ALL.map(|per| (per.code(), per)), &[]));
    let count = |field: Field<'_>| field.whole(0..=MOST);
    let limits = [
        (QuotaUnit::Messages, table.get("messages").map(count)),
        (QuotaUnit::Segments, table.get("segments").map(count)),
        (QuotaUnit::Spend, table.get("spend").map(spend)),
    ];
    if limits.iter().all(|it| it.1.is_none()) {
        table.require("messages", "a number; or give `segments` or `spend`");
    }
    table.finish();
    let Some(per) = per else { return Vec::new() };
    limits
        .into_iter()
        .filter_map(|(unit, limit)| {
            Some(Quota {
                per,
                unit,
                limit: limit.flatten()?,
            })
        })
        .collect()
}

/// An amount of the project's currency, in micro-units.
fn spend(field: Field<'_>) -> Option<i64> {
    const ALLOWED: &str = "an amount in quotes with at most 6 decimals, such as \"100\"";
    field
        .check(|text| values::price_or_why(text, ALLOWED))
        .map(|it| it.0)
}
