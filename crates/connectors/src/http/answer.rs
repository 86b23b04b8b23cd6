//! What the answer to a submission means, by the description's rules.
//!
//! Where no rule fits, HTTP itself speaks: it says what was certainly not taken. Everything else that
//! is not documented is unknown, never success.

use std::borrow::Cow;

use domain::model::attempt::PartSet;
use domain::model::failure::Failure;
use domain::model::receipt::{PartReference, SubmitOutcome};
use domain::time::Millis;
use ports::connector::{Bill, Submission};
use serde_json::Value;

use super::money;
use super::place::Document;
use super::provider::Route;
use super::spec::OkSpec;
use super::submit::reference;
use super::words::Outcome;
use crate::web::protocol::{Answer, Answered};

/// Characters of a provider's words that are kept.
const WORDS: usize = 200;

/// What became of one entry of the answer, or of the answer as a whole.
enum Entry {
    Taken(Box<str>),
    Refused(SubmitOutcome, bool),
    Unclear,
}

/// Reads an answer.
pub(super) fn read(route: &Route, submission: &Submission, answer: &Answer) -> Answered {
    let ok = &route.provider.send.ok;
    let tree = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    let document = Document {
        tree: Cow::Borrowed(&tree),
        query: "",
        headers: answer
            .headers
            .iter()
            .map(|it| (&*it.0, Cow::Borrowed(&*it.1)))
            .collect(),
        text: String::from_utf8_lossy(&answer.body),
    };
    let is_good = if ok.http.is_empty() {
        (200..300).contains(&answer.status)
    } else {
        ok.http.iter().any(|it| it.has(answer.status))
    };
    let items = ok.items.as_deref().filter(|_| is_good);
    let items = items
        .and_then(|it| tree.pointer(it))
        .and_then(Value::as_array);
    let entries: Vec<(Document<'_>, Entry)> = match items {
        Some(items) if !items.is_empty() => items
            .iter()
            .map(|it| document.item(it))
            .map(|it| {
                let entry = entry(route, submission, answer, &it, is_good);
                (it, entry)
            })
            .collect(),
        Some(_) | None => {
            // An answer of success without the list that it should have is not success.
            let is_good = is_good && ok.items.is_none();
            let entry = entry(route, submission, answer, &document, is_good);
            vec![(document, entry)]
        }
    };
    conclude(route, submission, answer, &entries)
}

fn entry(
    route: &Route,
    submission: &Submission,
    answer: &Answer,
    document: &Document<'_>,
    is_good: bool,
) -> Entry {
    let ok = &route.provider.send.ok;
    let id = || {
        if ok.id.0.is_empty() {
            Some(reference(submission.key).into())
        } else {
            document.read(&ok.id).map(Into::into)
        }
    };
    let holds = ok
        .condition
        .as_ref()
        .is_none_or(|it| it.holds(document.read(&it.place).as_deref()));
    if is_good && holds {
        return id().map_or(Entry::Unclear, Entry::Taken);
    }
    let error = &route.provider.send.error;
    let code = document.read(&error.code);
    let (outcome, recipient_only) = meaning(route, answer.status, code.as_deref());
    if outcome == Outcome::Accepted {
        return id().map_or(Entry::Unclear, Entry::Taken);
    }
    let code = code.unwrap_or_else(|| format!("http_{}", answer.status).into());
    let words = words(submission, document.read(&error.message).as_deref());
    outcome
        .refuse(&code, &words)
        .map_or(Entry::Unclear, |it| Entry::Refused(it, recipient_only))
}

/// What a status and a code mean, and whether a pause concerns the recipient only.
fn meaning(route: &Route, status: u16, code: Option<&str>) -> (Outcome, bool) {
    let rule = route.provider.send.rules.iter().find(|rule| {
        let codes = &rule.code.0;
        let has_code = codes.is_empty() || codes.iter().any(|it| Some(&**it) == code);
        has_code && (rule.http.is_empty() || rule.http.iter().any(|it| it.has(status)))
    });
    match rule {
        Some(rule) => (rule.outcome, rule.recipient_only),
        None => (by_http(status), false),
    }
}

