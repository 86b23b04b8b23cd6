//! [`Op::Sender`].

use domain::ids::{ProjectKey, SenderKey};

use super::kit::*;
use crate::store::senders::{ConfiguredByApi, NumberRecord, SenderChange, SenderRecord};
use crate::store::{Op, Outcome, Store};

fn sender(key: u32, name: &str) -> SenderRecord {
    SenderRecord {
        key: SenderKey(key),
        project: PROJECT,
        id: format!("snd_{key}").into(),
        name: name.into(),
        address: "+40700000009".into(),
        routes: vec!["gw".into(), "wa".into()],
        created_at: at(1),
        updated_at: at(2),
    }
}

fn number(project: ProjectKey, text: &str) -> NumberRecord {
    NumberRecord {
        project,
        number: text.into(),
        name: Some("front desk".into()),
        created_at: at(3),
        updated_at: at(4),
    }
}

fn apply(store: &dyn Store, change: SenderChange) -> Outcome {
    commit(store, Op::Sender(Box::new(change)))
}

pub fn senders_of_the_api_are_kept_changed_and_forgotten(store: &dyn Store) {
    for it in [sender(7, "one"), sender(8, "two"), sender(7, "changed")] {
        assert!(matches!(apply(store, SenderChange::Put(it)), Outcome::Done));
    }
    apply(store, SenderChange::Default(PROJECT, SenderKey(7)));
    apply(store, SenderChange::Default(PROJECT, SenderKey(8)));
    let kept = ask(store.configured_by_api());
    assert_eq!(kept.senders, [sender(7, "changed"), sender(8, "two")]);
    assert_eq!(kept.defaults, [(PROJECT, SenderKey(8))]);
    let gone = || apply(store, SenderChange::Delete(SenderKey(8)));
    assert!(matches!(gone(), Outcome::Done));
    assert!(matches!(gone(), Outcome::Missing));
    let left = ConfiguredByApi {
        senders: vec![sender(7, "changed")],
        defaults: Vec::new(),
    };
    assert_eq!(ask(store.configured_by_api()), left);
}

pub fn phone_numbers_are_a_projects_own(store: &dyn Store) {
    let other = ProjectKey(PROJECT.0 + 1);
    for it in [
        number(PROJECT, "+40700000002"),
        number(PROJECT, "+40700000001"),
        number(other, "+40700000001"),
    ] {
        apply(store, SenderChange::PutNumber(it));
    }
    let renamed = NumberRecord {
        name: None,
        ..number(PROJECT, "+40700000001")
    };
    apply(store, SenderChange::PutNumber(renamed.clone()));
    let listed = ask(store.numbers(PROJECT));
    assert_eq!(listed, [renamed, number(PROJECT, "+40700000002")]);
    let gone = || {
        let change = SenderChange::DeleteNumber(PROJECT, "+40700000001".into());
        apply(store, change)
    };
    assert!(matches!(gone(), Outcome::Done));
    assert!(matches!(gone(), Outcome::Missing));
    assert_eq!(ask(store.numbers(other)).len(), 1);
}
