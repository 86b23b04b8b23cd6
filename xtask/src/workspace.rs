//! Where is the checkout, where does cargo build, and which crate declares which dependency?

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::run;

/// The part of `cargo metadata --no-deps` that the checks read.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    target_directory: PathBuf,
}

/// One crate of the workspace.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One declared dependency of a crate.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `None` for a normal dependency, else `dev` or `build`.
    pub(crate) kind: Option<String>,
}

/// The checkout that `cargo x` was started in.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    pub(crate) metadata: Metadata,
}

impl Workspace {
    /// Finds the root beside this crate and asks cargo for the metadata.
    pub(crate) fn open() -> Result<Self> {
        // Set by cargo when it runs us, so that a moved checkout needs no rebuild.
        let manifest_dir = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest_dir
            .parent()
            .context("the xtask crate stands in the workspace root")?
            .to_path_buf();
        ensure!(
            root.join("Cargo.toml").is_file(),
            "{} is no workspace root: run this as `cargo x` inside the checkout",
            root.display()
        );
        let json = run::output(
            cargo()
                .args(["metadata", "--no-deps", "--format-version", "1"])
                .current_dir(&root),
        )?;
        let metadata = serde_json::from_str(&json).context("read the output of cargo metadata")?;
        Ok(Self { root, metadata })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A cargo command that runs in the root.
    pub(crate) fn cargo<const N: usize>(&self, args: [&str; N]) -> Command {
        let mut command = cargo();
        command.args(args).current_dir(&self.root);
        command
    }

    /// Where a release build leaves the program of this name.
    pub(crate) fn release(&self, name: &str) -> PathBuf {
        self.metadata.target_directory.join("release").join(name)
    }
}

/// The cargo that runs us, or the one on the path.
fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
