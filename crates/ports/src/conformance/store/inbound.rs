//! [`Op::Inbound`].

use domain::ids::{MessageId, RouteKey};
use domain::model::address::{Address, EmailAddress, WhatsAppUserId};
use domain::model::channel::Channel;
use domain::model::content::MessageType;
use domain::model::failure::FailureClass;
use domain::model::message::{Direction, Status};
use domain::model::receipt::SubmitOutcome;
use domain::time::Millis;

use super::kit::*;
use crate::store::messages::{InboundMessage, MessageFilter, Quoted, ViewKind};
use crate::store::operations::{FirstStep, Submitted};
use crate::store::{Op, Outcome, Store};

pub fn an_inbound_message_is_kept_and_read_back_whole(store: &dyn Store) {
    let inbound = InboundMessage {
        aliases: vec![Address::WhatsAppUser(
            WhatsAppUserId::parse("RO.1").unwrap(),
        )],
        profile_name: Some("Ana".into()),
        unsupported: true,
        quotes: Some("wamid.0".into()),
        ..written(phone(1), Channel::WhatsApp, "wamid.1", at(900))
    };
    let (id, contact) = receive(store, inbound.clone());
    let view = ask(store.message(PROJECT, id)).unwrap();
    assert_eq!(
        (view.direction, view.status),
        (Direction::Inbound, Status::Received)
    );
    assert_eq!((view.contact, view.updated_at), (Some(contact), at(900)));
    assert_eq!(view.kind, ViewKind::Inbound(Box::new(inbound)));
    assert_eq!(ask(store.outbound(id)), None);
    assert!(ask(store.decisions(id)).is_empty());
}

pub fn what_a_message_answers_is_shown_with_it_where_it_is_kept(store: &dyn Store) {
    let answer = |nth: i64, quotes: &str, route| {
        let inbound = InboundMessage {
            quotes: Some(quotes.into()),
            route,
            ..written(
                phone(1),
                Channel::WhatsApp,
                &format!("wamid.{nth}"),
                at(nth),
            )
        };
        receive(store, inbound).0
    };
    let quoted = |id| ask(store.message(PROJECT, id)).unwrap().quoted;
    let on_whatsapp = FirstStep::Send(planned(Channel::WhatsApp, WHATSAPP));
    let (ours, _) = accept(store, first(on_whatsapp, phone(1), at(1)));
    let early = answer(2, "wamid.ours", WHATSAPP);
    assert_eq!(quoted(early), None, "nobody told its name yet");
    let named = Submitted {
        route: WHATSAPP,
        ..submitted(ours, taken("wamid.ours"), at(3))
    };
    change(store, Op::Submitted(Box::new(named)));
    let text = ask(store.outbound(ours))
        .unwrap()
        .message
        .content
        .text
        .clone();
    let want = Quoted {
        id: ours,
        from: None,
        kind: MessageType::Text,
        text,
    };
    assert_eq!(quoted(early).as_deref(), Some(&want));
    let to_theirs = answer(4, "wamid.2", WHATSAPP);
    let theirs = quoted(to_theirs).unwrap();
    assert_eq!((theirs.id, theirs.from), (early, Some(phone(1).into())));
    assert_eq!(theirs.text.as_deref(), Some("Salut"));
    assert_eq!(quoted(answer(5, "wamid.lost", WHATSAPP)), None);
    assert_eq!(quoted(answer(6, "wamid.ours", RouteKey(9))), None);
    // Lists show it, too.
    let list = ask(store.messages(MessageFilter {
        project: PROJECT,
        status: None,
        to: None,
        channel: None,
        conversation: None,
        before: Some(MessageId::from_key(to_theirs.key() + 1)),
        limit: 1,
    }));
    assert_eq!(list[0].quoted.as_ref().unwrap().id, early);
}

pub fn a_repeat_by_provider_id_changes_nothing(store: &dyn Store) {
    let (id, _) = receive(store, written(phone(1), Channel::Sms, "a", at(0)));
    let before = facts(store, phone(1));
    let again = written(phone(1), Channel::Sms, "a", at(50));
    let outcome = commit(store, Op::Inbound(Box::new(again)));
    assert!(matches!(outcome, Outcome::InboundRepeated { message } if message == id));
    assert_eq!(facts(store, phone(1)), before);
}

pub fn the_same_provider_id_on_another_route_is_another_message(store: &dyn Store) {
    let inbound = written(phone(1), Channel::Sms, "a", at(0));
    let (one, _) = receive(store, inbound.clone());
    let (other, _) = receive(
        store,
        InboundMessage {
            route: RouteKey(9),
            ..inbound
        },
    );
    assert_ne!(one, other);
}

pub fn messages_without_a_provider_id_are_never_repeats(store: &dyn Store) {
    let nameless = InboundMessage {
        provider_id: None,
        ..written(phone(1), Channel::Sms, "", at(0))
    };
    let (one, contact) = receive(store, nameless.clone());
    assert_ne!(receive(store, nameless), (one, contact));
}

