//! Every preset is held to what every connector is held to, over a machine on the loopback.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::model::money::Currency;
use domain::phone::PhoneNumber;
use ports::connector::{Connector, SubmissionKey};
use ports::hooks::HookCall;
use ring::digest::{SHA256, digest};
use ring::hmac;
use ring::signature::Ed25519KeyPair;

use super::fixtures::{HOOK, config, secrets};
use crate::compliance::provider::{Has, MessageName, Says, Written};
use crate::compliance::web::{Aside, Bench, complies};
use crate::compliance::{NOW, OURS, TEXT, World};
use crate::web::protocol::Answer;
use crate::web::testing::{answer, hook};

/// Bodies of one provider; `@` and `TEXT` stand for what changes.
struct Shapes {
    accepted: (u16, &'static str),
    rejected: (u16, &'static str),
    throttled: (u16, &'static str),
    account_fault: (u16, &'static str),
    /// On its way, delivered, failed.
    receipts: [&'static str; 3],
    /// Whether they give our reference back; `OURS` in the bodies stands for it.
    ours: Option<SubmissionKey>,
    /// To which of our addresses the inbound message is.
    to: &'static str,
    inbound: &'static str,
    sign: fn(&str) -> HookCall,
}

struct PresetBench {
    name: &'static str,
    shapes: Shapes,
}

impl PresetBench {
    fn call(&self, body: &str, id: &str) -> HookCall {
        let ours = format!("{}.{}", OURS.message, OURS.attempt);
        let body = body.replace('@', id).replace("TEXT", TEXT);
        let body = body.replace("OURS", &ours);
        (self.shapes.sign)(&body)
    }
}

impl Bench for PresetBench {
    fn start(&self, base_url: &str, world: World) -> Arc<dyn Connector> {
        let own = format!("base_url = '{base_url}'");
        let config = config(self.name, &own, Currency::EUR);
        super::start(&config, world.source, world.events, world.clock)
    }

    fn debug(&self) -> String {
        format!("{:?}", config(self.name, "", Currency::EUR))
    }

    fn secrets(&self) -> Vec<String> {
        secrets(self.name)
    }

    fn accepted(&self, reference: &str) -> Answer {
        let (status, body) = self.shapes.accepted;
        answer(status, &body.replace('@', reference))
    }

    fn rejected(&self) -> Answer {
        answer(self.shapes.rejected.0, self.shapes.rejected.1)
    }

    fn throttled(&self) -> Answer {
        answer(self.shapes.throttled.0, self.shapes.throttled.1)
    }

    fn account_fault(&self) -> Answer {
        answer(self.shapes.account_fault.0, self.shapes.account_fault.1)
    }

    fn aside(&self) -> Option<Aside> {
        Some((|asked| asked.method == "GET", answer(200, "{}")))
    }

    fn refused_aside(&self) -> Answer {
        // Also where a submission is refused with a success and a number.
        answer(401, "{}")
    }

    fn receipts(&self, reference: &str) -> Has<Vec<(HookCall, Says)>> {
        let ours = self.shapes.ours;
        let says = ["in_transit", "delivered", "failed"].map(|state| Says { state, ours });
        let receipts = self.shapes.receipts.iter().zip(says);
        let call = |(body, says): (&&str, Says)| (self.call(body, reference), says);
        Has::It(receipts.map(call).collect())
    }

    fn inbound(&self) -> Has<(HookCall, Written)> {
        let written = Written {
            from: PhoneNumber::parse("+40712345001").unwrap().into(),
            to: self.shapes.to,
            id: MessageName::Is("IN1"),
        };
        Has::It((self.call(self.shapes.inbound, "IN1"), written))
    }

    fn forged(&self, mut call: HookCall) -> HookCall {
        for (name, value) in &mut call.headers {
            if name.contains("signature") && !name.ends_with("nonce") {
                // In the middle of what the key made: what is at the end may be padding, and another
                // character there no Base64 at all.
                let begin = value
                    .iter()
                    .rposition(|it| *it == b'.')
                    .map_or(0, |it| it + 1);
                let value = &mut value[begin + (value.len() - begin) / 2];
                *value = if *value == b'A' { b'B' } else { b'A' };
            }
        }
        let url = call.url.replace("token=tok%201", "token=tok");
        call.query = call.query.replace("token=tok%201", "token=tok").into();
        call.url = url.into();
        let body = String::from_utf8(call.body).unwrap();
        call.body = body.replace("&sig=", "&sig=00").into_bytes();
        call
    }
}

fn typed(method: &str, url: &str, body: &str, kind: &str) -> HookCall {
    let mut call = hook(method, url, body);
    if !body.is_empty() {
        call.headers
            .push(("content-type".into(), kind.as_bytes().into()));
    }
    call
}

fn json(url: &str, body: &str) -> HookCall {
    typed("POST", url, body, "application/json")
}

fn form(url: &str, body: &str) -> HookCall {
    // What the shapes write between the fields of a form is encoded here.
    let fields = body.split('|').filter_map(|it| it.split_once('='));
    let mut encoded = url::form_urlencoded::Serializer::new(String::new());
    encoded.extend_pairs(fields);
    let kind = "application/x-www-form-urlencoded";
    typed("POST", url, &encoded.finish(), kind)
}

fn with(mut call: HookCall, name: &str, value: &str) -> HookCall {
    call.headers.push((name.into(), value.as_bytes().into()));
    call
}

fn mac(key: &str, message: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    hmac::sign(&key, message.as_bytes()).as_ref().to_vec()
}

fn hex(octets: &[u8]) -> String {
    use std::fmt::Write as _;
    octets.iter().fold(String::new(), |mut text, it| {
        write!(text, "{it:02x}").unwrap();
        text
    })
}

fn seconds() -> String {
    (NOW.as_millis() / 1_000).to_string()
}

fn in_url(body: &str) -> HookCall {
    json(&format!("{HOOK}?token=tok%201"), body)
}

fn telnyx(body: &str) -> HookCall {
    let seed = digest(&SHA256, b"a key for tests");
    let key = Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).unwrap();
    let signature = key.sign(format!("{}|{body}", seconds()).as_bytes());
    let call = with(json(HOOK, body), "telnyx-timestamp", &seconds());
    let signature = STANDARD.encode(signature.as_ref());
    with(call, "telnyx-signature-ed25519", &signature)
}

fn vonage(body: &str) -> HookCall {
    let body = format!("{body}|timestamp={}", seconds());
    let mut fields: Vec<&str> = body.split('|').collect();
    fields.sort_unstable();
    let signature = hex(&mac("sigsecret", &format!("&{}", fields.join("&"))));
    form(HOOK, &format!("{body}|sig={signature}"))
}

fn plivo(body: &str) -> HookCall {
    let mut fields: Vec<String> = body.split('|').map(|it| it.replacen('=', "", 1)).collect();
    fields.sort_unstable();
    let signature = mac("authtoken", &format!("{HOOK}?{}.n1", fields.concat()));
    let call = with(form(HOOK, body), "x-plivo-signature-v3-nonce", "n1");
    with(call, "x-plivo-signature-v3", &STANDARD.encode(signature))
}

fn messagebird(body: &str) -> HookCall {
    let call = form(HOOK, body);
    let hash = |it: &[u8]| hex(digest(&SHA256, it).as_ref());
    let claims = format!(
        "{{\"iss\":\"MessageBird\",\"url_hash\":\"{}\",\"payload_hash\":\"{}\"}}",
        hash(HOOK.as_bytes()),
        hash(&call.body)
    );
    let part = |it: &[u8]| URL_SAFE_NO_PAD.encode(it);
    let signed = format!(
        "{}.{}",
        part(b"{\"alg\":\"HS256\",\"typ\":\"JWT\"}"),
        part(claims.as_bytes())
    );
    let signature = part(&mac("a signing key of 32 bytes, or so", &signed));
    let token = format!("{signed}.{signature}");
    with(call, "messagebird-signature-jwt", &token)
}

#[tokio::test]
async fn infobip_complies() {
    let shapes = Shapes {
        accepted: (
            200,
            r#"{"messages":[{"messageId":"@","status":{"groupName":"PENDING"}}]}"#,
        ),
        rejected: (
            200,
            r#"{"messages":[{"messageId":"x","status":{"groupName":"REJECTED",
                "name":"REJECTED_DESTINATION"}}]}"#,
        ),
        throttled: (
            429,
            r#"{"requestError":{"serviceException":{"messageId":"TOO_MANY_REQUESTS"}}}"#,
        ),
        account_fault: (
            401,
            r#"{"requestError":{"serviceException":{"messageId":"UNAUTHORIZED"}}}"#,
        ),
        receipts: [
            r#"{"results":[{"messageId":"@","callbackData":"OURS","to":"40712345001",
                "status":{"groupName":"PENDING"}}]}"#,
            r#"{"results":[{"messageId":"@","callbackData":"OURS","to":"40712345001",
                "status":{"groupName":"DELIVERED"}}]}"#,
            r#"{"results":[{"messageId":"@","callbackData":"OURS","to":"40712345001",
                "status":{"groupName":"UNDELIVERABLE"}}]}"#,
        ],
        ours: Some(OURS),
        to: "4070",
        inbound: r#"{"results":[{"messageId":"@","from":"40712345001","to":"4070","text":"TEXT"}]}"#,
        sign: in_url,
    };
    complies(&PresetBench {
        name: "infobip",
        shapes,
    })
    .await;
}

