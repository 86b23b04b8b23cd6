//! `/ui/v1/users`: who works in this project? (R-SEC)

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::ids::UserId;
use domain::model::user::{self, Role};
use domain::time::{Millis, Timestamp};
use ports::store::Outcome;
use ports::store::users::{UserChange, UserEdit, UserOutcome, UserRecord};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::session::{self, Person};
use super::token;
use crate::auth::hash_key;
use crate::body::{self, ReadBody, Text};
use crate::error::{ApiError, ErrorCode, Problems};
use crate::json::{Iso, Shown};
use crate::path::InPath;
use crate::{ApiState, json, schema};

/// How long a link to choose a password works.
pub const LINK_LASTS: Millis = Millis::days(3);
/// Most characters of a name.
const NAME_CHARS: usize = 100;

/// The paths of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(edit, delete))
        .routes(routes!(link))
}

/// A user.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = User)]
pub(super) struct UserOut<'a> {
    #[schema(value_type = String, example = "usr_0sa7yzjpg0001")]
    id: Shown<UserId>,
    email: &'a str,
    name: &'a str,
    #[schema(schema_with = schema::role)]
    role: &'static str,
    /// Whether they may not sign in any more.
    is_disabled: bool,
    /// Whether they chose a password yet.
    has_password: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Iso,
}

impl<'a> UserOut<'a> {
    pub(super) fn of(user: &'a UserRecord) -> Self {
        Self {
            id: Shown(user.id),
            email: &user.email,
            name: &user.name,
            role: user.role.code(),
            is_disabled: user.disabled_at.is_some(),
            has_password: user.password.is_some(),
            created_at: Iso(user.created_at),
        }
    }
}

/// All users of the project.
#[derive(Serialize, ToSchema)]
#[schema(as = Users)]
struct UsersOut<'a> {
    items: Vec<UserOut<'a>>,
}

/// A new user.
#[derive(Deserialize, ToSchema)]
#[schema(as = CreateUser)]
struct CreateIn<'a> {
    #[serde(borrow)]
    #[schema(value_type = String)]
    email: Text<'a>,
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 100)]
    name: Text<'a>,
    #[serde(borrow)]
    #[schema(schema_with = schema::role)]
    role: Text<'a>,
}

/// What changes of a user.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EditUser)]
struct EditIn<'a> {
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 100)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    #[schema(schema_with = schema::role, required = false)]
    role: Option<Text<'a>>,
    /// Whether they may not sign in any more; who is disabled is signed out everywhere.
    is_disabled: Option<bool>,
}

/// A user and the link by which they choose their password.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UserWithLink)]
struct WithLinkOut<'a> {
    user: UserOut<'a>,
    /// Shown once; to be given to them by a way that nobody else reads.
    link: String,
    #[schema(value_type = String, format = DateTime)]
    link_expires_at: Iso,
}

/// Where a link to choose a password leads. Behind the `#`, so that no server logs it.
pub fn password_link(base: &str, token: &str) -> String {
    format!("{base}/#/welcome/{token}")
}

fn role_of(text: &Text<'_>, problems: &mut Problems) -> Option<Role> {
    let role = Role::from_code(text.as_str());
    if role.is_none() {
        problems.add(&["role"], "must be one of owner, admin, agent");
    }
    role
}

fn name_of(text: &Text<'_>, problems: &mut Problems) -> Box<str> {
    let name = text.as_str().trim();
    let length = name.chars().count();
    if length == 0 || length > NAME_CHARS || name.chars().any(char::is_control) {
        problems.add(&["name"], "must have 1 to 100 characters");
    }
    name.into()
}

fn refused(outcome: &Outcome) -> ApiError {
    let conflict = |words| ApiError::new(StatusCode::CONFLICT, ErrorCode::Conflict, words);
    let Outcome::User(outcome) = outcome else {
        return ApiError::not_found("user");
    };
    let error = match outcome {
        UserOutcome::EmailTaken => {
            conflict("Somebody has that e-mail address already").with_field(&["email"], "is taken")
        }
        UserOutcome::LastOwner => {
            conflict("This is the last owner: make somebody else an owner first")
        }
        UserOutcome::LinkUsed(_) => ApiError::internal("a link was used where none was given"),
    };
    error.should_retry(false)
}

/// Makes a change in this person's name, or says why it was not made.
async fn done(api: &ApiState, person: &Person, change: UserChange) -> Result<(), ApiError> {
    let outcome = session::apply_by(api, person.actor(), change).await?;
    let Outcome::Done = outcome else {
        return Err(refused(&outcome));
    };
    Ok(())
}

/// A user of the asker's project whom they may manage.
async fn managed(api: &ApiState, person: &Person, id: &str) -> Result<UserRecord, ApiError> {
    person.may_manage(Role::Agent)?;
    let unknown = || ApiError::not_found("user");
    let id: UserId = id.parse().map_err(|_| unknown())?;
    let found = api.engine.store().user(id).await?;
    let user = found.filter(|it| it.project == person.user.project);
    let user = user.ok_or_else(unknown)?;
    person.may_manage(user.role)?;
    Ok(user)
}

