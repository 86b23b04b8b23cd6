//! R-CLASS-3, R-ORDER, R-PARTS: who goes first, and how fast.

use domain::model::message::{Status, TrafficClass};
use domain::model::route::Route;
use domain::time::Millis;
use engine::request::SendRequest;

use crate::world::{Act, SMS, World, bulk_to, ids, long_text, sms, text_to};

fn slow(per_second: u32) -> Route {
    Route {
        throughput: Some(per_second),
        ..sms()
    }
}

#[tokio::test(start_paused = true)]
async fn direct_goes_strictly_before_a_bulk_backlog() {
    let world = World::running([slow(10)]).await;
    for no in 0..500 {
        world.send(bulk_to(no % 50, &format!("offer {no}"))).await;
    }
    world.pass(Millis::seconds(5)).await;
    let start = world.log().len();
    let mut direct = Vec::new();
    for no in 0..5 {
        direct.push(world.send(text_to(no, "your answer")).await);
    }
    world.pass(Millis::seconds(1)).await;
    let log = world.log();
    // The token kept for direct lets the first leave at once.
    assert_eq!(log[start].submission.key.message, direct[0]);
    assert!(log[start].at.since(log[start - 1].at) <= Millis::new(200));
    assert_eq!(ids(&log)[start..start + 5], direct);
}

#[tokio::test(start_paused = true)]
async fn bulk_leaves_one_slot_of_the_window_to_direct() {
    let world = World::running([sms()]).await;
    world.provider(SMS).set_window(4);
    world
        .provider(SMS)
        .does(|_| Act::accept().answered_after(60_000));
    for no in 0..10 {
        world.send(bulk_to(no, "offer")).await;
    }
    world.pass(Millis::seconds(1)).await;
    assert_eq!(world.log().len(), 3);
    world.send(text_to(1, "your answer")).await;
    world.pass(Millis::new(1)).await;
    let log = world.log();
    assert_eq!(log.len(), 4);
    assert_eq!(log[3].submission.class, TrafficClass::Direct);
}

#[tokio::test(start_paused = true)]
async fn a_long_bulk_message_leaves_that_slot_too() {
    let world = World::running([sms()]).await;
    world.provider(SMS).set_window(5);
    world
        .provider(SMS)
        .does(|_| Act::accept().answered_after(60_000));
    for no in 0..10 {
        world.send(bulk_to(no, &long_text(2))).await;
    }
    world.pass(Millis::seconds(1)).await;
    assert_eq!(world.log().len(), 2, "two of two parts, and one slot free");
    world.send(bulk_to(1, "short")).await;
    world.send(text_to(1, "your answer")).await;
    world.pass(Millis::new(1)).await;
    assert_eq!(world.log().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_window_of_one_serves_bulk_as_well() {
    let world = World::running([sms()]).await;
    world.provider(SMS).set_window(1);
    for no in 0..10 {
        world.send(bulk_to(no, "offer")).await;
    }
    world.pass(Millis::seconds(5)).await;
    assert_eq!(world.log().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_route_is_used_at_its_throughput_counted_in_parts() {
    for (parts, per_second) in [(1, 20), (4, 20)] {
        let world = World::running([slow(per_second)]).await;
        let text = if parts == 1 {
            "hello".into()
        } else {
            long_text(parts)
        };
        for no in 0..400 {
            world.send(text_to(no % 50, &text)).await;
        }
        world.pass(Millis::seconds(10)).await;
        let sent = world.log().len() * parts;
        // Ten seconds of tokens, the bucket's burst, and what a long message owes.
        let want = usize::try_from(per_second).unwrap() * 10;
        assert!(
            (want - parts..=want + 2 + parts).contains(&sent),
            "{parts} parts: {sent}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_scheduled_message_does_not_overtake_what_waits_longer() {
    let world = World::running([slow(10)]).await;
    let at = world.now().plus(Millis::seconds(3));
    let scheduled = SendRequest {
        scheduled_at: Some(at),
        ..bulk_to(1, "scheduled")
    };
    let scheduled = world.send(scheduled).await;
    let mut earlier = Vec::new();
    for no in 0..100 {
        earlier.push(world.send(bulk_to(1, &format!("offer {no}"))).await);
    }
    world.pass(Millis::seconds(4)).await;
    let mut later = Vec::new();
    for no in 0..20 {
        later.push(world.send(bulk_to(1, &format!("late {no}"))).await);
    }
    world.pass(Millis::seconds(60)).await;
    let order = ids(&world.log());
    let want: Vec<_> = earlier
        .into_iter()
        .chain([scheduled])
        .chain(later)
        .collect();
    assert_eq!(order, want);
}

#[tokio::test(start_paused = true)]
async fn what_waits_behind_a_slow_answer_expires_and_is_not_of_unknown_outcome() {
    let world = World::running([sms()]).await;
    world.provider(SMS).set_window(1);
    world
        .provider(SMS)
        .does(|_| Act::accept().answered_after(600_000));
    world.send(text_to(1, "hello")).await;
    let waits = SendRequest {
        validity: Some(Millis::seconds(30)),
        ..text_to(2, "hello")
    };
    let waits = world.send(waits).await;
    world.pass(Millis::seconds(31)).await;
    let progress = world.progress(waits).await;
    assert_eq!(progress.status, Status::Failed);
    assert_eq!(&*progress.failure.unwrap().code, "expired");
    assert_eq!(progress.attempts, [], "nothing of it has left");
    world.pass(Millis::minutes(20)).await;
    assert_eq!(world.journey(waits), []);
}
