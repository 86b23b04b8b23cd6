//! Events: which operation brings which (R-MON-1), how they are read and forgotten.

use domain::ids::{ContactId, ConversationId, MessageId, ProjectKey, SenderKey};
use domain::model::channel::Channel;
use domain::model::event::{EventDetail, EventKind, EventKinds, EventSeq};
use domain::model::failure::FailureClass;
use domain::model::receipt::{ReceiptState, SubmitOutcome};

use super::kit::*;
use crate::store::contacts::ContactChange;
use crate::store::events::{EventFilter, EventPage, EventRecord};
use crate::store::messages::InboundMessage;
use crate::store::operations::{FirstStep, PlanStep};
use crate::store::webhooks::PruneEvents;
use crate::store::{Epoch, Op, Outcome, Store};

/// Every event of the project.
pub fn everything() -> EventFilter {
    EventFilter {
        project: PROJECT,
        sender: None,
        kinds: EventKinds::ALL,
        steps_in: None,
        after: EventSeq(0),
        limit: 1_000,
        look_at: EventFilter::LOOK_AT,
    }
}

/// The page that a filter finds.
pub fn read(store: &dyn Store, filter: EventFilter) -> EventPage {
    ask(store.events(filter))
}

fn kinds(page: &EventPage) -> Vec<EventKind> {
    page.events.iter().map(|it| it.event.kind).collect()
}

fn last(store: &dyn Store) -> EventRecord {
    let newest = ask(store.newest_event());
    ask(store.event(newest)).unwrap()
}

pub fn a_message_that_is_delivered_brings_an_event_for_each_step(store: &dyn Store) {
    let (id, _) = accept(store, sent_at_once(phone(1), at(0)));
    change(
        store,
        Op::Submitted(Box::new(submitted(id, taken("a"), at(10)))),
    );
    for (state, millis) in [
        (ReceiptState::InTransit, 15),
        (ReceiptState::Delivered, 20),
        (ReceiptState::Delivered, 25),
        (ReceiptState::Read, 30),
    ] {
        change(store, op(receipt("a", state, at(millis))));
    }
    let page = read(store, everything());
    let want = ["queued", "sent", "delivered", "read"].map(|it| format!("message.{it}"));
    let told: Vec<_> = kinds(&page).into_iter().map(EventKind::code).collect();
    assert_eq!(told, want);
    let times: Vec<_> = page.events.iter().map(|it| it.event.at).collect();
    assert_eq!(times, [at(0), at(10), at(20), at(30)]);
    assert!(page.events.is_sorted_by(|a, b| a.seq < b.seq));
    for record in &page.events {
        let event = &record.event;
        assert_eq!((event.project, event.sender), (PROJECT, Some(SENDER)));
        assert_eq!(
            (event.message, event.channel),
            (Some(id), Some(Channel::Sms))
        );
        assert_eq!(event.detail, None);
        assert_eq!(ask(store.event(record.seq)).as_ref(), Some(record));
    }
}

pub fn a_delivery_learnt_with_the_answer_brings_delivered_alone(store: &dyn Store) {
    let (id, _) = accept(store, sent_at_once(phone(1), at(0)));
    let parked = op(receipt("a", ReceiptState::Delivered, at(5)));
    assert!(matches!(commit(store, parked), Outcome::ReceiptParked));
    change(
        store,
        Op::Submitted(Box::new(submitted(id, taken("a"), at(10)))),
    );
    let page = read(store, everything());
    assert_eq!(kinds(&page), [EventKind::Queued, EventKind::Delivered]);
}

pub fn only_the_end_of_a_message_is_a_failure_and_tells_why(store: &dyn Store) {
    let (id, _) = accept(store, sent_at_once(phone(1), at(0)));
    let refused = SubmitOutcome::Rejected(failure(FailureClass::RecipientIncapable));
    let waits = change(
        store,
        Op::Submitted(Box::new(submitted(id, refused, at(1)))),
    );
    // The second channel may still carry it.
    assert_eq!(kinds(&read(store, everything())), [EventKind::Queued]);
    let why = failure(FailureClass::NoRoute);
    let fails = plan(id, waits.version, PlanStep::Fail(why.clone()), at(2));
    change(store, fails);
    let failed = last(store).event;
    assert_eq!((failed.kind, failed.at), (EventKind::Failed, at(2)));
    let Some(EventDetail::Failed(told)) = failed.detail else {
        panic!("{failed:?}")
    };
    assert_eq!(told, progress(store, id).failure.unwrap());
    // A receipt for the first attempt corrects the message, and not what was told before.
    let late = op(crate::store::operations::Receipt {
        references: Vec::new(),
        ours: Some((id, 1)),
        ..receipt("", ReceiptState::Delivered, at(3))
    });
    change(store, late);
    assert_eq!(last(store).event.kind, EventKind::Delivered);
    let page = read(store, everything());
    assert_eq!(page.events[1].event.detail, Some(EventDetail::Failed(told)));
}

