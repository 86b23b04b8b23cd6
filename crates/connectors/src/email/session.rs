//! One connection to the mail server: opening it, logging in, and handing messages over, each step with
//! its patience and its name.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use tokio::time::timeout;

use super::codes::{Fault, Moment, Trouble};
use super::compose::Letter;
use super::config::Security;
use super::dial::Dialer;

/// How many times the usual patience the last answer has.
const LAST_PATIENCE: u32 = 5;
/// How long the server may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// What every connection of a route needs.
pub(super) struct Office {
    pub(super) dialer: Box<dyn Dialer>,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) tls: TlsParameters,
    pub(super) login: Option<Credentials>,
    pub(super) hello: ClientId,
    pub(super) patience: Duration,
}

/// A connection that is logged in.
pub(super) struct Session {
    connection: Box<AsyncSmtpConnection>,
    office: Arc<Office>,
}

impl Session {
    pub(super) async fn open(office: &Arc<Office>) -> Result<Self, Fault> {
        let patience = office.patience;
        let mut connection = match office.security {
            Security::Tls => {
                let opening = AsyncSmtpConnection::connect_tokio1(
                    (office.host.as_str(), office.port),
                    None,
                    &office.hello,
                    Some(office.tls.clone()),
                    None,
                );
                step(Moment::Hello, patience, opening).await?
            }
            Security::StartTls | Security::None => {
                let dialing = timeout(patience, office.dialer.dial()).await;
                let stream = dialing
                    .map_err(|_| Fault::lost(Moment::Hello, "connecting took too long"))?
                    .map_err(|it| Fault::lost(Moment::Hello, format!("cannot connect: {it}")))?;
                let opening = AsyncSmtpConnection::connect_with_transport(stream, &office.hello);
                step(Moment::Hello, patience, opening).await?
            }
        };
        if office.security == Security::StartTls {
            if !connection.can_starttls() {
                return Err(Fault::lost(
                    Moment::Hello,
                    "the server does not offer STARTTLS",
                ));
            }
            let securing = connection.starttls(office.tls.clone(), &office.hello);
            step(Moment::Hello, patience, securing).await?;
        }
        if let Some(login) = &office.login {
            let logging_in = connection.auth(DEFAULT_MECHANISMS, login);
            step(Moment::Login, patience, logging_in).await?;
        }
        Ok(Self {
            connection: Box::new(connection),
            office: Arc::clone(office),
        })
    }

    /// Hands a message over.
    pub(super) async fn send(&mut self, letter: &Letter) -> Result<(), Fault> {
        let patience = self.office.patience;
        let connection = &mut self.connection;
        let from = Mail::new(Some(letter.from.clone()), Vec::new());
        step(Moment::From, patience, connection.command(from)).await?;
        let to = Rcpt::new(letter.to.clone(), Vec::new());
        step(Moment::To, patience, connection.command(to)).await?;
        let answer = step(Moment::Data, patience, connection.command(Data)).await?;
        if !answer.has_code(354) {
            // It waits for another command, and would take the message for one.
            return Err(Fault::lost(
                Moment::Data,
                "the server does not want the message",
            ));
        }
        let message = connection.message(&letter.octets);
        step(Moment::Written, patience * LAST_PATIENCE, message).await?;
        Ok(())
    }

    /// Makes the server forget a transaction that it broke off; whether it works still.
    pub(super) async fn forget(&mut self) -> bool {
        let forgetting = self.connection.command(Rset);
        let forgotten = step(Moment::From, self.office.patience, forgetting).await;
        forgotten.is_ok()
    }

    /// Says goodbye.
    pub(super) async fn close(mut self) {
        // A server that does not answer is left all the same.
        drop(timeout(GOODBYE, self.connection.quit()).await);
    }
}

/// Waits for a step, and gives what went wrong its name.
async fn step<T>(
    moment: Moment,
    patience: Duration,
    step: impl Future<Output = Result<T, Error>>,
) -> Result<T, Fault> {
    match timeout(patience, step).await {
        Err(_) => Err(Fault::lost(moment, "the answer took too long")),
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(Fault {
            moment,
            trouble: trouble(&error),
        }),
    }
}

fn trouble(error: &Error) -> Trouble {
    let words = |it: &dyn std::error::Error| it.to_string().replace(['\r', '\n'], " ");
    let source = std::error::Error::source(error);
    match error.status() {
        Some(code) => Trouble::Reply(
            code.into(),
            source.map(words).unwrap_or_default().trim().into(),
        ),
        None => Trouble::Lost(words(error).into()),
    }
}
