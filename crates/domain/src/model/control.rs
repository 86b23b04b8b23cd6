//! A person's word over a route: it wins over the automatics (R-HEALTH).

use crate::model::audit::Actor;
use crate::time::Timestamp;

/// What a person says of a route. Without a word, the automatics decide.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ControlMode {
    /// It counts as up whatever its statistics say; a lost link stays lost.
    Pin,
    /// It gets nothing new; what is in its hands finishes, what waits for it goes elsewhere.
    Drain,
    /// It is out of use: as drained, its link is closed once what is in its hands has finished, and it
    /// is waited for last.
    Disable,
}

impl ControlMode {
    /// Every mode, at the place that is its number; the list only ever grows at its end.
    pub const ALL: [Self; 3] = [Self::Pin, Self::Drain, Self::Disable];

    /// The word of the API and of the command line.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pin => "pin",
            Self::Drain => "drain",
            Self::Disable => "disable",
        }
    }

    /// What was done to the route, for people.
    pub const fn done(self) -> &'static str {
        match self {
            Self::Pin => "pinned",
            Self::Drain => "drained",
            Self::Disable => "disabled",
        }
    }

    /// The mode with this [`code`](Self::code).
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }

    /// Whether the route gets nothing new.
    pub const fn holds(self) -> bool {
        match self {
            Self::Pin => false,
            Self::Drain | Self::Disable => true,
        }
    }
}

/// A person's word over one route.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RouteControl {
    /// What they say.
    pub mode: ControlMode,
    /// Why.
    pub reason: Box<str>,
    /// Who.
    pub by: Actor,
    /// Since when.
    pub since: Timestamp,
    /// Until when; `None` is until somebody says otherwise.
    pub until: Option<Timestamp>,
}

impl RouteControl {
    /// All of it in words: `drained by app: maintenance`.
    pub fn words(&self) -> String {
        let done = format!("{} by {}", self.mode.done(), self.by);
        if self.reason.is_empty() {
            done
        } else {
            format!("{done}: {}", self.reason)
        }
    }

    /// Whether its time is over.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|it| it <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::audit::ActorKind;

    fn drained(until: Option<i64>) -> RouteControl {
        RouteControl {
            mode: ControlMode::Drain,
            reason: "maintenance".into(),
            by: Actor::new(ActorKind::Key, "app"),
            since: Timestamp::from_millis(0),
            until: until.map(Timestamp::from_millis),
        }
    }

    #[test]
    fn a_word_names_who_and_why() {
        assert_eq!(drained(None).words(), "drained by app: maintenance");
        let silent = RouteControl {
            reason: "".into(),
            ..drained(None)
        };
        assert_eq!(silent.words(), "drained by app");
    }

    #[test]
    fn it_is_over_at_its_time_and_never_without_one() {
        let now = Timestamp::from_millis(10);
        for (until, over) in [(None, false), (Some(11), false), (Some(10), true)] {
            assert_eq!(drained(until).is_over(now), over, "{until:?}");
        }
    }

    #[test]
    fn every_mode_has_one_word() {
        for mode in ControlMode::ALL {
            assert_eq!(ControlMode::from_code(mode.code()), Some(mode));
        }
        assert_eq!(ControlMode::from_code("auto"), None, "auto is no word");
    }
}
