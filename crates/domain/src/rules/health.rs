//! R-HEALTH: per route a circuit breaker over submission errors. It opens after 5 consecutive
//! errors, or 50 % of at least 20 in 30 s (throttling and content rejections do not count), and
//! half-opens with probes after 1 s x 2^n up to 60 s, full jitter. A lost bind, a refused login or
//! an expired token is down at once, and up on recovery. A breaker that opens again soon after a
//! probe closed it goes on with its longer pauses. The last route that could carry a message
//! is never ejected by statistics alone.

use crate::model::route::RouteCondition;
use crate::time::{Millis, Timestamp};

/// Errors in a row that open the breaker.
pub const CONSECUTIVE_ERRORS: u32 = 5;
/// Percent of the submissions within [`ERROR_WINDOW_SECONDS`] that open it when they are errors.
pub const ERROR_PERCENT: u32 = 50;
/// Fewest submissions that this share is taken of.
pub const MIN_SUBMISSIONS: u32 = 20;
/// The time over which the share is taken.
pub const ERROR_WINDOW_SECONDS: usize = 30;
/// The first pause before a probe; each further one may be twice as long.
pub const FIRST_PAUSE: Millis = Millis::seconds(1);
/// The longest pause before a probe.
pub const LONGEST_PAUSE: Millis = Millis::seconds(60);

/// How long a breaker stays closed before its pauses begin anew: a route that flaps is probed less
/// and less often.
pub const STEADY: Millis = Millis::seconds(60);

/// What happens to a route. Each [`Started`](Self::Started) is followed by one of the three answers,
/// or by [`Lost`](Self::Lost): a probe whose answer is never told would keep the route closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HealthEvent {
    /// A submission leaves.
    Started,
    /// A submission was accepted.
    Succeeded,
    /// A submission failed through the route's fault, or was not answered in time.
    Errored,
    /// A submission was answered with throttling or a content rejection, which says nothing of the
    /// route's health.
    Neutral,
    /// The bind was lost, the login refused or the token expired.
    Lost,
    /// Bind or login work again.
    Recovered,
}

impl HealthEvent {
    /// Every event.
    pub const ALL: [Self; 6] = [
        Self::Started,
        Self::Succeeded,
        Self::Errored,
        Self::Neutral,
        Self::Lost,
        Self::Recovered,
    ];
}

/// Where a breaker stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BreakerState {
    /// Submissions flow.
    Closed,
    /// Too many errors: no submission before this moment, and then one, as a probe.
    Open {
        /// When a probe may leave.
        probe_at: Timestamp,
    },
    /// A probe is under way; nothing else may leave.
    Probing,
    /// There is no connection.
    Lost,
}

/// The health of one route.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Breaker {
    state: BreakerState,
    /// Errors in a row.
    consecutive: u32,
    /// Failed probes in a row, and the error that opened it: the n of the pause.
    trips: u32,
    /// When a probe closed it, while that is less than [`STEADY`] ago.
    closed_at: Option<Timestamp>,
    recent: Recent,
}

/// What the automatics go by, for people.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HealthFigures {
    /// Submissions of the last [`ERROR_WINDOW_SECONDS`] that say something of the route's health.
    pub submissions: u32,
    /// Those that failed through the route's fault.
    pub errors: u32,
    /// Errors in a row, up to now.
    pub consecutive: u32,
}

impl Default for Breaker {
    /// A route that is up and has no record.
    fn default() -> Self {
        Self {
            state: BreakerState::Closed,
            consecutive: 0,
            trips: 0,
            closed_at: None,
            recent: Recent::default(),
        }
    }
}

impl Breaker {
    /// A route whose connection is still to be made.
    pub fn disconnected() -> Self {
        Self {
            state: BreakerState::Lost,
            ..Self::default()
        }
    }

    /// Where it stands.
    pub const fn state(&self) -> BreakerState {
        self.state
    }

    /// Whether a submission may leave now. `is_last`: no other route could carry what this one is
    /// asked to, so that statistics alone do not close it.
    pub fn admits(&self, now: Timestamp, is_last: bool) -> bool {
        match self.state {
            BreakerState::Closed => true,
            BreakerState::Open { probe_at } => is_last || now >= probe_at,
            BreakerState::Probing => is_last,
            BreakerState::Lost => false,
        }
    }

