//! Addresses: where a person is reached, and on which channels.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use crate::model::channel::Channel;
use crate::model::contact::AddressKind;
use crate::phone::{CountryCode, PhoneNumber};

/// Longest e-mail address (RFC 5321, 4.5.3.1.3).
const EMAIL_MAX: usize = 254;
/// Longest part of an e-mail address before the at sign (RFC 5321, 4.5.3.1.1).
const EMAIL_LOCAL_MAX: usize = 64;
/// Longest business-scoped user id: a country, `.ENT`, and 128 characters (reference: protocols 1.7).
const USER_ID_MAX: usize = 135;

/// Where a person is reached.
///
/// `Debug` hides the middle, since addresses must not reach the log by accident (R-MON-3); `Display`
/// shows all of it, in the form that the API reads.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// A phone number: text messages and WhatsApp.
    Phone(PhoneNumber),
    /// A person on WhatsApp whose number is hidden.
    WhatsAppUser(WhatsAppUserId),
    /// A chat with a Telegram bot.
    Telegram(i64),
    /// A mailbox.
    Email(EmailAddress),
}

/// The text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Not an e-mail address.
    #[error("is not an e-mail address")]
    Email,
    /// An e-mail address that only mail servers with SMTPUTF8 (RFC 6531) take.
    #[error("must have only ASCII before the at sign: other addresses are not supported")]
    EmailBeyondAscii,
    /// Not a business-scoped user id of WhatsApp.
    #[error("is not a user id of WhatsApp, such as \"US.13491208655302741918\"")]
    WhatsAppUser,
    /// Not the id of a Telegram chat.
    #[error("is not the id of a Telegram chat, a whole number other than 0")]
    Telegram,
}

impl Address {
    /// The phone number, where it is one.
    pub const fn phone(&self) -> Option<&PhoneNumber> {
        match self {
            Self::Phone(number) => Some(number),
            Self::WhatsAppUser(_) | Self::Telegram(_) | Self::Email(_) => None,
        }
    }

    /// Whether a message on this channel can be addressed so.
    pub const fn is_on(&self, channel: Channel) -> bool {
        match (self, channel) {
            (Self::Phone(_), Channel::Sms | Channel::WhatsApp)
            | (Self::WhatsAppUser(_), Channel::WhatsApp)
            | (Self::Telegram(_), Channel::Telegram)
            | (Self::Email(_), Channel::Email) => true,
            (
                Self::Phone(_) | Self::WhatsAppUser(_) | Self::Telegram(_) | Self::Email(_),
                Channel::Sms | Channel::WhatsApp | Channel::Telegram | Channel::Email,
            ) => false,
        }
    }

    /// Under which kind a contact lists it; a phone number is also one of the other phone kinds.
    pub const fn kind(&self) -> AddressKind {
        match self {
            Self::Phone(_) => AddressKind::Sms,
            Self::WhatsAppUser(_) => AddressKind::WhatsApp,
            Self::Telegram(_) => AddressKind::Telegram,
            Self::Email(_) => AddressKind::Email,
        }
    }

    /// The country that the address tells.
    pub fn country(&self) -> Option<CountryCode> {
        match self {
            Self::Phone(number) => number.country(),
            Self::WhatsAppUser(user) => user.country(),
            Self::Telegram(_) | Self::Email(_) => None,
        }
    }

    /// The address that a contact has under this kind, from the text as it is listed there; `None`
    /// for kinds that no channel uses, and for text that is none.
    pub fn listed(kind: AddressKind, identifier: &str) -> Option<Self> {
        match kind {
            AddressKind::Sms => PhoneNumber::from_canonical(identifier).map(Self::Phone),
            AddressKind::WhatsApp => PhoneNumber::from_canonical(identifier)
                .map(Self::Phone)
                .or_else(|| {
                    WhatsAppUserId::parse(identifier)
                        .ok()
                        .map(Self::WhatsAppUser)
                }),
            AddressKind::Telegram => telegram_chat(identifier).ok().map(Self::Telegram),
            AddressKind::Email => EmailAddress::parse(identifier).ok().map(Self::Email),
            AddressKind::Instagram | AddressKind::Messenger | AddressKind::Voice => None,
        }
    }
}

