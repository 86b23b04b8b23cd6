//! What is a connector handed for an attempt, and when is its turn?

use std::sync::Arc;

use domain::ids::{ContactId, ConversationId, MessageId};
use domain::model::attempt::Attempt;
use domain::time::{Millis, Timestamp};
use ports::connector::{Submission, SubmissionKey};
use ports::store::messages::NewMessage;

use crate::form::Form;
use crate::ready::Ready;

/// A message that is planned on a route, as far as its submission goes by it.
#[derive(Clone, Copy)]
pub(crate) struct Leaving<'a> {
    /// Its id.
    pub(crate) id: MessageId,
    /// Whose it is.
    pub(crate) contact: ContactId,
    /// What was accepted.
    pub(crate) message: &'a NewMessage,
    /// How long its first channel has until silence counts as failure (R-FALL-5).
    pub(crate) fallback_after: Option<Millis>,
    /// When its validity ends.
    pub(crate) expires_at: Timestamp,
}

impl Leaving<'_> {
    /// By this attempt, in this form: due when the message was accepted or scheduled for (R-ORDER).
    pub(crate) fn by(self, attempt: &Attempt, form: Form) -> Ready {
        let message = self.message;
        let due = message.scheduled_at.unwrap_or(message.accepted_at);
        Ready {
            due,
            waits_since: due,
            thread: ConversationId {
                contact: self.contact,
                sender: message.sender,
            },
            purpose: message.purpose,
            submission: self.submission(attempt, form),
        }
    }

    fn submission(self, attempt: &Attempt, form: Form) -> Submission {
        let Form { from, to, template } = form;
        let message = self.message;
        Submission {
            key: SubmissionKey {
                message: self.id,
                attempt: attempt.no,
            },
            class: message.class,
            from,
            to,
            content: message
                .content
                .worded_for(attempt.channel)
                .map_or_else(|| Arc::clone(&message.content), Arc::new),
            template,
            category: message.category,
            context: message.context.clone(),
            parts: attempt.parts,
            accepted: attempt.accepted,
            // Only the first channel's copy must not come late (R-FALL-5).
            validity: self.fallback_after.filter(|_| attempt.no == 1),
            expires_at: self.expires_at,
        }
    }
}
