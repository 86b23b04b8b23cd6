//! `/ui/v1/push`: does this browser want to be rung?

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ports::store::Outcome;
use ports::store::users::{PushSubscription, UserChange};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Note, keys};
use crate::body::{self, ReadBody, Text};
use crate::error::{ApiError, Problems};
use crate::ui::session::{self, Person};
use crate::{ApiState, json};

/// The paths of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(key))
        .routes(routes!(subscribe, unsubscribe))
        .routes(routes!(test))
}

/// The key that a browser subscribes with.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PushKey)]
struct KeyOut {
    /// VAPID, base 64 for URLs.
    public_key: String,
}

/// A browser's subscription, as `PushSubscription.toJSON()` gives it.
#[derive(Deserialize, ToSchema)]
#[schema(as = PushSubscription)]
struct SubscriptionIn<'a> {
    /// The URL at the browser's push service.
    #[serde(borrow)]
    #[schema(value_type = String)]
    endpoint: Text<'a>,
    #[serde(borrow)]
    keys: KeysIn<'a>,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = PushSubscriptionKeys)]
struct KeysIn<'a> {
    #[serde(borrow)]
    #[schema(value_type = String)]
    p256dh: Text<'a>,
    #[serde(borrow)]
    #[schema(value_type = String)]
    auth: Text<'a>,
}

/// Which subscription goes.
#[derive(Deserialize, ToSchema)]
#[schema(as = PushEndpoint)]
struct EndpointIn<'a> {
    #[serde(borrow)]
    #[schema(value_type = String)]
    endpoint: Text<'a>,
}

/// What became of a test.
#[derive(Serialize, ToSchema)]
#[schema(as = PushTest)]
struct TestOut {
    /// How many browsers' push services took it.
    sent: usize,
}

/// The public key of pushes, made at first use.
#[utoipa::path(
    get,
    path = "/ui/v1/push/key",
    operation_id = "uiGetPushKey",
    tag = "pages",
    security(("session" = [])),
    responses((status = 200, description = "The key", body = KeyOut)),
)]
pub(crate) async fn key(
    State(api): State<Arc<ApiState>>,
    _person: Person,
) -> Result<Response, ApiError> {
    let public_key = api.ui.pusher.vapid(&api.engine).await?.public();
    Ok(json::response(StatusCode::OK, &KeyOut { public_key }))
}

/// Rings this browser from now on when something waits; until its session ends.
#[utoipa::path(
    put,
    path = "/ui/v1/push/subscription",
    operation_id = "uiSubscribePush",
    tag = "pages",
    security(("session" = [])),
    request_body = SubscriptionIn<'_>,
    responses((status = 204, description = "It is kept")),
)]
pub(crate) async fn subscribe(
    State(api): State<Arc<ApiState>>,
    person: Person,
    body: ReadBody,
) -> Result<Response, ApiError> {
    let bytes = body::bytes(body, api.limits.body_bytes)?;
    let given: SubscriptionIn<'_> = body::parse(&bytes, &mut Vec::new())?;
    let (p256dh, auth) = (given.keys.p256dh.as_str(), given.keys.auth.as_str());
    let mut problems = Problems::default();
    if api.ui.pusher.endpoint(given.endpoint.as_str()).is_none() {
        problems.add(&["endpoint"], "must be an https URL of a push service");
    }
    if keys(p256dh, auth).is_none() {
        problems.add(&["keys"], "must be a browser's keys, base 64");
    }
    problems.finish()?;
    let change = UserChange::Subscribe(PushSubscription {
        endpoint: given.endpoint.as_str().into(),
        user: person.user.id,
        session: person.session.id,
        p256dh: p256dh.into(),
        auth: auth.into(),
        created_at: api.engine.now(),
    });
    let Outcome::Done = session::apply(&api, change).await? else {
        return Err(ApiError::signed_out());
    };
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Rings this browser no more.
#[utoipa::path(
    delete,
    path = "/ui/v1/push/subscription",
    operation_id = "uiUnsubscribePush",
    tag = "pages",
    security(("session" = [])),
    request_body = EndpointIn<'_>,
    responses((status = 204, description = "It is forgotten, or was not known")),
)]
pub(crate) async fn unsubscribe(
    State(api): State<Arc<ApiState>>,
    person: Person,
    body: ReadBody,
) -> Result<Response, ApiError> {
    let bytes = body::bytes(body, api.limits.body_bytes)?;
    let given: EndpointIn<'_> = body::parse(&bytes, &mut Vec::new())?;
    let change = UserChange::Unsubscribe {
        user: Some(person.user.id),
        endpoint: given.endpoint.as_str().into(),
    };
    session::apply(&api, change).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Rings all of one's own browsers, to see that it works.
#[utoipa::path(
    post,
    path = "/ui/v1/push/test",
    operation_id = "uiTestPush",
    tag = "pages",
    security(("session" = [])),
    responses((status = 200, description = "How many were rung", body = TestOut)),
)]
pub(crate) async fn test(
    State(api): State<Arc<ApiState>>,
    person: Person,
) -> Result<Response, ApiError> {
    let note = Note {
        title: "This is a test".to_owned(),
        body: "Notifications reach this phone.".to_owned(),
        page: "/phones".to_owned(),
        topic: "test".to_owned(),
    };
    let (project, user) = (person.user.project, Some(person.user.id));
    let pusher = &api.ui.pusher;
    let sent = pusher
        .try_to_tell(&api.engine, project, user, &note)
        .await?;
    Ok(json::response(StatusCode::OK, &TestOut { sent }))
}
