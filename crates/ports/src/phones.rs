//! Team phones with an app (R-PHONE-1): what phones call, and what operators do with them.
//!
//! All phones of all pools have one base URL, `{public_url}/phone/v1`. The API asks each pool
//! whether a caller is its own ([`PhoneGateway::whose`]) and hands the call over as it came.

use std::sync::Arc;

use domain::model::audit::Actor;
use domain::time::Timestamp;

use crate::hooks::{HookAnswer, HookCall, Pending};
use crate::store::Unavailable;
use crate::store::phones::PhoneRecord;

/// Why a pool is down whose phones are there: all of them rest.
pub const ALL_REST: &str = "no phone of this route can send for now";
/// Why a pool is down whose phones are there: all of them have reached their limits.
pub const ALL_AT_LIMIT: &str = "the phones of this route have sent all that they may";

/// Who calls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PhoneCaller {
    /// A phone of the pool, by its id.
    Phone(Arc<str>),
    /// Somebody who may become one, by the hash of the permission.
    Newcomer([u8; 32]),
    /// Somebody with a pairing code, right or wrong, while no code is taken: too many were wrong.
    Blocked {
        /// Until when.
        until: Timestamp,
    },
}

/// Something that a phone is told at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PhoneEvent {
    /// Its name.
    pub name: &'static str,
    /// Its data: JSON, never empty.
    pub data: Box<str>,
}

/// What one open stream of a phone is told.
pub trait PhoneEvents: Send {
    /// The next; `None` ends the stream.
    fn next(&mut self) -> Pending<'_, Option<PhoneEvent>>;
}

/// A permission to become a phone, as it is shown once.
#[derive(Clone, PartialEq, Eq)]
pub struct Pairing {
    /// What is typed into the app as API URL.
    pub api_url: Box<str>,
    /// What is typed into the app as private token.
    pub token: Box<str>,
    /// Six digits that do the same.
    pub code: Box<str>,
    /// Until when.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for Pairing {
    /// Without the secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pairing")
            .field("api_url", &self.api_url)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// A phone as it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PhoneStanding {
    /// What is kept of it.
    pub record: PhoneRecord,
    /// Whether messages can be handed to it now.
    pub present: bool,
    /// Number of streams that it has open.
    pub streams: u32,
    /// Whether it has its webhooks: without them nothing comes in.
    pub hooks_installed: bool,
    /// Messages that it holds.
    pub holds: u32,
    /// Parts that it was handed in the last hour and day.
    pub used: (u32, u32),
    /// Until when it is left alone, because it could not send.
    pub rests_until: Option<Timestamp>,
    /// By how many seconds its clock is ahead of ours, less than zero behind, as far as it is known.
    pub clock_off: Option<i64>,
}

/// What an operator changes of a phone; `None` leaves it as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PhonePatch {
    /// What people call it.
    pub name: Option<Box<str>>,
    /// Which SIM cards may send.
    pub may_send: Option<Vec<u8>>,
    /// Limit an hour for each SIM card; `Some(None)` is the route's figure.
    pub per_hour: Option<Option<u32>>,
    /// The same a day.
    pub per_day: Option<Option<u32>>,
}

/// The part of a connector that phones call.
pub trait PhoneGateway: Send + Sync {
    /// Who makes this call, if it is one of this pool's. `path` is what stands behind the base URL.
    fn whose<'a>(&'a self, path: &'a str, call: &'a HookCall) -> Pending<'a, Option<PhoneCaller>>;

    /// Answers a call; 2xx only after everything in it is kept.
    fn answer<'a>(
        &'a self,
        caller: PhoneCaller,
        path: &'a str,
        call: &'a HookCall,
    ) -> Pending<'a, HookAnswer>;

    /// Opens a stream of events for a phone; `None` where it is none of the pool's.
    fn listen(&self, phone: &str) -> Option<Box<dyn PhoneEvents>>;

    /// Makes a permission for one phone, in somebody's name: the audit log tells of it, and of the
    /// phone that comes with it, in the same transactions, as of changing and revoking (R-SEC).
    fn pair(&self, name: Option<Box<str>>, by: Actor) -> Pending<'_, Result<Pairing, Unavailable>>;

    /// The phones as they stand, in order of their ids.
    fn phones(&self) -> Pending<'_, Vec<PhoneStanding>>;

    /// Changes a phone; `false` where it is none of the pool's.
    fn change<'a>(
        &'a self,
        phone: &'a str,
        patch: PhonePatch,
        by: Actor,
    ) -> Pending<'a, Result<bool, Unavailable>>;

    /// Sends a phone away for good: from now on its token opens nothing. What it may still send is
    /// waited for as that of a phone that is away (R-PHONE-3). `false` where it is none of the pool's.
    fn revoke<'a>(&'a self, phone: &'a str, by: Actor) -> Pending<'a, Result<bool, Unavailable>>;
}
