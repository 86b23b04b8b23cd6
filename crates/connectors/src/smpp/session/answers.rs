//! Where acknowledgements from other threads wait until the session writes them.

use std::sync::Arc;

use parking_lot::Mutex;
use ports::connector::{Ack, Heard};
use tokio::sync::Notify;

use super::super::codes::status;

/// The answer to one delivery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) struct Answer {
    /// What is answered.
    pub(super) command: u32,
    /// Its sequence number.
    pub(super) sequence: u32,
    /// With what.
    pub(super) status: u32,
}

/// The status that lets a delivery by this command come again.
pub(super) const fn try_again(command: u32) -> u32 {
    if command == super::command::DATA_SM {
        status::RECEIVER_TEMPORARY
    } else {
        status::QUEUE_FULL
    }
}

/// Answers of one connection. Any thread puts them in; one wake is enough for many.
pub(in super::super) struct Outbox {
    /// `None` once the connection is gone.
    answers: Mutex<Option<Vec<Answer>>>,
    bell: Arc<Notify>,
}

impl Outbox {
    pub(in super::super) fn new(bell: Arc<Notify>) -> Arc<Self> {
        Arc::new(Self {
            answers: Mutex::new(Some(Vec::new())),
            bell,
        })
    }

    /// The acknowledgement of a delivery. Dropped without being called, it answers "try again", so
    /// that nothing stays unanswered.
    pub(super) fn ack(self: &Arc<Self>, command: u32, sequence: u32) -> Ack {
        let open = Open {
            outbox: Arc::clone(self),
            command,
            sequence,
            status: status::QUEUE_FULL,
        };
        Box::new(move |heard| {
            // Bound anew so that the closure holds all of it, not the status alone.
            let mut open = open;
            open.status = match heard {
                Heard::Kept => status::OK,
                Heard::TryAgain => try_again(command),
            };
        })
    }

    fn put(&self, answer: Answer) {
        let mut answers = self.answers.lock();
        let Some(answers) = answers.as_mut() else {
            return;
        };
        answers.push(answer);
        if answers.len() == 1 {
            self.bell.notify_one();
        }
    }

    pub(super) fn drain(&self) -> Vec<Answer> {
        self.answers
            .lock()
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Gives the room of drained answers back.
    pub(super) fn recycle(&self, mut drained: Vec<Answer>) {
        if drained.capacity() == 0 {
            return;
        }
        drained.clear();
        let mut answers = self.answers.lock();
        if let Some(answers) = answers.as_mut()
            && answers.is_empty()
        {
            *answers = drained;
        }
    }

    /// The connection is gone: the SMSC will deliver again what was not answered.
    pub(super) fn close(&self) {
        *self.answers.lock() = None;
    }
}

/// A delivery that waits for its answer, which it gives when it is dropped.
struct Open {
    outbox: Arc<Outbox>,
    command: u32,
    sequence: u32,
    status: u32,
}

impl Drop for Open {
    fn drop(&mut self) {
        let Self {
            command,
            sequence,
            status,
            ..
        } = *self;
        self.outbox.put(Answer {
            command,
            sequence,
            status,
        });
    }
}
