//! R-DUP, R-FALL, R-LIFE-4, R-CLASS, R-ROUTE-3: what may leave, how often, when and by what.

use std::collections::BTreeSet;

use domain::ids::MessageId;
use domain::model::attempt::PartSet;
use domain::model::channel::Channel;
use domain::model::message::{Category, Purpose, Status, TrafficClass};
use domain::model::progress::Waiting;
use domain::model::route::{OnUnknown, RouteClass};
use domain::time::{Millis, Timestamp};

use super::End;
use crate::chronicle::{Chronicle, Handed, Told};
use crate::script::Ask;

pub(super) fn check(end: &End<'_>, chronicle: &mut Chronicle) {
    let mut broken = Vec::new();
    for id in end.outbound.keys() {
        let all: Vec<_> = chronicle.handed_of(*id).collect();
        let found = [
            when(end, chronicle, *id, &all),
            by_what(end, *id, &all),
            channels(end, *id, &all),
            twice(end, chronicle, &all),
            after_all_is_said(chronicle, *id, &all),
            in_a_persons_hands(chronicle, *id, &all),
        ];
        broken.extend(found.into_iter().flatten().map(|it| (*id, it)));
    }
    for (id, words) in broken {
        chronicle.violated(Some(id), words);
    }
}

type All<'a> = [(usize, &'a Handed)];

/// What the caller asked for, found by the text.
fn asked<'a>(end: &'a End<'_>, text: &str) -> Option<&'a Ask> {
    end.stage.script.asks.iter().find(|it| it.text == text)
}

/// Nothing before its time, nothing after its validity.
fn when(end: &End<'_>, chronicle: &Chronicle, id: MessageId, all: &All<'_>) -> Option<String> {
    let message = &end.outbound[&id].message;
    let text = message.content.text.clone().unwrap_or_default();
    let from = message.scheduled_at.unwrap_or(message.accepted_at);
    let asked = asked(end, &text);
    let own = asked.and_then(|it| it.validity);
    let validity = match (own, message.category) {
        (Some(own), _) => own,
        (None, Category::Otp) => Millis::minutes(10),
        (None, Category::Transactional | Category::Promotional) => {
            end.stage.scenery.policy.validity.of(message.class)
        }
    };
    let ends = from.plus(validity);
    if let Some(taken) = chronicle.taken.get(&id)
        && taken.expires_at != ends
    {
        return Some(format!(
            "R-LIFE-4: its validity ends {ends:?} by the request"
        ));
    }
    let wrong = |at: Timestamp| at < from || at >= ends;
    let it = all.iter().find(|it| wrong(it.1.at))?;
    Some(format!(
        "R-LIFE-4: it left at {:?}, and may from {from:?} to {ends:?}",
        it.1.at
    ))
}

/// The class is what was asked for; bulk never goes by phones.
fn by_what(end: &End<'_>, id: MessageId, all: &All<'_>) -> Option<String> {
    let message = &end.outbound[&id].message;
    let text = message.content.text.clone().unwrap_or_default();
    if let Some(ask) = asked(end, &text) {
        let class = match ask.class {
            Some(class) => class,
            None if message.reply_to.is_some() => TrafficClass::Direct,
            None if message.scheduled_at.is_some() || ask.category == Category::Promotional => {
                TrafficClass::Bulk
            }
            None => TrafficClass::Direct,
        };
        if class != message.class {
            return Some(format!("R-CLASS-1: it is {:?}", message.class));
        }
    }
    for (_, handed) in all {
        let route = end.stage.scenery.route(handed.route)?;
        if handed.class != message.class {
            return Some("it left as another class".into());
        }
        if handed.text != text {
            return Some("it left with another text".into());
        }
        if handed.class == TrafficClass::Bulk && route.class == Some(RouteClass::Phone) {
            return Some("R-ROUTE-3: bulk went to a phone".into());
        }
    }
    None
}

