//! Whose key is it, and what may it do? (R-SEC, R-TEST, R-API-5)
//!
//! A key is looked up by its SHA-256, never compared as text: keys of the configuration in a map,
//! keys of the store through a short memory of what it said.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use domain::ids::{ProjectKey, UserId};
use domain::model::audit::{Actor, ActorKind};
use domain::model::user::Role;
use domain::time::{Millis, Timestamp};
use engine::Engine;
use parking_lot::Mutex;
use ports::store::operations::ApiKeyRecord;
use ports::store::users::UserRecord;
use ports::store::{Queries, Unavailable};
use sha2::{Digest, Sha256};

use crate::ApiState;
use crate::error::{ApiError, ErrorCode};

/// How long a key of the store is taken at its word: a revoked key is refused after this.
const REMEMBERED: Millis = Millis::seconds(10);
/// How long an unknown key is refused without asking the store again.
const UNKNOWN_REMEMBERED: Millis = Millis::seconds(5);
/// Most keys remembered of each kind.
const REMEMBERED_KEYS: usize = 4_096;
/// What the headers say where a key has no limit (R-API-5).
const UNLIMITED_PER_MINUTE: u32 = 1_000_000;
const MINUTE: i64 = 60_000;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// What a key may do, one bit each, as the store keeps them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scopes(u8);

impl Scopes {
    /// Sending messages, and asking what would be chosen.
    pub const SEND: Self = Self(1);
    /// Reading messages, contacts, senders and routes.
    pub const READ: Self = Self(2);
    /// Changing contacts.
    pub const MANAGE: Self = Self(4);
    /// Setting `trafficClass` (R-CLASS-1); given with `send` unless the operator takes it away.
    pub const TRAFFIC_CLASS: Self = Self(8);
    /// Everything.
    pub const ALL: Self = Self(15);

    /// The scopes with these bits, as the store kept them.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & Self::ALL.0)
    }

    /// As bits, for the store.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// These scopes and `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These scopes without `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of `other` is in it.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// What a user of this role may do by `/v1`: agents read and write to people, the others also
    /// change what is configured.
    pub const fn of_role(role: Role) -> Self {
        match role {
            Role::Owner | Role::Admin => Self::ALL,
            Role::Agent => Self::SEND.with(Self::READ),
        }
    }

    /// The scope of this name: `send` (with the right to set `trafficClass`), `read`, `manage`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "send" => Some(Self::SEND.with(Self::TRAFFIC_CLASS)),
            "read" => Some(Self::READ),
            "manage" => Some(Self::MANAGE),
            _ => None,
        }
    }

    /// The names of the scopes, in a fixed order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        [
            (Self::SEND, "send"),
            (Self::READ, "read"),
            (Self::MANAGE, "manage"),
        ]
        .into_iter()
        .filter_map(move |(scope, name)| self.contains(scope).then_some(name))
    }
}

/// SHA-256 of a key: all that is kept of it.
pub fn hash_key(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// A key of the configuration file.
#[derive(Debug, Clone)]
pub struct ConfiguredKey {
    /// Whose.
    pub project: ProjectKey,
    /// Its public id.
    pub id: Arc<str>,
    /// A name for people.
    pub name: Arc<str>,
    /// [`hash_key`] of it.
    pub hash: [u8; 32],
    /// What it may do.
    pub scopes: Scopes,
    /// Whether it is a test key (R-TEST).
    pub test: bool,
    /// Requests a minute that it may make; `None` is any number (R-API-5).
    pub requests_per_minute: Option<u32>,
}

/// A key that is known to be good.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) id: Arc<str>,
    pub(crate) project: ProjectKey,
    pub(crate) name: Arc<str>,
    pub(crate) scopes: Scopes,
    pub(crate) test: bool,
    /// Who is signed in, where no key asks.
    pub(crate) user: Option<UserId>,
    requests_per_minute: Option<u32>,
    used: UsedThisMinute,
}

