//! What an operator can set for a WhatsApp route.

use std::fmt;

use domain::time::Millis;

/// Settings of a route over Meta's Cloud API, or over a partner that has the same one.
#[derive(Clone, PartialEq, Eq)]
pub struct WhatsAppConfig {
    /// Meta's id of our business number; not the number itself.
    pub phone_number_id: String,
    /// Meta's id of the WhatsApp Business Account; templates can be given to it and listed only
    /// where it is set.
    pub waba_id: Option<String>,
    /// The token that each request carries.
    pub access_token: String,
    /// The secret of the Meta app, which signs callbacks.
    pub app_secret: String,
    /// What Meta shows once to have the callback URL confirmed; we invent it. Nothing is confirmed
    /// while it is empty.
    pub verify_token: String,
    /// Where the API is, with its version.
    pub base_url: String,
    /// Unanswered submissions, at least 1.
    pub window: u16,
    /// How long an answer may take before the outcome counts as unknown (R-ROUTE-5).
    pub timeout: Millis,
    /// Whether marketing templates go to `/marketing_messages`, which some accounts demand
    /// (error 131063).
    pub marketing_path: bool,
    /// Whether the first link in a text is shown with a preview.
    pub preview_url: bool,
    /// Whether a template's language is sent with the policy that the schema, but not the API, asks
    /// for.
    pub language_policy: bool,
}

impl WhatsAppConfig {
    /// Where the API is, without a slash at the end.
    pub(super) fn base(&self) -> &str {
        self.base_url.trim_end_matches('/')
    }

    /// A URL below our number.
    pub(super) fn number_url(&self, rest: &str) -> String {
        format!("{}/{}{rest}", self.base(), self.phone_number_id)
    }

    /// The header that carries the token.
    pub(super) fn authorization(&self) -> (String, String) {
        let bearer = format!("Bearer {}", self.access_token);
        ("authorization".to_owned(), bearer)
    }
}

impl Default for WhatsAppConfig {
    fn default() -> Self {
        Self {
            phone_number_id: String::new(),
            waba_id: None,
            access_token: String::new(),
            app_secret: String::new(),
            verify_token: String::new(),
            base_url: "https://graph.facebook.com/v23.0".to_owned(),
            window: 40,
            timeout: Millis::seconds(30),
            marketing_path: false,
            preview_url: false,
            language_policy: false,
        }
    }
}

impl fmt::Debug for WhatsAppConfig {
    /// Without the token and the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WhatsAppConfig")
            .field("phone_number_id", &self.phone_number_id)
            .field("waba_id", &self.waba_id)
            .field("base_url", &self.base_url)
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_no_secret() {
        let config = WhatsAppConfig {
            access_token: "hush-token".to_owned(),
            app_secret: "hush-secret".to_owned(),
            verify_token: "hush-verify".to_owned(),
            ..WhatsAppConfig::default()
        };
        assert!(!format!("{config:?}").contains("hush"));
    }

    #[test]
    fn a_slash_at_the_end_of_the_base_url_does_not_matter() {
        let config = WhatsAppConfig {
            phone_number_id: "1055".to_owned(),
            base_url: "https://graph.example/v23.0/".to_owned(),
            ..WhatsAppConfig::default()
        };
        assert_eq!(
            config.number_url("/messages"),
            "https://graph.example/v23.0/1055/messages"
        );
    }
}
