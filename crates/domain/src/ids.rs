//! Keys of rows and the public ids derived from them.
//!
//! A row's key is a positive, time-ordered 63-bit integer: 41 bits of milliseconds since
//! 2020-01-01 and a 22-bit sequence. A public id is a prefix and the key in Crockford's base 32
//! (`msg_01jdq…`): opaque to clients, and no second index for the store.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::time::Timestamp;

/// 2020-01-01T00:00:00Z, where the time part of a key begins.
const KEY_EPOCH_MILLIS: i64 = 1_577_836_800_000;
/// Bits of a key that count within one millisecond.
const SEQUENCE_BITS: u32 = 22;
/// Characters of a key in base 32: 13 x 5 bits hold the 63.
const ENCODED_LEN: usize = 13;
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The text is not an id of the wanted kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not an id of this kind")]
pub struct InvalidId;

/// The smallest key that a row made at `now` may have.
///
/// A sequence of keys is `max(previous + 1, first_key_at(now))`, which stays ordered when the
/// clock steps back.
pub const fn first_key_at(now: Timestamp) -> i64 {
    let millis = now.as_millis() - KEY_EPOCH_MILLIS;
    if millis < 1 {
        1
    } else {
        millis << SEQUENCE_BITS
    }
}

fn encode(key: i64, prefix: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut text = [0_u8; ENCODED_LEN];
    let mut rest = key.unsigned_abs();
    for place in text.iter_mut().rev() {
        *place = ALPHABET[usize::try_from(rest & 31).unwrap_or(0)];
        rest >>= 5;
    }
    f.write_str(prefix)?;
    f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
}

fn decode(text: &str, prefix: &str) -> Result<i64, InvalidId> {
    let digits = text.strip_prefix(prefix).ok_or(InvalidId)?.as_bytes();
    if digits.len() != ENCODED_LEN {
        return Err(InvalidId);
    }
    let mut key: u64 = 0;
    for digit in digits {
        let value = ALPHABET
            .iter()
            .position(|it| it == digit)
            .ok_or(InvalidId)?;
        key = key.checked_mul(32).ok_or(InvalidId)? | value as u64;
    }
    i64::try_from(key).map_err(|_| InvalidId)
}

macro_rules! public_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// The id of the row with this key.
            pub const fn from_key(key: i64) -> Self {
                Self(key)
            }

            /// The row's key.
            pub const fn key(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                encode(self.0, $prefix, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                decode(text, $prefix).map(Self)
            }
        }
    };
}

public_id! {
    /// One message, outbound or inbound: `msg_…`.
    MessageId, "msg_"
}
public_id! {
    /// One person: `ct_…`.
    ContactId, "ct_"
}
public_id! {
    /// One API key: `key_…`.
    ApiKeyId, "key_"
}
public_id! {
    /// One template: `tpl_…`.
    TemplateId, "tpl_"
}
public_id! {
    /// One person who uses the pages: `usr_…`.
    UserId, "usr_"
}
public_id! {
    /// One browser in which a user is signed in: `ses_…`.
    SessionId, "ses_"
}

public_id! {
    /// One alert: `alert_…`.
    AlertId, "alert_"
}
public_id! {
    /// One line of the audit log: `audit_…`.
    AuditId, "audit_"
}

macro_rules! registered_key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u32);
    };
}

registered_key! {
    /// The store's short name for a project's configured id; stable across restarts.
    ProjectKey
}
registered_key! {
    /// The store's short name for a sender's configured id; stable across restarts.
    SenderKey
}
registered_key! {
    /// The store's short name for a route's configured id; stable across restarts.
    RouteKey
}
registered_key! {
    /// The store's short name for a caller's campaign; stable across restarts.
    CampaignKey
}
registered_key! {
    /// A volume of a route's price book by its name: lines of one name count together (R-COST-1).
    VolumeKey
}

impl VolumeKey {
    /// The key of this name: its FNV-1a in 32 bits, so that it is stable without a register. Two names
    /// in one price book that have the same are refused when the book is read.
    pub fn of(name: &str) -> Self {
        let step = |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        Self(name.bytes().fold(0x811c_9dc5, step))
    }
}

/// The thread with one contact across all channels, for one sender: `conv_…`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConversationId {
    /// The person.
    pub contact: ContactId,
    /// The sender that the thread belongs to.
    pub sender: SenderKey,
}

impl fmt::Display for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        encode(self.contact.key(), "conv_", f)?;
        write!(f, "{:x}", self.sender.0)
    }
}

impl FromStr for ConversationId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let end = "conv_".len() + ENCODED_LEN;
        if !text.is_char_boundary(end) || text.len() <= end {
            return Err(InvalidId);
        }
        let (contact, sender) = text.split_at(end);
        let sender = u32::from_str_radix(sender, 16).map_err(|_| InvalidId)?;
        Ok(Self {
            contact: ContactId::from_key(decode(contact, "conv_")?),
            sender: SenderKey(sender),
        })
    }
}

/// Number of partitions that the work is divided into (DESIGN §1); one node owns them all at first.
pub const PARTITIONS: u16 = 256;

/// The partition of everything that belongs to one person of one project.
///
/// Taken from the phone number rather than from the contact's key, so that it is known before the
/// contact exists. FNV-1a: stable across builds, and no secret hangs on it.
pub fn partition_of(project: ProjectKey, identifier: &str) -> u16 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in project.0.to_le_bytes().iter().chain(identifier.as_bytes()) {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    u16::try_from(hash % u64::from(PARTITIONS)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_key_survives_its_public_form(key in 1..i64::MAX, sender: u32) {
            let id = MessageId::from_key(key);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            let conversation = ConversationId { contact: ContactId::from_key(key), sender: SenderKey(sender) };
            prop_assert_eq!(conversation.to_string().parse(), Ok(conversation));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text: String) {
            let parsed: (Result<MessageId, _>, Result<ConversationId, _>) = (text.parse(), text.parse());
            if let Ok(id) = parsed.0 { prop_assert_eq!(id.to_string(), text); }
        }
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let contact = ContactId::from_key(77).to_string();
        assert_eq!(contact.parse::<MessageId>(), Err(InvalidId));
        assert_eq!(
            "conv_é0000000000000".parse::<ConversationId>(),
            Err(InvalidId)
        );
    }

    #[test]
    fn the_key_of_a_volume_is_the_published_hash_of_its_name() {
        // Test vectors of the hash's authors: draft-eastlake-fnv, appendix of 32-bit FNV-1a.
        assert_eq!(VolumeKey::of(""), VolumeKey(0x811c_9dc5));
        assert_eq!(VolumeKey::of("a"), VolumeKey(0xe40c_292c));
        assert_eq!(VolumeKey::of("foobar"), VolumeKey(0xbf9c_f968));
    }

    #[test]
    fn public_ids_sort_like_their_keys() {
        let earlier = MessageId::from_key(first_key_at(Timestamp::from_millis(1_700_000_000_000)));
        let later = MessageId::from_key(first_key_at(Timestamp::from_millis(1_700_000_000_001)));
        assert!(earlier.to_string() < later.to_string());
    }
}
