//! R-ROUTE-1 to R-ROUTE-3 over every combination of a gateway, a platform, a route without a class
//! and a phone, against a restatement of the rules as a list of who goes before whom.

use domain::decision::{RouteObstacle, RouteReason, RouteVerdict};
use domain::ids::RouteKey;
use domain::model::channel::Channel;
use domain::model::message::TrafficClass;
use domain::model::route::{Destinations, RouteClass, RouteCondition};
use domain::rules::plan::Plan;

use super::world::{World, flat, route, up, used};

#[derive(Clone, Copy, PartialEq, Debug)]
enum State {
    Absent,
    Able,
    /// Able, with more of its quota used than bulk may use of a gateway's.
    HalfUsed,
    Throttled,
    Down,
    /// Drained by a person, though it is within its quota and its link works.
    Drained,
    OutOfQuota,
    Refused,
    NotServed,
}

const STATES: [State; 9] = [
    State::Absent,
    State::Able,
    State::HalfUsed,
    State::Throttled,
    State::Down,
    State::Drained,
    State::OutOfQuota,
    State::Refused,
    State::NotServed,
];

const GATEWAY: usize = 0;
const PLATFORM: usize = 1;
const PHONE: usize = 2;
const CLASSES: [RouteClass; 3] = [RouteClass::Gateway, RouteClass::Platform, RouteClass::Phone];

/// What keeps a route in this state from carrying a message of this class now.
fn obstacle(state: State, gateway_for_bulk: bool) -> Option<RouteObstacle> {
    match state {
        State::HalfUsed if gateway_for_bulk => Some(RouteObstacle::ReservedForDirect),
        State::Throttled => Some(RouteObstacle::Throttled),
        State::Down => Some(RouteObstacle::Down),
        State::Drained => Some(RouteObstacle::Drained),
        State::OutOfQuota => Some(RouteObstacle::OutOfQuota),
        State::Absent | State::Able | State::HalfUsed | State::Refused | State::NotServed => None,
    }
}

/// The rule said again: the route that carries the message, or `Err` with whether one is waited for.
fn restated(states: [State; 3], class: TrafficClass, overflow: bool) -> Result<usize, bool> {
    let order: &[usize] = match (class, overflow) {
        (TrafficClass::Direct, true) => &[GATEWAY, PLATFORM, PHONE],
        (TrafficClass::Direct, false) => &[GATEWAY, PHONE],
        (TrafficClass::Bulk, true) => &[PLATFORM, GATEWAY],
        (TrafficClass::Bulk, false) => &[PLATFORM],
    };
    let bulk = class == TrafficClass::Bulk;
    let able = |it: usize| {
        states[it] == State::Able || (states[it] == State::HalfUsed && !(bulk && it == GATEWAY))
    };
    let throttled = order
        .iter()
        .any(|it| *it != PHONE && states[*it] == State::Throttled);
    for it in order {
        if able(*it) && !(*it == PHONE && throttled) {
            return Ok(*it);
        }
    }
    let lasting = [State::Absent, State::Refused, State::NotServed];
    Err(order.iter().any(|it| !lasting.contains(&states[*it])))
}

#[test]
fn the_route_is_what_the_rules_say_for_every_combination_of_conditions() {
    for a in STATES {
        for (b, c) in STATES.into_iter().flat_map(|b| STATES.map(|c| (b, c))) {
            for class in TrafficClass::ALL {
                for overflow in [true, false] {
                    check([a, b, c], class, overflow);
                }
            }
        }
    }
}

fn check(states: [State; 3], class: TrafficClass, overflow: bool) {
    let mut routes = Vec::new();
    let mut refused_by = Vec::new();
    // The gateway is dearest and the phone is free: price must not reach across classes. The
    // sender's order is the reverse of what direct wants.
    for key in [PHONE, PLATFORM, GATEWAY] {
        let number = u32::try_from(key).expect("a small number");
        let price = 100 - 50 * i64::from(number);
        let mut it = route(number, Channel::Sms, Some(CLASSES[key]), vec![flat(price)]);
        if states[key] == State::NotServed {
            it.destinations = Destinations {
                allow: vec!["+49".into()],
                deny: Vec::new(),
            };
        }
        let mut facts = up(it);
        match states[key] {
            State::Absent => continue,
            State::Able | State::NotServed => {}
            State::HalfUsed => facts.quota = used(50),
            State::Throttled => facts.condition = RouteCondition::Throttled,
            State::Down => facts.condition = RouteCondition::Down,
            State::Drained => facts.condition = RouteCondition::Drained,
            State::OutOfQuota => facts.quota = used(100),
            State::Refused => refused_by.push(RouteKey(number)),
        }
        routes.push(facts);
    }
    let mut world = World::new(routes);
    world.class = class;
    world.refused_by = refused_by;
    world.policy.overflow.bulk_to_gateway = overflow;
    world.policy.overflow.direct_to_platform = overflow;

    let plan = world.plan();
    let got = match &plan {
        Plan::Send { attempt, .. } => Ok(attempt.route.0 as usize),
        Plan::Wait { .. } => Err(true),
        Plan::Refuse { .. } => Err(false),
    };
    assert_eq!(
        got,
        restated(states, class, overflow),
        "{states:?} {class:?} {overflow}\n{plan:#?}"
    );
    // What is waited for says what keeps it; of every other route the verdict does.
    for it in &plan.decision().routes {
        let key = it.route.0 as usize;
        let kept = obstacle(states[key], class == TrafficClass::Bulk && key == GATEWAY);
        let waited_for = it.verdict == RouteVerdict::Chosen(RouteReason::Waiting);
        assert_eq!(
            it.obstacle,
            kept.filter(|_| waited_for),
            "{states:?} {class:?} {overflow}\n{plan:#?}"
        );
        assert!(!waited_for || it.obstacle.is_some());
    }
}
