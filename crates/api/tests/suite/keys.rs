//! R-SEC, R-API-5: who may do what, and how often.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use domain::ids::ApiKeyId;
use domain::time::Timestamp;
use ports::store::Op;
use ports::store::operations::{ApiKeyRecord, KeyChange};
use serde_json::json;

use crate::house::{House, LIMITED, LIVE, PROJECT, READ_ONLY, TEST};

#[tokio::test(start_paused = true)]
async fn without_a_good_key_nothing_is_told() {
    let house = House::new().await;
    for header in [
        "",
        "Bearer wrong",
        "Basic TXkgQVBJIEtleQ==",
        "My API Key",
        "Bearer ",
    ] {
        let mut request = Request::get("/v1/me");
        if !header.is_empty() {
            request = request.header("authorization", header);
        }
        let answer = house.request(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{header}");
        assert_eq!(answer.json["code"], "unauthorized");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        assert_eq!(answer.header("x-ratelimit-limit"), "1000000");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_does_only_what_its_scopes_say() {
    let house = House::new().await;
    for (method, path, body, scope) in [
        (
            "POST",
            "/v1/messages",
            r#"{"to":"+40712345678","text":"x"}"#,
            "send",
        ),
        ("POST", "/v1/routing/preview", "{}", "send"),
        ("POST", "/v1/simulator/inbound", "{}", "send"),
        ("POST", "/v1/contacts", "{}", "manage"),
        ("PATCH", "/v1/contacts/ct_1", "{}", "manage"),
        ("DELETE", "/v1/contacts/ct_1", "", "manage"),
        ("POST", "/v1/contacts/ct_1/merge", "{}", "manage"),
        ("POST", "/v1/contacts/ct_1/channels", "{}", "manage"),
        ("PATCH", "/v1/contacts/ct_1/channels/ch_1", "{}", "manage"),
        (
            "POST",
            "/v1/contacts/ct_1/channels/ch_1/primary",
            "",
            "manage",
        ),
        ("DELETE", "/v1/contacts/ct_1/channels/ch_1", "", "manage"),
    ] {
        let answer = house.call(READ_ONLY, method, path, body).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path}");
        assert_eq!(answer.json["code"], "forbidden", "{method} {path}");
        assert_eq!(answer.json["details"]["scope"], scope, "{method} {path}");
    }
    for path in [
        "/v1/messages",
        "/v1/contacts",
        "/v1/senders",
        "/v1/routes",
        "/v1/me",
    ] {
        assert_eq!(
            house.call(READ_ONLY, "GET", path, "").await.status,
            StatusCode::OK,
            "{path}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn me_tells_whose_key_it_is() {
    let house = House::new().await;
    let live = house.get("/v1/me").await.json;
    let want = json!({
        "project": {"id": "main", "name": "Acme", "isSubAccount": false},
        "team": {"id": "main", "name": "Acme"},
        "apiKey": {
            "id": format!("key_{LIVE}"), "name": LIVE,
            "scopes": ["send", "read", "manage"], "trafficClass": true,
        },
        "isTestMode": false,
    });
    assert_eq!(live, want);
    assert_eq!(
        house.call(TEST, "GET", "/v1/me", "").await.json["isTestMode"],
        true
    );
}

#[tokio::test(start_paused = true)]
async fn a_limited_key_is_told_its_limit_and_refused_beyond_it() {
    let house = House::new().await;
    for (remaining, status) in [("1", 200), ("0", 200), ("0", 429)] {
        let answer = house.call(LIMITED, "GET", "/v1/me", "").await;
        assert_eq!(answer.status.as_u16(), status);
        assert_eq!(answer.header("x-ratelimit-limit"), "2");
        assert_eq!(answer.header("x-ratelimit-remaining"), remaining);
        assert_eq!(answer.header("x-ratelimit-reset"), "1795341660000");
        if status == 429 {
            assert_eq!(answer.json["code"], "rate_limited");
            assert_eq!(answer.json["details"]["retryAfter"], 1_795_341_660_000_i64);
            assert_eq!(answer.header("retry-after"), "60");
        }
    }
    tokio::time::sleep(std::time::Duration::from_mins(1)).await;
    assert_eq!(
        house.call(LIMITED, "GET", "/v1/me", "").await.status,
        StatusCode::OK
    );
    let unlimited = house.get("/v1/me").await;
    assert_eq!(unlimited.header("x-ratelimit-limit"), "1000000");
    assert_eq!(unlimited.header("x-ratelimit-remaining"), "1000000");
}

#[tokio::test(start_paused = true)]
async fn a_key_of_the_store_opens_until_it_is_revoked() {
    let house = House::new().await;
    let key = "zv_live_stored";
    let get = || house.call(key, "GET", "/v1/me", "");
    assert_eq!(get().await.status, StatusCode::UNAUTHORIZED);
    let id = ApiKeyId::from_key(7);
    let record = ApiKeyRecord {
        id,
        project: PROJECT,
        name: "made later".into(),
        hash: api::hash_key(key),
        scopes: api::Scopes::READ.bits(),
        test: false,
        created_at: Timestamp::from_millis(0),
        revoked_at: None,
    };
    house
        .engine
        .apply(Op::Key(Box::new(KeyChange::Create(record))))
        .await
        .unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    let answer = get().await;
    assert_eq!(
        answer.status,
        StatusCode::OK,
        "an unknown key is asked for again after 5 s"
    );
    assert_eq!(answer.json["apiKey"]["scopes"], json!(["read"]));
    let at = house.engine.now();
    let revoke = KeyChange::Revoke {
        project: PROJECT,
        id,
        at,
    };
    house.engine.apply(Op::Key(Box::new(revoke))).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    assert_eq!(
        get().await.status,
        StatusCode::UNAUTHORIZED,
        "within 10 s of being revoked"
    );
}
