//! What a caller may say about contacts (R-API-3).

use std::collections::BTreeMap;

use domain::model::address::EmailAddress;
use domain::model::contact::AddressKind;
use domain::phone::PhoneNumber;
use ports::store::contacts::NewAddress;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::body::clearable;
use crate::error::Problems;
use crate::schema;
use crate::v1::messages::request::metadata;

/// Most addresses that a contact is made with.
const ADDRESSES: usize = 20;
/// Most characters of a contact's name.
const NAME_CHARS: usize = 200;
/// Most characters of an address's name.
const LABEL_CHARS: usize = 50;
/// Most characters of an address (RFC 5321 allows 254 in an e-mail path).
const IDENTIFIER_CHARS: usize = 254;

/// A contact to be made.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CreateContact)]
pub(crate) struct CreateIn {
    /// Its addresses.
    #[schema(required = true, value_type = Vec<AddressIn>, min_items = 1, max_items = 20)]
    pub(super) channels: Option<Vec<AddressIn>>,
    /// What people call it.
    #[schema(max_length = 200)]
    pub(super) display_name: Option<String>,
    /// The owner's own data.
    #[schema(schema_with = schema::metadata)]
    pub(super) metadata: Option<BTreeMap<String, String>>,
}

/// An address to be added.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CreateContactChannel, example = json!({"channel": "sms", "identifier": "+40712345678"}))]
pub(crate) struct AddressIn {
    /// Its kind.
    #[schema(required = true, schema_with = schema::address_kind)]
    channel: Option<String>,
    /// The address: a phone number in E.164, an e-mail address, or the channel's own id.
    #[schema(required = true, value_type = String, min_length = 1, max_length = 254)]
    identifier: Option<String>,
    /// Two letters; a phone number's own country counts.
    #[schema(pattern = "^[A-Za-z]{2}$")]
    country_code: Option<String>,
    /// Whether it becomes the first choice of its kind. The first of a kind always is.
    is_primary: Option<bool>,
    /// A name for it.
    #[schema(max_length = 50)]
    label: Option<String>,
}

/// What changes of a contact. Absent means unchanged, `null` clears.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UpdateContact)]
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things"
)]
pub(crate) struct UpdateIn {
    /// What people call it.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, max_length = 200)]
    pub(super) display_name: Option<Option<String>>,
    /// The channel that its owner prefers; for show, no rule asks.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(schema_with = schema::clearable_address_kind)]
    pub(super) default_channel: Option<Option<String>>,
    /// The owner's own data; replaces what was there.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(schema_with = schema::clearable_metadata)]
    pub(super) metadata: Option<Option<BTreeMap<String, String>>>,
}

/// What changes of an address. Absent means unchanged, `null` clears.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UpdateContactChannel)]
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things"
)]
pub(crate) struct UpdateAddressIn {
    /// A name for it.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, max_length = 50)]
    pub(super) label: Option<Option<String>>,
    /// Whether somebody vouched for it.
    pub(super) verified: Option<bool>,
    /// The owner's own data; replaces what was there.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(schema_with = schema::clearable_metadata)]
    pub(super) metadata: Option<Option<BTreeMap<String, String>>>,
}

/// The contact that goes into another.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MergeContacts)]
pub(crate) struct MergeIn {
    /// The one that goes.
    #[schema(required = true, value_type = String)]
    pub(super) source_contact_id: Option<String>,
}

impl CreateIn {
    /// Its addresses, checked.
    pub(super) fn addresses(&self, problems: &mut Problems) -> Vec<NewAddress> {
        let channels = self.channels.as_deref().unwrap_or_default();
        if !(1..=ADDRESSES).contains(&channels.len()) {
            problems.add(&["channels"], "must have 1 to 20 entries");
        }
        channels
            .iter()
            .take(ADDRESSES)
            .enumerate()
            .filter_map(|(index, it)| it.check(&["channels", &index.to_string()], problems))
            .collect()
    }
}

impl AddressIn {
    /// The address, checked; `path` leads to it.
    pub(super) fn check(&self, path: &[&str], problems: &mut Problems) -> Option<NewAddress> {
        let at = |name: &'static str| [path, &[name]].concat();
        let kind = kind(self.channel.as_deref(), &at("channel"), problems);
        let identifier = identifier(
            kind,
            self.identifier.as_deref(),
            &at("identifier"),
            problems,
        );
        let country = self.country_code.as_deref();
        if country.is_some_and(|it| it.len() != 2 || !it.bytes().all(|b| b.is_ascii_alphabetic())) {
            problems.add(&at("countryCode"), "must be two letters");
        }
        Some(NewAddress {
            kind: kind?,
            identifier: identifier?,
            is_primary: self.is_primary.unwrap_or(false),
            label: label(self.label.as_deref(), &at("label"), problems),
        })
    }
}

