//! How do configured routes and senders become those of the domain, once the store named them?

use domain::ids::{ProjectKey, RouteKey, SenderKey};
use domain::model::sender::Origin;
use domain::time::Timestamp;

use super::model::{Provider, Route, Sender};

impl Route {
    /// The domain's route under these keys. Ask only for routes that are switched on.
    pub(crate) fn to_domain(
        &self,
        key: RouteKey,
        project: ProjectKey,
    ) -> domain::model::route::Route {
        domain::model::route::Route {
            key,
            id: self.id.as_str().into(),
            project,
            channel: self.channel,
            class: self.class,
            simulator: self.is_simulator(),
            receipts: self.receipts,
            answers_stop: self.answers_stop,
            mms: self.mms,
            throughput: self.throughput,
            destinations: self.destinations.clone(),
            prices: self.prices.clone(),
            quotas: self.quotas.clone(),
            on_unknown: self.on_unknown,
            unknown_wait: self.unknown_wait,
        }
    }

    /// Whether a simulator is behind it: the only kind that test keys may use (R-TEST).
    pub(crate) fn is_simulator(&self) -> bool {
        matches!(self.provider, Provider::Simulator(_))
    }
}

impl Sender {
    /// The domain's sender under these keys. `route` gives the key of a route by its id, and
    /// `None` for one that is switched off: the sender then does without it (R-ROUTE-1).
    pub(crate) fn to_domain(
        &self,
        key: SenderKey,
        project: ProjectKey,
        route: impl Fn(&str) -> Option<RouteKey>,
        created_at: Timestamp,
    ) -> domain::model::sender::Sender {
        domain::model::sender::Sender {
            key,
            id: self.id.as_str().into(),
            project,
            name: self.name.as_str().into(),
            address: self.phone_number.as_str().into(),
            is_default: self.is_default,
            routes: self.routes.iter().filter_map(|it| route(it)).collect(),
            default_template: self.default_template.clone(),
            fallback_after: self.fallback_after,
            keywords: self.keywords.clone(),
            origin: Origin::File,
            created_at,
            updated_at: created_at,
        }
    }
}
