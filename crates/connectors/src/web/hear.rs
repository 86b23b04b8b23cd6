//! What a callback tells, and when the provider may be answered: after everything in it is kept.

use std::time::Duration;

use ports::connector::{Ack, Heard, RouteEvents};
use ports::hooks::HookAnswer;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::protocol::{Callback, Telling};

/// How long keeping may take. Providers give up after 10 to 15 s and come again, as they do when they
/// are told so.
const DEADLINE: Duration = Duration::from_secs(10);

/// Tells everything, waits until all of it is kept, and gives the answer: the callback's own, or 503
/// where something could not be kept. What is told twice since then, the engine knows.
pub(crate) async fn hear(callback: Callback, events: &dyn RouteEvents) -> HookAnswer {
    let (tellings, answer) = match callback {
        Callback::Tells(tellings, answer) => (tellings, answer),
        Callback::Answer(answer) => return answer,
    };
    let until = Instant::now() + DEADLINE;
    let acks: Vec<_> = tellings
        .into_iter()
        .filter_map(|it| tell(it, events))
        .collect();
    let mut is_kept = true;
    for ack in acks {
        // An acknowledgement that is dropped, or does not come in time, is none.
        is_kept &= matches!(timeout_at(until, ack).await, Ok(Ok(Heard::Kept)));
    }
    if is_kept {
        answer
    } else {
        HookAnswer::empty(503)
    }
}

fn tell(telling: Telling, events: &dyn RouteEvents) -> Option<oneshot::Receiver<Heard>> {
    let (told, kept) = oneshot::channel();
    // Nobody waits any more where the deadline is over.
    let ack: Ack = Box::new(move |heard| {
        told.send(heard).ok();
    });
    match telling {
        Telling::Receipt(receipt) => events.receipt(receipt, ack),
        Telling::Inbound(message) => events.inbound(*message, ack),
        Telling::Consent(signal) => events.consent(signal, ack),
        Telling::Template(update) => events.template(update, ack),
        Telling::Bill(key, bill) => {
            events.billed(key, bill);
            return None;
        }
    }
    Some(kept)
}

#[cfg(test)]
#[path = "hear_tests.rs"]
mod tests;
