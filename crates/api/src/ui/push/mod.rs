//! Web Push: ringing a phone that has the web app (R-PHONE-2). No vendor of ours is in between: the
//! browser's own push service carries a sealed note (RFC 8030, 8291, 8292).
//!
//! A note holds no personal data: it is shown on locked screens.

mod letter;
mod resource;
mod vapid;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ids::{ProjectKey, UserId};
use engine::Engine;
use futures_util::StreamExt as _;
use futures_util::stream;
use ports::courier::{Courier, PostRequest};
use ports::store::Op;
use ports::store::users::{PushSubscription, UserChange};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use url::Url;

use crate::error::ApiError;
use letter::NotSealed;
pub(crate) use resource::router;
use vapid::Vapid;

/// How long a push service keeps a note for a phone that is off, in seconds.
const TTL_SECONDS: u32 = 3_600;
/// How long a push service may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Browsers that are rung at once.
const AT_ONCE: usize = 8;
/// Longest URL of a push service.
const ENDPOINT_BYTES: usize = 2_048;
/// Longest topic that push services take.
const TOPIC_CHARS: usize = 32;

/// Where pushes may go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PushRules {
    /// How the pages are reached from outside, without a slash at the end; empty where nobody said.
    pub public_url: String,
    /// Also to push services without TLS: for tests.
    pub allow_http: bool,
}

/// What is told: shown on locked screens, so nothing personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// In a few words.
    pub title: String,
    /// A little more.
    pub body: String,
    /// The page that a tap opens, behind the `#`: `/waiting/msg_…`.
    pub page: String,
    /// A later note of the same topic takes the place of an earlier one.
    pub topic: String,
}

impl Note {
    /// A message waits for somebody's phone (R-PHONE-2).
    pub fn waiting(message: &str) -> Self {
        Self {
            title: "A message is waiting".to_owned(),
            body: "Open it to send it from your phone.".to_owned(),
            page: format!("/waiting/{message}"),
            topic: message.to_owned(),
        }
    }

    /// In the form of declarative pushes, which also our own pages read.
    fn to_json(&self, public_url: &str) -> Value {
        let mut note = json!({
            "page": self.page,
            "notification": {
                "title": self.title,
                "body": self.body,
                "tag": self.topic,
            },
        });
        if public_url.starts_with("https://") {
            // Shown without a script where the browser can; it wants a whole URL.
            note["web_push"] = json!(8_030);
            note["notification"]["navigate"] = json!(format!("{public_url}/#{}", self.page));
        }
        note
    }
}

/// Rings browsers. Cheap to clone.
#[derive(Clone)]
pub struct Pusher(Arc<Inner>);

struct Inner {
    courier: Arc<dyn Courier>,
    rules: PushRules,
    vapid: OnceCell<Vapid>,
}

impl Pusher {
    /// Rings by this courier.
    pub fn new(courier: Arc<dyn Courier>, rules: PushRules) -> Self {
        Self(Arc::new(Inner {
            courier,
            rules,
            vapid: OnceCell::new(),
        }))
    }

    /// Tells the users of a project, or one of them, in every browser where they want to be told.
    /// How many took it. A browser that is gone is forgotten; what does not arrive is not repeated.
    pub async fn tell(
        &self,
        engine: &Engine,
        project: ProjectKey,
        user: Option<UserId>,
        note: &Note,
    ) -> usize {
        let told = self.try_to_tell(engine, project, user, note).await;
        told.unwrap_or_default()
    }

    async fn try_to_tell(
        &self,
        engine: &Engine,
        project: ProjectKey,
        user: Option<UserId>,
        note: &Note,
    ) -> Result<usize, ApiError> {
        let store = engine.store();
        let found = store
            .push_subscriptions(project, user, engine.now())
            .await?;
        if found.is_empty() {
            return Ok(0);
        }
        let vapid = self.vapid(engine).await?;
        let text = note.to_json(&self.0.rules.public_url).to_string();
        let topic: String = note.topic.chars().take(TOPIC_CHARS).collect();
        let (text, topic) = (text.as_str(), topic.as_str());
        let rung = stream::iter(found)
            .map(|it| async move { self.ring(engine, vapid, &it, text, topic).await })
            .buffer_unordered(AT_ONCE);
        let taken = rung.filter(|it| std::future::ready(*it));
        Ok(taken.count().await)
    }

