//! Do the store's migrations follow each other without a gap?

use std::collections::BTreeMap;

use crate::tree::Tree;

/// One folder for each back end, or the files themselves.
const FOLDER: &str = "crates/store/migrations/";

/// Names are `NNNN_name.sql`, and each folder counts from 0001.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    let mut numbers: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (path, _) in tree.iter().filter(|(path, _)| path.starts_with(FOLDER)) {
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        match number(file) {
            Some(number) => numbers.entry(folder).or_default().push(number),
            None => findings.push(format!(
                "{path}: a migration is named NNNN_name.sql, in lower case"
            )),
        }
    }
    for (folder, mut numbers) in numbers {
        numbers.sort_unstable();
        for (number, expected) in numbers.into_iter().zip(1..) {
            if number != expected {
                findings.push(format!(
                    "{folder}: expected migration {expected:04}, found {number:04}"
                ));
                break;
            }
        }
    }
    findings
}

/// The number of a well-formed migration's file name.
fn number(file: &str) -> Option<u32> {
    let (digits, name) = file.strip_suffix(".sql")?.split_once('_')?;
    let of_four = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (of_four && !name.is_empty() && name.bytes().all(plain)).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_four_digits_and_a_plain_name() {
        for (file, want) in [
            ("0001_start.sql", Some(1)),
            ("0012_two_words.sql", Some(12)),
            ("1_start.sql", None),
            ("0001-start.sql", None),
            ("0001_Start.sql", None),
            ("0001_.sql", None),
            ("0001_start.txt", None),
        ] {
            assert_eq!(number(file), want, "{file}");
        }
    }

    #[test]
    fn a_gap_and_a_double_number_are_told_for_each_folder() {
        let tree = Tree::from([
            ("crates/store/migrations/sqlite/0001_a.sql", ""),
            ("crates/store/migrations/sqlite/0003_b.sql", ""),
            ("crates/store/migrations/postgres/0001_a.sql", ""),
            ("crates/store/migrations/postgres/0001_b.sql", ""),
            ("crates/store/src/0009_other.sql", ""),
        ]);
        assert_eq!(
            check(&tree),
            [
                "crates/store/migrations/postgres: expected migration 0002, found 0001",
                "crates/store/migrations/sqlite: expected migration 0002, found 0003",
            ]
        );
    }
}
