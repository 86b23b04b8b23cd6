//! A whole server without a network: engine, store, providers and API, on made-up time.
// Long because: the whole made-up server stands here, with its routes, keys and providers.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use api::{ApiState, ConfiguredKey, KeyRing, Limits, Scopes, hash_key};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use domain::ids::{ProjectKey, RouteKey, SenderKey};
use domain::model::channel::Channel;
use domain::model::consent::KeywordPolicy;
use domain::model::content::{Content, PriceCategory};
use domain::model::failure::{Failure, FailureClass};
use domain::model::money::Micros;
use domain::model::policy::Policy;
use domain::model::quota::Quotas;
use domain::model::receipt::{PartReference, ReceiptState, SubmitOutcome};
use domain::model::route::{
    ChargedOn, Destinations, OnUnknown, Price, PriceScope, PriceUnit, Route, RouteClass,
    UnknownWait,
};
use domain::model::sender::{Origin, Sender};
use domain::model::tariff::Tiers;
use domain::model::template::{TemplateDefinition, TemplateStatus};
use domain::phone::PhoneNumber;
use domain::time::{Millis, Timestamp};
use engine::topology::{FormerRoute, Project, Topology};
use engine::{Engine, Setup};
use ports::clock::Clock;
use ports::connector::{
    Ack, Connector, IncomingMessage, IncomingReceipt, LinkState, RouteEvents, Simulator, Slots,
    Submission, SubmissionSource,
};
use ports::hooks::Pending;
use ports::memory::MemoryStore;
use ports::provider::{
    Media, MediaSource, Presence, ProviderError, ProviderTemplate, SubmittedTemplate,
    TemplateRegistrar,
};
use ports::store::{Registered, Store};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::pages::PushService;

/// The project of every key but [`OTHER_PROJECT`].
pub(crate) const PROJECT: ProjectKey = ProjectKey(1);
const SENDER: SenderKey = SenderKey(1);
pub(crate) const SMS: RouteKey = RouteKey(1);
pub(crate) const WHATSAPP: RouteKey = RouteKey(3);

/// A key with every right. Its blanks are those of the official clients' own tests.
pub(crate) const LIVE: &str = "My API Key";
/// A key that may only read.
pub(crate) const READ_ONLY: &str = "zv_live_read";
/// A key that may send, but not say in which class.
pub(crate) const NO_CLASS: &str = "zv_live_noclass";
/// A key with a limit of two requests a minute.
pub(crate) const LIMITED: &str = "zv_live_limited";
/// A test key.
pub(crate) const TEST: &str = "zv_test_abc";
/// A key of another project, which repeats idempotent answers.
pub(crate) const OTHER_PROJECT: &str = "zv_live_other";

/// Recipients whose number ends so are refused by every provider.
pub(crate) const REFUSED_EVERYWHERE: &str = "999";
/// Recipients whose number ends so are refused on WhatsApp.
pub(crate) const REFUSED_ON_WHATSAPP: &str = "888";

/// How the server is reached from outside.
pub(crate) const PUBLIC_URL: &str = "https://msg.example.com";

/// 2026-11-22T10:00:00Z.
const START: Timestamp = Timestamp::from_millis(1_795_341_600_000);

/// Tells the time of tokio, which tests hold and move.
struct TestClock(Instant);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.0.elapsed().as_millis()).unwrap();
        START.plus(Millis::new(passed))
    }
}

/// A whole server.
pub(crate) struct House {
    store: Arc<dyn Store>,
    began: Instant,
    router: Router,
    pub(crate) engine: Engine,
    /// Where browsers are rung.
    pub(crate) pushes: Arc<PushService>,
    pub(crate) closing: CancellationToken,
}

/// What it answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
}

impl Answer {
    /// A header's text, empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |it| it.to_str().unwrap())
    }

    /// The paths of the fields that were named as wrong.
    pub(crate) fn wrong_fields(&self) -> Vec<String> {
        let errors = self.json["details"]["errors"].as_array();
        errors
            .into_iter()
            .flatten()
            .map(|it| path_of(&it["path"]))
            .collect()
    }

    /// The paths of the fields that were named as ignored.
    pub(crate) fn ignored_fields(&self) -> Vec<String> {
        let warnings = self.json["warnings"].as_array();
        warnings
            .into_iter()
            .flatten()
            .map(|it| path_of(&it["path"]))
            .collect()
    }
}

fn path_of(path: &Value) -> String {
    let parts: Vec<_> = path
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap())
        .collect();
    parts.join(".")
}

impl House {
    /// A server with one sender on two SMS routes, WhatsApp and simulators.
    pub(crate) async fn new() -> Self {
        Self::with_quotas(Quotas::NONE, Quotas::NONE).await
    }

