//! R-ROUTE-2 inside a class: price, success rate, free throughput, the sender's order; and that the
//! order is total, so that equal facts give equal decisions.

use domain::decision::{RouteObstacle, RouteReason, RouteVerdict};
use domain::ids::RouteKey;
use domain::model::channel::Channel;
use domain::model::message::TrafficClass;
use domain::model::route::{Destinations, QuotaFacts, RouteClass, RouteCondition, RouteFacts};
use domain::rules::route::serves;
use proptest::prelude::*;

use super::world::{World, flat, number, route, route_verdict, sms, up, used};

#[test]
fn price_goes_before_success_before_throughput_before_the_senders_order() {
    let (cheap, dear) = (
        sms(1, RouteClass::Gateway, 10),
        sms(2, RouteClass::Gateway, 11),
    );
    let with = |base: &RouteFacts, successes, failures, free_throughput| RouteFacts {
        successes,
        failures,
        free_throughput,
        ..base.clone()
    };
    let twin = sms(2, RouteClass::Gateway, 10);
    for (first, second, chosen, other) in [
        (
            with(&cheap, 0, 9, 0),
            with(&dear, 9, 0, 9),
            1,
            RouteVerdict::Dearer,
        ),
        (
            with(&cheap, 8, 2, 9),
            with(&twin, 9, 1, 0),
            2,
            RouteVerdict::LowerSuccess,
        ),
        (
            with(&cheap, 8, 2, 3),
            with(&twin, 4, 1, 4),
            2,
            RouteVerdict::Busier,
        ),
        (
            with(&cheap, 8, 2, 3),
            with(&twin, 4, 1, 3),
            1,
            RouteVerdict::Busier,
        ),
    ] {
        let world = World::new(vec![first, second]);
        let plan = world.plan();
        assert_eq!(
            plan.decision().route().map(|it| it.0),
            Some(RouteKey(chosen))
        );
        assert_eq!(route_verdict(plan.decision(), 3 - chosen), Some(other));
    }
}

#[test]
fn a_route_without_a_class_serves_both_classes_as_their_own() {
    let unclassified = up(route(1, Channel::Sms, None, vec![flat(10)]));
    for class in TrafficClass::ALL {
        for other in [RouteClass::Gateway, RouteClass::Platform] {
            let mut world = World::new(vec![sms(2, other, 20), unclassified.clone()]);
            world.class = class;
            let plan = world.plan();
            let want = Some((RouteKey(1), RouteReason::Unclassified));
            assert_eq!(plan.decision().route(), want, "{class:?} {other:?}");
        }
    }
}

#[test]
fn an_unknown_price_comes_after_every_known_one_and_stops_nothing() {
    let mut unknown = flat(1);
    unknown.valid_until = Some(super::world::NOW);
    let unknown = up(route(
        1,
        Channel::Sms,
        Some(RouteClass::Gateway),
        vec![unknown],
    ));
    let world = World::new(vec![
        unknown.clone(),
        sms(2, RouteClass::Gateway, 1_000_000),
    ]);
    assert_eq!(world.sends(), Some((Channel::Sms, 2)));
    assert_eq!(World::new(vec![unknown]).sends(), Some((Channel::Sms, 1)));
}

#[test]
fn the_longest_prefix_decides_whether_a_destination_is_served() {
    let prefixes = |them: &[&str]| them.iter().map(|it| (*it).into()).collect();
    let to = number();
    for (allow, deny, want) in [
        (&[][..], &[][..], true),
        (&["+40"], &[], true),
        (&["+49"], &[], false),
        (&[], &["+40"], false),
        (&[], &["+49"], true),
        (&["+40"], &["+4072"], false),
        (&["+4072"], &["+40"], true),
        (&["+40"], &["+40"], false),
        (&["+4", "+40721"], &["+4072"], true),
        (&["+49"], &["+48"], false),
    ] {
        let rules = Destinations {
            allow: prefixes(allow),
            deny: prefixes(deny),
        };
        assert_eq!(serves(&rules, &to), want, "{allow:?} {deny:?}");
    }
}

#[test]
fn what_is_waited_for_is_what_is_likely_to_pass_soonest() {
    use RouteCondition::{Disabled, Down, Drained, Throttled, Up};
    use RouteObstacle as Obstacle;
    let held = |key, class, condition, quota| RouteFacts {
        condition,
        quota,
        ..sms(key, class, i64::from(key))
    };
    let mut world = World::new(vec![
        held(1, RouteClass::Gateway, Up, used(100)),
        held(2, RouteClass::Platform, Down, QuotaFacts::UNLIMITED),
        held(3, RouteClass::Platform, Throttled, QuotaFacts::UNLIMITED),
        held(4, RouteClass::Phone, Throttled, QuotaFacts::UNLIMITED),
        held(5, RouteClass::Gateway, Disabled, QuotaFacts::UNLIMITED),
        held(6, RouteClass::Gateway, Drained, QuotaFacts::UNLIMITED),
    ]);
    for (want, obstacle) in [
        (3, Obstacle::Throttled),
        (2, Obstacle::Down),
        (1, Obstacle::OutOfQuota),
        (6, Obstacle::Drained),
        (5, Obstacle::Disabled),
        (4, Obstacle::Throttled),
    ] {
        assert_eq!(world.waits_for(), Some(want));
        assert_eq!(world.plan().decision().obstacle(), Some(obstacle));
        world.routes.retain(|it| it.route.key != RouteKey(want));
    }
}

