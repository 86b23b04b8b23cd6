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
mod parameters;
mod receipt;
mod signature;
mod submit;

use domain::model::receipt::SubmitOutcome;
use domain::time::Timestamp;
use ports::connector::Submission;
use ports::hooks::HookCall;

use crate::web::protocol::{Answer, Answered, Body, Callback, Method, Protocol, Request};

pub use config::{ApiKey, TwilioChannel, TwilioConfig};

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
mod fixtures;
