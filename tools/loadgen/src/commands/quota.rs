//! `quota`: is a quota ever exceeded when many send at once, submissions fail, and the server is killed
//! again and again (R-QUOTA-1)? And does the ledger still add up (R-COST-1)?

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Serialize;
use serde_json::Value;

use super::crash::{Kill, kill};
use crate::bench::{Bench, ServerArgs};
use crate::http_client::{Connection, Target};
use crate::load::Load;
use crate::report;
use crate::script::Script;
use crate::settle::{Patience, Progress, settle};
use crate::smsc::Options;
use crate::tally::Counts;
use crate::traffic::Random;

/// Options of `quota`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Server and load.
    #[command(flatten)]
    pub server: ServerArgs,
    /// Messages that are sent.
    #[arg(long, default_value_t = 10_000)]
    pub messages: u32,
    /// The route's quota of messages a month. A run over the turn of a month proves nothing.
    #[arg(long, default_value_t = 3_000)]
    pub quota: u32,
    /// How often the server is killed.
    #[arg(long, default_value_t = 5)]
    pub kills: u32,
    /// Seed of the moments of the kills; printed, and chosen at random if not given.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Longest time from ready to kill.
    #[arg(long, default_value_t = 600)]
    pub max_ms: u64,
    /// Answer time of the SMSC, so that submissions are in flight.
    #[arg(long, default_value_t = 20)]
    pub smsc_delay_ms: u64,
    /// How the SMSC misbehaves.
    #[arg(
        long,
        default_value = "reject:1/60,undeliv:1/40,double-receipt:1/70,early-receipt:1/50,queue-full:1/500"
    )]
    pub script: Script,
    /// Seconds without movement after which the rest counts as waiting for quota.
    #[arg(long, default_value_t = 10)]
    pub quiet: u64,
}

/// What the API says in the end.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Books {
    used: i64,
    reserved: i64,
    /// What the accounts hold together; zero.
    ledger_sum: i64,
    /// Lines of the ledger.
    postings: u64,
    /// Whether the ledger, added up again, gives the balances.
    ledger_is_balance: bool,
}

#[derive(Debug, Serialize)]
struct Figures {
    seed: u64,
    quota: u32,
    /// Copies that the SMSC took.
    at_smsc: u64,
    /// What is settled: what the SMSC took, exactly.
    settled: u64,
    /// Reserved at the end: marked as leaving when the server was killed, and never answered. It may have
    /// been sent, so it stays reserved. Without kills there is none.
    in_doubt: u64,
    passed: bool,
    books: Books,
    counts: Counts,
    each_kill: Vec<Kill>,
}

const WINDOW: u32 = 100;

/// Sends, kills, settles, compares and prints; an error if anything does not add up.
pub async fn run(args: &Args) -> anyhow::Result<()> {
    // The keys of a fresh hash state are the standard library's randomness.
    let seed = args.seed.unwrap_or_else(|| RandomState::new().hash_one(0));
    report::note(&format!("seed {seed}"));
    let options = Options {
        answer_delay: Duration::from_millis(args.smsc_delay_ms),
        script: args.script.clone(),
        ..Options::default()
    };
    let mut bench = Bench::with_quota(&args.server, WINDOW, args.quota, options)?;
    bench.listen()?;
    bench.start().await?;
    bench.bound().await?;
    let load = Load::new(
        args.server.load(&bench, 0, args.messages, None),
        Arc::clone(&bench.tally),
    );
    let progress = Progress::start("quota", &bench.tally);
    let loading = tokio::spawn({
        let load = Arc::clone(&load);
        async move { load.run().await }
    });
    let mut random = Random::new(seed);
    let mut each_kill = Vec::new();
    for _ in 0..args.kills {
        each_kill.push(kill(&mut bench, &load, random.between(100, args.max_ms)).await?);
    }
    loading.await?;
    bench.check(&load)?;
    let patience = Patience {
        grace: Duration::from_secs(3), // longer than `unknown_wait`
        quiet: Duration::from_secs(args.quiet),
        deadline: Duration::from_mins(15),
    };
    settle(&bench.tally, patience).await;
    let books = read_books(&bench.server.target()).await?;
    drop(progress);
    args.server.keep(&mut bench)?;
    let counts = bench.tally.counts();
    let at_smsc = counts.submitted + counts.duplicates;
    let used = u64::try_from(books.used).unwrap_or(0);
    let in_doubt = u64::try_from(books.reserved).unwrap_or(0);
    let settled = used.saturating_sub(in_doubt);
    let passed = used <= u64::from(args.quota)
        && settled == at_smsc
        && (in_doubt == 0 || args.kills > 0)
        && books.ledger_sum == 0
        && books.ledger_is_balance;
    let figures = Figures {
        seed,
        quota: args.quota,
        at_smsc,
        settled,
        in_doubt,
        passed,
        books,
        counts,
        each_kill,
    };
    report::print(&figures, args.server.json)?;
    if !passed {
        bail!("the quota was exceeded, or what is booked is not what happened");
    }
    Ok(())
}

async fn read(connection: &mut Connection, target: &Target, path: &str) -> anyhow::Result<Value> {
    let answer = connection.get(target, path).await?;
    if answer.status != 200 {
        bail!("GET {path}: {}", answer.status);
    }
    serde_json::from_slice(answer.body).with_context(|| format!("GET {path}"))
}

/// Reads the quota and the whole ledger, and adds the ledger up.
async fn read_books(target: &Target) -> anyhow::Result<Books> {
    let mut connection = Connection::connect(target.address)
        .await
        .context("connect for the books")?;
    let quotas = read(&mut connection, target, "/v1/quotas").await?;
    let quota = &quotas["items"][0];
    let balance = read(&mut connection, target, "/v1/balance").await?;
    let mut books = Books {
        used: quota["used"].as_i64().context("what is used")?,
        reserved: quota["reserved"].as_i64().context("what is reserved")?,
        ..Books::default()
    };
    let (mut funds, mut deposits, mut charges) = (0, 0, 0);
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/balance/ledger?limit=100{cursor}");
        let page = read(&mut connection, target, &path).await?;
        for line in page["items"].as_array().into_iter().flatten() {
            let amount = micros(&line["amount"])?;
            books.postings += 1;
            for (side, change) in [("to", amount), ("from", -amount)] {
                match line[side].as_str() {
                    Some("funds") => funds += change,
                    Some("deposits") => deposits += change,
                    Some("charges") => charges += change,
                    other => bail!("a line of the ledger is {side} {other:?}"),
                }
            }
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let exact = |name: &str| micros(&balance["exact"][name]);
    let balances = (
        exact("balance")?,
        -exact("deposited")?,
        exact("totalSpent")?,
    );
    books.ledger_is_balance = balances == (funds, deposits, charges);
    books.ledger_sum = balances.0 + balances.1 + balances.2;
    Ok(books)
}

/// Exact decimal text in millionths.
fn micros(amount: &Value) -> anyhow::Result<i64> {
    let text = amount.as_str().context("an amount")?;
    let (whole, decimals) = text.split_once('.').context("an amount with decimals")?;
    let digits = format!("{whole}{decimals:0<6}");
    digits.parse().with_context(|| format!("the amount {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly() {
        for (text, want) in [
            ("0.035", 35_000),
            ("-0.035", -35_000),
            ("12.50", 12_500_000),
        ] {
            assert_eq!(micros(&Value::from(text)).unwrap(), want, "{text}");
        }
        assert!(micros(&Value::from(5)).is_err());
    }
}
