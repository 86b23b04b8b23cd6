//! What is loaded for a decision.

use std::sync::Arc;

use domain::ids::RouteKey;
use domain::model::route::{QuotaFacts, Route, RouteCondition, RouteFacts};
use domain::model::sender::Sender;
use domain::time::Timestamp;

use crate::Inner;
use crate::line::{RouteLine, Standing};
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
    let topology = inner.topology();
    let project = topology.project(sender.project);
    let periods = project.map(|it| inner.quotas.periods(it.key, &it.policy, now));
    lines
        .iter()
        .map(|(line, _)| {
            let another_admits = lines.iter().any(|(other, admits)| {
                *admits
                    && other.route.key != line.route.key
                    && other.route.channel == line.route.channel
                    && other.route.simulator == line.route.simulator
            });
            let route = &line.route;
            let quota = periods.map_or(QuotaFacts::UNLIMITED, |periods| {
                inner.quotas.of_route(route, &periods)
            });
            let volumes = periods.map_or_else(Vec::new, |it| inner.quotas.volumes(route, &it));
            line.facts(!another_admits, quota, volumes, now)
        })
        .collect()
}

/// For each sender that uses this route, its other routes on the same channel.
fn others_on_channel(topology: &Topology, route: &Route) -> Vec<Vec<RouteKey>> {
    topology
        .senders(route.project)
        .filter(|it| it.routes.contains(&route.key))
        .map(|sender| {
            topology
                .routes_of(sender)
                .filter(|it| it.key != route.key && it.channel == route.channel)
                .filter(|it| it.simulator == route.simulator)
                .map(|it| it.key)
                .collect()
        })
        .collect()
}

/// Whether a route is the last that works on its channel for one of its senders: statistics alone
/// do not eject it then (R-HEALTH).
pub(crate) fn is_last(inner: &Inner, line: &RouteLine, now: Timestamp) -> bool {
    let admits = |it: &RouteKey| inner.lines.get(it).is_some_and(|it| it.admits(now));
    others_on_channel(&inner.topology(), &line.route)
        .iter()
        .any(|others| !others.iter().any(admits))
}

/// What an operator sees of a route's condition, and what its lanes go by.
pub(crate) fn condition(
    inner: &Inner,
    line: &RouteLine,
    now: Timestamp,
) -> (RouteCondition, Option<Box<str>>) {
    line.condition(is_last(inner, line, now), now)
}

/// All that an operator sees of a route.
pub(crate) fn standing(inner: &Inner, line: &RouteLine, now: Timestamp) -> Standing {
    line.standing(is_last(inner, line, now), now)
}

/// Whether some sender that uses this route has another: what waits for it may go elsewhere.
pub(crate) fn has_alternative(topology: &Topology, route: &Route) -> bool {
    topology
        .senders(route.project)
        .any(|it| it.routes.contains(&route.key) && topology.routes_of(it).count() > 1)
}
