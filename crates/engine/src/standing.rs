//! How quotas stand, for people (R-QUOTA-1): what is used and left of each, and until when what is used
//! up is out (R-QUOTA-2).

use std::collections::BTreeMap;

use domain::ids::ProjectKey;
use domain::model::quota::{Meter, MeterOf, Period, Periods, Quota, Quotas, Use};
use domain::model::route::Route;
use domain::rules::period::{ends, periods};
use domain::rules::quota::{is_used_up, left, percent, turned};
use domain::time::Timestamp;

use crate::quotas::smallest_of;
use crate::topology::{Project, Topology};

/// How one quota stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaStanding {
    /// Whose.
    pub of: MeterOf,
    /// Which.
    pub quota: Quota,
    /// All that counts: reserved or settled.
    pub used: i64,
    /// Of that, reserved for submissions whose outcome is not known yet.
    pub reserved: i64,
    /// When its period began.
    pub began: Timestamp,
    /// When its period ends, and all of it is there again.
    pub ends: Timestamp,
}

impl QuotaStanding {
    /// What is left.
    pub fn left(&self) -> i64 {
        left(&self.quota, self.used)
    }

    /// What is used, in percent ([`domain::rules::quota::percent`]).
    pub fn percent(&self) -> u32 {
        percent(self.used, self.quota.limit)
    }

    /// Whether not even the smallest message fits any more.
    pub(crate) fn is_used_up(&self, smallest: Use) -> bool {
        is_used_up(&self.quota, self.used, smallest)
    }

    /// What ends it once it is used up.
    fn opening(&self, smallest: Use) -> Opening {
        if self.quota.limit == 0 {
            Opening::Zero
        } else if is_used_up(&self.quota, 0, smallest) {
            Opening::TooSmall
        } else {
            Opening::Turn(self.ends)
        }
    }
}

/// What keeps a route from taking anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfQuota {
    /// Whose quota it is: the route's or the project's.
    pub of: MeterOf,
    /// What ends it.
    pub opening: Opening,
}

/// What lets a route that is out of quota take messages again (R-QUOTA-2); the soonest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Opening {
    /// The turn of the period, at this time.
    Turn(Timestamp),
    /// Nothing but a higher quota: all of it is less than the smallest message needs.
    TooSmall,
    /// Nothing but a higher quota: it is 0.
    Zero,
}

/// The quotas of a project and its routes at a moment.
pub(crate) struct Standings<'a> {
    project: &'a Project,
    meters: &'a BTreeMap<MeterOf, Meter>,
    periods: Periods,
    now: Timestamp,
}

impl<'a> Standings<'a> {
    /// By these meters.
    pub(crate) fn new(
        project: &'a Project,
        meters: &'a BTreeMap<MeterOf, Meter>,
        now: Timestamp,
    ) -> Self {
        Self {
            project,
            meters,
            periods: periods(now, &project.policy.timezone),
            now,
        }
    }

    /// The smallest message that these routes charge now.
    pub(crate) fn smallest_of<'r>(&self, routes: impl IntoIterator<Item = &'r Route>) -> Use {
        smallest_of(routes, self.meters, &self.periods, self.now)
    }

    /// Those of the project.
    pub(crate) fn of_project(&self) -> Vec<QuotaStanding> {
        self.each(
            MeterOf::Project(self.project.key),
            &self.project.policy.quotas,
        )
    }

    /// Those of one of its routes.
    pub(crate) fn of_route(&self, route: &Route) -> Vec<QuotaStanding> {
        self.each(MeterOf::Route(route.key), &route.quotas)
    }

    /// What keeps the route from taking anything, for longest.
    pub(crate) fn out(&self, route: &Route) -> Option<OutOfQuota> {
        let smallest = self.smallest_of([route]);
        let all = self.of_project().into_iter().chain(self.of_route(route));
        all.filter(|it| it.is_used_up(smallest))
            .map(|it| OutOfQuota {
                of: it.of,
                opening: it.opening(smallest),
            })
            .max_by_key(|it| it.opening)
    }

    fn each(&self, of: MeterOf, quotas: &Quotas) -> Vec<QuotaStanding> {
        let meter = self.meter(of);
        let standing = |quota: &Quota| {
            let span = meter.span(quota.per);
            QuotaStanding {
                of,
                quota: *quota,
                used: span.used().of(quota.unit),
                reserved: span.reserved.of(quota.unit),
                began: self.periods.began(quota.per),
                ends: self.ends(quota.per),
            }
        };
        quotas.all().iter().map(standing).collect()
    }

    fn meter(&self, of: MeterOf) -> Meter {
        let meter = self.meters.get(&of).copied().unwrap_or_default();
        turned(meter, &self.periods)
    }

    fn ends(&self, per: Period) -> Timestamp {
        ends(&self.periods, per, &self.project.policy.timezone)
    }
}

/// Every quota of a project and of its routes, the project's first.
pub(crate) fn of_project(
    topology: &Topology,
    project: ProjectKey,
    meters: &BTreeMap<MeterOf, Meter>,
    now: Timestamp,
) -> Vec<QuotaStanding> {
    let Some(project) = topology.project(project) else {
        return Vec::new();
    };
    let standings = Standings::new(project, meters, now);
    let mut all = standings.of_project();
    let routes = topology.routes().filter(|it| it.project == project.key);
    all.extend(routes.flat_map(|it| standings.of_route(it)));
    all
}
