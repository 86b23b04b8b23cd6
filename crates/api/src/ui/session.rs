//! Who is signed in? The cookie, the proof that a page of ours asks, and what that opens (R-SEC).
//!
//! A session is known by a cookie that no script can read and no other site can have sent. A request
//! that changes something also carries the token of `GET /ui/v1/session` in a header, and comes from
//! our own pages, where the browser says whence (ADR 0014).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use domain::model::audit::{Actor, ActorKind};
use domain::model::user::Role;
use domain::rules::reach::{Place, place_of};
use domain::time::{Millis, Timestamp};
use ports::store::users::{SessionRecord, UserChange, UserRecord};
use ports::store::{Op, Outcome, Unavailable};
use url::Url;

use super::token;
use crate::ApiState;
use crate::auth::{Key, hash_key};
use crate::error::ApiError;

/// How long a session lasts unused, and altogether.
pub(super) const IDLE: Millis = Millis::hours(12);
pub(super) const LASTS: Millis = Millis::days(30);
/// The same for who asked to stay signed in: a phone that is not opened every day.
pub(super) const IDLE_STAY: Millis = Millis::days(30);
pub(super) const LASTS_STAY: Millis = Millis::days(180);
/// Use is noted no more often than this.
const SEEN_EVERY: Millis = Millis::minutes(1);
/// The header that proves that a page of ours asks.
pub(crate) const CSRF_HEADER: &str = "x-csrf-token";
/// The cookie's name where the pages are served by HTTPS: no other host can set one of this name.
const SECURE_COOKIE: &str = "__Host-tandem";
/// The cookie's name elsewhere.
const PLAIN_COOKIE: &str = "tandem";

/// Who is signed in. Taking it checks the cookie and, for what changes something, the proof.
pub(crate) struct Person {
    pub(crate) user: UserRecord,
    pub(crate) session: SessionRecord,
    /// What the page has to send back.
    pub(crate) csrf: String,
}

impl Person {
    /// Who it is, for the audit log.
    pub(crate) fn actor(&self) -> Actor {
        actor(&self.user)
    }

    /// Refuses who may not manage users of this role.
    pub(crate) fn may_manage(&self, role: Role) -> Result<(), ApiError> {
        if self.user.role.may_manage(role) {
            return Ok(());
        }
        let words = format!("Your role may not manage users of the role {}", role.code());
        Err(ApiError::forbidden(words))
    }
}

impl FromRequestParts<Arc<ApiState>> for Person {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<ApiState>) -> Result<Self, ApiError> {
        let found = find(api, &parts.headers, &parts.method).await?;
        found.ok_or_else(ApiError::signed_out)
    }
}

/// The session of this request as a key of `/v1`; `None` where it brings a key of its own, or no
/// cookie.
pub(crate) async fn key(
    api: &ApiState,
    headers: &HeaderMap,
    method: &Method,
) -> Result<Option<Arc<Key>>, ApiError> {
    if headers.contains_key(AUTHORIZATION) || cookie(api, headers).is_none() {
        return Ok(None);
    }
    match find(api, headers, method).await? {
        Some(person) => Ok(Some(Arc::new(Key::of_user(&person.user)))),
        None => Err(ApiError::signed_out()),
    }
}

/// The session that this request brings, as the store knows it.
pub(crate) fn hash(api: &ApiState, headers: &HeaderMap) -> Option<[u8; 32]> {
    cookie(api, headers).map(hash_key)
}

/// Whether the session still opens. Asking is no use of it: who only listens is not there.
pub(crate) async fn stands(api: &ApiState, hash: [u8; 32]) -> Result<bool, Unavailable> {
    let found = api.engine.store().session(hash).await?;
    Ok(found.is_some_and(|it| is_good(api, &it)))
}

fn is_good(api: &ApiState, (session, user): &(SessionRecord, UserRecord)) -> bool {
    let now = api.engine.now();
    now < session.ends_at() && user.disabled_at.is_none() && is_served(api, user)
}

async fn find(
    api: &ApiState,
    headers: &HeaderMap,
    method: &Method,
) -> Result<Option<Person>, ApiError> {
    let Some(token) = cookie(api, headers) else {
        return Ok(None);
    };
    let found = api.engine.store().session(hash_key(token)).await?;
    let Some((session, user)) = found.filter(|it| is_good(api, it)) else {
        return Ok(None);
    };
    if !method.is_safe() {
        check_origin(api, headers)?;
        let given = headers.get(CSRF_HEADER).and_then(|it| it.to_str().ok());
        if !given.is_some_and(|it| token::is_csrf(token, it)) {
            return Err(ApiError::forbidden(
                "This did not come from a page of ours: the header `X-CSRF-Token` is missing or wrong",
            )
            .detail("csrf", true));
        }
    }
    let now = api.engine.now();
    if now.since(session.seen_at) >= SEEN_EVERY {
        note_use(api, &session, now).await?;
    }
    Ok(Some(Person {
        csrf: token::csrf(token),
        user,
        session,
    }))
}

/// Whether the project is still in the configuration.
fn is_served(api: &ApiState, user: &UserRecord) -> bool {
    api.engine.topology().project(user.project).is_some()
}

async fn note_use(api: &ApiState, session: &SessionRecord, at: Timestamp) -> Result<(), ApiError> {
    let session = session.id;
    let seen = UserChange::Seen { session, at };
    api.engine.apply(Op::User(Box::new(seen))).await?;
    Ok(())
}

