//! Asks Telegram for updates, over and over, where it cannot call us.
//!
//! Asking from an offset on tells Telegram that everything before it may be forgotten. So the offset
//! moves only after all that was told is kept; what is told twice since then, the engine knows.

use std::sync::Arc;
use std::time::Duration;

use ports::connector::RouteEvents;
use ports::hooks::HookAnswer;
use rand::RngExt;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::bot::Bot;
use super::codes;
use super::inbound::ALLOWED_UPDATES;
use crate::web::client::{NoAnswer, Transport};
use crate::web::hear::hear;
use crate::web::protocol::{Callback, Request};

/// Updates that one answer may bring.
const LIMIT: usize = 100;
/// Bytes that they may have.
const BODY_MAX: usize = 16 * 1024 * 1024;
/// The longest that Telegram may wait for something to tell.
const WAIT_MAX: i64 = 25;
/// How much sooner than the patience with an answer ends.
const MARGIN: i64 = 5;
/// The first wait after a failure; doubles to [`RETRY_MAX`], with jitter.
const RETRY_MIN: Duration = Duration::from_secs(1);
/// The longest.
const RETRY_MAX: Duration = Duration::from_mins(1);

pub(super) struct Polling {
    pub(super) bot: Arc<Bot>,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) events: Arc<dyn RouteEvents>,
    /// Whether the route is in use. Only one may poll for a bot, so that it is left to others while
    /// it is not; Telegram keeps updates for a day.
    pub(super) in_use: watch::Receiver<bool>,
}

impl Polling {
    /// Asks until it is cancelled.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut offset = None;
        let mut failures = 0_u32;
        let mut in_use = self.in_use.clone();
        loop {
            tokio::select! {
                // Without a source there is no route any more.
                used = self.in_use.wait_for(|it| *it) => if used.is_err() { return },
                () = stop.cancelled() => return,
            }
            let turn = tokio::select! {
                turn = self.turn(offset) => turn,
                // What it brings is brought again: it is asked for from the same offset.
                Ok(_) = in_use.wait_for(|it| !it) => continue,
                () = stop.cancelled() => return,
            };
            match turn {
                Ok(next) => {
                    failures = 0;
                    offset = next.or(offset);
                    continue;
                }
                Err(why) => {
                    tracing::warn!(%why, "no updates from Telegram");
                    failures = failures.saturating_add(1);
                }
            }
            let most = RETRY_MAX.min(RETRY_MIN * (1 << failures.saturating_sub(1).min(16)));
            let wait = most.mul_f64(rand::rng().random_range(0.5..1.0));
            tokio::select! {
                () = sleep(wait) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Asks once and has what came kept; gives where to go on.
    async fn turn(&self, offset: Option<i64>) -> Result<Option<i64>, Box<str>> {
        let request = self.request(offset);
        let answer = self.transport.exchange(request, BODY_MAX).await;
        let answer = answer.map_err(|it| match it {
            NoAnswer::NotSent(why) | NoAnswer::Unknown(why) => why,
        })?;
        let result = codes::result(&answer)
            .map_err(|it| format!("Telegram says {}: {}", it.code, it.text))?;
        let Value::Array(updates) = result else {
            return Err("Telegram's answer is not a list".into());
        };
        let updates: Vec<_> = updates.iter().map(|it| self.bot.update(it)).collect();
        if updates.is_empty() {
            return Ok(None);
        }
        let next = updates.iter().filter_map(|it| it.id).max();
        let next = next.ok_or("Telegram's updates have no numbers")?;
        let mut pressed = Vec::new();
        let mut tellings = Vec::new();
        for update in updates {
            pressed.extend(update.pressed);
            tellings.extend(update.telling);
        }
        let kept = hear(
            Callback::Tells(tellings, HookAnswer::empty(200)),
            &*self.events,
        );
        if kept.await.status != 200 {
            return Err("what Telegram told could not be kept".into());
        }
        for id in pressed {
            let answer = json!({"callback_query_id": id});
            let stop_spinning = self.bot.call("answerCallbackQuery", answer);
            // Of no consequence: it stops by itself after a while.
            drop(self.transport.ask(stop_spinning).await);
        }
        Ok(Some(next.saturating_add(1)))
    }

    fn request(&self, offset: Option<i64>) -> Request {
        let patience = self.bot.config.timeout.get() / 1_000;
        let mut fields = json!({
            "timeout": (patience - MARGIN).clamp(0, WAIT_MAX),
            "limit": LIMIT,
            "allowed_updates": ALLOWED_UPDATES,
        });
        if let Some(offset) = offset {
            fields["offset"] = offset.into();
        }
        self.bot.call("getUpdates", fields)
    }
}

#[cfg(test)]
#[path = "polling_tests.rs"]
mod tests;
