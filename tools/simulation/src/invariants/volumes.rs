//! R-COST-1: what a route is charged in the volumes of its price book, and what in none, adds up to what
//! it is charged.

use std::collections::{BTreeMap, BTreeSet};

use domain::ids::RouteKey;
use domain::model::quota::{Meter, MeterOf, Span, Use};
use ports::conformance::store::kit::ask;

use super::End;
use crate::chronicle::Chronicle;

pub(super) fn check(end: &End<'_>, chronicle: &mut Chronicle) {
    let meters: BTreeMap<MeterOf, Meter> = ask(end.store.meters()).into_iter().collect();
    let mut broken = Vec::new();
    for (route, planned) in &chronicle.volumes {
        let Some(whole) = meters.get(&MeterOf::Route(*route)) else {
            continue;
        };
        let of_it = meters.iter().filter_map(|(of, meter)| match of {
            MeterOf::Volume(key, volume) if key == route => Some((*volume, meter.month)),
            MeterOf::Volume(..) | MeterOf::Route(_) | MeterOf::Project(_) => None,
        });
        let of_it: BTreeMap<_, _> = of_it.collect();
        let unplanned = of_it.keys().find(|it| !planned.contains(&Some(**it)));
        if let Some(volume) = unplanned {
            broken.push(format!(
                "R-COST-1: route{} has a volume {volume:?}",
                route.0
            ));
        }
        broken.extend(apart(*route, &whole.month, &of_it, planned.contains(&None)));
    }
    for words in broken {
        chronicle.violated(None, words);
    }
}

/// What of a route's month is in no volume: nothing, where all was planned for one; never less.
fn apart<K>(
    route: RouteKey,
    whole: &Span,
    volumes: &BTreeMap<K, Span>,
    some_has_none: bool,
) -> Option<String> {
    let in_month: BTreeSet<_> = volumes.values().map(|it| it.began).collect();
    // A volume of which nothing was used this month has the last one's figures.
    if in_month.iter().any(|it| *it != whole.began) {
        return None;
    }
    let sum = |of: fn(&Span) -> Use| {
        let all = volumes.values().map(of);
        all.fold((0, 0, 0), |sum, it| {
            (sum.0 + it.messages, sum.1 + it.segments, sum.2 + it.spend.0)
        })
    };
    for (name, of) in [
        ("settled", (|it| it.settled) as fn(&Span) -> Use),
        ("reserved", |it| it.reserved),
    ] {
        let (all, parts) = (of(whole), sum(of));
        let all = (all.messages, all.segments, all.spend.0);
        let rest = [all.0 - parts.0, all.1 - parts.1, all.2 - parts.2];
        let is_well = rest.iter().all(|it| *it == 0 || (some_has_none && *it > 0));
        if !is_well {
            return Some(format!(
                "R-COST-1: route{} has {all:?} {name}, and its volumes {parts:?}",
                route.0
            ));
        }
    }
    None
}
