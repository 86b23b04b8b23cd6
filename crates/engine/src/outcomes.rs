//! How messages of a route ended of late, and whether receipts come: what alerts go by (R-ALERT).
//!
//! A few counters in memory, by country, of which the store keeps a copy that is seldom older than a
//! few seconds: a restart goes on counting from there.

use std::collections::BTreeMap;

use domain::ids::RouteKey;
use domain::model::receipt::{ReceiptState, SubmitOutcome};
use domain::phone::CountryCode;
use domain::rules::alert::counts;
use domain::time::{Millis, Timestamp};
use ports::store::alerts::{Ended, RouteOutcomes};

/// The time over which failures are counted, in slices.
pub(crate) const WINDOW: Millis = Millis::minutes(5);
const SLICES: usize = 10;
const SLICE: Millis = Millis::new(WINDOW.get() / 10);

/// Counters of one route.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    by_country: BTreeMap<Option<CountryCode>, [Slice; SLICES]>,
    /// What the route did not take, and another may have: its own failures, and nobody else's. Not kept
    /// over a restart.
    refused: [Slice; SLICES],
    /// What was taken since the last receipt.
    unanswered: Option<Unanswered>,
    /// Whether something was counted since it was copied.
    is_changed: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slice {
    no: i64,
    all: u64,
    failed: u64,
}

impl Slice {
    /// The slice of this number, begun anew where its place was an older one's.
    fn of(slices: &mut [Self; SLICES], no: i64) -> &mut Self {
        let slice = &mut slices[place_of(no)];
        if slice.no != no {
            *slice = Self {
                no,
                ..Self::default()
            };
        }
        slice
    }

    fn count(&mut self, is_failure: bool) {
        self.all += 1;
        self.failed += u64::from(is_failure);
    }

    /// Whether it is within the window that ends with this slice.
    fn is_within(&self, last: i64) -> bool {
        usize::try_from(last.saturating_sub(self.no)).is_ok_and(|back| back < SLICES)
    }
}

#[derive(Debug, Clone, Copy)]
struct Unanswered {
    since: Timestamp,
    count: u32,
}

/// Outcomes within the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Figures {
    /// All of them.
    pub(crate) all: u64,
    /// Those that failed.
    pub(crate) failed: u64,
}

impl Figures {
    fn of(slices: &[Slice; SLICES], last: i64) -> Self {
        let mut figures = Self::default();
        for it in slices.iter().filter(|it| it.is_within(last)) {
            figures.add(Self {
                all: it.all,
                failed: it.failed,
            });
        }
        figures
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.all += other.all;
        self.failed += other.failed;
    }
}

impl Outcomes {
    /// A submission was answered. `receipts`: whether its end comes by receipt.
    pub(crate) fn submitted(
        &mut self,
        outcome: &SubmitOutcome,
        receipts: bool,
        country: Option<CountryCode>,
        now: Timestamp,
    ) {
        match outcome {
            SubmitOutcome::Accepted { .. } if receipts => {
                self.is_changed = true;
                let unanswered = self.unanswered.get_or_insert(Unanswered {
                    since: now,
                    count: 0,
                });
                unanswered.count = unanswered.count.saturating_add(1);
            }
            SubmitOutcome::Accepted { .. } => self.count(country, false, now),
            SubmitOutcome::Unknown { .. } => self.count(country, true, now),
            SubmitOutcome::NotAccepted(failure) => {
                if counts(failure.class) {
                    let no = slice_of(now);
                    Slice::of(&mut self.refused, no).count(true);
                }
            }
            SubmitOutcome::PartlyAccepted { failure, .. } | SubmitOutcome::Rejected(failure) => {
                if counts(failure.class) {
                    self.count(country, true, now);
                }
            }
        }
    }

    /// A receipt came.
    pub(crate) fn receipt(
        &mut self,
        state: &ReceiptState,
        country: Option<CountryCode>,
        now: Timestamp,
    ) {
        self.is_changed |= self.unanswered.take().is_some();
        match state {
            ReceiptState::Delivered => self.count(country, false, now),
            ReceiptState::Failed(failure) => {
                if counts(failure.class) {
                    self.count(country, true, now);
                }
            }
            ReceiptState::InTransit | ReceiptState::Read => {}
        }
    }

    fn count(&mut self, country: Option<CountryCode>, is_failure: bool, now: Timestamp) {
        self.is_changed = true;
        let slices = self.by_country.entry(country).or_default();
        Slice::of(slices, slice_of(now)).count(is_failure);
    }

    /// What the store is to keep, where it is other than what it keeps.
    pub(crate) fn changed(&mut self, route: RouteKey, now: Timestamp) -> Option<RouteOutcomes> {
        if !std::mem::take(&mut self.is_changed) {
            return None;
        }
        let last = slice_of(now);
        let mut ended = Vec::new();
        for (country, slices) in &self.by_country {
            let within = slices.iter().filter(|it| it.is_within(last) && it.all > 0);
            ended.extend(within.map(|it| Ended {
                country: *country,
                slice: it.no,
                all: it.all,
                failed: it.failed,
            }));
        }
        Some(RouteOutcomes {
            route,
            ended,
            unanswered: self.unanswered.map(|it| (it.since, it.count)),
        })
    }

    /// It was not kept: it is to be tried again.
    pub(crate) const fn not_kept(&mut self) {
        self.is_changed = true;
    }

