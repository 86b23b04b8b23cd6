//! R-CHAN-3 and R-CHAN-4 over a whole space of contacts, prices and channels, against a slow
//! restatement of them that shares no code with the rule.

use domain::model::channel::{Channel, ChannelSet};
use domain::model::contact::ChannelFacts;
use domain::model::message::Speed;
use domain::model::route::{Destinations, RouteClass, RouteCondition};
use domain::rules::plan::Plan;
use domain::time::Millis;

use super::world::{NOW, World, flat, metrics, route, template, up};

/// What stands for or against a channel.
#[derive(Clone, Copy, PartialEq, Debug)]
enum State {
    Absent,
    Up,
    Down,
    NotServed,
    Tried,
    Incapable,
}

const STATES: [State; 6] = [
    State::Absent,
    State::Up,
    State::Down,
    State::NotServed,
    State::Tried,
    State::Incapable,
];

const RECORDS: [(u32, u32); 5] = [(0, 0), (0, 2), (79, 21), (80, 20), (1, 2)];

/// Prices of SMS and WhatsApp; `None` is a price book without a line for the destination.
const PRICES: [(Option<i64>, Option<i64>); 5] = [
    (Some(50), Some(10)),
    (Some(10), Some(50)),
    (Some(10), Some(10)),
    (None, Some(10)),
    (Some(10), None),
];

/// Mean delivery times of SMS and WhatsApp for the contact. Without: 3,000 and 1,100.
const TIMES: [(Option<i64>, Option<i64>); 3] =
    [(None, None), (Some(900), None), (Some(5), Some(5))];

#[derive(Clone, Copy, Debug)]
enum Window {
    Open,
    Closed,
    ClosedWithTemplate,
}

/// One channel as the restatement sees it.
#[derive(Clone, Copy, Debug)]
struct Side {
    channel: Channel,
    state: State,
    expressible: bool,
    record: (u32, u32),
    price: Option<i64>,
    time: i64,
    place: usize,
}

/// Hundred-millionths of the attempts that succeeded; none at all is as good as 80 %.
fn rate((successes, failures): (u32, u32)) -> u64 {
    match successes + failures {
        0 => 80_000_000,
        attempts => u64::from(successes) * 100_000_000 / u64::from(attempts),
    }
}

fn passes(record: (u32, u32)) -> bool {
    record.0 + record.1 < 3 || rate(record) >= 80_000_000
}

/// The rule said again: which channel, and whether it can carry the message now.
fn restated(sides: [Side; 2], speed: Speed) -> Option<(Channel, bool)> {
    let price = |it: &Side| it.price.unwrap_or(i64::MAX);
    let badness = |it: &Side| u64::MAX - rate(it.record);
    for (state, now) in [(State::Up, true), (State::Down, false)] {
        let able: Vec<Side> = sides
            .into_iter()
            .filter(|it| it.state == state && it.expressible)
            .collect();
        let good: Vec<Side> = able
            .iter()
            .copied()
            .filter(|it| passes(it.record))
            .collect();
        let best = match (good.is_empty(), speed) {
            (false, Speed::Normal) => good
                .iter()
                .min_by_key(|it| (price(it), badness(it), it.time, it.place)),
            (false, Speed::Fast) => good
                .iter()
                .min_by_key(|it| (it.time, price(it), badness(it), it.place)),
            (true, Speed::Normal) => able
                .iter()
                .min_by_key(|it| (badness(it), price(it), it.time, it.place)),
            (true, Speed::Fast) => able
                .iter()
                .min_by_key(|it| (badness(it), it.time, price(it), it.place)),
        };
        if let Some(best) = best {
            return Some((best.channel, now));
        }
    }
    None
}

