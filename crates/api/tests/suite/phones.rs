//! Team phones: who may do what, and that a phone's call reaches the pool that it is of.

use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use domain::model::audit::Actor;
use domain::time::{Millis, Timestamp};
use parking_lot::Mutex;
use ports::connector::Connector;
use ports::hooks::{HookAnswer, HookCall, Pending};
use ports::phones::{Pairing, PhoneCaller, PhoneEvents, PhoneGateway, PhonePatch, PhoneStanding};
use ports::store::Unavailable;
use ports::store::phones::{PhoneRecord, SigningKey, SimCard};
use serde_json::json;

use crate::house::{House, LIVE, OTHER_PROJECT, READ_ONLY, SMS};

/// A pool with one phone, `desk`, whose token is `right`.
#[derive(Default)]
struct Desk {
    /// The SIM cards that it told of.
    sims: Mutex<Vec<SimCard>>,
    patched: Mutex<Vec<PhonePatch>>,
    /// In whose name it was asked for something.
    by: Mutex<Vec<Box<str>>>,
    called: Mutex<Vec<String>>,
}

impl Connector for Desk {
    fn stop(&self, _: Millis) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(ready(()))
    }

    fn phones(&self) -> Option<&dyn PhoneGateway> {
        Some(self)
    }
}

impl PhoneGateway for Desk {
    fn whose<'a>(&'a self, _: &'a str, call: &'a HookCall) -> Pending<'a, Option<PhoneCaller>> {
        let until = Timestamp::from_millis(1_800_000_000_000);
        let caller = match call.header("authorization") {
            Some("Bearer right") => Some(PhoneCaller::Phone("desk".into())),
            Some("Code 123456") => Some(PhoneCaller::Blocked { until }),
            Some(_) | None => None,
        };
        Box::pin(ready(caller))
    }

    fn answer<'a>(
        &'a self,
        caller: PhoneCaller,
        path: &'a str,
        call: &'a HookCall,
    ) -> Pending<'a, HookAnswer> {
        if matches!(caller, PhoneCaller::Blocked { .. }) {
            return Box::pin(ready(HookAnswer::empty(429)));
        }
        self.called.lock().push(format!("{} {path}", call.method));
        Box::pin(ready(HookAnswer::with(200, "application/json", "[]")))
    }

    fn listen(&self, _: &str) -> Option<Box<dyn PhoneEvents>> {
        None
    }

    fn pair(&self, name: Option<Box<str>>, by: Actor) -> Pending<'_, Result<Pairing, Unavailable>> {
        self.by.lock().push(by.name);
        let pairing = Pairing {
            api_url: "https://msg.example.com/phone/v1".into(),
            token: name.unwrap_or_else(|| "nameless".into()),
            code: "123456".into(),
            expires_at: Timestamp::from_millis(1_800_000_000_000),
        };
        Box::pin(ready(Ok(pairing)))
    }

    fn phones(&self) -> Pending<'_, Vec<PhoneStanding>> {
        let at = Timestamp::from_millis(1_800_000_000_000);
        let record = PhoneRecord {
            id: "desk".into(),
            route: SMS,
            name: "Desk".into(),
            token_hash: [0; 32],
            paired_by: [0; 32],
            signing_key: SigningKey::new("very secret"),
            sims: self.sims.lock().clone(),
            may_send: Vec::new(),
            per_hour: None,
            per_day: None,
            created_at: at,
            seen_at: at,
            hooks_at: None,
            settings_at: None,
            health: None,
            revoked_at: None,
        };
        let standing = PhoneStanding {
            record,
            present: true,
            streams: 1,
            hooks_installed: false,
            holds: 2,
            used: (3, 4),
            rests_until: None,
            clock_off: Some(-300),
        };
        Box::pin(ready(vec![standing]))
    }

    fn change<'a>(
        &'a self,
        phone: &'a str,
        patch: PhonePatch,
        by: Actor,
    ) -> Pending<'a, Result<bool, Unavailable>> {
        self.by.lock().push(by.name);
        self.patched.lock().push(patch);
        Box::pin(ready(Ok(phone == "desk")))
    }

    fn revoke<'a>(&'a self, phone: &'a str, by: Actor) -> Pending<'a, Result<bool, Unavailable>> {
        self.by.lock().push(by.name);
        Box::pin(ready(Ok(phone == "desk")))
    }
}

async fn house() -> (House, Arc<Desk>) {
    let house = House::new().await;
    let desk = Arc::new(Desk::default());
    let connector: Arc<dyn Connector> = Arc::<Desk>::clone(&desk);
    house.engine.attach(SMS, connector);
    (house, desk)
}

