//! Templates on their way (R-WIN-2, R-WIN-3): which go on WhatsApp, what providers change, and what
//! then becomes of the messages that wait.

use domain::ids::TemplateId;
use domain::model::channel::Channel;
use domain::model::content::{Content, MessageType, PriceCategory};
use domain::model::message::Status;
use domain::model::money::Micros;
use domain::model::route::{Price, Route};
use domain::model::template::{TemplateDefinition, TemplateStatus, TemplateText, TemplateValues};
use domain::rules::plan::Refusal;
use domain::rules::template::fill;
use domain::time::Millis;
use engine::registrar::TemplateError;
use engine::request::{Refused, SendRequest};
use ports::connector::Heard;
use ports::provider::{ProviderTemplate, TemplateUpdate};
use ports::store::Queries;
use ports::store::templates::Template;

use crate::world::{
    PROJECT, SENDER, SMS, WHATSAPP, World, default_text, person, sms, text_to, whatsapp,
};

const MOMENT: Millis = Millis::new(100);

/// A template with one variable, and its own words for SMS.
fn order() -> TemplateText {
    TemplateText {
        definition: TemplateDefinition {
            name: "order".into(),
            body: "Order {{1}} is on its way".into(),
            ..default_text().definition
        },
        sms_body: Some("Order {{1}}".into()),
        ..default_text()
    }
}

/// A message that is this template, for order A-17.
fn message_of(template: &Template) -> SendRequest {
    let mut values = TemplateValues::default();
    values.body.insert("1".into(), "A-17".into());
    SendRequest {
        content: Content {
            kind: MessageType::Template,
            text: None,
            extra: None,
            template: Some(fill(template.id, &template.text, &values).unwrap()),
            email: None,
        },
        ..text_to(1, "")
    }
}

fn update(name: &str, status: Option<TemplateStatus>) -> TemplateUpdate {
    TemplateUpdate {
        provider_id: format!("p-{name}").into(),
        name: name.into(),
        language: "en".into(),
        status,
        category: None,
        reason: None,
    }
}

async fn provider_says(world: &World, update: TemplateUpdate) {
    let heard = world.provider(WHATSAPP).changes_template(update).await;
    assert_eq!(heard, Heard::Kept);
}

async fn approve(world: &World, name: &str) {
    provider_says(world, update(name, Some(TemplateStatus::Approved))).await;
}

async fn order_template(world: &World) -> Template {
    world
        .engine()
        .create_template(PROJECT, order())
        .await
        .unwrap()
}

/// WhatsApp at a fifth of the price of SMS, marketing templates at twice.
fn dear_marketing() -> Route {
    let mut route = whatsapp();
    let dear = Price {
        category: Some(PriceCategory::Marketing),
        amount: Micros(100_000),
        ..route.prices[0].clone()
    };
    route.prices.push(dear);
    route
}

#[tokio::test(start_paused = true)]
async fn a_template_goes_by_whatsapp_once_it_is_approved_and_by_sms_before() {
    let world = World::running([sms(), whatsapp()]).await;
    let template = order_template(&world).await;
    let before = world.send(message_of(&template)).await;
    world.pass(MOMENT).await;
    assert_eq!(world.channels(before).await, [Channel::Sms]);
    let by_sms = &world.sent_by(SMS)[0].submission;
    assert_eq!(by_sms.content.plain_text(), Some("Order A-17"));
    assert!(by_sms.template.is_none(), "SMS carries its words");

    approve(&world, "order").await;
    let after = world.send(message_of(&template)).await;
    world.pass(MOMENT).await;
    assert_eq!(world.channels(after).await, [Channel::WhatsApp]);
    let by_whatsapp = world.sent_by(WHATSAPP)[0].submission.template.clone();
    let by_whatsapp = by_whatsapp.unwrap();
    assert_eq!(&*by_whatsapp.name, "order");
    assert_eq!(&*by_whatsapp.body[0].text, "A-17");
}

