//! Is every rule of the specification in `docs/RULES.md`, and is what its row says true?
//!
//! A row is `| rule | wording | files | constants | tests |`. Several entries of a cell stand with
//! commas between them; back-quotes are for the eye. A rule that is built names at least one file
//! and one test. A rule that is not has `—` for files and constants, and `not yet` for tests. `?`
//! is a cell that somebody still has to fill, and fails.

use std::collections::{BTreeMap, BTreeSet};

use super::rules::{self, RULES};
use crate::tree::{Tree, has_extension};

/// The ledger, from the root.
const LEDGER: &str = "docs/RULES.md";
/// A file in here is a rule file, and its first lines cite its rule.
const RULE_FILES: &str = "crates/domain/src/rules/";
/// How far into a rule file its rule may stand.
const HEAD_LINES: usize = 5;
/// In the tests' cell: nothing of the rule is built.
const NOT_YET: &str = "not yet";

/// One row of the ledger.
#[derive(Debug, PartialEq, Eq)]
struct Row<'a> {
    line: usize,
    rule: &'a str,
    wording: &'a str,
    files: Vec<&'a str>,
    constants: Vec<&'a str>,
    tests: Vec<&'a str>,
}

impl Row<'_> {
    fn is_built(&self) -> bool {
        self.tests != [NOT_YET]
    }
}

/// Everything that is wrong between ledger and code.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    let Some(text) = tree.text(LEDGER) else {
        return vec![format!("{LEDGER} is missing")];
    };
    let (rows, mut findings) = parse(text);
    findings.extend(completeness(&rows));
    let functions = functions(tree);
    for row in &rows {
        let about = about(row, tree, &functions);
        findings.extend(
            about
                .into_iter()
                .map(|it| format!("{LEDGER}:{}: {}: {it}", row.line, row.rule)),
        );
    }
    findings.extend(unknown_citations(tree));
    findings.extend(silent_rule_files(tree));
    findings
}

/// The rows of the ledger, and a finding for each that is none.
fn parse(text: &str) -> (Vec<Row<'_>>, Vec<String>) {
    let (mut rows, mut findings) = (Vec::new(), Vec::new());
    for (index, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.starts_with("| R-"))
    {
        let cells: Vec<&str> = line
            .trim()
            .trim_matches('|')
            .split('|')
            .map(str::trim)
            .collect();
        match cells[..] {
            [rule, wording, files, constants, tests] => rows.push(Row {
                line: index + 1,
                rule,
                wording,
                files: entries(files),
                constants: entries(constants),
                tests: entries(tests),
            }),
            _ => findings.push(format!(
                "{LEDGER}:{}: a row has 5 cells, this one {}",
                index + 1,
                cells.len()
            )),
        }
    }
    (rows, findings)
}

/// The entries of a cell; none for a dash.
fn entries(cell: &str) -> Vec<&str> {
    let entries = cell.split(',').map(|entry| entry.trim().trim_matches('`'));
    entries
        .filter(|entry| !matches!(*entry, "" | "—"))
        .collect()
}

/// Each rule has one row, and each row is a rule.
fn completeness(rows: &[Row<'_>]) -> Vec<String> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut findings = Vec::new();
    for row in rows {
        if let Some(first) = seen.insert(row.rule, row.line) {
            findings.push(format!(
                "{LEDGER}:{}: {} has a row at line {first} already",
                row.line, row.rule
            ));
        }
        if !RULES.contains(&row.rule) {
            findings.push(format!(
                "{LEDGER}:{}: {} is no rule of the specification",
                row.line, row.rule
            ));
        }
    }
    for rule in RULES.iter().filter(|rule| !seen.contains_key(*rule)) {
        findings.push(format!("{LEDGER}: {rule} has no row"));
    }
    findings
}

/// What one row says that is not so.
fn about(row: &Row<'_>, tree: &Tree, functions: &BTreeSet<&str>) -> Vec<String> {
    let mut findings = Vec::new();
    if row.wording.is_empty() {
        findings.push("has no wording".to_owned());
    }
    let cells = [
        ("file", &row.files),
        ("constant", &row.constants),
        ("test", &row.tests),
    ];
    for (name, _) in cells.iter().filter(|(_, cell)| cell.contains(&"?")) {
        findings.push(format!("the {name} is still open (`?`)"));
    }
    if !row.is_built() {
        if !row.files.is_empty() || !row.constants.is_empty() {
            findings.push(format!("is `{NOT_YET}` and yet names files or constants"));
        }
        return findings;
    }
    if row.files.is_empty() {
        findings.push("names no file".to_owned());
    }
    if row.tests.is_empty() {
        findings.push("names no test".to_owned());
    }
    for file in filled(&row.files) {
        findings.extend(does_not_cite(row.rule, file, tree));
    }
    for constant in filled(&row.constants) {
        let in_file = |file: &&str| tree.text(file).is_some_and(|text| defines(text, constant));
        if !row.files.iter().any(in_file) {
            findings.push(format!("no file of the row defines `const {constant}`"));
        }
    }
    for test in filled(&row.tests) {
        // A suite outside cargo is named by its file.
        if test.contains('/') {
            findings.extend(does_not_cite(row.rule, test, tree));
        } else if !functions.contains(test) {
            findings.push(format!("no test `fn {test}` exists"));
        }
    }
    findings
}

/// The entries of a cell without the open ones.
fn filled<'a>(cell: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    cell.iter().copied().filter(|entry| *entry != "?")
}

