//! R-QUOTA-1, R-CHAN-5: a message that is more than a whole quota never goes by that route; it goes by
//! another, or is refused at once with that reason, instead of waiting until its validity is over.

use domain::decision::{ChannelDrop, ChannelVerdict, Decision, RouteDrop, RouteVerdict};
use domain::model::channel::Channel;
use domain::model::content::Content;
use domain::model::message::TrafficClass;
use domain::model::money::Micros;
use domain::model::quota::{Meter, Period, Quota, QuotaUnit, Quotas};
use domain::model::route::{QuotaFacts, RouteClass, RouteCondition, RouteFacts};
use domain::model::tariff::{Tier, Tiers};
use domain::rules::plan::{Plan, Refusal};

use super::world::{World, channel_verdict, flat, route, route_verdict, sms, up, whatsapp};

const PRICE: i64 = 50_000;

/// A text of so many segments.
fn text_of(segments: usize) -> Content {
    let length = if segments == 1 { 160 } else { segments * 153 };
    Content::text("x".repeat(length))
}

fn quota(unit: QuotaUnit, limit: i64) -> QuotaFacts {
    let per = Period::Hour;
    QuotaFacts {
        limits: Quotas::new([Quota { per, unit, limit }]),
        used: Meter::default(),
    }
}

fn gateway(quota: QuotaFacts) -> RouteFacts {
    RouteFacts {
        quota,
        ..sms(1, RouteClass::Gateway, PRICE)
    }
}

fn platform() -> RouteFacts {
    sms(2, RouteClass::Platform, PRICE)
}

fn world(routes: Vec<RouteFacts>, segments: usize) -> World {
    let mut world = World::new(routes);
    world.content = text_of(segments);
    world
}

/// Why the only channel was dropped; checks that nothing waits for it.
fn refused(world: &World) -> Option<ChannelDrop> {
    let plan = world.plan();
    if !matches!(
        plan,
        Plan::Refuse {
            refusal: Refusal::NoChannel,
            ..
        }
    ) {
        return None;
    }
    let verdict = channel_verdict(plan.decision(), Channel::Sms);
    if let ChannelVerdict::Dropped(why) = verdict {
        Some(why)
    } else {
        panic!("{verdict:?}")
    }
}

fn dropped(world: &World, key: u32) -> Option<RouteDrop> {
    let verdict = route_verdict(world.plan().decision(), key)?;
    if let RouteVerdict::Dropped(why) = verdict {
        Some(why)
    } else {
        None
    }
}

#[test]
fn what_is_larger_than_a_whole_quota_goes_by_another_route_and_fits_where_it_just_does() {
    for quota in [
        quota(QuotaUnit::Segments, 3),
        quota(QuotaUnit::Spend, 3 * PRICE),
    ] {
        let fits = world(vec![gateway(quota.clone()), platform()], 3);
        assert_eq!(fits.sends(), Some((Channel::Sms, 1)), "{quota:?}");
        let large = world(vec![gateway(quota.clone()), platform()], 4);
        assert_eq!(large.sends(), Some((Channel::Sms, 2)), "{quota:?}");
        assert_eq!(dropped(&large, 1), Some(RouteDrop::LargerThanQuota));
        // Not even while the other is down: it is waited for.
        let mut waiting = large.clone();
        waiting.routes[1].condition = RouteCondition::Down;
        assert_eq!(waiting.waits_for(), Some(2));
        let alone = world(vec![gateway(quota)], 4);
        assert_eq!(refused(&alone), Some(ChannelDrop::LargerThanQuota));
    }
}

#[test]
fn another_channel_takes_what_is_too_large_for_the_quotas_of_text_messages() {
    let mut world = world(
        vec![gateway(quota(QuotaUnit::Segments, 3)), whatsapp(9, 90_000)],
        4,
    );
    world.contact_wrote(Channel::WhatsApp, domain::time::Millis::hours(1));
    assert_eq!(world.sends(), Some((Channel::WhatsApp, 9)));
    world.explicit = Some(Channel::Sms);
    let plan = world.plan();
    let why = Refusal::ExplicitChannel(ChannelDrop::LargerThanQuota);
    assert!(matches!(plan, Plan::Refuse { refusal, .. } if refusal == why));
}

