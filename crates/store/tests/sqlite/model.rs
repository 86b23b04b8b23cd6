//! The SQLite store does what the model does, whatever the order of operations.

use domain::ids::{ConversationId, MessageId, SenderKey};
use domain::model::channel::Channel;
use domain::model::event::{EventKinds, EventSeq};
use domain::model::message::Status;
use domain::time::Timestamp;
use ports::conformance::store::kit::{PROJECT, ask, at, commit, phone};
use ports::memory::MemoryStore;
use ports::store::books::{LedgerFilter, TallyFilter, TallyGroups};
use ports::store::contacts::ContactFilter;
use ports::store::conversations::ConversationFilter;
use ports::store::events::EventFilter;
use ports::store::messages::MessageFilter;
use ports::store::{Outcome, Queries, Store};
use proptest::prelude::*;
use store::{Options, SqliteStore};

use super::scripts::{Story, scripts};

/// Everything that can be asked, in words: equal words are equal answers.
fn everything(store: &dyn Store, story: &Story) -> Vec<String> {
    let mut answers = Vec::new();
    for id in &story.messages {
        answers.push(format!("{:?}", ask(store.outbound(*id))));
        answers.push(format!("{:?}", ask(store.message(PROJECT, *id))));
        answers.push(format!("{:?}", ask(store.decisions(*id))));
        answers.push(format!("{:?}", ask(store.receipts(*id))));
    }
    for id in &story.contacts {
        answers.push(format!("{:?}", ask(store.contact(PROJECT, *id))));
        answers.push(format!("{:?}", ask(store.consents(*id))));
    }
    for last in 0..6 {
        for sender in [1, 2, 3] {
            let facts = store.contact_facts(PROJECT, SenderKey(sender), &phone(last).into());
            answers.push(format!("{:?}", ask(facts)));
        }
        answers.push(listed(
            store,
            &MessageFilter {
                to: Some(phone(last).into()),
                ..all()
            },
        ));
        let filter = ContactFilter {
            phone: Some(phone(last)),
            ..everybody()
        };
        answers.push(format!("{:?}", ask(store.contacts(filter))));
    }
    for status in Status::ALL {
        answers.push(listed(
            store,
            &MessageFilter {
                status: Some(status),
                ..all()
            },
        ));
    }
    for contact in &story.contacts {
        for sender in [SenderKey(1), SenderKey(2)] {
            let id = ConversationId {
                contact: *contact,
                sender,
            };
            answers.push(format!("{:?}", ask(store.conversation(PROJECT, id))));
            answers.push(listed(
                store,
                &MessageFilter {
                    conversation: Some(id),
                    ..all()
                },
            ));
        }
    }
    for id in &story.messages {
        answers.push(format!("{:?}", ask(store.provider_reference(*id))));
    }
    answers.push(format!("{:?}", ask(store.conversations(every_talk()))));
    let over_whatsapp = ConversationFilter {
        channel: Some(Channel::WhatsApp),
        ..every_talk()
    };
    answers.push(format!("{:?}", ask(store.conversations(over_whatsapp))));
    let channel = Some(Channel::WhatsApp);
    answers.push(listed(
        store,
        &MessageFilter {
            channel,
            limit: 3,
            ..all()
        },
    ));
    answers.push(format!("{:?}", ask(store.contacts(everybody()))));
    let search = Some("ext 1".into());
    answers.push(format!(
        "{:?}",
        ask(store.contacts(ContactFilter {
            search,
            ..everybody()
        }))
    ));
    let lanes = ask(store.lanes());
    for (lane, _) in &lanes {
        answers.push(format!("{:?}", ask(store.lane(*lane, None, 1_000))));
    }
    answers.push(format!("{lanes:?}"));
    answers.push(format!(
        "{:?}",
        ask(store.due(at(i64::from(u32::MAX)), 1_000))
    ));
    let events = EventFilter {
        project: PROJECT,
        sender: None,
        kinds: EventKinds::ALL,
        steps_in: None,
        after: EventSeq(0),
        limit: 1_000,
        look_at: EventFilter::LOOK_AT,
    };
    answers.push(format!("{:?}", ask(store.events(events))));
    for contact in &story.contacts {
        let thread = ConversationId {
            contact: *contact,
            sender: SenderKey(1),
        };
        let in_it = EventFilter {
            steps_in: Some(thread),
            look_at: 20,
            ..events
        };
        answers.push(format!("{:?}", ask(store.events(in_it))));
    }
    answers.push(format!("{:?}", ask(store.webhooks())));
    for sender in [1, 2].map(SenderKey) {
        answers.push(format!("{:?}", ask(store.webhook_standing(sender))));
        answers.push(format!("{:?}", ask(store.replays(sender, 100))));
        answers.push(format!("{:?}", ask(store.dead_letters(sender, None, 100))));
    }
    answers.push(format!("{:?}", ask(store.claimed(PROJECT))));
    answers.push(format!("{:?}", ask(store.meters())));
    answers.push(format!("{:?}", ask(store.balances(PROJECT))));
    answers.push(format!("{:?}", ask(store.ledger(ledger()))));
    for by in 0..32_u8 {
        answers.push(format!("{:?}", ask(store.tallies(tallies(by)))));
    }
    answers.push(format!("{:?}", ask(store.next_due())));
    answers.push(format!("{:?}", ask(store.in_hand(None, 1_000))));
    answers.push(format!("{:?}", ask(store.health()).backlog));
    answers
}

