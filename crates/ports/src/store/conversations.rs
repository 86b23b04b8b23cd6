//! Conversations as the API reads them: the thread with one contact across all channels, for one
//! sender, which every message of either direction brings up to date (R-IN-1).

use domain::ids::{ConversationId, MessageId, ProjectKey, RouteKey, SenderKey};
use domain::model::channel::{Channel, ChannelSet};
use domain::model::contact::ThreadFacts;
use domain::time::Timestamp;

use super::contacts::ContactView;
use super::messages::MessageView;

/// A conversation as the API shows it; there is one as soon as there is a message in it.
#[derive(Clone, PartialEq, Debug)]
pub struct ConversationView {
    /// Its id.
    pub id: ConversationId,
    /// With whom.
    pub contact: ContactView,
    /// What the rules know of it: consent, and the WhatsApp window.
    pub thread: ThreadFacts,
    /// The channels that it went over so far.
    pub channels: ChannelSet,
    /// How many messages it has.
    pub message_count: u32,
    /// How many of them came in since somebody said that they are read.
    pub unread_count: u32,
    /// Its newest message.
    pub last_message: MessageView,
    /// When it began.
    pub created_at: Timestamp,
}

/// Which conversations to list: those with the newest message first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConversationFilter {
    /// Whose.
    pub project: ProjectKey,
    /// Only this sender's.
    pub sender: Option<SenderKey>,
    /// Only those that went over this channel.
    pub channel: Option<Channel>,
    /// Only with people who are found by this text; see [`is_found`].
    pub search: Option<Box<str>>,
    /// Only those with something unread.
    pub unread: bool,
    /// Only whose newest message is older than this one.
    pub before: Option<MessageId>,
    /// At most so many.
    pub limit: u16,
}

/// Some conversations, those with the newest message first.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ConversationPage {
    /// The conversations.
    pub conversations: Vec<ConversationView>,
    /// Where to go on, if there may be more: everything from this message on was looked at. A store
    /// may look at a bounded number of conversations only, so that there is a place to go on from
    /// although few or none were found.
    pub next: Option<MessageId>,
}

/// Says that everything that came in so far is read. Answers [`Outcome::Done`], or
/// [`Outcome::Missing`] where the project has no such conversation.
///
/// [`Outcome::Done`]: super::Outcome::Done
/// [`Outcome::Missing`]: super::Outcome::Missing
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkRead {
    /// Whose.
    pub project: ProjectKey,
    /// Which.
    pub conversation: ConversationId,
}

/// The provider's own name for a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProviderReference {
    /// The route that it came or went by.
    pub route: RouteKey,
    /// The route's channel.
    pub channel: Channel,
    /// The name.
    pub reference: Box<str>,
}

/// Fewest digits that are looked for inside a number, and not only at its beginning.
const INNER_DIGITS: usize = 4;

/// Whether a person with this name and these addresses is found by a text: by whole words, of which
/// the last may be a beginning; or by a phone number, however it is written.
pub fn is_found<'a>(
    search: &str,
    name: Option<&'a str>,
    addresses: impl Iterator<Item = &'a str> + Clone,
) -> bool {
    let search = search.trim().to_lowercase();
    let is_number = |it: char| it.is_ascii_digit() || "+-(). /".contains(it);
    if search.chars().all(is_number) && search.contains(|it: char| it.is_ascii_digit()) {
        return has_number(&search, addresses);
    }
    let mut terms = words(&search).collect::<Vec<_>>();
    let Some(last) = terms.pop() else {
        return false;
    };
    let lower = |it: &str| it.to_lowercase();
    let identity: Vec<String> = name.into_iter().chain(addresses).map(lower).collect();
    let all = || identity.iter().flat_map(|it| words(it));
    terms.iter().all(|term| all().any(|it| it == *term)) && all().any(|it| it.starts_with(last))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|it: char| !it.is_alphanumeric())
        .filter(|it| !it.is_empty())
}

fn has_number<'a>(search: &str, mut addresses: impl Iterator<Item = &'a str>) -> bool {
    let digits: String = search.chars().filter(char::is_ascii_digit).collect();
    // The zeros of national and international dialling are no part of the number.
    let digits = digits.trim_start_matches('0');
    addresses.any(|address| {
        address.strip_prefix('+').is_some_and(|number| {
            number.starts_with(digits) || digits.len() >= INNER_DIGITS && number.contains(digits)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_found_by_words_of_their_name_and_by_numbers_in_any_form() {
        let addresses = ["+40712345678", "ana.pop@example.com"];
        for (search, found) in [
            ("ana", true),
            ("ANA POP", true),
            ("pop ana", true),
            ("maria po", true),
            ("mar", true),
            ("mar pop", false),
            ("popescu", false),
            ("na", false),
            ("ana.pop@example.com", true),
            ("example", true),
            ("+40 712 345 678", true),
            ("0712-345.678", true),
            ("0040 (712) 34", true),
            ("345678", true),
            ("678", false),
            ("+41", false),
            ("ștefan", false),
            ("  ", false),
            ("@", false),
        ] {
            let is = is_found(search, Some("Ana Maria Pop"), addresses.into_iter());
            assert_eq!(is, found, "{search:?}");
        }
        assert!(is_found("ștef", Some("Ștefan"), std::iter::empty()));
    }
}
