//! Media on the channel for text messages: fallback from WhatsApp, failover, price and parts of an MMS
//! (R-FALL-1, R-ROUTE-1, R-ROUTE-4, R-COST-1, R-PARTS).

use domain::decision::{ChannelDrop, RouteDrop, RouteVerdict};
use domain::ids::RouteKey;
use domain::model::channel::Channel;
use domain::model::content::{Content, MessageType};
use domain::model::failure::FailureClass;
use domain::model::message::Status;
use domain::model::money::Micros;
use domain::model::route::Route;
use domain::rules::plan::Refusal;
use domain::time::Millis;
use engine::request::{Refused, SendRequest};
use ports::connector::{Bill, IncomingMessage, SubmissionKey};

use crate::world::{
    Act, SMS, SMS2, WHATSAPP, World, person, sms, sms_route, sms2, text_to, whatsapp,
};

const MOMENT: Millis = Millis::new(100);
/// A second route with media, dearer than the first.
const MMS2: RouteKey = RouteKey(4);
const PICTURE: &str = r#"{"mediaUrl":"https://cdn.example/a.jpg"}"#;

/// The same route with media, at so much each.
fn with_mms(mut route: Route, micros: i64) -> Route {
    route.mms = true;
    route.prices[0].mms = Some(Micros(micros));
    route
}

fn medium_to(no: u32, extra: &str) -> SendRequest {
    SendRequest {
        content: Content {
            kind: MessageType::Image,
            extra: Some(extra.into()),
            ..Content::text("look ".repeat(100))
        },
        ..text_to(no, "")
    }
}

/// The person has just written on WhatsApp: its window is open.
async fn wrote_on_whatsapp(world: &World, no: u32) {
    let wrote = IncomingMessage::new(person(no), "+40700000001", Content::text("hi"));
    let events = world.provider(WHATSAPP).events().unwrap();
    events.inbound(wrote, Box::new(drop));
    world.pass(MOMENT).await;
}

#[tokio::test(start_paused = true)]
async fn a_picture_falls_back_from_whatsapp_to_mms_five_seconds_later() {
    let world = World::running([sms(), with_mms(sms2(), 150_000), whatsapp()]).await;
    wrote_on_whatsapp(&world, 1).await;
    let act = Act::reject(FailureClass::Undeliverable);
    world.provider(WHATSAPP).does_in_turn([act]);
    let id = world.send(medium_to(1, PICTURE)).await;
    world.pass(Millis::seconds(10)).await;

    assert_eq!(world.status(id).await, Status::Delivered);
    assert_eq!(world.channels(id).await, [Channel::WhatsApp, Channel::Sms]);
    let journey: Vec<_> = world.journey(id).iter().map(|it| it.0).collect();
    assert_eq!(journey, [WHATSAPP, SMS2]);
    let sent = &world.sent_by(SMS2)[0].submission;
    assert_eq!(sent.content.kind, MessageType::Image);
    assert_eq!(sent.content.extra.as_deref(), Some(PICTURE));
    assert_eq!(sent.parts, 1, "whatever the length of its caption");
    let attempt = &world.progress(id).await.attempts[1];
    assert_eq!(attempt.estimated_cost, Micros(150_000));
    assert_eq!(attempt.settled_cost, Some(Micros(150_000)));

    let decisions = world.engine().store().decisions(id).await.unwrap();
    let last = &decisions.last().unwrap().decision;
    let texts_only = last.routes.iter().find(|it| it.route == SMS).unwrap();
    assert_eq!(texts_only.verdict, RouteVerdict::Dropped(RouteDrop::NoMms));
}

#[tokio::test(start_paused = true)]
async fn without_a_route_with_media_a_picture_does_not_fall_back() {
    let world = World::running([sms(), whatsapp()]).await;
    wrote_on_whatsapp(&world, 1).await;
    let act = Act::reject(FailureClass::Undeliverable);
    world.provider(WHATSAPP).does_in_turn([act]);
    let id = world.send(medium_to(1, PICTURE)).await;
    world.pass(Millis::minutes(1)).await;
    assert_eq!(world.status(id).await, Status::Failed);
    assert_eq!(world.channels(id).await, [Channel::WhatsApp]);
    assert!(world.sent_by(SMS).is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_only_whatsapp_keeps_does_not_go_as_an_mms() {
    let world = World::running([with_mms(sms(), 1), whatsapp()]).await;
    let by_id = SendRequest {
        explicit: Some(Channel::Sms),
        ..medium_to(1, r#"{"mediaId":"42"}"#)
    };
    let refused = world.try_send(by_id).await.unwrap_err();
    let Refused::ByRule { refusal, .. } = refused else {
        panic!("{refused:?}");
    };
    let why = ChannelDrop::ContentNotExpressible;
    assert_eq!(refusal, Refusal::ExplicitChannel(why));
}

#[tokio::test(start_paused = true)]
async fn a_refused_mms_goes_by_the_other_route_with_media_and_never_by_one_for_texts() {
    let routes = [
        with_mms(sms(), 1),
        sms2(),
        with_mms(sms_route(MMS2, 90_000), 900_000),
    ];
    let world = World::running(routes).await;
    let act = || Act::refuse(FailureClass::SenderFault);
    world.provider(SMS).does_in_turn([act()]);
    let id = world.send(medium_to(1, PICTURE)).await;
    world.pass(Millis::seconds(3)).await;
    let journey: Vec<_> = world.journey(id).iter().map(|it| it.0).collect();
    assert_eq!(journey, [SMS, MMS2]);
    assert_eq!(world.status(id).await, Status::Delivered);

    world.provider(SMS).does_in_turn([act()]);
    world.provider(MMS2).does_in_turn([act()]);
    let id = world.send(medium_to(2, PICTURE)).await;
    world.pass(Millis::seconds(3)).await;
    assert_eq!(world.status(id).await, Status::Failed);
    assert!(world.sent_by(SMS2).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_picture_waits_for_its_route_while_texts_go_by_another() {
    let world = World::running([sms(), with_mms(sms2(), 1)]).await;
    world.provider(SMS2).link(false);
    world.pass(MOMENT).await;
    let picture = world.send(medium_to(1, PICTURE)).await;
    let text = world.send(text_to(1, "meanwhile")).await;
    world.pass(Millis::seconds(3)).await;
    assert_eq!(world.status(picture).await, Status::Queued);
    assert_eq!(world.status(text).await, Status::Delivered);
    world.provider(SMS2).link(true);
    world.pass(Millis::seconds(3)).await;
    assert_eq!(world.status(picture).await, Status::Delivered);
    assert_eq!(world.sent_by(SMS2).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_mms_costs_the_same_however_its_provider_counts_it() {
    let world = World::running([with_mms(sms(), 150_000)]).await;
    let id = world.send(medium_to(1, PICTURE)).await;
    world.pass(MOMENT).await;
    let key = SubmissionKey {
        message: id,
        attempt: 1,
    };
    let bill = |segments, amount| Bill { segments, amount };
    let events = world.provider(SMS).events().unwrap();
    for (told, want) in [
        (bill(Some(3), None), 150_000),
        (bill(Some(1), Some(Micros(170_000))), 170_000),
    ] {
        events.billed(key, told);
        world.pass(MOMENT).await;
        let attempts = world.progress(id).await.attempts;
        assert_eq!(attempts[0].estimated_cost, Micros(want));
    }
}
