//! What does a phone get that has no stream, and so comes only now and then? What waits, at its pull (R-PHONE-1).
//!
//! What it is offered and does not fetch soon goes elsewhere, and it is silent until it is heard of again:
//! then the engine offers it what waits for it. The pull that it came with, or that follows what it was
//! heard by, waits for that, since the next may be a quarter of an hour away.

use std::sync::Arc;
use std::time::Duration;

use domain::time::{Millis, Timestamp};
use tokio::time::{Instant, sleep};

use super::Shared;
use super::listing::Shown;
use super::pool::{Keeping, Pool};

/// How long a pull waits at the most, and how long after a phone is back one does.
const WAIT: Millis = Millis::seconds(3);
/// How often it is looked whether something came.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// How long after the first came the rest is waited for.
const REST_WITHIN: Duration = Duration::from_millis(200);

impl Pool {
    /// Whether a pull of this phone is to wait for what it may be offered.
    fn is_awaited(&self, phone: &str, now: Timestamp) -> bool {
        let Some(phone) = self.phones.get(phone) else {
            return false;
        };
        let is_back = phone.back_at.is_some_and(|it| now.since(it) < WAIT);
        let listens = phone.streams > 0;
        let takes = |it: &super::phone::Phone| self.takes(it, now);
        let mut others = self.phones.values();
        is_back
            && !listens
            && !self.closing
            && takes(phone)
            && !others.any(|it| it.streams > 0 && takes(it))
    }

    /// Whether all that the phone was offered is there to be fetched, and something is.
    fn has_offers(&self, phone: &str, now: Timestamp) -> bool {
        let its = || self.open.values().filter(|it| *it.handing.phone == *phone);
        its().all(|it| it.keeping != Keeping::Waits)
            && its().any(|it| it.shown(now) == Some(Shown::Send))
    }
}

/// Waits until a phone that was silent and has come without a stream has been offered what waits.
pub(super) async fn offers(shared: &Arc<Shared>, phone: &str) {
    shared.bell.notify_one();
    let until = Instant::now() + WAIT.to_duration();
    let mut had_any = false;
    loop {
        let (is_awaited, has_offers) = {
            let (pool, now) = (shared.pool.lock(), shared.clock.now());
            (pool.is_awaited(phone, now), pool.has_offers(phone, now))
        };
        if had_any || !is_awaited || Instant::now() >= until {
            return;
        }
        had_any = has_offers;
        sleep(if has_offers { REST_WITHIN } else { LOOK_EVERY }).await;
    }
}