    /// The same, with these quotas of the route `gw` and of its project.
    pub(crate) async fn with_quotas(of_route: Quotas, of_project: Quotas) -> Self {
        let store = Arc::new(MemoryStore::default());
        for (project, id) in [(1, "support"), (1, "alerts"), (2, "other")] {
            let registered = Registered::Sender(ProjectKey(project), id.into());
            store.register(registered, START).await.unwrap();
        }
        for (project, id) in [
            (1, "gw"),
            (1, "bulk"),
            (1, "wa"),
            (1, "sim"),
            (1, "sim-wa"),
            (2, "other-gw"),
        ] {
            let registered = Registered::Route(ProjectKey(project), id.into());
            store.register(registered, START).await.unwrap();
        }
        Self::on(store, topology(of_route, &of_project), Instant::now()).await
    }

    /// The server after a restart with another configuration: the route `switched_off` is that, and the
    /// route `removed` stands in it no more.
    pub(crate) async fn restarted_without(self, switched_off: &str, removed: &str) -> Self {
        let (store, began) = (Arc::clone(&self.store), self.began);
        let before = self.engine.topology();
        self.engine.stop(Millis::ZERO).await;
        let projects: Vec<Project> = before.projects().cloned().collect();
        let senders: Vec<Sender> = before
            .projects()
            .flat_map(|it| before.senders(it.key).map(|it| Sender::clone(it)))
            .collect();
        let stays =
            |it: &&Arc<Route>| !matches!(&*it.id, id if id == switched_off || id == removed);
        let routes: Vec<Route> = before
            .routes()
            .filter(stays)
            .map(|it| Route::clone(it))
            .collect();
        let is_off = |it: &&Arc<Route>| &*it.id == switched_off;
        let off = before.routes().filter(is_off).map(|it| FormerRoute {
            key: it.key,
            project: it.project,
            id: Arc::clone(&it.id),
            channel: Some(it.channel),
        });
        Self::on(
            store,
            Topology::new(projects, senders, routes).with_former(off),
            began,
        )
        .await
    }

    async fn on(store: Arc<dyn Store>, topology: Topology, began: Instant) -> Self {
        let draws = AtomicU64::new(1);
        let engine = Engine::start(Setup {
            clock: Arc::new(TestClock(began)),
            random: Arc::new(move || draws.fetch_add(1, Ordering::Relaxed) << 20),
            store: Arc::clone(&store),
            topology,
            limits: engine::Limits::default(),
        })
        .await
        .unwrap();
        let routes: Vec<_> = engine.topology().routes().cloned().collect();
        for route in routes {
            let source = engine.source(route.key).unwrap();
            let events = engine.events(route.key).unwrap();
            engine.attach(route.key, Provider::start(&route, source, events));
        }
        let closing = CancellationToken::new();
        let pushes = Arc::<PushService>::default();
        let router = api::router(ApiState {
            engine: engine.clone(),
            keys: KeyRing::new(keys()),
            public_url: PUBLIC_URL.to_owned(),
            metrics: Arc::new(|| "tandem_up 1\n".to_owned()),
            limits: Limits::default(),
            webhooks: api::WebhookRules::default(),
            ui: api::Ui::new(api::Pusher::new(
                Arc::<PushService>::clone(&pushes),
                api::PushRules {
                    public_url: PUBLIC_URL.to_owned(),
                    allow_http: false,
                },
            )),
            closing: closing.clone(),
        });
        Self {
            store,
            began,
            router,
            engine,
            pushes,
            closing,
        }
    }

    /// One request, its answer unread.
    pub(crate) async fn response(&self, request: Request<Body>) -> axum::http::Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// One request.
    pub(crate) async fn request(&self, request: Request<Body>) -> Answer {
        let response = self.response(request).await;
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let json = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8(bytes.to_vec()).unwrap()));
        Answer {
            status: parts.status,
            headers: parts.headers,
            json,
        }
    }

    /// One request with this key and body.
    pub(crate) async fn call(
        &self,
        key: &str,
        method: &str,
        path: &str,
        body: impl Into<Body>,
    ) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/json")
            .body(body.into())
            .unwrap();
        self.request(request).await
    }

    /// A send as this sender.
    pub(crate) async fn call_as_sender(&self, key: &str, sender: &str, body: &Value) -> Answer {
        let request = Request::post("/v1/messages")
            .header("authorization", format!("Bearer {key}"))
            .header("Zavu-Sender", sender)
            .body(Body::from(body.to_string()))
            .unwrap();
        self.request(request).await
    }

    /// A read with the key that may do everything.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(LIVE, "GET", path, "").await
    }

    /// A write with the key that may do everything.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(LIVE, "POST", path, body.to_string()).await
    }

    /// Sends a message, and returns its id.
    pub(crate) async fn send(&self, body: &Value) -> String {
        let answer = self.post("/v1/messages", body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
        answer.json["message"]["id"].as_str().unwrap().to_owned()
    }

    /// A person writes to the sender on this route.
    pub(crate) async fn inbound(&self, route: RouteKey, from: &str, text: &str) {
        let from = PhoneNumber::parse(from).unwrap();
        let message = IncomingMessage::new(from.into(), "+40700000001", Content::text(text));
        self.incoming(route, message).await;
    }

    /// A message comes in on this route.
    pub(crate) async fn incoming(&self, route: RouteKey, message: IncomingMessage) {
        let (kept, heard) = tokio::sync::oneshot::channel();
        let ack: Ack = Box::new(|it| kept.send(it).unwrap());
        self.engine.events(route).unwrap().inbound(message, ack);
        heard.await.unwrap();
    }
}

