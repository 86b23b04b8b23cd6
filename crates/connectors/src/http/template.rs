//! Texts with placeholders, `{{name|filter}}`: how they are read, and what fills them.
//!
//! A body is a tree of such texts and is encoded once it is filled, so that nothing in a message can
//! break out of its field.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use domain::model::message::Category;
use domain::text::{Encoding, Segments};
use domain::time::{Millis, Timestamp};
use serde_json::Value;

/// What is known of a submission.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    /// The recipient, in the provider's form.
    pub(super) to: Cow<'a, str>,
    /// Our address, numbers in the provider's form; empty where the provider chooses.
    pub(super) from: Cow<'a, str>,
    /// The text, in normalisation form C.
    pub(super) text: Cow<'a, str>,
    /// Our name for the submission.
    pub(super) reference: String,
    /// Where callbacks go; empty where we cannot be called.
    pub(super) callback_url: &'a str,
    /// How long the provider may keep trying.
    pub(super) validity: Option<Millis>,
    /// The present.
    pub(super) now: Timestamp,
    /// Where the medium is fetched from, and what it is; both empty for a text.
    pub(super) media_url: Cow<'a, str>,
    pub(super) media_kind: &'static str,
    /// What the text costs.
    pub(super) segments: Segments,
    /// What it is for.
    pub(super) category: Category,
}

/// A name that stands for something of the submission.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fact {
    To,
    From,
    Text,
    MediaUrl,
    MediaKind,
    Reference,
    CallbackUrl,
    CallbackUrlWithRef,
    ValiditySeconds,
    ValidityMs,
    ValidUntil,
    Encoding,
    IsUnicode,
    Segments,
    Category,
}

/// The names, as descriptions write them.
pub(super) const FACTS: &[(&str, Fact)] = &[
    ("to", Fact::To),
    ("from", Fact::From),
    ("text", Fact::Text),
    ("media_url", Fact::MediaUrl),
    ("media_kind", Fact::MediaKind),
    ("reference", Fact::Reference),
    ("callback_url", Fact::CallbackUrl),
    ("callback_url_with_ref", Fact::CallbackUrlWithRef),
    ("validity_seconds", Fact::ValiditySeconds),
    ("validity_ms", Fact::ValidityMs),
    ("valid_until", Fact::ValidUntil),
    ("encoding", Fact::Encoding),
    ("is_unicode", Fact::IsUnicode),
    ("segments", Fact::Segments),
    ("category", Fact::Category),
];

/// What a placeholder is filled with. A number or a truth value that is all of a JSON value stays one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Filling {
    Text(String),
    Number(i64),
    Truth(bool),
}

impl Filling {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }

    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
            Self::Truth(truth) => truth.to_string(),
        }
    }
}

impl Facts<'_> {
    fn get(&self, fact: Fact) -> Filling {
        let text = |it: &str| Filling::Text(it.to_owned());
        let nothing = || Filling::Text(String::new());
        match fact {
            Fact::To => text(&self.to),
            Fact::From => text(&self.from),
            Fact::Text => text(&self.text),
            Fact::MediaUrl => text(&self.media_url),
            Fact::MediaKind => text(self.media_kind),
            Fact::Reference => text(&self.reference),
            Fact::CallbackUrl => text(self.callback_url),
            Fact::CallbackUrlWithRef if self.callback_url.is_empty() => nothing(),
            Fact::CallbackUrlWithRef => {
                let sign = if self.callback_url.contains('?') {
                    '&'
                } else {
                    '?'
                };
                Filling::Text(format!("{}{sign}ref={}", self.callback_url, self.reference))
            }
            Fact::ValiditySeconds => self.validity.map_or_else(nothing, |it| {
                // Rounded down, since nothing may arrive late, but at least a second.
                Filling::Number((it.get() / 1_000).max(1))
            }),
            Fact::ValidityMs => self
                .validity
                .map_or_else(nothing, |it| Filling::Number(it.get().max(1))),
            Fact::ValidUntil => {
                let until = self.validity.map(|it| self.now.plus(it).as_millis());
                let until = until.and_then(|it| jiff::Timestamp::from_millisecond(it).ok());
                until.map_or_else(nothing, |it| Filling::Text(it.to_string()))
            }
            Fact::Encoding => text(match self.segments.encoding {
                Encoding::Gsm7 => "gsm",
                Encoding::Ucs2 => "ucs2",
            }),
            Fact::IsUnicode => Filling::Truth(self.segments.encoding == Encoding::Ucs2),
            Fact::Segments => Filling::Number(i64::from(self.segments.count)),
            Fact::Category => text(match self.category {
                Category::Transactional => "transactional",
                Category::Otp => "otp",
                Category::Promotional => "promotional",
            }),
        }
    }
}

/// What is done to a filling before it is written.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Filter {
    /// Keeps the digits only.
    Digits,
    /// Stands in for nothing.
    Default(String),
    /// Makes a whole number of it, where it is one.
    Number,
    /// Makes a text of it.
    Text,
    /// Keeps a number between two.
    Clamp(i64, i64),
    /// Puts a word for a word; others stay.
    Map(Vec<(String, String)>),
}

