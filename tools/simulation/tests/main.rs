//! A bounded number of runs, as part of every test run; `cargo x sim` runs more.

use std::collections::BTreeMap;

/// Runs in a test run: a few seconds.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=12;

#[test]
fn whatever_happens_what_must_hold_holds() {
    let mut seen = BTreeMap::<&str, usize>::new();
    let mut in_a_file = 0;
    for seed in SEEDS {
        let run = simulation::run(seed);
        assert!(
            run.failures.is_empty(),
            "{}\nagain: cargo x sim --seed {seed}",
            run.failures[0]
        );
        in_a_file += usize::from(run.in_a_file);
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
            "receipt: failed -> delivered",
        ] {
            let count = run.history.iter().filter(|it| it.contains(words)).count();
            *seen.entry(words).or_default() += count;
        }
    }
    // A simulation that only ever met fair weather would prove nothing.
    assert!(seen.values().all(|it| *it > 0), "{seen:?}");
    assert!(in_a_file > 0, "the real store is met too");
}

#[test]
fn the_same_seed_is_the_same_history() {
    // The third keeps its messages in a file.
    for seed in [2, 5, 38] {
        let (first, second) = (simulation::run(seed), simulation::run(seed));
        assert_eq!(first.in_a_file, seed == 38, "seed {seed}");
        let both = first.history.iter().zip(&second.history);
        for (place, (first, second)) in both.enumerate() {
            assert_eq!(first, second, "line {place} of seed {seed}");
        }
        assert_eq!(first.history.len(), second.history.len(), "seed {seed}");
    }
}
