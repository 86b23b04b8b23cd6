//! Media on the channel for text messages: only by routes that carry them, as one message, at the
//! price of an MMS (R-ROUTE-1, R-COST-1, R-PARTS).

use domain::decision::{ChannelDrop, ChannelVerdict, RouteDrop, RouteVerdict};
use domain::explain::explain;
use domain::ids::RouteKey;
use domain::model::channel::Channel;
use domain::model::content::{Content, MessageType};
use domain::model::money::{Currency, Micros};
use domain::model::route::{
    Destinations, Price, PriceScope, PriceUnit, RouteCondition, RouteFacts,
};
use domain::model::tariff::Volumes;
use domain::rules::cost::{Size, price_of};
use domain::rules::plan::{Plan, Refusal};
use domain::rules::viable::MMS_TEXT_MAX;
use domain::time::Millis;

use super::world::{NOW, World, channel_verdict, flat, number, route, route_verdict, up, whatsapp};
use Channel::{Sms, WhatsApp};

/// A picture with a URL and these words.
fn picture(caption: &str) -> Content {
    of_kind(
        MessageType::Image,
        Some(r#"{"mediaUrl":"https://cdn.example/a.jpg"}"#),
        caption,
    )
}

fn of_kind(kind: MessageType, extra: Option<&str>, text: &str) -> Content {
    Content {
        kind,
        extra: extra.map(Into::into),
        ..Content::text(text)
    }
}

/// A line with a price for an MMS beside that of a segment.
fn with_mms(segment: i64, mms: i64) -> Price {
    Price {
        mms: Some(Micros(mms)),
        ..flat(segment)
    }
}

fn texts_only(key: u32, micros: i64) -> RouteFacts {
    up(route(key, Sms, None, vec![flat(micros)]))
}

fn mms(key: u32, prices: Vec<Price>) -> RouteFacts {
    let mut it = route(key, Sms, None, prices);
    it.mms = true;
    up(it)
}

fn serves_germany(facts: &RouteFacts) -> RouteFacts {
    let mut it = (*facts.route).clone();
    it.destinations = Destinations {
        allow: vec!["+49".into()],
        deny: Vec::new(),
    };
    up(it)
}

fn world(routes: Vec<RouteFacts>) -> World {
    let mut world = World::new(routes);
    world.content = picture("look");
    world
}

fn dropped(world: &World) -> Option<ChannelDrop> {
    let verdict = channel_verdict(world.plan().decision(), Sms);
    if let ChannelVerdict::Dropped(why) = verdict {
        Some(why)
    } else {
        None
    }
}

#[test]
fn a_medium_goes_by_the_route_that_carries_media_as_one_message_at_its_price() {
    let mut world = world(vec![
        texts_only(1, 10_000),
        mms(2, vec![with_mms(50_000, 120_000)]),
    ]);
    world.content = picture(&"long ".repeat(100));
    let Plan::Send { attempt, decision } = world.plan() else {
        panic!("{:#?}", world.plan());
    };
    assert_eq!((attempt.channel, attempt.route), (Sms, RouteKey(2)));
    assert_eq!(
        (attempt.parts, attempt.estimated_cost),
        (1, Micros(120_000))
    );
    assert_eq!(
        route_verdict(&decision, 1),
        Some(RouteVerdict::Dropped(RouteDrop::NoMms))
    );
    let on_sms = decision.channels.iter().find(|it| it.channel == Sms);
    let on_sms = on_sms.expect("it is considered");
    assert_eq!((on_sms.segments, on_sms.mms), (Some(1), true));

    let names = |key: RouteKey| format!("r{}", key.0);
    let said = explain(&decision, &names, Currency::EUR);
    assert_eq!(
        said[1..],
        [
            "SMS (0.12 EUR, as MMS) chosen: the only one that can carry it now.",
            "WhatsApp not possible: the sender has no route on it.",
            "Route r2 (sms, 0.12 EUR) chosen: the best of those that serve this traffic.",
            "Route r1 (sms) not possible: it carries texts only, no media (MMS).",
        ]
    );
}

#[test]
fn a_text_does_not_ask_for_a_route_with_media() {
    let mut world = world(vec![
        mms(2, vec![with_mms(50_000, 1)]),
        texts_only(1, 10_000),
    ]);
    world.content = Content::text("words");
    assert_eq!(world.sends(), Some((Sms, 1)));
    let decision = world.plan().decision().clone();
    assert!(decision.channels.iter().all(|it| !it.mms));
}

#[test]
fn without_a_route_that_carries_media_no_text_message_says_it() {
    let world = world(vec![texts_only(1, 10_000), whatsapp(9, 1)]);
    assert_eq!(dropped(&world), Some(ChannelDrop::ContentNotExpressible));

    let mut named = world;
    named.explicit = Some(Sms);
    let Plan::Refuse { refusal, decision } = named.plan() else {
        panic!("{:#?}", named.plan());
    };
    let said = explain(&decision, &|_| String::new(), Currency::EUR).join(" ");
    assert!(said.contains("one with `mms = true` would"), "{said}");
    let why = ChannelDrop::ContentNotExpressible;
    assert_eq!(refusal, Refusal::ExplicitChannel(why));
}

#[test]
fn only_media_with_a_url_go_and_stickers_do_not() {
    let url = Some(r#"{"mediaUrl":"https://cdn.example/a"}"#);
    let loud = Some(r#"{"mediaUrl":"HTTPS://cdn.example/a"}"#);
    let both = Some(r#"{"mediaUrl":"http://cdn.example/a","mediaId":"1","filename":"a"}"#);
    for kind in MessageType::ALL {
        let is_media = matches!(
            kind,
            MessageType::Image | MessageType::Video | MessageType::Audio | MessageType::Document
        );
        for (extra, has_url) in [
            (url, true),
            (both, true),
            (loud, true),
            (Some(r#"{"mediaId":"1"}"#), false),
            (Some(r#"{"mediaUrl":"file:///etc/passwd"}"#), false),
            (Some(r#"{"mediaUrl":7}"#), false),
            (Some("{}"), false),
            (Some("no JSON"), false),
            (None, false),
        ] {
            let mut world = world(vec![mms(2, vec![with_mms(1, 1)])]);
            world.content = of_kind(kind, extra, "words");
            let want = (is_media && has_url) || kind == MessageType::Text;
            let why = ChannelDrop::ContentNotExpressible;
            assert_eq!(
                dropped(&world),
                (!want).then_some(why),
                "{kind:?} {extra:?}"
            );
        }
    }
}

#[test]
fn the_text_beside_a_medium_has_a_limit_of_its_own() {
    let mut world = world(vec![mms(2, vec![with_mms(1, 1)])]);
    for (length, too_long) in [(MMS_TEXT_MAX, false), (MMS_TEXT_MAX + 1, true)] {
        world.content = picture(&"ă".repeat(length));
        let why = ChannelDrop::TextTooLong;
        assert_eq!(dropped(&world), too_long.then_some(why), "{length}");
    }
}

#[test]
fn a_medium_waits_for_its_route_and_never_goes_by_another() {
    let mut it = mms(2, vec![with_mms(1, 1)]);
    for condition in [RouteCondition::Down, RouteCondition::Throttled] {
        it.condition = condition;
        let world = world(vec![texts_only(1, 1), it.clone()]);
        assert_eq!(world.waits_for(), Some(2), "{condition:?}");
    }
}

#[test]
fn the_reason_is_that_of_the_route_that_came_furthest() {
    let carries = || mms(2, vec![with_mms(1, 1)]);
    // Texts would reach the person, and media would not.
    let elsewhere = world(vec![texts_only(1, 1), serves_germany(&carries())]);
    assert_eq!(
        dropped(&elsewhere),
        Some(ChannelDrop::ContentNotExpressible)
    );
    let nowhere = world(vec![
        serves_germany(&texts_only(1, 1)),
        serves_germany(&carries()),
    ]);
    assert_eq!(dropped(&nowhere), Some(ChannelDrop::DestinationNotServed));
    let mut refused = world(vec![texts_only(1, 1), carries()]);
    refused.refused_by = vec![RouteKey(2)];
    assert_eq!(dropped(&refused), Some(ChannelDrop::RoutesExhausted));
}

#[test]
fn after_whatsapp_failed_a_medium_falls_back_to_mms_where_a_route_carries_it() {
    for (carries, want) in [(true, Some((Sms, 2))), (false, None)] {
        let second = if carries {
            mms(2, vec![with_mms(1, 1)])
        } else {
            texts_only(2, 1)
        };
        let mut world = world(vec![whatsapp(9, 1), second]);
        world.contact_wrote(WhatsApp, Millis::hours(1));
        world.tried = world.tried.with(WhatsApp);
        assert_eq!(world.sends(), want);
    }
}

#[test]
fn the_cheaper_of_whatsapp_and_mms_carries_a_medium() {
    for (price, want) in [(5_000, Sms), (20_000, WhatsApp)] {
        let mut world = world(vec![mms(2, vec![with_mms(1, price)]), whatsapp(9, 10_000)]);
        world.contact_wrote(WhatsApp, Millis::hours(48));
        world.contact.thread.last_inbound = None;
        world.contact.thread.whatsapp_window_from = Some(NOW);
        assert_eq!(world.sends().map(|it| it.0), Some(want), "{price}");
    }
}

#[test]
fn an_mms_is_charged_by_the_most_specific_line_that_says_what_one_costs() {
    let price = |prices: &[Price]| {
        let book = route(1, Sms, None, prices.to_vec());
        price_of(&book, &number(), None, Size::Mms, NOW, Volumes::NONE).map(|it| it.amount.0)
    };
    let romania = |line: Price| Price {
        scope: PriceScope::Prefix("+40".into()),
        ..line
    };
    assert_eq!(price(&[]), Some(0), "a route without a book is free");
    assert_eq!(price(&[with_mms(1, 20)]), Some(20));
    let by_message = Price {
        unit: PriceUnit::Message,
        ..with_mms(1, 20)
    };
    assert_eq!(price(&[by_message]), Some(20));
    assert_eq!(
        price(&[with_mms(1, 20), romania(with_mms(2, 30))]),
        Some(30)
    );
    // The line for Romania speaks of texts only.
    assert_eq!(price(&[with_mms(1, 20), romania(flat(2))]), Some(20));
    assert_eq!(price(&[flat(1)]), None, "nobody says what an MMS costs");
}

#[test]
fn a_route_that_does_not_say_what_an_mms_costs_comes_after_those_that_do() {
    let world = world(vec![
        mms(1, vec![flat(1)]),
        mms(2, vec![with_mms(1, 900_000)]),
    ]);
    assert_eq!(world.sends(), Some((Sms, 2)));
    assert_eq!(
        route_verdict(world.plan().decision(), 1),
        Some(RouteVerdict::Dearer)
    );
}