async fn with_link(
    api: &ApiState,
    person: &Person,
    user: &UserRecord,
    status: StatusCode,
) -> Result<Response, ApiError> {
    let token = token::fresh()?;
    let expires_at: Timestamp = api.engine.now().plus(LINK_LASTS);
    let change = UserChange::Link {
        project: user.project,
        user: user.id,
        hash: hash_key(&token),
        expires_at,
    };
    done(api, person, change).await?;
    let answer = WithLinkOut {
        user: UserOut::of(user),
        link: password_link(&api.public_url, &token),
        link_expires_at: Iso(expires_at),
    };
    Ok(json::response(status, &answer))
}

/// Lists the project's users, oldest first. For owners and admins.
#[utoipa::path(
    get,
    path = "/ui/v1/users",
    operation_id = "uiListUsers",
    tag = "pages",
    security(("session" = [])),
    responses((status = 200, description = "All of them", body = UsersOut<'_>)),
)]
pub(crate) async fn list(
    State(api): State<Arc<ApiState>>,
    person: Person,
) -> Result<Response, ApiError> {
    person.may_manage(Role::Agent)?;
    let users = api.engine.store().users(person.user.project).await?;
    let answer = UsersOut {
        items: users.iter().map(UserOut::of).collect(),
    };
    Ok(json::response(StatusCode::OK, &answer))
}

/// Adds a user, and gives a link by which they choose their password. For owners; admins add admins
/// and agents.
#[utoipa::path(
    post,
    path = "/ui/v1/users",
    operation_id = "uiCreateUser",
    tag = "pages",
    security(("session" = [])),
    request_body = CreateIn<'_>,
    responses((status = 201, description = "The user", body = WithLinkOut<'_>)),
)]
pub(crate) async fn create(
    State(api): State<Arc<ApiState>>,
    person: Person,
    body: ReadBody,
) -> Result<Response, ApiError> {
    person.may_manage(Role::Agent)?;
    let bytes = body::bytes(body, api.limits.body_bytes)?;
    let given: CreateIn<'_> = body::parse(&bytes, &mut Vec::new())?;
    let mut problems = Problems::default();
    let email = user::email(given.email.as_str());
    if email.is_none() {
        problems.add(&["email"], "must be an e-mail address");
    }
    let name = name_of(&given.name, &mut problems);
    let role = role_of(&given.role, &mut problems);
    problems.finish()?;
    let role = role.unwrap_or(Role::Agent);
    person.may_manage(role)?;
    let now = api.engine.now();
    let user = UserRecord {
        id: UserId::from_key(token::fresh_key(now)?),
        project: person.user.project,
        email: email.unwrap_or_default(),
        name,
        role,
        password: None,
        created_at: now,
        updated_at: now,
        disabled_at: None,
    };
    done(&api, &person, UserChange::Create(user.clone())).await?;
    with_link(&api, &person, &user, StatusCode::CREATED).await
}

/// Changes a user's name or role, or whether they may sign in.
#[utoipa::path(
    patch,
    path = "/ui/v1/users/{id}",
    operation_id = "uiEditUser",
    tag = "pages",
    security(("session" = [])),
    params(("id" = String, Path, description = "The user, usr_…")),
    request_body = EditIn<'_>,
    responses((status = 200, description = "The user as they are now", body = UserOut<'_>)),
)]
pub(crate) async fn edit(
    State(api): State<Arc<ApiState>>,
    person: Person,
    InPath(id): InPath<String>,
    body: ReadBody,
) -> Result<Response, ApiError> {
    let user = managed(&api, &person, &id).await?;
    let bytes = body::bytes(body, api.limits.body_bytes)?;
    let given: EditIn<'_> = body::parse(&bytes, &mut Vec::new())?;
    let mut problems = Problems::default();
    let name = given.name.as_ref().map(|it| name_of(it, &mut problems));
    let role = given
        .role
        .as_ref()
        .and_then(|it| role_of(it, &mut problems));
    problems.finish()?;
    person.may_manage(role.unwrap_or(user.role))?;
    let change = UserChange::Edit(UserEdit {
        project: user.project,
        id: user.id,
        name,
        role,
        is_disabled: given.is_disabled,
        at: api.engine.now(),
    });
    done(&api, &person, change).await?;
    let user = api.engine.store().user(user.id).await?;
    let user = user.ok_or_else(|| ApiError::not_found("user"))?;
    Ok(json::response(StatusCode::OK, &UserOut::of(&user)))
}

/// Removes a user and signs them out everywhere.
#[utoipa::path(
    delete,
    path = "/ui/v1/users/{id}",
    operation_id = "uiDeleteUser",
    tag = "pages",
    security(("session" = [])),
    params(("id" = String, Path, description = "The user, usr_…")),
    responses((status = 204, description = "They are gone")),
)]
pub(crate) async fn delete(
    State(api): State<Arc<ApiState>>,
    person: Person,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    let user = managed(&api, &person, &id).await?;
    let change = UserChange::Delete {
        project: user.project,
        id: user.id,
    };
    done(&api, &person, change).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Gives a user a new link by which they choose a password; an earlier one works no more.
#[utoipa::path(
    post,
    path = "/ui/v1/users/{id}/link",
    operation_id = "uiCreateUserLink",
    tag = "pages",
    security(("session" = [])),
    params(("id" = String, Path, description = "The user, usr_…")),
    responses((status = 201, description = "The link", body = WithLinkOut<'_>)),
)]
pub(crate) async fn link(
    State(api): State<Arc<ApiState>>,
    person: Person,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    let user = managed(&api, &person, &id).await?;
    with_link(&api, &person, &user, StatusCode::CREATED).await
}
