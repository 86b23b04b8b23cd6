//! What a sender's create or update says of its webhook, checked.

use std::net::IpAddr;

use domain::model::event::{EventKind, EventKinds};
use domain::model::webhook::SignatureVersion;
use domain::rules::reach::{Place, place_of};
use ports::store::webhooks::Webhook;
use url::{Host, Url};

use crate::error::Problems;

/// Longest URL.
const URL_MAX: usize = 2_048;

/// Which URLs a webhook may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WebhookRules {
    /// Also `http`.
    pub allow_http: bool,
    /// Also this machine and the private network.
    pub allow_private: bool,
}

/// What a request says, in the fields `url`, `events`, `active` and `signatureVersion` of a webhook, or
/// `webhookUrl` and so on of a sender.
#[derive(Debug, Clone, Default)]
pub(crate) struct WebhookWish<'a> {
    /// What stands before the names of the fields: `webhook`, or nothing.
    pub(crate) prefix: &'static str,
    /// Where to post; `Some(None)` removes the webhook.
    #[expect(
        clippy::option_option,
        reason = "absent, null and a value are three things"
    )]
    pub(crate) url: Option<Option<&'a str>>,
    /// Which events.
    pub(crate) events: Option<Vec<&'a str>>,
    /// Whether it is served.
    pub(crate) active: Option<bool>,
    /// How to sign.
    pub(crate) signature: Option<&'a str>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WebhookPlan {
    /// Nothing was said of it.
    Keep,
    /// The webhook goes.
    Clear,
    /// It is made or changed.
    Set {
        /// Where to post.
        url: Option<Box<str>>,
        /// Which events.
        events: Option<EventKinds>,
        /// Whether it is served.
        active: Option<bool>,
        /// How to sign.
        signature: Option<SignatureVersion>,
    },
}

impl WebhookWish<'_> {
    /// What is to be done to the webhook that the sender has now. What is wrong goes to `problems`,
    /// and then the answer does not matter.
    pub(crate) fn check(
        &self,
        known: Option<&Webhook>,
        rules: WebhookRules,
        problems: &mut Problems,
    ) -> WebhookPlan {
        let events = self.events(problems);
        let signature = self.signature(known, problems);
        let url = match self.url {
            Some(None) => {
                if self.events.is_some() || self.active.is_some() || self.signature.is_some() {
                    problems.add(
                        &[&self.field("url")],
                        "is null: there is nothing else to set",
                    );
                }
                return match known {
                    Some(_) => WebhookPlan::Clear,
                    None => WebhookPlan::Keep,
                };
            }
            Some(Some(text)) => match rules.check(text) {
                Ok(url) => Some(url),
                Err(why) => {
                    problems.add(&[&self.field("url")], why);
                    None
                }
            },
            None => None,
        };
        let says_more = self.events.is_some() || self.active.is_some() || self.signature.is_some();
        if self.url.is_none() && !says_more {
            return WebhookPlan::Keep;
        }
        if self.url.is_none() && known.is_none() {
            problems.add(
                &[&self.field("url")],
                "is needed: the sender has no webhook",
            );
        }
        WebhookPlan::Set {
            url,
            events,
            active: self.active,
            signature,
        }
    }

    /// The name of a field as the request has it.
    fn field(&self, name: &str) -> String {
        let (first, rest) = name.split_at(1);
        if self.prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{}{}{rest}", self.prefix, first.to_ascii_uppercase())
        }
    }

    fn events(&self, problems: &mut Problems) -> Option<EventKinds> {
        let names = self.events.as_ref()?;
        let field = self.field("events");
        if names.is_empty() {
            problems.add(&[&field], "must name at least one event");
        }
        let mut events = EventKinds::default();
        for (nth, name) in names.iter().enumerate() {
            if let Some(kind) = EventKind::from_code(name) {
                events = events.with(kind);
            } else {
                let known = EventKind::ALL.map(EventKind::code).join(", ");
                let message = format!("is not an event; events are {known}");
                problems.add(&[&field, &nth.to_string()], message);
            }
        }
        Some(events)
    }

    fn signature(
        &self,
        known: Option<&Webhook>,
        problems: &mut Problems,
    ) -> Option<SignatureVersion> {
        let field = &self.field("signatureVersion");
        let Some(version) = SignatureVersion::from_code(self.signature?) else {
            problems.add(&[field.as_str()], "must be one of v1, v1+v2, v2");
            return None;
        };
        if known.is_some_and(|it| !it.signature.may_become(version)) {
            let message =
                "cannot go from v1 to v2 at once: set v1+v2 first, so that the receiver can follow";
            problems.add(&[field.as_str()], message);
        }
        Some(version)
    }
}

