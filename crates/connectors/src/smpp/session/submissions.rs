//! The submitting half of a session: filling the window, and what becomes of each part.

use std::sync::atomic::Ordering;

use domain::model::failure::{Failure, FailureClass};
use domain::model::receipt::SubmitOutcome;
use ports::connector::Slots;
use tokio::time::Instant;

use super::super::codes::{self, Refusal, status};
use super::super::pdu::{self, Frame, command};
use super::super::receipt;
use super::super::submit::{Outgoing, Unfit};
use super::tracked::Tracked;
use super::{End, InFlight, Role, Session, State, UNWRITTEN_MAX, Unsent};

impl Session {
    pub(super) fn hear_submitted(&mut self, frame: &Frame<'_>) {
        let Some(part) = self.in_flight.remove(&frame.sequence) else {
            return;
        };
        self.ask = true;
        let is_nack = frame.command == command::GENERIC_NACK;
        if frame.status == status::OK && !is_nack {
            let policy = self.context.config.message_id_match;
            let id = receipt::kept_form(policy, pdu::leading_text(frame.body));
            self.tracked.accepted(part.message, part.part, id);
        } else {
            let code = if is_nack && frame.status == 0 {
                0xFF
            } else {
                frame.status
            };
            let (meaning, failure) = codes::refusal(code, &self.context.config.statuses);
            self.refuse(part.message, meaning, failure);
            if code == status::INVALID_BIND_STATE {
                self.finish(End::Lost("the SMSC holds the link for unbound".into()));
            }
        }
        self.conclude(part.message);
    }

    /// A part was refused: the parts that are not in the buffer yet stay out of it.
    pub(super) fn refuse(&mut self, message: usize, meaning: Refusal, failure: Failure) {
        self.tracked.refused(message, meaning, failure);
        if self.unsent.front().is_some_and(|it| it.message == message) {
            self.unsent.pop_front();
            self.tracked.all_sent(message);
        }
    }

    /// Tells the outcome once no part is open any more.
    pub(super) fn conclude(&mut self, message: usize) {
        if let Some(done) = self.tracked.take_concluded(message) {
            self.context.events.submitted(done.key, done.outcome());
        }
    }

    pub(super) fn give_back(&mut self, message: usize) {
        if let Some(it) = self.tracked.remove(message) {
            self.context.events.returned(it.key);
        }
    }

    /// Submissions whose answer did not come in time are unknown (R-ROUTE-5).
    pub(super) fn time_out(&mut self, now: Instant) {
        if self.is_paused || self.next_timeout.is_none_or(|it| it > now) {
            return;
        }
        let late: Vec<u32> = self
            .in_flight
            .iter()
            .filter(|it| it.1.until <= now)
            .map(|it| *it.0)
            .collect();
        let written = self.out_begin + self.written as u64;
        let is_stuck = |it: &u32| {
            self.in_flight
                .get(it)
                .is_some_and(|part| part.end > written)
        };
        if late.iter().any(is_stuck) {
            // Its octets would still leave after it was given back: this connection is over.
            self.finish(End::Lost("the SMSC does not read".into()));
            return;
        }
        for sequence in late {
            self.lose(sequence);
            self.ask = true;
        }
        self.next_timeout = self.in_flight.values().map(|it| it.until).min();
    }

    /// What became of this part will not be known here.
    pub(super) fn lose(&mut self, sequence: u32) {
        let Some(part) = self.in_flight.remove(&sequence) else {
            return;
        };
        if part.end > self.out_begin + self.written as u64 {
            self.tracked.not_left(part.message);
        } else {
            self.tracked.unknown(part.message);
        }
        if self
            .unsent
            .front()
            .is_some_and(|it| it.message == part.message)
        {
            self.unsent.pop_front();
            self.tracked.all_sent(part.message);
        }
        self.conclude_lost(part.message);
    }

    /// Like [`conclude`](Self::conclude), for messages of which perhaps nothing left.
    pub(super) fn conclude_lost(&mut self, message: usize) {
        if let Some(done) = self.tracked.take_concluded(message) {
            if done.has_left() {
                self.context.events.submitted(done.key, done.outcome());
            } else {
                self.context.events.returned(done.key);
            }
        }
    }

