//! All binds of a route: connecting, connecting again, and whether the route is up.
//!
//! Rule: R-HEALTH (a lost bind or a refused login is `down` at once, `up` on recovery).

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use domain::time::Millis;
use parking_lot::Mutex;
use ports::clock::Clock;
use ports::connector::{Connector, LinkState, RouteEvents, SubmissionSource, Wake};
use rand::RngExt;
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::TaskTracker;

use super::codes;
use super::config::{BindMode, SmppConfig};
use super::drive::{Orders, Stream, Wanted, drive};
use super::reassembly::Reassembly;
use super::session::{Context, End, Outbox, Role, Session};
use super::tls::{TlsError, TlsLink};
use crate::in_use;

/// A bind that stood for so long was good: the next wait begins at the shortest again.
const GOOD_BIND: Duration = Duration::from_secs(30);
/// Why a route is down whose binds were ended because people do not let it be used.
const DISABLED: &str = "unbound while the route was disabled";
/// How many times the shortest wait after a refused login the longest is.
const LOGIN_RETRY_GROWTH: u32 = 5;

type Dialing<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send + 'a>>;

/// Opens connections to the SMSC.
pub(super) trait Dialer: Send + Sync + 'static {
    fn dial(&self) -> Dialing<'_>;
}

/// TCP, with TLS where it is set.
pub(super) struct Tcp {
    host: String,
    port: u16,
    tls: Option<TlsLink>,
}

impl Tcp {
    pub(super) fn new(config: &SmppConfig) -> Result<Self, TlsError> {
        let tls = config
            .tls
            .as_ref()
            .map(|it| TlsLink::new(it, &config.host))
            .transpose()?;
        Ok(Self {
            host: config.host.clone(),
            port: config.port,
            tls,
        })
    }
}

impl Dialer for Tcp {
    fn dial(&self) -> Dialing<'_> {
        Box::pin(async move {
            let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
            stream.set_nodelay(true)?;
            Ok(match &self.tls {
                Some(tls) => tls.secure(stream).await?,
                None => Box::new(stream) as Box<dyn Stream>,
            })
        })
    }
}

/// Starts every bind of the route.
pub(super) fn start(
    config: SmppConfig,
    dialer: &Arc<dyn Dialer>,
    source: Arc<dyn SubmissionSource>,
    events: Arc<dyn RouteEvents>,
    clock: Arc<dyn Clock>,
) -> Arc<dyn Connector> {
    let reassembly = Reassembly::new(&config);
    let links = Arc::<AtomicU16>::default();
    let context = Arc::new(Context {
        config,
        source,
        events,
        clock,
        reassembly,
        links: Arc::clone(&links),
    });
    let status = Arc::new(Status {
        state: Mutex::new((0, None)),
        links,
        events: Arc::clone(&context.events),
        counts_receivers: context.config.bind == BindMode::Receiver,
    });
    let (stop, stopped) = watch::channel(None);
    let orders = Orders {
        stop: stopped,
        in_use: in_use::follow(&context.source),
    };
    let tasks = TaskTracker::new();
    for _ in 0..context.config.binds.max(1) {
        for role in Role::of(context.config.bind) {
            let bell = Arc::new(Notify::new());
            if *role != Role::Receiver {
                let bell = Arc::clone(&bell);
                let wake: Wake = Arc::new(move || bell.notify_one());
                context.source.on_ready(wake);
            }
            let bind = Bind {
                context: Arc::clone(&context),
                dialer: Arc::clone(dialer),
                status: Arc::clone(&status),
                role: *role,
                bell,
                orders: orders.clone(),
            };
            tasks.spawn(bind.keep_up());
        }
    }
    tasks.close();
    Arc::new(SmppConnector { stop, tasks })
}

struct SmppConnector {
    stop: watch::Sender<Option<Instant>>,
    tasks: TaskTracker,
}

impl Connector for SmppConnector {
    fn stop(&self, patience: Millis) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.stop
            .send_replace(Some(Instant::now() + patience.to_duration()));
        Box::pin(self.tasks.wait())
    }
}

/// Whether the route is up, told when it changes.
struct Status {
    /// Number of connections that take submissions, and what was told last.
    state: Mutex<(u16, Option<LinkState>)>,
    /// The same number, for those that fill their windows.
    links: Arc<AtomicU16>,
    events: Arc<dyn RouteEvents>,
    counts_receivers: bool,
}

impl Status {
    fn counts(&self, role: Role) -> bool {
        role != Role::Receiver || self.counts_receivers
    }

    fn bound(&self, role: Role) {
        if self.counts(role) {
            let mut state = self.state.lock();
            state.0 += 1;
            self.links.store(state.0, Ordering::Relaxed);
            self.tell(&mut state.1, LinkState::Up);
        }
    }

