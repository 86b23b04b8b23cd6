//! How is the life of a message told?

use serde_json::Value;

use super::text::{clipped, one_line, plain};
use super::times::Zone;

/// The times of one message: when it was made is told in full, the others beside it.
struct Times<'a> {
    zone: &'a Zone,
    created: &'a str,
}

impl Times<'_> {
    fn told(&self, at: &str) -> String {
        self.zone.beside(self.created, at)
    }
}

/// The life of a message, line by line, from the API's message and its routing.
pub(crate) fn lines(message: &Value, routing: &Value, zone: &Zone) -> Vec<String> {
    let created = message["createdAt"].as_str().unwrap_or_default();
    let times = Times { zone, created };
    let mut lines = head(message, &zone.date_time(created));
    for (index, decision) in items(routing, "decisions").enumerate() {
        let title = match (index, decision["at"].as_str()) {
            (1.., Some(at)) => format!("Then, at {}", times.told(at)),
            (_, _) => "Why".to_owned(),
        };
        section(&mut lines, &title, strings(&decision["explanation"]));
    }
    section(
        &mut lines,
        "Attempts",
        items(routing, "attempts")
            .map(|it| attempt(it, &times))
            .collect(),
    );
    section(
        &mut lines,
        "Receipts",
        items(routing, "receipts")
            .map(|it| receipt(it, &times))
            .collect(),
    );
    section(&mut lines, "Cost", cost(routing));
    lines
}

fn head(message: &Value, created: &str) -> Vec<String> {
    let inbound = message["direction"] == "inbound";
    let (verb, person) = if inbound {
        ("from", &message["from"])
    } else {
        ("to", &message["to"])
    };
    let mut lines = vec![
        format!("{}  {}", plain(&message["id"]), plain(&message["status"])),
        format!(
            "{} {verb} {}, {created}",
            plain(&message["channel"]),
            plain(person),
        ),
    ];
    let said = message["text"].as_str().unwrap_or_default();
    if !said.is_empty() {
        lines.push(format!("\"{}\"", clipped(said, 100)));
    }
    let error = plain(&message["errorMessage"]);
    if !error.is_empty() {
        lines.push(format!(
            "failed: {error} ({})",
            plain(&message["errorCode"])
        ));
    }
    lines
}

/// One attempt: number, channel, route, what became of it and when, and what it cost.
fn attempt(attempt: &Value, times: &Times<'_>) -> String {
    let route = plain(&attempt["route"]);
    let by = if route.is_empty() {
        String::new()
    } else {
        format!(" by {route}")
    };
    let mut words = vec![format!(
        "{}. {}{by} is {}",
        plain(&attempt["no"]),
        plain(&attempt["channel"]),
        plain(&attempt["state"])
    )];
    for (field, label) in [
        ("sentAt", "taken"),
        ("deliveredAt", "delivered"),
        ("failedAt", "failed"),
    ] {
        if let Some(at) = attempt[field].as_str() {
            words.push(format!("{label} {}", times.told(at)));
        }
    }
    let refused: Vec<String> = items(attempt, "refusedBy").map(plain).collect();
    if !refused.is_empty() {
        words.push(format!("not taken by {}", refused.join(", ")));
    }
    if let Some(resends @ 1..) = attempt["resends"].as_u64() {
        words.push(format!(
            "handed over again {resends} times after an unknown outcome"
        ));
    }
    let error = plain(&attempt["errorMessage"]);
    if !error.is_empty() {
        words.push(error);
    }
    words.join(", ")
}

/// One receipt: when it came, what it says, in the provider's words.
fn receipt(receipt: &Value, times: &Times<'_>) -> String {
    let words = [
        times.told(receipt["at"].as_str().unwrap_or_default()),
        plain(&receipt["state"]),
        clipped(&plain(&receipt["raw"]), 120),
    ];
    words
        .into_iter()
        .filter(|it| !it.is_empty())
        .collect::<Vec<_>>()
        .join("  ")
}

/// What all attempts were expected to cost and have cost, where there are any.
fn cost(routing: &Value) -> Vec<String> {
    let currency = plain(&routing["currency"]);
    let row = |attempt: &Value| {
        let expected = plain(&attempt["costEstimated"]);
        let charged = plain(&attempt["cost"]);
        let charged = match (charged.is_empty(), attempt["state"].as_str()) {
            (false, _) => format!("charged {charged} {currency}"),
            (true, Some("failed")) => "not charged".to_owned(),
            (true, _) => "not charged yet".to_owned(),
        };
        format!(
            "{}. expected {expected} {currency}, {charged}",
            plain(&attempt["no"])
        )
    };
    items(routing, "attempts").map(row).collect()
}

fn items<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value[name].as_array().into_iter().flatten()
}

fn strings(value: &Value) -> Vec<String> {
    let texts = value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    texts.map(one_line).collect()
}

fn section(lines: &mut Vec<String>, title: &str, body: Vec<String>) {
    if !body.is_empty() {
        lines.push(String::new());
        lines.push(title.to_owned());
        lines.extend(body.into_iter().map(|it| format!("  {it}")));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_story_has_what_was_decided_tried_heard_and_paid() {
        let message = json!({"id": "msg_1", "status": "delivered", "direction": "outbound", "channel": "sms",
            "to": "+40712345678", "text": "Hello\nthere", "createdAt": "2026-11-22T10:00:00.000Z"});
        let routing = json!({
            "currency": "EUR",
            "decisions": [
                {"at": "t0", "explanation": ["WhatsApp was chosen: it is the cheapest."]},
                {"at": "2026-11-22T10:00:05.000Z", "explanation": ["SMS was chosen: it is the only viable channel."]},
            ],
            "attempts": [
                {"no": 1, "channel": "whatsapp", "route": "wa", "state": "failed", "failedAt": "t1", "costEstimated": 0.01,
                 "cost": null, "refusedBy": [], "resends": 0, "errorMessage": "not on WhatsApp"},
                {"no": 2, "channel": "sms", "route": "gw", "state": "delivered", "sentAt": "t2", "deliveredAt": "t3",
                 "costEstimated": 0.045, "cost": 0.045, "refusedBy": ["bulk"], "resends": 2},
            ],
            "receipts": [{"at": "t3", "attempt": 2, "state": "delivered", "raw": "stat:DELIVRD"}],
        });
        assert_eq!(
            lines(&message, &routing, &Zone::asked(true)),
            [
                "msg_1  delivered",
                "sms to +40712345678, 2026-11-22 10:00:00 UTC",
                "\"Hello there\"",
                "",
                "Why",
                "  WhatsApp was chosen: it is the cheapest.",
                "",
                "Then, at 10:00:05.000",
                "  SMS was chosen: it is the only viable channel.",
                "",
                "Attempts",
                "  1. whatsapp by wa is failed, failed t1, not on WhatsApp",
                "  2. sms by gw is delivered, taken t2, delivered t3, not taken by bulk, handed over again 2 times after an unknown outcome",
                "",
                "Receipts",
                "  t3  delivered  stat:DELIVRD",
                "",
                "Cost",
                "  1. expected 0.01 EUR, not charged",
                "  2. expected 0.045 EUR, charged 0.045 EUR",
            ]
        );
    }

    #[test]
    fn an_inbound_message_has_only_its_head() {
        let message = json!({"id": "msg_2", "status": "received", "direction": "inbound", "channel": "whatsapp",
            "from": "+40712345678", "createdAt": "soon"});
        assert_eq!(
            lines(&message, &json!({}), &Zone::asked(true)),
            ["msg_2  received", "whatsapp from +40712345678, soon"]
        );
    }
}
