//! What can be typed on the command line?

#![expect(
    clippy::doc_markdown,
    reason = "the doc comments are printed as help, where backticks are noise"
)]

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

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
    /// Channel: auto, sms or whatsapp.
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
    /// When to send it, RFC 3339.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
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
    /// Kept apart by these, with commas between: day or hour, route, sender, country, class.
    #[arg(long, default_value = "day,route")]
    pub(crate) by: String,
}

/// `tandem explain`
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// Where the server is.
    #[command(flatten)]
    pub(crate) server: Server,
    /// Id of the message, msg_….
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
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_is_documented_can_be_typed() {
        for line in [
            "tandem serve",
            "tandem serve --config f.toml --listen 127.0.0.1:1 --database sqlite:x.db",
            "tandem demo",
            "tandem demo --listen 127.0.0.1:0 --key k --no-traffic",
            "tandem check f.toml",
            "tandem send --to +40712345678 --text hi",
            "tandem send --to +40712345678 --text hi --channel sms --sender s --category otp --traffic-class direct --at 2026-01-01T00:00:00Z --idempotency-key k --wait --json",
            "tandem messages --status failed --to +40712345678 --channel sms --limit 5 --json",
            "tandem routes --url http://127.0.0.1:9 --key k",
            "tandem quotas --json",
            "tandem balance",
            "tandem balance --deposit -12.50 --note refund --json",
            "tandem costs --from 2026-11-01 --until 2026-12-01 --by day,country",
            "tandem explain msg_1",
            "tandem tail --every 1000",
            "tandem keys create --name app --scope send --scope manage --test --project main",
            "tandem keys list --database sqlite:x.db",
            "tandem keys --config f.toml revoke key_1 --json",
            "tandem openapi",
        ] {
            let parsed = Cli::try_parse_from(line.split(' '));
            assert!(parsed.is_ok(), "{line}: {parsed:?}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for line in [
            "tandem",
            "tandem serve extra",
            "tandem check",
            "tandem send --to +40712345678",
            "tandem messages --limit 0",
            "tandem tail --every 1",
            "tandem balance --note x",
            "tandem keys create",
            "tandem keys create --name a --scope all",
            "tandem keys revoke",
        ] {
            assert!(Cli::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }

    #[test]
    fn debug_output_of_arguments_shows_no_key() {
        let cli = Cli::try_parse_from(["tandem", "demo", "--key", "zv_test_very_secret"]).unwrap();
        assert!(!format!("{cli:?}").contains("very_secret"));
    }
}
