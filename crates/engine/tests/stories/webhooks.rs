//! R-MON-1, R-MON-2: events reach a sender's webhook in their order, again after failures, and
//! without regard to how others fare.

use domain::ids::SenderKey;
use domain::model::channel::Channel;
use domain::model::event::{EventKind, EventKinds, EventSeq};
use domain::model::webhook::WebhookSecret;
use domain::rules::alert::AlertSettings;
use domain::time::Millis;
use ports::conformance::store::kit::{ask, phone, receive, written};
use ports::store::alerts::AlertFilter;
use ports::store::messages::InboundMessage;
use ports::store::webhooks::{Replay, WebhookChange, WebhookSetting, WebhookStanding};
use ports::store::{Outcome, Queries, Store};

use crate::world::courier::{Act, Outdoors};
use crate::world::{PROJECT, SENDER, World, sms, text_to};

const URL: &str = "https://one.example/hook";
const OTHER: &str = "https://two.example/hook";
const OTHER_SENDER: SenderKey = SenderKey(2);
const MINUTE: i64 = 60_000;

struct Stage {
    world: World,
    outdoors: Outdoors,
    told: u32,
}

impl Stage {
    async fn new() -> Self {
        Self::with(World::running([sms()]).await)
    }

    /// Where each commit takes a while, as on a disk.
    async fn on_a_disk() -> Self {
        let mut world = World::new([sms()]);
        world.commit_takes = Some(Millis::new(5));
        world.start().await;
        Self::with(world)
    }

    fn with(world: World) -> Self {
        let outdoors = Outdoors::new(world.clock());
        world.engine().publish(outdoors.publishing());
        Self {
            world,
            outdoors,
            told: 0,
        }
    }

    async fn change(&self, sender: SenderKey, setting: WebhookSetting) -> Outcome {
        let change = WebhookChange {
            project: PROJECT,
            sender,
            at: self.world.now(),
            setting,
        };
        self.world.engine().change_webhook(change).await.unwrap()
    }

    /// Wants inbound messages there.
    async fn subscribe(&self, sender: SenderKey, url: &str) {
        let inbound = EventKinds::default().with(EventKind::Inbound);
        self.set(sender, Some(url), Some(inbound), None).await;
    }

    async fn set(
        &self,
        sender: SenderKey,
        url: Option<&str>,
        events: Option<EventKinds>,
        active: Option<bool>,
    ) {
        let setting = WebhookSetting::Set {
            url: url.map(Into::into),
            events,
            active,
            signature: None,
            secret: WebhookSecret::new("whsec_1"),
        };
        let outcome = self.change(sender, setting).await;
        assert!(matches!(outcome, Outcome::Webhook(_)), "{outcome:?}");
    }

    /// People write; returns the places of their messages' events.
    fn write(&mut self, sender: SenderKey, count: usize) -> Vec<i64> {
        for _ in 0..count {
            self.told += 1;
            let id = self.told.to_string();
            let inbound = written(phone(1), Channel::Sms, &id, self.world.now());
            receive(&*self.world.disk, InboundMessage { sender, ..inbound });
        }
        let newest = self.newest();
        (newest - i64::try_from(count).unwrap() + 1..=newest).collect()
    }

    fn newest(&self) -> i64 {
        ask(self.world.disk.newest_event()).0
    }

    async fn pass(&self, span: Millis) {
        self.world.pass(span).await;
    }

