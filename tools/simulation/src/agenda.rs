//! What happens next outside of the process? Everything that people, providers and fate will do has its
//! time; what has the same time happens in the order in which it was noted.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use domain::ids::RouteKey;
use domain::model::control::ControlMode;
use domain::time::{Millis, Timestamp};

use crate::people::PersonsWork;

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Event {
    /// A caller asks for a message, by its number in the script.
    Send(usize),
    /// A person writes to us, by its number in the script.
    Write(usize),
    /// Somebody of the team looks at what waits for people.
    Team(PersonsWork),
    /// A provider answers what was handed to it.
    Answer(RouteKey, usize),
    /// A provider sends a receipt.
    Receipt(usize),
    /// The link of a route is lost, or works again.
    Link(RouteKey, bool),
    /// A person says something of a route; `None` takes it back.
    Control(RouteKey, Option<(u8, Option<i64>)>),
    /// The disk has no room, or has again.
    Full(bool),
    /// The process dies, and is started again so many milliseconds later.
    Crash(i64),
    /// The process is stopped in an orderly way, and started again so many milliseconds later.
    Stop(i64),
}

/// The mode of a control by its number.
pub(crate) fn mode(number: u8) -> ControlMode {
    ControlMode::ALL[usize::from(number)]
}

#[derive(Debug, Default)]
pub(crate) struct Agenda {
    events: BinaryHeap<Reverse<(Timestamp, u64, Event)>>,
    noted: u64,
}

impl Agenda {
    pub(crate) fn note(&mut self, at: Timestamp, event: Event) {
        self.noted += 1;
        self.events.push(Reverse((at, self.noted, event)));
    }

    /// When the next thing happens.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        self.events.peek().map(|it| it.0.0)
    }

    /// What happens now.
    pub(crate) fn due(&mut self, now: Timestamp) -> Option<Event> {
        if self.next_at()? > now {
            return None;
        }
        self.events.pop().map(|it| it.0.2)
    }

    /// Whether anything is noted within this span.
    pub(crate) fn is_busy(&self, now: Timestamp, span: Millis) -> bool {
        self.next_at().is_some_and(|it| it.since(now) < span)
    }
}