impl WebhookRules {
    /// The URL in its one form, or why it cannot be one. What a name means is judged when it is
    /// posted to: here only what is plain to see.
    fn check(self, text: &str) -> Result<Box<str>, String> {
        if text.len() > URL_MAX {
            return Err(format!("must have at most {URL_MAX} characters"));
        }
        let url = Url::parse(text).map_err(|_| "must be a URL".to_owned())?;
        match url.scheme() {
            "https" => {}
            "http" if self.allow_http => {}
            _ if self.allow_http => return Err("must begin with https:// or http://".to_owned()),
            _ => return Err("must begin with https://".to_owned()),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not hold a password".to_owned());
        }
        let address = match url.host() {
            None => return Err("must name a host".to_owned()),
            Some(Host::Domain(name)) if is_local(name) => IpAddr::from([127, 0, 0, 1]),
            Some(Host::Domain(_)) => return Ok(text.into()),
            Some(Host::Ipv4(it)) => IpAddr::V4(it),
            Some(Host::Ipv6(it)) => IpAddr::V6(it),
        };
        match place_of(address) {
            Place::Public => Ok(text.into()),
            Place::Private if self.allow_private => Ok(text.into()),
            Place::Private | Place::Nowhere => Err("must be a public address".to_owned()),
        }
    }
}