    /// Rings one browser; whether its push service took it.
    async fn ring(
        &self,
        engine: &Engine,
        vapid: &Vapid,
        subscription: &PushSubscription,
        text: &str,
        topic: &str,
    ) -> bool {
        let now = engine.now();
        let Some(request) = self.request(vapid, subscription, text, topic, now) else {
            return false;
        };
        let class = match self.0.courier.post(request).await {
            Ok(200..=299) => "taken",
            // The browser took its subscription back, or is no more.
            Ok(404 | 410) => {
                let gone = UserChange::Unsubscribe {
                    user: None,
                    endpoint: subscription.endpoint.clone(),
                };
                if let Err(error) = engine.apply(Op::User(Box::new(gone))).await {
                    tracing::warn!(%error, "a browser that is gone was not forgotten");
                }
                "gone"
            }
            Ok(status) => {
                tracing::warn!(status, "a push service refused");
                "refused"
            }
            Err(error) => {
                tracing::warn!(%error, "a push service was not reached");
                "unreachable"
            }
        };
        metrics::counter!("tandem_pushes_total", "class" => class).increment(1);
        class == "taken"
    }

    fn request(
        &self,
        vapid: &Vapid,
        subscription: &PushSubscription,
        text: &str,
        topic: &str,
        now: domain::time::Timestamp,
    ) -> Option<PostRequest> {
        let url = self.endpoint(&subscription.endpoint)?;
        let (browser, auth) = keys(&subscription.p256dh, &subscription.auth)?;
        let body = letter::seal(&browser, &auth, text.as_bytes());
        let body = body
            .inspect_err(|NotSealed| tracing::warn!("a note could not be sealed"))
            .ok()?;
        let authorization = vapid.authorization(&url, &self.0.rules.public_url, now)?;
        Some(PostRequest {
            url: subscription.endpoint.clone(),
            headers: vec![
                ("authorization", authorization),
                ("content-encoding", "aes128gcm".to_owned()),
                ("content-type", "application/octet-stream".to_owned()),
                ("ttl", TTL_SECONDS.to_string()),
                ("urgency", "high".to_owned()),
                ("topic", topic.to_owned()),
            ],
            body,
            timeout: TIMEOUT,
        })
    }

    async fn vapid(&self, engine: &Engine) -> Result<&Vapid, ApiError> {
        self.0.vapid.get_or_try_init(|| Vapid::load(engine)).await
    }

    /// The URL, where a push service may have it. Whether it leads behind our wall is judged by the
    /// courier, when it connects (R-SEC).
    fn endpoint(&self, text: &str) -> Option<Url> {
        let url = Url::parse(text).ok()?;
        let is_secure = url.scheme() == "https";
        let good = is_secure || (self.0.rules.allow_http && url.scheme() == "http");
        let plain = url.username().is_empty() && url.password().is_none();
        (good && plain && text.len() <= ENDPOINT_BYTES).then_some(url)
    }
}

/// The keys of a browser, as bytes.
fn keys(p256dh: &str, auth: &str) -> Option<([u8; letter::PUBLIC_KEY], [u8; letter::AUTH])> {
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
    Some((
        bytes(p256dh)?.try_into().ok()?,
        bytes(auth)?.try_into().ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_declarative_where_the_pages_have_a_public_address() {
        let note = Note::waiting("msg_1");
        let public = note.to_json("https://msg.example.com");
        assert_eq!(public["web_push"], 8_030);
        let page = "https://msg.example.com/#/waiting/msg_1";
        assert_eq!(public["notification"]["navigate"], page);
        for url in ["", "http://127.0.0.1:8080"] {
            let local = note.to_json(url);
            assert_eq!(local.get("web_push"), None);
            assert_eq!(local["page"], "/waiting/msg_1");
        }
    }

    #[test]
    fn the_keys_of_a_browser_are_read_with_and_without_padding() {
        let (p256dh, auth) = (URL_SAFE_NO_PAD.encode([4; 65]), "AAAAAAAAAAAAAAAAAAAAAA");
        assert!(keys(&p256dh, auth).is_some());
        assert!(keys(&p256dh, &format!("{auth}==")).is_some());
        assert!(keys(auth, auth).is_none());
        assert!(keys(&p256dh, "ä").is_none());
    }
}
