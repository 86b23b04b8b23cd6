//! How many whole lives a second the store carries, and what each costs: accepted and sent with a
//! new contact, taken by the provider, delivered.
//!
//! `cargo run --release -p store --example lives -- [lives] [in flight]`

#![expect(clippy::print_stdout, reason = "it prints its findings")]

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::decision::{
    ChannelCandidate, ChannelReason, ChannelVerdict, ClassReason, Decision, RouteCandidate,
    RouteReason, RouteVerdict,
};
use domain::ids::{MessageId, ProjectKey, RouteKey, SenderKey};
use domain::model::attempt::PlannedAttempt;
use domain::model::channel::Channel;
use domain::model::content::Content;
use domain::model::message::{Category, Speed, TrafficClass};
use domain::model::money::Micros;
use domain::model::progress::FallbackPolicy;
use domain::model::quota::Reservation;
use domain::model::receipt::{PartReference, ReceiptState, SubmitOutcome};
use domain::model::route::{ChargedOn, RouteClass};
use domain::phone::PhoneNumber;
use domain::time::{Millis, Timestamp};
use ports::store::messages::NewMessage;
use ports::store::operations::{Accept, FirstStep, Receipt, Submitted};
use ports::store::{Epoch, Op, Outcome, Store};
use store::{Options, SqliteStore};

const START: i64 = 1_800_000_000_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let lives: u64 = arguments.next().map_or(Ok(100_000), |it| it.parse())?;
    let in_flight: u64 = arguments.next().map_or(Ok(1_024), |it| it.parse())?;
    let folder = std::env::temp_dir().join(format!("lives-{}", std::process::id()));
    let store = Arc::new(SqliteStore::open(
        &folder.join("lives.db"),
        Options::default(),
    )?);
    println!("{lives} lives, {in_flight} in flight");
    by_step(&store, lives, in_flight);
    whole(&store, lives, lives, in_flight);
    drop(store);
    println!(
        "database: {} bytes a life",
        std::fs::metadata(folder.join("lives.db"))?.len() / lives / 2
    );
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

/// Each step for all lives, then the next.
fn by_step(store: &Arc<SqliteStore>, lives: u64, in_flight: u64) {
    let ids = Arc::new(Mutex::new(vec![
        MessageId::from_key(0);
        usize::try_from(lives).unwrap_or(0)
    ]));
    phase("accept", lives, in_flight, |life, done| {
        let ids = Arc::clone(&ids);
        store.commit(
            accept(life),
            Box::new(move |outcome| {
                if let Ok(Outcome::Accepted { message, .. }) = outcome
                    && let Ok(mut ids) = ids.lock()
                    && let Some(slot) = usize::try_from(life).ok().and_then(|it| ids.get_mut(it))
                {
                    *slot = message;
                }
                done();
            }),
        );
    });
    let ids = ids.lock().map(|it| it.clone()).unwrap_or_default();
    phase("submitted", lives, in_flight, |life, done| {
        let id = usize::try_from(life)
            .ok()
            .and_then(|it| ids.get(it).copied());
        if let Some(id) = id {
            store.commit(submitted(life, id), Box::new(move |_| done()));
        }
    });
    phase("receipt", lives, in_flight, |life, done| {
        store.commit(receipt(life), Box::new(move |_| done()));
    });
}

/// Whole lives, all steps mixed as under load.
fn whole(store: &Arc<SqliteStore>, first: u64, lives: u64, in_flight: u64) {
    phase("whole life", lives, in_flight, |life, done| {
        let life = first + life;
        let store_then = Arc::clone(store);
        store.commit(
            accept(life),
            Box::new(move |outcome| {
                let Ok(Outcome::Accepted { message, .. }) = outcome else {
                    return;
                };
                let store_last = Arc::clone(&store_then);
                store_then.commit(
                    submitted(life, message),
                    Box::new(move |_| store_last.commit(receipt(life), Box::new(move |_| done()))),
                );
            }),
        );
    });
}

/// Runs `one` for each life, at most `in_flight` at a time.
fn phase(name: &str, lives: u64, in_flight: u64, one: impl Fn(u64, Box<dyn FnOnce() + Send>)) {
    let finished = Arc::new(AtomicU64::new(0));
    let (cpu, began) = (writer_cpu(), Instant::now());
    let wait_for = |count: u64| {
        while finished.load(Ordering::Acquire) < count {
            std::thread::sleep(Duration::from_micros(100));
        }
    };
    for life in 0..lives {
        if life % 64 == 0 {
            wait_for((life + 64).saturating_sub(in_flight));
        }
        let finished = Arc::clone(&finished);
        one(
            life,
            Box::new(move || {
                finished.fetch_add(1, Ordering::Release);
            }),
        );
    }
    wait_for(lives);
    let count = f64::from(u32::try_from(lives).unwrap_or(u32::MAX));
    let (wall, cpu) = (began.elapsed(), writer_cpu().saturating_sub(cpu));
    let each = |span: Duration| 1e6 * span.as_secs_f64() / count;
    println!(
        "{name:10}  {:7.0}/s  {:5.1} µs wall  {:5.1} µs CPU of the writer",
        1e6 / each(wall),
        each(wall),
        each(cpu),
    );
}

