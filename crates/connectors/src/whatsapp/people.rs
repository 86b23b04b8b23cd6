//! Who is meant: the addresses that Meta gives for a person, of which any may be missing.

use domain::model::address::{Address, WhatsAppUserId};
use domain::phone::PhoneNumber;
use serde_json::Value;

use super::tree;

/// A person as a callback names them: the phone number first, where it is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Person {
    pub(super) address: Address,
    /// The id that stands for the person beside their number.
    pub(super) aliases: Vec<Address>,
}

impl Person {
    /// From the fields with a number and with a business-scoped user id; `None` where neither says
    /// anything that we can write to.
    pub(super) fn read(object: &Value, number: &str, user: &str) -> Option<Self> {
        let number = tree::id(object, number).and_then(|it| address(&it));
        let user = tree::text(object, user).and_then(user_id);
        let (address, alias) = match (number, user) {
            (Some(number), user) => (number, user),
            (None, user) => (user?, None),
        };
        let aliases = alias.into_iter().filter(|it| *it != address).collect();
        Some(Self { address, aliases })
    }

    /// Whether both have an address in common.
    pub(super) fn is(&self, other: &Self) -> bool {
        let mut addresses = self.addresses();
        addresses.any(|it| other.addresses().any(|that| it == that))
    }

    /// All addresses, the first choice first.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &Address> {
        [&self.address].into_iter().chain(&self.aliases)
    }
}

/// A number without plus, as Meta writes it, or a business-scoped user id.
pub(super) fn address(text: &str) -> Option<Address> {
    let number = PhoneNumber::from_msisdn(text).ok().map(Address::Phone);
    number.or_else(|| user_id(text))
}

/// A business-scoped user id. Digits alone are none, and would be somebody else's number.
fn user_id(text: &str) -> Option<Address> {
    WhatsAppUserId::parse(text).ok().map(Address::WhatsAppUser)
}

/// Our own number as Meta shows it, in the form of an address where it is a number.
pub(super) fn our_number(metadata: &Value) -> Box<str> {
    let shown = tree::id(metadata, "display_phone_number").unwrap_or_default();
    match PhoneNumber::from_msisdn(&shown) {
        Ok(number) => number.as_str().into(),
        Err(_) => shown.into_boxed_str(),
    }
}
