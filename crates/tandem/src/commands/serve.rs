//! `tandem serve`: the server.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context, Result};
use ports::clock::{Clock, SystemClock};

use crate::cli;
use crate::config::{self, Config, Overrides, Scope};
use crate::{keys, logging, output, wiring};

/// What the wiring is given beside the configuration.
pub(crate) struct RunOptions {
    /// Called once, inside the runtime, when requests are answered; gets the address, with the
    /// port that was chosen where the configuration says 0.
    pub(crate) on_ready: Box<dyn FnOnce(SocketAddr) + Send>,
}

impl RunOptions {
    /// Says where the server listens, and does nothing else.
    pub(crate) fn announcing() -> Self {
        Self {
            on_ready: Box::new(announce),
        }
    }
}

/// The line that scripts wait for.
pub(crate) fn announce(address: SocketAddr) {
    output::line(format_args!("listening on http://{address}"));
}

/// Runs the server until it is told to stop.
pub(super) async fn run(args: cli::Serve) -> Result<ExitCode> {
    let overrides = Overrides::from_environment(&|name| std::env::var(name).ok())
        .listen(args.listen)
        .database(args.database);
    let (name, loaded) = match &args.config {
        Some(file) => (file.display().to_string(), config::load(file, &overrides)),
        None => ("settings".to_owned(), config::without_file(&overrides)),
    };
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(rejected) => return Ok(super::tell_rejected(&name, &rejected)),
    };
    logging::start(&loaded.config.log);
    for warning in &loaded.warnings {
        tracing::warn!("{}", warning.line(&name));
    }
    if args.config.is_none() {
        first_key(&loaded.config).await?;
    }
    wiring::run(loaded.config, RunOptions::announcing()).await?;
    Ok(ExitCode::SUCCESS)
}

/// Without a configuration file there is one project, and a test key for it, made and printed at
/// the first start: test keys reach simulators only (R-TEST).
async fn first_key(config: &Config) -> Result<()> {
    let store = wiring::open_store(config)?;
    let now = SystemClock.now();
    for project in &config.projects {
        let key = keys::project_key(&*store, &project.id, now).await?;
        let known = store.api_keys(key).await.context("read the keys")?;
        if known.iter().any(|it| it.revoked_at.is_none()) {
            continue;
        }
        let (secret, _) = keys::create(&*store, key, "first", &Scope::ALL, true, now).await?;
        output::line(format_args!("database: {}", config.database));
        output::line(format_args!(
            "API key:  {}   (shown once; keep it)",
            secret.expose()
        ));
        output::line(
            "It is a test key: messages go to simulated routes only, nothing leaves this machine.",
        );
        output::line("For real routes write a configuration file: docs/reference/configuration.md");
    }
    Ok(())
}
