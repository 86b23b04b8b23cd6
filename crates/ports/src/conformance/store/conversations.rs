//! Conversations, and what they are asked for.

use domain::ids::{ContactId, ConversationId, MessageId, ProjectKey, SenderKey};
use domain::model::channel::{Channel, ChannelSet};
use domain::model::message::Direction;

use super::kit::*;
use crate::store::contacts::ContactChange;
use crate::store::conversations::{
    ConversationFilter, ConversationView, MarkRead, ProviderReference,
};
use crate::store::messages::MessageFilter;
use crate::store::operations::{FirstStep, PlanStep};
use crate::store::{Op, Outcome, Store};

fn with(contact: ContactId) -> ConversationId {
    ConversationId {
        contact,
        sender: SENDER,
    }
}

fn conversation(store: &dyn Store, contact: ContactId) -> ConversationView {
    ask(store.conversation(PROJECT, with(contact))).unwrap()
}

fn all() -> ConversationFilter {
    ConversationFilter {
        project: PROJECT,
        sender: None,
        channel: None,
        search: None,
        unread: false,
        before: None,
        limit: 10,
    }
}

fn list(store: &dyn Store, filter: ConversationFilter) -> Vec<ContactId> {
    let found = ask(store.conversations(filter)).conversations;
    found.iter().map(|it| it.id.contact).collect()
}

fn read(store: &dyn Store, project: ProjectKey, conversation: ConversationId) -> Outcome {
    let mark = MarkRead {
        project,
        conversation,
    };
    commit(store, Op::MarkRead(mark))
}

pub fn a_conversation_counts_its_messages_and_shows_the_newest(store: &dyn Store) {
    let (first, contact) = accept(store, sent_at_once(phone(1), at(10)));
    let view = conversation(store, contact);
    assert_eq!((view.message_count, view.unread_count), (1, 0));
    assert_eq!((view.last_message.id, view.created_at), (first, at(10)));
    assert_eq!(view.channels, ChannelSet::EMPTY.with(Channel::Sms));
    assert_eq!(view.contact.id, contact);
    let (newest, _) = receive(store, written(phone(1), Channel::WhatsApp, "a", at(20)));
    let view = conversation(store, contact);
    assert_eq!((view.message_count, view.unread_count), (2, 1));
    assert_eq!(view.last_message.id, newest);
    assert_eq!(view.last_message.direction, Direction::Inbound);
    let both = ChannelSet::EMPTY.with(Channel::Sms).with(Channel::WhatsApp);
    assert_eq!((view.channels, view.created_at), (both, at(10)));
    assert_eq!(view.thread.last_inbound, Some((at(20), Channel::WhatsApp)));
    assert_eq!(ask(store.conversation(ProjectKey(2), with(contact))), None);
}

pub fn a_repeated_inbound_message_is_not_counted_again(store: &dyn Store) {
    let (_, contact) = receive(store, written(phone(1), Channel::Sms, "a", at(0)));
    commit(
        store,
        Op::Inbound(Box::new(written(phone(1), Channel::Sms, "a", at(1)))),
    );
    let view = conversation(store, contact);
    assert_eq!((view.message_count, view.unread_count), (1, 1));
}

pub fn a_channel_joins_when_a_message_is_handed_to_it(store: &dyn Store) {
    let (id, contact) = accept(store, waiting(phone(1), at(0)));
    assert_eq!(conversation(store, contact).channels, ChannelSet::EMPTY);
    let version = progress(store, id).version;
    let step = PlanStep::Start(planned(Channel::WhatsApp, WHATSAPP));
    change(store, plan(id, version, step, at(1)));
    let over = conversation(store, contact).channels;
    assert_eq!(over, ChannelSet::EMPTY.with(Channel::WhatsApp));
}

pub fn reading_sets_the_unread_to_zero(store: &dyn Store) {
    let (_, contact) = receive(store, written(phone(1), Channel::Sms, "a", at(0)));
    let elsewhere = read(store, ProjectKey(2), with(contact));
    assert!(matches!(elsewhere, Outcome::Missing));
    assert_eq!(conversation(store, contact).unread_count, 1);
    assert!(matches!(read(store, PROJECT, with(contact)), Outcome::Done));
    let view = conversation(store, contact);
    assert_eq!((view.message_count, view.unread_count), (1, 0));
    receive(store, written(phone(1), Channel::Sms, "b", at(1)));
    assert_eq!(conversation(store, contact).unread_count, 1);
    let nobody = with(ContactId::from_key(4_711));
    assert!(matches!(read(store, PROJECT, nobody), Outcome::Missing));
}

