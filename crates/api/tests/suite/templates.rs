//! Templates: made, shown, given to a provider, brought in, and sent.

use axum::http::StatusCode;
use domain::model::template::TemplateStatus;
use ports::provider::TemplateUpdate;
use serde_json::{Value, json};

use crate::house::{House, LIVE, OTHER_PROJECT, READ_ONLY, TEST, WHATSAPP};

const TO: &str = "+40712345678";

fn order() -> Value {
    json!({
        "name": "order_update", "language": "en", "body": "Hi {{1}}, order {{2}} is on its way",
        "smsBody": "Order {{2}}", "variables": ["customer", "order"],
    })
}

async fn create(house: &House, body: &Value) -> Value {
    let answer = house.post("/v1/templates", body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    answer.json
}

fn path(template: &Value) -> String {
    format!("/v1/templates/{}", template["id"].as_str().unwrap())
}

/// The provider approves the template with this name.
async fn approve(house: &House, name: &str) {
    provider_says(house, name, TemplateStatus::Approved, None).await;
}

/// The provider says how the template with this name stands.
pub(crate) async fn provider_says(
    house: &House,
    name: &str,
    status: TemplateStatus,
    reason: Option<&str>,
) {
    let (kept, heard) = tokio::sync::oneshot::channel();
    let update = TemplateUpdate {
        provider_id: format!("p-{name}").into(),
        name: name.into(),
        language: "en".into(),
        status: Some(status),
        category: None,
        reason: reason.map(Into::into),
    };
    let ack = Box::new(|it| kept.send(it).unwrap());
    house.engine.events(WHATSAPP).unwrap().template(update, ack);
    heard.await.unwrap();
}

fn message(template: &Value, more: &Value) -> Value {
    let mut body = json!({
        "to": TO, "messageType": "template",
        "content": {"templateId": template["id"], "templateVariables": {"1": "Ana", "order": "A-17"}},
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[tokio::test(start_paused = true)]
async fn a_template_is_made_shown_and_forgotten() {
    let house = House::new().await;
    let mut body = order();
    body["whatsappCategory"] = json!("MARKETING");
    body["colour"] = json!("red");
    let made = create(&house, &body).await;
    assert!(made["id"].as_str().unwrap().starts_with("tpl_"));
    assert_eq!(
        (&made["category"], &made["status"], &made["providerStatus"]),
        (&json!("MARKETING"), &json!("draft"), &json!("draft"))
    );
    assert_eq!(made["variables"], json!(["customer", "order"]));
    assert_eq!(made["warnings"][0]["path"], json!(["colour"]));
    assert_eq!(made.get("whatsapp"), None);
    assert_eq!(made.get("headerType"), None, "absent is left out");
    let shown = house.get(&path(&made)).await.json;
    assert_eq!(shown["smsBody"], "Order {{2}}");
    assert_eq!(shown["createdAt"], "2026-11-22T10:00:00.000Z");
    let elsewhere = house.call(OTHER_PROJECT, "GET", &path(&made), "").await;
    assert_eq!(elsewhere.status, StatusCode::NOT_FOUND);
    let gone = house.call(LIVE, "DELETE", &path(&made), "").await;
    assert_eq!(
        (gone.status, gone.json),
        (StatusCode::NO_CONTENT, json!(""))
    );
    for method in ["GET", "DELETE"] {
        let answer = house.call(LIVE, method, &path(&made), "").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method}");
    }
}

#[tokio::test(start_paused = true)]
async fn everything_that_the_official_clients_send_at_once_is_taken() {
    let house = House::new().await;
    let made = create(
        &house,
        &json!({
            "body": "Hi {{1}}, your order {{2}} has been confirmed.",
            "language": "en", "name": "order_confirmation", "addSecurityRecommendation": true,
            "buttons": [{
                "text": "text", "type": "quick_reply", "example": "example",
                "otpType": "COPY_CODE", "packageName": "packageName", "phoneNumber": "phoneNumber",
                "signatureHash": "signatureHash", "url": "https://example.com",
            }],
            "codeExpirationMinutes": 1, "footer": "footer", "headerContent": "headerContent",
            "headerType": "text", "instagramBody": "ig", "smsBody": "sms", "telegramBody": "tg",
            "variables": ["customer_name", "order_id"], "whatsappCategory": "UTILITY",
        }),
    )
    .await;
    assert_eq!(made.get("warnings"), None);
    assert_eq!(made["buttons"][0]["type"], "quick_reply");
    assert_eq!(made["headerContent"], "headerContent");
    assert_eq!(made["codeExpirationMinutes"], 1);
}

#[tokio::test(start_paused = true)]
async fn every_wrong_field_of_a_template_is_named() {
    let house = House::new().await;
    for (change, fields) in [
        (json!({"name": null}), vec!["name"]),
        (json!({"name": "Order Update"}), vec!["name"]),
        (json!({"language": "english"}), vec!["language"]),
        (json!({"body": ""}), vec!["body"]),
        (json!({"body": "{{1}} {{name}}"}), vec!["body"]),
        (json!({"body": "x".repeat(1_025)}), vec!["body"]),
        (json!({"smsBody": "{{name}}"}), vec!["smsBody"]),
        (json!({"smsBody": "{{9}}"}), vec!["smsBody"]),
        (json!({"variables": ["a"]}), vec!["variables"]),
        (json!({"variables": ["a", "a"]}), vec!["variables"]),
        (
            json!({"whatsappCategory": "SERVICE"}),
            vec!["whatsappCategory"],
        ),
        (
            json!({"headerType": "song", "headerContent": "x"}),
            vec!["headerType"],
        ),
        (json!({"headerContent": "x"}), vec!["headerType"]),
        (json!({"headerType": "text"}), vec!["headerContent"]),
        (json!({"footer": "x".repeat(61)}), vec!["footer"]),
        (
            json!({"codeExpirationMinutes": 91}),
            vec!["codeExpirationMinutes"],
        ),
        (
            json!({"buttons": [{"type": "jump", "text": "x"}]}),
            vec!["buttons.0.type"],
        ),
        (
            json!({"buttons": [{"type": "url", "text": "x".repeat(26)}]}),
            vec!["buttons.0.text", "buttons.0.url"],
        ),
        (
            json!({"whatsappCategory": "AUTHENTICATION"}),
            vec!["buttons"],
        ),
    ] {
        let mut body = order();
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answer = house.post("/v1/templates", &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{change}");
        assert_eq!(answer.json["code"], "invalid_request", "{change}");
        assert_eq!(answer.wrong_fields(), fields, "{change}");
    }
    assert_eq!(house.get("/v1/templates").await.json["items"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn templates_are_listed_newest_first_in_pages() {
    let house = House::new().await;
    let first = create(&house, &order()).await;
    let second = create(&house, &order()).await;
    let page = house.get("/v1/templates?limit=1").await.json;
    assert_eq!(page["items"][0]["id"], second["id"]);
    let next = page["nextCursor"].as_str().unwrap();
    let page = house
        .get(&format!("/v1/templates?limit=1&cursor={next}"))
        .await
        .json;
    assert_eq!(page["items"][0]["id"], first["id"]);
    assert_eq!(page["nextCursor"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn keys_that_may_only_read_change_no_template() {
    let house = House::new().await;
    let made = create(&house, &order()).await;
    let at = path(&made);
    for (method, path) in [
        ("POST", "/v1/templates".to_owned()),
        ("DELETE", at.clone()),
        ("POST", format!("{at}/submit")),
        ("POST", "/v1/templates/sync".to_owned()),
    ] {
        let answer = house.call(READ_ONLY, method, &path, "{}").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path}");
    }
    let answer = house.call(READ_ONLY, "GET", &at, "").await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_draft_is_submitted_once_by_a_sender_with_an_account() {
    let house = House::new().await;
    let made = create(&house, &order()).await;
    let submit = format!("{}/submit", path(&made));
    let nobody = house.post(&submit, &json!({"senderId": "nobody"})).await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
    assert_eq!(nobody.wrong_fields(), ["senderId"]);
    let wrong = house.post(&submit, &json!({"category": "FREE"})).await;
    assert_eq!(wrong.wrong_fields(), ["category", "senderId"]);
    let without = house.post(&submit, &json!({"senderId": "alerts"})).await;
    assert_eq!(
        (
            without.status,
            &without.json["code"],
            &without.json["message"]
        ),
        (
            StatusCode::BAD_REQUEST,
            &json!("bad_request"),
            &json!("Sender does not have a WhatsApp Business Account configured/connected")
        )
    );
    let body = json!({"senderId": "support", "category": "MARKETING"});
    let taken = house.post(&submit, &body).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED, "{taken:?}");
    assert_eq!(
        (&taken.json["status"], &taken.json["category"]),
        (&json!("pending"), &json!("MARKETING"))
    );
    assert_eq!(
        taken.json["whatsapp"],
        json!({"templateName": "order_update", "status": "PENDING", "account": "wa", "providerId": "p-order_update"})
    );
    let again = house.post(&submit, &body).await;
    assert_eq!(
        (again.status, &again.json["message"]),
        (
            StatusCode::BAD_REQUEST,
            &json!("Template is already pending approval or approved")
        )
    );
    let unknown = house
        .post("/v1/templates/tpl_0000000000077/submit", &body)
        .await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_refuses_is_quoted_and_the_template_stays_a_draft() {
    let house = House::new().await;
    let mut body = order();
    body["name"] = json!("refuse");
    let made = create(&house, &body).await;
    let submit = format!("{}/submit", path(&made));
    let refused = house.post(&submit, &json!({"senderId": "support"})).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        refused.json["message"],
        "The provider refused the template: no"
    );
    assert_eq!(refused.json["details"]["providerCode"], "100");
    assert_eq!(house.get(&path(&made)).await.json["status"], "draft");
}

#[tokio::test(start_paused = true)]
async fn a_test_key_speaks_to_simulators_about_templates_too() {
    let house = House::new().await;
    let made = create(&house, &order()).await;
    let submit = format!("{}/submit", path(&made));
    let body = json!({"senderId": "support"}).to_string();
    let taken = house.call(TEST, "POST", &submit, body).await;
    assert_eq!(taken.json["whatsapp"]["account"], "sim-wa");
}

#[tokio::test(start_paused = true)]
async fn a_sync_brings_in_what_providers_have() {
    let house = House::new().await;
    let first = house.post("/v1/templates/sync", &json!({})).await;
    assert_eq!(
        (first.status, first.json),
        (
            StatusCode::OK,
            json!({"accountsSynced": 1, "imported": 1, "linked": 0, "updated": 0, "skipped": 0, "errors": []})
        )
    );
    let body = json!({"senderId": "support"});
    let second = house.post("/v1/templates/sync", &body).await.json;
    assert_eq!(
        (&second["imported"], &second["skipped"]),
        (&json!(0), &json!(1))
    );
    let found = house.get("/v1/templates").await.json;
    assert_eq!(found["items"][0]["name"], "from_provider");
    assert_eq!(found["items"][0]["status"], "approved");
    let elsewhere = house
        .call(OTHER_PROJECT, "POST", "/v1/templates/sync", "")
        .await;
    assert_eq!(elsewhere.json["accountsSynced"], 0, "{elsewhere:?}");
    let without = json!({"senderId": "alerts"});
    let without = house.post("/v1/templates/sync", &without).await;
    assert_eq!(without.status, StatusCode::BAD_REQUEST);
}

#[tokio::test(start_paused = true)]
async fn a_template_is_sent_by_sms_until_whatsapp_may_take_it() {
    let house = House::new().await;
    let made = create(&house, &order()).await;
    let before = house
        .post("/v1/messages", &message(&made, &json!({})))
        .await
        .json;
    assert_eq!(before["message"]["channel"], "sms");
    assert_eq!(before["message"]["messageType"], "template");
    assert_eq!(before["message"]["text"], "Order A-17");
    assert_eq!(before["message"]["content"]["templateId"], made["id"]);
    approve(&house, "order_update").await;
    let after = house
        .post("/v1/messages", &message(&made, &json!({})))
        .await
        .json;
    assert_eq!(after["message"]["channel"], "whatsapp");
    assert_eq!(after["message"]["text"], "Hi Ana, order A-17 is on its way");
}

#[tokio::test(start_paused = true)]
async fn whatsapp_by_name_refuses_a_template_that_is_not_approved_and_a_preview_says_so() {
    let house = House::new().await;
    let made = create(&house, &order()).await;
    let body = message(&made, &json!({"channel": "whatsapp"}));
    let refused = house.post("/v1/messages", &body).await;
    assert_eq!(
        (refused.status, &refused.json["code"]),
        (StatusCode::BAD_REQUEST, &json!("template_not_approved"))
    );
    assert_eq!(refused.wrong_fields(), ["content.templateId"]);
    let preview = house.post("/v1/routing/preview", &body).await;
    assert_eq!(preview.status, StatusCode::OK);
    assert_eq!(preview.json["refusal"]["code"], "template_not_approved");
    let whatsapp = preview.json["routing"]["channels"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["channel"] == "whatsapp")
        .unwrap();
    assert_eq!(whatsapp["reason"], "template_not_approved");
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_a_messages_template_is_named() {
    let house = House::new().await;
    let made = create(
        &house,
        &json!({
            "name": "rich", "language": "en", "body": "Hi {{name}}", "headerType": "image",
            "buttons": [{"type": "url", "text": "Track", "url": "https://a.example/{{1}}"}],
        }),
    )
    .await;
    let id = &made["id"];
    for (content, status, field) in [
        (json!(null), 400, "content.templateId"),
        (json!({}), 400, "content.templateId"),
        (
            json!({"templateId": "tpl_0000000000077"}),
            404,
            "content.templateId",
        ),
        (json!({"templateId": "nothing"}), 404, "content.templateId"),
        (
            json!({"templateId": id}),
            400,
            "content.templateVariables.name",
        ),
        (
            json!({"templateId": id, "templateVariables": {"name": "Ana"}}),
            400,
            "content.templateHeaderVariables.mediaUrl",
        ),
        (
            json!({"templateId": id, "templateVariables": {"name": "Ana"},
                "templateHeaderVariables": {"mediaUrl": "https://a.example/x"}}),
            400,
            "content.templateButtonVariables.0",
        ),
        (
            json!({"templateId": id, "templateVariables": {"name": 5}}),
            400,
            "content.templateVariables.name",
        ),
    ] {
        let body = json!({"to": TO, "messageType": "template", "content": content});
        for path in ["/v1/messages", "/v1/routing/preview"] {
            let answer = house.post(path, &body).await;
            assert_eq!(answer.status.as_u16(), status, "{content}");
            assert_eq!(answer.wrong_fields(), [field], "{content}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_text_may_have_a_template_for_a_closed_window() {
    let house = House::new().await;
    let made = create(&house, &order()).await;
    approve(&house, "order_update").await;
    let body = message(&made, &json!({"messageType": "text", "text": "Hi Ana"}));
    let closed = house.post("/v1/messages", &body).await;
    assert_eq!(closed.json["message"]["channel"], "whatsapp", "{closed:?}");
    assert_eq!(closed.json["message"]["text"], "Hi Ana");
    assert_eq!(closed.json.get("warnings"), None);
}

#[tokio::test(start_paused = true)]
async fn the_same_key_with_other_values_is_another_request() {
    let house = House::new().await;
    let made = create(&house, &order()).await;
    let mut body = message(&made, &json!({"idempotencyKey": "k"}));
    house.send(&body).await;
    let repeat = house.post("/v1/messages", &body).await;
    assert_eq!(repeat.status, StatusCode::CONFLICT);
    assert_eq!(repeat.wrong_fields(), [""; 0]);
    body["content"]["templateVariables"]["1"] = json!("Eva");
    let other = house.post("/v1/messages", &body).await;
    assert_eq!(other.wrong_fields(), ["content"], "{other:?}");
}
