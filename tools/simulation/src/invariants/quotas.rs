//! R-QUOTA-1, R-ROUTE-2: no quota is ever exceeded, and what is booked is what the providers took.

use std::collections::BTreeMap;

use domain::ids::RouteKey;
use domain::model::attempt::PlannedAttempt;
use domain::model::message::TrafficClass;
use domain::model::quota::{Meter, MeterOf, Period, Quota, QuotaUnit, Quotas, Span, Use};
use domain::model::route::{ChargedOn, RouteClass};
use domain::rules::period::periods;
use domain::time::Timestamp;
use ports::conformance::store::kit::ask;

use super::End;
use crate::chronicle::Chronicle;
use crate::scenery::{PROJECT, Scenery};

/// After each commit that reserves something. `alone`: what reserved, where it was committed alone.
pub(crate) fn at_any_moment(
    scenery: &Scenery,
    meters: &[(MeterOf, Meter)],
    alone: Option<&PlannedAttempt>,
    chronicle: &mut Chronicle,
) {
    for (of, meter) in meters {
        for quota in limits(scenery, *of).all() {
            let span = meter.span(quota.per);
            let used = span.used().of(quota.unit);
            // What failed and is delivered after all is charged then, and closes the route.
            let may_exceed = quota.unit == QuotaUnit::Spend
                && charges_late(scenery, *of)
                && alone.is_none_or(|it| !is_of(*of, it.route) || it.estimated_cost.0 == 0);
            if used > quota.limit && !may_exceed {
                let words = format!("R-QUOTA-1: {of:?} has {used} of {quota:?}");
                chronicle.violated(None, words);
            }
        }
    }
    let Some(planned) = alone else { return };
    let Some(route) = scenery.route(planned.route) else {
        return;
    };
    let is_bulk = planned.reservation.share_percent < 100;
    if !is_bulk || route.class != Some(RouteClass::Gateway) {
        return;
    }
    let reserve = scenery.policy.overflow.reserve_direct_percent;
    let mut of_route = meters.iter().filter(|it| it.0 == MeterOf::Route(route.key));
    let Some((_, meter)) = of_route.next() else {
        return;
    };
    for quota in route.quotas.all() {
        let used = meter.span(quota.per).used().of(quota.unit);
        let asked = match quota.unit {
            QuotaUnit::Messages => 1,
            QuotaUnit::Segments => i64::from(planned.parts),
            QuotaUnit::Spend => planned.estimated_cost.0,
        };
        if asked > 0 && used * 100 > quota.limit * i64::from(100 - reserve) {
            let words = format!("R-ROUTE-2: bulk has {used} of {quota:?}, reserve {reserve} %");
            chronicle.violated(None, words);
        }
    }
}

/// Whether anything that this meter counts is charged on delivery.
fn charges_late(scenery: &Scenery, of: MeterOf) -> bool {
    let mut routes = scenery.routes.iter().filter(|it| is_of(of, it.key));
    routes.any(|it| {
        let mut prices = it.prices.iter();
        prices.any(|it| it.charged_on == ChargedOn::Delivery)
    })
}

fn limits(scenery: &Scenery, of: MeterOf) -> Quotas {
    match of {
        MeterOf::Route(key) => scenery
            .route(key)
            .map_or(Quotas::NONE, |it| it.quotas.clone()),
        MeterOf::Project(_) => scenery.policy.quotas.clone(),
        MeterOf::Volume(..) => Quotas::NONE,
    }
}

/// What providers took by what was reserved in each period.
pub(super) fn at_the_end(end: &End<'_>, chronicle: &mut Chronicle) {
    let mut broken = Vec::new();
    for (of, meter) in ask(end.store.meters()) {
        for per in Period::ALL {
            broken.extend(compare(end, chronicle, of, per, meter.span(per)));
        }
        for quota in limits(&end.stage.scenery, of).all() {
            broken.extend(exceeded(end, chronicle, of, quota));
        }
    }
    for route in &end.stage.scenery.routes {
        let is_bulk = |it: &&crate::chronicle::Handed| {
            it.route == route.key
                && it.class == TrafficClass::Bulk
                && !end.stage.scenery.policy.overflow.bulk_to_gateway
        };
        let others = end.stage.scenery.routes.iter();
        let has_other = others
            .filter(|it| it.channel == route.channel)
            .any(|it| it.class != Some(RouteClass::Gateway));
        if route.class == Some(RouteClass::Gateway)
            && has_other
            && let Some(it) = chronicle.handed.iter().find(is_bulk)
        {
            broken.push(format!("R-ROUTE-2: bulk {} on a gateway", it.key.message));
        }
    }
    for words in broken {
        chronicle.violated(None, words);
    }
}

