//! What an operator can set for a Twilio route.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::model::money::Currency;
use domain::time::Millis;

/// Which of Twilio's channels a route carries.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum TwilioChannel {
    /// Text messages, and MMS where the route carries media.
    #[default]
    Sms,
    /// WhatsApp.
    WhatsApp,
}

impl TwilioChannel {
    /// What stands before an address on this channel.
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Sms => "",
            Self::WhatsApp => "whatsapp:",
        }
    }
}

/// An API key, in place of the account's token for requests. Callbacks are signed with the token all
/// the same.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id (`SK…`).
    pub sid: String,
    /// Its secret.
    pub secret: String,
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey")
            .field("sid", &self.sid)
            .finish_non_exhaustive()
    }
}

/// Settings of a Twilio route.
#[derive(Clone, PartialEq, Eq)]
pub struct TwilioConfig {
    /// The account (`AC…`).
    pub account_sid: String,
    /// Its token: signs callbacks, and requests where there is no API key.
    pub auth_token: String,
    /// The key that requests are made with; `None` uses the token.
    pub api_key: Option<ApiKey>,
    /// The messaging service (`MG…`) that chooses the sender; without it our own address is the
    /// sender.
    pub messaging_service_sid: Option<String>,
    /// Which channel the route carries.
    pub channel: TwilioChannel,
    /// Where the API is, without a slash at the end.
    pub base_url: String,
    /// The public URL of this route's hook, with its path and without a query: receipts are asked
    /// for there, and signatures are checked against it. Never taken from a `Host` header, since
    /// behind a proxy that says something else. Empty: no receipts are asked for.
    pub callback_url: String,
    /// The secret of the second signature scheme, where the account has a shared key. The first one
    /// is accepted beside it.
    pub webhook_shared_key: Option<String>,
    /// Whether Twilio itself answers STOP and START, as it does for text messages unless the account
    /// had that switched off. Then its standard words count as what was told to Twilio, so that
    /// nobody is confirmed twice. `OptOutType` (Advanced Opt-Out) counts in any case.
    pub auto_replies_to_stop: bool,
    /// The project's currency. A price that Twilio tells is taken where it is in this one.
    pub currency: Option<Currency>,
    /// Unanswered submissions, at least 1.
    pub window: u16,
    /// How long an answer may take; then the outcome is unknown (R-ROUTE-5).
    pub timeout: Millis,
}

impl Default for TwilioConfig {
    fn default() -> Self {
        Self {
            account_sid: String::new(),
            auth_token: String::new(),
            api_key: None,
            messaging_service_sid: None,
            channel: TwilioChannel::default(),
            base_url: "https://api.twilio.com".to_owned(),
            callback_url: String::new(),
            webhook_shared_key: None,
            auto_replies_to_stop: true,
            currency: None,
            window: 10,
            timeout: Millis::seconds(15),
        }
    }
}

impl TwilioConfig {
    /// The header that opens the API.
    pub(super) fn authorization(&self) -> (String, String) {
        let (user, secret) = match &self.api_key {
            Some(key) => (&key.sid, &key.secret),
            None => (&self.account_sid, &self.auth_token),
        };
        let credentials = STANDARD.encode(format!("{user}:{secret}"));
        ("authorization".to_owned(), format!("Basic {credentials}"))
    }

    /// The URL of the account's resource, without the ending that names the format.
    pub(super) fn account_url(&self) -> String {
        let base = self.base_url.trim_end_matches('/');
        format!("{base}/2010-04-01/Accounts/{}", self.account_sid)
    }
}

impl fmt::Debug for TwilioConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwilioConfig")
            .field("account_sid", &self.account_sid)
            .field("api_key", &self.api_key)
            .field("messaging_service_sid", &self.messaging_service_sid)
            .field("channel", &self.channel)
            .field("base_url", &self.base_url)
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_shown() {
        let config = TwilioConfig {
            auth_token: "s3cret-token".into(),
            api_key: Some(ApiKey {
                sid: "SK1".into(),
                secret: "s3cret-key".into(),
            }),
            webhook_shared_key: Some("s3cret-shared".into()),
            ..TwilioConfig::default()
        };
        let shown = format!("{config:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(shown.contains("SK1"), "{shown}");
    }

    #[test]
    fn an_api_key_opens_the_api_in_place_of_the_token() {
        let mut config = TwilioConfig {
            account_sid: "AC1".into(),
            auth_token: "token".into(),
            ..TwilioConfig::default()
        };
        assert_eq!(config.authorization().1, "Basic QUMxOnRva2Vu");
        config.api_key = Some(ApiKey {
            sid: "SK1".into(),
            secret: "key".into(),
        });
        assert_eq!(config.authorization().1, "Basic U0sxOmtleQ==");
    }
}
