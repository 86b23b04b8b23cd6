//! `ceiling`: what can the tool itself carry?

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde::Serialize;

use crate::http_client::Target;
use crate::load::{Load, Plan};
use crate::report::{self, float};
use crate::smsc::{self, Options, Sink};
use crate::standin;
use crate::tally::Tally;
use crate::{procfs, server};

/// Options of `ceiling`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Messages for each of the three measurements.
    #[arg(long, default_value_t = 200_000)]
    pub messages: u32,
    /// HTTP connections.
    #[arg(long, default_value_t = 64)]
    pub connections: usize,
    /// One JSON object on stdout.
    #[arg(long)]
    pub json: bool,
}

/// One ceiling.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Ceiling {
    /// Messages a second, next to a stand-in that needs CPU too.
    pub per_s: f64,
    /// CPU of the tool's own thread, microseconds a message.
    pub cpu_us_per_message: f64,
    /// Messages a second that the tool's thread could carry if it had a core to itself.
    pub per_s_of_a_core: f64,
}

/// The tool's own limits.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Figures {
    /// HTTP client alone, against a responder that answers 202.
    pub http: Ceiling,
    /// SMSC sink alone, against an ESME of window 100.
    pub smsc: Ceiling,
    /// All roles and the bookkeeping, against a stand-in without durability.
    pub all: Ceiling,
}

/// Microseconds without movement after which a measurement has failed.
const STILL_US: u64 = 10_000_000;

/// Measures the three ceilings.
pub async fn run(args: &Args) -> anyhow::Result<()> {
    let http = measure(args, true, false).await?;
    let smsc = measure(args, false, true).await?;
    let all = measure(args, true, true).await?;
    report::print(&Figures { http, smsc, all }, args.json)
}

async fn measure(args: &Args, http: bool, smsc: bool) -> anyhow::Result<Ceiling> {
    let tally = Arc::new(Tally::default());
    let options = Options {
        receipt_delay: Duration::ZERO,
        ..Options::default()
    };
    let sink = Sink::new(options, Arc::clone(&tally));
    let listener = smsc::listen(([127, 0, 0, 1], 0).into())?;
    let smsc_address = listener.local_addr()?;
    let serving = tokio::spawn(sink.serve(listener));
    let (start, cpu) = (Instant::now(), procfs::thread_cpu());
    let standin = standin::spawn(standin::Options {
        smsc: smsc.then_some(smsc_address),
        window: 100,
        generate: if http { 0 } else { args.messages },
        log: None,
    })?;
    if http {
        let load = Load::new(
            Plan {
                target: Target {
                    address: standin.address,
                    key: server::KEY.to_owned(),
                },
                connections: args.connections,
                first: 0,
                messages: args.messages,
                at_least: Duration::ZERO,
                rate: None,
                fields: String::new(),
            },
            Arc::clone(&tally),
        );
        load.run().await;
        ensure!(
            tally.counts().accepted == u64::from(args.messages),
            "the stand-in refused messages"
        );
    }
    if smsc {
        let began_us = tally.now_us();
        while tally.counts().ended < u64::from(args.messages) {
            let still_us = tally.now_us() - tally.moved_us().max(began_us);
            ensure!(still_us < STILL_US, "the sink stands still");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), procfs::thread_cpu() - cpu);
    serving.abort();
    let messages = float(u64::from(args.messages));
    Ok(Ceiling {
        per_s: messages / seconds,
        cpu_us_per_message: cpu * 1e6 / messages,
        per_s_of_a_core: messages / cpu,
    })
}
