//! Mail to operators: an alert as a plain letter to each of the people whom the configuration names.
//! A connection for each letter: there are few.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use domain::model::address::EmailAddress;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, SinglePart};
use parking_lot::Mutex;
use ports::clock::Clock;
use ports::mail::{Mailer, Notice};

use super::codes::{Fault, Moment, Trouble};
use super::compose::{Letter, Letterhead, address};
use super::session::{Office, Session};

/// Who is written to, and how.
pub(super) struct Notices {
    office: Arc<Office>,
    letterhead: Letterhead,
    to: Vec<EmailAddress>,
    clock: Arc<dyn Clock>,
    /// The notice under way and how many of the people have it: a further try writes to the others.
    under_way: Mutex<(String, usize)>,
}

impl Notices {
    pub(super) fn new(
        office: Office,
        letterhead: Letterhead,
        to: Vec<EmailAddress>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            office: Arc::new(office),
            letterhead,
            to,
            clock,
            under_way: Mutex::default(),
        }
    }

    /// The letter to one of the people; `None` where an address is none.
    fn letter(&self, notice: &Notice, to: &EmailAddress) -> Option<Letter> {
        let (from, to) = (address(self.letterhead.from())?, address(to)?);
        let now = self.clock.now().as_millis().max(0).unsigned_abs();
        let id = format!("{}@{}", notice.id, from.domain());
        let subject: String = notice
            .subject
            .chars()
            .map(|it| if it.is_control() { ' ' } else { it })
            .collect();
        let mut text = notice.text.replace("\r\n", "\n").replace('\r', "\n");
        for (name, at) in &notice.times {
            let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
            // Writing to a text does not fail.
            let _infallible = writeln!(text, "{name}: {at:.0}");
        }
        let name = HeaderName::new_from_ascii_str("Auto-Submitted");
        let message = Message::builder()
            .from(Mailbox::new(self.letterhead.name(), from.clone()))
            .to(Mailbox::new(None, to.clone()))
            .subject(subject)
            .date(UNIX_EPOCH + Duration::from_millis(now))
            .message_id(Some(format!("<{id}>")))
            .raw_header(HeaderValue::new(name, "auto-generated".to_owned()))
            .singlepart(SinglePart::plain(text))
            .ok()?;
        Some(Letter {
            id,
            from,
            to,
            octets: message.formatted(),
        })
    }

    /// Writes to one of the people. Whom the server does not know is not written to again.
    async fn write(&self, letter: &Letter) -> Result<(), Box<str>> {
        let mut session = Session::open(&self.office).await.map_err(words)?;
        match session.send(letter).await {
            Ok(()) => {
                session.close().await;
                Ok(())
            }
            Err(Fault {
                moment: Moment::To,
                trouble: Trouble::Reply(code @ 500.., text),
            }) => {
                tracing::error!(code, %text, "an operator's address is refused by the mail server");
                session.close().await;
                Ok(())
            }
            Err(fault) => Err(words(fault)),
        }
    }

    async fn send_all(&self, notice: Notice) -> Result<(), Box<str>> {
        let done = {
            let mut under_way = self.under_way.lock();
            if under_way.0 != notice.id {
                *under_way = (notice.id.clone(), 0);
            }
            under_way.1
        };
        for to in self.to.iter().skip(done) {
            if let Some(letter) = self.letter(&notice, to) {
                self.write(&letter).await?;
            } else {
                tracing::error!("an operator's address cannot be written to");
            }
            self.under_way.lock().1 += 1;
        }
        Ok(())
    }
}

/// What went wrong, for the log.
fn words(fault: Fault) -> Box<str> {
    match fault.trouble {
        Trouble::Reply(code, text) => format!("the mail server said {code} {text}").into(),
        Trouble::Lost(why) => why,
    }
}

impl Mailer for Notices {
    fn send(
        &self,
        notice: Notice,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), Box<str>>> + Send + '_>> {
        Box::pin(self.send_all(notice))
    }
}

#[cfg(test)]
#[path = "notice_tests.rs"]
mod tests;
