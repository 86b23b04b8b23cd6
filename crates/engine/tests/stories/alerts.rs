//! R-ALERT, R-QUOTA-3: raised once, resolved once, told by events and by e-mail, across restarts.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use domain::model::alert::{Alert, AlertKind, Silence};
use domain::model::audit::{Actor, ActorKind};
use domain::model::event::{EventDetail, EventKind, EventKinds, EventSeq};
use domain::model::failure::FailureClass;
use domain::model::quota::{Period, Quota, QuotaUnit, Quotas};
use domain::model::route::{Route, RouteClass};
use domain::rules::alert::{AlertSettings, Threshold};
use domain::time::Millis;
use parking_lot::Mutex;
use ports::mail::{Mailer, Notice};
use ports::store::alerts::{AlertFilter, AlertStep};
use ports::store::events::EventFilter;
use ports::store::{Op, Queries};

use crate::world::{Act, PROJECT, SMS, SMS2, World, bulk_to, sms, sms2, text_to};

/// Keeps what it is given; refuses while it is told to.
#[derive(Default)]
struct Postbox {
    letters: Mutex<Vec<String>>,
    refuses: Mutex<u32>,
}

impl Mailer for Postbox {
    fn send(
        &self,
        notice: Notice,
    ) -> Pin<Box<dyn Future<Output = Result<(), Box<str>>> + Send + '_>> {
        let mut refuses = self.refuses.lock();
        let result = if *refuses > 0 {
            *refuses -= 1;
            Err("421 not now".into())
        } else {
            self.letters.lock().push(notice.subject);
            Ok(())
        };
        Box::pin(std::future::ready(result))
    }
}

impl World {
    pub(crate) async fn watched(routes: impl IntoIterator<Item = Route>) -> Self {
        let world = Self::running(routes).await;
        world.engine().watch_alerts(AlertSettings::default());
        world
    }

    pub(crate) async fn alerts(&self, raised: bool) -> Vec<Alert> {
        let filter = AlertFilter {
            project: Some(PROJECT),
            raised: Some(raised),
            before: None,
            limit: 100,
        };
        self.disk.alerts(filter).await.unwrap()
    }

    pub(crate) async fn raised(&self) -> Vec<(AlertKind, String)> {
        let alerts = self.alerts(true).await;
        let mut alerts: Vec<_> = alerts
            .iter()
            .map(|it| (it.kind, it.subject.to_string()))
            .collect();
        alerts.sort();
        alerts
    }

