//! R-SEC: signing in, what a session opens and to whom, and how it ends.

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use domain::ids::{ProjectKey, UserId};
use domain::model::user::Role;
use domain::time::Millis;
use ports::store::users::{UserChange, UserEdit};
use serde_json::{Value, json};
use tokio::time::advance;

use crate::house::{House, LIVE, PROJECT};
use crate::pages::{PASSWORD, add, address, apply, browser, choose, signed_in, staff};

async fn sleep(span: Millis) {
    tokio::time::sleep(span.to_duration()).await;
}

#[tokio::test(start_paused = true)]
async fn who_signs_in_gets_a_cookie_that_no_script_reads_and_their_session() {
    let house = House::new().await;
    staff(&house).await;
    let mut ana = browser(&house);
    let answer = ana.sign_in(" Owner@EXAMPLE.com ", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-tandem="), "{cookie}");
    for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Strict", "; Secure"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(
        !cookie.contains("Max-Age") && !cookie.contains("Domain"),
        "{cookie}"
    );
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.json["user"]["role"], "owner");
    assert_eq!(
        answer.json["project"],
        json!({"id": "main", "name": "Acme"})
    );
    let session = ana.bare("GET", "/ui/v1/session").await;
    assert_eq!(session.json, answer.json);
    assert!(!session.json.to_string().contains("argon2"));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_and_an_unknown_address_are_answered_alike() {
    let house = House::new().await;
    staff(&house).await;
    add(&house, 9, PROJECT, Role::Agent, "new@example.com").await;
    let mut answers = Vec::new();
    for (email, password) in [
        ("owner@example.com", "wrong horse battery"),
        ("nobody@example.com", PASSWORD),
        ("new@example.com", PASSWORD),
        ("no address", PASSWORD),
        ("", ""),
    ] {
        let answer = browser(&house).sign_in(email, password).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{email}");
        assert_eq!(answer.header("set-cookie"), "");
        answers.push(answer.json);
    }
    assert!(answers.iter().all(|it| *it == answers[0]), "{answers:?}");
}

