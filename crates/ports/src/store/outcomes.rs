//! Which outcomes can an operation have? Those of which its caller must tell several apart have a type
//! of their own here; any other outcome breaks the contract.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "whatever else an outcome is, also one that comes later, breaks the contract"
)]

use domain::ids::{ContactId, MessageId};
use domain::model::money::Micros;
use domain::rules::due::Due;
use domain::rules::person::PersonRefusal;

use super::Unavailable;
use super::books::QuotaGone;
use super::operations::{Changed, Outcome};
use super::templates::TemplateOutcome;

/// What can become of an [`Accept`](super::operations::Accept).
#[derive(Debug, Clone)]
pub enum AcceptOutcome {
    /// The message is kept.
    Kept(Kept),
    /// See [`Outcome::AlreadyAccepted`].
    AlreadyAccepted {
        /// The message that the key was used for.
        original: MessageId,
        /// The first field that differs, when the request is not the same.
        differs: Option<Box<str>>,
    },
    /// See [`Outcome::OptedOut`].
    OptedOut,
    /// See [`Outcome::QuotaGone`].
    QuotaGone(QuotaGone),
    /// See [`Outcome::Fenced`].
    Fenced,
}

/// A message that was accepted, as the store keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Its id.
    pub message: MessageId,
    /// Its contact.
    pub contact: ContactId,
    /// What is due next.
    pub due: Option<Due>,
    /// What its first attempt is expected to cost, where one is under way.
    pub cost: Option<Micros>,
}

/// What can become of a [`PersonStep`](super::operations::PersonStep).
#[derive(Debug, Clone)]
pub enum PersonOutcome {
    /// The message changed.
    Changed(Changed),
    /// See [`Outcome::PersonRefused`].
    Refused(PersonRefusal),
    /// See [`Outcome::OptedOut`].
    OptedOut,
    /// The project has no such message.
    Missing,
}

impl Outcome {
    /// As that of an [`Accept`](super::operations::Accept).
    pub fn of_accept(self) -> Result<AcceptOutcome, Unavailable> {
        match self {
            Self::Accepted {
                message,
                contact,
                due,
                cost,
                ..
            } => Ok(AcceptOutcome::Kept(Kept {
                message,
                contact,
                due,
                cost,
            })),
            Self::AlreadyAccepted { original, differs } => {
                Ok(AcceptOutcome::AlreadyAccepted { original, differs })
            }
            Self::OptedOut => Ok(AcceptOutcome::OptedOut),
            Self::QuotaGone(gone) => Ok(AcceptOutcome::QuotaGone(gone)),
            Self::Fenced => Ok(AcceptOutcome::Fenced),
            other => Err(other.breaks_contract("Accept")),
        }
    }

    /// As that of a [`PersonStep`](super::operations::PersonStep).
    pub fn of_person(self) -> Result<PersonOutcome, Unavailable> {
        match self {
            Self::Changed(changed) => Ok(PersonOutcome::Changed(changed)),
            Self::PersonRefused(refusal) => Ok(PersonOutcome::Refused(refusal)),
            Self::OptedOut => Ok(PersonOutcome::OptedOut),
            Self::Missing => Ok(PersonOutcome::Missing),
            other => Err(other.breaks_contract("Person")),
        }
    }

    /// As that of an [`Op::Template`](super::Op::Template).
    pub fn of_template(self) -> Result<TemplateOutcome, Unavailable> {
        match self {
            Self::Template(outcome) => Ok(outcome),
            other => Err(other.breaks_contract("Template")),
        }
    }

    fn breaks_contract(&self, operation: &str) -> Unavailable {
        Unavailable::new(format_args!(
            "the store broke the contract of {operation} with {self:?}"
        ))
    }
}
