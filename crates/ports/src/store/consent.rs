//! Changes of consent that come by another way than a message (R-IN-2).

use domain::ids::{ContactId, ProjectKey, SenderKey};
use domain::model::address::Address;
use domain::model::channel::Channel;
use domain::model::consent::{ConsentChange, ConsentSource};
use domain::time::Timestamp;

/// Changes a person's consent towards senders, and remembers how that came about.
///
/// - The contact is the one with the address, or is made; by its id it must exist in the project:
///   else [`Outcome::Missing`](super::Outcome::Missing).
/// - The change is made by [`domain::rules::consent::change`] in the thread with each sender.
///   Where it changes something, it is kept with its time, source, channel and wording; where not,
///   nothing is written.
/// - The answer is [`Outcome::ConsentKept`](super::Outcome::ConsentKept) with the senders where it
///   changed something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Whose contact.
    pub project: ProjectKey,
    /// Who.
    pub who: ConsentSubject,
    /// Towards which senders.
    pub senders: Vec<SenderKey>,
    /// What changes.
    pub change: ConsentChange,
    /// Who told us.
    pub source: ConsentSource,
    /// On which channel it was said, where on one.
    pub channel: Option<Channel>,
    /// When.
    pub at: Timestamp,
}

/// Whose consent changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsentSubject {
    /// The person with this address.
    Address(Address),
    /// This contact.
    Contact(ContactId),
}