    /// What it goes by.
    pub fn figures(&self, now: Timestamp) -> HealthFigures {
        let (submissions, errors) = self.recent.totals(now);
        HealthFigures {
            submissions,
            errors,
            consecutive: self.consecutive,
        }
    }

    /// The condition of the route, for the plan.
    pub fn condition(&self, now: Timestamp, is_last: bool) -> RouteCondition {
        if self.admits(now, is_last) {
            RouteCondition::Up
        } else {
            RouteCondition::Down
        }
    }

    /// Folds an event in. `random` is drawn anew for each call; it spreads the probes (full
    /// jitter).
    pub fn observe(&mut self, event: HealthEvent, now: Timestamp, random: u64) {
        use {BreakerState as S, HealthEvent as E};
        self.state = match (self.state, event) {
            (S::Closed, E::Started) => S::Closed,
            (S::Closed, E::Succeeded) => {
                self.consecutive = 0;
                self.recent.count(now, false);
                S::Closed
            }
            (S::Closed, E::Errored) => {
                self.consecutive += 1;
                self.recent.count(now, true);
                if self.has_too_many_errors(now) {
                    self.open(now, random)
                } else {
                    S::Closed
                }
            }
            (S::Closed, E::Neutral | E::Recovered) => S::Closed,

            // What leaves while it is open is a probe: its time has come, or it is the last route.
            (S::Open { .. }, E::Started) => S::Probing,
            // Answers to what left before it opened.
            (state @ S::Open { .. }, E::Succeeded | E::Errored | E::Neutral) => state,
            // A new connection is no proof that submissions work.
            (state @ S::Open { .. }, E::Recovered) => state,

            (S::Probing, E::Started | E::Recovered) => S::Probing,
            (S::Probing, E::Succeeded) => self.close(Some(now)),
            (S::Probing, E::Errored) => self.open(now, random),
            // It says nothing, so that the next one may be the probe, at once.
            (S::Probing, E::Neutral) => S::Open { probe_at: now },

            (S::Closed | S::Open { .. } | S::Probing | S::Lost, E::Lost) => S::Lost,
            (S::Lost, E::Recovered) => self.close(None),
            // Answers to what left before the connection was lost.
            (S::Lost, E::Started | E::Succeeded | E::Errored | E::Neutral) => S::Lost,
        };
    }

    fn has_too_many_errors(&self, now: Timestamp) -> bool {
        let (submissions, errors) = self.recent.totals(now);
        self.consecutive >= CONSECUTIVE_ERRORS
            || (submissions >= MIN_SUBMISSIONS
                && u64::from(errors) * 100 >= u64::from(ERROR_PERCENT) * u64::from(submissions))
    }

    fn open(&mut self, now: Timestamp, random: u64) -> BreakerState {
        if self.closed_at.is_some_and(|it| now.since(it) >= STEADY) {
            self.trips = 0;
        }
        self.closed_at = None;
        let pause = pause(self.trips, random);
        self.trips = self.trips.saturating_add(1);
        BreakerState::Open {
            probe_at: now.plus(pause),
        }
    }

    /// Forgets the errors. After a probe the pauses are remembered for a while: one success is no
    /// proof of health.
    fn close(&mut self, probed_at: Option<Timestamp>) -> BreakerState {
        *self = Self {
            trips: if probed_at.is_some() { self.trips } else { 0 },
            closed_at: probed_at,
            ..Self::default()
        };
        BreakerState::Closed
    }
}

/// The pause before probe number `trips`, from 0: evenly between nothing and 1 s x 2^n, at most
/// 60 s.
fn pause(trips: u32, random: u64) -> Millis {
    let longest = FIRST_PAUSE
        .get()
        .saturating_mul(1_i64.checked_shl(trips.min(32)).unwrap_or(i64::MAX))
        .min(LONGEST_PAUSE.get());
    let share = ((u128::from(longest.unsigned_abs()) + 1) * u128::from(random)) >> 64;
    Millis::new(i64::try_from(share).unwrap_or(longest))
}

/// Submissions and errors of the last [`ERROR_WINDOW_SECONDS`], second by second.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Recent {
    seconds: [Second; ERROR_WINDOW_SECONDS],
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Second {
    /// Which second since the epoch.
    no: i64,
    submissions: u32,
    errors: u32,
}