pub fn an_inbound_message_becomes_the_newest_of_its_thread(store: &dyn Store) {
    let (_, contact) = accept(store, sent_at_once(phone(1), at(0)));
    for (id, channel, millis, want) in [
        ("a", Channel::Sms, 100, (100, Channel::Sms)),
        ("b", Channel::WhatsApp, 300, (300, Channel::WhatsApp)),
        // A straggler that was kept with an earlier time does not become the newest.
        ("c", Channel::Sms, 200, (300, Channel::WhatsApp)),
    ] {
        let (_, writer) = receive(store, written(phone(1), channel, id, at(millis)));
        assert_eq!(writer, contact);
        let thread = facts(store, phone(1)).thread;
        assert_eq!(thread.last_inbound, Some((at(want.0), want.1)));
        assert_eq!(thread.last_outbound_at, Some(at(0)));
    }
    let view = ask(store.contact(PROJECT, contact)).unwrap();
    let times: Vec<_> = view.channels.iter().map(|it| it.last_inbound_at).collect();
    let sent_at = |millis| Some(at(millis).plus(Millis::new(-700)));
    assert_eq!(times, [sent_at(200), sent_at(300)]);
}

pub fn a_whatsapp_message_opens_the_window_at_the_providers_time(store: &dyn Store) {
    receive(store, written(phone(1), Channel::Sms, "s", at(0)));
    assert_eq!(facts(store, phone(1)).thread.whatsapp_window_from, None);
    for (id, millis, want) in [
        ("a", 2_000, 1_300),
        ("b", 1_000, 1_300),
        ("c", 3_000, 2_300),
    ] {
        receive(store, written(phone(1), Channel::WhatsApp, id, at(millis)));
        assert_eq!(
            facts(store, phone(1)).thread.whatsapp_window_from,
            Some(at(want))
        );
    }
}

pub fn a_person_who_writes_has_the_channel_after_all(store: &dyn Store) {
    let step = FirstStep::Send(planned(Channel::WhatsApp, SMS));
    let (id, _) = accept(store, first(step, phone(1), at(0)));
    let lacks = SubmitOutcome::Rejected(failure(FailureClass::RecipientIncapable));
    change(store, Op::Submitted(Box::new(submitted(id, lacks, at(1)))));
    assert!(facts(store, phone(1)).whatsapp.incapable_until.is_some());
    receive(store, written(phone(1), Channel::WhatsApp, "a", at(2)));
    assert_eq!(facts(store, phone(1)).whatsapp.incapable_until, None);
    assert_eq!(facts(store, phone(1)).whatsapp.metrics.failure_count, 1);
}

fn mail(text: &str) -> Address {
    Address::Email(EmailAddress::parse(text).unwrap())
}

pub fn a_person_without_a_number_is_a_contact_by_their_address(store: &dyn Store) {
    let chat = Address::Telegram(-42);
    let (id, contact) = receive(store, written(chat.clone(), Channel::Telegram, "1", at(0)));
    let ViewKind::Inbound(kept) = ask(store.message(PROJECT, id)).unwrap().kind else {
        panic!("an outbound message");
    };
    assert_eq!(kept.from, chat);
    let (_, same) = accept(store, sent_at_once(chat.clone(), at(1)));
    assert_eq!(same, contact);
    let known = facts(store, chat.clone());
    assert_eq!((known.id, known.addresses), (Some(contact), vec![chat]));
    let (_, other) = accept(store, sent_at_once(mail("ana@example.com"), at(2)));
    assert_ne!(other, contact);
    let view = ask(store.contact(PROJECT, other)).unwrap();
    assert_eq!((view.phone, view.channels.len()), (None, 1));
}

pub fn a_message_to_an_address_is_read_back_and_listed_by_it(store: &dyn Store) {
    let to = mail("ana@example.com");
    let (id, _) = accept(store, sent_at_once(to.clone(), at(0)));
    assert_eq!(ask(store.outbound(id)).unwrap().message.to, to);
    accept(store, sent_at_once(phone(1), at(1)));
    let filter = MessageFilter {
        project: PROJECT,
        status: None,
        to: Some(to),
        channel: None,
        conversation: None,
        before: None,
        limit: 10,
    };
    let listed: Vec<_> = ask(store.messages(filter)).iter().map(|it| it.id).collect();
    assert_eq!(listed, [id]);
}

pub fn an_alias_finds_the_contact_and_what_nobody_has_is_listed_with_it(store: &dyn Store) {
    let hidden = Address::WhatsAppUser(WhatsAppUserId::parse("US.1349").unwrap());
    let (_, by_user) = receive(
        store,
        written(hidden.clone(), Channel::WhatsApp, "a", at(0)),
    );
    let both = InboundMessage {
        aliases: vec![hidden.clone()],
        profile_name: Some("Ana".into()),
        ..written(phone(1), Channel::WhatsApp, "b", at(1))
    };
    let (_, writer) = receive(store, both.clone());
    assert_eq!(writer, by_user);
    assert_eq!(facts(store, phone(1)).id, Some(by_user));
    let reachable = facts(store, hidden.clone()).addresses;
    assert!(reachable.contains(&hidden) && reachable.contains(&phone(1).into()));
    let named = InboundMessage {
        profile_name: Some("Somebody else".into()),
        provider_id: Some("c".into()),
        ..both
    };
    receive(store, named);
    let view = ask(store.contact(PROJECT, by_user)).unwrap();
    assert_eq!(view.display_name.as_deref(), Some("Ana"));
}
