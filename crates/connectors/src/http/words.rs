//! The words in which a description says what an answer or a receipt means.

use std::borrow::Cow;

use domain::model::failure::{Failure, FailureClass};
use domain::model::receipt::{ReceiptState, SubmitOutcome};
use serde::de::{Deserialize, Deserializer, Error};

/// What an answer to a submission means.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// The provider took it.
    Accepted,
    /// Nobody knows.
    Unknown,
    /// The provider certainly did not take it, and another route may (R-ROUTE-4).
    NotTaken(FailureClass),
    /// It fails on this channel for good.
    ForGood(FailureClass),
}

use Outcome::{ForGood, NotTaken};

/// Word, what it means for a submission. The class is what it means for a receipt that says failed.
pub const OUTCOMES: &[(&str, Outcome)] = &[
    ("accepted", Outcome::Accepted),
    ("unknown", Outcome::Unknown),
    ("throttled", NotTaken(FailureClass::Throttled)),
    ("retry", NotTaken(FailureClass::RouteFault)),
    ("config", NotTaken(FailureClass::AccountFault)),
    ("sender", NotTaken(FailureClass::SenderFault)),
    ("rejected", ForGood(FailureClass::Undeliverable)),
    ("absent", ForGood(FailureClass::RecipientAbsent)),
    ("incapable", ForGood(FailureClass::RecipientIncapable)),
    ("invalid_recipient", ForGood(FailureClass::RecipientInvalid)),
    ("opted_out", ForGood(FailureClass::OptedOut)),
    ("blocked", ForGood(FailureClass::ContentBlocked)),
    ("window_closed", ForGood(FailureClass::WindowClosed)),
    ("template", ForGood(FailureClass::TemplateFault)),
    ("payload", ForGood(FailureClass::InvalidRequest)),
    ("expired", ForGood(FailureClass::Expired)),
];

/// What a status of a receipt means.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ReceiptWord {
    /// Nothing that anybody needs to know.
    Ignore,
    /// On its way.
    InTransit,
    /// Delivered.
    Delivered,
    /// Read.
    Read,
    /// It will not arrive, for this reason unless the error code says more.
    Failed(FailureClass),
}

/// Words of receipts; beside them, the words of [`OUTCOMES`] that name a failure.
pub const RECEIPTS: &[(&str, ReceiptWord)] = &[
    ("ignore", ReceiptWord::Ignore),
    ("in_transit", ReceiptWord::InTransit),
    ("delivered", ReceiptWord::Delivered),
    ("read", ReceiptWord::Read),
    ("failed", ReceiptWord::Failed(FailureClass::Undeliverable)),
];

/// Why something failed, as a receipt's error code tells it: a word of [`OUTCOMES`] that names a
/// failure.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Reason(pub FailureClass);

impl Outcome {
    /// The outcome with this word.
    pub fn of(word: &str) -> Option<Self> {
        OUTCOMES.iter().find(|it| it.0 == word).map(|it| it.1)
    }

    /// The failure that it is, where it is one.
    pub const fn class(self) -> Option<FailureClass> {
        match self {
            Self::Accepted | Self::Unknown => None,
            NotTaken(class) | ForGood(class) => Some(class),
        }
    }

    /// The outcome of a submission that is refused so; `None` for what is no refusal.
    pub(super) fn refuse(self, code: &str, text: &str) -> Option<SubmitOutcome> {
        let failure = |class| Failure::new(class, code, text);
        match self {
            Self::Accepted | Self::Unknown => None,
            NotTaken(class) => Some(SubmitOutcome::NotAccepted(failure(class))),
            ForGood(class) => Some(SubmitOutcome::Rejected(failure(class))),
        }
    }
}

impl ReceiptWord {
    /// The meaning of this word.
    pub fn of(word: &str) -> Option<Self> {
        let own = RECEIPTS.iter().find(|it| it.0 == word).map(|it| it.1);
        own.or_else(|| Outcome::of(word)?.class().map(Self::Failed))
    }

    /// What the receipt says, given the provider's status and the reason that its error code stands
    /// for; `None` where it is to be ignored.
    pub(super) fn state(
        self,
        status: &str,
        error: Option<&str>,
        reason: Option<FailureClass>,
    ) -> Option<ReceiptState> {
        match self {
            Self::Ignore => None,
            Self::InTransit => Some(ReceiptState::InTransit),
            Self::Delivered => Some(ReceiptState::Delivered),
            Self::Read => Some(ReceiptState::Read),
            Self::Failed(class) => {
                let class = reason.unwrap_or(class);
                let text = receipt_text(class);
                let code = error.unwrap_or(status);
                Some(ReceiptState::Failed(Failure::new(class, code, text)))
            }
        }
    }
}