impl Recent {
    fn count(&mut self, now: Timestamp, is_error: bool) {
        let no = second_of(now);
        let span = i64::try_from(ERROR_WINDOW_SECONDS).unwrap_or(i64::MAX);
        let place = usize::try_from(no.rem_euclid(span)).unwrap_or(0);
        let second = &mut self.seconds[place];
        if second.no != no {
            *second = Second {
                no,
                ..Second::default()
            };
        }
        second.submissions += 1;
        second.errors += u32::from(is_error);
    }

    /// Submissions and errors within the window that ends with the second of `now`.
    fn totals(&self, now: Timestamp) -> (u32, u32) {
        let last = second_of(now);
        let span = i64::try_from(ERROR_WINDOW_SECONDS).unwrap_or(i64::MAX);
        self.seconds
            .iter()
            .filter(|it| it.no <= last && last - it.no < span)
            .fold((0, 0), |(all, bad), it| {
                (all + it.submissions, bad + it.errors)
            })
    }
}

const fn second_of(now: Timestamp) -> i64 {
    now.as_millis().div_euclid(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    /// The random number that makes a pause as long as it may be.
    const LONGEST: u64 = u64::MAX;

    fn later(millis: i64) -> Timestamp {
        NOW.plus(Millis::new(millis))
    }

    fn after(events: &[HealthEvent]) -> Breaker {
        let mut breaker = Breaker::default();
        for event in events {
            breaker.observe(*event, NOW, LONGEST);
        }
        breaker
    }

    const OPENED: [HealthEvent; 5] = [HealthEvent::Errored; 5];

    fn probing() -> Breaker {
        let mut breaker = after(&OPENED);
        breaker.observe(HealthEvent::Started, NOW, LONGEST);
        breaker
    }

    #[test]
    fn every_pair_of_state_and_event_leads_where_the_table_says() {
        use {BreakerState as S, HealthEvent as E};
        let one_second = S::Open {
            probe_at: later(1_000),
        };
        let two_seconds = S::Open {
            probe_at: later(2_000),
        };
        let at_once = S::Open { probe_at: NOW };
        let lost = Breaker::disconnected();
        // Columns as in `HealthEvent::ALL`: started, succeeded, errored, neutral, lost, recovered.
        let table = [
            (
                Breaker::default(),
                [
                    S::Closed,
                    S::Closed,
                    S::Closed,
                    S::Closed,
                    S::Lost,
                    S::Closed,
                ],
            ),
            (
                after(&OPENED),
                [
                    S::Probing,
                    one_second,
                    one_second,
                    one_second,
                    S::Lost,
                    one_second,
                ],
            ),
            (
                probing(),
                [
                    S::Probing,
                    S::Closed,
                    two_seconds,
                    at_once,
                    S::Lost,
                    S::Probing,
                ],
            ),
            (
                lost,
                [S::Lost, S::Lost, S::Lost, S::Lost, S::Lost, S::Closed],
            ),
        ];
        for (from, row) in table {
            for (event, want) in E::ALL.into_iter().zip(row) {
                let mut breaker = from.clone();
                breaker.observe(event, NOW, LONGEST);
                assert_eq!(breaker.state(), want, "{:?} {event:?}", from.state());
            }
        }
    }

    #[test]
    fn it_opens_at_the_fifth_error_in_a_row_and_a_success_starts_the_count_again() {
        use HealthEvent::{Errored, Succeeded};
        assert_eq!(after(&[Errored; 4]).state(), BreakerState::Closed);
        assert_ne!(after(&[Errored; 5]).state(), BreakerState::Closed);
        let broken = [
            Errored, Errored, Errored, Errored, Succeeded, Errored, Errored, Errored, Errored,
        ];
        assert_eq!(after(&broken).state(), BreakerState::Closed);
    }

    #[test]
    fn throttling_and_content_rejections_neither_count_nor_break_a_row() {
        use HealthEvent::{Errored, Neutral};
        assert_eq!(after(&[Neutral; 100]).state(), BreakerState::Closed);
        let row = [Errored, Errored, Errored, Errored, Neutral, Errored];
        assert_ne!(after(&row).state(), BreakerState::Closed);
    }

    /// Alternating outcomes, so that no five errors stand in a row.
    fn mixed(submissions: u32, gap_millis: i64) -> Breaker {
        let mut breaker = Breaker::default();
        for n in 0..submissions {
            let event = if n % 2 == 0 {
                HealthEvent::Succeeded
            } else {
                HealthEvent::Errored
            };
            breaker.observe(event, later(gap_millis * i64::from(n)), LONGEST);
        }
        breaker
    }

    #[test]
    fn it_opens_at_half_of_twenty_within_thirty_seconds() {
        assert_eq!(mixed(19, 100).state(), BreakerState::Closed);
        assert_ne!(mixed(20, 100).state(), BreakerState::Closed);
        // Twenty in 38 s: never 20 within 30 s.
        assert_eq!(mixed(100, 2_000).state(), BreakerState::Closed);
    }

    #[test]
    fn less_than_half_does_not_open_it() {
        let mut breaker = Breaker::default();
        for n in 0..1_000 {
            let event = if n % 5 < 3 {
                HealthEvent::Succeeded
            } else {
                HealthEvent::Errored
            };
            breaker.observe(event, NOW, LONGEST);
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn pauses_double_up_to_a_minute_and_are_spread_evenly() {
        let longest: Vec<i64> = (0..9).map(|trips| pause(trips, u64::MAX).get()).collect();
        assert_eq!(
            longest,
            [
                1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000
            ]
        );
        assert_eq!(pause(u32::MAX, u64::MAX), LONGEST_PAUSE);
        for trips in 0..9 {
            assert_eq!(pause(trips, 0), Millis::ZERO);
            let half = pause(trips, u64::MAX / 2).get();
            assert_eq!(half, longest[usize::try_from(trips).unwrap()] / 2);
        }
    }

    #[test]
    fn one_probe_leaves_at_a_time_and_none_before_its_time() {
        let mut breaker = after(&OPENED);
        assert!(!breaker.admits(later(999), false));
        assert!(breaker.admits(later(1_000), false));
        breaker.observe(HealthEvent::Started, later(1_000), LONGEST);
        assert!(!breaker.admits(later(1_000), false));
        breaker.observe(HealthEvent::Succeeded, later(1_100), LONGEST);
        assert!(breaker.admits(later(1_100), false));
    }

    #[test]
    fn a_route_that_flaps_is_probed_less_and_less_often_until_it_was_steady() {
        let mut breaker = after(&OPENED);
        for _ in 0..3 {
            breaker.observe(HealthEvent::Started, NOW, LONGEST);
            breaker.observe(HealthEvent::Errored, NOW, LONGEST);
        }
        assert_eq!(
            breaker.state(),
            BreakerState::Open {
                probe_at: later(8_000)
            }
        );
        breaker.observe(HealthEvent::Started, NOW, LONGEST);
        breaker.observe(HealthEvent::Succeeded, NOW, LONGEST);
        assert_eq!(breaker.figures(NOW), HealthFigures::default());
        let opened_at = |when: Timestamp| {
            let mut breaker = breaker.clone();
            for event in OPENED {
                breaker.observe(event, when, LONGEST);
            }
            breaker.state()
        };
        let pauses = |from: i64, pause: i64| BreakerState::Open {
            probe_at: later(from + pause),
        };
        assert_eq!(opened_at(later(59_999)), pauses(59_999, 16_000));
        assert_eq!(opened_at(later(60_000)), pauses(60_000, 1_000));
    }

    #[test]
    fn the_figures_are_those_of_the_last_thirty_seconds() {
        let breaker = mixed(20, 100);
        let figures = breaker.figures(later(1_900));
        assert_eq!((figures.submissions, figures.errors), (20, 10));
        assert_eq!(breaker.figures(later(40_000)).submissions, 0);
    }

    #[test]
    fn statistics_never_close_the_last_route_but_a_lost_connection_does() {
        for breaker in [after(&OPENED), probing()] {
            assert_eq!(breaker.condition(NOW, true), RouteCondition::Up);
            assert_eq!(breaker.condition(NOW, false), RouteCondition::Down);
        }
        assert_eq!(
            Breaker::disconnected().condition(NOW, true),
            RouteCondition::Down
        );
    }
}
