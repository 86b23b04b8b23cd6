//! [`ContactChange`].

use domain::ids::ContactId;
use domain::model::channel::Channel;
use domain::model::contact::AddressKind;
use domain::model::receipt::ReceiptState;

use super::kit::*;
use crate::store::contacts::{
    ContactChange, ContactFilter, ContactOutcome, ContactView, NewAddress,
};
use crate::store::{Op, Outcome, Store};

fn contact(store: &dyn Store, change: ContactChange, millis: i64) -> ContactOutcome {
    let op = Op::Contact {
        project: PROJECT,
        change: Box::new(change),
        at: at(millis),
    };
    match commit(store, op) {
        Outcome::Contact(outcome) => outcome,
        other => panic!("not a contact's outcome: {other:?}"),
    }
}

fn done(store: &dyn Store, change: ContactChange, millis: i64) -> ContactView {
    match contact(store, change, millis) {
        ContactOutcome::Done(view) => {
            assert_eq!(ask(store.contact(PROJECT, view.id)), Some((*view).clone()));
            *view
        }
        other => panic!("not done: {other:?}"),
    }
}

fn address(kind: AddressKind, identifier: &str) -> NewAddress {
    NewAddress {
        kind,
        identifier: identifier.into(),
        is_primary: false,
        label: None,
    }
}

fn number(kind: AddressKind, last: u32) -> NewAddress {
    address(kind, phone(last).as_str())
}

fn create(name: &str, addresses: Vec<NewAddress>) -> ContactChange {
    ContactChange::Create {
        display_name: Some(name.into()),
        metadata: None,
        addresses,
    }
}

fn kinds(view: &ContactView) -> Vec<(AddressKind, &str, bool)> {
    view.channels
        .iter()
        .map(|it| (it.kind, &*it.identifier, it.is_primary))
        .collect()
}

pub fn a_contact_that_a_message_made_has_both_phone_channels(store: &dyn Store) {
    let (id, contact) = accept(store, sent_at_once(phone(1), at(5)));
    change(
        store,
        Op::Submitted(Box::new(submitted(id, taken("a"), at(6)))),
    );
    change(store, op(receipt("a", ReceiptState::Delivered, at(8))));
    let view = ask(store.contact(PROJECT, contact)).unwrap();
    let text = phone(1);
    let (sms, whatsapp) = (AddressKind::Sms, AddressKind::WhatsApp);
    assert_eq!(
        kinds(&view),
        [(sms, text.as_str(), true), (whatsapp, text.as_str(), true)]
    );
    assert_eq!(
        (view.phone, view.created_at, view.updated_at),
        (Some(text), at(5), at(5))
    );
    assert_eq!(view.channels[0].metrics, facts(store, text).sms.metrics);
    assert_eq!(view.channels[0].metrics.success_count, 1);
    assert_ne!(view.channels[0].id, view.channels[1].id);
    assert!(view.channels[0].id.starts_with("ch_"));
}

pub fn a_contact_is_made_with_its_addresses(store: &dyn Store) {
    let main = NewAddress {
        is_primary: true,
        label: Some("work".into()),
        ..address(AddressKind::Email, "b@example.com")
    };
    let email = address(AddressKind::Email, "a@example.com");
    let view = done(
        store,
        create("Ana", vec![email, main, number(AddressKind::Sms, 1)]),
        3,
    );
    assert_eq!(view.display_name.as_deref(), Some("Ana"));
    assert_eq!(
        kinds(&view),
        [
            (AddressKind::Sms, phone(1).as_str(), true),
            (AddressKind::Email, "a@example.com", false),
            (AddressKind::Email, "b@example.com", true),
        ]
    );
    assert_eq!(view.channels[2].label.as_deref(), Some("work"));
    assert_eq!(view.phone, Some(phone(1)));
    let (_, messaged) = accept(store, sent_at_once(phone(1), at(4)));
    assert_eq!(messaged, view.id);
    let mail_only = create("Bo", vec![address(AddressKind::Email, "c@example.com")]);
    assert_eq!(done(store, mail_only, 5).phone, None);
}