impl Filter {
    fn parse(text: &str) -> Result<Self, String> {
        let (name, argument) = match text.split_once(':') {
            Some((name, argument)) => (name.trim(), Some(argument.trim())),
            None => (text.trim(), None),
        };
        match (name, argument) {
            ("digits", None) => Ok(Self::Digits),
            ("number", None) => Ok(Self::Number),
            ("text", None) => Ok(Self::Text),
            ("default", Some(it)) => Ok(Self::Default(it.to_owned())),
            ("clamp", Some(it)) => {
                let ends = it.split_once("..");
                let ends = ends.and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
                match ends {
                    Some((least, most)) if least <= most => Ok(Self::Clamp(least, most)),
                    Some(_) | None => {
                        Err("`clamp` wants two numbers, as in clamp:1..60".to_owned())
                    }
                }
            }
            ("map", Some(it)) => {
                let pairs: Option<Vec<_>> = it
                    .split(',')
                    .map(|pair| {
                        let (from, to) = pair.split_once('=')?;
                        Some((from.trim().to_owned(), to.trim().to_owned()))
                    })
                    .collect();
                pairs
                    .map(Self::Map)
                    .ok_or_else(|| "`map` wants pairs, as in map:gsm=text,ucs2=unicode".to_owned())
            }
            _ => Err(format!(
                "`{}` is no filter; there are digits, number, text, default:TEXT, clamp:A..B and \
                 map:A=B,C=D",
                text.trim()
            )),
        }
    }

    fn apply(&self, filling: Filling) -> Filling {
        match self {
            Self::Digits => {
                let digits = filling.into_text();
                Filling::Text(digits.chars().filter(char::is_ascii_digit).collect())
            }
            Self::Default(text) if filling.is_empty() => Filling::Text(text.clone()),
            Self::Default(_) => filling,
            Self::Number => match filling {
                Filling::Text(text) => text
                    .parse()
                    .map_or_else(|_| Filling::Text(text), Filling::Number),
                Filling::Number(_) | Filling::Truth(_) => filling,
            },
            Self::Text => Filling::Text(filling.into_text()),
            Self::Clamp(least, most) => match filling {
                Filling::Number(number) => Filling::Number(number.clamp(*least, *most)),
                Filling::Text(_) | Filling::Truth(_) => filling,
            },
            Self::Map(pairs) => {
                let text = filling.clone().into_text();
                let found = pairs.iter().find(|it| it.0 == text);
                found.map_or(filling, |it| Filling::Text(it.1.clone()))
            }
        }
    }
}

/// The names that a text may use.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    settings: &'a BTreeMap<String, String>,
    with_facts: bool,
    used: &'a RefCell<BTreeSet<String>>,
}

impl<'a> Scope<'a> {
    /// All names; the settings that are used are noted.
    pub(super) fn new(
        settings: &'a BTreeMap<String, String>,
        used: &'a RefCell<BTreeSet<String>>,
    ) -> Self {
        Self {
            settings,
            with_facts: true,
            used,
        }
    }

    /// The settings only: for what is the same for all messages.
    pub(super) fn settings_only(&self) -> Scope<'a> {
        Scope {
            settings: self.settings,
            with_facts: false,
            used: self.used,
        }
    }

    fn source(&self, name: &str) -> Result<Source, String> {
        if let Some(value) = self.settings.get(name) {
            self.used.borrow_mut().insert(name.to_owned());
            return Ok(Source::Setting(value.clone()));
        }
        match FACTS.iter().find(|it| it.0 == name) {
            Some((_, fact)) if self.with_facts => Ok(Source::Fact(*fact)),
            Some(_) => Err(format!(
                "`{name}` differs from message to message; only settings can stand here"
            )),
            None => {
                let names: Vec<&str> = FACTS.iter().map(|it| it.0).collect();
                Err(format!(
                    "`{name}` is neither one of the settings nor one of the names {}",
                    names.join(", ")
                ))
            }
        }
    }
}

#[derive(Clone)]
enum Source {
    Fact(Fact),
    Setting(String),
}

#[derive(Clone)]
enum Piece {
    Literal(String),
    Value(Source, Vec<Filter>),
}

/// A text with placeholders. It has no `Debug`, since it holds the values of settings.
#[derive(Clone)]
pub(super) struct Template(Vec<Piece>);

