//! How do store, engine, connectors and API become one server, and how does it stop?

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use api::{
    ApiState, ConfiguredKey, KeyRing, PushRules, Pusher, Scopes, Ui, WebhookLetters, WebhookRules,
    ring_for_waiting,
};
use connectors::courier::{CourierConfig, courier};
use connectors::http::HttpConfig;
use connectors::smsgate::SmsGateConfig;
use connectors::telegram::TelegramConfig;
use connectors::twilio::TwilioConfig;
use connectors::whatsapp::Directory;
use domain::ids::{ProjectKey, RouteKey, SenderKey};
use domain::time::{Millis, Timestamp};
use engine::publish::Publishing;
use engine::topology::{self, FormerRoute, Topology};
use engine::{Engine, Setup};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use ports::clock::{Clock, SystemClock};
use ports::connector::Connector;
use ports::store::{Registered, Store};
use store::{Options, SqliteStore};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::commands::serve::RunOptions;
use crate::config::{Config, Database, Idempotency, Project, Provider, Route};

/// How long submissions in flight may take to be answered when the server stops.
const PATIENCE: Millis = Millis::seconds(10);
/// How long requests under way may take when the server stops.
const REQUEST_PATIENCE: Duration = Duration::from_secs(5);
/// How often the figures for Prometheus are tidied; without it histograms grow without bound.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// Opens the database, which runs its migrations.
pub(crate) fn open_store(config: &Config) -> Result<Arc<dyn Store>> {
    let database = &config.database;
    let Database::Sqlite(path) = database;
    let memory = config
        .projects
        .first()
        .map(|it| it.policy.capability_memory);
    let default = Options::default();
    let options = Options {
        capability_memory: memory.unwrap_or(default.capability_memory),
        secret_key: config.secret_key,
    };
    let store = SqliteStore::open(path, options)
        .with_context(|| format!("open the database {database}"))?;
    Ok(Arc::new(store))
}

/// Runs the server until it is told to stop by SIGTERM or Ctrl-C: then it takes no more requests,
/// lets submissions in flight finish, and leaves the rest in the database for the next start.
pub(crate) async fn run(config: Config, options: RunOptions) -> Result<()> {
    let metrics = install_metrics()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    // Before the database: a second server started by mistake stops here, and the first goes on.
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("listen on {}", config.listen))?;
    let store = open_store(&config)?;
    let named = name_everything(&config, &*store, clock.now()).await?;
    let engine = Engine::start(Setup {
        clock: Arc::clone(&clock),
        random: Arc::new(rand::random::<u64>),
        store: Arc::clone(&store),
        topology: named.topology(&config),
        limits: engine::Limits {
            backlog: config.limits.backlog,
            ..engine::Limits::default()
        },
    })
    .await
    .context("start the engine")?;
    let outside = Outside {
        public_url: config.public_url.clone(),
        whatsapp: Arc::new(Directory::new()),
        store: Arc::clone(&store),
        clock: Arc::clone(&clock),
    };
    for (route, key) in named.routes(&config) {
        let connector = connect(route, key, &engine, &outside)?;
        engine.attach(key, connector);
    }
    let stopping = CancellationToken::new();
    let courier = courier(CourierConfig {
        allow_private: config.webhooks.allow_private,
    })
    .context("prepare the delivery of webhooks")?;
    let pusher = Pusher::new(
        Arc::clone(&courier),
        PushRules {
            public_url: config.public_url.clone().unwrap_or_default(),
            allow_http: config.webhooks.allow_http,
        },
    );
    let router = api::router(ApiState {
        engine: engine.clone(),
        keys: KeyRing::new(named.api_keys(&config)),
        public_url: config.public_url.clone().unwrap_or_default(),
        metrics: Arc::new({
            let metrics = metrics.clone();
            move || metrics.render()
        }),
        limits: api::Limits {
            body_bytes: config.limits.body_bytes,
        },
        webhooks: WebhookRules {
            allow_http: config.webhooks.allow_http,
            allow_private: config.webhooks.allow_private,
        },
        ui: Ui::new(pusher.clone()),
        closing: stopping.clone(),
    });
    // Ends by itself with the server.
    drop(tokio::spawn(ring_for_waiting(
        engine.clone(),
        pusher,
        stopping.clone(),
    )));
    engine.publish(Publishing {
        courier,
        letters: Arc::new(WebhookLetters),
    });
    engine.watch_alerts(config.alerts.settings.clone());
    if let Some(mail) = &config.alerts.mail {
        let via = connectors::email::mailer(mail.via.clone(), mail.to.clone(), clock)
            .context("prepare alerts by e-mail")?;
        engine.mail_alerts(via);
    }
    let address = listener
        .local_addr()
        .context("find the listening address")?;
    (options.on_ready)(address);
    tokio::spawn(metrics_upkeep(metrics));
    let mut server = tokio::spawn(api::serve(
        listener,
        router,
        stopping.clone().cancelled_owned(),
    ));
    tokio::select! {
        ended = &mut server => ended.context("the HTTP server ended")?.context("serve HTTP")?,
        told = told_to_stop() => told?,
        ending = engine.ended() => bail!(ending),
    }
    tracing::info!("stopping: submissions in flight are waited for");
    stopping.cancel();
    let requests = tokio::time::timeout(REQUEST_PATIENCE, server).await;
    if requests.is_err() {
        tracing::warn!("some requests were cut off");
    }
    engine.stop(PATIENCE).await;
    tracing::info!("stopped");
    Ok(())
}

