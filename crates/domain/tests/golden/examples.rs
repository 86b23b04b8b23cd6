//! The examples of SPEC §16 (5 and 7 belong to fallback and metrics).

use domain::decision::{
    ChannelDrop, ChannelReason, ChannelVerdict, RouteDrop, RouteReason, RouteVerdict,
};
use domain::model::channel::{Channel, ChannelSet};
use domain::model::message::TrafficClass;
use domain::model::route::{QuotaFacts, RouteClass, RouteCondition, RouteFacts};
use domain::rules::plan::{Plan, Refusal};
use domain::time::Millis;

use super::world::{
    World, channel_verdict, metrics, route_verdict, sms, template, template_message, used, whatsapp,
};
use Channel::{Sms, WhatsApp};

const GATEWAY: u32 = 1;
const WA: u32 = 9;

/// SMS at 0.05, WhatsApp at 0.01: the published figures.
fn both_channels() -> World {
    World::new(vec![
        sms(GATEWAY, RouteClass::Gateway, 50_000),
        whatsapp(WA, 10_000),
    ])
}

#[test]
fn example_1_two_hours_after_a_whatsapp_message_whatsapp_and_after_25_hours_sms() {
    for (hours, text, with_template) in [(2, WhatsApp, WhatsApp), (25, Sms, WhatsApp)] {
        let mut world = both_channels();
        world.contact_wrote(WhatsApp, Millis::hours(hours));
        assert_eq!(
            world.sends().map(|it| it.0),
            Some(text),
            "text after {hours} h"
        );

        let mut by_default = world.clone();
        by_default.default_template = Some(template());
        assert_eq!(
            by_default.sends(),
            Some((WhatsApp, WA)),
            "sender's template after {hours} h"
        );

        world.content = template_message();
        assert_eq!(
            world.sends().map(|it| it.0),
            Some(with_template),
            "template after {hours} h"
        );
    }
}

#[test]
fn example_2_an_answer_goes_back_on_the_channel_that_the_contact_used() {
    // SMS is the cheaper one here.
    let dear_whatsapp = || {
        World::new(vec![
            sms(GATEWAY, RouteClass::Gateway, 10_000),
            whatsapp(WA, 90_000),
        ])
    };
    let mut world = dear_whatsapp();
    world.contact_wrote(WhatsApp, Millis::minutes(5));
    world.reply_channel = Some(WhatsApp);
    assert_eq!(world.sends(), Some((WhatsApp, WA)));
    assert_eq!(
        world.channel_reason(),
        Some(ChannelReason::ReplySameChannel)
    );
    assert_eq!(
        channel_verdict(world.plan().decision(), Sms),
        ChannelVerdict::PassedOver
    );

    // WhatsApp is the cheaper one here.
    let mut world = both_channels();
    world.contact_wrote(Sms, Millis::minutes(5));
    world.reply_channel = Some(Sms);
    assert_eq!(world.sends(), Some((Sms, GATEWAY)));

    // The same without saying so, where the rule for implicit answers applies.
    let mut world = dear_whatsapp();
    world.contact_wrote(WhatsApp, Millis::minutes(5));
    assert_eq!(
        world.sends(),
        Some((Sms, GATEWAY)),
        "it may not count as an answer"
    );
    world.may_reply = true;
    assert_eq!(world.sends(), Some((WhatsApp, WA)));
    world.class = TrafficClass::Bulk;
    assert_eq!(world.sends(), Some((Sms, GATEWAY)), "bulk answers nobody");
}

#[test]
fn an_answer_whose_channel_can_no_longer_carry_it_is_an_outbound_message() {
    let mut world = both_channels();
    world.contact_wrote(WhatsApp, Millis::hours(24));
    world.reply_channel = Some(WhatsApp);
    assert_eq!(world.sends(), Some((Sms, GATEWAY)), "the window is closed");
    assert_eq!(
        channel_verdict(world.plan().decision(), WhatsApp),
        ChannelVerdict::Dropped(ChannelDrop::WindowClosed)
    );

    let mut world = World::new(vec![sms(GATEWAY, RouteClass::Gateway, 50_000)]);
    world.contact_wrote(WhatsApp, Millis::hours(1));
    world.reply_channel = Some(WhatsApp);
    assert_eq!(
        world.sends(),
        Some((Sms, GATEWAY)),
        "the sender no longer has the channel"
    );
}

#[test]
fn an_answer_waits_for_its_channel_where_that_is_only_down() {
    let mut world = both_channels();
    world.contact_wrote(WhatsApp, Millis::hours(1));
    world.reply_channel = Some(WhatsApp);
    world.routes[1].condition = RouteCondition::Down;
    assert_eq!(world.waits_for(), Some(WA));
    assert_eq!(
        world.channel_reason(),
        Some(ChannelReason::ReplySameChannel)
    );
}

