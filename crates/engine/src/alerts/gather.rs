//! What alerts go by: how everything stands now, from memory, and every few seconds from the store.

use std::collections::BTreeMap;

use domain::ids::{ProjectKey, RouteKey};
use domain::model::alert::AlertKind;
use domain::model::channel::Channel;
use domain::model::message::TrafficClass;
use domain::model::progress::Lane;
use domain::model::route::{RouteClass, RouteCondition};
use domain::rules::alert::{AlertSettings, failure_rate, is_down};
use domain::time::{Millis, Timestamp};
use ports::phones::{ALL_AT_LIMIT, ALL_REST};
use ports::store::Unavailable;

use crate::audit::route_subject;
use crate::line::RouteLine;
use crate::outcomes::Figures;
use crate::{Inner, facts, quotas};

/// How often the store is asked.
const ASK_EVERY: Millis = Millis::seconds(5);

/// Which alert.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) project: ProjectKey,
    pub(super) kind: AlertKind,
    pub(super) subject: Box<str>,
}

/// What was seen of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) value: i64,
    pub(super) why: Option<Box<str>>,
}

type Everything = BTreeMap<Key, Seen>;

/// What the store said last.
#[derive(Debug, Default)]
pub(super) struct Slow {
    asked_at: Option<Timestamp>,
    said: Vec<(Key, Seen)>,
}

impl Slow {
    /// Asks the store again, where it is time.
    pub(super) async fn look(&mut self, inner: &Inner, now: Timestamp) -> Result<(), Unavailable> {
        if self.asked_at.is_some_and(|it| now.since(it) < ASK_EVERY) {
            return Ok(());
        }
        self.said.clear();
        for line in inner.lines.values() {
            for (class, kind) in [
                (TrafficClass::Direct, AlertKind::BacklogAge),
                (TrafficClass::Bulk, AlertKind::BulkBacklogAge),
            ] {
                if let Some(seconds) = backlog_age(inner, line, class, now).await? {
                    self.said.push((of_route(line, kind), plain(seconds)));
                }
            }
        }
        let topology = inner.topology();
        for webhook in inner.store.webhooks().await? {
            let Some(sender) = topology.sender(webhook.sender).filter(|_| webhook.active) else {
                continue;
            };
            let subject = format!("sender:{}", sender.id);
            let key = Key::new(webhook.project, AlertKind::WebhookFailing, subject);
            let seen = Seen {
                value: webhook.failures.into(),
                why: webhook.last_error,
            };
            self.said.push((key, seen));
        }
        self.asked_at = Some(now);
        Ok(())
    }
}

/// For how many seconds the first message in a route's lane has been due.
async fn backlog_age(
    inner: &Inner,
    line: &RouteLine,
    class: TrafficClass,
    now: Timestamp,
) -> Result<Option<i64>, Unavailable> {
    let lane = Lane {
        route: line.route.key,
        class,
    };
    if inner.lanes.waiting_in(lane) == 0 {
        return Ok(None);
    }
    let first = inner.store.lane(lane, None, 1).await?;
    let due = first.first().map(|(place, _)| place.due);
    Ok(due.map(|it| now.since(it).get() / 1_000))
}

/// How everything stands.
pub(super) fn everything(
    inner: &Inner,
    settings: &AlertSettings,
    slow: &Slow,
    now: Timestamp,
) -> Everything {
    let mut seen: Everything = slow.said.iter().cloned().collect();
    let mut out = BTreeMap::new();
    let mut rates = Rates::default();
    for line in inner.lines.values() {
        let (condition, because) = facts::condition(inner, line, now);
        let has_quota = quotas::has_room(inner, &line.route, TrafficClass::Direct, now);
        let is_out = condition.is_out() || !has_quota;
        out.insert(line.route.key, is_out);
        rates.add(line, now);
        of_line(inner, line, condition, because, &mut seen);
        if let Some(percent) = quotas::facts_of_route(inner, &line.route, now).used_percent() {
            let key = |kind| of_route(line, kind);
            of_quota(key, percent, &mut seen);
        }
        let silent = line
            .outcomes
            .lock()
            .silent_seconds(settings.receipts_volume, now);
        if silent > 0 {
            seen.insert(of_route(line, AlertKind::ReceiptsMissing), plain(silent));
        }
    }
    rates.told(settings.failure_volume, &mut seen);
    for project in inner.topology().projects() {
        if let Some(percent) = quotas::facts_of_project(inner, project, now).used_percent() {
            let key = |kind| Key::new(project.key, kind, "project".to_owned());
            of_quota(key, percent, &mut seen);
        }
    }
    all_out(inner, &out, &mut seen);
    seen
}

