//! R-IN-2 by the API: who is opted out, of whom, and who said so.

use axum::http::StatusCode;
use serde_json::json;

use crate::conversations::{ANA, items, settle, text_of};
use crate::house::{House, LIVE, NO_CLASS, OTHER_PROJECT, SMS};

#[tokio::test(start_paused = true)]
async fn a_person_who_writes_stop_is_opted_out_until_start() {
    let house = House::new().await;
    house.inbound(SMS, ANA, "STOP").await;
    settle().await;
    let refused = house
        .post("/v1/messages", &json!({"to": ANA, "text": "x"}))
        .await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.json["code"], "recipient_opted_out");
    let by_phone = format!("/v1/contacts/phone/{ANA}");
    let contact = house.get(&by_phone).await.json;
    assert_eq!(contact["optedOut"], true);
    // Both send from the number that it was said to.
    assert_eq!(contact["optedOutSenders"], json!(["support", "alerts"]));
    let conversation = house.get("/v1/conversations").await;
    assert_eq!(items(&conversation)[0]["optedOut"], true);
    // The confirmation is a message like any other to look at.
    assert_eq!(items(&conversation)[0]["messageCount"], 2);
    let said = text_of(&items(&conversation)[0]["lastMessage"], "text").to_owned();
    assert!(
        said.starts_with("You will get no more messages from Acme support"),
        "{said}"
    );
    let path = format!("/v1/contacts/{}/consent", text_of(&contact, "id"));
    let history = house.get(&path).await;
    let stopped = |sender: &str| {
        json!({
            "senderId": sender, "optedOut": true, "scope": "everything", "source": "keyword",
            "channel": "sms", "wording": "STOP", "at": "2026-11-22T10:00:00.000Z",
        })
    };
    let want = json!({"items": [stopped("support"), stopped("alerts")]});
    assert_eq!(history.json, want);
    house.inbound(SMS, ANA, "start").await;
    assert_eq!(house.get(&by_phone).await.json["optedOut"], false);
    house.send(&json!({"to": ANA, "text": "x"})).await;
}

#[tokio::test(start_paused = true)]
async fn a_caller_opts_a_contact_out_and_in() {
    let house = House::new().await;
    house.send(&json!({"to": ANA, "text": "x"})).await;
    let contact = house.get(&format!("/v1/contacts/phone/{ANA}")).await.json;
    let path = |end: &str| format!("/v1/contacts/{}/{end}", text_of(&contact, "id"));
    let one = json!({"senderId": "alerts", "reason": "asked by phone", "y": 1});
    let out = house.post(&path("opt-out"), &one).await;
    assert_eq!(out.status, StatusCode::OK, "{out:?}");
    assert_eq!(out.json["optedOutSenders"], json!(["alerts"]));
    assert_eq!(out.ignored_fields(), ["y"]);
    house.send(&json!({"to": ANA, "text": "x"})).await;
    // Without a body: from every sender.
    let out = house.call(LIVE, "POST", &path("opt-out"), "").await;
    assert_eq!(out.json["optedOutSenders"], json!(["support", "alerts"]));
    let refused = house
        .post("/v1/messages", &json!({"to": ANA, "text": "x"}))
        .await;
    assert_eq!(refused.json["code"], "recipient_opted_out");
    let again = house.call(LIVE, "POST", &path("opt-in"), "{}").await;
    assert_eq!(again.json["optedOut"], false);
    house.send(&json!({"to": ANA, "text": "x"})).await;
    let history = house.get(&path("consent?senderId=alerts")).await;
    // One change was about it, two were about all.
    assert_eq!(items(&history).len(), 3);
    assert_eq!(items(&history)[0]["wording"], "asked by phone");
    assert_eq!(items(&history)[0]["senderId"], "alerts");
    assert_eq!(items(&history)[1].get("senderId"), None);
    let history = house.get(&path("consent?senderId=support")).await;
    assert_eq!(items(&history).len(), 2);

    let promotions = json!({"scope": "promotions"});
    let out = house.post(&path("opt-out"), &promotions).await;
    assert_eq!(out.json["optedOut"], false);
    let sale = json!({"to": ANA, "text": "sale", "category": "promotional"});
    let refused = house.post("/v1/messages", &sale).await;
    assert_eq!(refused.json["code"], "recipient_opted_out");
    house.send(&json!({"to": ANA, "text": "x"})).await;

    for (body, field) in [
        (json!({"senderId": "nobody"}), "senderId"),
        (json!({"scope": "some"}), "scope"),
        (json!({"reason": "x".repeat(501)}), "reason"),
    ] {
        let refused = house.post(&path("opt-out"), &body).await;
        assert_eq!(refused.wrong_fields(), [field]);
    }
    let refused = house.call(NO_CLASS, "POST", &path("opt-out"), "").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    for end in ["opt-out", "opt-in", "consent"] {
        let method = if end == "consent" { "GET" } else { "POST" };
        let missing = house.call(OTHER_PROJECT, method, &path(end), "").await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND, "{end}");
    }
}

