//! The line: five stations that take a message from acceptance to its end (DESIGN §1).
//!
//! ```text
//! [1 accept] ~~> [2 plan] ~~> [3 dispatch] ~~> [4 receive] ~~> [5 settle] ~~> plan again, or the end
//! ```
//!
//! [`accept`] checks, plans where it can and keeps; [`plan`] decides for what waits; [`receive`]
//! gives connectors their submissions and takes in what they hear; [`settle`] follows a message
//! after each change; [`worker`] has the loops: the timer, the pumps of the lanes, and the upkeep;
//! [`publish`] tells the outside what happened, with a loop for each webhook. No rule stands here: rules are asked of the domain, and every change is one
//! operation of the store.

mod accept;
mod bill;
mod facts;
mod form;
mod lanes;
mod line;
mod plan;
pub mod publish;
mod ready;
mod receive;
mod recover;
pub mod request;
mod settle;
mod throughput;
pub mod topology;
mod worker;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use domain::ids::{MessageId, ProjectKey, RouteKey, SenderKey};
use domain::model::channel::Channel;
use domain::model::event::EventSeq;
use domain::rules::bulk_detection::BulkDetector;
use domain::time::{Millis, Timestamp};
use parking_lot::Mutex;
use ports::clock::Clock;
use ports::connector::{Connector, IncomingMessage, RouteEvents, SubmissionSource};
use ports::store::webhooks::WebhookChange;
use ports::store::{Epoch, Op, Outcome, Store, Unavailable};
use thiserror::Error;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::lanes::Lanes;
use crate::line::RouteLine;
use crate::publish::{Publishing, Watch};
use crate::request::{Accepted, Preview, Refused, RouteStatus, SendRequest};
use crate::topology::Topology;

/// Draws a random number; injected so that a simulation can repeat itself.
pub type Random = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Named bounds of the engine.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most messages that wait in lanes; more are refused with 429.
    pub backlog: u64,
    /// Most operations that wait for the store; more messages are refused with 429.
    pub pending_operations: usize,
}

impl Default for Limits {
    /// Two million messages, 16,384 operations.
    fn default() -> Self {
        Self {
            backlog: 2_000_000,
            pending_operations: 16_384,
        }
    }
}

/// What an engine is made of.
pub struct Setup {
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Random numbers.
    pub random: Random,
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// What is configured.
    pub topology: Topology,
    /// Its bounds.
    pub limits: Limits,
}

/// The running line. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Random,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) epoch: Epoch,
    pub(crate) topology: Topology,
    pub(crate) limits: Limits,
    pub(crate) lines: BTreeMap<RouteKey, Arc<RouteLine>>,
    pub(crate) lanes: Lanes,
    pub(crate) bulk: Mutex<BulkDetector>,
    /// Woken when something is due earlier than the timer sleeps.
    pub(crate) timer: Notify,
    pub(crate) timer_sleeps_until: AtomicI64,
    /// Messages to be planned again at once.
    pub(crate) replan: mpsc::UnboundedSender<MessageId>,
    /// Raised whenever a route comes up or goes down: what waits is looked at again.
    pub(crate) turns: AtomicU64,
    pub(crate) watch: Watch,
    pub(crate) accepting: AtomicBool,
    pub(crate) stopping: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

/// A simulated inbound message was not kept.
#[derive(Debug, Clone, Error)]
pub enum SimulateError {
    /// The sender has no simulator on this channel.
    #[error("the sender has no simulator on this channel")]
    NoSimulator,
    /// It was given to the simulator, and the store did not keep it.
    #[error("the inbound message was not kept")]
    NotKept,
}

impl Engine {
    /// Takes over the work from any earlier owner, finds what that left unfinished (R-DUP), and
    /// starts the workers. Connectors are attached afterwards.
    pub async fn start(setup: Setup) -> Result<Self, Unavailable> {
        let now = setup.clock.now();
        let epoch = setup.store.raise_epoch().await?;
        let (replan, to_replan) = mpsc::unbounded_channel();
        let lines = setup
            .topology
            .routes()
            .map(|route| {
                let has_alternative = facts::has_alternative(&setup.topology, route);
                let others = facts::others_on_channel(&setup.topology, route);
                let line = RouteLine::new(Arc::clone(route), has_alternative, others, now);
                (route.key, Arc::new(line))
            })
            .collect::<BTreeMap<_, _>>();
        let inner = Arc::new(Inner {
            lanes: Lanes::of(lines.keys().copied()),
            clock: setup.clock,
            random: setup.random,
            store: setup.store,
            epoch,
            topology: setup.topology,
            limits: setup.limits,
            lines,
            bulk: Mutex::new(BulkDetector::new()),
            timer: Notify::new(),
            timer_sleeps_until: AtomicI64::new(i64::MIN),
            replan,
            turns: AtomicU64::new(0),
            watch: Watch::new(),
            accepting: AtomicBool::new(true),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
        });
        recover::recover(&inner).await?;
        worker::spawn(&inner, to_replan);
        Ok(Self { inner })
    }

