//! Alerts (R-ALERT): once a second the condition of everything is looked at, and the rule asked
//! whether an alert is raised or resolved. What is raised and what rates go by stands in the store, so
//! that a restart neither repeats nor loses an alert; how long a condition holds already is counted
//! anew then.
//!
//! No message waits for any of it. Alerts are told by events, which webhooks and streams deliver,
//! and by [`mail`]; both follow the events at their own pace.

mod gather;
mod mail;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::ids::{AlertId, ProjectKey};
use domain::model::alert::{Alert, AlertKind, Silence};
use domain::rules::alert::{AlertSettings, Standing, Turn, step, words};
use domain::time::{Millis, Timestamp};
use ports::mail::Mailer;
use ports::store::alerts::{AlertFilter, AlertStep, NewAlert};
use ports::store::{Op, Outcome, Unavailable};

use crate::line::RouteLine;
use crate::outcomes::Outcomes;
use crate::{Engine, Inner, settle, worker};
use gather::{Key, PROJECT, Seen, Slow};

/// How often is looked.
const LOOK_EVERY: Millis = Millis::seconds(1);
/// How often is kept how messages ended; what a crash forgets at most.
const KEEP_EVERY: Millis = Millis::seconds(5);
/// Alerts that are read in one query.
const PAGE: u16 = 500;

impl Engine {
    /// Watches for alerts from now on. Once at most.
    pub fn watch_alerts(&self, settings: AlertSettings) {
        worker::spawn_one(&self.inner, watch(Arc::clone(&self.inner), settings));
    }

    /// Sends alerts by e-mail from now on (R-ALERT). Once at most.
    pub fn mail_alerts(&self, mailer: Arc<dyn Mailer>) {
        worker::spawn_one(&self.inner, mail::follow(Arc::clone(&self.inner), mailer));
    }
}

/// What stands where.
#[derive(Default)]
struct Board {
    standings: BTreeMap<Key, Standing>,
    /// What is raised, as the store has it; to be read again where that is off.
    raised: BTreeMap<Key, Raised>,
    is_read: bool,
}

struct Raised {
    id: AlertId,
    told: bool,
}

async fn watch(inner: Arc<Inner>, settings: AlertSettings) {
    let (mut board, mut slow) = (Board::default(), Slow::default());
    let mut kept_at = inner.now();
    loop {
        worker::sleep(LOOK_EVERY).await;
        let now = inner.now();
        if !(Millis::ZERO..KEEP_EVERY).contains(&now.since(kept_at)) {
            kept_at = now;
            keep_outcomes(&inner).await;
        }
        match round(&inner, &settings, &mut board, &mut slow).await {
            Ok(Outcome::Fenced) => return settle::follow(&inner, Ok(Outcome::Fenced)),
            Ok(_) => {}
            Err(error) => {
                board.is_read = false;
                tracing::error!(%error, "alerts cannot be looked at now");
            }
        }
    }
}

/// Goes on from how messages ended before the start.
pub(crate) async fn load_outcomes(inner: &Inner) -> Result<(), Unavailable> {
    for kept in inner.store.route_outcomes().await? {
        if let Some(line) = inner.lines.get(&kept.route) {
            *line.outcomes.lock() = Outcomes::restore(&kept);
        }
    }
    Ok(())
}

/// Has the store keep how messages ended, where something did since the last time.
pub(crate) async fn keep_outcomes(inner: &Inner) {
    let now = inner.now();
    let changed = |line: &Arc<RouteLine>| line.outcomes.lock().changed(line.route.key, now);
    let routes: Vec<_> = inner.lines.values().filter_map(changed).collect();
    if routes.is_empty() {
        return;
    }
    let keys: Vec<_> = routes.iter().map(|it| it.route).collect();
    let epoch = inner.epoch;
    let step = AlertStep::Outcomes { routes, epoch };
    if let Err(error) = inner.apply(Op::Alert(Box::new(step))).await {
        tracing::error!(%error, "how messages ended was not kept");
        for line in keys.iter().filter_map(|it| inner.lines.get(it)) {
            line.outcomes.lock().not_kept();
        }
    }
}

async fn round(
    inner: &Arc<Inner>,
    settings: &AlertSettings,
    board: &mut Board,
    slow: &mut Slow,
) -> Result<Outcome, Unavailable> {
    let now = inner.now();
    if !board.is_read {
        board.read(raised(inner).await?);
    }
    slow.look(inner, now).await?;
    let seen = gather::everything(inner, settings, slow, now);
    let silences = inner.store.silences(now).await?;
    for (key, standing, turn) in board.turns(&seen, settings, now) {
        let raised = board.raised.get(&key);
        let step = match turn {
            Turn::Stay => continue,
            Turn::Raise => raise(inner, &key, seen.get(&key), &silences, now),
            Turn::Resolve => match raised {
                Some(it) => AlertStep::Resolve {
                    id: it.id,
                    at: now,
                    epoch: inner.epoch,
                },
                None => continue,
            },
        };
        let (kind, subject) = (key.kind.code(), &key.subject);
        tracing::warn!(kind, %subject, quota = ?key.quota, ?turn, "alert");
        if let Outcome::Fenced = inner.apply(Op::Alert(Box::new(step))).await? {
            return Ok(Outcome::Fenced);
        }
        board.standings.insert(key, standing);
        board.is_read = false;
    }
    board.tell(inner, &silences, now).await
}

