//! The store: a closed set of operations that change it, and small queries.
//!
//! An operation is one step of the line and commits whole or not at all. Operations are given to
//! [`Store::commit`] and committed in batches, one transaction a batch, in the order given. Where
//! an operation says that it *folds*, it loads the message's [`Progress`], asks the domain's pure
//! rule, and writes the result and what is due next, inside the same transaction: no other event
//! can come in between. Losing a race is an [`Outcome`], not an error.
//!
//! [`Progress`]: domain::model::progress::Progress

pub mod alerts;
pub mod audit;
pub mod books;
pub mod consent;
pub mod contacts;
pub mod controls;
pub mod conversations;
pub mod events;
pub mod fold;
pub mod messages;
pub mod operations;
pub mod outcomes;
pub mod phones;
pub mod queries;
pub mod senders;
pub mod templates;
pub mod users;
pub mod webhooks;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use domain::ids::ProjectKey;
use domain::time::Timestamp;
use thiserror::Error;

pub use operations::{Op, Outcome};
pub use queries::Queries;

/// The store could not do it; nothing was changed. The text is for the log.
#[derive(Debug, Clone, Error)]
#[error("the store is not available: {0}")]
pub struct Unavailable(pub Arc<str>);

impl Unavailable {
    /// An error with this explanation.
    pub fn new(why: impl std::fmt::Display) -> Self {
        Self(why.to_string().into())
    }
}

/// Called once, after the operation's transaction ended, in the order of commit.
///
/// Runs on the store's writer: it must not block and must be short.
pub type Completion = Box<dyn FnOnce(Result<Outcome, Unavailable>) + Send>;

/// The answer to a query.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Unavailable>> + Send + 'a>>;

/// Raised whenever an owner of the work starts; operations of an older one are `Fenced`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub i64);

/// Keeps everything.
pub trait Store: Queries {
    /// Queues an operation. `done` is called after it is durable, before that of any operation
    /// queued later.
    fn commit(&self, op: Op, done: Completion);

    /// How many operations wait to be committed; callers that can refuse work look at it.
    fn pending(&self) -> usize;

    /// Makes the caller the owner of the work: from now on, fenced operations with an older epoch
    /// are refused.
    fn raise_epoch(&self) -> Answer<'_, Epoch>;

    /// The store's short name for a configured id, made on first use and stable for ever. Also
    /// tells when it was made.
    fn register(&self, registered: Registered, now: Timestamp) -> Answer<'_, (u32, Timestamp)>;
}

/// A configured id that gets a short name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Registered {
    /// A project; see [`ProjectKey`].
    Project(Box<str>),
    /// A sender of a project; see [`SenderKey`](domain::ids::SenderKey).
    Sender(ProjectKey, Box<str>),
    /// A route of a project; see [`RouteKey`](domain::ids::RouteKey).
    Route(ProjectKey, Box<str>),
    /// A campaign of a project; see [`CampaignKey`](domain::ids::CampaignKey).
    Campaign(ProjectKey, Box<str>),
}
