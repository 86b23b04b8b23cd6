//! Alerts as they are kept: a restart neither repeats nor loses one (R-ALERT).

use domain::ids::{AlertId, ProjectKey, RouteKey};
use domain::model::alert::{Alert, AlertKind, AlertQuota, Silence};
use domain::model::audit::Actor;
use domain::model::event::{EventDetail, EventKind, EventSeq};
use domain::phone::CountryCode;
use domain::time::Timestamp;

use super::Epoch;
use super::events::Event;

/// A step of an alert. The ones that the automatics take are fenced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertStep {
    /// Raises it, and brings [`EventKind::AlertRaised`] unless it is silenced.
    /// [`Stale`](super::Outcome::Stale) where the same is raised already: of the same kind and subject,
    /// and where it is about a quota, about the same one.
    Raise {
        /// What of; its id is given here, and it is not acknowledged.
        alert: Box<NewAlert>,
        /// Whose work.
        epoch: Epoch,
    },
    /// Tells of one that was raised while it was silenced. [`Stale`](super::Outcome::Stale) where
    /// it was told, or is over.
    Tell {
        /// Which.
        id: AlertId,
        /// When.
        at: Timestamp,
        /// Whose work.
        epoch: Epoch,
    },
    /// Resolves it, and brings [`EventKind::AlertResolved`] where it was told.
    /// [`Stale`](super::Outcome::Stale) where it is resolved already.
    Resolve {
        /// Which.
        id: AlertId,
        /// When.
        at: Timestamp,
        /// Whose work.
        epoch: Epoch,
    },
    /// Notes who has seen it; the first one stays, and another is [`Stale`](super::Outcome::Stale).
    /// [`Missing`](super::Outcome::Missing) where there is no such alert.
    Acknowledge {
        /// Whose.
        project: ProjectKey,
        /// Which.
        id: AlertId,
        /// Who.
        by: Actor,
        /// When.
        at: Timestamp,
    },
    /// Keeps a silence.
    Silence(Silence),
    /// Ends a silence. [`Missing`](super::Outcome::Missing) where there is none.
    Unsilence {
        /// Whose.
        project: ProjectKey,
        /// Which.
        no: i64,
        /// What it is, for the audit log, where that is known.
        was: Option<Box<Silence>>,
    },
    /// Keeps how messages of these routes ended of late, in place of what was kept of each.
    Outcomes {
        /// Of which routes.
        routes: Vec<RouteOutcomes>,
        /// Whose work.
        epoch: Epoch,
    },
    /// The events of a project up to this place need no e-mail any more.
    Mailed {
        /// Whose.
        project: ProjectKey,
        /// Up to where.
        upto: EventSeq,
        /// Whose work.
        epoch: Epoch,
    },
}

/// How messages of a route ended of late, as alerts count it: kept so that a restart changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteOutcomes {
    /// Which route.
    pub route: RouteKey,
    /// What ended, by country and slice of time.
    pub ended: Vec<Ended>,
    /// Since when no receipt came, and how many messages were taken since.
    pub unanswered: Option<(Timestamp, u32)>,
}

/// What ended within one slice of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// In which country; `None` where it is not known.
    pub country: Option<CountryCode>,
    /// The number of the slice.
    pub slice: i64,
    /// How many ended.
    pub all: u64,
    /// How many of them failed.
    pub failed: u64,
}

/// An alert that is to be raised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAlert {
    /// Whose.
    pub project: ProjectKey,
    /// What it is about.
    pub kind: AlertKind,
    /// Which one.
    pub subject: Box<str>,
    /// Which quota of it, where it is about one.
    pub quota: Option<AlertQuota>,
    /// What it is.
    pub value: i64,
    /// The same in words.
    pub words: Box<str>,
    /// Whether it is silenced.
    pub silenced: bool,
    /// When.
    pub at: Timestamp,
}

impl NewAlert {
    /// The alert, with its id.
    pub fn raised(&self, id: AlertId) -> Alert {
        Alert {
            id,
            project: self.project,
            kind: self.kind,
            subject: self.subject.clone(),
            quota: self.quota,
            value: self.value,
            words: self.words.clone(),
            raised_at: self.at,
            resolved_at: None,
            told: !self.silenced,
            acknowledged: None,
        }
    }
}

/// The event that tells of an alert: one of the whole project.
pub fn event_of(alert: &Alert, kind: EventKind, at: Timestamp) -> Event {
    Event {
        project: alert.project,
        sender: None,
        kind,
        message: None,
        at,
        channel: None,
        detail: Some(EventDetail::Alert(Box::new(alert.news()))),
    }
}

/// Which alerts to read, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertFilter {
    /// Whose; `None` is everybody's.
    pub project: Option<ProjectKey>,
    /// Only those that are raised, or only those that are not.
    pub raised: Option<bool>,
    /// Only before this one.
    pub before: Option<AlertId>,
    /// At most so many.
    pub limit: u16,
}
