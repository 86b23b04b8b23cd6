//! R-COST-1: what a provider counts takes the place of our estimate, at the price that was charged.

use domain::ids::{MessageId, RouteKey};
use domain::model::address::{Address, WhatsAppUserId};
use domain::model::channel::Channel;
use domain::model::content::{Content, PriceCategory};
use domain::model::money::Micros;
use domain::model::route::{Price, PriceScope, Route};
use domain::model::tariff::{Tier, Tiers};
use domain::model::template::TemplateStatus;
use domain::time::Millis;
use engine::request::SendRequest;
use ports::connector::{Bill, Heard, IncomingMessage, SubmissionKey};
use ports::provider::TemplateUpdate;

use crate::world::{SMS, WHATSAPP, World, person, sms, text_to, whatsapp};

const MOMENT: Millis = Millis::new(100);

/// WhatsApp by segment: free-form content, utility and marketing at prices of their own.
fn by_category() -> Route {
    let mut route = whatsapp();
    for (category, amount) in [
        (PriceCategory::Service, 1_000),
        (PriceCategory::Utility, 20_000),
        (PriceCategory::Marketing, 100_000),
    ] {
        let line = Price {
            category: Some(category),
            amount: Micros(amount),
            ..route.prices[0].clone()
        };
        route.prices.push(line);
    }
    route
}

/// The provider counts so many segments of a message's first attempt.
async fn counts(world: &World, route: RouteKey, message: MessageId, segments: u16) -> Micros {
    let key = SubmissionKey {
        message,
        attempt: 1,
    };
    let bill = Bill {
        segments: Some(segments),
        amount: None,
    };
    world.provider(route).events().unwrap().billed(key, bill);
    world.pass(MOMENT).await;
    world.progress(message).await.attempts[0].estimated_cost
}

async fn default_is_now(world: &World, status: TemplateStatus, category: PriceCategory) {
    let update = TemplateUpdate {
        provider_id: "p-hello".into(),
        name: "hello".into(),
        language: "en".into(),
        status: Some(status),
        category: Some(category),
        reason: None,
    };
    let heard = world.provider(WHATSAPP).changes_template(update).await;
    assert_eq!(heard, Heard::Kept);
}

fn on_whatsapp(no: u32) -> SendRequest {
    SendRequest {
        explicit: Some(Channel::WhatsApp),
        ..text_to(no, "hello")
    }
}

#[tokio::test(start_paused = true)]
async fn a_default_template_is_repriced_as_the_template_that_it_was() {
    let world = World::running([by_category()]).await;
    default_is_now(&world, TemplateStatus::Approved, PriceCategory::Marketing).await;
    let as_marketing = world.send(on_whatsapp(2)).await;
    world.pass(MOMENT).await;
    assert_eq!(
        counts(&world, WHATSAPP, as_marketing, 2).await,
        Micros(200_000)
    );
    // Also when the provider takes it no more, and when it tells the same again.
    default_is_now(&world, TemplateStatus::Paused, PriceCategory::Marketing).await;
    for _ in 0..2 {
        let cost = counts(&world, WHATSAPP, as_marketing, 3).await;
        assert_eq!(cost, Micros(300_000));
    }
}

#[tokio::test(start_paused = true)]
async fn a_bill_is_priced_at_the_place_that_the_message_has_in_the_volume_of_its_month() {
    let mut route = sms();
    // Twice the price after the second segment, so that one amount may be of either.
    route.prices[0].tiers = Tiers::new([Tier {
        above: 2,
        amount: Micros(100_000),
    }]);
    let world = World::running([route]).await;
    let mut sent = Vec::new();
    for no in 1..=3 {
        sent.push(world.send(text_to(no, "hello")).await);
        world.pass(MOMENT).await;
    }
    for (id, want) in sent.into_iter().zip([100_000, 150_000, 200_000]) {
        // Also when the provider tells the same again.
        for _ in 0..3 {
            assert_eq!(counts(&world, SMS, id, 2).await, Micros(want));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_went_inside_the_window_is_repriced_as_free_form() {
    let world = World::running([by_category()]).await;
    let wrote = IncomingMessage::new(person(1), "+40700000001", Content::text("hi"));
    let events = world.provider(WHATSAPP).events().unwrap();
    events.inbound(wrote, Box::new(drop));
    world.pass(MOMENT).await;
    let id = world.send(on_whatsapp(1)).await;
    // The bill comes when the window is long closed.
    world.pass(Millis::hours(30)).await;
    assert_eq!(counts(&world, WHATSAPP, id, 2).await, Micros(2_000));
}

#[tokio::test(start_paused = true)]
async fn the_price_is_that_of_the_address_that_it_went_to() {
    let mut route = sms();
    let romanian = Price {
        scope: PriceScope::Prefix("+40".into()),
        amount: Micros(70_000),
        ..route.prices[0].clone()
    };
    route.prices.push(romanian);
    let world = World::running([route, whatsapp()]).await;
    let user = Address::WhatsAppUser(WhatsAppUserId::parse("RO.1").unwrap());
    let mut wrote = IncomingMessage::new(user.clone(), "+40700000001", Content::text("hi"));
    wrote.aliases = vec![person(1)];
    let events = world.provider(WHATSAPP).events().unwrap();
    events.inbound(wrote, Box::new(drop));
    world.pass(MOMENT).await;
    let by_sms = SendRequest {
        to: user,
        explicit: Some(Channel::Sms),
        ..text_to(1, "hello")
    };
    let id = world.send(by_sms).await;
    world.pass(MOMENT).await;
    assert_eq!(counts(&world, SMS, id, 2).await, Micros(140_000));
}
