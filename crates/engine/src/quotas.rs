//! What routes and projects have used, as the plans see it: of their quotas (R-QUOTA-1), and of prices
//! that go by volume (R-COST-1). The store has the last word: inside the transaction it refuses what does
//! not fit, and says the price. This copy keeps plans from asking for what is gone and from choosing by
//! a price that is over: it is read anew four times a second, and whatever is planned in between is
//! added to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::ids::{ProjectKey, RouteKey};
use domain::model::attempt::PlannedAttempt;
use domain::model::message::TrafficClass;
use domain::model::policy::Policy;
use domain::model::quota::{Meter, MeterOf, Period, Periods, QuotaUnit, Quotas, Reservation, Use};
use domain::model::rest::Rest;
use domain::model::route::{QuotaFacts, Route};
use domain::model::tariff::{NamedVolumes, Volumes};
use domain::rules::cost::smallest;
use domain::rules::period::periods;
use domain::rules::quota::{self, SMALLEST, WHOLE, turned};
use domain::rules::route::share_percent;
use domain::time::{Millis, Timestamp};
use parking_lot::RwLock;
use ports::store::Unavailable;
use ports::store::books::QuotaGone;
use tokio::sync::Notify;

use crate::carried::{self, Carried};
use crate::standing::of_project;
use crate::topology::{Project, Topology};
use crate::worker::sleep;
use crate::{Inner, out_since, settle};

/// How often the copy is read anew while something goes by it.
const REFRESH_EVERY: Millis = Millis::new(250);

/// The copy.
#[derive(Debug, Default)]
pub(crate) struct Used {
    meters: RwLock<BTreeMap<MeterOf, Meter>>,
    /// What the store said last, without what is only planned since: people are told by it.
    kept: RwLock<BTreeMap<MeterOf, Meter>>,
    /// What named volumes hold.
    carried: Carried,
    /// The periods that hold now, for each project.
    periods: RwLock<BTreeMap<ProjectKey, Periods>>,
    /// Woken when the copy proved to be behind.
    behind: Notify,
}

impl Used {
    /// The periods by which the project's quotas count now.
    pub(crate) fn periods(&self, project: ProjectKey, policy: &Policy, now: Timestamp) -> Periods {
        let holds = |it: &&Periods| it.hour <= now && now < it.until;
        if let Some(found) = self.periods.read().get(&project).filter(holds) {
            return *found;
        }
        let found = periods(now, &policy.timezone);
        self.periods.write().insert(project, found);
        found
    }

    /// What is known of a route.
    pub(crate) fn of_route(&self, route: &Route, periods: &Periods) -> QuotaFacts {
        if !route.goes_by_use() {
            return QuotaFacts::UNLIMITED;
        }
        self.facts(MeterOf::Route(route.key), &route.quotas, periods)
    }

    /// What is known of a project.
    fn of_project(&self, project: &Project, periods: &Periods) -> QuotaFacts {
        let limits = &project.policy.quotas;
        if limits.is_none() {
            return QuotaFacts::UNLIMITED;
        }
        self.facts(MeterOf::Project(project.key), limits, periods)
    }

    /// What the named volumes of a route's price book hold in the month.
    pub(crate) fn volumes(&self, route: RouteKey, periods: &Periods) -> NamedVolumes {
        self.carried.of(route, periods.month)
    }

    /// The smallest message that a route charges now.
    fn smallest_on(&self, route: &Route, periods: &Periods, now: Timestamp) -> Use {
        let named = self.volumes(route.key, periods);
        let carried = Volumes {
            whole: month(MeterOf::Route(route.key), &self.meters.read(), periods),
            named: &named,
        };
        smallest([(route, carried)], now)
    }

    fn facts(&self, of: MeterOf, limits: &Quotas, periods: &Periods) -> QuotaFacts {
        let meters = self.meters.read();
        let meter = meters.get(&of).copied().unwrap_or_default();
        QuotaFacts {
            limits: limits.clone(),
            used: turned(meter, periods),
        }
    }

    /// Everything that is known.
    pub(crate) fn meters(&self) -> BTreeMap<MeterOf, Meter> {
        self.meters.read().clone()
    }

    /// What the store said last.
    pub(crate) fn kept(&self) -> BTreeMap<MeterOf, Meter> {
        self.kept.read().clone()
    }

