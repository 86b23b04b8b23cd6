//! How is the `[alerts]` table read (R-ALERT)?

use connectors::email::EmailConfig;
use domain::model::address::EmailAddress;
use domain::model::alert::AlertKind;
use domain::rules::alert::Threshold;
use domain::time::Millis;

use super::email;
use super::model::{AlertMail, Alerts};
use super::reader::{Field, Surroundings, Table};

/// Longest time that a condition may have to hold.
const LONGEST: Millis = Millis::days(1);

/// Reads when alerts are raised, and whom they are mailed to.
pub(super) fn read(mut table: Table<'_>, surroundings: Surroundings<'_>) -> Alerts {
    let mut alerts = Alerts::default();
    let settings = &mut alerts.settings;
    for (name, volume) in [
        ("failure_volume", &mut settings.failure_volume),
        ("receipts_volume", &mut settings.receipts_volume),
    ] {
        *volume = table.or(name, *volume, |field| field.whole(1..=1_000_000));
    }
    for kind in AlertKind::ALL {
        let usual = alerts.settings.of(kind);
        let threshold = table.or(kind.code(), usual, |field| {
            Some(threshold(field.table()?, kind, usual))
        });
        alerts.settings = alerts.settings.with(kind, threshold);
    }
    alerts.mail = table
        .get("email")
        .and_then(|field| mail(field.table()?, surroundings));
    table.finish();
    alerts
}

/// What a kind counts, for its thresholds; `None` for one that is or is not.
const fn range(kind: AlertKind) -> Option<std::ops::RangeInclusive<i64>> {
    match kind {
        AlertKind::FailureRate | AlertKind::Quota80 | AlertKind::Quota100 => Some(1..=100),
        AlertKind::WebhookFailing => Some(1..=1_000),
        AlertKind::BacklogAge
        | AlertKind::BulkBacklogAge
        | AlertKind::ReceiptsMissing
        | AlertKind::RouteDown
        | AlertKind::PhoneOffline
        | AlertKind::AllRoutesOut => None,
    }
}

fn threshold(mut table: Table<'_>, kind: AlertKind, usual: Threshold) -> Threshold {
    let span = |field: Field<'_>| field.span_of_time(Millis::ZERO..=LONGEST);
    let enabled = table.or("enabled", usual.enabled, Field::flag);
    let raise_after = table.or("after", usual.raise_after, span);
    let resolve_after = table.or("resolve_after", usual.resolve_after, span);
    let (raise, resolve) = match kind {
        AlertKind::BacklogAge | AlertKind::BulkBacklogAge | AlertKind::ReceiptsMissing => {
            let seconds = |field: Field<'_>| {
                let span = field.span_of_time(Millis::seconds(1)..=LONGEST)?;
                Some(span.get() / 1_000)
            };
            let raise = table.or("raise", usual.raise, seconds);
            (
                raise,
                table.or("resolve", usual.resolve.min(raise), seconds),
            )
        }
        AlertKind::FailureRate
        | AlertKind::Quota80
        | AlertKind::Quota100
        | AlertKind::WebhookFailing
        | AlertKind::RouteDown
        | AlertKind::PhoneOffline
        | AlertKind::AllRoutesOut => match range(kind) {
            Some(range) => {
                let raise = table.or("raise", usual.raise, |it| it.whole(range.clone()));
                let lower = usual.resolve.min(raise);
                (raise, table.or("resolve", lower, |it| it.whole(range)))
            }
            None => (usual.raise, usual.resolve),
        },
    };
    if resolve > raise {
        table.error(
            "resolve",
            "must not be above `raise`: an alert would be resolved while it is raised",
        );
    }
    table.finish();
    Threshold {
        enabled,
        raise,
        resolve,
        raise_after,
        resolve_after,
    }
}

