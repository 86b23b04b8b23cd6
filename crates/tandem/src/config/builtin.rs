//! What runs without a configuration file? Two files of our own, read like any other.

use std::path::Path;

use ports::clock::{Clock as _, SystemClock};

use super::{Loaded, Overrides, Rejected, Secret, Surroundings, parse};

const WITHOUT_FILE: &str = include_str!("builtin/without_file.toml");
const DEMO: &str = include_str!("builtin/demo.toml");

/// The configuration of `tandem serve` without a file: one project with simulated routes only.
pub(crate) fn without_file(overrides: &Overrides) -> Result<Loaded, Rejected> {
    parse(
        WITHOUT_FILE,
        overrides,
        Surroundings {
            variable: &|_| None,
            folder: Path::new("."),
            now: SystemClock.now(),
        },
    )
}

/// The configuration of `tandem demo` with this key.
pub(crate) fn demo(key: &Secret, overrides: &Overrides) -> Result<Loaded, Rejected> {
    let variable = |name: &str| (name == "KEY").then(|| key.expose().to_owned());
    parse(
        DEMO,
        overrides,
        Surroundings {
            variable: &variable,
            folder: Path::new("."),
            now: SystemClock.now(),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_hold_without_a_warning() {
        let key = Secret::new("zv_test_0123456789abcdef");
        for loaded in [
            without_file(&Overrides::default()),
            demo(&key, &Overrides::default()),
        ] {
            let loaded = loaded.unwrap();
            assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
            assert!(
                loaded
                    .config
                    .routes
                    .iter()
                    .all(super::super::Route::is_simulator)
            );
        }
    }
}
