//! R-IN-2, R-FALL-3: what a connector has and has not sent yet does not leave once nobody wants it, as far
//! as the connector can give it back.

use domain::ids::MessageId;
use domain::model::channel::Channel;
use domain::model::consent::{ConsentChange, ConsentScope, ConsentSource};
use domain::model::content::Content;
use domain::model::failure::FailureClass;
use domain::model::message::{Category, Status};
use domain::model::progress::Waiting;
use domain::model::route::{OnUnknown, Route};
use domain::time::Millis;
use ports::connector::{ConsentSignal, IncomingMessage};
use ports::store::consent::{Consent, ConsentSubject, Towards};

use crate::world::{
    Act, Answer, OTHER, PROJECT, SMS, WHATSAPP, World, ids, person, sms, text_to, whatsapp,
};

const OURS: &str = "+40700000001";

/// The connector has it for so many seconds before it sends it.
fn lingers(seconds: i64) -> Act {
    Act::new(Answer::Linger).answered_after(seconds * 1_000)
}

async fn says(world: &World, no: u32, text: &str) {
    let message = IncomingMessage::new(person(no), OURS, Content::text(text));
    let events = world.provider(SMS).events().unwrap();
    events.inbound(message, Box::new(|_| ()));
    world.pass(Millis::new(100)).await;
}

async fn failed_as_opted_out(world: &World, id: MessageId) -> bool {
    let progress = world.progress(id).await;
    let failure = progress.failure;
    progress.status == Status::Failed
        && failure.is_some_and(|it| &*it.code == "recipient_opted_out")
}

