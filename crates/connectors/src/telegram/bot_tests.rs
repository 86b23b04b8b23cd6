//! Calls of Telegram, and the requests that are not submissions.

use super::*;
use crate::web::protocol::{Body, Telling};
use crate::web::testing::hook;

fn bot(change: impl FnOnce(&mut TelegramConfig)) -> Bot {
    let mut config = TelegramConfig {
        bot_token: "42:token".into(),
        secret_token: Some("hook-secret".into()),
        callback_url: Some("https://msg.example.com/hooks/tg".into()),
        ..TelegramConfig::default()
    };
    change(&mut config);
    Bot { config }
}

fn call(secret: Option<&str>, body: &Value) -> HookCall {
    let mut call = hook(
        "POST",
        "https://msg.example.com/hooks/tg",
        &body.to_string(),
    );
    let secret = secret.map(|it| (SECRET_HEADER.into(), it.as_bytes().into()));
    call.headers.extend(secret);
    call
}

fn update(text: &str) -> Value {
    json!({"update_id": 1, "message": {
        "message_id": 7, "date": 1_700_000_000, "text": text,
        "chat": {"id": 4242, "type": "private"}, "from": {"id": 4242, "first_name": "Ana"}}})
}

fn heard(call: &HookCall) -> Callback {
    bot(|_| {}).callback(call, Timestamp::from_millis(0))
}

#[test]
fn a_call_without_the_secret_tells_nothing_to_anybody() {
    for (secret, status) in [
        (None, 401),
        (Some(""), 403),
        (Some("hook-secre"), 403),
        (Some("42:token"), 403),
    ] {
        let answer = Callback::Answer(HookAnswer::empty(status));
        assert_eq!(heard(&call(secret, &update("Hi"))), answer, "{secret:?}");
    }
}

#[test]
fn a_message_is_told_and_answered_with_success() {
    let Callback::Tells(tellings, answer) = heard(&call(Some("hook-secret"), &update("Hi"))) else {
        panic!();
    };
    assert!(matches!(&*tellings, [Telling::Inbound(_)]));
    assert_eq!(answer, HookAnswer::empty(200));
}

#[test]
fn what_does_not_concern_us_is_answered_with_success_so_that_it_does_not_come_again() {
    for body in [
        json!({"update_id": 1, "edited_message": {"text": "Hi"}}),
        json!({"update_id": 1, "something_new": {}}),
        json!([]),
        json!(null),
    ] {
        let answer = Callback::Answer(HookAnswer::empty(200));
        assert_eq!(heard(&call(Some("hook-secret"), &body)), answer, "{body}");
    }
}

#[test]
fn a_pressed_button_is_told_to_stop_spinning_by_the_answer() {
    let body = json!({"update_id": 1, "callback_query": {
        "id": "555", "data": "y", "from": {"id": 4242},
        "message": {"message_id": 8, "chat": {"id": 4242, "type": "private"}}}});
    let Callback::Tells(_, answer) = heard(&call(Some("hook-secret"), &body)) else {
        panic!();
    };
    let said: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(
        said,
        json!({"method": "answerCallbackQuery", "callback_query_id": "555"})
    );
    assert_eq!(answer.status, 200);
}

#[test]
fn a_call_that_telegram_would_not_make_is_refused() {
    let mut odd = call(Some("hook-secret"), &update("Hi"));
    odd.body = b"{".to_vec();
    assert_eq!(heard(&odd), Callback::Answer(HookAnswer::empty(400)));
    odd.method = "GET".into();
    assert_eq!(heard(&odd), Callback::Answer(HookAnswer::empty(405)));
}

fn probe(change: impl FnOnce(&mut TelegramConfig)) -> (String, Value) {
    let request = bot(change).probe().unwrap();
    let Body::Json(body) = request.body else {
        panic!();
    };
    let method = request.url.rsplit('/').next().unwrap().to_owned();
    (method, serde_json::from_str(&body).unwrap())
}

#[test]
fn the_probe_registers_the_hook_with_its_secret() {
    assert_eq!(
        probe(|_| {}),
        (
            "setWebhook".into(),
            json!({"url": "https://msg.example.com/hooks/tg", "secret_token": "hook-secret",
                   "allowed_updates": ["message", "callback_query"]})
        )
    );
    assert_eq!(probe(|it| it.callback_url = None).0, "getMe");
}

#[test]
fn the_probe_of_a_polling_route_frees_the_updates() {
    let (method, fields) = probe(|it| it.updates = Updates::Polling);
    assert_eq!(method, "deleteWebhook");
    // What waits there must not be dropped.
    assert_eq!(fields, json!({}));
}

#[test]
fn a_refused_token_takes_the_route_down_and_a_refused_url_does_not() {
    let probed = |status, body: &str| {
        bot(|_| {}).probed(&Answer {
            status,
            headers: Vec::new(),
            body: body.into(),
        })
    };
    assert_eq!(probed(200, r#"{"ok":true,"result":true}"#), Ok(()));
    let url = r#"{"ok":false,"error_code":400,"description":"Bad Request: bad webhook: HTTPS"}"#;
    assert_eq!(probed(400, url), Ok(()));
    let token = r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#;
    assert_eq!(
        probed(401, token),
        Err("Telegram says 401: Unauthorized".into())
    );
    assert!(probed(502, "<html>").is_err());
}
