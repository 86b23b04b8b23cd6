//! A running pool over a store in memory, called as phones call it.

use std::sync::Arc;

use domain::ids::{ProjectKey, RouteKey};
use domain::model::audit::{Actor, ActorKind};
use domain::model::receipt::{ReceiptState, SubmitOutcome};
use domain::time::{Millis, Timestamp};
use ports::clock::ManualClock;
use ports::connector::{Connector, Heard, LinkState};
use ports::hooks::{HookAnswer, HookCall};
use ports::memory::MemoryStore;
use ports::phones::{PhoneCaller, PhoneGateway, PhonePatch};
use ports::store::Queries;
use ports::store::audit::AuditFilter;
use ring::hmac;
use serde_json::{Value, json};

use super::{PhoneRoute, SmsGateConfig, start_route};
use crate::testing::{Lanes, Record, Told, key, submission};

/// Who works at the desk.
fn ana() -> Actor {
    Actor::new(ActorKind::User, "Ana")
}

const ANA: &str = "+40721000001";

struct World {
    route: Arc<PhoneRoute>,
    lanes: Arc<Lanes>,
    record: Arc<Record>,
    store: Arc<MemoryStore>,
    clock: ManualClock,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::at(Timestamp::from_millis(1_800_000_000_000));
        Self::on(Arc::new(MemoryStore::default()), clock)
    }

    fn on(store: Arc<MemoryStore>, clock: ManualClock) -> Self {
        let (lanes, record) = (Arc::new(Lanes::default()), Arc::new(Record::default()));
        let config = SmsGateConfig {
            project: ProjectKey(7),
            api_url: "https://msg.example.com/phone/v1".to_owned(),
            ..SmsGateConfig::new(RouteKey(1))
        };
        let route = start_route(
            config,
            Arc::clone(&lanes) as _,
            Arc::clone(&record) as _,
            Arc::clone(&store) as _,
            Arc::new(clock.clone()),
        );
        Self {
            route,
            lanes,
            record,
            store,
            clock,
        }
    }

    async fn call(&self, auth: &str, method: &str, path: &str, body: Value) -> HookAnswer {
        let call = HookCall {
            method: method.into(),
            url: path.into(),
            query: "".into(),
            headers: vec![("authorization".into(), auth.as_bytes().into())],
            body: body.to_string().into_bytes(),
        };
        match self.route.whose(path, &call).await {
            Some(caller) => self.route.answer(caller, path, &call).await,
            None => HookAnswer::empty(401),
        }
    }

    /// Pairs a phone and opens its stream; its id and what it signs in with.
    async fn phone(&self) -> (String, String) {
        let pairing = self.route.pair(None, ana()).await.unwrap();
        let auth = format!("Bearer {}", pairing.token);
        let device = json!({ "name": "Google/panther", "simCards": [{ "slotIndex": 0 }] });
        let answer = self.call(&auth, "POST", "/device", device).await;
        assert_eq!(answer.status, 201);
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        (text("id"), format!("Bearer {}", text("token")))
    }
}

fn parsed(answer: &HookAnswer) -> Value {
    assert_eq!(answer.content_type.as_deref(), Some("application/json"));
    serde_json::from_slice(&answer.body).unwrap()
}

