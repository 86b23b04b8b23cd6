//! The courier: takes a letter to an address of the outside world that a customer named, and to no
//! address of our own network (R-SEC).

use std::time::Duration;

use thiserror::Error;

use crate::hooks::Pending;

/// A body to be posted. Its `Debug` shows no more than the length, since it holds what people
/// write.
#[derive(Clone, PartialEq, Eq)]
pub struct PostRequest {
    /// Where.
    pub url: Box<str>,
    /// Header names and values, the body's type among them.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How long it may take until the answer's head is there.
    pub timeout: Duration,
}

impl std::fmt::Debug for PostRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostRequest")
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// It was not delivered, as far as we know.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum CourierError {
    /// The URL leads where nothing may be posted, or nowhere; nothing left.
    #[error("the URL is not allowed: {0}")]
    NotAllowed(Box<str>),
    /// Nobody answered there, or the connection broke.
    #[error("no connection: {0}")]
    Unreachable(Box<str>),
    /// No answer in time.
    #[error("no answer in time")]
    TimedOut,
}

/// Posts letters.
pub trait Courier: Send + Sync + 'static {
    /// Posts, and returns the status of the answer, whatever it is. Follows no redirects.
    fn post(&self, request: PostRequest) -> Pending<'_, Result<u16, CourierError>>;
}