#[tokio::test(start_paused = true)]
async fn whatsapp_alone_refuses_a_template_that_is_not_approved() {
    let world = World::running([whatsapp()]).await;
    let template = order_template(&world).await;
    let refused = world
        .try_send(SendRequest {
            explicit: Some(Channel::WhatsApp),
            ..message_of(&template)
        })
        .await;
    let Err(Refused::ByRule { refusal, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(refusal, Refusal::TemplateNotApproved);
}

#[tokio::test(start_paused = true)]
async fn a_paused_template_takes_back_what_is_ready_and_sms_carries_it() {
    let world = World::running([sms(), whatsapp()]).await;
    let template = order_template(&world).await;
    approve(&world, "order").await;
    world.provider(WHATSAPP).set_window(0);
    let id = world.send(message_of(&template)).await;
    let other = world.send(text_to(2, "not with this template")).await;
    world.pass(MOMENT).await;
    assert_eq!(world.channels(id).await, [Channel::WhatsApp]);
    provider_says(&world, update("order", Some(TemplateStatus::Paused))).await;
    world.pass(MOMENT).await;
    assert_eq!(world.channels(id).await, [Channel::Sms]);
    assert!(world.sent_by(WHATSAPP).is_empty());
    assert_eq!(world.channels(other).await, [Channel::WhatsApp]);
}

#[tokio::test(start_paused = true)]
async fn a_template_that_turns_dearer_is_taken_back_and_the_cheaper_channel_carries_it() {
    let world = World::running([sms(), dear_marketing()]).await;
    let template = order_template(&world).await;
    approve(&world, "order").await;
    world.provider(WHATSAPP).set_window(0);
    let id = world.send(message_of(&template)).await;
    world.pass(MOMENT).await;
    assert_eq!(world.channels(id).await, [Channel::WhatsApp]);
    let marketing = TemplateUpdate {
        category: Some(PriceCategory::Marketing),
        ..update("order", None)
    };
    provider_says(&world, marketing).await;
    world.pass(MOMENT).await;
    assert_eq!(world.channels(id).await, [Channel::Sms]);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_route_that_is_down_goes_when_its_template_is_approved() {
    let world = World::running([sms(), whatsapp()]).await;
    let template = order_template(&world).await;
    world.provider(SMS).link(false);
    let id = world.send(message_of(&template)).await;
    world.pass(Millis::seconds(30)).await;
    assert_eq!(world.status(id).await, Status::Queued);
    approve(&world, "order").await;
    world.pass(MOMENT).await;
    assert_eq!(world.channels(id).await, [Channel::WhatsApp]);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_template_is_not_sent_on_whatsapp_any_more() {
    let world = World::running([sms(), whatsapp()]).await;
    let template = order_template(&world).await;
    approve(&world, "order").await;
    world.provider(WHATSAPP).set_window(0);
    let id = world.send(message_of(&template)).await;
    world.pass(MOMENT).await;
    let engine = world.engine();
    engine.delete_template(PROJECT, template.id).await.unwrap();
    world.pass(MOMENT).await;
    assert_eq!(world.channels(id).await, [Channel::Sms]);
    assert!(engine.template(PROJECT, template.id).is_none());
    let again = engine.delete_template(PROJECT, template.id).await;
    assert!(matches!(again, Err(TemplateError::NoSuchTemplate)));
}

#[tokio::test(start_paused = true)]
async fn the_senders_default_takes_the_text_where_it_has_a_place_for_it() {
    for (body, want) in [("You have news", vec![]), ("Acme: {{1}}", vec!["hi"])] {
        let mut world = World::new([sms(), whatsapp()]);
        world.default_body = body;
        world.start().await;
        world.send(text_to(1, "hi")).await;
        world.pass(MOMENT).await;
        let sent = world.sent_by(WHATSAPP)[0].submission.template.clone();
        let sent = sent.unwrap();
        let filled: Vec<_> = sent.body.iter().map(|it| &*it.text).collect();
        assert_eq!(filled, want, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_default_that_cannot_be_filled_or_is_not_approved_leaves_it_to_sms() {
    for (body, status) in [
        ("{{1}} and {{2}}", TemplateStatus::Approved),
        ("You have news", TemplateStatus::Paused),
    ] {
        let mut world = World::new([sms(), whatsapp()]);
        world.default_body = body;
        world.start().await;
        provider_says(&world, update("hello", Some(status))).await;
        let id = world.send(text_to(1, "hi")).await;
        world.pass(MOMENT).await;
        assert_eq!(world.channels(id).await, [Channel::Sms], "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_submitted_template_stands_as_its_provider_says_also_after_a_restart() {
    let mut world = World::running([sms(), whatsapp()]).await;
    let template = order_template(&world).await;
    let sender = world.sender();
    let submitted = world
        .engine()
        .submit_template(template.id, &sender, Some(PriceCategory::Marketing), false)
        .await
        .unwrap();
    assert_eq!(submitted.status, TemplateStatus::Pending);
    assert_eq!(submitted.text.definition.category, PriceCategory::Marketing);
    let again = world
        .engine()
        .submit_template(template.id, &sender, None, false)
        .await;
    assert!(matches!(
        again,
        Err(TemplateError::AlreadySubmitted(TemplateStatus::Pending))
    ));
    approve(&world, "order").await;
    world.restart().await;
    let found = world.engine().template(PROJECT, template.id).unwrap();
    assert_eq!(found.status, TemplateStatus::Approved);
    let id = world.send(message_of(&found)).await;
    world.pass(MOMENT).await;
    assert_eq!(world.channels(id).await, [Channel::WhatsApp]);
}

#[tokio::test(start_paused = true)]
async fn a_template_is_not_submitted_where_nobody_takes_it_or_it_has_mistakes() {
    let world = World::running([sms()]).await;
    let template = order_template(&world).await;
    let sender = world.sender();
    let engine = world.engine();
    let submit = |id, category| engine.submit_template(id, &sender, category, false);
    let nowhere = submit(template.id, None).await;
    assert!(
        matches!(nowhere, Err(TemplateError::NoAccount)),
        "{nowhere:?}"
    );
    let unknown = submit(TemplateId::from_key(7), None).await;
    assert!(matches!(unknown, Err(TemplateError::NoSuchTemplate)));
    let code = submit(template.id, Some(PriceCategory::Authentication)).await;
    assert!(matches!(code, Err(TemplateError::Invalid(_))), "{code:?}");
    let nothing = engine.sync_templates(PROJECT, None, false).await;
    assert!(matches!(nothing, Err(TemplateError::NoAccount)));
}

#[tokio::test(start_paused = true)]
async fn a_sync_counts_what_it_did_and_plans_follow_it() {
    let world = World::running([sms(), whatsapp()]).await;
    let template = order_template(&world).await;
    let theirs = |name: &str| ProviderTemplate {
        provider_id: format!("p-{name}").into(),
        status: TemplateStatus::Approved,
        definition: TemplateDefinition {
            name: name.into(),
            ..order().definition
        },
    };
    let provider = world.provider(WHATSAPP);
    provider.has_templates([theirs("order"), theirs("other")]);
    let sync = || world.engine().sync_templates(PROJECT, None, false);
    let first = sync().await.unwrap();
    assert_eq!(
        (
            first.accounts,
            first.imported,
            first.linked,
            first.updated,
            first.skipped
        ),
        (1, 1, 1, 0, 0)
    );
    let second = sync().await.unwrap();
    assert_eq!((second.imported, second.linked, second.skipped), (0, 0, 2));
    let id = world.send(message_of(&template)).await;
    world.pass(MOMENT).await;
    assert_eq!(world.channels(id).await, [Channel::WhatsApp]);
    assert!(first.errors.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_update_of_a_template_that_is_not_ours_is_taken_note_of_and_changes_nothing() {
    let world = World::running([sms(), whatsapp()]).await;
    approve(&world, "unknown").await;
    let all = world.disk.all_templates(None, 100).await.unwrap();
    let names: Vec<_> = all.iter().map(|it| &*it.text.definition.name).collect();
    assert_eq!(names, ["hello"]);
    let facts = world.disk.contact_facts(PROJECT, SENDER, &person(1)).await;
    assert_eq!(facts.unwrap().id, None);
}
