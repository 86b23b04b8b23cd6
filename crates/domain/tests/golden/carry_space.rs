//! R-QUOTA-3, R-ROUTE-1 to R-ROUTE-4, R-TEST: which routes may carry a message at all, and which
//! direct messages are stuck, over every combination of what that hangs on.

use domain::decision::RouteDrop;
use domain::ids::RouteKey;
use domain::model::channel::Channel;
use domain::model::message::TrafficClass;
use domain::model::policy::Overflow;
use domain::model::route::{Destinations, Route, RouteClass};
use domain::rules::carry::{Load, bar, by_simulators, is_stuck};

use super::world::{flat, number, route};

const CLASSES: [Option<RouteClass>; 4] = [
    None,
    Some(RouteClass::Gateway),
    Some(RouteClass::Platform),
    Some(RouteClass::Phone),
];
const BOTH: [bool; 2] = [false, true];

/// Every route that differs in anything that matters.
fn all_routes(key: u32) -> Vec<Route> {
    let mut all = Vec::new();
    for class in CLASSES {
        for bits in 0..16_u8 {
            let has = |bit: u8| bits & (1 << bit) != 0;
            let channel = if has(0) {
                Channel::Sms
            } else {
                Channel::WhatsApp
            };
            let mut it = route(key, channel, class, vec![flat(1)]);
            it.simulator = has(1);
            it.mms = has(2);
            if has(3) {
                it.destinations = Destinations {
                    allow: vec!["+49".into()],
                    deny: Vec::new(),
                };
            }
            all.push(it);
        }
    }
    all
}

/// Every message that differs in anything that matters, to a number that not all routes serve.
fn for_all_loads(mut check: impl FnMut(&Load<'_>)) {
    let to = number();
    for class in TrafficClass::ALL {
        for bits in 0..32_u8 {
            let has = |bit: u8| bits & (1 << bit) != 0;
            let refused_by: &[RouteKey] = if has(0) { &[RouteKey(1)] } else { &[] };
            check(&Load {
                channel: Channel::Sms,
                to: &to,
                class,
                mms: has(1),
                simulated: has(2),
                refused_by,
                overflow: Overflow {
                    direct_to_platform: has(3),
                    bulk_to_gateway: has(4),
                    reserve_direct_percent: 50,
                },
            });
        }
    }
}

/// The rule said again, as everything that must be so.
fn may(route: &Route, load: &Load<'_>) -> bool {
    let classes: &[Option<RouteClass>] = match (load.class, load.overflow) {
        (TrafficClass::Direct, it) if it.direct_to_platform => &CLASSES,
        (TrafficClass::Direct, _) => &[None, Some(RouteClass::Gateway), Some(RouteClass::Phone)],
        (TrafficClass::Bulk, it) if it.bulk_to_gateway => &CLASSES[..3],
        (TrafficClass::Bulk, _) => &[None, Some(RouteClass::Platform)],
    };
    [
        classes.contains(&route.class),
        route.simulator == load.simulated,
        route.destinations.allow.is_empty(),
        route.mms || !load.mms,
        !load.refused_by.contains(&route.key),
    ]
    .iter()
    .all(|it| *it)
}

#[test]
fn a_route_may_carry_what_nothing_bars_for_every_combination() {
    let routes = all_routes(1);
    for_all_loads(|load| {
        for it in &routes {
            let barred = bar(it, load);
            assert_eq!(barred.is_none(), may(it, load), "{it:?} {load:?}");
            let is_of_the_class = barred == Some(RouteDrop::ClassNotAllowed);
            let others = Load {
                overflow: Overflow {
                    direct_to_platform: true,
                    bulk_to_gateway: true,
                    ..load.overflow
                },
                class: TrafficClass::Direct,
                ..*load
            };
            assert!(
                !is_of_the_class || may(it, &others),
                "it names the class last"
            );
        }
    });
}

#[test]
fn a_message_is_stuck_where_all_that_may_carry_it_is_out_for_every_pair_of_routes() {
    let (first, second) = (all_routes(1), all_routes(2));
    for_all_loads(|load| {
        for (a, b) in first
            .iter()
            .flat_map(|a| second.iter().map(move |b| (a, b)))
        {
            for (a_is_out, b_is_out) in BOTH.into_iter().flat_map(|a| BOTH.map(|b| (a, b))) {
                let routes = [(a, a_is_out), (b, b_is_out)];
                let takes_it = routes.iter().any(|(it, is_out)| {
                    let is_other = it.channel != Channel::Sms;
                    let is_phone = it.class == Some(RouteClass::Phone);
                    !is_out && !is_other && !is_phone && may(it, load)
                });
                let is_a_test = load.simulated && !(a.simulator && b.simulator);
                let want = load.class == TrafficClass::Direct && !is_a_test && !takes_it;
                assert_eq!(is_stuck(load, &routes), want, "{routes:?} {load:?}");
            }
        }
    });
}

#[test]
fn a_live_message_goes_by_simulators_only_where_its_sender_has_nothing_else() {
    let simulator = Route {
        simulator: true,
        ..route(1, Channel::Sms, None, Vec::new())
    };
    let real = route(2, Channel::WhatsApp, None, Vec::new());
    for (routes, live) in [
        (vec![&simulator], true),
        (vec![&real], false),
        (vec![&simulator, &real], false),
    ] {
        assert!(by_simulators(true, routes.iter().copied()));
        assert_eq!(by_simulators(false, routes), live);
    }
}
