//! Calls to the hook, as Twilio makes them.

use domain::ids::MessageId;
use domain::model::address::Address;
use domain::model::failure::FailureClass;
use domain::model::receipt::ReceiptState;
use domain::phone::PhoneNumber;
use ports::connector::{Bill, IncomingReceipt, SubmissionKey};
use proptest::prelude::*;

use super::super::config::TwilioChannel;
use super::super::fixtures::{call, config, form, signed};
use super::*;
use crate::web::protocol::Telling;

const REFERENCE: &str = "ref=msg_0000000000007.1";
const STATUS: [(&str, &str); 7] = [
    ("MessageSid", "SM1"),
    ("SmsSid", "SM1"),
    ("AccountSid", "AC0123"),
    ("SmsStatus", "sent"),
    ("To", "whatsapp:+4917012345678"),
    ("From", "whatsapp:+14155550000"),
    ("ApiVersion", "2010-04-01"),
];

fn key() -> SubmissionKey {
    SubmissionKey {
        message: MessageId::from_key(7),
        attempt: 1,
    }
}

fn status(more: &[(&str, &str)]) -> Vec<u8> {
    let base = STATUS
        .iter()
        .filter(|it| more.iter().all(|one| one.0 != it.0));
    form(&base.chain(more).copied().collect::<Vec<_>>())
}

fn hear(query: &str, body: &[u8]) -> Callback {
    read(&config(TwilioChannel::WhatsApp), &signed(query, body))
}

fn told(query: &str, body: &[u8]) -> Vec<Telling> {
    match hear(query, body) {
        Callback::Tells(told, answer) => {
            assert_eq!(answer, HookAnswer::empty(204));
            told
        }
        Callback::Answer(answer) => panic!("{answer:?}"),
    }
}

fn receipt(query: &str, body: &[u8]) -> IncomingReceipt {
    let mut told = told(query, body);
    assert_eq!(told.len(), 1);
    let Telling::Receipt(receipt) = told.remove(0) else {
        panic!("{told:?}");
    };
    receipt
}

#[test]
fn a_call_by_get_is_refused_and_not_lost() {
    let mut call = signed(
        "MessageSid=SM1&NumMedia=0&From=%2B4917012345678&Body=Hi",
        b"",
    );
    call.method = "GET".into();
    let answer = read(&config(TwilioChannel::Sms), &call);
    assert_eq!(answer, Callback::Answer(HookAnswer::empty(405)));
}

#[test]
fn a_status_is_a_receipt_for_the_whole_message() {
    let body = status(&[
        ("MessageStatus", "undelivered"),
        ("ErrorCode", "30003"),
        ("ErrorMessage", "Unreachable destination handset"),
        ("RawDlrDoneDate", "2611261801"),
        ("SomethingNew", "2027"),
    ]);
    let read = receipt(REFERENCE, &body);
    assert_eq!(read.references, ["SM1".into()]);
    assert_eq!(read.ours, Some(key()));
    let number = PhoneNumber::parse("+4917012345678").unwrap();
    assert_eq!(read.recipient, Some(Address::Phone(number)));
    assert!(read.whole);
    assert!(
        matches!(&read.state, ReceiptState::Failed(it) if it.class == FailureClass::RecipientAbsent),
        "{:?}",
        read.state
    );
    assert_eq!(
        &*read.raw,
        "MessageStatus=undelivered ErrorCode=30003 \
         ErrorMessage=Unreachable destination handset RawDlrDoneDate=2611261801"
    );
}

#[test]
fn a_status_is_found_under_either_name() {
    for (fields, want) in [
        (
            &[("MessageStatus", "delivered")][..],
            ReceiptState::Delivered,
        ),
        (&[("SmsStatus", "delivered")], ReceiptState::Delivered),
        (&[("SmsStatus", "sent")], ReceiptState::InTransit),
        (&[("MessageStatus", "read")], ReceiptState::Read),
        (
            &[("MessageStatus", "delivered"), ("EventType", "READ")],
            ReceiptState::Read,
        ),
        (
            &[("SmsStatus", ""), ("EventType", "READ")],
            ReceiptState::Read,
        ),
        (
            &[("MessageStatus", "delivered"), ("ErrorCode", "0")],
            ReceiptState::Delivered,
        ),
    ] {
        assert_eq!(
            receipt(REFERENCE, &status(fields)).state,
            want,
            "{fields:?}"
        );
    }
}

#[test]
fn a_receipt_without_our_reference_goes_by_its_id() {
    for query in ["", "ref=", "ref=msg_7.1", "other=1"] {
        let read = receipt(query, &status(&[("MessageStatus", "delivered")]));
        assert_eq!((read.ours, read.references.len()), (None, 1), "{query}");
    }
    let both_gone = status(&[("MessageSid", ""), ("SmsSid", "")]);
    assert_eq!(receipt(REFERENCE, &both_gone).references.len(), 0);
    assert_eq!(
        hear("", &both_gone),
        Callback::Answer(HookAnswer::empty(204))
    );
}

