//! Money, quotas and what came of messages: the balance and its ledger, what is used of each quota, and
//! sums by time, route, sender, country and class.

pub(crate) mod amount;
pub(crate) mod balance;
pub(crate) mod ledger;
pub(crate) mod quotas;
pub(crate) mod range;
pub(crate) mod reports;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::ApiState;

/// The paths of these resources.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(balance::show))
        .routes(routes!(balance::deposit))
        .routes(routes!(ledger::list))
        .routes(routes!(quotas::list))
        .routes(routes!(reports::costs))
        .routes(routes!(reports::deliverability))
}