    /// A connection ended, or could not be made.
    fn ended(&self, role: Role, was_bound: bool, why: &str) {
        if self.counts(role) {
            let mut state = self.state.lock();
            state.0 -= u16::from(was_bound);
            self.links.store(state.0, Ordering::Relaxed);
            if state.0 == 0 {
                self.tell(&mut state.1, LinkState::Down(why.into()));
            }
        }
    }

    /// Under the lock, so that the last word told is the last that is true.
    fn tell(&self, told: &mut Option<LinkState>, state: LinkState) {
        if told.as_ref() != Some(&state) {
            *told = Some(state.clone());
            self.events.link(state);
        }
    }
}

/// One connection that is kept up.
struct Bind {
    context: Arc<Context>,
    dialer: Arc<dyn Dialer>,
    status: Arc<Status>,
    role: Role,
    bell: Arc<Notify>,
    orders: Orders,
}

impl Bind {
    async fn keep_up(mut self) {
        let mut waits = Waits::default();
        while self.may_begin().await {
            let began = Instant::now();
            let (end, was_bound) = self.run_once().await;
            let is_unwanted = end == End::Stopped;
            if is_unwanted && !self.is_stopping() {
                self.status.ended(self.role, was_bound, DISABLED);
                // Whoever lets it be used again wants it at once.
                waits = Waits::default();
                continue;
            }
            self.status.ended(self.role, was_bound, &end.to_string());
            if is_unwanted {
                return;
            }
            let is_good = was_bound && began.elapsed() >= GOOD_BIND;
            let wait = waits.next(&self.context.config, &end, is_good);
            tracing::info!(why = %end, wait_ms = wait.as_millis(), role = ?self.role, "SMPP link is down");
            tokio::select! {
                () = sleep(wait) => {}
                () = self.orders.changed() => {}
            }
        }
    }

    /// Waits until the route is in use; `false` at the end of it.
    async fn may_begin(&mut self) -> bool {
        loop {
            match self.orders.wanted() {
                Wanted::Bound => return true,
                Wanted::Stopped(_) => return false,
                Wanted::Unbound => self.orders.changed().await,
            }
        }
    }

    fn is_stopping(&mut self) -> bool {
        matches!(self.orders.wanted(), Wanted::Stopped(_))
    }

    /// Connects and stays until the end; also whether it was bound.
    async fn run_once(&mut self) -> (End, bool) {
        let patience = self.context.config.connect_timeout.to_duration();
        let dialer = Arc::clone(&self.dialer);
        let mut orders = self.orders.clone();
        let dialed = tokio::select! {
            dialed = timeout(patience, dialer.dial()) => dialed,
            () = orders.changed() => return (End::Stopped, false),
        };
        let mut stream = match dialed {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return (End::Lost(format!("cannot connect: {error}").into()), false),
            Err(_) => return (End::Lost("connecting took too long".into()), false),
        };
        let outbox = Outbox::new(Arc::clone(&self.bell));
        let mut session =
            Session::new(Arc::clone(&self.context), self.role, outbox, Instant::now());
        let mut was_bound = false;
        let bound = || {
            was_bound = true;
            tracing::info!(role = ?self.role, "SMPP link is up");
            self.status.bound(self.role);
        };
        let end = drive(
            &mut *stream,
            &mut session,
            &self.bell,
            &mut self.orders,
            bound,
        )
        .await;
        (end, was_bound)
    }
}

/// How long to wait before the next try.
#[derive(Debug, Default)]
struct Waits {
    failures: u32,
    refusals: u32,
    had_free_return: bool,
}

impl Waits {
    fn next(&mut self, config: &SmppConfig, end: &End, was_good: bool) -> Duration {
        if was_good {
            *self = Self::default();
        }
        match end {
            End::Refused(status) if codes::is_refused_login(*status) => {
                let least = config.login_retry.to_duration();
                let wait = least * (1 << self.refusals.min(8)).min(LOGIN_RETRY_GROWTH);
                self.refusals += 1;
                // Only longer, never shorter: the account may be locked by trying.
                wait + random_up_to(wait / 10)
            }
            // A server that is restarted in good order is back at once; but only once.
            End::PeerUnbound if !self.had_free_return => {
                self.had_free_return = true;
                Duration::ZERO
            }
            End::Refused(_) | End::PeerUnbound | End::Lost(_) | End::Stopped => {
                let most = config.reconnect_max.to_duration();
                let wait = config.reconnect_min.to_duration() * (1 << self.failures.min(16));
                self.failures += 1;
                random_up_to(wait.min(most))
            }
        }
    }
}

/// Full jitter: binds that were lost together do not come back together.
fn random_up_to(most: Duration) -> Duration {
    most.mul_f64(rand::rng().random::<f64>())
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
