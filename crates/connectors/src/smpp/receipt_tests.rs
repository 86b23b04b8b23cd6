//! Receipt texts as vendors send them.

use std::collections::BTreeMap;

use domain::model::failure::FailureClass;

use super::super::codes::TYPICAL_RECEIPT_ERRORS;
use super::super::pdu::{Address, Submit, first};
use super::*;

fn config(policy: MessageIdMatch) -> SmppConfig {
    let errors = TYPICAL_RECEIPT_ERRORS
        .iter()
        .map(|it| (it.0.to_owned(), it.1));
    SmppConfig {
        message_id_match: policy,
        receipt_errors: errors.collect::<BTreeMap<_, _>>(),
        ..SmppConfig::default()
    }
}

fn receive(
    policy: MessageIdMatch,
    esm_class: u8,
    text: &str,
    tlvs: &[(u16, &[u8])],
) -> Option<IncomingReceipt> {
    let mut out = Vec::new();
    let deliver = Submit {
        source: Address {
            ton: 1,
            npi: 1,
            text: b"4917012345678",
        },
        destination: Address {
            ton: 5,
            npi: 0,
            text: b"ACME",
        },
        esm_class,
        text: text.as_bytes(),
        ..Submit::default()
    };
    let mut pdu = deliver.begin(&mut out, 1);
    for (tag, value) in tlvs {
        pdu.tlv(*tag, value);
    }
    pdu.finish();
    let message = Message::parse(first(&out).unwrap().unwrap().body).unwrap();
    read(&config(policy), &message)
}

fn as_is(text: &str) -> IncomingReceipt {
    receive(MessageIdMatch::AsIs, 0x04, text, &[]).unwrap()
}

fn class(state: &ReceiptState) -> Option<FailureClass> {
    match state {
        ReceiptState::Failed(failure) => Some(failure.class),
        ReceiptState::InTransit | ReceiptState::Delivered | ReceiptState::Read => None,
    }
}

#[test]
fn the_texts_that_vendors_send_are_understood() {
    for (text, id, state) in [
        (
            "id:1526758174 submit date:1701240904 done date:1701240904 stat:DELIVRD err:000 text:hellow",
            "1526758174",
            "delivered",
        ),
        (
            "id:117062714244798261 sub:001 dlvrd:001 submit date:1706271624 done date:1706271624 stat:DELIVRD err:0000 text:Hllo world",
            "117062714244798261",
            "delivered",
        ),
        (
            "id:123A456B sub:1 dlvrd:1 submit date:1702281424 done date:1702281424 stat:DELIVRD err:0 text: hello",
            "123a456b",
            "delivered",
        ),
        (
            "id:0000029095 sub:001 dlvrd:001 submit date:211125034959 done date:211125034959 stat:EXPIRED err:001",
            "0000029095",
            "failed",
        ),
        (
            "id:a9b8 sub:001 dlvrd:000 submit date:2611210000 done date:2611210001 stat:UNDELIV err:006 Text:stat:DELIVRD",
            "a9b8",
            "failed",
        ),
        ("ID:7 STAT:delivered ERR:E1F", "7", "delivered"),
        ("id:x-1/Y stat:ENROUTE", "x-1/Y", "in_transit"),
        ("id:8 stat:ACCEPTD err: text:", "8", "in_transit"),
        ("id:9 stat:UNKNOWN err:000", "9", "in_transit"),
        ("stat:REJECTD id:10 err:0", "10", "failed"),
        ("id:11 stat:SOMETHING", "11", "in_transit"),
    ] {
        let receipt = as_is(text);
        assert_eq!(receipt.references, [id.into()], "{text}");
        assert_eq!(receipt.state.code(), state, "{text}");
        assert_eq!(receipt.recipient.unwrap().to_string(), "+4917012345678");
    }
}

#[test]
fn the_words_of_the_message_are_neither_believed_nor_kept() {
    let receipt = as_is("id:a9b8 stat:UNDELIV err:006 Text:stat:DELIVRD id:1");
    assert_eq!(class(&receipt.state), Some(FailureClass::RecipientInvalid));
    assert_eq!(&*receipt.raw, "id:a9b8 stat:UNDELIV err:006");
}

