//! R-HEALTH: a person's word over a route, and what the audit log tells of it and of the automatics.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::ids::RouteKey;
use domain::model::audit::{Actor, ActorKind, AuditAction, AuditEntry};
use domain::model::channel::Channel;
use domain::model::control::{ControlMode, RouteControl};
use domain::model::failure::FailureClass;
use domain::model::message::Status;
use domain::model::route::RouteCondition;
use domain::time::Millis;
use engine::request::{RouteStatus, SendRequest};
use parking_lot::Mutex;
use ports::store::audit::AuditFilter;
use ports::store::{Outcome, Queries};

use crate::world::{
    Act, PROJECT, SMS, SMS2, WHATSAPP, World, bulk_to, ids, sms, sms2, text_to, whatsapp,
};

fn app() -> Actor {
    Actor::new(ActorKind::Key, "app")
}

impl World {
    async fn says(&self, route: RouteKey, mode: ControlMode, until: Option<Millis>) {
        let control = RouteControl {
            mode,
            reason: "maintenance".into(),
            by: app(),
            since: self.now(),
            until: until.map(|it| self.now().plus(it)),
        };
        let engine = self.engine().on_behalf_of(app());
        let outcome = engine.control_route(PROJECT, route, control).await;
        assert!(matches!(outcome, Ok(Outcome::Done)), "{outcome:?}");
    }

    async fn lets_go(&self, route: RouteKey) -> Outcome {
        let engine = self.engine().on_behalf_of(app());
        engine.release_route(route, None).await.unwrap()
    }

    fn route(&self, route: RouteKey) -> RouteStatus {
        let id = format!("route{}", route.0);
        let mut all = self.engine().routes().into_iter();
        all.find(|it| *it.id == *id).unwrap()
    }

    /// The audit log, oldest first.
    async fn audit(&self) -> Vec<AuditEntry> {
        let filter = AuditFilter {
            project: PROJECT,
            subject: None,
            action: None,
            actor: None,
            before: None,
            limit: 1_000,
        };
        let records = self.disk.audit(filter).await.unwrap();
        records.into_iter().rev().map(|it| it.entry).collect()
    }

    async fn actions(&self) -> Vec<AuditAction> {
        self.audit().await.iter().map(|it| it.action).collect()
    }
}

