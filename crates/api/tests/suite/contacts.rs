//! Contacts and their addresses.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::house::{House, LIVE, OTHER_PROJECT};

const PHONE: &str = "+40712345678";

async fn create(house: &House, body: &Value) -> Value {
    let answer = house.post("/v1/contacts", body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    answer.json
}

fn path(contact: &Value) -> String {
    format!("/v1/contacts/{}", contact["id"].as_str().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_contact_is_made_found_changed_and_erased() {
    let house = House::new().await;
    let made = create(
        &house,
        &json!({
            "channels": [
                {"channel": "sms", "identifier": PHONE},
                {"channel": "email", "identifier": "maria@example.com", "label": "work"},
            ],
            "displayName": "Maria", "metadata": {"tier": "gold"}, "colour": "red",
        }),
    )
    .await;
    assert_eq!(made["displayName"], "Maria");
    assert_eq!(
        (&made["primaryPhone"], &made["phoneNumber"]),
        (&json!(PHONE), &json!(PHONE))
    );
    assert_eq!(made["primaryEmail"], "maria@example.com");
    assert_eq!(made["countryCode"], "RO");
    assert_eq!(
        made["availableChannels"],
        json!(["sms", "whatsapp", "email"])
    );
    assert_eq!(made["metadata"], json!({"tier": "gold"}));
    assert_eq!(made["channelMetrics"], json!({}));
    assert_eq!(made["warnings"][0]["path"], json!(["colour"]));
    let at = path(&made);
    for found in [at.clone(), format!("/v1/contacts/phone/{PHONE}")] {
        assert_eq!(house.get(&found).await.json["id"], made["id"], "{found}");
        let other = house.call(OTHER_PROJECT, "GET", &found, "").await;
        assert_eq!(other.status, StatusCode::NOT_FOUND, "{found}");
    }
    let changes = json!({"displayName": null, "defaultChannel": "email"});
    let changed = house
        .call(LIVE, "PATCH", &at, changes.to_string())
        .await
        .json;
    assert_eq!(changed.get("displayName"), None);
    assert_eq!(changed["defaultChannel"], "email");
    assert_eq!(
        changed["metadata"],
        json!({"tier": "gold"}),
        "absent means unchanged"
    );
    let unchanged = house.call(LIVE, "PATCH", &at, "{}").await;
    assert_eq!(unchanged.status, StatusCode::OK);
    let gone = house.call(LIVE, "DELETE", &at, "").await;
    assert_eq!(
        (gone.status, gone.json),
        (StatusCode::NO_CONTENT, json!(""))
    );
    for method in ["GET", "DELETE"] {
        assert_eq!(
            house.call(LIVE, method, &at, "").await.status,
            StatusCode::NOT_FOUND
        );
    }
}

#[tokio::test(start_paused = true)]
async fn wrong_fields_of_a_contact_are_named() {
    let house = House::new().await;
    let made = create(
        &house,
        &json!({"channels": [{"channel": "sms", "identifier": PHONE}]}),
    )
    .await;
    let at = path(&made);
    let channel = json!({"channel": "sms", "identifier": "+40712345679"});
    let twenty_one = vec![channel; 21];
    for (method, path, body, fields) in [
        ("POST", "/v1/contacts", json!({}), vec!["channels"]),
        (
            "POST",
            "/v1/contacts",
            json!({"channels": twenty_one}),
            vec!["channels"],
        ),
        (
            "POST",
            "/v1/contacts",
            json!({"channels": [{"channel": "fax", "identifier": "x"}]}),
            vec!["channels.0.channel"],
        ),
        (
            "POST",
            "/v1/contacts",
            json!({"channels": [{"channel": "sms", "identifier": PHONE}]}),
            vec!["channels.0.identifier"],
        ),
        (
            "PATCH",
            &at,
            json!({"defaultChannel": "fax"}),
            vec!["defaultChannel"],
        ),
        (
            "PATCH",
            &at,
            json!({"displayName": "x".repeat(201)}),
            vec!["displayName"],
        ),
        (
            "PATCH",
            &at,
            json!({"metadata": {"a": 1}}),
            vec!["metadata.a"],
        ),
        (
            "POST",
            &format!("{at}/merge"),
            json!({}),
            vec!["sourceContactId"],
        ),
        (
            "POST",
            &format!("{at}/merge"),
            json!({"sourceContactId": made["id"]}),
            vec!["sourceContactId"],
        ),
        (
            "POST",
            &format!("{at}/channels"),
            json!({"channel": "email", "identifier": "x"}),
            vec!["identifier"],
        ),
        (
            "POST",
            &format!("{at}/channels"),
            json!({"channel": "email", "identifier": "bücher@example.com"}),
            vec!["identifier"],
        ),
        (
            "POST",
            &format!("{at}/channels"),
            json!({"channel": "sms", "identifier": PHONE}),
            vec!["identifier"],
        ),
    ] {
        let answer = house.call(LIVE, method, path, body.to_string()).await;
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "{method} {path} {body}: {answer:?}"
        );
        assert_eq!(answer.wrong_fields(), fields, "{method} {path} {body}");
    }
}

#[tokio::test(start_paused = true)]
async fn addresses_are_added_changed_preferred_and_removed() {
    let house = House::new().await;
    let made = create(
        &house,
        &json!({"channels": [{"channel": "email", "identifier": "a@example.com"}]}),
    )
    .await;
    let at = path(&made);
    let first = format!(
        "{at}/channels/{}",
        made["channels"][0]["id"].as_str().unwrap()
    );
    let answer = house.call(LIVE, "DELETE", &first, "").await;
    assert_eq!(
        (answer.status, &answer.json["code"]),
        (StatusCode::BAD_REQUEST, &json!("bad_request"))
    );
    let body = json!({"channel": "email", "identifier": "b@example.com"});
    let added = house.post(&format!("{at}/channels"), &body).await;
    assert_eq!(added.status, StatusCode::CREATED, "{added:?}");
    let channel = &added.json["channel"];
    assert_eq!(
        (&channel["identifier"], &channel["isPrimary"]),
        (&json!("b@example.com"), &json!(false))
    );
    assert_eq!(
        channel["metrics"],
        json!({"successCount": 0, "failureCount": 0, "totalAttempts": 0})
    );
    let second = format!("{at}/channels/{}", channel["id"].as_str().unwrap());
    let changed = house
        .call(
            LIVE,
            "PATCH",
            &second,
            json!({"label": "home", "verified": true}).to_string(),
        )
        .await;
    assert_eq!(
        (
            &changed.json["channel"]["label"],
            &changed.json["channel"]["verified"]
        ),
        (&json!("home"), &json!(true))
    );
    // No body, and yet a content type, as the Python client sends it.
    let preferred = house
        .call(LIVE, "POST", &format!("{second}/primary"), "")
        .await;
    assert_eq!(
        preferred.json["channel"]["isPrimary"], true,
        "{preferred:?}"
    );
    assert_eq!(house.get(&at).await.json["primaryEmail"], "b@example.com");
    assert_eq!(
        house.call(LIVE, "DELETE", &first, "").await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        house.call(LIVE, "DELETE", &first, "").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        house.get(&at).await.json["channels"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_merged_contact_is_gone_and_its_addresses_are_not() {
    let house = House::new().await;
    let target = create(
        &house,
        &json!({"channels": [{"channel": "sms", "identifier": PHONE}]}),
    )
    .await;
    let source = create(
        &house,
        &json!({"channels": [{"channel": "email", "identifier": "a@example.com"}]}),
    )
    .await;
    let body = json!({"sourceContactId": source["id"]});
    let merged = house.post(&format!("{}/merge", path(&target)), &body).await;
    assert_eq!(merged.status, StatusCode::OK, "{merged:?}");
    assert_eq!(merged.json["id"], target["id"]);
    assert_eq!(merged.json["primaryEmail"], "a@example.com");
    assert_eq!(
        house.get(&path(&source)).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test(start_paused = true)]
async fn a_message_makes_its_contact_and_counts_for_it() {
    let house = House::new().await;
    house.send(&json!({"to": PHONE, "text": "x"})).await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let contact = house.get(&format!("/v1/contacts/phone/{PHONE}")).await.json;
    assert_eq!(
        contact["channelMetrics"]["sms"]["successCount"], 1,
        "{contact:#}"
    );
    assert_eq!(contact["channelMetrics"].get("whatsapp"), None);
    let found = house.get("/v1/contacts?search=345678&limit=1").await.json;
    assert_eq!(found["items"][0]["id"], contact["id"]);
    let found = house
        .get("/v1/contacts?phoneNumber=%2B40712345678")
        .await
        .json;
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
}
