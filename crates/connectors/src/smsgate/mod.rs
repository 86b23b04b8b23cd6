//! Phones with the open-source app `SMSGate`, unmodified, in its private-server mode (R-PHONE-1): a
//! route is a pool of phones.
//!
//! Reading order: `pool` (the state, without I/O) with `phone`, `clock`, `select`, `listing`, `polling`, `reports`, `stopping`, `pairing`, `told`; the
//! pure halves `wire`, `receipt`, `inbound`, `codes`; then this file, which runs the pool, and
//! `gateway`, which answers phones. Phones call us: [`ports::phones`] is where their calls come in.

mod clock;
mod codes;
mod config;
mod gateway;
mod inbound;
mod listing;
mod pairing;
mod phone;
mod polling;
mod pool;
mod receipt;
mod reports;
mod secrets;
mod select;
mod stopping;
mod told;
mod wire;

#[cfg(test)]
mod clock_tests;
#[cfg(test)]
mod pairing_tests;
#[cfg(test)]
mod pool_tests;
#[cfg(test)]
mod return_tests;
#[cfg(test)]
mod route_tests;
#[cfg(test)]
mod silent_tests;
#[cfg(test)]
mod stopping_tests;
#[cfg(test)]
mod wake_tests;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use domain::time::{Millis, Timestamp};
use parking_lot::Mutex;
use ports::clock::Clock;
use ports::connector::{Connector, Heard, RouteEvents, SubmissionSource};
use ports::phones::PhoneGateway;
use ports::store::audit::Audited;
use ports::store::phones::PhoneChange;
use ports::store::{Op, Outcome, Store, Unavailable};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::task::TaskTracker;

pub use config::SmsGateConfig;
use pool::{Act, PEERS, Pool};

/// How long what was handed and paired is kept after its time, for reports that come late.
const KEPT: Millis = Millis::days(7);
/// How often old things are forgotten, and how many at once.
const PRUNE_EVERY: Millis = Millis::minutes(10);
const PRUNE_LIMIT: u16 = 1_000;
/// How long to wait before what could not be loaded is loaded again.
const AGAIN: Duration = Duration::from_secs(1);

/// Starts a pool. Must be called inside a tokio runtime.
pub fn start(
    config: SmsGateConfig,
    source: Arc<dyn SubmissionSource>,
    events: Arc<dyn RouteEvents>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
) -> Arc<dyn Connector> {
    start_route(config, source, events, store, clock)
}

fn start_route(
    config: SmsGateConfig,
    source: Arc<dyn SubmissionSource>,
    events: Arc<dyn RouteEvents>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
) -> Arc<PhoneRoute> {
    let bell = Arc::new(Notify::new());
    let wake = Arc::clone(&bell);
    source.on_ready(Arc::new(move || wake.notify_one()));
    let (loaded, is_loaded) = watch::channel(false);
    let (stop, stopped) = watch::channel(false);
    let shared = Arc::new(Shared {
        pool: Mutex::new(Pool::new(config)),
        order: Mutex::new(()),
        source,
        events,
        store,
        clock,
        bell,
        is_loaded,
        stopped: stopped.clone(),
    });
    let tasks = TaskTracker::new();
    tasks.spawn(run(Arc::clone(&shared), loaded, stopped));
    tasks.close();
    Arc::new(PhoneRoute {
        shared,
        stop,
        tasks,
    })
}

/// A running pool.
struct PhoneRoute {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    tasks: TaskTracker,
}

impl Connector for PhoneRoute {
    /// Phones cannot report any more when the server stops: what they hold is found again at the
    /// next start, or resolved by their reports.
    fn stop(&self, _patience: Millis) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.stop.send_replace(true);
        Box::pin(self.tasks.wait())
    }

    fn phones(&self) -> Option<&dyn PhoneGateway> {
        Some(self)
    }
}

/// What the loop and the phones' calls share.
struct Shared {
    pool: Mutex<Pool>,
    /// Held while what the pool decided is carried out, so that things are kept in the order in
    /// which they were decided. Nothing that is called under it comes back to it.
    order: Mutex<()>,
    source: Arc<dyn SubmissionSource>,
    events: Arc<dyn RouteEvents>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    bell: Arc<Notify>,
    is_loaded: watch::Receiver<bool>,
    stopped: watch::Receiver<bool>,
}

/// What has to be kept before a phone is answered.
type Kept = oneshot::Receiver<bool>;

impl Shared {
    /// Lets the pool decide, and carries it out.
    fn act<T>(
        self: &Arc<Self>,
        decide: impl FnOnce(&mut Pool, Timestamp) -> (T, Vec<Act>),
    ) -> (T, Vec<Kept>) {
        let _in_order = self.order.lock();
        let (answer, acts) = decide(&mut self.pool.lock(), self.clock.now());
        let kept = acts.into_iter().filter_map(|it| self.carry_out(it));
        (answer, kept.collect())
    }

