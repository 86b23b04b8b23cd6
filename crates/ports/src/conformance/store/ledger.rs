//! The ledger, deposits and the tallies ([`books`](crate::store::books)).

use domain::ids::{CampaignKey, ProjectKey, RouteKey};
use domain::model::attempt::PlannedAttempt;
use domain::model::failure::FailureClass;
use domain::model::ledger::{Account, Movement};
use domain::model::message::{Campaign, TrafficClass};
use domain::model::money::Micros;
use domain::model::receipt::ReceiptState;
use domain::model::tally::Tally;
use domain::phone::CountryCode;
use domain::time::{Millis, Timestamp};

use super::kit::*;
use crate::store::books::{Deposit, LedgerEntry, LedgerFilter, TallyFilter, TallyGroups, TallyRow};
use crate::store::messages::IdempotencyKey;
use crate::store::operations::{Accept, Billed, FirstStep};
use crate::store::{Op, Outcome, Registered, Store};

use super::books::{COST, HOUR, limited, messages, on_route, within};

fn ledger(store: &dyn Store) -> Vec<LedgerEntry> {
    ask(store.ledger(LedgerFilter {
        project: PROJECT,
        before: None,
        limit: 100,
    }))
}

fn balances(store: &dyn Store) -> Vec<(Account, Micros)> {
    let balances = ask(store.balances(PROJECT));
    let sum: i64 = balances.iter().map(|it| it.1.0).sum();
    assert_eq!(sum, 0, "what one account gains another loses: {balances:?}");
    balances
        .into_iter()
        .filter(|it| it.1 != Micros::ZERO)
        .collect()
}

/// A message that the provider took under this name.
fn charged(store: &dyn Store, who: u32, name: &str, now: Timestamp) -> domain::ids::MessageId {
    let (id, _) = accept(store, limited(who, now, messages(99)));
    commit(
        store,
        Op::Submitted(Box::new(submitted(id, taken(name), now))),
    );
    id
}

pub fn what_a_route_charges_is_in_the_ledger_twice(store: &dyn Store) {
    let id = charged(store, 1, "a", at(5));
    commit(store, op(receipt("a", ReceiptState::Delivered, at(6))));
    let entries = ledger(store);
    assert_eq!(entries.len(), 1, "{entries:?}");
    let posting = &entries[0].posting;
    assert_eq!(
        (posting.to, posting.from),
        (Account::Charges(SMS), Account::Funds)
    );
    assert_eq!((posting.amount, posting.at), (COST, at(5)));
    let movement = Movement::Charge {
        message: id,
        attempt: 1,
    };
    assert_eq!(posting.movement, movement);
    let want = [
        (Account::Funds, Micros(-COST.0)),
        (Account::Charges(SMS), COST),
    ];
    assert_eq!(balances(store), want);
}

pub fn a_deposit_is_in_the_ledger_with_its_note(store: &dyn Store) {
    let deposit = Deposit {
        project: PROJECT,
        amount: Micros(5_000_000),
        note: Some("invoice 7".into()),
        at: at(1),
        idempotency: None,
    };
    let outcome = commit(store, Op::Deposit(deposit));
    assert!(matches!(outcome, Outcome::Done), "{outcome:?}");
    charged(store, 1, "a", at(2));
    let entries = ledger(store);
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[1].note.as_deref(), Some("invoice 7"));
    assert_eq!(entries[1].posting.movement, Movement::Deposit);
    assert_eq!(entries[0].note, None);
    let want = [
        (Account::Funds, Micros(5_000_000 - COST.0)),
        (Account::Deposits, Micros(-5_000_000)),
        (Account::Charges(SMS), COST),
    ];
    assert_eq!(balances(store), want);
}