#[tokio::test(start_paused = true)]
async fn the_sixth_attempt_is_refused_also_with_the_right_password_until_time_passed() {
    let house = House::new().await;
    staff(&house).await;
    for _ in 0..5 {
        let answer = browser(&house).sign_in("owner@example.com", "wrong").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let locked = browser(&house).sign_in("owner@example.com", PASSWORD).await;
    assert_eq!(locked.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(locked.json["code"], "rate_limited");
    let words = locked.json["message"].as_str().unwrap();
    assert!(words.contains("15 minutes"), "{words}");
    // Others are not concerned.
    drop(signed_in(&house, Role::Agent).await);
    sleep(Millis::minutes(15)).await;
    drop(signed_in(&house, Role::Owner).await);
}

#[tokio::test(start_paused = true)]
async fn a_change_needs_the_proof_and_our_own_origin() {
    let house = House::new().await;
    staff(&house).await;
    let ana = signed_in(&house, Role::Owner).await;
    let body = r#"{"email":"x@example.com","name":"X","role":"agent"}"#;
    let cookie = ana.cookie.clone().unwrap();
    let post = |path: &str| {
        axum::http::Request::post(path)
            .header("host", "msg.example.com")
            .header("cookie", &cookie)
    };
    for path in ["/ui/v1/users", "/ui/v1/logout", "/v1/messages"] {
        for (name, value, token) in [
            ("x-nothing", "", ""),
            ("x-nothing", "", "wrong"),
            ("origin", "https://evil.example", ana.csrf.as_str()),
            ("origin", "null", ana.csrf.as_str()),
            ("sec-fetch-site", "cross-site", ana.csrf.as_str()),
        ] {
            let request = post(path)
                .header(name, value)
                .header("x-csrf-token", token)
                .body(Body::from(body))
                .unwrap();
            let answer = house.request(request).await;
            assert_eq!(
                answer.status,
                StatusCode::FORBIDDEN,
                "{path} {name} {value}"
            );
            assert_eq!(
                answer.json["details"]["csrf"], true,
                "{path} {name} {value}"
            );
        }
    }
    let login = json!({"email": "owner@example.com", "password": PASSWORD}).to_string();
    let forged = axum::http::Request::post("/ui/v1/login")
        .header("host", "msg.example.com")
        .header("origin", "https://evil.example")
        .body(Body::from(login))
        .unwrap();
    assert_eq!(house.request(forged).await.status, StatusCode::FORBIDDEN);
    // Nothing of it happened.
    let users = ana.bare("GET", "/ui/v1/users").await;
    assert_eq!(users.json["items"].as_array().unwrap().len(), 3);
    // Another session's proof is none here.
    let other = signed_in(&house, Role::Agent).await;
    let request = post("/ui/v1/logout")
        .header("x-csrf-token", &other.csrf)
        .body(Body::empty())
        .unwrap();
    assert_eq!(house.request(request).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test(start_paused = true)]
async fn a_session_opens_the_documented_api_with_the_scopes_of_the_role() {
    let house = House::new().await;
    staff(&house).await;
    let send = json!({"to": "+40712345678", "text": "x"});
    let contact = json!({"displayName": "X", "phoneNumber": "+40712345679"});
    for (role, manages) in [
        (Role::Owner, true),
        (Role::Admin, true),
        (Role::Agent, false),
    ] {
        let person = signed_in(&house, role).await;
        let me = person.bare("GET", "/v1/me").await;
        assert_eq!(me.status, StatusCode::OK);
        assert_eq!(me.json["project"]["id"], "main");
        assert_eq!(me.json["apiKey"]["name"], format!("The {}", role.code()));
        let sent = person.call("POST", "/v1/messages", &send).await;
        assert_eq!(sent.status, StatusCode::ACCEPTED, "{role:?}: {sent:?}");
        assert_eq!(
            person.bare("GET", "/v1/contacts").await.status,
            StatusCode::OK
        );
        let made = person.call("POST", "/v1/contacts", &contact).await;
        assert_eq!(
            made.status == StatusCode::FORBIDDEN,
            !manages,
            "{role:?}: {made:?}"
        );
    }
    // A key that comes along goes first, and needs no proof.
    let agent = signed_in(&house, Role::Agent).await;
    let request = axum::http::Request::get("/v1/me")
        .header("cookie", agent.cookie.as_deref().unwrap())
        .header("authorization", format!("Bearer {LIVE}"))
        .body(Body::empty())
        .unwrap();
    assert_eq!(house.request(request).await.json["apiKey"]["name"], LIVE);
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_unused_after_twelve_hours_and_altogether_after_thirty_days() {
    let house = House::new().await;
    staff(&house).await;
    let idle = signed_in(&house, Role::Agent).await;
    sleep(Millis::hours(12)).await;
    let answer = idle.bare("GET", "/ui/v1/session").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        idle.bare("GET", "/v1/me").await.status,
        StatusCode::UNAUTHORIZED
    );
    let busy = signed_in(&house, Role::Agent).await;
    for _ in 0..65 {
        sleep(Millis::hours(11)).await;
        let answer = busy.bare("GET", "/ui/v1/session").await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    sleep(Millis::hours(5)).await;
    let answer = busy.bare("GET", "/ui/v1/session").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "30 days");
}

#[tokio::test(start_paused = true)]
async fn who_stays_signed_in_has_thirty_days_of_rest() {
    let house = House::new().await;
    staff(&house).await;
    let mut phone = browser(&house);
    let login = json!({"email": "agent@example.com", "password": PASSWORD, "stay": true});
    let answer = phone.call("POST", "/ui/v1/login", &login).await;
    assert!(answer.header("set-cookie").contains("; Max-Age=15552000"));
    phone.remember(&answer);
    for _ in 0..6 {
        advance(Millis::days(29).to_duration()).await;
        assert_eq!(
            phone.bare("GET", "/ui/v1/session").await.status,
            StatusCode::OK
        );
    }
    advance(Millis::days(7).to_duration()).await;
    let answer = phone.bare("GET", "/ui/v1/session").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "180 days");
}

#[tokio::test(start_paused = true)]
async fn signing_out_ends_the_session_and_takes_the_cookie() {
    let house = House::new().await;
    staff(&house).await;
    let ana = signed_in(&house, Role::Owner).await;
    let out = ana.bare("POST", "/ui/v1/logout").await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert!(
        out.header("set-cookie").contains("__Host-tandem=; ")
            && out.header("set-cookie").contains("Max-Age=0")
    );
    let answer = ana.bare("GET", "/ui/v1/session").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(start_paused = true)]
async fn one_sees_and_ends_ones_own_sessions_only() {
    let house = House::new().await;
    staff(&house).await;
    let phone = signed_in(&house, Role::Agent).await;
    sleep(Millis::minutes(1)).await;
    let desk = signed_in(&house, Role::Agent).await;
    let owner = signed_in(&house, Role::Owner).await;
    let list = desk.bare("GET", "/ui/v1/sessions").await;
    let items = list.json["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(items[0]["isCurrent"], true);
    assert_eq!(items[1]["isCurrent"], false);
    assert_eq!(items[1]["agent"], "Firefox/140");
    let path = format!("/ui/v1/sessions/{}", items[1]["id"].as_str().unwrap());
    assert_eq!(
        owner.bare("DELETE", &path).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        desk.bare("DELETE", &path).await.status,
        StatusCode::NO_CONTENT
    );
    let gone = phone.bare("GET", "/ui/v1/session").await;
    assert_eq!(gone.status, StatusCode::UNAUTHORIZED);
    let wrong = desk.bare("DELETE", "/ui/v1/sessions/ses_x").await;
    assert_eq!(wrong.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn a_password_is_changed_by_who_knows_it_and_other_browsers_are_signed_out() {
    let house = House::new().await;
    staff(&house).await;
    let phone = signed_in(&house, Role::Agent).await;
    let desk = signed_in(&house, Role::Agent).await;
    let change = |current: &str, new: &str| json!({"current": current, "new": new});
    for (body, field) in [
        (change("wrong", "another good one"), "current"),
        (change(PASSWORD, "short"), "new"),
        (change(PASSWORD, "agent@example.com"), "new"),
    ] {
        let answer = desk.call("POST", "/ui/v1/password", &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.wrong_fields(), [field], "{body}");
    }
    let good = change(PASSWORD, "another good one");
    let answer = desk.call("POST", "/ui/v1/password", &good).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");
    assert_eq!(
        desk.bare("GET", "/ui/v1/session").await.status,
        StatusCode::OK
    );
    let other = phone.bare("GET", "/ui/v1/session").await;
    assert_eq!(other.status, StatusCode::UNAUTHORIZED);
    let old = browser(&house).sign_in("agent@example.com", PASSWORD).await;
    assert_eq!(old.status, StatusCode::UNAUTHORIZED);
    let new = browser(&house)
        .sign_in("agent@example.com", "another good one")
        .await;
    assert_eq!(new.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_role_manages_users_of_its_own_and_lower_ones() {
    let house = House::new().await;
    staff(&house).await;
    let new = |role: &str, nth: usize| json!({"email": format!("{nth}@example.com"), "name": "New", "role": role});
    for (role, may) in [
        (Role::Owner, &["owner", "admin", "agent"][..]),
        (Role::Admin, &["admin", "agent"]),
        (Role::Agent, &[]),
    ] {
        let person = signed_in(&house, role).await;
        let list = person.bare("GET", "/ui/v1/users").await;
        assert_eq!(list.status == StatusCode::OK, role != Role::Agent);
        for (nth, other) in ["owner", "admin", "agent"].into_iter().enumerate() {
            let body = new(other, nth + 10 * (1 + role as usize));
            let made = person.call("POST", "/ui/v1/users", &body).await;
            let want = if may.contains(&other) {
                StatusCode::CREATED
            } else {
                StatusCode::FORBIDDEN
            };
            assert_eq!(made.status, want, "{role:?} makes {other}: {made:?}");
        }
    }
    let admin = signed_in(&house, Role::Admin).await;
    let owner = format!("/ui/v1/users/{}", UserId::from_key(1));
    for (method, path) in [
        ("PATCH", owner.clone()),
        ("DELETE", owner.clone()),
        ("POST", format!("{owner}/link")),
    ] {
        let answer = admin.call(method, &path, &json!({"role": "agent"})).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method}");
    }
    let agent = format!("/ui/v1/users/{}", UserId::from_key(3));
    let raised = admin.call("PATCH", &agent, &json!({"role": "owner"})).await;
    assert_eq!(raised.status, StatusCode::FORBIDDEN);
}

#[tokio::test(start_paused = true)]
async fn a_user_is_added_by_a_link_that_works_once() {
    let house = House::new().await;
    staff(&house).await;
    let owner = signed_in(&house, Role::Owner).await;
    let new = json!({"email": "Ion@Example.com", "name": " Ion ", "role": "agent"});
    let made = owner.call("POST", "/ui/v1/users", &new).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    assert_eq!(made.json["user"]["email"], "ion@example.com");
    assert_eq!(made.json["user"]["name"], "Ion");
    assert_eq!(made.json["user"]["hasPassword"], false);
    let link = made.json["link"].as_str().unwrap();
    let token = link
        .strip_prefix("https://msg.example.com/#/welcome/")
        .unwrap();
    let ion = browser(&house);
    let whose = ion
        .call("POST", "/ui/v1/password-link", &json!({"token": token}))
        .await;
    assert_eq!(
        whose.json,
        json!({"email": "ion@example.com", "name": "Ion"})
    );
    let path = "/ui/v1/password-link/use";
    let weak = json!({"token": token, "password": "short"});
    let answer = ion.call("POST", path, &weak).await;
    assert_eq!(answer.wrong_fields(), ["password"]);
    let good = json!({"token": token, "password": PASSWORD});
    let used = ion.call("POST", path, &good).await;
    assert_eq!(used.status, StatusCode::NO_CONTENT, "{used:?}");
    let again = ion.call("POST", path, &good).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    let signed_in = browser(&house).sign_in("ion@example.com", PASSWORD).await;
    assert_eq!(signed_in.status, StatusCode::OK);
    let twice = owner.call("POST", "/ui/v1/users", &new).await;
    assert_eq!(twice.status, StatusCode::CONFLICT);
    assert_eq!(twice.wrong_fields(), ["email"]);
    let wrong = json!({"email": "x", "name": " ", "role": "boss"});
    let answer = owner.call("POST", "/ui/v1/users", &wrong).await;
    assert_eq!(answer.wrong_fields(), ["email", "name", "role"]);
}

#[tokio::test(start_paused = true)]
async fn a_link_that_is_over_shows_nobody() {
    let house = House::new().await;
    add(&house, 1, PROJECT, Role::Owner, "a@example.com").await;
    let link = UserChange::Link {
        project: PROJECT,
        user: UserId::from_key(1),
        hash: api::hash_key("token"),
        expires_at: house.engine.now().plus(Millis::seconds(1)),
    };
    apply(&house, link).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let body = json!({"token": "token", "password": PASSWORD});
    for path in ["/ui/v1/password-link", "/ui/v1/password-link/use"] {
        let answer = browser(&house).call("POST", path, &body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_disabled_or_removed_is_out_at_once_and_the_last_owner_stays() {
    let house = House::new().await;
    staff(&house).await;
    let owner = signed_in(&house, Role::Owner).await;
    let agent = signed_in(&house, Role::Agent).await;
    let path = |key: i64| format!("/ui/v1/users/{}", UserId::from_key(key));
    let disabled = owner
        .call("PATCH", &path(3), &json!({"isDisabled": true}))
        .await;
    assert_eq!(disabled.json["isDisabled"], true, "{disabled:?}");
    let out = agent.bare("GET", "/v1/me").await;
    assert_eq!(out.status, StatusCode::UNAUTHORIZED);
    let again = browser(&house)
        .sign_in(&address(Role::Agent), PASSWORD)
        .await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED);
    for (method, body) in [
        ("PATCH", json!({"isDisabled": true})),
        ("PATCH", json!({"role": "agent"})),
        ("DELETE", Value::Null),
    ] {
        let answer = owner.call(method, &path(1), &body).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{method} {body}");
    }
    let removed = owner.bare("DELETE", &path(3)).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    let unknown = owner.bare("DELETE", &path(3)).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn another_projects_users_are_as_unknown_as_invented_ones() {
    let house = House::new().await;
    staff(&house).await;
    add(&house, 20, ProjectKey(2), Role::Agent, "far@example.com").await;
    choose(&house, 20, "far").await;
    let owner = signed_in(&house, Role::Owner).await;
    let path = format!("/ui/v1/users/{}", UserId::from_key(20));
    for (method, path) in [
        ("PATCH", path.clone()),
        ("DELETE", path.clone()),
        ("POST", format!("{path}/link")),
    ] {
        let answer = owner.call(method, &path, &json!({"name": "x"})).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method}");
    }
    let list = owner.bare("GET", "/ui/v1/users").await;
    assert!(!list.json.to_string().contains("far@"));
    // And a project that is in no configuration any more lets nobody in.
    add(&house, 21, ProjectKey(7), Role::Owner, "lost@example.com").await;
    choose(&house, 21, "lost").await;
    let mut lost = browser(&house);
    let answer = lost.sign_in("lost@example.com", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_changes_counts_for_sessions_that_are_open() {
    let house = House::new().await;
    staff(&house).await;
    let admin = signed_in(&house, Role::Admin).await;
    assert_eq!(
        admin.bare("GET", "/ui/v1/users").await.status,
        StatusCode::OK
    );
    let edit = UserEdit {
        project: PROJECT,
        id: UserId::from_key(2),
        name: None,
        role: Some(Role::Agent),
        is_disabled: None,
        at: house.engine.now(),
    };
    apply(&house, UserChange::Edit(edit)).await;
    let list = admin.bare("GET", "/ui/v1/users").await;
    assert_eq!(list.status, StatusCode::FORBIDDEN);
}

mod push {
    //! R-PHONE-2: browsers that want to be rung.

    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    /// The browser of RFC 8291's example.
    fn subscription(endpoint: &str) -> Value {
        json!({"endpoint": endpoint, "expirationTime": null, "keys": {
            "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        }})
    }

    const PATH: &str = "/ui/v1/push/subscription";

    #[tokio::test(start_paused = true)]
    async fn a_browser_is_rung_with_a_sealed_note_until_it_is_gone() {
        let house = House::new().await;
        staff(&house).await;
        let ana = signed_in(&house, Role::Agent).await;
        let key = ana.bare("GET", "/ui/v1/push/key").await;
        let key = key.json["publicKey"].as_str().unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(key).unwrap().len(), 65);
        let again = signed_in(&house, Role::Owner).await;
        let again = again.bare("GET", "/ui/v1/push/key").await;
        assert_eq!(again.json["publicKey"], key, "made once");
        let endpoint = "https://push.example/abc";
        let kept = ana.call("PUT", PATH, &subscription(endpoint)).await;
        assert_eq!(kept.status, StatusCode::NO_CONTENT, "{kept:?}");
        let rung = ana.bare("POST", "/ui/v1/push/test").await;
        assert_eq!(rung.json, json!({"sent": 1}));
        let letter = house.pushes.rung.lock().pop().unwrap();
        assert_eq!(&*letter.url, endpoint);
        let header = |name: &str| {
            let found = letter.headers.iter().find(|it| it.0 == name);
            found.map_or("", |it| it.1.as_str()).to_owned()
        };
        assert!(header("authorization").starts_with("vapid t="));
        assert!(header("authorization").ends_with(&format!(", k={key}")));
        assert_eq!(header("content-encoding"), "aes128gcm");
        assert_eq!(header("urgency"), "high");
        assert_eq!(header("ttl"), "3600");
        assert!(!letter.body.windows(4).any(|it| it == b"test"), "sealed");
        *house.pushes.status.lock() = Some(410);
        let gone = ana.bare("POST", "/ui/v1/push/test").await;
        assert_eq!(gone.json, json!({"sent": 0}));
        house.pushes.rung.lock().clear();
        ana.bare("POST", "/ui/v1/push/test").await;
        assert!(house.pushes.rung.lock().is_empty(), "forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn a_browser_is_rung_no_more_when_it_says_so_or_signs_out() {
        let house = House::new().await;
        staff(&house).await;
        let ana = signed_in(&house, Role::Agent).await;
        let other = signed_in(&house, Role::Owner).await;
        let endpoint = json!({"endpoint": "https://push.example/a"});
        ana.call("PUT", PATH, &subscription("https://push.example/a"))
            .await;
        other.call("DELETE", PATH, &endpoint).await;
        let rung = ana.bare("POST", "/ui/v1/push/test").await;
        assert_eq!(rung.json["sent"], 1, "others cannot take it away");
        ana.call("DELETE", PATH, &endpoint).await;
        let rung = ana.bare("POST", "/ui/v1/push/test").await;
        assert_eq!(rung.json["sent"], 0);
        ana.call("PUT", PATH, &subscription("https://push.example/a"))
            .await;
        ana.bare("POST", "/ui/v1/logout").await;
        let ana = signed_in(&house, Role::Agent).await;
        let rung = ana.bare("POST", "/ui/v1/push/test").await;
        assert_eq!(rung.json["sent"], 0, "it went with its session");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_subscription_is_named() {
        let house = House::new().await;
        staff(&house).await;
        let ana = signed_in(&house, Role::Agent).await;
        for endpoint in [
            "http://push.example/a",
            "https://u:p@push.example/",
            "x",
            "",
        ] {
            let answer = ana.call("PUT", PATH, &subscription(endpoint)).await;
            assert_eq!(answer.wrong_fields(), ["endpoint"], "{endpoint}");
        }
        let mut keyless = subscription("https://push.example/a");
        keyless["keys"]["auth"] = json!("AAAA");
        let answer = ana.call("PUT", PATH, &keyless).await;
        assert_eq!(answer.wrong_fields(), ["keys"]);
    }
}
