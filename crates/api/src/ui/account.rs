//! One's own account: the password, and where one is signed in (R-SEC).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::ids::SessionId;
use ports::store::Outcome;
use ports::store::users::{SessionRecord, UserChange};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::login::{attempt, chosen};
use super::session::{self, Peer, Person};
use crate::body::{self, ReadBody, Text};
use crate::error::ApiError;
use crate::json::{Iso, Shown};
use crate::path::InPath;
use crate::{ApiState, json};

/// The paths of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(sessions))
        .routes(routes!(revoke))
        .routes(routes!(change_password))
}

/// A browser in which one is signed in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SignedInSession)]
struct SessionOut<'a> {
    #[schema(value_type = String, example = "ses_0sa7yzjpg0001")]
    id: Shown<SessionId>,
    /// What the browser calls itself.
    agent: &'a str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Iso,
    /// When it was last used, to the minute.
    #[schema(value_type = String, format = DateTime)]
    seen_at: Iso,
    /// When it ends if it is not used any more.
    #[schema(value_type = String, format = DateTime)]
    ends_at: Iso,
    /// Whether it is the one that asks.
    is_current: bool,
}

/// All of one's sessions.
#[derive(Serialize, ToSchema)]
#[schema(as = SignedInSessions)]
struct SessionsOut<'a> {
    items: Vec<SessionOut<'a>>,
}

/// A change of one's password.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasswordChange)]
struct PasswordIn<'a> {
    /// The one until now.
    #[serde(borrow)]
    #[schema(value_type = String)]
    current: Text<'a>,
    /// The new one: at least 10 characters, and not the e-mail address.
    #[serde(borrow)]
    #[schema(value_type = String, min_length = 10)]
    new: Text<'a>,
}

/// Lists the browsers in which one is signed in, last used first.
#[utoipa::path(
    get,
    path = "/ui/v1/sessions",
    operation_id = "uiListSessions",
    tag = "pages",
    security(("session" = [])),
    responses((status = 200, description = "All of them", body = SessionsOut<'_>)),
)]
pub(crate) async fn sessions(
    State(api): State<Arc<ApiState>>,
    person: Person,
) -> Result<Response, ApiError> {
    let found = api.engine.store().sessions(person.user.id).await?;
    let now = api.engine.now();
    let shown = |it: &SessionRecord| now < it.ends_at();
    let items = found.iter().filter(|it| shown(it)).map(|it| SessionOut {
        id: Shown(it.id),
        agent: &it.agent,
        created_at: Iso(it.created_at),
        seen_at: Iso(it.seen_at),
        ends_at: Iso(it.ends_at()),
        is_current: it.id == person.session.id,
    });
    let answer = SessionsOut {
        items: items.collect(),
    };
    Ok(json::response(StatusCode::OK, &answer))
}

/// Signs out in one of one's browsers.
#[utoipa::path(
    delete,
    path = "/ui/v1/sessions/{id}",
    operation_id = "uiRevokeSession",
    tag = "pages",
    security(("session" = [])),
    params(("id" = String, Path, description = "The session, ses_…")),
    responses((status = 204, description = "It is signed out")),
)]
pub(crate) async fn revoke(
    State(api): State<Arc<ApiState>>,
    person: Person,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    let unknown = || ApiError::not_found("session");
    let session: SessionId = id.parse().map_err(|_| unknown())?;
    let change = UserChange::SignOut {
        user: person.user.id,
        session,
    };
    let Outcome::Done = session::apply(&api, change).await? else {
        return Err(unknown());
    };
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Changes one's password, and signs out in all other browsers.
#[utoipa::path(
    post,
    path = "/ui/v1/password",
    operation_id = "uiChangePassword",
    tag = "pages",
    security(("session" = [])),
    request_body = PasswordIn<'_>,
    responses((status = 204, description = "It is changed")),
)]
pub(crate) async fn change_password(
    State(api): State<Arc<ApiState>>,
    person: Person,
    peer: Peer,
    body: ReadBody,
) -> Result<Response, ApiError> {
    let bytes = body::bytes(body, api.limits.body_bytes)?;
    let given: PasswordIn<'_> = body::parse(&bytes, &mut Vec::new())?;
    // Who found an open browser does not get to guess either.
    attempt(&api, &person.user.email, &peer)?;
    let hash = person.user.password.as_ref();
    if !api.ui.passwords.fits(given.current.as_str(), hash).await? {
        return Err(ApiError::field(&["current"], "is not your password"));
    }
    let email = &person.user.email;
    api.ui.attempts.lock().succeeded(email, peer.0);
    let password = chosen(&api, given.new.as_str(), &person.user, "new").await?;
    let change = UserChange::Password {
        project: person.user.project,
        user: person.user.id,
        password,
        keep: Some(person.session.id),
        at: api.engine.now(),
    };
    let Outcome::Done = session::apply_by(&api, person.actor(), change).await? else {
        return Err(ApiError::signed_out());
    };
    Ok(StatusCode::NO_CONTENT.into_response())
}
