//! R-MON-2: a sender's webhook through the API, and what it gets, byte by byte.

use std::sync::Arc;

use api::WebhookLetters;
use axum::http::StatusCode;
use domain::time::Millis;
use engine::publish::Publishing;
use parking_lot::Mutex;
use ports::courier::{Courier, CourierError, PostRequest};
use ports::hooks::Pending;
use ring::hmac;
use serde_json::{Value, json};

use crate::house::{House, LIVE, OTHER_PROJECT, READ_ONLY, REFUSED_EVERYWHERE, WHATSAPP};

const HOOK: &str = "/v1/senders/support/webhook";

/// Keeps what it is given and answers this status.
pub(crate) struct Postbox {
    letters: Mutex<Vec<PostRequest>>,
    status: Mutex<u16>,
}

impl Courier for Postbox {
    fn post(&self, request: PostRequest) -> Pending<'_, Result<u16, CourierError>> {
        self.letters.lock().push(request);
        Box::pin(std::future::ready(Ok(*self.status.lock())))
    }
}

impl Postbox {
    pub(crate) fn at(house: &House) -> Arc<Self> {
        let postbox = Arc::new(Self {
            letters: Mutex::default(),
            status: Mutex::new(200),
        });
        house.engine.publish(Publishing {
            courier: Arc::<Self>::clone(&postbox),
            letters: Arc::new(WebhookLetters),
        });
        postbox
    }

    fn bodies(&self) -> Vec<String> {
        let letters = self.letters.lock();
        let text = |it: &PostRequest| String::from_utf8(it.body.clone()).unwrap();
        letters.iter().map(text).collect()
    }

    /// What was posted to this URL.
    pub(crate) fn events_to(&self, url: &str) -> Vec<Value> {
        let letters = self.letters.lock();
        let theirs = letters.iter().filter(|it| *it.url == *url);
        theirs
            .map(|it| serde_json::from_slice(&it.body).unwrap())
            .collect()
    }

    fn events(&self) -> Vec<Value> {
        let parsed = |it: &String| serde_json::from_str(it).unwrap();
        self.bodies().iter().map(parsed).collect()
    }
}

async fn patch(house: &House, body: Value) -> crate::house::Answer {
    house.call(LIVE, "PATCH", HOOK, body.to_string()).await
}

async fn a_second() {
    tokio::time::sleep(Millis::seconds(1).to_duration()).await;
}

#[tokio::test(start_paused = true)]
async fn the_secret_is_shown_once_kept_on_changes_and_dropped_with_the_webhook() {
    let house = House::new().await;
    assert_eq!(house.get(HOOK).await.status, StatusCode::NOT_FOUND);
    let made = patch(&house, json!({"url": "https://a.example/hook"})).await;
    assert_eq!(made.status, StatusCode::OK, "{made:?}");
    let webhook = &made.json["webhook"];
    let secret = webhook["secret"].as_str().unwrap().to_owned();
    assert!(
        secret.starts_with("whsec_") && secret.len() > 40,
        "{secret}"
    );
    assert_eq!(webhook["signatureVersion"], "v2");
    assert_eq!(webhook["active"], true);
    let events = webhook["events"].as_array().unwrap();
    assert!(events.contains(&json!("message.inbound")));
    assert!(!events.contains(&json!("message.status")));
    let moved = patch(&house, json!({"url": "https://b.example/", "more": 1})).await;
    assert_eq!(moved.json["webhook"]["url"], "https://b.example/");
    assert!(moved.json["webhook"].get("secret").is_none());
    assert_eq!(moved.ignored_fields(), ["more"]);
    let shown = house.get(HOOK).await.json;
    assert_eq!(shown["url"], "https://b.example/");
    assert_eq!(
        (&shown["failures"], &shown["backlog"]),
        (&json!(0), &json!(0))
    );
    assert!(shown.get("secret").is_none());
    let rotated = house.post(&format!("{HOOK}/secret"), &json!({})).await;
    assert_eq!(rotated.status, StatusCode::OK);
    assert_ne!(rotated.json["secret"], secret);
    let cleared = patch(&house, json!({"url": null})).await;
    assert_eq!(cleared.json["webhook"], Value::Null);
    assert_eq!(house.get(HOOK).await.status, StatusCode::NOT_FOUND);
    let refused = house
        .call(LIVE, "POST", &format!("{HOOK}/secret"), "")
        .await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let anew = patch(&house, json!({"url": "https://a.example/hook"})).await;
    assert_ne!(anew.json["webhook"]["secret"], secret);
}

