//! `cargo x sim`: runs many seeds, and tells which one fails and how to run it again.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool speaks to a person"
)]

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

#[derive(Parser)]
#[command(about = "Runs the whole line in made-up time, with faults")]
struct Args {
    /// How many seeds
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first seed; alone, only this one is run
    #[arg(long)]
    seed: Option<u64>,
    /// Prints everything that happened
    #[arg(long)]
    history: bool,
    /// Goes on after a seed that fails
    #[arg(long)]
    all: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let given_seeds = std::env::args().any(|it| it.starts_with("--seeds"));
    let first = args.seed.unwrap_or(1);
    let count = if args.seed.is_some() && !given_seeds {
        1
    } else {
        args.seeds
    };
    let began = Instant::now();
    let (mut failed, mut messages, mut submissions, mut ran) = (Vec::new(), 0, 0, 0_u64);
    for seed in first..first + count {
        let run = simulation::run(seed);
        ran += 1;
        messages += run.messages;
        submissions += run.submissions;
        if args.history {
            for line in &run.history {
                println!("{line}");
            }
        }
        if let Some(failure) = run.failures.first() {
            failed.push(seed);
            eprintln!("{failure}");
            for other in run.failures.iter().skip(1) {
                eprintln!("also: {}", other.lines().next().unwrap_or_default());
            }
            eprintln!("again: cargo x sim --seed {seed}\n");
            if !args.all {
                break;
            }
        }
    }
    println!(
        "{ran} seeds in {:.1} s: {messages} messages, {submissions} submissions; failed: {failed:?}",
        began.elapsed().as_secs_f64()
    );
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
