//! What each preset makes of its provider's callbacks, which `presets/make_calls.py` has signed.

use domain::model::money::{Currency, Micros};
use domain::time::{Millis, Timestamp};
use ports::connector::Bill;
use ports::hooks::HookAnswer;
use proptest::prelude::*;

use super::fixtures::{KEY, NOW, call, config, preset, presets};
use super::*;
use crate::web::protocol::Telling;
use crate::web::testing::hook;

const CALLS: &[(&str, &str, &str, &str)] = &[
    (
        "infobip",
        "delivered and failed",
        include_str!("presets/infobip/delivered_and_failed.http"),
        "delivered msg_0000000000007.1 ours whole to +40712345678; \
         bill Some(2) Some(Micros(20000)); \
         failed recipient_absent EC_ABSENT_SUBSCRIBER msg_0000000000008.2 ours whole to +40712345679; \
         bill Some(2) Some(Micros(20000))",
    ),
    (
        "infobip",
        "expired",
        include_str!("presets/infobip/expired.http"),
        "failed expired NO_ERROR msg_0000000000007.1 ours whole to +40712345678; \
         bill Some(2) Some(Micros(20000))",
    ),
    (
        "infobip",
        "inbound",
        include_str!("presets/infobip/inbound.http"),
        "inbound 817790313235066447 +40712345678 40700000001 QUIZ Correct answer at 0",
    ),
    (
        "messagebird",
        "delivered",
        include_str!("presets/messagebird/delivered.http"),
        "delivered e8077d803532c0b5937c639b60216938 ours whole to +40712345678",
    ),
    (
        "messagebird",
        "failed",
        include_str!("presets/messagebird/failed.http"),
        "failed recipient_invalid 1 e8077d803532c0b5937c639b60216938 ours whole to +40712345678",
    ),
    (
        "messagebird",
        "expired",
        include_str!("presets/messagebird/expired.http"),
        "failed expired expired e8077d803532c0b5937c639b60216938 ours whole to +40712345678",
    ),
    (
        "messagebird",
        "inbound",
        include_str!("presets/messagebird/inbound.http"),
        "inbound 96a0b5faa986453dbe5c3117f989f025 +40712345678 40700000001 Hallo é at 0",
    ),
    (
        "plivo",
        "delivered",
        include_str!("presets/plivo/delivered.http"),
        "delivered db3ce55a-7f1d-11e1-8ea7-1231380bc196,1f8cdd1a-7b1f-11ea-8ee5-0242ac110004 \
         ours whole to +40712345678; bill Some(2) None",
    ),
    (
        "plivo",
        "failed",
        include_str!("presets/plivo/failed.http"),
        "failed recipient_absent 80 \
         db3ce55a-7f1d-11e1-8ea7-1231380bc196,1f8cdd1a-7b1f-11ea-8ee5-0242ac110004 \
         ours whole to +40712345678; bill Some(2) None",
    ),
    (
        "plivo",
        "stop",
        include_str!("presets/plivo/stop.http"),
        "failed opted_out 200 \
         db3ce55a-7f1d-11e1-8ea7-1231380bc196,1f8cdd1a-7b1f-11ea-8ee5-0242ac110004 \
         ours whole to +40712345678; bill Some(2) None",
    ),
    (
        "plivo",
        "inbound",
        include_str!("presets/plivo/inbound.http"),
        "inbound 5e3c9b1a-7b1f-11ea-8ee5-0242ac110004 +40712345678 40700000001 Hi & bye",
    ),
    (
        "sinch",
        "delivered",
        include_str!("presets/sinch/delivered.http"),
        "delivered 01FC66621XXXXX119Z8PMV1QPQ ours whole to +40712345678; bill Some(2) None",
    ),
    (
        "sinch",
        "failed",
        include_str!("presets/sinch/failed.http"),
        "failed recipient_absent 404 01FC66621XXXXX119Z8PMV1QPQ ours whole to +40712345678; \
         bill Some(2) None",
    ),
    (
        "sinch",
        "expired",
        include_str!("presets/sinch/expired.http"),
        "failed expired 406 01FC66621XXXXX119Z8PMV1QPQ ours whole to +40712345678; \
         bill Some(2) None",
    ),
    (
        "sinch",
        "inbound",
        include_str!("presets/sinch/inbound.http"),
        "inbound 01FC66621XXXXX119Z8PMV1QPR +40712345678 40700000001 Hello at 0",
    ),
    (
        "telnyx",
        "delivered",
        include_str!("presets/telnyx/delivered.http"),
        "delivered 40385f64-5717-4562-b3fc-2c963f66afa6 ours whole to +40712345678; \
         bill Some(2) None",
    ),
    (
        "telnyx",
        "failed",
        include_str!("presets/telnyx/failed.http"),
        "failed recipient_invalid 40012 40385f64-5717-4562-b3fc-2c963f66afa6 ours whole \
         to +40712345678; bill Some(2) None",
    ),
    (
        "telnyx",
        "expired",
        include_str!("presets/telnyx/expired.http"),
        "failed expired expired 40385f64-5717-4562-b3fc-2c963f66afa6 ours whole \
         to +40712345678; bill Some(2) None",
    ),
    (
        "telnyx",
        "stop",
        include_str!("presets/telnyx/stop.http"),
        "failed opted_out 40300 40385f64-5717-4562-b3fc-2c963f66afa6 ours whole \
         to +40712345678; bill Some(2) None",
    ),
    (
        "telnyx",
        "inbound",
        include_str!("presets/telnyx/inbound.http"),
        "inbound 7ee4241c-f127-47e5-9c34-3aac291f8058 +40712345678 +40700000001 \
         Hello, World! at 0",
    ),
    (
        "telnyx",
        "something else",
        include_str!("presets/telnyx/other.http"),
        "answer 200",
    ),
    (
        "vonage",
        "delivered, in the query",
        include_str!("presets/vonage/delivered.http"),
        "delivered 0A0000000123ABCD1 ours to +40712345678",
    ),
    (
        "vonage",
        "failed, in a form",
        include_str!("presets/vonage/failed.http"),
        "failed recipient_invalid 9 0A0000000123ABCD2 ours to +40712345678",
    ),
    (
        "vonage",
        "expired, in JSON",
        include_str!("presets/vonage/expired.http"),
        "failed expired 1 0A0000000123ABCD1 ours to +40712345678",
    ),
    (
        "vonage",
        "buffered",
        include_str!("presets/vonage/buffered.http"),
        "in_transit 0A0000000123ABCD1 ours to +40712345678",
    ),
    (
        "vonage",
        "inbound",
        include_str!("presets/vonage/inbound.http"),
        "inbound 0B0000004B65F62F +40712345678 40700000001 Da & nu = é at 0",
    ),
];

