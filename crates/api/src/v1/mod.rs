//! `/v1`: one folder or file for each resource, with its handlers, its shapes and its words.

pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod contacts;
pub(crate) mod conversations;
pub(crate) mod events;
pub(crate) mod idempotency;
mod introspect;
pub(crate) mod me;
pub(crate) mod messages;
pub(crate) mod money;
pub(crate) mod numbers;
pub(crate) mod phones;
pub(crate) mod route_control;
pub(crate) mod routes;
pub(crate) mod senders;
pub(crate) mod simulator;
pub(crate) mod templates;
pub(crate) mod webhooks;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use crate::ApiState;

/// Every path under `/v1`.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    messages::router()
        .merge(contacts::router())
        .merge(conversations::router())
        .merge(senders::router())
        .merge(numbers::router())
        .merge(phones::router())
        .merge(introspect::router())
        .merge(me::router())
        .merge(money::router())
        .merge(routes::router())
        .merge(audit::router())
        .merge(alerts::router())
        .merge(simulator::router())
        .merge(templates::router())
        .merge(events::router())
        .merge(webhooks::router())
}
