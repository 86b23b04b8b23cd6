//! R-QUOTA-1: a quota is never exceeded by even one. R-QUOTA-2: it comes back when the period turns.

use domain::model::money::Micros;
use domain::model::quota::{Meter, Period, Periods, Quota, QuotaUnit, Quotas, Use};
use domain::rules::quota::{
    SMALLEST, exceeded, is_used_up, left, percent, rebook, reserve, too_small, turned,
};
use domain::time::{Millis, Timestamp};
use proptest::prelude::*;

const DAY: Millis = Millis::days(1);

fn periods(now: Timestamp) -> Periods {
    let start =
        |span: Millis| Timestamp::from_millis(now.as_millis().div_euclid(span.get()) * span.get());
    let hour = start(Millis::hours(1));
    Periods {
        hour,
        day: start(DAY),
        month: start(Millis::days(30)),
        until: hour.plus(Millis::hours(1)),
    }
}

fn limit(per: Period, unit: QuotaUnit, limit: i64) -> Quota {
    Quota { per, unit, limit }
}

fn message(segments: i64, spend: i64) -> Use {
    Use {
        messages: 1,
        segments,
        spend: Micros(spend),
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(0)
        .plus(DAY)
        .plus(Millis::seconds(seconds))
}

#[test]
fn the_last_one_fits_and_the_next_does_not() {
    for (quota, need) in [
        (limit(Period::Hour, QuotaUnit::Messages, 3), message(5, 7)),
        (limit(Period::Day, QuotaUnit::Segments, 15), message(5, 7)),
        (limit(Period::Month, QuotaUnit::Spend, 21), message(5, 7)),
    ] {
        let limits = Quotas::new([quota]);
        let mut meter = turned(Meter::default(), &periods(at(0)));
        for _ in 0..3 {
            assert_eq!(reserve(&mut meter, &limits, 100, need), Ok(()));
        }
        let full = meter;
        assert_eq!(reserve(&mut meter, &limits, 100, need), Err(quota));
        assert_eq!(meter, full, "a refused reservation changes nothing");
    }
}

#[test]
fn a_message_that_is_free_fits_into_a_spend_that_is_used_up() {
    let limits = Quotas::new([limit(Period::Day, QuotaUnit::Spend, 0)]);
    assert_eq!(
        exceeded(&Meter::default(), &limits, 100, message(1, 0)),
        None
    );
    assert!(exceeded(&Meter::default(), &limits, 100, message(1, 1)).is_some());
}

#[test]
fn each_period_turns_by_itself() {
    let limits = Quotas::new([
        limit(Period::Hour, QuotaUnit::Messages, 1),
        limit(Period::Day, QuotaUnit::Messages, 2),
    ]);
    let mut meter = turned(Meter::default(), &periods(at(0)));
    assert_eq!(reserve(&mut meter, &limits, 100, message(1, 0)), Ok(()));
    let refused = reserve(&mut meter, &limits, 100, message(1, 0));
    assert_eq!(refused.map_err(|it| it.per), Err(Period::Hour));

    meter = turned(meter, &periods(at(3_600)));
    assert_eq!(reserve(&mut meter, &limits, 100, message(1, 0)), Ok(()));
    meter = turned(meter, &periods(at(7_200)));
    let refused = reserve(&mut meter, &limits, 100, message(1, 0));
    assert_eq!(refused.map_err(|it| it.per), Err(Period::Day));

    meter = turned(meter, &periods(at(24 * 3_600)));
    assert_eq!(reserve(&mut meter, &limits, 100, message(1, 0)), Ok(()));
}

#[test]
fn a_clock_that_steps_back_counts_in_the_period_that_has_begun() {
    let limits = Quotas::new([limit(Period::Hour, QuotaUnit::Messages, 1)]);
    let mut meter = turned(Meter::default(), &periods(at(3_600)));
    assert_eq!(reserve(&mut meter, &limits, 100, message(1, 0)), Ok(()));
    meter = turned(meter, &periods(at(3_599)));
    assert!(reserve(&mut meter, &limits, 100, message(1, 0)).is_err());
}

#[test]
fn what_is_released_after_the_turn_gives_the_new_period_nothing() {
    let limits = Quotas::new([
        limit(Period::Hour, QuotaUnit::Messages, 1),
        limit(Period::Day, QuotaUnit::Messages, 5),
    ]);
    let mut meter = turned(Meter::default(), &periods(at(3_000)));
    assert_eq!(reserve(&mut meter, &limits, 100, message(1, 0)), Ok(()));
    meter = turned(meter, &periods(at(3_700)));
    assert_eq!(reserve(&mut meter, &limits, 100, message(1, 0)), Ok(()));
    rebook(
        &mut meter,
        at(3_000),
        Use::NONE.minus(message(1, 0)),
        Use::NONE,
    );
    assert_eq!(meter.hour.used().messages, 1, "the earlier hour is over");
    assert_eq!(meter.day.used().messages, 1, "the day is not");
    assert_eq!(left(&limits.all()[1], meter.day.used().messages), 4);
}

#[test]
fn bulk_leaves_a_gateway_its_reserve() {
    let limits = Quotas::new([limit(Period::Month, QuotaUnit::Messages, 10)]);
    let mut meter = Meter::default();
    for _ in 0..5 {
        assert_eq!(reserve(&mut meter, &limits, 50, message(1, 0)), Ok(()));
    }
    assert!(reserve(&mut meter, &limits, 50, message(1, 0)).is_err());
    assert_eq!(reserve(&mut meter, &limits, 100, message(1, 0)), Ok(()));
}

#[test]
fn a_quota_is_used_up_once_not_even_the_smallest_message_fits() {
    let (count, spend) = (
        limit(Period::Hour, QuotaUnit::Messages, 100),
        limit(Period::Month, QuotaUnit::Spend, 1_000),
    );
    let cheapest = |spend| Use { spend, ..SMALLEST };
    for (quota, used, smallest, want) in [
        (count, 99, SMALLEST, false),
        (count, 100, SMALLEST, true),
        (spend, 960, SMALLEST, false),
        (spend, 960, cheapest(Micros(40)), false),
        (spend, 960, cheapest(Micros(41)), true),
        // A settled excess is booked, and closes the route.
        (spend, 1_200, SMALLEST, true),
    ] {
        let found = is_used_up(&quota, used, smallest);
        assert_eq!(found, want, "{used} of {quota:?}");
    }
    assert_eq!(percent(1_200, 1_000), 120);
}

#[test]
fn a_message_that_is_more_than_a_whole_quota_never_fits_whatever_is_used() {
    let limits = Quotas::new([
        limit(Period::Hour, QuotaUnit::Segments, 3),
        limit(Period::Day, QuotaUnit::Spend, 100),
    ]);
    for (need, share, want) in [
        (message(3, 100), 100, None),
        (message(4, 100), 100, Some(QuotaUnit::Segments)),
        (message(3, 101), 100, Some(QuotaUnit::Spend)),
        // Half of three is one.
        (message(1, 50), 50, None),
        (message(2, 50), 50, Some(QuotaUnit::Segments)),
        (message(1, 51), 50, Some(QuotaUnit::Spend)),
        (message(1, 0), 0, Some(QuotaUnit::Segments)),
    ] {
        let found = too_small(&limits, share, need).map(|it| it.unit);
        assert_eq!(found, want, "{need:?} of {share} %");
    }
    let closed = Quotas::new([limit(Period::Hour, QuotaUnit::Messages, 0)]);
    assert_eq!(too_small(&closed, 100, SMALLEST), None, "it is closed");
}

#[derive(Debug, Clone)]
enum Step {
    Reserve(i64),
    Settle(usize),
    Release(usize),
    Wait(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (1_i64..4).prop_map(Step::Reserve),
        2 => any::<usize>().prop_map(Step::Settle),
        2 => any::<usize>().prop_map(Step::Release),
        1 => (1_i64..5_000).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 0..200)
}

proptest! {
    /// Against a list of every reservation: what counts is exactly what was reserved in the period
    /// and was not released, and it never exceeds a limit.
    #[test]
    fn no_limit_is_ever_exceeded_and_nothing_is_lost(steps in steps()) {
        let limits = Quotas::new([
            limit(Period::Hour, QuotaUnit::Messages, 7),
            limit(Period::Day, QuotaUnit::Segments, 25),
        ]);
        let mut now = at(0);
        let mut meter = Meter::default();
        // When it was reserved, how much, and whether it is settled.
        let mut held: Vec<(Timestamp, Use, bool)> = Vec::new();
        for step in steps {
            meter = turned(meter, &periods(now));
            match step {
                Step::Reserve(segments) => {
                    let need = message(segments, 0);
                    if reserve(&mut meter, &limits, 100, need).is_ok() {
                        held.push((now, need, false));
                    }
                }
                Step::Settle(which) => {
                    let open: Vec<usize> =
                        (0..held.len()).filter(|it| !held[*it].2).collect();
                    if let Some(place) = open.get(which % open.len().max(1)) {
                        let it = &mut held[*place];
                        it.2 = true;
                        rebook(&mut meter, it.0, Use::NONE.minus(it.1), it.1);
                    }
                }
                Step::Release(which) => {
                    let open: Vec<usize> =
                        (0..held.len()).filter(|it| !held[*it].2).collect();
                    if let Some(place) = open.get(which % open.len().max(1)) {
                        let it = held.remove(*place);
                        rebook(&mut meter, it.0, Use::NONE.minus(it.1), Use::NONE);
                    }
                }
                Step::Wait(seconds) => now = now.plus(Millis::seconds(seconds)),
            }
            for quota in limits.all() {
                prop_assert!(meter.span(quota.per).used().of(quota.unit) <= quota.limit);
            }
            for per in Period::ALL {
                let span = meter.span(per);
                let sum = |settled| {
                    let counts = held.iter().filter(|it| it.0 >= span.began && it.2 == settled);
                    counts.fold(Use::NONE, |sum, it| sum.plus(it.1))
                };
                prop_assert_eq!(span.reserved, sum(false), "{:?}", per);
                prop_assert_eq!(span.settled, sum(true), "{:?}", per);
            }
        }
    }
}
