//! `cargo x tidy`: what the house agreed on and no compiler checks.
//!
//! Each check is a function from the loaded files to findings; a finding is one line that names the
//! place and says what to do.

mod arrows;
mod heads;
mod ledger;
mod migrations;
mod paths;
mod rules;
mod words;

use anyhow::{Result, bail};

use crate::tree::Tree;
use crate::web;
use crate::workspace::Workspace;

/// Runs all checks and prints every finding before it fails.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let tree = Tree::load(workspace)?;
    let checks = [
        ("crate arrows", arrows::check(&workspace.metadata)),
        ("rule ledger", ledger::check(&tree)),
        ("file heads", heads::check(&tree)),
        ("words", words::check(&tree)),
        ("migrations", migrations::check(&tree)),
        ("paths", paths::check(&tree)),
        ("web app", web::findings(workspace.root())),
    ];
    let mut n_findings = 0;
    for (name, findings) in &checks {
        for finding in findings {
            println!("tidy, {name}: {finding}");
        }
        n_findings += findings.len();
    }
    if n_findings > 0 {
        bail!("tidy: {n_findings} findings");
    }
    println!("tidy: {} checks, nothing found", checks.len());
    Ok(())
}
