//! R-API-3: bad input gets a 4xx that names the field, and nothing is half-done.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::house::{House, LIVE};

const TO: &str = "+40712345678";

#[tokio::test(start_paused = true)]
async fn every_wrong_field_of_a_send_is_named() {
    let house = House::new().await;
    let long_text = "x".repeat(4_097);
    let many: serde_json::Map<String, Value> =
        (0..51).map(|it| (it.to_string(), json!("v"))).collect();
    for (body, fields) in [
        (json!({}), vec!["to", "text"]),
        (json!({"to": TO}), vec!["text"]),
        (json!({"to": TO, "text": ""}), vec!["text"]),
        (json!({"to": TO, "text": long_text}), vec!["text"]),
        (json!({"to": TO, "text": 5}), vec!["text"]),
        (json!({"to": "0712345678", "text": "x"}), vec!["to"]),
        (json!({"to": "a@b", "text": "x"}), vec!["to"]),
        (json!({"to": "a@b.c", "text": "x"}), vec!["subject"]),
        (
            json!({"to": "a@b.c", "text": "x", "subject": "a\r\nBcc: d@e.f"}),
            vec!["subject"],
        ),
        (
            json!({"to": "a@b.c", "text": "x", "subject": "s", "replyTo": "nobody",
                "attachments": [{"filename": "", "content": "?"}, {"filename": "f", "path": "https://x"}]}),
            vec![
                "replyTo",
                "attachments.0.filename",
                "attachments.0.content",
                "attachments.1.path",
            ],
        ),
        (json!({"to": ["+40712345678"], "text": "x"}), vec!["to"]),
        (
            json!({"to": TO, "text": "x", "channel": "pigeon"}),
            vec!["channel"],
        ),
        (
            json!({"to": TO, "text": "x", "channel": "email"}),
            vec!["subject"],
        ),
        (
            json!({"to": TO, "text": "x", "channel": "sms_oneway"}),
            vec!["channel"],
        ),
        (
            json!({"to": TO, "text": "x", "messageType": "song"}),
            vec!["messageType"],
        ),
        (
            json!({"to": TO, "text": "x", "messageType": "template"}),
            vec!["content.templateId"],
        ),
        (json!({"to": TO, "messageType": "image"}), vec!["content"]),
        (
            json!({"to": TO, "messageType": "image", "content": {}}),
            vec!["content.mediaUrl"],
        ),
        (
            json!({"to": TO, "text": "x", "trafficClass": "urgent"}),
            vec!["trafficClass"],
        ),
        (
            json!({"to": TO, "text": "x", "category": "spam"}),
            vec!["category"],
        ),
        (
            json!({"to": TO, "text": "x", "speed": "slow"}),
            vec!["speed"],
        ),
        (
            json!({"to": TO, "text": "x", "inReplyTo": "msg_1"}),
            vec!["inReplyTo"],
        ),
        (
            json!({"to": TO, "text": "x", "inReplyTo": "msg_0000000000001"}),
            vec!["inReplyTo"],
        ),
        (
            json!({"to": TO, "text": "x", "conversationId": "ct_1"}),
            vec!["conversationId"],
        ),
        (
            json!({"to": TO, "text": "x", "scheduledAt": "tomorrow"}),
            vec!["scheduledAt"],
        ),
        (
            json!({"to": TO, "text": "x", "scheduledAt": "2026-11-23T10:00:00"}),
            vec!["scheduledAt"],
        ),
        (
            json!({"to": TO, "text": "x", "scheduledAt": "2999-01-01T00:00:00Z"}),
            vec!["scheduledAt"],
        ),
        (
            json!({"to": TO, "text": "x", "campaign": " "}),
            vec!["campaign"],
        ),
        (
            json!({"to": TO, "text": "x", "campaign": "x".repeat(65)}),
            vec!["campaign"],
        ),
        (
            json!({"to": TO, "text": "x", "campaign": "a\nb"}),
            vec!["campaign"],
        ),
        (
            json!({"to": TO, "text": "x", "validity": 29}),
            vec!["validity"],
        ),
        (
            json!({"to": TO, "text": "x", "validity": 604_801}),
            vec!["validity"],
        ),
        (
            json!({"to": TO, "text": "x", "validity": 60.5}),
            vec!["validity"],
        ),
        (
            json!({"to": TO, "text": "x", "validity": "60"}),
            vec!["validity"],
        ),
        (
            json!({"to": TO, "text": "x", "fallbackAfter": 9}),
            vec!["fallbackAfter"],
        ),
        (
            json!({"to": TO, "text": "x", "fallbackAfter": 86_401}),
            vec!["fallbackAfter"],
        ),
        (
            json!({"to": TO, "text": "x", "fallbackEnabled": "yes"}),
            vec!["fallbackEnabled"],
        ),
        (
            json!({"to": TO, "text": "x", "metadata": {"a": 1}}),
            vec!["metadata.a"],
        ),
        (
            json!({"to": TO, "text": "x", "metadata": many}),
            vec!["metadata"],
        ),
        (
            json!({"to": TO, "text": "x", "metadata": {"a": "x".repeat(10_240)}}),
            vec!["metadata"],
        ),
        (
            json!({"to": TO, "text": "x", "idempotencyKey": ""}),
            vec!["idempotencyKey"],
        ),
        (
            json!({"to": TO, "text": "x", "idempotencyKey": "k".repeat(256)}),
            vec!["idempotencyKey"],
        ),
        (
            json!({"to": "nobody", "speed": "slow", "validity": 1}),
            vec!["to", "text", "speed", "validity"],
        ),
    ] {
        let answer = house.post("/v1/messages", &body).await;
        let shown = body.to_string();
        let shown = &shown[..shown.floor_char_boundary(100)];
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "{shown}: {:?}",
            answer.json
        );
        assert_eq!(answer.json["code"], "invalid_request", "{shown}");
        assert_eq!(answer.wrong_fields(), fields, "{shown}");
        assert!(
            answer.json["message"]
                .as_str()
                .is_some_and(|it| !it.is_empty()),
            "{shown}"
        );
    }
    let list = house.get("/v1/messages").await;
    assert_eq!(
        list.json,
        json!({"items": [], "nextCursor": null}),
        "nothing was half-done"
    );
}

