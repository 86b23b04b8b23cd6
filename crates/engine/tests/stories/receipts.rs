//! R-DUP, R-METRIC-3: receipts that come early, twice, out of order, or for nobody.

use domain::model::attempt::AttemptState;
use domain::model::channel::Channel;
use domain::model::failure::FailureClass;
use domain::model::message::Status;
use domain::model::receipt::ReceiptState;
use domain::model::route::OnUnknown;
use domain::time::Millis;
use engine::request::SendRequest;
use ports::connector::IncomingReceipt;
use ports::store::Queries;

use crate::world::{
    Act, Answer, Provider, SMS, SMS2, World, failed, long_text, person, sms, sms2, text_to,
    whatsapp,
};

#[tokio::test(start_paused = true)]
async fn a_receipt_before_the_answer_is_kept_and_folded_with_it() {
    let world = World::running([sms()]).await;
    let act = Act::accept().answered_after(500).delivered_after(100);
    world.provider(SMS).does_in_turn([act]);
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::new(400)).await;
    assert_eq!(
        world.status(id).await,
        Status::Sending,
        "the receipt is parked"
    );
    world.pass(Millis::new(200)).await;
    assert_eq!(world.status(id).await, Status::Delivered);
    let metrics = world.contact(1).await.sms.metrics;
    assert_eq!((metrics.success_count, metrics.failure_count), (1, 0));
    assert!(metrics.average_delivery_time().unwrap() >= Millis::ZERO);
}

#[tokio::test(start_paused = true)]
async fn receipts_in_any_order_and_number_count_once() {
    let world = World::running([whatsapp()]).await;
    let act = Act::accept()
        .fails_after(100, FailureClass::Undeliverable)
        .then(150, ReceiptState::Read)
        .delivered_after(200)
        .delivered_after(300)
        .fails_after(350, FailureClass::Undeliverable)
        .then(400, ReceiptState::InTransit)
        .then(500, ReceiptState::Read);
    world.provider(crate::world::WHATSAPP).does_in_turn([act]);
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(30)).await;
    assert_eq!(world.status(id).await, Status::Read);
    let metrics = world.contact(1).await.whatsapp.metrics;
    assert_eq!((metrics.success_count, metrics.failure_count), (1, 0));
    assert_eq!(
        world.disk.receipts(id).await.unwrap().len(),
        7,
        "all are kept"
    );
}

