//! R-SEC: whatever a person or a program changes stands in the audit log, with who did it.

use axum::http::StatusCode;
use domain::model::user::Role;
use serde_json::{Value, json};

use crate::house::{House, LIVE};
use crate::pages::{PASSWORD, browser, signed_in, staff};

/// The lines of the log but those of the automatics, oldest first: action, actor, subject.
async fn lines(house: &House) -> Vec<(String, String, String)> {
    let log = house.get("/v1/audit?limit=100").await;
    let text = |it: &Value, name: &str| it[name].as_str().unwrap().to_owned();
    let items = log.json["items"].as_array().unwrap().iter().rev();
    items
        .filter(|it| it["actorKind"] != "system")
        .map(|it| (text(it, "action"), text(it, "actor"), text(it, "subject")))
        .collect()
}

fn brief(lines: &[(String, String, String)]) -> Vec<(&str, &str)> {
    lines.iter().map(|it| (&*it.0, &*it.1)).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_done_with_users_and_passwords_is_told_and_no_secret_is() {
    let house = House::new().await;
    staff(&house).await;
    let owner = signed_in(&house, Role::Owner).await;
    let before = lines(&house).await.len();
    let new = json!({"email": "ion@example.com", "name": "Ion", "role": "agent"});
    let made = owner.call("POST", "/ui/v1/users", &new).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let link = made.json["link"].as_str().unwrap();
    let token = link.rsplit(['#', '/', '=']).next().unwrap();
    let chosen = json!({"token": token, "password": PASSWORD});
    let mut ion = browser(&house);
    let used = ion.call("POST", "/ui/v1/password-link/use", &chosen).await;
    assert_eq!(used.status, StatusCode::NO_CONTENT, "{used:?}");
    ion.sign_in("ion@example.com", PASSWORD).await;
    let change = json!({"current": PASSWORD, "new": "another good one"});
    let changed = ion.call("POST", "/ui/v1/password", &change).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{changed:?}");
    let path = format!("/ui/v1/users/{}", made.json["user"]["id"].as_str().unwrap());
    owner.call("PATCH", &path, &json!({"role": "admin"})).await;
    owner
        .call("POST", &format!("{path}/link"), &json!({}))
        .await;
    owner.bare("DELETE", &path).await;
    // Who is gone is not changed.
    owner.bare("DELETE", &path).await;

    let lines = lines(&house).await.split_off(before);
    let by = lines[0].1.clone();
    assert_ne!(by, "Ion");
    assert_eq!(
        brief(&lines),
        [
            ("user.created", &*by),
            ("user.password_link_made", &*by),
            ("user.password_changed", "Ion"),
            ("user.password_changed", "Ion"),
            ("user.changed", &*by),
            ("user.password_link_made", &*by),
            ("user.deleted", &*by),
        ]
    );
    assert!(lines.iter().all(|it| it.2 == lines[0].2), "{lines:?}");
    let log = house.get("/v1/audit").await.json;
    let role = log["items"].as_array().unwrap().iter();
    assert!(
        role.clone()
            .any(|it| it["detail"] == json!({"role": "admin"}))
    );
    let mut people = role.filter(|it| it["action"].as_str().unwrap().starts_with("user."));
    assert!(people.all(|it| it["actorKind"] == "user"));
    let written = log.to_string();
    for secret in [token, PASSWORD, "another good one", "argon2"] {
        assert!(!written.contains(secret), "{secret}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_program_changes_is_told_under_the_name_of_its_key() {
    let house = House::new().await;
    let sent = json!({"to": "+40712345678", "text": "Hello"});
    house.send(&sent).await;
    let contact = house.get("/v1/contacts/phone/+40712345678").await;
    let contact = format!("/v1/contacts/{}", contact.json["id"].as_str().unwrap());
    let opt_out = format!("{contact}/opt-out");
    let hook = "/v1/senders/support/webhook";
    let rotate = format!("{hook}/secret");
    let silence = json!({"kind": "route_down", "reason": "known", "until": "2026-11-22T11:00:00Z"});
    let drain = json!({"mode": "drain", "reason": "maintenance"});
    let template = json!({"name": "order", "language": "en", "body": "Hi {{1}}"});
    let url = json!({"url": "https://a.example/"});
    let deposit = json!({"amount": "10.50", "note": "invoice 7"});
    let steps = [
        ("PUT", "/v1/routes/gw/control", &drain, "route.controlled"),
        (
            "POST",
            "/v1/senders",
            &json!({"name": "Shop"}),
            "sender.put",
        ),
        ("PATCH", hook, &url, "webhook.put"),
        ("POST", &rotate, &json!({}), "webhook.secret_rotated"),
        ("PATCH", hook, &json!({"url": null}), "webhook.deleted"),
        ("POST", "/v1/templates", &template, "template.created"),
        (
            "POST",
            "/v1/balance/deposits",
            &deposit,
            "balance.deposited",
        ),
        ("POST", "/v1/alerts/silences", &silence, "alert.silenced"),
        (
            "POST",
            &opt_out,
            &json!({"reason": "by phone"}),
            "contact.consent_changed",
        ),
        ("DELETE", &contact, &json!({}), "contact.deleted"),
    ];
    for (nth, (method, path, body, action)) in steps.into_iter().enumerate() {
        let answer = house.call(LIVE, method, path, body.to_string()).await;
        assert!(answer.status.is_success(), "{method} {path}: {answer:?}");
        let lines = lines(&house).await;
        assert_eq!(lines.len(), nth + 1, "{method} {path}: {lines:?}");
        assert_eq!(brief(&lines)[nth], (action, LIVE), "{method} {path}");
    }
    let log = house.get("/v1/audit").await.json;
    let reason = |action: &str| {
        let mut items = log["items"].as_array().unwrap().iter();
        items.find(|it| it["action"] == action).unwrap()["reason"].clone()
    };
    assert_eq!(reason("balance.deposited"), "invoice 7");
    assert_eq!(reason("route.controlled"), "maintenance");
}

/// The id of what was made, wherever the answer holds it.
fn id(made: &Value) -> &str {
    let nested = made.as_object().unwrap().values().map(|it| &it["id"]);
    let mut ids = std::iter::once(&made["id"]).chain(nested);
    ids.find_map(Value::as_str).unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_is_made_and_removed_again_is_told_twice() {
    let house = House::new().await;
    let silence = json!({"kind": "route_down", "reason": "known", "until": "2026-11-22T11:00:00Z"});
    let number = json!({"phoneNumber": "+40700000077", "name": "desk"});
    let template = json!({"name": "order", "language": "en", "body": "Hi {{1}}"});
    for (path, body, made, removed) in [
        (
            "/v1/senders",
            json!({"name": "Shop"}),
            "sender.put",
            "sender.deleted",
        ),
        ("/v1/phone-numbers", number, "number.put", "number.deleted"),
        (
            "/v1/templates",
            template,
            "template.created",
            "template.deleted",
        ),
        (
            "/v1/alerts/silences",
            silence,
            "alert.silenced",
            "alert.unsilenced",
        ),
    ] {
        let before = lines(&house).await.len();
        let answer = house.post(path, &body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{path}: {answer:?}");
        let it = format!("{path}/{}", id(&answer.json));
        let gone = house.call(LIVE, "DELETE", &it, "").await;
        assert!(gone.status.is_success(), "{it}: {gone:?}");
        // Once more changes nothing, and is told by nothing.
        house.call(LIVE, "DELETE", &it, "").await;
        let lines = lines(&house).await.split_off(before);
        assert_eq!(brief(&lines), [(made, LIVE), (removed, LIVE)], "{path}");
    }
}
