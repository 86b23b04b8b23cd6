//! `verify`: compares a journal with the API.

use std::path::PathBuf;

use anyhow::{Context, bail};

use crate::http_client::Target;
use crate::{report, verify};

/// Options of `verify`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The server, `http://HOST:PORT`.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// API key with the scope `read`.
    #[arg(long)]
    pub key: String,
    /// File with a line of reference and id for each accepted message.
    #[arg(long)]
    pub journal: PathBuf,
    /// One JSON object on stdout.
    #[arg(long)]
    pub json: bool,
}

/// Prints the verdict; an error if anything is absent or not at an end.
pub async fn run(args: &Args) -> anyhow::Result<()> {
    let journal = std::fs::read_to_string(&args.journal)
        .with_context(|| format!("read {}", args.journal.display()))?;
    let verdict = verify::verify(&Target::parse(&args.url, &args.key)?, &journal).await?;
    report::print(&verdict, args.json)?;
    if verdict.lost() > 0 {
        bail!(
            "{} of {} messages are absent or not at an end",
            verdict.lost(),
            verdict.accepted
        );
    }
    Ok(())
}
