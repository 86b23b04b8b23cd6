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
pub mod alerts;
mod answers;
mod audit;
mod bill;
mod campaigns;
mod carried;
mod commit;
mod consent;
mod control;
mod facts;
mod form;
mod headroom;
mod health_log;
mod lanes;
mod leaving;
mod line;
mod out_since;
mod outcomes;
pub mod people;
mod plan;
pub mod publish;
mod quotas;
mod ready;
mod receive;
mod recover;
pub mod registrar;
pub mod request;
mod senders;
mod settle;
pub mod standing;
mod stuck;
mod templates;
mod throughput;
pub mod topology;
mod withdrawn;
mod worker;

pub use audit::audited_user;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use domain::ids::{MessageId, ProjectKey, RouteKey, SenderKey, TemplateId, UserId};
use domain::model::audit::Actor;
use domain::model::channel::Channel;
use domain::model::content::PriceCategory;
use domain::model::event::EventSeq;
use domain::model::sender::Sender;
use domain::model::template::TemplateText;
use domain::rules::bulk_detection::BulkDetector;
use domain::time::{Millis, Timestamp};
use parking_lot::{Mutex, RwLock};
use ports::clock::Clock;
use ports::connector::{Connector, IncomingMessage, RouteEvents, SubmissionSource};
use ports::store::consent::Consent;
use ports::store::operations::Changed;
use ports::store::templates::Template;
use ports::store::webhooks::WebhookChange;
use ports::store::{Epoch, Op, Outcome, Store, Unavailable};
use thiserror::Error;
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::campaigns::Campaigns;
use crate::lanes::Lanes;
use crate::line::RouteLine;
use crate::out_since::OutSince;
use crate::people::{Offered, Offers, PersonError};
use crate::publish::{Publishing, Watch};
use crate::quotas::Used;
use crate::registrar::{SyncReport, TemplateError};
use crate::request::{Accepted, Preview, Refused, RouteStatus, SendRequest};
use crate::standing::{QuotaStanding, Standings};
use crate::templates::Templates;
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
    /// On whose behalf things are changed; the audit log tells it.
    by: Option<Arc<Actor>>,
}

pub(crate) struct Inner {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Random,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) epoch: Epoch,
    /// What is configured; senders may change while the server runs.
    topology: RwLock<Arc<Topology>>,
    /// Held while senders are changed.
    configuring: tokio::sync::Mutex<()>,
    pub(crate) limits: Limits,
    pub(crate) lines: BTreeMap<RouteKey, Arc<RouteLine>>,
    pub(crate) lanes: Lanes,
    pub(crate) quotas: Used,
    /// Since when routes are out of quota, for people.
    pub(crate) out_since: OutSince,
    pub(crate) campaigns: Campaigns,
    pub(crate) bulk: Mutex<BulkDetector>,
    pub(crate) answers: Mutex<answers::Answers>,
    pub(crate) templates: Templates,
    /// Woken when something is due earlier than the timer sleeps.
    pub(crate) timer: Notify,
    pub(crate) timer_sleeps_until: AtomicI64,
    /// Messages to be planned again at once.
    pub(crate) replan: mpsc::UnboundedSender<MessageId>,
    /// Raised whenever a route comes up or goes down: what waits is looked at again.
    pub(crate) turns: AtomicU64,
    pub(crate) watch: Watch,
    /// What waits for people.
    pub(crate) offers: watch::Sender<Offers>,
    /// Woken when a direct message begins to wait in a lane.
    pub(crate) direct_waits: Notify,
    /// Woken when a person did something with a message.
    pub(crate) offers_changed: Notify,
    /// How often the health of each route changed of late.
    pub(crate) health_log: health_log::HealthLog,
    pub(crate) accepting: AtomicBool,
    pub(crate) stopping: CancellationToken,
    /// Why the line can go on no more; the process is to end.
    pub(crate) ending: watch::Sender<Option<Ending>>,
    pub(crate) tasks: TaskTracker,
    /// Where tasks run that a completion of the store starts: its thread has no runtime.
    runtime: tokio::runtime::Handle,
}

