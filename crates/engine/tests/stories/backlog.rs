//! DESIGN §1, R-LIFE-4: what waits, how much of it, and for how long.

use domain::model::channel::Channel;
use domain::model::failure::FailureClass;
use domain::model::message::Status;
use domain::model::route::Route;
use domain::time::Millis;
use engine::request::{Refused, SendRequest};

use crate::world::{Act, OTHER, SMS, SMS2, World, bulk_to, ids, sms, sms2, text_to};

#[tokio::test(start_paused = true)]
async fn a_backlog_far_beyond_what_is_ready_drains_in_order() {
    let mut world = World::running([sms()]).await;
    world.provider(SMS).link(false);
    world
        .provider(SMS)
        .does(|_| Act::accept().delivered_after(20));
    let mut sent = Vec::new();
    for no in 0..6_000_u32 {
        sent.push(world.send(bulk_to(no % 40, &format!("offer {no}"))).await);
    }
    assert_eq!(world.engine().routes()[0].backlog, 6_000);
    world.restart().await;
    world.pass(Millis::minutes(1)).await;
    assert_eq!(ids(&world.log()), sent);
    assert_eq!(world.engine().routes()[0].backlog, 0);
}

#[tokio::test(start_paused = true)]
async fn a_full_backlog_refuses_more_and_takes_more_once_it_drains() {
    let mut world = World::new([sms()]);
    world.limits.backlog = 10;
    world.start().await;
    world.provider(SMS).link(false);
    for no in 0..10 {
        world.send(text_to(no, "hello")).await;
    }
    let refused = world.try_send(text_to(1, "one too many")).await;
    assert!(matches!(refused, Err(Refused::BacklogFull)), "{refused:?}");
    world.provider(SMS).link(true);
    world.pass(Millis::seconds(1)).await;
    world.send(text_to(1, "room again")).await;
}

#[tokio::test(start_paused = true)]
async fn what_waits_beyond_its_validity_fails_and_is_never_sent() {
    let world = World::running([sms()]).await;
    let request = |no| SendRequest {
        validity: Some(Millis::seconds(30)),
        ..text_to(no, "hello")
    };
    // One waits in a lane, one is ready and finds no room.
    world.provider(SMS).link(false);
    let lane = world.send(request(1)).await;
    world.provider(SMS).set_window(0);
    world.provider(SMS).link(true);
    let ready = world.send(request(2)).await;
    world.pass(Millis::new(29_900)).await;
    assert_ne!(world.status(lane).await, Status::Failed);
    world.provider(SMS).link(false);
    world.pass(Millis::seconds(1)).await;
    world.provider(SMS).set_window(10);
    world.provider(SMS).link(true);
    world.pass(Millis::minutes(1)).await;
    for id in [lane, ready] {
        let progress = world.progress(id).await;
        assert_eq!(progress.status, Status::Failed);
        assert_eq!(progress.failure.unwrap().class, FailureClass::Expired);
    }
    assert!(world.log().is_empty());
    assert_eq!(world.engine().routes()[0].backlog, 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_ready_beyond_its_validity_is_not_sent() {
    let world = World::running([sms()]).await;
    world.provider(SMS).set_window(0);
    let request = SendRequest {
        validity: Some(Millis::seconds(30)),
        ..text_to(1, "hello")
    };
    let id = world.send(request).await;
    world.pass(Millis::seconds(31)).await;
    world.provider(SMS).set_window(10);
    world.provider(SMS).link(true);
    world.pass(Millis::seconds(1)).await;
    assert!(world.log().is_empty());
    let progress = world.progress(id).await;
    assert_eq!(progress.status, Status::Failed);
    assert_eq!(progress.failure.unwrap().class, FailureClass::Expired);
}

#[tokio::test(start_paused = true)]
async fn a_scheduled_message_goes_at_its_time_and_is_valid_from_then_on() {
    let world = World::running([sms()]).await;
    let at = world.now().plus(Millis::hours(2));
    let request = SendRequest {
        scheduled_at: Some(at),
        validity: Some(Millis::seconds(60)),
        explicit: Some(Channel::Sms),
        ..text_to(1, "hello")
    };
    let id = world.send(request).await;
    world.pass(Millis::hours(1)).await;
    assert_eq!(world.status(id).await, Status::Queued);
    world.pass(Millis::hours(2)).await;
    let journey = world.journey(id);
    let due = Millis::hours(2).get();
    assert_eq!(journey.len(), 1);
    assert!((due..=due + 500).contains(&journey[0].1), "{journey:?}");
    assert_eq!(
        world.progress(id).await.expires_at,
        at.plus(Millis::seconds(60))
    );
}

#[tokio::test(start_paused = true)]
async fn a_schedule_survives_a_restart_and_one_that_passed_meanwhile_goes_at_once() {
    let mut world = World::running([Route {
        throughput: Some(100),
        ..sms()
    }])
    .await;
    let request = SendRequest {
        scheduled_at: Some(world.now().plus(Millis::minutes(10))),
        ..text_to(1, "hello")
    };
    let id = world.send(request).await;
    world.crash();
    world.pass(Millis::minutes(30)).await;
    world.start().await;
    world.pass(Millis::seconds(5)).await;
    assert_eq!(world.status(id).await, Status::Delivered);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_route_that_is_down_delays_nobody_who_has_another() {
    let mut world = World::new([sms(), sms2()]);
    world.twin_on = Some(SMS);
    world.start().await;
    world.provider(SMS).link(false);
    let shop = SendRequest {
        sender: OTHER,
        ..text_to(1, "waits")
    };
    world.send(shop).await;
    world.pass(Millis::seconds(10)).await;
    // Again and again, so that the search of the lane rests at some of the moments.
    for no in 2..12 {
        world.send(text_to(no, "hello")).await;
        world.pass(Millis::new(170)).await;
        let sent = usize::try_from(no).unwrap() - 1;
        assert_eq!(world.sent_by(SMS2).len(), sent, "message {no}");
    }
    assert!(world.sent_by(SMS).is_empty());
}