/// What a callback tells, in short.
fn short(callback: &Callback) -> String {
    match callback {
        Callback::Answer(answer) => format!("answer {}", answer.status),
        Callback::Tells(tellings, _) => {
            let tellings: Vec<String> = tellings.iter().map(told).collect();
            tellings.join("; ")
        }
    }
}

fn told(telling: &Telling) -> String {
    match telling {
        Telling::Receipt(receipt) => {
            assert!(!receipt.raw.contains("secret text"), "{}", receipt.raw);
            let mut text = receipt.state.code().to_owned();
            if let domain::model::receipt::ReceiptState::Failed(failure) = &receipt.state {
                text = format!("{text} {} {}", failure.class.code(), failure.code);
            }
            text = format!("{text} {}", receipt.references.join(","));
            for (word, holds) in [("ours", receipt.ours.is_some()), ("whole", receipt.whole)] {
                if holds {
                    text = format!("{text} {word}");
                }
            }
            match &receipt.recipient {
                Some(recipient) => format!("{text} to {recipient}"),
                None => text,
            }
        }
        Telling::Inbound(message) => {
            let text = format!(
                "inbound {} {} {} {}",
                message.provider_id.as_deref().unwrap_or_default(),
                message.from,
                message.to,
                message.content.text.as_deref().unwrap_or("(none)"),
            );
            match message.sent_at {
                Some(at) => format!("{text} at {}", at.since(NOW).get()),
                None => text,
            }
        }
        Telling::Bill(_, Bill { segments, amount }) => format!("bill {segments:?} {amount:?}"),
        Telling::Consent(_) | Telling::Template(_) => panic!("{telling:?}"),
    }
}

#[test]
fn each_callback_tells_what_its_provider_documents() {
    for (name, what, text, want) in CALLS {
        let callback = preset(name).callback(&call(text), NOW);
        assert_eq!(&short(&callback), want, "{name} {what}");
    }
}

#[test]
fn our_own_reference_comes_back() {
    for (name, what, text, _) in CALLS.iter().filter(|it| it.1.starts_with("delivered")) {
        let Callback::Tells(tellings, _) = preset(name).callback(&call(text), NOW) else {
            panic!("{name} {what}");
        };
        let ours = match &tellings[0] {
            Telling::Receipt(receipt) => receipt.ours,
            it @ (Telling::Inbound(_)
            | Telling::Consent(_)
            | Telling::Template(_)
            | Telling::Bill(..)) => panic!("{it:?}"),
        };
        assert_eq!(ours, Some(KEY), "{name} {what}");
    }
}

#[test]
fn a_price_is_told_in_the_currency_that_the_provider_names() {
    let config = config("telnyx", "", Currency::parse("USD").unwrap());
    let text = include_str!("presets/telnyx/delivered.http");
    let Callback::Tells(tellings, _) = Described::new(&config).callback(&call(text), NOW) else {
        panic!("nothing told");
    };
    let bill = Bill {
        segments: Some(2),
        amount: Some(Micros(8_000)),
    };
    assert_eq!(tellings[1], Telling::Bill(KEY, bill));
}

