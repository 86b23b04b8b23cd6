//! `cargo x`: the daily work on the house, in the house's own language, with nothing to install.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool speaks to a person"
)]

mod bench;
mod openapi;
mod run;
mod sim;
mod steps;
mod test;
mod tidy;
mod tools;
mod tree;
mod web;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

#[derive(Parser)]
#[command(
    name = "cargo x",
    about = "Build, check, test and measure Tandem",
    version
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Format the sources
    Fmt {
        /// Only tell whether anything would change
        #[arg(long)]
        check: bool,
    },
    /// Run clippy on the whole workspace, warnings refused
    Lint,
    /// Check what no compiler checks: crate arrows, the rule ledger, file heads, migrations, paths
    Tidy,
    /// Run every test: checks, cargo tests, release build, conformance, crash test, OpenAPI drift
    Test(test::Args),
    /// Everything of `test`, and `lint`
    Ci,
    /// Build for release and measure with the load generator
    Bench(bench::Args),
    /// Run the whole line in made-up time, with faults, over many seeds
    Sim(sim::Args),
    /// Write openapi.json from the code
    Openapi {
        /// Only tell whether the committed file differs
        #[arg(long)]
        check: bool,
    },
    /// Build the web app into web/dist; needs Node and npm
    Web {
        /// Only tell whether the committed one was built from these sources; needs neither
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    match run_command(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The chain without a stack trace: a failed check is no crash of ours.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run_command(command: Command) -> Result<()> {
    let workspace = Workspace::open()?;
    match command {
        Command::Fmt { check } => test::fmt(&workspace, check),
        Command::Lint => test::lint(&workspace),
        Command::Tidy => tidy::run(&workspace),
        Command::Test(args) => test::test(&workspace, &args),
        Command::Ci => test::ci(&workspace),
        Command::Bench(args) => bench::run_bench(&workspace, &args),
        Command::Sim(args) => sim::run_sim(&workspace, &args),
        Command::Openapi { check } => openapi::run(&workspace, check),
        Command::Web { check } => web::run(&workspace, check),
    }
}
