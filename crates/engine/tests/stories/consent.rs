//! R-IN-2: what people say of consent holds at once, and is answered once.

use std::sync::Arc;

use domain::ids::{ContactId, MessageId, RouteKey, SenderKey};
use domain::model::channel::Channel;
use domain::model::consent::{ConsentChange, ConsentScope, ConsentSource, KeywordPolicy};
use domain::model::content::Content;
use domain::model::failure::FailureClass;
use domain::model::message::{Category, Status};
use domain::model::progress::Waiting;
use domain::model::route::{OnUnknown, Route};
use domain::rules::plan::Refusal;
use domain::time::Millis;
use engine::request::Refused;
use parking_lot::Mutex;
use ports::connector::{ConsentSignal, Heard, IncomingMessage};
use ports::store::consent::{Consent, ConsentSubject, Towards};
use ports::store::contacts::ContactChange;
use ports::store::{Op, Outcome, Queries, Store};

use crate::world::{
    Act, Answer, OTHER, PROJECT, SENDER, SMS, WHATSAPP, World, person, sms, sms_route, text_to,
    whatsapp,
};

const OURS: &str = "+40700000001";

/// A person writes on a route; what the provider was answered.
async fn says(world: &World, no: u32, text: &str) -> Heard {
    says_to(world, no, OURS, text).await
}

/// A person writes to an address on a route.
async fn says_to(world: &World, no: u32, to: &str, text: &str) -> Heard {
    let message = IncomingMessage::new(person(no), to, Content::text(text));
    hears(world, message).await
}

/// A message comes in on a route.
async fn hears(world: &World, message: IncomingMessage) -> Heard {
    let heard = Arc::<Mutex<Option<Heard>>>::default();
    let told = Arc::clone(&heard);
    let events = world.provider(SMS).events().unwrap();
    events.inbound(message, Box::new(move |it| *told.lock() = Some(it)));
    world.pass(Millis::new(100)).await;
    let heard = heard.lock().take();
    heard.unwrap()
}

fn texts(world: &World) -> Vec<(bool, String)> {
    let to_first = |it: &crate::world::Seen| {
        let text = it.submission.content.text.as_deref();
        let to = it.submission.to == person(1);
        (to, text.unwrap_or_default().to_owned())
    };
    world.log().iter().map(to_first).collect()
}

async fn is_refused(world: &World, no: u32) -> bool {
    is_refused_by(world, SENDER, no).await
}

async fn is_refused_by(world: &World, sender: SenderKey, no: u32) -> bool {
    let request = engine::request::SendRequest {
        sender,
        ..text_to(no, "hello")
    };
    match world.try_send(request).await {
        Ok(_) => false,
        Err(Refused::ByRule {
            refusal: Refusal::OptedOut,
            ..
        }) => true,
        Err(other) => panic!("{other:?}"),
    }
}

async fn failed_as_opted_out(world: &World, id: MessageId) -> bool {
    let progress = world.progress(id).await;
    let failure = progress.failure;
    progress.status == Status::Failed
        && failure.is_some_and(|it| it.class == FailureClass::OptedOut)
}

#[tokio::test(start_paused = true)]
async fn stop_is_confirmed_once_and_nothing_else_is_sent_until_start() {
    let world = World::running([sms()]).await;
    assert_eq!(says(&world, 1, " Stop! ").await, Heard::Kept);
    assert!(is_refused(&world, 1).await);
    assert!(!is_refused(&world, 2).await);
    assert_eq!(says(&world, 1, "STOP").await, Heard::Kept);
    let confirmation = "You will get no more messages from Support. Reply START to get them again.";
    world.pass(Millis::seconds(1)).await;
    let sent: Vec<_> = texts(&world).into_iter().filter(|it| it.0).collect();
    assert_eq!(sent, [(true, confirmation.to_owned())]);

    says(&world, 1, "START").await;
    says(&world, 1, "START").await;
    assert!(!is_refused(&world, 1).await);
    let welcome = "You get messages from Support again. Reply STOP to get no more.";
    world.pass(Millis::seconds(1)).await;
    let sent: Vec<_> = texts(&world).into_iter().filter(|it| it.0).collect();
    assert_eq!(sent.len(), 3);
    assert_eq!(sent[1].1, welcome);
    assert_eq!(sent[2].1, "hello");
}

