//! What cannot be sent, and what is said of it: consent, explicit channels, content, test keys.

use domain::decision::{
    ChannelDrop, ChannelReason, ChannelVerdict, Decision, RouteDrop, RouteObstacle, RouteVerdict,
};
use domain::ids::RouteKey;
use domain::model::channel::Channel;
use domain::model::content::{Content, MessageType};
use domain::model::message::{Speed, TrafficClass};
use domain::model::route::{Destinations, RouteClass, RouteCondition};
use domain::model::template::TemplateStatus;
use domain::rules::plan::{Plan, Refusal};
use domain::time::Millis;

use super::world::{
    NOW, World, ago, channel_verdict, flat, metrics, route, route_verdict, sms, template_message,
    up, whatsapp,
};
use Channel::{Sms, WhatsApp};

fn both_channels() -> World {
    World::new(vec![
        sms(1, RouteClass::Gateway, 50_000),
        whatsapp(9, 10_000),
    ])
}

fn refusal(world: &World) -> Option<Refusal> {
    match world.plan() {
        Plan::Refuse { refusal, .. } => Some(refusal),
        Plan::Send { .. } | Plan::Wait { .. } => None,
    }
}

fn dropped(world: &World, channel: Channel) -> Option<ChannelDrop> {
    let verdict = channel_verdict(world.plan().decision(), channel);
    if let ChannelVerdict::Dropped(why) = verdict {
        Some(why)
    } else {
        None
    }
}

#[test]
fn consent_is_looked_at_before_anything_else() {
    for explicit in [None, Some(Sms), Some(WhatsApp)] {
        let mut world = both_channels();
        world.explicit = explicit;
        world.contact.thread.opted_out = true;
        assert_eq!(refusal(&world), Some(Refusal::OptedOut));
        assert!(world.plan().decision().channels.is_empty());
    }
}

#[test]
fn explicit_whatsapp_with_a_closed_window_is_refused_unless_there_is_a_template() {
    let mut world = both_channels();
    world.explicit = Some(WhatsApp);
    world.contact_wrote(WhatsApp, Millis::hours(24));
    assert_eq!(refusal(&world), Some(Refusal::WindowClosed));
    world.contact_wrote(WhatsApp, Millis::new(24 * 3_600_000 - 1));
    assert_eq!(world.sends(), Some((WhatsApp, 9)));
    world.contact_wrote(WhatsApp, Millis::hours(25));
    world.content = template_message();
    assert_eq!(world.sends(), Some((WhatsApp, 9)));
}

#[test]
fn an_explicit_channel_that_cannot_carry_it_is_named_and_one_that_is_down_is_waited_for() {
    let mut world = World::new(vec![sms(1, RouteClass::Gateway, 50_000)]);
    world.explicit = Some(WhatsApp);
    assert_eq!(
        refusal(&world),
        Some(Refusal::ExplicitChannel(ChannelDrop::NotOnSender))
    );

    let mut world = both_channels();
    world.contact_wrote(WhatsApp, Millis::hours(1));
    world.explicit = Some(Sms);
    world.routes[0].condition = RouteCondition::Down;
    assert_eq!(world.waits_for(), Some(1));
    assert_eq!(world.channel_reason(), Some(ChannelReason::ExplicitChannel));
}

#[test]
fn every_dropped_channel_has_its_reason() {
    let mut world = both_channels();
    let nowhere = Destinations {
        allow: vec!["+49".into()],
        deny: Vec::new(),
    };
    let mut german = route(1, Sms, Some(RouteClass::Gateway), vec![flat(1)]);
    german.destinations = nowhere;
    world.routes[0] = up(german);
    assert_eq!(refusal(&world), Some(Refusal::NoChannel));
    assert_eq!(
        dropped(&world, Sms),
        Some(ChannelDrop::DestinationNotServed)
    );
    assert_eq!(dropped(&world, WhatsApp), Some(ChannelDrop::WindowClosed));
}

#[test]
fn a_channel_that_the_contact_is_known_not_to_have_is_dropped_until_that_is_forgotten() {
    let mut world = both_channels();
    world.contact_wrote(WhatsApp, Millis::hours(1));
    for (until, incapable) in [
        (None, false),
        (Some(ago(Millis::ZERO)), false),
        (Some(NOW.plus(Millis::new(1))), true),
    ] {
        world.contact.whatsapp.incapable_until = until;
        assert_eq!(
            dropped(&world, WhatsApp) == Some(ChannelDrop::KnownIncapable),
            incapable
        );
        assert_eq!(
            world.sends().map(|it| it.0),
            Some(if incapable { Sms } else { WhatsApp })
        );
    }
}

