//! `/ui/v1`: what the pages need beside `/v1`: who is signed in, users, and pushes (R-SEC).
//!
//! Reading order: `session` (cookie, CSRF, who asks), `login`, `account`, `users`, `push`; then
//! `assets`, which serves the pages themselves. The pages call `/v1` too: a session opens it with
//! the scopes of its user's role ([`crate::auth`]).

mod account;
mod assets;
mod attempts;
mod login;
mod passwords;
pub(crate) mod push;
mod ring;
pub(crate) mod session;
mod token;
mod users;
mod waiting;

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use parking_lot::Mutex;
use utoipa_axum::router::OpenApiRouter;

use crate::ApiState;
use attempts::Attempts;
use passwords::Passwords;
pub use push::{Note, PushRules, Pusher};
pub use ring::ring_for_waiting;
pub use users::{LINK_LASTS, password_link};

/// What the pages' side of the API holds between requests.
pub struct Ui {
    passwords: Passwords,
    attempts: Mutex<Attempts>,
    pusher: Pusher,
}

impl Ui {
    /// With this way to ring browsers.
    pub fn new(pusher: Pusher) -> Self {
        Self {
            passwords: Passwords::default(),
            attempts: Mutex::default(),
            pusher,
        }
    }
}

/// Every path under `/ui/v1`.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    login::router()
        .merge(account::router())
        .merge(users::router())
        .merge(push::router())
        .merge(waiting::router())
}

/// The pages themselves.
pub(crate) fn pages() -> Router<Arc<ApiState>> {
    assets::router()
}

/// What `/ui/v1` answers is of one person at one moment: nobody keeps it.
pub(crate) async fn uncached(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