impl From<PhoneNumber> for Address {
    fn from(number: PhoneNumber) -> Self {
        Self::Phone(number)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phone(number) => f.write_str(number.as_str()),
            Self::WhatsAppUser(user) => f.write_str(user.as_str()),
            Self::Telegram(chat) => write!(f, "{chat}"),
            Self::Email(email) => f.write_str(email.as_str()),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phone(number) => number.fmt(f),
            Self::WhatsAppUser(user) => masked(user.as_str(), f),
            Self::Telegram(chat) => masked(&chat.to_string(), f),
            Self::Email(email) => {
                let (local, domain) = email.as_str().split_once('@').unwrap_or_default();
                masked(local, f)?;
                write!(f, "@{domain}")
            }
        }
    }
}

/// The first two characters, and that more follow.
fn masked(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let seen: String = text.chars().take(2).collect();
    write!(f, "{seen}…")
}

/// The id of a Telegram chat: a whole number; groups are negative.
pub fn telegram_chat(text: &str) -> Result<i64, AddressError> {
    match text.parse::<i64>() {
        Ok(chat) if chat != 0 && !text.starts_with('+') => Ok(chat),
        Ok(_) | Err(_) => Err(AddressError::Telegram),
    }
}

/// An e-mail address, its domain in lower case and as people write it.
///
/// Only the form is looked at: one at sign, something in ASCII before it, a domain with a dot after
/// it, and nothing that could break out of a header. A domain in another script has one form here,
/// however it was written: `xn--bcher-kva.example` is read as `bücher.example`, so that one mailbox
/// is one person's. It travels in ASCII.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress(Arc<str>);

impl EmailAddress {
    /// Reads an address.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::Email)?;
        let (domain, travelling) = domain_forms(domain).ok_or(AddressError::Email)?;
        let is_plain =
            |it: char| !it.is_control() && !it.is_whitespace() && !"<>()[]\\,;:\"@".contains(it);
        let good_local = (1..=EMAIL_LOCAL_MAX).contains(&local.len())
            && local.chars().all(is_plain)
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..");
        // What is kept is looked at, since it must be readable again.
        let good_label = |label: &str| label.chars().all(|it| it.is_alphanumeric() || it == '-');
        let good_length = |label: &str| (1..=63).contains(&label.len());
        // A domain that ends in a number is an IP address.
        let top = travelling.rsplit('.').next().unwrap_or_default();
        let good_domain = travelling.contains('.')
            && travelling.split('.').all(good_length)
            && domain.split('.').all(good_label)
            && !travelling
                .split('.')
                .any(|it| it.starts_with('-') || it.ends_with('-'))
            && !top.starts_with(|it: char| it.is_ascii_digit());
        let length = local.len() + 1 + travelling.len();
        if !good_local || !good_domain || length > EMAIL_MAX {
            return Err(AddressError::Email);
        }
        if !local.is_ascii() {
            return Err(AddressError::EmailBeyondAscii);
        }
        Ok(Self(format!("{local}@{domain}").into()))
    }

    /// An address that was read once, from where it was kept: an earlier release may have read what
    /// this one would not.
    pub fn kept(text: &str) -> Option<Self> {
        text.contains('@').then(|| Self(text.into()))
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Address::Email(self.clone()).fmt(f)
    }
}

/// A domain as people write it, in lower case, and as it travels: each label that is not ASCII in
/// Punycode (UTS #46). `None` where that has no form for it.
fn domain_forms(text: &str) -> Option<(String, String)> {
    let lower = text.to_ascii_lowercase();
    if lower.is_ascii() && !lower.contains("xn--") {
        return Some((lower.clone(), lower));
    }
    let travelling = idna::domain_to_ascii_cow(lower.as_bytes(), idna::AsciiDenyList::URL).ok()?;
    let (shown, good) = idna::domain_to_unicode(&travelling);
    good.ok()?;
    Some((shown, travelling.into_owned()))
}

/// A business-scoped user id of WhatsApp: a country, a dot, letters and digits. It stands for a
/// person whose phone number is hidden from us.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WhatsAppUserId(Arc<str>);

impl WhatsAppUserId {
    /// Reads an id.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (country, rest) = text.split_once('.').ok_or(AddressError::WhatsAppUser)?;
        let is_country = country.len() == 2 && country.bytes().all(|it| it.is_ascii_uppercase());
        let is_id = !rest.is_empty()
            && text.len() <= USER_ID_MAX
            && rest
                .bytes()
                .all(|it| it.is_ascii_alphanumeric() || it == b'.');
        if is_country && is_id {
            Ok(Self(text.into()))
        } else {
            Err(AddressError::WhatsAppUser)
        }
    }

    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The country that it begins with.
    pub fn country(&self) -> Option<CountryCode> {
        CountryCode::parse(self.0.get(..2)?)
    }
}