#[test]
fn sms_carries_texts_and_templates_with_a_text_and_nothing_else() {
    for kind in MessageType::ALL {
        for has_template in [false, true] {
            let mut world = both_channels();
            world.contact_wrote(WhatsApp, Millis::hours(1));
            world.content = Content {
                kind,
                text: Some("words".into()),
                extra: None,
                template: template_message().template.filter(|_| has_template),
                email: None,
            };
            let expressible = |channel| dropped(&world, channel).is_none();
            let is_template = kind == MessageType::Template;
            let on_sms = kind == MessageType::Text || (is_template && has_template);
            assert_eq!(expressible(Sms), on_sms, "{kind:?} {has_template}");
            assert_eq!(
                expressible(WhatsApp),
                !is_template || has_template,
                "{kind:?}"
            );
        }
    }
}

#[test]
fn a_template_without_a_text_is_not_expressible_as_sms() {
    let mut world = both_channels();
    world.content = template_message();
    world.content.template.as_mut().unwrap().plain_text = None;
    assert_eq!(
        dropped(&world, Sms),
        Some(ChannelDrop::ContentNotExpressible)
    );
    assert_eq!(world.sends(), Some((WhatsApp, 9)));
}

#[test]
fn whatsapp_takes_no_template_that_is_not_approved_and_sms_takes_any() {
    for status in TemplateStatus::ALL {
        let approved = status == TemplateStatus::Approved;
        let mut world = both_channels();
        world.content = template_message();
        world.template_status = status;
        let channel = if approved { WhatsApp } else { Sms };
        assert_eq!(world.sends().map(|it| it.0), Some(channel), "{status:?}");
        let why = (!approved).then_some(ChannelDrop::TemplateNotApproved);
        assert_eq!(dropped(&world, WhatsApp), why, "{status:?}");

        world.explicit = Some(WhatsApp);
        let refused = (!approved).then_some(Refusal::TemplateNotApproved);
        assert_eq!(refusal(&world), refused, "{status:?}");
        world.explicit = Some(Sms);
        assert_eq!(world.sends().map(|it| it.0), Some(Sms), "{status:?}");
    }
}

#[test]
fn a_text_with_a_template_is_a_text_inside_the_window_and_the_template_outside() {
    for (status, closed) in [
        (TemplateStatus::Approved, Some(WhatsApp)),
        (TemplateStatus::Paused, None),
    ] {
        let mut world = World::new(vec![whatsapp(9, 10_000)]);
        world.content.template = template_message().template;
        world.template_status = status;
        assert_eq!(world.sends().map(|it| it.0), closed, "{status:?}");
        world.contact_wrote(WhatsApp, Millis::hours(1));
        assert_eq!(world.sends().map(|it| it.0), Some(WhatsApp), "{status:?}");
    }
}

#[test]
fn a_text_of_more_than_16_segments_is_too_long_for_sms_and_of_4096_characters_for_whatsapp() {
    for (length, on_sms, on_whatsapp) in [
        (16 * 153, true, true),
        (16 * 153 + 1, false, true),
        (4_096, false, true),
        (4_097, false, false),
    ] {
        let mut world = both_channels();
        world.contact_wrote(WhatsApp, Millis::hours(1));
        world.content = Content::text("a".repeat(length));
        assert_eq!(
            dropped(&world, Sms) != Some(ChannelDrop::TextTooLong),
            on_sms,
            "{length}"
        );
        assert_eq!(
            dropped(&world, WhatsApp) != Some(ChannelDrop::TextTooLong),
            on_whatsapp,
            "{length}"
        );
    }
}

#[test]
fn a_test_key_uses_simulators_only_and_a_live_key_none_beside_a_real_route() {
    let simulator = |key, channel| {
        let mut it = route(key, channel, None, vec![flat(1)]);
        it.simulator = true;
        up(it)
    };
    let mut world = World::new(vec![sms(1, RouteClass::Gateway, 50_000), simulator(2, Sms)]);
    assert_eq!(world.sends(), Some((Sms, 1)));
    let mismatch = Some(RouteVerdict::Dropped(RouteDrop::TestModeMismatch));
    assert_eq!(route_verdict(world.plan().decision(), 2), mismatch);
    world.test = true;
    assert_eq!(world.sends(), Some((Sms, 2)));
    assert_eq!(route_verdict(world.plan().decision(), 1), mismatch);

    // A real route that is down does not let live messages end in a simulator.
    world.test = false;
    world.routes[0].condition = RouteCondition::Down;
    assert_eq!(world.waits_for(), Some(1));

    // A demo has nothing but simulators.
    let demo = World::new(vec![simulator(2, Sms)]);
    assert_eq!(demo.sends(), Some((Sms, 2)));

    let mut world = World::new(vec![sms(1, RouteClass::Gateway, 50_000)]);
    world.test = true;
    assert_eq!(dropped(&world, Sms), Some(ChannelDrop::NoSimulator));
}