pub fn an_address_has_one_holder(store: &dyn Store) {
    let mail = || address(AddressKind::Email, "a@example.com");
    let ana = done(store, create("Ana", vec![mail()]), 0);
    let taken = ContactOutcome::AddressTaken {
        kind: AddressKind::Email,
        holder: ana.id,
    };
    assert_eq!(contact(store, create("Bo", vec![mail()]), 1), taken);
    let bo = done(store, create("Bo", vec![number(AddressKind::Sms, 2)]), 2);
    let add = |contact| ContactChange::AddChannel {
        contact,
        address: mail(),
    };
    assert_eq!(contact(store, add(bo.id), 3), taken);
    assert_eq!(contact(store, add(ana.id), 4), taken);
}

pub fn a_phone_number_is_one_persons_on_all_channels(store: &dyn Store) {
    let (_, made) = accept(store, sent_at_once(phone(1), at(0)));
    let taken = ContactOutcome::AddressTaken {
        kind: AddressKind::Voice,
        holder: made,
    };
    let other = create("Bo", vec![number(AddressKind::Voice, 1)]);
    assert_eq!(contact(store, other, 1), taken);
    let address = number(AddressKind::Voice, 1);
    let view = done(
        store,
        ContactChange::AddChannel {
            contact: made,
            address,
        },
        2,
    );
    assert_eq!(view.channels.len(), 3);
}

pub fn an_update_changes_what_is_given_and_clears_what_is_emptied(store: &dyn Store) {
    let (_, id) = accept(store, sent_at_once(phone(1), at(0)));
    let named = ContactChange::Update {
        contact: id,
        display_name: Some(Some("Ana".into())),
        default_channel: Some(Some(AddressKind::WhatsApp)),
        metadata: None,
    };
    let view = done(store, named, 5);
    assert_eq!(view.display_name.as_deref(), Some("Ana"));
    assert_eq!(
        (view.default_channel, view.updated_at),
        (Some(AddressKind::WhatsApp), at(5))
    );
    let cleared = ContactChange::Update {
        contact: id,
        display_name: None,
        default_channel: Some(None),
        metadata: Some(Some("{}".into())),
    };
    let view = done(store, cleared, 6);
    assert_eq!(
        (view.display_name.as_deref(), view.default_channel),
        (Some("Ana"), None)
    );
    assert_eq!(view.metadata.as_deref(), Some("{}"));
    let nobody = ContactChange::Delete {
        contact: ContactId::from_key(4_711),
    };
    assert_eq!(contact(store, nobody, 7), ContactOutcome::NoSuchContact);
}

pub fn an_erased_contact_leaves_its_messages(store: &dyn Store) {
    let (message, id) = accept(store, sent_at_once(phone(1), at(0)));
    change(
        store,
        Op::Submitted(Box::new(submitted(message, taken("a"), at(1)))),
    );
    assert_eq!(
        contact(store, ContactChange::Delete { contact: id }, 2),
        ContactOutcome::Gone
    );
    assert_eq!(ask(store.contact(PROJECT, id)), None);
    change(store, op(receipt("a", ReceiptState::Delivered, at(3))));
    assert_eq!(ask(store.message(PROJECT, message)).unwrap().contact, None);
    assert_eq!(ask(store.outbound(message)).unwrap().facts.id, None);
    // The number starts anew: no record of the erased person is left.
    let (_, anew) = accept(store, sent_at_once(phone(1), at(4)));
    assert_ne!(anew, id);
    assert_eq!(facts(store, phone(1)).sms.metrics.success_count, 0);
}

pub fn a_merge_moves_everything(store: &dyn Store) {
    let (kept, target) = accept(store, sent_at_once(phone(1), at(0)));
    let (moved, source) = accept(store, sent_at_once(phone(2), at(1)));
    for (id, name) in [(kept, "a"), (moved, "b")] {
        change(
            store,
            Op::Submitted(Box::new(submitted(id, taken(name), at(10)))),
        );
        change(store, op(receipt(name, ReceiptState::Delivered, at(20))));
    }
    receive(store, written(phone(2), Channel::WhatsApp, "in", at(30)));
    let view = done(store, ContactChange::Merge { target, source }, 40);
    assert_eq!(
        (view.id, view.channels.len(), view.phone),
        (target, 4, Some(phone(1)))
    );
    assert_eq!(ask(store.contact(PROJECT, source)), None);
    assert_eq!(
        ask(store.message(PROJECT, moved)).unwrap().contact,
        Some(target)
    );
    for last in [1, 2] {
        let facts = facts(store, phone(last));
        assert_eq!(
            (facts.id, facts.sms.metrics.success_count),
            (Some(target), 2)
        );
        assert_eq!(facts.thread.last_inbound, Some((at(30), Channel::WhatsApp)));
        assert_eq!(facts.thread.last_outbound_at, Some(at(1)));
    }
}

