//! Mail to operators: what an alert is told by, beside webhooks.

use std::future::Future;
use std::pin::Pin;

use domain::time::Timestamp;

/// A letter to operators, in plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The same for every try, so that a reader may see that it is one.
    pub id: String,
    /// The subject line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// Moments that stand below it, each with its name.
    pub times: Vec<(&'static str, Timestamp)>,
}

/// Sends letters to whom the operator named.
pub trait Mailer: Send + Sync + 'static {
    /// Sends one; why not, where the server did not take it.
    fn send(
        &self,
        notice: Notice,
    ) -> Pin<Box<dyn Future<Output = Result<(), Box<str>>> + Send + '_>>;
}
