//! Contacts as the API reads and changes them.

use domain::ids::{ContactId, ProjectKey, SenderKey};
use domain::model::contact::{AddressKind, ChannelMetrics};
use domain::phone::PhoneNumber;
use domain::time::Timestamp;

/// A contact as the API shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContactView {
    /// Its id.
    pub id: ContactId,
    /// What people call it.
    pub display_name: Option<Box<str>>,
    /// The channel that its owner prefers; for show, no rule asks.
    pub default_channel: Option<AddressKind>,
    /// The number that it was made for or that is primary; `None` for e-mail-only contacts.
    pub phone: Option<PhoneNumber>,
    /// The owner's own data as JSON text.
    pub metadata: Option<Box<str>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Its addresses. A contact made by a message has one for each phone-addressed channel.
    pub channels: Vec<ContactChannelView>,
    /// The senders that it opted out of (R-IN-2).
    pub opted_out: OptedOut,
}

/// The senders that a contact opted out of.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OptedOut {
    /// Those with a thread, in the order of their keys.
    pub senders: Vec<SenderKey>,
    /// Whether of every sender of the project, also of those that are made later.
    pub project: bool,
    /// Then, those of which it did not, in the order of their keys.
    pub except: Vec<SenderKey>,
}

impl OptedOut {
    /// Whether it is out of this one.
    pub fn covers(&self, sender: SenderKey) -> bool {
        self.senders.contains(&sender) || self.project && !self.except.contains(&sender)
    }

    /// Whether it is out of any.
    pub const fn is_any(&self) -> bool {
        self.project || !self.senders.is_empty()
    }
}

/// One address of a contact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContactChannelView {
    /// Its id: `ch_…`.
    pub id: Box<str>,
    /// The kind of address.
    pub kind: AddressKind,
    /// The address.
    pub identifier: Box<str>,
    /// Whether it is the first choice of its kind.
    pub is_primary: bool,
    /// Whether somebody vouched for it.
    pub verified: bool,
    /// A name for it.
    pub label: Option<Box<str>>,
    /// The owner's own data as JSON text.
    pub metadata: Option<Box<str>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Delivery record of the contact on this channel (R-METRIC-1).
    pub metrics: ChannelMetrics,
    /// The newest inbound message on it; it drives the 24-hour window.
    pub last_inbound_at: Option<Timestamp>,
    /// Until when the contact counts as not having the channel.
    pub incapable_until: Option<Timestamp>,
}

/// The id of a contact's address: derived from the contact and a hash (FNV-1a) of kind and
/// identifier, so that no store needs an index for it. Unique within the contact.
pub fn channel_id(contact: ContactId, kind: AddressKind, identifier: &str) -> Box<str> {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in kind.code().bytes().chain([0]).chain(identifier.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    let contact = contact.to_string();
    let digits = contact
        .trim_start_matches(|it: char| it != '_')
        .trim_start_matches('_');
    format!("ch_{digits}{hash:016x}").into()
}

/// An address to be added.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewAddress {
    /// The kind.
    pub kind: AddressKind,
    /// The address; a phone number is in E.164.
    pub identifier: Box<str>,
    /// Whether it becomes the first choice of its kind. The first of a kind always is.
    pub is_primary: bool,
    /// A name for it.
    pub label: Option<Box<str>>,
}

/// A change to a contact, by the API.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ContactChange {
    /// Makes a contact with these addresses. What the contact that had one of them and was erased
    /// wanted no more holds for this one, however the address comes to it. `AddressTaken` when another contact has one of them;
    /// a phone number is one person's on all channels (R-IN-3).
    Create {
        /// What people call it.
        display_name: Option<Box<str>>,
        /// The owner's own data as JSON text.
        metadata: Option<Box<str>>,
        /// 1 to 20 addresses.
        addresses: Vec<NewAddress>,
    },
    /// Changes what is `Some`; the inner `None` clears.
    Update {
        /// Which.
        contact: ContactId,
        /// What people call it.
        display_name: Option<Option<Box<str>>>,
        /// Preferred channel.
        default_channel: Option<Option<AddressKind>>,
        /// The owner's own data as JSON text.
        metadata: Option<Option<Box<str>>>,
    },
    /// Erases the contact, its addresses, metrics and threads; messages stay, without it. What it
    /// wanted no more is remembered for its addresses, in a form that does not tell them.
    Delete {
        /// Which.
        contact: ContactId,
    },
    /// Moves addresses, messages, threads and metrics of `source` to `target` and erases `source`.
    /// Towards each sender, what either of them wanted no more stays unwanted.
    Merge {
        /// The one that stays.
        target: ContactId,
        /// The one that goes.
        source: ContactId,
    },
    /// Adds an address. `AddressTaken` when this or another contact has it.
    AddChannel {
        /// To which contact.
        contact: ContactId,
        /// The address.
        address: NewAddress,
    },
    /// Changes what is `Some`; the inner `None` clears.
    UpdateChannel {
        /// Of which contact.
        contact: ContactId,
        /// Which address (`ch_…`).
        channel: Box<str>,
        /// Its name.
        label: Option<Option<Box<str>>>,
        /// Whether somebody vouched for it.
        verified: Option<bool>,
        /// The owner's own data as JSON text.
        metadata: Option<Option<Box<str>>>,
    },
    /// Makes it the first choice of its kind.
    MakePrimary {
        /// Of which contact.
        contact: ContactId,
        /// Which address (`ch_…`).
        channel: Box<str>,
    },
    /// Removes an address. `LastAddress` when it is the only one.
    RemoveChannel {
        /// Of which contact.
        contact: ContactId,
        /// Which address (`ch_…`).
        channel: Box<str>,
    },
}

/// What became of a change to a contact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ContactOutcome {
    /// Done; the contact as it is now.
    Done(Box<ContactView>),
    /// Done; the contact is gone.
    Gone,
    /// There is no such contact.
    NoSuchContact,
    /// The contact has no such address.
    NoSuchChannel,
    /// Another contact, or this one, has the address.
    AddressTaken {
        /// The kind of address.
        kind: AddressKind,
        /// Whose it is.
        holder: ContactId,
    },
    /// It is the contact's only address.
    LastAddress,
    /// A contact cannot be merged with itself.
    SameContact,
}

/// Which contacts to list, newest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContactFilter {
    /// Whose.
    pub project: ProjectKey,
    /// Only the one with this number.
    pub phone: Option<PhoneNumber>,
    /// Only those whose name, number or other address contains this text.
    pub search: Option<Box<str>>,
    /// Only made before this one.
    pub before: Option<ContactId>,
    /// At most so many.
    pub limit: u16,
}
