//! Webhooks as they are kept, and the operations that change them (R-MON-2).
//!
//! A sender has one endpoint at most, and that one queue: the sender's events and its project's after
//! the endpoint's cursor, of the kinds that it wants. What is to be delivered again stands apart, and so do the
//! events that were given up.

use domain::ids::{ProjectKey, SenderKey};
use domain::model::event::{EventKinds, EventSeq};
use domain::model::webhook::{SignatureVersion, WebhookSecret};
use domain::time::Timestamp;

use super::Epoch;
use super::events::EventRecord;

/// Most events that one replay puts back.
pub const REPLAY_MAX: usize = 10_000;
/// Up to where events of an endpoint are counted for show.
pub const COUNT_MAX: u64 = 10_000;

/// An endpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Webhook {
    /// Whose.
    pub project: ProjectKey,
    /// Of which sender.
    pub sender: SenderKey,
    /// Where its events are posted.
    pub url: Box<str>,
    /// Which events it wants.
    pub events: EventKinds,
    /// Whether it is served.
    pub active: bool,
    /// How deliveries are signed.
    pub signature: SignatureVersion,
    /// What they are signed with.
    pub secret: WebhookSecret,
    /// Raised by every change of the settings.
    pub version: u32,
    /// Everything up to here is done with.
    pub cursor: EventSeq,
    /// Failures in a row.
    pub failures: u32,
    /// The event that failed last, and how often; zero once another had its turn.
    pub tried: (EventSeq, u32),
    /// Not before this moment is it tried again.
    pub next_try_at: Option<Timestamp>,
    /// Why the last delivery failed.
    pub last_error: Option<Box<str>>,
    /// When it took something last.
    pub delivered_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// How an endpoint stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WebhookStanding {
    /// The endpoint.
    pub webhook: Webhook,
    /// Events that wait for it, counted up to [`COUNT_MAX`].
    pub backlog: u64,
    /// Events that wait to be delivered again, counted so.
    pub replays: u64,
    /// Events that were given up, counted so.
    pub dead: u64,
}

/// An event that was given up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeadLetter {
    /// The event.
    pub record: EventRecord,
    /// When it was given up.
    pub at: Timestamp,
    /// Why.
    pub why: Box<str>,
}

/// A change to a sender's endpoint, by the API. [`Missing`](super::Outcome::Missing) where the
/// sender has none and the change does not make one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WebhookChange {
    /// Whose.
    pub project: ProjectKey,
    /// Of which sender.
    pub sender: SenderKey,
    /// When.
    pub at: Timestamp,
    /// What changes.
    pub setting: WebhookSetting,
}

/// What changes of an endpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WebhookSetting {
    /// Changes what is `Some`; with a URL, makes the endpoint where there is none. Answers
    /// [`Webhook`](super::Outcome::Webhook) with the endpoint.
    ///
    /// - A new one wants [`EventKinds::USUAL`] unless it says more, is active, signs by the newest
    ///   version, and gets the events from now on.
    /// - An existing one keeps its secret. Whatever it waited for after failures, it is tried at
    ///   once.
    /// - One that becomes active again gets the events from then on.
    Set {
        /// Where to post.
        url: Option<Box<str>>,
        /// Which events.
        events: Option<EventKinds>,
        /// Whether it is served.
        active: Option<bool>,
        /// How to sign.
        signature: Option<SignatureVersion>,
        /// The secret of a new one.
        secret: WebhookSecret,
    },
    /// Forgets the endpoint and what waits for it. Answers [`Done`](super::Outcome::Done).
    Clear,
    /// Gives it another secret. Answers [`Webhook`](super::Outcome::Webhook).
    Rotate(WebhookSecret),
    /// Puts events back to be delivered again, [`REPLAY_MAX`] at most. What still waits for its
    /// first delivery is left there. Answers [`Replayed`](super::Outcome::Replayed).
    Replay(Replay),
}

