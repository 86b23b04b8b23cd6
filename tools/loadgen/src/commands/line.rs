//! `line`: how fast is the whole line, how long does one message take, and is everything still there?

use std::time::Duration;

use serde::Serialize;

use crate::bench::{Bench, Checked, Cpu, ServerArgs};
use crate::procfs;
use crate::report::{self, Latency, PhaseFigures, float, median, rate};
use crate::settle::{Patience, Progress, settle};
use crate::smsc::Options;
use crate::tally::Counts;

/// Options of `line`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Server and load.
    #[command(flatten)]
    pub server: ServerArgs,
    /// At least so many messages flat out.
    #[arg(long, default_value_t = 200_000)]
    pub messages: u32,
    /// And at least for so long.
    #[arg(long, default_value_t = 20)]
    pub seconds: u64,
    /// Runs, each on a new database.
    #[arg(long, default_value_t = 3)]
    pub runs: u32,
    /// Seconds at 100 requests/s for the latency.
    #[arg(long, default_value_t = 10)]
    pub latency_seconds: u32,
    /// Seconds with window 10 and 50 ms of answer time; 0 leaves this phase out.
    #[arg(long, default_value_t = 10)]
    pub slow_seconds: u32,
}

/// One run.
#[derive(Debug, Clone, Serialize)]
struct Run {
    e2e_per_s: f64,
    cpu_s_per_1000: f64,
    p50_ms: f64,
    p99_ms: f64,
    rss_mb: f64,
    window10_50ms_per_s: f64,
    lost: u64,
    duplicates: u64,
    receipts_lost: u64,
    flat_out: PhaseFigures,
    at_100_per_s: PhaseFigures,
    late_ms: f64,
    loadgen_cpu_s_per_1000: f64,
    others_cpu_percent: f64,
    fdatasync: Latency,
    synchronous: Option<String>,
    counts: Counts,
    checked: Checked,
    first_refusal: Option<String>,
}

/// Medians of the runs, sums of what must be zero, and the runs.
#[derive(Debug, Clone, Serialize)]
struct Figures {
    e2e_per_s: f64,
    cpu_s_per_1000: f64,
    p50_ms: f64,
    p99_ms: f64,
    rss_mb: f64,
    window10_50ms_per_s: f64,
    lost: u64,
    duplicates: u64,
    receipts_lost: u64,
    fdatasync_p50_ms: f64,
    fdatasync_p99_ms: f64,
    others_cpu_percent: f64,
    synchronous: Option<String>,
    runs: Vec<Run>,
}

const PATIENCE: Patience = Patience {
    grace: Duration::from_millis(300),
    quiet: Duration::from_secs(30),
    deadline: Duration::from_hours(1),
};
/// Window and answer time of the third phase, and what they allow at most.
const SLOW_WINDOW: u32 = 10;
const SLOW_ANSWER: Duration = Duration::from_millis(50);
const SLOW_CEILING_PER_S: u32 = 200;

/// Runs the line and prints medians.
pub async fn run(args: &Args) -> anyhow::Result<()> {
    let mut runs = Vec::new();
    for number in 1..=args.runs.max(1) {
        let run = one(args, number).await?;
        report::note(&format!(
            "run {number}: {:.0}/s end to end, {:.3} CPU s/1000, p50 {:.2} ms, p99 {:.2} ms, {:.0} MB, lost {}, duplicates {}, \
             window 10 {:.0}/s, others {:.0} % CPU",
            run.e2e_per_s,
            run.cpu_s_per_1000,
            run.p50_ms,
            run.p99_ms,
            run.rss_mb,
            run.lost,
            run.duplicates,
            run.window10_50ms_per_s,
            run.others_cpu_percent
        ));
        runs.push(run);
    }
    let of = |value: fn(&Run) -> f64| median(runs.iter().map(value).collect());
    let sum = |value: fn(&Run) -> u64| runs.iter().map(value).sum();
    let figures = Figures {
        e2e_per_s: of(|it| it.e2e_per_s),
        cpu_s_per_1000: of(|it| it.cpu_s_per_1000),
        p50_ms: of(|it| it.p50_ms),
        p99_ms: of(|it| it.p99_ms),
        rss_mb: of(|it| it.rss_mb),
        window10_50ms_per_s: of(|it| it.window10_50ms_per_s),
        lost: sum(|it| it.lost),
        duplicates: sum(|it| it.duplicates),
        receipts_lost: sum(|it| it.receipts_lost),
        fdatasync_p50_ms: of(|it| it.fdatasync.p50_ms),
        fdatasync_p99_ms: of(|it| it.fdatasync.p99_ms),
        others_cpu_percent: of(|it| it.others_cpu_percent),
        synchronous: runs.iter().find_map(|it| it.synchronous.clone()),
        runs: runs.clone(),
    };
    report::print(&figures, args.server.json)
}