#[tokio::test(start_paused = true)]
async fn wrong_fields_are_named_and_nothing_changes() {
    let house = House::new().await;
    for (body, field) in [
        (json!({"url": "http://a.example/"}), "url"),
        (json!({"url": "https://127.0.0.1/"}), "url"),
        (json!({"events": ["message.sent"]}), "url"),
        (
            json!({"url": "https://a.example/", "events": ["x"]}),
            "events.0",
        ),
        (
            json!({"url": "https://a.example/", "signatureVersion": "v9"}),
            "signatureVersion",
        ),
        (json!({"url": 5}), "url"),
    ] {
        let answer = patch(&house, body.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.wrong_fields(), [field], "{body}");
    }
    assert_eq!(house.get(HOOK).await.status, StatusCode::NOT_FOUND);
    let v1 = json!({"url": "https://a.example/", "signatureVersion": "v1"});
    patch(&house, v1).await;
    let jump = patch(&house, json!({"signatureVersion": "v2"})).await;
    assert_eq!(jump.wrong_fields(), ["signatureVersion"]);
    for step in ["v1+v2", "v2"] {
        let answer = patch(&house, json!({"signatureVersion": step})).await;
        assert_eq!(answer.json["webhook"]["signatureVersion"], step);
    }
}

#[tokio::test(start_paused = true)]
async fn a_webhook_is_its_projects_own() {
    let house = House::new().await;
    patch(&house, json!({"url": "https://a.example/"})).await;
    for (method, path, body) in [
        ("GET", HOOK.to_owned(), ""),
        ("PATCH", HOOK.to_owned(), "{}"),
        ("POST", format!("{HOOK}/secret"), ""),
        ("GET", format!("{HOOK}/dead"), ""),
        ("POST", format!("{HOOK}/replay"), r#"{"dead":true}"#),
    ] {
        let other = house.call(OTHER_PROJECT, method, &path, body).await;
        assert_eq!(other.status, StatusCode::NOT_FOUND, "{method} {path}");
        let reader = house.call(READ_ONLY, method, &path, body).await;
        let may = if method == "GET" { 200 } else { 403 };
        assert_eq!(reader.status.as_u16(), may, "{method} {path}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_outbound_message_is_told_in_the_documented_form() {
    let house = House::new().await;
    let postbox = Postbox::at(&house);
    let made = patch(
        &house,
        json!({"url": "https://a.example/hook", "signatureVersion": "v1+v2"}),
    );
    let secret = made.await.json["webhook"]["secret"].clone();
    let body = json!({"to": "+40712345678", "text": "Bună „ziua”", "channel": "sms"});
    let id = house.send(&body).await;
    a_second().await;
    let message = house.get(&format!("/v1/messages/{id}")).await.json;
    let conversation = message["message"]["conversationId"].as_str().unwrap();
    let bodies = postbox.bodies();
    let delivered = bodies.last().unwrap();
    let event: Value = serde_json::from_str(delivered).unwrap();
    let (event_id, at) = (event["id"].as_str().unwrap(), &event["timestamp"]);
    assert!(event_id.starts_with(&format!("evt_{at}_")), "{event_id}");
    let want = format!(
        r#"{{"id":"{event_id}","type":"message.delivered","timestamp":{at},"senderId":"support","projectId":"main","data":{{"messageId":"{id}","to":"+40712345678","channel":"sms","status":"delivered","from":"+40700000001","messageType":"text","text":"Bună „ziua”","conversationId":"{conversation}","errorCode":null,"errorMessage":null,"attemptedChannels":["sms"]}}}}"#
    );
    assert_eq!(*delivered, want);
    let letters = postbox.letters.lock();
    let letter = letters.last().unwrap();
    assert_eq!(&*letter.url, "https://a.example/hook");
    let header = |name| {
        let found = letter.headers.iter().find(|it| it.0 == name);
        found.unwrap().1.as_str()
    };
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("x-zavu-event"), "message.delivered");
    assert!(header("user-agent").contains("Zavu-Webhook/1.0"));
    let signature = header("x-zavu-signature");
    let (time, rest) = signature.split_once(",v1=").unwrap();
    let (v1, v2) = rest.split_once(",v2=").unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_str().unwrap().as_bytes());
    let hex = |text: String| {
        let tag = hmac::sign(&key, text.as_bytes());
        let digits = tag.as_ref().iter().map(|it| format!("{it:02x}"));
        digits.collect::<String>()
    };
    assert_eq!(v1, hex(want.clone()));
    let seconds = time.strip_prefix("t=").unwrap();
    assert_eq!(v2, hex(format!("{seconds}.{want}")));
}

#[tokio::test(start_paused = true)]
async fn every_step_is_told_once_and_the_failure_with_its_reason() {
    let house = House::new().await;
    let postbox = Postbox::at(&house);
    patch(&house, json!({"url": "https://a.example/hook"})).await;
    let to = format!("+40712345{REFUSED_EVERYWHERE}");
    house.send(&json!({"to": to, "text": "hi"})).await;
    tokio::time::sleep(Millis::seconds(20).to_duration()).await;
    let events = postbox.events();
    let types: Vec<_> = events
        .iter()
        .map(|it| it["type"].as_str().unwrap())
        .collect();
    assert_eq!(types, ["message.queued", "message.failed"]);
    let failed = &events[1]["data"];
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["errorCode"], "131026");
    assert_eq!(failed["errorMessage"], "undeliverable");
    let attempted = failed["attemptedChannels"].as_array().unwrap();
    assert!(!attempted.is_empty(), "{failed}");
    assert_eq!(events[0]["data"]["errorCode"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn an_inbound_message_is_told_after_its_new_conversation() {
    let house = House::new().await;
    let postbox = Postbox::at(&house);
    patch(&house, json!({"url": "https://a.example/hook"})).await;
    house.inbound(WHATSAPP, "+40712345678", "Salut").await;
    house.inbound(WHATSAPP, "+40712345678", "Ești?").await;
    a_second().await;
    let events = postbox.events();
    let types: Vec<_> = events
        .iter()
        .map(|it| it["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        types,
        ["conversation.new", "message.inbound", "message.inbound"]
    );
    let (new, first) = (&events[0]["data"], &events[1]["data"]);
    let want = json!({
        "conversationId": first["conversationId"], "phoneNumber": "+40712345678",
        "channel": "whatsapp", "firstMessageId": first["messageId"],
        "firstMessageText": "Salut", "profileName": null,
    });
    assert_eq!(*new, want);
    assert!(
        first["conversationId"]
            .as_str()
            .unwrap()
            .starts_with("conv_")
    );
    let want = json!({
        "messageId": first["messageId"], "conversationId": first["conversationId"],
        "from": "+40712345678", "to": "+40700000001", "channel": "whatsapp",
        "status": "received", "messageType": "text", "text": "Salut",
        "providerTimestamp": events[1]["timestamp"],
    });
    assert_eq!(*first, want);
    assert_eq!(events[2]["data"]["text"], "Ești?");
}

#[tokio::test(start_paused = true)]
async fn what_was_given_up_is_listed_and_replayed() {
    let house = House::new().await;
    let postbox = Postbox::at(&house);
    let events = json!(["message.inbound"]);
    patch(
        &house,
        json!({"url": "https://a.example/hook", "events": events}),
    )
    .await;
    *postbox.status.lock() = 500;
    house.inbound(WHATSAPP, "+40712345678", "Salut").await;
    tokio::time::sleep(Millis::hours(6).to_duration()).await;
    let standing = house.get(HOOK).await.json;
    assert_eq!(standing["dead"], 1);
    assert_eq!(standing["lastError"], "it answered 500");
    assert!(standing["nextTryAt"].is_string());
    let dead = house.get(&format!("{HOOK}/dead?limit=1")).await.json;
    let letter = &dead["items"][0];
    let told = postbox.events();
    assert_eq!(told.len(), 6);
    assert!(told.iter().all(|it| it["id"] == letter["id"]));
    assert_eq!(letter["type"], "message.inbound");
    assert_eq!(letter["messageId"], told[0]["data"]["messageId"]);
    assert_eq!(letter["reason"], "it answered 500");
    assert_eq!(dead["nextCursor"], Value::Null);
    *postbox.status.lock() = 200;
    let replay = format!("{HOOK}/replay");
    let answer = house
        .post(&replay, &json!({"eventIds": [letter["id"]]}))
        .await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.json, json!({"queued": 1, "more": false}));
    tokio::time::sleep(Millis::hours(5).to_duration()).await;
    assert_eq!(postbox.events().len(), 7);
    let standing = house.get(HOOK).await.json;
    assert_eq!(
        (&standing["dead"], &standing["failures"]),
        (&json!(0), &json!(0))
    );
    let since = json!({"since": "2026-11-22T00:00:00Z"});
    assert_eq!(house.post(&replay, &since).await.json["queued"], 1);
    a_second().await;
    assert_eq!(postbox.events()[7]["id"], letter["id"]);
}

#[tokio::test(start_paused = true)]
async fn a_replay_names_exactly_one_kind_of_events() {
    let house = House::new().await;
    let replay = format!("{HOOK}/replay");
    let none = house.post(&replay, &json!({"dead": true})).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    patch(&house, json!({"url": "https://a.example/hook"})).await;
    for (body, field) in [
        (json!({}), ""),
        (json!({"dead": false}), ""),
        (json!({"dead": true, "since": "2026-11-22T00:00:00Z"}), ""),
        (json!({"since": "yesterday"}), "since"),
        (json!({"eventIds": []}), "eventIds"),
        (json!({"eventIds": ["evt_1_1", "evt_1"]}), "eventIds.1"),
    ] {
        let answer = house.post(&replay, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.wrong_fields(), [field], "{body}");
        let message = answer.json["message"].as_str().unwrap();
        assert!(!message.contains("``"), "{message}");
        assert_eq!(message.starts_with('`'), !field.is_empty(), "{message}");
    }
    let empty = house.post(&replay, &json!({"dead": true})).await;
    assert_eq!(empty.json, json!({"queued": 0, "more": false}));
}
