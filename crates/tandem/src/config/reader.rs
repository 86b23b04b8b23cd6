//! How is one table of the file read, so that every mistake in it is told with its place?
//!
//! Serde's derive stops at the first mistake. Here each setting is asked for by name, mistakes go
//! to the [`Report`], and reading goes on. What nobody asked for is unknown.

use std::ops::{Range, RangeInclusive};
use std::path::Path;

use domain::time::{Millis, Timestamp};
use toml::de::{DeTable, DeValue};

use super::problem::Report;
use super::secret::Secret;
use super::values;

/// What a file refers to outside itself.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    /// The environment's variables.
    pub(crate) variable: &'a dyn Fn(&str) -> Option<String>,
    /// The folder that relative paths of secret files and price lists start from: the one of the configuration.
    pub(crate) folder: &'a Path,
    /// The moment: prices hold for a time.
    pub(crate) now: Timestamp,
}

/// One table of the file. Ends with [`Table::finish`].
pub(super) struct Table<'a> {
    entries: &'a DeTable<'a>,
    pub(super) span: Range<usize>,
    pub(super) path: String,
    pub(super) report: &'a Report<'a>,
    known: Vec<&'static str>,
    later: Vec<&'static str>,
}

impl<'a> Table<'a> {
    /// The whole file.
    pub(super) fn root(entries: &'a DeTable<'a>, report: &'a Report<'a>) -> Self {
        Self {
            entries,
            span: 0..0,
            path: String::new(),
            report,
            known: Vec::new(),
            later: Vec::new(),
        }
    }

    /// The setting of this name, where it is written.
    pub(super) fn get(&mut self, key: &'static str) -> Option<Field<'a>> {
        self.known.push(key);
        let (_, value) = self
            .entries
            .iter()
            .find(|(name, _)| name.get_ref() == key)?;
        Some(Field {
            value: value.get_ref(),
            span: value.span(),
            path: self.path_of(key),
            report: self.report,
        })
    }

    /// The setting of this name; told when it is missing.
    pub(super) fn require(&mut self, key: &'static str, allowed: &str) -> Option<Field<'a>> {
        let field = self.get(key);
        if field.is_none() {
            let path = self.path_of(key);
            self.report
                .error(&self.span, &path, format!("is missing; must be {allowed}"));
        }
        field
    }

    /// The text of an optional setting that is read by `read`, else `default`.
    pub(super) fn or<T>(
        &mut self,
        key: &'static str,
        default: T,
        read: impl FnOnce(Field<'a>) -> Option<T>,
    ) -> T {
        self.get(key).and_then(read).unwrap_or(default)
    }

    /// Names that a later capability will give a meaning: refused, never passed over.
    pub(super) fn later(&mut self, keys: &[&'static str]) {
        self.later.extend_from_slice(keys);
    }

    /// Every row of a table whose names are data.
    pub(super) fn rows(self) -> Vec<(String, Field<'a>)> {
        let row = |(name, value): (
            &'a toml::Spanned<toml::de::DeString<'a>>,
            &'a toml::Spanned<DeValue<'a>>,
        )| {
            let key = name.get_ref().to_string();
            let path = self.path_of(&shortened(&key));
            (
                key,
                Field {
                    value: value.get_ref(),
                    span: value.span(),
                    path,
                    report: self.report,
                },
            )
        };
        self.entries.iter().map(row).collect()
    }

    /// All that is written in it.
    pub(super) const fn entries(&self) -> &'a DeTable<'a> {
        self.entries
    }

    /// What was asked for so far.
    pub(super) fn known(&self) -> &[&'static str] {
        &self.known
    }

    /// Whether this setting was asked for.
    pub(super) fn is_known(&self, key: &str) -> bool {
        self.known.contains(&key)
    }

    /// Adds an error about one setting of this table.
    pub(super) fn error(&self, key: &str, what: impl Into<String>) {
        let value = self.entries.iter().find(|(name, _)| name.get_ref() == key);
        let span = value.map_or_else(|| self.span.clone(), |(_, value)| value.span());
        self.report.error(&span, &self.path_of(key), what);
    }

    /// Tells every name that was not asked for.
    pub(super) fn finish(self) {
        for (name, _) in self.entries {
            let key: &str = name.get_ref();
            if self.known.contains(&key) {
                continue;
            }
            let what = if self.later.contains(&key) {
                "is not yet supported".to_owned()
            } else {
                not_known("is not a known setting", key, &self.known)
            };
            self.report.error(&name.span(), &self.path_of(key), what);
        }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }
}

/// One value of the file, with its place.
#[derive(Clone)]
pub(super) struct Field<'a> {
    value: &'a DeValue<'a>,
    pub(super) span: Range<usize>,
    pub(super) path: String,
    pub(super) report: &'a Report<'a>,
}

impl<'a> Field<'a> {
    /// Adds an error about it.
    pub(super) fn error(&self, what: impl Into<String>) {
        self.report.error(&self.span, &self.path, what);
    }

    /// Adds a warning about it.
    pub(super) fn warn(&self, what: impl Into<String>) {
        self.report.warn(&self.span, &self.path, what);
    }

    /// Whether it is a table.
    pub(super) fn is_table(&self) -> bool {
        matches!(self.value, DeValue::Table(_))
    }

    /// The id of a table, without telling when there is none; for checks across tables.
    pub(super) fn peek_id(&self) -> Option<String> {
        let DeValue::Table(entries) = self.value else {
            return None;
        };
        let (_, value) = entries.iter().find(|(name, _)| name.get_ref() == "id")?;
        value.get_ref().as_str().map(str::to_owned)
    }

    /// Text.
    pub(super) fn text(self) -> Option<&'a str> {
        let DeValue::String(text) = self.value else {
            return self.wrong_kind("text in quotes");
        };
        Some(text)
    }

    /// Text that is not empty.
    pub(super) fn words(self) -> Option<&'a str> {
        let field = self.clone();
        let text = self.text()?;
        if text.trim().is_empty() {
            field.error("must not be empty");
            return None;
        }
        Some(text)
    }

    /// Text that `read` understands; `allowed` says in words what that is.
    pub(super) fn parse<T>(self, allowed: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let field = self.clone();
        let text = self.text()?;
        let value = read(text);
        if value.is_none() {
            field.error(format!("is \"{}\"; must be {allowed}", shortened(text)));
        }
        value
    }

    /// Text that `read` understands, or says what it must be.
    pub(super) fn check<T>(self, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let field = self.clone();
        let text = self.text()?;
        match read(text) {
            Ok(value) => Some(value),
            Err(what) => {
                field.error(format!("is \"{}\"; {what}", shortened(text)));
                None
            }
        }
    }

    /// An id.
    pub(super) fn id(self) -> Option<&'a str> {
        let field = self.clone();
        let text = self.text()?;
        if !values::is_id(text) {
            field.error(format!(
                "is \"{}\"; must be {}",
                shortened(text),
                values::ID_WORDS
            ));
            return None;
        }
        Some(text)
    }

