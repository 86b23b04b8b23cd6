//! What does a checked configuration hold?

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use api::Scopes;
use connectors::email::EmailConfig;
use connectors::http::HttpConfig;
use connectors::simulator::SimulatorConfig;
use connectors::smpp::SmppConfig;
use connectors::smsgate::SmsGateConfig;
use connectors::telegram::{TelegramConfig, Updates};
use connectors::twilio::TwilioConfig;
use connectors::whatsapp::WhatsAppConfig;
use domain::model::address::EmailAddress;
use domain::model::channel::Channel;
use domain::model::consent::KeywordPolicy;
use domain::model::policy::Policy;
use domain::model::quota::Quotas;
use domain::model::route::{Destinations, OnUnknown, Price, RouteClass, UnknownWait};
use domain::model::template::TemplateRef;
use domain::rules::alert::AlertSettings;
use domain::time::Millis;
use store::SecretKey;

use super::secret::Secret;

/// Everything that is configured, checked: names are unique, references lead somewhere, figures
/// are in range.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Where the server listens.
    pub(crate) listen: SocketAddr,
    /// Where everything is kept.
    pub(crate) database: Database,
    /// How the server is reached from outside, without a slash at the end.
    pub(crate) public_url: Option<String>,
    /// Bounds of the server.
    pub(crate) limits: Limits,
    /// Where webhooks may go.
    pub(crate) webhooks: Webhooks,
    /// What secrets are sealed with in the database; `None` is the key file beside it (R-SEC).
    pub(crate) secret_key: Option<SecretKey>,
    /// What operators are told of (R-ALERT).
    pub(crate) alerts: Alerts,
    /// What is logged, and how.
    pub(crate) log: Log,
    /// The tenants; at least one.
    pub(crate) projects: Vec<Project>,
    /// The routes, those that are switched off included.
    pub(crate) routes: Vec<Route>,
    /// The senders; exactly one default in each project that has any.
    pub(crate) senders: Vec<Sender>,
}

/// Where everything is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Database {
    /// An SQLite file; relative paths start from the working directory.
    Sqlite(PathBuf),
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
        }
    }
}

/// Bounds of the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Limits {
    /// Most messages that may wait; more are answered with 429.
    pub(crate) backlog: u64,
    /// Longest request body in bytes.
    pub(crate) body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            backlog: 1_000_000,
            body_bytes: api::Limits::default().body_bytes,
        }
    }
}

/// Where webhooks may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Webhooks {
    /// Also by plain HTTP.
    pub(crate) allow_http: bool,
    /// Also to this machine and the private network.
    pub(crate) allow_private: bool,
}

/// What operators are told of, and how (R-ALERT).
#[derive(Clone, Debug, Default)]
pub(crate) struct Alerts {
    /// When alerts are raised and resolved.
    pub(crate) settings: AlertSettings,
    /// Whom they are mailed to, if anybody.
    pub(crate) mail: Option<AlertMail>,
}

/// Alerts by e-mail.
#[derive(Clone, Debug)]
pub(crate) struct AlertMail {
    /// To whom.
    pub(crate) to: Vec<EmailAddress>,
    /// By which mail server.
    pub(crate) via: EmailConfig,
}

/// What is logged, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Log {
    /// The form of a line.
    pub(crate) format: LogFormat,
    /// What is logged: a level, or targets with levels (`info,engine=debug`).
    pub(crate) level: String,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            level: "info".to_owned(),
        }
    }
}

/// The form of a log line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A tenant.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    /// The operator's name for it; its public id.
    pub(crate) id: String,
    /// What people call it.
    pub(crate) name: String,
    /// Its time zone, an IANA name.
    pub(crate) timezone: String,
    /// Its keys in the file; more can be made in the database.
    pub(crate) api_keys: Vec<ApiKey>,
    /// What a repeated idempotency key is answered with (R-LIFE-3).
    pub(crate) idempotency: Idempotency,
    /// The settings that rules look at, its currency among them.
    pub(crate) policy: Policy,
    /// What other currencies are worth in its own (R-COST-1).
    pub(crate) rates: super::fx::Rates,
}

/// A key that the file gives.
#[derive(Clone, Debug)]
pub(crate) struct ApiKey {
    /// A name for people, unique in the project.
    pub(crate) name: String,
    /// The key itself.
    pub(crate) key: Secret,
    /// What it may do.
    pub(crate) scopes: Vec<Scope>,
    /// Whether its messages may set `trafficClass` (R-CLASS-1).
    pub(crate) traffic_class: bool,
    /// Requests a minute; `None` is any number (R-API-5).
    pub(crate) requests_per_minute: Option<u32>,
    /// Whether it sends through simulators only (R-TEST).
    pub(crate) test: bool,
}

impl ApiKey {
    /// What it may do, as bits of a stored key.
    pub(crate) fn scope_bits(&self) -> u8 {
        let scopes = Scopes::from_bits(Scope::bits_of(&self.scopes));
        if self.traffic_class {
            scopes.bits()
        } else {
            scopes.without(Scopes::TRAFFIC_CLASS).bits()
        }
    }

    /// SHA-256 of the key, as stored keys have it (R-SEC).
    pub(crate) fn hash(&self) -> [u8; 32] {
        api::hash_key(self.key.expose())
    }
}