#[test]
fn an_error_code_refines_only_what_is_undeliverable() {
    for (text, expected) in [
        ("id:1 stat:UNDELIV err:001", FailureClass::RecipientAbsent),
        ("id:1 stat:UNDELIV err:0", FailureClass::Undeliverable),
        ("id:1 stat:UNDELIV err:999", FailureClass::Undeliverable),
        ("id:1 stat:UNDELIV", FailureClass::Undeliverable),
        ("id:1 stat:EXPIRED err:001", FailureClass::Expired),
    ] {
        assert_eq!(class(&as_is(text).state), Some(expected), "{text}");
    }
}

#[test]
fn an_untyped_message_is_a_receipt_only_when_it_reads_like_one() {
    let untyped = |text| receive(MessageIdMatch::AsIs, 0x00, text, &[]);
    assert!(untyped("id:5 sub:001 dlvrd:001 stat:DELIVRD err:000").is_some());
    assert!(untyped("id:5 sub:001").is_none());
    assert!(untyped("my id:5 stat:DELIVRD").is_none());
    assert!(untyped("id:5 stat:WONDERFUL").is_none());
    assert!(untyped("Hello").is_none());
}

#[test]
fn an_intermediate_notification_is_never_final() {
    let receipt = receive(MessageIdMatch::AsIs, 0x20, "id:5 stat:DELIVRD", &[]).unwrap();
    assert_eq!(receipt.state, ReceiptState::InTransit);
}

#[test]
fn parameters_alone_make_a_receipt() {
    let tlvs: [(u16, &[u8]); 3] = [
        (tag::RECEIPTED_MESSAGE_ID, b"ABC001\0"),
        (tag::MESSAGE_STATE, &[5]),
        (tag::NETWORK_ERROR_CODE, &[3, 0, 1]),
    ];
    let receipt = receive(MessageIdMatch::AsIs, 0x04, "", &tlvs).unwrap();
    assert_eq!(receipt.references, ["abc001".into()]);
    assert_eq!(class(&receipt.state), Some(FailureClass::RecipientAbsent));
    assert_eq!(&*receipt.raw, "receipted_message_id:ABC001 message_state:5");
}

#[test]
fn the_kept_form_is_among_the_forms_looked_for_under_every_policy() {
    use MessageIdMatch as Policy;
    for (policy, answer, in_receipt) in [
        (Policy::AsIs, "abc001", "ABC001"),
        (Policy::AsIs, "0017", "0017"),
        (Policy::AsIs, "Kx-9", "Kx-9"),
        (Policy::ResponseHexReceiptDecimal, "abc001", "11255809"),
        (Policy::ResponseHexReceiptDecimal, "00ABC001", "0011255809"),
        (Policy::ResponseDecimalReceiptHex, "11255809", "ABC001"),
        (Policy::Auto, "abc001", "11255809"),
        (Policy::Auto, "11255809", "0abc001"),
        (Policy::Auto, "0000029095", "29095"),
        (Policy::Auto, "29095", "0000029095"),
        (Policy::Auto, "9F8B7C6D5E4F3A2B1C", "2943083336440026376988"),
        (Policy::Auto, "6a9f3d1e-77aa", "6a9f3d1e-77aa"),
        (Policy::Auto, "000", "0"),
    ] {
        let kept = kept_form(policy, answer.as_bytes());
        let text = format!("id:{in_receipt} stat:DELIVRD");
        let found = receive(policy, 0x04, &text, &[]).unwrap().references;
        assert!(
            found.contains(&kept),
            "{policy:?}: {answer} kept as {kept}, looked for {found:?}"
        );
    }
}

#[test]
fn the_same_text_is_tried_before_another_base() {
    let found = receive(MessageIdMatch::Auto, 0x04, "id:287 stat:DELIVRD", &[]).unwrap();
    assert_eq!(found.references, ["287".into(), "11f".into(), "647".into()]);
}

#[test]
fn the_parameter_comes_before_the_text() {
    let tlvs: [(u16, &[u8]); 1] = [(tag::RECEIPTED_MESSAGE_ID, b"abc001\0")];
    let found = receive(
        MessageIdMatch::Auto,
        0x04,
        "id:11255809 stat:DELIVRD",
        &tlvs,
    )
    .unwrap();
    assert_eq!(&*found.references[0], "abc001");
}

#[test]
fn a_receipt_without_id_counts_only_when_it_is_final_and_names_the_recipient() {
    assert!(is_usable(&as_is("stat:DELIVRD")));
    assert!(!is_usable(&as_is("stat:ENROUTE")));
}