pub fn a_deposit_under_a_key_is_noted_once_in_a_day(store: &dyn Store) {
    let deposit = |project, key: &str, (amount, note), millis| {
        Op::Deposit(Deposit {
            project: ProjectKey(project),
            amount: Micros(5),
            note: None,
            at: at(millis),
            idempotency: Some(IdempotencyKey {
                key: key.into(),
                fields: vec![("amount", amount), ("note", note)],
            }),
        })
    };
    let is_noted = |op| match commit(store, op) {
        Outcome::Done => Ok(()),
        Outcome::AlreadyDeposited { differs } => Err(differs),
        other => panic!("{other:?}"),
    };
    let day = 24 * 3_600_000;
    assert_eq!(is_noted(deposit(1, "a", (1, 2), 0)), Ok(()));
    assert_eq!(is_noted(deposit(1, "a", (1, 2), day - 1)), Err(None));
    for (fields, differs) in [((1, 3), "note"), ((9, 3), "amount")] {
        let want = Err(Some(differs.into()));
        assert_eq!(is_noted(deposit(1, "a", fields, 1)), want);
    }
    assert_eq!(is_noted(deposit(1, "b", (1, 2), 1)), Ok(()));
    assert_eq!(is_noted(deposit(2, "a", (1, 2), 1)), Ok(()), "its own");
    assert_eq!(ledger(store).len(), 2, "nothing else was written");
    assert_eq!(balances(store)[0], (Account::Funds, Micros(10)));
    // The key of a message is another.
    let message = Accept {
        idempotency: Some(IdempotencyKey {
            key: "a".into(),
            fields: vec![("to", 1)],
        }),
        ..sent_at_once(phone(1), at(2))
    };
    accept(store, message);
    assert_eq!(is_noted(deposit(1, "a", (1, 2), day)), Ok(()), "forgotten");
    assert_eq!(is_noted(deposit(1, "a", (1, 2), day)), Err(None));
    let keys_before = at(day);
    let prune = Op::Prune {
        keys_before,
        receipts_before: at(0),
        limit: 1,
    };
    commit(store, prune);
    assert_eq!(is_noted(deposit(1, "b", (1, 2), 2)), Ok(()), "pruned");
    assert_eq!(is_noted(deposit(2, "a", (1, 2), 2)), Err(None));
}

pub fn a_corrected_price_is_booked_as_the_difference(store: &dyn Store) {
    let id = charged(store, 1, "a", at(1));
    let bill = |cost| {
        Op::Billed(Billed {
            message: id,
            attempt: 1,
            route: SMS,
            cost: Micros(cost),
            at: at(2),
            epoch: OWNER,
        })
    };
    for cost in [50_000, 50_000, 20_000] {
        commit(store, bill(cost));
    }
    let amounts: Vec<i64> = ledger(store).iter().map(|it| it.posting.amount.0).collect();
    assert_eq!(amounts, [-30_000, 15_000, 35_000]);
    assert_eq!(balances(store)[1], (Account::Charges(SMS), Micros(20_000)));
    assert_eq!(on_route(store).1.spend, Micros(20_000));
}