#[tokio::test]
async fn messagebird_complies() {
    let shapes = Shapes {
        accepted: (201, r#"{"id":"@"}"#),
        rejected: (422, r#"{"errors":[{"code":9,"description":"no"}]}"#),
        throttled: (429, ""),
        account_fault: (401, r#"{"errors":[{"code":2,"description":"no"}]}"#),
        receipts: [
            "id=@|reference=OURS|recipient=40712345001|status=sent",
            "id=@|reference=OURS|recipient=40712345001|status=delivered",
            "id=@|reference=OURS|recipient=40712345001|status=delivery_failed",
        ],
        ours: Some(OURS),
        to: "4070",
        inbound: "id=@|originator=40712345001|recipient=4070|body=TEXT",
        sign: messagebird,
    };
    complies(&PresetBench {
        name: "messagebird",
        shapes,
    })
    .await;
}

#[tokio::test]
async fn plivo_complies() {
    let shapes = Shapes {
        accepted: (202, r#"{"message_uuid":["@"]}"#),
        rejected: (400, r#"{"error":"no"}"#),
        throttled: (429, ""),
        account_fault: (401, ""),
        receipts: [
            "To=40712345001|MessageUUID=@|Status=sent",
            "To=40712345001|MessageUUID=@|Status=delivered",
            "To=40712345001|MessageUUID=@|Status=undelivered|ErrorCode=20",
        ],
        ours: None,
        to: "4070",
        inbound: "From=40712345001|To=4070|Text=TEXT|MessageUUID=@",
        sign: plivo,
    };
    complies(&PresetBench {
        name: "plivo",
        shapes,
    })
    .await;
}

#[tokio::test]
async fn sinch_complies() {
    let shapes = Shapes {
        accepted: (201, r#"{"id":"@"}"#),
        rejected: (400, r#"{"code":"syntax_constraint_violation","text":"no"}"#),
        throttled: (429, ""),
        account_fault: (401, ""),
        receipts: [
            r#"{"type":"recipient_delivery_report_sms","batch_id":"@","client_reference":"OURS",
                "status":"Dispatched"}"#,
            r#"{"type":"recipient_delivery_report_sms","batch_id":"@","client_reference":"OURS",
                "status":"Delivered"}"#,
            r#"{"type":"recipient_delivery_report_sms","batch_id":"@","client_reference":"OURS",
                "status":"Failed","code":404}"#,
        ],
        ours: Some(OURS),
        to: "4070",
        inbound: r#"{"type":"mo_text","id":"@","from":"40712345001","to":"4070","body":"TEXT"}"#,
        sign: in_url,
    };
    complies(&PresetBench {
        name: "sinch",
        shapes,
    })
    .await;
}

#[tokio::test]
async fn telnyx_complies() {
    let shapes = Shapes {
        accepted: (200, r#"{"data":{"id":"@","parts":1}}"#),
        rejected: (422, r#"{"errors":[{"code":"40008","detail":"no"}]}"#),
        throttled: (429, r#"{"errors":[{"code":"10011","detail":"no"}]}"#),
        account_fault: (401, r#"{"errors":[{"code":"10009","detail":"no"}]}"#),
        receipts: [
            r#"{"data":{"event_type":"message.sent","payload":{"id":"@","text":"TEXT",
                "to":[{"phone_number":"+40712345001","status":"sent"}]}}}"#,
            r#"{"data":{"event_type":"message.finalized","payload":{"id":"@","text":"TEXT",
                "to":[{"phone_number":"+40712345001","status":"delivered"}]}}}"#,
            r#"{"data":{"event_type":"message.finalized","payload":{"id":"@","text":"TEXT",
                "to":[{"phone_number":"+40712345001","status":"delivery_failed"}]}}}"#,
        ],
        ours: None,
        to: "+40700000001",
        inbound: r#"{"data":{"event_type":"message.received","payload":{"id":"@","text":"TEXT",
            "from":{"phone_number":"+40712345001"},"to":[{"phone_number":"+40700000001"}]}}}"#,
        sign: telnyx,
    };
    complies(&PresetBench {
        name: "telnyx",
        shapes,
    })
    .await;
}

#[tokio::test]
async fn vonage_complies() {
    let shapes = Shapes {
        accepted: (200, r#"{"messages":[{"status":"0","message-id":"@"}]}"#),
        rejected: (200, r#"{"messages":[{"status":"33","error-text":"no"}]}"#),
        throttled: (200, r#"{"messages":[{"status":"1","error-text":"no"}]}"#),
        account_fault: (200, r#"{"messages":[{"status":"4","error-text":"no"}]}"#),
        receipts: [
            "messageId=@|client-ref=OURS|msisdn=40712345001|status=accepted|err-code=0",
            "messageId=@|client-ref=OURS|msisdn=40712345001|status=delivered|err-code=0",
            "messageId=@|client-ref=OURS|msisdn=40712345001|status=failed|err-code=6",
        ],
        ours: Some(OURS),
        to: "4070",
        inbound: "messageId=@|msisdn=40712345001|to=4070|type=unicode|text=TEXT",
        sign: vonage,
    };
    complies(&PresetBench {
        name: "vonage",
        shapes,
    })
    .await;
}
