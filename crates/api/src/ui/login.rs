//! Signing in and out, and choosing a password by a link (R-SEC).

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::ids::SessionId;
use domain::model::user::{self, PasswordHash};
use domain::rules::password;
use ports::store::Outcome;
use ports::store::users::{SessionRecord, UserChange, UserOutcome, UserRecord};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::session::{self, Peer, Person};
use super::token;
use super::users::UserOut;
use crate::auth::hash_key;
use crate::body::{self, ReadBody, Text};
use crate::error::{ApiError, ErrorCode};
use crate::{ApiState, json};

/// Most characters kept of what a browser calls itself.
const AGENT_CHARS: usize = 200;

/// The paths of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(login))
        .routes(routes!(logout))
        .routes(routes!(show))
        .routes(routes!(look_at_link))
        .routes(routes!(use_link))
}

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Login)]
struct LoginIn<'a> {
    /// The user's e-mail address.
    #[serde(borrow)]
    #[schema(value_type = String)]
    email: Text<'a>,
    #[serde(borrow)]
    #[schema(value_type = String)]
    password: Text<'a>,
    /// Whether the session lasts 30 days unused instead of 12 hours: for one's own phone.
    #[serde(default)]
    stay: bool,
}

/// Who is signed in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session)]
struct SessionOut<'a> {
    user: UserOut<'a>,
    project: ProjectOut<'a>,
    /// To be sent as `X-CSRF-Token` with everything that changes something.
    csrf_token: &'a str,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SessionProject)]
struct ProjectOut<'a> {
    id: &'a str,
    name: &'a str,
}

/// A link's token.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasswordLink)]
struct LinkIn<'a> {
    #[serde(borrow)]
    #[schema(value_type = String)]
    token: Text<'a>,
}

/// Whose link it is.
#[derive(Serialize, ToSchema)]
#[schema(as = PasswordLinkOwner)]
struct LinkOut<'a> {
    email: &'a str,
    name: &'a str,
}

/// A password, chosen by a link.
#[derive(Deserialize, ToSchema)]
#[schema(as = ChosenPassword)]
struct ChooseIn<'a> {
    #[serde(borrow)]
    #[schema(value_type = String)]
    token: Text<'a>,
    /// At least 10 characters, and not the e-mail address.
    #[serde(borrow)]
    #[schema(value_type = String, min_length = 10)]
    password: Text<'a>,
}

fn wrong_login() -> ApiError {
    ApiError::new(
        StatusCode::UNAUTHORIZED,
        ErrorCode::Unauthorized,
        "The e-mail address or the password is wrong",
    )
}

/// Counts an attempt of this account, or refuses it for a while.
pub(super) fn attempt(api: &ApiState, account: &str, peer: &Peer) -> Result<(), ApiError> {
    let now = api.engine.now();
    let began = api.ui.attempts.lock().begin(account, peer.0, now);
    began.map_err(|seconds| {
        let minutes = seconds.div_ceil(60);
        let unit = if minutes == 1 { "minute" } else { "minutes" };
        ApiError::new(
            StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::RateLimited,
            format!("Too many attempts; try again in {minutes} {unit}"),
        )
        .detail("retryAfterSeconds", seconds)
        .should_retry(false)
    })
}

/// Signs a user in: sets a cookie that opens `/ui/v1` and `/v1`.
#[utoipa::path(
    post,
    path = "/ui/v1/login",
    operation_id = "uiLogin",
    tag = "pages",
    security(()),
    request_body = LoginIn<'_>,
    responses((status = 200, description = "Signed in; the cookie is set", body = SessionOut<'_>)),
)]
pub(crate) async fn login(
    State(api): State<Arc<ApiState>>,
    peer: Peer,
    headers: HeaderMap,
    body: ReadBody,
) -> Result<Response, ApiError> {
    session::check_origin(&api, &headers)?;
    let bytes = body::bytes(body, api.limits.body_bytes)?;
    let given: LoginIn<'_> = body::parse(&bytes, &mut Vec::new())?;
    let email = user::email(given.email.as_str()).unwrap_or_default();
    attempt(&api, &email, &peer)?;
    let found = api.engine.store().user_by_email(&email).await?;
    let hash = found.as_ref().and_then(|it| it.password.as_ref());
    let fits = api.ui.passwords.fits(given.password.as_str(), hash).await?;
    let Some(user) = found.filter(|it| fits && it.disabled_at.is_none()) else {
        tracing::info!(address = %peer.0, "a login was refused");
        return Err(wrong_login());
    };
    api.ui.attempts.lock().succeeded(&email, peer.0);
    sign_in(&api, user, &headers, given.stay).await
}

