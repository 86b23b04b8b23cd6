//! R-QUOTA-1, R-QUOTA-2, R-ROUTE-2: traffic fails over when a quota is used up, waits when all are, and
//! comes back when the period turns; no quota is ever exceeded.

use domain::model::attempt::AttemptState;
use domain::model::failure::FailureClass;
use domain::model::message::Status;
use domain::model::quota::{MeterOf, Period, Quota, QuotaUnit, Quotas};
use domain::model::route::{Route, RouteClass};
use domain::time::Millis;
use ports::store::Queries;

use crate::world::{
    Act, Answer, PROJECT, SMS, SMS2, World, bulk_to, long_text, sms, sms2, text_to,
};

fn hourly(limit: i64) -> Quotas {
    Quotas::new([Quota {
        per: Period::Hour,
        unit: QuotaUnit::Messages,
        limit,
    }])
}

fn gateway(quotas: Quotas) -> Route {
    Route {
        class: Some(RouteClass::Gateway),
        quotas,
        ..sms()
    }
}

fn platform(quotas: Quotas) -> Route {
    Route {
        class: Some(RouteClass::Platform),
        quotas,
        ..sms2()
    }
}

async fn delivered(world: &World, ids: &[domain::ids::MessageId]) -> usize {
    let mut count = 0;
    for id in ids {
        count += usize::from(world.status(*id).await == Status::Delivered);
    }
    count
}

#[tokio::test(start_paused = true)]
async fn direct_goes_by_a_platform_once_the_gateways_quota_is_used_up_and_nothing_fails() {
    let world = World::running([gateway(hourly(20)), platform(Quotas::NONE)]).await;
    let mut sent = Vec::new();
    for no in 0..50 {
        sent.push(world.send(text_to(no, "hello")).await);
    }
    world.pass(Millis::minutes(1)).await;
    assert_eq!(world.sent_by(SMS).len(), 20);
    assert_eq!(world.sent_by(SMS2).len(), 30);
    assert_eq!(delivered(&world, &sent).await, 50);
}

#[tokio::test(start_paused = true)]
async fn a_burst_that_is_planned_at_once_does_not_exceed_the_quota() {
    let world = World::running([gateway(hourly(100)), platform(hourly(100))]).await;
    let mut tasks = Vec::new();
    for no in 0..300 {
        let engine = world.engine().clone();
        tasks.push(tokio::spawn(async move {
            engine.accept(text_to(no, "hello")).await
        }));
    }
    let mut sent = Vec::new();
    for task in tasks {
        sent.push(task.await.unwrap().unwrap().view.id);
    }
    world.pass(Millis::minutes(1)).await;
    assert_eq!(world.sent_by(SMS).len(), 100);
    assert_eq!(world.sent_by(SMS2).len(), 100);
    assert_eq!(delivered(&world, &sent).await, 200);
    world.pass(Millis::hours(1)).await;
    assert_eq!(
        delivered(&world, &sent).await,
        300,
        "the next hour took the rest"
    );
    assert_eq!(world.sent_by(SMS).len(), 200, "the preferred class first");
}

