//! `/ui/v1`: what the pages need beside `/v1`: who is signed in, users, and pushes (R-SEC).
//!
//! Reading order: `session` (cookie, CSRF, who asks), `login`, `account`, `users`, `push`; then
//! `assets`, which serves the pages themselves. The pages call `/v1` too: a session opens it with
//! the scopes of its user's role ([`crate::auth`]).

mod account;
mod assets;
mod attempts;
mod login;
mod nudges;
mod passwords;
pub(crate) mod push;
mod ring;
pub(crate) mod session;
mod token;
mod unread;
mod users;
mod waiting;

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use domain::ids::ProjectKey;
use parking_lot::Mutex;
use utoipa_axum::router::OpenApiRouter;

use crate::ApiState;
use attempts::Attempts;
pub(crate) use nudges::Nudge;
use nudges::Nudges;
use passwords::Passwords;
pub use push::{Note, PushRules, Pusher};
pub use ring::ring_for_waiting;
pub use users::{LINK_LASTS, password_link};

/// What the pages' side of the API holds between requests.
pub struct Ui {
    passwords: Passwords,
    attempts: Mutex<Attempts>,
    pusher: Pusher,
    nudges: Nudges,
}

impl Ui {
    /// With this way to ring browsers.
    pub fn new(pusher: Pusher) -> Self {
        Self {
            passwords: Passwords::default(),
            attempts: Mutex::default(),
            pusher,
            nudges: Nudges::default(),
        }
    }

    /// Tells the pages of a project that somebody changed what they show.
    pub(crate) fn tell(&self, project: ProjectKey, nudge: Nudge) {
        self.nudges.tell(project, nudge);
    }
}

/// Every path under `/ui/v1`.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    login::router()
        .merge(account::router())
        .merge(users::router())
        .merge(push::router())
        .merge(waiting::router())
        .merge(unread::router())
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