    fn add(&self, of: MeterOf, need: Use, periods: &Periods) {
        let mut meters = self.meters.write();
        let meter = meters.entry(of).or_default();
        *meter = turned(*meter, periods);
        for span in meter.spans_mut() {
            span.reserved = span.reserved.plus(need);
        }
    }

    /// The store refused for want of this quota: it counts as used up until it is read anew.
    pub(crate) fn is_gone(&self, gone: &QuotaGone) {
        let mut meters = self.meters.write();
        let meter = meters.entry(gone.of).or_default();
        let used = meter.span(gone.quota.per).used().of(gone.quota.unit);
        let missing = gone.quota.limit.saturating_sub(used).max(0);
        let [hour, day, month] = meter.spans_mut();
        let span = match gone.quota.per {
            Period::Hour => hour,
            Period::Day => day,
            Period::Month => month,
        };
        match gone.quota.unit {
            QuotaUnit::Messages => span.reserved.messages += missing,
            QuotaUnit::Segments => span.reserved.segments += missing,
            QuotaUnit::Spend => span.reserved.spend.0 += missing,
        }
        drop(meters);
        self.behind.notify_one();
    }
}

/// Adds what is being handed to a route, until the store tells: all of a message, or its `rest`.
pub(crate) fn planned(
    inner: &Inner,
    project: ProjectKey,
    attempt: &PlannedAttempt,
    rest: Option<Rest>,
) {
    let reservation = &attempt.reservation;
    let has_place = |it: &Rest| {
        it.held_since
            .is_some_and(|at| reservation.periods.hour <= at)
    };
    if rest.as_ref().is_some_and(has_place) {
        return;
    }
    let need = need(attempt, rest);
    let line = inner.lines.get(&attempt.route);
    if line.is_some_and(|it| it.route.goes_by_use()) {
        let of = MeterOf::Route(attempt.route);
        inner.quotas.add(of, need, &reservation.periods);
    }
    if let Some(volume) = reservation.volume {
        let month = reservation.periods.month;
        inner.quotas.carried.add(attempt.route, volume, need, month);
    }
    if !reservation.project.is_none() {
        let of = MeterOf::Project(project);
        inner.quotas.add(of, need, &reservation.periods);
    }
}

/// What a message needs that is handed to a route: all of it, or its `rest`.
fn need(attempt: &PlannedAttempt, rest: Option<Rest>) -> Use {
    let whole = || Use {
        messages: 1,
        segments: attempt.parts.into(),
        spend: attempt.estimated_cost,
    };
    rest.map_or_else(whole, |it| it.need)
}

/// Whether its route and its project have quota for all of a message, or for its `rest`.
pub(crate) fn has_room_for(
    inner: &Inner,
    project: ProjectKey,
    attempt: &PlannedAttempt,
    rest: Option<Rest>,
) -> bool {
    let need = need(attempt, rest);
    let held_since = rest.and_then(|it| it.held_since);
    let Reservation {
        periods,
        route,
        share_percent,
        project: of_project,
        ..
    } = &attempt.reservation;
    let meters = inner.quotas.meters.read();
    let is_out = |of, limits: &Quotas, share| {
        let meter = meters.get(&of).copied().unwrap_or_default();
        let meter = turned(meter, periods);
        quota::exceeded_anew(&meter, limits, share, need, held_since).is_some()
    };
    !is_out(MeterOf::Route(attempt.route), route, *share_percent)
        && !is_out(MeterOf::Project(project), of_project, WHOLE)
}

/// What is known of a project's quotas now.
pub(crate) fn facts_of_project(inner: &Inner, project: &Project, now: Timestamp) -> QuotaFacts {
    let periods = inner.quotas.periods(project.key, &project.policy, now);
    inner.quotas.of_project(project, &periods)
}

/// Whether a route has quota left for a message of this class: the smallest there is.
pub(crate) fn has_room(inner: &Inner, route: &Route, class: TrafficClass, now: Timestamp) -> bool {
    let topology = inner.topology();
    let Some(project) = topology.project(route.project) else {
        return true;
    };
    let policy = &project.policy;
    if route.quotas.is_none() && policy.quotas.is_none() {
        return true;
    }
    let periods = inner.quotas.periods(project.key, policy, now);
    let of_route = inner.quotas.of_route(route, &periods);
    let of_project = inner.quotas.of_project(project, &periods);
    let share = share_percent(route.class, class, policy.overflow);
    let counts_money = route.quotas.count_money() || policy.quotas.count_money();
    let need = if counts_money {
        inner.quotas.smallest_on(route, &periods, now)
    } else {
        SMALLEST
    };
    let is_out =
        |it: &QuotaFacts, share| quota::exceeded(&it.used, &it.limits, share, need).is_some();
    !is_out(&of_route, share) && !is_out(&of_project, WHOLE)
}

