//! A bounded number of runs, as part of every test run; `cargo x sim` runs more.

/// Runs in a test run: a few seconds.
const SEEDS: std::ops::Range<u64> = 1..13;

#[test]
fn whatever_happens_what_must_hold_holds() {
    for seed in SEEDS {
        let run = simulation::run(seed);
        assert!(
            run.failures.is_empty(),
            "{}\nagain: cargo x sim --seed {seed}",
            run.failures[0]
        );
    }
}

#[test]
fn the_same_seed_is_the_same_history() {
    for seed in [2, 5, 8] {
        let (first, second) = (simulation::run(seed), simulation::run(seed));
        let both = first.history.iter().zip(&second.history);
        for (place, (first, second)) in both.enumerate() {
            assert_eq!(first, second, "line {place} of seed {seed}");
        }
        assert_eq!(first.history.len(), second.history.len(), "seed {seed}");
    }
}

#[test]
fn the_runs_reach_what_matters() {
    // A simulation that only ever met fair weather would prove nothing.
    let mut seen = std::collections::BTreeMap::<&str, usize>::new();
    for seed in SEEDS {
        let run = simulation::run(seed);
        for words in [
            "interrupted",
            "dies",
            "is stopped",
            "ReceiptParked",
            "QuotaGone",
            "falls back at",
            "Partly",
            "Unknown",
            "with a person",
            "OptedOut",
            "AlreadyAccepted",
            "cancelled",
            "receipt: failed -> delivered",
        ] {
            let count = run.history.iter().filter(|it| it.contains(words)).count();
            *seen.entry(words).or_default() += count;
        }
    }
    assert!(seen.values().all(|it| *it > 0), "{seen:?}");
}
