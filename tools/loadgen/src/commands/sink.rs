//! `smsc`: the sink alone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;

use super::send::SinkArgs;
use crate::report::{self, Latency, rate};
use crate::settle::Progress;
use crate::smsc::{self, Sink};
use crate::tally::{Counts, Tally};

/// Options of `smsc`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:2775")]
    pub listen: SocketAddr,
    /// Seconds to run; until Ctrl-C if not given.
    #[arg(long)]
    pub seconds: Option<u64>,
    /// How it behaves.
    #[command(flatten)]
    pub sink: SinkArgs,
    /// One JSON object on stdout.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Serialize)]
struct Figures {
    counts: Counts,
    binds: u64,
    open_binds: usize,
    submitted_per_s: f64,
    receipt_to_ack: Latency,
}

/// Serves until told to stop, then prints the counts.
pub async fn run(args: &Args) -> anyhow::Result<()> {
    let tally = Arc::new(Tally::default());
    let sink = Sink::new(args.sink.options(), Arc::clone(&tally));
    let listener =
        smsc::listen(args.listen).with_context(|| format!("listen on {}", args.listen))?;
    report::note(&format!("SMSC on {}", listener.local_addr()?));
    let progress = Progress::start("smsc", &tally);
    tokio::select! {
        () = Arc::clone(&sink).serve(listener) => {}
        it = tokio::signal::ctrl_c() => it.context("wait for Ctrl-C")?,
        () = tokio::time::sleep(Duration::from_secs(args.seconds.unwrap_or(0))), if args.seconds.is_some() => {}
    }
    drop(progress);
    let phase = tally.begin_phase();
    let figures = Figures {
        counts: tally.counts(),
        binds: sink.binds(),
        open_binds: sink.links(),
        submitted_per_s: rate(
            phase.submitted,
            phase.first_submit_us.unwrap_or_default(),
            phase.last_submit_us,
        ),
        receipt_to_ack: Latency::of(phase.ack_us),
    };
    report::print(&figures, args.json)
}
