//! Station 2: decides what happens next to messages that no route has in hand: those whose time
//! has come, those that wait in a lane, and those that fall back.

use std::sync::Arc;

use domain::decision::Decision;
use domain::ids::RouteKey;
use domain::model::attempt::{Attempt, AttemptState, PlannedAttempt};
use domain::model::channel::ChannelSet;
use domain::model::failure::{Failure, FailureClass};
use domain::model::progress::{Lane, Waiting};
use domain::model::route::RouteCondition;
use domain::rules::consent::{Consent, consent};
use domain::rules::person::standing_claim;
use domain::rules::plan::{MessageFacts, Plan, Refusal};
use domain::rules::validity::is_expired;
use domain::time::Timestamp;
use ports::store::messages::Outbound;
use ports::store::operations::{self, PlanStep};
use ports::store::{Op, Outcome};
use tokio::sync::oneshot;

use crate::facts::{Known, fresh, may_reply};
use crate::form::Form;
use crate::leaving::Leaving;
use crate::ready::Ready;
use crate::{Inner, facts, quotas, settle};

/// What was decided for one message.
struct Step {
    what: PlanStep,
    decision: Option<Decision>,
    /// The submission to hand over once the step is kept; a place is reserved for it.
    hand_over: Option<(Lane, Ready)>,
}

/// Plans messages and waits until every step is kept. Answers how many went on: to a route, to
/// another lane, or to their end.
pub(crate) async fn plan_all(inner: &Arc<Inner>, messages: Vec<Outbound>) -> usize {
    let mut answers = Vec::with_capacity(messages.len());
    for outbound in &messages {
        let now = inner.now();
        if let Some(step) = decide(inner, outbound, now) {
            answers.push(commit(inner, outbound, step, now));
        }
    }
    let mut moved = 0;
    for answer in answers {
        moved += usize::from(answer.await.unwrap_or(false));
    }
    moved
}

/// Commits a step; on commit, hands the submission over. The answer is whether it was kept.
fn commit(
    inner: &Arc<Inner>,
    outbound: &Outbound,
    step: Step,
    now: Timestamp,
) -> oneshot::Receiver<bool> {
    let Step {
        what,
        decision,
        hand_over,
    } = step;
    let message = outbound.id;
    let op = Op::Plan(Box::new(operations::Plan {
        message,
        version: outbound.progress.version,
        step: what,
        decision,
        at: now,
        epoch: inner.epoch,
    }));
    let (done, answer) = oneshot::channel();
    let after_commit = {
        let inner = Arc::clone(inner);
        move |result| {
            let kept = matches!(result, Ok(Outcome::Changed(_)));
            if let Ok(Outcome::QuotaGone(gone)) = &result {
                inner.quotas.is_gone(gone);
            }
            if matches!(result, Ok(Outcome::OptedOut | Outcome::QuotaGone(_))) {
                // It was decided on facts from before the opt-out, or before the quota was gone; on
                // those of now it fails, or goes by another route.
                // Safe because: the planner only goes away when the engine stops.
                let _stopped = inner.replan.send(message);
            }
            settle::follow(&inner, result);
            if let Some((lane, ready)) = hand_over {
                if kept {
                    settle::hand_over(&inner, lane.route, ready);
                } else if let Some(line) = inner.lines.get(&lane.route) {
                    line.unreserve(lane.class);
                }
            }
            // Safe because: nobody needs to know once the planner is gone.
            let _unheard = done.send(kept);
        }
    };
    inner.store.commit(op, Box::new(after_commit));
    answer
}