pub fn what_is_unread_is_counted_and_found_alone_until_it_is_read(store: &dyn Store) {
    let (_, ana) = receive(store, written(phone(1), Channel::Sms, "a", at(0)));
    receive(store, written(phone(1), Channel::Sms, "b", at(1)));
    let (_, bob) = receive(store, written(phone(2), Channel::WhatsApp, "c", at(2)));
    accept(store, sent_at_once(phone(3), at(3)));
    accept(store, sent_at_once(phone(1), at(4)));
    let unread = ConversationFilter {
        unread: true,
        ..all()
    };
    let count = |project, at_most| ask(store.unread_conversations(project, at_most));
    assert_eq!(list(store, unread.clone()), [ana, bob]);
    let on_whatsapp = ConversationFilter {
        channel: Some(Channel::WhatsApp),
        ..unread.clone()
    };
    assert_eq!(list(store, on_whatsapp), [bob]);
    let counts = [
        count(PROJECT, 10),
        count(PROJECT, 1),
        count(ProjectKey(2), 10),
    ];
    assert_eq!(counts, [2, 1, 0]);
    read(store, PROJECT, with(ana));
    assert_eq!(list(store, unread), [bob]);
    assert_eq!(count(PROJECT, 10), 1);
}

pub fn conversations_are_listed_newest_activity_first_and_by_every_filter(store: &dyn Store) {
    let (_, ana) = accept(store, sent_at_once(phone(1), at(0)));
    let (_, bob) = accept(store, sent_at_once(phone(2), at(1)));
    let mut other = sent_at_once(phone(3), at(2));
    other.message.sender = SenderKey(2);
    let (_, cleo) = accept(store, other);
    let (middle, _) = receive(store, written(phone(2), Channel::WhatsApp, "b", at(3)));
    receive(store, written(phone(1), Channel::Sms, "a", at(4)));
    let name = ContactChange::Update {
        contact: bob,
        display_name: Some(Some("Bob Marin".into())),
        default_channel: None,
        metadata: None,
    };
    commit(
        store,
        Op::Contact {
            project: PROJECT,
            change: Box::new(name),
            at: at(5),
        },
    );
    assert_eq!(list(store, all()), [ana, bob, cleo]);
    let by = |sender, channel, search: Option<&str>, before, limit| ConversationFilter {
        sender,
        channel,
        search: search.map(Into::into),
        before,
        limit,
        ..all()
    };
    for (filter, want) in [
        (by(Some(SENDER), None, None, None, 10), vec![ana, bob]),
        (by(Some(SenderKey(2)), None, None, None, 10), vec![cleo]),
        (by(None, Some(Channel::WhatsApp), None, None, 10), vec![bob]),
        (by(None, Some(Channel::Telegram), None, None, 10), vec![]),
        (by(None, None, Some("bob mar"), None, 10), vec![bob]),
        (by(None, None, Some("marin x"), None, 10), vec![]),
        (
            by(None, None, Some(phone(3).as_str()), None, 10),
            vec![cleo],
        ),
        (by(None, None, None, None, 1), vec![ana]),
        (by(None, None, None, Some(middle), 10), vec![cleo]),
        (
            by(Some(SENDER), Some(Channel::Sms), Some("44"), None, 1),
            vec![ana],
        ),
    ] {
        assert_eq!(list(store, filter.clone()), want, "{filter:?}");
    }
    let next = |filter| ask(store.conversations(filter)).next;
    let newest = ask(store.conversations(all())).conversations[0]
        .last_message
        .id;
    assert_eq!(next(by(None, None, None, None, 1)), Some(newest));
    assert_eq!(next(by(None, None, Some("bob"), None, 1)), None);
    assert_eq!(next(by(None, None, None, None, 3)), None);
    let elsewhere = ConversationFilter {
        project: ProjectKey(2),
        ..all()
    };
    assert_eq!(list(store, elsewhere), []);
}