/// Sends a text from a sender by its id.
async fn send_from(house: &House, sender: &str, to: &str) -> StatusCode {
    let body = json!({"to": to, "text": "x"});
    house.call_as_sender(LIVE, sender, &body).await.status
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_is_made_later_is_bound_by_an_opt_out_of_the_project() {
    let house = House::new().await;
    house.send(&json!({"to": ANA, "text": "x"})).await;
    let contact = house.get(&format!("/v1/contacts/phone/{ANA}")).await.json;
    let path = |end: &str| format!("/v1/contacts/{}/{end}", text_of(&contact, "id"));
    let out = house
        .post(&path("opt-out"), &json!({"reason": "by letter"}))
        .await;
    assert_eq!(out.json["optedOutOfAll"], true);
    let made = house
        .post("/v1/senders", &json!({"name": "Tomorrow"}))
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let tomorrow = text_of(&made.json, "id").to_owned();
    assert_eq!(
        send_from(&house, &tomorrow, "+40712345679").await,
        StatusCode::ACCEPTED
    );
    assert_eq!(
        send_from(&house, &tomorrow, ANA).await,
        StatusCode::FORBIDDEN
    );
    let shown = house.get(&format!("/v1/contacts/phone/{ANA}")).await.json;
    let senders = shown["optedOutSenders"].as_array().unwrap();
    assert!(senders.contains(&json!(tomorrow)), "{shown}");

    // In again for one: the others stay as they are.
    let one = json!({"senderId": "alerts"});
    let again = house.post(&path("opt-in"), &one).await;
    assert_eq!(again.json["optedOutOfAll"], true);
    assert_eq!(again.json["optedOutSenders"], json!(["support", tomorrow]));
    assert_eq!(send_from(&house, "alerts", ANA).await, StatusCode::ACCEPTED);
    assert_eq!(
        send_from(&house, &tomorrow, ANA).await,
        StatusCode::FORBIDDEN
    );

    // Erased, the person is a stranger who is left alone.
    let gone = house
        .call(LIVE, "DELETE", path("").trim_end_matches('/'), "")
        .await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(
        send_from(&house, &tomorrow, ANA).await,
        StatusCode::FORBIDDEN
    );
    let missing = house.get(&format!("/v1/contacts/phone/{ANA}")).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    let made = json!({"channels": [{"channel": "sms", "identifier": ANA}]});
    let made = house.post("/v1/contacts", &made).await.json;
    assert_eq!(made["optedOutOfAll"], true);
    let path = format!("/v1/contacts/{}/opt-in", text_of(&made, "id"));
    let again = house.call(LIVE, "POST", &path, "").await;
    assert_eq!(again.json["optedOut"], false);
    assert_eq!(
        send_from(&house, &tomorrow, ANA).await,
        StatusCode::ACCEPTED
    );
}
