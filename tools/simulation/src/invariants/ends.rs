//! R-LIFE-2, R-LIFE-3: every accepted message has ended, none wrongly, and one key is one message.

use std::collections::BTreeSet;

use domain::model::failure::FailureClass;
use domain::model::message::{Purpose, Status};
use domain::model::receipt::ReceiptState;
use ports::connector::SubmissionKey;

use super::End;
use crate::chronicle::{ByPerson, Chronicle, Told};
use crate::stage::Answered;

pub(super) fn check(end: &End<'_>, chronicle: &mut Chronicle) {
    let mut broken = Vec::new();
    for (id, outbound) in &end.outbound {
        let is_answer = outbound.message.purpose == Purpose::KeywordAnswer;
        if !chronicle.taken.contains_key(id) && !is_answer {
            broken.push((Some(*id), "nobody asked for it".to_owned()));
        }
        if !outbound.progress.is_ended() {
            broken.push((Some(*id), "R-LIFE-2: it has not ended".into()));
        }
        broken.extend(wrong_end(end, chronicle, *id).map(|it| (Some(*id), it)));
    }
    for id in chronicle.taken.keys() {
        if !end.outbound.contains_key(id) {
            broken.push((
                Some(*id),
                "R-LIFE-2: it was accepted and is not there".into(),
            ));
        }
    }
    for (no, answers) in end.stage.answers.lock().iter() {
        let ids: Vec<_> = answers.iter().filter_map(accepted).collect();
        let distinct: BTreeSet<_> = ids.iter().copied().collect();
        if end.stage.script.asks[*no].has_key && distinct.len() > 1 {
            let words = format!("R-LIFE-3: ask {no} has one key and became {distinct:?}");
            broken.push((Some(ids[0]), words));
        }
        for id in distinct {
            if !chronicle.taken.contains_key(&id) {
                broken.push((Some(id), "R-LIFE-2: 202 without a commit".into()));
            }
        }
    }
    for (no, report) in chronicle.reports.iter().enumerate() {
        if report.kept.is_none() {
            let message = chronicle.handed[report.handed].key.message;
            broken.push((Some(message), format!("receipt {no} was never kept")));
        }
    }
    for (no, report) in chronicle.reports.iter().enumerate() {
        let handed = &chronicle.handed[report.handed];
        let is_stolen = report.taken_for.is_some_and(|it| it != handed.key.message);
        // The other one's answer was still to come when its receipt was taken for this.
        let is_known = !handed.is_doubtful();
        if is_stolen && is_known {
            let words = format!("R-DUP: its receipt {no} was taken for another message");
            broken.push((Some(handed.key.message), words));
        }
    }
    for (message, words) in broken {
        chronicle.violated(message, words);
    }
}

const fn accepted(answer: &Answered) -> Option<domain::ids::MessageId> {
    match answer {
        Answered::Accepted(id) | Answered::Repeated(id) => Some(*id),
        Answered::Refused(_) => None,
    }
}

fn wrong_end(end: &End<'_>, chronicle: &Chronicle, id: domain::ids::MessageId) -> Option<String> {
    let outbound = &end.outbound[&id];
    let progress = &outbound.progress;
    let has_arrived = [1, 2].into_iter().any(|attempt| {
        let key = SubmissionKey {
            message: id,
            attempt,
        };
        let (parts, all) = chronicle.arrived(end.stage, key);
        parts.len() >= usize::from(all)
    });
    let says_arrived = matches!(progress.status, Status::Delivered | Status::Read);
    if has_arrived && !says_arrived {
        return Some(format!(
            "R-LIFE-1: it has arrived, and is {}",
            progress.status.code()
        ));
    }
    let may_have = has_arrived || chronicle.may_be_taken_for(end.stage, id, &outbound.message.to);
    if says_arrived && !may_have {
        return Some(format!(
            "it is {}, and nobody said that it arrived",
            progress.status.code()
        ));
    }
    let was_handed = chronicle.handed_of(id).next().is_some();
    let by_person = chronicle
        .people
        .iter()
        .any(|it| it.1 == id && it.2 == ByPerson::Sent);
    if progress.status == Status::Sent && !was_handed && !by_person {
        return Some("it is sent, and nobody ever had it".into());
    }
    if progress.status != Status::Failed {
        return None;
    }
    let class = progress.failure.as_ref().map(|it| it.class);
    if class == Some(FailureClass::UnknownOutcome) && !was_handed && !chronicle.was_interrupted(id)
    {
        return Some("it failed as unknown, and no provider ever saw it".into());
    }
    // What was taken whole, and of which nobody said that it failed, has not failed, unless the
    // message asked for that.
    let taken_and_well = chronicle.handed_of(id).any(|(_, handed)| {
        let is_whole = handed.pieces.len() == usize::from(handed.parts);
        let fails = |it: &crate::chronicle::Report| matches!(it.state, ReceiptState::Failed(_));
        let is_said = chronicle
            .handed_of(id)
            .any(|(other, it)| it.key == handed.key && chronicle.reports_of(other).any(fails));
        handed.told == Some(Told::Accepted) && is_whole && !is_said
    });
    if taken_and_well && progress.fallback.after.is_none() {
        return Some("it failed, and a provider took it and never said that it failed".into());
    }
    None
}
