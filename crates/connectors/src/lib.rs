//! What carries submissions to providers and hears from them: one folder a provider, each with the
//! same files (`config`, `submit`, `receipt`, `inbound`, `codes`) where it has the subject.
//!
//! Reading order: [`smpp`] is the full case (a link of our own), [`simulator`] the smallest; `web` is
//! what all providers by HTTP share, and `compliance` what every connector is held to. [`courier`] is no
//! provider but what carries webhooks.

mod content_object;
pub mod courier;
pub mod email;
pub mod http;
mod in_use;
pub mod simulator;
pub mod smpp;
pub mod smsgate;
pub mod telegram;
pub mod twilio;
mod web;
pub mod whatsapp;

#[cfg(test)]
mod compliance;
#[cfg(test)]
mod testing;
