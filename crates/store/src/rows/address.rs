//! Addresses as columns: an integer that is compared in one step, and, where it is no phone number, a
//! text that has all of it.

use domain::model::address::{Address, EmailAddress, WhatsAppUserId, telegram_chat};
use domain::phone::PhoneNumber;

use super::{Corrupt, phone_from_key, phone_to_key};

/// An address as one integer: the digits of a phone number; of any other a hash (FNV-1a), which is
/// negative, so that the two never meet.
pub(crate) fn address_to_key(address: &Address) -> i64 {
    if let Some(phone) = address.phone() {
        return phone_to_key(phone);
    }
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in address_to_text(address).bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    // The top bit makes it negative.
    (hash | 1 << 63).cast_signed()
}

/// An address as text, its kind in front.
pub(crate) fn address_to_text(address: &Address) -> String {
    let kind = match address {
        Address::Phone(_) => 'p',
        Address::WhatsAppUser(_) => 'w',
        Address::Telegram(_) => 't',
        Address::Email(_) => 'e',
    };
    format!("{kind}:{address}")
}

/// The address that [`address_to_text`] gave.
pub(crate) fn address_from_text(text: &str) -> Result<Address, Corrupt> {
    const CORRUPT: Corrupt = Corrupt("address");
    let (kind, rest) = text.split_once(':').ok_or(CORRUPT)?;
    let address = match kind {
        "p" => PhoneNumber::from_canonical(rest).map(Address::Phone),
        "w" => WhatsAppUserId::parse(rest).ok().map(Address::WhatsAppUser),
        "t" => telegram_chat(rest).ok().map(Address::Telegram),
        "e" => EmailAddress::kept(rest).map(Address::Email),
        _ => None,
    };
    address.ok_or(CORRUPT)
}

/// What stands beside the integer: nothing for a phone number.
pub(crate) fn beside_key(address: &Address) -> Option<String> {
    address.phone().is_none().then(|| address_to_text(address))
}

/// The address of both columns.
pub(crate) fn address_from(key: i64, beside: Option<&str>) -> Result<Address, Corrupt> {
    match beside {
        Some(text) => address_from_text(text),
        None => phone_from_key(key).map(Address::Phone),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_address_comes_back_from_its_columns() {
        let addresses = [
            Address::Phone(PhoneNumber::parse("+40712345678").unwrap()),
            Address::WhatsAppUser(WhatsAppUserId::parse("US.13491208655302741918").unwrap()),
            Address::Telegram(-1_001_234_567_890),
            Address::Email(EmailAddress::parse("ana@example.com").unwrap()),
        ];
        for address in addresses {
            let (key, beside) = (address_to_key(&address), beside_key(&address));
            assert_eq!(key > 0, address.phone().is_some(), "{address:?}");
            assert_eq!(address_from(key, beside.as_deref()), Ok(address));
        }
    }
}
