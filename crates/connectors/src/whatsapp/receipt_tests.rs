//! Statuses as Meta documents them.

use domain::model::address::{Address, WhatsAppUserId};
use domain::phone::PhoneNumber;

use super::*;
use crate::testing;

const OURS: &str = "+15550783881";

fn receipt(status: &Value) -> IncomingReceipt {
    match &read(status, OURS)[..] {
        [Telling::Receipt(receipt)] => receipt.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_status_names_message_recipient_and_our_reference() {
    let key = testing::key(77);
    let status = json!({"id": "wamid.A", "status": "delivered", "timestamp": "1749416390",
        "recipient_id": "16505551234", "recipient_user_id": "US.1349",
        "biz_opaque_callback_data": format!("{}/{}", key.message, key.attempt),
        "conversation": {"id": "c", "origin": {"type": "utility"}},
        "pricing": {"billable": true, "pricing_model": "PMP", "type": "regular", "category": "utility"}});
    assert_eq!(
        receipt(&status),
        IncomingReceipt {
            references: vec!["wamid.A".into()],
            ours: Some(key),
            recipient: Some(PhoneNumber::parse("+16505551234").unwrap().into()),
            whole: true,
            state: ReceiptState::Delivered,
            raw: json!({"status": "delivered", "timestamp": "1749416390",
                "pricing": {"billable": true, "pricing_model": "PMP", "type": "regular",
                    "category": "utility"}})
            .to_string()
            .into(),
        }
    );
}

#[test]
fn each_word_has_its_state() {
    for (word, want) in [
        ("sent", ReceiptState::InTransit),
        ("delivered", ReceiptState::Delivered),
        ("read", ReceiptState::Read),
        ("played", ReceiptState::Read),
    ] {
        assert_eq!(
            receipt(&json!({"id": "wamid.A", "status": word})).state,
            want,
            "{word}"
        );
    }
}

#[test]
fn a_hidden_recipient_is_named_by_the_user_id() {
    let user = Address::WhatsAppUser(WhatsAppUserId::parse("US.1349").unwrap());
    for status in [
        json!({"id": "w", "status": "sent", "recipient_user_id": "US.1349"}),
        json!({"id": "w", "status": "sent", "recipient_id": "", "recipient_user_id": "US.1349"}),
    ] {
        assert_eq!(receipt(&status).recipient, Some(user.clone()));
    }
    let nobody = json!({"id": "w", "status": "sent"});
    assert_eq!(receipt(&nobody).recipient, None);
}

#[test]
fn a_failure_has_the_class_of_its_code_and_no_text_of_the_message() {
    let status = json!({"id": "wamid.A", "status": "failed", "timestamp": "1749416390",
        "recipient_id": "16505551234",
        "errors": [{"code": 131_026, "title": "Message undeliverable",
            "message": "Message undeliverable", "error_data": {"details": "Not there"},
            "href": "https://developers.facebook.com/"}]});
    let receipt = receipt(&status);
    let ReceiptState::Failed(failure) = &receipt.state else {
        panic!("{receipt:?}");
    };
    assert_eq!(failure.class, FailureClass::RecipientIncapable);
    assert_eq!(&*failure.code, "131026");
    assert_eq!(
        serde_json::from_str::<Value>(&receipt.raw).unwrap(),
        json!({"status": "failed", "timestamp": "1749416390",
            "errors": [{"code": 131_026, "title": "Message undeliverable"}]})
    );
}

#[test]
fn a_failure_without_a_reason_is_the_channels() {
    let receipt = receipt(&json!({"id": "wamid.A", "status": "failed"}));
    assert!(
        matches!(&receipt.state, ReceiptState::Failed(it) if it.class == FailureClass::Undeliverable)
    );
}

#[test]
fn a_person_who_stopped_promotions_is_told_as_consent_too() {
    let status = json!({"id": "wamid.A", "status": "failed", "recipient_id": "16505551234",
        "errors": [{"code": 131_050, "title": "User stopped marketing"}]});
    let told = read(&status, OURS);
    let [Telling::Receipt(receipt), Telling::Consent(consent)] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(
        matches!(&receipt.state, ReceiptState::Failed(it) if it.class == FailureClass::OptedOut)
    );
    assert_eq!(
        consent.from,
        PhoneNumber::parse("+16505551234").unwrap().into()
    );
    assert!(consent.opted_out && consent.promotions_only);
    assert_eq!(&*consent.to, OURS);
}

#[test]
fn a_status_without_an_id_or_with_an_unknown_word_is_nothing() {
    assert_eq!(read(&json!({"status": "sent"}), OURS), []);
    assert_eq!(
        read(&json!({"id": "wamid.A", "status": "teleported"}), OURS),
        []
    );
    assert_eq!(read(&json!({"id": 5, "status": ["sent"]}), OURS), []);
}

#[test]
fn a_reference_that_is_not_ours_is_passed_over() {
    let status = json!({"id": "wamid.A", "status": "sent", "biz_opaque_callback_data": "other/1"});
    assert_eq!(receipt(&status).ours, None);
}
