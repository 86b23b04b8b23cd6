//! Real events, as the app sends them.

use super::*;

/// The event of which the reference computed the signature.
const EVENT: &str = r#"{"id":"Ey6ECgOkVVFjz3CL48B8C","webhookId":"in-1","event":"sms:received","deviceId":"QslD_GefqiYV6RQXdkM6V","payload":{"message":"Salut și mulțumesc","receivedAt":"2026-01-02T05:04:05.000+02:00","messageId":"9f3a01bc","phoneNumber":"+40721000001","sender":"+40721000001","simNumber":1}}"#;
const SIGNATURE: &str = "ac10b8a1d0fd43ba2828ca29a3cf2ab2714758917e6a3835905c32c2377d0a34";
const PHONE: &str = "QslD_GefqiYV6RQXdkM6V";
const NOW: Timestamp = Timestamp::from_millis(1_767_323_046_000);

fn by(cards: &[SimCard]) -> Reader<'_> {
    Reader {
        phone: PHONE,
        cards,
        known: &|_| None,
    }
}

fn told(body: &str) -> Told {
    read(by(&[]), body.as_bytes(), NOW).unwrap()
}

fn written(body: &str) -> IncomingMessage {
    match told(body) {
        Told::Message { message, .. } => *message,
        other @ (Told::Health(_) | Told::Cards(_) | Told::Stranger | Told::Nothing(_)) => {
            panic!("{other:?}")
        }
    }
}

#[test]
fn the_signature_is_over_the_bytes_and_the_time() {
    let body = EVENT.as_bytes();
    let checked = |key, body: &[u8], at, signature| check(key, body, at, signature).is_ok();
    assert!(checked("abc12345", body, "1767323045", Some(SIGNATURE)));
    assert!(!checked("abc12346", body, "1767323045", Some(SIGNATURE)));
    assert!(!checked("abc12345", body, "1767323046", Some(SIGNATURE)));
    assert!(!checked(
        "abc12345",
        &body[1..],
        "1767323045",
        Some(SIGNATURE)
    ));
    assert!(!checked("abc12345", body, "1767323045", None));
    assert!(!checked("abc12345", body, "1767323045", Some("")));
}

#[test]
fn a_text_message_is_read_with_its_time_and_an_id_of_four_parts() {
    let message = written(EVENT);
    assert_eq!(message.content.plain_text(), Some("Salut și mulțumesc"));
    assert_eq!(message.from.to_string(), "+40721000001");
    assert_eq!(
        message.sent_at,
        Some(Timestamp::from_millis(1_767_323_045_000))
    );
    let id = "QslD_GefqiYV6RQXdkM6V/9f3a01bc/40721000001/1767323045000";
    assert_eq!(message.provider_id.as_deref(), Some(id));
    assert_eq!(&*message.to, "");
    // Another event id, another way to write the time: the same message.
    let again = EVENT
        .replace("Ey6ECgOkVVFjz3CL48B8C", "another")
        .replace("05:04:05.000+02:00", "03:04:05.000Z");
    assert_eq!(written(&again).provider_id, message.provider_id);
    let later = EVENT.replace("05:04:05.000", "05:04:06.000");
    assert_ne!(written(&later).provider_id, message.provider_id);
}

#[test]
fn it_was_written_to_the_number_of_its_card_where_that_is_known() {
    let card = |number: &str| SimCard {
        number: 1,
        phone_number: Some(number.into()),
        carrier: None,
    };
    let to = |cards: &[SimCard]| match read(by(cards), EVENT.as_bytes(), NOW) {
        Some(Told::Message { message, sim }) => (message.to, sim),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        to(&[card("+40722000009")]),
        ("+40722000009".into(), Some(1))
    );
    assert_eq!(to(&[card("********0009")]), ("".into(), Some(1)));
}

#[test]
fn a_number_without_its_plus_or_its_country_is_one_persons_where_that_is_certain() {
    let cards = [SimCard {
        number: 1,
        phone_number: Some("+40722000009".into()),
        carrier: None,
    }];
    let from = |reader: Reader<'_>, sender: &str| {
        let body = EVENT.replace("+40721000001", sender);
        match read(reader, body.as_bytes(), NOW) {
            Some(Told::Message { message, .. }) => message.from.to_string(),
            Some(Told::Stranger) => "nobody".to_owned(),
            other => panic!("{other:?}"),
        }
    };
    for sender in ["0721000001", "40721000001", "0721 000 001", "0040721000001"] {
        assert_eq!(from(by(&cards), sender), "+40721000001", "{sender}");
    }
    // Its own number is not known.
    assert_eq!(from(by(&[]), "40721000001"), "+40721000001");
    let known = |ending: &str| {
        let person = PhoneNumber::parse("+40721000001").ok();
        person.filter(|it| it.digits().ends_with(ending))
    };
    let knows = Reader {
        known: &known,
        ..by(&[])
    };
    assert_eq!(from(knows, "0721000001"), "+40721000001");
    assert_eq!(from(knows, "0721000002"), "nobody");
    for sender in ["0721000001", "1234", "2025550123", "Orange", ""] {
        assert_eq!(from(by(&[]), sender), "nobody", "{sender}");
    }
}

#[test]
fn what_has_no_text_or_no_number_is_told_as_such() {
    let mms = EVENT
        .replace("sms:received", "mms:downloaded")
        .replace("\"message\":", "\"other\":");
    assert!(written(&mms).unsupported);
    let with_body = mms.replace("\"other\":", "\"body\":");
    assert_eq!(
        written(&with_body).content.plain_text(),
        Some("Salut și mulțumesc")
    );
    let data = EVENT
        .replace("sms:received", "sms:data-received")
        .replace("Salut și mulțumesc", "x")
        .replace("\"message\":\"x\"", "\"data\":\"U2FsdXQ=\"");
    assert_eq!(written(&data).content.plain_text(), Some("Salut"));
    assert!(written(&data.replace("U2FsdXQ=", "AAEC")).unsupported);
    let named = EVENT.replace("+40721000001", "Orange");
    assert!(matches!(told(&named), Told::Stranger));
    let foreign = EVENT.replace(PHONE, "somebody-else");
    assert!(matches!(told(&foreign), Told::Nothing(_)));
    assert!(read(by(&[]), b"[]", NOW).is_none());
}

#[test]
fn health_is_read_from_a_ping() {
    let ping = r#"{"id":"a","event":"system:ping","payload":{"health":{"status":"warn","version":"1.68.0",
        "releaseId":1,"checks":{"battery:level":{"status":"warn","observedValue":23,"observedUnit":"percent"}}}}}"#;
    let Told::Health(health) = told(ping) else {
        panic!("no health")
    };
    assert_eq!((&*health.status, health.battery), ("warn", Some(23)));
    assert_eq!(health.version.as_deref(), Some("1.68.0"));
}

#[test]
fn the_time_of_a_signature_is_what_the_phone_has() {
    let at = |seconds: i64| Some(Timestamp::from_millis(seconds * 1_000));
    assert_eq!(signed_at("1767323045"), at(1_767_323_045));
    assert_eq!(signed_at("yesterday"), None);
}
