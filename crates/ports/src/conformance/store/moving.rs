//! [`Plan`], [`Start`], [`Release`], [`Settle`], [`Interrupted`], and fencing.

use domain::decision::ClassReason;
use domain::ids::MessageId;
use domain::model::attempt::AttemptState;
use domain::model::channel::Channel;
use domain::model::failure::FailureClass;
use domain::model::message::Status;
use domain::model::progress::Waiting;
use domain::model::receipt::{ReceiptState, SubmitOutcome};
use domain::model::route::OnUnknown;
use domain::time::{Millis, Timestamp};

use super::kit::*;
use crate::store::operations::{Accept, Interrupted, Plan, PlanStep, Release, Settle, Start};
use crate::store::{Epoch, Op, Outcome, Store};

fn settle(message: MessageId, version: u32, now: Timestamp) -> Op {
    Op::Settle(Settle {
        message,
        version,
        on_unknown: OnUnknown::Resend,
        at: now,
        epoch: OWNER,
    })
}

fn release(message: MessageId) -> Op {
    Op::Release(Release {
        message,
        attempt: 1,
        at: at(5),
        epoch: OWNER,
    })
}

fn start(message: MessageId) -> Op {
    Op::Start(Start {
        message,
        attempt: 1,
        epoch: OWNER,
    })
}

fn interrupted(message: MessageId, marks_started: bool) -> Op {
    let (now, resolve_at) = (at(10), at(30_010));
    Op::Interrupted(Interrupted {
        message,
        marks_started,
        resolve_at,
        at: now,
        epoch: OWNER,
    })
}

/// Every fenced operation.
fn fenced(id: MessageId, version: u32) -> Vec<Op> {
    vec![
        plan(id, version, PlanStep::Wait(lane(WHATSAPP)), at(5)),
        start(id),
        release(id),
        settle(id, version, at(999_999_999)),
        interrupted(id, false),
        Op::Submitted(Box::new(submitted(id, taken("a"), at(5)))),
    ]
}

pub fn an_older_owner_is_fenced_and_writes_nothing(store: &dyn Store) {
    let (id, _) = accept(store, sent_at_once(phone(1), at(0)));
    let before = progress(store, id);
    assert_eq!(
        (ask(store.raise_epoch()), ask(store.raise_epoch())),
        (Epoch(1), Epoch(2))
    );
    for op in fenced(id, before.version) {
        assert!(matches!(commit(store, op), Outcome::Fenced));
    }
    assert_eq!(progress(store, id), before);
    let late = Accept {
        epoch: OWNER,
        ..sent_at_once(phone(3), at(1))
    };
    assert!(matches!(
        commit(store, Op::Accept(Box::new(late))),
        Outcome::Fenced
    ));
    assert_eq!(facts(store, phone(3)).id, None);
    // What providers say is kept whoever owns the work.
    assert!(matches!(
        commit(store, op(receipt("x", ReceiptState::Delivered, at(2)))),
        Outcome::ReceiptParked
    ));
    let current = Start {
        message: id,
        attempt: 1,
        epoch: Epoch(2),
    };
    assert!(matches!(
        commit(store, Op::Start(current)),
        Outcome::Changed(_)
    ));
}

pub fn a_message_that_does_not_exist_is_missing(store: &dyn Store) {
    let (inbound, _) = receive(store, written(phone(1), Channel::Sms, "a", at(0)));
    for id in [MessageId::from_key(4_711), inbound] {
        for op in fenced(id, 0) {
            assert!(matches!(commit(store, op), Outcome::Missing));
        }
        assert_eq!(ask(store.outbound(id)), None);
    }
}

pub fn a_plan_on_an_older_version_is_stale(store: &dyn Store) {
    let (id, _) = accept(store, waiting(phone(1), at(0)));
    let version = progress(store, id).version;
    change(
        store,
        plan(id, version, PlanStep::Wait(lane(WHATSAPP)), at(1)),
    );
    let late = plan(id, version, PlanStep::Wait(lane(SMS)), at(2));
    assert!(matches!(commit(store, late), Outcome::Stale));
    assert!(matches!(
        commit(store, settle(id, version, at(3))),
        Outcome::Stale
    ));
    assert_lane(store, lane(SMS), &[]);
    assert_lane(store, lane(WHATSAPP), &[id]);
}

pub fn a_plan_starts_and_keeps_its_decision_beside_the_earlier_ones(store: &dyn Store) {
    let (id, _) = accept(store, waiting(phone(1), at(0)));
    let decisions = [ClassReason::Caller, ClassReason::Reply].map(decision);
    let steps = [
        PlanStep::Wait(lane(SMS)),
        PlanStep::Start(planned(Channel::Sms, SMS)),
    ];
    for (nth, (decision, step)) in decisions.iter().zip(steps).enumerate() {
        let version = progress(store, id).version;
        let now = at(10 + i64::try_from(nth).unwrap());
        let decision = Some(decision.clone());
        let plan = Plan {
            message: id,
            version,
            step,
            decision,
            at: now,
            epoch: OWNER,
        };
        let changed = change(store, Op::Plan(Box::new(plan)));
        assert!(changed.version > version);
    }
    let kept: Vec<_> = ask(store.decisions(id))
        .into_iter()
        .map(|it| it.decision)
        .collect();
    assert_eq!(kept[1..], decisions);
    let now = progress(store, id);
    assert_eq!((now.status, now.waiting), (Status::Sending, Waiting::No));
    assert_lane(store, lane(SMS), &[]);
    assert_eq!(ask(store.message(PROJECT, id)).unwrap().updated_at, at(11));
}

