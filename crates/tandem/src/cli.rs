//! What can be typed on the command line?

#![expect(
    clippy::doc_markdown,
    reason = "the doc comments are printed as help, where backticks are noise"
)]

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::model::user::Role;

use crate::client::times::Moment;
use crate::config::{Scope, Secret};

/// A self-hosted smart message router: picks channel and route for each message, follows it until
/// it is delivered, and explains every decision.
#[derive(Debug, Parser)]
#[command(
    name = "tandem",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server.
    ///
    /// Without --config it keeps everything in ./tandem-data, has one project with simulated routes
    /// only, and prints a test key once: nothing leaves the machine.
    Serve(Serve),
    /// Run a server with simulated routes of every class, sample contacts and live traffic.
    ///
    /// Nothing leaves the machine, and nothing is kept when it stops.
    Demo(Demo),
    /// Check a configuration file: every error with its place, or what the file sets up.
    Check(Check),
    /// Send a message.
    Send(Send),
    /// List messages, newest first.
    Messages(Messages),
    /// List routes with their state.
    Routes(Routes),
    /// Drain, pin or disable a route, or let the automatics decide again.
    Route(Route),
    /// List alerts, acknowledge one, silence some, or end a silence.
    Alerts(Alerts),
    /// Show who changed what, and what happened to routes.
    Audit(Audit),
    /// List the team's phones with their state, or pair a new one.
    Phones(Phones),
    /// Show what is used and left of each quota.
    Quotas(Quotas),
    /// Show the balance, or note a deposit.
    Balance(Balance),
    /// Show what messages cost, by day or by what is asked for.
    Costs(Costs),
    /// Explain in plain words what became of a message, and why.
    Explain(Explain),
    /// Follow messages as their status changes, until interrupted.
    Tail(Tail),
    /// Create, list and revoke API keys. Opens the database itself; the server may run.
    Keys(Keys),
    /// Add, list and lock out people who use the web app. Opens the database itself; the server may run.
    Users(Users),
    /// Print the API's OpenAPI 3.1 document.
    Openapi,
}

/// `tandem serve`
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Address to listen on; goes before the file and TANDEM_LISTEN.
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
    /// Database, sqlite:PATH; goes before the file and TANDEM_DATABASE.
    #[arg(long, value_name = "URL")]
    pub(crate) database: Option<String>,
}

/// `tandem demo`
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Address to listen on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
    /// API key to use; a fresh one is made otherwise.
    #[arg(long, value_parser = secret)]
    pub(crate) key: Option<Secret>,
    /// Start quiet: no sample contacts and no live traffic.
    #[arg(long)]
    pub(crate) no_traffic: bool,
}

/// `tandem check`
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Configuration file (TOML).
    pub(crate) file: PathBuf,
}

/// Where the client commands find the server.
#[derive(Debug, Args)]
pub(crate) struct Server {
    /// The server's URL.
    #[arg(long, env = "TANDEM_URL", default_value = "http://127.0.0.1:8080")]
    pub(crate) url: String,
    /// API key.
    #[arg(long, env = "TANDEM_API_KEY", hide_env_values = true, value_parser = secret)]
    pub(crate) key: Option<Secret>,
    /// Print the server's answer as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Show times in UTC, not in the time zone of this machine (TZ).
    #[arg(long)]
    pub(crate) utc: bool,
}

/// `tandem send`
#[derive(Debug, Args)]
pub(crate) struct Send {
    /// Where the server is.
    #[command(flatten)]
    pub(crate) server: Server,
    /// Recipient in international form, +40712345678.
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) to: String,
    /// What to say.
    #[arg(long)]
    pub(crate) text: String,
    /// Channel: auto, sms, whatsapp, telegram or email.
    #[arg(long, default_value = "auto")]
    pub(crate) channel: String,
    /// Id of the sender; the project's default otherwise.
    #[arg(long)]
    pub(crate) sender: Option<String>,
    /// What it is for: transactional, otp or promotional.
    #[arg(long)]
    pub(crate) category: Option<String>,
    /// direct or bulk; the server decides otherwise.
    #[arg(long)]
    pub(crate) traffic_class: Option<String>,
    /// A name under which its costs are counted.
    #[arg(long)]
    pub(crate) campaign: Option<String>,
    /// When to send it: RFC 3339, or how long from now, such as 2h.
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    pub(crate) at: Option<Moment>,
    /// The same key sends only once, however often this is repeated.
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
    /// Wait until the message has ended, at most a minute, and print each step.
    #[arg(long)]
    pub(crate) wait: bool,
}

/// `tandem messages`
#[derive(Debug, Args)]
pub(crate) struct Messages {
    /// Where the server is.
    #[command(flatten)]
    pub(crate) server: Server,
    /// Only of this status: queued, sending, sent, delivered, read, failed or received.
    #[arg(long)]
    pub(crate) status: Option<String>,
    /// Only to this number.
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) to: Option<String>,
    /// Only on this channel.
    #[arg(long)]
    pub(crate) channel: Option<String>,
    /// How many.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
}

