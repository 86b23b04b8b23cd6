//! The descriptions that the binary brings, and how an operator's own keys are laid over one.

use toml::{Table, Value};

use super::reading;
use super::spec::ProviderSpec;

/// Name and text of each description that the binary brings.
pub const PRESETS: &[(&str, &str)] = &[
    ("infobip", include_str!("presets/infobip.toml")),
    ("messagebird", include_str!("presets/messagebird.toml")),
    ("plivo", include_str!("presets/plivo.toml")),
    ("sinch", include_str!("presets/sinch.toml")),
    ("telnyx", include_str!("presets/telnyx.toml")),
    ("vonage", include_str!("presets/vonage.toml")),
];

/// Something that is wrong with a description.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The key, its tables before it with dots between.
    pub path: String,
    /// What is wrong, as the end of a sentence that begins with the key.
    pub message: String,
    /// Where the last name of `path` is not known: the names that are, in its place.
    pub known: Vec<String>,
}

impl Problem {
    pub(super) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
            known: Vec::new(),
        }
    }
}

impl ProviderSpec {
    /// Reads a description: a whole one, or one that names a `preset` and says what differs from it. `Err`
    /// tells every key that is not known and every value that cannot be read.
    ///
    /// `settings` and what concerns the connection are not part of a description; whoever reads the
    /// configuration takes them out before.
    pub fn read(mut own: Table) -> Result<Self, Vec<Problem>> {
        let table = match own.remove("preset") {
            None => own,
            Some(Value::String(name)) => {
                let mut table = preset(&name).map_err(|it| vec![it])?;
                lay_over(&mut table, own, "");
                table
            }
            Some(_) => {
                let problem = Problem::new("preset", "must be the name of a preset");
                return Err(vec![problem]);
            }
        };
        reading::read(table)
    }

    /// A description that the binary brings.
    pub fn preset(name: &str) -> Result<Self, Vec<Problem>> {
        reading::read(preset(name).map_err(|it| vec![it])?)
    }
}

fn preset(name: &str) -> Result<Table, Problem> {
    let Some((_, text)) = PRESETS.iter().find(|it| it.0 == name) else {
        let names: Vec<&str> = PRESETS.iter().map(|it| it.0).collect();
        let names = names.join(", ");
        let message = format!("is {name:?}, which there is not; the presets are {names}");
        return Err(Problem::new("preset", message));
    };
    toml::from_str(text).map_err(|error| Problem::new("preset", error.message()))
}

/// Lists to which an operator's entries are added, in front; every other list is replaced.
const ADDED_TO: [&str; 3] = ["send.rules", "send.optional", "send.mms.optional"];

/// Lays `own` over `base`: tables are merged key by key, everything else is replaced. A table that
/// names a `kind` is replaced whole, as the keys of another kind mean nothing to it.
fn lay_over(base: &mut Table, own: Table, path: &str) {
    for (key, value) in own {
        let here = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        match (base.get_mut(&key), value) {
            (Some(Value::Table(base)), Value::Table(own)) if !own.contains_key("kind") => {
                lay_over(base, own, &here);
            }
            (Some(Value::Array(base)), Value::Array(mut own)) if ADDED_TO.contains(&&*here) => {
                own.append(base);
                *base = own;
            }
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ProviderSpec, Problem> {
        ProviderSpec::read(toml::from_str(text).unwrap()).map_err(|mut it| {
            assert_eq!(it.len(), 1, "{it:?}");
            it.remove(0)
        })
    }

    #[test]
    fn an_operators_keys_are_laid_over_the_preset() {
        let preset = ProviderSpec::preset("telnyx").unwrap();
        let own = read(
            r#"
            preset = "telnyx"
            base_url = "http://127.0.0.1:1"
            signature = { kind = "none" }
            [send.body]
            tags = ["tandem"]
            [[send.rules]]
            code = "40002"
            outcome = "blocked"
            "#,
        )
        .unwrap();
        assert_eq!(own.base_url, "http://127.0.0.1:1");
        assert_eq!(own.signature, super::super::spec::SignatureSpec::None);
        assert_eq!(own.send.body.len(), preset.send.body.len() + 1);
        assert_eq!(own.send.rules[0].code.0, ["40002"]);
        assert_eq!(own.send.rules[1..], preset.send.rules);
        assert_eq!(own.receipts, preset.receipts);
    }

    #[test]
    fn a_wrong_key_or_word_is_named_with_its_place() {
        for (text, path, part) in [
            ("preset = 'telnix'", "preset", "telnyx"),
            (
                "preset = 'telnyx'\nbase_uri = 'x'",
                "base_uri",
                "not a known setting",
            ),
            (
                "preset = 'telnyx'\nsend.pfad = 'x'",
                "send.pfad",
                "not a known setting",
            ),
            (
                "preset = 'telnyx'\n[[send.rules]]\noutcome = 'nope'",
                "send.rules[0].outcome",
                "opted_out",
            ),
            (
                "preset = 'telnyx'\nsend.ok.id = 'data'",
                "send.ok.id",
                "JSON pointer",
            ),
            (
                "preset = 'telnyx'\nsend.ok.http = [99]",
                "send.ok.http[0]",
                "HTTP status",
            ),
        ] {
            let problem = read(text).unwrap_err();
            assert_eq!(problem.path, path, "{}", problem.message);
            assert!(problem.message.contains(part), "{}", problem.message);
        }
    }

    #[test]
    fn beside_an_unknown_key_stand_the_known_ones() {
        let problem = read("preset = 'telnyx'\nsend.pfad = 'x'").unwrap_err();
        assert!(problem.known.contains(&"path".to_owned()), "{problem:?}");
    }
}
