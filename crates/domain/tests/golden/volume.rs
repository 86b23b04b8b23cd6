//! R-COST-1: prices that go by the volume of the month, and that they add up.

use std::sync::Arc;

use domain::ids::VolumeKey;
use domain::model::channel::Channel;
use domain::model::content::PriceCategory;
use domain::model::money::Micros;
use domain::model::quota::{Meter, Quotas, Use};
use domain::model::route::{Price, PriceUnit, QuotaFacts, RouteFacts};
use domain::model::tariff::{NamedVolumes, Tier, Tiers, Volumes};
use domain::rules::cost::{Size, price_of};
use domain::rules::plan::Plan;
use domain::rules::volume::next_units;
use proptest::prelude::*;

use super::world::{NOW, World, flat, number, route, up};

fn tiers(tiers: &[(i64, i64)]) -> Tiers {
    Tiers::new(tiers.iter().map(|it| Tier {
        above: it.0,
        amount: Micros(it.1),
    }))
}

fn by_volume(unit: PriceUnit) -> Price {
    Price {
        tiers: tiers(&[(10, 70), (20, 30)]),
        unit,
        ..flat(100)
    }
}

fn used(messages: i64, segments: i64) -> Use {
    Use {
        messages,
        segments,
        spend: Micros(i64::MAX),
    }
}

fn costs(line: &Price, parts: u16, used: Use) -> i64 {
    let route = route(1, Channel::Sms, None, vec![line.clone()]);
    let carried = Volumes {
        whole: used,
        named: &NamedVolumes::NONE,
    };
    let quote = price_of(&route, &number(), None, Size::Segments(parts), NOW, carried);
    quote.expect("the line fits").amount.0
}

/// The same slowly: every unit by itself.
fn unit_by_unit(amount: i64, tiers: &[(i64, i64)], used: i64, count: i64) -> i64 {
    let price = |unit: i64| {
        let tier = tiers.iter().rev().find(|it| it.0 < unit);
        tier.map_or(amount, |it| it.1)
    };
    (used + 1..=used + count).map(price).sum()
}

#[test]
fn each_segment_costs_what_its_place_in_the_month_makes_of_it() {
    let line = by_volume(PriceUnit::Segment);
    for (segments, parts, want) in [
        (0, 1, 100),
        (9, 1, 100),
        (10, 1, 70),
        (9, 2, 170),
        (8, 3, 270),
        (19, 2, 100),
        (9, 12, 100 + 10 * 70 + 30),
        (20, 3, 90),
        (1_000_000, 1, 30),
    ] {
        let cost = costs(&line, parts, used(7, segments));
        assert_eq!(cost, want, "{parts} after {segments}");
    }
}

#[test]
fn a_price_per_message_counts_messages_whatever_their_length() {
    let line = by_volume(PriceUnit::Message);
    for (messages, want) in [(0, 100), (9, 100), (10, 70), (19, 70), (20, 30)] {
        assert_eq!(costs(&line, 16, used(messages, 500)), want);
    }
}

#[test]
fn a_medium_costs_the_same_at_any_volume() {
    let line = Price {
        mms: Some(Micros(900)),
        ..by_volume(PriceUnit::Segment)
    };
    let book = route(1, Channel::Sms, None, vec![line]);
    for segments in [0, 15, 25] {
        let carried = Volumes {
            whole: used(0, segments),
            named: &NamedVolumes::NONE,
        };
        let quote = price_of(&book, &number(), None, Size::Mms, NOW, carried);
        assert_eq!(quote.map(|it| it.amount), Some(Micros(900)));
    }
}

/// A route that is charged by volume and has used so many segments.
fn facts(key: u32, line: Price, segments: i64) -> RouteFacts {
    let mut meter = Meter::default();
    meter.month.settled.segments = segments - 1;
    meter.month.reserved.segments = 1;
    meter.day.settled.segments = 1_000_000;
    RouteFacts {
        quota: QuotaFacts {
            limits: Quotas::NONE,
            used: meter,
        },
        ..up(route(key, Channel::Sms, None, vec![line]))
    }
}

