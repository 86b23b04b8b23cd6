//! [`Queries`](crate::store::Queries).

use domain::ids::{MessageId, ProjectKey};
use domain::model::address::Address;
use domain::model::channel::Channel;
use domain::model::contact::ContactFacts;
use domain::model::failure::FailureClass;
use domain::model::message::{Status, TrafficClass};
use domain::model::progress::Lane;
use domain::time::Millis;

use super::kit::*;
use crate::store::Store;
use crate::store::messages::MessageFilter;
use crate::store::operations::{FirstStep, PlanStep};

pub fn a_stranger_has_no_facts(store: &dyn Store) {
    assert_eq!(facts(store, phone(1)), ContactFacts::default());
}

pub fn a_lane_is_read_page_by_page(store: &dyn Store) {
    let ids: Vec<_> = (0..5)
        .map(|it| accept(store, waiting(phone(it), at(7))).0)
        .collect();
    let mut read = Vec::new();
    let mut after = None;
    loop {
        let page = ask(store.lane(lane(SMS), after, 2));
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = Some(last.0);
        read.extend(page.into_iter().map(|it| it.1.id));
    }
    assert_eq!(read, ids);
    assert_lane(store, lane(WHATSAPP), &[]);
}

pub fn lanes_are_counted_by_route_and_class(store: &dyn Store) {
    let lanes = [
        Lane {
            route: SMS,
            class: TrafficClass::Direct,
        },
        Lane {
            route: SMS,
            class: TrafficClass::Bulk,
        },
        Lane {
            route: WHATSAPP,
            class: TrafficClass::Bulk,
        },
    ];
    for (last, lane) in [(1, lanes[0]), (2, lanes[1]), (3, lanes[1]), (4, lanes[2])] {
        accept(store, first(FirstStep::Wait(lane), phone(last), at(0)));
    }
    assert_eq!(
        ask(store.lanes()),
        [(lanes[0], 1), (lanes[1], 2), (lanes[2], 1)]
    );
    assert_eq!(ask(store.health()).backlog, 4);
}

pub fn due_is_in_order_and_next_due_is_its_first(store: &dyn Store) {
    assert_eq!(ask(store.next_due()), None);
    let schedule = |millis| {
        let then = at(0).plus(Millis::new(millis));
        accept(store, first(FirstStep::Schedule(then), phone(1), at(0))).0
    };
    let (last, one, other) = (schedule(300), schedule(200), schedule(200));
    let ids = |limit| {
        let due = ask(store.due(at(300), limit));
        due.into_iter().map(|it| it.message).collect::<Vec<_>>()
    };
    assert_eq!(ids(10), [one, other, last]);
    assert_eq!(ids(2), [one, other]);
    assert_eq!(ask(store.next_due()), Some(at(200)));
}

pub fn what_is_in_hand_is_found_page_by_page(store: &dyn Store) {
    let ids: Vec<_> = (0..3)
        .map(|it| accept(store, sent_at_once(phone(it), at(0))).0)
        .collect();
    accept(store, waiting(phone(9), at(1)));
    let (answered, _) = accept(store, sent_at_once(phone(8), at(2)));
    let answer = submitted(answered, taken("a"), at(3));
    change(store, crate::store::Op::Submitted(Box::new(answer)));
    let page = |after, limit| {
        let found = ask(store.in_hand(after, limit));
        found.into_iter().map(|it| it.id).collect::<Vec<_>>()
    };
    assert_eq!(page(None, 2), ids[..2]);
    assert_eq!(page(Some(ids[1]), 2), ids[2..]);
    assert_eq!(page(Some(ids[2]), 2), []);
}

pub fn messages_are_listed_newest_first_and_by_every_filter(store: &dyn Store) {
    let (sending, _) = accept(store, sent_at_once(phone(1), at(0)));
    let (queued, _) = accept(store, waiting(phone(2), at(1)));
    let (inbound, _) = receive(store, written(phone(1), Channel::WhatsApp, "a", at(2)));
    let (failed, _) = accept(store, waiting(phone(1), at(3)));
    let version = progress(store, failed).version;
    let step = PlanStep::Fail(failure(FailureClass::NoRoute));
    change(store, plan(failed, version, step, at(4)));
    let all = MessageFilter {
        project: PROJECT,
        status: None,
        to: None,
        channel: None,
        conversation: None,
        before: None,
        limit: 10,
    };
    let list = |filter: MessageFilter| {
        let found = ask(store.messages(filter));
        found
            .into_iter()
            .map(|it| it.id)
            .collect::<Vec<MessageId>>()
    };
    assert_eq!(list(all.clone()), [failed, inbound, queued, sending]);
    assert_eq!(
        list(MessageFilter {
            limit: 1,
            ..all.clone()
        }),
        [failed]
    );
    assert_eq!(
        list(MessageFilter {
            before: Some(inbound),
            ..all.clone()
        }),
        [queued, sending]
    );
    for (status, want) in [
        (Status::Failed, vec![failed]),
        (Status::Queued, vec![queued]),
        (Status::Sending, vec![sending]),
        (Status::Received, vec![inbound]),
        (Status::Read, vec![]),
    ] {
        assert_eq!(
            list(MessageFilter {
                status: Some(status),
                ..all.clone()
            }),
            want
        );
    }
    let to = Some(Address::Phone(phone(1)));
    assert_eq!(
        list(MessageFilter {
            to: to.clone(),
            ..all.clone()
        }),
        [failed, inbound, sending]
    );
    assert_eq!(
        list(MessageFilter {
            to: Some(phone(77).into()),
            ..all.clone()
        }),
        []
    );
    let channel = Some(Channel::WhatsApp);
    assert_eq!(
        list(MessageFilter {
            channel,
            ..all.clone()
        }),
        [inbound]
    );
    let channel = Some(Channel::Sms);
    let status = Some(Status::Sending);
    assert_eq!(
        list(MessageFilter {
            status,
            to: to.clone(),
            channel,
            ..all.clone()
        }),
        [sending]
    );
    assert_eq!(
        list(MessageFilter {
            project: ProjectKey(2),
            ..all
        }),
        []
    );
}

pub fn another_projects_messages_are_not_shown(store: &dyn Store) {
    let (id, contact) = accept(store, sent_at_once(phone(1), at(0)));
    assert!(ask(store.message(PROJECT, id)).is_some());
    assert_eq!(ask(store.message(ProjectKey(2), id)), None);
    assert_eq!(ask(store.contact(ProjectKey(2), contact)), None);
}
