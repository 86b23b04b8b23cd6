//! A seeded simulation of the whole line: the real engine and a real store or its model, in made-up
//! time, among made-up providers, people and faults. One seed is one run, which repeats itself; after
//! it, what must always hold is checked on what the providers saw.
//!
//! Reading order: [`run`] here; `scenery` (what is configured), `script` (what is asked for), `provider`
//! and `link` (who carries it), `disk` (what is kept), `life` (one process), `chronicle` (what happened),
//! `invariants` (what must hold).

#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "this is test code in a crate of its own"
)]

mod agenda;
mod chronicle;
mod clock;
mod dice;
mod disk;
mod invariants;
mod life;
mod link;
mod people;
mod provider;
mod scenery;
mod script;
mod stage;

use std::fmt::Write as _;
use std::sync::Arc;

use crate::dice::Dice;
use crate::disk::{Access, Disk};
use crate::life::{Life, Over};
use crate::stage::Stage;

/// Most processes of one run; a run that needs more does not end.
const LIVES: u64 = 60;

/// What came of a run.
#[derive(Debug)]
pub struct Run {
    /// Everything that happened, as lines.
    pub history: Vec<String>,
    /// What did not hold, each with the history of the message concerned; nothing, where all did.
    pub failures: Vec<String>,
    /// How many messages were accepted.
    pub messages: usize,
    /// How many submissions providers saw.
    pub submissions: usize,
    /// How many processes there were.
    pub lives: u64,
    /// Whether its messages were kept in a file of the real store.
    pub in_a_file: bool,
}

/// Runs the simulation of this seed.
pub fn run(seed: u64) -> Run {
    let stage = Stage::set(seed);
    let disk = Disk::new(stage.scenery.weather.sqlite);
    let store = disk.open();
    disk::register(&*store, &stage.scenery);
    drop(store);
    let mut ended = false;
    while !ended && *stage.life.lock() < LIVES {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let no = *stage.life.lock() + 1;
        let access = Access::new(
            disk.open(),
            Arc::clone(&stage.scenery),
            Arc::clone(&stage.chronicle),
            Dice::new(seed, 2_000 + no),
        );
        let over = runtime.block_on(async {
            let life = Life::begin(Arc::clone(&stage), Arc::clone(&access), seed).await;
            life.go_on().await
        });
        access.die();
        drop(runtime);
        let again: Vec<_> = std::mem::take(&mut *stage.asking.lock())
            .into_iter()
            .collect();
        if let Over::Gone(span) = over {
            stage.clock.pass(span);
            for no in again
                .into_iter()
                .filter(|it| stage.script.asks[*it].has_key)
            {
                stage.note_in(domain::time::Millis::seconds(2), agenda::Event::Send(no));
            }
        }
        ended = over == Over::Finished;
    }
    if !ended {
        let mut chronicle = stage.chronicle.lock();
        chronicle.violated(None, "R-LIFE-2: the run does not come to an end");
    }
    let store = disk.open();
    invariants::at_the_end(&stage, &*store);
    told(seed, &stage)
}

fn told(seed: u64, stage: &Stage) -> Run {
    let chronicle = stage.chronicle.lock();
    let history = chronicle.lines.iter().map(|line| {
        let about = line.message.map_or(String::new(), |it| it.to_string());
        format!("{} {about} {}", line.at.as_millis(), line.words)
    });
    let failure = |violation: &chronicle::Violation| {
        let mut text = format!("seed {seed}: {}\n", violation.words);
        for line in stage.scenery.words() {
            // Safe because: writing to a string does not fail.
            let _ = writeln!(text, "  {line}");
        }
        text + &chronicle.history(violation.message)
    };
    Run {
        history: history.collect(),
        failures: chronicle.violations.iter().map(failure).collect(),
        messages: chronicle.taken.len(),
        submissions: chronicle.handed.len(),
        lives: *stage.life.lock(),
        in_a_file: stage.scenery.weather.sqlite,
    }
}
