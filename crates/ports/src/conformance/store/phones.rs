//! [`Op::Phone`].

use domain::ids::{MessageId, RouteKey};
use domain::time::Timestamp;

use super::kit::*;
use crate::store::phones::{
    Handing, HandingState, PairingRecord, PhoneBook, PhoneChange, PhoneHealth, PhonePeer,
    PhoneRecord, SigningKey, SimCard, SimUse,
};
use crate::store::{Op, Outcome, Store};

fn record(id: &str, route: RouteKey) -> PhoneRecord {
    PhoneRecord {
        id: id.into(),
        route,
        name: "Front desk".into(),
        token_hash: [1; 32],
        paired_by: [2; 32],
        signing_key: SigningKey::new("a secret"),
        sims: vec![SimCard {
            number: 1,
            phone_number: Some("********4567".into()),
            carrier: None,
        }],
        may_send: vec![1, 2],
        per_hour: Some(30),
        per_day: None,
        created_at: at(1),
        seen_at: at(2),
        hooks_at: Some(at(3)),
        settings_at: None,
        health: Some(PhoneHealth {
            status: "warn".into(),
            version: Some("1.68.0".into()),
            battery: Some(14),
            at: at(4),
        }),
        revoked_at: None,
    }
}

fn pairing(byte: u8, route: RouteKey, ends: i64) -> PairingRecord {
    PairingRecord {
        token_hash: [byte; 32],
        code_hash: [byte + 100; 32],
        route,
        name: Some("Desk".into()),
        expires_at: at(ends),
        used_at: None,
    }
}

fn handing(id: &str, millis: i64, state: HandingState) -> Handing {
    Handing {
        id: id.into(),
        route: SMS,
        phone: "a".into(),
        sim: Some(1),
        message: MessageId::from_key(7),
        attempt: 2,
        to: phone(1).into(),
        text: "Salut".into(),
        parts: 3,
        state,
        cancelling: state == HandingState::Pending,
        handed_at: at(millis),
        valid_until: at(millis + 1_000),
    }
}

fn keep(store: &dyn Store, change: PhoneChange) {
    assert!(matches!(commit(store, Op::Phone(change)), Outcome::Done));
}

fn keep_phone(store: &dyn Store, phone: &PhoneRecord) {
    keep(store, PhoneChange::Phone(Box::new(phone.clone())));
}

fn keep_handing(store: &dyn Store, it: &Handing) {
    keep(store, PhoneChange::Handing(Box::new(it.clone())));
}

fn book(store: &dyn Store, since: Timestamp) -> PhoneBook {
    ask(store.phone_book(SMS, since, 2))
}

pub fn a_phone_is_read_back_whole_and_one_that_was_sent_away_is_not(store: &dyn Store) {
    let (a, b) = (record("a", SMS), record("b", SMS));
    for phone in [&b, &a, &record("c", WHATSAPP)] {
        keep_phone(store, phone);
    }
    assert_eq!(book(store, at(0)).phones, [a.clone(), b.clone()]);
    let gone = PhoneRecord {
        revoked_at: Some(at(9)),
        ..a
    };
    keep_phone(store, &gone);
    let other = PhoneRecord {
        sims: Vec::new(),
        health: None,
        hooks_at: None,
        ..b
    };
    keep_phone(store, &other);
    assert_eq!(book(store, at(0)).phones, [other]);
}

pub fn permissions_are_kept_by_their_token_until_they_are_old(store: &dyn Store) {
    let (one, two) = (pairing(1, SMS, 10), pairing(2, SMS, 20));
    for it in [&two, &one, &pairing(3, WHATSAPP, 20)] {
        keep(store, PhoneChange::Pairing(Box::new(it.clone())));
    }
    let used = PairingRecord {
        used_at: Some(at(5)),
        ..two
    };
    keep(store, PhoneChange::Pairing(Box::new(used.clone())));
    assert_eq!(book(store, at(0)).pairings, [one, used.clone()]);
    let (before, limit) = (at(20), 10);
    keep(store, PhoneChange::Prune { before, limit });
    assert_eq!(book(store, at(0)).pairings, [used]);
}

pub fn what_a_phone_may_still_send_is_found_at_the_start_and_the_rest_by_its_id(store: &dyn Store) {
    for (no, state) in (0..).zip(HandingState::ALL) {
        keep_handing(store, &handing(state.code(), no, state));
    }
    let open: Vec<_> = book(store, at(0)).open;
    let states: Vec<_> = open.iter().map(|it| it.state).collect();
    let want = [
        HandingState::Offered,
        HandingState::Pending,
        HandingState::Processed,
    ];
    assert_eq!(states, want);
    assert_eq!(open[1], handing("pending", 1, HandingState::Pending));
    let sent = handing("sent", 5, HandingState::Sent);
    assert_eq!(
        ask(store.phone_handing(SMS, "sent".into())),
        Some(sent.clone())
    );
    assert_eq!(ask(store.phone_handing(WHATSAPP, "sent".into())), None);
    assert_eq!(ask(store.phone_handing(SMS, "other".into())), None);
    let delivered = Handing {
        state: HandingState::Delivered,
        ..sent
    };
    keep_handing(store, &delivered);
    assert_eq!(
        ask(store.phone_handing(SMS, "sent".into())),
        Some(delivered)
    );
}

pub fn what_was_sent_is_counted_and_what_was_taken_back_is_not(store: &dyn Store) {
    for (no, state) in (0..).zip(HandingState::ALL) {
        keep_handing(store, &handing(state.code(), no, state));
    }
    let used = |millis| SimUse {
        phone: "a".into(),
        sim: Some(1),
        at: at(millis),
        parts: 3,
    };
    assert_eq!(
        book(store, at(2)).uses,
        [used(2), used(5), used(6), used(7)]
    );
}

pub fn old_handings_are_forgotten_a_few_at_a_time(store: &dyn Store) {
    for no in 0..4 {
        keep_handing(store, &handing(&format!("h{no}"), no, HandingState::Sent));
    }
    let kept = || {
        (0..4)
            .filter(|no| ask(store.phone_handing(SMS, format!("h{no}").into())).is_some())
            .count()
    };
    let prune = || {
        let (before, limit) = (at(1_003), 2);
        keep(store, PhoneChange::Prune { before, limit });
    };
    prune();
    assert_eq!(kept(), 2);
    prune();
    assert_eq!(kept(), 1);
    prune();
    assert!(ask(store.phone_handing(SMS, "h3".into())).is_some());
}

pub fn the_newest_peers_are_found_first_and_each_person_has_one(store: &dyn Store) {
    let peer = |person, id: &str, millis| PhonePeer {
        route: SMS,
        address: phone(person).into(),
        phone: id.into(),
        sim: None,
        at: at(millis),
    };
    for it in [
        peer(1, "a", 1),
        peer(2, "a", 2),
        peer(3, "b", 3),
        peer(1, "b", 4),
    ] {
        keep(store, PhoneChange::Peer(Box::new(it)));
    }
    assert_eq!(book(store, at(0)).peers, [peer(1, "b", 4), peer(3, "b", 3)]);
}
