//! Whether people let a route be used (R-HEALTH), for tasks that keep a session with its provider and
//! end it meanwhile.

use std::mem;
use std::sync::Arc;

use ports::connector::SubmissionSource;
use tokio::sync::watch;

/// Follows [`SubmissionSource::in_use`] for as long as the source is there.
pub(crate) fn follow(source: &Arc<dyn SubmissionSource>) -> watch::Receiver<bool> {
    let (told, followed) = watch::channel(source.in_use());
    // The source keeps what it wakes, and would else keep itself.
    let asked = Arc::downgrade(source);
    source.on_ready(Arc::new(move || {
        let Some(source) = asked.upgrade() else {
            return;
        };
        // Asked inside: of two that are told at once, the last one has the last word.
        told.send_if_modified(|it| {
            let now = source.in_use();
            mem::replace(it, now) != now
        });
    }));
    followed
}