fn listed(store: &dyn Store, filter: &MessageFilter) -> String {
    let ids: Vec<MessageId> = ask(store.messages(filter.clone()))
        .into_iter()
        .map(|it| it.id)
        .collect();
    format!("{ids:?}")
}

fn all() -> MessageFilter {
    MessageFilter {
        project: PROJECT,
        status: None,
        to: None,
        channel: None,
        conversation: None,
        before: None,
        limit: 1_000,
    }
}

fn every_talk() -> ConversationFilter {
    ConversationFilter {
        project: PROJECT,
        sender: None,
        channel: None,
        search: None,
        unread: false,
        before: None,
        limit: 1_000,
    }
}

fn everybody() -> ContactFilter {
    ContactFilter {
        project: PROJECT,
        phone: None,
        search: None,
        before: None,
        limit: 1_000,
    }
}

const fn ledger() -> LedgerFilter {
    LedgerFilter {
        project: PROJECT,
        before: None,
        limit: 1_000,
    }
}

/// All tallies, kept apart by what has a bit.
const fn tallies(by: u8) -> TallyFilter {
    TallyFilter {
        project: PROJECT,
        from: Timestamp::from_millis(i64::MIN),
        until: Timestamp::from_millis(i64::MAX),
        route: None,
        sender: None,
        country: None,
        class: None,
        campaign: None,
        by: TallyGroups {
            hour: by & 1 != 0,
            route: by & 2 != 0,
            sender: by & 4 != 0,
            country: by & 8 != 0,
            class: by & 16 != 0,
            campaign: by & 32 != 0,
        },
        limit: 10_000,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn the_store_answers_like_the_model_after_every_sequence(script in scripts()) {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("a.db"), Options::default()).unwrap();
        let model = MemoryStore::default();
        let mut story = Story::default();
        for step in &script {
            let op = story.tell(step);
            let want: Outcome = commit(&model, op.clone());
            let found = commit(&store, op.clone());
            prop_assert_eq!(format!("{:?}", found), format!("{:?}", &want), "after {:?}", op);
            story.hear(&want);
        }
        let (found, want) = (everything(&store, &story), everything(&model, &story));
        for (found, want) in found.iter().zip(&want) {
            prop_assert_eq!(found, want);
        }
        prop_assert_eq!(found.len(), want.len());
    }
}

#[test]
fn the_scripts_reach_what_matters() {
    // A generator that only ever met refusals would prove nothing.
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = std::collections::BTreeMap::<String, u32>::new();
    for _ in 0..300 {
        let script = scripts().new_tree(&mut runner).unwrap().current();
        let (model, mut story) = (MemoryStore::default(), Story::default());
        for step in &script {
            let outcome = commit(&model, story.tell(step));
            story.hear(&outcome);
            let name: String = format!("{outcome:?}")
                .chars()
                .take_while(|it| it.is_alphabetic())
                .collect();
            *seen.entry(name).or_default() += 1;
        }
        for id in &story.messages {
            if let Some(found) = ask(model.outbound(*id)) {
                *seen
                    .entry(format!("{:?}", found.progress.status))
                    .or_default() += 1;
            }
        }
    }
    for (name, at_least) in [
        ("Accepted", 500),
        ("Changed", 500),
        ("Stale", 100),
        ("ReceiptParked", 50),
        ("AlreadyAccepted", 20),
        ("AlreadyDeposited", 10),
        ("InboundKept", 20),
        ("ConsentKept", 50),
        ("OptedOut", 10),
        ("QuotaGone", 15),
        ("PersonRefused", 20),
        ("InboundRepeated", 2),
        ("Delivered", 20),
        ("Failed", 20),
        ("Read", 5),
        ("Webhook", 100),
        ("Replayed", 20),
    ] {
        let count = seen.get(name).copied().unwrap_or(0);
        assert!(count >= at_least, "{name}: {count}; {seen:?}");
    }
}