#[tokio::test(start_paused = true)]
async fn what_a_connector_has_not_sent_yet_does_not_leave_after_a_stop() {
    for on_unknown in [OnUnknown::Resend, OnUnknown::Fail] {
        let world = World::running([Route {
            on_unknown,
            ..sms()
        }])
        .await;
        world.provider(SMS).does(|_| lingers(5));
        let stopped = world.send(text_to(1, "hello")).await;
        let other = world.send(text_to(2, "hello")).await;
        world.pass(Millis::seconds(1)).await;
        assert!(world.log().is_empty(), "the connector has both");
        says(&world, 1, "stop").await;
        assert!(failed_as_opted_out(&world, stopped).await, "at once");
        world.pass(Millis::minutes(1)).await;
        // The confirmation leaves, and what is the other person's.
        let left = ids(&world.log());
        assert_eq!((left.len(), left.contains(&stopped)), (2, false));
        assert!(left.contains(&other));
        assert!(world.progress(stopped).await.is_ended());
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_left_has_its_outcome_as_ever() {
    let world = World::running([sms()]).await;
    let act = Act::accept().answered_after(5_000).delivered_after(6_000);
    world.provider(SMS).does(move |_| act.clone());
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    says(&world, 1, "stop").await;
    assert_eq!(world.status(id).await, Status::Sending);
    world.pass(Millis::seconds(10)).await;
    assert_eq!(world.status(id).await, Status::Delivered);
    assert_eq!(world.journey(id).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn it_ends_also_where_its_route_takes_nothing_any_more() {
    let world = World::running([sms()]).await;
    world.provider(SMS).does(|_| lingers(60));
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    world.provider(SMS).link(false);
    says(&world, 1, "stop").await;
    assert!(failed_as_opted_out(&world, id).await);
}

#[tokio::test(start_paused = true)]
async fn who_is_in_again_by_then_gets_it() {
    let world = World::running([sms()]).await;
    world.provider(SMS).does_in_turn([
        lingers(5),
        Act::accept(),
        Act::accept(),
        Act::accept().delivered_after(100),
    ]);
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    let events = world.provider(SMS).events().unwrap();
    for word in ["stop", "start"] {
        let message = IncomingMessage::new(person(1), OURS, Content::text(word));
        events.inbound(message, Box::new(|_| ()));
    }
    world.pass(Millis::seconds(10)).await;
    assert!(ids(&world.log()).contains(&id));
    assert_ne!(world.status(id).await, Status::Failed);
}

#[tokio::test(start_paused = true)]
async fn the_confirmation_is_wanted_whoever_has_it() {
    let world = World::running([sms()]).await;
    world.provider(SMS).does(|_| lingers(5));
    says(&world, 1, "stop").await;
    says(&world, 1, "stop").await;
    let signal = ConsentSignal {
        from: person(1),
        to: OURS.into(),
        opted_out: true,
        promotions_only: true,
        raw: "stop promotions".into(),
    };
    let events = world.provider(SMS).events().unwrap();
    events.consent(signal, Box::new(|_| ()));
    world.pass(Millis::seconds(10)).await;
    assert_eq!(world.log().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_providers_signal_stops_what_it_is_about_and_nothing_else() {
    let world = World::running([sms()]).await;
    world.provider(SMS).does(|_| lingers(5));
    let promotion = engine::request::SendRequest {
        category: Category::Promotional,
        ..text_to(1, "sale")
    };
    let promotion = world.send(promotion).await;
    let ordinary = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    let signal = ConsentSignal {
        from: person(1),
        to: OURS.into(),
        opted_out: true,
        promotions_only: true,
        raw: "stop promotions".into(),
    };
    let events = world.provider(SMS).events().unwrap();
    events.consent(signal, Box::new(|_| ()));
    world.pass(Millis::seconds(10)).await;
    assert!(failed_as_opted_out(&world, promotion).await);
    assert_eq!(ids(&world.log()), [ordinary]);
}

#[tokio::test(start_paused = true)]
async fn an_opt_out_of_the_project_stops_what_any_sender_has_with_a_connector() {
    let mut world = World::new([sms()]);
    world.has_other = true;
    world.start().await;
    world.provider(SMS).does(|_| lingers(5));
    let of_one = world.send(text_to(1, "hello")).await;
    let request = engine::request::SendRequest {
        sender: OTHER,
        ..text_to(1, "hello")
    };
    let of_other = world.send(request).await;
    world.pass(Millis::seconds(1)).await;
    let consent = Consent {
        project: PROJECT,
        who: ConsentSubject::Address(person(1)),
        towards: Towards::Project,
        change: ConsentChange {
            opted_out: true,
            scope: ConsentScope::Everything,
            only_if_out: false,
            wording: "by letter".into(),
        },
        source: ConsentSource::Api,
        channel: None,
        at: world.now(),
    };
    world.engine().change_consent(consent).await.unwrap();
    world.pass(Millis::seconds(10)).await;
    assert!(failed_as_opted_out(&world, of_one).await);
    assert!(failed_as_opted_out(&world, of_other).await);
    assert!(world.log().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_delivery_takes_back_a_fallback_that_the_connector_has_not_sent() {
    let world = World::running([sms(), whatsapp()]).await;
    let late = Act::accept().fails_after(100, FailureClass::Undeliverable);
    world
        .provider(WHATSAPP)
        .does_in_turn([late.delivered_after(8_000)]);
    world.provider(SMS).does(|_| lingers(60));
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(7)).await;
    assert_eq!(world.channels(id).await, [Channel::WhatsApp, Channel::Sms]);
    world.pass(Millis::seconds(3)).await;
    let progress = world.progress(id).await;
    assert_eq!(progress.status, Status::Delivered);
    assert_eq!(progress.waiting, Waiting::No);
    assert_eq!(world.channels(id).await, [Channel::WhatsApp]);
    world.pass(Millis::minutes(2)).await;
    assert!(world.sent_by(SMS).is_empty());
    assert_eq!(world.progress(id).await.duplicate_deliveries, 0);
}

/// What the connector of the SMS route is told that nobody wants any more.
fn named(world: &World) -> Vec<MessageId> {
    let withdrawn = world.provider(SMS).withdrawn();
    withdrawn.iter().map(|it| it.message).collect()
}

#[tokio::test(start_paused = true)]
async fn what_was_left_behind_by_a_crash_is_named_and_sent_to_nobody_once_its_wait_is_over() {
    for stops_before in [true, false] {
        let mut world = World::running([sms()]).await;
        world
            .provider(SMS)
            .does_in_turn([Act::new(Answer::Silent), Act::accept()]);
        let id = world.send(text_to(1, "hello")).await;
        let other = world.send(text_to(2, "hello")).await;
        world.pass(Millis::seconds(1)).await;
        if stops_before {
            // It is kept, and what follows from it has not its turn any more.
            let message = IncomingMessage::new(person(1), OURS, Content::text("stop"));
            let events = world.provider(SMS).events().unwrap();
            events.inbound(message, Box::new(|_| ()));
        }
        world.restart().await;
        world.pass(Millis::new(10)).await;
        if !stops_before {
            assert!(named(&world).is_empty());
            says(&world, 1, "stop").await;
        }
        assert_eq!(named(&world), [id], "{stops_before}");
        world.pass(Millis::minutes(1)).await;
        assert!(named(&world).is_empty(), "{stops_before}");
        assert!(failed_as_opted_out(&world, id).await, "{stops_before}");
        assert_eq!(world.journey(id).len(), 1, "what had left before");
        assert_ne!(world.status(other).await, Status::Failed);
    }
}
