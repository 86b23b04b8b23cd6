//! R-METRIC-3, R-METRIC-4: each outcome counts once, for the contact and in the tallies.

use std::collections::BTreeMap;

use domain::model::address::Address;
use domain::model::attempt::{Attempt, AttemptState, Counted};
use domain::model::channel::Channel;
use domain::model::tally::Tally;
use domain::time::Timestamp;
use ports::conformance::store::kit::ask;
use ports::store::books::{TallyFilter, TallyGroups};

use super::End;
use crate::chronicle::Chronicle;
use crate::scenery::{PROJECT, SENDER};

pub(super) fn check(end: &End<'_>, chronicle: &mut Chronicle) {
    let mut counted: BTreeMap<(Address, Channel), (u32, u32)> = BTreeMap::new();
    let mut tally = Tally::NONE;
    let mut broken = Vec::new();
    for (id, outbound) in &end.outbound {
        for attempt in &outbound.progress.attempts {
            let key = (outbound.message.to.clone(), attempt.channel);
            let it = counted.entry(key).or_default();
            match attempt.counted {
                Counted::No => {}
                Counted::Success => it.0 += 1,
                Counted::Failure => it.1 += 1,
            }
            let has_arrived = has_arrived(attempt);
            let is_wrong = has_arrived && attempt.counted != Counted::Success;
            if is_wrong {
                broken.push((
                    Some(*id),
                    format!("R-METRIC-2: counted as {:?}", attempt.counted),
                ));
            }
            tally.delivered += i64::from(has_arrived);
            tally.failed += i64::from(attempt.state == AttemptState::Failed);
            tally.cost.0 += attempt.settled_cost.map_or(0, |it| it.0);
        }
    }
    for ((to, channel), (successes, failures)) in counted {
        let facts = ask(end.store.contact_facts(PROJECT, SENDER, &to));
        let metrics = facts.on(channel).metrics;
        if (metrics.success_count, metrics.failure_count) != (successes, failures) {
            let words = format!(
                "R-METRIC-3: {to} on {channel:?} has {} and {}, and {successes} succeeded and \
                 {failures} failed",
                metrics.success_count, metrics.failure_count
            );
            broken.push((None, words));
        }
    }
    let rows = ask(end.store.tallies(TallyFilter {
        project: PROJECT,
        from: Timestamp::from_millis(i64::MIN),
        until: Timestamp::from_millis(i64::MAX),
        route: None,
        sender: None,
        country: None,
        campaign: None,
        class: None,
        by: TallyGroups::default(),
        limit: 10,
    }));
    let sum = rows
        .iter()
        .fold(Tally::NONE, |sum, row| sum.plus(row.tally));
    if (sum.delivered, sum.failed, sum.cost) != (tally.delivered, tally.failed, tally.cost) {
        let words = format!("R-METRIC-4: the tallies say {sum:?}, and the messages {tally:?}");
        broken.push((None, words));
    }
    for (id, words) in broken {
        chronicle.violated(id, words);
    }
}

const fn has_arrived(attempt: &Attempt) -> bool {
    matches!(attempt.state, AttemptState::Delivered | AttemptState::Read)
}
