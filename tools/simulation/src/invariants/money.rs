//! R-COST-1: the ledger sums to nothing, repeats the balances, and says what messages say; and what was
//! charged is the price of what the providers took.

use std::collections::BTreeMap;

use domain::ids::MessageId;
use domain::model::attempt::AttemptState;
use domain::model::ledger::{Account, Movement};
use domain::model::money::Micros;
use domain::model::route::{ChargedOn, PriceUnit};
use ports::conformance::store::kit::ask;
use ports::store::books::{LedgerEntry, LedgerFilter};

use super::End;
use crate::chronicle::{Chronicle, Told};
use crate::scenery::PROJECT;

pub(super) fn check(end: &End<'_>, chronicle: &mut Chronicle) {
    let ledger = ledger(end);
    let mut accounts: BTreeMap<Account, i64> = BTreeMap::new();
    let mut charges: BTreeMap<(MessageId, u8), i64> = BTreeMap::new();
    for entry in &ledger {
        for (account, amount) in entry.posting.sides() {
            *accounts.entry(account).or_default() += amount.0;
        }
        if let Movement::Charge { message, attempt } = entry.posting.movement {
            *charges.entry((message, attempt)).or_default() += entry.posting.amount.0;
        }
    }
    let mut broken = Vec::new();
    let sum: i64 = accounts.values().sum();
    if sum != 0 {
        broken.push((None, format!("R-COST-1: the ledger sums to {sum}")));
    }
    let balances: BTreeMap<_, _> = ask(end.store.balances(PROJECT))
        .into_iter()
        .map(|it| (it.0, it.1.0))
        .collect();
    for account in accounts.keys().chain(balances.keys()) {
        let of = |all: &BTreeMap<Account, i64>| all.get(account).copied().unwrap_or(0);
        if of(&accounts) != of(&balances) {
            let words = format!(
                "R-COST-1: {account:?} has {} and the ledger says {}",
                of(&balances),
                of(&accounts)
            );
            broken.push((None, words));
        }
    }
    for (id, outbound) in &end.outbound {
        for attempt in &outbound.progress.attempts {
            let charged = charges.remove(&(*id, attempt.no)).unwrap_or(0);
            let says = attempt.settled_cost.unwrap_or(Micros::ZERO).0;
            if charged != says {
                let words = format!("R-COST-1: the message says {says}, the ledger {charged}");
                broken.push((Some(*id), words));
            }
            if let Some(price) = price(end, chronicle, *id, attempt.no)
                && price != says
            {
                let words = format!("R-COST-1: it costs {price}, and was charged {says}");
                broken.push((Some(*id), words));
            }
        }
    }
    for ((id, attempt), amount) in charges {
        if amount != 0 {
            let words =
                format!("R-COST-1: {amount} was charged for attempt {attempt}, which is none");
            broken.push((Some(id), words));
        }
    }
    for (id, words) in broken {
        chronicle.violated(id, words);
    }
}

fn ledger(end: &End<'_>) -> Vec<LedgerEntry> {
    let mut all = Vec::new();
    let mut before = None;
    loop {
        let page = ask(end.store.ledger(LedgerFilter {
            project: PROJECT,
            before,
            limit: 500,
        }));
        let Some(last) = page.last() else { return all };
        before = Some(last.seq);
        all.extend(page);
    }
}

/// What an attempt costs that one provider took whole and at once; `None` for others, and where the price
/// goes by volume.
fn price(end: &End<'_>, chronicle: &Chronicle, id: MessageId, no: u8) -> Option<i64> {
    let theirs = chronicle.handed_of(id).filter(|it| it.1.key.attempt == no);
    let taken: Vec<_> = theirs
        .filter(|it| !matches!(it.1.told, Some(Told::Throttled | Told::NotAccepted)))
        .collect();
    let [(_, only)] = taken.as_slice() else {
        return None;
    };
    if only.told != Some(Told::Accepted) || only.pieces.len() != usize::from(only.parts) {
        return None;
    }
    let route = end.stage.scenery.route(only.route)?;
    let price = route.prices.first().filter(|it| it.tiers.is_none())?;
    let units = match price.unit {
        PriceUnit::Segment => i64::from(only.parts),
        PriceUnit::Message => 1,
    };
    let attempt = end.outbound[&id]
        .progress
        .attempts
        .iter()
        .find(|it| it.no == no)?;
    let has_arrived = matches!(attempt.state, AttemptState::Delivered | AttemptState::Read);
    Some(match price.charged_on {
        ChargedOn::Delivery if !has_arrived => 0,
        ChargedOn::Submit | ChargedOn::Delivery => price.amount.0 * units,
    })
}
