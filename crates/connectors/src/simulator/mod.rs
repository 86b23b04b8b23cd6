//! A provider that is not there: plays submissions, receipts and people who write, by a script that
//! the recipient's last digits choose (R-TEST).
//!
//! Reading order: [`config`], [`numbers`] (the documented table), `script` (what happens when), `window`
//! (the 24 hours of WhatsApp), `templates`, `stage` (the one task that plays it).

pub mod config;
pub mod numbers;
mod script;
mod stage;
mod templates;
mod window;

use std::sync::Arc;

use ports::clock::Clock;
use ports::connector::{Connector, RouteEvents, SubmissionSource};

pub use config::SimulatorConfig;

/// Starts a simulated route. Must be called inside a tokio runtime.
pub fn start(
    config: SimulatorConfig,
    source: Arc<dyn SubmissionSource>,
    events: Arc<dyn RouteEvents>,
    clock: Arc<dyn Clock>,
) -> Arc<dyn Connector> {
    stage::start(config, source, events, clock)
}

#[cfg(test)]
mod compliance_tests;