fn plain(value: i64) -> Seen {
    Seen { value, why: None }
}

fn of_route(line: &RouteLine, kind: AlertKind) -> Key {
    Key::new(line.route.project, kind, route_subject(&line.route.id))
}

/// A phone may be away; that messages wait for it is what matters.
fn of_line(
    inner: &Inner,
    line: &RouteLine,
    condition: RouteCondition,
    because: Option<Box<str>>,
    seen: &mut Everything,
) {
    if !is_down(condition) {
        return;
    }
    let is_phone = line.route.class == Some(RouteClass::Phone);
    if is_phone {
        // They are there, and rest or have reached their limits: what waits is told as a backlog.
        let is_there = |why: &str| [ALL_REST, ALL_AT_LIMIT].contains(&why);
        if because.as_deref().is_some_and(is_there) {
            return;
        }
        let waiting = inner.lanes.waiting_for(line.route.key);
        let value = i64::try_from(waiting).unwrap_or(i64::MAX);
        seen.insert(of_route(line, AlertKind::PhoneOffline), plain(value));
    } else {
        let down = Seen {
            value: 1,
            why: because,
        };
        seen.insert(of_route(line, AlertKind::RouteDown), down);
    }
}

fn of_quota(key: impl Fn(AlertKind) -> Key, percent: u32, seen: &mut Everything) {
    for kind in [AlertKind::Quota80, AlertKind::Quota100] {
        seen.insert(key(kind), plain(percent.into()));
    }
}

/// Outcomes by route, channel and country.
#[derive(Default)]
struct Rates(BTreeMap<Key, Figures>);

impl Rates {
    fn add(&mut self, line: &RouteLine, now: Timestamp) {
        let route = &line.route;
        let outcomes = line.outcomes.lock();
        let (figures, refusals) = (outcomes.figures(now), outcomes.refusals(now));
        drop(outcomes);
        let key = Key::new(
            route.project,
            AlertKind::FailureRate,
            route_subject(&route.id),
        );
        self.0.entry(key).or_default().add(refusals);
        for (country, figures) in figures {
            let subjects = [
                Some(route_subject(&route.id)),
                Some(format!("channel:{}", route.channel.code())),
                country.map(|it| format!("country:{it}")),
            ];
            for subject in subjects.into_iter().flatten() {
                let key = Key::new(route.project, AlertKind::FailureRate, subject);
                self.0.entry(key).or_default().add(figures);
            }
        }
    }

    fn told(self, volume: u32, seen: &mut Everything) {
        for (key, figures) in self.0 {
            if let Some(rate) = failure_rate(figures.failed, figures.all, volume) {
                let of = format!("{} of {}", figures.failed, figures.all);
                let why = Some(of.into());
                seen.insert(key, Seen { value: rate, why });
            }
        }
    }
}

/// R-QUOTA-3: direct messages that wait although no gateway and no platform of their sender takes
/// anything.
fn all_out(inner: &Inner, out: &BTreeMap<RouteKey, bool>, seen: &mut Everything) {
    let topology = inner.topology();
    let is_out = |key: &RouteKey| out.get(key).copied().unwrap_or(true);
    for project in topology.projects() {
        for sender in topology.senders(project.key) {
            for channel in Channel::ALL {
                let routes = topology
                    .routes_of(sender)
                    .filter(|it| it.channel == channel && it.class != Some(RouteClass::Phone));
                let routes: Vec<_> = routes.map(|it| it.key).collect();
                if !routes.iter().all(is_out) {
                    continue;
                }
                let class = TrafficClass::Direct;
                let waiting = routes
                    .iter()
                    .map(|route| {
                        let route = *route;
                        inner.lanes.waiting_in(Lane { route, class })
                    })
                    .sum::<u64>();
                if waiting == 0 {
                    continue;
                }
                let value = i64::try_from(waiting).unwrap_or(i64::MAX);
                let subject = format!("channel:{}", channel.code());
                let key = Key::new(project.key, AlertKind::AllRoutesOut, subject);
                let known = seen.entry(key).or_insert_with(|| plain(value));
                known.value = known.value.max(value);
            }
        }
    }
}
