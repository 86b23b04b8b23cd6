//! R-ROUTE-4, R-HEALTH: other routes of the same channel, and routes that are down.

use domain::decision::ChannelReason;
use domain::model::channel::Channel;
use domain::model::failure::FailureClass;
use domain::model::message::Status;
use domain::model::route::RouteCondition;
use domain::time::Millis;
use ports::store::Queries;

use crate::world::{
    Act, Answer, SMS, SMS2, WHATSAPP, World, bulk_to, ids, sms, sms2, text_to, whatsapp,
};

#[tokio::test(start_paused = true)]
async fn what_was_certainly_not_taken_moves_to_the_next_route_at_once() {
    for class in [
        FailureClass::RouteFault,
        FailureClass::Throttled,
        FailureClass::AccountFault,
    ] {
        let world = World::running([sms(), sms2()]).await;
        world.provider(SMS).does_in_turn([Act::refuse(class)]);
        let id = world.send(text_to(1, "hello")).await;
        world.pass(Millis::seconds(10)).await;
        assert_eq!(world.journey(id), [(SMS, 0), (SMS2, 10)], "{class:?}");
        assert_eq!(world.channels(id).await, [Channel::Sms], "one attempt");
        assert_eq!(world.status(id).await, Status::Delivered);
        let decisions = world.disk.decisions(id).await.unwrap();
        let reasons: Vec<_> = decisions
            .iter()
            .filter_map(|it| it.decision.channel())
            .map(|it| it.1)
            .collect();
        assert_eq!(
            reasons,
            [ChannelReason::OnlyViable, ChannelReason::UnderWay],
            "nobody named it"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn when_every_route_refused_the_attempt_has_failed() {
    let world = World::running([sms(), sms2(), whatsapp()]).await;
    world
        .provider(WHATSAPP)
        .does_in_turn([Act::reject(FailureClass::Undeliverable)]);
    for route in [SMS, SMS2] {
        world
            .provider(route)
            .does_in_turn([Act::refuse(FailureClass::RouteFault)]);
    }
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::minutes(1)).await;
    let routes: Vec<_> = world.journey(id).iter().map(|it| it.0).collect();
    assert_eq!(routes, [WHATSAPP, SMS, SMS2]);
    assert_eq!(world.status(id).await, Status::Failed);
    assert_eq!(
        world.contact(1).await.sms.metrics.failure_count,
        0,
        "the routes' fault"
    );
}

#[tokio::test(start_paused = true)]
async fn the_only_route_is_waited_for_when_it_throttles_and_order_is_kept() {
    let world = World::running([sms()]).await;
    world.provider(SMS).set_window(1);
    let acts = [
        Act::refuse(FailureClass::Throttled),
        Act::accept().delivered_after(100),
    ];
    world.provider(SMS).does_in_turn(acts);
    let mut sent = Vec::new();
    for no in 0..5 {
        sent.push(world.send(text_to(1, &format!("hello {no}"))).await);
    }
    world.pass(Millis::new(500)).await;
    assert_eq!(world.log().len(), 1, "a pause");
    world.pass(Millis::minutes(1)).await;
    let order = ids(&world.log());
    assert_eq!(order[0], sent[0]);
    assert_eq!(order[1..], sent, "the throttled one goes first");
    for id in sent {
        assert_eq!(world.status(id).await, Status::Delivered);
        assert_eq!(world.channels(id).await.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_pause_that_a_provider_asks_for_is_throttling_to_its_end() {
    let world = World::running([sms()]).await;
    world.provider(SMS).set_window(1);
    let acts = [Act::new(Answer::SlowDown(15_000)), Act::accept()];
    world.provider(SMS).does_in_turn(acts);
    for no in 0..5 {
        world.send(text_to(no, "hello")).await;
    }
    for _ in 0..14 {
        world.pass(Millis::seconds(1)).await;
        let route = world.engine().routes().remove(0);
        assert_eq!(route.condition, RouteCondition::Throttled);
        let waiting = route.backlog + u64::try_from(route.ready).unwrap();
        assert_eq!((waiting, route.in_hand), (5, 0), "nothing is lost to sight");
        assert_eq!(world.log().len(), 1);
    }
    world.pass(Millis::seconds(5)).await;
    assert_eq!(world.log().len(), 6);
    assert_eq!(
        world.engine().routes()[0].condition,
        RouteCondition::Up,
        "the pause is over"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_ready_on_a_route_that_pauses_for_long_leaves_by_another() {
    let world = World::running([sms(), sms2()]).await;
    world.provider(SMS).set_window(1);
    let acts = [Act::new(Answer::SlowDown(60_000)), Act::accept()];
    world.provider(SMS).does_in_turn(acts);
    world.provider(SMS2).link(false);
    let mut sent = Vec::new();
    for no in 0..10 {
        sent.push(world.send(text_to(no, "hello")).await);
    }
    world.pass(Millis::new(1)).await;
    assert_eq!(world.engine().routes()[0].ready, 9);
    world.provider(SMS2).link(true);
    world.pass(Millis::seconds(3)).await;
    let fresh = world.send(text_to(99, "hello")).await;
    world.pass(Millis::seconds(2)).await;
    assert_eq!(world.sent_by(SMS).len(), 1);
    assert_eq!(world.sent_by(SMS2).len(), 11);
    assert_eq!(world.journey(fresh)[0].0, SMS2);
}

#[tokio::test(start_paused = true)]
async fn messages_wait_for_a_route_that_is_down_and_leave_in_order() {
    let world = World::running([sms()]).await;
    world.provider(SMS).link(false);
    let mut sent = Vec::new();
    for no in 0..50 {
        sent.push(world.send(text_to(no % 3, &format!("hello {no}"))).await);
        if no == 25 {
            world.pass(Millis::seconds(3)).await;
        }
    }
    world.pass(Millis::hours(1)).await;
    assert!(world.log().is_empty());
    for id in &sent {
        assert_eq!(world.status(*id).await, Status::Queued);
    }
    assert_eq!(world.engine().routes()[0].backlog, 50);
    world.provider(SMS).link(true);
    world.pass(Millis::seconds(5)).await;
    assert_eq!(ids(&world.log()), sent);
    assert_eq!(world.engine().routes()[0].backlog, 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_ready_on_a_route_that_goes_down_leaves_by_another_in_order() {
    let world = World::running([sms(), sms2()]).await;
    world.provider(SMS).set_window(0);
    world.provider(SMS2).set_window(1);
    let mut sent = Vec::new();
    for no in 0..20 {
        sent.push(world.send(text_to(1, &format!("hello {no}"))).await);
    }
    world.pass(Millis::seconds(1)).await;
    assert!(world.log().is_empty());
    world.provider(SMS).link(false);
    world.pass(Millis::seconds(10)).await;
    assert_eq!(ids(&world.sent_by(SMS2)), sent);
}

#[tokio::test(start_paused = true)]
async fn auto_messages_take_another_channel_when_all_routes_of_the_first_are_down() {
    let world = World::running([sms(), whatsapp()]).await;
    world.provider(WHATSAPP).set_window(0);
    let ready = world.send(text_to(1, "ready")).await;
    world.provider(WHATSAPP).link(false);
    let fresh = world.send(text_to(2, "fresh")).await;
    world.pass(Millis::seconds(10)).await;
    for id in [ready, fresh] {
        assert_eq!(world.channels(id).await, [Channel::Sms]);
        assert_eq!(world.status(id).await, Status::Delivered);
    }
}

#[tokio::test(start_paused = true)]
async fn the_breaker_opens_after_five_errors_and_probes() {
    let world = World::running([sms(), sms2()]).await;
    world.provider(SMS).set_window(1);
    world
        .provider(SMS)
        .does_in_turn([Act::refuse(FailureClass::RouteFault)]);
    for no in 0..30 {
        world.send(text_to(no, "hello")).await;
    }
    world.pass(Millis::new(500)).await;
    // A probe may come at any time, but between probes everything goes by the other route.
    let tried = world.sent_by(SMS).len();
    assert!((5..=8).contains(&tried), "{tried}");
    assert_eq!(world.sent_by(SMS2).len(), 30);
    let before = world.sent_by(SMS).len();
    for no in 0..600 {
        world.send(text_to(no % 7, &format!("more {no}"))).await;
        world.pass(Millis::seconds(1)).await;
    }
    let probes = world.sent_by(SMS).len() - before;
    assert!(
        (10..=60).contains(&probes),
        "{probes} probes in ten minutes"
    );
    assert_eq!(world.sent_by(SMS2).len(), 630);

    world
        .provider(SMS)
        .does_in_turn([Act::accept().delivered_after(100)]);
    for no in 0..120 {
        world.send(text_to(no % 7, &format!("again {no}"))).await;
        world.pass(Millis::seconds(1)).await;
    }
    assert!(
        world.sent_by(SMS).len() > before + probes + 50,
        "it is back"
    );
    assert_eq!(world.engine().routes()[0].condition, RouteCondition::Up);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_the_connector_gives_back_is_not_the_last() {
    let world = World::running([sms(), sms2()]).await;
    world.provider(SMS).set_window(1);
    let mut acts = vec![Act::refuse(FailureClass::RouteFault); 5];
    acts.extend([Act::new(Answer::Return), Act::accept().delivered_after(100)]);
    world.provider(SMS).does_in_turn(acts);
    for no in 0..60 {
        world.send(text_to(no % 7, &format!("hello {no}"))).await;
        world.pass(Millis::seconds(1)).await;
    }
    assert_eq!(world.engine().routes()[0].condition, RouteCondition::Up);
    assert!(world.sent_by(SMS).len() > 20);
}

#[tokio::test(start_paused = true)]
async fn statistics_do_not_eject_the_last_route_of_a_channel() {
    // Another channel is no help to a message that names this one.
    for others in [vec![], vec![whatsapp()]] {
        let mut world = World::new(std::iter::once(sms()).chain(others));
        world.start().await;
        world.provider(SMS).set_window(1);
        let mut acts = vec![Act::refuse(FailureClass::RouteFault); 10];
        acts.push(Act::accept().delivered_after(100));
        world.provider(SMS).does_in_turn(acts);
        for no in 0..12 {
            let request = engine::request::SendRequest {
                explicit: Some(Channel::Sms),
                ..text_to(no, "hello")
            };
            world.send(request).await;
        }
        world.pass(Millis::new(500)).await;
        assert_eq!(world.log().len(), 12, "all were tried without a pause");
    }
}

#[tokio::test(start_paused = true)]
async fn a_route_that_comes_up_takes_over_from_one_that_is_down() {
    let world = World::running([sms(), sms2()]).await;
    world.provider(SMS).link(false);
    world.provider(SMS2).link(false);
    let mut sent = Vec::new();
    for no in 0..10 {
        sent.push(world.send(bulk_to(1, &format!("hello {no}"))).await);
    }
    world.provider(SMS2).link(true);
    world.pass(Millis::seconds(5)).await;
    assert_eq!(ids(&world.sent_by(SMS2)), sent);
}
