//! R-COST-1, R-ROUTE-2: a price that goes by the volume of the month, and what it does to the choice of
//! the route; what is booked is exact, however many messages are decided at once.

use domain::ids::{MessageId, VolumeKey};
use domain::model::money::Micros;
use domain::model::quota::{MeterOf, Period, Quota, QuotaUnit, Quotas};
use domain::model::route::{Price, PriceScope, Route};
use domain::model::tariff::{Tier, Tiers};
use domain::rules::volume::next_units;
use domain::time::Millis;
use ports::store::Queries;

use crate::world::{SMS, SMS2, World, long_text, sms, sms2, text_to};

/// The usual route for SMS, at these prices above these volumes.
fn tiered(tiers: &[(i64, i64)]) -> Route {
    let mut route = sms();
    route.prices[0].tiers = Tiers::new(tiers.iter().map(|it| Tier {
        above: it.0,
        amount: Micros(it.1),
    }));
    route
}

async fn estimated(world: &World, id: MessageId) -> i64 {
    world.progress(id).await.attempts[0].estimated_cost.0
}

/// One message; by which route it went, and at which price.
async fn one(world: &World, no: u32) -> (domain::ids::RouteKey, i64) {
    let id = world.send(text_to(no, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    (world.journey(id)[0].0, estimated(world, id).await)
}

#[tokio::test(start_paused = true)]
async fn a_route_that_gets_dearer_gives_its_traffic_to_the_cheaper_one_until_the_month_turns() {
    let mut world = World::running([tiered(&[(3, 70_000)]), sms2()]).await;
    for no in 1..=3 {
        assert_eq!(one(&world, no).await, (SMS, 50_000));
    }
    let preview = world.engine().preview(text_to(4, "hello")).await.unwrap();
    assert_eq!(preview.decision.route().unwrap().0, SMS2);
    for no in 4..=6 {
        assert_eq!(one(&world, no).await, (SMS2, 60_000));
    }
    // Nothing of it is forgotten when the server stands still in between, and it ends with the month.
    world.stop(Millis::seconds(1)).await;
    world.start().await;
    assert_eq!(one(&world, 7).await, (SMS2, 60_000));
    world.stop(Millis::seconds(1)).await;
    world.pass(Millis::days(17)).await;
    world.start().await;
    world.pass(Millis::seconds(1)).await;
    assert_eq!(one(&world, 8).await, (SMS, 50_000));
}

/// The usual route for SMS, with three free messages a month for these people, and none for others.
fn with_allowance(prefix: &str) -> Route {
    let mut route = sms();
    let line = route.prices[0].clone();
    let allowance = Price {
        scope: PriceScope::Prefix(prefix.into()),
        amount: Micros::ZERO,
        tiers: Tiers::new([Tier {
            above: 3,
            amount: Micros(10_000),
        }]),
        volume: Some(VolumeKey::of("allowance")),
        ..line.clone()
    };
    route.prices = vec![allowance, line];
    route
}

#[tokio::test(start_paused = true)]
async fn an_allowance_with_a_volume_of_its_own_is_not_used_up_by_what_other_lines_charge() {
    let mut world = World::running([with_allowance("+407220")]).await;
    for no in 900_001..=900_005 {
        assert_eq!(one(&world, no).await, (SMS, 50_000));
    }
    let mut costs = Vec::new();
    for no in 1..=5 {
        let preview = world.engine().preview(text_to(no, "hello")).await.unwrap();
        let expected = preview.decision.routes[0].cost.unwrap();
        costs.push((expected.0, one(&world, no).await.1));
        if no == 2 {
            world.stop(Millis::seconds(1)).await;
            world.start().await;
        }
    }
    let (free, paid) = ((0, 0), (10_000, 10_000));
    assert_eq!(costs, [free, free, free, paid, paid], "expected, booked");
    // What others are charged goes by the whole route, as ever.
    assert_eq!(one(&world, 900_006).await, (SMS, 50_000));
}

#[tokio::test(start_paused = true)]
async fn a_burst_that_is_decided_at_once_is_booked_by_the_tiers_to_the_millionth() {
    let tiers = [(100, 40_000), (101, 45_001), (250, 30_000)];
    for commit_takes in [None, Some(Millis::new(40))] {
        let mut world = World::new([tiered(&tiers)]);
        world.commit_takes = commit_takes;
        world.start().await;
        let mut tasks = Vec::new();
        for no in 0..200 {
            let engine = world.engine().clone();
            let text = long_text(1 + no as usize % 3);
            tasks.push(tokio::spawn(async move {
                engine.accept(text_to(no, &text)).await
            }));
        }
        let mut sent = Vec::new();
        for task in tasks {
            sent.push(task.await.unwrap().unwrap().view.id);
        }
        world.pass(Millis::minutes(5)).await;
        let (mut total, mut segments) = (0, 0);
        for id in sent {
            let attempt = world.progress(id).await.attempts.remove(0);
            total += attempt.estimated_cost.0;
            segments += i64::from(attempt.parts);
            assert_eq!(attempt.settled_cost, Some(attempt.estimated_cost));
        }
        assert!(segments > 300, "every tier is met: {segments}");
        let route = tiered(&tiers);
        let price = &route.prices[0];
        let whole = next_units(price.amount, price.tiers.all(), 0, segments);
        assert_eq!(Micros(total), whole);
        let meters = world.disk.meters().await.unwrap();
        let meter = meters.iter().find(|it| it.0 == MeterOf::Route(SMS));
        assert_eq!(meter.unwrap().1.month.used().spend, whole);
    }
}

#[tokio::test(start_paused = true)]
async fn the_answer_says_what_is_booked_and_not_what_the_plan_took_it_for() {
    let mut world = World::new([tiered(&[(5, 20_000)])]);
    world.commit_takes = Some(Millis::new(40));
    world.start().await;
    let mut tasks = Vec::new();
    for no in 0..10 {
        let engine = world.engine().clone();
        tasks.push(tokio::spawn(async move {
            engine.accept(text_to(no, "hello")).await.unwrap().view
        }));
    }
    let mut answered = Vec::new();
    for task in tasks {
        let view = task.await.unwrap();
        let ports::store::messages::ViewKind::Outbound { progress, .. } = view.kind else {
            panic!("it goes out")
        };
        if let Some(attempt) = progress.attempts.first() {
            let booked = estimated(&world, view.id).await;
            assert_eq!(attempt.estimated_cost.0, booked);
            answered.push(booked);
        }
    }
    answered.sort_unstable();
    answered.dedup();
    assert_eq!(answered, [20_000, 50_000], "on both sides of the border");
}

#[tokio::test(start_paused = true)]
async fn a_quota_of_money_holds_to_the_millionth_while_the_price_rises() {
    let mut route = tiered(&[(3, 70_000)]);
    let limit = 3 * 50_000 + 2 * 70_000;
    route.quotas = Quotas::new([Quota {
        per: Period::Month,
        unit: QuotaUnit::Spend,
        limit,
    }]);
    let world = World::running([route, sms2()]).await;
    let mut tasks = Vec::new();
    for no in 0..20 {
        let engine = world.engine().clone();
        tasks.push(tokio::spawn(async move {
            engine.accept(text_to(no, "hello")).await
        }));
    }
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    world.pass(Millis::minutes(1)).await;
    assert_eq!(world.sent_by(SMS).len() + world.sent_by(SMS2).len(), 20);
    let meters = world.disk.meters().await.unwrap();
    let meter = meters.iter().find(|it| it.0 == MeterOf::Route(SMS));
    let spent = meter.unwrap().1.month.used().spend.0;
    assert!(spent <= limit, "{spent}");
    assert!(spent >= 3 * 50_000, "{spent}");
}

#[tokio::test(start_paused = true)]
async fn what_a_provider_did_not_take_leaves_its_place_and_its_price_to_the_next() {
    let world = World::running([tiered(&[(1, 10_000)]), sms2()]).await;
    world.provider(SMS).does_in_turn([
        crate::world::Act::refuse(domain::model::failure::FailureClass::RouteFault),
        crate::world::Act::accept(),
    ]);
    let first = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(2)).await;
    assert_eq!(estimated(&world, first).await, 60_000, "by the other route");
    assert_eq!(one(&world, 2).await, (SMS, 50_000));
    assert_eq!(one(&world, 3).await, (SMS, 10_000));
}