    /// One of these words. Words of `later` are known but not built yet.
    pub(super) fn choice<T: Copy>(self, words: &[(&str, T)], later: &[&str]) -> Option<T> {
        let field = self.clone();
        let text = self.text()?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let allowed = quoted(&names);
        let what = if later.contains(&text) {
            format!("\"{text}\" is not yet supported; allowed: {allowed}")
        } else {
            let hint = values::nearest(text, &names)
                .map(|meant| format!(" (did you mean \"{meant}\"?)"))
                .unwrap_or_default();
            format!("is \"{}\"; allowed: {allowed}{hint}", shortened(text))
        };
        field.error(what);
        None
    }

    /// A whole number in this range.
    pub(super) fn whole<T: TryFrom<i64>>(self, range: RangeInclusive<i64>) -> Option<T> {
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        let DeValue::Integer(number) = self.value else {
            return self.wrong_kind(&wanted);
        };
        let value = i64::from_str_radix(number.as_str(), number.radix()).ok();
        let fits = value
            .filter(|it| range.contains(it))
            .and_then(|it| T::try_from(it).ok());
        if fits.is_none() {
            self.error(format!(
                "is {}; must be {wanted}",
                shortened(number.as_str())
            ));
        }
        fits
    }

    /// `true` or `false`.
    pub(super) fn flag(self) -> Option<bool> {
        let DeValue::Boolean(flag) = self.value else {
            return self.wrong_kind("true or false");
        };
        Some(*flag)
    }

    /// A duration in this range.
    pub(super) fn span_of_time(self, range: RangeInclusive<Millis>) -> Option<Millis> {
        let DeValue::String(text) = self.value else {
            return self.wrong_kind(values::SPAN_WORDS);
        };
        let span = values::span(text);
        match span {
            None => self.error(format!(
                "is \"{}\"; must be {}",
                shortened(text),
                values::SPAN_WORDS
            )),
            Some(it) if !range.contains(&it) => {
                let (least, most) = (
                    values::show_span(*range.start()),
                    values::show_span(*range.end()),
                );
                self.error(format!(
                    "is \"{}\"; must be from {least} to {most}",
                    shortened(text)
                ));
            }
            Some(it) => return Some(it),
        }
        None
    }

