//! Does anything stand in the sources that was meant to go before the commit?

use crate::tree::Tree;

/// Left-overs, put together here so that this file does not find itself.
const FORBIDDEN: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("dbg", "!("),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
];
/// A test that is left out says why in the attribute itself.
const IGNORE: &str = concat!("#[ign", "ore");

/// Left-overs in Rust sources.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.rust() {
        for (index, line) in text.lines().enumerate() {
            let place = format!("{path}:{}", index + 1);
            for word in FORBIDDEN.iter().filter(|word| has_word(line, word)) {
                findings.push(format!("{place}: `{word}` does not go into a commit"));
            }
            if ignores_without_reason(line) {
                findings.push(format!(
                    "{place}: an ignored test gives its reason: `{IGNORE} = \"why\"]`"
                ));
            }
        }
    }
    findings
}

/// Whether the word stands in the line with no letter, digit or underscore on either side.
fn has_word(line: &str, word: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let open_end = word.ends_with('(') || !line[at + word.len()..].starts_with(joins);
        !line[..at].ends_with(joins) && open_end
    })
}

fn ignores_without_reason(line: &str) -> bool {
    line.match_indices(IGNORE).any(|(at, _)| {
        let rest = line[at + IGNORE.len()..].trim_start();
        let reason = rest
            .strip_prefix('=')
            .map_or("", |rest| rest.trim_start().trim_start_matches('"'));
        reason.is_empty() || reason.starts_with(']')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn left_overs_are_told_with_their_line() {
        for word in FORBIDDEN {
            let text = format!("//! Head.\n    {word} x\n");
            let findings = check(&Tree::from([("a.rs", text.as_str())]));
            assert_eq!(
                findings,
                [format!("a.rs:2: `{word}` does not go into a commit")]
            );
        }
    }

    #[test]
    fn longer_words_and_other_languages_pass() {
        let longer = format!(
            "//! Head.\nlet {}s = {}_LIST;\n",
            FORBIDDEN[0], FORBIDDEN[1]
        );
        assert_eq!(
            check(&Tree::from([
                ("a.rs", longer.as_str()),
                ("b.md", FORBIDDEN[0])
            ])),
            Vec::<String>::new()
        );
    }

    #[test]
    fn an_ignored_test_needs_a_reason() {
        for (rest, want) in [
            ("]", true),
            (" = \"\"]", true),
            (" = \"needs a phone\"]", false),
        ] {
            assert_eq!(
                ignores_without_reason(&format!("{IGNORE}{rest}")),
                want,
                "{rest}"
            );
        }
    }
}