impl Key {
    /// The rights of a user who is signed in.
    pub(crate) fn of_user(user: &UserRecord) -> Self {
        Self {
            id: user.id.to_string().into(),
            project: user.project,
            name: user.name.as_ref().into(),
            scopes: Scopes::of_role(user.role),
            test: false,
            user: Some(user.id),
            requests_per_minute: None,
            used: UsedThisMinute::default(),
        }
    }
}

impl From<ConfiguredKey> for Key {
    fn from(key: ConfiguredKey) -> Self {
        Self {
            id: key.id,
            project: key.project,
            name: key.name,
            scopes: key.scopes,
            test: key.test,
            user: None,
            requests_per_minute: key.requests_per_minute,
            used: UsedThisMinute::default(),
        }
    }
}

impl From<ApiKeyRecord> for Key {
    fn from(key: ApiKeyRecord) -> Self {
        Self {
            id: key.id.to_string().into(),
            project: key.project,
            name: key.name.into(),
            scopes: Scopes::from_bits(key.scopes),
            test: key.test,
            user: None,
            requests_per_minute: None,
            used: UsedThisMinute::default(),
        }
    }
}

/// The minute's number above, the requests in it below.
#[derive(Debug, Default)]
struct UsedThisMinute(AtomicU64);

impl UsedThisMinute {
    /// Counts one request; how many the minute has with it.
    fn count(&self, now: Timestamp) -> u32 {
        let minute = u32::try_from(now.as_millis() / MINUTE).unwrap_or(0);
        let next = |state: u64| {
            let same = (state >> 32) == u64::from(minute);
            let used = if same {
                (state & u64::from(u32::MAX)) + 1
            } else {
                1
            };
            u64::from(minute) << 32 | used.min(u64::from(u32::MAX))
        };
        let before = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |it| Some(next(it)));
        let now = next(before.unwrap_or_else(|it| it));
        u32::try_from(now & u64::from(u32::MAX)).unwrap_or(u32::MAX)
    }
}

/// What the `X-RateLimit-*` headers say.
#[derive(Clone, Copy)]
pub(crate) struct RateLimit {
    limit: u32,
    remaining: u32,
    /// When the minute ends.
    reset: i64,
}

impl RateLimit {
    /// No limit.
    pub(crate) const fn none(now: Timestamp) -> Self {
        Self {
            limit: UNLIMITED_PER_MINUTE,
            remaining: UNLIMITED_PER_MINUTE,
            reset: (now.as_millis() / MINUTE + 1) * MINUTE,
        }
    }

    /// Writes the headers.
    pub(crate) fn apply(self, headers: &mut HeaderMap) {
        headers.insert(LIMIT, HeaderValue::from(self.limit));
        headers.insert(REMAINING, HeaderValue::from(self.remaining));
        headers.insert(RESET, HeaderValue::from(self.reset));
    }

    /// Counts one request of the key.
    pub(crate) fn count(key: &Key, now: Timestamp) -> (Self, Result<(), ApiError>) {
        let mut rate = Self::none(now);
        let Some(limit) = key.requests_per_minute else {
            return (rate, Ok(()));
        };
        let used = key.used.count(now);
        rate.limit = limit;
        rate.remaining = limit.saturating_sub(used);
        if used <= limit {
            return (rate, Ok(()));
        }
        let wait = (rate.reset - now.as_millis())
            .max(0)
            .cast_unsigned()
            .div_ceil(1_000);
        let error = ApiError::new(
            axum::http::StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::RateLimited,
            format!("Rate limit exceeded: {limit} requests a minute. Retry after {wait} s"),
        )
        .detail("retryAfter", rate.reset)
        .retry_after(wait);
        (rate, Err(error))
    }
}

/// Every key that opens the API. Cheap to clone.
#[derive(Clone)]
pub struct KeyRing(Arc<Ring>);

struct Ring {
    configured: HashMap<[u8; 32], Arc<Key>>,
    remembered: Mutex<Remembered>,
}

#[derive(Default)]
struct Remembered {
    good: HashMap<[u8; 32], (Timestamp, Arc<Key>)>,
    unknown: HashMap<[u8; 32], Timestamp>,
}

