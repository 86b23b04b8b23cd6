//! What is around the resources: unknown paths, probes, senders, routes and the document.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use ports::connector::LinkState;
use serde_json::{Value, json};

use crate::house::{Answer, House, LIVE, TEST, WHATSAPP};

async fn open(house: &House, path: &str) -> Answer {
    house
        .request(Request::get(path).body(Body::empty()).unwrap())
        .await
}

#[tokio::test(start_paused = true)]
async fn an_unknown_path_is_404_in_json() {
    let house = House::new().await;
    for path in ["/v1/broadcasts", "/_stainless_unknown_path", "/no_page"] {
        let answer = house.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.json["code"], "not_found", "{path}");
        let has_limit = !answer.header("x-ratelimit-limit").is_empty();
        assert_eq!(has_limit, path.starts_with("/v1/"), "{path}");
    }
    let answer = house.call(LIVE, "PUT", "/v1/messages", "{}").await;
    assert_eq!(
        (answer.status, &answer.json["code"]),
        (StatusCode::METHOD_NOT_ALLOWED, &json!("method_not_allowed"))
    );
    assert_eq!(answer.header("x-ratelimit-limit"), "1000000");
}

#[tokio::test(start_paused = true)]
async fn every_answer_of_v1_carries_the_limit() {
    let house = House::new().await;
    for path in [
        "/v1/me",
        "/v1/messages",
        "/v1/messages/msg_1",
        "/v1/messages?limit=0",
    ] {
        let answer = house.get(path).await;
        for header in [
            "x-ratelimit-limit",
            "x-ratelimit-remaining",
            "x-ratelimit-reset",
        ] {
            assert!(
                answer.header(header).parse::<u64>().is_ok(),
                "{path} {header}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn probes_need_no_key() {
    let house = House::new().await;
    assert_eq!(open(&house, "/healthz").await.json, json!({"status": "ok"}));
    let ready = open(&house, "/readyz").await;
    assert_eq!(
        (ready.status, &ready.json["status"]),
        (StatusCode::OK, &json!("ready"))
    );
    assert_eq!(ready.json["store"]["backlog"], 0);
    assert_eq!(
        ready.json["routes"][0],
        json!({"id": "gw", "condition": "up"})
    );
    let metrics = open(&house, "/metrics").await;
    assert_eq!(metrics.json, json!("tandem_up 1\n"));
    assert!(
        metrics
            .header("content-type")
            .starts_with("text/plain; version=0.0.4")
    );
    house.engine.stop(domain::time::Millis::ZERO).await;
    let stopped = open(&house, "/readyz").await;
    assert_eq!(stopped.status, StatusCode::SERVICE_UNAVAILABLE);
    let refused = house
        .post("/v1/messages", &json!({"to": "+40712345678", "text": "x"}))
        .await;
    assert_eq!(
        (refused.status, &refused.json["code"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("unavailable"))
    );
    assert_eq!(refused.header("retry-after"), "1");
}

#[tokio::test(start_paused = true)]
async fn the_served_document_is_the_one_that_is_printed() {
    let house = House::new().await;
    let served = open(&house, "/openapi.json").await;
    let printed: Value = serde_json::from_str(&api::openapi_json()).unwrap();
    assert_eq!(served.json, printed);
    assert_eq!(served.header("content-type"), "application/json");
}

#[tokio::test(start_paused = true)]
async fn senders_show_what_the_key_can_send_on() {
    let house = House::new().await;
    let list = house.get("/v1/senders").await.json;
    let support = json!({
        "id": "support", "name": "Acme support", "phoneNumber": "+40700000001",
        "channels": ["sms", "whatsapp"], "isDefault": true,
        "createdAt": "2026-11-22T10:00:00.000Z", "updatedAt": "2026-11-22T10:00:00.000Z",
            "managedBy": "file", "routes": ["gw", "bulk", "wa", "sim", "sim-wa"],
    });
    assert_eq!(list["items"][0], support);
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    assert_eq!(house.get("/v1/senders/support").await.json, support);
    assert_eq!(
        house.get("/v1/senders/nobody").await.status,
        StatusCode::NOT_FOUND
    );
    let tested = house.call(TEST, "GET", "/v1/senders/alerts", "").await.json;
    assert_eq!(
        tested["channels"],
        json!([]),
        "a test key has no simulator there"
    );
    let first = house.get("/v1/senders?limit=1").await.json;
    let next = first["nextCursor"].as_str().unwrap();
    let second = house
        .get(&format!("/v1/senders?limit=1&cursor={next}"))
        .await
        .json;
    assert_eq!(
        (&second["items"][0]["id"], &second["nextCursor"]),
        (&json!("alerts"), &Value::Null)
    );
}

#[tokio::test(start_paused = true)]
async fn routes_tell_their_state_and_why() {
    let house = House::new().await;
    house
        .engine
        .events(WHATSAPP)
        .unwrap()
        .link(LinkState::Down("login refused".into()));
    let routes = house.get("/v1/routes").await.json;
    let items = routes["items"].as_array().unwrap();
    assert_eq!(items.len(), 5, "those of the project");
    assert_eq!(
        (
            &items[0]["id"],
            &items[0]["condition"],
            &items[0]["routeClass"]
        ),
        (&json!("gw"), &json!("up"), &json!("gateway"))
    );
    assert_eq!(
        (&items[2]["condition"], &items[2]["reason"]),
        (&json!("down"), &json!("login refused"))
    );
    assert_eq!(
        (&items[3]["simulator"], &items[3]["routeClass"]),
        (&json!(true), &Value::Null)
    );
    let mms: Vec<_> = items.iter().map(|it| &it["mms"]).collect();
    assert_eq!(mms, [false, true, false, false, false]);
}
