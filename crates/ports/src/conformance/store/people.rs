//! [`PersonStep`](crate::store::operations::PersonStep).

use domain::ids::{MessageId, ProjectKey, RouteKey, UserId};
use domain::model::channel::Channel;
use domain::model::consent::{ConsentChange, ConsentScope, ConsentSource};
use domain::model::message::Status;
use domain::model::progress::{Claim, Waiting};
use domain::rules::due::{Due, DueKind};
use domain::rules::person::{CLAIM, PersonAct, PersonRefusal};
use domain::time::Millis;

use super::kit::*;
use crate::store::consent::{Consent, ConsentSubject, Towards};
use crate::store::operations::{FirstStep, PersonStep, PlanStep};
use crate::store::{Op, Outcome, Registered, Store};

const ANA: UserId = UserId::from_key(7);
const DAN: UserId = UserId::from_key(8);
const PHONE: RouteKey = RouteKey(50);

fn step(message: MessageId, person: UserId, act: PersonAct, millis: i64) -> Op {
    Op::Person(PersonStep {
        project: PROJECT,
        message,
        person,
        act,
        at: at(millis),
    })
}

fn does(store: &dyn Store, message: MessageId, person: UserId, act: PersonAct, millis: i64) {
    match commit(store, step(message, person, act, millis)) {
        Outcome::Changed(_) => {}
        other => panic!("{other:?}"),
    }
}

fn refused(
    store: &dyn Store,
    message: MessageId,
    person: UserId,
    act: PersonAct,
    millis: i64,
) -> PersonRefusal {
    let before = progress(store, message);
    match commit(store, step(message, person, act, millis)) {
        Outcome::PersonRefused(refusal) => {
            assert_eq!(progress(store, message), before, "nothing was written");
            refusal
        }
        other => panic!("{other:?}"),
    }
}

fn claimed(store: &dyn Store) -> Vec<MessageId> {
    ask(store.claimed(PROJECT)).iter().map(|it| it.id).collect()
}

pub fn a_message_that_waits_is_taken_by_one_person(store: &dyn Store) {
    let (id, _) = accept(store, waiting(phone(1), at(0)));
    does(store, id, ANA, PersonAct::Take, 10);
    let claim = Claim {
        person: ANA,
        until: at(10).plus(CLAIM),
        lane: lane(SMS),
    };
    assert_eq!(progress(store, id).waiting, Waiting::Person(claim));
    let refusal = refused(store, id, DAN, PersonAct::Take, 20);
    assert_eq!(refusal, PersonRefusal::Taken(claim));
    let (sending, _) = accept(store, sent_at_once(phone(2), at(1)));
    let refusal = refused(store, sending, ANA, PersonAct::Take, 20);
    assert_eq!(refusal, PersonRefusal::NotWaiting);
    // A claim that has ended binds nobody.
    does(store, id, DAN, PersonAct::Take, 10 + CLAIM.get());
}

pub fn who_has_a_message_is_found_until_it_is_sent_or_given_back(store: &dyn Store) {
    let (first, _) = accept(store, waiting(phone(1), at(0)));
    let (second, _) = accept(store, waiting(phone(2), at(1)));
    assert_eq!(claimed(store), []);
    does(store, second, ANA, PersonAct::Take, 10);
    does(store, first, DAN, PersonAct::Take, 11);
    does(store, first, DAN, PersonAct::Take, 12);
    assert_eq!(claimed(store), [first, second]);
    does(store, first, DAN, PersonAct::GiveBack, 13);
    does(store, second, ANA, PersonAct::Sent(PHONE), 14);
    assert_eq!(claimed(store), []);
    assert!(ask(store.claimed(ProjectKey(99))).is_empty());
}

