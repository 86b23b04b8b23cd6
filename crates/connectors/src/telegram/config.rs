//! What an operator can set for a Telegram route.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::time::Millis;
use ring::hmac;

/// How messages that people write reach us. Telegram allows one of the two at a time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Updates {
    /// Telegram calls our hook.
    #[default]
    Webhook,
    /// We ask for them, over and over: for machines without a public URL.
    Polling,
}

/// Settings of a Telegram route.
#[derive(Clone, PartialEq, Eq)]
pub struct TelegramConfig {
    /// The bot's token, as `@BotFather` gives it: a number, a colon, letters.
    pub bot_token: String,
    /// What Telegram must send along with each call: 1 to 256 of `A-Za-z0-9_-`. `None` makes one
    /// from the token, which is enough where we register the hook ourselves.
    pub secret_token: Option<String>,
    /// Where the Bot API is, without a slash at the end; a server of your own is fine.
    pub base_url: String,
    /// How messages that people write reach us.
    pub updates: Updates,
    /// The hook's public URL, registered at Telegram when the route starts. `None` leaves the
    /// registration as it is.
    pub callback_url: Option<String>,
    /// Requests under way at a time, at least 1.
    pub window: u16,
    /// How long the answer to a request may take before its outcome counts as unknown (R-ROUTE-5).
    pub timeout: Millis,
}

impl Default for TelegramConfig {
    fn default() -> Self {
        Self {
            bot_token: String::new(),
            secret_token: None,
            base_url: "https://api.telegram.org".to_owned(),
            updates: Updates::default(),
            callback_url: None,
            window: 8,
            timeout: Millis::seconds(30),
        }
    }
}

impl TelegramConfig {
    /// The URL of a method.
    pub(super) fn method(&self, name: &str) -> String {
        format!("{}/bot{}/{name}", self.base(), self.bot_token)
    }

    /// The URL of a file by the path that `getFile` gave.
    pub(super) fn file(&self, path: &str) -> String {
        format!("{}/file/bot{}/{path}", self.base(), self.bot_token)
    }

    /// The bot's id, which is our address: what stands before the token's colon.
    pub(super) fn bot_id(&self) -> &str {
        self.bot_token.split(':').next().unwrap_or_default()
    }

    /// The secret that each call must carry.
    pub(super) fn secret(&self) -> String {
        self.secret_token.clone().unwrap_or_else(|| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, self.bot_token.as_bytes());
            URL_SAFE_NO_PAD.encode(hmac::sign(&key, b"secret of the hook"))
        })
    }

    fn base(&self) -> &str {
        self.base_url.trim_end_matches('/')
    }
}

impl fmt::Debug for TelegramConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelegramConfig")
            .field("bot", &self.bot_id())
            .field("base_url", &self.base_url)
            .field("updates", &self.updates)
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_the_operators_or_made_from_the_token_and_never_the_token() {
        let mut config = TelegramConfig {
            bot_token: "42:secret-part".into(),
            ..TelegramConfig::default()
        };
        let made = config.secret();
        assert_eq!(made, config.secret());
        assert!(!made.contains("secret-part"));
        assert!((32..=256).contains(&made.len()));
        assert!(
            made.bytes()
                .all(|it| it.is_ascii_alphanumeric() || b"_-".contains(&it))
        );
        config.secret_token = Some("mine".into());
        assert_eq!(config.secret(), "mine");
    }

    #[test]
    fn debug_output_holds_no_token() {
        let config = TelegramConfig {
            bot_token: "42:secret-part".into(),
            secret_token: Some("hook-secret".into()),
            ..TelegramConfig::default()
        };
        let shown = format!("{config:?}");
        assert!(shown.contains("42"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }
}
