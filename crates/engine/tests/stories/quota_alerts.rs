//! R-ALERT, R-QUOTA-2: alerts of quotas say which quota, one for each, raised once and resolved once; a
//! quota of which no message fits any more is used up.

use domain::model::alert::{AlertKind, AlertQuota, Silence};
use domain::model::audit::{Actor, ActorKind};
use domain::model::event::EventKind;
use domain::model::quota::{Period, Quota, QuotaUnit, Quotas};
use domain::model::route::{Route, RouteClass};
use domain::rules::alert::AlertSettings;
use domain::time::Millis;
use jiff::tz::TimeZone;
use ports::store::alerts::{AlertStep, NewAlert};
use ports::store::{Epoch, Op, Store};

use crate::world::{PROJECT, SMS, World, bulk_to, long_text, sms, sms2, text_to};

/// What one message costs on the first route.
const PRICE: i64 = 50_000;

fn quota(per: Period, unit: QuotaUnit, limit: i64) -> Quota {
    Quota { per, unit, limit }
}

fn limited(quotas: impl IntoIterator<Item = Quota>) -> Route {
    Route {
        class: Some(RouteClass::Gateway),
        quotas: Quotas::new(quotas),
        ..sms()
    }
}

impl World {
    async fn sends(&self, from: u32, count: u32) {
        for no in from..from + count {
            self.send(text_to(no, "hello")).await;
        }
        self.pass(Millis::seconds(3)).await;
    }

    /// Kind and quota of what is raised, oldest first.
    async fn quotas_raised(&self) -> Vec<(AlertKind, Option<AlertQuota>)> {
        let alerts = self.alerts(true).await;
        let of = alerts.iter().rev().map(|it| (it.kind, it.quota));
        of.collect()
    }
}

#[tokio::test(start_paused = true)]
async fn each_quota_of_a_route_is_told_once_by_its_name_and_resolved_once() {
    let (spend, messages) = (
        quota(Period::Hour, QuotaUnit::Spend, 10 * PRICE),
        quota(Period::Day, QuotaUnit::Messages, 11),
    );
    let world = World::watched([limited([spend, messages]), sms2()]).await;
    world.sends(0, 8).await;
    let of = |quota: Quota, used| {
        Some(AlertQuota {
            per: quota.per,
            unit: quota.unit,
            limit: quota.limit,
            used,
        })
    };
    let first = (AlertKind::Quota80, of(spend, 8 * PRICE));
    assert_eq!(world.quotas_raised().await, [first]);
    world.sends(8, 1).await;
    let second = (AlertKind::Quota80, of(messages, 9));
    assert_eq!(world.quotas_raised().await, [first, second]);
    world.pass(Millis::minutes(30)).await;
    let words: Vec<_> = world.told().await.into_iter().map(|it| it.1).collect();
    assert_eq!(
        words,
        [
            "80 % of a quota of route route1 is used: 0.40 EUR of 0.50 EUR an hour",
            "81 % of a quota of route route1 is used: 9 of 11 messages a day",
        ]
    );
    // The hour turns, the day does not.
    world.pass(Millis::minutes(31)).await;
    assert_eq!(world.quotas_raised().await, [second]);
    world.pass(Millis::hours(24)).await;
    assert_eq!(world.quotas_raised().await, []);
    let [raised, resolved] = [EventKind::AlertRaised, EventKind::AlertResolved];
    assert_eq!(world.kinds().await, [raised, raised, resolved, resolved]);
}

#[tokio::test(start_paused = true)]
async fn a_quota_of_which_no_message_fits_any_more_is_used_up_whatever_is_left() {
    let spend = quota(Period::Hour, QuotaUnit::Spend, 3 * PRICE - 1);
    let world = World::watched([limited([spend]), sms2()]).await;
    world.sends(0, 1).await;
    assert_eq!(world.quotas_raised().await, []);
    // 66 % of it, and the last third is less than a message.
    world.sends(1, 1).await;
    let alerts = world.alerts(true).await;
    assert_eq!(alerts.len(), 1);
    assert_eq!(
        (alerts[0].kind, alerts[0].value),
        (AlertKind::Quota100, 100)
    );
    assert_eq!(alerts[0].quota.map(|it| it.percent()), Some(66));
    let words = "route route1 is out of quota: 0.10 EUR of 0.149999 EUR an hour (66 %)";
    assert_eq!(&*alerts[0].words, words);
    world.pass(Millis::hours(1)).await;
    assert_eq!(world.quotas_raised().await, []);
    let once = [EventKind::AlertRaised, EventKind::AlertResolved];
    assert_eq!(world.kinds().await, once);
}

