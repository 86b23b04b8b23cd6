//! How is an operation kept, and what is done on its commit?

use ports::store::{Op, Outcome, Unavailable};
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::RecvError;

use crate::Inner;

impl Inner {
    /// Commits an operation and waits for it.
    pub(crate) async fn apply(&self, op: Op) -> Result<Outcome, Unavailable> {
        self.apply_then(op, |_| {}).await
    }

    /// The same; `then` comes in the order of the commits, also where the caller went away meanwhile.
    pub(crate) async fn apply_then(
        &self,
        op: Op,
        then: impl FnOnce(&Result<Outcome, Unavailable>) + Send + 'static,
    ) -> Result<Outcome, Unavailable> {
        let (done, answer) = oneshot::channel();
        let on_commit = move |result| {
            then(&result);
            // Safe because: a caller that went away has no use for the answer.
            let _unheard = done.send(result);
        };
        self.store.commit(op, Box::new(on_commit));
        answer.await.map_err(stopped)?
    }
}

/// Why an operation has no outcome.
pub(crate) fn stopped(_: RecvError) -> Unavailable {
    Unavailable::new("the store has stopped")
}