/// A sentence for a person.
const fn receipt_text(class: FailureClass) -> &'static str {
    match class {
        FailureClass::RecipientAbsent => "The recipient could not be reached.",
        FailureClass::RecipientInvalid => "The network does not know the recipient.",
        FailureClass::RecipientIncapable => "The recipient cannot receive text messages.",
        FailureClass::Expired => "The message expired before it could be delivered.",
        FailureClass::ContentBlocked => "The provider or the network blocked the message.",
        FailureClass::OptedOut => "The recipient opted out at the provider.",
        FailureClass::AccountFault => "The account at the provider does not allow the message.",
        FailureClass::SenderFault => "The network does not allow the sender.",
        FailureClass::InvalidRequest => "The provider found a fault in the message.",
        FailureClass::RouteFault | FailureClass::Throttled => {
            "The provider or the network could not carry the message."
        }
        FailureClass::Undeliverable
        | FailureClass::WindowClosed
        | FailureClass::TemplateFault
        | FailureClass::NoRoute
        | FailureClass::UnknownOutcome => "The message could not be delivered.",
    }
}

/// The words, for an error message.
fn listed<T>(table: &[(&str, T)]) -> String {
    let words: Vec<&str> = table.iter().map(|it| it.0).collect();
    words.join(", ")
}

impl<'de> Deserialize<'de> for Outcome {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = <Cow<'de, str>>::deserialize(deserializer)?;
        Self::of(&word).ok_or_else(|| {
            let words = listed(OUTCOMES);
            D::Error::custom(format!("{word:?} is no outcome; the words are {words}"))
        })
    }
}

impl<'de> Deserialize<'de> for ReceiptWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = <Cow<'de, str>>::deserialize(deserializer)?;
        Self::of(&word).ok_or_else(|| {
            let words = format!("{}, {}", listed(RECEIPTS), listed(&OUTCOMES[2..]));
            D::Error::custom(format!(
                "{word:?} is no word of receipts; the words are {words}"
            ))
        })
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = <Cow<'de, str>>::deserialize(deserializer)?;
        let class = Outcome::of(&word).and_then(Outcome::class);
        class.map(Self).ok_or_else(|| {
            let words = listed(&OUTCOMES[2..]);
            D::Error::custom(format!("{word:?} is no reason; the words are {words}"))
        })
    }
}

/// What a setting must look like.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Part of a host name between dots: it cannot make another host of the one that it stands in.
    HostLabel,
    /// Letters, digits, dashes and underscores.
    Word,
}

impl Form {
    /// Whether a setting looks like that.
    pub fn fits(self, text: &str) -> bool {
        match self {
            Self::HostLabel => {
                (1..=63).contains(&text.len())
                    && !text.starts_with('-')
                    && !text.ends_with('-')
                    && text
                        .bytes()
                        .all(|it| it.is_ascii_alphanumeric() || it == b'-')
            }
            Self::Word => {
                !text.is_empty()
                    && text
                        .bytes()
                        .all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it))
            }
        }
    }

    /// That, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::HostLabel => "one part of a host name: letters, digits and dashes",
            Self::Word => "letters, digits, dashes and underscores",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_stands_once_and_those_of_failures_follow_the_others() {
        let mut words: Vec<&str> = OUTCOMES.iter().map(|it| it.0).collect();
        words.extend(RECEIPTS.iter().map(|it| it.0));
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count);
        assert!(OUTCOMES[2..].iter().all(|it| it.1.class().is_some()));
    }

    #[test]
    fn only_a_word_of_acceptance_is_no_refusal() {
        for (word, outcome) in OUTCOMES {
            let is_refusal = outcome.refuse("1", "no").is_some();
            assert_eq!(
                is_refusal,
                !matches!(*word, "accepted" | "unknown"),
                "{word}"
            );
        }
    }

    #[test]
    fn an_error_code_says_more_than_the_status() {
        let failed = ReceiptWord::of("failed").unwrap();
        let state = failed.state("undelivered", Some("200"), Some(FailureClass::OptedOut));
        assert!(matches!(state, Some(ReceiptState::Failed(it))
            if it.class == FailureClass::OptedOut && &*it.code == "200"));
        assert_eq!(ReceiptWord::Ignore.state("x", None, None), None);
    }
}