impl Template {
    /// Reads a text; `Err` says what is wrong with it.
    pub(super) fn parse(text: &str, scope: &Scope<'_>) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(begin) = rest.find("{{") {
            let Some(end) = rest[begin..].find("}}") else {
                return Err("a `{{` is not closed".to_owned());
            };
            if begin > 0 {
                pieces.push(Piece::Literal(rest[..begin].to_owned()));
            }
            let mut words = rest[begin + 2..begin + end].split('|');
            let name = words.next().unwrap_or_default().trim();
            let source = scope.source(name)?;
            let filters: Result<Vec<_>, _> = words.map(Filter::parse).collect();
            pieces.push(Piece::Value(source, filters?));
            rest = &rest[begin + end + 2..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    /// A text without anything.
    pub(super) const fn empty() -> Self {
        Self(Vec::new())
    }

    /// The text, filled, of a template that names settings only.
    pub(super) fn fixed(&self) -> String {
        self.fixed_with(|it| it)
    }

    /// The same, its fillings written so that they cannot break out of a path.
    pub(super) fn fixed_url(&self) -> String {
        self.fixed_with(|it| percent_encoded(&it))
    }

    fn fixed_with(&self, write: impl Fn(String) -> String) -> String {
        let mut filled = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => filled.push_str(text),
                Piece::Value(Source::Setting(value), filters) => {
                    let first = Filling::Text(value.clone());
                    let it = filters.iter().fold(first, |it, filter| filter.apply(it));
                    filled.push_str(&write(it.into_text()));
                }
                // A scope of settings only refuses these.
                Piece::Value(Source::Fact(_), _) => {}
            }
        }
        filled
    }

    /// The text, filled.
    pub(super) fn fill(&self, facts: &Facts<'_>) -> String {
        self.fill_with(facts, |it| it)
    }

    /// The text, its fillings written so that they cannot break out of a path or a query.
    pub(super) fn fill_url(&self, facts: &Facts<'_>) -> String {
        self.fill_with(facts, |it| percent_encoded(&it))
    }

    fn fill_with(&self, facts: &Facts<'_>, write: impl Fn(String) -> String) -> String {
        let mut filled = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => filled.push_str(text),
                Piece::Value(source, filters) => {
                    filled.push_str(&write(filling(source, filters, facts).into_text()));
                }
            }
        }
        filled
    }

    /// The text as a JSON value: a single placeholder keeps its type.
    fn fill_value(&self, facts: &Facts<'_>) -> Value {
        match &*self.0 {
            [Piece::Value(source, filters)] => match filling(source, filters, facts) {
                Filling::Text(text) => Value::String(text),
                Filling::Number(number) => Value::from(number),
                Filling::Truth(truth) => Value::Bool(truth),
            },
            _ => Value::String(self.fill(facts)),
        }
    }

    /// Whether it names this.
    pub(super) fn names(&self, fact: Fact) -> bool {
        self.0
            .iter()
            .any(|it| matches!(it, Piece::Value(Source::Fact(it), _) if *it == fact))
    }

    /// Whether a placeholder in it stands for nothing.
    fn lacks(&self, facts: &Facts<'_>) -> bool {
        self.0.iter().any(|piece| match piece {
            Piece::Literal(_) => false,
            Piece::Value(source, filters) => filling(source, filters, facts).is_empty(),
        })
    }
}

fn filling(source: &Source, filters: &[Filter], facts: &Facts<'_>) -> Filling {
    let first = match source {
        Source::Fact(fact) => facts.get(*fact),
        Source::Setting(value) => Filling::Text(value.clone()),
    };
    filters.iter().fold(first, |it, filter| filter.apply(it))
}

/// Everything but what RFC 3986 calls unreserved, as percent signs and digits.
pub(super) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(digit), 16).unwrap_or('0');
                encoded.push(digit.to_ascii_uppercase());
            }
        }
    }
    encoded
}

/// A tree of texts with placeholders.
#[derive(Clone)]
pub(super) struct Branch {
    /// Whether it is left out when a placeholder in it stands for nothing.
    pub(super) optional: bool,
    /// What it is.
    pub(super) node: Node,
}

/// What a branch is.
#[derive(Clone)]
pub(super) enum Node {
    /// A number or a truth value of the description.
    Fixed(Value),
    /// A text.
    Filled(Template),
    /// A table.
    Table(Vec<(String, Branch)>),
    /// A list.
    List(Vec<Branch>),
}

impl Branch {
    /// The tree, filled; `None` where it is left out.
    pub(super) fn fill(&self, facts: &Facts<'_>) -> Option<Value> {
        if self.optional && self.lacks(facts) {
            return None;
        }
        Some(match &self.node {
            Node::Fixed(value) => value.clone(),
            Node::Filled(template) => template.fill_value(facts),
            Node::Table(entries) => Value::Object(
                entries
                    .iter()
                    .filter_map(|(key, it)| Some((key.clone(), it.fill(facts)?)))
                    .collect(),
            ),
            Node::List(items) => {
                Value::Array(items.iter().filter_map(|it| it.fill(facts)).collect())
            }
        })
    }

    /// Whether a text in it names this.
    pub(super) fn names(&self, fact: Fact) -> bool {
        match &self.node {
            Node::Fixed(_) => false,
            Node::Filled(template) => template.names(fact),
            Node::Table(entries) => entries.iter().any(|it| it.1.names(fact)),
            Node::List(items) => items.iter().any(|it| it.names(fact)),
        }
    }

    fn lacks(&self, facts: &Facts<'_>) -> bool {
        match &self.node {
            Node::Fixed(_) => false,
            Node::Filled(template) => template.lacks(facts),
            // An optional branch inside answers for itself.
            Node::Table(entries) => entries.iter().any(|it| !it.1.optional && it.1.lacks(facts)),
            Node::List(items) => items.iter().any(|it| !it.optional && it.lacks(facts)),
        }
    }
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