fn world(sides: [Side; 2], times: (Option<i64>, Option<i64>), window: Window) -> World {
    let mut ordered = sides;
    ordered.sort_by_key(|it| it.place);
    let mut routes = Vec::new();
    for side in ordered.iter().filter(|it| it.state != State::Absent) {
        let class = (side.channel == Channel::Sms).then_some(RouteClass::Gateway);
        let mut line = flat(side.price.unwrap_or(1));
        if side.price.is_none() {
            line.valid_until = Some(NOW);
        }
        let mut it = route(side.channel as u32, side.channel, class, vec![line]);
        if side.state == State::NotServed {
            it.destinations = Destinations {
                allow: Vec::new(),
                deny: vec!["+40".into()],
            };
        }
        let mut facts = up(it);
        if side.state == State::Down {
            facts.condition = RouteCondition::Down;
        }
        routes.push(facts);
    }
    let mut world = World::new(routes);
    for side in sides {
        let mut record = metrics(side.record.0, side.record.1);
        let time = if side.channel == Channel::Sms {
            times.0
        } else {
            times.1
        };
        if let Some(time) = time {
            record.delivery_time_sum = Millis::new(time * 2);
            record.delivery_time_count = 2;
        }
        *world.contact.on_mut(side.channel) = ChannelFacts {
            metrics: record,
            incapable_until: (side.state == State::Incapable).then(|| NOW.plus(Millis::new(1))),
        };
        if side.state == State::Tried {
            world.tried = world.tried.with(side.channel);
        }
    }
    match window {
        Window::Open => world.contact_wrote(Channel::WhatsApp, Millis::hours(23)),
        Window::Closed => world.contact_wrote(Channel::WhatsApp, Millis::hours(24)),
        Window::ClosedWithTemplate => world.default_template = Some(template()),
    }
    world
}

fn check(sides: [Side; 2], times: (Option<i64>, Option<i64>), window: Window) {
    let mut world = world(sides, times, window);
    for speed in [Speed::Normal, Speed::Fast] {
        world.speed = speed;
        let plan = world.plan();
        let got = match &plan {
            Plan::Send { attempt, .. } => Some((attempt.channel, true)),
            Plan::Wait { lane, .. } => {
                let waited = Channel::ALL
                    .into_iter()
                    .find(|it| *it as u32 == lane.route.0);
                waited.map(|channel| (channel, false))
            }
            Plan::Refuse { .. } => None,
        };
        let want = restated(sides, speed);
        assert_eq!(
            got, want,
            "{sides:?} {times:?} {window:?} {speed:?}\n{plan:#?}"
        );
        // What was decided and what was recorded are one.
        assert_eq!(plan.decision().channel().map(|it| it.0), got.map(|it| it.0));
        assert_eq!(
            plan.decision().route().map(|it| it.0.0),
            got.map(|it| it.0 as u32)
        );
        assert_eq!(plan.decision().channels.len(), 2);
    }
}

#[test]
fn the_plan_is_what_the_rule_says_for_every_contact_price_and_channel() {
    for window in [Window::Open, Window::Closed, Window::ClosedWithTemplate] {
        for states in STATES.into_iter().flat_map(|a| STATES.map(|b| (a, b))) {
            for records in RECORDS.into_iter().flat_map(|a| RECORDS.map(|b| (a, b))) {
                for ((prices, times), sms_place) in PRICES
                    .into_iter()
                    .flat_map(|prices| TIMES.map(|times| (prices, times)))
                    .flat_map(|it| [(it, 0), (it, 1)])
                {
                    let sms = Side {
                        channel: Channel::Sms,
                        state: states.0,
                        expressible: true,
                        record: records.0,
                        price: prices.0,
                        time: times.0.unwrap_or(3_000),
                        place: sms_place,
                    };
                    let whatsapp = Side {
                        channel: Channel::WhatsApp,
                        state: states.1,
                        expressible: !matches!(window, Window::Closed),
                        record: records.1,
                        price: prices.1,
                        time: times.1.unwrap_or(1_100),
                        place: 1 - sms_place,
                    };
                    check([sms, whatsapp], times, window);
                }
            }
        }
    }
}

#[test]
fn no_channel_is_ever_tried_twice() {
    let tried_both = ChannelSet::from_iter(Channel::ALL);
    let side = |channel, place| Side {
        channel,
        state: State::Up,
        expressible: true,
        record: (0, 0),
        price: Some(1),
        time: 0,
        place,
    };
    let sides = [side(Channel::Sms, 0), side(Channel::WhatsApp, 1)];
    let mut world = world(sides, (None, None), Window::Open);
    world.tried = tried_both;
    assert!(matches!(world.plan(), Plan::Refuse { .. }));
}