/// A name that never means anything but this machine (RFC 6761).
fn is_local(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::StatusCode;
    use domain::ids::{ProjectKey, SenderKey};
    use domain::model::event::EventSeq;
    use domain::model::webhook::WebhookSecret;
    use domain::time::Timestamp;

    const STRICT: WebhookRules = WebhookRules {
        allow_http: false,
        allow_private: false,
    };
    const LOOSE: WebhookRules = WebhookRules {
        allow_http: true,
        allow_private: true,
    };

    fn webhook(signature: SignatureVersion) -> Webhook {
        Webhook {
            project: ProjectKey(1),
            sender: SenderKey(1),
            url: "https://a.example/".into(),
            events: EventKinds::USUAL,
            active: true,
            signature,
            secret: WebhookSecret::new("whsec_1"),
            version: 1,
            cursor: EventSeq(0),
            failures: 0,
            tried: (EventSeq(0), 0),
            next_try_at: None,
            last_error: None,
            delivered_at: None,
            created_at: Timestamp::from_millis(0),
        }
    }

    fn check(
        wish: &WebhookWish<'_>,
        known: Option<&Webhook>,
        rules: WebhookRules,
    ) -> Result<WebhookPlan, Vec<String>> {
        let mut problems = Problems::default();
        let plan = wish.check(known, rules, &mut problems);
        problems.finish().map(|()| plan).map_err(|error| {
            assert_eq!(error.status(), StatusCode::BAD_REQUEST);
            let errors = error.errors().iter();
            errors.map(|it| it.path.join(".")).collect()
        })
    }

    fn url(text: &str) -> WebhookWish<'_> {
        WebhookWish {
            prefix: "webhook",
            url: Some(Some(text)),
            ..WebhookWish::default()
        }
    }

    #[test]
    fn a_url_is_https_and_public_unless_the_operator_says_otherwise() {
        let good = "https://hooks.example/zavu?x=1";
        assert!(check(&url(good), None, STRICT).is_ok());
        for only_loose in [
            "http://hooks.example/",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://app.localhost/",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://[::1]:8443/",
            "https://10.1.2.3/",
            "http://[::ffff:192.168.0.1]/",
        ] {
            let wish = url(only_loose);
            let refused = Err(vec!["webhookUrl".to_owned()]);
            assert_eq!(check(&wish, None, STRICT), refused, "{only_loose}");
            assert!(check(&wish, None, LOOSE).is_ok(), "{only_loose}");
        }
        let long = format!("https://a.example/{}", "x".repeat(URL_MAX));
        for never in [
            "",
            "hooks.example",
            "ftp://hooks.example/",
            "https://",
            "https://u:p@hooks.example/",
            "https://169.254.169.254/latest",
            "https://0.0.0.0/",
            "javascript:alert(1)",
            &long,
        ] {
            assert!(check(&url(never), None, LOOSE).is_err(), "{never}");
        }
    }

    #[test]
    fn a_refused_scheme_is_told_what_may_stand_there() {
        let said = |rules: WebhookRules| rules.check("ftp://a.example/").unwrap_err();
        assert_eq!(said(STRICT), "must begin with https://");
        assert_eq!(said(LOOSE), "must begin with https:// or http://");
    }

    #[test]
    fn unknown_events_are_refused_by_their_place() {
        let wish = WebhookWish {
            events: Some(vec!["message.sent", "message.snet"]),
            ..url("https://a.example/")
        };
        let refused = Err(vec!["webhookEvents.1".to_owned()]);
        assert_eq!(check(&wish, None, STRICT), refused);
        let none = WebhookWish {
            events: Some(vec![]),
            ..url("https://a.example/")
        };
        assert!(check(&none, None, STRICT).is_err());
        let all = WebhookWish {
            events: Some(EventKind::ALL.map(EventKind::code).to_vec()),
            ..url("https://a.example/")
        };
        let Ok(WebhookPlan::Set { events, .. }) = check(&all, None, STRICT) else {
            panic!("refused")
        };
        assert_eq!(events, Some(EventKinds::ALL));
    }

    #[test]
    fn signatures_change_from_v1_to_v2_by_way_of_both() {
        let step = |was, next| {
            let wish = WebhookWish {
                signature: Some(next),
                ..WebhookWish::default()
            };
            check(&wish, Some(&webhook(was)), STRICT).is_ok()
        };
        assert!(!step(SignatureVersion::V1, "v2"));
        assert!(step(SignatureVersion::V1, "v1+v2"));
        assert!(step(SignatureVersion::Both, "v2"));
        assert!(step(SignatureVersion::V2, "v2"));
        assert!(!step(SignatureVersion::V2, "v3"));
    }

    #[test]
    fn what_is_not_said_is_kept_and_null_removes() {
        let known = webhook(SignatureVersion::V2);
        let nothing = WebhookWish::default();
        assert_eq!(check(&nothing, Some(&known), STRICT), Ok(WebhookPlan::Keep));
        let null = WebhookWish {
            url: Some(None),
            ..WebhookWish::default()
        };
        assert_eq!(check(&null, Some(&known), STRICT), Ok(WebhookPlan::Clear));
        assert_eq!(check(&null, None, STRICT), Ok(WebhookPlan::Keep));
        let paused = WebhookWish {
            prefix: "webhook",
            active: Some(false),
            ..WebhookWish::default()
        };
        let plan = WebhookPlan::Set {
            url: None,
            events: None,
            active: Some(false),
            signature: None,
        };
        assert_eq!(check(&paused, Some(&known), STRICT), Ok(plan));
        assert_eq!(
            check(&paused, None, STRICT),
            Err(vec!["webhookUrl".to_owned()])
        );
        let both = WebhookWish {
            url: Some(None),
            ..paused
        };
        assert!(check(&both, Some(&known), STRICT).is_err());
    }
}
