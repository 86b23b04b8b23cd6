//! Does a path of somebody's own machine stand in a file that others get?

use crate::tree::Tree;

/// Where home and build folders begin; put together so that this file does not find itself.
const PREFIXES: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
];

/// Absolute paths below those folders, in any text file.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.iter() {
        for (index, line) in text.lines().enumerate() {
            if let Some(prefix) = PREFIXES.iter().find(|prefix| begins_a_path(line, prefix)) {
                findings.push(format!(
                    "{path}:{}: a machine's own path ({prefix}…)",
                    index + 1
                ));
            }
        }
    }
    findings
}

/// Whether the prefix stands where a path begins, not inside a longer path or a URL.
fn begins_a_path(line: &str, prefix: &str) -> bool {
    let inside =
        |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '~' | '}' | ')' | '/');
    line.match_indices(prefix)
        .any(|(at, _)| !line[..at].ends_with(inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_paths_are_told_and_parts_of_longer_ones_are_not() {
        for prefix in PREFIXES {
            for (line, want) in [
                (format!("cd {prefix}x"), true),
                (format!("\"{prefix}x\""), true),
                (format!("{prefix}x"), true),
                (format!("https://example.com{prefix}x"), false),
                (format!("..{prefix}x"), false),
                (format!("frame{}x", &prefix[1..]), false),
            ] {
                let found = !check(&Tree::from([("a.toml", line.as_str())])).is_empty();
                assert_eq!(found, want, "{line}");
            }
        }
    }
}
