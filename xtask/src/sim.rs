//! Runs the simulation of the line over many seeds, as the tests build it.

use anyhow::Result;

use crate::run::run;
use crate::workspace::Workspace;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many seeds
    #[arg(long)]
    seeds: Option<u64>,
    /// The first seed; without `--seeds` only this one is run
    #[arg(long)]
    seed: Option<u64>,
    /// Print everything that happened
    #[arg(long)]
    history: bool,
    /// Go on after a seed that fails
    #[arg(long)]
    all: bool,
}

/// Without optimisation: what overflows or does not hold is to be noticed.
pub(crate) fn run_sim(workspace: &Workspace, args: &Args) -> Result<()> {
    let mut command = workspace.cargo(["run", "--quiet", "--package", "simulation", "--"]);
    for (name, value) in [("--seeds", args.seeds), ("--seed", args.seed)] {
        if let Some(value) = value {
            command.arg(name).arg(value.to_string());
        }
    }
    for (name, given) in [("--history", args.history), ("--all", args.all)] {
        if given {
            command.arg(name);
        }
    }
    run(&mut command)
}