pub fn what_waits_tells_no_channel_that_was_not_decided(store: &dyn Store) {
    accept(store, waiting(phone(1), at(0)));
    let queued = last(store).event;
    assert_eq!((queued.kind, queued.channel), (EventKind::Queued, None));
}

pub fn what_writes_nothing_brings_nothing(store: &dyn Store) {
    let (id, _) = accept(store, first(FirstStep::Schedule(at(9)), phone(1), at(0)));
    receive(store, written(phone(1), Channel::Sms, "a", at(1)));
    let newest = ask(store.newest_event());
    let stale = plan(id, 99, PlanStep::Wait(lane(SMS)), at(2));
    assert!(matches!(commit(store, stale), Outcome::Stale));
    let repeat = Op::Inbound(Box::new(written(phone(1), Channel::Sms, "a", at(2))));
    assert!(matches!(
        commit(store, repeat),
        Outcome::InboundRepeated { .. }
    ));
    ask(store.raise_epoch());
    let mut fenced = sent_at_once(phone(2), at(3));
    fenced.epoch = Epoch(0);
    assert!(matches!(
        commit(store, Op::Accept(Box::new(fenced))),
        Outcome::Fenced
    ));
    assert_eq!(ask(store.newest_event()), newest);
}

pub fn the_first_message_of_a_thread_brings_the_conversation_before_itself(store: &dyn Store) {
    use EventKind::{ConversationNew, Inbound, Queued, Unsupported};
    let (first, _) = receive(store, written(phone(1), Channel::Sms, "a", at(0)));
    let strange = InboundMessage {
        unsupported: true,
        ..written(phone(1), Channel::WhatsApp, "b", at(1))
    };
    receive(store, strange);
    // A thread that we began is not new to its contact's answer.
    accept(store, waiting(phone(2), at(2)));
    receive(store, written(phone(2), Channel::Sms, "c", at(3)));
    let page = read(store, everything());
    assert_eq!(
        kinds(&page),
        [ConversationNew, Inbound, Unsupported, Queued, Inbound]
    );
    let about: Vec<_> = page.events[..2].iter().map(|it| it.event.message).collect();
    assert_eq!(about, [Some(first), Some(first)]);
    // With another sender it is another thread.
    let other = InboundMessage {
        sender: SenderKey(2),
        ..written(phone(1), Channel::Sms, "d", at(4))
    };
    receive(store, other);
    let theirs = EventFilter {
        sender: Some(SenderKey(2)),
        ..everything()
    };
    assert_eq!(kinds(&read(store, theirs)), [ConversationNew, Inbound]);
}

pub fn events_are_read_page_by_page_and_by_every_filter(store: &dyn Store) {
    for nth in 0..4 {
        receive(
            store,
            written(phone(1), Channel::Sms, &format!("{nth}"), at(nth)),
        );
    }
    let mut elsewhere = waiting(phone(2), at(9));
    elsewhere.message.project = ProjectKey(2);
    accept(store, elsewhere);
    let inbound = EventFilter {
        kinds: EventKinds::default().with(EventKind::Inbound),
        limit: 3,
        ..everything()
    };
    let page = read(store, inbound);
    assert_eq!((page.events.len(), page.more), (3, true));
    assert_eq!(page.upto, page.events[2].seq);
    let rest = read(
        store,
        EventFilter {
            after: page.upto,
            ..inbound
        },
    );
    assert_eq!((rest.events.len(), rest.more), (1, false));
    // The rest was looked at to its end, also what belongs to others.
    assert_eq!(rest.upto, ask(store.newest_event()));
    let none = EventFilter {
        sender: Some(SenderKey(7)),
        ..everything()
    };
    assert_eq!(read(store, none).events, []);
    assert_eq!(read(store, none).upto, ask(store.newest_event()));
    let ahead = EventFilter {
        after: EventSeq(1_000),
        ..everything()
    };
    assert_eq!(read(store, ahead).upto, EventSeq(1_000));
    assert_eq!(ask(store.event(EventSeq(1_000))), None);
}

/// Steps in the thread with this contact, and everything that is no step.
fn in_thread_with(contact: ContactId) -> EventFilter {
    let sender = SENDER;
    EventFilter {
        steps_in: Some(ConversationId { contact, sender }),
        ..everything()
    }
}

fn messages(page: &EventPage) -> Vec<MessageId> {
    page.events
        .iter()
        .filter_map(|it| it.event.message)
        .collect()
}

