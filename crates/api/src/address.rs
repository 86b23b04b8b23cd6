//! How is the address of a person read, as callers write it?

use domain::model::address::{Address, EmailAddress, WhatsAppUserId, telegram_chat};
use domain::model::channel::Channel;
use domain::phone::PhoneNumber;

/// Reads an address: an e-mail address by its at sign, a user id of WhatsApp by its form, the id of a
/// chat where the caller named Telegram, else a phone number in E.164. The error is a sentence.
pub(crate) fn read(text: &str, channel: Option<Channel>) -> Result<Address, String> {
    if text.contains('@') {
        let read = EmailAddress::parse(text).map(Address::Email);
        return read.map_err(|it| it.to_string());
    }
    if let Ok(user) = WhatsAppUserId::parse(text) {
        return Ok(Address::WhatsAppUser(user));
    }
    if channel == Some(Channel::Telegram) && !text.starts_with('+') {
        let read = telegram_chat(text).map(Address::Telegram);
        return read.map_err(|it| it.to_string());
    }
    let read = PhoneNumber::parse(text).map(Address::Phone);
    read.map_err(|it| it.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_by_its_form_and_a_chat_by_its_channel() {
        let kind = |text, channel| read(text, channel).map(|it| it.kind().code());
        assert_eq!(kind("+40712345678", None), Ok("sms"));
        assert_eq!(kind("ana@example.com", None), Ok("email"));
        assert_eq!(kind("US.13491208655302741918", None), Ok("whatsapp"));
        assert_eq!(kind("123456789", Some(Channel::Telegram)), Ok("telegram"));
        assert_eq!(kind("-1001234", Some(Channel::Telegram)), Ok("telegram"));
        assert_eq!(kind("+40712345678", Some(Channel::Telegram)), Ok("sms"));
        assert!(kind("123456789", None).is_err());
        assert!(kind("ana@localhost", None).is_err());
    }
}
