//! [`Accept`](crate::store::operations::Accept).

use std::sync::Arc;

use domain::decision::ClassReason;
use domain::ids::{MessageId, ProjectKey};
use domain::model::channel::Channel;
use domain::model::content::{Content, EmailParts, MessageType, PriceCategory, TemplateUse};
use domain::model::message::{Category, Speed, Status, TrafficClass};
use domain::model::progress::Waiting;
use domain::model::template::TemplateParameter;
use domain::rules::due::{Due, DueKind};
use domain::time::Millis;

use super::kit::*;
use crate::store::messages::{IdempotencyKey, MessageFilter, NewMessage, ViewKind};
use crate::store::operations::{Accept, FirstStep};
use crate::store::queries::LanePlace;
use crate::store::{Op, Outcome, Store};

fn keyed(key: &str, fields: Vec<(&'static str, u64)>, millis: i64) -> Accept {
    let idempotency = Some(IdempotencyKey {
        key: key.into(),
        fields,
    });
    Accept {
        idempotency,
        ..sent_at_once(phone(1), at(millis))
    }
}

fn earlier(store: &dyn Store, accept: Accept) -> (MessageId, Option<Box<str>>) {
    match commit(store, Op::Accept(Box::new(accept))) {
        Outcome::AlreadyAccepted { original, differs } => (original, differs),
        other => panic!("accepted anew: {other:?}"),
    }
}

pub fn what_was_accepted_is_read_back_whole(store: &dyn Store) {
    let plain = sent_at_once(phone(1), at(0));
    let content = Content {
        kind: MessageType::Template,
        text: Some("caption".into()),
        extra: Some(r#"{"a":1}"#.into()),
        template: Some(TemplateUse {
            plain_text: Some("Salut".into()),
            name: "greeting".into(),
            language: "ro".into(),
            body: vec![TemplateParameter {
                name: Some("who".into()),
                text: "Ana".into(),
            }],
            ..TemplateUse::plain("tpl", PriceCategory::Utility)
        }),
        email: Some(EmailParts {
            subject: "Salut".into(),
            html: Some("<p>Salut</p>".into()),
            reply_to: None,
            attachments: Vec::new(),
        }),
    };
    let full = Accept {
        message: NewMessage {
            content: Arc::new(content),
            class: TrafficClass::Bulk,
            class_reason: ClassReason::Promotional,
            category: Category::Promotional,
            speed: Speed::Fast,
            explicit: Some(Channel::WhatsApp),
            reply_to: Some((MessageId::from_key(77), Channel::WhatsApp)),
            context: Some("wamid.1".into()),
            test: true,
            metadata: Some(r#"{"order":"7"}"#.into()),
            scheduled_at: Some(at(90)),
            ..plain.message.clone()
        },
        ..plain.clone()
    };
    for accepted in [plain, full] {
        let (id, contact) = accept(store, accepted.clone());
        let found = ask(store.outbound(id)).unwrap();
        assert_eq!((found.id, found.contact), (id, contact));
        assert_eq!(found.message, accepted.message);
        assert_eq!(found.progress, crate::store::fold::accepted(&accepted));
        assert_eq!(found.facts.id, Some(contact));
        let view = ask(store.message(PROJECT, id)).unwrap();
        assert_eq!(
            (view.status, view.contact),
            (Status::Sending, Some(contact))
        );
        assert_eq!(view.updated_at, at(0));
        let ViewKind::Outbound {
            message, decision, ..
        } = view.kind
        else {
            panic!()
        };
        assert_eq!(
            (*message, decision),
            (accepted.message, Some(Box::new(accepted.decision.clone())))
        );
        let decisions = ask(store.decisions(id));
        assert_eq!(decisions.len(), 1);
        assert_eq!(
            (decisions[0].at, &decisions[0].decision),
            (at(0), &accepted.decision)
        );
    }
}

pub fn a_repeated_key_answers_with_the_original_and_writes_nothing(store: &dyn Store) {
    let (id, _) = accept(store, keyed("k", vec![("to", 1), ("text", 2)], 0));
    let repeat = keyed("k", vec![("to", 1), ("text", 2)], 24 * 3_600_000 - 1);
    assert_eq!(earlier(store, repeat), (id, None));
    let all = MessageFilter {
        project: PROJECT,
        status: None,
        to: None,
        channel: None,
        conversation: None,
        before: None,
        limit: 10,
    };
    assert_eq!(ask(store.messages(all)).len(), 1);
    assert_eq!(facts(store, phone(1)).thread.last_outbound_at, Some(at(0)));
}

pub fn a_repeat_with_another_body_names_the_first_field_that_differs(store: &dyn Store) {
    let (id, _) = accept(
        store,
        keyed("k", vec![("to", 1), ("text", 2), ("channel", 3)], 0),
    );
    for (fields, differs) in [
        (vec![("to", 1), ("text", 9), ("channel", 9)], "text"),
        (vec![("to", 9), ("text", 9), ("channel", 3)], "to"),
        (
            vec![("to", 1), ("text", 2), ("channel", 3), ("speed", 1)],
            "speed",
        ),
        (vec![("to", 1), ("text", 2)], "channel"),
    ] {
        assert_eq!(
            earlier(store, keyed("k", fields, 1)),
            (id, Some(differs.into()))
        );
    }
}

pub fn a_key_is_forgotten_after_a_day(store: &dyn Store) {
    let day = 24 * 3_600_000;
    let (first, _) = accept(store, keyed("k", vec![("to", 1)], 0));
    let (second, _) = accept(store, keyed("k", vec![("to", 2)], day));
    assert_ne!(first, second);
    assert_eq!(
        earlier(store, keyed("k", vec![("to", 2)], day + 1)),
        (second, None)
    );
}

pub fn a_key_is_its_projects_own(store: &dyn Store) {
    let (first, _) = accept(store, keyed("k", vec![("to", 1)], 0));
    let mut other = keyed("k", vec![("to", 1)], 1);
    other.message.project = ProjectKey(2);
    assert_ne!(accept(store, other).0, first);
}

pub fn an_earlier_use_of_a_key_is_found_for_a_day(store: &dyn Store) {
    let day = 24 * 3_600_000;
    let (original, _) = accept(store, keyed("k", vec![("to", 1)], 0));
    let earlier = |project, name: &str, hash, millis| {
        let key = IdempotencyKey {
            key: name.into(),
            fields: vec![("to", hash)],
        };
        let found = ask(store.earlier(ProjectKey(project), key, at(millis)));
        found.map(|it| (it.original, it.differs))
    };
    assert_eq!(earlier(1, "k", 1, day - 1), Some((original, None)));
    assert_eq!(earlier(1, "k", 2, 1), Some((original, Some("to".into()))));
    assert_eq!(earlier(1, "k", 1, day), None);
    assert_eq!(earlier(1, "other", 1, 1), None);
    assert_eq!(earlier(2, "k", 1, 1), None);
}

pub fn a_stranger_becomes_a_contact_and_a_known_number_does_not(store: &dyn Store) {
    let (_, one) = accept(store, sent_at_once(phone(1), at(0)));
    let (_, other) = accept(store, sent_at_once(phone(2), at(1)));
    let (_, again) = accept(store, sent_at_once(phone(1), at(2)));
    assert_ne!(one, other);
    assert_eq!(one, again);
    assert_eq!(facts(store, phone(1)).id, Some(one));
}

pub fn the_same_number_in_another_project_is_another_contact(store: &dyn Store) {
    let (_, one) = accept(store, sent_at_once(phone(1), at(0)));
    let mut accepted = sent_at_once(phone(1), at(1));
    accepted.message.project = ProjectKey(2);
    let (_, other) = accept(store, accepted);
    assert_ne!(one, other);
    assert_eq!(ask(store.contact(PROJECT, other)), None);
}

pub fn the_threads_outbound_time_only_moves_forward(store: &dyn Store) {
    for (millis, want) in [(5, 5), (3, 5), (9, 9)] {
        accept(store, sent_at_once(phone(1), at(millis)));
        assert_eq!(
            facts(store, phone(1)).thread.last_outbound_at,
            Some(at(want))
        );
    }
}

pub fn ids_ascend_also_when_the_clock_steps_back(store: &dyn Store) {
    let ids: Vec<_> = [5, 5, 3, 9]
        .map(|it| accept(store, sent_at_once(phone(1), at(it))).0)
        .into();
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
}

pub fn with_send_the_first_attempt_is_started(store: &dyn Store) {
    let accepted = sent_at_once(phone(1), at(0));
    let outcome = commit(store, Op::Accept(Box::new(accepted.clone())));
    let Outcome::Accepted {
        message,
        version,
        due,
        ..
    } = outcome
    else {
        panic!("{outcome:?}")
    };
    let progress = progress(store, message);
    assert_eq!(
        (progress.status, progress.version),
        (Status::Sending, version)
    );
    assert_eq!(progress.attempts, [planned(Channel::Sms, SMS).start(1)]);
    assert!(!progress.fallback.untried.contains(Channel::Sms));
    assert_eq!(
        due,
        Some(Due {
            at: accepted.expires_at,
            kind: DueKind::Settle
        })
    );
}

pub fn what_waits_stands_in_its_lane_by_due_time_and_id(store: &dyn Store) {
    let wait = |due: Option<i64>, accepted: i64| {
        let mut accepted = waiting(phone(1), at(accepted));
        accepted.message.scheduled_at = due.map(at);
        accept(store, accepted).0
    };
    let (late, early, past) = (wait(Some(900), 0), wait(None, 10), wait(Some(2), 10));
    let places: Vec<_> = ask(store.lane(lane(SMS), None, 10))
        .iter()
        .map(|it| it.0)
        .collect();
    let place = |message, millis| LanePlace {
        due: at(millis),
        message,
    };
    assert_eq!(
        places,
        [place(early, 10), place(past, 10), place(late, 900)]
    );
    assert_eq!(progress(store, early).status, Status::Queued);
}

pub fn what_is_scheduled_is_due_for_planning_at_its_time(store: &dyn Store) {
    let then = at(0).plus(Millis::hours(1));
    let (id, _) = accept(store, first(FirstStep::Schedule(then), phone(1), at(0)));
    assert_eq!(progress(store, id).waiting, Waiting::Schedule { at: then });
    assert!(ask(store.due(then.plus(Millis::new(-1)), 10)).is_empty());
    let due = ask(store.due(then, 10));
    assert_eq!(due.len(), 1);
    assert_eq!(
        (due[0].message, due[0].due),
        (
            id,
            Due {
                at: then,
                kind: DueKind::Plan
            }
        )
    );
}