#[tokio::test(start_paused = true)]
async fn what_a_message_needs_of_a_projects_quota_is_what_its_cheapest_route_charges() {
    let mut world = World::new([sms(), sms2()]);
    world.policy.quotas = Quotas::new([quota(Period::Hour, QuotaUnit::Spend, 3 * PRICE - 1)]);
    world.start().await;
    world.engine().watch_alerts(AlertSettings::default());
    world.sends(0, 1).await;
    assert_eq!(world.raised().await, []);
    world.sends(1, 1).await;
    let out = (AlertKind::Quota100, "project".to_owned());
    assert_eq!(world.raised().await, [out]);
    let words = "the project is out of quota: 0.10 EUR of 0.149999 EUR an hour (66 %)";
    assert_eq!(world.told().await[0].1, words);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_keeps_the_rest_for_direct_is_not_out() {
    let world = World::watched([limited([quota(Period::Hour, QuotaUnit::Messages, 10)])]).await;
    for no in 0..8 {
        world.send(bulk_to(no, "sale")).await;
    }
    world.pass(Millis::minutes(1)).await;
    assert_eq!(world.sent_by(SMS).len(), 5);
    assert_eq!(world.raised().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_too_long_for_what_is_left_does_not_make_the_quota_used_up() {
    let world = World::watched([
        limited([quota(Period::Hour, QuotaUnit::Segments, 10)]),
        sms2(),
    ])
    .await;
    world.sends(0, 7).await;
    for no in 0..20 {
        world.send(text_to(no, &long_text(5))).await;
        world.pass(Millis::new(333)).await;
    }
    assert_eq!(world.kinds().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_restart_repeats_no_alert_of_several_quotas_and_a_removed_route_ends_them_all() {
    let (hour, day) = (
        quota(Period::Hour, QuotaUnit::Messages, 10),
        quota(Period::Day, QuotaUnit::Messages, 10),
    );
    let mut world = World::watched([limited([hour, day]), sms2()]).await;
    world.sends(0, 10).await;
    let raised = world.quotas_raised().await;
    assert_eq!(raised.len(), 4, "{raised:?}");
    world.restart().await;
    world.engine().watch_alerts(AlertSettings::default());
    world.pass(Millis::minutes(5)).await;
    assert_eq!(world.quotas_raised().await, raised);
    assert_eq!(world.kinds().await, [EventKind::AlertRaised; 4]);
    world.crash();
    world.remove(SMS);
    world.start().await;
    world.engine().watch_alerts(AlertSettings::default());
    world.pass(Millis::minutes(5)).await;
    assert_eq!(world.quotas_raised().await, []);
    assert_eq!(world.kinds().await[4..], [EventKind::AlertResolved; 4]);
}

#[tokio::test(start_paused = true)]
async fn an_alert_from_before_quotas_were_told_apart_gives_way_to_the_one_that_names_its_quota() {
    let world = World::running([
        limited([quota(Period::Hour, QuotaUnit::Messages, 10)]),
        sms2(),
    ])
    .await;
    let old = NewAlert {
        project: PROJECT,
        kind: AlertKind::Quota80,
        subject: "route:route1".into(),
        quota: None,
        value: 80,
        words: "80 % of a quota of route route1 is used".into(),
        silenced: false,
        at: world.now(),
    };
    let step = AlertStep::Raise {
        alert: Box::new(old),
        epoch: Epoch(i64::MAX),
    };
    world
        .disk
        .commit(Op::Alert(Box::new(step)), Box::new(|_| ()));
    world.sends(0, 8).await;
    world.engine().watch_alerts(AlertSettings::default());
    world.pass(Millis::minutes(1)).await;
    let raised = world.quotas_raised().await;
    assert_eq!(raised.len(), 1);
    assert!(raised[0].1.is_some());
    let mut kinds = world.kinds().await;
    kinds.sort();
    let want = [
        EventKind::AlertRaised,
        EventKind::AlertRaised,
        EventKind::AlertResolved,
    ];
    assert_eq!(kinds, want);
}

#[tokio::test(start_paused = true)]
async fn a_silence_of_a_route_is_of_all_its_quotas() {
    let (hour, day) = (
        quota(Period::Hour, QuotaUnit::Messages, 10),
        quota(Period::Day, QuotaUnit::Messages, 10),
    );
    let world = World::watched([limited([hour, day]), sms2()]).await;
    let silence = Silence {
        no: 7,
        project: PROJECT,
        kind: Some(AlertKind::Quota80),
        subject: Some("route:route1".into()),
        until: world.now().plus(Millis::minutes(10)),
        reason: "known".into(),
        by: Actor::new(ActorKind::User, "ann"),
        created_at: world.now(),
    };
    let op = Op::Alert(Box::new(AlertStep::Silence(silence)));
    world.engine().apply(op).await.unwrap();
    world.sends(0, 8).await;
    assert_eq!(world.quotas_raised().await.len(), 2);
    assert_eq!(world.kinds().await, []);
    world.pass(Millis::minutes(11)).await;
    assert_eq!(world.kinds().await, [EventKind::AlertRaised; 2]);
}

#[tokio::test(start_paused = true)]
async fn the_alert_of_a_day_is_resolved_at_midnight_of_the_projects_zone() {
    // The world begins at 08:00 UTC, which is 16:00 in Shanghai.
    let mut world = World::new([
        limited([quota(Period::Day, QuotaUnit::Messages, 10)]),
        sms2(),
    ]);
    world.policy.timezone = TimeZone::get("Asia/Shanghai").unwrap();
    world.start().await;
    world.engine().watch_alerts(AlertSettings::default());
    world.sends(0, 10).await;
    assert_eq!(world.quotas_raised().await.len(), 2);
    world.pass(Millis::minutes(8 * 60 - 1)).await;
    assert_eq!(world.quotas_raised().await.len(), 2);
    world.pass(Millis::minutes(2)).await;
    assert_eq!(world.quotas_raised().await, []);
}
