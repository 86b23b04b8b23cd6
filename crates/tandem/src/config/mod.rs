//! The configuration: one TOML file, environment overrides, checked with clear errors (R-RUN-3).
//!
//! [`load`] reads a file, [`parse`] a text. Both tell everything that is wrong at once, each with
//! its place, what is wrong and what is allowed. Reading order: [`model`] (what comes out),
//! [`reader`] (how one table is read), then one file for each kind of table.

mod alerts;
mod builtin;
mod checks;
mod convert;
mod described;
mod email;
mod fx;
mod http;
mod keywords;
mod model;
mod overrides;
mod price;
#[cfg(test)]
mod price_tests;
mod problem;
mod project;
mod quota;
mod reader;
mod route;
mod secret;
mod sender;
mod simulator;
mod smpp;
mod smsgate;
mod summary;
mod telegram;
#[cfg(test)]
mod telling_tests;
#[cfg(test)]
mod tests;
mod twilio;
mod unpriced;
#[cfg(test)]
mod unpriced_tests;
mod values;
mod whatsapp;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use ports::clock::{Clock as _, SystemClock};
use store::SecretKey;
use toml::de::DeTable;
use tracing_subscriber::EnvFilter;

pub(crate) use builtin::{demo, without_file};
pub(crate) use model::{
    Alerts, Config, Database, Idempotency, Limits, Log, LogFormat, Project, Provider, Route, Scope,
    Webhooks, is_test_key,
};
pub(crate) use overrides::Overrides;
pub(crate) use problem::Problem;
pub(crate) use reader::Surroundings;
pub(crate) use secret::Secret;
pub(crate) use summary::summary;

use problem::Report;
use reader::{Field, Table};

/// Where the server listens unless told otherwise: not reachable from other machines.
pub(crate) const LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
/// Settings of capabilities that are not built yet.
const LATER: [&str; 10] = [
    "alert",
    "broadcast",
    "contact",
    "metrics",
    "retention",
    "template",
    "tls",
    "tracing",
    "user",
    "webhook",
];

/// A configuration that holds, and what is worth a look in it.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The configuration.
    pub(crate) config: Config,
    /// What is allowed and probably not meant.
    pub(crate) warnings: Vec<Problem>,
}

/// Everything that is wrong with a configuration. No warnings: they may only follow from errors.
#[derive(Debug)]
pub(crate) struct Rejected {
    /// At least one.
    pub(crate) errors: Vec<Problem>,
}

/// Reads a configuration file, with the process's environment.
pub(crate) fn load(file: &Path, overrides: &Overrides) -> Result<Loaded, Rejected> {
    let source = std::fs::read_to_string(file).map_err(|error| Rejected {
        errors: vec![Problem::outside(
            file.display().to_string(),
            format!("cannot be read: {error}"),
        )],
    })?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let surroundings = Surroundings {
        variable: &|name| std::env::var(name).ok(),
        folder,
        now: SystemClock.now(),
    };
    parse(&source, overrides, surroundings)
}

/// Reads a configuration from its text. Never panics, whatever the text.
pub(crate) fn parse(
    source: &str,
    overrides: &Overrides,
    surroundings: Surroundings<'_>,
) -> Result<Loaded, Rejected> {
    let report = Report::new(source);
    let (root, syntax) = DeTable::parse_recoverable(source);
    for error in &syntax {
        // Only the parser's words: its `Display` repeats the line, which may hold a secret.
        let what = format!("this is not TOML: {}", error.message().replace('\n', ", "));
        report.error(&error.span().unwrap_or_default(), "", what);
    }
    let config = if syntax.is_empty() {
        let root = root.into_inner();
        Some(read(&root, &report, overrides, surroundings))
    } else {
        None
    };
    let (errors, warnings) = report.into_parts();
    match config {
        Some(config) if errors.is_empty() => Ok(Loaded { config, warnings }),
        Some(_) | None => Err(Rejected { errors }),
    }
}

