//! Station 1: how is an accepted message kept, and handed to its route on commit?

use std::sync::Arc;

use domain::decision::Decision;
use domain::ids::ConversationId;
use domain::model::message::{Direction, Status};
use domain::model::progress::Lane;
use domain::rules::plan::Refusal;
use ports::connector::SubmissionKey;
use ports::store::messages::{MessageView, ViewKind};
use ports::store::operations::{Accept, FirstStep};
use ports::store::{Op, Outcome, Unavailable, fold};
use tokio::sync::oneshot;

use super::broken_contract;
use super::place::Place;
use crate::form::Form;
use crate::plan::submission;
use crate::ready::Ready;
use crate::request::{Accepted, Refused};
use crate::{Inner, quotas, settle};

/// What became of a message that was to be kept.
pub(super) enum Kept {
    /// It is.
    Accepted(Box<Accepted>),
    /// It is not: the route of this lane, or the project, has no quota left for it.
    QuotaGone(Lane),
}

/// Commits the message; on commit, in the order of commit, hands it to its route.
pub(super) async fn keep(
    inner: &Arc<Inner>,
    accept: Accept,
    place: Option<Place>,
    form: Option<Form>,
) -> Result<Kept, Refused> {
    if let FirstStep::Send(attempt) = &accept.first {
        quotas::planned(inner, accept.message.project, attempt);
    }
    let decision = accept.decision.clone();
    let message = accept.message.clone();
    // As the answer shows it: `queued`, with its first attempt where it has one.
    let mut progress = fold::accepted(&accept);
    progress.status = Status::Queued;
    let ready = match &accept.first {
        FirstStep::Send(attempt) => {
            form.map(|form| (attempt.clone(), accept.fallback, accept.expires_at, form))
        }
        FirstStep::Wait(_) | FirstStep::Schedule(_) | FirstStep::Person(_) => None,
    };
    let (done, answer) = oneshot::channel();
    let on_commit = {
        let inner = Arc::clone(inner);
        let message = message.clone();
        move |result: Result<Outcome, Unavailable>| {
            match &result {
                Ok(Outcome::Accepted {
                    message: id,
                    contact,
                    due,
                    ..
                }) => {
                    settle::note_due(&inner, *due);
                    match (place, ready) {
                        (Some(Place::Ready(lane)), Some((attempt, fallback, expires_at, form))) => {
                            let key = SubmissionKey {
                                message: *id,
                                attempt: 1,
                            };
                            let attempt = attempt.start(1);
                            let submission = submission(
                                key,
                                &message,
                                &attempt,
                                fallback.after,
                                expires_at,
                                form,
                            );
                            let ready = Ready {
                                due: message.accepted_at,
                                since: message.accepted_at,
                                thread: ConversationId {
                                    contact: *contact,
                                    sender: message.sender,
                                },
                                purpose: message.purpose,
                                submission,
                            };
                            settle::hand_over(&inner, lane.route, ready);
                        }
                        (Some(Place::Lane(lane)), _) => settle::entered(&inner, lane, *id),
                        (Some(Place::Ready(_)) | None, _) => {}
                    }
                }
                Ok(_) | Err(_) => {
                    if let Some(place) = place {
                        place.give_up(&inner);
                    }
                }
            }
            // Safe because: a caller that went away has no use for the answer.
            let _unheard = done.send(result);
        }
    };
    inner
        .store
        .commit(Op::Accept(Box::new(accept)), Box::new(on_commit));
    let outcome = answer
        .await
        .map_err(|_| Unavailable::new("the store has stopped"))??;
    match outcome {
        Outcome::Accepted {
            message: id,
            contact,
            cost,
            ..
        } => {
            // A price that goes by volume is the store's word.
            if let Some((attempt, cost)) = progress.attempts.last_mut().zip(cost) {
                attempt.estimated_cost = cost;
            }
            metrics::counter!("tandem_accepted_total", "class" => message.class.code())
                .increment(1);
            let view = MessageView {
                id,
                direction: Direction::Outbound,
                contact: Some(contact),
                status: Status::Queued,
                updated_at: message.accepted_at,
                quoted: None,
                kind: ViewKind::Outbound {
                    message: Box::new(message),
                    progress: Box::new(progress),
                    decision: None,
                },
            };
            Ok(Kept::Accepted(Box::new(Accepted { view, decision })))
        }
        Outcome::AlreadyAccepted { original, differs } => {
            Err(Refused::AlreadyAccepted { original, differs })
        }
        Outcome::QuotaGone(gone) => {
            inner.quotas.is_gone(&gone);
            let lane = place.map(|it| match it {
                Place::Ready(lane) | Place::Lane(lane) => lane,
            });
            lane.map(Kept::QuotaGone).ok_or_else(broken_contract)
        }
        Outcome::OptedOut => Err(Refused::ByRule {
            refusal: Refusal::OptedOut,
            decision: Box::new(Decision {
                channels: Vec::new(),
                routes: Vec::new(),
                ..decision
            }),
        }),
        Outcome::Fenced => {
            settle::follow(inner, Ok(Outcome::Fenced));
            Err(Unavailable::new("another process owns the database now").into())
        }
        Outcome::Changed(_)
        | Outcome::ReceiptParked
        | Outcome::InboundKept { .. }
        | Outcome::InboundRepeated { .. }
        | Outcome::Contact(_)
        | Outcome::ConsentKept { .. }
        | Outcome::Done
        | Outcome::PersonRefused(_)
        | Outcome::User(_)
        | Outcome::Missing
        | Outcome::Stale
        | Outcome::Template(_)
        | Outcome::Webhook(_)
        | Outcome::Replayed { .. }
        | Outcome::AlreadyDeposited { .. }
        | Outcome::EventsPruned { .. } => Err(broken_contract()),
    }
}