pub fn what_a_person_has_is_in_no_lane_and_is_planned_when_the_claim_ends(store: &dyn Store) {
    let (id, _) = accept(store, waiting(phone(1), at(0)));
    does(store, id, ANA, PersonAct::Take, 10);
    assert_lane(store, lane(SMS), &[]);
    let ends = at(10).plus(CLAIM);
    assert_eq!(ask(store.next_due()), Some(ends));
    let due = ask(store.due(ends, 10));
    let want = Due {
        at: ends,
        kind: DueKind::Plan,
    };
    assert_eq!(due.first().map(|it| (it.message, it.due)), Some((id, want)));
    does(store, id, ANA, PersonAct::GiveBack, 20);
    assert_lane(store, lane(SMS), &[id]);
}

pub fn a_plan_that_was_made_before_the_claim_is_stale(store: &dyn Store) {
    let (id, _) = accept(store, waiting(phone(1), at(0)));
    let version = progress(store, id).version;
    does(store, id, ANA, PersonAct::Take, 10);
    let start = PlanStep::Start(planned(Channel::Sms, SMS));
    let outcome = commit(store, plan(id, version, start, at(11)));
    assert!(matches!(outcome, Outcome::Stale), "{outcome:?}");
}

pub fn what_a_person_sent_is_the_end_of_the_message(store: &dyn Store) {
    let (id, _) = accept(store, waiting(phone(1), at(0)));
    does(store, id, ANA, PersonAct::Take, 10);
    does(store, id, ANA, PersonAct::Sent(PHONE), 20);
    let sent = progress(store, id);
    assert_eq!((sent.status, sent.is_ended()), (Status::Sent, true));
    assert_eq!(sent.attempts[0].route, PHONE);
    assert_eq!(
        refused(store, id, ANA, PersonAct::Sent(PHONE), 21),
        PersonRefusal::NotTheirs
    );
    assert_eq!(ask(store.meters()), [], "it counts against no quota");
    assert_eq!(facts(store, phone(1)).sms.metrics.success_count, 1);
}

pub fn another_projects_message_cannot_be_taken(store: &dyn Store) {
    let (id, _) = accept(store, waiting(phone(1), at(0)));
    let outcome = commit(
        store,
        Op::Person(PersonStep {
            project: ProjectKey(99),
            message: id,
            person: ANA,
            act: PersonAct::Take,
            at: at(1),
        }),
    );
    assert!(matches!(outcome, Outcome::Missing), "{outcome:?}");
}

pub fn what_goes_to_an_opted_out_contact_is_not_taken(store: &dyn Store) {
    let (id, _) = accept(store, waiting(phone(1), at(0)));
    let consent = Consent {
        project: PROJECT,
        who: ConsentSubject::Address(phone(1).into()),
        towards: Towards::Senders(vec![SENDER]),
        change: ConsentChange {
            opted_out: true,
            scope: ConsentScope::Everything,
            only_if_out: false,
            wording: "STOP".into(),
        },
        source: ConsentSource::Api,
        channel: None,
        at: at(5),
    };
    commit(store, Op::Consent(Box::new(consent)));
    let outcome = commit(store, step(id, ANA, PersonAct::Take, 10));
    assert!(matches!(outcome, Outcome::OptedOut), "{outcome:?}");
}

pub fn a_message_may_be_a_persons_from_the_start(store: &dyn Store) {
    let claim = Claim {
        person: ANA,
        until: at(0).plus(Millis::minutes(10)),
        lane: lane(SMS),
    };
    let (id, _) = accept(store, first(FirstStep::Person(claim), phone(1), at(0)));
    assert_eq!(claimed(store), [id]);
    assert_eq!(progress(store, id).waiting, Waiting::Person(claim));
    does(store, id, ANA, PersonAct::Sent(PHONE), 20);
    assert_eq!(claimed(store), []);
}

pub fn routes_that_were_named_are_found_with_their_names(store: &dyn Store) {
    let route = |project, id: &str| Registered::Route(ProjectKey(project), id.into());
    let names = [(1, "gw"), (1, "phone:ana"), (2, "gw")];
    let mut want = Vec::new();
    for (project, id) in names {
        let (key, _) = ask(store.register(route(project, id), at(0)));
        want.push((ProjectKey(project), RouteKey(key), id.into()));
    }
    ask(store.register(Registered::Project("main".into()), at(0)));
    assert_eq!(ask(store.routes_registered()), want);
}