/// `tandem routes`
#[derive(Debug, Args)]
pub(crate) struct Routes {
    /// Where the server is.
    #[command(flatten)]
    pub(crate) server: Server,
}

/// `tandem route`
#[derive(Debug, Args)]
pub(crate) struct Route {
    /// Where the server is.
    #[command(flatten)]
    pub(crate) server: Server,
    /// What becomes of it.
    pub(crate) mode: RouteMode,
    /// Id of the route.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(crate) id: String,
    /// Why; others will want to know.
    #[arg(long, required_if_eq_any = [("mode", "drain"), ("mode", "pin"), ("mode", "disable")])]
    pub(crate) reason: Option<String>,
    /// Until when: RFC 3339, or how long from now, such as 2h; until somebody says otherwise.
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    pub(crate) until: Option<Moment>,
}

/// What becomes of a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum RouteMode {
    /// Nothing new; what is in its hands finishes, what waits for it goes elsewhere.
    Drain,
    /// Up, whatever its statistics say; a lost link stays lost.
    Pin,
    /// Out of use.
    Disable,
    /// As the automatics decide.
    Auto,
}

/// `tandem alerts`
#[derive(Debug, Args)]
pub(crate) struct Alerts {
    /// Where the server is.
    #[command(flatten)]
    pub(crate) server: Server,
    /// Also those that are resolved.
    #[arg(long)]
    pub(crate) all: bool,
    /// How many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
    /// Say that you have seen this one, alert_….
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new(), conflicts_with = "all")]
    pub(crate) acknowledge: Option<String>,
    /// Tell nobody until this time: RFC 3339, or how long from now, such as 2h.
    #[arg(long, value_name = "TIME", value_parser = Moment::parse, requires = "reason", conflicts_with_all = ["all", "acknowledge"])]
    pub(crate) silence: Option<Moment>,
    /// List the silences that hold now.
    #[arg(long, conflicts_with_all = ["all", "acknowledge", "silence"])]
    pub(crate) silences: bool,
    /// End this silence, sil_….
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["all", "acknowledge", "silence", "silences"])]
    pub(crate) unsilence: Option<String>,
    /// Silence only this kind, such as route_down.
    #[arg(long, requires = "silence")]
    pub(crate) kind: Option<String>,
    /// Silence only this subject, such as route:gw.
    #[arg(long, requires = "silence")]
    pub(crate) subject: Option<String>,
    /// Why it is silenced; others will want to know.
    #[arg(long, requires = "silence")]
    pub(crate) reason: Option<String>,
}

/// `tandem audit`
#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// Where the server is.
    #[command(flatten)]
    pub(crate) server: Server,
    /// Only of this subject, such as route:gw.
    #[arg(long)]
    pub(crate) subject: Option<String>,
    /// Only of this action, such as route.controlled.
    #[arg(long)]
    pub(crate) action: Option<String>,
    /// Only of the actor with this name.
    #[arg(long)]
    pub(crate) actor: Option<String>,
    /// How many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
}

/// `tandem phones`
#[derive(Debug, Args)]
pub(crate) struct Phones {
    /// Where the server is.
    #[command(flatten)]
    pub(crate) server: Server,
    /// What to do; lists the phones otherwise.
    #[command(subcommand)]
    pub(crate) action: Option<PhoneAction>,
}

/// What `tandem phones` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum PhoneAction {
    /// Print what is typed into the app of a new phone; good for one phone and 15 minutes.
    Pair {
        /// Id of the route; needed where several have phones.
        #[arg(long, value_name = "ID")]
        route: Option<String>,
        /// What the phone is to be called; otherwise as it calls itself.
        #[arg(long)]
        name: Option<String>,
    },
}

/// `tandem quotas`
#[derive(Debug, Args)]
pub(crate) struct Quotas {
    /// Where the server is.
    #[command(flatten)]
    pub(crate) server: Server,
}

/// `tandem balance`
#[derive(Debug, Args)]
pub(crate) struct Balance {
    /// Where the server is.
    #[command(flatten)]
    pub(crate) server: Server,
    /// Note that so much was paid in, such as 12.50; negative takes out. Needs a key with manage.
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    pub(crate) deposit: Option<String>,
    /// What the deposit was for.
    #[arg(long, requires = "deposit")]
    pub(crate) note: Option<String>,
    /// The same key notes only one deposit, however often this is repeated within 24 hours.
    #[arg(long, value_name = "KEY", requires = "deposit")]
    pub(crate) idempotency_key: Option<String>,
}