/// The smallest message that these routes charge now, by what the meters have.
pub(crate) fn smallest_of<'a>(
    routes: impl IntoIterator<Item = &'a Route>,
    meters: &BTreeMap<MeterOf, Meter>,
    periods: &Periods,
    now: Timestamp,
) -> Use {
    let carried = |route: &'a Route| (route, carried::kept(route.key, meters, periods));
    let routes: Vec<_> = routes.into_iter().map(carried).collect();
    let routes = routes.iter().map(|(route, named)| {
        let carried = Volumes {
            whole: month(MeterOf::Route(route.key), meters, periods),
            named,
        };
        (*route, carried)
    });
    smallest(routes, now)
}

/// All that a meter has counted in the month that holds.
fn month(of: MeterOf, meters: &BTreeMap<MeterOf, Meter>, periods: &Periods) -> Use {
    let meter = meters.get(&of).copied().unwrap_or_default();
    turned(meter, periods).month.used()
}

/// Reads the meters anew, now and again; what waits is looked at again when a route has quota that it
/// had not (R-QUOTA-2).
pub(crate) async fn follow(inner: Arc<Inner>) {
    if !has_any(&inner.topology()) {
        return;
    }
    let mut open = Vec::new();
    loop {
        if let Err(error) = refresh(&inner).await {
            tracing::error!(%error, "what was used cannot be read");
        }
        let now_open = open_lanes(&inner);
        if now_open.iter().any(|it| !open.contains(it)) {
            settle::look_again(&inner);
        }
        open = now_open;
        tokio::select! {
            () = sleep(REFRESH_EVERY) => {}
            () = inner.quotas.behind.notified() => {}
        }
    }
}

/// The routes and classes that have quota.
fn open_lanes(inner: &Inner) -> Vec<(RouteKey, TrafficClass)> {
    let now = inner.now();
    let all = inner.lines.values().flat_map(|line| {
        TrafficClass::ALL
            .into_iter()
            .filter(move |class| has_room(inner, &line.route, *class, now))
            .map(move |class| (line.route.key, class))
    });
    all.collect()
}

/// Reads what the store has.
pub(crate) async fn refresh(inner: &Inner) -> Result<(), Unavailable> {
    let meters = inner.store.meters().await?;
    let meters = meters.into_iter().collect();
    show(inner, &meters);
    inner.quotas.carried.read_anew(&meters);
    inner.quotas.kept.write().clone_from(&meters);
    *inner.quotas.meters.write() = meters;
    out_since::look(inner);
    Ok(())
}

/// Shows the gauges: as many as there are quotas in the configuration.
fn show(inner: &Inner, meters: &BTreeMap<MeterOf, Meter>) {
    let topology = inner.topology();
    for project in topology.projects() {
        for it in of_project(&topology, project.key, meters, inner.now()) {
            #[expect(clippy::cast_precision_loss, reason = "a ratio, for show")]
            let ratio = it.used as f64 / it.quota.limit.max(1) as f64;
            let (per, unit) = (it.quota.per.code(), it.quota.unit.code());
            let gauge = match it.of {
                MeterOf::Project(_) => {
                    let project = project.id.to_string();
                    metrics::gauge!("tandem_project_quota_used_ratio",
                        "project" => project, "per" => per, "unit" => unit)
                }
                MeterOf::Route(key) | MeterOf::Volume(key, _) => {
                    let route = topology.route(key).map(|it| it.id.to_string());
                    metrics::gauge!("tandem_quota_used_ratio",
                        "route" => route.unwrap_or_default(), "per" => per, "unit" => unit)
                }
            };
            gauge.set(ratio);
        }
    }
}

fn has_any(topology: &Topology) -> bool {
    topology.routes().any(|it| it.goes_by_use())
        || topology.projects().any(|it| !it.policy.quotas.is_none())
}
