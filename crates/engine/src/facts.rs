//! What is loaded for a decision.

use std::sync::Arc;

use domain::model::route::{Route, RouteFacts};
use domain::model::sender::Sender;
use domain::time::Timestamp;

use crate::Inner;
use crate::line::RouteLine;
use crate::topology::Topology;

/// What is known now of the sender's routes, in its own order.
///
/// The last route on a channel that still works is not ejected by statistics (R-HEALTH).
pub(crate) fn routes(inner: &Inner, sender: &Sender, now: Timestamp) -> Vec<RouteFacts> {
    let lines: Vec<(&Arc<RouteLine>, bool)> = sender
        .routes
        .iter()
        .filter_map(|key| inner.lines.get(key))
        .map(|line| (line, line.admits(now)))
        .collect();
    lines
        .iter()
        .map(|(line, _)| {
            let another_admits = lines.iter().any(|(other, admits)| {
                *admits
                    && other.route.key != line.route.key
                    && other.route.channel == line.route.channel
            });
            line.facts(!another_admits, now)
        })
        .collect()
}

/// Whether some sender that uses this route has another: what waits for it may go elsewhere.
pub(crate) fn has_alternative(topology: &Topology, route: &Route) -> bool {
    topology
        .senders(route.project)
        .any(|it| it.routes.contains(&route.key) && topology.routes_of(it).count() > 1)
}
