//! E-mail by SMTP: each message to one recipient, handed to the mail server that the operator has.
//!
//! That a server took a message is all that is ever known of it: there are no receipts, and bounces,
//! which come as mail to the sender's address, are not read. A route of this kind is configured with
//! `receipts = false`.
//!
//! Reading order: [`config`], `compose` (submission to message), `codes` (what replies mean), `session`
//! (one connection), `post` (the task that has all of them), `notice` (mail to operators).

mod codes;
#[cfg(test)]
mod compliance_tests;
mod compose;
pub mod config;
mod dial;
mod notice;
mod post;
#[cfg(test)]
mod secrecy_tests;
mod session;
#[cfg(test)]
mod sink;

use std::sync::Arc;

use domain::model::address::EmailAddress;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use ports::clock::Clock;
use ports::connector::{Connector, RouteEvents, SubmissionSource};
use ports::mail::Mailer;
use thiserror::Error;

pub use config::{EmailConfig, Security, is_host_name};

/// The settings cannot be used.
#[derive(Debug, Error)]
pub enum EmailError {
    /// Our address is none.
    #[error("`from` is not an e-mail address in ASCII")]
    From,
    /// Our name holds a line break or another control character.
    #[error("`from_name` holds a line break or another control character")]
    FromName,
    /// What we call ourselves is no host name.
    #[error("`hello_name` is not a host name")]
    HelloName,
    /// The password would travel in the clear.
    #[error("a password needs `security = \"starttls\"` or `\"tls\"` towards another machine")]
    ExposedPassword,
    /// The certificates or the host's name do not fit.
    #[error("use the certificates for TLS")]
    Tls(#[from] lettre::transport::smtp::Error),
}

/// Starts the connections of a route, as many as it needs up to its window, until
/// [`Connector::stop`].
///
/// Must be called inside a tokio runtime. Refused only when the settings make no sense; an unreachable
/// server is a state of the link, told by [`RouteEvents::link`].
pub fn start(
    config: EmailConfig,
    source: Arc<dyn SubmissionSource>,
    events: Arc<dyn RouteEvents>,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn Connector>, EmailError> {
    let dialer = Box::new(dial::Tcp {
        host: config.host.clone(),
        port: config.port,
    });
    start_with(config, dialer, source, events, clock)
}

fn start_with(
    config: EmailConfig,
    dialer: Box<dyn dial::Dialer>,
    source: Arc<dyn SubmissionSource>,
    events: Arc<dyn RouteEvents>,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn Connector>, EmailError> {
    let letterhead = compose::Letterhead::new(&config).ok_or(EmailError::From)?;
    let window = config.window;
    let office = office(config, &letterhead, dialer)?;
    Ok(post::start(
        office, letterhead, window, source, events, clock,
    ))
}

/// What connections to the server need.
fn office(
    config: EmailConfig,
    letterhead: &compose::Letterhead,
    dialer: Box<dyn dial::Dialer>,
) -> Result<session::Office, EmailError> {
    if config.exposes_password() {
        return Err(EmailError::ExposedPassword);
    }
    let name = config.from_name.as_deref().unwrap_or_default();
    if name.chars().any(char::is_control) {
        return Err(EmailError::FromName);
    }
    Ok(session::Office {
        dialer,
        security: config.security,
        tls: tls(&config)?,
        login: config
            .username
            .clone()
            .map(|it| Credentials::new(it, config.password.clone().unwrap_or_default())),
        hello: ClientId::Domain(
            config
                .hello(letterhead.from())
                .ok_or(EmailError::HelloName)?,
        ),
        patience: config.timeout.to_duration(),
        port: config.port,
        host: config.host,
    })
}

/// Mail to operators through a mail server: to each of these people, in the order given.
pub fn mailer(
    config: EmailConfig,
    to: Vec<EmailAddress>,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn Mailer>, EmailError> {
    let dialer = Box::new(dial::Tcp {
        host: config.host.clone(),
        port: config.port,
    });
    mailer_with(config, dialer, to, clock)
}

fn mailer_with(
    config: EmailConfig,
    dialer: Box<dyn dial::Dialer>,
    to: Vec<EmailAddress>,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn Mailer>, EmailError> {
    let letterhead = compose::Letterhead::new(&config).ok_or(EmailError::From)?;
    let office = office(config, &letterhead, dialer)?;
    Ok(Arc::new(notice::Notices::new(
        office, letterhead, to, clock,
    )))
}

fn tls(config: &EmailConfig) -> Result<TlsParameters, EmailError> {
    let mut builder = TlsParameters::builder(config.host.clone());
    if let Some(ca) = &config.ca {
        builder = builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(Certificate::from_pem(ca.as_bytes())?);
    }
    Ok(builder.build_rustls()?)
}