#[test]
fn a_callback_that_was_changed_is_believed_by_no_preset() {
    for (name, what, text, _) in CALLS {
        let good = call(text);
        let signature = match *name {
            "infobip" | "sinch" => "token",
            "vonage" => "sig",
            _ => "",
        };
        let mut changed = good.clone();
        if signature.is_empty() {
            // Another body, or another URL where there is none.
            if changed.body.is_empty() {
                let url = changed.url.replace("status=", "status=x");
                changed.url = url.into();
            } else if let Some(octet) = changed.body.iter_mut().find(|it| **it == b'4') {
                *octet = b'5';
            }
        } else {
            // Another secret, or a signature of something else.
            let name = format!("{signature}=");
            let other = format!("{signature}=0");
            let json = format!("\"{signature}\":\"");
            let body = String::from_utf8(changed.body).unwrap();
            let body = body.replace(&name, &other);
            changed.body = body.replace(&json, &format!("{json}0")).into_bytes();
            changed.query = changed.query.replace(&name, &other).into();
            changed.url = changed.url.replace(&name, &other).into();
        }
        assert_ne!(changed, good, "{name} {what}");
        let Callback::Answer(answer) = preset(name).callback(&changed, NOW) else {
            panic!("{name} {what} was believed");
        };
        assert!(matches!(answer.status, 401 | 403), "{name} {what}");
    }
}

#[test]
fn a_callback_without_a_signature_is_refused_by_every_preset() {
    for name in presets() {
        for body in ["", "{}", "Status=delivered"] {
            let call = hook("POST", "https://router.example/hooks/r", body);
            let callback = preset(name).callback(&call, NOW);
            assert_eq!(callback, Callback::Answer(HookAnswer::empty(401)), "{name}");
        }
    }
}

#[test]
fn an_old_signature_is_refused_where_it_names_its_time() {
    let later = NOW.plus(Millis::seconds(301));
    for (name, text) in [
        ("telnyx", include_str!("presets/telnyx/delivered.http")),
        ("vonage", include_str!("presets/vonage/delivered.http")),
    ] {
        let callback = preset(name).callback(&call(text), later);
        assert_eq!(callback, Callback::Answer(HookAnswer::empty(403)), "{name}");
    }
}

#[test]
fn a_signature_of_another_kind_can_take_the_place_of_the_presets() {
    let own = r#"
        [signature]
        kind = "hmac"
        header = "X-Sinch-Webhook-Signature"
        encoding = "base64"
        signed = "{body}.{nonce}.{timestamp}"
        key = "hushhush"
        timestamp_header = "X-Sinch-Webhook-Signature-Timestamp"
        nonce_header = "X-Sinch-Webhook-Signature-Nonce"
    "#;
    let sinch = Described::new(&config("sinch", own, Currency::EUR));
    let good = call(include_str!("presets/sinch/delivered_signed.http"));
    assert!(short(&sinch.callback(&good, NOW)).starts_with("delivered"));
    let mut changed = good;
    changed.body.push(b' ');
    assert_eq!(short(&sinch.callback(&changed, NOW)), "answer 403");
}

#[test]
fn plivo_is_answered_an_inbound_message_in_its_own_language() {
    let text = include_str!("presets/plivo/inbound.http");
    let Callback::Tells(_, answer) = preset("plivo").callback(&call(text), NOW) else {
        panic!("nothing told");
    };
    let want = HookAnswer::with(200, "text/xml", "<Response/>");
    assert_eq!(answer, want);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Without a signature, so that what comes is read.
    #[test]
    fn no_callback_makes_a_preset_panic(
        body in prop_oneof![
            any::<Vec<u8>>(),
            "[\\[{}\\]\",:0-9a-z ]{0,60}".prop_map(String::into_bytes),
        ],
        query in "[a-z=&%0-9]{0,40}",
        kind in prop_oneof![
            Just("application/json"),
            Just("application/x-www-form-urlencoded"),
            Just(""),
        ],
    ) {
        for name in presets() {
            let config = config(name, "signature = { kind = 'none' }", Currency::EUR);
            let mut call = hook("POST", &format!("https://r.example/hooks/r?{query}"), "");
            call.body.clone_from(&body);
            call.headers.push(("content-type".into(), kind.as_bytes().into()));
            let described = Described::new(&config);
            drop(described.callback(&call, Timestamp::from_millis(0)));
            drop(preset(name).callback(&call, NOW));
        }
    }

    /// Parts of real callbacks in wrong places.
    #[test]
    fn no_fields_of_the_wrong_type_make_a_preset_panic(seed in any::<u64>()) {
        let values = ["null", "[]", "{}", "\"x\"", "1e400", "-1", "true", "[{}]"];
        for (name, _, text, _) in CALLS {
            let config = config(name, "signature = { kind = 'none' }", Currency::EUR);
            let mut call = call(text);
            let body = String::from_utf8(call.body).unwrap();
            let at = usize::try_from(seed % 40).unwrap();
            let value = values[usize::try_from(seed / 40 % 8).unwrap()];
            let pieces: Vec<&str> = body.split(':').collect();
            let changed: Vec<String> = pieces
                .iter()
                .enumerate()
                .map(|(no, it)| match it.find([',', '}']) {
                    Some(end) if no == at => format!("{value}{}", &it[end..]),
                    Some(_) | None => (*it).to_owned(),
                })
                .collect();
            call.body = changed.join(":").into_bytes();
            drop(Described::new(&config).callback(&call, NOW));
        }
    }
}
