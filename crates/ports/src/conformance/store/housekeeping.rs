//! Short names, keys, pruning, and what holds for every operation.

use std::sync::mpsc;
use std::time::Duration;

use domain::ids::{ApiKeyId, ProjectKey};
use domain::model::receipt::ReceiptState;

use super::kit::*;
use crate::store::messages::IdempotencyKey;
use crate::store::operations::{Accept, ApiKeyRecord, KeyChange};
use crate::store::{Op, Outcome, Registered, Store};

pub fn short_names_are_stable_and_of_their_kind(store: &dyn Store) {
    let register = |it: Registered, millis| ask(store.register(it, at(millis)));
    let project = register(Registered::Project("main".into()), 1);
    assert_eq!(register(Registered::Project("main".into()), 9), project);
    assert_eq!(project.1, at(1));
    assert_ne!(
        register(Registered::Project("other".into()), 2).0,
        project.0
    );
    let route = |project| Registered::Route(ProjectKey(project), "gw".into());
    let one = register(route(1), 3);
    assert_ne!(register(route(2), 4).0, one.0);
    assert_eq!(register(route(1), 5), one);
    let sender = register(Registered::Sender(ProjectKey(1), "gw".into()), 6);
    assert_eq!(
        register(Registered::Sender(ProjectKey(1), "gw".into()), 7),
        sender
    );
}

fn key(id: i64, project: u32) -> ApiKeyRecord {
    ApiKeyRecord {
        id: ApiKeyId::from_key(id),
        project: ProjectKey(project),
        name: "app".into(),
        hash: [u8::try_from(id).unwrap(); 32],
        scopes: 7,
        test: id % 2 == 0,
        created_at: at(id),
        revoked_at: None,
    }
}

pub fn keys_are_kept_and_revoked_for_good(store: &dyn Store) {
    let commit_key = |change| commit(store, Op::Key(Box::new(change)));
    for key in [key(1, 1), key(2, 1), key(3, 2)] {
        assert!(matches!(commit_key(KeyChange::Create(key)), Outcome::Done));
    }
    assert_eq!(ask(store.api_keys(PROJECT)), [key(2, 1), key(1, 1)]);
    assert_eq!(ask(store.api_key([3; 32])), Some(key(3, 2)));
    assert_eq!(ask(store.api_key([9; 32])), None);
    let revoke = |project, id, millis| {
        let (project, id) = (ProjectKey(project), ApiKeyId::from_key(id));
        commit_key(KeyChange::Revoke {
            project,
            id,
            at: at(millis),
        })
    };
    assert!(matches!(revoke(1, 1, 50), Outcome::Done));
    assert!(matches!(revoke(1, 1, 60), Outcome::Done));
    assert!(matches!(revoke(1, 3, 50), Outcome::Missing));
    let revoked = ApiKeyRecord {
        revoked_at: Some(at(50)),
        ..key(1, 1)
    };
    assert_eq!(ask(store.api_key([1; 32])), Some(revoked));
}

pub fn pruning_forgets_old_keys_and_parked_receipts(store: &dyn Store) {
    let keyed = |name: &str, millis| Accept {
        idempotency: Some(IdempotencyKey {
            key: name.into(),
            fields: vec![("to", 1)],
        }),
        ..sent_at_once(phone(1), at(millis))
    };
    for (name, millis) in [("a", 0), ("b", 1), ("c", 2)] {
        accept(store, keyed(name, millis));
        let parked = op(receipt(name, ReceiptState::Delivered, at(millis)));
        assert!(matches!(commit(store, parked), Outcome::ReceiptParked));
    }
    let prune = |millis, limit| {
        let (keys_before, receipts_before) = (at(millis), at(millis));
        commit(
            store,
            Op::Prune {
                keys_before,
                receipts_before,
                limit,
            },
        )
    };
    assert!(matches!(prune(2, 1), Outcome::Done));
    let repeat = |name| commit(store, Op::Accept(Box::new(keyed(name, 10))));
    assert!(matches!(repeat("a"), Outcome::Accepted { .. }));
    assert!(matches!(repeat("b"), Outcome::AlreadyAccepted { .. }));
    assert!(matches!(prune(2, 9), Outcome::Done));
    assert!(matches!(repeat("b"), Outcome::Accepted { .. }));
    assert!(matches!(repeat("c"), Outcome::AlreadyAccepted { .. }));
    for (name, receipts) in [("b", 0), ("c", 1)] {
        let (id, _) = accept(store, sent_at_once(phone(2), at(20)));
        change(
            store,
            Op::Submitted(Box::new(submitted(id, taken(name), at(30)))),
        );
        assert_eq!(ask(store.receipts(id)).len(), receipts, "{name}");
    }
}

pub fn completions_are_called_in_the_order_of_commit(store: &dyn Store) {
    let (sender, done) = mpsc::channel();
    for nth in 0..3_000 {
        let sender = sender.clone();
        let accept = sent_at_once(phone(nth % 7), at(i64::from(nth)));
        let completion = move |result: Result<Outcome, _>| {
            let Ok(Outcome::Accepted { message, .. }) = result else {
                panic!("{result:?}")
            };
            sender.send((nth, message)).ok();
        };
        store.commit(Op::Accept(Box::new(accept)), Box::new(completion));
    }
    let order: Vec<_> = (0..3_000)
        .map(|_| done.recv_timeout(Duration::from_mins(1)).unwrap())
        .collect();
    assert!(order.is_sorted_by(|a, b| a < b && a.1 < b.1));
    assert_eq!(store.pending(), 0);
}

pub fn a_query_sees_every_completed_operation(store: &dyn Store) {
    for nth in 0..200 {
        let (id, contact) = accept(store, sent_at_once(phone(nth), at(0)));
        assert_eq!(facts(store, phone(nth)).id, Some(contact));
        assert!(ask(store.outbound(id)).is_some());
    }
}
