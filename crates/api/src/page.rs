//! How lists are asked for and answered: `limit`, `cursor` and `nextCursor`.

use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::{AlertId, AuditId, ContactId, MessageId, TemplateId};
use domain::model::address::Address;
use domain::model::channel::Channel;
use domain::phone::PhoneNumber;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::error::{ApiError, Problems};
use crate::{address, json};

/// Items of a page, where the caller does not say.
const DEFAULT_LIMIT: u16 = 50;
/// Most items of a page.
const MAX_LIMIT: u16 = 100;

/// A query string that may be unreadable.
pub(crate) type Query = Result<axum::extract::Query<Vec<(String, String)>>, QueryRejection>;

/// The parameters of a query string, in its order; the last of a name counts.
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
    problems: Problems,
}

impl Params {
    /// The parameters, or what speaks against the query string as a whole.
    pub(crate) fn new(query: Query) -> Result<Self, ApiError> {
        match query {
            Ok(query) => Ok(Self {
                pairs: query.0,
                problems: Problems::default(),
            }),
            Err(_) => Err(ApiError::field(&[], "the query string cannot be read")),
        }
    }

    /// The parameter of this name; an empty one counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().rev().find(|(it, _)| it == name)?;
        (!found.1.is_empty()).then_some(found.1.as_str())
    }

    /// The parameter of this name as it was given, an empty one too.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().rev().find(|(it, _)| it == name)?;
        Some(&found.1)
    }

    /// Notes what is wrong with a parameter.
    pub(crate) fn wrong(&mut self, name: &str, message: impl Into<String>) {
        self.problems.add(&[name], message);
    }

    /// The parameter, where `read` understands it; notes `message` where it does not.
    pub(crate) fn read<T>(
        &mut self,
        name: &str,
        message: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.get(name)?;
        let value = read(text);
        if value.is_none() {
            self.wrong(name, message);
        }
        value
    }

    /// The parameter as an address of a person, on this channel if any is named.
    pub(crate) fn address(&mut self, name: &str, channel: Option<Channel>) -> Option<Address> {
        let text = self.get(name)?;
        let read = match text.strip_prefix(' ') {
            Some(rest) => address::read(&format!("+{rest}"), channel),
            None => address::read(text, channel),
        };
        match read {
            Ok(address) => Some(address),
            Err(message) => {
                self.wrong(name, message);
                None
            }
        }
    }

    /// The parameter as a phone number. A plus that was not escaped arrives as a blank.
    pub(crate) fn phone(&mut self, name: &str) -> Option<PhoneNumber> {
        let text = self.get(name)?;
        let number = match text.strip_prefix(' ') {
            Some(rest) => PhoneNumber::parse(&format!("+{rest}")),
            None => PhoneNumber::parse(text),
        };
        match number {
            Ok(number) => Some(number),
            Err(error) => {
                self.wrong(name, error.to_string());
                None
            }
        }
    }

    /// The `limit`, 1 to 100.
    pub(crate) fn limit(&mut self) -> u16 {
        self.read("limit", "must be a whole number from 1 to 100", |it| {
            it.parse()
                .ok()
                .filter(|limit| (1..=MAX_LIMIT).contains(limit))
        })
        .unwrap_or(DEFAULT_LIMIT)
    }

    /// The `cursor`: the last item of the page before.
    pub(crate) fn cursor<T: Cursor>(&mut self) -> Option<T> {
        self.read(
            "cursor",
            "must be the `nextCursor` of an earlier page",
            T::from_cursor,
        )
    }

    /// Ends the reading: everything that was wrong at once, or nothing.
    pub(crate) fn done(self) -> Result<(), ApiError> {
        self.problems.finish()
    }
}

/// A place in a list: the kind of list and the last item, opaque to clients.
pub(crate) trait Cursor: Sized {
    /// As the client gets it.
    fn to_cursor(&self) -> String;
    /// As the client gave it back.
    fn from_cursor(text: &str) -> Option<Self>;
}

/// The cursor letter of a list and the prefix of its ids.
fn from_id<T: std::str::FromStr>(text: &str, letter: char, prefix: &str) -> Option<T> {
    format!("{prefix}{}", text.strip_prefix(letter)?)
        .parse()
        .ok()
}

fn to_id(id: &impl ToString, letter: char, prefix: &str) -> String {
    let id = id.to_string();
    format!("{letter}{}", id.strip_prefix(prefix).unwrap_or(&id))
}

impl Cursor for MessageId {
    fn to_cursor(&self) -> String {
        to_id(self, 'm', "msg_")
    }

    fn from_cursor(text: &str) -> Option<Self> {
        from_id(text, 'm', "msg_")
    }
}

impl Cursor for ContactId {
    fn to_cursor(&self) -> String {
        to_id(self, 'c', "ct_")
    }

    fn from_cursor(text: &str) -> Option<Self> {
        from_id(text, 'c', "ct_")
    }
}

impl Cursor for TemplateId {
    fn to_cursor(&self) -> String {
        to_id(self, 't', "tpl_")
    }

    fn from_cursor(text: &str) -> Option<Self> {
        from_id(text, 't', "tpl_")
    }
}

