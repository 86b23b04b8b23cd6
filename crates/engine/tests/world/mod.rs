//! A small world around the real engine: made-up time, a store that survives the process, and
//! providers that do as their scripts say.

pub(crate) mod courier;
mod provider;
mod store;
mod users;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use domain::ids::{MessageId, ProjectKey, RouteKey, SenderKey};
use domain::model::address::Address;
use domain::model::attempt::AttemptState;
use domain::model::channel::Channel;
use domain::model::consent::KeywordPolicy;
use domain::model::contact::ContactFacts;
use domain::model::content::{Content, PriceCategory};
use domain::model::message::{Category, Status, TrafficClass};
use domain::model::money::Micros;
use domain::model::policy::Policy;
use domain::model::progress::Progress;
use domain::model::route::{
    ChargedOn, Destinations, OnUnknown, Price, PriceScope, PriceUnit, Route, RouteClass,
    UnknownWait,
};
use domain::model::sender::{Origin, Sender};
use domain::model::tariff::Tiers;
use domain::model::template::{TemplateDefinition, TemplateRef, TemplateStatus, TemplateText};
use domain::phone::PhoneNumber;
use domain::time::{Millis, Timestamp};
use engine::request::{Refused, SendRequest};
use engine::topology::{Project, Topology};
use engine::{Engine, Limits, Setup};
use parking_lot::Mutex;
use ports::clock::Clock;
use ports::memory::MemoryStore;
use ports::provider::TemplateUpdate;
use ports::store::templates::TemplateChange;
use ports::store::{Op, Queries, Store};

pub(crate) use provider::{Act, Answer, Provider, Seen, failed};
use store::Access;

/// The project of every test.
pub(crate) const PROJECT: ProjectKey = ProjectKey(1);
/// Its sender.
pub(crate) const SENDER: SenderKey = SenderKey(1);
/// Another one, where a test asks for it.
pub(crate) const OTHER: SenderKey = SenderKey(2);
/// The first route for SMS.
pub(crate) const SMS: RouteKey = RouteKey(1);
/// The second route for SMS: dearer, so that it comes after the first.
pub(crate) const SMS2: RouteKey = RouteKey(2);
/// The route for WhatsApp.
pub(crate) const WHATSAPP: RouteKey = RouteKey(3);
/// When the world begins.
pub(crate) const T0: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// Time that moves with the paused clock of the runtime.
pub(crate) struct WorldClock(tokio::time::Instant);

impl Clock for WorldClock {
    fn now(&self) -> Timestamp {
        let elapsed = self.0.elapsed().as_millis();
        T0.plus(Millis::new(i64::try_from(elapsed).unwrap()))
    }
}

/// A route of the test project: unlimited, cheap SMS.
pub(crate) fn sms_route(key: RouteKey, price: i64) -> Route {
    Route {
        key,
        id: format!("route{}", key.0).into(),
        project: PROJECT,
        channel: Channel::Sms,
        class: None,
        simulator: false,
        receipts: true,
        answers_stop: false,
        mms: false,
        throughput: None,
        destinations: Destinations::default(),
        prices: vec![Price {
            scope: PriceScope::Any,
            category: None,
            amount: Micros(price),
            tiers: Tiers::NONE,
            volume: None,
            mms: None,
            unit: PriceUnit::Segment,
            charged_on: ChargedOn::Submit,
            valid_from: None,
            valid_until: None,
        }],
        quotas: domain::model::quota::Quotas::NONE,
        on_unknown: OnUnknown::Resend,
        unknown_wait: UnknownWait::default(),
    }
}

/// The usual route for SMS.
pub(crate) fn sms() -> Route {
    sms_route(SMS, 50_000)
}

/// The route that helps out.
pub(crate) fn sms2() -> Route {
    sms_route(SMS2, 60_000)
}

/// WhatsApp, at a fifth of the price.
pub(crate) fn whatsapp() -> Route {
    Route {
        channel: Channel::WhatsApp,
        class: Some(RouteClass::Gateway),
        ..sms_route(WHATSAPP, 10_000)
    }
}

/// A person's number.
pub(crate) fn person(no: u32) -> Address {
    Address::Phone(PhoneNumber::parse(&format!("+40722{no:06}")).unwrap())
}

/// A direct text to a person, on the best channel.
pub(crate) fn text_to(no: u32, text: &str) -> SendRequest {
    SendRequest {
        project: PROJECT,
        sender: SENDER,
        to: person(no),
        content: Content::text(text),
        explicit: None,
        traffic_class: Some(TrafficClass::Direct),
        category: Category::Transactional,
        speed: None,
        in_reply_to: None,
        reacts_to: None,
        conversation: None,
        scheduled_at: None,
        validity: None,
        fallback_enabled: None,
        fallback_after: None,
        metadata: None,
        campaign: None,
        idempotency: None,
        test: false,
        by_person: None,
    }
}