/// `tandem costs`
#[derive(Debug, Args)]
pub(crate) struct Costs {
    /// Where the server is.
    #[command(flatten)]
    pub(crate) server: Server,
    /// From when: a date in the project's time zone, or RFC 3339 [default: 30 days ago]
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// Until when [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Kept apart by these, with commas between: day or hour, channel, route, sender, country, class, campaign.
    #[arg(long, default_value = "day,route")]
    pub(crate) by: String,
    /// Only on this channel.
    #[arg(long)]
    pub(crate) channel: Option<String>,
    /// Only by this route.
    #[arg(long, value_name = "ID")]
    pub(crate) route: Option<String>,
    /// Only of this sender.
    #[arg(long, value_name = "ID")]
    pub(crate) sender: Option<String>,
    /// Only to this country, two letters.
    #[arg(long)]
    pub(crate) country: Option<String>,
    /// Only of this class: direct or bulk.
    #[arg(long)]
    pub(crate) class: Option<String>,
    /// Only of this campaign.
    #[arg(long)]
    pub(crate) campaign: Option<String>,
}

/// `tandem explain`
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// Where the server is.
    #[command(flatten)]
    pub(crate) server: Server,
    /// Id of the message, msg_….
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(crate) id: String,
}

/// `tandem tail`
#[derive(Debug, Args)]
pub(crate) struct Tail {
    /// Where the server is.
    #[command(flatten)]
    pub(crate) server: Server,
    /// Milliseconds between two looks.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(50..=60_000))]
    pub(crate) every: u64,
}

/// `tandem keys`
#[derive(Debug, Args)]
pub(crate) struct Keys {
    /// Configuration file that names the database and the projects.
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
    /// Database, sqlite:PATH; goes before the file and TANDEM_DATABASE.
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) database: Option<String>,
    /// Project; needed where there are several.
    #[arg(long, value_name = "ID", global = true)]
    pub(crate) project: Option<String>,
    /// Make the database where there is none yet.
    #[arg(long = "create", global = true)]
    pub(crate) create_database: bool,
    /// Print JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Show times in UTC, not in the time zone of this machine (TZ).
    #[arg(long, global = true)]
    pub(crate) utc: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) action: KeyAction,
}

/// What `tandem keys` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyAction {
    /// Make a key and print it, once.
    Create {
        /// A name for people.
        #[arg(long)]
        name: String,
        /// What it may do; repeat for several [default: send and read]
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<ScopeArg>,
        /// Make a test key: it sends through simulators only.
        #[arg(long)]
        test: bool,
    },
    /// List the keys made here. Keys of the configuration file are not among them.
    List,
    /// Revoke a key for good; a running server refuses it within seconds.
    Revoke {
        /// Its id, key_….
        id: String,
    },
}

/// `tandem users`
#[derive(Debug, Args)]
pub(crate) struct Users {
    /// Configuration file that names the database and the projects.
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
    /// Database, sqlite:PATH; goes before the file and TANDEM_DATABASE.
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) database: Option<String>,
    /// Project; needed where there are several.
    #[arg(long, value_name = "ID", global = true)]
    pub(crate) project: Option<String>,
    /// Make the database where there is none yet.
    #[arg(long = "create", global = true)]
    pub(crate) create_database: bool,
    /// How the web app is reached, for links; public_url otherwise.
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) url: Option<String>,
    /// Print JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) action: UserAction,
}

/// What `tandem users` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum UserAction {
    /// Add somebody, and print a link by which they choose a password, once.
    Add {
        /// What they sign in with.
        #[arg(long)]
        email: String,
        /// What they may do.
        #[arg(long)]
        role: RoleArg,
        /// What others call them; the address up to its @ otherwise.
        #[arg(long)]
        name: Option<String>,
    },
    /// List everybody.
    List,
    /// Sign somebody out everywhere, and let them sign in no more.
    Disable {
        /// Their address.
        email: String,
    },
    /// Let somebody sign in again.
    Enable {
        /// Their address.
        email: String,
    },
    /// Print a new link by which somebody chooses a password.
    Reset {
        /// Their address.
        email: String,
    },
}

/// A role on the command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum RoleArg {
    /// Everything, users included.
    Owner,
    /// Everything but owners.
    Admin,
    /// Reading, and writing to people.
    Agent,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Owner => Self::Owner,
            RoleArg::Admin => Self::Admin,
            RoleArg::Agent => Self::Agent,
        }
    }
}

/// A scope on the command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum ScopeArg {
    /// Send messages.
    Send,
    /// Read messages, contacts, senders and routes.
    Read,
    /// Change what is configured.
    Manage,
}

impl From<ScopeArg> for Scope {
    fn from(scope: ScopeArg) -> Self {
        match scope {
            ScopeArg::Send => Self::Send,
            ScopeArg::Read => Self::Read,
            ScopeArg::Manage => Self::Manage,
        }
    }
}

/// A key given as an argument: from here on a secret.
fn secret(text: &str) -> Result<Secret, String> {
    if text.is_empty() {
        Err("must not be empty".to_owned())
    } else {
        Ok(Secret::new(text))
    }
}

#[cfg(test)]
mod tests;
