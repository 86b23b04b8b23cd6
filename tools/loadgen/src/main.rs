//! Which command was asked for?

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use loadgen::commands::{
    backlog, ceiling, crash, lanes, line, quota, send, sink, stand_in, verify,
};
use loadgen::report;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Load generator, SMSC sink, benchmark and crash test of the message router.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What the tool itself can carry.
    Ceiling(ceiling::Args),
    /// Load and SMSC together against a server that runs already.
    Send(send::Args),
    /// The SMSC alone.
    Smsc(sink::Args),
    /// Compares the accepted messages of a journal with the API.
    Verify(verify::Args),
    /// Throughput, latency and CPU of the whole line, on servers that it starts.
    Line(line::Args),
    /// What a long bulk lane does to direct messages on the same route.
    Lanes(lanes::Args),
    /// A large backlog: accept rate, memory, drain rate.
    Backlog(backlog::Args),
    /// Kills the server under load and looks for what was lost or sent twice.
    Crash(crash::Args),
    /// Sends more than a quota allows, with failures and kills, and compares what was booked.
    Quota(quota::Args),
    /// The stand-in of the server, to try the other commands on. Keeps nothing durable.
    #[command(hide = true)]
    Serve(stand_in::Args),
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::note(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let cli = Cli::parse();
    // One thread: no cost of waking another one, and all times are taken in order.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match cli.command {
            Command::Ceiling(args) => ceiling::run(&args).await,
            Command::Send(args) => send::run(&args).await,
            Command::Smsc(args) => sink::run(&args).await,
            Command::Verify(args) => verify::run(&args).await,
            Command::Line(args) => line::run(&args).await,
            Command::Lanes(args) => lanes::run(&args).await,
            Command::Backlog(args) => backlog::run(&args).await,
            Command::Crash(args) => crash::run(&args).await,
            Command::Quota(args) => quota::run(&args).await,
            Command::Serve(args) => stand_in::run(&args).await,
        }
    })
}