    pub(super) fn free(&self) -> usize {
        usize::from(self.window()).saturating_sub(self.in_flight.len())
    }

    pub(super) fn window(&self) -> u16 {
        self.context.config.window.max(1)
    }

    /// Fills the window from the source (R-CLASS-3: the source decides what comes first).
    pub(super) fn pull(&mut self, now: Instant) {
        let may_pull = self.state == State::Bound
            && self.role != Role::Receiver
            && !self.is_paused
            && self.unwritten().len() < UNWRITTEN_MAX;
        while may_pull && self.ask && self.unsent.is_empty() && self.free() > 0 {
            let free = u16::try_from(self.free()).unwrap_or(u16::MAX);
            let taken = self.context.source.take(Slots {
                free,
                window: self.window(),
                links: self.context.links.load(Ordering::Relaxed).max(1),
            });
            self.ask = !taken.submissions.is_empty();
            let clock_now = self.context.clock.now();
            self.ask_again = taken
                .ask_again_at
                .map(|it| now + it.since(clock_now).to_duration());
            for submission in taken.submissions {
                match Outgoing::new(&self.context.config, submission) {
                    Ok(outgoing) => self.enqueue(outgoing),
                    Err(unfit) => {
                        let Unfit {
                            submission,
                            outcome,
                        } = *unfit;
                        self.context.events.submitted(submission.key, outcome);
                    }
                }
            }
            self.write_unsent(now);
        }
    }

    pub(super) fn enqueue(&mut self, outgoing: Outgoing) {
        let key = outgoing.submission.key;
        let Some(next) = outgoing.missing().next() else {
            // Every part was taken before.
            let outcome = SubmitOutcome::Accepted {
                references: Vec::new(),
            };
            self.context.events.submitted(key, outcome);
            return;
        };
        let message = self.tracked.insert(Tracked::new(key));
        self.unsent.push_back(Unsent {
            message,
            outgoing,
            next,
        });
    }

    /// Writes parts while the window has room.
    pub(super) fn write_unsent(&mut self, now: Instant) {
        if !self.is_bound() || self.unsent.is_empty() {
            return;
        }
        let clock_now = self.context.clock.now();
        let until = now + self.context.config.response_timeout.to_duration();
        while self.free() > 0
            && let Some(mut unsent) = self.unsent.pop_front()
        {
            let message = unsent.message;
            // Nothing is sent late (R-LIFE-4); what has begun is finished, for half a message is
            // worse than a late one.
            if unsent.outgoing.submission.expires_at <= clock_now && !self.tracked.is_begun(message)
            {
                self.give_back(message);
                continue;
            }
            let part = unsent.next;
            let sequence = self.next_sequence();
            let config = &self.context.config;
            unsent
                .outgoing
                .write(config, part, sequence, clock_now, &mut self.out);
            let end = self.out_begin + self.out.len() as u64;
            self.in_flight.insert(
                sequence,
                InFlight {
                    message,
                    part,
                    end,
                    until,
                },
            );
            self.next_timeout.get_or_insert(until);
            self.tracked.sent(message);
            match unsent.outgoing.missing().find(|it| *it > part) {
                Some(next) => {
                    unsent.next = next;
                    self.unsent.push_front(unsent);
                }
                None => self.tracked.all_sent(message),
            }
        }
    }

    /// The connection is gone: gives every submission that is left its outcome.
    pub(in super::super) fn abandon(&mut self) {
        self.outbox.close();
        let mut left: Vec<u32> = self.in_flight.keys().copied().collect();
        left.sort_unstable();
        for sequence in left {
            self.lose(sequence);
        }
        for it in std::mem::take(&mut self.unsent) {
            self.tracked.all_sent(it.message);
            self.conclude_lost(it.message);
        }
    }
}

/// The failure of a message whose rest could not be sent because the link died.
pub(super) fn link_lost() -> Failure {
    Failure::new(
        FailureClass::RouteFault,
        "link_lost",
        "The link to the SMSC was lost.",
    )
}