    /// What the connector of this route pulls from; `None` for a route that is not configured.
    pub fn source(&self, route: RouteKey) -> Option<Arc<dyn SubmissionSource>> {
        Some(receive::RoutePort::new(&self.inner, route)?)
    }

    /// Where the connector of this route tells what happened.
    pub fn events(&self, route: RouteKey) -> Option<Arc<dyn RouteEvents>> {
        Some(receive::RoutePort::new(&self.inner, route)?)
    }

    /// Gives a route its running connector.
    pub fn attach(&self, route: RouteKey, connector: Arc<dyn Connector>) {
        if let Some(line) = self.inner.lines.get(&route) {
            line.attach(connector);
        }
    }

    /// Keeps a message and, where it can go now, hands it to its route (stations 1 and 2).
    pub async fn accept(&self, request: SendRequest) -> Result<Accepted, Refused> {
        accept::accept(&self.inner, request).await
    }

    /// What would be decided now; nothing is kept or sent (R-API-2).
    pub async fn preview(&self, request: SendRequest) -> Result<Preview, Refused> {
        accept::preview(&self.inner, request).await
    }

    /// What is configured.
    pub fn topology(&self) -> &Topology {
        &self.inner.topology
    }

    /// The store, for queries.
    pub fn store(&self) -> &dyn Store {
        &*self.inner.store
    }

    /// Commits an operation that is no step of the line: contacts, keys.
    pub async fn apply(&self, op: Op) -> Result<Outcome, Unavailable> {
        self.inner.apply(op).await
    }

    /// Serves the senders' webhooks from now on (R-MON-2). Once at most.
    pub fn publish(&self, publishing: Publishing) {
        publish::start(&self.inner, publishing);
    }

    /// Changes a sender's webhook, and lets that take effect at once.
    pub async fn change_webhook(&self, change: WebhookChange) -> Result<Outcome, Unavailable> {
        let outcome = self.inner.apply(Op::Webhook(Box::new(change))).await;
        self.inner.watch.changed();
        outcome
    }

    /// Changes whenever there are new events (R-MON-1); the value may be behind the store's at first.
    pub fn watch_events(&self) -> watch::Receiver<EventSeq> {
        self.inner.watch.newest()
    }

    /// Plays a person who writes to this sender, through the simulator that carries its channel.
    pub async fn simulate_inbound(
        &self,
        project: ProjectKey,
        sender: SenderKey,
        channel: Channel,
        message: IncomingMessage,
    ) -> Result<MessageId, SimulateError> {
        receive::simulate_inbound(&self.inner, project, sender, channel, message).await
    }

    /// The time of day, by the engine's clock.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Whether messages are taken.
    pub fn is_ready(&self) -> bool {
        self.inner.accepting.load(Ordering::SeqCst)
    }

    /// Every route as it is now.
    pub fn routes(&self) -> Vec<RouteStatus> {
        let now = self.now();
        let status = |line: &Arc<RouteLine>| {
            let (condition, reason) = facts::condition(&self.inner, line, now);
            RouteStatus {
                id: Arc::clone(&line.route.id),
                project: line.route.project,
                condition,
                reason,
                backlog: self.inner.lanes.waiting_for(line.route.key),
                in_hand: line.in_hand(),
            }
        };
        self.inner.lines.values().map(status).collect()
    }

    /// Takes nothing more, lets what is in the hands of connectors finish (at most `patience`),
    /// and puts the rest back into its lanes for the next start.
    pub async fn stop(&self, patience: Millis) {
        let inner = &self.inner;
        inner.accepting.store(false, Ordering::SeqCst);
        let mut stopping = tokio::task::JoinSet::new();
        for connector in inner.lines.values().filter_map(|it| it.connector()) {
            stopping.spawn(async move { connector.stop(patience).await });
        }
        while stopping.join_next().await.is_some() {}
        inner.stopping.cancel();
        inner.tasks.close();
        inner.tasks.wait().await;
        for line in inner.lines.values() {
            for key in line.close() {
                settle::put_back(inner, key);
            }
        }
        // Operations commit in order: after this one everything above is kept.
        let barrier = Op::Prune {
            keys_before: Timestamp::default(),
            receipts_before: Timestamp::default(),
            limit: 0,
        };
        if let Err(error) = inner.apply(barrier).await {
            tracing::warn!(%error, "what is in hand is found by the next start");
        }
    }
}

impl Inner {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn random(&self) -> u64 {
        (self.random)()
    }

    /// Commits an operation and waits for it.
    pub(crate) async fn apply(&self, op: Op) -> Result<Outcome, Unavailable> {
        let (done, answer) = oneshot::channel();
        self.store.commit(
            op,
            Box::new(move |result| {
                // Safe because: the caller may have been dropped; the operation is committed.
                let _unheard = done.send(result);
            }),
        );
        answer
            .await
            .unwrap_or_else(|_| Err(Unavailable::new("the store has stopped")))
    }
}