fn keys() -> Vec<ConfiguredKey> {
    let key = |text: &str, project, scopes, test, requests_per_minute| ConfiguredKey {
        project,
        id: format!("key_{text}").into(),
        name: text.into(),
        hash: hash_key(text),
        scopes,
        test,
        requests_per_minute,
    };
    vec![
        key(LIVE, PROJECT, Scopes::ALL, false, None),
        key(READ_ONLY, PROJECT, Scopes::READ, false, None),
        key(
            NO_CLASS,
            PROJECT,
            Scopes::SEND.with(Scopes::READ),
            false,
            None,
        ),
        key(LIMITED, PROJECT, Scopes::ALL, false, Some(2)),
        key(TEST, PROJECT, Scopes::ALL, true, None),
        key(OTHER_PROJECT, ProjectKey(2), Scopes::ALL, false, None),
    ]
}

fn topology(of_route: Quotas, of_project: &Quotas) -> Topology {
    let project = |key: u32, id: &str, idempotency_replay| Project {
        key: ProjectKey(key),
        id: id.into(),
        name: "Acme".into(),
        policy: Policy {
            quotas: of_project.clone(),
            ..Policy::default()
        },
        idempotency_replay,
    };
    let sender = |key: u32, project: u32, id: &str, routes: &[u32]| Sender {
        key: SenderKey(key),
        id: id.into(),
        project: ProjectKey(project),
        name: "Acme support".into(),
        address: "+40700000001".into(),
        is_default: key != 2,
        routes: routes.iter().map(|it| RouteKey(*it)).collect(),
        default_template: None,
        fallback_after: None,
        keywords: KeywordPolicy::default(),
        origin: Origin::File,
        created_at: START,
        updated_at: START,
    };
    Topology::new(
        [project(1, "main", false), project(2, "other", true)],
        [
            sender(SENDER.0, 1, "support", &[1, 2, 3, 4, 5]),
            sender(2, 1, "alerts", &[1]),
            sender(3, 2, "other", &[6]),
        ],
        [
            Route {
                quotas: of_route,
                ..route(
                    1,
                    1,
                    "gw",
                    Channel::Sms,
                    Some(RouteClass::Gateway),
                    45_000,
                    false,
                )
            },
            with_mms(route(
                2,
                1,
                "bulk",
                Channel::Sms,
                Some(RouteClass::Platform),
                35_000,
                false,
            )),
            route(WHATSAPP.0, 1, "wa", Channel::WhatsApp, None, 10_000, false),
            route(4, 1, "sim", Channel::Sms, None, 0, true),
            route(5, 1, "sim-wa", Channel::WhatsApp, None, 0, true),
            route(6, 2, "other-gw", Channel::Sms, None, 45_000, false),
        ],
    )
}

fn route(
    key: u32,
    project: u32,
    id: &str,
    channel: Channel,
    class: Option<RouteClass>,
    price: i64,
    simulator: bool,
) -> Route {
    Route {
        key: RouteKey(key),
        id: id.into(),
        project: ProjectKey(project),
        channel,
        class,
        simulator,
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
        quotas: Quotas::NONE,
        on_unknown: OnUnknown::default(),
        unknown_wait: UnknownWait::default(),
    }
}

/// The route with media, at 0.12 each.
fn with_mms(mut route: Route) -> Route {
    route.mms = true;
    route.prices[0].mms = Some(Micros(120_000));
    route
}

/// A provider that takes everything and delivers it at once, but for the magic numbers above.
struct Provider {
    account: Box<str>,
    channel: Channel,
    simulator: Option<Inject>,
}

struct Inject(Arc<dyn RouteEvents>);

