//! R-RUN: one owner at a time.

use std::sync::Arc;

use domain::model::message::Status;
use domain::time::Millis;
use engine::request::Refused;

use crate::world::{Act, SMS, World, sms, text_to};

#[tokio::test(start_paused = true)]
async fn a_second_start_fences_the_first() {
    let world = World::running([sms()]).await;
    world
        .provider(SMS)
        .does(|_| Act::accept().answered_after(500));
    world.provider(SMS).set_window(1);
    let mut sent = Vec::new();
    for no in 0..3 {
        sent.push(world.send(text_to(no, "hello")).await);
    }
    let second = world.engine_alone(&Arc::default()).await;
    assert!(world.engine().is_ready(), "nothing has told it yet");
    world.pass(Millis::seconds(5)).await;

    assert!(!world.engine().is_ready());
    let refused = world.try_send(text_to(9, "late")).await;
    assert!(
        matches!(refused, Err(Refused::Unavailable(_))),
        "{refused:?}"
    );
    assert_eq!(world.log().len(), 1, "what was ready is the new owner's");
    for id in sent {
        assert_eq!(world.status(id).await, Status::Sending);
    }
    assert!(second.is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_fenced_engine_rests() {
    let world = World::running([sms()]).await;
    let act = Act::accept().answered_after(1_000_000_000);
    world.provider(SMS).does_in_turn([act]);
    world.send(text_to(1, "hello")).await;
    let _second = world.engine_alone(&Arc::default()).await;
    // Its timer finds the message due, again and again, and is refused: it must come to rest.
    world.pass(Millis::days(4)).await;
    assert!(!world.engine().is_ready());
}