async fn sign_in(
    api: &ApiState,
    user: UserRecord,
    headers: &HeaderMap,
    stay: bool,
) -> Result<Response, ApiError> {
    let token = token::fresh()?;
    let now = api.engine.now();
    let (idle, lasts) = if stay {
        (session::IDLE_STAY, session::LASTS_STAY)
    } else {
        (session::IDLE, session::LASTS)
    };
    let record = SessionRecord {
        id: SessionId::from_key(token::fresh_key(now)?),
        hash: hash_key(&token),
        user: user.id,
        created_at: now,
        seen_at: now,
        expires_at: now.plus(lasts),
        idle,
        agent: agent(headers).into(),
    };
    let outcome = session::apply(api, UserChange::SignIn(record.clone())).await?;
    let Outcome::Done = outcome else {
        // Disabled in this moment.
        return Err(wrong_login());
    };
    let person = Person {
        csrf: token::csrf(&token),
        user,
        session: record,
    };
    let mut response = shown(api, &person)?;
    if let Some(cookie) = session::set_cookie(api, Some(&token), stay) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

fn agent(headers: &HeaderMap) -> String {
    let text = headers.get(header::USER_AGENT);
    let text = text.and_then(|it| it.to_str().ok()).unwrap_or_default();
    text.chars().take(AGENT_CHARS).collect()
}

fn shown(api: &ApiState, person: &Person) -> Result<Response, ApiError> {
    let topology = api.engine.topology();
    let project = topology.project(person.user.project);
    let project = project.ok_or_else(ApiError::signed_out)?;
    let answer = SessionOut {
        user: UserOut::of(&person.user),
        project: ProjectOut {
            id: &project.id,
            name: &project.name,
        },
        csrf_token: &person.csrf,
    };
    Ok(json::response(StatusCode::OK, &answer))
}

/// Signs out in this browser.
#[utoipa::path(
    post,
    path = "/ui/v1/logout",
    operation_id = "uiLogout",
    tag = "pages",
    security(("session" = [])),
    responses((status = 204, description = "Signed out; the cookie is gone")),
)]
pub(crate) async fn logout(
    State(api): State<Arc<ApiState>>,
    person: Person,
) -> Result<Response, ApiError> {
    let change = UserChange::SignOut {
        user: person.user.id,
        session: person.session.id,
    };
    session::apply(&api, change).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = session::set_cookie(&api, None, false) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Shows who is signed in, and the token that changes need.
#[utoipa::path(
    get,
    path = "/ui/v1/session",
    operation_id = "uiGetSession",
    tag = "pages",
    security(("session" = [])),
    responses((status = 200, description = "Who is signed in", body = SessionOut<'_>)),
)]
pub(crate) async fn show(
    State(api): State<Arc<ApiState>>,
    person: Person,
) -> Result<Response, ApiError> {
    shown(&api, &person)
}

fn no_link() -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        ErrorCode::NotFound,
        "This link was used already or is over; ask for a new one",
    )
}

/// Tells whose link this is. Asked with the token in the body, so that no log has it.
#[utoipa::path(
    post,
    path = "/ui/v1/password-link",
    operation_id = "uiShowPasswordLink",
    tag = "pages",
    security(()),
    request_body = LinkIn<'_>,
    responses((status = 200, description = "Whose it is", body = LinkOut<'_>)),
)]
pub(crate) async fn look_at_link(
    State(api): State<Arc<ApiState>>,
    body: ReadBody,
) -> Result<Response, ApiError> {
    let bytes = body::bytes(body, api.limits.body_bytes)?;
    let given: LinkIn<'_> = body::parse(&bytes, &mut Vec::new())?;
    let user = owner(&api, given.token.as_str()).await?;
    let answer = LinkOut {
        email: &user.email,
        name: &user.name,
    };
    Ok(json::response(StatusCode::OK, &answer))
}

async fn owner(api: &ApiState, token: &str) -> Result<UserRecord, ApiError> {
    let found = api.engine.store().password_link(hash_key(token)).await?;
    let now = api.engine.now();
    let good = found.filter(|it| now < it.1 && it.0.disabled_at.is_none());
    good.map(|it| it.0).ok_or_else(no_link)
}

/// Chooses a password by a link, which works once. Ends all sessions of the user.
#[utoipa::path(
    post,
    path = "/ui/v1/password-link/use",
    operation_id = "uiUsePasswordLink",
    tag = "pages",
    security(()),
    request_body = ChooseIn<'_>,
    responses((status = 204, description = "The password is the user's now")),
)]
pub(crate) async fn use_link(
    State(api): State<Arc<ApiState>>,
    headers: HeaderMap,
    body: ReadBody,
) -> Result<Response, ApiError> {
    session::check_origin(&api, &headers)?;
    let bytes = body::bytes(body, api.limits.body_bytes)?;
    let given: ChooseIn<'_> = body::parse(&bytes, &mut Vec::new())?;
    let user = owner(&api, given.token.as_str()).await?;
    let password = chosen(&api, given.password.as_str(), &user, "password").await?;
    let change = UserChange::UseLink {
        project: user.project,
        hash: hash_key(given.token.as_str()),
        password,
        at: api.engine.now(),
    };
    let outcome = session::apply_by(&api, session::actor(&user), change).await?;
    let Outcome::User(UserOutcome::LinkUsed(_)) = outcome else {
        // Somebody used it in this moment.
        return Err(no_link());
    };
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The hash of a new password, where it is strong enough.
pub(super) async fn chosen(
    api: &ApiState,
    password: &str,
    user: &UserRecord,
    field: &str,
) -> Result<PasswordHash, ApiError> {
    password::check(password, &user.email)
        .map_err(|weak| ApiError::field(&[field], weak.to_string()))?;
    api.ui.passwords.hash(password).await
}
