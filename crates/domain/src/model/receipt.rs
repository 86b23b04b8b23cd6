//! Receipts: what a provider later says of a submission.

use crate::model::failure::Failure;

/// What a receipt says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReceiptState {
    /// On its way; says nothing final (`ENROUTE`, `ACCEPTD`, WhatsApp `sent`).
    InTransit,
    /// The recipient's device has it.
    Delivered,
    /// The recipient has seen it.
    Read,
    /// It will not arrive.
    Failed(Failure),
}

impl ReceiptState {
    /// The word for the store and the API.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InTransit => "in_transit",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed(_) => "failed",
        }
    }
}

/// What became of handing an attempt to a route.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SubmitOutcome {
    /// The provider took every part that was handed over, under these names, by part index.
    Accepted {
        /// The provider's names: receipts will carry them.
        references: Vec<PartReference>,
    },
    /// The provider took some parts and refused or could not take another (R-PARTS).
    PartlyAccepted {
        /// The parts it took.
        references: Vec<PartReference>,
        /// Why the next part was not taken.
        failure: Failure,
        /// Whether the rest may be tried again on this route.
        retriable: bool,
    },
    /// The provider certainly did not take it, and another route may (R-ROUTE-4).
    NotAccepted(Failure),
    /// It will never work for this recipient or content on this channel.
    Rejected(Failure),
    /// It may or may not have been taken (R-ROUTE-5).
    Unknown {
        /// Parts that are known to be taken.
        references: Vec<PartReference>,
    },
}

/// The provider's name for one part of a submission.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PartReference {
    /// Index of the part, from zero; [`PartSet::WHOLE`](super::attempt::PartSet::WHOLE) where it
    /// names the whole message.
    pub part: u16,
    /// The provider's id: opaque text, compared as the connector normalised it.
    pub reference: Box<str>,
}
