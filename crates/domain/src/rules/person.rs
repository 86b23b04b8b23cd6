//! R-PHONE-2: a person takes a direct text message that waits, sends it from their own phone, and says
//! so; or gives it back. While one person has it, nobody else does and the router leaves it alone.
//!
//! R-QUOTA-3: whichever takes a message first has it, a route or a person.
//!
//! R-PHONE-4: a message may be a person's from its acceptance on.

use crate::ids::{RouteKey, UserId};
use crate::model::attempt::{AttemptState, PlannedAttempt};
use crate::model::channel::Channel;
use crate::model::message::TrafficClass;
use crate::model::money::Micros;
use crate::model::progress::{Claim, Lane, MAX_ATTEMPTS, Progress, Waiting};
use crate::model::quota::Reservation;
use crate::model::route::ChargedOn;
use crate::rules::outcome::{Effects, mark_sent};
use crate::time::{Millis, Timestamp};

/// How long a person has a message before it waits for anybody again.
pub const CLAIM: Millis = Millis::minutes(10);

/// Why a person cannot do something with a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PersonRefusal {
    /// Somebody else has it.
    Taken(Claim),
    /// It does not wait: a route has it, or it has ended.
    NotWaiting,
    /// It is not theirs (any more).
    NotTheirs,
}

/// What a person does with a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PersonAct {
    /// Takes it, or keeps it for longer.
    Take,
    /// Gives it back.
    GiveBack,
    /// Has sent it, by the route that stands for their phone.
    Sent(RouteKey),
}

/// The claim that stands at `now`, if any.
pub fn standing_claim(progress: &Progress, now: Timestamp) -> Option<Claim> {
    match progress.waiting {
        Waiting::Person(claim) => (now < claim.until).then_some(claim),
        Waiting::Schedule { .. } | Waiting::Lane(_) | Waiting::Fallback { .. } | Waiting::No => {
            None
        }
    }
}

/// Whether a person may take what waits so. A message of which parts were accepted goes on by its route
/// (R-PARTS).
pub fn may_be_taken(progress: &Progress) -> Option<Lane> {
    let is_whole = progress
        .last_attempt()
        .is_none_or(|it| it.state != AttemptState::Sending || it.accepted.is_empty());
    let lane = match progress.waiting {
        Waiting::Lane(lane) => Some(lane),
        Waiting::Person(claim) => Some(claim.lane),
        Waiting::Schedule { .. } | Waiting::Fallback { .. } | Waiting::No => None,
    };
    lane.filter(|it| is_whole && it.class == TrafficClass::Direct)
}

/// Carries out what a person does.
pub fn act(
    progress: &mut Progress,
    person: UserId,
    what: PersonAct,
    now: Timestamp,
) -> Result<Effects, PersonRefusal> {
    let standing = standing_claim(progress, now);
    if let (PersonAct::Take, Some(claim)) = (what, standing.filter(|it| it.person != person)) {
        return Err(PersonRefusal::Taken(claim));
    }
    match what {
        PersonAct::Take => {
            let lane = may_be_taken(progress).ok_or(PersonRefusal::NotWaiting)?;
            if now >= progress.expires_at {
                return Err(PersonRefusal::NotWaiting);
            }
            progress.waiting = Waiting::Person(claim(person, lane, progress.expires_at, now));
            progress.version += 1;
            Ok(Effects::default())
        }
        PersonAct::GiveBack => {
            let claim = standing.filter(|it| it.person == person);
            let claim = claim.ok_or(PersonRefusal::NotTheirs)?;
            progress.wait_in(claim.lane);
            Ok(Effects::default())
        }
        PersonAct::Sent(route) => {
            // Also after the claim ended, where nothing and nobody took the message since: it was sent,
            // and must not be sent again. By then it is back in a lane, where nothing tells whose it was.
            let theirs = match progress.waiting {
                Waiting::Person(claim) => claim.person == person,
                Waiting::Lane(_) => may_be_taken(progress).is_some(),
                Waiting::Schedule { .. } | Waiting::Fallback { .. } | Waiting::No => false,
            };
            if !theirs {
                return Err(PersonRefusal::NotTheirs);
            }
            Ok(sent(progress, route, now))
        }
    }
}

/// The hold of a person on a message that waits in this lane.
pub fn claim(person: UserId, lane: Lane, expires_at: Timestamp, now: Timestamp) -> Claim {
    Claim {
        person,
        until: now.plus(CLAIM).min(expires_at),
        lane,
    }
}

/// The person has sent it: the attempt under way on text messages goes on by their phone, else one
/// begins. It costs nothing and counts against no quota, and no receipt will come.
fn sent(progress: &mut Progress, route: RouteKey, now: Timestamp) -> Effects {
    let planned = PlannedAttempt {
        channel: Channel::Sms,
        route,
        parts: 1,
        estimated_cost: Micros::ZERO,
        charged_on: ChargedOn::Submit,
        receipts: false,
        country: None,
        reservation: Reservation::default(),
    };
    let live = progress
        .last_attempt()
        .filter(|it| it.state == AttemptState::Sending && it.channel == Channel::Sms);
    match live {
        Some(_) => progress.continue_attempt(&planned),
        None if progress.attempts.len() < MAX_ATTEMPTS => progress.start_attempt(&planned),
        None => progress.waiting = Waiting::No,
    }
    let Some(attempt) = progress.attempts.last_mut() else {
        return Effects::default();
    };
    attempt.reserved_at = None;
    attempt.parts = attempt.parts.max(1);
    attempt.accepted = crate::model::attempt::PartSet::first(attempt.parts);
    let no = attempt.no;
    mark_sent(progress, no, now)
}
