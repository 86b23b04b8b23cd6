//! SMPP 3.4 as a client (ESME): several binds to one SMSC behind one route.
//!
//! Reading order: [`config`], [`pdu`] (bytes), [`codes`] (what they mean), `submit`, `receipt` and
//! `inbound` (the pure halves), `session` (one bind, without I/O), `drive` (its I/O), `link` (all
//! binds of a route).

pub mod codes;
#[cfg(test)]
mod compliance_tests;
pub mod config;
mod drive;
mod inbound;
mod link;
pub mod pdu;
mod reassembly;
mod receipt;
mod session;
#[cfg(test)]
mod smsc;
mod submit;
mod tls;

use std::sync::Arc;

use ports::clock::Clock;
use ports::connector::{Connector, RouteEvents, SubmissionSource};

pub use config::SmppConfig;
pub use tls::TlsError;

/// Starts the binds of a route and keeps them up until [`Connector::stop`].
///
/// Must be called inside a tokio runtime. Refused only when the certificates cannot be read; an
/// unreachable SMSC is a state of the link, told by [`RouteEvents::link`].
pub fn start(
    config: SmppConfig,
    source: Arc<dyn SubmissionSource>,
    events: Arc<dyn RouteEvents>,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn Connector>, TlsError> {
    let dialer: Arc<dyn link::Dialer> = Arc::new(link::Tcp::new(&config)?);
    Ok(link::start(config, &dialer, source, events, clock))
}
