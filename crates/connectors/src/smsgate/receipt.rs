//! What a phone reports of messages, and how reports in any order become one state.
//!
//! Each change on the phone starts a report of its own, which carries the state at the time it is
//! sent; reports overtake each other and go backwards. So the further state wins, whatever the order
//! ([`HandingState`]'s own), and a message on which two reports disagree ends the same way always.

use domain::time::Timestamp;
use ports::store::phones::HandingState;
use serde::Deserialize;
use serde_json::Value;

/// A report: an item of the body of `PATCH /message`.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(super) struct Report {
    /// Our id of the message on the phone.
    pub(super) id: String,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    recipients: Option<Vec<Recipient>>,
    /// When each state was reached, by the phone's clock.
    #[serde(default)]
    states: Value,
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
struct Recipient {
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

impl Report {
    /// The state that it says, where it is one. Messages have one recipient each.
    pub(super) fn state(&self) -> Option<HandingState> {
        let whole = self.state.as_deref().and_then(state);
        let recipient = self.recipient().and_then(|it| it.state.as_deref());
        // Cancelling is known of the whole alone.
        match (whole, recipient.and_then(state)) {
            (Some(HandingState::Cancelled), _) => whole,
            (_, Some(recipient)) => Some(recipient),
            (whole, None) => whole,
        }
    }

    /// The latest time that the phone's clock was at when this was written.
    pub(super) fn latest(&self) -> Option<Timestamp> {
        let times = self.states.as_object()?.values();
        let times = times.filter_map(|it| it.as_str()?.parse::<jiff::Timestamp>().ok());
        let latest = times.max()?;
        Some(Timestamp::from_millis(latest.as_millisecond()))
    }

    /// What the phone says of an error. It may stand beside a success.
    pub(super) fn error(&self) -> Option<&str> {
        self.recipient()?.error.as_deref()
    }

    /// The phone's own words, for the record.
    pub(super) fn raw(&self) -> String {
        let state = self.state.as_deref().unwrap_or("?");
        match self.error() {
            Some(error) => format!("smsgate {state}: {error}"),
            None => format!("smsgate {state}"),
        }
    }

    fn recipient(&self) -> Option<&Recipient> {
        self.recipients.as_deref()?.first()
    }
}

/// The words of the protocol. `Cancelling` says nothing new.
fn state(word: &str) -> Option<HandingState> {
    match word {
        "Pending" => Some(HandingState::Pending),
        "Processed" => Some(HandingState::Processed),
        "Sent" => Some(HandingState::Sent),
        "Delivered" => Some(HandingState::Delivered),
        "Failed" => Some(HandingState::Failed),
        "Cancelled" => Some(HandingState::Cancelled),
        _ => None,
    }
}

/// The state after a report.
pub(super) fn merged(known: HandingState, reported: HandingState) -> HandingState {
    known.max(reported)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_state() -> impl Strategy<Value = HandingState> {
        proptest::sample::select(HandingState::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn any_order_and_repetition_of_reports_ends_in_the_same_state(
            reports in proptest::collection::vec(any_state(), 1..12),
            seed in any::<u64>(),
        ) {
            let fold = |reports: &[HandingState]| {
                reports.iter().fold(HandingState::Offered, |known, it| merged(known, *it))
            };
            let mut shuffled = reports.clone();
            let mut random = seed;
            for at in (1..shuffled.len()).rev() {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let other = usize::try_from(random >> 33).unwrap() % (at + 1);
                shuffled.swap(at, other);
            }
            shuffled.extend(reports.iter().take(2).copied());
            prop_assert_eq!(fold(&reports), fold(&shuffled));
        }
    }

    #[test]
    fn a_late_step_back_changes_nothing_and_delivery_beats_failure() {
        use HandingState::{Delivered, Failed, Processed, Sent};
        assert_eq!(merged(Sent, Processed), Sent);
        assert_eq!(merged(Delivered, Sent), Delivered);
        assert_eq!(merged(Failed, Sent), Failed);
        assert_eq!(merged(Failed, Delivered), Delivered);
        assert_eq!(merged(Delivered, Failed), Delivered);
    }

    #[test]
    fn a_report_is_read_by_its_recipient_and_an_error_beside_a_success_is_no_failure() {
        let report = |text: &str| serde_json::from_str::<Report>(text).unwrap();
        let delivered = report(
            r#"{"id":"a","state":"Delivered","recipients":[{"phoneNumber":"+40721000001",
                "state":"Delivered","error":"Delivery result: 2"}],"states":{}}"#,
        );
        assert_eq!(delivered.state(), Some(HandingState::Delivered));
        assert_eq!(delivered.error(), Some("Delivery result: 2"));
        let cancelled =
            report(r#"{"id":"a","state":"Cancelled","recipients":[{"state":"Pending"}]}"#);
        assert_eq!(cancelled.state(), Some(HandingState::Cancelled));
        assert_eq!(report(r#"{"id":"a","state":"Cancelling"}"#).state(), None);
        assert_eq!(
            report(r#"{"id":"a","state":"Sent"}"#).state(),
            Some(HandingState::Sent)
        );
        assert_eq!(report(r#"{"id":"a"}"#).state(), None);
    }
}