pub fn a_third_attempt_is_never_started(store: &dyn Store) {
    let (id, _) = accept(store, sent_at_once(phone(1), at(0)));
    let (second, third) = (
        planned(Channel::WhatsApp, WHATSAPP),
        planned(Channel::Sms, SMS),
    );
    let version = progress(store, id).version;
    let changed = change(store, plan(id, version, PlanStep::Start(second), at(1)));
    let third = plan(id, changed.version, PlanStep::Start(third), at(2));
    assert!(matches!(commit(store, third), Outcome::Stale));
}

pub fn a_plan_goes_on_with_the_attempt_on_another_route(store: &dyn Store) {
    let (id, _) = accept(store, sent_at_once(phone(1), at(0)));
    let refused = SubmitOutcome::NotAccepted(failure(FailureClass::RouteFault));
    let waits = change(
        store,
        Op::Submitted(Box::new(submitted(id, refused, at(1)))),
    );
    assert_eq!(waits.waiting, Waiting::Lane(lane(SMS)));
    let step = PlanStep::Continue(planned(Channel::Sms, WHATSAPP));
    let changed = change(store, plan(id, waits.version, step, at(2)));
    assert_eq!(changed.waiting, Waiting::No);
    let attempts = progress(store, id).attempts;
    assert_eq!((attempts.len(), attempts[0].route), (1, WHATSAPP));
    assert_eq!(attempts[0].refused_by, [SMS]);
    // Without an attempt under way there is nothing to go on with.
    let (fresh, _) = accept(store, waiting(phone(2), at(3)));
    let version = progress(store, fresh).version;
    let step = PlanStep::Continue(planned(Channel::Sms, SMS));
    assert!(matches!(
        commit(store, plan(fresh, version, step, at(4))),
        Outcome::Stale
    ));
}

pub fn a_plan_that_fails_without_an_attempt_ends_the_message(store: &dyn Store) {
    let (id, _) = accept(store, waiting(phone(1), at(0)));
    let version = progress(store, id).version;
    let step = PlanStep::Fail(failure(FailureClass::NoRoute));
    let changed = change(store, plan(id, version, step, at(1)));
    assert_eq!(
        (changed.was, changed.status),
        (Status::Queued, Status::Failed)
    );
    assert_eq!(changed.due, None);
    assert_eq!(
        progress(store, id).failure,
        Some(failure(FailureClass::NoRoute))
    );
    assert!(ask(store.due(at(i64::from(u32::MAX)), 10)).is_empty());
    assert_lane(store, lane(SMS), &[]);
}

pub fn a_start_is_marked_and_is_stale_when_the_route_has_it_no_more(store: &dyn Store) {
    let (id, _) = accept(store, sent_at_once(phone(1), at(0)));
    change(store, start(id));
    assert!(progress(store, id).attempts[0].started);
    change(
        store,
        Op::Submitted(Box::new(submitted(id, taken("a"), at(1)))),
    );
    assert!(matches!(commit(store, start(id)), Outcome::Stale));
    assert!(matches!(commit(store, release(id)), Outcome::Stale));
    assert!(matches!(
        commit(store, interrupted(id, false)),
        Outcome::Stale
    ));
}

pub fn a_release_takes_an_untouched_attempt_back_into_its_lane(store: &dyn Store) {
    let (id, _) = accept(store, sent_at_once(phone(1), at(0)));
    let changed = change(store, release(id));
    assert_eq!(changed.waiting, Waiting::Lane(lane(SMS)));
    let now = progress(store, id);
    assert!(now.attempts.is_empty());
    assert!(now.fallback.untried.contains(Channel::Sms));
    assert_lane(store, lane(SMS), &[id]);
}

pub fn settling_early_changes_nothing_and_late_ends_the_message(store: &dyn Store) {
    let (id, _) = accept(store, waiting(phone(1), at(0)));
    let before = progress(store, id);
    let early = before.expires_at.plus(Millis::new(-1));
    let unchanged = change(store, settle(id, before.version, early));
    assert_eq!(
        (unchanged.version, unchanged.status),
        (before.version, Status::Queued)
    );
    assert_eq!(progress(store, id), before);
    assert_eq!(ask(store.message(PROJECT, id)).unwrap().updated_at, at(0));
    let ended = change(store, settle(id, before.version, before.expires_at));
    assert_eq!((ended.status, ended.due), (Status::Failed, None));
    assert_lane(store, lane(SMS), &[]);
}

pub fn what_a_dead_owner_left_becomes_unknown(store: &dyn Store) {
    let (id, _) = accept(store, sent_at_once(phone(1), at(0)));
    let changed = change(store, interrupted(id, false));
    assert_eq!(changed.due.map(|it| it.at), Some(at(30_010)));
    assert_eq!(progress(store, id).attempts[0].state, AttemptState::Unknown);
    let resent = change(store, settle(id, changed.version, at(30_010)));
    assert_eq!(resent.waiting, Waiting::Lane(lane(SMS)));
}

pub fn what_a_dead_owner_never_started_goes_back_where_starts_are_marked(store: &dyn Store) {
    let (unmarked, _) = accept(store, sent_at_once(phone(1), at(0)));
    let (marked, _) = accept(store, sent_at_once(phone(2), at(1)));
    change(store, start(marked));
    change(store, interrupted(unmarked, true));
    change(store, interrupted(marked, true));
    assert_lane(store, lane(SMS), &[unmarked]);
    assert_eq!(
        progress(store, marked).attempts[0].state,
        AttemptState::Unknown
    );
}
