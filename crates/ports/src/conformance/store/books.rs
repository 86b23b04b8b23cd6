//! Quotas, and prices that go by use ([`books`](crate::store::books)).

use domain::ids::{MessageId, VolumeKey};
use domain::model::attempt::PlannedAttempt;
use domain::model::channel::Channel;
use domain::model::failure::FailureClass;
use domain::model::money::Micros;
use domain::model::quota::{
    Meter, MeterOf, Period, Periods, Quota, QuotaUnit, Quotas, Reservation, Use,
};
use domain::model::receipt::{ReceiptState, SubmitOutcome};
use domain::model::route::{OnUnknown, PriceUnit};
use domain::model::tariff::{Tariff, Tier, Tiers};
use domain::phone::CountryCode;
use domain::time::{Millis, Timestamp};

use super::kit::*;
use crate::store::books::QuotaGone;
use crate::store::consent::{Consent, ConsentSubject, Towards};
use crate::store::operations::{Accept, FirstStep, PlanStep, Release, Settle};
use crate::store::{Op, Outcome, Store};
use domain::model::consent::{ConsentChange, ConsentScope, ConsentSource};

pub(super) const HOUR: Millis = Millis::hours(1);
pub(super) const COST: Micros = Micros(35_000);

pub(super) fn quota(per: Period, unit: QuotaUnit, limit: i64) -> Quota {
    Quota { per, unit, limit }
}

pub(super) fn messages(limit: i64) -> Quota {
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
        volume: None,
        tariff: None,
    }
}

pub(super) fn within(
    now: Timestamp,
    route: Option<Quota>,
    project: Option<Quota>,
) -> PlannedAttempt {
    PlannedAttempt {
        country: CountryCode::parse("RO"),
        reservation: reservation(now, Quotas::new(route), Quotas::new(project)),
        ..planned(Channel::Sms, SMS)
    }
}

/// A text to person `who`, sent at once within this quota of its route.
pub(super) fn limited(who: u32, now: Timestamp, quota: Quota) -> Accept {
    let planned = within(now, Some(quota), None);
    first(FirstStep::Send(planned), phone(who), now)
}

pub(super) fn accepts(store: &dyn Store, accept: Accept) -> Outcome {
    commit(store, Op::Accept(Box::new(accept)))
}

fn meter(store: &dyn Store, of: MeterOf) -> Meter {
    let meters = ask(store.meters());
    let found = meters.into_iter().find(|it| it.0 == of);
    found.map(|it| it.1).unwrap_or_default()
}