fn does_not_cite(rule: &str, file: &str, tree: &Tree) -> Option<String> {
    match tree.text(file) {
        None => Some(format!("{file} does not exist")),
        Some(text) if !rules::cited(text).contains(rule) => {
            Some(format!("{file} does not cite {rule}"))
        }
        Some(_) => None,
    }
}

/// Whether the text defines a constant of this name.
fn defines(text: &str, constant: &str) -> bool {
    ["const ", "static "].iter().any(|keyword| {
        let after = text
            .match_indices(keyword)
            .map(|(at, _)| &text[at + keyword.len()..]);
        after
            .filter_map(|rest| rest.strip_prefix(constant))
            .any(|rest| rest.starts_with(':'))
    })
}

/// The names of all functions in Rust and Python files.
fn functions(tree: &Tree) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for (path, text) in tree.iter() {
        let keyword = if has_extension(path, "rs") {
            "fn "
        } else if has_extension(path, "py") {
            "def "
        } else {
            continue;
        };
        for (at, _) in text.match_indices(keyword) {
            let rest = &text[at + keyword.len()..];
            let end = rest
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            names.insert(&rest[..end]);
        }
    }
    names
}

/// Code that cites a rule which is not there.
fn unknown_citations(tree: &Tree) -> Vec<String> {
    let code = tree
        .iter()
        .filter(|(path, _)| path.starts_with("crates/") || path.starts_with("tools/"));
    code.flat_map(|(path, text)| {
        let unknown = rules::citations(text)
            .into_iter()
            .filter(|(_, rule)| !rules::is_known(rule));
        unknown.map(move |(line, rule)| format!("{path}:{line}: {rule} is not in {LEDGER}"))
    })
    .collect()
}

