//! How does a table of TOML become a description, so that a mistake in it is told in our own words?
//!
//! Serde tells mistakes in Rust's words, and loses the way into a table whose `kind` says what else
//! stands in it. Hence a deserializer of our own: a mistake stays a value until it is told, and such
//! a table is an enum like any other.
//!
//! Serde stops at the first mistake. Hence what is wrong is taken out and the rest read again, until
//! nothing more is found.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, IntoDeserializer, Unexpected,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_path_to_error::{Path, Segment};
use toml::{Table, Value};

use super::presets::Problem;
use super::spec::ProviderSpec;

/// The key that says what else stands in a table, and the types that are written so.
const KIND: &str = "kind";
const OF_A_KIND: [&str; 2] = ["AuthSpec", "SignatureSpec"];

/// Reads a description, or tells everything in it that is no such key, no such word, of the wrong kind
/// or missing.
pub(super) fn read(mut table: Table) -> Result<ProviderSpec, Vec<Problem>> {
    let mut problems: Vec<Problem> = Vec::new();
    let mut taken = Taken::default();
    loop {
        let error = match serde_path_to_error::deserialize(Toml(Value::Table(table.clone()))) {
            Ok(spec) if problems.is_empty() => return Ok(spec),
            Ok(_) => return Err(problems),
            Err(error) => error,
        };
        let mut way = way(error.path());
        let mistake: Mistake = error.into_inner();
        if let Some(key) = &mistake.key
            && !matches!(way.last(), Some(Step::Key(last)) if last == key)
        {
            way.push(Step::Key(key.clone()));
        }
        let path = taken.path(&way);
        let is_told = |it: &Problem| {
            let rest = it.path.strip_prefix(&path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        if !problems.iter().any(is_told) {
            problems.push(Problem {
                path,
                message: mistake.message,
                known: mistake.known.iter().map(|it| (*it).to_owned()).collect(),
            });
        }
        let goes_on = if !mistake.is_missing {
            taken.take(&mut table, &way)
        } else if let [Step::Key(key)] = &way[..] {
            // A stand-in, so that the next missing one is told too.
            table
                .insert(key.clone(), Value::String(String::new()))
                .is_none()
                && taken.stood_in.insert(key.clone())
        } else {
            taken.take(&mut table, &way[..way.len() - 1])
        };
        if !goes_on {
            return Err(problems);
        }
    }
}

/// One step on the way to a value.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Step {
    Key(String),
    Index(usize),
}

fn way(path: &Path) -> Vec<Step> {
    let steps = path.iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some(Step::Index(*index)),
        Segment::Map { key } => Some(Step::Key(key.clone())),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    steps.collect()
}

/// What was taken out of a description, because it was told.
#[derive(Default)]
struct Taken {
    /// Of each list how many entries: they are taken from the front on, so what follows moved by that.
    entries: BTreeMap<String, usize>,
    /// The keys that a stand-in was put in for.
    stood_in: BTreeSet<String>,
}

impl Taken {
    /// The way as it was written, before anything was taken out.
    fn path(&self, way: &[Step]) -> String {
        let mut path = String::new();
        for step in way {
            match step {
                Step::Key(key) => append(&mut path, key),
                Step::Index(index) => {
                    let index = index + self.entries.get(&path).unwrap_or(&0);
                    path = format!("{path}[{index}]");
                }
            }
        }
        path
    }

    /// Takes out what stands at the end of this way; `false` where nothing does.
    fn take(&mut self, table: &mut Table, way: &[Step]) -> bool {
        let Some((last, before)) = way.split_last() else {
            return false;
        };
        match (last, inside(table, before)) {
            (Step::Key(key), Some(Inside::Table(table))) => table.remove(key).is_some(),
            (Step::Index(index), Some(Inside::List(list))) if *index < list.len() => {
                list.remove(*index);
                *self.entries.entry(self.path(before)).or_default() += 1;
                true
            }
            (Step::Key(_) | Step::Index(_), Some(_) | None) => false,
        }
    }
}

enum Inside<'a> {
    Table(&'a mut Table),
    List(&'a mut Vec<Value>),
}

fn inside<'a>(table: &'a mut Table, way: &[Step]) -> Option<Inside<'a>> {
    let mut inside = Inside::Table(table);
    for step in way {
        let value = match (inside, step) {
            (Inside::Table(table), Step::Key(key)) => table.get_mut(key)?,
            (Inside::List(list), Step::Index(index)) => list.get_mut(*index)?,
            (Inside::Table(_), Step::Index(_)) | (Inside::List(_), Step::Key(_)) => return None,
        };
        inside = match value {
            Value::Table(table) => Inside::Table(table),
            Value::Array(list) => Inside::List(list),
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_) => return None,
        };
    }
    Some(inside)
}

/// One thing that is wrong.
#[derive(Debug)]
struct Mistake {
    /// The key that it is about, where the way that was gone does not end in it.
    key: Option<String>,
    /// What is wrong, as the end of a sentence that begins with the key.
    message: String,
    /// The keys that are known where this one is not.
    known: &'static [&'static str],
    /// Whether it is that the key is not there.
    is_missing: bool,
}

impl Mistake {
    fn of(key: Option<&str>, message: String) -> Self {
        Self {
            key: key.map(str::to_owned),
            message,
            known: &[],
            is_missing: false,
        }
    }
}