/// Why the line can go on no more. What is on disk is whole: the next start goes on from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Ending {
    /// Another process took the work over.
    #[error("another process owns this database now")]
    Replaced,
    /// A step could not be committed, so that memory and disk do not tell the same any more.
    #[error("the database did not take a step of the line; its log says why")]
    StepLost,
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
        let templates = Templates::load(&*setup.store).await?;
        let topology = setup
            .topology
            .with_api(&setup.store.configured_by_api().await?);
        let (replan, to_replan) = mpsc::unbounded_channel();
        let lines = topology
            .routes()
            .map(|route| {
                let marks = topology.marks_started(route);
                let line = RouteLine::new(Arc::clone(route), marks, now);
                (route.key, Arc::new(line))
            })
            .collect::<BTreeMap<_, _>>();
        let registered = setup.store.routes_registered().await?;
        let topology = people::with_registered(topology, registered);
        let inner = Arc::new(Inner {
            lanes: Lanes::of(lines.keys().copied()),
            quotas: Used::default(),
            out_since: OutSince::default(),
            campaigns: Campaigns::default(),
            clock: setup.clock,
            random: setup.random,
            store: setup.store,
            epoch,
            topology: RwLock::new(Arc::new(topology)),
            configuring: tokio::sync::Mutex::new(()),
            limits: setup.limits,
            lines,
            bulk: Mutex::new(BulkDetector::new()),
            answers: Mutex::default(),
            templates,
            timer: Notify::new(),
            timer_sleeps_until: AtomicI64::new(i64::MIN),
            replan,
            turns: AtomicU64::new(0),
            watch: Watch::new(),
            offers: watch::Sender::new(Offers::new()),
            direct_waits: Notify::new(),
            offers_changed: Notify::new(),
            health_log: health_log::HealthLog::default(),
            accepting: AtomicBool::new(true),
            stopping: CancellationToken::new(),
            ending: watch::Sender::new(None),
            tasks: TaskTracker::new(),
            runtime: tokio::runtime::Handle::current(),
        });
        control::load(&inner).await?;
        alerts::load_outcomes(&inner).await?;
        templates::report_missing_defaults(&inner);
        quotas::refresh(&inner).await?;
        recover::recover(&inner).await?;
        worker::spawn(&inner, to_replan);
        Ok(Self { inner, by: None })
    }

    /// The same engine in the hands of somebody: what they change stands in the audit log (R-SEC).
    #[must_use]
    pub fn on_behalf_of(&self, actor: Actor) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            by: Some(Arc::new(actor)),
        }
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

    /// The messages of the project that wait for a person or that one has, oldest first
    /// (R-PHONE-2).
    pub async fn offered(&self, project: ProjectKey) -> Result<Vec<Offered>, Unavailable> {
        let listed = people::listed(&self.inner, project, None).await?;
        Ok(listed.offered)
    }

    /// The same as a list for one person: with all that they have themselves, however many wait.
    pub async fn offered_to(
        &self,
        project: ProjectKey,
        person: UserId,
    ) -> Result<people::Listed, Unavailable> {
        people::listed(&self.inner, project, Some(person)).await
    }

    /// Has a person take a message, give it back, or say that it was sent (R-PHONE-2).
    pub async fn person(
        &self,
        project: ProjectKey,
        message: MessageId,
        person: UserId,
        act: people::Act<'_>,
    ) -> Result<Changed, PersonError> {
        people::act(&self.inner, (project, message), person, act).await
    }

    /// Changes whenever what waits for people does, or who has it.
    pub fn watch_offers(&self) -> watch::Receiver<Offers> {
        self.inner.offers.subscribe()
    }

    /// What is configured now.
    pub fn topology(&self) -> Arc<Topology> {
        self.inner.topology()
    }

    /// Takes a sender into use as it is now, or out of use; routes and projects stay as they are.
    pub fn change_senders(&self, change: impl FnOnce(&Topology) -> Topology) {
        self.inner.change_topology(change);
    }

    /// The running connector of the route with this id, which is unique among all projects.
    pub fn connector_of(&self, route: &str) -> Option<Arc<dyn Connector>> {
        let mut lines = self.inner.lines.values();
        lines.find(|it| &*it.route.id == route)?.connector()
    }

    /// The store, for queries.
    pub fn store(&self) -> &dyn Store {
        &*self.inner.store
    }

    /// Commits an operation that is no step of the line: contacts, keys. Not templates, which the
    /// engine itself follows.
    pub async fn apply(&self, op: Op) -> Result<Outcome, Unavailable> {
        let op = audit::audited(&self.inner, self.by(), op);
        self.inner.apply(op).await
    }

    fn by(&self) -> Option<&Actor> {
        self.by.as_deref()
    }

    /// A template of the project, as it stands now.
    pub fn template(&self, project: ProjectKey, id: TemplateId) -> Option<Arc<Template>> {
        self.inner.templates.get(project, id)
    }

    /// Makes a template, as a draft.
    pub async fn create_template(
        &self,
        project: ProjectKey,
        text: TemplateText,
    ) -> Result<Template, TemplateError> {
        registrar::create(&self.inner, self.by(), project, text).await
    }

    /// Forgets a template; at its provider it stays.
    pub async fn delete_template(
        &self,
        project: ProjectKey,
        id: TemplateId,
    ) -> Result<(), TemplateError> {
        registrar::delete(&self.inner, self.by(), project, id).await
    }

    /// Gives a template to the provider of the sender's WhatsApp for approval. `test`: to a
    /// simulator (R-TEST).
    pub async fn submit_template(
        &self,
        id: TemplateId,
        sender: &Sender,
        category: Option<PriceCategory>,
        test: bool,
    ) -> Result<Template, TemplateError> {
        registrar::submit(&self.inner, self.by(), id, sender, category, test).await
    }

    /// Brings in the templates that the sender's provider has, or those of every account of the
    /// project. `test`: from simulators (R-TEST).
    pub async fn sync_templates(
        &self,
        project: ProjectKey,
        sender: Option<&Sender>,
        test: bool,
    ) -> Result<SyncReport, TemplateError> {
        registrar::sync(&self.inner, self.by(), project, sender, test).await
    }

    /// Serves the senders' webhooks from now on (R-MON-2). Once at most.
    pub fn publish(&self, publishing: Publishing) {
        publish::start(&self.inner, publishing);
    }

    /// Changes a sender's webhook, and lets that take effect at once.
    pub async fn change_webhook(&self, change: WebhookChange) -> Result<Outcome, Unavailable> {
        let outcome = self.apply(Op::Webhook(Box::new(change))).await;
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

    /// Keeps what a caller says of a person's consent, and takes back what was about to leave
    /// (R-IN-2).
    pub async fn change_consent(&self, consent: Consent) -> Result<Outcome, Unavailable> {
        consent::change(&self.inner, self.by(), consent).await
    }

    /// The connector of a route, once it is attached.
    pub fn connector(&self, route: RouteKey) -> Option<Arc<dyn Connector>> {
        self.inner.lines.get(&route)?.connector()
    }

    /// A random number, from the engine's source.
    pub fn fresh_number(&self) -> u64 {
        self.inner.random()
    }

    /// The time of day, by the engine's clock.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Waits until the line can go on no more: the process is to end then, and to be started again
    /// where it was not replaced.
    pub async fn ended(&self) -> Ending {
        let mut ending = self.inner.ending.subscribe();
        loop {
            if let Some(ending) = *ending.borrow_and_update() {
                return ending;
            }
            if ending.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Whether messages are taken.
    pub fn is_ready(&self) -> bool {
        self.inner.accepting.load(Ordering::SeqCst)
    }

    /// Every route as it is now.
    pub fn routes(&self) -> Vec<RouteStatus> {
        let now = self.now();
        let topology = self.topology();
        let meters = self.inner.quotas.meters();
        let status = |line: &Arc<RouteLine>| {
            let (in_hand, ready) = line.load();
            let standing = facts::standing(&self.inner, line, now);
            let project = topology.project(line.route.project);
            let standings = project.map(|it| Standings::new(it, &meters, now));
            let out_of_quota = standings.as_ref().and_then(|it| it.out(&line.route));
            let is_out = out_of_quota.is_some();
            let out_since = self.inner.out_since.see(line.route.key, is_out, now);
            let since = out_since::told(&standing, is_out, out_since);
            RouteStatus {
                quotas: standings
                    .as_ref()
                    .map(|it| it.of_route(&line.route))
                    .unwrap_or_default(),
                out_of_quota,
                id: Arc::clone(&line.route.id),
                project: line.route.project,
                condition: standing.condition,
                reason: standing.because,
                since,
                control: standing.control,
                health: standing.health,
                backlog: self.inner.lanes.waiting_for(line.route.key),
                ready,
                in_hand,
            }
        };
        self.inner.lines.values().map(status).collect()
    }

    /// How every quota of the project and of its routes stands, as the store has it (R-QUOTA-1).
    pub async fn quotas(&self, project: ProjectKey) -> Result<Vec<QuotaStanding>, Unavailable> {
        let meters = self.inner.store.meters().await?.into_iter().collect();
        let now = self.now();
        Ok(standing::of_project(
            &self.topology(),
            project,
            &meters,
            now,
        ))
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
        alerts::keep_outcomes(inner).await;
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

    /// What is configured now.
    pub(crate) fn change_topology(&self, change: impl FnOnce(&Topology) -> Topology) {
        let mut topology = self.topology.write();
        *topology = Arc::new(change(&topology));
    }

    pub(crate) fn topology(&self) -> Arc<Topology> {
        Arc::clone(&self.topology.read())
    }

    /// Nothing more is taken, planned or submitted; whoever waits for [`Engine::ended`] hears why.
    pub(crate) fn end(&self, why: Ending) {
        self.accepting.store(false, Ordering::SeqCst);
        self.stopping.cancel();
        for line in self.lines.values() {
            line.close();
        }
        self.ending.send_if_modified(|it| {
            let is_first = it.is_none();
            it.get_or_insert(why);
            is_first
        });
    }

    /// Starts a task, from whatever thread.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn_on(task, &self.runtime);
    }

    pub(crate) fn random(&self) -> u64 {
        (self.random)()
    }
}
