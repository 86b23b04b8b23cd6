//! A table whose names are not ours: the description of an HTTP provider, which the connector checks.
//! Here it becomes plain TOML, and what the connector says of it is told at its place.

use std::ops::Range;

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table as Plain, Value};

use super::reader::{Field, Table};

impl Table<'_> {
    /// All of it but the settings that were asked for already, which become known by this.
    pub(super) fn described(&self) -> Plain {
        let rest = self
            .entries()
            .iter()
            .filter(|it| !self.is_known(it.0.get_ref()));
        rest.map(|(name, value)| (name.get_ref().to_string(), plain(value.get_ref())))
            .collect()
    }

    /// Adds an error about what stands at `path`, names with dots between and indexes in brackets;
    /// about the nearest of what is around it where it is not written.
    pub(super) fn error_at(&self, path: &str, what: &str) {
        let (span, path) = self.place_of(path);
        self.report.error(&span, &path, what);
    }

    /// The same as a warning.
    pub(super) fn warn_at(&self, path: &str, what: &str) {
        let (span, path) = self.place_of(path);
        self.report.warn(&span, &path, what);
    }

    fn place_of(&self, path: &str) -> (Range<usize>, String) {
        let mut span = self.span.clone();
        let mut value: Option<&DeValue<'_>> = None;
        for name in path.split(['.', '[']) {
            let found = match value {
                None => entry(self.entries(), name),
                Some(DeValue::Table(table)) => entry(table, name),
                Some(DeValue::Array(list)) => {
                    let index = name.trim_end_matches(']').parse::<usize>().ok();
                    index.and_then(|it| list.get(it))
                }
                Some(
                    DeValue::String(_)
                    | DeValue::Integer(_)
                    | DeValue::Float(_)
                    | DeValue::Boolean(_)
                    | DeValue::Datetime(_),
                ) => None,
            };
            let Some(found) = found else { break };
            span = found.span();
            value = Some(found.get_ref());
        }
        let path = if path.is_empty() {
            self.path.clone()
        } else {
            format!("{}.{path}", self.path)
        };
        (span, path)
    }
}

/// The value of this name.
fn entry<'t>(table: &'t DeTable<'t>, name: &str) -> Option<&'t Spanned<DeValue<'t>>> {
    let (_, value) = table.iter().find(|it| it.0.get_ref() == name)?;
    Some(value)
}

fn plain_table(table: &DeTable<'_>) -> Plain {
    let row = |(name, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let name: &toml::de::DeString<'_> = name.get_ref();
        (name.to_string(), plain(value.get_ref()))
    };
    table.iter().map(row).collect()
}

fn plain(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Value::String(number.to_string()), Value::Integer),
        DeValue::Float(number) => number
            .as_str()
            .parse()
            .map_or_else(|_| Value::String(number.to_string()), Value::Float),
        DeValue::Boolean(flag) => Value::Boolean(*flag),
        DeValue::Datetime(time) => Value::Datetime(*time),
        DeValue::Array(list) => Value::Array(list.iter().map(|it| plain(it.get_ref())).collect()),
        DeValue::Table(table) => Value::Table(plain_table(table)),
    }
}

/// The settings of a description: names that are data, each a secret or a plain text; `None` for one
/// that cannot be read, which is told by then.
pub(super) fn settings<'a>(
    field: Field<'a>,
    read: impl Fn(Field<'a>) -> Option<String>,
) -> Option<Vec<(String, Option<String>)>> {
    let rows = field.table()?.rows();
    let row = |(name, field)| (name, read(field));
    Some(rows.into_iter().map(row).collect())
}
