//! What operators do: a word over a route, the audit log, alerts (R-HEALTH, R-SEC, R-ALERT).

use std::time::Duration;

use axum::http::StatusCode;
use domain::rules::alert::AlertSettings;
use ports::connector::LinkState;
use serde_json::{Value, json};

use crate::house::{Answer, House, LIVE, NO_CLASS, OTHER_PROJECT, READ_ONLY, SMS};

fn items(answer: &Answer) -> &Vec<Value> {
    answer.json["items"].as_array().unwrap()
}

async fn minutes(count: u64) {
    tokio::time::sleep(Duration::from_secs(60 * count)).await;
}

impl House {
    async fn control(&self, key: &str, route: &str, body: &Value) -> Answer {
        let path = format!("/v1/routes/{route}/control");
        self.call(key, "PUT", &path, body.to_string()).await
    }

    async fn route(&self, id: &str) -> Value {
        let list = self.get("/v1/routes").await;
        let mut all = items(&list).iter();
        all.find(|it| it["id"] == id).unwrap().clone()
    }

    fn lose(&self) {
        let events = self.engine.events(SMS).unwrap();
        events.link(LinkState::Down("login refused".into()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_route_is_drained_with_a_reason_and_let_go_again() {
    let house = House::new().await;
    let before = house.route("gw").await;
    assert_eq!(before["control"], Value::Null);
    assert_eq!(
        before["health"],
        json!({"windowSeconds": 30, "submissions": 0, "errors": 0, "consecutiveErrors": 0})
    );
    let drain = json!({"mode": "drain", "reason": "maintenance", "until": "2026-11-22T12:00:00Z",
        "colour": "red"});
    let answer = house.control(LIVE, "gw", &drain).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.ignored_fields(), ["colour"]);
    let route = house.route("gw").await;
    assert_eq!(answer.json["route"], route);
    assert_eq!(route["condition"], "drained");
    let words = format!("drained by {LIVE}: maintenance");
    assert_eq!(route["reason"], words);
    assert_eq!(
        route["control"],
        json!({"mode": "drain", "reason": "maintenance", "by": LIVE,
            "since": route["since"], "until": "2026-11-22T12:00:00.000Z"})
    );
    // What would be chosen now says why this route is not.
    let preview = house
        .post(
            "/v1/routing/preview",
            &json!({"to": "+40712345678", "text": "hi", "channel": "sms"}),
        )
        .await;
    let text = preview.json.to_string();
    assert!(
        text.contains("drained") && text.contains("maintenance"),
        "{text}"
    );
    let auto = json!({"mode": "auto", "reason": "it is over"});
    let answer = house.control(LIVE, "gw", &auto).await;
    assert_eq!(answer.json["route"]["control"], Value::Null);
    let lines = house.get("/v1/audit?action=route.controlled").await;
    assert_eq!(items(&lines)[0]["reason"], "it is over");
    assert_eq!(house.route("gw").await["condition"], "up");
    // Nothing to take back is no mistake.
    let again = house.control(LIVE, "gw", &json!({"mode": "auto"})).await;
    assert_eq!(again.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_a_word_over_a_route_is_named() {
    let house = House::new().await;
    for (body, fields) in [
        (json!({}), vec!["mode"]),
        (json!({"mode": "stop", "reason": "x"}), vec!["mode"]),
        (json!({"mode": "pin"}), vec!["reason"]),
        (json!({"mode": "pin", "reason": "a\nb"}), vec!["reason"]),
        (
            json!({"mode": "drain", "reason": "x", "until": "2020-01-01T00:00:00Z"}),
            vec!["until"],
        ),
        (
            json!({"mode": "off", "until": "soon"}),
            vec!["mode", "until"],
        ),
    ] {
        let answer = house.control(LIVE, "gw", &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.wrong_fields(), fields, "{body}");
    }
    let pin = json!({"mode": "pin", "reason": "x"});
    for (key, route, status) in [
        (LIVE, "nothing", StatusCode::NOT_FOUND),
        (OTHER_PROJECT, "gw", StatusCode::NOT_FOUND),
        (READ_ONLY, "gw", StatusCode::FORBIDDEN),
        (NO_CLASS, "gw", StatusCode::FORBIDDEN),
    ] {
        let answer = house.control(key, route, &pin).await;
        assert_eq!(answer.status, status, "{key} {route}");
    }
    assert_eq!(house.route("gw").await["control"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn the_log_says_who_changed_what_and_what_happened_to_routes() {
    let house = House::new().await;
    house
        .control(LIVE, "gw", &json!({"mode": "pin", "reason": "we know"}))
        .await;
    house.lose();
    let sender = json!({"name": "Shop", "phoneNumber": "+40700000077"});
    let sender = house.post("/v1/senders", &sender).await;
    assert_eq!(sender.status, StatusCode::CREATED, "{sender:?}");
    house
        .send(&json!({"to": "+40712345678", "text": "Hello"}))
        .await;
    let contact = house.get("/v1/contacts/phone/+40712345678").await;
    let contact = contact.json["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/contacts/{contact}/opt-out");
    house
        .post(&path, &json!({"reason": "asked by phone"}))
        .await;
    let log = house.get("/v1/audit").await;
    assert_eq!(log.status, StatusCode::OK, "{log:?}");
    let brief = |it: &Value| {
        let text = |name: &str| it[name].as_str().unwrap_or("").to_owned();
        (text("action"), text("actor"), text("reason"))
    };
    let found: Vec<_> = items(&log).iter().map(brief).collect();
    let line = |action: &str, actor: &str, reason: &str| {
        (action.to_owned(), actor.to_owned(), reason.to_owned())
    };
    assert_eq!(
        found[..4],
        [
            line("contact.consent_changed", LIVE, "asked by phone"),
            line("sender.put", LIVE, ""),
            line("route.down", "tandem", "login refused"),
            line("route.controlled", LIVE, "we know"),
        ]
    );
    assert_eq!(items(&log)[0]["subject"], format!("contact:{contact}"));
    assert_eq!(items(&log)[0]["detail"]["optedOut"], "true");
    assert_eq!(
        items(&log)[3]["detail"],
        json!({"mode": "pin", "was": "auto"})
    );

    let of_route = house.get("/v1/audit?subject=route:gw&limit=1").await;
    assert_eq!(brief(&items(&of_route)[0]).0, "route.down");
    let cursor = of_route.json["nextCursor"].as_str().unwrap();
    let rest = format!("/v1/audit?subject=route:gw&limit=1&cursor={cursor}");
    assert_eq!(
        brief(&items(&house.get(&rest).await)[0]).0,
        "route.controlled"
    );
    let by_tandem = house.get("/v1/audit?actor=tandem&action=route.down").await;
    assert_eq!(items(&by_tandem).len(), 1);
    let wrong = house.get("/v1/audit?action=nothing").await;
    assert_eq!(wrong.wrong_fields(), ["action"]);
    let text = wrong.json.to_string();
    assert!(text.contains("route.controlled, route.up"), "{text}");
    let refused = house.call(READ_ONLY, "GET", "/v1/audit", "").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let others = house.call(OTHER_PROJECT, "GET", "/v1/audit", "").await;
    assert!(items(&others).iter().all(|it| it["subject"] != "route:gw"));
}

#[tokio::test(start_paused = true)]
async fn an_alert_is_listed_acknowledged_and_resolved() {
    let house = House::new().await;
    house.engine.watch_alerts(AlertSettings::default());
    house.lose();
    minutes(2).await;
    let list = house.get("/v1/alerts?status=raised").await;
    assert_eq!(items(&list).len(), 1, "{list:?}");
    let alert = items(&list)[0].clone();
    assert_eq!(alert["kind"], "route_down");
    assert_eq!(alert["severity"], "urgent");
    assert_eq!(alert["subject"], "route:gw");
    assert_eq!(alert["message"], "route gw is down: login refused");
    assert_eq!(alert["acknowledgedBy"], Value::Null);
    let path = format!("/v1/alerts/{}/acknowledge", alert["id"].as_str().unwrap());
    for (key, status) in [
        (READ_ONLY, StatusCode::FORBIDDEN),
        (OTHER_PROJECT, StatusCode::NOT_FOUND),
        (LIVE, StatusCode::OK),
    ] {
        let answer = house.call(key, "POST", &path, "").await;
        assert_eq!(answer.status, status, "{key}");
    }
    // Who says it again changes nothing, and the log tells of it once.
    let again = house.call(LIVE, "POST", &path, "").await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(again.json["acknowledgedBy"], LIVE);
    let log = house.get("/v1/audit?action=alert.acknowledged").await;
    assert_eq!(items(&log).len(), 1, "{log:?}");
    let events = house.engine.events(SMS).unwrap();
    events.link(LinkState::Up);
    minutes(3).await;
    assert!(items(&house.get("/v1/alerts?status=raised").await).is_empty());
    let list = house.get("/v1/alerts").await;
    assert_eq!(items(&list)[0]["status"], "resolved");
    assert_eq!(items(&list)[0]["acknowledgedBy"], LIVE);
    let wrong = house.get("/v1/alerts?status=old").await;
    assert_eq!(wrong.wrong_fields(), ["status"]);
}

#[tokio::test(start_paused = true)]
async fn a_silence_is_made_listed_and_ended() {
    let house = House::new().await;
    let body = json!({"kind": "route_down", "subject": "route:gw", "reason": "known",
        "until": "2026-11-22T11:00:00Z"});
    let made = house.post("/v1/alerts/silences", &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    assert_eq!(made.json["by"], LIVE);
    let list = house.get("/v1/alerts/silences").await;
    assert_eq!(items(&list), std::slice::from_ref(&made.json));
    house.engine.watch_alerts(AlertSettings::default());
    house.lose();
    minutes(2).await;
    let alerts = house.get("/v1/alerts").await;
    assert_eq!(items(&alerts)[0]["silenced"], true);
    let path = format!("/v1/alerts/silences/{}", made.json["id"].as_str().unwrap());
    let others = house.call(OTHER_PROJECT, "DELETE", &path, "").await;
    assert_eq!(others.status, StatusCode::NOT_FOUND);
    let ended = house.call(LIVE, "DELETE", &path, "").await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    let again = house.call(LIVE, "DELETE", &path, "").await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    minutes(1).await;
    let alerts = house.get("/v1/alerts").await;
    assert_eq!(items(&alerts)[0]["silenced"], false, "it is told now");
    let log = house.get("/v1/audit?action=alert.unsilenced").await;
    let [line] = &items(&log)[..] else {
        panic!("{log:?}")
    };
    assert_eq!(
        line["detail"],
        json!({"kind": "route_down", "subject": "route:gw", "until": "2026-11-22T11:00:00.000Z"})
    );
}

#[tokio::test(start_paused = true)]
async fn a_silence_without_a_reason_or_of_what_no_alert_is_about_is_refused() {
    let house = House::new().await;
    let until = "2026-11-22T11:00:00Z";
    for (body, fields) in [
        (json!({}), vec!["reason", "until"]),
        (
            json!({"kind": "x", "until": "2020-01-01T00:00:00Z", "reason": "x"}),
            vec!["kind", "until"],
        ),
        (json!({"until": until}), vec!["reason"]),
        (json!({"until": until, "reason": ""}), vec!["reason"]),
        (json!({"until": until, "reason": "   "}), vec!["reason"]),
    ] {
        let wrong = house.post("/v1/alerts/silences", &body).await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(wrong.wrong_fields(), fields, "{body}");
    }
    for subject in [
        "foo",
        "project:main",
        "routes:gw",
        "route:",
        "webhook:support",
        "channel:pigeon",
        "country:Romania",
        "country:ro",
    ] {
        let body = json!({"until": until, "reason": "x", "subject": subject});
        let wrong = house.post("/v1/alerts/silences", &body).await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{subject}");
        assert_eq!(wrong.wrong_fields(), ["subject"], "{subject}");
    }
    let none = house.get("/v1/alerts/silences").await;
    assert!(items(&none).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_silence_of_what_is_not_in_use_is_kept_with_a_warning() {
    let house = House::new().await;
    for (subject, is_warned) in [
        ("project", false),
        ("route:gw", false),
        ("sender:support", false),
        ("channel:sms", false),
        ("country:RO", false),
        ("route:nope", true),
        ("route:other-gw", true),
        ("sender:nobody", true),
    ] {
        let body = json!({"until": "2026-11-22T11:00:00Z", "reason": "x", "subject": subject});
        let made = house.post("/v1/alerts/silences", &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        let warned = made.json.get("warnings").is_some();
        assert_eq!(warned, is_warned, "{made:?}");
        if is_warned {
            assert_eq!(made.ignored_fields(), ["subject"]);
        }
    }
}
