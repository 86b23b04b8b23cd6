//! The web app: `cargo x web` builds it into `web/dist`, which is committed (R-RUN-1), and tidy tells
//! without Node whether what is committed was built from these sources.
//!
//! `web/built.txt` has two hashes: of all that goes into the build, and of all that came out of it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::run;
use crate::workspace::Workspace;

/// The folder of the sources, from the root.
const FOLDER: &str = "web";
/// What was built, in that folder.
const BUILT: &str = "dist";
/// Where the hashes stand, in that folder.
const STAMP: &str = "built.txt";
/// What goes into the build, in that folder. The API's document is not among it: it makes types, which
/// are not in the result.
const SOURCES: &[&str] = &[
    "index.html",
    "package-lock.json",
    "package.json",
    "public",
    "src",
    "svelte.config.js",
    "tsconfig.json",
    "vite.config.ts",
];

/// Builds the pages, or with `check` tells whether the committed ones are those of these sources.
pub(crate) fn run(workspace: &Workspace, check: bool) -> Result<()> {
    let folder = workspace.root().join(FOLDER);
    if check {
        if let Some(finding) = findings(workspace.root()).first() {
            bail!("{finding}");
        }
        println!("{FOLDER}/{BUILT} is built from {FOLDER}");
        return Ok(());
    }
    let npm = |arguments: &[&str]| {
        let mut command = Command::new("npm");
        run::run(command.args(arguments).current_dir(&folder))
    };
    npm(&[
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ])?;
    for script in ["types", "check", "test", "build"] {
        npm(&["run", "--silent", script])?;
    }
    let path = folder.join(STAMP);
    fs::write(&path, stamp(&folder)?).with_context(|| format!("write {FOLDER}/{STAMP}"))?;
    println!("built {FOLDER}/{BUILT}");
    Ok(())
}

/// What is wrong with the committed pages.
pub(crate) fn findings(root: &Path) -> Vec<String> {
    let folder = root.join(FOLDER);
    let kept = fs::read_to_string(folder.join(STAMP)).unwrap_or_default();
    match stamp(&folder) {
        Ok(current) if current == kept => Vec::new(),
        Ok(_) => vec![format!(
            "{FOLDER}/{BUILT} was not built from these sources: run `cargo x web` and commit it"
        )],
        Err(error) => vec![format!("{FOLDER}: {error:#}")],
    }
}

fn stamp(folder: &Path) -> Result<String> {
    let sources = hash(folder, SOURCES)?;
    let built = hash(folder, &[BUILT])?;
    Ok(format!("sources {sources}\nbuilt {built}\n"))
}

/// One hash of these files and folders: of their paths, lengths and contents, in order.
fn hash(folder: &Path, names: &[&str]) -> Result<String> {
    let mut files = Vec::new();
    for name in names {
        collect(folder, name, &mut files)?;
    }
    files.sort();
    let mut hash = Sha256::new();
    for name in files {
        let bytes = fs::read(folder.join(&name)).with_context(|| format!("read {name}"))?;
        hash.update(format!("{name}\0{}\0", bytes.len()));
        hash.update(bytes);
    }
    let digits = hash.finalize();
    let mut text = String::new();
    for byte in digits {
        write!(text, "{byte:02x}").context("write a hash")?;
    }
    Ok(text)
}

fn collect(folder: &Path, name: &str, files: &mut Vec<String>) -> Result<()> {
    let path = folder.join(name);
    if !path.is_dir() {
        files.push(name.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(&path).with_context(|| format!("read the folder {name}"))? {
        let entry = entry.with_context(|| format!("read the folder {name}"))?;
        let inner = entry.file_name();
        collect(
            folder,
            &format!("{name}/{}", inner.to_string_lossy()),
            files,
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_tells_names_and_contents_apart() {
        let folder = std::env::temp_dir().join(format!("tandem-xtask-{}", std::process::id()));
        fs::create_dir_all(folder.join("src/deep")).unwrap();
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
        let of = || hash(&folder, &["src", "a.txt"]).unwrap();
        write("a.txt", "1");
        write("src/b.txt", "2");
        write("src/deep/c.txt", "3");
        let first = of();
        assert_eq!(of(), first);
        write("src/deep/c.txt", "4");
        assert_ne!(of(), first);
        write("src/deep/c.txt", "3");
        assert_eq!(of(), first);
        fs::rename(folder.join("src/b.txt"), folder.join("src/d.txt")).unwrap();
        assert_ne!(of(), first);
        write("beside.txt", "not among them");
        assert!(hash(&folder, &["none.txt"]).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
