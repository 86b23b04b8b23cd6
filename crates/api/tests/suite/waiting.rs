//! R-PHONE-2: the pages list what waits for somebody's phone; one person has a message at a time.

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use domain::model::content::Content;
use domain::model::quota::{Period, Quota, QuotaUnit, Quotas};
use domain::model::user::Role;
use domain::time::Millis;
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::conversations::{ANA, on_whatsapp};
use crate::house::{Answer, House, REFUSED_ON_WHATSAPP, TEST, WHATSAPP};
use crate::pages::{Browser, browser, signed_in, staff};

/// A house whose project may send nothing by itself.
async fn silent_house() -> House {
    let nothing = Quota {
        per: Period::Month,
        unit: QuotaUnit::Messages,
        limit: 0,
    };
    let house = House::with_quotas(Quotas::NONE, Quotas::new([nothing])).await;
    staff(&house).await;
    house
}

async fn text_to(house: &House, number: &str) -> String {
    let body = json!({"to": number, "text": "See you at 5", "channel": "sms"});
    house.send(&body).await
}

async fn does(browser: &Browser<'_>, id: &str, what: &str) -> Answer {
    let path = format!("/ui/v1/waiting/{id}/{what}");
    browser.call("POST", &path, &Value::Null).await
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_listed_with_all_that_a_person_needs() {
    let house = silent_house().await;
    let id = text_to(&house, "+40712345678").await;
    let agent = signed_in(&house, Role::Agent).await;
    let list = agent.bare("GET", "/ui/v1/waiting").await;
    assert_eq!(list.status, StatusCode::OK, "{list:?}");
    let item = &list.json["items"][0];
    assert_eq!(item["id"], id.as_str());
    assert_eq!(item["to"], "+40712345678");
    assert_eq!(item["text"], "See you at 5");
    assert!(item["senderName"].is_string(), "{item}");
    assert!(item.get("claimedBy").is_none(), "{item}");
    let stranger = browser(&house).bare("GET", "/ui/v1/waiting").await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(start_paused = true)]
async fn one_person_takes_it_says_that_it_was_sent_and_it_is() {
    let house = silent_house().await;
    let id = text_to(&house, "+40712345678").await;
    let agent = signed_in(&house, Role::Agent).await;
    let owner = signed_in(&house, Role::Owner).await;
    let claimed = does(&agent, &id, "claim").await;
    assert_eq!(claimed.status, StatusCode::OK, "{claimed:?}");
    assert_eq!(claimed.json["item"]["id"], id.as_str());
    assert!(claimed.json["claim"]["until"].is_string(), "{claimed:?}");

    let taken = does(&owner, &id, "claim").await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    assert_eq!(taken.json["code"], "claimed");
    assert_eq!(taken.json["details"]["by"]["name"], "The agent");
    let list = owner.bare("GET", "/ui/v1/waiting").await;
    assert_eq!(list.json["items"][0]["claimedBy"]["name"], "The agent");
    let not_hers = does(&owner, &id, "sent").await;
    assert_eq!(not_hers.status, StatusCode::CONFLICT);
    assert_eq!(not_hers.json["code"], "conflict");

    let sent = does(&agent, &id, "sent").await;
    assert_eq!(sent.status, StatusCode::NO_CONTENT, "{sent:?}");
    let message = house.get(&format!("/v1/messages/{id}")).await;
    assert_eq!(message.json["message"]["status"], "sent", "{message:?}");
    let routing = house.get(&format!("/v1/messages/{id}/routing")).await;
    assert!(
        routing.json.to_string().contains("phone:agent"),
        "{routing:?}"
    );
    let again = does(&agent, &id, "sent").await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    let list = agent.bare("GET", "/ui/v1/waiting").await;
    assert_eq!(list.json["items"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn what_is_given_back_or_held_too_long_waits_for_anybody() {
    let house = silent_house().await;
    let id = text_to(&house, "+40712345678").await;
    let agent = signed_in(&house, Role::Agent).await;
    let owner = signed_in(&house, Role::Owner).await;
    does(&agent, &id, "claim").await;
    let released = does(&agent, &id, "release").await;
    assert_eq!(released.status, StatusCode::NO_CONTENT, "{released:?}");
    let claimed = does(&owner, &id, "claim").await;
    assert_eq!(claimed.status, StatusCode::OK, "{claimed:?}");
    tokio::time::sleep(Millis::minutes(11).to_duration()).await;
    let claimed = does(&agent, &id, "claim").await;
    assert_eq!(claimed.status, StatusCode::OK, "{claimed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_not_there_or_does_not_wait_is_refused() {
    let house = silent_house().await;
    let mut agent = signed_in(&house, Role::Agent).await;
    for id in ["msg_0000000000001", "nonsense"] {
        let answer = does(&agent, id, "claim").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{id}");
    }
    let id = text_to(&house, "+40712345678").await;
    agent.csrf.clear();
    let unproven = does(&agent, &id, "claim").await;
    assert_eq!(unproven.status, StatusCode::FORBIDDEN, "{unproven:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_takes_what_goes_to_a_person_who_opted_out() {
    let house = silent_house().await;
    let id = text_to(&house, "+40712345678").await;
    let contacts = house.get("/v1/contacts").await;
    let contact = contacts.json["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/contacts/{contact}/opt-out");
    let opted_out = house.post(&path, &json!({})).await;
    assert!(opted_out.status.is_success(), "{opted_out:?}");
    let agent = signed_in(&house, Role::Agent).await;
    let answer = does(&agent, &id, "claim").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{answer:?}");
    assert_eq!(answer.json["code"], "recipient_opted_out");
}

#[tokio::test(start_paused = true)]
async fn who_had_what_an_opt_out_stopped_is_told_of_it() {
    let house = silent_house().await;
    let id = text_to(&house, ANA).await;
    let agent = signed_in(&house, Role::Agent).await;
    does(&agent, &id, "claim").await;
    let contact = house.get(&format!("/v1/contacts/phone/{ANA}")).await;
    let contact = contact.json["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/contacts/{contact}/opt-out");
    house.post(&path, &json!({})).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let late = does(&agent, &id, "sent").await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{late:?}");
    let words = late.json["message"].as_str().unwrap();
    assert!(words.contains("opted out"), "{words}");
    let message = house.get(&format!("/v1/messages/{id}")).await.json;
    assert_eq!(message["message"]["status"], "failed");
    assert_eq!(message["message"]["errorCode"], "recipient_opted_out");
}

#[tokio::test(start_paused = true)]
async fn who_is_signed_in_may_send_from_their_own_phone_and_a_key_may_not() {
    let house = House::new().await;
    staff(&house).await;
    let body = json!({"to": "+40712345678", "text": "On my way", "fromMyPhone": true});
    let by_key = house.post("/v1/messages", &body).await;
    assert_eq!(by_key.wrong_fields(), ["fromMyPhone"], "{by_key:?}");
    let agent = signed_in(&house, Role::Agent).await;
    let sent = agent.call("POST", "/v1/messages", &body).await;
    assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
    let id = sent.json["message"]["id"].as_str().unwrap().to_owned();
    let list = agent.bare("GET", "/ui/v1/waiting").await;
    assert_eq!(list.json["items"][0]["id"], id.as_str());
    assert_eq!(list.json["items"][0]["claimedBy"]["name"], "The agent");
    let done = does(&agent, &id, "sent").await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{done:?}");

    let on_whatsapp = json!({
        "to": "+40712345678", "text": "On my way", "fromMyPhone": true, "channel": "whatsapp"
    });
    let refused = agent.call("POST", "/v1/messages", &on_whatsapp).await;
    assert_eq!(refused.wrong_fields(), ["fromMyPhone"], "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn the_newest_of_very_many_is_taken_listed_and_sent() {
    let house = silent_house().await;
    for no in 0..202 {
        // Each another text: the same to many would be bulk.
        let to = format!("+40712345{no:03}");
        let body = json!({"to": to, "text": format!("See you at {no}"), "channel": "sms"});
        house.send(&body).await;
    }
    let id = text_to(&house, "+40712346000").await;
    let agent = signed_in(&house, Role::Agent).await;
    let claimed = does(&agent, &id, "claim").await;
    assert_eq!(claimed.status, StatusCode::OK, "{claimed:?}");
    assert_eq!(claimed.json["item"]["id"], id.as_str());
    let list = agent.bare("GET", "/ui/v1/waiting").await.json;
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 200);
    assert!(items.iter().any(|it| it["id"] == id.as_str()));
    assert_eq!(list["more"], true);
    let sent = does(&agent, &id, "sent").await;
    assert_eq!(sent.status, StatusCode::NO_CONTENT, "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_test_key_sends_is_offered_to_nobody() {
    let house = silent_house().await;
    let body = json!({"to": ANA, "text": "See you at 5", "channel": "sms"});
    let test = house
        .call(TEST, "POST", "/v1/messages", body.to_string())
        .await;
    assert_eq!(test.status, StatusCode::ACCEPTED, "{test:?}");
    let id = test.json["message"]["id"].as_str().unwrap().to_owned();
    let agent = signed_in(&house, Role::Agent).await;
    let list = agent.bare("GET", "/ui/v1/waiting").await;
    assert_eq!(list.json["items"], json!([]));
    for what in ["claim", "sent"] {
        let refused = does(&agent, &id, what).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{what}: {refused:?}");
    }
}

/// The names of what a stream of the pages tells while this is done.
async fn told_while(
    browser: &Browser<'_>,
    house: &House,
    work: impl Future<Output = ()>,
) -> String {
    let request = browser.request("GET", "/ui/v1/waiting/events");
    let response = house.response(request.body(Body::empty()).unwrap()).await;
    let mut body = response.into_body().into_data_stream();
    work.await;
    let mut text = String::new();
    while let Ok(Some(chunk)) = tokio::time::timeout(Duration::from_secs(1), body.next()).await {
        text += std::str::from_utf8(&chunk.unwrap()).unwrap();
    }
    let names = text.lines().filter_map(|it| it.strip_prefix("event: "));
    names.collect::<Vec<_>>().join(" ")
}

#[tokio::test(start_paused = true)]
async fn colleagues_pages_are_told_at_once_what_was_read_and_silenced() {
    let house = House::new().await;
    staff(&house).await;
    let agent = signed_in(&house, Role::Agent).await;
    let owner = signed_in(&house, Role::Owner).await;
    let incoming = on_whatsapp(ANA, "wamid.1", Content::text("Hi there"));
    house.incoming(WHATSAPP, incoming).await;
    let list = house.get("/v1/conversations").await.json;
    let id = list["items"][0]["id"].as_str().unwrap();
    let read = async {
        let path = format!("/v1/conversations/{id}/read");
        let done = owner.call("POST", &path, &Value::Null).await;
        assert_eq!(done.status, StatusCode::OK, "{done:?}");
    };
    assert_eq!(told_while(&agent, &house, read).await, "conversations");
    let silence = async {
        let until = json!({
            "kind": "route_down", "until": "2026-11-23T00:00:00Z", "reason": "it is known"
        });
        let done = owner.call("POST", "/v1/alerts/silences", &until).await;
        assert_eq!(done.status, StatusCode::CREATED, "{done:?}");
    };
    assert_eq!(told_while(&agent, &house, silence).await, "alerts");
}

#[tokio::test(start_paused = true)]
async fn who_may_not_do_something_is_told_so_as_a_person_and_not_as_a_key() {
    let house = House::new().await;
    staff(&house).await;
    let agent = signed_in(&house, Role::Agent).await;
    let path = "/v1/alerts/alr_0000000000001/acknowledge";
    let refused = agent.call("POST", path, &Value::Null).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{refused:?}");
    let words = refused.json["message"].as_str().unwrap();
    assert!(words.contains("role") && !words.contains("key"), "{words}");
}

#[tokio::test(start_paused = true)]
async fn a_message_says_what_it_waits_for_as_long_as_it_has_not_gone() {
    let house = silent_house().await;
    let id = text_to(&house, ANA).await;
    let agent = signed_in(&house, Role::Agent).await;
    let waits = async || {
        let message = house.get(&format!("/v1/messages/{id}")).await.json;
        message["message"]["waits"].clone()
    };
    let by_route = json!({"for": "route", "channel": "sms", "failed": []});
    assert_eq!(waits().await, by_route);
    does(&agent, &id, "claim").await;
    let by_person = json!({"for": "person", "channel": "sms", "failed": []});
    assert_eq!(waits().await, by_person);
    does(&agent, &id, "sent").await;
    assert_eq!(waits().await, Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_failed_on_one_channel_says_so_while_it_waits_for_the_next() {
    let house = House::new().await;
    let to = format!("+40712345{REFUSED_ON_WHATSAPP}");
    house.inbound(WHATSAPP, &to, "Hi").await;
    let sent = house
        .post("/v1/messages", &json!({"to": to, "text": "Hello"}))
        .await;
    let message = &sent.json["message"];
    assert_eq!(message["channel"], "whatsapp", "{sent:?}");
    assert_eq!(message.get("waits"), None, "{sent:?}");
    let id = message["id"].as_str().unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let message = house.get(&format!("/v1/messages/{id}")).await.json;
    let waits = &message["message"]["waits"];
    assert_eq!(*waits, json!({"for": "fallback", "failed": ["whatsapp"]}));
}
