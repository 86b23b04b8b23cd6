//! `lanes`: how much later does a direct message leave when a long bulk lane waits on the same route (R-CLASS-3)?

use std::time::Duration;

use serde::Serialize;

use crate::bench::{Bench, ServerArgs};
use crate::report::{self, Latency};
use crate::settle::{Patience, Progress, settle};
use crate::smsc::Options;

/// Options of `lanes`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Server and load.
    #[command(flatten)]
    pub server: ServerArgs,
    /// Bulk messages that wait.
    #[arg(long, default_value_t = 100_000)]
    pub bulk_backlog: u32,
    /// Direct messages a second.
    #[arg(long, default_value_t = 100)]
    pub rate: u32,
    /// Seconds of direct messages, without and with the backlog.
    #[arg(long, default_value_t = 10)]
    pub seconds: u32,
    /// Unanswered submissions on the bind.
    #[arg(long, default_value_t = 10)]
    pub window: u32,
    /// Milliseconds until the SMSC answers: with the window, how much the route carries.
    #[arg(long, default_value_t = 50)]
    pub answer_ms: u64,
}

#[derive(Debug, Serialize)]
struct Figures {
    idle: Latency,
    idle_late_ms: f64,
    with_backlog: Latency,
    with_backlog_late_ms: f64,
    backlog_before: u64,
    backlog_after: u64,
    fill_per_s: f64,
    refused: u64,
}

const PATIENCE: Patience = Patience {
    grace: Duration::from_millis(300),
    quiet: Duration::from_secs(30),
    deadline: Duration::from_mins(2),
};
/// Both loads name their class; nothing else is to decide it.
const DIRECT: &str = r#""trafficClass":"direct""#;
const BULK: &str = r#""trafficClass":"bulk""#;

/// Measures on an idle route, fills its bulk lane, and measures again.
pub async fn run(args: &Args) -> anyhow::Result<()> {
    let options = Options {
        answer_delay: Duration::from_millis(args.answer_ms),
        ..Options::default()
    };
    let mut bench = Bench::prepare(&args.server, args.window, false, options)?;
    bench.listen()?;
    bench.start().await?;
    bench.bound().await?;
    let progress = Progress::start("lanes", &bench.tally);

    let (idle, next, idle_late_ms) = probe(args, &bench, 0).await?;
    settle(&bench.tally, PATIENCE).await;

    let mut plan = args.server.load(&bench, next, args.bulk_backlog, None);
    plan.fields = fields(&args.server, BULK);
    let fill = bench.run(plan).await?;
    let filled = bench.tally.begin_phase();
    let backlog_before = waiting(&bench);

    let (with_backlog, _, with_backlog_late_ms) = probe(args, &bench, fill.next_number()).await?;
    let figures = Figures {
        idle,
        idle_late_ms,
        with_backlog,
        with_backlog_late_ms,
        backlog_before,
        backlog_after: waiting(&bench),
        fill_per_s: report::rate(
            filled.accepted,
            filled.first_request_us.unwrap_or_default(),
            filled.last_accept_us,
        ),
        refused: bench.tally.counts().refused,
    };
    drop(progress);
    bench.server.kill()?;
    args.server.keep(&mut bench)?;
    report::print(&figures, args.server.json)
}

/// Sends direct messages at the rate; from request to submission, the next number, and how late requests were.
async fn probe(args: &Args, bench: &Bench, first: u32) -> anyhow::Result<(Latency, u32, f64)> {
    bench.tally.begin_phase();
    let messages = args.rate * args.seconds;
    let mut plan = args
        .server
        .load(bench, first, messages, Some(f64::from(args.rate)));
    plan.fields = fields(&args.server, DIRECT);
    let load = bench.run(plan).await?;
    // The last of them are on their way.
    tokio::time::sleep(PATIENCE.grace).await;
    let phase = bench.tally.begin_phase();
    let late_ms = load.late().as_secs_f64() * 1e3;
    Ok((Latency::of(phase.to_submit_us), load.next_number(), late_ms))
}

fn fields(args: &ServerArgs, class: &str) -> String {
    if args.fields.is_empty() {
        class.to_owned()
    } else {
        format!("{},{class}", args.fields)
    }
}

/// Accepted messages that were not submitted yet.
fn waiting(bench: &Bench) -> u64 {
    let counts = bench.tally.counts();
    counts.accepted.saturating_sub(counts.submitted)
}