pub fn the_messages_of_a_conversation_are_found(store: &dyn Store) {
    let (out, contact) = accept(store, sent_at_once(phone(1), at(0)));
    let mut other = sent_at_once(phone(1), at(1));
    other.message.sender = SenderKey(2);
    accept(store, other);
    let (inbound, _) = receive(store, written(phone(1), Channel::WhatsApp, "a", at(2)));
    accept(store, sent_at_once(phone(2), at(3)));
    let of = |project, before, limit| {
        let filter = MessageFilter {
            project,
            status: None,
            to: None,
            channel: None,
            conversation: Some(with(contact)),
            before,
            limit,
        };
        let found = ask(store.messages(filter));
        found.iter().map(|it| it.id).collect::<Vec<MessageId>>()
    };
    assert_eq!(of(PROJECT, None, 10), [inbound, out]);
    assert_eq!(of(PROJECT, None, 1), [inbound]);
    assert_eq!(of(PROJECT, Some(inbound), 10), [out]);
    assert_eq!(of(ProjectKey(2), None, 10), []);
}

pub fn merged_conversations_are_one(store: &dyn Store) {
    let (_, target) = accept(store, sent_at_once(phone(1), at(5)));
    let (_, source) = receive(store, written(phone(2), Channel::WhatsApp, "a", at(1)));
    let (newest, _) = receive(store, written(phone(2), Channel::WhatsApp, "b", at(6)));
    let mut other = sent_at_once(phone(2), at(7));
    other.message.sender = SenderKey(2);
    accept(store, other);
    commit(
        store,
        Op::Contact {
            project: PROJECT,
            change: Box::new(ContactChange::Merge { target, source }),
            at: at(9),
        },
    );
    let view = conversation(store, target);
    assert_eq!((view.message_count, view.unread_count), (3, 2));
    assert_eq!((view.last_message.id, view.created_at), (newest, at(1)));
    let both = ChannelSet::EMPTY.with(Channel::Sms).with(Channel::WhatsApp);
    assert_eq!(view.channels, both);
    assert_eq!(list(store, all()), [target, target]);
    assert_eq!(ask(store.conversation(PROJECT, with(source))), None);
}

pub fn an_erased_contact_has_no_conversation(store: &dyn Store) {
    let (id, contact) = accept(store, waiting(phone(1), at(0)));
    commit(
        store,
        Op::Contact {
            project: PROJECT,
            change: Box::new(ContactChange::Delete { contact }),
            at: at(1),
        },
    );
    assert_eq!(list(store, all()), []);
    // Its message still goes its way, and makes none anew.
    let version = progress(store, id).version;
    let step = PlanStep::Start(planned(Channel::Sms, SMS));
    change(store, plan(id, version, step, at(2)));
    assert_eq!(list(store, all()), []);
    assert!(matches!(
        read(store, PROJECT, with(contact)),
        Outcome::Missing
    ));
}

pub fn the_providers_name_of_a_message_is_found(store: &dyn Store) {
    let (inbound, _) = receive(store, written(phone(1), Channel::WhatsApp, "in", at(0)));
    let on_whatsapp = FirstStep::Send(planned(Channel::WhatsApp, SMS));
    let (sent, _) = accept(store, first(on_whatsapp, phone(1), at(1)));
    assert_eq!(ask(store.provider_reference(sent)), None);
    let outcome = taken("wamid.1");
    change(
        store,
        Op::Submitted(Box::new(submitted(sent, outcome, at(2)))),
    );
    let (text, _) = accept(store, sent_at_once(phone(1), at(3)));
    let outcome = taken("77");
    change(
        store,
        Op::Submitted(Box::new(submitted(text, outcome, at(4)))),
    );
    let name = |route, reference: &str| {
        Some(ProviderReference {
            route,
            channel: Channel::WhatsApp,
            reference: reference.into(),
        })
    };
    assert_eq!(ask(store.provider_reference(inbound)), name(WHATSAPP, "in"));
    assert_eq!(ask(store.provider_reference(sent)), name(SMS, "wamid.1"));
    assert_eq!(ask(store.provider_reference(text)), None);
    let nothing = MessageId::from_key(4_711);
    assert_eq!(ask(store.provider_reference(nothing)), None);
}