/// The kind of address of this word.
pub(super) fn kind(
    word: Option<&str>,
    path: &[&str],
    problems: &mut Problems,
) -> Option<AddressKind> {
    let found = word.and_then(AddressKind::from_code);
    if found.is_none() {
        let words = AddressKind::ALL.map(AddressKind::code).join(", ");
        problems.add(path, format!("must be one of {words}"));
    }
    found
}

fn identifier(
    kind: Option<AddressKind>,
    text: Option<&str>,
    path: &[&str],
    problems: &mut Problems,
) -> Option<Box<str>> {
    let text = text.map(str::trim).filter(|it| !it.is_empty());
    let Some(text) = text else {
        problems.add(path, "is needed, and must not be empty");
        return None;
    };
    if text.chars().count() > IDENTIFIER_CHARS {
        problems.add(path, "must have at most 254 characters");
        return None;
    }
    match kind? {
        AddressKind::Sms | AddressKind::WhatsApp | AddressKind::Voice => {
            match PhoneNumber::parse(text) {
                Ok(number) => Some(number.as_str().into()),
                Err(error) => {
                    problems.add(path, error.to_string());
                    None
                }
            }
        }
        AddressKind::Email => match EmailAddress::parse(text) {
            Ok(email) => Some(email.as_str().into()),
            Err(error) => {
                problems.add(path, error.to_string());
                None
            }
        },
        AddressKind::Telegram | AddressKind::Instagram | AddressKind::Messenger => {
            Some(text.into())
        }
    }
}

fn label(text: Option<&str>, path: &[&str], problems: &mut Problems) -> Option<Box<str>> {
    let text = text?;
    if text.chars().count() > LABEL_CHARS {
        problems.add(path, "must have at most 50 characters");
    }
    Some(text.into())
}

/// The name of a contact, checked.
pub(super) fn display_name(text: Option<&str>, problems: &mut Problems) -> Option<Box<str>> {
    let text = text?;
    if text.chars().count() > NAME_CHARS {
        problems.add(&["displayName"], "must have at most 200 characters");
    }
    Some(text.into())
}

/// A change of a label: absent, cleared or set.
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things"
)]
pub(super) fn changed_label(
    change: Option<Option<&str>>,
    problems: &mut Problems,
) -> Option<Option<Box<str>>> {
    change.map(|text| label(text, &["label"], problems))
}

/// A change of metadata: absent, cleared or set.
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things"
)]
pub(super) fn changed_metadata(
    change: Option<Option<&BTreeMap<String, String>>>,
    problems: &mut Problems,
) -> Option<Option<Box<str>>> {
    change.map(|entries| entries.map(|it| metadata(it, problems)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ApiError;

    fn check(body: &str) -> (Vec<NewAddress>, Vec<String>) {
        let input: CreateIn = serde_json::from_str(body).unwrap();
        let mut problems = Problems::default();
        let addresses = input.addresses(&mut problems);
        let errors = problems.finish().err();
        let paths = errors
            .iter()
            .flat_map(ApiError::errors)
            .map(|it| it.path.join("."))
            .collect();
        (addresses, paths)
    }

    #[test]
    fn numbers_are_kept_in_e164() {
        let (addresses, wrong) =
            check(r#"{"channels":[{"channel":"sms","identifier":" +40 712 345 678 "}]}"#);
        assert_eq!(wrong, [""; 0]);
        assert_eq!(&*addresses[0].identifier, "+40712345678");
    }

    #[test]
    fn each_wrong_place_of_each_address_is_named() {
        for (body, want) in [
            ("{}", &["channels"][..]),
            (r#"{"channels":[]}"#, &["channels"]),
            (
                r#"{"channels":[{}]}"#,
                &["channels.0.channel", "channels.0.identifier"],
            ),
            (
                r#"{"channels":[{"channel":"auto","identifier":"x"}]}"#,
                &["channels.0.channel"],
            ),
            (
                r#"{"channels":[{"channel":"sms","identifier":"x"}]}"#,
                &["channels.0.identifier"],
            ),
            (
                r#"{"channels":[{"channel":"email","identifier":"a@b.c"},{"channel":"email","identifier":"a b@c.d"}]}"#,
                &["channels.1.identifier"],
            ),
            (
                r#"{"channels":[{"channel":"email","identifier":"bücher@example.com"}]}"#,
                &["channels.0.identifier"],
            ),
            (
                r#"{"channels":[{"channel":"telegram","identifier":"1","countryCode":"ROU"}]}"#,
                &["channels.0.countryCode"],
            ),
        ] {
            assert_eq!(check(body).1, want, "{body}");
        }
    }

    #[test]
    fn absent_null_and_a_value_are_three_things() {
        let read = |body| serde_json::from_str::<UpdateIn>(body).unwrap().display_name;
        assert_eq!(read("{}"), None);
        assert_eq!(read(r#"{"displayName":null}"#), Some(None));
        assert_eq!(
            read(r#"{"displayName":"Ana"}"#),
            Some(Some("Ana".to_owned()))
        );
    }
}