#[test]
fn routes_that_refused_the_message_are_not_tried_again() {
    let mut world = World::new(vec![
        sms(1, RouteClass::Gateway, 50_000),
        sms(2, RouteClass::Platform, 50_000),
    ]);
    world.refused_by = vec![RouteKey(1)];
    assert_eq!(world.sends(), Some((Sms, 2)));
    world.routes[1].condition = RouteCondition::Throttled;
    assert_eq!(
        world.waits_for(),
        Some(2),
        "a throttled route is not exhausted"
    );
    world.refused_by.push(RouteKey(2));
    assert_eq!(dropped(&world, Sms), Some(ChannelDrop::RoutesExhausted));
}

#[test]
fn bulk_with_phones_only_has_no_route_of_its_class() {
    let mut world = World::new(vec![sms(4, RouteClass::Phone, 0)]);
    assert_eq!(world.sends(), Some((Sms, 4)));
    world.class = TrafficClass::Bulk;
    assert_eq!(dropped(&world, Sms), Some(ChannelDrop::NoRouteForClass));
}

#[test]
fn fast_prefers_the_shorter_delivery_time_and_still_asks_for_a_good_record() {
    let mut world = World::new(vec![
        sms(1, RouteClass::Gateway, 10_000),
        whatsapp(9, 90_000),
    ]);
    world.contact_wrote(WhatsApp, Millis::hours(1));
    assert_eq!(world.sends(), Some((Sms, 1)));
    world.speed = Speed::Fast;
    // Nothing is known of the contact: WhatsApp's average over all is the shorter.
    assert_eq!(world.sends(), Some((WhatsApp, 9)));
    assert_eq!(world.channel_reason(), Some(ChannelReason::FastestViable));
    assert_eq!(
        channel_verdict(world.plan().decision(), Sms),
        ChannelVerdict::Slower
    );

    world.contact.whatsapp.metrics.delivery_time_sum = Millis::seconds(40);
    world.contact.whatsapp.metrics.delivery_time_count = 10;
    assert_eq!(
        world.sends(),
        Some((Sms, 1)),
        "4 s on WhatsApp for this contact"
    );

    world.contact.whatsapp.metrics = metrics(0, 0);
    world.contact.whatsapp.metrics.failure_count = 3;
    assert_eq!(world.sends(), Some((Sms, 1)), "a poor record");
    assert_eq!(
        channel_verdict(world.plan().decision(), WhatsApp),
        ChannelVerdict::PoorRecord
    );
}

#[test]
fn the_decision_names_every_channel_and_one_chosen_route() {
    let mut world = both_channels();
    world.contact_wrote(WhatsApp, Millis::hours(1));
    let plan = world.plan();
    let decision = plan.decision();
    assert_eq!(
        decision.channel(),
        Some((WhatsApp, ChannelReason::Exploration))
    );
    assert_eq!(decision.route().map(|it| it.0), Some(RouteKey(9)));
    assert_eq!(
        route_verdict(decision, 1),
        Some(RouteVerdict::ChannelPassedOver)
    );
    let segments: Vec<_> = decision
        .channels
        .iter()
        .map(|it| (it.channel, it.segments))
        .collect();
    assert_eq!(segments, [(WhatsApp, None), (Sms, Some(1))]);
}

#[test]
fn a_decision_survives_its_stored_form() {
    let mut world = both_channels();
    for (hours, opted_out) in [(1, false), (25, false), (1, true)] {
        world.contact_wrote(WhatsApp, Millis::hours(hours));
        world.contact.thread.opted_out = opted_out;
        let plan = world.plan();
        let stored = serde_json::to_string(plan.decision()).unwrap();
        let loaded: Decision = serde_json::from_str(&stored).unwrap();
        assert_eq!(&loaded, plan.decision(), "{stored}");
    }
}

#[test]
fn a_decision_that_waits_keeps_what_it_waits_for_and_one_of_before_is_read_without() {
    let mut world = World::new(vec![sms(1, RouteClass::Gateway, 1)]);
    world.routes[0].condition = RouteCondition::Down;
    let decision = world.plan().decision().clone();
    let stored = serde_json::to_string(&decision).unwrap();
    assert_eq!(decision.obstacle(), Some(RouteObstacle::Down));
    assert_eq!(serde_json::from_str::<Decision>(&stored).unwrap(), decision);

    let before = stored.replace(r#","o":"down""#, "");
    assert_ne!(before, stored);
    let loaded: Decision = serde_json::from_str(&before).unwrap();
    assert_eq!(loaded.obstacle(), None);
    assert_eq!(loaded.route(), decision.route());
}