impl KeyRing {
    /// A ring of the keys of the configuration; keys of the store are found beside them.
    pub fn new(configured: Vec<ConfiguredKey>) -> Self {
        let configured = configured
            .into_iter()
            .map(|it| (it.hash, Arc::new(Key::from(it))))
            .collect();
        Self(Arc::new(Ring {
            configured,
            remembered: Mutex::default(),
        }))
    }

    /// The key of this request.
    pub(crate) async fn find(
        &self,
        headers: &HeaderMap,
        store: &(impl Queries + ?Sized),
        now: Timestamp,
    ) -> Result<Arc<Key>, ApiError> {
        let hash = hash_key(bearer(headers).ok_or_else(ApiError::unauthorized)?);
        if let Some(key) = self.0.configured.get(&hash) {
            return Ok(Arc::clone(key));
        }
        if let Some(known) = self.recall(&hash, now) {
            return known.ok_or_else(ApiError::unauthorized);
        }
        let record = store
            .api_key(hash)
            .await?
            .filter(|it| it.revoked_at.is_none());
        let key = record.map(|it| Arc::new(Key::from(it)));
        self.remember(hash, key.clone(), now);
        key.ok_or_else(ApiError::unauthorized)
    }

    /// Whether a key still opens, by the store's word of now.
    pub(crate) async fn stands(
        &self,
        hash: [u8; 32],
        store: &(impl Queries + ?Sized),
    ) -> Result<bool, Unavailable> {
        if self.0.configured.contains_key(&hash) {
            return Ok(true);
        }
        let record = store.api_key(hash).await?;
        Ok(record.is_some_and(|it| it.revoked_at.is_none()))
    }

    /// What is remembered of a key: `Some(None)` is that it is unknown.
    #[expect(
        clippy::option_option,
        reason = "not asked lately, unknown and known are three things"
    )]
    fn recall(&self, hash: &[u8; 32], now: Timestamp) -> Option<Option<Arc<Key>>> {
        let remembered = self.0.remembered.lock();
        match remembered.good.get(hash) {
            Some((until, key)) if now < *until => Some(Some(Arc::clone(key))),
            Some(_) | None => remembered
                .unknown
                .get(hash)
                .filter(|until| now < **until)
                .map(|_| None),
        }
    }

    fn remember(&self, hash: [u8; 32], key: Option<Arc<Key>>, now: Timestamp) {
        let remembered = &mut *self.0.remembered.lock();
        if let Some(key) = key {
            make_room(&mut remembered.good, |(until, _)| now < *until);
            remembered.unknown.remove(&hash);
            remembered.good.insert(hash, (now.plus(REMEMBERED), key));
        } else {
            make_room(&mut remembered.unknown, |until| now < *until);
            remembered.good.remove(&hash);
            remembered
                .unknown
                .insert(hash, now.plus(UNKNOWN_REMEMBERED));
        }
    }
}

/// Forgets what is over when the bound is reached, and everything when that does not help: what is
/// forgotten is only asked again.
fn make_room<V>(map: &mut HashMap<[u8; 32], V>, is_fresh: impl Fn(&V) -> bool) {
    if map.len() >= REMEMBERED_KEYS {
        map.retain(|_, value| is_fresh(value));
    }
    if map.len() >= REMEMBERED_KEYS {
        map.clear();
    }
}

/// SHA-256 of the key that this request brings.
pub(crate) fn hash_in(headers: &HeaderMap) -> Option<[u8; 32]> {
    bearer(headers).map(hash_key)
}

/// The key in the header; the scheme's name in any case.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = text.split_once(' ')?;
    let key = key.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !key.is_empty()).then_some(key)
}

/// Who asks. Put into the request by the gate ([`crate::gate`]).
#[derive(Clone)]
pub(crate) struct Caller(pub(crate) Arc<Key>);

impl Caller {
    /// The project.
    pub(crate) fn project(&self) -> ProjectKey {
        self.0.project
    }