#[test]
fn what_the_share_of_bulk_can_never_hold_is_direct_alone() {
    // Half of ten is kept for direct.
    let mut bulk = world(vec![gateway(quota(QuotaUnit::Segments, 10))], 6);
    assert_eq!(bulk.sends(), Some((Channel::Sms, 1)));
    bulk.class = TrafficClass::Bulk;
    assert_eq!(refused(&bulk), Some(ChannelDrop::LargerThanBulkShare));
    bulk.content = text_of(5);
    assert_eq!(bulk.sends(), Some((Channel::Sms, 1)));
    bulk.content = text_of(11);
    assert_eq!(refused(&bulk), Some(ChannelDrop::LargerThanQuota));
}

#[test]
fn a_quota_of_the_project_speaks_for_all_routes() {
    let mut world = world(vec![gateway(QuotaFacts::UNLIMITED), platform()], 4);
    world.quota = quota(QuotaUnit::Segments, 3);
    assert_eq!(refused(&world), Some(ChannelDrop::LargerThanProjectQuota));
    world.quota = quota(QuotaUnit::Spend, 4 * PRICE - 1);
    assert_eq!(refused(&world), Some(ChannelDrop::LargerThanProjectQuota));
    world.quota = quota(QuotaUnit::Spend, 4 * PRICE);
    assert_eq!(world.sends(), Some((Channel::Sms, 1)));
}

#[test]
fn a_quota_that_is_used_up_or_nothing_is_waited_for() {
    let mut used = quota(QuotaUnit::Segments, 3);
    used.used.hour.settled.segments = 1;
    assert_eq!(world(vec![gateway(used)], 3).waits_for(), Some(1));
    // A quota of nothing closes the route until somebody raises it (R-QUOTA-2).
    let closed = quota(QuotaUnit::Messages, 0);
    assert_eq!(world(vec![gateway(closed)], 1).waits_for(), Some(1));
}

#[test]
fn a_price_that_falls_with_the_volume_is_too_dear_for_now_only() {
    let tiers = |amount| {
        let mut line = flat(PRICE);
        let amount = Micros(amount);
        line.tiers = Tiers::new([Tier { above: 1, amount }]);
        let class = Some(RouteClass::Gateway);
        let facts = up(route(1, Channel::Sms, class, vec![line]));
        RouteFacts {
            quota: quota(QuotaUnit::Spend, PRICE - 1),
            ..facts
        }
    };
    assert_eq!(world(vec![tiers(PRICE / 2)], 1).waits_for(), Some(1));
    let never = world(vec![tiers(2 * PRICE)], 1);
    assert_eq!(refused(&never), Some(ChannelDrop::LargerThanQuota));
}

#[test]
fn each_of_these_reasons_survives_its_stored_form() {
    let mut bulk = world(vec![gateway(quota(QuotaUnit::Segments, 4)), platform()], 3);
    bulk.class = TrafficClass::Bulk;
    let own = world(vec![gateway(quota(QuotaUnit::Segments, 2)), platform()], 3);
    let mut project = own.clone();
    project.quota = quota(QuotaUnit::Segments, 2);
    for (world, word) in [
        (bulk, "larger_than_bulk_share"),
        (own, "larger_than_quota"),
        (project, "larger_than_project_quota"),
    ] {
        let plan = world.plan();
        let stored = serde_json::to_string(plan.decision()).unwrap();
        assert!(stored.contains(word), "{stored}");
        let loaded: Decision = serde_json::from_str(&stored).unwrap();
        assert_eq!(&loaded, plan.decision());
    }
}
