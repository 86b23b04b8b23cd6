//! Builds for release and hands over to the load generator.

use std::process::Command;

use anyhow::Result;
use clap::ValueEnum;

use crate::run::run;
use crate::test::release_build;
use crate::workspace::Workspace;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to measure
    kind: Kind,
    /// Passed on as they are, for example `--json`; `-- --help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// Messages a second from request to receipt
    Line,
    /// A large backlog: memory, and what direct traffic waits behind it
    Backlog,
    /// Kills under load: what was accepted is kept
    Crash,
}

impl Kind {
    fn subcommand(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Backlog => "backlog",
            Self::Crash => "crash",
        }
    }
}

/// Standard output is the load generator's alone, so that `--json` can be piped.
pub(crate) fn run_bench(workspace: &Workspace, args: &Args) -> Result<()> {
    release_build(workspace)?;
    let mut command = Command::new(workspace.release("loadgen"));
    command
        .arg(args.kind.subcommand())
        .arg("--server")
        .arg(workspace.release("tandem"));
    run(command.args(&args.rest).current_dir(workspace.root()))
}