/// What a key may do (R-SEC).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Scope {
    /// Send messages.
    Send,
    /// Read messages, contacts, senders and routes.
    Read,
    /// Change what is configured.
    Manage,
}

impl Scope {
    /// Every scope.
    pub(crate) const ALL: [Self; 3] = [Self::Send, Self::Read, Self::Manage];

    /// The word of the configuration.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Read => "read",
            Self::Manage => "manage",
        }
    }

    /// What the API calls it. Sending brings the right to set `trafficClass` (R-CLASS-1).
    const fn for_api(self) -> Scopes {
        match self {
            Self::Send => Scopes::SEND.with(Scopes::TRAFFIC_CLASS),
            Self::Read => Scopes::READ,
            Self::Manage => Scopes::MANAGE,
        }
    }

    /// These scopes as bits of a stored key.
    pub(crate) fn bits_of(scopes: &[Self]) -> u8 {
        scopes.iter().fold(0, |bits, it| bits | it.for_api().bits())
    }
}

/// Whether a key is a test key: R-TEST tells it by a part of the key itself.
pub(crate) fn is_test_key(key: &str) -> bool {
    key.contains("_test_")
}

/// What a repeated idempotency key is answered with (R-LIFE-3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Idempotency {
    /// 409, with the original in the details.
    #[default]
    Conflict,
    /// 202, with the original.
    Replay,
}

/// One way to carry a channel.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says something of its own"
)]
pub(crate) struct Route {
    /// The operator's name for it; unique in the file, since it is part of a callback's path.
    pub(crate) id: String,
    /// Id of its project.
    pub(crate) project: String,
    /// What it carries.
    pub(crate) channel: Channel,
    /// What traffic it is meant for; `None` is both.
    pub(crate) class: Option<RouteClass>,
    /// Whether it is in use. One that is not takes part in nothing.
    pub(crate) enabled: bool,
    /// Submissions a second.
    pub(crate) throughput: Option<u32>,
    /// Its price book, in the project's currency.
    pub(crate) prices: Vec<Price>,
    /// What it may use (R-QUOTA-1).
    pub(crate) quotas: Quotas,
    /// Where it sends to.
    pub(crate) destinations: Destinations,
    /// Whether the provider gives receipts.
    pub(crate) receipts: bool,
    /// Whether the provider answers STOP and its like itself (R-IN-2).
    pub(crate) answers_stop: bool,
    /// Whether it carries media too (MMS).
    pub(crate) mms: bool,
    /// What happens to a submission of unknown outcome (R-DUP).
    pub(crate) on_unknown: OnUnknown,
    /// How long such a submission waits for a receipt (R-DUP).
    pub(crate) unknown_wait: UnknownWait,
    /// The connection behind it.
    pub(crate) provider: Provider,
}

/// The connection behind a route.
#[derive(Clone)]
pub(crate) enum Provider {
    /// An SMPP account.
    Smpp(Box<SmppConfig>),
    /// A number at Meta's Cloud API.
    WhatsApp(Box<WhatsAppConfig>),
    /// A Twilio account.
    Twilio(Box<TwilioConfig>),
    /// A provider that is described.
    Http(Box<HttpConfig>),
    /// A Telegram bot.
    Telegram(Box<TelegramConfig>),
    /// A mail server.
    Email(Box<EmailConfig>),
    /// A pool of phones with the app `SMSGate`.
    SmsGate(Box<SmsGateConfig>),
    /// A simulator.
    Simulator(SimulatorConfig),
}

impl Provider {
    /// The word of the configuration.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Smpp(_) => "smpp",
            Self::WhatsApp(_) => "whatsapp",
            Self::Twilio(_) => "twilio",
            Self::Http(_) => "http",
            Self::Telegram(_) => "telegram",
            Self::Email(_) => "email",
            Self::SmsGate(_) => "smsgate",
            Self::Simulator(_) => "simulator",
        }
    }

    /// Whether its calls to `public_url` are the only way by which it tells us anything.
    pub(crate) fn calls_us(&self) -> bool {
        match self {
            Self::WhatsApp(_) | Self::Twilio(_) => true,
            Self::Http(it) => it.provider.calls_us(),
            Self::Telegram(it) => it.updates == Updates::Webhook,
            // Phones cannot do without, which is told as a mistake.
            Self::Smpp(_) | Self::Email(_) | Self::SmsGate(_) | Self::Simulator(_) => false,
        }
    }
}

impl fmt::Debug for Provider {
    /// Only the kind: the settings hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Who a message is from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Sender {
    /// The operator's name for it; its public id, unique in its project.
    pub(crate) id: String,
    /// Id of its project.
    pub(crate) project: String,
    /// What people call it.
    pub(crate) name: String,
    /// The address that recipients see; empty for a sender without one.
    pub(crate) phone_number: String,
    /// Whether it is the project's default.
    pub(crate) is_default: bool,
    /// Ids of its routes, in its order of preference.
    pub(crate) routes: Vec<String>,
    /// Time without `delivered` that counts as failure (R-FALL-5).
    pub(crate) fallback_after: Option<Millis>,
    /// Its words for "no more", "again" and "who is this?", and their answers (R-IN-2).
    pub(crate) keywords: KeywordPolicy,
    /// The template that WhatsApp carries while its window is closed (R-WIN-2).
    pub(crate) default_template: Option<TemplateRef>,
}