#[test]
fn example_3_a_channel_under_80_percent_is_passed_over_and_a_new_one_is_explored() {
    use ChannelReason::{BestSuccessRate, CheapestViable, Exploration};
    for (on_whatsapp, on_sms, channel, reason) in [
        ((79, 21), (0, 0), Sms, Exploration),
        ((79, 21), (90, 10), Sms, CheapestViable),
        ((80, 20), (90, 10), WhatsApp, CheapestViable),
        ((0, 2), (90, 10), WhatsApp, Exploration),
        ((0, 3), (90, 10), Sms, CheapestViable),
        ((79, 21), (78, 22), WhatsApp, BestSuccessRate),
        ((78, 22), (79, 21), Sms, BestSuccessRate),
    ] {
        let mut world = both_channels();
        world.contact_wrote(WhatsApp, Millis::hours(1));
        world.contact.whatsapp.metrics = metrics(on_whatsapp.0, on_whatsapp.1);
        world.contact.sms.metrics = metrics(on_sms.0, on_sms.1);
        let case = format!("WhatsApp {on_whatsapp:?}, SMS {on_sms:?}");
        assert_eq!(world.sends().map(|it| it.0), Some(channel), "{case}");
        assert_eq!(world.channel_reason(), Some(reason), "{case}");
        let passed_over = if channel == Sms { WhatsApp } else { Sms };
        let want = if reason != BestSuccessRate && channel == WhatsApp {
            ChannelVerdict::Dearer
        } else {
            ChannelVerdict::PoorRecord
        };
        assert_eq!(
            channel_verdict(world.plan().decision(), passed_over),
            want,
            "{case}"
        );
    }
}

#[test]
fn example_4_an_explicit_channel_is_used_whatever_the_statistics() {
    let mut world = both_channels();
    world.contact_wrote(WhatsApp, Millis::hours(1));
    world.reply_channel = Some(WhatsApp);
    world.contact.sms.metrics = metrics(0, 100);
    world.explicit = Some(Sms);
    assert_eq!(world.sends(), Some((Sms, GATEWAY)));
    assert_eq!(world.channel_reason(), Some(ChannelReason::ExplicitChannel));
    assert_eq!(
        channel_verdict(world.plan().decision(), WhatsApp),
        ChannelVerdict::Dropped(ChannelDrop::NotRequested)
    );
}

#[test]
fn example_6_a_sender_with_sms_only_has_no_second_channel() {
    let mut world = World::new(vec![sms(GATEWAY, RouteClass::Gateway, 50_000)]);
    world.tried = ChannelSet::EMPTY.with(Sms);
    let plan = world.plan();
    assert!(
        matches!(
            plan,
            Plan::Refuse {
                refusal: Refusal::NoChannel,
                ..
            }
        ),
        "{plan:?}"
    );
    assert_eq!(
        channel_verdict(plan.decision(), Sms),
        ChannelVerdict::Dropped(ChannelDrop::AlreadyTried)
    );
    assert_eq!(
        channel_verdict(plan.decision(), WhatsApp),
        ChannelVerdict::Dropped(ChannelDrop::NotOnSender)
    );
}

#[test]
fn a_fallback_takes_the_other_channel_also_after_an_explicit_one() {
    for explicit in [None, Some(WhatsApp)] {
        let mut world = both_channels();
        world.contact_wrote(WhatsApp, Millis::hours(1));
        world.explicit = explicit;
        assert_eq!(world.sends(), Some((WhatsApp, WA)));
        world.tried = ChannelSet::EMPTY.with(WhatsApp);
        assert_eq!(world.sends(), Some((Sms, GATEWAY)), "after {explicit:?}");
        world.tried = world.tried.with(Sms);
        assert_eq!(world.sends(), None);
    }
}

const PLATFORM_A: u32 = 2;
const PLATFORM_B: u32 = 3;
const PHONE: u32 = 4;

/// The routes of example 8, in the order of their keys.
fn hybrid(gateway: i64, class: TrafficClass) -> World {
    let mut world = World::new(vec![
        sms(GATEWAY, RouteClass::Gateway, gateway),
        sms(PLATFORM_A, RouteClass::Platform, 20_000),
        sms(PLATFORM_B, RouteClass::Platform, 25_000),
        sms(PHONE, RouteClass::Phone, 0),
    ]);
    world.class = class;
    world
}