    fn carry_out(self: &Arc<Self>, act: Act) -> Option<Kept> {
        let (told, kept) = oneshot::channel();
        // Nobody waits any more where a phone has hung up.
        let tell = move |is_kept| {
            told.send(is_kept).ok();
        };
        match act {
            Act::Submitted(key, outcome) => {
                self.events.submitted(key, outcome);
                return None;
            }
            Act::Returned(key) => {
                self.events.returned(key);
                return None;
            }
            Act::Link(link) => {
                self.events.link(link);
                return None;
            }
            Act::Receipt(receipt) => {
                let ack = Box::new(move |heard| tell(heard == Heard::Kept));
                self.events.receipt(*receipt, ack);
            }
            Act::Keep(change) => self.keep(Op::Phone(change), tell),
            Act::Told(change, entry) => {
                let op = Op::Phone(change);
                let entry = *entry;
                self.keep(Op::Audited(Box::new(Audited { op, entry })), tell);
            }
            Act::Hand(handing) => {
                let shared = Arc::clone(self);
                let id = handing.id.clone();
                self.keep(Op::Phone(PhoneChange::Handing(handing)), move |is_kept| {
                    let now = shared.clock.now();
                    shared.pool.lock().kept(&id, is_kept, now);
                    shared.bell.notify_one();
                    tell(is_kept);
                });
            }
        }
        Some(kept)
    }

    /// Stops what the engine does not want any more (R-IN-2, R-FALL-3), as far as phones have not sent it.
    fn stop_withdrawn(self: &Arc<Self>) {
        let unwanted = self.source.withdrawn();
        if !unwanted.is_empty() {
            self.act(|pool, now| ((), pool.withdraw(&unwanted, now)));
        }
    }

    fn keep(&self, op: Op, done: impl FnOnce(bool) + Send + 'static) {
        let after_commit = move |result: Result<Outcome, Unavailable>| {
            if let Err(error) = &result {
                tracing::warn!(%error, "what is known of a phone was not kept");
            }
            done(result.is_ok());
        };
        self.store.commit(op, Box::new(after_commit));
    }

    /// Waits until the pool knows what was kept.
    async fn loaded(&self) {
        let mut is_loaded = self.is_loaded.clone();
        // Safe because: where the loop has ended, the pool is as it was.
        let _ended = is_loaded.wait_for(|it| *it).await;
    }
}

/// Whether all of it is kept.
async fn all_kept(kept: Vec<Kept>) -> bool {
    let mut all = true;
    for one in kept {
        all &= one.await == Ok(true);
    }
    all
}

async fn run(shared: Arc<Shared>, loaded: watch::Sender<bool>, mut stop: watch::Receiver<bool>) {
    load(&shared).await;
    loaded.send_replace(true);
    let mut pruned_at = shared.clock.now();
    while !*stop.borrow_and_update() {
        let now = shared.clock.now();
        shared.act(|pool, now| ((), pool.tick(now)));
        shared.stop_withdrawn();
        let ask_again = fill(&shared);
        if now.since(pruned_at) >= PRUNE_EVERY {
            pruned_at = now;
            let before = Timestamp::from_millis(now.as_millis() - KEPT.get());
            let limit = PRUNE_LIMIT;
            shared.keep(Op::Phone(PhoneChange::Prune { before, limit }), |_| {});
        }
        let due = shared.pool.lock().next_due(now);
        let due = ask_again.map_or(due, |it| due.min(it));
        let pause = due.since(now).to_duration().max(Duration::from_millis(5));
        tokio::select! {
            () = shared.bell.notified() => {}
            () = sleep_until(Instant::now() + pause) => {}
            // Nobody holds the connector any more.
            changed = stop.changed() => if changed.is_err() { break },
        }
    }
    shared.act(|pool, _| ((), pool.close()));
}

async fn load(shared: &Arc<Shared>) {
    loop {
        let route = shared.pool.lock().config.route;
        let since = shared.clock.now().as_millis() - Millis::days(1).get();
        let peers = u32::try_from(PEERS).unwrap_or(u32::MAX);
        let since = Timestamp::from_millis(since);
        match shared.store.phone_book(route, since, peers).await {
            Ok(book) => {
                let now = shared.clock.now();
                return shared.pool.lock().load(book, now);
            }
            Err(error) => tracing::warn!(%error, "the phones of a route are not known yet"),
        }
        sleep(AGAIN).await;
    }
}

/// Takes what there is room for; when to ask again although nothing new came.
fn fill(shared: &Arc<Shared>) -> Option<Timestamp> {
    loop {
        let slots = shared.pool.lock().slots(shared.clock.now());
        if slots.free == 0 {
            return None;
        }
        let taken = shared.source.take(slots);
        if taken.submissions.is_empty() {
            return taken.ask_again_at;
        }
        for submission in taken.submissions {
            shared.act(|pool, now| ((), pool.place(&submission, secrets::uuid(), now)));
        }
    }
}
