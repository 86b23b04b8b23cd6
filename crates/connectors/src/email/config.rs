//! What an operator can set for a route to a mail server.

use std::fmt;
use std::net::IpAddr;

use domain::model::address::EmailAddress;
use domain::time::Millis;

use super::compose::address;

/// How the connection is protected.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Security {
    /// It begins in the clear and must become TLS before anything is said; usually port 587. A server
    /// that does not offer it is not talked to.
    #[default]
    StartTls,
    /// TLS from the first octet; usually port 465.
    Tls,
    /// None. With a user name, only towards this machine.
    None,
}

/// Settings of an e-mail route.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailConfig {
    /// Host name or address of the mail server that takes our mail.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// PEM of the certificates that are trusted; `None` trusts the public authorities.
    pub ca: Option<String>,
    /// Whom to log in as; `None` does not log in.
    pub username: Option<String>,
    /// The password that belongs to it.
    pub password: Option<String>,
    /// Our address, where the sender of a message has none: in the header and for bounces.
    pub from: String,
    /// The name beside it.
    pub from_name: Option<String>,
    /// Where promotional mail is unsubscribed from: a `https:` or `mailto:` URL, in which `{to}` stands
    /// for the recipient's address and `{message}` for our id of the message. RFC 8058.
    pub unsubscribe: Option<String>,
    /// How we call ourselves when we connect; `None` is the domain of `from`.
    pub hello_name: Option<String>,
    /// Connections, and with them messages under way at a time, at least 1.
    pub window: u16,
    /// How long connecting, TLS and each answer may take. The last answer, after the message was
    /// written, has five times as long: by then the server may be handing it on.
    pub timeout: Millis,
}

impl Default for EmailConfig {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 587,
            security: Security::default(),
            ca: None,
            username: None,
            password: None,
            from: String::new(),
            from_name: None,
            unsubscribe: None,
            hello_name: None,
            window: 2,
            timeout: Millis::seconds(60),
        }
    }
}

impl EmailConfig {
    /// Whether the password would travel in the clear beyond this machine.
    pub fn exposes_password(&self) -> bool {
        self.security == Security::None && self.username.is_some() && !self.is_loopback()
    }

    fn is_loopback(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let is_loopback_ip = |it: IpAddr| it.is_loopback();
        host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(is_loopback_ip)
    }

    /// How we call ourselves; `None` where that is no host name: a line break in it would begin another
    /// command.
    pub(super) fn hello(&self, from: &EmailAddress) -> Option<String> {
        let name = match &self.hello_name {
            Some(name) => name.clone(),
            None => address(from)?.domain().to_owned(),
        };
        is_host_name(&name).then_some(name)
    }
}

/// Whether a mail server can be told that we are called this: a host name, or an IP address in brackets.
pub fn is_host_name(text: &str) -> bool {
    let is_label = |it: &str| {
        let is_part = |it: u8| it.is_ascii_alphanumeric() || b"-_".contains(&it);
        (1..=63).contains(&it.len()) && it.bytes().all(is_part) && !it.starts_with('-')
    };
    match text.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
        Some(literal) => {
            let number = literal.strip_prefix("IPv6:").unwrap_or(literal);
            number.parse::<IpAddr>().is_ok()
        }
        None => text.len() <= 253 && text.split('.').all(is_label),
    }
}

impl fmt::Debug for EmailConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmailConfig")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .field("from", &self.from)
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_goes_in_the_clear_to_this_machine_only() {
        let to = |host: &str, security, username: Option<&str>| {
            EmailConfig {
                host: host.into(),
                security,
                username: username.map(Into::into),
                ..EmailConfig::default()
            }
            .exposes_password()
        };
        assert!(to("mail.example.com", Security::None, Some("acme")));
        assert!(to("127.0.0.1.example.com", Security::None, Some("acme")));
        for host in ["127.0.0.1", "localhost", "::1", "[::1]"] {
            assert!(!to(host, Security::None, Some("acme")), "{host}");
        }
        assert!(!to("mail.example.com", Security::None, None));
        assert!(!to("mail.example.com", Security::StartTls, Some("acme")));
        assert!(!to("mail.example.com", Security::Tls, Some("acme")));
    }

    #[test]
    fn a_server_is_told_a_host_name_and_nothing_that_begins_a_command() {
        for good in [
            "mail.example.com",
            "localhost",
            "xn--bcher-kva.example",
            "[127.0.0.1]",
            "[IPv6:::1]",
        ] {
            assert!(is_host_name(good), "{good}");
        }
        let from = EmailAddress::parse("shop@bücher.example").unwrap();
        for wrong in [
            "a b",
            "a\r\nNOOP",
            "a b\r\nNOOP",
            "",
            "a..b",
            "-a",
            "bücher.example",
            "[a]",
            "[127.0.0.1]\r\nNOOP",
        ] {
            assert!(!is_host_name(wrong), "{wrong:?}");
            let config = EmailConfig {
                hello_name: Some(wrong.to_owned()),
                ..EmailConfig::default()
            };
            assert_eq!(config.hello(&from), None, "{wrong:?}");
        }
        let hello = EmailConfig::default().hello(&from);
        assert_eq!(hello.as_deref(), Some("xn--bcher-kva.example"));
    }

    #[test]
    fn no_route_starts_with_a_line_break_in_a_name() {
        let started = |from_name: &str, hello_name: &str| {
            let config = EmailConfig {
                from: "shop@acme.example".into(),
                from_name: Some(from_name.into()),
                hello_name: Some(hello_name.into()),
                ..EmailConfig::default()
            };
            let clock = std::sync::Arc::new(ports::clock::ManualClock::at(
                domain::time::Timestamp::from_millis(0),
            ));
            let mailer = crate::email::mailer(config, Vec::new(), clock);
            mailer.err().map(|it| it.to_string())
        };
        assert_eq!(started("ACME", "mail.example.com"), None);
        let told = started("ACME\r\nBcc: x@example.com", "mail.example.com");
        assert!(told.is_some_and(|it| it.contains("from_name")));
        let told = started("ACME", "a b\r\nNOOP");
        assert!(told.is_some_and(|it| it.contains("hello_name")));
    }

    #[test]
    fn debug_output_holds_no_login() {
        let config = EmailConfig {
            username: Some("login-name".into()),
            password: Some("pass-word".into()),
            ..EmailConfig::default()
        };
        let shown = format!("{config:?}");
        assert!(
            !shown.contains("login-name") && !shown.contains("pass-word"),
            "{shown}"
        );
    }
}
