//! Does every source say what it is about, and why, where it is long?

use std::collections::BTreeMap;

use crate::tree::Tree;

/// Past this many lines a file says why it is not two.
const MAX_LINES: usize = 600;
/// How far into the file the reason may stand.
const REASON_LINES: usize = 10;
/// What the reason begins with.
const REASON: &str = "Long because: ";

/// Heads and lengths of Rust files, and the number of integration binaries a crate has.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.rust() {
        if !text.starts_with("//!") {
            findings.push(format!(
                "{path}: the first line is `//!` and says what question the file answers"
            ));
        }
        let n_lines = text.lines().count();
        if n_lines > MAX_LINES && !text.lines().take(REASON_LINES).any(says_why) {
            findings.push(format!(
                "{path}: has {n_lines} lines; split it, or say `// {REASON}…` in the first {REASON_LINES}"
            ));
        }
    }
    findings.extend(second_test_binaries(tree));
    findings
}

fn says_why(line: &str) -> bool {
    line.starts_with("//")
        && line
            .split_once(REASON)
            .is_some_and(|(_, reason)| !reason.trim().is_empty())
}

/// Each integration binary links everything again, so a crate has one, with modules.
fn second_test_binaries(tree: &Tree) -> Vec<String> {
    let mut binaries: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (path, _) in tree.rust() {
        if let Some((package, file)) = path.split_once("/tests/")
            && !file.contains('/')
            && !package.split('/').any(|part| part == "src")
        {
            binaries.entry(package).or_default().push(file);
        }
    }
    let several = binaries.into_iter().filter(|(_, files)| files.len() > 1);
    several
        .map(|(package, files)| {
            format!(
                "{package}/tests: {} are {} binaries; make them modules of main.rs",
                files.join(", "),
                files.len()
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_head_is_told() {
        let tree = Tree::from([
            ("a.rs", "//! Says it.\n"),
            ("b.rs", "use std::fs;\n"),
            ("c.md", "none\n"),
        ]);
        let findings = check(&tree);
        assert_eq!(findings.len(), 1);
        assert!(
            findings[0].starts_with("b.rs: the first line"),
            "{findings:?}"
        );
    }

    #[test]
    fn a_long_file_gives_a_reason_near_its_top() {
        let body = "// line\n".repeat(MAX_LINES);
        for (head, want) in [
            ("//! Head.\n", 1),
            ("//! Head.\n// Long because: one table.\n", 0),
            ("//! Head.\n// Long because: \n", 1),
        ] {
            let text = format!("{head}{body}");
            assert_eq!(
                check(&Tree::from([("long.rs", text.as_str())])).len(),
                want,
                "{head}"
            );
        }
    }

    #[test]
    fn a_crate_has_one_integration_binary() {
        let head = "//! Tests.\n";
        let tree = Tree::from([
            ("crates/api/tests/main.rs", head),
            ("crates/api/tests/messages/list.rs", head),
            ("crates/store/tests/main.rs", head),
            ("crates/store/tests/other.rs", head),
            ("crates/store/src/tests/a.rs", head),
            ("crates/store/src/tests/b.rs", head),
        ]);
        assert_eq!(
            check(&tree),
            ["crates/store/tests: main.rs, other.rs are 2 binaries; make them modules of main.rs"]
        );
    }
}
