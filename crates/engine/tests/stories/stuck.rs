//! R-QUOTA-3, R-ROUTE-2, R-TEST: direct messages that wait although no gateway and no platform that may
//! carry them takes anything are told of, and people are offered the same.

use domain::model::alert::AlertKind;
use domain::model::content::{Content, MessageType};
use domain::model::failure::FailureClass;
use domain::model::message::Status;
use domain::model::money::Micros;
use domain::model::route::{Destinations, Route, RouteClass};
use domain::rules::alert::AlertSettings;
use domain::time::Millis;
use engine::request::SendRequest;

use crate::world::{Act, Answer, PROJECT, SMS, SMS2, World, bulk_to, sms, sms2, text_to};

#[tokio::test(start_paused = true)]
async fn direct_messages_that_nothing_can_carry_are_told() {
    let world = World::watched([sms(), sms2()]).await;
    world.provider(SMS).link(false);
    world.pass(Millis::minutes(2)).await;
    world.send(text_to(1, "by the other")).await;
    world.pass(Millis::minutes(1)).await;
    let out = (AlertKind::AllRoutesOut, "channel:sms".to_owned());
    assert!(!world.raised().await.contains(&out));
    world.provider(SMS2).link(false);
    world.send(bulk_to(2, "bulk may wait")).await;
    world.pass(Millis::minutes(1)).await;
    assert!(!world.raised().await.contains(&out));
    world.send(text_to(3, "this one waits")).await;
    world.pass(Millis::minutes(1)).await;
    assert!(world.raised().await.contains(&out));
    world.provider(SMS2).link(true);
    world.pass(Millis::minutes(2)).await;
    assert!(!world.raised().await.contains(&out));
}

#[tokio::test(start_paused = true)]
async fn a_route_that_direct_messages_may_not_use_does_not_hide_that_all_others_are_out() {
    let gateway = Route {
        class: Some(RouteClass::Gateway),
        ..sms()
    };
    for (other, overflows) in [
        (
            Route {
                class: Some(RouteClass::Platform),
                ..sms2()
            },
            false,
        ),
        (
            Route {
                simulator: true,
                ..sms2()
            },
            true,
        ),
    ] {
        let mut world = World::new([gateway.clone(), other]);
        world.policy.overflow.direct_to_platform = overflows;
        world.start().await;
        world.engine().watch_alerts(AlertSettings::default());
        world.provider(SMS).link(false);
        world.send(text_to(1, "this one waits")).await;
        world.pass(Millis::minutes(1)).await;
        let out = (AlertKind::AllRoutesOut, "channel:sms".to_owned());
        assert!(world.raised().await.contains(&out), "{overflows}");
        assert_eq!(world.engine().offered(PROJECT).await.unwrap().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_route_that_serves_none_of_what_waits_does_not_hide_that_all_others_are_out() {
    let elsewhere = Route {
        destinations: Destinations {
            allow: vec!["+49".into()],
            deny: Vec::new(),
        },
        ..sms2()
    };
    let world = World::watched([sms(), elsewhere]).await;
    world.provider(SMS).link(false);
    let waits = world.send(text_to(1, "this one waits")).await;
    world.pass(Millis::minutes(1)).await;
    let out = (AlertKind::AllRoutesOut, "channel:sms".to_owned());
    assert!(world.raised().await.contains(&out));
    let offered = world.engine().offered(PROJECT).await.unwrap();
    let offered: Vec<_> = offered.iter().map(|it| it.message.id).collect();
    assert_eq!(offered, [waits], "people are offered what the alert counts");
    world.provider(SMS).link(true);
    world.pass(Millis::minutes(2)).await;
    assert!(!world.raised().await.contains(&out));
}

#[tokio::test(start_paused = true)]
async fn a_route_that_refused_the_message_does_not_hide_that_all_others_are_out() {
    let world = World::watched([sms(), sms2()]).await;
    world.provider(SMS2).link(false);
    let refuses = Act::new(Answer::Refuse(FailureClass::RouteFault));
    world.provider(SMS).does_in_turn([refuses, Act::accept()]);
    let waits = world.send(text_to(1, "this one waits")).await;
    world.pass(Millis::minutes(1)).await;
    let goes = world.send(text_to(2, "this one goes")).await;
    world.pass(Millis::minutes(1)).await;
    assert_eq!(world.status(goes).await, Status::Sent);
    let out = (AlertKind::AllRoutesOut, "channel:sms".to_owned());
    assert!(world.raised().await.contains(&out));
    let offered = world.engine().offered(PROJECT).await.unwrap();
    let offered: Vec<_> = offered.iter().map(|it| it.message.id).collect();
    assert_eq!(offered, [waits], "the first is not asked again (R-ROUTE-4)");
}

#[tokio::test(start_paused = true)]
async fn a_picture_waits_for_a_route_with_media_and_is_told_but_offered_to_nobody() {
    let mut with_media = sms();
    with_media.mms = true;
    with_media.prices[0].mms = Some(Micros(150_000));
    let world = World::watched([with_media, sms2()]).await;
    world.provider(SMS).link(false);
    let picture = SendRequest {
        content: Content {
            kind: MessageType::Image,
            extra: Some(r#"{"mediaUrl":"https://cdn.example/a.jpg"}"#.into()),
            ..Content::text("look")
        },
        ..text_to(1, "")
    };
    world.send(picture).await;
    world.pass(Millis::minutes(1)).await;
    let out = (AlertKind::AllRoutesOut, "channel:sms".to_owned());
    assert!(world.raised().await.contains(&out));
    assert_eq!(world.engine().offered(PROJECT).await.unwrap().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_a_test_key_asked_of_a_simulator_that_is_out_is_neither_told_nor_offered() {
    let simulator = Route {
        simulator: true,
        ..sms2()
    };
    let world = World::watched([sms(), simulator]).await;
    world.provider(SMS2).link(false);
    let test = SendRequest {
        test: true,
        ..text_to(1, "a test")
    };
    let id = world.send(test).await;
    world.pass(Millis::minutes(1)).await;
    assert_eq!(world.status(id).await, Status::Queued);
    let out = (AlertKind::AllRoutesOut, "channel:sms".to_owned());
    assert!(!world.raised().await.contains(&out));
    assert_eq!(world.engine().offered(PROJECT).await.unwrap().len(), 0);
}