#[tokio::test(start_paused = true)]
async fn yes_is_an_ordinary_word_unless_the_person_is_opted_out() {
    let world = World::running([sms()]).await;
    says(&world, 1, "da").await;
    assert!(texts(&world).is_empty());
    says(&world, 1, "stop").await;
    says(&world, 1, "da").await;
    assert_eq!(texts(&world).len(), 2);
    assert!(!is_refused(&world, 1).await);
}

#[tokio::test(start_paused = true)]
async fn yes_in_a_conversation_brings_no_promotions_back() {
    let world = World::running([sms()]).await;
    let signal = ConsentSignal {
        from: person(1),
        to: OURS.into(),
        opted_out: true,
        promotions_only: true,
        raw: "stop promotions".into(),
    };
    let events = world.provider(SMS).events().unwrap();
    events.consent(signal, Box::new(|_| ()));
    says(&world, 1, "yes").await;
    assert!(texts(&world).is_empty());
    let promotion = engine::request::SendRequest {
        category: Category::Promotional,
        ..text_to(1, "sale")
    };
    assert!(world.try_send(promotion.clone()).await.is_err());
    says(&world, 1, "start").await;
    assert!(world.try_send(promotion).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn help_is_answered_also_to_who_is_opted_out() {
    let world = World::running([sms()]).await;
    says(&world, 1, "stop").await;
    says(&world, 1, "help").await;
    says(&world, 1, "help").await;
    let sent = texts(&world);
    assert_eq!(sent.len(), 3);
    assert!(sent[1].1.starts_with("Support, +40700000001."), "{sent:?}");
    assert_eq!(sent[1], sent[2]);
    assert!(is_refused(&world, 1).await);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_answers_each_answer_with_a_keyword_is_left_alone() {
    let world = World::running([sms()]).await;
    for _ in 0..20 {
        says(&world, 1, "help").await;
        says(&world, 2, "stop").await;
        says(&world, 2, "start").await;
    }
    assert_eq!(texts(&world).iter().filter(|it| it.0).count(), 5);
    assert_eq!(texts(&world).iter().filter(|it| !it.0).count(), 5);
    // What is not answered holds all the same.
    says(&world, 2, "stop").await;
    assert!(is_refused(&world, 2).await);
    world.pass(Millis::hours(1)).await;
    says(&world, 1, "help").await;
    assert_eq!(texts(&world).iter().filter(|it| it.0).count(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_keyword_to_an_address_that_senders_share_counts_for_all_of_them() {
    for (to, refused) in [
        // A short code, or a bot: no sender's own address.
        ("1234", [true, true]),
        (OURS, [true, false]),
        ("+40700000002", [false, true]),
    ] {
        let mut world = World::new([sms()]);
        world.has_other = true;
        world.start().await;
        assert_eq!(says_to(&world, 1, to, "stop").await, Heard::Kept);
        assert_eq!(texts(&world).len(), 1, "one confirmation");
        let found = [
            is_refused(&world, 1).await,
            is_refused_by(&world, OTHER, 1).await,
        ];
        assert_eq!(found, refused, "{to}");
        says_to(&world, 1, to, "start").await;
        assert!(!is_refused(&world, 1).await);
        assert!(!is_refused_by(&world, OTHER, 1).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_keyword_counts_for_a_sender_with_the_same_address_on_another_route() {
    let second = Route {
        key: RouteKey(9),
        id: "second".into(),
        ..sms()
    };
    let mut world = World::new([sms(), second]);
    world.twin_on = Some(RouteKey(9));
    world.start().await;
    says(&world, 1, "stop").await;
    assert!(is_refused(&world, 1).await);
    assert!(is_refused_by(&world, OTHER, 1).await);
    says(&world, 1, "start").await;
    assert!(!is_refused(&world, 1).await);
    assert!(!is_refused_by(&world, OTHER, 1).await);
}

#[tokio::test(start_paused = true)]
async fn what_another_sender_has_ready_does_not_leave_after_a_stop_to_a_shared_address() {
    let mut world = World::new([Route {
        throughput: Some(1),
        ..sms()
    }]);
    world.has_other = true;
    world.start().await;
    for no in [2, 3, 4] {
        world.send(text_to(no, "hello")).await;
    }
    let request = engine::request::SendRequest {
        sender: OTHER,
        ..text_to(1, "hello")
    };
    let id = world.send(request).await;
    says_to(&world, 1, "1234", "stop").await;
    world.pass(Millis::seconds(20)).await;
    assert!(failed_as_opted_out(&world, id).await);
}

#[tokio::test(start_paused = true)]
async fn a_keyword_counts_for_every_contact_that_the_writer_is() {
    let world = World::running([sms()]).await;
    says(&world, 1, "hi").await;
    says(&world, 2, "hi").await;
    let mut message = IncomingMessage::new(person(1), OURS, Content::text("stop"));
    message.aliases = vec![person(2)];
    assert_eq!(hears(&world, message).await, Heard::Kept);
    assert!(is_refused(&world, 1).await);
    assert!(is_refused(&world, 2).await);
}

#[tokio::test(start_paused = true)]
async fn a_late_word_of_a_provider_is_one_about_its_own_channel() {
    // WhatsApp knows an opt-out of promotions only, also when it tells of it after the fallback.
    for (first, everything) in [(WHATSAPP, false), (SMS, true)] {
        let sms = sms_route(SMS, if first == SMS { 1_000 } else { 50_000 });
        let world = World::running([whatsapp(), sms]).await;
        world.provider(first).does(|_| {
            let late = Act::accept();
            late.fails_after(30_000, FailureClass::OptedOut)
        });
        let request = engine::request::SendRequest {
            fallback_after: Some(Millis::seconds(10)),
            ..text_to(1, "hello")
        };
        let id = world.send(request).await;
        world.pass(Millis::seconds(20)).await;
        assert_eq!(world.channels(id).await.len(), 2);
        world.pass(Millis::seconds(20)).await;
        assert_eq!(is_refused(&world, 1).await, everything);
        let promotion = engine::request::SendRequest {
            category: Category::Promotional,
            ..text_to(1, "sale")
        };
        assert!(world.try_send(promotion).await.is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn a_repeated_inbound_stop_is_not_answered_again() {
    let world = World::running([sms()]).await;
    for _ in 0..2 {
        let mut message = IncomingMessage::new(person(1), OURS, Content::text("stop"));
        message.provider_id = Some("in-1".into());
        let events = world.provider(SMS).events().unwrap();
        events.inbound(message, Box::new(|_| ()));
        world.pass(Millis::new(100)).await;
    }
    assert_eq!(texts(&world).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_crash_right_after_a_stop_was_kept_loses_no_confirmation_and_repeats_none() {
    let mut world = World::running([sms()]).await;
    let heard = Arc::<Mutex<Option<Heard>>>::default();
    let told = Arc::clone(&heard);
    let stop = || {
        let mut message = IncomingMessage::new(person(1), OURS, Content::text("stop"));
        message.provider_id = Some("in-1".into());
        message
    };
    let events = world.provider(SMS).events().unwrap();
    events.inbound(stop(), Box::new(move |it| *told.lock() = Some(it)));
    // The provider was answered, and nothing else had its turn yet.
    assert_eq!(*heard.lock(), Some(Heard::Kept));
    world.crash();
    assert!(texts(&world).is_empty());
    world.start().await;
    world.pass(Millis::seconds(1)).await;
    assert_eq!(texts(&world).len(), 1);
    let events = world.provider(SMS).events().unwrap();
    events.inbound(stop(), Box::new(|_| ()));
    world.restart().await;
    world.pass(Millis::seconds(1)).await;
    assert_eq!(texts(&world).len(), 1);
    assert!(is_refused(&world, 1).await);
}

#[tokio::test(start_paused = true)]
async fn the_answer_goes_by_the_channel_of_the_keyword() {
    let world = World::running([sms(), whatsapp()]).await;
    says(&world, 1, "stop").await;
    assert_eq!(world.sent_by(SMS).len(), 1);
    assert!(world.sent_by(WHATSAPP).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_answers_stop_itself_gets_no_second_answer() {
    let world = World::running([Route {
        answers_stop: true,
        ..sms()
    }])
    .await;
    says(&world, 1, "stop").await;
    assert!(texts(&world).is_empty());
    assert!(is_refused(&world, 1).await);
}

#[tokio::test(start_paused = true)]
async fn an_operator_may_turn_keywords_off() {
    let mut world = World::new([sms()]);
    world.keywords = KeywordPolicy {
        enabled: false,
        ..KeywordPolicy::default()
    };
    world.start().await;
    says(&world, 1, "stop").await;
    assert!(texts(&world).is_empty());
    assert!(!is_refused(&world, 1).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_ready_does_not_leave_after_a_stop() {
    for on_unknown in [OnUnknown::Resend, OnUnknown::Fail] {
        let world = World::running([Route {
            throughput: Some(1),
            on_unknown,
            ..sms()
        }])
        .await;
        let mut waiting = Vec::new();
        for no in [2, 1, 2, 1, 2] {
            waiting.push((no, world.send(text_to(no, "hello")).await));
        }
        let left_before = world.log().len();
        assert!(left_before < 3, "the route is slow");
        says(&world, 1, "stop").await;
        world.pass(Millis::seconds(20)).await;
        let log = world.log();
        for (no, id) in waiting {
            let place = log.iter().position(|it| it.submission.key.message == id);
            if no == 2 {
                assert_eq!(world.status(id).await, Status::Delivered);
            } else if place.is_none_or(|it| it >= left_before) {
                assert_eq!(place, None, "{on_unknown:?}");
                assert!(failed_as_opted_out(&world, id).await);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_route_fails_instead_of_leaving_late() {
    let world = World::running([sms()]).await;
    world.provider(SMS).link(false);
    let id = world.send(text_to(1, "hello")).await;
    assert!(matches!(world.progress(id).await.waiting, Waiting::Lane(_)));
    says(&world, 1, "stop").await;
    world.provider(SMS).link(true);
    world.pass(Millis::seconds(5)).await;
    assert!(failed_as_opted_out(&world, id).await);
    // The confirmation waited with it, and leaves.
    assert_eq!(texts(&world).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_does_not_leave_after_a_stop() {
    let world = World::running([whatsapp(), sms()]).await;
    world
        .provider(WHATSAPP)
        .does(|_| Act::new(Answer::Reject(FailureClass::Undeliverable)));
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    says(&world, 1, "stop").await;
    world.pass(Millis::seconds(20)).await;
    assert_eq!(world.channels(id).await, [Channel::WhatsApp]);
    assert_eq!(world.status(id).await, Status::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_scheduled_message_fails_at_its_time_unless_the_person_is_in_again() {
    let world = World::running([sms()]).await;
    let at = world.now().plus(Millis::hours(1));
    let scheduled = |no| engine::request::SendRequest {
        scheduled_at: Some(at),
        ..text_to(no, "hello")
    };
    let (stopped, again) = (
        world.send(scheduled(1)).await,
        world.send(scheduled(2)).await,
    );
    for (no, word) in [(1, "stop"), (2, "stop"), (2, "start")] {
        says(&world, no, word).await;
    }
    world.pass(Millis::hours(2)).await;
    assert!(failed_as_opted_out(&world, stopped).await);
    assert_eq!(world.status(again).await, Status::Delivered);
}

#[tokio::test(start_paused = true)]
async fn a_provider_may_tell_of_an_opt_out_from_promotions() {
    let world = World::running([sms()]).await;
    let signal = |opted_out, promotions_only| ConsentSignal {
        from: person(1),
        to: "".into(),
        opted_out,
        promotions_only,
        raw: "stop promotions".into(),
    };
    let events = world.provider(SMS).events().unwrap();
    let heard = Arc::<Mutex<Vec<Heard>>>::default();
    let told = Arc::clone(&heard);
    events.consent(signal(true, true), Box::new(move |it| told.lock().push(it)));
    assert_eq!(*heard.lock(), [Heard::Kept]);
    assert!(!is_refused(&world, 1).await);
    let promotion = engine::request::SendRequest {
        category: Category::Promotional,
        ..text_to(1, "sale")
    };
    assert!(world.try_send(promotion).await.is_err());
    events.consent(signal(true, false), Box::new(|_| ()));
    assert!(is_refused(&world, 1).await);
    events.consent(signal(false, false), Box::new(|_| ()));
    assert!(!is_refused(&world, 1).await);
    // Nobody answers what the provider has answered.
    assert_eq!(texts(&world).iter().filter(|it| it.1 != "hello").count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_refuses_for_an_opt_out_is_believed() {
    let world = World::running([sms()]).await;
    world
        .provider(SMS)
        .does(|_| Act::reject(FailureClass::OptedOut));
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    assert!(failed_as_opted_out(&world, id).await);
    assert!(is_refused(&world, 1).await);

    let world = World::running([sms()]).await;
    world
        .provider(SMS)
        .does(|_| Act::accept().fails_after(100, FailureClass::OptedOut));
    world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    assert!(is_refused(&world, 1).await);
}

#[tokio::test(start_paused = true)]
async fn a_caller_opts_a_contact_out_and_it_is_remembered() {
    let world = World::running([sms()]).await;
    world.provider(SMS).link(false);
    let id = world.send(text_to(1, "hello")).await;
    let contact = world.contact(1).await.id.unwrap();
    let change = |who: ContactId| Consent {
        project: PROJECT,
        who: ConsentSubject::Contact(who),
        towards: Towards::Senders(vec![SENDER]),
        change: ConsentChange {
            opted_out: true,
            scope: ConsentScope::Everything,
            only_if_out: false,
            wording: "by phone".into(),
        },
        source: ConsentSource::Api,
        channel: None,
        at: world.now(),
    };
    let engine = world.engine();
    let outcome = engine.change_consent(change(contact)).await.unwrap();
    assert!(matches!(outcome, Outcome::ConsentKept { changed, .. } if changed == [SENDER]));
    let nobody = change(ContactId::from_key(4_711));
    let outcome = engine.change_consent(nobody).await.unwrap();
    assert!(matches!(outcome, Outcome::Missing));
    world.provider(SMS).link(true);
    world.pass(Millis::seconds(2)).await;
    assert!(failed_as_opted_out(&world, id).await);
    let records = world.disk.consents(contact).await.unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].source, ConsentSource::Api);
}

fn told_all(world: &World, who: ConsentSubject, opted_out: bool) -> Consent {
    Consent {
        project: PROJECT,
        who,
        towards: Towards::Project,
        change: ConsentChange {
            opted_out,
            scope: ConsentScope::Everything,
            only_if_out: false,
            wording: "by letter".into(),
        },
        source: ConsentSource::Api,
        channel: None,
        at: world.now(),
    }
}

#[tokio::test(start_paused = true)]
async fn who_opted_out_of_the_project_is_refused_by_every_sender_until_they_ask_one_again() {
    let mut world = World::new([sms()]);
    world.has_other = true;
    world.start().await;
    // Nobody has written to this person; the other sender is as good as one made later.
    let who = ConsentSubject::Address(person(1));
    let change = told_all(&world, who.clone(), true);
    world.engine().change_consent(change).await.unwrap();
    assert!(is_refused(&world, 1).await);
    assert!(is_refused_by(&world, OTHER, 1).await);
    assert_eq!(says(&world, 1, "START").await, Heard::Kept);
    assert_eq!(texts(&world).len(), 1, "a change is confirmed");
    assert!(!is_refused(&world, 1).await);
    assert!(is_refused_by(&world, OTHER, 1).await);
    let change = told_all(&world, who, false);
    world.engine().change_consent(change).await.unwrap();
    assert!(!is_refused_by(&world, OTHER, 1).await);
}

#[tokio::test(start_paused = true)]
async fn what_any_sender_has_ready_does_not_leave_after_an_opt_out_of_the_project() {
    let mut world = World::new([Route {
        throughput: Some(1),
        ..sms()
    }]);
    world.has_other = true;
    world.start().await;
    for no in [2, 3, 4] {
        world.send(text_to(no, "hello")).await;
    }
    let mut waiting = Vec::new();
    for sender in [SENDER, OTHER] {
        let request = engine::request::SendRequest {
            sender,
            ..text_to(1, "hello")
        };
        waiting.push(world.send(request).await);
    }
    let who = ConsentSubject::Address(person(1));
    let change = told_all(&world, who, true);
    world.engine().change_consent(change).await.unwrap();
    world.pass(Millis::seconds(20)).await;
    for id in waiting {
        assert!(failed_as_opted_out(&world, id).await);
    }
    assert!(texts(&world).iter().all(|it| !it.0));
}

#[tokio::test(start_paused = true)]
async fn what_was_scheduled_for_who_opted_out_and_was_erased_does_not_leave() {
    let world = World::running([sms()]).await;
    let at = world.now().plus(Millis::hours(1));
    let request = engine::request::SendRequest {
        scheduled_at: Some(at),
        ..text_to(1, "hello")
    };
    let id = world.send(request).await;
    says(&world, 1, "stop").await;
    let contact = world.contact(1).await.id.unwrap();
    let change = ContactChange::Delete { contact };
    let op = Op::Contact {
        project: PROJECT,
        change: Box::new(change),
        at: world.now(),
    };
    world.disk.commit(op, Box::new(|_| ()));
    assert!(is_refused(&world, 1).await);
    world.pass(Millis::hours(2)).await;
    assert!(failed_as_opted_out(&world, id).await);
}