#[test]
fn a_route_that_is_waited_for_names_the_quota_that_has_no_room() {
    let waiting = |quota, project, class| {
        let gateway = RouteFacts {
            quota,
            ..sms(1, RouteClass::Gateway, 1)
        };
        let mut world = World::new(vec![gateway]);
        (world.class, world.quota) = (class, project);
        assert_eq!(world.waits_for(), Some(1));
        world.plan().decision().obstacle()
    };
    for (route, project, class, want) in [
        (
            used(100),
            QuotaFacts::UNLIMITED,
            TrafficClass::Direct,
            RouteObstacle::OutOfQuota,
        ),
        (
            QuotaFacts::UNLIMITED,
            used(100),
            TrafficClass::Direct,
            RouteObstacle::ProjectOutOfQuota,
        ),
        // A route could not help where the project has no room.
        (
            used(100),
            used(100),
            TrafficClass::Direct,
            RouteObstacle::ProjectOutOfQuota,
        ),
        (
            used(50),
            QuotaFacts::UNLIMITED,
            TrafficClass::Bulk,
            RouteObstacle::ReservedForDirect,
        ),
    ] {
        assert_eq!(waiting(route, project, class), Some(want));
    }
}

prop_compose! {
    fn any_route()(
        class in prop::option::of(prop::sample::select(
            vec![RouteClass::Gateway, RouteClass::Platform, RouteClass::Phone])),
        price in 0_i64..4,
        record in (0_u64..4, 0_u64..4),
        free_throughput in 0_u32..3,
        condition in prop::sample::select(
            vec![RouteCondition::Up, RouteCondition::Up, RouteCondition::Down, RouteCondition::Throttled]),
        quota in prop::sample::select(
            vec![QuotaFacts::UNLIMITED, used(60), used(100)]),
    ) -> (Option<RouteClass>, i64, RouteFacts) {
        let base = up(route(0, Channel::Sms, class, Vec::new()));
        let (successes, failures) = record;
        (class, price, RouteFacts { successes, failures, free_throughput, condition, quota, ..base })
    }
}

proptest! {
    /// Shuffled, the same route is chosen where prices differ, and else one that is its equal in
    /// all that goes before the sender's order.
    #[test]
    fn the_senders_order_only_decides_between_equals(
        them in prop::collection::vec(any_route(), 1..6),
        bulk: bool,
        order in Just((0..6_usize).collect::<Vec<_>>()).prop_shuffle(),
        distinct: bool,
    ) {
        let routes: Vec<RouteFacts> = them.iter().enumerate().map(|(place, (class, price, facts))| {
            let key = u32::try_from(place).unwrap();
            let price = if distinct { i64::from(key) } else { *price };
            let it = route(key, Channel::Sms, *class, vec![flat(price)]);
            RouteFacts { route: it.into(), ..facts.clone() }
        }).collect();
        let mut world = World::new(routes.clone());
        world.class = if bulk { TrafficClass::Bulk } else { TrafficClass::Direct };
        let plan = world.plan();
        prop_assert_eq!(&plan, &world.plan());

        let mut shuffled = world.clone();
        shuffled.routes = order.iter().filter_map(|it| routes.get(*it).cloned()).collect();
        let other = shuffled.plan();
        let chosen = |plan: &domain::rules::plan::Plan| {
            plan.decision().route().map(|(key, reason)| (routes[key.0 as usize].clone(), reason))
        };
        match (chosen(&plan), chosen(&other)) {
            (Some((a, why_a)), Some((b, why_b))) => {
                prop_assert_eq!(why_a == RouteReason::Waiting, why_b == RouteReason::Waiting);
                for (plan, why) in [(&plan, why_a), (&other, why_b)] {
                    let obstacle = plan.decision().obstacle();
                    prop_assert_eq!(why == RouteReason::Waiting, obstacle.is_some());
                }
                if distinct {
                    prop_assert_eq!(a.route.key, b.route.key);
                }
                prop_assert_eq!(&a.route.prices, &b.route.prices);
                let rates = (a.successes * (b.successes + b.failures), b.successes * (a.successes + a.failures));
                // A route without attempts is the equal of one at 80 %.
                if a.successes + a.failures > 0 && b.successes + b.failures > 0 {
                    prop_assert_eq!(rates.0, rates.1);
                }
                prop_assert_eq!(a.free_throughput, b.free_throughput);
            }
            (None, None) => {}
            (a, b) => prop_assert!(false, "{:?} {:?}", a, b),
        }
    }
}