    async fn standing(&self) -> WebhookStanding {
        let standing = self.world.disk.webhook_standing(SENDER).await;
        standing.unwrap().unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn every_step_of_a_message_arrives_in_order_within_a_second() {
    let stage = Stage::new().await;
    stage.set(SENDER, Some(URL), None, None).await;
    stage.world.send(text_to(1, "hello")).await;
    stage.pass(Millis::seconds(1)).await;
    let events = stage.outdoors.events_at(URL);
    assert!(events.len() >= 2, "{events:?}");
    assert!(events.is_sorted(), "{events:?}");
    let standing = stage.standing().await;
    assert_eq!(standing.backlog, 0);
    assert_eq!(
        standing.webhook.cursor.0,
        *events.last().unwrap(),
        "all is kept"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_not_wanted_is_not_sent() {
    let mut stage = Stage::new().await;
    stage.subscribe(SENDER, URL).await;
    stage.world.send(text_to(1, "hello")).await;
    let wanted = stage.write(SENDER, 2);
    stage.write(OTHER_SENDER, 2);
    stage.pass(Millis::seconds(1)).await;
    assert_eq!(stage.outdoors.events_at(URL), wanted);
}

#[tokio::test(start_paused = true)]
async fn retries_come_after_the_documented_waits_and_then_the_event_is_given_up() {
    let mut stage = Stage::new().await;
    stage.subscribe(SENDER, URL).await;
    stage.outdoors.always(URL, Act::Answers(500));
    let events = stage.write(SENDER, 2);
    stage.pass(Millis::hours(10)).await;
    let arrived = stage.outdoors.at(URL);
    let first = arrived[0].at;
    let journey: Vec<_> = arrived
        .iter()
        .map(|it| (it.event, (it.at - first) / MINUTE))
        .collect();
    let (head, next) = (events[0], events[1]);
    assert_eq!(
        journey,
        [
            (head, 0),
            (head, 1),
            (head, 6),
            (head, 21),
            (head, 81),
            (head, 321),
            (next, 561)
        ]
    );
    let ids: std::collections::BTreeSet<_> = arrived[..6].iter().map(|it| &it.id).collect();
    assert_eq!(ids.len(), 1, "retries keep the id");
    let standing = stage.standing().await;
    assert_eq!((standing.dead, standing.backlog), (1, 1));
    assert_eq!(
        standing.webhook.last_error.as_deref(),
        Some("it answered 500")
    );
    let dead = stage
        .world
        .disk
        .dead_letters(SENDER, None, 9)
        .await
        .unwrap();
    assert_eq!(dead[0].record.seq, EventSeq(head));
}

#[tokio::test(start_paused = true)]
async fn later_events_wait_behind_one_that_failed() {
    let mut stage = Stage::new().await;
    stage.subscribe(SENDER, URL).await;
    let failures = [Act::Answers(302), Act::IsAway, Act::Hangs];
    stage.outdoors.next(URL, failures);
    let events = stage.write(SENDER, 3);
    stage.pass(Millis::minutes(30)).await;
    let head = events[0];
    let want = [vec![head; 3], events.clone()].concat();
    assert_eq!(stage.outdoors.events_at(URL), want);
    let arrived = stage.outdoors.at(URL);
    // The one that hung was waited for, for half a minute.
    assert_eq!((arrived[3].at - arrived[2].at) / 1_000, 15 * 60 + 30);
    assert_eq!(stage.standing().await.webhook.failures, 0);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_fails_again_and_again_is_an_alert_until_it_takes_something() {
    let mut stage = Stage::new().await;
    let engine = stage.world.engine();
    engine.watch_alerts(AlertSettings::default());
    stage.subscribe(SENDER, URL).await;
    stage.outdoors.next(URL, [Act::Answers(500); 3]);
    stage.write(SENDER, 1);
    let raised = |stage: &Stage| {
        let filter = AlertFilter {
            project: Some(PROJECT),
            raised: Some(true),
            before: None,
            limit: 9,
        };
        let alerts = ask(stage.world.disk.alerts(filter));
        let words = alerts.iter().map(|it| it.words.to_string());
        words.collect::<Vec<_>>()
    };
    stage.pass(Millis::minutes(2)).await;
    assert_eq!(raised(&stage), [""; 0], "two failures");
    stage.pass(Millis::minutes(10)).await;
    let words = "the webhook of sender support failed 3 times in a row: it answered 500";
    assert_eq!(raised(&stage), [words]);
    stage.pass(Millis::minutes(15)).await;
    assert_eq!(raised(&stage), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_hangs_does_not_slow_another() {
    let mut stage = Stage::new().await;
    stage.subscribe(SENDER, URL).await;
    stage.subscribe(OTHER_SENDER, OTHER).await;
    stage.outdoors.always(URL, Act::Hangs);
    stage.write(SENDER, 5);
    let others = stage.write(OTHER_SENDER, 50);
    stage.pass(Millis::seconds(1)).await;
    assert_eq!(stage.outdoors.events_at(URL).len(), 1);
    assert_eq!(stage.outdoors.events_at(OTHER), others);
}

#[tokio::test(start_paused = true)]
async fn one_delivery_at_a_time_is_under_way() {
    let mut stage = Stage::new().await;
    stage.subscribe(SENDER, URL).await;
    stage.outdoors.always(URL, Act::Takes(Millis::seconds(2)));
    stage.write(SENDER, 4);
    stage.pass(Millis::seconds(20)).await;
    let times: Vec<_> = stage.outdoors.at(URL).iter().map(|it| it.at).collect();
    assert_eq!(times.len(), 4);
    assert!(
        times.windows(2).all(|it| it[1] - it[0] == 2_000),
        "{times:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_restart_goes_on_where_the_queue_was_and_keeps_to_the_rest() {
    let mut stage = Stage::new().await;
    stage.subscribe(SENDER, URL).await;
    let first = stage.write(SENDER, 1);
    stage.pass(Millis::seconds(1)).await;
    stage
        .outdoors
        .next(URL, [Act::Answers(503), Act::Answers(503)]);
    let second = stage.write(SENDER, 1);
    stage.pass(Millis::minutes(2)).await;
    stage.world.restart().await;
    stage.world.engine().publish(stage.outdoors.publishing());
    stage.pass(Millis::minutes(3)).await;
    assert_eq!(stage.outdoors.at(URL).len(), 3, "the rest is kept to");
    stage.pass(Millis::minutes(3)).await;
    let want = [first[0], second[0], second[0], second[0]];
    assert_eq!(stage.outdoors.events_at(URL), want);
}

#[tokio::test(start_paused = true)]
async fn a_changed_endpoint_is_tried_at_once() {
    let mut stage = Stage::new().await;
    stage.subscribe(SENDER, URL).await;
    stage.outdoors.always(URL, Act::Answers(404));
    let events = stage.write(SENDER, 2);
    stage.pass(Millis::minutes(10)).await;
    stage.set(SENDER, Some(OTHER), None, None).await;
    stage.pass(Millis::seconds(1)).await;
    assert_eq!(stage.outdoors.events_at(OTHER), events);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_rests_gets_nothing_and_later_only_what_is_new() {
    let mut stage = Stage::new().await;
    stage.subscribe(SENDER, URL).await;
    stage.set(SENDER, None, None, Some(false)).await;
    stage.write(SENDER, 2);
    stage.pass(Millis::minutes(5)).await;
    assert!(stage.outdoors.events_at(URL).is_empty());
    stage.set(SENDER, None, None, Some(true)).await;
    let new = stage.write(SENDER, 1);
    stage.pass(Millis::seconds(1)).await;
    assert_eq!(stage.outdoors.events_at(URL), new);
    stage.change(SENDER, WebhookSetting::Clear).await;
    stage.write(SENDER, 1);
    stage.pass(Millis::minutes(5)).await;
    assert_eq!(stage.outdoors.events_at(URL), new);
}

#[tokio::test(start_paused = true)]
async fn a_replay_brings_the_same_ids_again_and_the_queue_goes_on() {
    let mut stage = Stage::new().await;
    stage.subscribe(SENDER, URL).await;
    let old = stage.write(SENDER, 3);
    stage.pass(Millis::seconds(1)).await;
    let ids: Vec<_> = stage.outdoors.at(URL).into_iter().map(|it| it.id).collect();
    let again = Replay::Events(vec![EventSeq(old[2]), EventSeq(old[0])]);
    let outcome = stage.change(SENDER, WebhookSetting::Replay(again)).await;
    assert!(matches!(
        outcome,
        Outcome::Replayed {
            count: 2,
            more: false
        }
    ));
    let new = stage.write(SENDER, 1);
    stage.pass(Millis::seconds(1)).await;
    let arrived = stage.outdoors.at(URL);
    let mut later: Vec<_> = arrived[3..].iter().map(|it| it.event).collect();
    later.sort_unstable();
    assert_eq!(later, [old[0], old[2], new[0]]);
    let again = arrived[3..].iter().find(|it| it.event == old[0]);
    assert_eq!(again.unwrap().id, ids[0]);
    assert_eq!(stage.standing().await.replays, 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_given_up_is_delivered_after_a_replay() {
    let mut stage = Stage::new().await;
    stage.subscribe(SENDER, URL).await;
    stage.outdoors.next(URL, [Act::IsAway; 6]);
    let dead = stage.write(SENDER, 1);
    stage.pass(Millis::hours(12)).await;
    assert_eq!(stage.standing().await.dead, 1);
    let replay = WebhookSetting::Replay(Replay::Dead);
    stage.change(SENDER, replay).await;
    stage.pass(Millis::hours(5)).await;
    assert_eq!(stage.outdoors.events_at(URL), vec![dead[0]; 7]);
    let standing = stage.standing().await;
    assert_eq!((standing.dead, standing.replays), (0, 0));
    assert_eq!(standing.webhook.failures, 0);
}

#[tokio::test(start_paused = true)]
async fn an_older_owner_delivers_no_more() {
    let mut stage = Stage::new().await;
    stage.subscribe(SENDER, URL).await;
    stage.write(SENDER, 1);
    stage.pass(Millis::seconds(1)).await;
    // Another process takes the work over; it serves no webhooks.
    stage.world.disk.raise_epoch().await.unwrap();
    stage.write(SENDER, 9);
    stage.pass(Millis::seconds(5)).await;
    let late = stage.outdoors.events_at(URL).len();
    assert!(late <= 3, "{late}: the first answer told it");
    stage.write(SENDER, 9);
    stage.pass(Millis::minutes(5)).await;
    assert_eq!(stage.outdoors.events_at(URL).len(), late);
}

#[tokio::test(start_paused = true)]
async fn a_long_queue_that_is_not_wanted_is_passed_by() {
    let mut stage = Stage::new().await;
    stage.subscribe(SENDER, URL).await;
    stage.write(OTHER_SENDER, 1_001);
    stage.pass(Millis::seconds(2)).await;
    assert!(stage.standing().await.webhook.cursor.0 > 1_000);
    assert!(stage.outdoors.events_at(URL).is_empty());
}

#[tokio::test(start_paused = true)]
async fn events_are_forgotten_after_three_days() {
    let mut stage = Stage::new().await;
    let old = stage.write(SENDER, 3);
    stage.pass(Millis::days(2)).await;
    let event = |seq| stage.world.disk.event(EventSeq(seq));
    assert!(event(old[0]).await.unwrap().is_some());
    stage.pass(Millis::hours(25)).await;
    assert_eq!(event(old[0]).await.unwrap(), None);
    assert!(event(old[2]).await.unwrap().is_some(), "the newest stays");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_delivered_twice_while_commits_take_their_time() {
    let mut stage = Stage::on_a_disk().await;
    stage.subscribe(SENDER, URL).await;
    let events = stage.write(SENDER, 100);
    stage.pass(Millis::seconds(5)).await;
    assert_eq!(stage.outdoors.events_at(URL), events);
    assert_eq!(stage.standing().await.backlog, 0);
    let again = events.iter().map(|it| EventSeq(*it)).collect();
    let replay = WebhookSetting::Replay(Replay::Events(again));
    stage.change(SENDER, replay).await;
    stage.pass(Millis::seconds(5)).await;
    assert_eq!(stage.outdoors.events_at(URL)[100..], events);
    // Failures count from the successes before them.
    stage
        .outdoors
        .next(URL, [Act::Answers(200), Act::Answers(500)]);
    let more = stage.write(SENDER, 2);
    stage.pass(Millis::minutes(2)).await;
    assert_eq!(
        stage.outdoors.events_at(URL)[200..],
        [more[0], more[1], more[1]]
    );
    assert_eq!(stage.standing().await.webhook.failures, 0);
}