impl Cursor for AlertId {
    fn to_cursor(&self) -> String {
        to_id(self, 'a', "alert_")
    }

    fn from_cursor(text: &str) -> Option<Self> {
        from_id(text, 'a', "alert_")
    }
}

impl Cursor for AuditId {
    fn to_cursor(&self) -> String {
        to_id(self, 'u', "audit_")
    }

    fn from_cursor(text: &str) -> Option<Self> {
        from_id(text, 'u', "audit_")
    }
}

impl Cursor for domain::ids::SenderKey {
    fn to_cursor(&self) -> String {
        format!("s{:x}", self.0)
    }

    fn from_cursor(text: &str) -> Option<Self> {
        u32::from_str_radix(text.strip_prefix('s')?, 16)
            .ok()
            .map(Self)
    }
}

/// One page of a list. The last has `nextCursor: null`; no other is empty.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page<T: ToSchema> {
    /// The items, newest first.
    pub(crate) items: Vec<T>,
    /// Where the next page begins; `null` on the last.
    #[schema(required = true)]
    pub(crate) next_cursor: Option<String>,
}

/// The parameters of every list ([`Params::limit`], [`Params::cursor`]), as the document tells them.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "they are read with the parameters that a list has of its own"
)]
pub(crate) struct PageIn {
    /// Items of the page, 1 to 100; 50 otherwise
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// The `nextCursor` of the page before
    cursor: Option<String>,
}

/// Answers with a page of what was [read with one item more](cut) than was asked for.
pub(crate) fn page<'a, T, C: Cursor, Out: Serialize + ToSchema>(
    read: &'a mut Vec<T>,
    limit: u16,
    place: impl Fn(&T) -> C,
    show: impl Fn(&'a T) -> Out,
) -> Response {
    let next_cursor = cut(read, limit, place);
    let items = read.iter().map(show).collect();
    json::response(StatusCode::OK, &Page { items, next_cursor })
}

/// Cuts what was read with one item more than asked down to a page.
pub(crate) fn cut<T, C: Cursor>(
    read: &mut Vec<T>,
    limit: u16,
    place: impl Fn(&T) -> C,
) -> Option<String> {
    if read.len() <= usize::from(limit) {
        return None;
    }
    read.truncate(usize::from(limit));
    read.last().map(|it| place(it).to_cursor())
}

/// A channel that can be routed, by its word in the API.
#[derive(Clone, Copy)]
pub(crate) enum ChannelWord {
    /// One that Tandem has.
    Known(Channel),
    /// One of the API's words that Tandem has not yet.
    NotYet,
}

/// Channels of the API that cannot be routed yet.
const NOT_YET: [&str; 4] = ["sms_oneway", "instagram", "messenger", "voice"];

impl ChannelWord {
    /// The channel, where Tandem has it.
    pub(crate) const fn known(self) -> Option<Channel> {
        match self {
            Self::Known(channel) => Some(channel),
            Self::NotYet => None,
        }
    }

    /// The channel with this word; `None` where the API has no such word.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Channel::from_code(text)
            .map(Self::Known)
            .or_else(|| NOT_YET.contains(&text).then_some(Self::NotYet))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Params {
        Params {
            pairs: pairs
                .iter()
                .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
                .collect(),
            problems: Problems::default(),
        }
    }

    #[test]
    fn a_cursor_is_taken_by_its_own_list_only() {
        let message = MessageId::from_key(77).to_cursor();
        assert_eq!(
            MessageId::from_cursor(&message),
            Some(MessageId::from_key(77))
        );
        assert_eq!(ContactId::from_cursor(&message), None);
        for wrong in ["", "m", "cursor", "msg_0000000000000", "m000000000000O"] {
            assert_eq!(MessageId::from_cursor(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn everything_wrong_with_a_query_is_named_at_once() {
        let mut query = params(&[("limit", "0"), ("cursor", "cursor"), ("to", "nobody")]);
        assert_eq!(query.limit(), DEFAULT_LIMIT);
        assert_eq!(query.cursor::<MessageId>(), None);
        assert!(query.phone("to").is_none());
        let error = query.done().unwrap_err();
        let names: Vec<_> = error.errors().iter().map(|it| it.path.join(".")).collect();
        assert_eq!(names, ["limit", "cursor", "to"]);
    }

    #[test]
    fn a_plus_that_became_a_blank_is_still_a_plus() {
        let mut query = params(&[("to", " 40712345678")]);
        assert_eq!(query.phone("to").unwrap().as_str(), "+40712345678");
    }

    #[test]
    fn the_last_page_has_no_cursor_and_a_full_one_points_at_its_last_item() {
        for (read, limit, kept, more) in [(0, 2, 0, false), (2, 2, 2, false), (3, 2, 2, true)] {
            let mut items: Vec<i64> = (1..=read).collect();
            let next = cut(&mut items, limit, |it| MessageId::from_key(*it));
            assert_eq!(items.len(), kept);
            let want = more.then(|| MessageId::from_key(i64::from(limit)).to_cursor());
            assert_eq!(next, want);
        }
    }
}
