//! The connector is held to what every connector is held to.

use serde_json::{Value, json};

use super::tests::{changes, signed};
use super::*;
use crate::compliance::provider::{Has, MessageName, Says, Written};
use crate::compliance::web::{Aside, Bench, complies};
use crate::compliance::{TEXT, World};
use crate::web::protocol::Answer;
use crate::web::testing::answer;
use domain::phone::PhoneNumber;
use ports::hooks::HookCall;

struct Meta;

fn config(base_url: &str) -> WhatsAppConfig {
    WhatsAppConfig {
        phone_number_id: "1055".to_owned(),
        access_token: "hush-token".to_owned(),
        app_secret: "hush-secret".to_owned(),
        verify_token: "hush-verify".to_owned(),
        base_url: format!("{base_url}/v23.0"),
        ..WhatsAppConfig::default()
    }
}

/// A call about our number.
fn call(about: &str, list: &Value) -> HookCall {
    let metadata = json!({"display_phone_number": "15550783881", "phone_number_id": "1055"});
    let value = json!({"metadata": metadata, about: list});
    signed(
        "hush-secret",
        &changes("5467", &[json!({"field": "messages", "value": value})]),
    )
}

fn error(status: u16, code: u32) -> Answer {
    answer(
        status,
        &json!({"error": {"code": code, "message": "m"}}).to_string(),
    )
}

impl Bench for Meta {
    fn start(&self, base_url: &str, world: World) -> Arc<dyn Connector> {
        let World {
            source,
            events,
            clock,
        } = world;
        start(config(base_url), Arc::default(), source, events, clock)
    }

    fn debug(&self) -> String {
        format!("{:?}", config("https://graph.example"))
    }

    fn secrets(&self) -> Vec<String> {
        ["hush-token", "hush-secret", "hush-verify"]
            .map(str::to_owned)
            .to_vec()
    }

    fn accepted(&self, reference: &str) -> Answer {
        answer(200, &json!({"messages": [{"id": reference}]}).to_string())
    }

    fn rejected(&self) -> Answer {
        error(400, 131_026)
    }

    fn throttled(&self) -> Answer {
        error(429, 130_429)
    }

    fn account_fault(&self) -> Answer {
        error(401, 190)
    }

    fn aside(&self) -> Option<Aside> {
        let probe = answer(200, r#"{"id":"1055"}"#);
        Some((|asked| asked.target == "/v23.0/1055?fields=id", probe))
    }

    fn receipts(&self, reference: &str) -> Has<Vec<(HookCall, Says)>> {
        let receipt = |(word, state)| {
            let call = call(
                "statuses",
                &json!([{"id": reference, "status": word, "timestamp": "1795300000",
                "recipient_id": "40712345001"}]),
            );
            (call, Says::state(state))
        };
        let words = [
            ("sent", "in_transit"),
            ("delivered", "delivered"),
            ("read", "read"),
            ("failed", "failed"),
        ];
        Has::It(words.map(receipt).to_vec())
    }

    fn inbound(&self) -> Has<(HookCall, Written)> {
        let message = json!({"from": "40712345001", "id": "wamid.IN", "timestamp": "1795300000",
            "type": "text", "text": {"body": TEXT}});
        let written = Written {
            from: PhoneNumber::parse("+40712345001").unwrap().into(),
            to: "+15550783881",
            id: MessageName::Is("wamid.IN"),
        };
        Has::It((call("messages", &json!([message])), written))
    }

    fn forged(&self, mut call: HookCall) -> HookCall {
        // As somebody would sign it who does not know the secret.
        let body = String::from_utf8_lossy(&call.body).into_owned();
        let signature = format!("sha256={}", super::tests::signature("guess", &body));
        call.headers[0].1 = signature.into_bytes().into();
        call
    }
}

#[tokio::test]
async fn the_connector_complies() {
    complies(&Meta).await;
}