fn append(place: &mut String, key: &str) {
    if !place.is_empty() {
        place.push('.');
    }
    place.push_str(key);
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Mistake {}

impl serde::de::Error for Mistake {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::of(None, message.to_string())
    }

    fn invalid_type(given: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::of(
            None,
            format!("is {}; must be {}", kind(given), words(wanted)),
        )
    }

    /// Right in kind and yet wrong: what is no text is shown. A text may be a secret.
    fn invalid_value(given: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        let given = if let Unexpected::Signed(number) = given {
            number.to_string()
        } else {
            kind(given).to_owned()
        };
        Self::of(None, format!("is {given}; must be {}", words(wanted)))
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        let known: Vec<String> = known.iter().map(|it| format!("\"{it}\"")).collect();
        Self::of(None, format!("is {word:?}; allowed: {}", known.join(", ")))
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        let message = "is not a known setting".to_owned();
        Self {
            known,
            ..Self::of(Some(key), message)
        }
    }

    fn missing_field(key: &'static str) -> Self {
        Self {
            is_missing: true,
            ..Self::of(Some(key), "is missing".to_owned())
        }
    }
}

/// What was written, in words.
const fn kind(given: Unexpected<'_>) -> &'static str {
    match given {
        Unexpected::Bool(_) => "true or false",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "a whole number",
        Unexpected::Float(_) => "a number with decimals",
        Unexpected::Char(_) | Unexpected::Str(_) | Unexpected::Enum | Unexpected::UnitVariant => {
            "text"
        }
        Unexpected::Seq => "a list",
        Unexpected::Map
        | Unexpected::NewtypeVariant
        | Unexpected::TupleVariant
        | Unexpected::StructVariant => "a table",
        // TOML has no other values; the last is what this file calls a date.
        Unexpected::Bytes(_)
        | Unexpected::Unit
        | Unexpected::Option
        | Unexpected::NewtypeStruct
        | Unexpected::Other(_) => "a date",
    }
}

/// What serde's own types expect, in the words of the configuration; ours say it themselves.
fn words(wanted: &dyn Expected) -> String {
    let wanted = wanted.to_string();
    match wanted.as_str() {
        "a string" | "string" => "text in quotes".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list in [ ]".to_owned(),
        "u16" => format!("a whole number from 0 to {}", u16::MAX),
        "u32" => format!("a whole number from 0 to {}", u32::MAX),
        table if table == "a map" || table.starts_with("struct ") => "a table in { }".to_owned(),
        _ => wanted,
    }
}

/// A value of TOML.
struct Toml(Value);

impl IntoDeserializer<'_, Mistake> for Toml {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Toml {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.0 {
            Value::String(text) => visitor.visit_string(text),
            Value::Integer(number) => visitor.visit_i64(number),
            Value::Float(number) => visitor.visit_f64(number),
            Value::Boolean(flag) => visitor.visit_bool(flag),
            Value::Datetime(time) => visitor.visit_string(time.to_string()),
            Value::Array(list) => {
                visitor.visit_seq(SeqDeserializer::new(list.into_iter().map(Toml)))
            }
            Value::Table(table) => visitor.visit_map(rows(table)),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        if let Value::Datetime(_) = self.0 {
            return Err(Mistake::invalid_type(Unexpected::Other("date"), &visitor));
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_some(self)
    }

    /// One of several words; or a table in which one of several words says what else there is.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        let of_a_kind = OF_A_KIND.contains(&name);
        match self.0 {
            Value::Table(mut rest) if of_a_kind => match rest.remove(KIND) {
                Some(Value::String(kind)) => visitor.visit_enum(OfAKind { kind, rest }),
                Some(_) => Err(Mistake::of(Some(KIND), "must be text in quotes".to_owned())),
                None => Err(Mistake::missing_field(KIND)),
            },
            Value::String(word) if !of_a_kind => visitor.visit_enum(word.into_deserializer()),
            other @ (Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_)
            | Value::Table(_)) => {
                let wanted = Only(if of_a_kind {
                    "a table with a `kind`"
                } else {
                    "text in quotes"
                });
                let refused = Self(other).deserialize_any(wanted);
                refused.map(|never| match never {})
            }
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// The rows of a table.
fn rows(table: Table) -> MapDeserializer<'static, impl Iterator<Item = (String, Toml)>, Mistake> {
    MapDeserializer::new(table.into_iter().map(|(key, value)| (key, Toml(value))))
}

/// Refuses whatever there is: these words were wanted.
struct Only(&'static str);

impl Visitor<'_> for Only {
    type Value = std::convert::Infallible;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A table that names a `kind`.
struct OfAKind {
    kind: String,
    rest: Table,
}

impl<'de> EnumAccess<'de> for OfAKind {
    type Error = Mistake;
    type Variant = Rest;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Rest), Mistake> {
        let kind = StrDeserializer::<Mistake>::new(&self.kind);
        let named = |mistake: Mistake| Mistake {
            key: Some(KIND.to_owned()),
            ..mistake
        };
        Ok((seed.deserialize(kind).map_err(named)?, Rest(self.rest)))
    }
}

/// What stands in such a table beside its kind.
struct Rest(Table);

impl<'de> VariantAccess<'de> for Rest {
    type Error = Mistake;

    fn unit_variant(self) -> Result<(), Mistake> {
        match self.0.keys().next() {
            Some(key) => Err(Mistake::unknown_field(key, &[KIND])),
            None => Ok(()),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Mistake> {
        seed.deserialize(Toml(Value::Table(self.0)))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Mistake> {
        Err(Mistake::invalid_type(Unexpected::Map, &visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        visitor.visit_map(rows(self.0))
    }
}

#[cfg(test)]
#[path = "reading_tests.rs"]
mod tests;