/// Decides for one message; `None` leaves it where it waits.
///
/// One that waits no more was planned meanwhile, by the pump of its lane or by the planner of what
/// came back: planned twice, it would leave twice.
fn decide(inner: &Inner, outbound: &Outbound, now: Timestamp) -> Option<Step> {
    let message = &outbound.message;
    if outbound.progress.waiting == Waiting::No {
        return None;
    }
    // Who has it must not send it once its recipient opted out (R-IN-2): then it ends in their hands.
    if standing_claim(&outbound.progress, now).is_some() && !is_unwanted(outbound) {
        return None;
    }
    if is_expired(outbound.progress.expires_at, now) {
        return Some(fail(Failure::new(
            FailureClass::Expired,
            "expired",
            "The validity period ended before the message could be sent.",
        )));
    }
    let topology = inner.topology();
    let Some((project, sender)) = topology
        .project(message.project)
        .zip(topology.sender(message.sender))
    else {
        return Some(fail(Failure::new(
            FailureClass::NoRoute,
            "sender_gone",
            "The sender of the message is not configured any more.",
        )));
    };
    let live = outbound
        .progress
        .last_attempt()
        .filter(|it| it.state == AttemptState::Sending);
    let mut contact = outbound.facts.clone();
    if contact.thread.last_outbound_at == Some(message.accepted_at) {
        // The message itself is no reason for it not to be an answer (R-CHAN-2).
        contact.thread.last_outbound_at = None;
    }
    let mut known = Known::of(inner, project, sender, contact, &message.content, now);
    if let Some(attempt) = live.filter(|it| !it.accepted.is_empty()) {
        // After one part was accepted there is no other route (R-PARTS).
        known.routes.retain(|it| it.route.key == attempt.route);
    }
    let is_first = outbound.progress.attempts.is_empty();
    let message_facts = MessageFacts {
        under_way: live.map(|it| it.channel),
        may_reply: is_first && may_reply(message),
        tried: tried(&outbound.progress.attempts, live),
        refused_by: live.map_or(&[], |it| &it.refused_by),
        rest: live.and_then(Attempt::rest),
        ..fresh(message)
    };
    match known.plan(&project.policy, message_facts) {
        Plan::Send { attempt, decision } => {
            let form = known.form(message, attempt.channel);
            send(inner, outbound, live, form, attempt, decision)
        }
        Plan::Wait {
            lane,
            attempt: again,
            decision,
        } if outbound.progress.waiting == Waiting::Lane(lane) => {
            let live = live.filter(|it| {
                it.route == lane.route
                    && is_paused(inner, it.route, now)
                    // The store would refuse it again and again (R-QUOTA-1).
                    && quotas::has_room_for(inner, message.project, &again, it.rest())
            })?;
            let form = known.form(message, again.channel);
            send(inner, outbound, Some(live), form, again, decision)
        }
        Plan::Wait { lane, decision, .. } => Some(wait(lane, decision)),
        Plan::Refuse { refusal, decision } => Some(Step {
            decision: Some(decision),
            ..fail(failure_of(refusal, live))
        }),
    }
}

/// Whether the recipient opted out of messages like this one.
pub(crate) fn is_unwanted(outbound: &Outbound) -> bool {
    let message = &outbound.message;
    let standing = outbound.facts.thread.standing();
    consent(standing, message.purpose, message.category) == Consent::Withdrawn
}

/// Whether a route only waits for the end of a throttling pause. A submission that it throttled
/// goes back to its place at the head of the ready queue, which the pause holds: later messages of
/// its conversation stay behind it (R-ORDER).
fn is_paused(inner: &Inner, route: RouteKey, now: Timestamp) -> bool {
    inner
        .lines
        .get(&route)
        .is_some_and(|it| facts::condition(inner, it, now).0 == RouteCondition::Throttled)
}

/// Channels that earlier attempts were made on.
fn tried(attempts: &[Attempt], live: Option<&Attempt>) -> ChannelSet {
    attempts
        .iter()
        .filter(|it| live.is_none_or(|live| live.no != it.no))
        .map(|it| it.channel)
        .collect()
}

