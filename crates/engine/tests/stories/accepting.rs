//! R-LIFE-3: one key, one message.

use domain::model::message::Status;
use domain::time::Millis;
use engine::request::{Refused, SendRequest};
use ports::store::messages::IdempotencyKey;

use crate::world::{World, sms, text_to};

fn keyed(text: &str, hash: u64) -> SendRequest {
    SendRequest {
        idempotency: Some(IdempotencyKey {
            key: "order-7".into(),
            fields: vec![("to", 1), ("text", hash)],
        }),
        ..text_to(1, text)
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_key_twice_at_once_is_one_message() {
    let world = World::running([sms()]).await;
    let (first, second) =
        tokio::join!(world.try_send(keyed("a", 1)), world.try_send(keyed("a", 1)));
    let id = first.unwrap();
    match second {
        Err(Refused::AlreadyAccepted { original, differs }) => {
            assert_eq!((original, differs), (id, None));
        }
        other => panic!("{other:?}"),
    }
    world.pass(Millis::seconds(5)).await;
    assert_eq!(world.log().len(), 1);
    assert_eq!(world.status(id).await, Status::Delivered);
}

#[tokio::test(start_paused = true)]
async fn the_same_key_with_another_body_names_the_field() {
    let world = World::running([sms()]).await;
    world.send(keyed("a", 1)).await;
    match world.try_send(keyed("b", 2)).await {
        Err(Refused::AlreadyAccepted { differs, .. }) => {
            assert_eq!(differs.as_deref(), Some("text"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_is_forgotten_after_a_day() {
    let world = World::running([sms()]).await;
    let first = world.send(keyed("a", 1)).await;
    world.pass(Millis::hours(25)).await;
    assert_ne!(world.send(keyed("a", 1)).await, first);
}

#[tokio::test(start_paused = true)]
async fn a_preview_sends_and_keeps_nothing() {
    let world = World::running([sms()]).await;
    let preview = world.engine().preview(text_to(1, "hello")).await.unwrap();
    assert!(preview.refusal.is_none() && !preview.waits);
    world.pass(Millis::seconds(5)).await;
    assert!(world.log().is_empty());
    assert!(world.contact(1).await.id.is_none());
}