impl WebhookChange {
    /// The endpoint as [`Set`](WebhookSetting::Set) or [`Rotate`](WebhookSetting::Rotate) leaves what
    /// is known of it, while `newest` is the newest event; `None` where there is no endpoint then.
    pub fn changed(&self, known: Option<Webhook>, newest: EventSeq) -> Option<Webhook> {
        match &self.setting {
            WebhookSetting::Set {
                url,
                events,
                active,
                signature,
                secret,
            } => {
                let before = match known {
                    Some(known) => known,
                    None => self.made(url.clone()?, secret.clone(), newest),
                };
                let resumes = !before.active && *active == Some(true);
                Some(Webhook {
                    url: url.clone().unwrap_or(before.url),
                    events: events.unwrap_or(before.events),
                    active: active.unwrap_or(before.active),
                    signature: signature.unwrap_or(before.signature),
                    version: before.version + 1,
                    cursor: if resumes { newest } else { before.cursor },
                    failures: 0,
                    tried: (EventSeq(0), 0),
                    next_try_at: None,
                    ..before
                })
            }
            WebhookSetting::Rotate(secret) => known.map(|known| Webhook {
                secret: secret.clone(),
                version: known.version + 1,
                ..known
            }),
            WebhookSetting::Clear | WebhookSetting::Replay(_) => known,
        }
    }

    fn made(&self, url: Box<str>, secret: WebhookSecret, newest: EventSeq) -> Webhook {
        Webhook {
            project: self.project,
            sender: self.sender,
            url,
            events: EventKinds::USUAL,
            active: true,
            signature: SignatureVersion::default(),
            secret,
            version: 0,
            cursor: newest,
            failures: 0,
            tried: (EventSeq(0), 0),
            next_try_at: None,
            last_error: None,
            delivered_at: None,
            created_at: self.at,
        }
    }
}

/// Which events to deliver again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Replay {
    /// These, where they are kept and the sender's or its project's.
    Events(Vec<EventSeq>),
    /// Those of the kinds that the endpoint wants, from this moment on.
    Since(Timestamp),
    /// Those that were given up; they are not dead any more.
    Dead,
}

/// What became of a delivery. Fenced: an owner that was replaced delivers no more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// The endpoint.
    pub sender: SenderKey,
    /// The version of the endpoint that it was made for.
    pub version: u32,
    /// The event.
    pub seq: EventSeq,
    /// Whether it was one to be delivered again.
    pub again: bool,
    /// What became of it.
    pub result: DeliveryResult,
    /// When.
    pub at: Timestamp,
    /// Whose work.
    pub epoch: Epoch,
}

/// What became of a delivery.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeliveryResult {
    /// The endpoint took it: it is done with, and so are the failures before.
    Delivered,
    /// Everything up to the event is nothing that the endpoint wants.
    Passed,
    /// The endpoint did not take it. [`Stale`](super::Outcome::Stale) when the endpoint was
    /// changed since.
    Failed {
        /// When to try again.
        next_try_at: Timestamp,
        /// Why.
        why: Box<str>,
    },
    /// The same, and the event is given up: kept apart, and the queue goes on.
    GivenUp {
        /// When to try the next one.
        next_try_at: Timestamp,
        /// Why.
        why: Box<str>,
    },
}

/// Forgets events that happened before `events_before` and that nobody needs: no active endpoint
/// of their sender has a cursor before them, and none was given up or is to be delivered again. What
/// happened before `needed_before` goes in any case. The newest event stays, so that no place is given
/// twice. Only the `limit` events after a place are looked at: those that an endpoint needs for long
/// must not hide the ones behind them. Answers [`EventsPruned`](super::Outcome::EventsPruned).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PruneEvents {
    /// Events that nobody needs go when they are older than this.
    pub events_before: Timestamp,
    /// All events go when they are older than this.
    pub needed_before: Timestamp,
    /// Only events after this place.
    pub after: EventSeq,
    /// At most so many.
    pub limit: u16,
}