/// CPU time of the writing thread so far, by Linux's `/proc`; zero elsewhere.
fn writer_cpu() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    tasks
        .map(|task| task.path())
        .filter(|it| {
            std::fs::read_to_string(it.join("comm")).is_ok_and(|it| it.trim() == "store-writer")
        })
        .filter_map(|it: PathBuf| std::fs::read_to_string(it.join("schedstat")).ok())
        .filter_map(|it| it.split(' ').next()?.parse().ok())
        .map(Duration::from_nanos)
        .sum()
}

fn at(life: u64) -> Timestamp {
    Timestamp::from_millis(START + i64::try_from(life / 20).unwrap_or(0))
}

/// A number that looks random and is different for each life.
fn scatter(life: u64) -> u64 {
    life.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn accept(life: u64) -> Op {
    let phone = format!("+4479{:08}", (life.wrapping_mul(7_654_321)) % 100_000_000);
    let to = PhoneNumber::parse(&phone).unwrap_or_else(|error| panic!("{phone}: {error}"));
    let route = RouteKey(1);
    Op::Accept(Box::new(Accept {
        message: NewMessage {
            project: ProjectKey(1),
            sender: SenderKey(1),
            to: to.into(),
            content: Arc::new(Content::text(
                "Your parcel is on its way and will be with you between 14:00 and 16:00 today.",
            )),
            class: TrafficClass::Direct,
            class_reason: ClassReason::Default,
            category: Category::Transactional,
            purpose: domain::model::message::Purpose::Ordinary,
            speed: Speed::Normal,
            explicit: None,
            reply_to: None,
            context: None,
            test: false,
            metadata: None,
            campaign: None,
            scheduled_at: None,
            accepted_at: at(life),
        },
        fallback: FallbackPolicy {
            enabled: true,
            after: None,
            untried: Channel::ALL.into_iter().collect(),
        },
        expires_at: at(life).plus(Millis::hours(48)),
        first: FirstStep::Send(PlannedAttempt {
            channel: Channel::Sms,
            route,
            parts: 1,
            estimated_cost: Micros(35_000),
            charged_on: ChargedOn::Submit,
            receipts: true,
            country: None,
            reservation: Reservation::default(),
        }),
        decision: decision(route),
        idempotency: None,
        epoch: Epoch(0),
    }))
}

fn decision(chosen: RouteKey) -> Decision {
    let candidate = |channel, verdict| ChannelCandidate {
        channel,
        verdict,
        cost: Some(Micros(35_000)),
        segments: Some(1),
        mms: false,
        successes: 0,
        failures: 0,
        average_delivery: None,
    };
    let candidate_route = |route, verdict| RouteCandidate {
        route,
        channel: Channel::Sms,
        class: Some(RouteClass::Gateway),
        verdict,
        obstacle: None,
        cost: Some(Micros(35_000)),
        because: None,
    };
    Decision {
        class: TrafficClass::Direct,
        class_reason: ClassReason::Default,
        channels: vec![
            candidate(
                Channel::Sms,
                ChannelVerdict::Chosen(ChannelReason::Exploration),
            ),
            candidate(Channel::WhatsApp, ChannelVerdict::Dearer),
        ],
        routes: vec![
            candidate_route(chosen, RouteVerdict::Chosen(RouteReason::PreferredClass)),
            candidate_route(RouteKey(2), RouteVerdict::LaterClass),
        ],
    }
}

fn reference(life: u64) -> Box<str> {
    format!("{:08x}", scatter(life) >> 16).into()
}

fn submitted(life: u64, message: MessageId) -> Op {
    let at = at(life).plus(Millis::new(40));
    Op::Submitted(Box::new(Submitted {
        message,
        attempt: 1,
        route: RouteKey(1),
        outcome: SubmitOutcome::Accepted {
            references: vec![PartReference {
                part: 0,
                reference: reference(life),
            }],
        },
        submitted_at: at,
        resolve_at: at.plus(Millis::seconds(30)),
        marks_started: false,
        at,
        epoch: Epoch(0),
    }))
}

fn receipt(life: u64) -> Op {
    Op::Receipt(Box::new(Receipt {
        route: RouteKey(1),
        references: vec![reference(life)],
        ours: None,
        recipient: None,
        whole: false,
        state: ReceiptState::Delivered,
        marks_started: false,
        raw: "id:1a2b3c4d sub:001 dlvrd:001 submit date:2611220735 done date:2611220735 stat:DELIVRD err:000".into(),
        at: at(life).plus(Millis::seconds(3)),
    }))
}
