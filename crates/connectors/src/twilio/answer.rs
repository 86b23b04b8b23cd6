//! What Twilio's answer to a submission means (reference: protocols 2.1, 2.4).

use domain::model::attempt::PartSet;
use domain::model::money::{Currency, Micros};
use domain::model::receipt::{PartReference, SubmitOutcome};
use domain::time::Millis;
use ports::connector::{Bill, Submission};
use serde_json::Value;

use super::codes::refusal;
use super::config::TwilioConfig;
use crate::web::protocol::{Answer, Answered};

/// The longest time that the provider is left alone at its request.
const RETRY_AFTER_MAX: i64 = 3_600;
/// Decimal places of a price that count.
const PLACES: usize = 6;

/// What the answer means.
pub(super) fn answered(
    config: &TwilioConfig,
    submission: &Submission,
    answer: &Answer,
) -> Answered {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if !(200..300).contains(&answer.status) {
        let code = body["code"].as_u64().and_then(|it| u32::try_from(it).ok());
        return Answered {
            retry_after: retry_after(answer),
            ..refusal(answer.status, code).into()
        };
    }
    // A success without an id is nothing that Twilio documents.
    let sid = body["sid"].as_str().unwrap_or_default();
    if sid.is_empty() {
        return Answered::from(SubmitOutcome::Unknown {
            references: Vec::new(),
        });
    }
    let references = vec![PartReference {
        part: PartSet::WHOLE,
        reference: sid.into(),
    }];
    let segments = body["num_segments"].as_str();
    let bill = bill(
        config,
        segments,
        body["price"].as_str(),
        body["price_unit"].as_str(),
    );
    Answered {
        bill: bill.filter(|it| it.amount.is_some() || it.segments != Some(submission.parts)),
        ..SubmitOutcome::Accepted { references }.into()
    }
}

fn retry_after(answer: &Answer) -> Option<Millis> {
    let seconds: i64 = answer.header("retry-after")?.trim().parse().ok()?;
    (seconds > 0).then(|| Millis::seconds(seconds.min(RETRY_AFTER_MAX)))
}

/// What Twilio says that it charges: its count of segments (0 while it is not known), and the price
/// (negative, and mostly not known yet) where that is in the project's currency.
pub(super) fn bill(
    config: &TwilioConfig,
    segments: Option<&str>,
    price: Option<&str>,
    unit: Option<&str>,
) -> Option<Bill> {
    let segments = segments
        .and_then(|it| it.trim().parse::<u16>().ok())
        .filter(|it| *it > 0);
    let unit = unit.and_then(|it| Currency::parse(&it.to_ascii_uppercase()));
    let amount = if unit.is_some() && unit == config.currency {
        price.and_then(micros)
    } else {
        None
    };
    (segments.is_some() || amount.is_some()).then_some(Bill { segments, amount })
}

/// A decimal number in millionths, without its sign; `None` where it is none.
fn micros(text: &str) -> Option<Micros> {
    let text = text.trim();
    let text = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |it: &str| it.bytes().all(|it| it.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let fraction: String = fraction
        .chars()
        .chain(std::iter::repeat('0'))
        .take(PLACES)
        .collect();
    let whole: i64 = whole.parse().ok()?;
    let fraction: i64 = fraction.parse().ok()?;
    Some(Micros(whole.checked_mul(1_000_000)?.checked_add(fraction)?))
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
