//! The commands against the stand-in: what is counted is what happened.

#![expect(
    clippy::unwrap_used,
    reason = "a failed step of a test is a failed test"
)]

use std::path::PathBuf;
use std::process::{Command, Output};

use loadgen::commands::send::{Args, Figures, SinkArgs, measure};
use loadgen::server::free_address;
use loadgen::standin;
use serde_json::Value;

async fn send(messages: u32, script: &str) -> Figures {
    let smsc = free_address().unwrap();
    let standin = standin::spawn(standin::Options {
        smsc: Some(smsc),
        window: 20,
        ..standin::Options::default()
    })
    .unwrap();
    let args = Args {
        url: format!("http://{}", standin.address),
        key: "zv_live_test".into(),
        messages,
        first: 0,
        rate: None,
        connections: 8,
        fields: "\"channel\":\"sms\"".into(),
        smsc: Some(smsc),
        sink: SinkArgs {
            smsc_delay_ms: 1,
            receipt_delay_ms: 2,
            window_of_unacked_receipts: 50,
            script: script.parse().unwrap(),
        },
        quiet: 10,
        journal: None,
        json: true,
    };
    measure(&args).await.unwrap()
}

#[tokio::test]
async fn every_message_of_a_quiet_line_is_counted_once_at_each_point() {
    let figures = send(500, "").await;
    let counts = figures.counts;
    assert_eq!(
        (
            counts.requested,
            counts.accepted,
            counts.submitted,
            counts.ended
        ),
        (500, 500, 500, 500)
    );
    assert_eq!(
        (
            counts.receipts_sent,
            counts.receipts_acked,
            counts.duplicates,
            figures.open
        ),
        (500, 500, 0, 0)
    );
    assert_eq!(
        (counts.refused, counts.unanswered, counts.throttled_requests),
        (0, 0, 0)
    );
    assert!(figures.figures.e2e_per_s > 0.0);
    assert!(figures.figures.receipt_to_ack.p99_ms > 0.0);
    assert!(figures.figures.request_to_submit.p50_ms > 0.0);
}

#[tokio::test]
async fn a_scripted_smsc_is_counted_as_scripted() {
    // 1000 submissions and 20 repeats of the throttled ones, of which none is throttled again by the script's rhythm.
    let figures = send(
        1_000,
        "throttle:1/50,double-receipt:1/100,reject:1/100,no-receipt:1/100,early-receipt:1/100",
    )
    .await;
    let counts = figures.counts;
    assert_eq!(
        (
            counts.accepted,
            counts.ended,
            figures.open,
            counts.duplicates
        ),
        (1_000, 1_000, 0, 0)
    );
    assert!(
        (20..=22).contains(&(counts.submissions_refused - (1_000 - counts.submitted))),
        "{counts:?}"
    );
    let refused_for_good = 1_000 - counts.submitted;
    assert!((9..=11).contains(&refused_for_good), "{counts:?}");
    // One of a hundred has no receipt and one of a hundred has two.
    assert!(
        counts.receipts_sent.abs_diff(counts.submitted) <= 2,
        "{counts:?}"
    );
    assert_eq!(counts.receipts_sent, counts.receipts_acked);
}

fn loadgen(args: &[&str]) -> Output {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let binary = env!("CARGO_BIN_EXE_loadgen");
    let mut command = Command::new(binary);
    command
        .args(args)
        .args(["--server", binary, "--json", "--folder"])
        .arg(folder);
    command.output().unwrap()
}

fn figures(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!(
            "{error}: {} / {}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

#[test]
fn the_line_prints_one_object_with_the_agreed_keys() {
    let output = loadgen(&[
        "line",
        "--messages=1000",
        "--seconds=0",
        "--runs=1",
        "--latency-seconds=1",
        "--slow-seconds=1",
    ]);
    let figures = figures(&output);
    for key in [
        "e2e_per_s",
        "cpu_s_per_1000",
        "p50_ms",
        "p99_ms",
        "rss_mb",
        "window10_50ms_per_s",
    ] {
        assert!(figures[key].is_number(), "{key} in {figures}");
    }
    assert!(figures["e2e_per_s"].as_f64().unwrap() > 0.0);
    assert_eq!(figures["duplicates"], 0);
    assert_eq!(figures["synchronous"], "NONE");
    // The stand-in forgets everything at the restart: each of its messages is lost, and the tool says so.
    assert_eq!(figures["lost"], 1_100);
}

#[test]
fn a_backlog_waits_for_the_smsc_and_drains() {
    let figures = figures(&loadgen(&["backlog", "--messages=2000"]));
    assert_eq!(figures["counts"]["submitted"], 2_000);
    assert_eq!(figures["counts"]["ended"], 2_000);
    assert!(figures["drain_per_s"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_server_that_forgets_fails_the_crash_test() {
    let output = loadgen(&[
        "crash",
        "--kills=2",
        "--messages=300",
        "--rate=500",
        "--min-ms=100",
        "--max-ms=300",
        "--quiet=1",
        "--seed=7",
    ]);
    let figures = figures(&output);
    assert!(!output.status.success());
    assert_eq!(
        (figures["kills"].as_u64(), figures["passed"].as_bool()),
        (Some(2), Some(false))
    );
    assert!(figures["in_flight"].as_u64().unwrap() > 0);
    assert!(figures["lost"].as_u64().unwrap() > 0);
}

#[test]
fn a_server_that_remembers_passes_the_crash_test() {
    let output = loadgen(&[
        "crash",
        "--kills=3",
        "--messages=300",
        "--rate=500",
        "--min-ms=100",
        "--max-ms=300",
        "--seed=3",
        "--fresh-answer-ms=50",
        "--extra-config=[standin]\nlog = true",
    ]);
    let figures = figures(&output);
    assert!(output.status.success(), "{figures}");
    assert_eq!(
        (figures["lost"].as_u64(), figures["receipts_lost"].as_u64()),
        (Some(0), Some(0))
    );
    assert_eq!(
        figures["checked"]["verdict"]["by_status"]["delivered"],
        figures["accepted"]
    );
    assert!(figures["kills_with_in_flight"].as_u64().unwrap() >= 2);
}