/// What HTTP says of a status (RFC 9110, 15.5 and 15.6; RFC 6585).
///
/// A request that timed out (408) or met another of the same key (409), and what a gateway says of a
/// server that it did not hear (502, 504), leave open whether it was carried out.
fn by_http(status: u16) -> Outcome {
    let word = match status {
        429 => "throttled",
        401..=403 => "config",
        408 | 409 => "unknown",
        400..=499 | 500 | 503 => "retry",
        _ => "unknown",
    };
    Outcome::of(word).unwrap_or(Outcome::Unknown)
}

/// The provider's words, cut, and never the message's text.
fn words(submission: &Submission, words: Option<&str>) -> String {
    let text = submission.content.plain_text().unwrap_or_default();
    let words = words.filter(|it| text.is_empty() || !it.contains(text));
    let words: String = words.unwrap_or_default().chars().take(WORDS).collect();
    if words.is_empty() {
        "The provider refused the message.".to_owned()
    } else {
        words
    }
}

fn conclude(
    route: &Route,
    submission: &Submission,
    answer: &Answer,
    entries: &[(Document<'_>, Entry)],
) -> Answered {
    let ok = &route.provider.send.ok;
    let mut references = Vec::new();
    let mut refused = None;
    let mut is_clear = true;
    // Entries that are not as many as our parts cannot be told apart by index: each speaks for all.
    let is_by_part = ok.items.is_some() && entries.len() == usize::from(submission.parts);
    for (index, (_, entry)) in entries.iter().enumerate() {
        match entry {
            Entry::Taken(id) => references.push(PartReference {
                part: match u16::try_from(index) {
                    Ok(index) if is_by_part => index,
                    Ok(_) | Err(_) => PartSet::WHOLE,
                },
                reference: id.clone(),
            }),
            Entry::Refused(outcome, recipient_only) if refused.is_none() => {
                refused = Some((outcome, *recipient_only));
            }
            Entry::Refused(..) => {}
            Entry::Unclear => is_clear = false,
        }
    }
    let recipient_only = refused.is_some_and(|it| it.1);
    let outcome = match refused {
        _ if !is_clear => SubmitOutcome::Unknown { references },
        None => SubmitOutcome::Accepted { references },
        Some((outcome, _)) if references.is_empty() => outcome.clone(),
        // What is left cannot be sent alone, so the attempt has failed (R-PARTS).
        Some((outcome, _)) => match failure(outcome) {
            Some(failure) => SubmitOutcome::PartlyAccepted {
                references,
                failure: failure.clone(),
                retriable: false,
            },
            None => SubmitOutcome::Unknown { references },
        },
    };
    Answered {
        bill: bill(route, ok, &outcome, entries),
        outcome,
        retry_after: retry_after(answer),
        recipient_only,
    }
}

const fn failure(outcome: &SubmitOutcome) -> Option<&Failure> {
    match outcome {
        SubmitOutcome::NotAccepted(failure) | SubmitOutcome::Rejected(failure) => Some(failure),
        SubmitOutcome::Accepted { .. }
        | SubmitOutcome::PartlyAccepted { .. }
        | SubmitOutcome::Unknown { .. } => None,
    }
}

/// What the provider charges for the entries that it took.
fn bill(
    route: &Route,
    ok: &OkSpec,
    outcome: &SubmitOutcome,
    entries: &[(Document<'_>, Entry)],
) -> Option<Bill> {
    if !matches!(outcome, SubmitOutcome::Accepted { .. }) {
        return None;
    }
    let first = &entries.first()?.0;
    let segments = match &ok.items {
        Some(_) => u16::try_from(entries.len()).ok(),
        None => first.read(&ok.segments).and_then(|it| it.parse().ok()),
    };
    let prices = entries
        .iter()
        .map(|it| money::price(ok.price.as_ref(), &it.0, segments, route.currency));
    let amount = prices.reduce(|sum, it| Some(sum?.plus(it?)))?;
    let bill = Bill { segments, amount };
    (segments.is_some() || amount.is_some()).then_some(bill)
}

/// Seconds only: the date that HTTP also allows nobody sends.
fn retry_after(answer: &Answer) -> Option<Millis> {
    let seconds: u32 = answer.header("retry-after")?.trim().parse().ok()?;
    Some(Millis::seconds(i64::from(seconds)))
}