impl fmt::Debug for WhatsAppUserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        masked(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_address_is_read_by_its_form() {
        for (text, want) in [
            ("ana@example.com", Some("ana@example.com")),
            (" Ana.Pop+x@Example.COM ", Some("Ana.Pop+x@example.com")),
            ("ana@bücher.example", Some("ana@bücher.example")),
            ("ana@BÜCHER.example", Some("ana@bücher.example")),
            ("ana@xn--bcher-kva.Example", Some("ana@bücher.example")),
            ("ana@почта.рф", Some("ana@почта.рф")),
            ("ana@xn--0.example", None),
            ("ana@192.0.2.1", None),
            ("ana@example.123", None),
            ("ana@localhost", None),
            ("@example.com", None),
            ("ana@", None),
            ("ana@example..com", None),
            ("a@b@example.com", None),
            ("ana@-example.com", None),
            ("ana@example.com\r\nBcc: x@y.z", None),
            ("ana <ana@example.com>", None),
            (".ana@example.com", None),
            // Its lower case is an i and a dot above, which no domain can have.
            ("ana@\u{130}zmir.example", None),
            // 30 letters, and more than 63 octets as it travels.
            (
                &format!("ana@{}.example", "\u{431}\u{44f}".repeat(30)),
                None,
            ),
            ("", None),
        ] {
            let read = EmailAddress::parse(text).ok();
            assert_eq!(read.as_ref().map(EmailAddress::as_str), want, "{text:?}");
        }
    }

    #[test]
    fn an_email_address_beyond_ascii_before_the_at_sign_is_refused_and_said_so() {
        for text in [
            "bücher@example.com",
            "böb@bücher.example",
            "用户@example.com",
        ] {
            assert_eq!(
                EmailAddress::parse(text),
                Err(AddressError::EmailBeyondAscii),
                "{text}"
            );
            // What was taken once can still be read.
            let kept = EmailAddress::kept(text).unwrap();
            assert_eq!(kept.as_str(), text);
            assert_eq!(Address::listed(AddressKind::Email, text), None);
        }
        assert_eq!(EmailAddress::parse("ü@x"), Err(AddressError::Email));
    }

    proptest::proptest! {
        /// Stores keep what is shown, and must be able to read it again.
        #[test]
        fn an_email_address_is_read_again_from_its_text(text in ".{1,8}@\\w{1,8}\\.\\w{1,20}") {
            if let Ok(read) = EmailAddress::parse(&text) {
                proptest::prop_assert_eq!(EmailAddress::parse(read.as_str()), Ok(read));
            }
        }
    }

    #[test]
    fn a_whatsapp_user_id_names_its_country() {
        let user = WhatsAppUserId::parse("US.13491208655302741918").unwrap();
        assert_eq!(user.country(), CountryCode::parse("us"));
        assert!(WhatsAppUserId::parse("US.ENT.11815799212886844830").is_ok());
        for wrong in ["us.1", "USA.1", "US.", "US1", "US.1 2", "+40712345678"] {
            assert_eq!(
                WhatsAppUserId::parse(wrong),
                Err(AddressError::WhatsAppUser),
                "{wrong}"
            );
        }
    }

    #[test]
    fn each_address_is_on_the_channels_that_take_its_form() {
        let phone = Address::Phone(PhoneNumber::parse("+40712345678").unwrap());
        let user = Address::WhatsAppUser(WhatsAppUserId::parse("US.1").unwrap());
        let mail = Address::Email(EmailAddress::parse("a@b.example").unwrap());
        for (address, channels) in [
            (phone, &[Channel::Sms, Channel::WhatsApp][..]),
            (user, &[Channel::WhatsApp]),
            (Address::Telegram(-100), &[Channel::Telegram]),
            (mail, &[Channel::Email]),
        ] {
            for channel in Channel::ALL {
                assert_eq!(
                    address.is_on(channel),
                    channels.contains(&channel),
                    "{address:?} {channel:?}"
                );
            }
            assert_eq!(
                Address::listed(address.kind(), &address.to_string()),
                Some(address)
            );
        }
    }

    #[test]
    fn debug_output_hides_what_names_the_person() {
        let mail = Address::Email(EmailAddress::parse("popescu@example.com").unwrap());
        assert_eq!(format!("{mail:?}"), "po…@example.com");
        assert_eq!(format!("{:?}", Address::Telegram(123_456)), "12…");
    }
}