/// A bulk text to a person.
pub(crate) fn bulk_to(no: u32, text: &str) -> SendRequest {
    SendRequest {
        traffic_class: Some(TrafficClass::Bulk),
        ..text_to(no, text)
    }
}

/// The sender's default template, which needs nothing to be filled in.
pub(crate) fn default_text() -> TemplateText {
    TemplateText {
        definition: TemplateDefinition {
            name: "hello".into(),
            language: "en".into(),
            category: PriceCategory::Utility,
            header: None,
            body: "hello".into(),
            footer: None,
            buttons: Vec::new(),
            add_security_recommendation: false,
            code_expiration_minutes: None,
        },
        variables: Vec::new(),
        sms_body: None,
        telegram_body: None,
        instagram_body: None,
    }
}

/// Everything around the engine.
pub(crate) struct World {
    pub(crate) clock: Arc<WorldClock>,
    pub(crate) disk: Arc<MemoryStore>,
    routes: Vec<Route>,
    pub(crate) limits: Limits,
    /// The project's settings.
    pub(crate) policy: Policy,
    pub(crate) keywords: KeywordPolicy,
    /// Whether [`OTHER`] is there too, on the same routes.
    pub(crate) has_other: bool,
    /// Where [`OTHER`] has the first sender's address: the one route that it uses.
    pub(crate) twin_on: Option<RouteKey>,
    providers: BTreeMap<RouteKey, Arc<Provider>>,
    log: Arc<Mutex<Vec<Seen>>>,
    seed: u64,
    engine: Option<Engine>,
    dead: Arc<AtomicBool>,
    /// Whether the store's disk has no room.
    pub(crate) full: Arc<AtomicBool>,
    /// How long the store takes for an operation; none by itself.
    pub(crate) commit_takes: Option<Millis>,
    /// What the sender's default template says.
    pub(crate) default_body: &'static str,
}

impl World {
    /// A world with these routes, in which nothing runs yet.
    pub(crate) fn new(routes: impl IntoIterator<Item = Route>) -> Self {
        let routes = Vec::from_iter(routes);
        let clock = Arc::new(WorldClock(tokio::time::Instant::now()));
        let log = Arc::<Mutex<Vec<Seen>>>::default();
        let providers = routes.iter().map(|it| {
            let provider = Provider::new(it.key, Arc::clone(&clock), Arc::clone(&log));
            (it.key, provider)
        });
        Self {
            providers: providers.collect(),
            clock,
            disk: Arc::new(MemoryStore::default()),
            routes,
            limits: Limits::default(),
            policy: Policy::default(),
            keywords: KeywordPolicy::default(),
            has_other: false,
            twin_on: None,
            log,
            seed: 7,
            engine: None,
            dead: Arc::default(),
            full: Arc::default(),
            default_body: "hello",
            commit_takes: None,
        }
    }

    /// Gives the sender's default template this text, approved.
    fn make_default(&self, body: &str) {
        let mut text = default_text();
        text.definition.body = body.into();
        let approved = TemplateUpdate {
            provider_id: "p-hello".into(),
            name: text.definition.name.clone(),
            language: text.definition.language.clone(),
            status: Some(TemplateStatus::Approved),
            category: None,
            reason: None,
        };
        for change in [
            TemplateChange::Create(Box::new(text)),
            TemplateChange::Updated {
                account: "account".into(),
                update: Box::new(approved),
            },
        ] {
            let op = Op::Template {
                project: PROJECT,
                change: Box::new(change),
                at: T0,
            };
            self.disk.commit(op, Box::new(|_| ()));
        }
    }

    /// The sender, as it is configured.
    pub(crate) fn sender(&self) -> Arc<Sender> {
        Arc::clone(self.engine().topology().sender(SENDER).unwrap())
    }

    /// A world with these routes and a running engine.
    pub(crate) async fn running(routes: impl IntoIterator<Item = Route>) -> Self {
        let mut world = Self::new(routes);
        world.start().await;
        world
    }

    fn topology(&self) -> Topology {
        let project = Project {
            key: PROJECT,
            id: "main".into(),
            name: "Main".into(),
            policy: self.policy.clone(),
            idempotency_replay: false,
        };
        let sender = Sender {
            key: SENDER,
            id: "support".into(),
            project: PROJECT,
            name: "Support".into(),
            address: "+40700000001".into(),
            is_default: true,
            routes: self.routes.iter().map(|it| it.key).collect(),
            // WhatsApp can always carry a message, whatever its window.
            default_template: TemplateRef::parse("hello"),
            fallback_after: None,
            keywords: self.keywords.clone(),
            origin: Origin::File,
            created_at: T0,
            updated_at: T0,
        };
        let other = self.has_other.then(|| Sender {
            key: OTHER,
            id: "shop".into(),
            name: "Shop".into(),
            address: "+40700000002".into(),
            is_default: false,
            ..sender.clone()
        });
        let twin = self.twin_on.map(|route| Sender {
            key: OTHER,
            id: "shop".into(),
            name: "Shop".into(),
            is_default: false,
            routes: vec![route],
            ..sender.clone()
        });
        let senders = std::iter::once(sender).chain(other).chain(twin);
        Topology::new([project], senders, self.routes.clone())
    }