#[tokio::test(start_paused = true)]
async fn the_edges_of_every_range_are_accepted() {
    let house = House::new().await;
    for extra in [
        json!({"validity": 30}),
        json!({"validity": 604_800}),
        json!({"fallbackAfter": 10}),
        json!({"fallbackAfter": 86_400}),
        json!({"text": "x".repeat(1_000)}),
        json!({"text": "bell \u{7} and nul \u{0}"}),
        json!({"trafficClass": "bulk"}),
        json!({"category": "otp"}),
        json!({"category": "promotional"}),
        json!({"speed": "fast"}),
        json!({"scheduledAt": "2026-11-23T10:00:00+02:00"}),
        json!({"scheduledAt": "2019-12-27T18:11:19.117000+00:00"}),
        json!({"channel": "auto", "content": null, "metadata": null, "validity": null}),
        json!({"metadata": {"a": "b"}}),
        json!({"to": "+40 712 345 678"}),
    ] {
        let mut body = json!({"to": TO, "text": "x"});
        for (name, value) in extra.as_object().unwrap() {
            body[name] = value.clone();
        }
        house.send(&body).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_no_json_object_is_told_where_it_breaks() {
    let house = House::new().await;
    for (body, code, line, column) in [
        (
            &b"{\"to\": \"+40712345678\",\n \"text\": }"[..],
            "invalid_json",
            json!(2),
            json!(10),
        ),
        (b"{\"to\":\"\xff\"}", "invalid_json", json!(1), json!(8)),
        (
            b"{\"to\":\"\\ud800\"}",
            "invalid_json",
            json!(1),
            Value::Null,
        ),
        (b"", "invalid_json", Value::Null, Value::Null),
        (b"{} {}", "invalid_json", json!(1), json!(4)),
        (b"[]", "invalid_request", Value::Null, Value::Null),
        (b"\"text\"", "invalid_request", Value::Null, Value::Null),
    ] {
        let answer = house
            .call(LIVE, "POST", "/v1/messages", body.to_vec())
            .await;
        let shown = String::from_utf8_lossy(body);
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{shown}");
        assert_eq!(answer.json["code"], code, "{shown}: {:?}", answer.json);
        if !line.is_null() {
            assert_eq!(
                answer.json["details"]["line"], line,
                "{shown}: {:?}",
                answer.json
            );
        }
        if !column.is_null() {
            assert_eq!(
                answer.json["details"]["column"], column,
                "{shown}: {:?}",
                answer.json
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_over_the_limit_is_413_and_deep_nesting_is_no_crash() {
    let house = House::new().await;
    let large = json!({"to": TO, "text": "x".repeat(1_000_000)}).to_string();
    let answer = house.call(LIVE, "POST", "/v1/messages", large).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.json["code"], "payload_too_large");
    let deep = format!("{{\"to\":{}{}}}", "[".repeat(50_000), "]".repeat(50_000));
    let answer = house.call(LIVE, "POST", "/v1/messages", deep).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test(start_paused = true)]
async fn unknown_fields_and_those_for_later_are_ignored_and_named() {
    let house = House::new().await;
    let body = json!({
        "to": TO, "text": "x", "colour": "red", "voiceLanguage": "es-ES",
        "content": {"colour": "t", "mediaUrl": "https://x"},
    });
    let answer = house.post("/v1/messages", &body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let mut named = answer.ignored_fields();
    named.sort();
    let want = ["colour", "content", "content.colour", "voiceLanguage"];
    assert_eq!(named, want);
    let words = answer.json["warnings"].to_string();
    assert!(
        words.contains("voice, which is not yet supported"),
        "{words}"
    );
    let plain = house
        .post("/v1/messages", &json!({"to": TO, "text": "x"}))
        .await;
    assert_eq!(plain.json.get("warnings"), None);
}

#[tokio::test(start_paused = true)]
async fn wrong_parameters_of_lists_are_named() {
    let house = House::new().await;
    for (path, fields) in [
        ("/v1/messages?limit=0", vec!["limit"]),
        ("/v1/messages?limit=101", vec!["limit"]),
        (
            "/v1/messages?limit=ten&cursor=cursor",
            vec!["limit", "cursor"],
        ),
        ("/v1/messages?status=lost", vec!["status"]),
        ("/v1/messages?to=to", vec!["to"]),
        ("/v1/messages?channel=pigeon", vec!["channel"]),
        ("/v1/contacts?phoneNumber=phoneNumber", vec!["phoneNumber"]),
        ("/v1/contacts?tag=vip", vec!["tag"]),
        ("/v1/contacts/phone/nobody", vec!["phoneNumber"]),
        ("/v1/senders?cursor=m0000000000001", vec!["cursor"]),
    ] {
        let answer = house.get(path).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(answer.wrong_fields(), fields, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_email_address_that_cannot_be_sent_to_is_refused_at_the_door() {
    let house = House::new().await;
    for path in ["/v1/messages", "/v1/routing/preview"] {
        for to in [
            "bücher@example.com",
            "用户@example.com",
            "ana@192.0.2.1",
            "ana@xn--0.example",
        ] {
            let body = json!({"to": to, "text": "x", "channel": "email", "subject": "x"});
            let answer = house.post(path, &body).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path} {to}");
            assert_eq!(answer.wrong_fields(), ["to"], "{path} {to}");
        }
    }
    let body = json!({"to": TO, "text": "x", "subject": "x", "replyTo": "bücher@example.com"});
    let answer = house.post("/v1/messages", &body).await;
    assert_eq!(answer.wrong_fields(), ["replyTo"]);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_id_is_not_found_whatever_the_body_says() {
    let house = House::new().await;
    let huge = format!("\"{}\"", "x".repeat(2_000_000));
    for (method, path) in [
        ("POST", "/v1/messages/msg_0000000000001/reactions"),
        ("PATCH", "/v1/phone-numbers/pn_x"),
        ("PATCH", "/v1/senders/x"),
        ("PATCH", "/v1/senders/x/webhook"),
        ("POST", "/v1/contacts/con_0000000000001/opt-out"),
        ("POST", "/v1/contacts/con_0000000000001/opt-in"),
        ("PATCH", "/v1/contacts/con_0000000000001"),
    ] {
        for body in ["{bad", "{}", "", &huge] {
            let answer = house.call(LIVE, method, path, body.to_owned()).await;
            let start = &body[..body.len().min(9)];
            assert_eq!(
                answer.status,
                StatusCode::NOT_FOUND,
                "{method} {path} {start}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn white_space_is_no_body_where_none_is_needed() {
    let house = House::new().await;
    for body in ["", "\n", " \r\n\t"] {
        let answer = house.call(LIVE, "POST", "/v1/templates/sync", body).await;
        assert_eq!(answer.status, StatusCode::OK, "{body:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn unknown_parameters_are_ignored_and_named_whatever_is_read() {
    let house = House::new().await;
    for path in [
        "costs",
        "deliverability",
        "balance",
        "balance/ledger",
        "quotas",
        "routes",
        "alerts",
        "alerts/silences",
        "audit",
        "messages",
        "contacts",
        "senders",
        "templates",
        "me",
    ] {
        let plain = house.get(&format!("/v1/{path}")).await;
        assert_eq!(plain.status, StatusCode::OK, "{path}");
        assert!(plain.json.get("warnings").is_none(), "{path}");
        let answer = house.get(&format!("/v1/{path}?clas=bulk&clas=x")).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.ignored_fields(), ["clas"], "{path}");
        let words = answer.json["warnings"][0]["message"].as_str().unwrap();
        assert!(words.starts_with("unknown parameter; ignored"), "{words}");
        assert!(!answer.header("x-ratelimit-limit").is_empty(), "{path}");
    }
    let known = house.get("/v1/costs?clas=bulk").await.json;
    let words = known["warnings"][0]["message"].as_str().unwrap();
    assert!(words.contains("campaign, channel, class"), "{words}");
    let refused = house.get("/v1/costs?clas=bulk&class=gateway").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.wrong_fields(), ["class"]);
}
