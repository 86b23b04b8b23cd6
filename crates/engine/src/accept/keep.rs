//! Station 1: how is an accepted message kept, and handed to its route on commit?

use std::sync::Arc;

use domain::decision::Decision;
use domain::model::message::{Direction, Status};
use domain::model::progress::Lane;
use domain::rules::plan::Refusal;
use ports::store::messages::{MessageView, ViewKind};
use ports::store::operations::{Accept, FirstStep};
use ports::store::outcomes::{self, AcceptOutcome};
use ports::store::{Op, Outcome, Unavailable, fold};

use super::broken_contract;
use super::place::Place;
use crate::form::Form;
use crate::leaving::Leaving;
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
        quotas::planned(inner, accept.message.project, attempt, None);
    }
    let asked = accept.clone();
    let on_commit = on_commit(inner, &accept, place, form);
    let outcome = inner
        .apply_then(Op::Accept(Box::new(accept)), on_commit)
        .await?;
    match outcome.of_accept()? {
        AcceptOutcome::Kept(kept) => Ok(Kept::Accepted(Box::new(accepted(asked, kept)))),
        AcceptOutcome::AlreadyAccepted { original, differs } => {
            Err(Refused::AlreadyAccepted { original, differs })
        }
        AcceptOutcome::QuotaGone(gone) => {
            inner.quotas.is_gone(&gone);
            let lane = place.map(|it| match it {
                Place::Ready(lane) | Place::Lane(lane) => lane,
            });
            lane.map(Kept::QuotaGone).ok_or_else(broken_contract)
        }
        AcceptOutcome::OptedOut => Err(Refused::ByRule {
            refusal: Refusal::OptedOut,
            decision: Box::new(Decision {
                channels: Vec::new(),
                routes: Vec::new(),
                ..asked.decision
            }),
        }),
        AcceptOutcome::Fenced => {
            settle::replaced(inner);
            Err(Unavailable::new("another process owns the database now").into())
        }
    }
}

/// What is done on commit: the message takes the place that was promised to it, or gives it up.
fn on_commit(
    inner: &Arc<Inner>,
    accept: &Accept,
    place: Option<Place>,
    form: Option<Form>,
) -> impl FnOnce(&Result<Outcome, Unavailable>) + Send + use<> {
    let inner = Arc::clone(inner);
    let message = accept.message.clone();
    let (fallback_after, expires_at) = (accept.fallback.after, accept.expires_at);
    let attempt = match &accept.first {
        FirstStep::Send(attempt) => Some(attempt.start(1)),
        FirstStep::Wait(_) | FirstStep::Schedule(_) | FirstStep::Person(_) => None,
    };
    move |result| {
        let Ok(Outcome::Accepted {
            message: id,
            contact,
            due,
            ..
        }) = result
        else {
            if let Some(place) = place {
                place.give_up(&inner);
            }
            return;
        };
        settle::note_due(&inner, *due);
        match (place, attempt.zip(form)) {
            (Some(Place::Ready(lane)), Some((attempt, form))) => {
                let leaving = Leaving {
                    id: *id,
                    contact: *contact,
                    message: &message,
                    fallback_after,
                    expires_at,
                };
                settle::hand_over(&inner, lane.route, leaving.by(&attempt, form));
            }
            (Some(Place::Lane(lane)), _) => settle::entered(&inner, lane, *id),
            (Some(Place::Ready(_)) | None, _) => {}
        }
    }
}

/// The message as the answer shows it: `queued`, with its first attempt where it has one.
fn accepted(accept: Accept, kept: outcomes::Kept) -> Accepted {
    let mut progress = fold::accepted(&accept);
    progress.status = Status::Queued;
    // A price that goes by volume is the store's word.
    if let Some((attempt, cost)) = progress.attempts.last_mut().zip(kept.cost) {
        attempt.estimated_cost = cost;
    }
    let Accept {
        message, decision, ..
    } = accept;
    metrics::counter!("tandem_accepted_total", "class" => message.class.code()).increment(1);
    let view = MessageView {
        id: kept.message,
        direction: Direction::Outbound,
        contact: Some(kept.contact),
        status: Status::Queued,
        updated_at: message.accepted_at,
        quoted: None,
        kind: ViewKind::Outbound {
            message: Box::new(message),
            progress: Box::new(progress),
            decision: None,
        },
    };
    Accepted { view, decision }
}
