//! Team phones (R-PHONE-1): what is kept of each, who may become one, and what it was handed.
//!
//! The connector of a pool of phones owns all of it and keeps the whole of a thing whenever it
//! changed; nothing here is a step of the line.

use std::sync::Arc;

use domain::ids::{MessageId, RouteKey};
use domain::model::address::Address;
use domain::time::Timestamp;

/// A secret that phones sign with. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey(Box<str>);

impl SigningKey {
    /// The key with this text.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// Its text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// A SIM card of a phone, as the phone describes it: mostly masked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SimCard {
    /// Its number in the phone, from 1.
    pub number: u8,
    /// Its telephone number; often all but the last digits are stars, or it is unknown.
    pub phone_number: Option<Box<str>>,
    /// Its carrier.
    pub carrier: Option<Box<str>>,
}

/// How a phone is, by its own word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PhoneHealth {
    /// `pass`, `warn` or `fail`.
    pub status: Box<str>,
    /// The version of its app.
    pub version: Option<Box<str>>,
    /// Its battery, in percent.
    pub battery: Option<u8>,
    /// When it said so.
    pub at: Timestamp,
}

/// A phone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PhoneRecord {
    /// Its id: ours, at most 21 characters.
    pub id: Arc<str>,
    /// The route of its pool.
    pub route: RouteKey,
    /// What people call it.
    pub name: Box<str>,
    /// SHA-256 of its token.
    pub token_hash: [u8; 32],
    /// SHA-256 of the token that it was paired with: the same phone may come again with it for a
    /// few minutes, should our answer have been lost.
    pub paired_by: [u8; 32],
    /// What it signs its webhooks with; kept sealed (R-SEC).
    pub signing_key: SigningKey,
    /// Its SIM cards.
    pub sims: Vec<SimCard>,
    /// The SIM cards that may send; empty is the first.
    pub may_send: Vec<u8>,
    /// Text messages an hour that each of its SIM cards may send; `None` is the route's figure.
    pub per_hour: Option<u32>,
    /// The same a day.
    pub per_day: Option<u32>,
    /// When it was paired.
    pub created_at: Timestamp,
    /// When it was last heard of.
    pub seen_at: Timestamp,
    /// When it last asked which webhooks it has.
    pub hooks_at: Option<Timestamp>,
    /// When it last asked for its settings.
    pub settings_at: Option<Timestamp>,
    /// How it is.
    pub health: Option<PhoneHealth>,
    /// When it was sent away for good.
    pub revoked_at: Option<Timestamp>,
}

/// A permission to become a phone of a pool.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PairingRecord {
    /// SHA-256 of its token: the id of the row.
    pub token_hash: [u8; 32],
    /// SHA-256 of its six digits.
    pub code_hash: [u8; 32],
    /// The route of the pool.
    pub route: RouteKey,
    /// What the phone is to be called; `None` is as it calls itself.
    pub name: Option<Box<str>>,
    /// Until when it can be used.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
}

/// How far a message on a phone is. In this order a report never leads back, whatever the order in
/// which reports come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum HandingState {
    /// Offered; nobody knows whether the phone has fetched it.
    Offered,
    /// The phone has it.
    Pending,
    /// The phone gave it to Android.
    Processed,
    /// Taken back: the phone never saw it, or its time on the phone is over.
    Withdrawn,
    /// The phone says that it will not send it.
    Cancelled,
    /// It left the phone.
    Sent,
    /// It failed.
    Failed,
    /// It arrived.
    Delivered,
}

impl HandingState {
    /// Every state, in order.
    pub const ALL: [Self; 8] = [
        Self::Offered,
        Self::Pending,
        Self::Processed,
        Self::Withdrawn,
        Self::Cancelled,
        Self::Sent,
        Self::Failed,
        Self::Delivered,
    ];

    /// The word for the store.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Pending => "pending",
            Self::Processed => "processed",
            Self::Withdrawn => "withdrawn",
            Self::Cancelled => "cancelled",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
        }
    }

    /// The state with this [`code`](Self::code).
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }

    /// Whether the phone may still send it.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Offered | Self::Pending | Self::Processed)
    }
}

/// A message that was handed to a phone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Handing {
    /// Its id between the phone and us: new each time, since a phone sends no id twice.
    pub id: Box<str>,
    /// The route of the pool.
    pub route: RouteKey,
    /// Which phone.
    pub phone: Arc<str>,
    /// Which SIM card; `None` is the phone's choice.
    pub sim: Option<u8>,
    /// Which message.
    pub message: MessageId,
    /// Which attempt of it.
    pub attempt: u8,
    /// To whom.
    pub to: Address,
    /// What it says; emptied when the phone cannot send it any more.
    pub text: Box<str>,
    /// Number of parts.
    pub parts: u16,
    /// How far it is.
    pub state: HandingState,
    /// Whether the phone was asked not to send it.
    pub cancelling: bool,
    /// When it was handed.
    pub handed_at: Timestamp,
    /// After this the phone does not send it.
    pub valid_until: Timestamp,
}

/// Which phone last exchanged messages with a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PhonePeer {
    /// The route of the pool.
    pub route: RouteKey,
    /// The person.
    pub address: Address,
    /// The phone.
    pub phone: Arc<str>,
    /// Its SIM card, where that is known.
    pub sim: Option<u8>,
    /// When.
    pub at: Timestamp,
}

/// A change to what is kept of phones. Each answers `Done`; what is kept takes the place of what
/// was kept under the same id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PhoneChange {
    /// Keeps a phone.
    Phone(Box<PhoneRecord>),
    /// Keeps a permission.
    Pairing(Box<PairingRecord>),
    /// Keeps what was handed.
    Handing(Box<Handing>),
    /// Keeps whom a person last exchanged messages with.
    Peer(Box<PhonePeer>),
    /// Forgets permissions that ended before, and what was handed and was valid until before; at
    /// most `limit` of each.
    Prune {
        /// What is older goes.
        before: Timestamp,
        /// At most so many of each.
        limit: u16,
    },
}

/// What a SIM card sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SimUse {
    /// Whose card.
    pub phone: Arc<str>,
    /// Which.
    pub sim: Option<u8>,
    /// When it was handed.
    pub at: Timestamp,
    /// Number of parts.
    pub parts: u16,
}

/// Everything that a pool of phones knows: at start.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PhoneBook {
    /// The phones that were not sent away, in order of their ids.
    pub phones: Vec<PhoneRecord>,
    /// The permissions, used ones included.
    pub pairings: Vec<PairingRecord>,
    /// What phones may still send, in order of handing.
    pub open: Vec<Handing>,
    /// What was handed since the given time and not taken back, in order of time.
    pub uses: Vec<SimUse>,
    /// Who last exchanged messages with whom, newest first, at most the given number.
    pub peers: Vec<PhonePeer>,
}
