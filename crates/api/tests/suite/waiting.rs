//! R-PHONE-2: the pages list what waits for somebody's phone; one person has a message at a time.

use axum::http::StatusCode;
use domain::model::quota::{Period, Quota, QuotaUnit, Quotas};
use domain::model::user::Role;
use domain::time::Millis;
use serde_json::{Value, json};

use crate::house::{Answer, House};
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
