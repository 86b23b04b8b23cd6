//! Quotas, the ledger and the tallies ([`books`](crate::store::books)).

use domain::ids::{ProjectKey, RouteKey};
use domain::model::attempt::PlannedAttempt;
use domain::model::channel::Channel;
use domain::model::failure::FailureClass;
use domain::model::ledger::{Account, Movement};
use domain::model::money::Micros;
use domain::model::quota::{
    Meter, MeterOf, Period, Periods, Quota, QuotaUnit, Quotas, Reservation, Use,
};
use domain::model::receipt::{ReceiptState, SubmitOutcome};
use domain::model::route::PriceUnit;
use domain::model::tally::Tally;
use domain::model::tariff::{Tariff, Tier, Tiers};
use domain::phone::CountryCode;
use domain::time::{Millis, Timestamp};

use super::kit::*;
use crate::store::books::{
    Deposit, LedgerEntry, LedgerFilter, QuotaGone, TallyFilter, TallyGroups, TallyRow,
};
use crate::store::consent::{Consent, ConsentSubject, Towards};
use crate::store::messages::IdempotencyKey;
use crate::store::operations::{Accept, Billed, FirstStep, PlanStep, Release};
use crate::store::{Op, Outcome, Store};
use domain::model::consent::{ConsentChange, ConsentScope, ConsentSource};

const HOUR: Millis = Millis::hours(1);
const COST: Micros = Micros(35_000);

fn quota(per: Period, unit: QuotaUnit, limit: i64) -> Quota {
    Quota { per, unit, limit }
}

fn messages(limit: i64) -> Quota {
    quota(Period::Hour, QuotaUnit::Messages, limit)
}

fn reservation(now: Timestamp, route: Quotas, project: Quotas) -> Reservation {
    let began =
        |span: Millis| Timestamp::from_millis(now.as_millis().div_euclid(span.get()) * span.get());
    Reservation {
        at: now,
        periods: Periods {
            hour: began(HOUR),
            day: began(Millis::days(1)),
            month: began(Millis::days(30)),
            until: began(HOUR).plus(HOUR),
        },
        route,
        share_percent: 100,
        project,
        tariff: None,
    }
}

fn within(now: Timestamp, route: Option<Quota>, project: Option<Quota>) -> PlannedAttempt {
    PlannedAttempt {
        country: CountryCode::parse("RO"),
        reservation: reservation(now, Quotas::new(route), Quotas::new(project)),
        ..planned(Channel::Sms, SMS)
    }
}

/// A text to person `who`, sent at once within this quota of its route.
fn limited(who: u32, now: Timestamp, quota: Quota) -> Accept {
    let planned = within(now, Some(quota), None);
    first(FirstStep::Send(planned), phone(who), now)
}

fn accepts(store: &dyn Store, accept: Accept) -> Outcome {
    commit(store, Op::Accept(Box::new(accept)))
}

fn meter(store: &dyn Store, of: MeterOf) -> Meter {
    let meters = ask(store.meters());
    let found = meters.into_iter().find(|it| it.0 == of);
    found.map(|it| it.1).unwrap_or_default()
}

fn on_route(store: &dyn Store) -> (Use, Use) {
    let span = meter(store, MeterOf::Route(SMS)).hour;
    (span.reserved, span.settled)
}

fn one() -> Use {
    Use {
        messages: 1,
        segments: 1,
        spend: COST,
    }
}

pub fn what_is_handed_to_a_route_is_reserved_and_settled_by_its_outcome(store: &dyn Store) {
    let (id, _) = accept(store, limited(1, at(0), messages(9)));
    assert_eq!(on_route(store), (one(), Use::NONE));
    commit(
        store,
        Op::Submitted(Box::new(submitted(id, taken("a"), at(1)))),
    );
    assert_eq!(on_route(store), (Use::NONE, one()));
    let of_project = meter(store, MeterOf::Project(PROJECT));
    assert_eq!(of_project, meter(store, MeterOf::Route(SMS)));
    assert_eq!(of_project.day.settled, one());
    assert_eq!(of_project.month.settled, one());
    commit(store, op(receipt("a", ReceiptState::Delivered, at(2))));
    commit(store, op(receipt("a", ReceiptState::Delivered, at(3))));
    assert_eq!(on_route(store), (Use::NONE, one()));
}

pub fn what_the_provider_did_not_take_is_released(store: &dyn Store) {
    let refused = SubmitOutcome::NotAccepted(failure(FailureClass::RouteFault));
    let (id, _) = accept(store, limited(1, at(0), messages(9)));
    commit(
        store,
        Op::Submitted(Box::new(submitted(id, refused, at(1)))),
    );
    assert_eq!(on_route(store), (Use::NONE, Use::NONE));
    let (id, _) = accept(store, limited(2, at(2), messages(9)));
    let release = Release {
        message: id,
        attempt: 1,
        at: at(3),
        epoch: OWNER,
    };
    commit(store, Op::Release(release));
    assert_eq!(on_route(store), (Use::NONE, Use::NONE));
}