    /// A point in time, as text or as TOML's own date.
    pub(super) fn moment(self, zone: &jiff::tz::TimeZone) -> Option<domain::time::Timestamp> {
        const WANTED: &str =
            "a time such as \"2026-01-31T08:00:00Z\", or a date in the project's time zone";
        let text = if let DeValue::Datetime(time) = self.value {
            time.to_string()
        } else if let DeValue::String(text) = self.value {
            text.to_string()
        } else {
            return self.wrong_kind(WANTED);
        };
        let moment = values::moment(&text, zone);
        if moment.is_none() {
            self.error(format!("is \"{}\"; must be {WANTED}", shortened(&text)));
        }
        moment
    }

    /// A list, with the place of each entry.
    pub(super) fn list(self) -> Option<Vec<Field<'a>>> {
        let DeValue::Array(entries) = self.value else {
            return self.wrong_kind("a list in [ ]");
        };
        let field = |(index, entry): (usize, &'a toml::Spanned<DeValue<'a>>)| Field {
            value: entry.get_ref(),
            span: entry.span(),
            path: format!("{}[{index}]", self.path),
            report: self.report,
        };
        Some(entries.iter().enumerate().map(field).collect())
    }

    /// A table.
    pub(super) fn table(self) -> Option<Table<'a>> {
        let DeValue::Table(entries) = self.value else {
            return self.wrong_kind("a table in { }");
        };
        Some(Table {
            entries,
            span: self.span,
            path: self.path,
            report: self.report,
            known: Vec::new(),
            later: Vec::new(),
        })
    }

    /// PEM: literal, `{ env = "NAME" }` or `{ file = "PATH" }`.
    pub(super) fn pem(self, surroundings: Surroundings<'_>) -> Option<String> {
        let field = self.clone();
        let text = self.hidden(surroundings)?;
        if !text.contains("-----BEGIN ") {
            field.error("is not PEM: a line with -----BEGIN is missing");
            return None;
        }
        Some(text)
    }

    /// A secret: literal, `{ env = "NAME" }` or `{ file = "PATH" }`, on one line: no provider gives out
    /// another, and a header could not carry it. Never repeated in a message.
    pub(super) fn secret(self, surroundings: Surroundings<'_>) -> Option<Secret> {
        let field = self.clone();
        let text = self.hidden(surroundings)?;
        if text.chars().any(char::is_control) {
            field.error("holds a line break or another control character");
            return None;
        }
        Some(Secret::new(text))
    }

    /// A text from here or elsewhere that no message may repeat.
    fn hidden(self, surroundings: Surroundings<'_>) -> Option<String> {
        const WANTED: &str = "text, { env = \"NAME\" } or { file = \"PATH\" }";
        let field = self.clone();
        let text = if let DeValue::String(text) = self.value {
            text.to_string()
        } else if self.is_table() {
            let mut table = self.table()?;
            let (env, file) = (table.get("env"), table.get("file"));
            table.finish();
            match (env, file) {
                (Some(name), None) => variable(name, surroundings)?,
                (None, Some(path)) => file_text(path, surroundings)?,
                (Some(_), Some(_)) | (None, None) => {
                    field.error(format!("must be {WANTED}"));
                    return None;
                }
            }
        } else {
            return self.wrong_kind(WANTED);
        };
        if text.is_empty() {
            field.error("must not be empty");
            return None;
        }
        Some(text)
    }

    fn wrong_kind<T>(&self, wanted: &str) -> Option<T> {
        let kind = match self.value {
            DeValue::String(_) => "text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with decimals",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.error(format!("is {kind}; must be {wanted}"));
        None
    }
}

fn variable(name: Field<'_>, surroundings: Surroundings<'_>) -> Option<String> {
    let field = name.clone();
    let name = name.words()?;
    let value = (surroundings.variable)(name);
    if value.is_none() {
        field.report.not_set(name, &field.span, &field.path);
    }
    value
}

/// The text of a file that is named from the configuration's folder, without newlines at its end.
pub(super) fn file_text(path: Field<'_>, surroundings: Surroundings<'_>) -> Option<String> {
    let field = path.clone();
    let path = path.words()?;
    match std::fs::read_to_string(surroundings.folder.join(path)) {
        Ok(text) => Some(text.trim_end_matches(['\r', '\n']).to_owned()),
        Err(error) => {
            field.error(format!(
                "the file {} cannot be read: {error}",
                shortened(path)
            ));
            None
        }
    }
}

/// What is told of a name that is not known here: the one that was probably meant, else all of them.
pub(super) fn not_known(what: &str, key: &str, known: &[&str]) -> String {
    match values::nearest(key, known) {
        Some(meant) => format!("{what}; did you mean `{meant}`?"),
        None => format!("{what}; known here: {}", known.join(", ")),
    }
}

/// The words in quotes with commas.
pub(super) fn quoted(words: &[&str]) -> String {
    words
        .iter()
        .map(|word| format!("\"{word}\""))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Enough of a text to recognise it in a message, on one line.
pub(super) fn shortened(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let mut short: String = text.chars().map(plain).take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
