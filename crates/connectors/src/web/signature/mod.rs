//! Whether a call really comes from the provider (R-SEC): one pure function for each way in which
//! providers show it.
//!
//! Secrets and signatures are compared in constant time, and over the bytes as they came. A key that
//! is being replaced is two keys: ask with each.

mod ed25519;
mod form;
mod jwt;
mod mac;
mod secret;

pub(crate) use ed25519::ed25519;
pub(crate) use form::{plivo_v3, twilio, vonage_sms};
pub(crate) use jwt::{JwtChecks, jwt_hs256};
pub(crate) use mac::{Encoding, Hash, Scheme, hmac, meta};
pub(crate) use secret::{basic, query_secret, shared_header, shared_secret};

use domain::time::{Millis, Timestamp};
use ports::hooks::HookAnswer;

/// Why a call is not believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Distrust {
    /// It has no signature, or lacks what goes into it.
    Missing,
    /// The signature is not of the form that it should have.
    Malformed,
    /// It is the signature of something else, or made with another key.
    Wrong,
    /// It is right, but of another time.
    Stale,
}

impl Distrust {
    /// What the caller is answered; nothing is told to anybody.
    pub(crate) const fn answer(self) -> HookAnswer {
        match self {
            Self::Missing => HookAnswer::empty(401),
            Self::Malformed | Self::Wrong | Self::Stale => HookAnswer::empty(403),
        }
    }
}

/// Believes what holds.
const fn believe(holds: bool) -> Result<(), Distrust> {
    if holds { Ok(()) } else { Err(Distrust::Wrong) }
}

/// Whether a signed time (in seconds of the Unix epoch, as text) is near enough to `now`.
pub(crate) fn fresh(seconds: &str, now: Timestamp, tolerance: Millis) -> Result<(), Distrust> {
    let seconds: i64 = seconds.parse().map_err(|_| Distrust::Malformed)?;
    let signed_at = Timestamp::from_millis(seconds.saturating_mul(1_000));
    if now.since(signed_at).get().unsigned_abs() <= tolerance.get().unsigned_abs() {
        Ok(())
    } else {
        Err(Distrust::Stale)
    }
}

#[cfg(test)]
mod tests;