async fn until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_goes_to_a_phone_and_its_reports_come_back() {
    let world = World::new();
    let down = world.record.wait(1).await;
    assert!(matches!(&down[..], [Told::Link(LinkState::Down(_))]));
    let (phone, auth) = world.phone().await;
    let mut stream = world.route.listen(&phone).unwrap();
    assert_eq!(world.record.wait(1).await, [Told::Link(LinkState::Up)]);
    // It may have asked for both before it was registered.
    assert_eq!(stream.next().await.unwrap().name, "WebhooksUpdated");
    assert_eq!(stream.next().await.unwrap().name, "SettingsUpdated");
    world.lanes.put([submission(1, ANA, "Salut")]);
    assert_eq!(stream.next().await.unwrap().name, "MessageEnqueued");
    let listed = parsed(&world.call(&auth, "GET", "/message", Value::Null).await);
    assert_eq!(listed[0]["phoneNumbers"], json!([ANA]));
    assert_eq!(listed[0]["state"], "Pending");
    assert_eq!(listed[0]["createdAt"], "2027-01-15T08:00:00.000Z");
    assert_eq!(listed[0]["validUntil"], "2027-01-15T08:05:00.000Z");
    assert_eq!(listed[0]["simNumber"], 1);
    let id = listed[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(id.len(), 36);
    let report =
        |state: &str| json!([{ "id": id, "state": state, "recipients": [{ "state": state }] }]);
    assert_eq!(
        world
            .call(&auth, "PATCH", "/message", report("Sent"))
            .await
            .status,
        204
    );
    let told = world.record.take();
    let [Told::Submitted(of, SubmitOutcome::Accepted { references })] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((*of, &*references[0].reference), (key(1), &*id));
    // The answer waits until the delivery is kept.
    let delivered = world.call(&auth, "PATCH", "/message", report("Delivered"));
    let (answer, ()) = tokio::join!(delivered, async {
        until(|| world.record.waiting_acks() == 1).await;
        world.record.ack(Heard::TryAgain);
    });
    assert_eq!(answer.status, 503);
    let told = world.record.take();
    let [Told::Receipt(receipt)] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(
        (&receipt.state, receipt.ours),
        (&ReceiptState::Delivered, Some(key(1)))
    );
    // The phone tells it again, and it is told again.
    let again = world.call(&auth, "PATCH", "/message", report("Delivered"));
    let (answer, ()) = tokio::join!(again, async {
        until(|| world.record.waiting_acks() == 1).await;
        world.record.ack(Heard::Kept);
    });
    assert_eq!(answer.status, 204);
    let unknown = json!([{ "id": "nobody-knows-it", "state": "Sent" }]);
    assert_eq!(
        world.call(&auth, "PATCH", "/message", unknown).await.status,
        204
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_known_of_phones_survives_a_restart() {
    let world = World::new();
    let (phone, auth) = world.phone().await;
    let stream = world.route.listen(&phone);
    world
        .lanes
        .put([submission(1, ANA, "Salut"), submission(2, ANA, "Salut")]);
    until(|| world.lanes.left() == 0).await;
    let listed = parsed(&world.call(&auth, "GET", "/message", Value::Null).await);
    assert_eq!(listed.as_array().unwrap().len(), 2);
    drop(stream);
    world.route.stop(Millis::seconds(10)).await;
    let told = world.record.take();
    let unknown = |it: &&Told| matches!(it, Told::Submitted(_, SubmitOutcome::Unknown { .. }));
    assert_eq!(told.iter().filter(unknown).count(), 2, "{told:?}");
    let next = World::on(world.store, world.clock);
    let again = parsed(&next.call(&auth, "GET", "/message", Value::Null).await);
    assert_eq!(again, listed);
    let id = &listed[0]["id"];
    let report = json!([{ "id": id, "state": "Sent", "recipients": [{ "state": "Sent" }] }]);
    let reported = next.call(&auth, "PATCH", "/message", report);
    let (answer, ()) = tokio::join!(reported, async {
        until(|| next.record.waiting_acks() == 1).await;
        next.record.ack(Heard::Kept);
    });
    assert_eq!(answer.status, 204);
    // The engine submits the other one again: the phone has it still.
    next.lanes.put([submission(2, ANA, "Salut")]);
    until(|| next.lanes.left() == 0).await;
    let still = parsed(&next.call(&auth, "GET", "/message", Value::Null).await);
    assert_eq!(still, json!([listed[1]]));
    assert_eq!(
        next.call("Bearer wrong", "GET", "/message", Value::Null)
            .await
            .status,
        401
    );
}

#[tokio::test(start_paused = true)]
async fn a_signed_webhook_is_heard_and_answered_when_it_is_kept() {
    let world = World::new();
    let (phone, auth) = world.phone().await;
    let settings = parsed(&world.call(&auth, "GET", "/settings", Value::Null).await);
    let signing = settings["webhooks"]["signing_key"].as_str().unwrap();
    let hooks = parsed(&world.call(&auth, "GET", "/webhooks", Value::Null).await);
    let url = hooks[0]["url"].as_str().unwrap();
    let path = url
        .strip_prefix("https://msg.example.com/phone/v1")
        .unwrap();
    let event = json!({ "id": "e", "event": "sms:received", "deviceId": phone, "payload": {
        "message": "Salut", "sender": ANA, "messageId": "m", "receivedAt": "2027-01-15T08:00:00.000Z" } });
    let call = |key: &str, path: &str| {
        let (body, stamp) = (event.to_string().into_bytes(), "1800000000");
        let hmac_key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
        let tag = hmac::sign(&hmac_key, &[&*body, stamp.as_bytes()].concat());
        let tag = super::secrets::hex(tag.as_ref());
        HookCall {
            method: "POST".into(),
            url: path.into(),
            query: "".into(),
            headers: vec![
                ("x-timestamp".into(), stamp.as_bytes().into()),
                ("x-signature".into(), tag.as_bytes().into()),
            ],
            body,
        }
    };
    let caller = || PhoneCaller::Phone(phone.as_str().into());
    let right = call(signing, path);
    assert_eq!(world.route.whose(path, &right).await, Some(caller()));
    let answered = world.route.answer(caller(), path, &right);
    let (answer, ()) = tokio::join!(answered, async {
        until(|| world.record.waiting_acks() == 1).await;
        world.record.ack(Heard::Kept);
    });
    assert_eq!(answer.status, 200);
    let forged = call("guess", path);
    assert_eq!(
        world.route.answer(caller(), path, &forged).await.status,
        401
    );
    let elsewhere = format!("{path}x");
    let wrong_url = call(signing, &elsewhere);
    assert_eq!(
        world
            .route
            .answer(caller(), &elsewhere, &wrong_url)
            .await
            .status,
        401
    );
    let inbound = world.record.take();
    let inbound = inbound.iter().filter(|it| matches!(it, Told::Inbound(_)));
    assert_eq!(inbound.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_is_sent_away_is_nobody() {
    let world = World::new();
    let (phone, auth) = world.phone().await;
    let mut stream = world.route.listen(&phone).unwrap();
    while let Some(event) = stream.next().await {
        if event.name == "SettingsUpdated" {
            break;
        }
    }
    world.lanes.put([submission(1, ANA, "Salut")]);
    assert_eq!(stream.next().await.unwrap().name, "MessageEnqueued");
    let listed = parsed(&world.call(&auth, "GET", "/message", Value::Null).await);
    assert!(world.route.revoke(&phone, ana()).await.unwrap());
    // What it holds it is told not to send.
    let last = stream.next().await.unwrap();
    assert_eq!(last.name, "MessageCancelled");
    let told: Value = serde_json::from_str(&last.data).unwrap();
    assert_eq!(told["messageId"], listed[0]["id"]);
    assert!(stream.next().await.is_none(), "its stream ends");
    assert!(!world.route.revoke(&phone, ana()).await.unwrap());
    for path in ["/message", "/webhooks", "/settings"] {
        assert_eq!(
            world.call(&auth, "GET", path, Value::Null).await.status,
            401,
            "{path}"
        );
    }
    assert!(world.route.listen(&phone).is_none());
    assert!(PhoneGateway::phones(&*world.route).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_lets_a_phone_in_changes_it_and_sends_it_away_stands_in_the_audit_log() {
    let world = World::new();
    let (phone, auth) = world.phone().await;
    let patch = PhonePatch {
        name: Some("Desk".into()),
        per_hour: Some(Some(20)),
        per_day: Some(None),
        may_send: Some(vec![1, 2]),
    };
    assert!(world.route.change(&phone, patch, ana()).await.unwrap());
    let code = parsed(&world.call(&auth, "GET", "/user/code", Value::Null).await);
    assert!(world.route.revoke(&phone, ana()).await.unwrap());
    let nobody = PhonePatch::default();
    assert!(!world.route.change(&phone, nobody, ana()).await.unwrap());
    let all = AuditFilter {
        project: ProjectKey(7),
        subject: None,
        action: None,
        actor: None,
        before: None,
        limit: 100,
    };
    let lines = world.store.audit(all).await.unwrap();
    let subject = format!("phone:{phone}");
    let told: Vec<_> = lines
        .iter()
        .rev()
        .map(|it| {
            let entry = &it.entry;
            (entry.action.code(), &*entry.actor.name, &*entry.subject)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("phone.invited", "Ana", "phone"),
            ("phone.paired", "Ana", &*subject),
            ("phone.changed", "Ana", &*subject),
            ("phone.invited", &*subject, "phone"),
            ("phone.revoked", "Ana", &*subject),
        ]
    );
    let detail: Vec<_> = lines[2].entry.detail.iter().map(|(_, it)| &**it).collect();
    assert_eq!(detail, ["Desk", "1, 2", "20", "route"]);
    let written = format!("{lines:?}");
    for secret in [
        auth.trim_start_matches("Bearer "),
        code["code"].as_str().unwrap(),
    ] {
        assert!(!written.contains(secret), "{secret}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_wants_any_more_is_given_back_and_not_shown_to_a_phone_that_comes_for_it() {
    let world = World::new();
    let (phone, auth) = world.phone().await;
    let _stream = world.route.listen(&phone).unwrap();
    world
        .lanes
        .put([submission(1, ANA, "Salut"), submission(2, ANA, "Salut")]);
    until(|| world.lanes.left() == 0).await;
    world.record.take();
    // The phone comes in the moment in which it is withdrawn: that is looked at before it is answered.
    world.lanes.withdraw([key(1)]);
    let listed = parsed(&world.call(&auth, "GET", "/message", Value::Null).await);
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    assert_eq!(world.record.wait(1).await, [Told::Returned(key(1))]);
    // What it has it is asked not to send, without its coming.
    let mut stream = world.route.listen(&phone).unwrap();
    world.lanes.withdraw([key(2)]);
    let event = loop {
        let event = stream.next().await.unwrap();
        if event.name == "MessageCancelled" {
            break event;
        }
    };
    let id = listed[0]["id"].as_str().unwrap();
    assert!(event.data.contains(id));
    let report = json!([{ "id": id, "state": "Cancelled", "recipients": [], "states": {} }]);
    world.call(&auth, "PATCH", "/message", report).await;
    assert_eq!(world.record.wait(1).await, [Told::Returned(key(2))]);
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_only_polls_gets_what_waits_at_its_pull() {
    let world = World::new();
    let (_, auth) = world.phone().await;
    world.lanes.put([submission(1, ANA, "Salut")]);
    until(|| world.lanes.left() == 0).await;
    // It does not come for it in time: that goes back, and nothing more is taken for it.
    world.clock.advance(Millis::seconds(20));
    let mut told = Vec::new();
    while !told.contains(&Told::Returned(key(1))) {
        told.extend(world.record.wait(1).await);
    }
    world
        .lanes
        .put([submission(1, ANA, "Salut"), submission(2, ANA, "Ceau")]);
    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    assert_eq!(world.lanes.left(), 2);
    let listed = parsed(&world.call(&auth, "GET", "/message", Value::Null).await);
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed}");
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_only_polls_is_answered_though_nothing_waits() {
    let world = World::new();
    let (_, auth) = world.phone().await;
    // It was away for long.
    world.clock.advance(Millis::minutes(15));
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    let began = tokio::time::Instant::now();
    let listed = parsed(&world.call(&auth, "GET", "/message", Value::Null).await);
    assert_eq!(listed, json!([]));
    assert!(began.elapsed() <= std::time::Duration::from_millis(3_100));
}

#[tokio::test(start_paused = true)]
async fn after_too_many_wrong_codes_it_is_said_until_when_none_is_taken() {
    let world = World::new();
    let pairing = world.route.pair(None, ana()).await.unwrap();
    let device = json!({ "name": "Google/panther", "simCards": [] });
    for guess in 0..10 {
        let wrong = format!("Code x{guess}");
        let answer = world.call(&wrong, "POST", "/device", device.clone());
        assert_eq!(answer.await.status, 401);
    }
    let right = format!("Code {}", pairing.code);
    let mut answers = Vec::new();
    for code in [&*right, "Code x11"] {
        let answer = world.call(code, "POST", "/device", device.clone()).await;
        assert_eq!(answer.status, 429);
        answers.push(answer.body);
    }
    assert_eq!(answers[0], answers[1], "right or wrong");
    let words = String::from_utf8(answers.remove(0)).unwrap();
    assert!(words.contains("2027-01-15T08:10:00.000Z"), "{words}");
    let token = format!("Bearer {}", pairing.token);
    let answer = world.call(&token, "POST", "/device", device).await;
    assert_eq!(answer.status, 201);
}