async fn one(args: &Args, number: u32) -> anyhow::Result<Run> {
    let mut bench = Bench::prepare(&args.server, 100, false, Options::default())?;
    let fdatasync = Latency::of(procfs::sync_times(bench.server.folder(), 500)?);
    bench.listen()?;
    bench.start().await?;
    bench.bound().await?;
    let synchronous = bench.server.synchronous(&bench.ready);
    let progress = Progress::start(&format!("run {number}"), &bench.tally);

    let cpu = Cpu::now(&bench.server);
    let mut plan = args.server.load(&bench, 0, args.messages, None);
    plan.at_least = Duration::from_secs(args.seconds);
    let load = bench.run(plan).await?;
    settle(&bench.tally, PATIENCE).await;
    let used = cpu.used(&bench.server);
    let flat_out = bench.tally.begin_phase();
    let ended = float(flat_out.ended.max(1));

    let plan = args.server.load(
        &bench,
        load.next_number(),
        100 * args.latency_seconds,
        Some(100.0),
    );
    let paced = bench.run(plan).await?;
    settle(&bench.tally, PATIENCE).await;
    let at_100_per_s = PhaseFigures::of(bench.tally.begin_phase());

    let (_, rss_mb) = bench.server.memory_mb();
    let checked = bench.verify_after_restart().await?;
    drop(progress);
    args.server.keep(&mut bench)?;
    let counts = bench.tally.counts();
    let first_refusal = bench.tally.first_refusal();
    drop(bench);

    let flat_out = PhaseFigures::of(flat_out);
    Ok(Run {
        e2e_per_s: flat_out.e2e_per_s,
        cpu_s_per_1000: used.server_s * 1_000.0 / ended,
        p50_ms: at_100_per_s.request_to_submit.p50_ms,
        p99_ms: at_100_per_s.request_to_submit.p99_ms,
        rss_mb,
        window10_50ms_per_s: slow_smsc(args).await?,
        lost: checked.lost,
        duplicates: counts.duplicates,
        receipts_lost: checked.receipts_lost,
        flat_out,
        at_100_per_s,
        late_ms: paced.late().as_secs_f64() * 1e3,
        loadgen_cpu_s_per_1000: used.own_s * 1_000.0 / ended,
        others_cpu_percent: used.others_percent,
        fdatasync,
        synchronous,
        counts,
        checked,
        first_refusal,
    })
}

/// Submissions a second on one bind with a small window and a slow SMSC, on a server of its own.
async fn slow_smsc(args: &Args) -> anyhow::Result<f64> {
    if args.slow_seconds == 0 {
        return Ok(0.0);
    }
    let options = Options {
        answer_delay: SLOW_ANSWER,
        ..Options::default()
    };
    let mut bench = Bench::prepare(&args.server, SLOW_WINDOW, false, options)?;
    bench.listen()?;
    bench.start().await?;
    bench.bound().await?;
    let messages = SLOW_CEILING_PER_S * args.slow_seconds;
    bench
        .run(args.server.load(&bench, 0, messages, None))
        .await?;
    let patience = Patience {
        deadline: Duration::from_secs(u64::from(args.slow_seconds) * 3 / 2),
        ..PATIENCE
    };
    settle(&bench.tally, patience).await;
    let phase = bench.tally.begin_phase();
    bench.server.kill()?;
    Ok(rate(
        phase.submitted,
        phase.first_submit_us.unwrap_or_default(),
        phase.last_submit_us,
    ))
}
