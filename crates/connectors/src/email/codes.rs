//! What a mail server's reply means (RFC 5321 section 4.2.3, RFC 3463 for the dotted codes; 2026).
//!
//! The same number means different things at different moments: 550 to `RCPT` is about the recipient,
//! to `MAIL` about us, after the message about what it says. So the moment is a column.

use domain::model::attempt::PartSet;
use domain::model::failure::{Failure, FailureClass as Class};
use domain::model::receipt::{PartReference, SubmitOutcome};

use self::Meaning::{ForGood, Later, NotTaken};

/// The longest reply that is kept.
const TEXT_MAX: usize = 200;

/// A moment of the talk with the server.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Moment {
    /// Until the server is ready: connecting, TLS, greeting, `EHLO`.
    Hello,
    /// `AUTH`.
    Login,
    /// `MAIL`.
    From,
    /// `RCPT`.
    To,
    /// `DATA`: nothing of the message was written.
    Data,
    /// The message was written, in part or whole.
    Written,
}

/// What went wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Trouble {
    /// The server said no.
    Reply(u16, Box<str>),
    /// It said nothing that can be understood: the connection was lost, or it took too long.
    Lost(Box<str>),
}

/// Something went wrong at a moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Fault {
    pub(super) moment: Moment,
    pub(super) trouble: Trouble,
}

/// What became of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// This, and it is to be told.
    Ended(SubmitOutcome),
    /// The server wants it to come again later, because of this recipient: greylisting, a full
    /// mailbox.
    Later(Failure),
}

/// What a reply means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Meaning {
    /// Another route may carry it.
    NotTaken(Class),
    /// It will never work.
    ForGood(Class),
    /// It may work later on this route.
    Later,
}

/// Every moment of the transaction.
const ANY: &[Moment] = &[Moment::From, Moment::To, Moment::Data, Moment::Written];
/// Before the server knows the recipient.
const ABOUT_US: &[Moment] = &[Moment::From];
/// When it was told the recipient.
const ABOUT_RECIPIENT: &[Moment] = &[Moment::To];
/// When it knows the recipient.
const AFTER_RECIPIENT: &[Moment] = &[Moment::To, Moment::Data, Moment::Written];
/// When it was told the message.
const ABOUT_MESSAGE: &[Moment] = &[Moment::Data, Moment::Written];

/// When, number, beginning of the dotted code (any, if empty), meaning. The first row that fits holds.
#[rustfmt::skip]
pub(super) const REPLIES: &[(&[Moment], u16, &str, Meaning)] = &[
    (ANY, 421, "", NotTaken(Class::RouteFault)),
    // Greylisting, and mailboxes that are in use or full for now.
    (AFTER_RECIPIENT, 450, "", Later),
    (AFTER_RECIPIENT, 451, "4.3", NotTaken(Class::RouteFault)),
    (AFTER_RECIPIENT, 451, "", Later),
    (AFTER_RECIPIENT, 452, "4.2", Later),
    (ANY, 450, "", NotTaken(Class::RouteFault)),
    (ANY, 451, "", NotTaken(Class::RouteFault)),
    (ANY, 452, "", NotTaken(Class::RouteFault)),
    (ANY, 454, "", NotTaken(Class::RouteFault)),
    (ANY, 455, "", NotTaken(Class::RouteFault)),
    // Not logged in, or not for this.
    (ANY, 530, "", NotTaken(Class::AccountFault)),
    (ANY, 534, "", NotTaken(Class::AccountFault)),
    (ANY, 535, "", NotTaken(Class::AccountFault)),
    (ANY, 538, "", NotTaken(Class::AccountFault)),
    // Our address is not welcome: another route may have another.
    (ABOUT_US, 550, "", NotTaken(Class::SenderFault)),
    (ABOUT_US, 551, "", NotTaken(Class::SenderFault)),
    (ABOUT_US, 553, "", NotTaken(Class::SenderFault)),
    (ABOUT_US, 554, "", NotTaken(Class::SenderFault)),
    // The dotted code says it more exactly than the number.
    (ABOUT_RECIPIENT, 550, "5.7", ForGood(Class::Undeliverable)),
    (ABOUT_RECIPIENT, 550, "5.2", ForGood(Class::Undeliverable)),
    (ABOUT_RECIPIENT, 550, "", ForGood(Class::RecipientInvalid)),
    (ABOUT_RECIPIENT, 551, "", ForGood(Class::RecipientInvalid)),
    (ABOUT_RECIPIENT, 552, "", ForGood(Class::Undeliverable)),
    (ABOUT_RECIPIENT, 553, "", ForGood(Class::RecipientInvalid)),
    (ABOUT_RECIPIENT, 554, "5.1", ForGood(Class::RecipientInvalid)),
    (ABOUT_RECIPIENT, 554, "", ForGood(Class::Undeliverable)),
    (ABOUT_RECIPIENT, 556, "", ForGood(Class::RecipientInvalid)),
    (ABOUT_MESSAGE, 550, "5.1", ForGood(Class::RecipientInvalid)),
    (ABOUT_MESSAGE, 550, "", ForGood(Class::ContentBlocked)),
    (ABOUT_MESSAGE, 552, "5.2", ForGood(Class::Undeliverable)),
    // Too long for them.
    (ABOUT_MESSAGE, 552, "", ForGood(Class::Undeliverable)),
    (ABOUT_MESSAGE, 554, "5.1", ForGood(Class::RecipientInvalid)),
    (ABOUT_MESSAGE, 554, "5.2", ForGood(Class::Undeliverable)),
    (ABOUT_MESSAGE, 554, "", ForGood(Class::ContentBlocked)),
];

