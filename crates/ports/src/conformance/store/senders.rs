//! [`Op::Sender`].

use domain::ids::{ProjectKey, SenderKey};
use domain::model::template::TemplateRef;
use domain::model::webhook::WebhookSecret;
use domain::time::Millis;

use super::kit::*;
use crate::store::senders::{
    ConfiguredByApi, NumberRecord, SenderChange, SenderRecord, SenderSettings,
};
use crate::store::webhooks::WebhookSetting;
use crate::store::{Op, Outcome, Store};

fn sender(key: u32, name: &str) -> SenderRecord {
    SenderRecord {
        key: SenderKey(key),
        project: PROJECT,
        id: format!("snd_{key}").into(),
        name: name.into(),
        address: "+40700000009".into(),
        routes: vec!["gw".into(), "wa".into()],
        default_template: TemplateRef::parse(&format!("news_{key}/en")),
        fallback_after: Some(Millis::seconds(30)),
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

fn settings(key: u32) -> SenderSettings {
    SenderSettings {
        project: PROJECT,
        sender: SenderKey(key),
        record: None,
        make_default: false,
        webhook: None,
        at: at(5),
    }
}

fn set(store: &dyn Store, settings: SenderSettings) -> Outcome {
    apply(store, SenderChange::Set(Box::new(settings)))
}

fn posted_to(url: Option<&str>) -> WebhookSetting {
    WebhookSetting::Set {
        url: url.map(Into::into),
        events: None,
        active: None,
        signature: None,
        secret: WebhookSecret::new("whsec_1"),
    }
}

pub fn all_that_is_said_of_a_sender_is_kept_at_once_or_none_of_it(store: &dyn Store) {
    let all = |url| SenderSettings {
        record: Some(sender(7, "one")),
        make_default: true,
        webhook: Some(posted_to(url)),
        ..settings(7)
    };
    // There is no endpoint, and nothing says where it would be.
    assert!(matches!(set(store, all(None)), Outcome::Missing));
    assert_eq!(ask(store.configured_by_api()), ConfiguredByApi::default());
    let Outcome::Webhook(webhook) = set(store, all(Some("https://a.example/"))) else {
        panic!("no endpoint")
    };
    assert_eq!((webhook.sender, webhook.created_at), (SenderKey(7), at(5)));
    assert_eq!(ask(store.webhook(SenderKey(7))), Some(*webhook));
    let kept = ConfiguredByApi {
        senders: vec![sender(7, "one")],
        defaults: vec![(PROJECT, SenderKey(7))],
    };
    assert_eq!(ask(store.configured_by_api()), kept);
    // To clear an endpoint that is gone stops nothing.
    for name in ["two", "three"] {
        let cleared = SenderSettings {
            record: Some(sender(7, name)),
            webhook: Some(WebhookSetting::Clear),
            ..settings(7)
        };
        assert!(matches!(set(store, cleared), Outcome::Done));
        assert_eq!(ask(store.webhook(SenderKey(7))), None);
        assert_eq!(ask(store.configured_by_api()).senders, [sender(7, name)]);
    }
}

pub fn a_senders_endpoint_goes_with_it(store: &dyn Store) {
    for key in [7, 8] {
        let made = SenderSettings {
            record: Some(sender(key, "one")),
            webhook: Some(posted_to(Some("https://a.example/"))),
            ..settings(key)
        };
        set(store, made);
    }
    apply(store, SenderChange::Delete(SenderKey(7)));
    let left: Vec<_> = ask(store.webhooks()).iter().map(|it| it.sender).collect();
    assert_eq!(left, [SenderKey(8)]);
}

pub fn senders_of_the_api_are_kept_changed_and_forgotten(store: &dyn Store) {
    for it in [sender(7, "one"), sender(8, "two"), sender(7, "changed")] {
        assert!(matches!(apply(store, SenderChange::Put(it)), Outcome::Done));
    }
    for key in [7, 8] {
        let default = SenderSettings {
            make_default: true,
            ..settings(key)
        };
        assert!(matches!(set(store, default), Outcome::Done));
    }
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
