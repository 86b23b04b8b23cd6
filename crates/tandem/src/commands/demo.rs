//! `tandem demo`: a server to play with. Simulated routes, sample contacts, live traffic.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use rand::distr::{Alphanumeric, SampleString};

use crate::cli;
use crate::config::{self, Overrides, Secret};
use crate::{demo, keys, logging, output, wiring};

use super::serve::{RunOptions, announce};

/// Runs the demo until it is told to stop, then removes what it kept.
pub(super) async fn run(args: cli::Demo) -> Result<ExitCode> {
    let key = args.key.unwrap_or_else(|| keys::fresh(true));
    let folder = Folder::make()?;
    let overrides = Overrides::from_environment(&|name| std::env::var(name).ok())
        .listen(args.listen)
        .database(Some(format!(
            "sqlite:{}",
            folder.0.join("demo.db").display()
        )));
    let loaded = match config::demo(&key, &overrides) {
        Ok(loaded) => loaded,
        Err(rejected) => return Ok(super::tell_rejected("settings", &rejected)),
    };
    logging::start(&loaded.config.log);
    for warning in &loaded.warnings {
        output::note(format_args!("warning: {warning}"));
    }
    let with_traffic = !args.no_traffic;
    let on_ready = move |address: SocketAddr| {
        announce(address);
        for line in welcome(address, &key) {
            output::line(line);
        }
        if with_traffic {
            tokio::spawn(demo::play(format!("http://{address}"), key));
        }
    };
    wiring::run(
        loaded.config,
        RunOptions {
            on_ready: Box::new(on_ready),
        },
    )
    .await?;
    Ok(ExitCode::SUCCESS)
}

/// What a newcomer can copy.
fn welcome(address: SocketAddr, key: &Secret) -> Vec<String> {
    let (url, key) = (format!("http://{address}"), key.expose());
    let program = std::env::args().next();
    let program = quoted(program.as_deref().unwrap_or("tandem"));
    let curl = |path: &str| format!("  curl -s '{url}{path}' -H 'Authorization: Bearer {key}'");
    vec![
        String::new(),
        "Tandem demo: every route is simulated, nothing leaves this machine, nothing is kept.".to_owned(),
        String::new(),
        format!("  URL  {url}"),
        format!("  key  {key}"),
        String::new(),
        "Send a message, and see what was decided:".to_owned(),
        format!("{} \\", curl("/v1/messages")),
        "    -H 'Content-Type: application/json' -d '{\"to\": \"+40722000100\", \"text\": \"Hello\"}'".to_owned(),
        curl("/v1/messages?limit=5"),
        String::new(),
        // As it was called: after `cargo run` it is on no path.
        "Or with this program:".to_owned(),
        format!("  export TANDEM_URL={url} TANDEM_API_KEY='{key}'"),
        format!("  {program} send --to +40722000100 --text 'Hello' --wait"),
        format!("  {program} tail"),
        String::new(),
        "Numbers with magic last digits play every outcome: docs/reference/simulator.md".to_owned(),
        String::new(),
    ]
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "/._-+".contains(it);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// The demo's folder; removed when the demo ends.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self> {
        let random = Alphanumeric.sample_string(&mut rand::rng(), 12);
        let folder = std::env::temp_dir().join(format!("tandem-demo-{random}"));
        make_private(&folder).with_context(|| format!("make the folder {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Safe because: a folder that cannot be removed is only a left-over in the system's own
        // place for such.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

#[cfg(unix)]
fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_welcome_has_all_that_is_to_be_copied() {
        let text = welcome("127.0.0.1:8080".parse().unwrap(), &Secret::new("zv_test_k")).join("\n");
        for part in [
            "URL  http://127.0.0.1:8080",
            "key  zv_test_k",
            "Bearer zv_test_k",
            "/v1/messages",
            " send --to +40722000100",
        ] {
            assert!(text.contains(part), "{part}");
        }
    }

    #[test]
    fn this_program_is_named_as_it_was_called() {
        let text = welcome("127.0.0.1:8080".parse().unwrap(), &Secret::new("zv_test_k")).join("\n");
        let program = quoted(&std::env::args().next().unwrap());
        assert!(text.contains(&format!("  {program} tail\n")), "{text}");
        assert_eq!(quoted("target/release/tandem"), "target/release/tandem");
        assert_eq!(quoted("/it's here/tandem"), "'/it'\\''s here/tandem'");
    }

    #[test]
    fn the_folder_goes_when_the_demo_ends() {
        let folder = Folder::make().unwrap();
        let path = folder.0.clone();
        assert!(path.is_dir());
        drop(folder);
        assert!(!path.exists());
    }
}