#[test]
fn what_a_callback_counts_is_billed_by_our_reference() {
    let body = status(&[("MessageStatus", "delivered"), ("NumSegments", "2")]);
    let bill = Bill {
        segments: Some(2),
        amount: None,
    };
    assert_eq!(told(REFERENCE, &body)[1..], [Telling::Bill(key(), bill)]);
    assert_eq!(told("", &body).len(), 1);
}

#[test]
fn a_status_that_nobody_documented_is_acknowledged_and_tells_nothing() {
    for word in ["partially_delivered", "teleported"] {
        let body = status(&[("MessageStatus", word)]);
        assert_eq!(
            hear(REFERENCE, &body),
            Callback::Answer(HookAnswer::empty(204)),
            "{word}"
        );
    }
    assert_eq!(hear("", b""), Callback::Answer(HookAnswer::empty(204)));
}

#[test]
fn an_inbound_message_is_answered_with_an_empty_reply() {
    let body = form(&[
        ("SmsStatus", "received"),
        ("MessageSid", "SM2"),
        ("From", "whatsapp:+4917012345678"),
        ("To", "whatsapp:+14155550000"),
        ("Body", "MessageStatus=delivered"),
        ("NumMedia", "0"),
    ]);
    let Callback::Tells(told, answer) = hear("", &body) else {
        panic!();
    };
    assert!(matches!(&told[..], [Telling::Inbound(_)]), "{told:?}");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.content_type.as_deref(), Some("text/xml"));
    assert_eq!(answer.body, b"<Response/>");
}

#[test]
fn inbound_messages_and_statuses_are_told_apart() {
    let from = ("From", "whatsapp:+4917012345678");
    for (fields, inbound) in [
        (&[("SmsStatus", "received"), from][..], true),
        (&[("MessageStatus", "received"), from], true),
        (&[("MessageStatus", "receiving"), from], true),
        (&[("NumMedia", "0"), from], true),
        (
            &[("MessageStatus", "sent"), ("MessageSid", "SM1"), from],
            false,
        ),
        // Whatever is added to a status one day.
        (
            &[
                ("MessageStatus", "sent"),
                ("SmsStatus", "sent"),
                ("MessageSid", "SM1"),
                ("Body", "x"),
                ("NumMedia", "0"),
                from,
            ],
            false,
        ),
    ] {
        let Callback::Tells(told, _) = hear("", &form(fields)) else {
            panic!("{fields:?}");
        };
        let is_inbound = matches!(told[0], Telling::Inbound(_));
        assert_eq!(is_inbound, inbound, "{fields:?}");
    }
}

#[test]
fn a_wrong_signature_is_refused_and_tells_nothing() {
    let body = status(&[("MessageStatus", "delivered")]);
    let forged = call(REFERENCE, &body, "uLCrkKwUalFa4E7Pp2Ak2QjHtqI=");
    assert_eq!(
        read(&config(TwilioChannel::WhatsApp), &forged),
        Callback::Answer(HookAnswer::empty(403))
    );
    let mut unsigned = forged;
    unsigned.headers.truncate(1);
    assert_eq!(
        read(&config(TwilioChannel::WhatsApp), &unsigned),
        Callback::Answer(HookAnswer::empty(401))
    );
}

/// Names that mean something, and others.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "MessageSid",
            "MessageStatus",
            "SmsStatus",
            "From",
            "To",
            "Body",
            "NumMedia",
            "MediaUrl0",
            "MediaContentType0",
            "WaId",
            "Latitude",
            "Longitude",
            "OptOutType",
            "ErrorCode",
            "NumSegments",
            "Price",
            "EventType",
            "ReferralMediaUrl",
            "ButtonText",
        ])
        .prop_map(str::to_owned),
        ".{0,8}",
    ]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "received",
            "delivered",
            "failed",
            "whatsapp:+4917012345678",
            "+4917012345678",
            "whatsapp:",
            "STOP",
            "1",
            "NaN",
            "-0",
            "99999999999999999999",
        ])
        .prop_map(str::to_owned),
        ".{0,40}",
    ]
}

proptest! {
    #[test]
    fn no_parameters_make_it_panic(
        fields in prop::collection::vec((name(), value()), 0..12),
        query in "[ -~&&[^#]]{0,30}",
        whatsapp: bool,
    ) {
        let fields: Vec<_> = fields.iter().map(|it| (&*it.0, &*it.1)).collect();
        let channel = if whatsapp { TwilioChannel::WhatsApp } else { TwilioChannel::Sms };
        let heard = read(&config(channel), &signed(&query, &form(&fields)));
        prop_assert_ne!(heard, Callback::Answer(HookAnswer::empty(403)));
    }

    #[test]
    fn no_octets_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let config = config(TwilioChannel::Sms);
        let heard = read(&config, &signed("", &body));
        prop_assert_ne!(heard, Callback::Answer(HookAnswer::empty(403)));
        let heard = read(&config, &call("", &body, "AAAA"));
        prop_assert_eq!(heard, Callback::Answer(HookAnswer::empty(403)));
    }
}