#[tokio::test(start_paused = true)]
async fn an_unknown_submission_is_resolved_by_the_only_receipt_that_fits() {
    let world = World::running([sms()]).await;
    let act = Act::new(Answer::Unknown).delivered_after(10_000);
    world.provider(SMS).does_in_turn([act]);
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    assert_eq!(world.states(id).await, [AttemptState::Unknown]);
    world.pass(Millis::minutes(5)).await;
    assert_eq!(world.status(id).await, Status::Delivered);
    assert_eq!(world.journey(id).len(), 1, "not sent again");
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_fits_two_unknown_submissions_resolves_neither() {
    let world = World::running([sms()]).await;
    world
        .provider(SMS)
        .does_in_turn([Act::new(Answer::Unknown)]);
    let first = world.send(text_to(1, "one")).await;
    let second = world.send(text_to(1, "two")).await;
    world.pass(Millis::seconds(1)).await;
    let receipt = Provider::receipt("stranger", person(1), ReceiptState::Delivered);
    world.provider(SMS).tell(receipt).await;
    for id in [first, second] {
        assert_eq!(world.states(id).await, [AttemptState::Unknown]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_came_while_another_waited_for_its_answer_spares_the_unknown_one() {
    let world = World::running([sms()]).await;
    let acts = [
        Act::new(Answer::Unknown).delivered_after(2_000),
        Act::accept().answered_after(4_000).delivered_after(6_000),
    ];
    world.provider(SMS).does_in_turn(acts);
    let lost = world.send(text_to(1, "one")).await;
    world.pass(Millis::seconds(1)).await;
    let other = world.send(text_to(1, "two")).await;
    world.pass(Millis::seconds(2)).await;
    assert_eq!(
        world.states(lost).await,
        [AttemptState::Unknown],
        "the receipt may be for the other"
    );
    world.pass(Millis::seconds(3)).await;
    assert_eq!(world.status(lost).await, Status::Delivered);
    assert_eq!(world.status(other).await, Status::Sent);
    world.pass(Millis::minutes(5)).await;
    for id in [lost, other] {
        assert_eq!(world.journey(id).len(), 1, "not sent again");
        assert_eq!(world.status(id).await, Status::Delivered);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_ready_and_not_marked_holds_no_receipt_up() {
    let at_most_once = domain::model::route::Route {
        on_unknown: OnUnknown::Fail,
        ..sms()
    };
    let world = World::running([at_most_once]).await;
    let act = Act::new(Answer::Unknown).delivered_after(2_000);
    world.provider(SMS).does_in_turn([act]);
    let lost = world.send(text_to(1, "one")).await;
    world.pass(Millis::seconds(1)).await;
    world.provider(SMS).set_window(0);
    let ready = world.send(text_to(1, "two")).await;
    world.pass(Millis::seconds(2)).await;
    assert_eq!(world.states(ready).await, [AttemptState::Sending]);
    assert_eq!(world.status(lost).await, Status::Delivered);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_names_our_reference_finds_its_submission() {
    let world = World::running([sms()]).await;
    world
        .provider(SMS)
        .does_in_turn([Act::new(Answer::Unknown)]);
    let first = world.send(text_to(1, "one")).await;
    let second = world.send(text_to(1, "two")).await;
    world.pass(Millis::seconds(1)).await;
    let seen = world
        .log()
        .into_iter()
        .find(|it| it.submission.key.message == second);
    let receipt = IncomingReceipt {
        ours: Some(seen.unwrap().submission.key),
        ..Provider::receipt("stranger", person(1), ReceiptState::Delivered)
    };
    world.provider(SMS).tell(receipt).await;
    assert_eq!(world.states(first).await, [AttemptState::Unknown]);
    assert_eq!(world.status(second).await, Status::Delivered);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_for_nobody_changes_nothing() {
    let world = World::running([sms()]).await;
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::new(100)).await;
    for state in [failed(FailureClass::Undeliverable), ReceiptState::Read] {
        let receipt = Provider::receipt("stranger", person(1), state);
        world.provider(SMS).tell(receipt).await;
    }
    assert_eq!(world.status(id).await, Status::Sent);
}

#[tokio::test(start_paused = true)]
async fn a_message_sent_again_is_not_sent_a_third_time_when_its_first_copy_arrives() {
    let world = World::running([sms()]).await;
    let acts = [
        Act::new(Answer::Unknown),
        Act::accept().delivered_after(100),
    ];
    world.provider(SMS).does_in_turn(acts);
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    // Its second copy is ready and held up when the first one's receipt comes.
    world.provider(SMS).set_window(0);
    world.pass(Millis::seconds(40)).await;
    assert_eq!(world.states(id).await, [AttemptState::Sending]);
    let receipt = IncomingReceipt {
        ours: Some(world.log()[0].submission.key),
        ..Provider::receipt("stranger", person(1), ReceiptState::InTransit)
    };
    world.provider(SMS).tell(receipt).await;
    world.provider(SMS).set_window(10);
    world.provider(SMS).link(true);
    world.pass(Millis::seconds(10)).await;
    assert_eq!(world.journey(id).len(), 1);
    assert_eq!(world.status(id).await, Status::Sent);
}

#[tokio::test(start_paused = true)]
async fn a_long_message_is_delivered_when_all_its_parts_are() {
    let world = World::running([sms()]).await;
    world.provider(SMS).does_in_turn([Act::accept()]);
    let id = world.send(text_to(1, &long_text(3))).await;
    world.pass(Millis::seconds(1)).await;
    for part in [2, 0, 2, 1] {
        assert_eq!(world.status(id).await, Status::Sent);
        let reference = format!("r1-1-{part}");
        let receipt = Provider::receipt(&reference, person(1), ReceiptState::Delivered);
        world.provider(SMS).tell(receipt).await;
    }
    assert_eq!(world.status(id).await, Status::Delivered);
    assert_eq!(world.contact(1).await.sms.metrics.success_count, 1);
}

#[tokio::test(start_paused = true)]
async fn after_one_part_the_rest_stays_on_its_route() {
    let world = World::running([sms(), sms2()]).await;
    let partly = Act::new(Answer::Partly {
        taken: 1,
        class: FailureClass::RouteFault,
        retriable: true,
    });
    let refused = Act::refuse(FailureClass::RouteFault);
    let acts = [partly, refused, Act::accept().delivered_after(100)];
    world.provider(SMS).does_in_turn(acts);
    let id = world.send(text_to(1, &long_text(3))).await;
    world.pass(Millis::minutes(2)).await;
    assert!(world.sent_by(SMS2).is_empty());
    let handed: Vec<u16> = world
        .sent_by(SMS)
        .iter()
        .map(|it| it.submission.parts_left())
        .collect();
    assert_eq!(handed, [3, 2, 2]);
    assert_eq!(world.states(id).await, [AttemptState::Sent]);
}

#[tokio::test(start_paused = true)]
async fn without_receipts_sent_is_the_end_and_a_success() {
    let route = domain::model::route::Route {
        receipts: false,
        ..sms()
    };
    let world = World::running([route]).await;
    world.provider(SMS).does_in_turn([Act::accept()]);
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    let progress = world.progress(id).await;
    assert_eq!(progress.status, Status::Sent);
    assert!(progress.is_ended() && !progress.receipt_missing);
    assert_eq!(world.contact(1).await.sms.metrics.success_count, 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_receipt_never_comes_ends_with_its_validity_and_can_be_corrected() {
    let world = World::running([sms()]).await;
    let act = Act::accept().delivered_after(120_000);
    world.provider(SMS).does_in_turn([act]);
    let request = SendRequest {
        explicit: Some(Channel::Sms),
        validity: Some(Millis::seconds(60)),
        ..text_to(1, "hello")
    };
    let id = world.send(request).await;
    world.pass(Millis::seconds(61)).await;
    let progress = world.progress(id).await;
    assert_eq!(progress.status, Status::Sent);
    assert!(progress.receipt_missing && progress.is_ended());
    world.pass(Millis::seconds(60)).await;
    let progress = world.progress(id).await;
    assert_eq!(progress.status, Status::Delivered);
    assert!(!progress.receipt_missing);
}
