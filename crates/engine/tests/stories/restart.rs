//! R-LIFE-2, R-DUP: what a process that died leaves, and what the next one makes of it.

use domain::model::attempt::AttemptState;
use domain::model::channel::Channel;
use domain::model::failure::FailureClass;
use domain::model::message::Status;
use domain::model::route::{OnUnknown, Route, RouteClass, UnknownWait};
use domain::time::Millis;
use engine::Ending;
use ports::store::Store;
use std::sync::atomic::Ordering;

use crate::world::{Act, Answer, SMS, WHATSAPP, World, ids, sms, text_to, whatsapp};

fn at_most_once() -> Route {
    Route {
        on_unknown: OnUnknown::Fail,
        ..sms()
    }
}

#[tokio::test(start_paused = true)]
async fn a_fallback_survives_a_restart_and_happens_once() {
    for down_for in [0, 1_000, 20_000] {
        let mut world = World::running([sms(), whatsapp()]).await;
        let act = Act::reject(FailureClass::Undeliverable);
        world.provider(WHATSAPP).does_in_turn([act]);
        let id = world.send(text_to(1, "hello")).await;
        world.pass(Millis::seconds(2)).await;
        world.crash();
        world.pass(Millis::new(down_for)).await;
        world.start().await;
        world.pass(Millis::minutes(2)).await;
        let journey = world.journey(id);
        let due = (2_000 + down_for).max(5_010);
        assert_eq!(journey.len(), 2, "{journey:?}");
        assert!((due..=due + 500).contains(&journey[1].1), "{journey:?}");
        assert_eq!(world.channels(id).await, [Channel::WhatsApp, Channel::Sms]);
        assert_eq!(world.status(id).await, Status::Delivered);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_in_hand_is_unknown_and_sent_again_after_the_wait() {
    let mut world = World::running([sms()]).await;
    let acts = [Act::new(Answer::Silent), Act::accept().delivered_after(500)];
    world.provider(SMS).does_in_turn(acts);
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    world.restart().await;
    world.pass(Millis::new(10)).await;
    assert_eq!(world.states(id).await, [AttemptState::Unknown]);
    world.pass(Millis::minutes(1)).await;
    let journey = world.journey(id);
    assert_eq!(journey.len(), 2, "{journey:?}");
    assert!((31_000..=31_500).contains(&journey[1].1), "{journey:?}");
    assert_eq!(world.status(id).await, Status::Delivered);
    assert_eq!(world.progress(id).await.attempts[0].resends, 1);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_spares_what_was_in_hand_from_being_sent_again() {
    let mut world = World::running([sms()]).await;
    let act = Act::new(Answer::Silent).delivered_after(10_000);
    world.provider(SMS).does_in_turn([act]);
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    world.restart().await;
    world.pass(Millis::minutes(5)).await;
    assert_eq!(world.journey(id).len(), 1);
    assert_eq!(world.status(id).await, Status::Delivered);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_came_before_the_crash_spares_it_too_where_it_fits_one_submission() {
    let mut world = World::running([sms()]).await;
    let early = Act::new(Answer::Silent).delivered_after(500);
    world.provider(SMS).does_in_turn([early.clone(), early]);
    let id = world.send(text_to(1, "hello")).await;
    let other = world.send(text_to(2, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    world.restart().await;
    world.pass(Millis::minutes(5)).await;
    for it in [id, other] {
        assert_eq!(world.journey(it).len(), 1);
        assert_eq!(world.status(it).await, Status::Delivered);
    }
}

#[tokio::test(start_paused = true)]
async fn at_most_once_fails_what_had_started_and_falls_back() {
    let mut world = World::running([at_most_once(), whatsapp()]).await;
    // SMS first: WhatsApp has failed this person too often.
    let act = Act::accept().fails_after(10, FailureClass::Undeliverable);
    world.provider(WHATSAPP).does_in_turn([act]);
    for _ in 0..3 {
        world.send(text_to(1, "earlier")).await;
        world.pass(Millis::minutes(1)).await;
    }
    let start = world.log().len();
    world.provider(SMS).does_in_turn([Act::new(Answer::Silent)]);
    world
        .provider(WHATSAPP)
        .does_in_turn([Act::accept().delivered_after(100)]);
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    assert!(world.progress(id).await.attempts[0].started);
    world.restart().await;
    world.pass(Millis::minutes(5)).await;
    assert_eq!(world.log().len() - start, 2);
    assert_eq!(world.channels(id).await, [Channel::Sms, Channel::WhatsApp]);
    assert_eq!(world.status(id).await, Status::Delivered);
    let failure = world.progress(id).await.attempts[0].failure.clone();
    assert_eq!(failure.unwrap().class, FailureClass::UnknownOutcome);
}

#[tokio::test(start_paused = true)]
async fn at_most_once_simply_sends_what_had_not_started() {
    let mut world = World::running([at_most_once()]).await;
    world.provider(SMS).set_window(2);
    world.provider(SMS).does_in_turn([Act::new(Answer::Silent)]);
    let mut sent = Vec::new();
    for no in 0..20 {
        sent.push(world.send(text_to(no, "hello")).await);
    }
    world.pass(Millis::seconds(1)).await;
    let left = ids(&world.log());
    world.crash();
    world.provider(SMS).set_window(100);
    world
        .provider(SMS)
        .does_in_turn([Act::accept().delivered_after(100)]);
    world.start().await;
    world.pass(Millis::minutes(5)).await;
    for id in &sent {
        let want = if left.contains(id) {
            Status::Failed
        } else {
            Status::Delivered
        };
        let marked = world.progress(*id).await.attempts[0].failure.is_some();
        // What was marked and had not left is the price of at most once: no more than a window.
        if marked {
            assert_eq!(world.status(*id).await, Status::Failed);
        } else {
            assert_eq!(world.status(*id).await, want);
        }
        assert!(world.journey(*id).len() <= 1, "sent twice");
    }
    let mut failed = 0;
    for id in &sent {
        failed += usize::from(world.status(*id).await == Status::Failed);
    }
    assert!(
        (left.len()..=left.len() + 2).contains(&failed),
        "{failed} failed"
    );
}

#[tokio::test(start_paused = true)]
async fn what_no_phone_had_been_handed_yet_is_sent_at_once() {
    let phones = Route {
        class: Some(RouteClass::Phone),
        unknown_wait: UnknownWait {
            direct: Millis::minutes(7),
            bulk: Millis::minutes(7),
        },
        ..sms()
    };
    let mut world = World::running([phones]).await;
    // Its connector takes nothing: the phones hold what they may.
    world.provider(SMS).set_window(0);
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    assert_eq!(world.log().len(), 0);
    world.crash();
    world.provider(SMS).set_window(10);
    world
        .provider(SMS)
        .does_in_turn([Act::accept().delivered_after(100)]);
    world.start().await;
    world.pass(Millis::seconds(2)).await;
    assert_eq!(world.status(id).await, Status::Delivered);
}

#[tokio::test(start_paused = true)]
async fn an_orderly_stop_lets_what_is_in_flight_finish_and_keeps_the_rest() {
    let mut world = World::running([sms()]).await;
    world.provider(SMS).set_window(2);
    world
        .provider(SMS)
        .does(|_| Act::accept().answered_after(300).delivered_after(900));
    let mut sent = Vec::new();
    for no in 0..10 {
        sent.push(world.send(text_to(no, "hello")).await);
    }
    world.pass(Millis::new(100)).await;
    assert_eq!(world.log().len(), 2);
    world.stop(Millis::seconds(10)).await;
    for (place, id) in sent.iter().enumerate() {
        let want: &[AttemptState] = if place < 2 {
            &[AttemptState::Sent]
        } else {
            &[]
        };
        assert_eq!(world.states(*id).await, want, "message {place}");
    }
    world.start().await;
    world.pass(Millis::minutes(1)).await;
    assert_eq!(ids(&world.log()), sent, "each once, in order");
    for id in sent {
        assert_eq!(world.status(id).await, Status::Delivered);
    }
}

#[tokio::test(start_paused = true)]
async fn an_orderly_stop_of_an_at_most_once_route_leaves_nothing_unknown() {
    let mut world = World::running([at_most_once()]).await;
    world.provider(SMS).set_window(4);
    world
        .provider(SMS)
        .does(|_| Act::accept().answered_after(300).delivered_after(900));
    let mut sent = Vec::new();
    for no in 0..12 {
        sent.push(world.send(text_to(no, "hello")).await);
    }
    world.pass(Millis::new(100)).await;
    world.stop(Millis::seconds(10)).await;
    world.start().await;
    world.pass(Millis::minutes(1)).await;
    assert_eq!(ids(&world.log()), sent, "each once, in order");
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_loses_patience_leaves_the_outcome_unknown() {
    let mut world = World::running([sms()]).await;
    world.provider(SMS).does_in_turn([Act::new(Answer::Silent)]);
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    world.stop(Millis::seconds(2)).await;
    assert_eq!(world.states(id).await, [AttemptState::Sending]);
    world.start().await;
    world.pass(Millis::new(10)).await;
    assert_eq!(world.states(id).await, [AttemptState::Unknown]);
}

#[tokio::test(start_paused = true)]
async fn a_step_that_the_store_does_not_take_ends_the_line_and_the_next_start_finds_the_truth() {
    let mut world = World::running([sms()]).await;
    let id = world.send(text_to(1, "hello")).await;
    world.full.store(true, Ordering::SeqCst);
    world.pass(Millis::seconds(1)).await;
    assert_eq!(world.engine().ended().await, Ending::StepLost);
    assert!(!world.engine().is_ready());
    assert!(world.try_send(text_to(2, "more")).await.is_err());
    world.full.store(false, Ordering::SeqCst);
    world.crash();
    world.start().await;
    world.pass(Millis::minutes(2)).await;
    assert_eq!(world.status(id).await, Status::Delivered);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_was_replaced_says_so() {
    let world = World::running([sms()]).await;
    world.disk.raise_epoch().await.unwrap();
    assert!(world.try_send(text_to(1, "hello")).await.is_err());
    assert_eq!(world.engine().ended().await, Ending::Replaced);
}
