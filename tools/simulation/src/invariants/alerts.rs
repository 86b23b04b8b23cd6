//! R-ALERT: an alert is raised once and resolved once, and none is open at the end, when everything is
//! well again.

use std::collections::BTreeMap;

use domain::model::alert::AlertKind;
use domain::model::event::{EventDetail, EventKind};
use ports::conformance::store::kit::ask;
use ports::store::alerts::AlertFilter;

use super::End;
use crate::chronicle::Chronicle;
use crate::scenery::PROJECT;

pub(super) fn check(end: &End<'_>, chronicle: &mut Chronicle) {
    let mut told: BTreeMap<_, Vec<EventKind>> = BTreeMap::new();
    for record in &chronicle.events {
        if let Some(EventDetail::Alert(news)) = &record.event.detail {
            let quota = news.quota.map(|it| (it.per, it.unit));
            let key = (news.kind, news.subject.clone(), quota);
            told.entry(key).or_default().push(record.event.kind);
        }
    }
    let mut broken = Vec::new();
    for (key, kinds) in told {
        let turns = [EventKind::AlertRaised, EventKind::AlertResolved];
        let want = turns.into_iter().cycle().take(kinds.len());
        if !want.eq(kinds.iter().copied()) {
            broken.push(format!("R-ALERT: of {key:?} was told {kinds:?}"));
        }
    }
    let open = AlertFilter {
        project: Some(PROJECT),
        raised: Some(true),
        before: None,
        limit: 100,
    };
    for alert in ask(end.store.alerts(open)) {
        // Nothing was sent any more that a receipt could have come for.
        if alert.kind != AlertKind::ReceiptsMissing {
            broken.push(format!("R-ALERT: still raised: {}", alert.words));
        }
    }
    for words in broken {
        chronicle.violated(None, words);
    }
}
