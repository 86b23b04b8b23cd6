//! Twilio's Messages API (2010-04-01) for text messages and WhatsApp.
//!
//! Reading order: [`config`], `codes` (what its numbers mean, as data), `submit` (facts to form),
//! `answer` (answer to outcome), `callback` with `signature` (what a call to the hook is), `receipt`
//! and `inbound` (what it tells), `media` (what people sent).

mod answer;
mod callback;
mod codes;
pub mod config;
mod inbound;
mod media;
mod parameters;
mod receipt;
mod signature;
mod submit;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use domain::model::receipt::SubmitOutcome;
use domain::time::{Millis, Timestamp};
use ports::clock::Clock;
use ports::connector::{Connector, RouteEvents, Submission, SubmissionSource};
use ports::hooks::{HookCall, Hooks, Pending};
use ports::provider::{Media, MediaSource, ProviderError};

use crate::web::client::Client;
use crate::web::driver::{self, DriverSettings, WebRoute};
use crate::web::protocol::{Answer, Answered, Body, Callback, Method, Protocol, Request};

pub use config::{ApiKey, TwilioChannel, TwilioConfig};

/// Starts a Twilio route. Must be called inside a tokio runtime.
pub fn start(
    config: TwilioConfig,
    source: Arc<dyn SubmissionSource>,
    events: Arc<dyn RouteEvents>,
    clock: Arc<dyn Clock>,
) -> Arc<dyn Connector> {
    let settings = DriverSettings {
        window: config.window,
        timeout: config.timeout,
    };
    let protocol = Arc::new(Twilio { config });
    Arc::new(TwilioRoute {
        route: driver::start(protocol, settings, source, events, clock),
        media_client: Client::new(media::TIMEOUT),
    })
}

/// A running route, and the client for its media.
struct TwilioRoute {
    route: Arc<WebRoute<Twilio>>,
    media_client: Client,
}

impl Connector for TwilioRoute {
    fn stop(&self, patience: Millis) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.route.stop(patience)
    }

    fn hooks(&self) -> Option<&dyn Hooks> {
        self.route.hooks()
    }

    fn media(&self) -> Option<&dyn MediaSource> {
        Some(self)
    }
}

impl MediaSource for TwilioRoute {
    fn fetch(&self, id: &str) -> Pending<'_, Result<Media, ProviderError>> {
        let url = id.to_owned();
        Box::pin(async move {
            let config = &self.route.protocol().config;
            media::fetch(config, &self.media_client, &url).await
        })
    }
}

/// The two pure halves.
struct Twilio {
    config: TwilioConfig,
}

impl Protocol for Twilio {
    fn submit(&self, submission: &Submission, _now: Timestamp) -> Result<Request, SubmitOutcome> {
        submit::request(&self.config, submission)
    }

    fn answer(&self, submission: &Submission, answer: &Answer) -> Answered {
        answer::answered(&self.config, submission, answer)
    }

    fn callback(&self, call: &HookCall, _now: Timestamp) -> Callback {
        callback::read(&self.config, call)
    }

    fn probe(&self) -> Option<Request> {
        Some(Request {
            method: Method::Get,
            url: format!("{}.json", self.config.account_url()),
            headers: vec![self.config.authorization()],
            body: Body::None,
        })
    }

    /// A suspended or closed account answers the probe, and takes no messages.
    fn probed(&self, answer: &Answer) -> Result<(), Box<str>> {
        if !(200..300).contains(&answer.status) {
            return Err(format!("Twilio answers {} about the account", answer.status).into());
        }
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        match body["status"].as_str() {
            Some(status @ ("suspended" | "closed")) => {
                Err(format!("the account is {status} at Twilio").into())
            }
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod compliance_tests;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod route_tests;
