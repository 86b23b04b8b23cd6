//! `serve`: the stand-in as a process, so that `line`, `backlog` and `crash` can be tried without a server.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use serde::Deserialize;

use crate::report;
use crate::standin::{Options, StandIn};

/// Options of `serve`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The configuration that this tool writes for the server.
    #[arg(long)]
    pub config: PathBuf,
}

#[derive(Deserialize)]
struct Config {
    listen: SocketAddr,
    database: String,
    route: Vec<Route>,
    #[serde(default)]
    standin: Extra,
}

/// The stand-in's own table, which the real server does not know.
#[derive(Default, Deserialize)]
struct Extra {
    /// Whether it survives a kill.
    #[serde(default)]
    log: bool,
}

#[derive(Deserialize)]
struct Route {
    smpp: Smpp,
}

#[derive(Deserialize)]
struct Smpp {
    host: String,
    port: u16,
    window: usize,
}

/// Serves until the process is ended.
pub async fn run(args: &Args) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(&args.config)
        .with_context(|| format!("read {}", args.config.display()))?;
    let config: Config = toml::from_str(&text).context("read the configuration")?;
    let smpp = &config
        .route
        .first()
        .context("the configuration has no route")?
        .smpp;
    let smsc = SocketAddr::new(smpp.host.parse().context("smpp.host")?, smpp.port);
    let listener = crate::smsc::listen(config.listen).context("listen")?;
    report::note(&format!("listening on http://{}", config.listen));
    let path = config
        .database
        .strip_prefix("sqlite:")
        .unwrap_or(&config.database);
    let log = config.standin.log.then(|| PathBuf::from(path));
    let standin = StandIn::new(Options {
        smsc: Some(smsc),
        window: smpp.window,
        generate: 0,
        log,
    })?;
    standin.serve(listener).await;
    Ok(())
}
