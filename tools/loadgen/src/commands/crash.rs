//! `crash`: is anything lost or sent twice when the server is killed again and again under load?

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use serde::Serialize;
use tokio::time::Instant;

use crate::bench::{Bench, Checked, ServerArgs};
use crate::load::Load;
use crate::report;
use crate::settle::{Patience, Progress, settle};
use crate::smsc::{Break, Options};
use crate::tally::Counts;
use crate::traffic::Random;

/// Options of `crash`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Server and load.
    #[command(flatten)]
    pub server: ServerArgs,
    /// How often the server is killed.
    #[arg(long, default_value_t = 20)]
    pub kills: u32,
    /// At least so many messages; the load goes on until the last kill.
    #[arg(long, default_value_t = 20_000)]
    pub messages: u32,
    /// Requests per second; 0 is flat out.
    #[arg(long, default_value_t = 1_000.0)]
    pub rate: f64,
    /// Seed of the moments of the kills; printed, and chosen at random if not given.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Shortest time from ready to kill.
    #[arg(long, default_value_t = 200)]
    pub min_ms: u64,
    /// Longest time from ready to kill.
    #[arg(long, default_value_t = 1_500)]
    pub max_ms: u64,
    /// Answer time of the SMSC, so that submissions are in flight.
    #[arg(long, default_value_t = 20)]
    pub smsc_delay_ms: u64,
    /// An answer so short before the kill counts as in flight: the server may not have recorded it.
    #[arg(long, default_value_t = 5)]
    pub fresh_answer_ms: u64,
    /// Seconds without movement after which open messages are given up.
    #[arg(long, default_value_t = 45)]
    pub quiet: u64,
}

/// One kill.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Kill {
    after_ready_ms: u64,
    #[serde(flatten)]
    in_flight: Break,
    ready_again_ms: u64,
}

impl Kill {
    /// Submissions that the server may know nothing of.
    pub(super) const fn in_flight(&self) -> u64 {
        self.in_flight.unanswered + self.in_flight.just_answered
    }
}

#[derive(Debug, Serialize)]
struct Figures {
    seed: u64,
    kills: u64,
    kills_with_in_flight: u64,
    in_flight: u64,
    accepted: u64,
    unanswered: u64,
    lost: u64,
    receipts_lost: u64,
    duplicates: u64,
    passed: bool,
    counts: Counts,
    checked: Checked,
    each_kill: Vec<Kill>,
}

const WINDOW: u32 = 100;
/// How long a bind may outlive its killed peer.
const BREAK_DEADLINE: Duration = Duration::from_secs(5);

/// Kills, settles, verifies and prints; an error if anything was lost or too much was sent twice.
pub async fn run(args: &Args) -> anyhow::Result<()> {
    // The keys of a fresh hash state are the standard library's randomness.
    let seed = args.seed.unwrap_or_else(|| RandomState::new().hash_one(0));
    report::note(&format!("seed {seed}"));
    let options = Options {
        answer_delay: Duration::from_millis(args.smsc_delay_ms),
        fresh_answer: Duration::from_millis(args.fresh_answer_ms),
        ..Options::default()
    };
    let mut bench = Bench::prepare(&args.server, WINDOW, true, options)?;
    bench.listen()?;
    bench.start().await?;
    bench.bound().await?;
    let rate = (args.rate > 0.0).then_some(args.rate);
    let load = Load::new(
        args.server.load(&bench, 0, args.messages, rate),
        Arc::clone(&bench.tally),
    );
    load.set_endless(true);
    let progress = Progress::start("crash", &bench.tally);
    let loading = tokio::spawn({
        let load = Arc::clone(&load);
        async move { load.run().await }
    });
    let mut random = Random::new(seed);
    let mut kills = Vec::new();
    for _ in 0..args.kills {
        kills.push(kill(&mut bench, &load, random.between(args.min_ms, args.max_ms)).await?);
    }
    load.set_endless(false);
    loading.await?;
    bench.check(&load)?;
    let patience = Patience {
        grace: Duration::from_secs(3), // longer than `unknown_wait`, so that late copies are seen
        quiet: Duration::from_secs(args.quiet),
        deadline: Duration::from_mins(15),
    };
    settle(&bench.tally, patience).await;
    let checked = bench.verify_after_restart().await?;
    drop(progress);
    args.server.keep(&mut bench)?;
    let figures = figures(&bench, seed, checked, kills);
    report::print(&figures, args.server.json)?;
    if !figures.passed {
        bail!(
            "lost, receipts lost, too many duplicates, or too few kills with submissions in flight"
        );
    }
    Ok(())
}

/// Kills the server so long after it was ready, and starts it again at once.
pub(super) async fn kill(
    bench: &mut Bench,
    load: &Load,
    after_ready_ms: u64,
) -> anyhow::Result<Kill> {
    tokio::time::sleep(Duration::from_millis(after_ready_ms)).await;
    bench.check(load)?;
    // Forgets breaks that were not of our making.
    let _ = bench.sink.take_breaks();
    bench.sink.peer_killed();
    bench.server.kill()?;
    let killed = Instant::now();
    bench.server.start()?;
    while bench.sink.links() > 0 && !bench.sink.broke() && killed.elapsed() < BREAK_DEADLINE {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let in_flight = bench.sink.take_breaks();
    bench.ready = bench.server.ready().await?;
    let ready_again_ms = u64::try_from(killed.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Kill {
        after_ready_ms,
        in_flight,
        ready_again_ms,
    })
}

fn figures(bench: &Bench, seed: u64, checked: Checked, each_kill: Vec<Kill>) -> Figures {
    let counts = bench.tally.counts();
    let kills = each_kill.len() as u64;
    let kills_with_in_flight = each_kill.iter().filter(|it| it.in_flight() > 0).count() as u64;
    let in_flight: u64 = each_kill.iter().map(Kill::in_flight).sum();
    let allowed = in_flight.min(u64::from(WINDOW) * kills);
    let passed = checked.lost == 0
        && checked.receipts_lost == 0
        && counts.duplicates <= allowed
        && kills_with_in_flight * 2 >= kills
        && counts.accepted > 0;
    Figures {
        seed,
        kills,
        kills_with_in_flight,
        in_flight,
        accepted: counts.accepted,
        unanswered: counts.unanswered,
        lost: checked.lost,
        receipts_lost: checked.receipts_lost,
        duplicates: counts.duplicates,
        passed,
        counts,
        checked,
        each_kill,
    }
}
