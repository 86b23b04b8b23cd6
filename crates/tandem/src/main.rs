//! The binary: configuration, wiring, commands. Reading order: `cli` (what can be typed),
//! `config`, `wiring` (how the parts become a server), `commands` (one file each).

mod cli;
mod client;
mod commands;
mod config;
mod demo;
mod keys;
mod logging;
mod output;
mod users;
mod wiring;

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

/// The hot path allocates little and often, on many threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    install_tls();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start the runtime");
    match runtime.and_then(|runtime| runtime.block_on(commands::run(cli.command))) {
        Ok(code) => code,
        Err(error) => output::failure(&error),
    }
}

/// TLS by ring: the one provider that is built in.
fn install_tls() {
    // Safe because: it fails only when a provider is installed already, which is this one.
    drop(rustls::crypto::ring::default_provider().install_default());
}