/// R-FALL: two channels at most, each once, five seconds apart.
fn channels(end: &End<'_>, id: MessageId, all: &All<'_>) -> Option<String> {
    let outbound = &end.outbound[&id];
    // What was throttled was not tried (R-ROUTE-4).
    let tried = all.iter().filter(|it| it.1.told != Some(Told::Throttled));
    let (first, second): (Vec<&(usize, &Handed)>, Vec<_>) =
        tried.partition(|it| it.1.key.attempt == 1);
    if second.iter().any(|it| it.1.key.attempt != 2) {
        return Some("R-FALL-2: more than two attempts".into());
    }
    let of = |these: &[&(usize, &Handed)]| -> BTreeSet<Channel> {
        these.iter().map(|it| it.1.channel).collect()
    };
    let (on_first, on_second) = (of(&first), of(&second));
    if on_first.len() > 1 || on_second.len() > 1 {
        return Some("R-FALL-2: an attempt went by two channels".into());
    }
    if on_first.intersection(&on_second).next().is_some() {
        return Some("R-FALL-2: the same channel twice".into());
    }
    if !second.is_empty() && !outbound.progress.fallback.enabled {
        return Some("R-FALL-1: it fell back, and was not to".into());
    }
    if let Some(explicit) = outbound.message.explicit
        && on_first.iter().any(|it| *it != explicit)
    {
        return Some("R-CHAN-1: it went by another channel than the one that was named".into());
    }
    let (last, next) = (first.last()?, second.first()?);
    let apart = next.1.at.since(last.1.at);
    (apart < Millis::seconds(5))
        .then(|| format!("R-FALL-3: {} ms between two channels", apart.get()))
}

/// R-DUP: no part leaves twice, unless nobody knows of the first, or it was certainly not taken.
fn twice(end: &End<'_>, chronicle: &Chronicle, all: &All<'_>) -> Option<String> {
    for (place, (_, next)) in all.iter().enumerate() {
        for (no, earlier) in &all[..place] {
            if earlier.key != next.key {
                continue;
            }
            let is_same = earlier.pieces.iter().any(|it| next.pieces.contains(it));
            let route = end.stage.scenery.route(earlier.route)?;
            let in_time = |it: Option<usize>| it.is_some_and(|it| it < next.seq);
            match earlier.told {
                Some(Told::Accepted) if is_same => {
                    return Some("R-DUP: it left again after it was accepted".into());
                }
                Some(Told::Rejected) => {
                    return Some("R-DUP: it left again after it was refused for good".into());
                }
                Some(Told::Unknown) | None if route.on_unknown == OnUnknown::Fail => {
                    return Some(
                        "R-DUP: it left again after an unknown outcome, and must not".into(),
                    );
                }
                Some(Told::Unknown) | None => {
                    if chronicle.is_muddled(end.stage, earlier) {
                        continue;
                    }
                    let known: BTreeSet<_> = chronicle
                        .reports_of(*no)
                        .filter(|it| it.taken_for == Some(next.key.message) && in_time(it.kept))
                        .flat_map(|it| match it.part {
                            PartSet::WHOLE => earlier.pieces.clone(),
                            part => vec![part],
                        })
                        .collect();
                    if next.pieces.iter().any(|it| known.contains(it)) {
                        return Some("R-DUP: it left again after a receipt told of it".into());
                    }
                }
                Some(Told::Accepted | Told::Partly | Told::Throttled | Told::NotAccepted) => {}
            }
            if !in_time(earlier.told_seq) && !earlier.is_doubtful() {
                return Some("R-DUP: it left again before the first was answered".into());
            }
        }
    }
    None
}

/// R-FALL-3: once it is known to have arrived, nothing more leaves.
fn after_all_is_said(chronicle: &Chronicle, id: MessageId, all: &All<'_>) -> Option<String> {
    let steps = chronicle.steps.get(&id)?;
    let arrived = steps
        .iter()
        .find(|it| matches!(it.changed.status, Status::Delivered | Status::Read))?;
    let late = all.iter().any(|it| it.1.seq > arrived.seq);
    late.then(|| "R-FALL-3: it left after its delivery was known".into())
}

/// R-PHONE-2: while a person has it, the router leaves it alone.
fn in_a_persons_hands(chronicle: &Chronicle, id: MessageId, all: &All<'_>) -> Option<String> {
    let steps = chronicle.steps.get(&id)?;
    for (place, step) in steps.iter().enumerate() {
        let Waiting::Person(claim) = step.changed.waiting else {
            continue;
        };
        let until = steps.get(place + 1).map_or(usize::MAX, |it| it.seq);
        let during = |it: &&(usize, &Handed)| (step.seq..until).contains(&it.1.seq);
        if all.iter().filter(during).any(|it| it.1.at < claim.until) {
            return Some("R-PHONE-2: it left while a person had it".into());
        }
    }
    None
}

/// Whether a message answers a keyword.
pub(super) fn is_answer(end: &End<'_>, id: MessageId) -> bool {
    let found = end.outbound.get(&id);
    found.is_some_and(|it| it.message.purpose == Purpose::KeywordAnswer)
}