    /// Goes on from what the store has kept.
    pub(crate) fn restore(kept: &RouteOutcomes) -> Self {
        let mut outcomes = Self::default();
        for it in &kept.ended {
            let slices = outcomes.by_country.entry(it.country).or_default();
            slices[place_of(it.slice)] = Slice {
                no: it.slice,
                all: it.all,
                failed: it.failed,
            };
        }
        outcomes.unanswered = kept
            .unanswered
            .map(|(since, count)| Unanswered { since, count });
        outcomes
    }

    /// What ended within the window, by country.
    pub(crate) fn figures(&self, now: Timestamp) -> Vec<(Option<CountryCode>, Figures)> {
        let last = slice_of(now);
        self.by_country
            .iter()
            .map(|(country, slices)| (*country, Figures::of(slices, last)))
            .collect()
    }

    /// What the route refused within the window, and another may have taken.
    pub(crate) fn refusals(&self, now: Timestamp) -> Figures {
        Figures::of(&self.refused, slice_of(now))
    }

    /// For how many seconds no receipt came although at least `volume` messages were taken.
    pub(crate) fn silent_seconds(&self, volume: u32, now: Timestamp) -> i64 {
        self.unanswered
            .filter(|it| it.count >= volume.max(1))
            .map_or(0, |it| now.since(it.since).get() / 1_000)
    }
}

/// Where a slice stands among those of its country.
fn place_of(no: i64) -> usize {
    usize::try_from(no).unwrap_or(0) % SLICES
}

const fn slice_of(now: Timestamp) -> i64 {
    now.as_millis().div_euclid(SLICE.get())
}

#[cfg(test)]
mod tests {
    use domain::model::failure::{Failure, FailureClass};

    use super::*;

    const T0: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn at(seconds: i64) -> Timestamp {
        T0.plus(Millis::seconds(seconds))
    }

    fn failed(class: FailureClass) -> ReceiptState {
        ReceiptState::Failed(Failure::new(class, "x", "x"))
    }

    fn sum(outcomes: &Outcomes, now: Timestamp) -> (u64, u64) {
        let mut all = Figures::default();
        for (_, figures) in outcomes.figures(now) {
            all.add(figures);
        }
        (all.failed, all.all)
    }

    #[test]
    fn ends_are_counted_by_country_and_forgotten_after_the_window() {
        let mut outcomes = Outcomes::default();
        let romania = CountryCode::parse("RO");
        outcomes.receipt(&ReceiptState::Delivered, romania, at(0));
        outcomes.receipt(&failed(FailureClass::Undeliverable), None, at(1));
        assert_eq!(sum(&outcomes, at(2)), (1, 2));
        let of_romania = outcomes.figures(at(2));
        let wanted = Figures { all: 1, failed: 0 };
        assert!(of_romania.contains(&(romania, wanted)));
        assert_eq!(sum(&outcomes, at(299)), (1, 2));
        assert_eq!(sum(&outcomes, at(330)), (0, 0));
    }

    #[test]
    fn what_says_nothing_of_how_messages_go_is_not_counted() {
        let mut outcomes = Outcomes::default();
        for class in [FailureClass::Throttled, FailureClass::OptedOut] {
            outcomes.receipt(&failed(class), None, at(0));
            let refused = SubmitOutcome::NotAccepted(Failure::new(class, "x", "x"));
            outcomes.submitted(&refused, true, None, at(0));
        }
        assert_eq!(sum(&outcomes, at(0)), (0, 0));
    }

    #[test]
    fn what_was_kept_goes_on_as_if_nothing_had_happened() {
        let romania = CountryCode::parse("RO");
        let accepted = SubmitOutcome::Accepted {
            references: Vec::new(),
        };
        let mut outcomes = Outcomes::default();
        assert_eq!(outcomes.changed(RouteKey(1), at(0)), None);
        for second in (0..600).step_by(7) {
            outcomes.receipt(&ReceiptState::Delivered, romania, at(second));
            outcomes.receipt(&failed(FailureClass::Undeliverable), None, at(second));
        }
        outcomes.submitted(&accepted, true, None, at(590));
        let kept = outcomes.changed(RouteKey(1), at(600)).unwrap();
        assert_eq!(outcomes.changed(RouteKey(1), at(600)), None, "no news");
        let mut restored = Outcomes::restore(&kept);
        assert_eq!(restored.changed(RouteKey(1), at(600)), None);
        for second in [600, 700, 899, 930] {
            assert_eq!(restored.figures(at(second)), outcomes.figures(at(second)));
            assert_eq!(
                restored.silent_seconds(1, at(second)),
                outcomes.silent_seconds(1, at(second))
            );
        }
        restored.not_kept();
        assert!(restored.changed(RouteKey(1), at(600)).is_some());
    }

    #[test]
    fn silence_counts_from_what_was_first_taken_and_ends_with_any_receipt() {
        let mut outcomes = Outcomes::default();
        let accepted = SubmitOutcome::Accepted {
            references: Vec::new(),
        };
        for second in 0..3 {
            outcomes.submitted(&accepted, true, None, at(second));
        }
        assert_eq!(outcomes.silent_seconds(3, at(60)), 60);
        assert_eq!(outcomes.silent_seconds(4, at(60)), 0, "too few to tell");
        outcomes.receipt(&ReceiptState::InTransit, None, at(61));
        assert_eq!(outcomes.silent_seconds(1, at(600)), 0);
    }
}
