//! Providers that a description explains: one TOML table says what to ask, how to read the answer,
//! and what callbacks mean. Descriptions of six providers come with the binary ([`PRESETS`]).
//!
//! Reading order: [`spec`] is what can be described, `reading` how it is read, `check` whether it makes
//! sense, then `submit`, `answer` and `callback`, which carry it out.

mod answer;
mod callback;
mod check;
mod money;
mod place;
mod presets;
mod provider;
mod reading;
mod signature;
pub mod spec;
mod submit;
mod template;
mod time;
pub mod words;

use std::sync::Arc;

use domain::model::money::Currency;
use domain::model::receipt::SubmitOutcome;
use domain::time::{Millis, Timestamp};
use ports::clock::Clock;
use ports::connector::{Connector, RouteEvents, Submission, SubmissionSource};
use ports::hooks::HookCall;

use crate::web::driver::{self, DriverSettings};
use crate::web::protocol::{Answer, Answered, Callback, Protocol, Request};

pub use presets::{PRESETS, Problem};
pub use provider::Provider;
pub use spec::ProviderSpec;

/// A route whose provider is described.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// The provider: a description that was checked with its settings.
    pub provider: Provider,
    /// The route's URL for callbacks, `{public_url}/hooks/{route id}`; `None` where we cannot be
    /// called.
    pub hook_url: Option<Box<str>>,
    /// The project's currency, in which alone prices are taken over.
    pub currency: Currency,
    /// Submissions without an answer.
    pub window: u16,
    /// After this long without an answer, nobody knows.
    pub timeout: Millis,
}

/// Starts a route. Must be called inside a tokio runtime.
pub fn start(
    config: &HttpConfig,
    source: Arc<dyn SubmissionSource>,
    events: Arc<dyn RouteEvents>,
    clock: Arc<dyn Clock>,
) -> Arc<dyn Connector> {
    let settings = DriverSettings {
        window: config.window,
        timeout: config.timeout,
    };
    let protocol = Arc::new(Described::new(config));
    driver::start(protocol, settings, source, events, clock)
}

/// The two halves of a described provider.
struct Described(provider::Route);

impl Described {
    fn new(config: &HttpConfig) -> Self {
        let url = config.hook_url.as_deref();
        let url = url.map(|it| config.provider.callback_url(it));
        Self(provider::Route {
            provider: config.provider.clone(),
            callback_url: url.unwrap_or_default(),
            currency: config.currency,
        })
    }
}

impl Protocol for Described {
    fn submit(&self, submission: &Submission, now: Timestamp) -> Result<Request, SubmitOutcome> {
        submit::request(&self.0, submission, now)
    }

    fn answer(&self, submission: &Submission, answer: &Answer) -> Answered {
        answer::read(&self.0, submission, answer)
    }

    fn callback(&self, call: &HookCall, now: Timestamp) -> Callback {
        callback::read(&self.0, call, now)
    }

    fn probe(&self) -> Option<Request> {
        submit::probe(&self.0)
    }
}

#[cfg(test)]
mod callback_tests;
#[cfg(test)]
mod compliance_tests;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod gateway_tests;
#[cfg(test)]
mod send_tests;
