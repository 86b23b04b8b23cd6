//! Who is let in: one phone by each permission, and never another in its place.

use domain::model::audit::Actor;
use domain::time::Timestamp;
use ports::phones::PhoneCaller;

use super::pairing::{Credential, credential};
use super::pool::Pool;
use super::pool_tests::{at, pool};
use super::wire::DeviceIn;

#[test]
fn a_permission_is_for_one_phone_and_for_its_second_try() {
    let mut pool = pool();
    let (pairing, _) = pool.pair(Some("Desk".into()), Actor::system(), at(0));
    let token = || Credential::Token(pairing.token.to_string());
    let Some(PhoneCaller::Newcomer(permission)) = pool.whose(&token(), at(1)) else {
        panic!("no newcomer")
    };
    let device = |sims: serde_json::Value| -> DeviceIn {
        serde_json::from_value(serde_json::json!({ "name": "x", "simCards": sims })).unwrap()
    };
    let one = device(serde_json::json!([{ "simNumber": 1, "phoneNumber": "********4567" }]));
    let (first, _) = pool.register(permission, &one, at(1)).unwrap();
    let (again, _) = pool.register(permission, &one, at(2)).unwrap();
    assert_eq!(first.id, again.id);
    assert_ne!(first.token, again.token);
    let is_known = |pool: &mut Pool, token: &str| {
        pool.whose(&Credential::Token(token.to_owned()), at(3))
            .is_some()
    };
    assert!(!is_known(&mut pool, &first.token) && is_known(&mut pool, &again.token));
    let other = device(serde_json::json!([{ "simNumber": 1, "phoneNumber": "********4568" }]));
    assert!(pool.register(permission, &other, at(3)).is_none());
    assert_eq!(&*pool.phones[&first.id].record.name, "Desk");
    assert!(pool.whose(&token(), at(600)).is_some());
    assert!(pool.whose(&token(), at(601)).is_none());
}

/// Comes with a permission; the id that it gets, and its token.
fn comes(
    pool: &mut Pool,
    token: &str,
    device: serde_json::Value,
    now: Timestamp,
) -> Option<(String, String)> {
    let device: DeviceIn = serde_json::from_value(device).unwrap();
    let credential = Credential::Token(token.to_owned());
    let Some(PhoneCaller::Newcomer(permission)) = pool.whose(&credential, now) else {
        panic!("no newcomer")
    };
    let (registered, _) = pool.register(permission, &device, now)?;
    Some((registered.id.to_string(), registered.token))
}

#[test]
fn another_phone_never_takes_the_place_of_the_one_that_a_code_let_in() {
    let pixel = || serde_json::json!({ "name": "Google/panther" });
    let mut pool = pool();
    let (pairing, _) = pool.pair(Some("Desk".into()), Actor::system(), at(0));
    let token = &*pairing.token;
    let (id, first) = comes(&mut pool, token, pixel(), at(1)).unwrap();
    // Of another model, at once.
    let samsung = serde_json::json!({ "name": "samsung/a52" });
    assert_eq!(comes(&mut pool, token, samsung, at(2)), None);
    // The answer was lost: the token that was in it was never used.
    let (again, second) = comes(&mut pool, token, pixel(), at(3)).unwrap();
    assert_eq!(id, again);
    let mut calls = |token: &str| pool.whose(&Credential::Token(token.to_owned()), at(4));
    assert_eq!(calls(&first), None);
    assert_eq!(calls(&second), Some(PhoneCaller::Phone(id.as_str().into())));
    // It was used: whoever comes now may be another of the same model.
    assert_eq!(comes(&mut pool, token, pixel(), at(5)), None);
    assert!(
        pool.whose(&Credential::Token(second), at(6)).is_some(),
        "it stays"
    );
}

#[test]
fn a_push_token_says_which_phone_it_is() {
    let mut pool = pool();
    let (pairing, _) = pool.pair(None, Actor::system(), at(0));
    let device = |push: &str| serde_json::json!({ "name": "Google/panther", "pushToken": push });
    let (id, token) = comes(&mut pool, &pairing.token, device("a"), at(1)).unwrap();
    pool.whose(&Credential::Token(token), at(2));
    assert_eq!(comes(&mut pool, &pairing.token, device("b"), at(3)), None);
    let again = comes(&mut pool, &pairing.token, device("a"), at(4)).unwrap();
    assert_eq!(again.0, id);
}

#[test]
fn a_permission_ends_and_codes_cannot_be_guessed() {
    let mut pool = pool();
    let (pairing, _) = pool.pair(None, Actor::system(), at(0));
    let code = |code: &str| Credential::Code(code.to_owned());
    assert!(pool.whose(&code(&pairing.code), at(899)).is_some());
    assert!(pool.whose(&code(&pairing.code), at(900)).is_none());
    let (pairing, _) = pool.pair(None, Actor::system(), at(2_000));
    for guess in 0..10 {
        assert!(pool.whose(&code(&format!("x{guess}")), at(2_000)).is_none());
    }
    // Right and wrong ones have the same answer, and none of them makes it longer.
    let until = at(2_600);
    for tried in [&*pairing.code, "x11"] {
        let answer = pool.whose(&code(tried), at(2_001));
        assert_eq!(answer, Some(PhoneCaller::Blocked { until }), "{tried}");
    }
    let token = Credential::Token(pairing.token.to_string());
    assert!(pool.whose(&token, at(2_001)).is_some());
    assert!(matches!(
        pool.whose(&code(&pairing.code), at(2_600)),
        Some(PhoneCaller::Newcomer(_))
    ));
}

#[test]
fn credentials_are_read_from_each_form() {
    let token = |header| match credential(header) {
        Some(Credential::Token(it)) => it,
        Some(Credential::Code(it)) => format!("code {it}"),
        None => "none".to_owned(),
    };
    for (header, want) in [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("Code 123456", "code 123456"),
        ("Basic c29tZWJvZHk6YTpi", "a:b"),
        ("Basic !!", "none"),
        ("Digest a", "none"),
        ("Bearer", "none"),
    ] {
        assert_eq!(token(header), want, "{header}");
    }
}
