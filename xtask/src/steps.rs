//! Runs named steps one after another, tells the seconds of each, and stops at the first failure.

use std::time::Instant;

use anyhow::{Result, bail};

/// The steps of one run, with the seconds that each took.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    passed: Vec<(&'static str, f64)>,
}

impl Steps {
    /// Runs one step under its heading. A failure prints the closing line and ends the run.
    pub(crate) fn step(
        &mut self,
        name: &'static str,
        body: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        println!("\n=== {name}");
        let started = Instant::now();
        let result = body();
        let seconds = started.elapsed().as_secs_f64();
        match result {
            Ok(()) => {
                println!("--- {name}: {seconds:.1} s");
                self.passed.push((name, seconds));
                Ok(())
            }
            Err(error) => {
                println!("--- {name}: FAILED after {seconds:.1} s");
                println!("{error:#}");
                println!("\n{}", closing(self.passed.len(), 1));
                bail!("step {name} failed");
            }
        }
    }

    /// Prints how long each step took, and the closing line.
    pub(crate) fn finish(self) {
        println!();
        for (name, seconds) in &self.passed {
            println!("{seconds:>8.1} s  {name}");
        }
        println!("\n{}", closing(self.passed.len(), 0));
    }
}

/// The closing line: alone on its line, so that people and machines find it.
fn closing(passed: usize, failed: usize) -> String {
    format!("{passed} passed, {failed} failed")
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_failed_step_ends_the_run_and_names_itself() {
        let mut steps = Steps::default();
        assert!(steps.step("one", || Ok(())).is_ok());
        let error = steps.step("two", || Err(anyhow!("broken"))).unwrap_err();
        assert_eq!(error.to_string(), "step two failed");
        assert_eq!(steps.passed.len(), 1);
    }

    #[test]
    fn the_closing_line_counts_steps() {
        assert_eq!(closing(3, 1), "3 passed, 1 failed");
    }
}
