//! R-FALL: the second channel, exactly five seconds after the first has failed (SPEC §16, 5 and 6).

use domain::model::attempt::AttemptState;
use domain::model::channel::Channel;
use domain::model::failure::FailureClass;
use domain::model::message::Status;
use domain::model::receipt::ReceiptState;
use domain::time::Millis;
use engine::request::SendRequest;

use crate::world::{Act, SMS, WHATSAPP, World, sms, text_to, whatsapp};

#[tokio::test(start_paused = true)]
async fn an_accepted_message_is_submitted_and_delivered() {
    let world = World::running([sms()]).await;
    let id = world.send(text_to(1, "hello")).await;
    assert_eq!(world.status(id).await, Status::Sending);
    world.pass(Millis::new(500)).await;
    assert_eq!(world.status(id).await, Status::Sent);
    world.pass(Millis::seconds(1)).await;
    assert_eq!(world.status(id).await, Status::Delivered);
    assert_eq!(world.journey(id), [(SMS, 0)]);
    let metrics = world.contact(1).await.sms.metrics;
    assert_eq!((metrics.success_count, metrics.failure_count), (1, 0));
    // From the submission, not from its answer (R-METRIC-1).
    assert_eq!(metrics.average_delivery_time(), Some(Millis::seconds(1)));
}

#[tokio::test(start_paused = true)]
async fn whatsapp_fails_and_sms_delivers_five_seconds_later() {
    let world = World::running([sms(), whatsapp()]).await;
    let act = Act::reject(FailureClass::Undeliverable).answered_after(200);
    world.provider(WHATSAPP).does_in_turn([act]);
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(10)).await;

    let journey = world.journey(id);
    assert_eq!(journey[0], (WHATSAPP, 0));
    assert_eq!((journey.len(), journey[1].0), (2, SMS));
    // The refusal arrives at 200 ms: never before 5.000 s after it, nor 0.5 s later than that.
    assert!((5_200..=5_700).contains(&journey[1].1), "{journey:?}");
    assert_eq!(world.status(id).await, Status::Delivered);
    assert_eq!(world.channels(id).await, [Channel::WhatsApp, Channel::Sms]);
    let contact = world.contact(1).await;
    assert_eq!(contact.whatsapp.metrics.failure_count, 1);
    assert_eq!(contact.sms.metrics.success_count, 1);
}

#[tokio::test(start_paused = true)]
async fn sms_fails_too_and_there_is_no_third_attempt() {
    let world = World::running([sms(), whatsapp()]).await;
    for route in [SMS, WHATSAPP] {
        let act = Act::accept().fails_after(100, FailureClass::Undeliverable);
        world.provider(route).does_in_turn([act]);
    }
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::minutes(10)).await;
    assert_eq!(world.status(id).await, Status::Failed);
    assert_eq!(world.channels(id).await, [Channel::WhatsApp, Channel::Sms]);
    assert_eq!(world.journey(id).len(), 2);
    assert!(world.progress(id).await.is_ended());
    let contact = world.contact(1).await;
    assert_eq!(contact.whatsapp.metrics.failure_count, 1);
    assert_eq!(contact.sms.metrics.failure_count, 1);
}