pub fn a_contact_cannot_be_merged_with_itself(store: &dyn Store) {
    let (_, id) = accept(store, sent_at_once(phone(1), at(0)));
    let merge = |source| ContactChange::Merge { target: id, source };
    assert_eq!(contact(store, merge(id), 1), ContactOutcome::SameContact);
    let nobody = merge(ContactId::from_key(4_711));
    assert_eq!(contact(store, nobody, 2), ContactOutcome::NoSuchContact);
}

pub fn channels_are_added_changed_and_removed(store: &dyn Store) {
    let (_, id) = accept(store, sent_at_once(phone(1), at(0)));
    let address = number(AddressKind::Sms, 2);
    let view = done(
        store,
        ContactChange::AddChannel {
            contact: id,
            address,
        },
        1,
    );
    let channel = |last: u32, kind| {
        let is_it = |it: &&crate::store::contacts::ContactChannelView| {
            it.kind == kind && &*it.identifier == phone(last).as_str()
        };
        view.channels.iter().find(is_it).unwrap().id.clone()
    };
    let (first, second) = (channel(1, AddressKind::Sms), channel(2, AddressKind::Sms));
    let update = ContactChange::UpdateChannel {
        contact: id,
        channel: second.clone(),
        label: Some(Some("private".into())),
        verified: Some(true),
        metadata: None,
    };
    let updated = done(store, update, 2);
    let it = updated.channels.iter().find(|it| it.id == second).unwrap();
    assert_eq!(
        (it.label.as_deref(), it.verified, it.updated_at),
        (Some("private"), true, at(2))
    );
    let primary = ContactChange::MakePrimary {
        contact: id,
        channel: second.clone(),
    };
    assert_eq!(done(store, primary, 3).phone, Some(phone(2)));
    let remove = |channel: &str| ContactChange::RemoveChannel {
        contact: id,
        channel: channel.into(),
    };
    let view = done(store, remove(&second), 4);
    let heir = view.channels.iter().find(|it| it.id == first).unwrap();
    assert!(heir.is_primary);
    assert_eq!(view.phone, Some(phone(1)));
    assert_eq!(facts(store, phone(2)).id, None);
    assert_eq!(
        contact(store, remove(&second), 5),
        ContactOutcome::NoSuchChannel
    );
    // The number stays this person's while WhatsApp uses it.
    done(store, remove(&first), 6);
    assert_eq!(facts(store, phone(1)).id, Some(id));
}

pub fn the_last_address_stays(store: &dyn Store) {
    let view = done(store, create("Ana", vec![number(AddressKind::Sms, 1)]), 0);
    let remove = ContactChange::RemoveChannel {
        contact: view.id,
        channel: view.channels[0].id.clone(),
    };
    assert_eq!(contact(store, remove, 1), ContactOutcome::LastAddress);
}

pub fn contacts_are_listed_newest_first_and_searched(store: &dyn Store) {
    let (_, one) = accept(store, sent_at_once(phone(1), at(0)));
    let mail = address(AddressKind::Email, "Ana@Example.com");
    let ana = done(store, create("Ana Pop", vec![mail]), 1).id;
    let (_, two) = accept(store, sent_at_once(phone(2), at(2)));
    let all = ContactFilter {
        project: PROJECT,
        phone: None,
        search: None,
        before: None,
        limit: 10,
    };
    let list = |filter| {
        ask(store.contacts(filter))
            .into_iter()
            .map(|it| it.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(list(all.clone()), [two, ana, one]);
    assert_eq!(
        list(ContactFilter {
            limit: 2,
            ..all.clone()
        }),
        [two, ana]
    );
    assert_eq!(
        list(ContactFilter {
            before: Some(ana),
            ..all.clone()
        }),
        [one]
    );
    assert_eq!(
        list(ContactFilter {
            phone: Some(phone(1)),
            ..all.clone()
        }),
        [one]
    );
    for (search, want) in [
        ("aNA p", vec![ana]),
        ("@example", vec![ana]),
        ("+4477", vec![two, one]),
    ] {
        assert_eq!(
            list(ContactFilter {
                search: Some(search.into()),
                ..all.clone()
            }),
            want
        );
    }
}
