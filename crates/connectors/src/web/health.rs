//! Whether a route takes submissions: what its account's faults, its probes and the pauses that the
//! provider asks for make of it (R-HEALTH). Pure: the driver gives time and chance, and does what is due.

use std::time::Duration;

use ports::connector::LinkState;
use tokio::time::Instant;

/// The first wait of a route that is down; doubled with each further one, with full jitter.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// A longer pause than this takes the route down, so that others carry what waits for it.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Why a route is down that was not tried yet; the engine begins with that by itself.
pub(super) const UNTRIED: &str = "not connected yet";

/// Makes some wait up to this one of it (full jitter).
pub(super) type Jitter = Box<dyn Fn(Duration) -> Duration + Send>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Takes submissions.
    Up,
    /// Takes one at a time, until the provider's answer shows that the account works.
    Trial,
    /// Takes none, and is tried again at this time.
    Down { again_at: Instant },
    /// Takes none, and a probe is under way.
    Probing,
}

/// What is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Due {
    /// Nothing.
    Nothing,
    /// A probe; what it found is told to [`Health::probed`].
    Probe,
}

pub(super) struct Health {
    state: State,
    /// Faults in a row.
    faults: u32,
    /// Why it is down, or was last.
    why: Box<str>,
    /// The end of a pause, and whether it is a long one.
    pause: Option<(Instant, bool)>,
    has_probe: bool,
    jitter: Jitter,
}

impl Health {
    /// A route that has yet to show that it works, where it has a probe; else it is up.
    pub(super) fn new(has_probe: bool, now: Instant, jitter: Jitter) -> Self {
        let state = if has_probe {
            State::Down { again_at: now }
        } else {
            State::Up
        };
        Self {
            state,
            faults: 0,
            why: UNTRIED.into(),
            pause: None,
            has_probe,
            jitter,
        }
    }

    /// Moves on to `now`.
    pub(super) fn turn(&mut self, now: Instant) -> Due {
        if self.pause.is_some_and(|it| it.0 <= now) {
            self.pause = None;
        }
        match self.state {
            State::Down { again_at } if again_at <= now => {
                if self.has_probe {
                    self.state = State::Probing;
                    return Due::Probe;
                }
                self.state = State::Trial;
                Due::Nothing
            }
            State::Down { .. } | State::Up | State::Trial | State::Probing => Due::Nothing,
        }
    }

    /// When [`turn`](Self::turn) has something to do.
    pub(super) fn due(&self) -> Option<Instant> {
        let again_at = match self.state {
            State::Down { again_at } => Some(again_at),
            State::Up | State::Trial | State::Probing => None,
        };
        let pause = self.pause.map(|it| it.0);
        again_at.into_iter().chain(pause).min()
    }

    /// How much of its window it uses; nothing while it takes no submissions.
    pub(super) fn window(&self, window: u16) -> Option<u16> {
        match self.state {
            _ if self.pause.is_some() => None,
            State::Up => Some(window),
            State::Trial => Some(1),
            State::Down { .. } | State::Probing => None,
        }
    }

    /// How it stands, for the engine.
    pub(super) fn link(&self) -> LinkState {
        match (self.state, self.pause) {
            (State::Down { .. } | State::Probing, _) => LinkState::Down(self.why.clone()),
            (State::Up | State::Trial, Some((_, true))) => {
                LinkState::Down("the provider asked for a long pause".into())
            }
            (State::Up | State::Trial, Some((_, false)) | None) => LinkState::Up,
        }
    }

    /// The account does not work. What was under way when it went down says so too, and changes
    /// nothing.
    pub(super) fn fault(&mut self, why: Box<str>, now: Instant) {
        match self.state {
            State::Up | State::Trial => self.go_down(why, now),
            State::Down { .. } | State::Probing => {}
        }
    }

    /// The provider answered a submission, and not with a fault of the account.
    pub(super) fn works(&mut self) {
        match self.state {
            State::Up | State::Trial => {
                self.state = State::Up;
                self.faults = 0;
            }
            State::Down { .. } | State::Probing => {}
        }
    }

    /// What a probe found. After a fault the next submission still has to prove it: an account
    /// without credit answers probes.
    pub(super) fn probed(&mut self, found: Result<(), Box<str>>, now: Instant) {
        match found {
            Ok(()) if self.faults == 0 => self.state = State::Up,
            Ok(()) => self.state = State::Trial,
            Err(why) => self.go_down(why, now),
        }
    }

    /// The provider asks to be left alone.
    pub(super) fn pause(&mut self, wait: Duration, now: Instant) {
        let until = now + wait;
        if self.pause.is_none_or(|it| it.0 < until) {
            self.pause = Some((until, wait > LONGEST_PAUSE));
        }
    }

    fn go_down(&mut self, why: Box<str>, now: Instant) {
        let wait = FIRST_WAIT
            .saturating_mul(2_u32.saturating_pow(self.faults))
            .min(LONGEST_WAIT);
        self.faults = self.faults.saturating_add(1);
        self.why = why;
        self.state = State::Down {
            again_at: now + (self.jitter)(wait),
        };
    }
}

#[cfg(test)]
#[path = "health_tests.rs"]
mod tests;
