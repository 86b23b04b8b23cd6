//! What carries submissions to providers and hears from them: one folder a provider, each with the
//! same files (`config`, `submit`, `receipt`, `inbound`, `codes`) where it has the subject.
//!
//! Reading order: [`smpp`] is the full case (a link of our own), [`simulator`] the smallest; [`courier`] is no
//! provider but what carries webhooks.

mod content_object;
pub mod courier;
pub mod simulator;
pub mod smpp;
mod web;

#[cfg(test)]
mod testing;
