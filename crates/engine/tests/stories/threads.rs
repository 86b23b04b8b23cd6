//! What a message has to do with earlier ones: answers quote, reactions name what they are on.

use domain::ids::MessageId;
use domain::model::channel::Channel;
use domain::model::content::{Content, MessageType};
use domain::time::Millis;
use engine::request::{Refused, SendRequest};
use ports::connector::IncomingMessage;
use ports::store::Queries;
use ports::store::messages::MessageFilter;

use crate::world::{PROJECT, SMS, WHATSAPP, World, person, sms, text_to, whatsapp};

async fn written(world: &World, no: u32, on: domain::ids::RouteKey, name: &str) -> MessageId {
    let mut message = IncomingMessage::new(person(no), "+40700000001", Content::text("hi"));
    message.provider_id = Some(name.into());
    let events = world.provider(on).events().unwrap();
    events.inbound(message, Box::new(|_| ()));
    let newest = MessageFilter {
        project: PROJECT,
        status: None,
        to: Some(person(no)),
        channel: None,
        conversation: None,
        before: None,
        limit: 1,
    };
    world.disk.messages(newest).await.unwrap()[0].id
}

fn reaction(no: u32, on: MessageId) -> SendRequest {
    SendRequest {
        content: Content {
            kind: MessageType::Reaction,
            text: None,
            extra: Some(r#"{"emoji":"👍"}"#.into()),
            template: None,
            email: None,
        },
        explicit: Some(Channel::WhatsApp),
        reacts_to: Some(on),
        ..text_to(no, "")
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_quotes_the_message_that_it_answers_where_the_channel_can() {
    let world = World::running([sms(), whatsapp()]).await;
    for (route, name, context) in [(WHATSAPP, "wamid.1", Some("wamid.1")), (SMS, "sms-1", None)] {
        let inbound = written(&world, 1, route, name).await;
        let answer = SendRequest {
            in_reply_to: Some(inbound),
            ..text_to(1, "hello")
        };
        world.send(answer).await;
        world.pass(Millis::new(50)).await;
        let sent = world.sent_by(route);
        assert_eq!(sent.last().unwrap().submission.context.as_deref(), context);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reaction_names_the_message_that_it_is_on_whoever_wrote_it() {
    let world = World::running([whatsapp()]).await;
    let inbound = written(&world, 1, WHATSAPP, "wamid.in").await;
    let ours = world.send(text_to(1, "hello")).await;
    world.pass(Millis::new(50)).await;
    let name = world.disk.provider_reference(ours).await.unwrap().unwrap();
    world.send(reaction(1, inbound)).await;
    world.send(reaction(1, ours)).await;
    world.pass(Millis::new(50)).await;
    let sent = world.sent_by(WHATSAPP);
    let contexts: Vec<_> = sent
        .iter()
        .map(|it| it.submission.context.clone())
        .collect();
    let want = [None, Some("wamid.in".into()), Some(name.reference)];
    assert_eq!(contexts, want);
}

#[tokio::test(start_paused = true)]
async fn a_reaction_needs_a_message_of_its_thread_that_has_a_name() {
    let world = World::running([sms(), whatsapp()]).await;
    let inbound = written(&world, 1, WHATSAPP, "wamid.in").await;
    written(&world, 2, WHATSAPP, "wamid.other").await;
    let elsewhere = world.try_send(reaction(2, inbound)).await;
    assert!(matches!(elsewhere, Err(Refused::OtherThread)));
    let nothing = world.try_send(reaction(1, MessageId::from_key(7))).await;
    assert!(matches!(nothing, Err(Refused::NothingToReactTo)));
    let by_sms = SendRequest {
        explicit: Some(Channel::Sms),
        ..text_to(1, "hello")
    };
    let text = world.send(by_sms).await;
    world.pass(Millis::new(50)).await;
    let nameless = world.try_send(reaction(1, text)).await;
    assert!(matches!(nameless, Err(Refused::NothingToReactTo)));
}
