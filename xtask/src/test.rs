//! Which checks make up `fmt`, `lint`, `test` and `ci`, and in which order?
//!
//! Cheap to dear: what a person gets wrong most often is told in the first seconds.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::run::run;
use crate::steps::Steps;
use crate::workspace::Workspace;
use crate::{openapi, tidy, tools};

/// The script that runs real clients against a server, from the root.
const CONFORMANCE: &str = "conformance/run";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only fmt, tidy, lint and the cargo tests
    #[arg(long)]
    fast: bool,
    /// Run only the cargo tests whose names contain one of these, and nothing else
    filter: Vec<String>,
}

/// Formats, or with `check` tells what is not formatted.
pub(crate) fn fmt(workspace: &Workspace, check: bool) -> Result<()> {
    let mut command = workspace.cargo(["fmt", "--all"]);
    if check {
        command.arg("--check");
    }
    run(&mut command)
}

/// Clippy on everything, warnings refused.
pub(crate) fn lint(workspace: &Workspace) -> Result<()> {
    run(&mut workspace.cargo([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}

/// The command that the README names.
pub(crate) fn test(workspace: &Workspace, args: &Args) -> Result<()> {
    if !args.filter.is_empty() {
        return cargo_tests(workspace, &args.filter);
    }
    let mut steps = Steps::default();
    heads(workspace, &mut steps)?;
    if args.fast {
        steps.step("lint", || lint(workspace))?;
        code(workspace, &mut steps)?;
    } else {
        steps.step("tools", tools::ensure)?;
        code(workspace, &mut steps)?;
        product(workspace, &mut steps)?;
    }
    steps.finish();
    Ok(())
}

/// Everything of `test`, and `lint`.
pub(crate) fn ci(workspace: &Workspace) -> Result<()> {
    let mut steps = Steps::default();
    heads(workspace, &mut steps)?;
    steps.step("tools", tools::ensure)?;
    steps.step("lint", || lint(workspace))?;
    code(workspace, &mut steps)?;
    product(workspace, &mut steps)?;
    steps.finish();
    Ok(())
}

/// What needs no build.
fn heads(workspace: &Workspace, steps: &mut Steps) -> Result<()> {
    steps.step("fmt", || fmt(workspace, true))?;
    steps.step("tidy", || tidy::run(workspace))
}

/// What tests the code from inside.
fn code(workspace: &Workspace, steps: &mut Steps) -> Result<()> {
    steps.step("cargo tests", || cargo_tests(workspace, &[]))?;
    steps.step("doc tests", || {
        run(&mut workspace.cargo(["test", "--workspace", "--doc"]))
    })
}

/// What tests the finished program from outside.
fn product(workspace: &Workspace, steps: &mut Steps) -> Result<()> {
    steps.step("release build", || release_build(workspace))?;
    steps.step("conformance", || conformance(workspace))?;
    steps.step("crash", || crash(workspace))?;
    steps.step("quota", || quota(workspace))?;
    steps.step("openapi", || {
        openapi::check(workspace, &workspace.release("tandem"))
    })
}

/// Unit and integration tests of all crates, by nextest where it is there.
fn cargo_tests(workspace: &Workspace, filter: &[String]) -> Result<()> {
    let mut command = if tools::has_nextest() {
        workspace.cargo(["nextest", "run", "--workspace"])
    } else {
        workspace.cargo(["test", "--workspace", "--lib", "--bins", "--tests", "--"])
    };
    run(command.args(filter))
}

/// Builds the server and the load generator as they are measured and shipped.
pub(crate) fn release_build(workspace: &Workspace) -> Result<()> {
    run(&mut workspace.cargo(["build", "--release", "-p", "tandem", "-p", "loadgen"]))
}

/// Real clients against the real program.
fn conformance(workspace: &Workspace) -> Result<()> {
    let script = workspace.root().join(CONFORMANCE);
    ensure!(
        script.is_file(),
        "{CONFORMANCE} is missing: the conformance suites are part of the tests"
    );
    let mut command = Command::new(script);
    run(command
        .arg("--server")
        .arg(workspace.release("tandem"))
        .current_dir(workspace.root()))
}

/// Sends more than a quota allows, with failures and kills, and compares what was booked (R-QUOTA-1).
fn quota(workspace: &Workspace) -> Result<()> {
    // Without kills, what is booked is exactly what the SMSC took.
    for kills in ["0", "3"] {
        let mut command = Command::new(workspace.release("loadgen"));
        command
            .arg("quota")
            .arg("--server")
            .arg(workspace.release("tandem"))
            .args(["--messages", "4000", "--quota", "1200", "--kills", kills])
            .current_dir(workspace.root());
        run(&mut command)?;
    }
    Ok(())
}

/// Kills the server under load and counts what was promised and not kept (R-LIFE-2).
fn crash(workspace: &Workspace) -> Result<()> {
    let mut command = Command::new(workspace.release("loadgen"));
    command
        .arg("crash")
        .arg("--server")
        .arg(workspace.release("tandem"));
    run(command
        .args(["--kills", "3", "--messages", "20000"])
        .current_dir(workspace.root()))
}
