//! `tandem alerts`: what is wrong now, who has seen it, and what is not to be told (R-ALERT).

use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::cli;
use crate::client::times::Zone;
use crate::client::{Client, text};
use crate::output;

/// What is asked for.
enum Asked {
    List { all: bool },
    Acknowledge(String),
    Silence(Value),
    Silences,
    Unsilence(String),
}

impl Asked {
    fn of(args: &cli::Alerts) -> Result<Self> {
        if let Some(id) = &args.acknowledge {
            return Ok(Self::Acknowledge(id.clone()));
        }
        if let Some(id) = &args.unsilence {
            return Ok(Self::Unsilence(id.clone()));
        }
        if let Some(until) = &args.silence {
            let until = until.from(&jiff::Zoned::now());
            let until = until.context("--silence is too far away")?;
            return Ok(Self::Silence(json!({"until": until, "kind": args.kind,
                "subject": args.subject, "reason": args.reason})));
        }
        if args.silences {
            return Ok(Self::Silences);
        }
        Ok(Self::List { all: args.all })
    }
}

/// Lists alerts or silences, acknowledges one, silences some, or ends a silence.
pub(super) async fn run(args: cli::Alerts) -> Result<ExitCode> {
    let client = Client::new(&args.server)?;
    let asked = Asked::of(&args)?;
    let answer = match &asked {
        Asked::List { all } => {
            let status = (!all).then(|| "raised".to_owned());
            let filters = [("status", status)];
            client.list(&["alerts"], &filters, args.limit).await?
        }
        Asked::Acknowledge(id) => {
            let path = ["alerts", id, "acknowledge"];
            let answer = client.post(&path, &json!({}), None).await;
            answer.map_err(|it| it.naming(id, "`tandem alerts --all` lists them"))?
        }
        Asked::Silence(body) => client.post(&["alerts", "silences"], body, None).await?,
        Asked::Silences => client.get(&["alerts", "silences"], &[]).await?,
        Asked::Unsilence(id) => {
            let answer = client.delete(&["alerts", "silences", id]).await;
            answer
                .map_err(|it| it.naming(id, "`tandem alerts --silences` lists those that hold"))?
        }
    };
    if args.server.json {
        // The end of a silence is answered with nothing.
        if !answer.is_null() {
            output::line(text::pretty(&answer));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let zone = Zone::asked(args.server.utc);
    match &asked {
        Asked::List { all } => list(&answer, *all, &zone),
        Asked::Acknowledge(_) => output::note(acknowledged(&answer)),
        Asked::Silence(_) => output::note(silenced(&answer, &zone)),
        Asked::Silences => silences(&answer, &zone),
        Asked::Unsilence(id) => output::note(format_args!("{id} is over; alerts are told again")),
    }
    Ok(ExitCode::SUCCESS)
}

fn list(answer: &Value, all: bool, zone: &Zone) {
    let items = output::items(answer);
    if items.is_empty() {
        output::note(if all {
            "no alerts, now or before"
        } else {
            "nothing is wrong now; --all lists what was"
        });
        return;
    }
    let rows: Vec<Vec<String>> = items.iter().map(|it| row(it, zone)).collect();
    let head = [
        "ID", "STATUS", "SEVERITY", "RAISED", "RESOLVED", "SEEN BY", "SUBJECT", "MESSAGE",
    ];
    for line in output::table(&head, &rows) {
        output::line(line);
    }
    output::note_more(answer);
}

fn row(alert: &Value, zone: &Zone) -> Vec<String> {
    let time = |name: &str| zone.date_time(alert[name].as_str().unwrap_or_default());
    let silenced = alert["silenced"] == true;
    let status = text::plain(&alert["status"]);
    vec![
        text::plain(&alert["id"]),
        if silenced {
            format!("{status}, silenced")
        } else {
            status
        },
        text::plain(&alert["severity"]),
        time("raisedAt"),
        time("resolvedAt"),
        text::plain(&alert["acknowledgedBy"]),
        text::plain(&alert["subject"]),
        text::plain(&alert["message"]),
    ]
}

/// Who has seen it: the first who said so, which may be somebody else.
fn acknowledged(alert: &Value) -> String {
    format!(
        "acknowledged by {}: {}",
        text::plain(&alert["acknowledgedBy"]),
        text::plain(&alert["message"])
    )
}

fn silenced(silence: &Value, zone: &Zone) -> String {
    let id = text::plain(&silence["id"]);
    let until = zone.date_time(silence["until"].as_str().unwrap_or_default());
    format!(
        "{} silenced until {until}; `tandem alerts --unsilence {id}` ends it",
        of(silence)
    )
}

/// Which alerts a silence is about.
fn of(silence: &Value) -> String {
    let (kind, subject) = (
        text::plain(&silence["kind"]),
        text::plain(&silence["subject"]),
    );
    match (kind.is_empty(), subject.is_empty()) {
        (true, true) => "every alert".to_owned(),
        (false, true) => kind,
        (true, false) => format!("every alert of {subject}"),
        (false, false) => format!("{kind} of {subject}"),
    }
}

fn silences(answer: &Value, zone: &Zone) {
    let items = output::items(answer);
    if items.is_empty() {
        output::note("nothing is silenced");
        return;
    }
    let row = |it: &Value| {
        vec![
            text::plain(&it["id"]),
            of(it),
            zone.date_time(it["until"].as_str().unwrap_or_default()),
            text::plain(&it["by"]),
            text::plain(&it["reason"]),
        ]
    };
    let rows: Vec<Vec<String>> = items.iter().map(row).collect();
    for line in output::table(&["ID", "SILENCED", "UNTIL", "BY", "WHY"], &rows) {
        output::line(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_says_what_it_is_about_and_how_it_is_ended() {
        let mut silence = json!({"id": "sil_1", "until": "2030-01-31T08:00:00.000Z"});
        assert_eq!(of(&silence), "every alert");
        silence["subject"] = json!("route:gw");
        assert_eq!(of(&silence), "every alert of route:gw");
        silence["kind"] = json!("route_down");
        assert_eq!(
            silenced(&silence, &Zone::asked(true)),
            "route_down of route:gw silenced until 2030-01-31 08:00:00 UTC; `tandem alerts --unsilence sil_1` ends it"
        );
    }

    #[test]
    fn an_alert_that_nobody_was_told_says_so() {
        let alert = json!({"id": "alert_1", "status": "raised", "severity": "urgent", "silenced": true,
            "raisedAt": "2030-01-31T08:00:00.000Z", "resolvedAt": null, "acknowledgedBy": null,
            "subject": "route:gw", "message": "Route gw is down"});
        let row = row(&alert, &Zone::asked(true));
        assert_eq!(
            row[1..],
            [
                "raised, silenced",
                "urgent",
                "2030-01-31 08:00:00 UTC",
                "",
                "",
                "route:gw",
                "Route gw is down"
            ]
        );
    }
}
