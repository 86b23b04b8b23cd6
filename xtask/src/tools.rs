//! Makes sure that the programs which the conformance suites need are there, or says what to install.

use std::process::Command;

use anyhow::{Result, bail};

use crate::run;

/// A program from outside cargo, how to see that it works, and the Debian packages that bring it.
struct Tool {
    name: &'static str,
    probe: &'static [&'static str],
    packages: &'static [&'static str],
}

/// What the conformance suites start: real clients in Python and Node.
const TOOLS: &[Tool] = &[
    Tool {
        name: "Python 3 with venv",
        // Debian ships `venv` without `ensurepip`, and only fails when an environment is made.
        probe: &["python3", "-c", "import ensurepip, venv"],
        packages: &["python3", "python3-venv"],
    },
    Tool {
        name: "Node.js",
        probe: &["node", "--version"],
        packages: &["nodejs"],
    },
    Tool {
        name: "npm",
        probe: &["npm", "--version"],
        packages: &["npm"],
    },
    Tool {
        name: "Chromium",
        probe: &["chromium", "--version"],
        packages: &["chromium"],
    },
];

/// Installs what is missing where we may, else fails with the line to type.
pub(crate) fn ensure() -> Result<()> {
    let missing: Vec<&Tool> = TOOLS.iter().filter(|tool| !works(tool)).collect();
    if missing.is_empty() {
        println!("all there");
        return Ok(());
    }
    let names = missing
        .iter()
        .map(|tool| tool.name)
        .collect::<Vec<_>>()
        .join(", ");
    let packages: Vec<&str> = missing
        .iter()
        .flat_map(|tool| tool.packages)
        .copied()
        .collect();
    if !is_root() || !run::succeeds(Command::new("apt-get").arg("--version")) {
        bail!(
            "missing: {names}; on Debian: sudo apt-get install {}",
            packages.join(" ")
        );
    }
    println!("missing: {names}; installing {}", packages.join(" "));
    run::run(Command::new("apt-get").args(["update", "-q"]))?;
    run::run(
        Command::new("apt-get")
            .args(["install", "-y", "-q", "--no-install-recommends"])
            .args(&packages)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )?;
    match missing.iter().find(|tool| !works(tool)) {
        None => Ok(()),
        Some(tool) => bail!(
            "{} still does not work after installing {}",
            tool.name,
            packages.join(" ")
        ),
    }
}

/// Whether `cargo nextest` is there; without it the tests run by `cargo test`.
pub(crate) fn has_nextest() -> bool {
    run::succeeds(Command::new("cargo-nextest").args(["nextest", "--version"]))
}

fn works(tool: &Tool) -> bool {
    run::succeeds(Command::new(tool.probe[0]).args(&tool.probe[1..]))
}

fn is_root() -> bool {
    run::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