fn send(
    inner: &Inner,
    outbound: &Outbound,
    live: Option<&Attempt>,
    form: Form,
    planned: PlannedAttempt,
    decision: Decision,
) -> Option<Step> {
    let message = &outbound.message;
    let lane = Lane {
        route: planned.route,
        class: message.class,
    };
    let waits_there = outbound.progress.waiting == Waiting::Lane(lane);
    // What waits in the lane already may be due earlier: its pump puts all in order (R-ORDER).
    let is_behind = !waits_there && inner.lanes.waiting_in(lane) > 0;
    let has_place = !is_behind
        && inner
            .lines
            .get(&lane.route)
            .is_some_and(|it| it.reserve(lane.class));
    if !has_place {
        return (!waits_there).then(|| wait(lane, decision));
    }
    let attempt = match live {
        Some(live) => Attempt {
            route: planned.route,
            ..live.clone()
        },
        None => {
            planned.start(u8::try_from(outbound.progress.attempts.len() + 1).unwrap_or(u8::MAX))
        }
    };
    let leaving = Leaving {
        id: outbound.id,
        contact: outbound.contact,
        message,
        fallback_after: outbound.progress.fallback.after,
        expires_at: outbound.progress.expires_at,
    };
    let rest = live.and_then(Attempt::rest);
    quotas::planned(inner, message.project, &planned, rest);
    let what = match live {
        Some(_) => PlanStep::Continue(planned),
        None => PlanStep::Start(planned),
    };
    Some(Step {
        what,
        decision: Some(decision),
        hand_over: Some((lane, leaving.by(&attempt, form))),
    })
}

fn wait(lane: Lane, decision: Decision) -> Step {
    Step {
        what: PlanStep::Wait(lane),
        decision: Some(decision),
        hand_over: None,
    }
}

fn fail(failure: Failure) -> Step {
    Step {
        what: PlanStep::Fail(failure),
        decision: None,
        hand_over: None,
    }
}

/// The error of a message that nothing can carry: that its recipient opted out, else the last obstacle
/// of the attempt under way, or why no attempt can be made.
fn failure_of(refusal: Refusal, live: Option<&Attempt>) -> Failure {
    let obstacle = live.and_then(|it| it.failure.clone());
    if let Some(failure) = obstacle.filter(|_| refusal != Refusal::OptedOut) {
        return failure;
    }
    match refusal {
        Refusal::OptedOut => Failure::new(
            FailureClass::OptedOut,
            "recipient_opted_out",
            "The recipient has opted out of messages from this sender.",
        ),
        Refusal::WindowClosed => Failure::new(
            FailureClass::WindowClosed,
            "whatsapp_window_closed",
            "The WhatsApp 24-hour window closed before the message could be sent.",
        ),
        Refusal::TemplateNotApproved => Failure::new(
            FailureClass::TemplateFault,
            "template_not_approved",
            "The template was not approved when the message was to be sent.",
        ),
        Refusal::ExplicitChannel(_) | Refusal::NoChannel => Failure::new(
            FailureClass::NoRoute,
            "no_channel",
            "No channel can carry the message; its routing tells why.",
        ),
    }
}

/// Plans what waits in a lane, from its head: as much as its route has room for, or, while the
/// route is down, whatever another route can take. Answers how many went on.
pub(crate) async fn plan_lane(
    inner: &Arc<Inner>,
    lane: Lane,
    cursor: &mut Option<ports::store::queries::LanePlace>,
    limit: u16,
) -> Result<(usize, usize), ports::store::Unavailable> {
    let waiting = inner.store.lane(lane, *cursor, limit).await?;
    let read = waiting.len();
    *cursor = waiting.last().map(|(place, _)| *place).or(*cursor);
    let moved = plan_all(inner, waiting.into_iter().map(|(_, it)| it).collect()).await;
    Ok((read, moved))
}

/// The lanes of a route.
pub(crate) fn lanes_of(route: RouteKey) -> [Lane; 2] {
    domain::model::message::TrafficClass::ALL.map(|class| Lane { route, class })
}