#[test]
fn a_plan_goes_by_the_route_that_is_cheapest_at_the_volume_of_the_month() {
    let dearer_later = Price {
        tiers: tiers(&[(10, 90)]),
        ..flat(50)
    };
    for (segments, want, cost) in [(9, 1, 50), (10, 2, 60)] {
        let routes = vec![
            facts(1, dearer_later.clone(), segments),
            facts(2, flat(60), 1_000),
        ];
        let Plan::Send { attempt, .. } = World::new(routes).plan() else {
            panic!("both can carry it")
        };
        assert_eq!((attempt.route.0, attempt.estimated_cost.0), (want, cost));
        let tariff = attempt.reservation.tariff;
        assert_eq!(tariff, (want == 1).then(|| dearer_later.tariff()));
    }
}

#[test]
fn a_line_that_names_a_volume_goes_by_that_and_not_by_what_else_the_route_carried() {
    let [service, utility] = ["service", "utility"].map(VolumeKey::of);
    let line = |category, volume| Price {
        category: Some(category),
        volume: Some(volume),
        ..by_volume(PriceUnit::Message)
    };
    let lines = vec![
        line(PriceCategory::Service, service),
        line(PriceCategory::Utility, utility),
        by_volume(PriceUnit::Message),
    ];
    let book = route(1, Channel::WhatsApp, None, lines);
    let named = NamedVolumes::new(Arc::new(vec![(service, used(20, 20))]));
    let carried = Volumes {
        whole: used(15, 15),
        named: &named,
    };
    let costs = |category| {
        let size = Size::Segments(1);
        let quote = price_of(&book, &number(), Some(category), size, NOW, carried);
        quote.map(|it| it.amount.0)
    };
    assert_eq!(costs(PriceCategory::Service), Some(30));
    assert_eq!(costs(PriceCategory::Utility), Some(100), "nothing yet");
    assert_eq!(costs(PriceCategory::Marketing), Some(70), "the whole route");
}

prop_compose! {
    fn tariffs()(
        amount in 0..1_000_000_i64,
        steps in prop::collection::vec((1..40_i64, 0..1_000_000_i64), 0..6),
    ) -> (i64, Vec<(i64, i64)>) {
        let mut above = 0;
        let tiers = steps.into_iter().map(|(step, amount)| {
            above += step;
            (above, amount)
        });
        (amount, tiers.collect())
    }
}

proptest! {
    #[test]
    fn the_prices_of_single_messages_add_up_to_the_price_of_the_whole_volume(
        (amount, steps) in tariffs(),
        before in 0..100_i64,
        messages in prop::collection::vec(1..=16_u16, 0..40),
    ) {
        let line = Price { tiers: tiers(&steps), ..flat(amount) };
        let mut segments = before;
        let mut total = 0;
        for parts in messages {
            total += costs(&line, parts, used(0, segments));
            segments += i64::from(parts);
        }
        prop_assert_eq!(total, unit_by_unit(amount, &steps, before, segments - before));
        let whole = next_units(Micros(amount), tiers(&steps).all(), before, segments - before);
        prop_assert_eq!(whole.0, total);
    }

    #[test]
    fn a_longer_message_never_costs_less_and_without_tiers_the_volume_is_nothing(
        (amount, steps) in tariffs(),
        before in 0..200_i64,
        parts in 1..200_u16,
    ) {
        let line = Price { tiers: tiers(&steps), ..flat(amount) };
        let after = used(before, before);
        prop_assert!(costs(&line, parts, after) <= costs(&line, parts + 1, after));
        prop_assert_eq!(costs(&flat(amount), parts, after), amount * i64::from(parts));
    }

    #[test]
    fn no_volume_and_no_price_overflows(
        amount in 0..=i64::MAX,
        steps in prop::collection::btree_map(1..=i64::MAX, 0..=i64::MAX, 0..4),
        used: i64,
        count: i64,
    ) {
        let steps: Vec<_> = steps.into_iter().collect();
        let cost = next_units(Micros(amount), tiers(&steps).all(), used, count);
        prop_assert!(cost >= Micros::ZERO);
    }
}
