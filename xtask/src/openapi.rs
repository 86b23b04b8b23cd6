//! Keeps the committed openapi.json equal to what the code says (R-API-4).

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::run;
use crate::workspace::Workspace;

/// The committed document, from the root.
const FILE: &str = "openapi.json";

/// Writes the document, or with `check` tells whether the committed one differs.
pub(crate) fn run(workspace: &Workspace, check: bool) -> Result<()> {
    let current =
        run::output(&mut workspace.cargo(["run", "-q", "-p", "tandem", "--", "openapi"]))?;
    if check {
        return compare(workspace, &current);
    }
    let path = workspace.root().join(FILE);
    fs::write(&path, current).with_context(|| format!("write {FILE}"))?;
    println!("wrote {FILE}");
    Ok(())
}

/// Compares the committed document with what an already built server prints.
pub(crate) fn check(workspace: &Workspace, server: &Path) -> Result<()> {
    compare(
        workspace,
        &run::output(Command::new(server).arg("openapi"))?,
    )
}

fn compare(workspace: &Workspace, current: &str) -> Result<()> {
    let committed =
        fs::read_to_string(workspace.root().join(FILE)).with_context(|| format!("read {FILE}"))?;
    match first_difference(&committed, current) {
        None => {
            println!("{FILE} is what the code says");
            Ok(())
        }
        Some(line) => bail!(
            "{FILE} differs from the code at line {line}: run `cargo x openapi` and commit it"
        ),
    }
}

/// The number, from one, of the first line that differs.
fn first_difference(left: &str, right: &str) -> Option<usize> {
    if left == right {
        return None;
    }
    let same = left
        .split('\n')
        .zip(right.split('\n'))
        .take_while(|(left, right)| left == right)
        .count();
    Some(same + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_differing_line_is_counted_from_one() {
        for (left, right, want) in [
            ("a\nb\n", "a\nb\n", None),
            ("a\nb\n", "x\nb\n", Some(1)),
            ("a\nb\n", "a\nc\n", Some(2)),
            ("a\nb\n", "a\nb\nc\n", Some(3)),
            ("a\nb\n", "a\nb", Some(3)),
        ] {
            assert_eq!(first_difference(left, right), want, "{left:?} {right:?}");
        }
    }
}
