//! What time is it? The paused clock of the process that runs, on top of the time at which it began;
//! while none runs, the time stands until somebody moves it.

use domain::time::{Millis, Timestamp};
use parking_lot::Mutex;
use ports::clock::Clock;
use tokio::time::Instant;

#[derive(Debug)]
pub(crate) struct MadeUpClock(Mutex<State>);

#[derive(Debug, Clone, Copy)]
enum State {
    Stands(Timestamp),
    Runs { from: Timestamp, began: Instant },
}

impl MadeUpClock {
    pub(crate) const fn new(at: Timestamp) -> Self {
        Self(parking_lot::const_mutex(State::Stands(at)))
    }

    /// A process begins. Called in its runtime.
    pub(crate) fn begin(&self) {
        let from = self.now();
        let began = Instant::now();
        *self.0.lock() = State::Runs { from, began };
    }

    /// The process is over. Called in its runtime.
    pub(crate) fn end(&self) {
        let at = self.now();
        *self.0.lock() = State::Stands(at);
    }

    /// Time passes while no process runs.
    pub(crate) fn pass(&self, span: Millis) {
        let at = self.now().plus(span);
        *self.0.lock() = State::Stands(at);
    }
}

impl Clock for MadeUpClock {
    fn now(&self) -> Timestamp {
        match *self.0.lock() {
            State::Stands(at) => at,
            State::Runs { from, began } => {
                let elapsed = i64::try_from(began.elapsed().as_millis()).unwrap();
                from.plus(Millis::new(elapsed))
            }
        }
    }
}