    fn random(&self) -> engine::Random {
        // SplitMix64: any well-mixed sequence that repeats itself will do.
        let state = AtomicU64::new(self.seed);
        Arc::new(move || {
            const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
            let mut z = state.fetch_add(STEP, Ordering::SeqCst).wrapping_add(STEP);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        })
    }

    /// Starts an engine without connectors.
    pub(crate) async fn engine_alone(&self, dead: &Arc<AtomicBool>) -> Engine {
        let store = Access {
            disk: Arc::clone(&self.disk),
            dead: Arc::clone(dead),
            full: Arc::clone(&self.full),
            late: self
                .commit_takes
                .map(|it| store::late(Arc::clone(&self.disk), it.to_duration())),
        };
        let clock: Arc<dyn Clock> = Arc::<WorldClock>::clone(&self.clock);
        Engine::start(Setup {
            clock,
            random: self.random(),
            store: Arc::new(store),
            topology: self.topology(),
            limits: self.limits,
        })
        .await
        .unwrap()
    }

    /// Starts an engine and connects it to every provider.
    pub(crate) async fn start(&mut self) {
        if self.disk.all_templates(None, 1).await.unwrap().is_empty() {
            self.make_default(self.default_body);
        }
        self.dead = Arc::default();
        let engine = self.engine_alone(&self.dead).await;
        for (route, provider) in &self.providers {
            let source = engine.source(*route).unwrap();
            let events = engine.events(*route).unwrap();
            let link = provider.connect(source, events, Arc::clone(&self.dead));
            engine.attach(*route, link);
        }
        self.engine = Some(engine);
    }

    /// The process dies, whatever it is doing.
    pub(crate) fn crash(&mut self) {
        self.dead.store(true, Ordering::SeqCst);
        for provider in self.providers.values() {
            provider.disconnect();
        }
        self.engine = None;
    }

    pub(crate) async fn restart(&mut self) {
        self.crash();
        self.start().await;
    }

    /// The process ends in an orderly way.
    pub(crate) async fn stop(&mut self, patience: Millis) {
        self.engine().stop(patience).await;
        self.crash();
    }

    pub(crate) fn engine(&self) -> &Engine {
        self.engine.as_ref().unwrap()
    }

    pub(crate) fn provider(&self, route: RouteKey) -> &Arc<Provider> {
        &self.providers[&route]
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::<WorldClock>::clone(&self.clock)
    }

    /// Lets made-up time pass.
    pub(crate) async fn pass(&self, span: Millis) {
        tokio::time::sleep(span.to_duration()).await;
    }

    pub(crate) async fn try_send(&self, request: SendRequest) -> Result<MessageId, Refused> {
        Ok(self.engine().accept(request).await?.view.id)
    }

    pub(crate) async fn send(&self, request: SendRequest) -> MessageId {
        self.try_send(request).await.unwrap()
    }

    /// All of a message that changes.
    pub(crate) async fn progress(&self, id: MessageId) -> Progress {
        self.disk.outbound(id).await.unwrap().unwrap().progress
    }

    pub(crate) async fn status(&self, id: MessageId) -> Status {
        self.progress(id).await.status
    }

    /// The channels that it was tried on, in order.
    pub(crate) async fn channels(&self, id: MessageId) -> Vec<Channel> {
        let attempts = self.progress(id).await.attempts;
        attempts.iter().map(|it| it.channel).collect()
    }

    pub(crate) async fn states(&self, id: MessageId) -> Vec<AttemptState> {
        let attempts = self.progress(id).await.attempts;
        attempts.iter().map(|it| it.state).collect()
    }

    pub(crate) async fn contact(&self, no: u32) -> ContactFacts {
        let to = person(no);
        let facts = self.disk.contact_facts(PROJECT, SENDER, &to).await;
        facts.unwrap()
    }

    /// Everything that left, in order.
    pub(crate) fn log(&self) -> Vec<Seen> {
        self.log.lock().clone()
    }

    /// What left by one route.
    pub(crate) fn sent_by(&self, route: RouteKey) -> Vec<Seen> {
        let mut log = self.log();
        log.retain(|it| it.route == route);
        log
    }

    /// By which routes a message left, and how long after the beginning, in milliseconds.
    pub(crate) fn journey(&self, id: MessageId) -> Vec<(RouteKey, i64)> {
        self.log()
            .iter()
            .filter(|it| it.submission.key.message == id)
            .map(|it| (it.route, it.at.since(T0).get()))
            .collect()
    }
}

/// Which messages left, in order.
pub(crate) fn ids(log: &[Seen]) -> Vec<MessageId> {
    log.iter().map(|it| it.submission.key.message).collect()
}

/// A text of so many SMS parts.
pub(crate) fn long_text(parts: usize) -> String {
    "x".repeat(153 * parts)
}
