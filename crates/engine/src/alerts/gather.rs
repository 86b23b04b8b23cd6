//! What alerts go by (R-ALERT): how everything stands now, from memory, and every few seconds from the store.

use std::collections::BTreeMap;

use domain::ids::ProjectKey;
use domain::model::alert::{AlertKind, AlertQuota, QuotaName};
use domain::model::channel::Channel;
use domain::model::message::TrafficClass;
use domain::model::progress::Lane;
use domain::model::route::{RouteClass, RouteCondition};
use domain::rules::alert::{AlertSettings, failure_rate, is_down, quota_value, quota_words};
use domain::time::{Millis, Timestamp};
use ports::phones::{ALL_AT_LIMIT, ALL_REST};
use ports::store::Unavailable;

use crate::audit::route_subject;
use crate::line::RouteLine;
use crate::outcomes::Figures;
use crate::standing::Standings;
use crate::topology::Project;
use crate::{Inner, facts, stuck};

/// How often the store is asked.
const ASK_EVERY: Millis = Millis::seconds(5);

/// Which alert.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) project: ProjectKey,
    pub(super) kind: AlertKind,
    pub(super) subject: Box<str>,
    /// Which of its quotas, where it is about one: each has alerts of its own.
    pub(super) quota: Option<QuotaName>,
}

/// What was seen of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) value: i64,
    pub(super) why: Option<Box<str>>,
    pub(super) quota: Option<AlertQuota>,
}

/// The subject of alerts about a whole project.
pub(super) const PROJECT: &str = "project";

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
        // A clock that stepped back is no reason to wait until it has caught up.
        let is_recent = |it: Timestamp| (Millis::ZERO..ASK_EVERY).contains(&now.since(it));
        if self.asked_at.is_some_and(is_recent) {
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
        self.said.extend(all_out(inner, now).await?);
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
                quota: None,
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
    let mut rates = Rates::default();
    for line in inner.lines.values() {
        let (condition, because) = facts::condition(inner, line, now);
        rates.add(line, now);
        of_line(inner, line, condition, because, &mut seen);
        let silent = line
            .outcomes
            .lock()
            .silent_seconds(settings.receipts_volume, now);
        // What was counted before the route was said to give none is no silence.
        if silent > 0 && line.route.receipts {
            seen.insert(of_route(line, AlertKind::ReceiptsMissing), plain(silent));
        }
    }
    rates.told(settings.failure_volume, &mut seen);
    let meters = inner.quotas.kept();
    for project in inner.topology().projects() {
        let standings = Standings::new(project, &meters, now);
        of_quotas(inner, project, &standings, &mut seen);
    }
    seen
}

fn plain(value: i64) -> Seen {
    Seen {
        value,
        why: None,
        quota: None,
    }
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
            quota: None,
        };
        seen.insert(of_route(line, AlertKind::RouteDown), down);
    }
}

/// Each quota of a project and of its routes.
fn of_quotas(inner: &Inner, project: &Project, standings: &Standings<'_>, seen: &mut Everything) {
    let lines = inner.lines.values();
    let routes: Vec<_> = lines
        .map(|it| &*it.route)
        .filter(|it| it.project == project.key)
        .collect();
    // What a simulator charges is of no help to messages that are meant.
    let is_real = routes.iter().any(|it| !it.simulator);
    let meant = routes.iter().filter(|it| !is_real || !it.simulator);
    let smallest = standings.smallest_of(meant.copied());
    let of_project = standings.of_project();
    let mut all: Vec<_> = of_project
        .iter()
        .map(|it| (PROJECT.to_owned(), *it, smallest))
        .collect();
    for route in routes {
        let smallest = standings.smallest_of([route]);
        let of_route = standings.of_route(route);
        let subject = || route_subject(&route.id);
        all.extend(of_route.iter().map(|it| (subject(), *it, smallest)));
    }
    for (subject, standing, smallest) in all {
        let quota = AlertQuota {
            per: standing.quota.per,
            unit: standing.quota.unit,
            limit: standing.quota.limit,
            used: standing.used,
        };
        let percent = quota.percent();
        let is_used_up = standing.is_used_up(smallest);
        for (kind, value) in [
            (AlertKind::Quota80, percent.into()),
            (AlertKind::Quota100, quota_value(percent, is_used_up)),
        ] {
            let key = Key {
                quota: Some(quota.name()),
                ..Key::new(project.key, kind, subject.as_str())
            };
            let why = quota_words(kind, &quota, project.policy.currency);
            let seen_quota = Seen {
                value,
                why: Some(why.into()),
                quota: Some(quota),
            };
            seen.insert(key, seen_quota);
        }
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
                let seen_rate = Seen {
                    value: rate,
                    why,
                    quota: None,
                };
                seen.insert(key, seen_rate);
            }
        }
    }
}

/// R-QUOTA-3: how many direct messages wait on each channel although no gateway and no platform that
/// may carry them takes anything. It is judged as what people are offered is.
async fn all_out(inner: &Inner, now: Timestamp) -> Result<Vec<(Key, Seen)>, Unavailable> {
    let mut counts = BTreeMap::<(ProjectKey, Channel), u64>::new();
    for line in inner.lines.values() {
        let stuck = stuck::waiting_for(inner, line, now).await?;
        if stuck.count > 0 {
            let of = (line.route.project, line.route.channel);
            *counts.entry(of).or_default() += stuck.count;
        }
    }
    let seen = counts.into_iter().map(|((project, channel), count)| {
        let subject = format!("channel:{}", channel.code());
        let key = Key::new(project, AlertKind::AllRoutesOut, subject);
        (key, plain(i64::try_from(count).unwrap_or(i64::MAX)))
    });
    Ok(seen.collect())
}
