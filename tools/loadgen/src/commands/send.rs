//! `send`: load and sink together against a server that runs already.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Serialize;

use crate::http_client::Target;
use crate::load::{Load, Plan};
use crate::procfs;
use crate::report::{self, PhaseFigures, float};
use crate::script::Script;
use crate::settle::{Patience, Progress, settle};
use crate::smsc::{self, Options, Sink};
use crate::tally::{Counts, Tally};

/// Options of `send`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The server, `http://HOST:PORT`.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// API key with the scope `send`.
    #[arg(long)]
    pub key: String,
    /// How many messages.
    #[arg(long, default_value_t = 10_000)]
    pub messages: u32,
    /// Number of the first message; a second run against the same server needs another one.
    #[arg(long, default_value_t = 0)]
    pub first: u32,
    /// Requests per second; as fast as answers come if not given.
    #[arg(long)]
    pub rate: Option<f64>,
    /// Kept connections, one request in flight on each.
    #[arg(long, default_value_t = 64)]
    pub connections: usize,
    /// Further JSON members of each body, such as `"channel":"sms"`.
    #[arg(long, default_value = "")]
    pub fields: String,
    /// Where to be the SMSC; nowhere if not given, and then only answers are measured.
    #[arg(long)]
    pub smsc: Option<SocketAddr>,
    /// How the SMSC behaves.
    #[command(flatten)]
    pub sink: SinkArgs,
    /// Seconds without movement after which open messages are given up.
    #[arg(long, default_value_t = 10)]
    pub quiet: u64,
    /// Write the accepted messages (reference and id) to this file.
    #[arg(long)]
    pub journal: Option<PathBuf>,
    /// One JSON object on stdout.
    #[arg(long)]
    pub json: bool,
}

/// How the SMSC behaves.
#[derive(Debug, Clone, clap::Args)]
pub struct SinkArgs {
    /// Milliseconds from a submission to its answer.
    #[arg(long, default_value_t = 0)]
    pub smsc_delay_ms: u64,
    /// Milliseconds from the answer to the receipt.
    #[arg(long, default_value_t = 100)]
    pub receipt_delay_ms: u64,
    /// Receipts that may be unacknowledged on one bind.
    #[arg(long, default_value_t = 100)]
    pub window_of_unacked_receipts: usize,
    /// Misbehaviour, such as `throttle:1/50,reject:1/100,drop-resp:1/1000,no-receipt:1/100,double-receipt:1/100`;
    /// also queue-full, early-receipt and undeliv.
    #[arg(long, default_value = "")]
    pub script: Script,
}

impl SinkArgs {
    /// The sink's options.
    pub fn options(&self) -> Options {
        Options {
            answer_delay: Duration::from_millis(self.smsc_delay_ms),
            receipt_delay: Duration::from_millis(self.receipt_delay_ms),
            receipt_window: self.window_of_unacked_receipts.max(1),
            script: self.script.clone(),
            ..Options::default()
        }
    }
}

/// What `send` measured.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// Counts by reference.
    pub counts: Counts,
    /// Accepted messages that did not end.
    pub open: u64,
    /// Rates and latencies.
    pub figures: PhaseFigures,
    /// Furthest that a request was behind its fixed time.
    pub late_ms: f64,
    /// CPU of this tool, microseconds a message.
    pub loadgen_cpu_us_per_message: f64,
    /// First refusal, if any.
    pub first_refusal: Option<String>,
}

/// Runs `send` and prints its figures.
pub async fn run(args: &Args) -> anyhow::Result<()> {
    let figures = measure(args).await?;
    report::print(&figures, args.json)?;
    if let Some(refusal) = figures
        .first_refusal
        .filter(|_| figures.counts.accepted == 0)
    {
        bail!("the server refused every message: {refusal}");
    }
    Ok(())
}

/// Runs `send`.
pub async fn measure(args: &Args) -> anyhow::Result<Figures> {
    let tally = Arc::new(Tally::default());
    let cpu = procfs::own_cpu();
    let options = args.sink.options();
    let grace = options.receipt_delay + Duration::from_millis(200);
    let serving = match args.smsc {
        Some(address) => {
            let listener = smsc::listen(address).with_context(|| format!("listen on {address}"))?;
            Some(tokio::spawn(
                Sink::new(options, Arc::clone(&tally)).serve(listener),
            ))
        }
        None => None,
    };
    let plan = Plan {
        target: Target::parse(&args.url, &args.key)?,
        connections: args.connections,
        first: args.first,
        messages: args.messages,
        at_least: Duration::ZERO,
        rate: args.rate,
        fields: args.fields.clone(),
    };
    let load = Load::new(plan, Arc::clone(&tally));
    let progress = Progress::start("send", &tally);
    load.run().await;
    if serving.is_some() {
        let patience = Patience {
            grace,
            quiet: Duration::from_secs(args.quiet),
            deadline: Duration::from_hours(24),
        };
        settle(&tally, patience).await;
    }
    drop(progress);
    if let Some(serving) = serving {
        serving.abort();
    }
    if let Some(path) = &args.journal {
        std::fs::write(path, tally.journal())
            .with_context(|| format!("write {}", path.display()))?;
    }
    let counts = tally.counts();
    Ok(Figures {
        counts,
        open: tally.open(),
        figures: PhaseFigures::of(tally.begin_phase()),
        late_ms: load.late().as_secs_f64() * 1e3,
        loadgen_cpu_us_per_message: (procfs::own_cpu() - cpu) * 1e6
            / float(counts.requested.max(1)),
        first_refusal: tally.first_refusal(),
    })
}