fn install_metrics() -> Result<PrometheusHandle> {
    PrometheusBuilder::new()
        .install_recorder()
        .context("install the metrics recorder")
}

async fn metrics_upkeep(metrics: PrometheusHandle) {
    loop {
        tokio::time::sleep(METRICS_UPKEEP).await;
        metrics.run_upkeep();
    }
}

async fn told_to_stop() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        pressed = tokio::signal::ctrl_c() => pressed.context("listen for Ctrl-C"),
    }
}

/// What connectors share.
struct Outside {
    public_url: Option<String>,
    whatsapp: Arc<Directory>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
}

impl Outside {
    /// Where the provider of a route calls us, if it can.
    fn hook(&self, route: &Route) -> Option<String> {
        let base = self.public_url.as_ref()?;
        Some(format!("{base}/hooks/{}", route.id))
    }

    /// Where phones call us.
    fn phones(&self, route: &Route) -> Result<String> {
        let base = self.public_url.as_ref();
        let base = base.with_context(|| {
            format!(
                "the route {} has phones, which must be told where to call: set public_url",
                route.id
            )
        })?;
        Ok(format!("{base}/phone/v1"))
    }
}

/// Starts the connector of a route.
fn connect(
    route: &Route,
    key: RouteKey,
    engine: &Engine,
    outside: &Outside,
) -> Result<Arc<dyn Connector>> {
    let unknown = || anyhow!("the route {} is not among the engine's", route.id);
    let source = engine.source(key).ok_or_else(unknown)?;
    let events = engine.events(key).ok_or_else(unknown)?;
    let clock = Arc::clone(&outside.clock);
    match &route.provider {
        Provider::Smpp(settings) => {
            connectors::smpp::start(settings.as_ref().clone(), source, events, clock)
                .with_context(|| format!("start the route {}", route.id))
        }
        Provider::WhatsApp(settings) => Ok(connectors::whatsapp::start(
            settings.as_ref().clone(),
            Arc::clone(&outside.whatsapp),
            source,
            events,
            clock,
        )),
        Provider::Twilio(settings) => {
            let settings = TwilioConfig {
                callback_url: outside.hook(route).unwrap_or_default(),
                ..settings.as_ref().clone()
            };
            Ok(connectors::twilio::start(settings, source, events, clock))
        }
        Provider::Http(settings) => {
            let settings = HttpConfig {
                hook_url: outside.hook(route).map(String::into_boxed_str),
                ..settings.as_ref().clone()
            };
            Ok(connectors::http::start(&settings, source, events, clock))
        }
        Provider::Telegram(settings) => {
            let settings = TelegramConfig {
                callback_url: outside.hook(route),
                ..settings.as_ref().clone()
            };
            Ok(connectors::telegram::start(settings, source, events, clock))
        }
        Provider::Email(settings) => {
            connectors::email::start(settings.as_ref().clone(), source, events, clock)
                .with_context(|| format!("start the route {}", route.id))
        }
        Provider::SmsGate(settings) => {
            let settings = SmsGateConfig {
                project: engine
                    .topology()
                    .route(key)
                    .map_or(ProjectKey(0), |it| it.project),
                route: key,
                api_url: outside.phones(route)?,
                ..settings.as_ref().clone()
            };
            let store = Arc::clone(&outside.store);
            Ok(connectors::smsgate::start(
                settings, source, events, store, clock,
            ))
        }
        Provider::Simulator(settings) => Ok(connectors::simulator::start(
            settings.clone(),
            source,
            events,
            clock,
        )),
    }
}