/// Reads the whole file; what is returned is of use only where no error was told.
fn read<'a>(
    root: &'a DeTable<'a>,
    report: &'a Report<'a>,
    overrides: &Overrides,
    surroundings: Surroundings<'_>,
) -> Config {
    let mut table = Table::root(root, report);
    let listen = table.or("listen", LISTEN, |field| field.check(values::listen));
    let database = table.or("database", default_database(), |field| {
        field.check(values::database)
    });
    let public_url = table
        .get("public_url")
        .and_then(|field| field.check(values::public_url));
    let limits = table.or("limits", Limits::default(), |field| {
        Some(limits(field.table()?))
    });
    let webhooks = table.or("webhooks", Webhooks::default(), |field| {
        Some(webhooks(field.table()?))
    });
    let secret_key = table.get("secret_key").and_then(|field| {
        let place = field.clone();
        let text = field.secret(surroundings)?;
        let key = SecretKey::from_hex(text.expose());
        if key.is_none() {
            place.error("must be 64 hexadecimal digits");
        }
        key
    });
    let alerts = table.or("alerts", Alerts::default(), |field| {
        Some(alerts::read(field.table()?, surroundings))
    });
    let log = table.or("log", Log::default(), |field| Some(log(field.table()?)));
    let list = |field: Option<Field<'a>>| field.and_then(Field::list).unwrap_or_default();
    let project_fields = list(table.require("project", "at least one [[project]] with an id"));
    let route_fields = list(table.get("route"));
    let sender_fields = list(table.get("sender"));
    table.later(&LATER);
    table.finish();

    let projects: Vec<(Project, Field<'a>)> = project_fields
        .into_iter()
        .filter_map(|place| Some((project::read(place.clone().table()?, surroundings)?, place)))
        .collect();
    checks::unique(
        projects
            .iter()
            .map(|(it, place)| (it.id.clone(), place.clone())),
        "project",
    );
    let plain: Vec<Project> = projects.iter().map(|(it, _)| it.clone()).collect();
    checks::keys(&plain, report);
    checks::capability_memory(&plain, report);

    let route_ids: BTreeSet<String> = route_fields.iter().filter_map(Field::peek_id).collect();
    checks::unique(
        route_fields
            .iter()
            .filter_map(|it| Some((it.peek_id()?, it.clone()))),
        "route",
    );
    let routes: Vec<Route> = route_fields
        .into_iter()
        .filter_map(|place| route::read(place, &plain, surroundings))
        .collect();
    let written: Vec<sender::Written<'a>> = sender_fields
        .into_iter()
        .filter_map(|place| sender::read(place, &plain))
        .collect();
    let named = |it: &sender::Written<'a>| {
        (
            format!("{}/{}", it.sender.project, it.sender.id),
            it.place.clone(),
        )
    };
    checks::unique(written.iter().map(named), "sender");
    let senders = checks::senders(written, &routes, &route_ids);
    checks::worth_a_look(&projects, &routes, &senders);

    let mut config = Config {
        listen,
        database,
        public_url,
        limits,
        webhooks,
        secret_key,
        alerts,
        log,
        projects: plain,
        routes,
        senders,
    };
    for problem in overrides.apply(&mut config) {
        report.error_outside(&problem.path, problem.what);
    }
    // After the overrides: the environment may name it.
    checks::callbacks(config.public_url.as_deref(), &config.routes, report);
    checks::reachable_by_phones(&config, report);
    config
}

fn default_database() -> Database {
    Database::Sqlite(PathBuf::from("./data/tandem.db"))
}

fn limits(mut table: Table<'_>) -> Limits {
    let default = Limits::default();
    let limits = Limits {
        backlog: table.or("backlog", default.backlog, |field| {
            field.whole(1..=1_000_000_000)
        }),
        body_bytes: table.or("body_bytes", default.body_bytes, |field| {
            field.whole(1_024..=67_108_864)
        }),
    };
    table.finish();
    limits
}

fn webhooks(mut table: Table<'_>) -> Webhooks {
    let default = Webhooks::default();
    let webhooks = Webhooks {
        allow_http: table.or("allow_http", default.allow_http, Field::flag),
        allow_private: table.or("allow_private", default.allow_private, Field::flag),
    };
    table.finish();
    webhooks
}

fn log(mut table: Table<'_>) -> Log {
    let default = Log::default();
    let log = Log {
        format: table.or("format", default.format, |field| {
            field.choice(&[("text", LogFormat::Text), ("json", LogFormat::Json)], &[])
        }),
        level: table.or("level", default.level, |field| field.check(log_level)),
    };
    table.finish();
    log
}

/// What is logged: a level, or targets with levels.
fn log_level(text: &str) -> Result<String, String> {
    match EnvFilter::try_new(text) {
        Ok(_) if !text.trim().is_empty() => Ok(text.to_owned()),
        Ok(_) | Err(_) => {
            Err("must be error, warn, info, debug or trace, or targets with levels such as \"info,engine=debug\"".to_owned())
        }
    }
}