    /// What was told of alerts, in order.
    pub(crate) async fn told(&self) -> Vec<(EventKind, String)> {
        let filter = EventFilter {
            project: PROJECT,
            sender: None,
            kinds: EventKinds::default()
                .with(EventKind::AlertRaised)
                .with(EventKind::AlertResolved),
            steps_in: None,
            after: EventSeq(0),
            limit: 1_000,
            look_at: EventFilter::LOOK_AT,
        };
        let page = self.disk.events(filter).await.unwrap();
        let events = page.events.into_iter().map(|it| it.event);
        events
            .map(|it| match it.detail {
                Some(EventDetail::Alert(news)) => (it.kind, news.words.to_string()),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    pub(crate) async fn kinds(&self) -> Vec<EventKind> {
        self.told().await.into_iter().map(|it| it.0).collect()
    }
}

fn route_down() -> (AlertKind, String) {
    (AlertKind::RouteDown, "route:route1".to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_route_that_stays_down_is_told_once_and_its_return_once() {
    let world = World::watched([sms(), sms2()]).await;
    world.provider(SMS).link(false);
    world.pass(Millis::seconds(25)).await;
    assert_eq!(world.raised().await, [], "it may be back at once");
    world.pass(Millis::minutes(10)).await;
    assert_eq!(world.raised().await, [route_down()]);
    world.provider(SMS).link(true);
    world.pass(Millis::seconds(50)).await;
    assert_eq!(world.raised().await, [route_down()], "is it steady?");
    world.pass(Millis::minutes(10)).await;
    assert_eq!(world.raised().await, []);
    let told = world.told().await;
    assert_eq!(
        world.kinds().await,
        [EventKind::AlertRaised, EventKind::AlertResolved]
    );
    assert!(told[0].1.starts_with("route route1 is down: "), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_route_that_comes_and_goes_is_not_told() {
    let world = World::watched([sms()]).await;
    for _ in 0..20 {
        world.provider(SMS).link(false);
        world.pass(Millis::seconds(20)).await;
        world.provider(SMS).link(true);
        world.pass(Millis::seconds(20)).await;
    }
    assert_eq!(world.told().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_restart_neither_repeats_nor_loses_an_alert() {
    let mut world = World::watched([sms()]).await;
    world.provider(SMS).link(false);
    world.pass(Millis::minutes(2)).await;
    world.restart().await;
    world.provider(SMS).link(false);
    world.engine().watch_alerts(AlertSettings::default());
    world.pass(Millis::minutes(5)).await;
    assert_eq!(world.raised().await, [route_down()]);
    world.restart().await;
    world.provider(SMS).link(true);
    world.engine().watch_alerts(AlertSettings::default());
    world.pass(Millis::minutes(5)).await;
    assert_eq!(world.raised().await, []);
    let once = [EventKind::AlertRaised, EventKind::AlertResolved];
    assert_eq!(world.kinds().await, once);
}

#[tokio::test(start_paused = true)]
async fn a_failure_rate_is_told_by_route_channel_and_country() {
    let world = World::watched([sms()]).await;
    world
        .provider(SMS)
        .does_in_turn([Act::accept().fails_after(100, FailureClass::Undeliverable)]);
    for no in 0..19 {
        world.send(text_to(no, "hello")).await;
    }
    world.pass(Millis::minutes(2)).await;
    assert_eq!(world.raised().await, [], "too few to tell");
    for no in 0..30 {
        world.send(text_to(no, "hello")).await;
    }
    world.pass(Millis::minutes(2)).await;
    let raised = world.raised().await;
    for subject in ["channel:sms", "route:route1"] {
        let key = (AlertKind::FailureRate, subject.to_owned());
        assert!(raised.contains(&key), "{raised:?}");
    }
    // Without traffic there is no rate.
    world.pass(Millis::minutes(15)).await;
    assert_eq!(world.raised().await, []);
}

#[tokio::test(start_paused = true)]
async fn what_a_route_refuses_and_another_delivers_fails_on_that_route_alone() {
    let world = World::watched([sms(), sms2()]).await;
    world
        .provider(SMS)
        .does(|_| Act::refuse(FailureClass::SenderFault));
    for no in 0..60 {
        world.send(text_to(no, "hello")).await;
    }
    world.pass(Millis::minutes(2)).await;
    assert_eq!(world.sent_by(SMS2).len(), 60);
    let failing: Vec<_> = world.raised().await;
    let want = (AlertKind::FailureRate, "route:route1".to_owned());
    assert_eq!(failing, [want]);
}

#[tokio::test(start_paused = true)]
async fn a_route_with_less_money_left_than_a_message_costs_is_out() {
    let spend = |limit| {
        Quotas::new([Quota {
            per: Period::Day,
            unit: QuotaUnit::Spend,
            limit,
        }])
    };
    let gateway = Route {
        class: Some(RouteClass::Gateway),
        quotas: spend(2 * sms().prices[0].amount.0 + 1),
        ..sms()
    };
    let world = World::watched([gateway]).await;
    for no in 0..3 {
        world.send(text_to(no, "hello")).await;
    }
    world.pass(Millis::minutes(1)).await;
    assert_eq!(world.sent_by(SMS).len(), 2);
    let raised = world.raised().await;
    let kinds: Vec<_> = raised.iter().map(|it| it.0).collect();
    assert!(kinds.contains(&AlertKind::AllRoutesOut), "{raised:?}");
}

/// Resolves at once what is not seen any more.
fn hasty() -> AlertSettings {
    let usual = AlertSettings::default();
    let threshold = Threshold {
        resolve_after: Millis::seconds(5),
        ..usual.of(AlertKind::FailureRate)
    };
    usual.with(AlertKind::FailureRate, threshold)
}

#[tokio::test(start_paused = true)]
async fn a_restart_in_mid_alert_neither_resolves_a_failure_rate_nor_tells_it_again() {
    let mut world = World::running([sms()]).await;
    world.engine().watch_alerts(hasty());
    world
        .provider(SMS)
        .does_in_turn([Act::accept().fails_after(100, FailureClass::Undeliverable)]);
    for no in 0..30 {
        world.send(text_to(no, "hello")).await;
    }
    world.pass(Millis::minutes(2)).await;
    let raised = world.raised().await;
    let count = raised.len();
    assert!(raised.contains(&(AlertKind::FailureRate, "route:route1".to_owned())));
    for ends_well in [false, true] {
        if ends_well {
            world.stop(Millis::seconds(1)).await;
        } else {
            world.crash();
        }
        world.start().await;
        world.engine().watch_alerts(hasty());
        world.pass(Millis::minutes(1)).await;
        assert_eq!(world.raised().await, raised, "nothing has changed");
    }
    // The failures have left the window.
    world.pass(Millis::minutes(2)).await;
    assert_eq!(world.raised().await, []);
    world.pass(Millis::minutes(10)).await;
    let [raised, resolved] = [EventKind::AlertRaised, EventKind::AlertResolved];
    let once = [vec![raised; count], vec![resolved; count]].concat();
    assert_eq!(world.kinds().await, once);
}

#[tokio::test(start_paused = true)]
async fn a_failure_rate_that_rose_before_a_restart_is_not_lost_by_it() {
    let mut world = World::watched([sms()]).await;
    world
        .provider(SMS)
        .does_in_turn([Act::accept().fails_after(100, FailureClass::Undeliverable)]);
    for no in 0..30 {
        world.send(text_to(no, "hello")).await;
    }
    world.pass(Millis::seconds(20)).await;
    assert_eq!(world.raised().await, [], "not for long enough yet");
    world.restart().await;
    world.engine().watch_alerts(AlertSettings::default());
    world.pass(Millis::minutes(2)).await;
    let key = (AlertKind::FailureRate, "route:route1".to_owned());
    assert!(world.raised().await.contains(&key));
}

#[tokio::test(start_paused = true)]
async fn bulk_that_waits_for_hours_is_told_apart_from_direct() {
    let world = World::watched([sms()]).await;
    world.provider(SMS).link(false);
    world.send(bulk_to(1, "hello")).await;
    world.pass(Millis::hours(5)).await;
    assert_eq!(world.raised().await, [route_down()], "bulk may wait");
    world.pass(Millis::hours(2)).await;
    let late = (AlertKind::BulkBacklogAge, "route:route1".to_owned());
    assert_eq!(world.raised().await, [route_down(), late]);
    let told = world.told().await;
    let words = "the oldest bulk message that waits for route route1 is 6 h";
    assert!(told[1].1.starts_with(words), "{told:?}");
    world.provider(SMS).link(true);
    world.pass(Millis::minutes(5)).await;
    assert_eq!(world.raised().await, []);
}

#[tokio::test(start_paused = true)]
async fn an_alert_of_a_route_that_is_configured_no_more_is_resolved_once() {
    let mut world = World::watched([sms(), sms2()]).await;
    world.provider(SMS).link(false);
    world.pass(Millis::minutes(2)).await;
    assert_eq!(world.raised().await, [route_down()]);
    world.crash();
    world.remove(SMS);
    world.start().await;
    world.engine().watch_alerts(AlertSettings::default());
    world.pass(Millis::minutes(10)).await;
    assert_eq!(world.raised().await, []);
    let once = [EventKind::AlertRaised, EventKind::AlertResolved];
    assert_eq!(world.kinds().await, once);
}

#[tokio::test(start_paused = true)]
async fn a_backlog_that_grows_old_and_a_phone_that_is_away_are_told() {
    let phone = Route {
        class: Some(RouteClass::Phone),
        ..sms()
    };
    let world = World::watched([phone]).await;
    world.provider(SMS).link(false);
    world.pass(Millis::minutes(10)).await;
    assert_eq!(world.raised().await, [], "nothing waits for it");
    world.send(text_to(1, "hello")).await;
    world.pass(Millis::minutes(2)).await;
    let offline = (AlertKind::PhoneOffline, "route:route1".to_owned());
    let waits = (AlertKind::AllRoutesOut, "channel:sms".to_owned());
    let raised = world.raised().await;
    assert_eq!(raised, [offline, waits], "people are offered it too");
    world.pass(Millis::minutes(5)).await;
    let late = (AlertKind::BacklogAge, "route:route1".to_owned());
    assert!(world.raised().await.contains(&late));
    world.provider(SMS).link(true);
    world.pass(Millis::minutes(5)).await;
    assert_eq!(world.raised().await, []);
}

#[tokio::test(start_paused = true)]
async fn phones_that_are_there_and_may_send_no_more_are_not_offline() {
    for because in [ports::phones::ALL_AT_LIMIT, ports::phones::ALL_REST] {
        let phone = Route {
            class: Some(RouteClass::Phone),
            ..sms()
        };
        let world = World::watched([phone]).await;
        let down = ports::connector::LinkState::Down(because.into());
        world.provider(SMS).link_is(down);
        world.send(text_to(1, "hello")).await;
        world.pass(Millis::minutes(7)).await;
        let late = (AlertKind::BacklogAge, "route:route1".to_owned());
        let waits = (AlertKind::AllRoutesOut, "channel:sms".to_owned());
        assert_eq!(world.raised().await, [late, waits], "{because}");
    }
}

#[tokio::test(start_paused = true)]
async fn receipts_that_stay_away_are_told_and_one_receipt_resolves_it_also_after_a_restart() {
    let mut world = World::watched([sms()]).await;
    world.provider(SMS).does_in_turn([Act::accept()]);
    for no in 0..25 {
        world.send(text_to(no, "hello")).await;
    }
    world.pass(Millis::minutes(29)).await;
    assert_eq!(world.raised().await, []);
    world.pass(Millis::minutes(3)).await;
    let missing = (AlertKind::ReceiptsMissing, "route:route1".to_owned());
    assert_eq!(world.raised().await, std::slice::from_ref(&missing));
    world.restart().await;
    world.engine().watch_alerts(AlertSettings::default());
    world.pass(Millis::minutes(1)).await;
    assert_eq!(world.raised().await, [missing], "nothing has changed");
    world
        .provider(SMS)
        .does_in_turn([Act::accept().delivered_after(100)]);
    world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(10)).await;
    assert_eq!(world.raised().await, []);
    let once = [EventKind::AlertRaised, EventKind::AlertResolved];
    assert_eq!(world.kinds().await, once);
}

fn silence(world: &World, kind: AlertKind, span: Millis) -> Op {
    let silence = Silence {
        no: 7,
        project: PROJECT,
        kind: Some(kind),
        subject: None,
        until: world.now().plus(span),
        reason: "known".into(),
        by: Actor::new(ActorKind::User, "ann"),
        created_at: world.now(),
    };
    Op::Alert(Box::new(AlertStep::Silence(silence)))
}

#[tokio::test(start_paused = true)]
async fn a_silenced_alert_is_told_when_the_silence_ends_and_it_is_still_there() {
    for is_back in [true, false] {
        let world = World::watched([sms(), sms2()]).await;
        let op = silence(&world, AlertKind::RouteDown, Millis::minutes(10));
        world.engine().apply(op).await.unwrap();
        world.provider(SMS).link(false);
        world.pass(Millis::minutes(5)).await;
        assert_eq!(world.raised().await, [route_down()]);
        assert_eq!(world.told().await, []);
        world.provider(SMS).link(is_back);
        world.pass(Millis::minutes(10)).await;
        let told = world.kinds().await;
        let want: &[EventKind] = if is_back {
            &[]
        } else {
            &[EventKind::AlertRaised]
        };
        assert_eq!(told, want, "back: {is_back}");
    }
}

#[tokio::test(start_paused = true)]
async fn alerts_are_mailed_once_each_also_when_the_server_is_slow_to_take_them() {
    let mut world = World::watched([sms(), sms2()]).await;
    let postbox = Arc::<Postbox>::default();
    *postbox.refuses.lock() = 2;
    world.engine().mail_alerts(Arc::<Postbox>::clone(&postbox));
    world.pass(Millis::seconds(6)).await;
    world.provider(SMS).link(false);
    world.pass(Millis::minutes(1)).await;
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(5)).await;
    assert_eq!(
        world.journey(id)[0].0,
        SMS2,
        "no message waits for a letter"
    );
    world.pass(Millis::minutes(5)).await;
    assert_eq!(postbox.letters.lock().len(), 1);
    world.restart().await;
    world.engine().watch_alerts(AlertSettings::default());
    world.engine().mail_alerts(Arc::<Postbox>::clone(&postbox));
    world.pass(Millis::minutes(5)).await;
    let letters = postbox.letters.lock().clone();
    assert_eq!(letters.len(), 2, "{letters:?}");
    assert!(letters[0].starts_with("[Tandem Main] raised: route route1 is down"));
    assert!(letters[1].starts_with("[Tandem Main] resolved: route route1 is down"));
}

#[tokio::test(start_paused = true)]
async fn a_quota_is_told_at_80_and_at_100_percent_and_its_turn_resolves_both() {
    let quotas = Quotas::new([Quota {
        per: Period::Hour,
        unit: QuotaUnit::Messages,
        limit: 10,
    }]);
    let world = World::watched([Route { quotas, ..sms() }, sms2()]).await;
    for no in 0..7 {
        world.send(text_to(no, "hello")).await;
    }
    world.pass(Millis::seconds(10)).await;
    assert_eq!(world.raised().await, []);
    world.send(text_to(7, "hello")).await;
    world.pass(Millis::seconds(3)).await;
    let of_route = |kind| (kind, "route:route1".to_owned());
    assert_eq!(world.raised().await, [of_route(AlertKind::Quota80)]);
    for no in 8..12 {
        world.send(text_to(no, "hello")).await;
    }
    world.pass(Millis::seconds(3)).await;
    let both = [AlertKind::Quota80, AlertKind::Quota100].map(of_route);
    assert_eq!(world.raised().await, both);
    world.pass(Millis::hours(1)).await;
    assert_eq!(world.raised().await, []);
    let raised = world.kinds().await;
    let count = raised.iter().filter(|it| **it == EventKind::AlertRaised);
    assert_eq!((count.count(), raised.len()), (2, 4), "{raised:?}");
}