impl Provider {
    fn start(
        route: &Route,
        source: Arc<dyn SubmissionSource>,
        events: Arc<dyn RouteEvents>,
    ) -> Arc<dyn Connector> {
        let simulator = route.simulator.then(|| Inject(Arc::clone(&events)));
        let provider = Arc::new(Self {
            account: (*route.id).into(),
            channel: route.channel,
            simulator,
        });
        let ready = Arc::new(Notify::new());
        let wake = Arc::clone(&ready);
        source.on_ready(Arc::new(move || wake.notify_one()));
        events.link(LinkState::Up);
        let worker = Arc::clone(&provider);
        tokio::spawn(async move {
            loop {
                for submission in source
                    .take(Slots {
                        free: 16,
                        window: 16,
                        links: 1,
                    })
                    .submissions
                {
                    worker.carry(&submission, &*events);
                }
                ready.notified().await;
            }
        });
        provider
    }

    fn carry(&self, submission: &Submission, events: &dyn RouteEvents) {
        let to = submission.to.to_string();
        let refused = to.ends_with(REFUSED_EVERYWHERE)
            || (self.channel == Channel::WhatsApp && to.ends_with(REFUSED_ON_WHATSAPP));
        if refused {
            let failure = Failure::new(FailureClass::Undeliverable, "131026", "undeliverable");
            events.submitted(submission.key, SubmitOutcome::Rejected(failure));
            return;
        }
        let reference: Box<str> = format!("ref-{}", submission.key.message).into();
        let references = (0..submission.parts)
            .map(|part| PartReference {
                part,
                reference: format!("{reference}-{part}").into(),
            })
            .collect::<Vec<_>>();
        let names: Vec<_> = references.iter().map(|it| it.reference.clone()).collect();
        events.submitted(submission.key, SubmitOutcome::Accepted { references });
        for name in names {
            let receipt = IncomingReceipt {
                references: vec![name],
                ours: None,
                recipient: None,
                whole: false,
                state: ReceiptState::Delivered,
                raw: "stat:DELIVRD".into(),
            };
            events.receipt(receipt, Box::new(|_| {}));
        }
    }
}

impl Connector for Provider {
    fn stop(&self, _: Millis) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }

    fn simulator(&self) -> Option<&dyn Simulator> {
        self.simulator.as_ref().map(|it| it as &dyn Simulator)
    }

    fn presence(&self) -> Option<&dyn Presence> {
        (self.channel == Channel::WhatsApp).then_some(self)
    }

    fn media(&self) -> Option<&dyn MediaSource> {
        (self.channel == Channel::WhatsApp).then_some(self)
    }

    fn templates(&self) -> Option<&dyn TemplateRegistrar> {
        (self.channel == Channel::WhatsApp).then_some(self as &dyn TemplateRegistrar)
    }
}

/// Knows the message `wamid.1`; any other it refuses.
impl Presence for Provider {
    fn typing(&self, provider_id: &str) -> Pending<'_, Result<(), ProviderError>> {
        let refused = ProviderError::Refused {
            code: "100".into(),
            text: "no such message".into(),
        };
        let answer = (provider_id == "wamid.1").then_some(()).ok_or(refused);
        Box::pin(std::future::ready(answer))
    }
}

/// Has a page of HTML for `media-1`; for any other it cannot be reached.
impl MediaSource for Provider {
    fn fetch(&self, id: &str) -> Pending<'_, Result<Media, ProviderError>> {
        let media = Media {
            content_type: "text/html".into(),
            bytes: b"<b>hi</b>".to_vec(),
        };
        let lost = ProviderError::Unreachable("timed out".into());
        let answer = (id == "media-1").then_some(media).ok_or(lost);
        Box::pin(std::future::ready(answer))
    }
}

/// Takes every template but `refuse`, and has one of its own.
impl TemplateRegistrar for Provider {
    fn account(&self) -> &str {
        &self.account
    }

    fn submit(
        &self,
        definition: TemplateDefinition,
    ) -> Pending<'_, Result<SubmittedTemplate, ProviderError>> {
        let result = if &*definition.name == "refuse" {
            Err(ProviderError::Refused {
                code: "100".into(),
                text: "no".into(),
            })
        } else {
            Ok(SubmittedTemplate {
                provider_id: format!("p-{}", definition.name).into(),
                status: TemplateStatus::Pending,
                category: definition.category,
            })
        };
        Box::pin(std::future::ready(result))
    }

    fn list(&self) -> Pending<'_, Result<Vec<ProviderTemplate>, ProviderError>> {
        let own = ProviderTemplate {
            provider_id: "p-own".into(),
            status: TemplateStatus::Approved,
            definition: TemplateDefinition {
                name: "from_provider".into(),
                language: "en".into(),
                category: PriceCategory::Utility,
                header: None,
                body: "Hi".into(),
                footer: None,
                buttons: Vec::new(),
                add_security_recommendation: false,
                code_expiration_minutes: None,
            },
        };
        Box::pin(std::future::ready(Ok(vec![own])))
    }
}

impl Simulator for Inject {
    fn inject_inbound(&self, message: IncomingMessage, ack: Ack) {
        self.0.inbound(message, ack);
    }
}