fn by_sms(no: u32) -> SendRequest {
    SendRequest {
        explicit: Some(Channel::Sms),
        ..text_to(no, "hello")
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_drained_route_goes_elsewhere_and_what_is_in_hand_finishes() {
    let world = World::running([sms(), sms2()]).await;
    world.provider(SMS).set_window(2);
    let slow = Act::accept().answered_after(5_000).delivered_after(6_000);
    world.provider(SMS).does_in_turn([slow]);
    let mut sent = Vec::new();
    for no in 0..10 {
        sent.push(world.send(bulk_to(no, "hello")).await);
    }
    world.pass(Millis::new(100)).await;
    let in_hand = world.sent_by(SMS).len();
    assert!(in_hand > 0 && world.sent_by(SMS2).is_empty());
    world.says(SMS, ControlMode::Drain, None).await;
    world.pass(Millis::seconds(10)).await;
    assert_eq!(world.sent_by(SMS).len(), in_hand, "nothing new");
    assert_eq!(world.sent_by(SMS2).len(), 10 - in_hand);
    for id in sent {
        assert_eq!(world.status(id).await, Status::Delivered);
    }
    let status = world.route(SMS);
    assert_eq!(status.condition, RouteCondition::Drained);
    assert_eq!(
        status.reason.as_deref(),
        Some("drained by app: maintenance")
    );
}

#[tokio::test(start_paused = true)]
async fn the_last_route_gets_nothing_either_and_messages_wait_until_it_is_let_go() {
    for mode in [ControlMode::Drain, ControlMode::Disable] {
        let world = World::running([sms()]).await;
        world.says(SMS, mode, None).await;
        let ids: Vec<_> = [
            world.send(text_to(1, "hello")).await,
            world.send(bulk_to(2, "hello")).await,
        ]
        .into();
        world.pass(Millis::minutes(5)).await;
        assert!(world.log().is_empty(), "{mode:?}");
        for id in &ids {
            assert_eq!(world.status(*id).await, Status::Queued);
        }
        assert!(matches!(world.lets_go(SMS).await, Outcome::Done));
        world.pass(Millis::seconds(5)).await;
        for id in &ids {
            assert_eq!(world.status(*id).await, Status::Delivered);
        }
        assert!(matches!(world.lets_go(SMS).await, Outcome::Missing));
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_takes_another_channel_when_a_person_took_the_first_out() {
    let world = World::running([sms(), whatsapp()]).await;
    world.says(WHATSAPP, ControlMode::Disable, None).await;
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(5)).await;
    assert_eq!(world.channels(id).await, [Channel::Sms]);
}

#[tokio::test(start_paused = true)]
async fn a_pinned_route_is_up_whatever_its_statistics_say_and_a_lost_link_stays_lost() {
    let world = World::running([sms(), sms2()]).await;
    world.says(SMS, ControlMode::Pin, None).await;
    let mut acts = vec![Act::refuse(FailureClass::RouteFault); 20];
    acts.push(Act::accept().delivered_after(100));
    world.provider(SMS).does_in_turn(acts);
    for no in 0..30 {
        world.send(text_to(no, "hello")).await;
        world.pass(Millis::new(50)).await;
    }
    assert_eq!(world.sent_by(SMS).len(), 30, "each went there first");
    assert_eq!(world.route(SMS).condition, RouteCondition::Up);
    world.provider(SMS).link(false);
    assert_eq!(world.route(SMS).condition, RouteCondition::Down);
    let id = world.send(text_to(99, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    assert_eq!(world.journey(id)[0].0, SMS2);
}

#[tokio::test(start_paused = true)]
async fn a_pinned_route_that_keeps_failing_does_not_eject_the_others_from_being_last() {
    // While SMS2 is drained, SMS is the last: its statistics alone do not close it.
    let world = World::running([sms(), sms2()]).await;
    world.says(SMS2, ControlMode::Drain, None).await;
    let mut acts = vec![Act::refuse(FailureClass::RouteFault); 10];
    acts.push(Act::accept().delivered_after(100));
    world.provider(SMS).set_window(1);
    world.provider(SMS).does_in_turn(acts);
    for no in 0..12 {
        world.send(by_sms(no)).await;
    }
    world.pass(Millis::new(500)).await;
    assert_eq!(
        world.sent_by(SMS).len(),
        12,
        "all were tried without a pause"
    );
}

#[tokio::test(start_paused = true)]
async fn a_word_survives_a_restart_and_ends_at_its_time() {
    let mut world = World::running([sms()]).await;
    let hour = Some(Millis::hours(1));
    world.says(SMS, ControlMode::Drain, hour).await;
    world.restart().await;
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::minutes(59)).await;
    assert_eq!(world.route(SMS).condition, RouteCondition::Drained);
    assert_eq!(world.status(id).await, Status::Queued);
    world.pass(Millis::minutes(2)).await;
    assert_eq!(world.route(SMS).condition, RouteCondition::Up);
    assert_eq!(world.status(id).await, Status::Delivered);
    assert_eq!(world.disk.route_controls().await.unwrap(), []);
    let log = world.audit().await;
    let words = log
        .iter()
        .filter(|it| it.action == AuditAction::RouteControlled);
    let by: Vec<_> = words.map(|it| it.actor.clone()).collect();
    assert_eq!(by, [app(), Actor::system()]);
}

#[tokio::test(start_paused = true)]
async fn a_connector_learns_that_its_route_is_disabled_and_until_when_also_at_a_start() {
    let mut world = World::running([sms()]).await;
    let in_use = |world: &World| world.engine().source(SMS).unwrap().in_use();
    for (mode, used) in [
        (ControlMode::Pin, true),
        (ControlMode::Drain, true),
        (ControlMode::Disable, false),
    ] {
        let told = Arc::new(Mutex::new(None));
        let source = world.engine().source(SMS).unwrap();
        let (asked, heard) = (Arc::downgrade(&source), Arc::clone(&told));
        source.on_ready(Arc::new(move || {
            *heard.lock() = asked.upgrade().map(|it| it.in_use());
        }));
        world.says(SMS, mode, Some(Millis::hours(1))).await;
        assert_eq!(in_use(&world), used, "{mode:?}");
        assert_eq!(*told.lock(), Some(used), "{mode:?}: each change wakes");
    }
    world.crash();
    let dead = Arc::new(AtomicBool::new(false));
    let engine = world.engine_alone(&dead).await;
    assert!(
        !engine.source(SMS).unwrap().in_use(),
        "before there is a connector"
    );
    dead.store(true, Ordering::SeqCst);
    world.restart().await;
    assert!(!in_use(&world));
    world.pass(Millis::minutes(61)).await;
    assert!(in_use(&world));
}

#[tokio::test(start_paused = true)]
async fn receipts_and_answers_count_although_a_route_is_disabled() {
    let world = World::running([sms()]).await;
    let [first, second] = [
        world.send(text_to(1, "hello")).await,
        world.send(text_to(2, "hello")).await,
    ];
    world.pass(Millis::new(100)).await;
    assert_eq!(world.status(first).await, Status::Sent);
    world.says(SMS, ControlMode::Disable, None).await;
    world.pass(Millis::seconds(5)).await;
    for id in [first, second] {
        assert_eq!(world.status(id).await, Status::Delivered);
    }
}

#[tokio::test(start_paused = true)]
async fn decisions_say_who_took_a_route_out_and_why() {
    let world = World::running([sms(), sms2()]).await;
    world.says(SMS, ControlMode::Drain, None).await;
    let id = world.send(by_sms(1)).await;
    let decisions = world.disk.decisions(id).await.unwrap();
    let names = |key: RouteKey| format!("route{}", key.0);
    let words = domain::explain::explain(
        &decisions[0].decision,
        &names,
        domain::model::money::Currency::EUR,
    );
    assert!(
        words
            .iter()
            .any(|it| it.contains("not now: drained by app: maintenance")),
        "{words:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn every_change_of_a_route_stands_in_the_log_with_its_reason() {
    use AuditAction as A;
    let world = World::running([sms(), sms2()]).await;
    let start = world.audit().await.len();
    world.provider(SMS).set_window(1);
    let mut acts = vec![Act::refuse(FailureClass::RouteFault); 5];
    acts.push(Act::accept().delivered_after(100));
    world.provider(SMS).does_in_turn(acts);
    for no in 0..10 {
        world.send(text_to(no, "hello")).await;
        world.pass(Millis::seconds(2)).await;
    }
    world.provider(SMS).link(false);
    world.provider(SMS).link(true);
    world.says(SMS, ControlMode::Pin, None).await;
    let log = world.audit().await.split_off(start);
    let actions: Vec<_> = log.iter().map(|it| it.action).collect();
    assert_eq!(
        actions,
        [
            A::BreakerOpened,
            A::BreakerClosed,
            A::RouteDown,
            A::RouteUp,
            A::RouteControlled
        ]
    );
    assert!(log.iter().all(|it| &*it.subject == "route:route1"));
    assert_eq!(
        log[0].reason.as_deref(),
        Some("5 of 5 submissions in 30 s failed, the last 5 in a row")
    );
    assert!(log[2].reason.is_some());
    assert_eq!(log[4].reason.as_deref(), Some("maintenance"));
    let detail = [("mode".into(), "pin".into()), ("was".into(), "auto".into())];
    assert_eq!(log[4].detail, detail);
}

#[tokio::test(start_paused = true)]
async fn a_link_that_flaps_does_not_flood_the_log_and_none_of_it_is_lost() {
    let world = World::running([sms()]).await;
    world.pass(Millis::minutes(2)).await;
    let start = world.audit().await.len();
    for _ in 0..100 {
        world.provider(SMS).link(false);
        world.provider(SMS).link(true);
        world.pass(Millis::new(100)).await;
    }
    world.pass(Millis::minutes(3)).await;
    let log = world.audit().await.split_off(start);
    assert!(log.len() <= 8, "{} lines", log.len());
    assert_eq!(log.iter().map(|it| it.count).sum::<u32>(), 200);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_told_of_the_links_that_a_stop_ends() {
    let mut world = World::running([sms()]).await;
    let before = world.actions().await;
    world.stop(Millis::seconds(1)).await;
    assert_eq!(world.actions().await, before);
}

#[tokio::test(start_paused = true)]
async fn a_word_is_given_up_with_what_was_ready_in_order() {
    let world = World::running([sms(), sms2()]).await;
    world.provider(SMS).set_window(0);
    world.provider(SMS2).set_window(1);
    let mut sent = Vec::new();
    for no in 0..20 {
        sent.push(world.send(text_to(1, &format!("hello {no}"))).await);
    }
    world.pass(Millis::seconds(1)).await;
    world.says(SMS, ControlMode::Drain, None).await;
    world.pass(Millis::seconds(10)).await;
    assert_eq!(ids(&world.sent_by(SMS2)), sent);
}