pub fn a_quota_takes_the_last_message_and_not_the_next(store: &dyn Store) {
    for who in 1..=3 {
        accept(store, limited(who, at(0), messages(3)));
    }
    let before = everything(store);
    let gone = QuotaGone {
        of: MeterOf::Route(SMS),
        quota: messages(3),
    };
    match accepts(store, limited(4, at(1), messages(3))) {
        Outcome::QuotaGone(found) => assert_eq!(found, gone),
        other => panic!("{other:?}"),
    }
    assert_eq!(everything(store), before, "nothing was written");
    assert_eq!(facts(store, phone(4)).id, None);
}

/// What a refused message would change.
fn everything(store: &dyn Store) -> String {
    let meters = ask(store.meters());
    let lanes = ask(store.lanes());
    let due = ask(store.next_due());
    format!(
        "{meters:?} {lanes:?} {due:?} {:?}",
        ask(store.newest_event())
    )
}

pub fn a_plan_without_room_writes_nothing(store: &dyn Store) {
    accept(store, limited(1, at(0), messages(1)));
    let (id, _) = accept(store, waiting(phone(2), at(1)));
    let (before, progress_before) = (everything(store), progress(store, id));
    let step = PlanStep::Start(within(at(2), Some(messages(1)), None));
    let outcome = commit(store, plan(id, progress_before.version, step, at(2)));
    assert!(matches!(outcome, Outcome::QuotaGone(_)), "{outcome:?}");
    assert_eq!(progress(store, id), progress_before);
    assert_eq!(everything(store), before);
    let step = PlanStep::Start(within(at(2), Some(messages(2)), None));
    let outcome = commit(store, plan(id, progress_before.version, step, at(2)));
    assert!(matches!(outcome, Outcome::Changed(_)), "{outcome:?}");
    assert_eq!(on_route(store).0.messages, 2);
}

pub fn a_project_counts_all_its_routes(store: &dyn Store) {
    let spend = quota(Period::Day, QuotaUnit::Spend, 2 * COST.0);
    for (who, route) in [(1, SMS), (2, WHATSAPP)] {
        let planned = PlannedAttempt {
            route,
            ..within(at(0), None, Some(spend))
        };
        accept(store, first(FirstStep::Send(planned), phone(who), at(0)));
    }
    let third = first(
        FirstStep::Send(within(at(1), None, Some(spend))),
        phone(3),
        at(1),
    );
    match accepts(store, third) {
        Outcome::QuotaGone(gone) => assert_eq!(gone.of, MeterOf::Project(PROJECT)),
        other => panic!("{other:?}"),
    }
    let used = meter(store, MeterOf::Project(PROJECT)).day.used();
    assert_eq!(used.spend, Micros(2 * COST.0));
}

pub fn a_quota_comes_back_when_its_period_turns(store: &dyn Store) {
    let start = Timestamp::from_millis(500 * HOUR.get());
    accept(store, limited(1, start, messages(1)));
    let last = start.plus(Millis::new(HOUR.get() - 1));
    let refused = accepts(store, limited(2, last, messages(1)));
    assert!(matches!(refused, Outcome::QuotaGone(_)), "{refused:?}");
    accept(store, limited(2, start.plus(HOUR), messages(1)));
    // A clock that steps back finds the new hour used up.
    let refused = accepts(store, limited(3, last, messages(1)));
    assert!(matches!(refused, Outcome::QuotaGone(_)), "{refused:?}");
}

pub fn an_opted_out_contact_uses_up_no_quota(store: &dyn Store) {
    let consent = Consent {
        project: PROJECT,
        who: ConsentSubject::Address(phone(1).into()),
        towards: Towards::Senders(vec![SENDER]),
        change: ConsentChange {
            opted_out: true,
            scope: ConsentScope::Everything,
            only_if_out: false,
            wording: "STOP".into(),
        },
        source: ConsentSource::Api,
        channel: None,
        at: at(0),
    };
    commit(store, Op::Consent(Box::new(consent)));
    let outcome = accepts(store, limited(1, at(1), messages(1)));
    assert!(matches!(outcome, Outcome::OptedOut), "{outcome:?}");
    assert_eq!(on_route(store), (Use::NONE, Use::NONE));
    accept(store, limited(2, at(2), messages(1)));
}

pub fn bulk_stops_at_its_share_of_a_quota(store: &dyn Store) {
    let bulk = |who: u32| {
        let mut planned = within(at(0), Some(messages(4)), None);
        planned.reservation.share_percent = 50;
        first(FirstStep::Send(planned), phone(who), at(0))
    };
    accept(store, bulk(1));
    accept(store, bulk(2));
    let refused = accepts(store, bulk(3));
    assert!(matches!(refused, Outcome::QuotaGone(_)), "{refused:?}");
    accept(store, limited(4, at(1), messages(4)));
}