#[tokio::test(start_paused = true)]
async fn phones_are_listed_without_their_secrets_and_for_their_project_only() {
    let (house, _) = house().await;
    let listed = house.get("/v1/phones").await;
    assert_eq!(listed.status, StatusCode::OK);
    let [phone] = &listed.json["items"].as_array().unwrap()[..] else {
        panic!("{listed:?}")
    };
    for (field, want) in [
        ("id", json!("desk")),
        ("routeId", json!("gw")),
        ("connected", json!(true)),
        ("webhooksInstalled", json!(false)),
        ("holds", json!(2)),
        ("clockOffSeconds", json!(-300)),
        ("sentLastHour", json!(3)),
        ("perHour", json!(null)),
        ("lastSeenAt", json!("2027-01-15T08:00:00.000Z")),
    ] {
        assert_eq!(phone[field], want, "{field}");
    }
    assert!(!listed.json.to_string().contains("secret"));
    let other = house.call(OTHER_PROJECT, "GET", "/v1/phones", "").await;
    assert_eq!(other.json["items"], json!([]));
    let path = "/v1/phones/desk";
    let theirs = house.call(OTHER_PROJECT, "DELETE", path, "").await;
    assert_eq!(theirs.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn who_may_manage_pairs_changes_and_sends_away() {
    let (house, desk) = house().await;
    let made = house
        .post("/v1/phones/pairings", &json!({ "name": " Desk " }))
        .await;
    assert_eq!(made.status, StatusCode::CREATED);
    let pairing = &made.json["pairing"];
    assert_eq!(
        (&pairing["routeId"], &pairing["code"]),
        (&json!("gw"), &json!("123456"))
    );
    assert_eq!(pairing["qrText"], "https://msg.example.com/phone/v1\nDesk");
    assert!(pairing["qrSvg"].as_str().unwrap().contains("<svg"));
    let patch = json!({ "perHour": 5, "perDay": null, "maySend": [2] });
    let changed = house
        .call(LIVE, "PATCH", "/v1/phones/desk", patch.to_string())
        .await;
    assert_eq!(changed.status, StatusCode::OK);
    let want = PhonePatch {
        name: None,
        may_send: Some(vec![2]),
        per_hour: Some(Some(5)),
        per_day: Some(None),
    };
    assert_eq!(*desk.patched.lock(), [want]);
    for (method, path, body) in [
        ("POST", "/v1/phones/pairings", "{}"),
        ("PATCH", "/v1/phones/desk", "{}"),
        ("DELETE", "/v1/phones/desk", ""),
    ] {
        let answer = house.call(READ_ONLY, method, path, body).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path}");
    }
    let gone = house.call(LIVE, "DELETE", "/v1/phones/desk", "").await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    let nobody = house.call(LIVE, "DELETE", "/v1/phones/nobody", "").await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
    let by = desk.by.lock();
    assert!(by.len() == 4 && by.iter().all(|it| **it == *LIVE), "{by:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_is_named() {
    let (house, _) = house().await;
    for (method, path, body, field) in [
        (
            "POST",
            "/v1/phones/pairings",
            json!({ "route": "bulk" }),
            "route",
        ),
        (
            "PATCH",
            "/v1/phones/desk",
            json!({ "perHour": 100_001 }),
            "perHour",
        ),
        (
            "PATCH",
            "/v1/phones/desk",
            json!({ "maySend": [0] }),
            "maySend",
        ),
        (
            "PATCH",
            "/v1/phones/desk",
            json!({ "name": "x".repeat(101) }),
            "name",
        ),
    ] {
        let answer = house.call(LIVE, method, path, body.to_string()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(
            answer.json["details"]["errors"][0]["path"][0], field,
            "{body}"
        );
    }
    let other = house
        .call(OTHER_PROJECT, "POST", "/v1/phones/pairings", "{}")
        .await;
    assert_eq!(other.status, StatusCode::BAD_REQUEST);
}

#[tokio::test(start_paused = true)]
async fn a_phone_reaches_its_pool_and_a_stranger_nobody() {
    let (house, desk) = house().await;
    let known = house
        .call("right", "GET", "/phone/v1/message?order=fifo", "")
        .await;
    assert_eq!((known.status, &known.json), (StatusCode::OK, &json!([])));
    let unknown = house.call(LIVE, "GET", "/phone/v1/message", "").await;
    assert_eq!(unknown.status, StatusCode::UNAUTHORIZED);
    assert_eq!(*desk.called.lock(), ["GET /message"]);
    let code = Request::post("/phone/v1/device")
        .header("authorization", "Code 123456")
        .body(Body::from("{}"))
        .unwrap();
    let blocked = house.request(code).await;
    assert_eq!(
        blocked.status,
        StatusCode::TOO_MANY_REQUESTS,
        "the pool says that it takes no codes"
    );
    // The app asks for its address before it is registered, and takes nothing but success.
    let device = Request::get("/phone/v1/device")
        .body(Body::empty())
        .unwrap();
    let answer = house.request(device).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.json["externalIp"].is_string());
    let gone = house.call("right", "GET", "/phone/v1/events", "").await;
    assert_eq!(
        gone.status,
        StatusCode::UNAUTHORIZED,
        "it was sent away meanwhile"
    );
}

#[tokio::test(start_paused = true)]
async fn a_sim_card_that_the_phone_does_not_have_is_refused_and_warned_of_where_it_told_none() {
    let (house, desk) = house().await;
    let patch = json!({ "maySend": [1, 3] }).to_string();
    let path = "/v1/phones/desk";
    let unknown = house.call(LIVE, "PATCH", path, patch.clone()).await;
    assert_eq!(unknown.status, StatusCode::OK);
    assert_eq!(unknown.json["warnings"][0]["path"], json!(["maySend"]));
    let card = |number| SimCard {
        number,
        phone_number: None,
        carrier: None,
    };
    *desk.sims.lock() = vec![card(1), card(2)];
    let refused = house.call(LIVE, "PATCH", path, patch).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let error = &refused.json["details"]["errors"][0];
    assert_eq!(error["path"], json!(["maySend"]));
    let words = error["message"].as_str().unwrap();
    assert_eq!(words, "the phone has no SIM card 3; it has 1, 2");
    let right = json!({ "maySend": [2] }).to_string();
    let taken = house.call(LIVE, "PATCH", path, right).await;
    assert_eq!(
        (taken.status, &taken.json["warnings"]),
        (StatusCode::OK, &json!(null))
    );
    assert_eq!(desk.patched.lock().len(), 2);
    let nobody = house.call(LIVE, "PATCH", "/v1/phones/nobody", "no").await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
}