fn mail(mut table: Table<'_>, surroundings: Surroundings<'_>) -> Option<AlertMail> {
    let to = table
        .require("to", "a list of e-mail addresses")
        .and_then(Field::list);
    let to: Vec<EmailAddress> = to
        .unwrap_or_default()
        .into_iter()
        .filter_map(|field| {
            field.check(|text| EmailAddress::parse(text).map_err(|error| error.to_string()))
        })
        .collect();
    let via: Option<EmailConfig> = table
        .require(
            "via",
            "the settings of a mail server, as a route's `email` has them",
        )
        .and_then(|field| email::read(field.table()?, surroundings));
    if to.is_empty() {
        table.error("to", "must name somebody");
    }
    table.finish();
    let via = via?;
    Some(AlertMail { to, via })
}

#[cfg(test)]
mod tests {
    use domain::rules::alert::AlertSettings;

    use super::super::unpriced_tests::NOW;
    use super::super::{Loaded, Overrides, Rejected, parse};
    use super::*;

    fn loaded(alerts: &str) -> Result<Loaded, Rejected> {
        let source = format!("[[project]]\nid = \"main\"\n{alerts}");
        let surroundings = Surroundings {
            variable: &|_| None,
            folder: std::path::Path::new("."),
            now: NOW,
        };
        parse(&source, &Overrides::default(), surroundings)
    }

    fn wrong(alerts: &str) -> Vec<String> {
        let errors = loaded(alerts).unwrap_err().errors;
        errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn without_a_table_the_usual_thresholds_hold_and_nobody_is_mailed() {
        let alerts = loaded("").unwrap().config.alerts;
        assert_eq!(alerts.settings, AlertSettings::default());
        assert!(alerts.mail.is_none());
    }

    #[test]
    fn what_is_said_holds_and_the_rest_is_as_usual() {
        let alerts = loaded(
            r#"
            [alerts]
            failure_volume = 50
            failure_rate = { raise = 40, resolve = 20, after = "2m" }
            backlog_age = { raise = "10m", resolve_after = "5m" }
            route_down = { enabled = false }
            email = { to = ["ops@acme.example"], via = { host = "mail.acme.example", from = "tandem@acme.example" } }
            "#,
        );
        let alerts = alerts.unwrap().config.alerts;
        assert_eq!(alerts.settings.failure_volume, 50);
        let rate = alerts.settings.of(AlertKind::FailureRate);
        assert_eq!((rate.raise, rate.resolve), (40, 20));
        assert_eq!(rate.raise_after, Millis::minutes(2));
        let age = alerts.settings.of(AlertKind::BacklogAge);
        assert_eq!((age.raise, age.resolve), (600, 60));
        assert_eq!(age.resolve_after, Millis::minutes(5));
        assert!(!alerts.settings.of(AlertKind::RouteDown).enabled);
        let mail = alerts.mail.unwrap();
        assert_eq!(mail.to.len(), 1);
        assert_eq!(mail.via.port, 587);
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        for (alerts, place, what) in [
            (
                "alerts = { route_don = {} }",
                "alerts.route_don",
                "did you mean",
            ),
            (
                "alerts = { failure_rate = { raise = 200 } }",
                "alerts.failure_rate.raise",
                "from 1 to 100",
            ),
            (
                "alerts = { failure_rate = { raise = 10, resolve = 20 } }",
                "alerts.failure_rate.resolve",
                "above",
            ),
            (
                "alerts = { route_down = { raise = 2 } }",
                "alerts.route_down.raise",
                "not a known setting",
            ),
            (
                "alerts = { email = { to = [\"nobody\"] } }",
                "alerts.email.to[0]",
                "nobody",
            ),
            (
                "alerts = { email = { to = [] } }",
                "alerts.email.via",
                "missing",
            ),
        ] {
            // Keys before the first table belong to the root.
            let source = format!("{alerts}\n[[project]]\nid = \"main\"\n");
            let surroundings = Surroundings {
                variable: &|_| None,
                folder: std::path::Path::new("."),
                now: NOW,
            };
            let errors = parse(&source, &Overrides::default(), surroundings);
            let errors = errors.unwrap_err().errors;
            let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
            assert!(
                told.iter()
                    .any(|it| it.contains(place) && it.contains(what)),
                "{alerts}: {told:?}"
            );
        }
        assert!(!wrong("[alerts]\nmail = 1").is_empty());
    }
}
