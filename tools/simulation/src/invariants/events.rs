//! R-LIFE-1, R-MON-1: what is told of a message only moves forward, each thing once, and its last word is
//! what the message is.

use std::collections::BTreeMap;

use domain::ids::MessageId;
use domain::model::event::EventKind;
use domain::model::message::Status;

use super::End;
use crate::chronicle::Chronicle;

pub(super) fn check(end: &End<'_>, chronicle: &mut Chronicle) {
    let mut told: BTreeMap<MessageId, Vec<EventKind>> = BTreeMap::new();
    for record in &chronicle.events {
        if let Some(id) = record.event.message
            && end.outbound.contains_key(&id)
        {
            told.entry(id).or_default().push(record.event.kind);
        }
    }
    let mut broken = Vec::new();
    for (id, outbound) in &end.outbound {
        let told = told.get(id).map(Vec::as_slice).unwrap_or_default();
        let ranks: Vec<_> = told.iter().copied().map(rank).collect();
        if !ranks.is_sorted_by(|a, b| a < b) {
            broken.push((*id, format!("R-LIFE-1: the events are {told:?}")));
        }
        let last = told.last().copied();
        let want = match outbound.progress.status {
            Status::Queued | Status::Sending => Some(EventKind::Queued),
            Status::Sent => Some(EventKind::Sent),
            Status::Delivered => Some(EventKind::Delivered),
            Status::Read => Some(EventKind::Read),
            Status::Failed => Some(EventKind::Failed),
            Status::Received => None,
        };
        if last != want || told.first() != Some(&EventKind::Queued) {
            let status = outbound.progress.status.code();
            broken.push((
                *id,
                format!("R-MON-1: it is {status}, and told were {told:?}"),
            ));
        }
        let steps = chronicle.steps.get(id).map(Vec::as_slice);
        let is_back = |it: &crate::chronicle::Step| it.changed.status < it.changed.was;
        if steps.unwrap_or_default().iter().any(is_back) {
            broken.push((*id, "R-LIFE-1: its status moved back".into()));
        }
    }
    for (id, words) in broken {
        chronicle.violated(Some(id), words);
    }
}

const fn rank(kind: EventKind) -> u8 {
    match kind {
        EventKind::Queued => 0,
        EventKind::Sent => 1,
        EventKind::Failed => 2,
        EventKind::Delivered => 3,
        EventKind::Read => 4,
        _ => u8::MAX,
    }
}
