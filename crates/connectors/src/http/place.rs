//! Where in an answer or a callback a value stands, and what stands there.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// One place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// A JSON pointer (RFC 6901) into the body, or into the fields of a form or a query.
    Pointer(String),
    /// A parameter of the query.
    Query(String),
    /// A header, in lower case.
    Header(String),
    /// What the text of the body says behind these words, up to the end of the line.
    Text(String),
}

impl Place {
    /// Reads a place; `Err` says what it must look like.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("query:") {
            return named(name).map(Self::Query);
        }
        if let Some(name) = text.strip_prefix("header:") {
            return named(name).map(|it| Self::Header(it.to_ascii_lowercase()));
        }
        if let Some(words) = text.strip_prefix("text:") {
            return Ok(Self::Text(words.to_owned()));
        }
        pointer(text).map(Self::Pointer)
    }
}

fn named(name: &str) -> Result<String, String> {
    if name.is_empty() {
        Err("a name must follow the colon".to_owned())
    } else {
        Ok(name.to_owned())
    }
}

/// Checks the form of a JSON pointer.
pub(super) fn pointer(text: &str) -> Result<String, String> {
    let bad_escape = text
        .split('~')
        .skip(1)
        .any(|it| !it.starts_with(['0', '1']));
    if text.starts_with('/') && !bad_escape {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "{text:?} is no place; write a JSON pointer such as \"/data/id\", or \
             \"query:NAME\", \"header:NAME\" or \"text:WORDS\""
        ))
    }
}

/// The first of several places where something stands.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Places(pub Vec<Place>);

impl<'de> Deserialize<'de> for Places {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = OneOrMore::deserialize(deserializer)?.0;
        let places: Result<Vec<_>, _> = texts.iter().map(|it| Place::parse(it)).collect();
        places.map(Self).map_err(de::Error::custom)
    }
}

/// A text, or a list of texts. Numbers are taken as they are written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OneOrMore(pub Vec<String>);

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;

        impl<'de> Visitor<'de> for Texts {
            type Value = OneOrMore;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMore, E> {
                Ok(OneOrMore(vec![text.to_owned()]))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<OneOrMore, E> {
                Ok(OneOrMore(vec![number.to_string()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMore, A::Error> {
                let mut texts = Vec::new();
                while let Some(one) = list.next_element::<OneOrMore>()? {
                    texts.extend(one.0);
                }
                Ok(OneOrMore(texts))
            }
        }
        deserializer.deserialize_any(Texts)
    }
}

/// Something that was received, open for reading.
#[derive(Debug)]
pub(super) struct Document<'a> {
    /// The body as a tree; forms and queries are objects of texts.
    pub(super) tree: Cow<'a, Value>,
    /// The query.
    pub(super) query: &'a str,
    /// Header names in lower case, and their values.
    pub(super) headers: Vec<(&'a str, Cow<'a, str>)>,
    /// The body as text; empty where the tree was made from something else.
    pub(super) text: Cow<'a, str>,
}

impl Document<'_> {
    /// The value at the first of these places that has one; an empty text is none.
    pub(super) fn read(&self, places: &Places) -> Option<Cow<'_, str>> {
        let found = places.0.iter().filter_map(|it| self.at(it));
        found.into_iter().find(|it| !it.is_empty())
    }

    /// The value at a place: a text, a number or a truth value.
    fn at(&self, place: &Place) -> Option<Cow<'_, str>> {
        match place {
            Place::Pointer(pointer) => scalar(self.tree.pointer(pointer)?),
            Place::Query(name) => parameter(self.query, name).map(Cow::Owned),
            Place::Header(name) => {
                let found = self.headers.iter().find(|it| it.0 == name);
                found.map(|it| Cow::Borrowed(&*it.1))
            }
            Place::Text(words) => {
                let begin = self.text.find(words.as_str())? + words.len();
                let rest = &self.text[begin..];
                let line = rest.trim_start().lines().next().unwrap_or_default();
                Some(Cow::Borrowed(line.trim()))
            }
        }
    }

    /// The same, with another tree: one item of a list.
    pub(super) fn item<'b>(&'b self, tree: &'b Value) -> Document<'b> {
        let headers = self.headers.iter().map(|it| (it.0, Cow::Borrowed(&*it.1)));
        Document {
            tree: Cow::Borrowed(tree),
            query: self.query,
            headers: headers.collect(),
            text: Cow::Borrowed(&self.text),
        }
    }
}

/// A value as text; `None` for lists, tables and nothing.
pub(super) fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(truth) => Some(Cow::Borrowed(if *truth { "true" } else { "false" })),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs
        .find(|it| it.0 == name)
        .map(|(_, value)| value.into_owned())
}

/// The fields of a form or a query, as an object of texts. Of a field that stands twice, the first
/// counts.
pub(super) fn fields(encoded: &[u8]) -> Value {
    let mut object = Map::new();
    for (name, value) in url::form_urlencoded::parse(encoded) {
        object
            .entry(name.into_owned())
            .or_insert_with(|| Value::String(value.into_owned()));
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document(tree: Value) -> Document<'static> {
        Document {
            tree: Cow::Owned(tree),
            query: "ref=msg_1.1&x=%C3%A9",
            headers: vec![("x-id", Cow::Borrowed("7"))],
            text: Cow::Borrowed("OK\nID: 12 34\nmore"),
        }
    }

    fn read(tree: Value, places: &[&str]) -> Option<String> {
        let places = places.iter().map(|it| Place::parse(it).unwrap()).collect();
        document(tree).read(&Places(places)).map(Cow::into_owned)
    }

    #[test]
    fn a_value_is_read_from_wherever_it_stands() {
        let tree = json!({ "a": [{ "b/c": "x" }], "n": 12, "t": true, "empty": "", "no": null });
        for (place, want) in [
            ("/a/0/b~1c", Some("x")),
            ("/n", Some("12")),
            ("/t", Some("true")),
            ("/empty", None),
            ("/no", None),
            ("/a", None),
            ("query:ref", Some("msg_1.1")),
            ("query:x", Some("é")),
            ("query:y", None),
            ("header:X-Id", Some("7")),
            ("text:ID:", Some("12 34")),
            ("text:", Some("OK")),
            ("text:none", None),
        ] {
            assert_eq!(read(tree.clone(), &[place]).as_deref(), want, "{place}");
        }
    }

    #[test]
    fn the_first_place_that_has_something_counts() {
        let tree = json!({ "b": "2", "a": "" });
        assert_eq!(read(tree, &["/a", "/b"]).as_deref(), Some("2"));
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for wrong in ["", "data/id", "/a~2", "query:", "header:"] {
            assert!(Place::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn fields_of_a_form_are_decoded_and_the_first_of_two_counts() {
        assert_eq!(fields(b"a=1+2&a=3&b=%26"), json!({ "a": "1 2", "b": "&" }));
    }
}