#[tokio::test(start_paused = true)]
async fn a_sender_with_sms_only_does_not_fall_back() {
    let world = World::running([sms()]).await;
    let act = Act::reject(FailureClass::Undeliverable);
    world.provider(SMS).does_in_turn([act]);
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::new(100)).await;
    assert_eq!(world.status(id).await, Status::Failed);
    world.pass(Millis::minutes(1)).await;
    assert_eq!(world.journey(id).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_may_not_fall_back_does_not() {
    let world = World::running([sms(), whatsapp()]).await;
    let act = Act::reject(FailureClass::Undeliverable);
    world.provider(WHATSAPP).does_in_turn([act]);
    let switched_off = SendRequest {
        fallback_enabled: Some(false),
        ..text_to(1, "off")
    };
    let explicit = SendRequest {
        explicit: Some(Channel::WhatsApp),
        ..text_to(2, "named")
    };
    for request in [switched_off, explicit.clone()] {
        let id = world.send(request).await;
        world.pass(Millis::minutes(1)).await;
        assert_eq!(world.status(id).await, Status::Failed);
        assert_eq!(world.channels(id).await, [Channel::WhatsApp]);
    }
    // A named channel falls back where it is asked to.
    let asked = SendRequest {
        fallback_enabled: Some(true),
        ..explicit
    };
    let id = world.send(asked).await;
    world.pass(Millis::minutes(1)).await;
    assert_eq!(world.channels(id).await, [Channel::WhatsApp, Channel::Sms]);
}

#[tokio::test(start_paused = true)]
async fn blocked_content_an_opt_out_and_a_wrong_request_do_not_fall_back() {
    let world = World::running([sms(), whatsapp()]).await;
    for (no, class) in [
        FailureClass::ContentBlocked,
        FailureClass::OptedOut,
        FailureClass::InvalidRequest,
    ]
    .into_iter()
    .enumerate()
    {
        world.provider(WHATSAPP).does_in_turn([Act::reject(class)]);
        let to = u32::try_from(no).unwrap();
        let id = world.send(text_to(to, "hello")).await;
        world.pass(Millis::minutes(1)).await;
        assert_eq!(world.status(id).await, Status::Failed, "{class:?}");
        assert_eq!(world.channels(id).await, [Channel::WhatsApp], "{class:?}");
        let metrics = world.contact(to).await.whatsapp.metrics;
        assert_eq!(metrics.failure_count, 0, "{class:?} is nobody's failure");
    }
}

#[tokio::test(start_paused = true)]
async fn a_delivery_inside_the_five_seconds_cancels_the_fallback() {
    for late in [1_000, 5_000] {
        let world = World::running([sms(), whatsapp()]).await;
        let act = Act::accept()
            .fails_after(100, FailureClass::Undeliverable)
            .delivered_after(late);
        world.provider(WHATSAPP).does_in_turn([act]);
        let id = world.send(text_to(1, "hello")).await;
        world.pass(Millis::minutes(1)).await;
        assert_eq!(world.journey(id).len(), 1, "delivered at {late}");
        let progress = world.progress(id).await;
        assert_eq!(progress.status, Status::Delivered);
        assert_eq!(progress.duplicate_deliveries, 0);
        let metrics = world.contact(1).await.whatsapp.metrics;
        assert_eq!((metrics.success_count, metrics.failure_count), (1, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_delivery_cancels_a_fallback_that_waits_for_its_route() {
    let world = World::running([sms(), whatsapp()]).await;
    let act = Act::accept()
        .fails_after(100, FailureClass::Undeliverable)
        .delivered_after(20_000);
    world.provider(WHATSAPP).does_in_turn([act]);
    world.provider(SMS).set_window(0);
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(10)).await;
    assert_eq!(
        world.states(id).await,
        [AttemptState::Failed, AttemptState::Sending]
    );
    world.pass(Millis::seconds(20)).await;
    world.provider(SMS).set_window(10);
    world.provider(SMS).link(true);
    world.pass(Millis::seconds(20)).await;
    assert_eq!(world.journey(id).len(), 1);
    assert_eq!(world.status(id).await, Status::Delivered);
    assert_eq!(world.channels(id).await, [Channel::WhatsApp]);
}

#[tokio::test(start_paused = true)]
async fn a_delivery_after_the_second_left_is_a_duplicate() {
    let world = World::running([sms(), whatsapp()]).await;
    let act = Act::accept()
        .fails_after(100, FailureClass::Undeliverable)
        .delivered_after(7_000);
    world.provider(WHATSAPP).does_in_turn([act]);
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::new(6_900)).await;
    assert_eq!(world.status(id).await, Status::Delivered);
    world.pass(Millis::seconds(10)).await;
    let progress = world.progress(id).await;
    assert_eq!(progress.status, Status::Delivered);
    assert_eq!(progress.duplicate_deliveries, 1);
    let contact = world.contact(1).await;
    let whatsapp = contact.whatsapp.metrics;
    assert_eq!((whatsapp.success_count, whatsapp.failure_count), (1, 0));
    assert_eq!(contact.sms.metrics.success_count, 1);
}

#[tokio::test(start_paused = true)]
async fn read_counts_as_delivered_and_ends_the_message() {
    let world = World::running([whatsapp()]).await;
    let act = Act::accept().then(500, ReceiptState::Read);
    world.provider(WHATSAPP).does_in_turn([act]);
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    assert_eq!(world.status(id).await, Status::Read);
    assert_eq!(world.contact(1).await.whatsapp.metrics.success_count, 1);
}

#[tokio::test(start_paused = true)]
async fn silence_for_as_long_as_the_message_allows_counts_as_failure() {
    let world = World::running([sms(), whatsapp()]).await;
    world.provider(WHATSAPP).does_in_turn([Act::accept()]);
    let request = SendRequest {
        fallback_after: Some(Millis::seconds(20)),
        ..text_to(1, "hello")
    };
    let id = world.send(request).await;
    world.pass(Millis::minutes(1)).await;
    let first = &world.log()[0].submission;
    assert_eq!(first.validity, Some(Millis::seconds(20)));
    let second = &world.log()[1].submission;
    assert_eq!(second.validity, None);
    let journey = world.journey(id);
    assert!((25_000..=25_510).contains(&journey[1].1), "{journey:?}");
    assert_eq!(world.status(id).await, Status::Delivered);
    assert_eq!(world.contact(1).await.whatsapp.metrics.failure_count, 1);
}

#[tokio::test(start_paused = true)]
async fn no_fallback_starts_that_could_not_leave_before_the_end_of_validity() {
    let world = World::running([sms(), whatsapp()]).await;
    let act = Act::accept().fails_after(26_000, FailureClass::Undeliverable);
    world.provider(WHATSAPP).does_in_turn([act]);
    let request = SendRequest {
        validity: Some(Millis::seconds(30)),
        ..text_to(1, "hello")
    };
    let id = world.send(request).await;
    world.pass(Millis::minutes(5)).await;
    assert_eq!(world.status(id).await, Status::Failed);
    assert_eq!(world.journey(id).len(), 1);
}
