//! Sending, repeating, reading and listing.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::house::{
    Answer, House, LIVE, NO_CLASS, OTHER_PROJECT, REFUSED_EVERYWHERE, TEST, WHATSAPP,
};

const TO: &str = "+40712345678";

async fn send_as(house: &House, key: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    let mut request =
        Request::post("/v1/messages").header("authorization", format!("Bearer {key}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    house
        .request(request.body(Body::from(body.to_string())).unwrap())
        .await
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_a_send_says_queued_and_how_it_is_routed() {
    let house = House::new().await;
    let body = json!({"to": TO, "text": "x", "metadata": {"b": "2", "a": "1"}});
    let answer = house.post("/v1/messages", &body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let message = &answer.json["message"];
    assert_eq!(message["status"], "queued");
    assert_eq!(message["metadata"], json!({"a": "1", "b": "2"}));
    assert_eq!(message["createdAt"], "2026-11-22T10:00:00.000Z");
    assert_eq!(message["expiresAt"], "2026-11-24T10:00:00.000Z");
    assert_eq!(answer.json["routing"]["channel"], "sms");
    assert_eq!(answer.json["routing"]["route"], "gw");
    assert_eq!(answer.json["routing"]["reason"], "only_viable");
}

#[tokio::test(start_paused = true)]
async fn a_sender_is_chosen_by_its_header() {
    let house = House::new().await;
    let body = json!({"to": TO, "text": "x"});
    let answer = send_as(&house, LIVE, &[("Zavu-Sender", "alerts")], &body).await;
    assert_eq!(answer.json["message"]["senderId"], "alerts");
    for other in ["nobody", "other"] {
        let answer = send_as(&house, LIVE, &[("Zavu-Sender", other)], &body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{other}");
        assert_eq!(answer.wrong_fields(), ["Zavu-Sender"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_named_whatsapp_with_a_closed_window_is_refused_at_once() {
    let house = House::new().await;
    let body = json!({"to": TO, "text": "x", "channel": "whatsapp"});
    let answer = house.post("/v1/messages", &body).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.json["code"], "whatsapp_window_closed");
    house.inbound(WHATSAPP, TO, "Hello").await;
    let answer = house.post("/v1/messages", &body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.json["message"]["channel"], "whatsapp");
    assert_eq!(answer.json["message"]["fallbackEnabled"], false);
}

#[tokio::test(start_paused = true)]
async fn where_no_channel_can_carry_it_each_has_its_reason() {
    let house = House::new().await;
    let body = json!({
        "to": TO, "messageType": "location", "content": {"latitude": 44.4, "longitude": 26.1},
    });
    let answer = house.post("/v1/messages", &body).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{answer:?}");
    assert_eq!(answer.json["code"], "no_channel");
    assert_eq!(answer.header("x-should-retry"), "false");
    let channels = answer.json["details"]["channels"].as_array().unwrap();
    let reasons: Vec<_> = channels
        .iter()
        .map(|it| (&it["channel"], &it["reason"]))
        .collect();
    assert_eq!(
        reasons,
        [
            (&json!("sms"), &json!("content_not_expressible")),
            (&json!("whatsapp"), &json!("window_closed")),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_repeat_conflicts_and_shows_the_original() {
    let house = House::new().await;
    let body = json!({"to": TO, "text": "x", "idempotencyKey": "otp-42"});
    let id = house.send(&body).await;
    // The same request, the key in either place.
    let by_header = json!({"to": TO, "text": "x"});
    for (headers, body) in [
        (&[][..], &body),
        (&[("Idempotency-Key", "otp-42")][..], &by_header),
        (&[("Idempotency-Key", "otp-42")][..], &body),
    ] {
        let answer = send_as(&house, LIVE, headers, body).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{answer:?}");
        assert_eq!(answer.json["code"], "conflict");
        assert_eq!(answer.header("x-should-retry"), "false");
        assert_eq!(answer.json["details"]["message"]["id"], id.as_str());
        assert_eq!(answer.wrong_fields(), [""; 0]);
    }
    let answer = send_as(&house, LIVE, &[("Idempotency-Key", "other")], &body).await;
    assert_eq!(
        (answer.status, answer.wrong_fields()),
        (StatusCode::BAD_REQUEST, vec!["idempotencyKey".to_owned()])
    );
    assert_eq!(
        house.get("/v1/messages").await.json["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn the_same_key_with_another_body_names_the_field_that_differs() {
    let house = House::new().await;
    let body = json!({"to": TO, "text": "x", "idempotencyKey": "k"});
    house.send(&body).await;
    for (field, value) in [
        ("to", json!("+40712345679")),
        ("text", json!("y")),
        ("channel", json!("sms")),
        ("metadata", json!({"a": "b"})),
        ("fallbackEnabled", json!(true)),
        ("trafficClass", json!("direct")),
        ("category", json!("otp")),
        ("speed", json!("fast")),
        ("scheduledAt", json!("2026-11-23T10:00:00Z")),
        ("validity", json!(60)),
        ("fallbackAfter", json!(60)),
    ] {
        let mut other = body.clone();
        other[field] = value;
        let answer = house.post("/v1/messages", &other).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{field}");
        assert_eq!(answer.wrong_fields(), [field]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_project_may_have_repeats_answered_with_the_original() {
    let house = House::new().await;
    let body = json!({"to": TO, "text": "x", "idempotencyKey": "k"});
    let first = send_as(&house, OTHER_PROJECT, &[], &body).await;
    let second = send_as(&house, OTHER_PROJECT, &[], &body).await;
    assert_eq!(second.status, StatusCode::ACCEPTED);
    assert_eq!(second.header("idempotent-replayed"), "true");
    assert_eq!(second.json["message"]["id"], first.json["message"]["id"]);
    assert_eq!(first.header("idempotent-replayed"), "");
    let other = json!({"to": TO, "text": "y", "idempotencyKey": "k"});
    let third = send_as(&house, OTHER_PROJECT, &[], &other).await;
    assert_eq!(
        (third.status, third.wrong_fields()),
        (StatusCode::CONFLICT, vec!["text".to_owned()])
    );
}

#[tokio::test(start_paused = true)]
async fn a_key_that_may_not_set_the_class_is_told_so() {
    let house = House::new().await;
    let body = json!({"to": TO, "text": "x", "trafficClass": "bulk"});
    let answer = send_as(&house, NO_CLASS, &[], &body).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.wrong_fields(), ["trafficClass"]);
    let answer = send_as(&house, NO_CLASS, &[], &json!({"to": TO, "text": "x"})).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
}

#[tokio::test(start_paused = true)]
async fn a_test_key_sends_through_simulators_only_and_may_play_the_recipient() {
    let house = House::new().await;
    let body = json!({"to": TO, "text": "x"});
    let answer = send_as(&house, TEST, &[], &body).await;
    assert_eq!(answer.json["routing"]["route"], "sim", "{answer:?}");
    let inbound = json!({"from": TO, "text": "Hello", "channel": "whatsapp"});
    let answer = house
        .call(LIVE, "POST", "/v1/simulator/inbound", inbound.to_string())
        .await;
    assert_eq!(
        (answer.status, &answer.json["code"]),
        (StatusCode::FORBIDDEN, &json!("forbidden"))
    );
    let answer = house
        .call(TEST, "POST", "/v1/simulator/inbound", inbound.to_string())
        .await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    let id = answer.json["messageId"].as_str().unwrap();
    let message = &house.get(&format!("/v1/messages/{id}")).await.json["message"];
    assert_eq!(message["status"], "received");
    assert_eq!(message["direction"], "inbound");
    assert_eq!(
        (&message["from"], &message["to"]),
        (&json!(TO), &json!("+40700000001"))
    );
    let reply = send_as(
        &house,
        TEST,
        &[],
        &json!({"to": TO, "text": "y", "inReplyTo": id}),
    )
    .await;
    assert_eq!(
        reply.json["routing"]["reason"], "reply_same_channel",
        "{reply:?}"
    );
    assert_eq!(reply.json["routing"]["route"], "sim-wa");
    for (body, field) in [
        (json!({"text": "x", "channel": "sms"}), "from"),
        (json!({"from": TO, "channel": "sms"}), "text"),
        (json!({"from": TO, "text": "x", "channel": "email"}), "from"),
        (
            json!({"from": TO, "text": "x", "channel": "whatsapp", "senderId": "alerts"}),
            "channel",
        ),
    ] {
        let answer = house
            .call(TEST, "POST", "/v1/simulator/inbound", body.to_string())
            .await;
        assert_eq!(
            (answer.status, answer.wrong_fields()),
            (StatusCode::BAD_REQUEST, vec![field.to_owned()])
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_preview_decides_as_a_send_would_and_keeps_nothing() {
    let house = House::new().await;
    let preview = house
        .post("/v1/routing/preview", &json!({"to": TO, "text": "x"}))
        .await;
    assert_eq!(preview.status, StatusCode::OK, "{preview:?}");
    assert_eq!(preview.json["routing"]["route"], "gw");
    assert_eq!(preview.json["routing"]["costEstimated"], 0.045);
    assert_eq!(preview.json["refusal"], Value::Null);
    assert_eq!(preview.json["currency"], "EUR");
    assert!(
        !preview.json["routing"]["explanation"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    let refused = json!({"to": TO, "text": "x", "channel": "whatsapp", "idempotencyKey": "k"});
    for _ in 0..2 {
        let preview = house.post("/v1/routing/preview", &refused).await;
        assert_eq!(preview.status, StatusCode::OK);
        assert_eq!(preview.json["refusal"]["code"], "whatsapp_window_closed");
    }
    assert_eq!(house.get("/v1/messages").await.json["items"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_message_of_another_project_does_not_exist() {
    let house = House::new().await;
    let id = house.send(&json!({"to": TO, "text": "x"})).await;
    for path in [
        format!("/v1/messages/{id}"),
        format!("/v1/messages/{id}/routing"),
        format!("/v1/messages/{id}/attachments"),
    ] {
        assert_eq!(house.get(&path).await.status, StatusCode::OK, "{path}");
        let answer = house.call(OTHER_PROJECT, "GET", &path, "").await;
        assert_eq!(
            (answer.status, &answer.json["code"]),
            (StatusCode::NOT_FOUND, &json!("not_found"))
        );
    }
    for path in [
        "/v1/messages/msg_1",
        "/v1/messages/tpl%201%2F2",
        "/v1/messages/%ff/routing",
    ] {
        assert_eq!(
            house.get(path).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    let attachments = house.get(&format!("/v1/messages/{id}/attachments")).await;
    assert_eq!(attachments.json, json!({"items": []}));
}

#[tokio::test(start_paused = true)]
async fn a_list_is_walked_page_by_page_newest_first() {
    let house = House::new().await;
    let mut ids = Vec::new();
    for n in 0..6 {
        ids.push(
            house
                .send(&json!({"to": format!("+4071234567{n}"), "text": "x"}))
                .await,
        );
    }
    ids.reverse();
    for limit in [1, 2, 3, 4, 6, 100] {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = house
                .get(&format!("/v1/messages?limit={limit}&cursor={cursor}"))
                .await
                .json;
            let items = page["items"].as_array().unwrap();
            assert!(!items.is_empty(), "no page is empty");
            seen.extend(items.iter().map(|it| it["id"].as_str().unwrap().to_owned()));
            match page["nextCursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        assert_eq!(seen, ids, "limit {limit}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_is_filtered_by_status_recipient_and_channel() {
    let house = House::new().await;
    let failing = format!("+40712345{REFUSED_EVERYWHERE}");
    house.send(&json!({"to": failing, "text": "x"})).await;
    house.send(&json!({"to": TO, "text": "x"})).await;
    house.inbound(WHATSAPP, TO, "Hello").await;
    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    for (query, want) in [
        ("", 3),
        ("status=delivered", 1),
        ("status=failed", 1),
        ("status=received", 1),
        ("status=queued", 0),
        ("channel=whatsapp", 1),
        ("channel=sms", 2),
        ("channel=email", 0),
        ("to=%2B40712345678", 2),
        ("to=+40712345678", 2),
        ("to=%2B40712345678&channel=sms", 1),
    ] {
        let page = house.get(&format!("/v1/messages?{query}")).await.json;
        assert_eq!(
            page["items"].as_array().unwrap().len(),
            want,
            "{query}: {page:#}"
        );
        assert_eq!(page["nextCursor"], Value::Null);
    }
}

#[tokio::test(start_paused = true)]
async fn a_picture_on_sms_goes_as_an_mms_where_a_route_of_the_sender_carries_media() {
    let house = House::new().await;
    let body = |content: Value| {
        json!({
            "to": TO, "channel": "sms", "messageType": "image", "text": "look", "content": content,
        })
    };
    let picture = body(json!({"mediaUrl": "https://cdn.example/a.jpg"}));
    let answer = house.post("/v1/messages", &picture).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    let routing = &answer.json["routing"];
    assert_eq!(
        (
            &routing["route"],
            &routing["mms"],
            &routing["segments"],
            &routing["costEstimated"]
        ),
        (&json!("bulk"), &json!(true), &json!(1), &json!(0.12))
    );

    let preview = house.post("/v1/routing/preview", &picture).await.json;
    let preview = &preview["routing"];
    let routes = preview["routes"].as_array().unwrap();
    let gateway = routes.iter().find(|it| it["route"] == "gw").unwrap();
    assert_eq!(
        (&gateway["verdict"], &gateway["reason"]),
        (&json!("dropped"), &json!("no_mms"))
    );
    let said = preview["explanation"].to_string();
    assert!(said.contains("as MMS"), "{said}");
    assert!(said.contains("it carries texts only, no media (MMS)"));

    // By the provider's own id, or from a sender with routes for texts only: as ever.
    let by_id = house
        .post("/v1/messages", &body(json!({"mediaId": "1"})))
        .await;
    let alerts = send_as(&house, LIVE, &[("Zavu-Sender", "alerts")], &picture).await;
    for refused in [by_id, alerts] {
        assert_eq!(refused.status, StatusCode::CONFLICT, "{refused:?}");
        assert_eq!(refused.json["code"], "no_channel");
        let channels = refused.json["details"]["channels"].as_array().unwrap();
        let on_sms = channels.iter().find(|it| it["channel"] == "sms").unwrap();
        assert_eq!(on_sms["reason"], "content_not_expressible");
    }
}

#[tokio::test(start_paused = true)]
async fn a_number_says_whether_a_route_of_its_sender_carries_media() {
    let house = House::new().await;
    for (key, want) in [
        (LIVE, json!(["sms", "whatsapp", "mms"])),
        (TEST, json!(["sms", "whatsapp"])),
    ] {
        let answer = house.call(key, "GET", "/v1/phone-numbers", "").await;
        assert_eq!(answer.json["items"][0]["capabilities"], want, "{answer:?}");
    }
}