pub(super) fn on_route(store: &dyn Store) -> (Use, Use) {
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

/// A message of three parts within these segments an hour, of which the provider took the first and did
/// not get the others; it waits to go on.
fn partly_taken(store: &dyn Store, start: Timestamp, segments: i64) -> MessageId {
    let mut planned = of_segments(start, segments);
    planned.parts = 3;
    let (id, _) = accept(store, first(FirstStep::Send(planned), phone(1), start));
    let outcome = SubmitOutcome::PartlyAccepted {
        references: vec![part(0, "a0")],
        failure: failure(FailureClass::RouteFault),
        retriable: true,
    };
    let answer = submitted(id, outcome, start.plus(Millis::seconds(1)));
    commit(store, Op::Submitted(Box::new(answer)));
    id
}

fn of_segments(now: Timestamp, segments: i64) -> PlannedAttempt {
    within(
        now,
        Some(quota(Period::Hour, QuotaUnit::Segments, segments)),
        None,
    )
}

fn goes_on(store: &dyn Store, id: MessageId, now: Timestamp, segments: i64) -> Outcome {
    let step = PlanStep::Continue(PlannedAttempt {
        parts: 3,
        ..of_segments(now, segments)
    });
    let version = progress(store, id).version;
    commit(store, plan(id, version, step, now))
}

pub fn the_rest_of_a_message_keeps_its_place_for_the_hour(store: &dyn Store) {
    let start = Timestamp::from_millis(500 * HOUR.get());
    let id = partly_taken(store, start, 3);
    let outcome = goes_on(store, id, start.plus(Millis::seconds(9)), 3);
    assert!(matches!(outcome, Outcome::Changed(_)), "{outcome:?}");
    assert_eq!(on_route(store).0.segments, 3);
}

pub fn the_rest_of_a_message_needs_a_place_in_the_hour_in_which_it_goes_on(store: &dyn Store) {
    let start = Timestamp::from_millis(500 * HOUR.get());
    let next = start.plus(HOUR);
    let id = partly_taken(store, start, 3);
    let mut others = of_segments(next, 3);
    others.parts = 2;
    accept(store, first(FirstStep::Send(others), phone(2), next));
    let (before, waits) = (everything(store), progress(store, id));
    let outcome = goes_on(store, id, next, 3);
    assert!(matches!(outcome, Outcome::QuotaGone(_)), "{outcome:?}");
    assert_eq!((everything(store), progress(store, id)), (before, waits));
    let outcome = goes_on(store, id, next, 4);
    assert!(matches!(outcome, Outcome::Changed(_)), "{outcome:?}");
    let of_route = meter(store, MeterOf::Route(SMS));
    assert_eq!(of_route.hour.reserved.segments, 4);
    assert_eq!(of_route.hour.reserved.messages, 1, "it is no message more");
    assert_eq!(
        of_route.day.reserved.segments, 5,
        "its place of before is given back"
    );
}

pub fn the_rest_of_a_message_of_unknown_outcome_is_reserved_anew_to_be_sent_again(
    store: &dyn Store,
) {
    let start = Timestamp::from_millis(500 * HOUR.get());
    let id = partly_taken(store, start, 4);
    goes_on(store, id, start.plus(Millis::seconds(9)), 4);
    let unknown = SubmitOutcome::Unknown {
        references: Vec::new(),
    };
    let answered = start.plus(Millis::seconds(10));
    commit(
        store,
        Op::Submitted(Box::new(submitted(id, unknown, answered))),
    );
    let resolve_at = progress(store, id).attempts[0]
        .resolve_at
        .unwrap_or(answered);
    let settle = Settle {
        message: id,
        version: progress(store, id).version,
        on_unknown: OnUnknown::Resend,
        at: resolve_at,
        epoch: OWNER,
    };
    commit(store, Op::Settle(settle));
    assert_eq!(on_route(store).0.segments, 3, "the doubt has the place");
    let outcome = goes_on(store, id, resolve_at, 4);
    assert!(matches!(outcome, Outcome::QuotaGone(_)), "{outcome:?}");
    let outcome = goes_on(store, id, resolve_at, 5);
    assert!(matches!(outcome, Outcome::Changed(_)), "{outcome:?}");
    assert_eq!(on_route(store).0.segments, 5);
}

pub fn the_rest_of_what_failed_is_given_back_when_it_comes_back(store: &dyn Store) {
    let start = Timestamp::from_millis(500 * HOUR.get());
    let id = partly_taken(store, start, 3);
    goes_on(store, id, start.plus(Millis::seconds(9)), 3);
    let failed = ReceiptState::Failed(failure(FailureClass::Undeliverable));
    let changed = change(
        store,
        op(receipt("a0", failed, start.plus(Millis::seconds(10)))),
    );
    assert_eq!(changed.cancelled, Some(1));
    assert_eq!(on_route(store).0.segments, 2, "it may have left");
    let release = Release {
        message: id,
        attempt: 1,
        at: start.plus(Millis::seconds(11)),
        epoch: OWNER,
    };
    commit(store, Op::Release(release));
    assert_eq!(on_route(store).0, Use::NONE);
    assert_eq!(on_route(store).1.segments, 1);
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

/// As [`by_volume`], counted in the volume of this name.
fn in_volume(name: &str, accept: Accept) -> Accept {
    let FirstStep::Send(mut planned) = accept.first.clone() else {
        panic!("it is sent")
    };
    planned.reservation.volume = Some(VolumeKey::of(name));
    Accept {
        first: FirstStep::Send(planned),
        ..accept
    }
}

fn carried(store: &dyn Store, name: &str) -> Use {
    let of = MeterOf::Volume(SMS, VolumeKey::of(name));
    meter(store, of).month.used()
}

pub fn a_price_that_names_a_volume_goes_by_that_and_by_nothing_else(store: &dyn Store) {
    price(store, by_volume(1, at(0), 3, None));
    let bought = |who, name, parts| {
        let it = in_volume(name, by_volume(who, at(0), parts, None));
        price(store, it)
    };
    let (a, cost, before) = bought(2, "a", 2);
    assert_eq!((cost, before), (20_000, Some(0)));
    let (_, cost, before) = bought(3, "a", 2);
    assert_eq!((cost, before), (14_000, Some(2)));
    let (_, cost, before) = bought(4, "b", 1);
    assert_eq!((cost, before), (10_000, Some(0)));
    assert_eq!(
        (carried(store, "a").segments, carried(store, "b").segments),
        (4, 1)
    );
    let whole = meter(store, MeterOf::Route(SMS)).month.used();
    assert_eq!(
        (whole.segments, whole.messages),
        (8, 4),
        "the route counts all"
    );
    // What was not taken leaves its place in both.
    let refused = SubmitOutcome::NotAccepted(failure(FailureClass::RouteFault));
    let refused = submitted(a, refused, at(1));
    commit(store, Op::Submitted(Box::new(refused)));
    assert_eq!(carried(store, "a").segments, 2);
    assert_eq!(meter(store, MeterOf::Route(SMS)).month.used().segments, 6);
    let month = at(0).plus(Millis::days(31));
    let (_, cost, before) = price(store, in_volume("a", by_volume(5, month, 1, None)));
    assert_eq!(
        (cost, before),
        (10_000, Some(0)),
        "a month later it begins again"
    );
}

pub fn what_a_quota_refuses_counts_in_no_volume(store: &dyn Store) {
    let segments = Some(quota(Period::Day, QuotaUnit::Segments, 3));
    price(store, in_volume("a", by_volume(1, at(0), 2, segments)));
    let before = everything(store);
    let refused = accepts(store, in_volume("a", by_volume(2, at(1), 2, segments)));
    assert!(matches!(refused, Outcome::QuotaGone(_)), "{refused:?}");
    assert_eq!(everything(store), before);
    assert_eq!(carried(store, "a").segments, 2);
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
