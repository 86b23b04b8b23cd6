//! `backlog`: what does a million queued messages cost, and how fast do they go when the SMSC comes back?

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::bench::{Bench, Checked, ServerArgs};
use crate::load::Load;
use crate::report::{self, Latency, rate};
use crate::settle::{Patience, Progress, settle};
use crate::smsc::Options;
use crate::tally::Counts;

/// Options of `backlog`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Server and load.
    #[command(flatten)]
    pub server: ServerArgs,
    /// How many messages queue up.
    #[arg(long, default_value_t = 1_000_000)]
    pub messages: u32,
}

#[derive(Debug, Serialize)]
struct Figures {
    accepted_per_s: f64,
    answer: Latency,
    rss_mb_idle: f64,
    rss_mb_at_100000: f64,
    rss_mb_full: f64,
    rss_mb_peak: f64,
    first_submit_after_s: f64,
    drain_per_s: f64,
    fill_cpu_s_per_1000: f64,
    drain_cpu_s_per_1000: f64,
    lost: u64,
    duplicates: u64,
    receipts_lost: u64,
    counts: Counts,
    checked: Checked,
}

/// Queued messages at which memory is read for comparison with other gateways.
const MARK: u64 = 100_000;
/// A route that was down for long may be tried again only after a minute, with jitter.
const PATIENCE: Patience = Patience {
    grace: Duration::from_millis(300),
    quiet: Duration::from_secs(150),
    deadline: Duration::from_hours(4),
};

/// Fills, drains, verifies and prints.
pub async fn run(args: &Args) -> anyhow::Result<()> {
    let mut bench = Bench::prepare(&args.server, 100, false, Options::default())?;
    bench.start().await?;
    let (rss_mb_idle, _) = bench.server.memory_mb();
    let progress = Progress::start("backlog", &bench.tally);
    let cpu = bench.server.cpu();
    let plan = args.server.load(&bench, 0, args.messages, None);
    let load = Load::new(plan, Arc::clone(&bench.tally));
    let filling = tokio::spawn({
        let load = Arc::clone(&load);
        async move { load.run().await }
    });
    let mut rss_mb_at_100000 = 0.0;
    while !filling.is_finished() {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if rss_mb_at_100000 == 0.0 && bench.tally.counts().accepted >= MARK {
            (rss_mb_at_100000, _) = bench.server.memory_mb();
        }
    }
    filling.await?;
    bench.check(&load)?;
    let fill_cpu = bench.server.cpu() - cpu;
    let (rss_mb_full, _) = bench.server.memory_mb();
    let fill = bench.tally.begin_phase();

    let open_us = bench.tally.now_us();
    bench.listen()?;
    settle(&bench.tally, PATIENCE).await;
    let drain = bench.tally.begin_phase();
    let drain_cpu = bench.server.cpu() - cpu - fill_cpu;
    let (_, rss_mb_peak) = bench.server.memory_mb();
    let checked = bench.verify_after_restart().await?;
    drop(progress);
    args.server.keep(&mut bench)?;

    let counts = bench.tally.counts();
    let first_submit_us = drain.first_submit_us.unwrap_or(open_us);
    let each = |cpu: f64, count: u64| cpu * 1_000.0 / report::float(count.max(1));
    let figures = Figures {
        accepted_per_s: rate(
            fill.accepted,
            fill.first_request_us.unwrap_or_default(),
            fill.last_accept_us,
        ),
        answer: Latency::of(fill.answer_us),
        rss_mb_idle,
        rss_mb_at_100000,
        rss_mb_full,
        rss_mb_peak,
        first_submit_after_s: report::float(first_submit_us - open_us) / 1e6,
        drain_per_s: rate(drain.ended, first_submit_us, drain.last_end_us),
        fill_cpu_s_per_1000: each(fill_cpu, fill.accepted),
        drain_cpu_s_per_1000: each(drain_cpu, drain.ended),
        lost: checked.lost,
        duplicates: counts.duplicates,
        receipts_lost: checked.receipts_lost,
        counts,
        checked,
    };
    report::print(&figures, args.server.json)
}