pub fn the_steps_of_other_conversations_are_left_out_and_nothing_else_is(store: &dyn Store) {
    let (ours, contact) = accept(store, sent_at_once(phone(1), at(0)));
    let (theirs, other) = accept(store, sent_at_once(phone(2), at(1)));
    let mut elsewhere = waiting(phone(1), at(2));
    elsewhere.message.sender = SenderKey(2);
    let (with_another_sender, same) = accept(store, elsewhere);
    assert_eq!(same, contact);
    for (id, name) in [(theirs, "a"), (ours, "b")] {
        let taken = Box::new(submitted(id, taken(name), at(3)));
        change(store, Op::Submitted(taken));
    }
    let (written_by_them, _) = receive(store, written(phone(2), Channel::Sms, "hello", at(4)));
    let page = read(store, in_thread_with(contact));
    assert_eq!(messages(&page), [ours, ours, written_by_them]);
    assert!(page.events.is_sorted_by(|a, b| a.seq < b.seq));
    let theirs_too = read(store, in_thread_with(other));
    assert_eq!(messages(&theirs_too), [theirs, theirs, written_by_them]);
    // Every filter holds: of the kinds, of the place, and of the limit.
    let filter = EventFilter {
        kinds: EventKinds::STEPS,
        limit: 1,
        ..in_thread_with(contact)
    };
    let first = read(store, filter);
    assert_eq!((messages(&first), first.more), (vec![ours], true));
    assert_eq!(first.upto, first.events[0].seq);
    let after = first.upto;
    let second = read(store, EventFilter { after, ..filter });
    assert_eq!(kinds(&second), [EventKind::Sent]);
    let after = second.upto;
    let rest = read(store, EventFilter { after, ..filter });
    assert_eq!((rest.events.len(), rest.more), (0, false));
    assert_eq!(rest.upto, ask(store.newest_event()));
    let sender = SenderKey(2);
    let with_it = EventFilter {
        steps_in: Some(ConversationId { contact, sender }),
        ..filter
    };
    assert_eq!(messages(&read(store, with_it)), [with_another_sender]);
}

pub fn steps_are_in_the_conversation_that_their_contact_has_now(store: &dyn Store) {
    let (kept, target) = accept(store, waiting(phone(1), at(0)));
    let (moved, source) = accept(store, waiting(phone(2), at(1)));
    let contact = |change| Op::Contact {
        project: PROJECT,
        change: Box::new(change),
        at: at(2),
    };
    commit(store, contact(ContactChange::Merge { target, source }));
    let found = |it| messages(&read(store, in_thread_with(it)));
    assert_eq!((found(target), found(source)), (vec![kept, moved], vec![]));
    commit(store, contact(ContactChange::Delete { contact: target }));
    assert_eq!(found(target), []);
}

pub fn a_reading_looks_at_so_many_places_and_says_how_far_it_came(store: &dyn Store) {
    let (_, contact) = accept(store, waiting(phone(1), at(0)));
    let first = ask(store.newest_event());
    for nth in 0..9 {
        accept(store, waiting(phone(2), at(nth)));
    }
    let (last, _) = accept(store, waiting(phone(1), at(9)));
    let mut filter = EventFilter {
        after: first,
        look_at: 4,
        ..in_thread_with(contact)
    };
    for looked_at in [4, 8] {
        let page = read(store, filter);
        assert_eq!((page.events, page.more), (vec![], true));
        assert_eq!(page.upto, EventSeq(first.0 + looked_at));
        filter.after = page.upto;
    }
    let page = read(store, filter);
    assert_eq!((messages(&page), page.more), (vec![last], false));
    assert_eq!(page.upto, ask(store.newest_event()));
    // Places whose events are forgotten are not looked at.
    let prune = PruneEvents {
        events_before: at(9),
        needed_before: at(-1),
        after: EventSeq(0),
        limit: 100,
    };
    commit(store, Op::PruneEvents(prune));
    filter.after = EventSeq(0);
    assert_eq!(messages(&read(store, filter)), [last]);
}

pub fn old_events_go_and_the_newest_stays(store: &dyn Store) {
    let ids: Vec<MessageId> = (0..5)
        .map(|nth| accept(store, waiting(phone(1), at(nth))).0)
        .collect();
    let left = |limit, millis| {
        let prune = PruneEvents {
            events_before: at(millis),
            needed_before: at(-1),
            after: EventSeq(0),
            limit,
        };
        assert!(matches!(
            commit(store, Op::PruneEvents(prune)),
            Outcome::EventsPruned { .. }
        ));
        let page = read(store, everything());
        page.events
            .iter()
            .filter_map(|it| it.event.message)
            .collect::<Vec<_>>()
    };
    assert_eq!(left(1, 3), ids[1..]);
    assert_eq!(left(100, 3), ids[3..]);
    let newest = ask(store.newest_event());
    assert_eq!(left(100, 100), ids[4..]);
    assert_eq!(ask(store.newest_event()), newest);
    accept(store, waiting(phone(1), at(9)));
    assert!(ask(store.newest_event()) > newest);
}
