//! Changes of consent that come by another way than a message (R-IN-2).

use domain::ids::{ContactId, ProjectKey, SenderKey};
use domain::model::address::Address;
use domain::model::channel::Channel;
use domain::model::consent::{ConsentChange, ConsentSource};
use domain::time::Timestamp;

/// Changes a person's consent towards senders or the whole project, and remembers how that came
/// about.
///
/// - The contact is the one with the address, or is made; by its id it must exist in the project:
///   else [`Outcome::Missing`](super::Outcome::Missing).
/// - The change is made by [`domain::rules::consent::change`] in the thread with each sender.
///   Where it changes something, it is kept with its time, source, channel and wording; where not,
///   nothing is written.
/// - Towards the project, it is made in what the contact told the project, which holds for every
///   sender without a thread, also one that is made later; and in every thread that there is. Where
///   it changes something in either, it is kept once, without a sender.
/// - A thread begins as the contact stands towards the project, and goes its own way from there: what
///   is said to one sender later counts for that one.
/// - The answer is [`Outcome::ConsentKept`](super::Outcome::ConsentKept) with what it changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Whose contact.
    pub project: ProjectKey,
    /// Who.
    pub who: ConsentSubject,
    /// Towards whom.
    pub towards: Towards,
    /// What changes.
    pub change: ConsentChange,
    /// Who told us.
    pub source: ConsentSource,
    /// On which channel it was said, where on one.
    pub channel: Option<Channel>,
    /// When.
    pub at: Timestamp,
}

/// Towards whom consent changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Towards {
    /// These senders.
    Senders(Vec<SenderKey>),
    /// Every sender of the project, also those that are made later.
    Project,
}

/// Whose consent changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsentSubject {
    /// The person with this address.
    Address(Address),
    /// This contact.
    Contact(ContactId),
}