/// Segments at 10,000, and at 4,000 after the third of a month.
fn by_volume(who: u32, now: Timestamp, parts: u16, project: Option<Quota>) -> Accept {
    let mut planned = within(now, None, project);
    planned.parts = parts;
    // What the plan took it for does not matter.
    planned.estimated_cost = Micros(1);
    planned.reservation.tariff = Some(Tariff {
        amount: Micros(10_000),
        tiers: Tiers::new([Tier {
            above: 3,
            amount: Micros(4_000),
        }]),
        unit: PriceUnit::Segment,
    });
    first(FirstStep::Send(planned), phone(who), now)
}

/// What it is booked at, once it is accepted.
fn price(store: &dyn Store, accept: Accept) -> (domain::ids::MessageId, i64, Option<i64>) {
    let outcome = accepts(store, accept);
    let Outcome::Accepted { message, cost, .. } = outcome else {
        panic!("{outcome:?}")
    };
    let attempt = progress(store, message).attempts.remove(0);
    assert_eq!(Some(attempt.estimated_cost), cost);
    (message, attempt.estimated_cost.0, attempt.used_before)
}

pub fn a_price_by_volume_is_that_of_the_moment_in_which_its_place_is_taken(store: &dyn Store) {
    let (first, cost, before) = price(store, by_volume(1, at(0), 1, None));
    assert_eq!((cost, before), (10_000, Some(0)));
    let (_, cost, before) = price(store, by_volume(2, at(0), 3, None));
    assert_eq!((cost, before), (24_000, Some(1)), "two and one");
    let (third, cost, before) = price(store, by_volume(3, at(0), 1, None));
    assert_eq!((cost, before), (4_000, Some(4)));
    assert_eq!(on_route(store).0.spend, Micros(38_000));
    let taken = submitted(first, taken("a"), at(1));
    commit(store, Op::Submitted(Box::new(taken)));
    assert_eq!(
        progress(store, first).attempts[0].settled_cost,
        Some(Micros(10_000))
    );
    // What was not taken leaves its place to the next one.
    let refused = SubmitOutcome::NotAccepted(failure(FailureClass::RouteFault));
    commit(
        store,
        Op::Submitted(Box::new(submitted(third, refused, at(1)))),
    );
    let (_, cost, before) = price(store, by_volume(4, at(2), 1, None));
    assert_eq!((cost, before), (4_000, Some(4)));
    // A month later it all begins again.
    let month = at(0).plus(Millis::days(31));
    let (_, cost, before) = price(store, by_volume(5, month, 3, None));
    assert_eq!((cost, before), (30_000, Some(0)));
}

pub fn a_plan_is_priced_by_the_volume_of_its_moment_too(store: &dyn Store) {
    price(store, by_volume(1, at(0), 2, None));
    let (id, _) = accept(store, waiting(phone(2), at(1)));
    let FirstStep::Send(planned) = by_volume(2, at(2), 2, None).first else {
        panic!("it is sent")
    };
    let step = PlanStep::Start(planned.clone());
    change(store, plan(id, progress(store, id).version, step, at(2)));
    let attempt = progress(store, id).attempts.remove(0);
    assert_eq!(attempt.estimated_cost, Micros(14_000));
    assert_eq!(attempt.used_before, Some(2));
    assert_eq!(on_route(store).0.spend, Micros(34_000));
    // Throttled, it gives its place away, and goes on at the price of the next.
    let throttled = SubmitOutcome::NotAccepted(failure(FailureClass::Throttled));
    commit(
        store,
        Op::Submitted(Box::new(submitted(id, throttled, at(3)))),
    );
    price(store, by_volume(3, at(4), 1, None));
    let step = PlanStep::Continue(planned);
    change(store, plan(id, progress(store, id).version, step, at(5)));
    let attempt = progress(store, id).attempts.remove(0);
    assert_eq!(attempt.estimated_cost, Micros(8_000));
    assert_eq!(attempt.used_before, Some(3));
    assert_eq!(on_route(store).0.spend, Micros(38_000));
}

pub fn a_spend_quota_counts_what_the_volume_makes_of_a_price(store: &dyn Store) {
    let spend = Some(quota(Period::Day, QuotaUnit::Spend, 33_999));
    price(store, by_volume(1, at(0), 2, spend));
    let before = everything(store);
    let refused = accepts(store, by_volume(2, at(1), 2, spend));
    assert!(matches!(refused, Outcome::QuotaGone(_)), "{refused:?}");
    assert_eq!(everything(store), before);
    price(store, by_volume(2, at(1), 1, spend));
}

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

fn tallies(store: &dyn Store, by: TallyGroups) -> Vec<TallyRow> {
    ask(store.tallies(TallyFilter {
        project: PROJECT,
        from: Timestamp::from_millis(0),
        until: at(0).plus(Millis::days(400)),
        route: None,
        sender: None,
        country: None,
        by,
        limit: 100,
    }))
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
        project: PROJECT,
        from: Timestamp::from_millis(0),
        until: at(0).plus(Millis::days(400)),
        route: Some(RouteKey(99)),
        sender: None,
        country: None,
        by,
        limit: 100,
    }));
    assert_eq!(elsewhere, []);
}
