//! R-ALERT by e-mail: the events of alerts, in order, each once. How far it came stands in the store,
//! so that a restart neither repeats nor loses a letter; what the server does not take is tried a few
//! times and then given up, with a line in the log.

use std::sync::Arc;

use domain::ids::ProjectKey;
use domain::model::event::{EventDetail, EventKind, EventKinds, EventSeq};
use domain::time::Millis;
use ports::mail::{Mailer, Notice};
use ports::store::alerts::AlertStep;
use ports::store::events::{EventFilter, EventRecord};
use ports::store::{Op, Outcome, Unavailable};

use crate::{Inner, settle, worker};

/// How often is looked for something to send.
const LOOK_EVERY: Millis = Millis::seconds(5);
/// Events that are read in one query.
const PAGE: u16 = 32;
/// Waits after a letter was not taken; after the last it is given up.
const RETRY_AFTER: [Millis; 4] = [
    Millis::seconds(30),
    Millis::minutes(2),
    Millis::minutes(10),
    Millis::hours(1),
];
/// What is sent.
const KINDS: EventKinds = EventKinds::from_bits(0)
    .with(EventKind::AlertRaised)
    .with(EventKind::AlertResolved);

/// Sends what happens, for as long as the engine runs.
pub(super) async fn follow(inner: Arc<Inner>, mailer: Arc<dyn Mailer>) {
    let mut places = std::collections::BTreeMap::<ProjectKey, EventSeq>::new();
    loop {
        let topology = inner.topology();
        for project in topology.projects() {
            let place = places.get(&project.key).copied();
            match send_page(&inner, &*mailer, (project.key, &project.name), place).await {
                Ok(Some(reached)) => {
                    places.insert(project.key, reached);
                }
                Ok(None) => return settle::follow(&inner, Ok(Outcome::Fenced)),
                Err(error) => tracing::error!(%error, "alerts cannot be mailed now"),
            }
        }
        worker::sleep(LOOK_EVERY).await;
    }
}

/// Sends a page of a project; up to where it came, or `None` where another process owns the work.
async fn send_page(
    inner: &Arc<Inner>,
    mailer: &dyn Mailer,
    (project, name): (ProjectKey, &str),
    place: Option<EventSeq>,
) -> Result<Option<EventSeq>, Unavailable> {
    let kept = match place {
        Some(place) => Some(place),
        None => inner.store.alert_mail(project).await?,
    };
    let place = if let Some(kept) = kept {
        kept
    } else {
        // Nobody was ever told by mail: what happened before is not told now.
        let newest = inner.store.newest_event().await?;
        if !keep(inner, project, newest).await? {
            return Ok(None);
        }
        newest
    };
    let filter = EventFilter {
        project,
        sender: None,
        kinds: KINDS,
        steps_in: None,
        after: place,
        limit: PAGE,
        look_at: EventFilter::LOOK_AT,
    };
    let page = inner.store.events(filter).await?;
    for record in &page.events {
        if let Some(notice) = notice(record, name) {
            deliver(mailer, notice).await;
        }
        if !keep(inner, project, record.seq).await? {
            return Ok(None);
        }
    }
    Ok(Some(page.upto))
}

async fn keep(inner: &Inner, project: ProjectKey, upto: EventSeq) -> Result<bool, Unavailable> {
    let epoch = inner.epoch;
    let step = AlertStep::Mailed {
        project,
        upto,
        epoch,
    };
    let outcome = inner.apply(Op::Alert(Box::new(step))).await?;
    Ok(!matches!(outcome, Outcome::Fenced))
}

async fn deliver(mailer: &dyn Mailer, notice: Notice) {
    for wait in RETRY_AFTER.into_iter().map(Some).chain([None]) {
        let Err(why) = mailer.send(notice.clone()).await else {
            return;
        };
        if let Some(wait) = wait {
            tracing::warn!(%why, notice = %notice.id, "an alert was not mailed yet");
            worker::sleep(wait).await;
        } else {
            tracing::error!(%why, notice = %notice.id, "an alert was not mailed");
        }
    }
}

/// What a letter says.
fn notice(record: &EventRecord, project: &str) -> Option<Notice> {
    let Some(EventDetail::Alert(news)) = &record.event.detail else {
        return None;
    };
    let is_over = record.event.kind == EventKind::AlertResolved;
    let state = if is_over { "resolved" } else { "raised" };
    let text = format!(
        "{}\n\nAlert:   {}, {} ({})\nProject: {project}\n",
        news.words,
        news.kind.severity().code(),
        news.kind.code(),
        news.alert,
    );
    let mut times = vec![("Raised", news.raised_at)];
    if is_over {
        times.push(("Over", record.event.at));
    }
    Some(Notice {
        id: record.id().to_string(),
        subject: format!("[Tandem {project}] {state}: {}", news.words),
        text,
        times,
    })
}
