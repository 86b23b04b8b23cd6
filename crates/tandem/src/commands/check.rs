//! `tandem check`: every error of a configuration, or what it sets up.

use std::process::ExitCode;

use crate::cli;
use crate::config::{self, Overrides};
use crate::output;

/// Exit code 0 where the file holds, 1 where it does not.
pub(super) fn run(args: &cli::Check) -> ExitCode {
    let file = args.file.display().to_string();
    let overrides = Overrides::from_environment(&|name| std::env::var(name).ok());
    match config::load(&args.file, &overrides) {
        Ok(loaded) => {
            for warning in &loaded.warnings {
                output::note(format_args!("warning: {}", warning.line(&file)));
            }
            for line in config::summary(&loaded.config) {
                output::line(line);
            }
            output::line(format_args!("\n{file}: no errors"));
            ExitCode::SUCCESS
        }
        Err(rejected) => super::tell_rejected(&file, &rejected),
    }
}