/// What a reply in the transaction means; the first digit of one that nobody documented says enough.
fn meaning(moment: Moment, code: u16, text: &str) -> Meaning {
    REPLIES
        .iter()
        .find(|it| it.0.contains(&moment) && it.1 == code && text.starts_with(it.2))
        .map_or(NotTaken(Class::RouteFault), |it| it.3)
}

impl Fault {
    /// The server did not give an answer.
    pub(super) fn lost(moment: Moment, why: impl Into<Box<str>>) -> Self {
        Self {
            moment,
            trouble: Trouble::Lost(why.into()),
        }
    }

    /// What became of the message.
    pub(super) fn verdict(&self) -> Verdict {
        let meaning = match (&self.trouble, self.moment) {
            (Trouble::Lost(_), Moment::Written) => {
                return Verdict::Ended(SubmitOutcome::Unknown {
                    references: Vec::new(),
                });
            }
            (Trouble::Reply(500..=599, _), Moment::Login) => NotTaken(Class::AccountFault),
            (Trouble::Lost(_), _) | (Trouble::Reply(..), Moment::Hello | Moment::Login) => {
                NotTaken(Class::RouteFault)
            }
            (Trouble::Reply(code, text), moment) => meaning(moment, *code, text),
        };
        match meaning {
            Later => Verdict::Later(self.failure(Class::Throttled)),
            NotTaken(class) => Verdict::Ended(SubmitOutcome::NotAccepted(self.failure(class))),
            ForGood(class) => Verdict::Ended(SubmitOutcome::Rejected(self.failure(class))),
        }
    }

    /// Whether no other message would fare better: the server cannot be reached, or does not let us
    /// in.
    pub(super) fn is_of_the_route(&self) -> bool {
        match self.moment {
            Moment::Hello | Moment::Login => true,
            Moment::From | Moment::To | Moment::Data | Moment::Written => {
                self.verdict().class() == Some(Class::AccountFault)
            }
        }
    }

    /// Whether the server said it.
    pub(super) const fn is_heard(&self) -> bool {
        matches!(self.trouble, Trouble::Reply(..))
    }

    /// Whether our login was refused, which must not be repeated quickly: accounts get locked.
    pub(super) fn is_refused_login(&self) -> bool {
        self.is_of_the_route() && self.verdict().class() == Some(Class::AccountFault)
    }

    /// Whether the connection can carry another message.
    pub(super) fn leaves_connection(&self) -> bool {
        match (&self.trouble, self.moment) {
            (_, Moment::Hello | Moment::Login) | (Trouble::Lost(_), _) => false,
            (Trouble::Reply(code, _), _) => *code != 421,
        }
    }

    /// Whether it may be for no other reason than that the connection lay idle for too long.
    pub(super) fn is_of_an_old_connection(&self) -> bool {
        self.moment == Moment::From && !self.leaves_connection()
    }

    fn failure(&self, class: Class) -> Failure {
        let (code, text) = match &self.trouble {
            Trouble::Reply(code, text) => {
                let words: String = text.chars().take(TEXT_MAX).collect();
                let text = format!("The mail server refused the message: {words}");
                (code.to_string(), text)
            }
            Trouble::Lost(why) => (
                "no_answer".to_owned(),
                format!("The mail server cannot be talked to: {why}"),
            ),
        };
        Failure::new(class, code, text)
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = match self.moment {
            Moment::Hello => "connecting",
            Moment::Login => "logging in",
            Moment::From => "naming the sender",
            Moment::To => "naming the recipient",
            Moment::Data | Moment::Written => "handing over a message",
        };
        match &self.trouble {
            Trouble::Reply(code, text) => write!(f, "{at}: {code} {text}"),
            Trouble::Lost(why) => write!(f, "{at}: {why}"),
        }
    }
}

impl Verdict {
    /// It was taken; it has this id.
    pub(super) fn taken(id: &str) -> Self {
        Self::Ended(SubmitOutcome::Accepted {
            references: vec![PartReference {
                part: PartSet::WHOLE,
                reference: id.into(),
            }],
        })
    }

    fn class(&self) -> Option<Class> {
        match self {
            Self::Ended(
                SubmitOutcome::NotAccepted(failure)
                | SubmitOutcome::Rejected(failure)
                | SubmitOutcome::PartlyAccepted { failure, .. },
            ) => Some(failure.class),
            Self::Ended(SubmitOutcome::Accepted { .. } | SubmitOutcome::Unknown { .. })
            | Self::Later(_) => None,
        }
    }
}

#[cfg(test)]
#[path = "codes_tests.rs"]
mod tests;