/// The store's short names for everything that is configured.
struct Named {
    projects: BTreeMap<String, ProjectKey>,
    routes: BTreeMap<String, RouteKey>,
    senders: BTreeMap<(String, String), (SenderKey, Timestamp)>,
}

async fn name_everything(config: &Config, store: &dyn Store, now: Timestamp) -> Result<Named> {
    let mut named = Named {
        projects: BTreeMap::new(),
        routes: BTreeMap::new(),
        senders: BTreeMap::new(),
    };
    let register = |it| async move {
        store
            .register(it, now)
            .await
            .context("name what is configured")
    };
    for project in &config.projects {
        let (key, _) = register(Registered::Project(project.id.as_str().into())).await?;
        named.projects.insert(project.id.clone(), ProjectKey(key));
    }
    for route in &config.routes {
        let project = named.project(&route.project)?;
        let (key, _) = register(Registered::Route(project, route.id.as_str().into())).await?;
        named.routes.insert(route.id.clone(), RouteKey(key));
    }
    for sender in &config.senders {
        let project = named.project(&sender.project)?;
        let (key, made) = register(Registered::Sender(project, sender.id.as_str().into())).await?;
        named.senders.insert(
            (sender.project.clone(), sender.id.clone()),
            (SenderKey(key), made),
        );
    }
    Ok(named)
}

impl Named {
    fn project(&self, id: &str) -> Result<ProjectKey> {
        self.projects
            .get(id)
            .copied()
            .ok_or_else(|| anyhow!("the project {id} has no name"))
    }

    /// The routes that are switched on, with their names.
    fn routes<'a>(&self, config: &'a Config) -> Vec<(&'a Route, RouteKey)> {
        config
            .routes
            .iter()
            .filter(|it| it.enabled)
            .filter_map(|it| Some((it, *self.routes.get(&it.id)?)))
            .collect()
    }

    fn topology(&self, config: &Config) -> Topology {
        let switched_on = self.routes(config);
        let route_key = |id: &str| {
            switched_on
                .iter()
                .find(|(route, _)| route.id == id)
                .map(|(_, key)| *key)
        };
        let projects = config
            .projects
            .iter()
            .filter_map(|it| Some(project_of(it, *self.projects.get(&it.id)?)));
        let senders = config.senders.iter().filter_map(|it| {
            let (key, made) = *self.senders.get(&(it.project.clone(), it.id.clone()))?;
            Some(it.to_domain(key, *self.projects.get(&it.project)?, route_key, made))
        });
        let routes = switched_on.iter().filter_map(|(route, key)| {
            Some(route.to_domain(*key, *self.projects.get(&route.project)?))
        });
        let switched_off = config.routes.iter().filter(|it| !it.enabled);
        let switched_off = switched_off.filter_map(|it| {
            Some(FormerRoute {
                key: *self.routes.get(&it.id)?,
                project: *self.projects.get(&it.project)?,
                id: it.id.as_str().into(),
                channel: Some(it.channel),
            })
        });
        Topology::new(projects, senders, routes).with_former(switched_off)
    }

    fn api_keys(&self, config: &Config) -> Vec<ConfiguredKey> {
        let keys_of = |project: &Project| {
            let key = self.projects.get(&project.id).copied();
            project
                .api_keys
                .iter()
                .filter_map(move |it| {
                    Some(ConfiguredKey {
                        project: key?,
                        id: format!("key_{}", it.name).into(),
                        name: it.name.as_str().into(),
                        hash: it.hash(),
                        scopes: Scopes::from_bits(it.scope_bits()),
                        test: it.test,
                        requests_per_minute: it.requests_per_minute,
                    })
                })
                .collect::<Vec<_>>()
        };
        config.projects.iter().flat_map(keys_of).collect()
    }
}

fn project_of(project: &Project, key: ProjectKey) -> topology::Project {
    topology::Project {
        key,
        id: project.id.as_str().into(),
        name: project.name.as_str().into(),
        policy: project.policy.clone(),
        idempotency_replay: project.idempotency == Idempotency::Replay,
    }
}
