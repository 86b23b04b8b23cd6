//! Does the API still know every message that it accepted, and has each ended?

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::http_client::{Connection, Target};
use crate::report;

/// Messages a page.
const PAGE: usize = 100;

#[derive(Debug, Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    items: Vec<Item<'a>>,
    #[serde(rename = "nextCursor")]
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Item<'a> {
    id: &'a str,
    status: &'a str,
    #[serde(rename = "receiptMissing", default)]
    receipt_missing: bool,
}

/// What the API says of the accepted messages.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Verdict {
    /// Messages in the journal.
    pub accepted: u64,
    /// Of these, unknown to the API.
    pub absent: u64,
    /// Of these, not at an end (R-LIFE-2).
    pub not_final: u64,
    /// Of these, by status.
    pub by_status: BTreeMap<String, u64>,
    /// Messages that the API knows and the journal does not.
    pub others: u64,
    /// Some of the absent and unended, for a look by hand.
    pub examples: Vec<String>,
    /// References of the absent and unended.
    #[serde(skip)]
    pub bad: Vec<u32>,
}

impl Verdict {
    /// Accepted messages that are not there or have not ended.
    pub fn lost(&self) -> u64 {
        self.absent + self.not_final
    }
}

/// Whether a message of this status has ended; `sent` has only once its receipt is given up.
fn is_final(status: &str, receipt_missing: bool) -> bool {
    matches!(status, "delivered" | "read" | "failed") || (status == "sent" && receipt_missing)
}

/// Reads every message of the project by pages and compares with `journal` (lines of reference and id).
pub async fn verify(target: &Target, journal: &str) -> anyhow::Result<Verdict> {
    let mut expected: HashMap<&str, (u32, bool)> = HashMap::new();
    for line in journal.lines() {
        let (reference, id) = line
            .split_once(' ')
            .with_context(|| format!("journal line `{line}`"))?;
        expected.insert(id, (reference.parse().context("journal reference")?, false));
    }
    let mut verdict = Verdict {
        accepted: expected.len() as u64,
        ..Verdict::default()
    };
    let mut connection = Connection::connect(target.address)
        .await
        .context("connect for verification")?;
    let mut cursor: Option<String> = None;
    let mut read = 0_usize;
    loop {
        let path = match &cursor {
            None => format!("/v1/messages?limit={PAGE}"),
            Some(cursor) => format!("/v1/messages?limit={PAGE}&cursor={}", percent(cursor)),
        };
        let answer = connection
            .get(target, &path)
            .await
            .with_context(|| format!("GET {path}"))?;
        if answer.status != 200 {
            bail!(
                "GET {path}: {} {}",
                answer.status,
                String::from_utf8_lossy(answer.body)
            );
        }
        let page: Page<'_> =
            serde_json::from_slice(answer.body).with_context(|| format!("read the page {path}"))?;
        read += page.items.len();
        for item in &page.items {
            verdict.meet(item, &mut expected);
        }
        if read % 10_000 < PAGE {
            report::progress(&format!("verified {read} messages"));
        }
        cursor = page.next_cursor;
        if cursor.is_none() || page.items.is_empty() {
            break;
        }
        if connection.is_closing() {
            connection = Connection::connect(target.address).await?;
        }
    }
    for (id, (reference, seen)) in expected {
        if !seen {
            verdict.absent += 1;
            verdict.note(reference, &format!("{id} (L{reference:07}) is absent"));
        }
    }
    Ok(verdict)
}

impl Verdict {
    fn note(&mut self, reference: u32, text: &str) {
        self.bad.push(reference);
        if self.examples.len() < 5 {
            self.examples.push(text.to_owned());
        }
    }

    fn meet(&mut self, item: &Item<'_>, expected: &mut HashMap<&str, (u32, bool)>) {
        let Some((reference, seen)) = expected.get_mut(item.id) else {
            self.others += 1;
            return;
        };
        // A page boundary may show a message twice while others arrive.
        if std::mem::replace(seen, true) {
            return;
        }
        *self.by_status.entry(item.status.to_owned()).or_default() += 1;
        if !is_final(item.status, item.receipt_missing) {
            let reference = *reference;
            self.not_final += 1;
            self.note(
                reference,
                &format!("{} (L{reference:07}) is {}", item.id, item.status),
            );
        }
    }
}

/// A cursor as a query value.
fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ends_are_final() {
        for (status, missing, want) in [
            ("delivered", false, true),
            ("read", false, true),
            ("failed", false, true),
            ("sent", true, true),
            ("sent", false, false),
            ("sending", false, false),
            ("queued", false, false),
        ] {
            assert_eq!(is_final(status, missing), want, "{status}");
        }
    }

    #[test]
    fn a_page_is_read_with_or_without_a_cursor() {
        let page: Page<'_> = serde_json::from_str(
            r#"{"items":[{"id":"msg_1","status":"sent","to":"+40"}],"nextCursor":null}"#,
        )
        .unwrap();
        assert_eq!(
            (
                page.items[0].id,
                page.items[0].receipt_missing,
                page.next_cursor
            ),
            ("msg_1", false, None)
        );
    }

    #[test]
    fn a_message_counts_once_and_strangers_are_others() {
        let mut verdict = Verdict::default();
        let mut expected = HashMap::from([("msg_1", (1, false))]);
        for (id, status) in [("msg_1", "sent"), ("msg_1", "sent"), ("msg_2", "sent")] {
            verdict.meet(
                &Item {
                    id,
                    status,
                    receipt_missing: false,
                },
                &mut expected,
            );
        }
        assert_eq!(
            (verdict.not_final, verdict.others, verdict.bad),
            (1, 1, vec![1])
        );
    }

    #[test]
    fn cursors_are_escaped() {
        assert_eq!(percent("a+b/c="), "a%2Bb%2Fc%3D");
    }
}