pub fn the_ledger_is_read_page_by_page_and_a_projects_own(store: &dyn Store) {
    for (project, amount) in [(1, 1), (1, 2), (2, 3), (1, 4)] {
        commit(
            store,
            Op::Deposit(Deposit {
                project: ProjectKey(project),
                amount: Micros(amount),
                note: None,
                at: at(amount),
                idempotency: None,
            }),
        );
    }
    let mut filter = LedgerFilter {
        project: PROJECT,
        before: None,
        limit: 2,
    };
    let mut pages = Vec::new();
    loop {
        let page = ask(store.ledger(filter));
        let Some(last) = page.last() else { break };
        filter.before = Some(last.seq);
        pages.push(
            page.iter()
                .map(|it| it.posting.amount.0)
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(pages, [vec![4, 2], vec![1]]);
    let other = ask(store.balances(ProjectKey(2)));
    assert_eq!(other[0], (Account::Funds, Micros(3)));
}

/// All tallies of the project, kept apart by these.
fn asked(by: TallyGroups) -> TallyFilter {
    TallyFilter {
        project: PROJECT,
        from: Timestamp::from_millis(0),
        until: at(0).plus(Millis::days(400)),
        route: None,
        sender: None,
        country: None,
        class: None,
        campaign: None,
        by,
        limit: 100,
    }
}

fn tallies(store: &dyn Store, by: TallyGroups) -> Vec<TallyRow> {
    ask(store.tallies(asked(by)))
}

pub fn attempts_are_tallied_by_the_hour_in_which_they_were_sent(store: &dyn Store) {
    let start = Timestamp::from_millis(500 * HOUR.get());
    charged(store, 1, "a", start);
    // Delivered in the next hour.
    let later = start.plus(HOUR);
    commit(store, op(receipt("a", ReceiptState::Delivered, later)));
    charged(store, 2, "b", later);
    let failed = ReceiptState::Failed(failure(FailureClass::Undeliverable));
    commit(store, op(receipt("b", failed, later.plus(Millis::new(5)))));
    let rows = tallies(
        store,
        TallyGroups {
            hour: true,
            ..TallyGroups::default()
        },
    );
    let sent = Tally {
        sent: 1,
        segments: 1,
        cost: COST,
        ..Tally::NONE
    };
    let want = [
        (
            Some(start),
            Tally {
                delivered: 1,
                delivery_time: HOUR,
                ..sent
            },
        ),
        (Some(later), Tally { failed: 1, ..sent }),
    ];
    let found: Vec<_> = rows.iter().map(|it| (it.hour, it.tally)).collect();
    assert_eq!(found, want);
}

pub fn tallies_are_added_up_by_what_is_asked_for(store: &dyn Store) {
    for (who, name, country) in [(1, "a", "RO"), (2, "b", "RO"), (3, "c", "DE")] {
        let planned = PlannedAttempt {
            country: CountryCode::parse(country),
            ..within(at(0), None, None)
        };
        let (id, _) = accept(store, first(FirstStep::Send(planned), phone(who), at(0)));
        commit(
            store,
            Op::Submitted(Box::new(submitted(id, taken(name), at(1)))),
        );
    }
    let all = tallies(store, TallyGroups::default());
    assert_eq!(all.len(), 1);
    assert_eq!(
        (all[0].tally.sent, all[0].route, all[0].country),
        (3, None, None)
    );
    let by = TallyGroups {
        country: true,
        route: true,
        ..TallyGroups::default()
    };
    let found: Vec<_> = tallies(store, by)
        .iter()
        .map(|it| (it.route, it.country.flatten(), it.tally.sent))
        .collect();
    let country = CountryCode::parse;
    let want = [(Some(SMS), country("DE"), 1), (Some(SMS), country("RO"), 2)];
    assert_eq!(found, want);
    let elsewhere = ask(store.tallies(TallyFilter {
        route: Some(RouteKey(99)),
        ..asked(by)
    }));
    assert_eq!(elsewhere, []);
}

pub fn tallies_may_be_those_of_one_traffic_class(store: &dyn Store) {
    charged(store, 1, "a", at(0));
    let of = |class| {
        let rows = ask(store.tallies(TallyFilter {
            class,
            ..asked(TallyGroups::default())
        }));
        rows.iter().map(|it| it.tally.sent).collect::<Vec<_>>()
    };
    assert_eq!(of(Some(TrafficClass::Direct)), [1]);
    assert!(of(Some(TrafficClass::Bulk)).is_empty());
    assert_eq!(of(None), [1]);
}

pub fn a_campaign_has_sums_of_its_own_and_its_messages_say_it(store: &dyn Store) {
    let named = |project, name: &str| {
        let campaign = Registered::Campaign(project, name.into());
        CampaignKey(ask(store.register(campaign, at(0))).0)
    };
    let (spring, summer) = (named(PROJECT, "spring"), named(PROJECT, "summer"));
    assert_eq!(named(PROJECT, "spring"), spring);
    named(ProjectKey(2), "elsewhere");
    for (who, name, campaign) in [
        (1, "a", None),
        (2, "b", Some((spring, "spring"))),
        (3, "c", Some((summer, "summer"))),
        (4, "d", Some((spring, "spring"))),
    ] {
        let mut it = limited(who, at(0), messages(99));
        it.message.campaign = campaign.map(|(key, name)| Campaign {
            key,
            name: name.into(),
        });
        let (id, _) = accept(store, it.clone());
        let kept = ask(store.outbound(id)).unwrap().message.campaign;
        assert_eq!(kept, it.message.campaign);
        let taken = submitted(id, taken(name), at(1));
        commit(store, Op::Submitted(Box::new(taken)));
    }
    let by = TallyGroups {
        campaign: true,
        ..TallyGroups::default()
    };
    let found: Vec<_> = tallies(store, by)
        .iter()
        .map(|it| (it.campaign.unwrap(), it.tally.sent))
        .collect();
    assert_eq!(found, [(None, 1), (Some(spring), 2), (Some(summer), 1)]);
    let of_spring = ask(store.tallies(TallyFilter {
        campaign: Some(spring),
        ..asked(TallyGroups::default())
    }));
    assert_eq!((of_spring.len(), of_spring[0].tally.sent), (1, 2));
    let names = ask(store.campaigns(PROJECT));
    let want = [(spring, "spring".into()), (summer, "summer".into())];
    assert_eq!(names, want);
}