fn facts(world: &mut World, key: u32) -> &mut RouteFacts {
    world
        .routes
        .iter_mut()
        .find(|it| it.route.key.0 == key)
        .expect("a route of example 8")
}

fn route_reason(world: &World) -> Option<RouteReason> {
    world.plan().decision().route().map(|(_, reason)| reason)
}

#[test]
fn example_8_replies_go_by_the_gateway_then_a_platform_then_a_phone_then_they_wait() {
    let mut world = hybrid(50_000, TrafficClass::Direct);
    world.contact_wrote(Sms, Millis::minutes(1));
    world.reply_channel = Some(Sms);
    assert_eq!(world.sends(), Some((Sms, GATEWAY)));
    assert_eq!(route_reason(&world), Some(RouteReason::PreferredClass));
    let decision = world.plan();
    for later in [PLATFORM_A, PLATFORM_B, PHONE] {
        assert_eq!(
            route_verdict(decision.decision(), later),
            Some(RouteVerdict::LaterClass)
        );
    }

    facts(&mut world, GATEWAY).quota = used(100);
    assert_eq!(world.sends(), Some((Sms, PLATFORM_A)));
    assert_eq!(route_reason(&world), Some(RouteReason::Overflow));
    assert_eq!(
        route_verdict(world.plan().decision(), GATEWAY),
        Some(RouteVerdict::OutOfQuota)
    );

    facts(&mut world, PLATFORM_A).condition = RouteCondition::Down;
    facts(&mut world, PLATFORM_B).quota = used(100);
    assert_eq!(world.sends(), Some((Sms, PHONE)));
    assert_eq!(route_reason(&world), Some(RouteReason::LastResort));

    // A platform that is merely throttled is waited for, and the phones are left alone.
    facts(&mut world, PLATFORM_A).condition = RouteCondition::Throttled;
    assert_eq!(world.waits_for(), Some(PLATFORM_A));
    assert_eq!(
        route_verdict(world.plan().decision(), PHONE),
        Some(RouteVerdict::LaterClass)
    );

    facts(&mut world, PLATFORM_A).condition = RouteCondition::Down;
    facts(&mut world, PHONE).condition = RouteCondition::Down;
    assert_eq!(
        world.waits_for(),
        Some(PLATFORM_A),
        "down passes sooner than a quota"
    );
    assert_eq!(route_reason(&world), Some(RouteReason::Waiting));
}

#[test]
fn example_8_a_campaign_overflows_to_the_gateway_down_to_the_reserve_and_then_waits() {
    let mut world = hybrid(50_000, TrafficClass::Bulk);
    assert_eq!(world.sends(), Some((Sms, PLATFORM_A)));
    facts(&mut world, PLATFORM_A).quota = used(100);
    assert_eq!(world.sends(), Some((Sms, PLATFORM_B)));
    facts(&mut world, PLATFORM_B).quota = used(100);

    for (quota, goes) in [
        (QuotaFacts::UNLIMITED, true),
        (used(0), true),
        (used(49), true),
        (used(50), false),
        (used(99), false),
        (used(100), false),
    ] {
        facts(&mut world, GATEWAY).quota = quota.clone();
        if goes {
            assert_eq!(world.sends(), Some((Sms, GATEWAY)), "{quota:?}");
            assert_eq!(route_reason(&world), Some(RouteReason::Overflow));
        } else {
            assert_eq!(world.waits_for(), Some(PLATFORM_A), "{quota:?}");
        }
    }
    facts(&mut world, GATEWAY).quota = used(50);
    assert_eq!(
        route_verdict(world.plan().decision(), GATEWAY),
        Some(RouteVerdict::Dropped(RouteDrop::ReservedForDirect))
    );
    assert_eq!(
        route_verdict(world.plan().decision(), PHONE),
        Some(RouteVerdict::Dropped(RouteDrop::ClassNotAllowed))
    );
    world.class = TrafficClass::Direct;
    assert_eq!(
        world.sends(),
        Some((Sms, GATEWAY)),
        "the reserve is for direct"
    );
}

#[test]
fn example_9_bulk_stays_on_the_platform_when_the_gateway_is_cheaper() {
    let mut world = hybrid(1, TrafficClass::Bulk);
    assert_eq!(world.sends(), Some((Sms, PLATFORM_A)));
    assert_eq!(
        route_verdict(world.plan().decision(), PLATFORM_B),
        Some(RouteVerdict::Dearer)
    );
    world.class = TrafficClass::Direct;
    facts(&mut world, GATEWAY).quota = used(100);
    assert_eq!(
        world.sends(),
        Some((Sms, PLATFORM_A)),
        "the free phone is still the last resort"
    );
}
