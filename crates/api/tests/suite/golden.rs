//! The examples of SPEC §16 that the API shows, word for word.

use std::time::Duration;

use serde_json::{Value, json};

use crate::house::{House, REFUSED_EVERYWHERE, REFUSED_ON_WHATSAPP, WHATSAPP};

/// The message once it has ended and the wait for a second channel is over.
async fn ended(house: &House, id: &str) -> Value {
    tokio::time::sleep(Duration::from_secs(7)).await;
    house.get(&format!("/v1/messages/{id}")).await.json
}

/// Puts fixed words in place of what differs from run to run.
fn without_chance(mut answer: Value) -> Value {
    let message = &mut answer["message"];
    for (field, prefix) in [("id", "msg_"), ("conversationId", "conv_")] {
        assert!(message[field].as_str().unwrap().starts_with(prefix));
        message[field] = json!(format!("{prefix}…"));
    }
    for field in ["createdAt", "updatedAt", "expiresAt"] {
        let text = message[field].as_str().unwrap();
        assert!(text.len() == 24 && text.ends_with('Z'), "{field}: {text}");
        message[field] = json!("…");
    }
    answer
}

#[tokio::test(start_paused = true)]
async fn example_5_whatsapp_fails_and_sms_delivers_five_seconds_later() {
    let house = House::new().await;
    let to = format!("+40712345{REFUSED_ON_WHATSAPP}");
    house.inbound(WHATSAPP, &to, "Hello").await;
    let id = house
        .send(&json!({"to": to, "text": "Your order is ready"}))
        .await;
    let answer = without_chance(ended(&house, &id).await);
    let want = json!({
        "message": {
            "id": "msg_…",
            "to": to,
            "from": "+40700000001",
            "senderId": "support",
            "channel": "sms",
            "messageType": "text",
            "status": "delivered",
            "direction": "outbound",
            "text": "Your order is ready",
            "conversationId": "conv_…",
            "metadata": {},
            "createdAt": "…",
            "updatedAt": "…",
            "cost": 0,
            "costProvider": 0.045,
            "costTotal": 0.045,
            "costEstimated": 0.055,
            "currency": "EUR",
            "errorCode": null,
            "errorMessage": null,
            "attemptedChannels": ["whatsapp", "sms"],
            "route": "gw",
            "fallbackEnabled": true,
            "trafficClass": "direct",
            "category": "transactional",
            "expiresAt": "…",
        },
        "routing": {
            "channel": "sms",
            "reason": "only_viable",
            "route": "gw",
            "routeClass": "gateway",
            "routeReason": "preferred_class",
            "trafficClass": "direct",
            "classReason": "default",
            "segments": 1,
            "costEstimated": 0.045,
            "waits": false,
        },
    });
    assert_eq!(answer, want, "{answer:#}");
}

#[tokio::test(start_paused = true)]
async fn example_5_when_sms_fails_too_there_is_no_third_attempt() {
    let house = House::new().await;
    let to = format!("+40712345{REFUSED_EVERYWHERE}");
    house.inbound(WHATSAPP, &to, "Hello").await;
    let id = house
        .send(&json!({"to": to, "text": "Your order is ready"}))
        .await;
    let answer = ended(&house, &id).await;
    let message = &answer["message"];
    assert_eq!(message["status"], "failed", "{answer:#}");
    assert_eq!(message["attemptedChannels"], json!(["whatsapp", "sms"]));
    assert_eq!(message["errorCode"], "131026");
    assert_eq!(message["errorCategory"], "undeliverable");
}

#[tokio::test(start_paused = true)]
async fn example_6_without_fallback_the_first_failure_is_the_end() {
    let house = House::new().await;
    let to = format!("+40712345{REFUSED_ON_WHATSAPP}");
    house.inbound(WHATSAPP, &to, "Hello").await;
    let body = json!({"to": to, "text": "x", "fallbackEnabled": false});
    let id = house.send(&body).await;
    let answer = ended(&house, &id).await;
    assert_eq!(answer["message"]["status"], "failed");
    assert_eq!(answer["message"]["attemptedChannels"], json!(["whatsapp"]));
}

#[tokio::test(start_paused = true)]
async fn the_routing_of_a_message_tells_all_of_it() {
    let house = House::new().await;
    let to = format!("+40712345{REFUSED_ON_WHATSAPP}");
    house.inbound(WHATSAPP, &to, "Hello").await;
    let id = house.send(&json!({"to": to, "text": "x"})).await;
    ended(&house, &id).await;
    let routing = house.get(&format!("/v1/messages/{id}/routing")).await.json;
    assert_eq!(routing["messageId"], id.as_str());
    let decisions = routing["decisions"].as_array().unwrap();
    assert_eq!(decisions.len(), 2, "{routing:#}");
    assert_eq!(decisions[0]["reason"], "reply_same_channel");
    assert_eq!(decisions[1]["channel"], "sms");
    let dropped = &decisions[1]["channels"].as_array().unwrap()[1];
    assert_eq!(
        (&dropped["verdict"], &dropped["reason"]),
        (&json!("dropped"), &json!("already_tried"))
    );
    let attempts = routing["attempts"].as_array().unwrap();
    let told: Vec<_> = attempts
        .iter()
        .map(|it| (&it["route"], &it["state"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!("wa"), &json!("failed")),
            (&json!("gw"), &json!("delivered"))
        ]
    );
    assert_eq!(attempts[0]["errorCode"], "131026");
    assert_eq!(routing["receipts"][0]["state"], "delivered");
    assert_eq!(routing["receipts"][0]["raw"], "stat:DELIVRD");
    let words = routing["explanation"].to_string();
    assert!(words.contains("gw") && words.contains("EUR"), "{words}");
}