fn raise(
    inner: &Inner,
    key: &Key,
    seen: Option<&Seen>,
    silences: &[Silence],
    now: Timestamp,
) -> AlertStep {
    let value = seen.map_or(0, |it| it.value);
    let why = seen.and_then(|it| it.why.as_deref());
    let named = match &*key.subject {
        PROJECT => "the project".to_owned(),
        other => other.replacen(':', " ", 1),
    };
    let alert = Box::new(NewAlert {
        project: key.project,
        kind: key.kind,
        subject: key.subject.clone(),
        quota: seen.and_then(|it| it.quota),
        value,
        words: words(key.kind, &named, value, why).into(),
        silenced: is_silenced(silences, key, now),
        at: now,
    });
    let epoch = inner.epoch;
    AlertStep::Raise { alert, epoch }
}

fn is_silenced(silences: &[Silence], key: &Key, now: Timestamp) -> bool {
    silences
        .iter()
        .any(|it| it.covers(key.project, key.kind, &key.subject, now))
}

impl Board {
    /// Takes over what the store has.
    fn read(&mut self, alerts: Vec<Alert>) {
        self.raised.clear();
        for alert in alerts {
            let key = Key {
                project: alert.project,
                kind: alert.kind,
                subject: alert.subject,
                quota: alert.quota.map(|it| it.name()),
            };
            let standing = self.standings.entry(key.clone());
            standing
                .and_modify(|it| {
                    if let Standing::Quiet { .. } = it {
                        *it = Standing::RAISED;
                    }
                })
                .or_insert(Standing::RAISED);
            let raised = Raised {
                id: alert.id,
                told: alert.told,
            };
            self.raised.insert(key, raised);
        }
        // What the store does not have is not raised, whatever was thought.
        let raised = &self.raised;
        self.standings
            .retain(|key, it| matches!(it, Standing::Quiet { .. }) || raised.contains_key(key));
        self.is_read = true;
    }

    /// Folds in what was seen; what is to be done, with how it stands once that is kept.
    fn turns(
        &mut self,
        seen: &BTreeMap<Key, Seen>,
        settings: &AlertSettings,
        now: Timestamp,
    ) -> Vec<(Key, Standing, Turn)> {
        for key in seen.keys() {
            if !self.standings.contains_key(key) {
                self.standings.insert(key.clone(), Standing::QUIET);
            }
        }
        let mut turns = Vec::new();
        for (key, standing) in &mut self.standings {
            let value = seen.get(key).map(|it| it.value);
            let (next, turn) = step(*standing, value, settings.of(key.kind), now);
            if turn == Turn::Stay {
                *standing = next;
            } else {
                turns.push((key.clone(), next, turn));
            }
        }
        self.standings.retain(|_, it| *it != Standing::QUIET);
        turns
    }

    /// Tells of what was raised while it was silenced and is silenced no more.
    async fn tell(
        &mut self,
        inner: &Arc<Inner>,
        silences: &[Silence],
        now: Timestamp,
    ) -> Result<Outcome, Unavailable> {
        if !self.is_read {
            return Ok(Outcome::Done);
        }
        for (key, raised) in &mut self.raised {
            if raised.told || is_silenced(silences, key, now) {
                continue;
            }
            let step = AlertStep::Tell {
                id: raised.id,
                at: now,
                epoch: inner.epoch,
            };
            if let Outcome::Fenced = inner.apply(Op::Alert(Box::new(step))).await? {
                return Ok(Outcome::Fenced);
            }
            raised.told = true;
        }
        Ok(Outcome::Done)
    }
}

/// Everything that is raised.
async fn raised(inner: &Inner) -> Result<Vec<Alert>, Unavailable> {
    let mut all = Vec::new();
    let mut before = None;
    loop {
        let filter = AlertFilter {
            project: None,
            raised: Some(true),
            before,
            limit: PAGE,
        };
        let page = inner.store.alerts(filter).await?;
        let is_last = page.len() < usize::from(PAGE);
        before = page.last().map(|it| it.id);
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

impl Key {
    fn new(project: ProjectKey, kind: AlertKind, subject: impl Into<Box<str>>) -> Self {
        Self {
            project,
            kind,
            subject: subject.into(),
            quota: None,
        }
    }
}
