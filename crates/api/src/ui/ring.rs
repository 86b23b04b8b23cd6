//! Rings the team's browsers when messages begin to wait for somebody's phone (R-PHONE-2).

use std::collections::BTreeSet;

use domain::ids::MessageId;
use engine::Engine;
use tokio_util::sync::CancellationToken;

use super::push::{Note, Pusher};

/// Most notes at once for one project: who opens the page sees the rest.
const NOTES_MAX: usize = 3;

/// Tells of every message once, when it begins to wait; ends with `closing`. What waits already is
/// told of by whoever ran before.
pub async fn ring_for_waiting(engine: Engine, pusher: Pusher, closing: CancellationToken) {
    let mut offers = engine.watch_offers();
    let mut seen: BTreeSet<MessageId> = all(&offers.borrow_and_update().clone());
    loop {
        tokio::select! {
            changed = offers.changed() => if changed.is_err() { return },
            () = closing.cancelled() => return,
        }
        let waiting = offers.borrow_and_update().clone();
        for (project, ids) in &waiting {
            let new = ids.iter().filter(|it| !seen.contains(it));
            for id in new.take(NOTES_MAX) {
                let note = Note::waiting(&id.to_string());
                pusher.tell(&engine, *project, None, &note).await;
            }
        }
        seen = all(&waiting);
    }
}

fn all(offers: &engine::people::Offers) -> BTreeSet<MessageId> {
    offers.values().flatten().copied().collect()
}