/// Changes something about users.
pub(super) async fn apply(api: &ApiState, change: UserChange) -> Result<Outcome, ApiError> {
    Ok(api.engine.apply(Op::User(Box::new(change))).await?)
}

/// The same in somebody's hands: it stands in the audit log.
pub(super) async fn apply_by(
    api: &ApiState,
    by: Actor,
    change: UserChange,
) -> Result<Outcome, ApiError> {
    let engine = api.engine.on_behalf_of(by);
    Ok(engine.apply(Op::User(Box::new(change))).await?)
}

/// A user, for the audit log.
pub(super) fn actor(user: &UserRecord) -> Actor {
    Actor::new(ActorKind::User, &*user.name)
}

/// Refuses what a page of another site sent, where the browser says so.
pub(super) fn check_origin(api: &ApiState, headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
    let is_ours = match text(ORIGIN.as_str()) {
        Some(origin) => is_own_origin(origin, text(HOST.as_str()), &api.public_url),
        None => !matches!(text("sec-fetch-site"), Some("cross-site" | "same-site")),
    };
    if is_ours {
        Ok(())
    } else {
        Err(ApiError::forbidden("This came from a page of another site").detail("csrf", true))
    }
}

/// Whether this is the origin of our pages: the configured one, or that of the host that was asked.
fn is_own_origin(origin: &str, host: Option<&str>, public_url: &str) -> bool {
    let Ok(url) = Url::parse(origin) else {
        return false;
    };
    let is_public = Url::parse(public_url).is_ok_and(|it| it.origin() == url.origin());
    let authority = origin.split_once("://").map(|it| it.1);
    url.origin().is_tuple() && (is_public || (authority.is_some() && authority == host))
}

fn is_secure(api: &ApiState) -> bool {
    api.public_url.starts_with("https://")
}

fn cookie_name(api: &ApiState) -> &'static str {
    if is_secure(api) {
        SECURE_COOKIE
    } else {
        PLAIN_COOKIE
    }
}

/// The session's token in the cookies.
fn cookie<'a>(api: &ApiState, headers: &'a HeaderMap) -> Option<&'a str> {
    let name = cookie_name(api);
    let lines = headers.get_all(COOKIE).iter();
    let pairs = lines.filter_map(|it| it.to_str().ok()?.into());
    pairs
        .flat_map(|it| it.split(';'))
        .filter_map(|it| it.trim().split_once('='))
        .find(|it| it.0 == name && !it.1.is_empty())
        .map(|it| it.1)
}

/// The header that gives the browser this session, or takes it away.
pub(super) fn set_cookie(api: &ApiState, token: Option<&str>, stay: bool) -> Option<HeaderValue> {
    let name = cookie_name(api);
    let value = token.unwrap_or_default();
    let secure = if is_secure(api) { "; Secure" } else { "" };
    let age = match (token, stay) {
        (None, _) => "; Max-Age=0".to_owned(),
        (Some(_), true) => format!("; Max-Age={}", LASTS_STAY.get() / 1_000),
        // Until the browser is closed.
        (Some(_), false) => String::new(),
    };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{age}");
    HeaderValue::from_str(&text).ok()
}

/// Who is at the other end: the connection's address, or what a proxy on this machine or in the
/// private network says of it.
pub(super) struct Peer(pub(super) IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let connection = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let address = connection.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |it| it.0.ip());
        let forwarded = parts.headers.get("x-forwarded-for");
        Ok(Self(peer(
            address,
            forwarded.and_then(|it| it.to_str().ok()),
        )))
    }
}

/// The last in the list is what the nearest proxy saw; what stands before it anybody may have made up.
fn peer(connection: IpAddr, forwarded: Option<&str>) -> IpAddr {
    let nearest = forwarded.and_then(|it| it.rsplit(',').next()?.trim().parse().ok());
    match place_of(connection.to_canonical()) {
        Place::Private => nearest.unwrap_or(connection),
        Place::Public | Place::Nowhere => connection,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pages_that_are_ours_are_believed() {
        let public = "https://msg.example.com";
        for (origin, host, want) in [
            ("https://msg.example.com", Some("10.0.0.1:8080"), true),
            ("https://msg.example.com:443", Some("10.0.0.1:8080"), true),
            ("http://127.0.0.1:8080", Some("127.0.0.1:8080"), true),
            ("http://msg.example.com", Some("other"), false),
            ("https://evil.example", Some("msg.example.com"), false),
            (
                "https://msg.example.com.evil.example",
                Some("msg.example.com"),
                false,
            ),
            ("null", Some("msg.example.com"), false),
            ("null", None, false),
            ("", None, false),
        ] {
            assert_eq!(
                is_own_origin(origin, host, public),
                want,
                "{origin} {host:?}"
            );
        }
        assert!(!is_own_origin("http://127.0.0.1", None, ""));
    }

    #[test]
    fn a_forwarded_address_counts_only_from_a_proxy_beside_us() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let list = Some("1.1.1.1, 93.184.216.34");
        for (connection, forwarded, want) in [
            ("127.0.0.1", list, "93.184.216.34"),
            ("10.1.2.3", list, "93.184.216.34"),
            ("127.0.0.1", None, "127.0.0.1"),
            ("127.0.0.1", Some("unknown"), "127.0.0.1"),
            ("93.184.216.35", list, "93.184.216.35"),
        ] {
            assert_eq!(peer(address(connection), forwarded), address(want));
        }
    }
}