#[tokio::test(start_paused = true)]
async fn a_campaign_overflows_to_the_gateway_down_to_the_reserve_and_then_waits() {
    let world = World::running([gateway(hourly(20)), platform(hourly(5))]).await;
    let mut sent = Vec::new();
    for no in 0..30 {
        sent.push(world.send(bulk_to(no, "sale")).await);
    }
    world.pass(Millis::minutes(5)).await;
    assert_eq!(world.sent_by(SMS2).len(), 5);
    assert_eq!(world.sent_by(SMS).len(), 10, "half is kept for direct");
    let direct = world.send(text_to(99, "hello")).await;
    world.pass(Millis::seconds(5)).await;
    assert_eq!(world.status(direct).await, Status::Delivered);
    assert_eq!(world.sent_by(SMS).len(), 11);
    world.pass(Millis::hours(1)).await;
    assert_eq!(delivered(&world, &sent).await, 30);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_quota_goes_by_itself_when_the_period_turns() {
    let world = World::running([gateway(hourly(1))]).await;
    let first = world.send(text_to(1, "hello")).await;
    let second = world.send(text_to(2, "hello")).await;
    world.pass(Millis::minutes(59)).await;
    assert_eq!(world.status(first).await, Status::Delivered);
    assert_eq!(world.status(second).await, Status::Queued);
    world.pass(Millis::new(60_000 + 2_000)).await;
    assert_eq!(world.status(second).await, Status::Delivered);
    let (_, at) = world.journey(second)[0];
    assert!((3_600_000..3_602_000).contains(&at), "{at}");
}

#[tokio::test(start_paused = true)]
async fn what_a_provider_did_not_take_leaves_its_quota_to_others() {
    let world = World::running([gateway(hourly(2)), platform(Quotas::NONE)]).await;
    world
        .provider(SMS)
        .does_in_turn([Act::refuse(FailureClass::RouteFault), Act::accept()]);
    for no in 0..4 {
        world.send(text_to(no, "hello")).await;
        world.pass(Millis::seconds(1)).await;
    }
    world.pass(Millis::seconds(10)).await;
    assert_eq!(world.sent_by(SMS).len(), 3, "one of them was not taken");
    assert_eq!(world.sent_by(SMS2).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn after_a_crash_only_what_may_have_left_stays_counted() {
    let of_route = [gateway(hourly(1_000))];
    let mut of_project = World::new([sms()]);
    of_project.policy.quotas = hourly(1_000);
    let cases = [
        (World::new(of_route), MeterOf::Route(SMS)),
        (of_project, MeterOf::Project(PROJECT)),
    ];
    for (mut world, of) in cases {
        world.start().await;
        world.provider(SMS).set_window(2);
        world.provider(SMS).does_in_turn([Act::new(Answer::Silent)]);
        let mut sent = Vec::new();
        for no in 0..50 {
            sent.push(world.send(text_to(no, "hello")).await);
        }
        world.pass(Millis::seconds(1)).await;
        assert_eq!(world.sent_by(SMS).len(), 2);
        world.crash();
        world.provider(SMS).set_window(0);
        world.start().await;
        world.pass(Millis::seconds(1)).await;
        let mut unknown = 0;
        for id in &sent {
            unknown += usize::from(world.states(*id).await == [AttemptState::Unknown]);
        }
        assert!((2..=4).contains(&unknown), "the windows: {unknown}");
        world.provider(SMS).set_window(100);
        world
            .provider(SMS)
            .does_in_turn([Act::accept().delivered_after(100)]);
        world.provider(SMS).link(true);
        world.pass(Millis::minutes(2)).await;
        assert_eq!(delivered(&world, &sent).await, 50);
        let meters = world.disk.meters().await.unwrap();
        let used = meters.iter().find(|it| it.0 == of).unwrap().1;
        let used = used.span(Period::Hour).used().of(QuotaUnit::Messages);
        // Of what is sent again the copy that may be there stays counted.
        assert_eq!(used, 50 + i64::try_from(unknown).unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_forgets_no_use() {
    let mut world = World::running([gateway(hourly(3)), platform(Quotas::NONE)]).await;
    for no in 0..2 {
        world.send(text_to(no, "hello")).await;
    }
    world.pass(Millis::seconds(5)).await;
    world.restart().await;
    for no in 2..5 {
        world.send(text_to(no, "hello")).await;
    }
    world.pass(Millis::seconds(5)).await;
    assert_eq!(world.sent_by(SMS).len(), 3);
    assert_eq!(world.sent_by(SMS2).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_too_long_for_what_is_left_goes_elsewhere_and_a_short_one_stays() {
    let segments = Quotas::new([Quota {
        per: Period::Day,
        unit: QuotaUnit::Segments,
        limit: 4,
    }]);
    let world = World::running([gateway(segments), platform(Quotas::NONE)]).await;
    for (no, parts, route) in [(1, 3, SMS), (2, 2, SMS2), (3, 1, SMS), (4, 1, SMS2)] {
        let text = if parts == 1 {
            "hello".to_owned()
        } else {
            long_text(parts)
        };
        let id = world.send(text_to(no, &text)).await;
        world.pass(Millis::seconds(1)).await;
        let route_taken = world.journey(id)[0].0;
        assert_eq!(route_taken, route, "message {no}");
    }
}

#[tokio::test(start_paused = true)]
async fn unknown_outcomes_stay_reserved_and_what_was_taken_is_settled() {
    let world = World::running([gateway(hourly(2)), platform(Quotas::NONE)]).await;
    world
        .provider(SMS)
        .does_in_turn([Act::new(Answer::Unknown), Act::accept()]);
    for no in 0..3 {
        world.send(text_to(no, "hello")).await;
        world.pass(Millis::seconds(1)).await;
    }
    assert_eq!(world.sent_by(SMS).len(), 2, "the unknown one may be there");
    assert_eq!(world.sent_by(SMS2).len(), 1);
    world.pass(Millis::minutes(2)).await;
    let meters = world.disk.meters().await.unwrap();
    let of_route = meters.iter().find(|it| it.0 == MeterOf::Route(SMS));
    assert!(of_route.unwrap().1.hour.used().messages <= 2);
    let of_project = meters.iter().find(|it| it.0 == MeterOf::Project(PROJECT));
    let hour = of_project.unwrap().1.hour;
    let counted = (hour.reserved.messages, hour.settled.messages);
    assert_eq!(
        counted,
        (1, 3),
        "the copy that was never answered is in doubt"
    );
}

#[tokio::test(start_paused = true)]
async fn the_rest_of_a_long_message_waits_for_quota_in_the_hour_in_which_it_goes_on() {
    let segments = Quotas::new([Quota {
        per: Period::Hour,
        unit: QuotaUnit::Segments,
        limit: 3,
    }]);
    let world = World::running([gateway(segments)]).await;
    let partly = Act::new(Answer::Partly {
        taken: 1,
        class: FailureClass::RouteFault,
        retriable: true,
    });
    let acts = [partly, Act::accept().delivered_after(100)];
    world.provider(SMS).does_in_turn(acts);
    world.pass(Millis::new(3_600_000 - 500)).await;
    let long = world.send(text_to(1, &long_text(3))).await;
    world.pass(Millis::new(600)).await;
    let other = world.send(text_to(2, &long_text(2))).await;
    world.pass(Millis::minutes(59)).await;
    assert_eq!(world.status(other).await, Status::Delivered);
    let handed: Vec<u16> = world
        .sent_by(SMS)
        .iter()
        .map(|it| it.submission.parts_left())
        .collect();
    assert_eq!(handed, [3, 2], "the rest has no room beside the other");
    world.pass(Millis::minutes(2)).await;
    assert_eq!(world.states(long).await, [AttemptState::Sent]);
    let (_, at) = world.journey(long)[1];
    assert!((7_200_000..7_202_000).contains(&at), "{at}");
    let meters = world.disk.meters().await.unwrap();
    let of_route = meters.iter().find(|it| it.0 == MeterOf::Route(SMS));
    let hour = of_route.unwrap().1.hour;
    let (messages, segments) = (hour.used().messages, hour.used().segments);
    assert_eq!((messages, segments), (0, 2), "no message more");
}

#[tokio::test(start_paused = true)]
async fn a_route_is_out_since_its_quota_is_and_after_a_restart_since_nobody_knows_when() {
    let mut world = World::running([gateway(hourly(1)), platform(Quotas::NONE)]).await;
    let of_gateway = |world: &World| {
        let routes = world.engine().routes().into_iter();
        let mut both = routes.map(|it| (it.out_of_quota.is_some(), it.since));
        both.next().unwrap()
    };
    world.pass(Millis::minutes(10)).await;
    let (is_out, up_since) = of_gateway(&world);
    assert!(!is_out && up_since.is_some());
    let sent_at = world.now();
    world.send(text_to(1, "hello")).await;
    world.pass(Millis::minutes(10)).await;
    let (is_out, since) = of_gateway(&world);
    let late = since.unwrap().since(sent_at);
    assert!(is_out && late < Millis::seconds(1), "{late:?}");

    world.restart().await;
    world.pass(Millis::minutes(10)).await;
    assert_eq!(of_gateway(&world), (true, None));

    // The hour turns, and the next message uses up the next one's quota.
    world.pass(Millis::hours(1)).await;
    let (is_out, since) = of_gateway(&world);
    assert!(!is_out && since.is_some());
    let sent_at = world.now();
    world.send(text_to(2, "hello")).await;
    world.pass(Millis::seconds(5)).await;
    let (is_out, since) = of_gateway(&world);
    assert!(is_out && since.unwrap().since(sent_at) < Millis::seconds(1));
}
