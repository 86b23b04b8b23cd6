//! Station 1: checks a message against the rules, and keeps it. Where its route has room now, its
//! first attempt is planned and kept in the same operation, and goes to the route on commit.

mod keep;
mod place;
mod prepare;
mod thread;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::ids::{ProjectKey, UserId};
use domain::model::progress::Lane;
use domain::rules::person::claim;
use domain::rules::plan::Plan;
use domain::time::Timestamp;
use ports::store::Unavailable;
use ports::store::books::reservation_of_accept;
use ports::store::messages::IdempotencyKey;
use ports::store::operations::{Accept, FirstStep};
use ports::store::queries::Repeated;

use self::keep::{Kept, keep};
use self::place::{Place, place_for};
use self::prepare::{Prepared, Sight, prepare};
use crate::Inner;
use crate::request::{Accepted, Preview, Refused, SendRequest};

/// Keeps a message that somebody wants to send, or says why not.
pub(crate) async fn accept(inner: &Arc<Inner>, request: SendRequest) -> Result<Accepted, Refused> {
    if !inner.accepting.load(Ordering::SeqCst) {
        return Err(Unavailable::new("the server is stopping").into());
    }
    let full = inner.lanes.total() >= inner.limits.backlog
        || inner.store.pending() >= inner.limits.pending_operations;
    if full {
        return Err(Refused::BacklogFull);
    }
    let idempotency = request.idempotency.clone();
    let by_person = request.by_person;
    let prepared = prepare(inner, request, Sight::Counted).await?;
    let Prepared {
        message,
        fallback,
        expires_at,
        plan,
        known,
    } = prepared;
    let now = message.accepted_at;
    let (step, decision, place) = match plan {
        Plan::Refuse { refusal, decision } => {
            // A repeat of a request that was taken is no new message, whatever the rules say now.
            repeated(inner, message.project, idempotency, message.accepted_at).await?;
            return Err(Refused::ByRule {
                refusal,
                decision: Box::new(decision),
            });
        }
        Plan::Wait { lane, decision, .. } => {
            (FirstStep::Wait(lane), decision, Place::in_lane(inner, lane))
        }
        Plan::Send { attempt, decision } => {
            let lane = Lane {
                route: attempt.route,
                class: message.class,
            };
            match place_for(inner, &known.sender, lane) {
                Place::Ready(lane) => (FirstStep::Send(attempt), decision, Place::Ready(lane)),
                Place::Lane(lane) => (FirstStep::Wait(lane), decision, Place::Lane(lane)),
            }
        }
    };
    let (step, place) = match by_person {
        Some(person) => by_hand(inner, person, expires_at, place, now),
        None => (step, Some(place)),
    };
    let (step, place) = match message.scheduled_at {
        Some(at) => {
            if let Some(place) = place {
                place.give_up(inner);
            }
            (FirstStep::Schedule(at), None)
        }
        None => (step, place),
    };
    let accept = Accept {
        message,
        fallback,
        expires_at,
        first: step,
        decision,
        idempotency,
        epoch: inner.epoch,
    };
    let form = match &accept.first {
        FirstStep::Send(attempt) => Some(known.form(&accept.message, attempt.channel)),
        FirstStep::Wait(_) | FirstStep::Schedule(_) | FirstStep::Person(_) => None,
    };
    let may_be_gone = reservation_of_accept(&accept)
        .is_some_and(|it| !it.route.is_none() || !it.project.is_none());
    let again = may_be_gone.then(|| accept.clone());
    match (keep(inner, accept, place, form).await?, again) {
        (Kept::Accepted(accepted), _) => Ok(*accepted),
        (Kept::QuotaGone(lane), Some(accept)) => wait_for_quota(inner, accept, lane).await,
        (Kept::QuotaGone(_), None) => Err(broken_contract()),
    }
}

/// A message that a person sends from their own phone is theirs from the start (R-PHONE-4); given back,
/// it goes where it would have gone.
fn by_hand(
    inner: &Inner,
    person: UserId,
    expires_at: Timestamp,
    place: Place,
    now: Timestamp,
) -> (FirstStep, Option<Place>) {
    place.give_up(inner);
    let (Place::Ready(lane) | Place::Lane(lane)) = place;
    inner.offers_changed.notify_one();
    (
        FirstStep::Person(claim(person, lane, expires_at, now)),
        None,
    )
}

/// Keeps a message whose quota was gone by the time it was to be reserved: it waits, and is planned
/// again at once, on another route where one has quota (R-QUOTA-2).
async fn wait_for_quota(
    inner: &Arc<Inner>,
    accept: Accept,
    lane: Lane,
) -> Result<Accepted, Refused> {
    let accept = Accept {
        first: FirstStep::Wait(lane),
        ..accept
    };
    let place = Place::in_lane(inner, lane);
    match keep(inner, accept, Some(place), None).await? {
        Kept::Accepted(accepted) => Ok(*accepted),
        Kept::QuotaGone(_) => Err(broken_contract()),
    }
}

fn broken_contract() -> Refused {
    Unavailable::new("the store broke the contract of Accept").into()
}

/// Refuses a request whose idempotency key was used before (R-LIFE-3).
async fn repeated(
    inner: &Inner,
    project: ProjectKey,
    key: Option<IdempotencyKey>,
    now: Timestamp,
) -> Result<(), Refused> {
    let Some(key) = key else { return Ok(()) };
    match inner.store.earlier(project, key, now).await? {
        Some(Repeated { original, differs }) => Err(Refused::AlreadyAccepted { original, differs }),
        None => Ok(()),
    }
}

/// What would be decided now.
pub(crate) async fn preview(inner: &Arc<Inner>, request: SendRequest) -> Result<Preview, Refused> {
    let prepared = prepare(inner, request, Sight::Ignored).await?;
    Ok(match prepared.plan {
        Plan::Send { decision, .. } => Preview {
            decision,
            refusal: None,
            waits: false,
        },
        Plan::Wait { decision, .. } => Preview {
            decision,
            refusal: None,
            waits: true,
        },
        Plan::Refuse { refusal, decision } => Preview {
            decision,
            refusal: Some(refusal),
            waits: false,
        },
    })
}