    /// Who it is, for the audit log.
    pub(crate) fn actor(&self) -> Actor {
        let kind = match self.0.user {
            Some(_) => ActorKind::User,
            None => ActorKind::Key,
        };
        Actor::new(kind, &*self.0.name)
    }

    /// The engine in the caller's hands: what they change stands in the audit log.
    pub(crate) fn engine(&self, api: &ApiState) -> Engine {
        api.engine.on_behalf_of(self.actor())
    }

    /// Refuses unless the key has the scope (403).
    pub(crate) fn may(&self, scope: Scopes) -> Result<(), ApiError> {
        if self.0.scopes.contains(scope) {
            return Ok(());
        }
        let name = scope.names().next().unwrap_or("trafficClass");
        let words = if self.0.user.is_some() {
            "Your role does not allow this: ask an admin or owner of the team".to_owned()
        } else {
            format!("This needs a key with the scope `{name}`")
        };
        Err(ApiError::forbidden(words).detail("scope", name))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(ApiError::unauthorized)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(requests_per_minute: Option<u32>) -> Key {
        Key::from(ConfiguredKey {
            project: ProjectKey(1),
            id: "key_1".into(),
            name: "app".into(),
            hash: hash_key("k"),
            scopes: Scopes::ALL,
            test: false,
            requests_per_minute,
        })
    }

    #[test]
    fn a_key_may_hold_spaces_and_its_scheme_any_case() {
        for (header, want) in [
            ("Bearer My API Key", Some("My API Key")),
            ("bearer  zv_test_abc", Some("zv_test_abc")),
            ("Basic abc", None),
            ("Bearer", None),
            ("Bearer  ", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::from_static(header));
            assert_eq!(bearer(&headers), want, "{header}");
        }
    }

    #[test]
    fn a_limit_counts_within_a_minute_and_begins_anew_with_the_next() {
        let key = key(Some(2));
        let start = Timestamp::from_millis(60_000 * 1_000);
        for (after, remaining, allowed) in [
            (0, 1, true),
            (1, 0, true),
            (59_999, 0, false),
            (60_000, 1, true),
        ] {
            let (rate, answer) = RateLimit::count(&key, start.plus(Millis::new(after)));
            assert_eq!(
                (rate.remaining, answer.is_ok()),
                (remaining, allowed),
                "after {after} ms"
            );
            assert_eq!(rate.limit, 2);
        }
    }

    #[test]
    fn a_key_without_a_limit_is_told_a_million_a_minute() {
        let key = key(None);
        for _ in 0..3 {
            let (rate, answer) = RateLimit::count(&key, Timestamp::from_millis(61_000));
            assert!(answer.is_ok());
            assert_eq!(
                (rate.limit, rate.remaining, rate.reset),
                (1_000_000, 1_000_000, 120_000)
            );
        }
    }

    #[test]
    fn scopes_survive_their_bits_and_unknown_bits_give_nothing() {
        for bits in 0..=u8::MAX {
            let scopes = Scopes::from_bits(bits);
            assert_eq!(scopes.bits(), bits & 15);
            assert_eq!(Scopes::from_bits(scopes.bits()), scopes);
        }
        assert_eq!(
            Scopes::ALL.names().collect::<Vec<_>>(),
            ["send", "read", "manage"]
        );
    }

    #[test]
    fn memory_of_strange_keys_is_bounded() {
        let ring = KeyRing::new(Vec::new());
        let now = Timestamp::from_millis(0);
        for n in 0..=REMEMBERED_KEYS {
            ring.remember(hash_key(&n.to_string()), None, now);
        }
        assert!(ring.0.remembered.lock().unknown.len() <= REMEMBERED_KEYS);
        assert!(
            ring.recall(&hash_key(&REMEMBERED_KEYS.to_string()), now)
                .is_some()
        );
        let later = now.plus(UNKNOWN_REMEMBERED);
        assert!(
            ring.recall(&hash_key(&REMEMBERED_KEYS.to_string()), later)
                .is_none()
        );
    }
}
