//! A person's word over a route, as it is kept: at most one for each.

use domain::ids::{ProjectKey, RouteKey};
use domain::model::control::RouteControl;
use domain::time::Timestamp;

/// A change of a person's word over a route. Answers [`Done`](super::Outcome::Done), or
/// [`Missing`](super::Outcome::Missing) where there is none to take back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlChange {
    /// Keeps it, in place of the one before.
    Set {
        /// Whose.
        project: ProjectKey,
        /// Which route.
        route: RouteKey,
        /// The word.
        control: RouteControl,
    },
    /// Takes it back: the automatics decide again. Why stands in the audit log only.
    Clear(RouteKey, Option<Box<str>>),
    /// Takes it back where its time is over at this moment.
    Expire(RouteKey, Timestamp),
}
