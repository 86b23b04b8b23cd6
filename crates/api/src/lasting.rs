//! Does what opened a stream still open it? A request is let in once, and a stream lasts an hour: whose
//! session ended, who was disabled, and whose key was revoked must hear no more of it (R-SEC).

use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use ports::store::Unavailable;
use tokio::time::Instant;

use crate::ui::session;
use crate::{ApiState, auth};

/// How often it is looked: one read by a key of the store, so that hundreds of streams cost little.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// What opened a stream, as the store knows it.
#[derive(Debug, Clone, Copy)]
enum Opened {
    BySession([u8; 32]),
    ByKey([u8; 32]),
}

/// What opened a stream, and when it is to be looked at again.
#[derive(Debug)]
pub(crate) struct Lasting {
    opened: Option<Opened>,
    look_at: Instant,
}

impl Lasting {
    /// What this request to `/v1` brings, which was let in just now: a key comes before a cookie.
    pub(crate) fn of(api: &ApiState, headers: &HeaderMap) -> Self {
        if headers.contains_key(AUTHORIZATION) {
            Self::new(auth::hash_in(headers).map(Opened::ByKey))
        } else {
            Self::of_session(api, headers)
        }
    }

    /// The session of this request, which was let in just now by that alone.
    pub(crate) fn of_session(api: &ApiState, headers: &HeaderMap) -> Self {
        Self::new(session::hash(api, headers).map(Opened::BySession))
    }

    fn new(opened: Option<Opened>) -> Self {
        Self {
            opened,
            look_at: Instant::now() + LOOK_EVERY,
        }
    }

    /// When it is to be looked at again.
    pub(crate) const fn look_at(&self) -> Instant {
        self.look_at
    }

    /// Whether it still opens; looks only when it is time to.
    pub(crate) async fn stands(&mut self, api: &ApiState) -> Result<bool, Unavailable> {
        if Instant::now() < self.look_at {
            return Ok(true);
        }
        self.look_at = Instant::now() + LOOK_EVERY;
        match self.opened {
            Some(Opened::BySession(hash)) => session::stands(api, hash).await,
            Some(Opened::ByKey(hash)) => api.keys.stands(hash, api.engine.store()).await,
            None => Ok(false),
        }
    }
}
