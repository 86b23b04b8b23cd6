//! Senders: who a message is from.

use std::sync::Arc;

use crate::ids::{ProjectKey, RouteKey, SenderKey};
use crate::model::consent::KeywordPolicy;
use crate::model::template::TemplateRef;
use crate::phone::PhoneNumber;
use crate::time::{Millis, Timestamp};

/// Who a message is from. Its channels follow from its routes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sender {
    /// The store's name for it.
    pub key: SenderKey,
    /// The operator's name for it; the public id.
    pub id: Arc<str>,
    /// Whose it is.
    pub project: ProjectKey,
    /// What people call it.
    pub name: Arc<str>,
    /// The address recipients see on phone-addressed channels; empty for one-way senders.
    pub address: Arc<str>,
    /// Whether it is the project's default.
    pub is_default: bool,
    /// Its routes, in its own order of preference (the last tie-break of R-CHAN-3).
    pub routes: Vec<RouteKey>,
    /// Template used on WhatsApp when the window is closed and the message has none (R-WIN-2).
    pub default_template: Option<TemplateRef>,
    /// Seconds without `delivered` that count as failure, where the message does not say (R-FALL-5).
    pub fallback_after: Option<Millis>,
    /// Which words opt out, in again, and ask for help, and what they are answered (R-IN-2).
    pub keywords: KeywordPolicy,
    /// Where it comes from.
    pub origin: Origin,
    /// When it was first configured.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Where something that is configured comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Origin {
    /// The configuration file, which is the only place to change it.
    File,
    /// The API.
    Api,
}

/// The address of a sender in its normal form: an international number, a short code of 3 to 8 digits,
/// a name of up to 11 letters and digits, or nothing. `None`: it is none of these.
pub fn sender_address(text: &str) -> Option<String> {
    let digits = text.bytes().all(|it| it.is_ascii_digit());
    let short_code = digits && (3..=8).contains(&text.len());
    let name = (1..=11).contains(&text.len())
        && text.bytes().any(|it| it.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || b" .-_&".contains(&it));
    if text.is_empty() || short_code || name {
        return Some(text.to_owned());
    }
    PhoneNumber::parse(text)
        .ok()
        .map(|number| number.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_number_a_short_code_or_a_name() {
        for (text, want) in [
            ("+40700000001", Some("+40700000001")),
            ("+40 700 000 001", Some("+40700000001")),
            ("1234", Some("1234")),
            ("Acme", Some("Acme")),
            ("", Some("")),
            ("0700000001", None),
            ("12", None),
            ("AcmeAcmeAcme", None),
            ("Acmé", None),
        ] {
            assert_eq!(sender_address(text).as_deref(), want, "{text}");
        }
    }
}
