//! Hooks: the calls that providers make to us, with receipts and inbound messages.
//!
//! Each route has one URL, `{public_url}/hooks/{route id}`. The API hands a call over as it came,
//! bytes and all, since signatures are made over bytes; the connector checks it, tells
//! [`RouteEvents`](crate::connector::RouteEvents), waits until all is kept, and answers.

use std::future::Future;
use std::pin::Pin;

/// A call that a provider made.
#[derive(Clone, PartialEq, Eq)]
pub struct HookCall {
    /// Its method, in capitals.
    pub method: Box<str>,
    /// The URL as the provider was given it: the configured public URL, never a `Host` header, with
    /// the query as it came.
    pub url: Box<str>,
    /// What stands behind the question mark; empty where nothing does.
    pub query: Box<str>,
    /// Header names in lower case, and their values.
    pub headers: Vec<(Box<str>, Box<[u8]>)>,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl HookCall {
    /// The value of the first header with this name (in lower case), where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|it| &*it.0 == name)?;
        std::str::from_utf8(value).ok()
    }
}

impl std::fmt::Debug for HookCall {
    /// Without the query, headers and body: they hold secrets and what people write.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HookCall")
            .field("method", &self.method)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What a provider is answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HookAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The type of the body; `None` where there is none.
    pub content_type: Option<Box<str>>,
    /// The body.
    pub body: Vec<u8>,
}

impl HookAnswer {
    /// A status without a body.
    pub const fn empty(status: u16) -> Self {
        Self {
            status,
            content_type: None,
            body: Vec::new(),
        }
    }

    /// A body of this type.
    pub fn with(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            content_type: Some(content_type.into()),
            body: body.into(),
        }
    }
}

/// What an answer takes some time for.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The part of a connector that providers call.
pub trait Hooks: Send + Sync {
    /// Takes a call: 2xx only after everything in it is kept; 401 or 403 where the signature is
    /// wrong, and then nothing was told to anybody.
    fn call(&self, call: HookCall) -> Pending<'_, HookAnswer>;
}
