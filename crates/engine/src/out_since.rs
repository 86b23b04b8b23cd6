//! Since when has a route been out of quota (R-QUOTA-2)? Whenever the meters are read, each route is
//! looked at. What was out at the first look was so before the server started: since when, nobody
//! knows, and no time is better than a wrong one.

use std::collections::BTreeMap;

use domain::ids::RouteKey;
use domain::model::route::RouteCondition;
use domain::time::Timestamp;
use parking_lot::Mutex;

use crate::Inner;
use crate::line::Standing;
use crate::standing::Standings;

/// How each route was seen last.
#[derive(Debug, Default)]
pub(crate) struct OutSince(Mutex<BTreeMap<RouteKey, Seen>>);

/// How a route was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// It has quota.
    Free,
    /// It was out already when it was seen first.
    OutFromStart,
    /// It has been out since then.
    OutSince(Timestamp),
}

impl OutSince {
    /// Notes how a route is; since when it has been out, where it is and that is known.
    pub(crate) fn see(&self, route: RouteKey, is_out: bool, now: Timestamp) -> Option<Timestamp> {
        let mut seen = self.0.lock();
        let last = seen.get(&route).copied();
        let next = match (is_out, last) {
            (false, _) => Seen::Free,
            (true, None) => Seen::OutFromStart,
            (true, Some(Seen::Free)) => Seen::OutSince(now),
            (true, Some(out @ (Seen::OutFromStart | Seen::OutSince(_)))) => out,
        };
        seen.insert(route, next);
        match next {
            Seen::OutSince(at) => Some(at),
            Seen::Free | Seen::OutFromStart => None,
        }
    }
}

/// Since when a route is as people are told: out of quota is one that could take messages otherwise.
pub(crate) fn told(
    standing: &Standing,
    is_out: bool,
    out_since: Option<Timestamp>,
) -> Option<Timestamp> {
    match standing.condition {
        RouteCondition::Up if is_out => out_since,
        RouteCondition::Up
        | RouteCondition::Down
        | RouteCondition::Throttled
        | RouteCondition::Drained
        | RouteCondition::Disabled => Some(standing.since),
    }
}

/// Looks at every route.
pub(crate) fn look(inner: &Inner) {
    let (now, topology, meters) = (inner.now(), inner.topology(), inner.quotas.meters());
    for line in inner.lines.values() {
        let Some(project) = topology.project(line.route.project) else {
            continue;
        };
        let out = Standings::new(project, &meters, now).out(&line.route);
        inner.out_since.see(line.route.key, out.is_some(), now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    /// What is told at one look a second.
    fn told<const N: usize>(looks: [bool; N]) -> [Option<Timestamp>; N] {
        let seen = OutSince::default();
        let mut second = 0;
        looks.map(|is_out| {
            second += 1;
            seen.see(RouteKey(1), is_out, at(second))
        })
    }

    #[test]
    fn a_route_is_out_since_it_was_first_seen_so() {
        let since = Some(at(2));
        assert_eq!(
            told([false, true, true, false, true]),
            [None, since, since, None, Some(at(5))]
        );
    }

    #[test]
    fn what_was_out_from_the_start_has_no_time_until_it_is_out_again() {
        assert_eq!(
            told([true, true, false, true]),
            [None, None, None, Some(at(4))]
        );
    }

    #[test]
    fn routes_are_seen_each_by_itself() {
        let seen = OutSince::default();
        seen.see(RouteKey(1), false, at(1));
        assert_eq!(seen.see(RouteKey(2), true, at(2)), None);
        assert_eq!(seen.see(RouteKey(1), true, at(3)), Some(at(3)));
    }
}
