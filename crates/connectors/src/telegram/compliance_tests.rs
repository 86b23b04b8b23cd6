//! The route as a whole, held to what every connector is held to; and what it does beside that.

use domain::model::address::Address;
use ports::connector::{LinkState, Submission};
use ports::hooks::HookCall;
use serde_json::json;

use super::*;
use crate::compliance::provider::{Has, MessageName, Says, Written};
use crate::compliance::web::{Aside, Bench, complies};
use crate::compliance::{NOW, TEXT, World};
use crate::testing::{Lanes, Record, Told, submission};
use crate::web::protocol::Answer;
use crate::web::testing::{Play, Wire, answer, hook};

const TOKEN: &str = "42:AAH-secret-of-the-bot";
const SECRET: &str = "secret-of-the-hook";
const HOOK: &str = "https://msg.example.com/hooks/tg";

struct Bot;

fn config(base_url: &str) -> TelegramConfig {
    TelegramConfig {
        bot_token: TOKEN.into(),
        secret_token: Some(SECRET.into()),
        callback_url: Some(HOOK.into()),
        base_url: base_url.into(),
        ..TelegramConfig::default()
    }
}

fn refusal(code: u16, description: &str) -> Answer {
    let body = json!({"ok": false, "error_code": code, "description": description});
    answer(code, &body.to_string())
}

impl Bench for Bot {
    fn start(&self, base_url: &str, world: World) -> Arc<dyn Connector> {
        start(config(base_url), world.source, world.events, world.clock)
    }

    fn debug(&self) -> String {
        format!("{:?}", config("http://127.0.0.1"))
    }

    fn secrets(&self) -> Vec<String> {
        vec![TOKEN.into(), SECRET.into()]
    }

    fn submission(&self, no: i64) -> Submission {
        let mut it = submission(no, "+40712345678", TEXT);
        it.to = Address::Telegram(4_000 + no);
        it
    }

    fn accepted(&self, _: &str) -> Answer {
        let result = json!({"message_id": 7, "chat": {"id": 4_001, "type": "private"}});
        answer(200, &json!({"ok": true, "result": result}).to_string())
    }

    fn known_as(&self, _: &str) -> String {
        "4001:7".into()
    }

    fn rejected(&self) -> Answer {
        refusal(403, "Forbidden: bot was blocked by the user")
    }

    fn throttled(&self) -> Answer {
        refusal(429, "Too Many Requests: retry after 1")
    }

    fn account_fault(&self) -> Answer {
        refusal(401, "Unauthorized")
    }

    fn aside(&self) -> Option<Aside> {
        Some((
            |it| it.target.ends_with("/setWebhook"),
            answer(200, r#"{"ok":true,"result":true}"#),
        ))
    }

    fn receipts(&self, _: &str) -> Has<Vec<(HookCall, Says)>> {
        Has::Not("Telegram tells nothing more of a message that it took")
    }

    fn inbound(&self) -> Has<(HookCall, Written)> {
        let body = json!({"update_id": 1, "message": {
            "message_id": 7, "date": 1_795_300_000, "text": TEXT,
            "chat": {"id": 4_001, "type": "private"}, "from": {"id": 4_001, "first_name": "Ana"}}});
        let mut call = hook("POST", HOOK, &body.to_string());
        call.headers.push((
            "x-telegram-bot-api-secret-token".into(),
            SECRET.as_bytes().into(),
        ));
        let written = Written {
            from: Address::Telegram(4_001),
            to: "42",
            id: MessageName::Is("4001:7"),
        };
        Has::It((call, written))
    }

    fn forged(&self, mut call: HookCall) -> HookCall {
        call.headers[0].1 = b"secret-of-the-hooj"[..].into();
        call
    }
}

#[tokio::test]
async fn the_connector_complies() {
    complies(&Bot).await;
}

#[tokio::test]
async fn a_polling_route_has_no_hook_and_hears_all_the_same() {
    let updates = json!({"ok": true, "result": [{"update_id": 5, "message": {
        "message_id": 7, "date": 1_795_300_000, "text": "Hi",
        "chat": {"id": 4_001, "type": "private"}, "from": {"id": 4_001}}}]});
    let aside: Aside = (
        |it| it.target.ends_with("/deleteWebhook"),
        answer(200, r#"{"ok":true,"result":true}"#),
    );
    let plays = [
        Play::Answer(answer(200, &updates.to_string())),
        Play::Silence,
    ];
    let wire = Wire::with_aside(plays, Some(aside)).await;
    let events = Arc::new(Record::default());
    let route = start(
        TelegramConfig {
            updates: Updates::Polling,
            ..config(wire.url())
        },
        Arc::new(Lanes::default()),
        Arc::clone(&events) as Arc<dyn RouteEvents>,
        Arc::new(ports::clock::ManualClock::at(NOW)),
    );
    assert!(route.hooks().is_none());
    let mut told = Vec::new();
    while told.len() < 2 {
        told.extend(events.wait(1).await);
    }
    assert!(told.contains(&Told::Link(LinkState::Up)));
    assert!(told.iter().any(|it| matches!(it, Told::Inbound(_))));
    events.ack(ports::connector::Heard::Kept);
    route.stop(Millis::seconds(5)).await;
}
