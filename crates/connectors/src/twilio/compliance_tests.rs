//! Both channels, held to what every connector is held to.

use domain::model::content::Content;
use domain::phone::PhoneNumber;
use ports::connector::Submission;

use super::fixtures::{TOKEN, config, form, signed};
use super::*;
use crate::compliance::provider::{Has, MessageName, Says, Written};
use crate::compliance::web::{Aside, Bench, complies};
use crate::compliance::{OURS, TEXT, World};
use crate::testing::submission;
use crate::web::testing::answer;

struct Twilios {
    channel: TwilioChannel,
}

impl Twilios {
    fn config(&self, base_url: &str) -> TwilioConfig {
        TwilioConfig {
            base_url: base_url.to_owned(),
            api_key: Some(ApiKey {
                sid: "SK1".into(),
                secret: "s3cret-key".into(),
            }),
            webhook_shared_key: Some("s3cret-shared".into()),
            ..config(self.channel)
        }
    }

    fn address(&self, number: &str) -> String {
        format!("{}{number}", self.channel.prefix())
    }

    fn receipt(&self, reference: &str, more: &[(&str, &str)]) -> HookCall {
        let to = self.address("+40712345001");
        let base = [
            ("MessageSid", reference),
            ("AccountSid", "AC0123"),
            ("To", &*to),
        ];
        let fields: Vec<_> = base.iter().chain(more).copied().collect();
        let ours = format!("ref={}.{}", OURS.message, OURS.attempt);
        signed(&ours, &form(&fields))
    }
}

impl Bench for Twilios {
    fn start(&self, base_url: &str, world: World) -> Arc<dyn Connector> {
        let config = self.config(base_url);
        start(config, world.source, world.events, world.clock)
    }

    fn debug(&self) -> String {
        format!("{:?}", self.config("https://api.twilio.com"))
    }

    fn secrets(&self) -> Vec<String> {
        let config = self.config("");
        let encoded = config.authorization().1.replace("Basic ", "");
        let plain = [TOKEN, "s3cret-key", "s3cret-shared"].map(str::to_owned);
        plain.into_iter().chain([encoded]).collect()
    }

    fn submission(&self, no: i64) -> Submission {
        Submission {
            from: "+14155550000".into(),
            content: Arc::new(Content::text(TEXT)),
            ..submission(no, &format!("+40712345{no:03}"), TEXT)
        }
    }

    fn accepted(&self, reference: &str) -> Answer {
        let body = serde_json::json!({
            "sid": reference, "status": "queued", "num_segments": "2", "body": TEXT,
        });
        answer(201, &body.to_string())
    }

    fn rejected(&self) -> Answer {
        let message = format!("The message {TEXT} cannot be sent");
        let body = serde_json::json!({ "code": 21610, "message": message, "status": 400 });
        answer(400, &body.to_string())
    }

    fn throttled(&self) -> Answer {
        let mut answer = answer(429, r#"{"code":20429,"status":429}"#);
        let wait = ("retry-after".to_owned(), "1".to_owned());
        answer.headers.push(wait);
        answer
    }

    fn account_fault(&self) -> Answer {
        answer(
            401,
            r#"{"code":20003,"message":"Authenticate","status":401}"#,
        )
    }

    fn aside(&self) -> Option<Aside> {
        let account = answer(200, r#"{"sid":"AC0123","status":"active"}"#);
        Some((|it| it.method == "GET", account))
    }

    fn receipts(&self, reference: &str) -> Has<Vec<(HookCall, Says)>> {
        let ours = Some(OURS);
        let receipt = |more: &[_], state| (self.receipt(reference, more), Says { state, ours });
        Has::It(vec![
            receipt(&[("MessageStatus", "sent")], "in_transit"),
            receipt(
                &[("MessageStatus", "delivered"), ("Body", TEXT)],
                "delivered",
            ),
            receipt(
                &[("MessageStatus", "failed"), ("ErrorCode", "30008")],
                "failed",
            ),
        ])
    }

    fn inbound(&self) -> Has<(HookCall, Written)> {
        let from = self.address("+40712345001");
        let to = self.address("+14155550000");
        let fields = [
            ("SmsStatus", "received"),
            ("MessageSid", "SM2"),
            ("From", &*from),
            ("To", &*to),
            ("Body", TEXT),
            ("NumMedia", "0"),
        ];
        let written = Written {
            from: PhoneNumber::parse("+40712345001").unwrap().into(),
            to: "+14155550000",
            id: MessageName::Is("SM2"),
        };
        Has::It((signed("", &form(&fields)), written))
    }

    fn forged(&self, mut call: HookCall) -> HookCall {
        call.headers[1].1 = b"uLCrkKwUalFa4E7Pp2Ak2QjHtqI="[..].into();
        call
    }
}

#[tokio::test]
async fn text_messages_comply() {
    complies(&Twilios {
        channel: TwilioChannel::Sms,
    })
    .await;
}

#[tokio::test]
async fn whatsapp_complies() {
    complies(&Twilios {
        channel: TwilioChannel::WhatsApp,
    })
    .await;
}
