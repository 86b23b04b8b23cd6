//! The HTTP API: what callers may ask, in the shapes that Zavu's official clients expect (R-API-1),
//! and Tandem's own additions.
//!
//! Reading order: [`router`], the gate in front of it (`gate`, `auth`), then one file for each
//! resource under `v1`. API types are not domain types: each resource converts in its own folder.

mod address;
mod asked;
mod auth;
mod body;
mod configuring;
mod error;
mod gate;
mod hooks;
mod json;
mod lasting;
mod openapi;
mod page;
mod parameters;
mod path;
mod phone;
mod probes;
mod schema;
mod ui;
mod v1;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn_with_state, map_response};
use axum::serve::ListenerExt;
use domain::ids::ProjectKey;
use domain::model::money::Currency;
use engine::Engine;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

pub use auth::{ConfiguredKey, KeyRing, Scopes, hash_key};
pub use error::{ErrorCode, FieldError};
pub use openapi::openapi_json;
pub use ui::{LINK_LASTS, Note, PushRules, Pusher, Ui, password_link, ring_for_waiting};
pub use v1::webhooks::{WebhookLetters, WebhookRules};

/// Renders the figures for Prometheus.
pub type RenderMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// Bounds on what a request may bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of a body; a longer one is answered with 413.
    pub body_bytes: usize,
}

impl Default for Limits {
    /// 256 KiB: the longest text, fully escaped, with all of its metadata, takes a quarter of it.
    fn default() -> Self {
        Self {
            body_bytes: 256 * 1_024,
        }
    }
}

/// All that the API needs.
pub struct ApiState {
    /// The line.
    pub engine: Engine,
    /// The keys that open it.
    pub keys: KeyRing,
    /// How the server is reached from outside, without a slash at the end; empty where nobody said.
    pub public_url: String,
    /// What `/metrics` answers.
    pub metrics: RenderMetrics,
    /// Bounds on what a request may bring.
    pub limits: Limits,
    /// Which URLs webhooks may have.
    pub webhooks: WebhookRules,
    /// What the pages' side of the API holds.
    pub ui: Ui,
    /// Cancelled when the server stops: event streams end then, which would hold it up for ever.
    pub closing: CancellationToken,
}

impl ApiState {
    /// The currency in which a project's costs are shown.
    fn currency(&self, project: ProjectKey) -> Currency {
        self.engine
            .topology()
            .project(project)
            .map_or(Currency::EUR, |it| it.policy.currency)
    }
}

/// The whole API: `/v1`, probes, metrics and the document; `/ui/v1` and the pages. Other paths answer 404 in JSON.
pub fn router(state: ApiState) -> Router {
    let body_bytes = state.limits.body_bytes;
    let state = Arc::new(state);
    let (v1, document) = v1::router().split_for_parts();
    let known = Arc::new(parameters::Known::of(&document));
    let (probes, _) = probes::router().split_for_parts();
    let (ui, _) = ui::router().split_for_parts();
    v1.route_layer(from_fn_with_state(known, parameters::named))
        .route_layer(from_fn_with_state(Arc::clone(&state), gate::gate))
        .merge(probes)
        .merge(ui.route_layer(map_response(ui::uncached)))
        .merge(ui::pages())
        .fallback(gate::unknown_path)
        .method_not_allowed_fallback(gate::unknown_method)
        .layer(DefaultBodyLimit::max(body_bytes))
        .merge(hooks::router())
        .merge(phone::router())
        .layer(CatchPanicLayer::custom(gate::panicked))
        .with_state(state)
}

/// Serves until `shutdown` is done, and then until the requests under way are answered; streams of
/// events end by [`ApiState::closing`], to be cancelled at the same time. Callers who
/// cannot wait that long put a deadline around it.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    // Small answers on kept connections: they must not wait for the client's acknowledgement.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its answers waiting");
        }
    });
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown)
        .await
}
