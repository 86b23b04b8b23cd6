//! Consent: whether a person wants messages from a sender, what changed it, and what an operator
//! may set about the words that change it (R-IN-2).

use serde::{Deserialize, Serialize};

use std::collections::BTreeMap;

use crate::ids::SenderKey;
use crate::model::channel::Channel;
use crate::time::Timestamp;

/// Which messages a change of consent is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentScope {
    /// All of them.
    Everything,
    /// Promotional ones only: the rest still goes.
    Promotions,
}

impl ConsentScope {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Everything, Self::Promotions];

    /// The word of the API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Everything => "everything",
            Self::Promotions => "promotions",
        }
    }
}

/// Who told us of a change.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentSource {
    /// The person, by a keyword in a message.
    Keyword,
    /// The person, by way of the provider.
    Provider,
    /// A caller of the API.
    Api,
}

impl ConsentSource {
    /// Every source.
    pub const ALL: [Self; 3] = [Self::Keyword, Self::Provider, Self::Api];

    /// The word of the API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Keyword => "keyword",
            Self::Provider => "provider",
            Self::Api => "api",
        }
    }
}

/// A change of consent that is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsentChange {
    /// Whether the person wants no more; else they do again.
    pub opted_out: bool,
    /// Of which messages. Who is in again for everything is so for promotions, too.
    pub scope: ConsentScope,
    /// Whether it is meant only where the person is out of everything now, as an everyday word is.
    pub only_if_out: bool,
    /// The words by which it was said: the keyword, or the provider's words.
    pub wording: Box<str>,
}

/// What a person wants no more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// Anything at all.
    pub opted_out: bool,
    /// Promotions.
    pub no_promotions: bool,
}

/// How a contact stands towards a project: as it told the project as a whole, but towards a sender
/// that has a standing of its own, by that. So a sender that is made later is covered, too.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Standings {
    /// Towards every sender that is not named.
    pub project: Standing,
    /// Towards these.
    pub senders: BTreeMap<SenderKey, Standing>,
}

/// A change of consent as it is kept, for whoever has to prove it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsentRecord {
    /// Towards which sender; `None` is every sender of the project, also one that is made later.
    pub sender: Option<SenderKey>,
    /// When.
    pub at: Timestamp,
    /// What changed, and by which words.
    pub change: ConsentChange,
    /// Who told us.
    pub source: ConsentSource,
    /// On which channel, where it was said on one.
    pub channel: Option<Channel>,
}

/// What an operator may set about keywords, for one sender. The default knows the usual words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeywordPolicy {
    /// Whether keywords mean anything at all. Off only where something else keeps consent.
    pub enabled: bool,
    /// Whether the usual words count beside the sender's own.
    pub usual_words: bool,
    /// The sender's own words for "no more".
    pub stop: Vec<Box<str>>,
    /// The sender's own words for "again".
    pub start: Vec<Box<str>>,
    /// The sender's own words for "who are you?".
    pub help: Vec<Box<str>>,
    /// The answer to "no more" in place of the usual one; empty answers nothing.
    pub stop_reply: Option<Box<str>>,
    /// The answer to "again" in place of the usual one; empty answers nothing.
    pub start_reply: Option<Box<str>>,
    /// The answer to "who are you?" in place of the usual one; empty answers nothing.
    pub help_reply: Option<Box<str>>,
}

impl Default for KeywordPolicy {
    fn default() -> Self {
        Self {
            enabled: true,
            usual_words: true,
            stop: Vec::new(),
            start: Vec::new(),
            help: Vec::new(),
            stop_reply: None,
            start_reply: None,
            help_reply: None,
        }
    }
}
