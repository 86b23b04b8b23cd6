//! R-ORDER: within one conversation, channel and class, first submissions start in the order of due time
//! and acceptance. Checked where nothing came between that lets a later message go before: the earlier
//! one waited for nothing of its own.

use domain::ids::MessageId;
use domain::model::progress::Waiting;

use super::End;
use super::copies::is_answer;
use crate::chronicle::{Chronicle, Handed};

pub(super) fn check(end: &End<'_>, chronicle: &mut Chronicle) {
    let mut firsts: Vec<&Handed> = Vec::new();
    for id in end.outbound.keys().filter(|it| !is_answer(end, **it)) {
        firsts.extend(chronicle.handed_of(*id).next().map(|it| it.1));
    }
    firsts.sort_by_key(|it| it.seq);
    let mut broken = Vec::new();
    for (place, later) in firsts.iter().enumerate() {
        for earlier in &firsts[..place] {
            let same = earlier.to == later.to
                && earlier.channel == later.channel
                && earlier.class == later.class
                && earlier.route == later.route
                && earlier.key.attempt == 1
                && later.key.attempt == 1;
            // `later` left after `earlier`, and should have left before.
            let is_turned = due(end, later) < due(end, earlier)
                && (is_scheduled(end, later)
                    || is_scheduled(end, earlier)
                    || later.key.message < earlier.key.message);
            let is_held = waited_for_itself(chronicle, later.key.message)
                || waited_for_itself(chronicle, earlier.key.message);
            // Of two that are asked for at once, either may be kept first.
            let was_there = chronicle
                .taken
                .get(&later.key.message)
                .is_some_and(|it| it.seq < earlier.seq);
            // A shorter one may fit into what is left of a quota.
            let fits_better = earlier.parts < later.parts;
            let is_planned = planned_beside(chronicle, later.key.message, earlier.key.message);
            let is_free = !is_held && !fits_better && !is_planned;
            if same && is_turned && was_there && is_free {
                let words = format!("R-ORDER: {} left before it", earlier.key.message);
                broken.push((later.key.message, words));
            }
        }
    }
    for (id, words) in broken {
        chronicle.violated(Some(id), words);
    }
}

fn is_scheduled(end: &End<'_>, handed: &Handed) -> bool {
    let message = &end.outbound[&handed.key.message].message;
    message.scheduled_at.is_some()
}

fn due(end: &End<'_>, handed: &Handed) -> (domain::time::Timestamp, MessageId) {
    let message = &end.outbound[&handed.key.message].message;
    let due = message.scheduled_at.unwrap_or(message.accepted_at);
    (due, handed.key.message)
}

/// Whether a message that was scheduled was planned while the other one was accepted: either may have its
/// place first.
fn planned_beside(chronicle: &Chronicle, scheduled: MessageId, other: MessageId) -> bool {
    let at = |seq: usize| chronicle.lines[seq].at;
    let planned = chronicle.steps.get(&scheduled).and_then(|it| it.first());
    let accepted = chronicle.taken.get(&other);
    planned.zip(accepted).is_some_and(|(planned, accepted)| {
        let apart = at(planned.seq).since(at(accepted.seq)).get().abs();
        planned.by == "planned" && apart < 1_000
    })
}

/// Whether a message was ever held back by what is not its place: it was taken back from a route, lay
/// with a person, or waited for the quota that its size asks for.
fn waited_for_itself(chronicle: &Chronicle, id: MessageId) -> bool {
    let steps = chronicle.steps.get(&id).map(Vec::as_slice);
    let is_such = |by: &str| ["released", "by a person", "interrupted", "answered"].contains(&by);
    let first = chronicle.handed_of(id).next().map(|it| it.1.seq);
    let before = |it: &&crate::chronicle::Step| first.is_none_or(|first| it.seq < first);
    let steps = steps.unwrap_or_default();
    let is_own = |line: &crate::chronicle::Line| {
        line.message == Some(id)
            && (line.words.contains("QuotaGone") || line.words.contains("with a person"))
    };
    let route = chronicle.handed_of(id).next().map(|it| it.1.route);
    let by_another = |it: &crate::chronicle::Step| match it.changed.waiting {
        Waiting::Lane(lane) => Some(lane.route) != route,
        Waiting::Schedule { .. } | Waiting::Fallback { .. } | Waiting::Person(_) | Waiting::No => {
            false
        }
    };
    let began = chronicle.taken.get(&id).and_then(|it| it.route);
    if began.is_some_and(|it| Some(it) != route) || steps.iter().filter(before).any(by_another) {
        return true;
    }
    steps.iter().filter(before).any(|it| is_such(it.by)) || chronicle.lines.iter().any(is_own)
}