/// Rule files that do not say which rule they are.
fn silent_rule_files(tree: &Tree) -> Vec<String> {
    let files = tree
        .rust()
        .filter(|(path, _)| path.starts_with(RULE_FILES) && !path.ends_with("/mod.rs"));
    files
        .filter(|(_, text)| {
            !rules::citations(text)
                .iter()
                .any(|(line, _)| *line <= HEAD_LINES)
        })
        .map(|(path, _)| {
            format!("{path}: a rule file cites its rule in the first {HEAD_LINES} lines")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: &str = "//! R-WIN-1: the window.\n\npub const WINDOW: Millis = Millis::hours(24);\n\
                          #[test]\nfn the_window_closes_to_the_millisecond() {}\n";

    fn ledger(rows: &str) -> String {
        format!(
            "# Rules\n\n| rule | wording | file | constant | test |\n|---|---|---|---|---|\n{rows}\n"
        )
    }

    /// Findings about one row, with the window's file in place.
    fn findings(row: &str) -> Vec<String> {
        let tree = Tree::from([
            ("crates/domain/src/rules/window.rs", WINDOW),
            (LEDGER, &ledger(row)),
        ]);
        let text = tree.text(LEDGER).unwrap();
        let (rows, findings) = parse(text);
        assert_eq!(findings, Vec::<String>::new());
        about(&rows[0], &tree, &functions(&tree))
    }

    #[test]
    fn a_row_is_split_into_cells_and_cells_into_entries() {
        let text = ledger("| R-WIN-1 | opens, and closes | `a.rs`, `b.rs` | — | `one`, `two` |");
        let (rows, findings) = parse(&text);
        assert_eq!(findings, Vec::<String>::new());
        assert_eq!(
            rows,
            [Row {
                line: 5,
                rule: "R-WIN-1",
                wording: "opens, and closes",
                files: vec!["a.rs", "b.rs"],
                constants: vec![],
                tests: vec!["one", "two"],
            }]
        );
    }

    #[test]
    fn a_row_with_too_few_cells_is_told() {
        let text = ledger("| R-WIN-1 | opens | a.rs |");
        assert_eq!(
            parse(&text).1,
            ["docs/RULES.md:5: a row has 5 cells, this one 3"]
        );
    }

    #[test]
    fn a_true_row_has_no_findings() {
        let row = "| R-WIN-1 | w | `crates/domain/src/rules/window.rs` | `WINDOW` | `the_window_closes_to_the_millisecond` |";
        assert_eq!(findings(row), Vec::<String>::new());
    }

    #[test]
    fn each_untrue_cell_is_named() {
        let file = "`crates/domain/src/rules/window.rs`";
        for (row, want) in [
            (
                format!("| R-WIN-2 | w | {file} | — | `the_window_closes_to_the_millisecond` |"),
                "does not cite R-WIN-2",
            ),
            (
                format!(
                    "| R-WIN-1 | w | {file} | `WIN` | `the_window_closes_to_the_millisecond` |"
                ),
                "`const WIN`",
            ),
            (
                format!("| R-WIN-1 | w | {file} | — | `the_window` |"),
                "no test `fn the_window`",
            ),
            (
                format!("| R-WIN-1 | w | {file} | — | `conformance/run` |"),
                "conformance/run does not exist",
            ),
            (
                "| R-WIN-1 | w | `gone.rs` | — | `the_window_closes_to_the_millisecond` |"
                    .to_owned(),
                "gone.rs does not exist",
            ),
            (format!("| R-WIN-1 | w | {file} | — | — |"), "names no test"),
            (
                format!("| R-WIN-1 | w | {file} | ? | `the_window_closes_to_the_millisecond` |"),
                "the constant is still open",
            ),
            (
                format!("| R-WIN-1 | w | {file} | — | not yet |"),
                "is `not yet` and yet names files",
            ),
        ] {
            let findings = findings(&row);
            assert_eq!(findings.len(), 1, "{row}: {findings:?}");
            assert!(findings[0].contains(want), "{row}: {findings:?}");
        }
    }

    #[test]
    fn a_rule_that_is_not_built_needs_no_file() {
        assert_eq!(
            findings("| R-QUOTA-1 | w | — | — | not yet |"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_missing_a_double_and_an_invented_rule_are_told() {
        let rows = [
            "| R-WIN-1 | w | ? | ? | ? |",
            "| R-WIN-1 | w | ? | ? | ? |",
            "| R-NEW-1 | w | ? | ? | ? |",
        ];
        let text = ledger(&rows.join("\n"));
        let findings = completeness(&parse(&text).0);
        assert!(
            findings.contains(&"docs/RULES.md:6: R-WIN-1 has a row at line 5 already".to_owned()),
            "{findings:?}"
        );
        assert!(
            findings
                .contains(&"docs/RULES.md:7: R-NEW-1 is no rule of the specification".to_owned())
        );
        assert!(findings.contains(&"docs/RULES.md: R-WIN-2 has no row".to_owned()));
    }

    #[test]
    fn code_that_cites_an_unknown_rule_is_told_with_its_line() {
        let tree = Tree::from([
            ("crates/engine/src/plan.rs", "//! Plans.\n// R-CHAN-9\n"),
            ("docs/x.md", "R-CHAN-9"),
        ]);
        assert_eq!(
            unknown_citations(&tree),
            ["crates/engine/src/plan.rs:2: R-CHAN-9 is not in docs/RULES.md"]
        );
    }

    #[test]
    fn a_rule_file_says_its_rule_in_its_first_lines() {
        let late = "//! Late.\n\n\n\n\n// R-WIN-1\n";
        let tree = Tree::from([
            ("crates/domain/src/rules/late.rs", late),
            ("crates/domain/src/rules/mod.rs", "//! All rules.\n"),
            ("crates/domain/src/rules/window.rs", WINDOW),
        ]);
        assert_eq!(
            silent_rule_files(&tree),
            ["crates/domain/src/rules/late.rs: a rule file cites its rule in the first 5 lines"]
        );
    }
}