fn is_of(of: MeterOf, route: RouteKey) -> bool {
    match of {
        MeterOf::Route(key) | MeterOf::Volume(key, _) => key == route,
        MeterOf::Project(project) => project == PROJECT,
    }
}

/// The span that a meter has now, and what providers took in it.
fn compare(
    end: &End<'_>,
    chronicle: &Chronicle,
    of: MeterOf,
    per: Period,
    span: &Span,
) -> Option<String> {
    let zone = &end.stage.scenery.policy.timezone;
    let is_in = |at: Timestamp| periods(at, zone).began(per) == span.began;
    let mut truth = Use::NONE;
    let mut in_doubt = false;
    for handed in chronicle.handed.iter().filter(|it| is_of(of, it.route)) {
        if chronicle.is_muddled(end.stage, handed) {
            return None;
        }
        in_doubt |= handed.is_doubtful();
        if handed.taken.is_empty() || !handed.reserved_at.is_some_and(is_in) {
            continue;
        }
        truth.messages += i64::from(!handed.is_rest);
        truth.segments += i64::try_from(handed.taken.len()).unwrap();
    }
    let is_stolen = |it: &&crate::chronicle::Report| {
        let handed = &chronicle.handed[it.handed];
        it.taken_for.is_some_and(|it| it != handed.key.message)
    };
    if chronicle.reports.iter().any(|it| is_stolen(&it)) {
        return None;
    }
    let mut steps = chronicle.steps.values().flatten();
    in_doubt |= steps.any(|it| it.by == "interrupted");
    let (settled, reserved) = (span.settled, span.reserved);
    for unit in [QuotaUnit::Messages, QuotaUnit::Segments] {
        let (settled, reserved, truth) = (settled.of(unit), reserved.of(unit), truth.of(unit));
        let is_well = if in_doubt {
            settled <= truth && truth <= settled + reserved
        } else {
            settled == truth && reserved == 0
        };
        if !is_well {
            return Some(format!(
                "R-QUOTA-1: {of:?} {per:?} {unit:?}: {settled} settled and {reserved} reserved, and \
                 the providers took {truth}"
            ));
        }
    }
    let is_free = reserved.messages == 0 && reserved.segments == 0;
    (is_free && reserved.spend.0 != 0).then(|| {
        format!(
            "R-QUOTA-1: {of:?} {per:?}: {:?} reserved by nobody",
            reserved.spend
        )
    })
}

/// In no period of the run did the providers take more than the quota.
fn exceeded(end: &End<'_>, chronicle: &Chronicle, of: MeterOf, quota: &Quota) -> Option<String> {
    let zone = &end.stage.scenery.policy.timezone;
    let mut taken: BTreeMap<Timestamp, i64> = BTreeMap::new();
    for handed in chronicle.handed.iter().filter(|it| is_of(of, it.route)) {
        let Some(at) = handed.reserved_at.filter(|_| !handed.taken.is_empty()) else {
            continue;
        };
        *taken.entry(periods(at, zone).began(quota.per)).or_default() += match quota.unit {
            QuotaUnit::Messages => i64::from(!handed.is_rest),
            QuotaUnit::Segments => i64::try_from(handed.taken.len()).unwrap(),
            QuotaUnit::Spend => 0,
        };
    }
    let (began, count) = taken.into_iter().find(|it| it.1 > quota.limit)?;
    Some(format!(
        "R-QUOTA-1: the providers of {of:?} took {count} in the period of {began:?}: {quota:?}"
    ))
}
