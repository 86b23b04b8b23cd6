//! One bind: what it has in flight, what it owes, and what to do when something is heard or a time
//! comes. No I/O in here: octets go in and out, so that every case can be played in a test.
//!
//! Rules: R-PARTS (parts in order on one bind), R-ROUTE-5 and R-DUP (what left without an answer is
//! unknown, what did not leave is returned), R-CLASS-3 (the window is filled by pulling).
//! Each submission that was taken gets exactly one outcome.

mod answers;
mod deliveries;
mod submissions;
mod tracked;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicU16;
use std::time::Duration;

use ports::clock::Clock;
use ports::connector::{RouteEvents, SubmissionSource};
use tokio::time::Instant;

use super::codes::{self, status};
use super::config::{BindMode, SmppConfig};
use super::pdu::{self, Frame, Message, RESPONSE, command};
use super::reassembly::Reassembly;
use super::submit::Outgoing;

pub(super) use answers::Outbox;
use tracked::Trackings;

/// How long the answer to an unbind may take.
const UNBIND_TIMEOUT: Duration = Duration::from_secs(5);
/// Octets that may wait for a peer that does not read; then nothing more is read from it.
const UNWRITTEN_MAX: usize = 1024 * 1024;
/// Highest sequence number; the next is 1 again (section 3.2).
const LAST_SEQUENCE: u32 = 0x7FFF_FFFF;

/// What all binds of a route share.
pub(super) struct Context {
    pub(super) config: SmppConfig,
    pub(super) source: Arc<dyn SubmissionSource>,
    pub(super) events: Arc<dyn RouteEvents>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) reassembly: Arc<Reassembly>,
    /// How many connections take submissions now.
    pub(super) links: Arc<AtomicU16>,
}

/// Which directions a connection has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    Transceiver,
    Transmitter,
    Receiver,
}

impl Role {
    /// The connections that one bind consists of.
    pub(super) const fn of(mode: BindMode) -> &'static [Self] {
        match mode {
            BindMode::Transceiver => &[Self::Transceiver],
            BindMode::TransmitterReceiver => &[Self::Transmitter, Self::Receiver],
            BindMode::Transmitter => &[Self::Transmitter],
            BindMode::Receiver => &[Self::Receiver],
        }
    }

    const fn command(self) -> u32 {
        match self {
            Self::Transceiver => command::BIND_TRANSCEIVER,
            Self::Transmitter => command::BIND_TRANSMITTER,
            Self::Receiver => command::BIND_RECEIVER,
        }
    }
}

/// Why a session is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// We asked for it.
    Stopped,
    /// The SMSC asked for it.
    PeerUnbound,
    /// The SMSC refused the bind with this status.
    Refused(u32),
    /// The connection is of no use any more.
    Lost(Box<str>),
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stopped => f.write_str("stopped"),
            Self::PeerUnbound => f.write_str("the SMSC unbound"),
            Self::Refused(status) => {
                write!(
                    f,
                    "the SMSC refused the bind with {}",
                    codes::status_name(*status)
                )
            }
            Self::Lost(why) => f.write_str(why),
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum State {
    Binding {
        sequence: u32,
        until: Instant,
    },
    Bound,
    /// Takes nothing more and waits for what is under way.
    Draining {
        until: Instant,
    },
    Unbinding {
        until: Instant,
    },
    Over(End),
}

/// A part on its way: which message, which part, and where its octets end in the stream.
#[derive(Clone, Copy, Debug)]
struct InFlight {
    message: usize,
    part: u16,
    end: u64,
    until: Instant,
}

/// A message with parts that are not in the buffer yet.
#[derive(Debug)]
struct Unsent {
    message: usize,
    outgoing: Outgoing,
    next: u16,
}

/// One connection to the SMSC from its bind to its end.
pub(super) struct Session {
    context: Arc<Context>,
    role: Role,
    outbox: Arc<Outbox>,
    state: State,
    sequence: u32,
    /// Octets for the peer; those before `written` have left.
    out: Vec<u8>,
    written: usize,
    /// Where `out` begins in the stream.
    out_begin: u64,
    in_flight: HashMap<u32, InFlight>,
    tracked: Trackings,
    unsent: VecDeque<Unsent>,
    /// Whether the source may have something.
    ask: bool,
    ask_again: Option<Instant>,
    /// Not later than the first deadline in flight.
    next_timeout: Option<Instant>,
    heard: Instant,
    enquiry: Option<Instant>,
    /// Deliveries that are not answered yet.
    unanswered: usize,
    is_paused: bool,
}

impl Session {
    /// A session on a fresh connection; the bind waits in [`unwritten`](Self::unwritten).
    pub(super) fn new(
        context: Arc<Context>,
        role: Role,
        outbox: Arc<Outbox>,
        now: Instant,
    ) -> Self {
        let config = &context.config;
        let until = now + config.connect_timeout.to_duration();
        let mut out = Vec::with_capacity(16 * 1024);
        let sequence = 1;
        let bind = pdu::Bind {
            command: role.command(),
            system_id: config.system_id.as_bytes(),
            password: config.password.as_bytes(),
            system_type: config.system_type.as_bytes(),
            address_range: config.address_range.as_bytes(),
        };
        pdu::bind(&mut out, sequence, &bind);
        Self {
            context,
            role,
            outbox,
            state: State::Binding { sequence, until },
            sequence,
            out,
            written: 0,
            out_begin: 0,
            in_flight: HashMap::new(),
            tracked: Trackings::default(),
            unsent: VecDeque::new(),
            ask: true,
            ask_again: None,
            next_timeout: None,
            heard: now,
            enquiry: None,
            unanswered: 0,
            is_paused: false,
        }
    }

    /// Octets that wait to be written.
    pub(super) fn unwritten(&self) -> &[u8] {
        &self.out[self.written..]
    }

    /// `count` of them have left.
    pub(super) fn wrote(&mut self, count: usize) {
        self.written += count;
        if self.written == self.out.len() {
            self.out_begin += self.written as u64;
            self.out.clear();
            self.written = 0;
        }
    }

    /// Whether more may be read: a peer that neither reads nor waits must not fill the memory.
    pub(super) fn may_read(&self) -> bool {
        !self.is_paused && self.unwritten().len() < UNWRITTEN_MAX
    }

    /// Whether the SMSC accepted the bind and it still stands.
    pub(super) const fn is_bound(&self) -> bool {
        matches!(self.state, State::Bound | State::Draining { .. })
    }

    /// Why it is over, once it is.
    pub(super) const fn end(&self) -> Option<&End> {
        match &self.state {
            State::Over(end) => Some(end),
            State::Binding { .. }
            | State::Bound
            | State::Draining { .. }
            | State::Unbinding { .. } => None,
        }
    }

    /// Ends it, unless it is over already.
    pub(super) fn finish(&mut self, end: End) {
        if self.end().is_none() {
            self.state = State::Over(end);
        }
    }

    /// The source may have something.
    pub(super) const fn source_ready(&mut self) {
        self.ask = true;
    }

    /// How long it takes at most until everything under way has its outcome: a long message that
    /// has begun has to get its last parts out before their answers can be waited for.
    pub(super) fn patience(&self) -> Duration {
        2 * self.context.config.response_timeout.to_duration()
    }

    /// Takes submissions again, if it did not for a while and has not unbound yet.
    pub(super) fn go_on(&mut self) {
        match self.state {
            State::Draining { .. } => {
                self.state = State::Bound;
                self.ask = true;
            }
            State::Binding { .. } | State::Bound | State::Unbinding { .. } | State::Over(_) => {}
        }
    }

    /// Takes nothing more and unbinds when everything under way has its outcome, at `until` at the
    /// latest; of several such moments the first counts.
    pub(super) fn stop(&mut self, until: Instant) {
        match &mut self.state {
            State::Binding { .. } => self.finish(End::Stopped),
            State::Bound => {
                self.state = State::Draining { until };
                let (begun, untouched) = std::mem::take(&mut self.unsent)
                    .into_iter()
                    .partition(|it| self.tracked.is_begun(it.message));
                self.unsent = begun;
                for it in untouched {
                    self.give_back(it.message);
                }
            }
            State::Draining { until: first } => *first = until.min(*first),
            State::Unbinding { .. } | State::Over(_) => {}
        }
    }

    /// Takes octets from the peer; gives how many of them are done with.
    pub(super) fn received(&mut self, octets: &[u8], now: Instant) -> usize {
        self.heard = now;
        self.enquiry = None;
        self.parse(octets, now)
    }

    /// Goes on with octets that were received before, where a pause has ended.
    pub(super) fn parse(&mut self, octets: &[u8], now: Instant) -> usize {
        let mut done = 0;
        while self.end().is_none() && !self.is_paused {
            match pdu::first(&octets[done..]) {
                Ok(Some(frame)) => {
                    done += frame.length();
                    self.hear(&frame, now);
                    self.is_paused = self.unanswered >= self.context.config.unanswered_max;
                }
                Ok(None) => break,
                Err(length) => {
                    pdu::bare(&mut self.out, command::GENERIC_NACK, 0x02, 0);
                    self.finish(End::Lost(length.to_string().into()));
                }
            }
        }
        done
    }

    fn hear(&mut self, frame: &Frame<'_>, now: Instant) {
        const SUBMITTED: u32 = command::SUBMIT_SM | RESPONSE;
        const UNBOUND: u32 = command::UNBIND | RESPONSE;
        match frame.command {
            SUBMITTED => self.hear_submitted(frame),
            command::DELIVER_SM => self.hear_delivery(frame, Message::parse(frame.body), now),
            command::DATA_SM => self.hear_delivery(frame, Message::parse_data(frame.body), now),
            command::ENQUIRE_LINK => {
                pdu::bare(
                    &mut self.out,
                    command::ENQUIRE_LINK | RESPONSE,
                    0,
                    frame.sequence,
                );
            }
            command::UNBIND => {
                pdu::bare(&mut self.out, UNBOUND, 0, frame.sequence);
                self.finish(End::PeerUnbound);
            }
            UNBOUND if matches!(self.state, State::Unbinding { .. }) => self.finish(End::Stopped),
            command::GENERIC_NACK if !self.hear_bound(frame) => self.hear_submitted(frame),
            it if it == self.role.command() | RESPONSE => {
                self.hear_bound(frame);
            }
            // Nothing to do, and no answer is foreseen.
            command::ALERT_NOTIFICATION | command::OUTBIND => {}
            it if it & RESPONSE == 0 => {
                pdu::bare(
                    &mut self.out,
                    command::GENERIC_NACK,
                    status::INVALID_COMMAND,
                    frame.sequence,
                );
            }
            // An answer to what we did not ask, or no longer wait for.
            _ => {}
        }
    }

    /// The answer to the bind, if this is it.
    fn hear_bound(&mut self, frame: &Frame<'_>) -> bool {
        match self.state {
            State::Binding { sequence, .. } if sequence == frame.sequence => {
                let is_ok = frame.status == status::OK && frame.command != command::GENERIC_NACK;
                self.state = if is_ok {
                    State::Bound
                } else {
                    State::Over(End::Refused(frame.status))
                };
                true
            }
            State::Binding { .. }
            | State::Bound
            | State::Draining { .. }
            | State::Unbinding { .. }
            | State::Over(_) => false,
        }
    }

    /// Does what is due at `now`: answers, timeouts, and new submissions.
    pub(super) fn turn(&mut self, now: Instant) {
        self.answer(now);
        if self.end().is_some() {
            return;
        }
        self.keep_alive(now);
        self.time_out(now);
        if self.context.reassembly.due().is_some_and(|it| it <= now) {
            for (message, ack) in self.context.reassembly.sweep(now) {
                self.context.events.inbound(message, ack);
            }
        }
        if self.ask_again.is_some_and(|it| it <= now) {
            self.ask_again = None;
            self.ask = true;
        }
        self.write_unsent(now);
        self.pull(now);
        self.advance_stop(now);
    }

    fn keep_alive(&mut self, now: Instant) {
        match self.state {
            State::Binding { until, .. } if until <= now => {
                self.finish(End::Lost("the SMSC did not answer the bind".into()));
            }
            State::Bound | State::Draining { .. } if !self.is_paused => match self.enquiry {
                Some(until) if until <= now => {
                    self.finish(End::Lost("the SMSC did not answer the link test".into()));
                }
                None if self.enquire_at() <= now => {
                    let sequence = self.next_sequence();
                    pdu::bare(&mut self.out, command::ENQUIRE_LINK, 0, sequence);
                    let timeout = self.context.config.enquire_link_timeout;
                    self.enquiry = Some(now + timeout.to_duration());
                }
                Some(_) | None => {}
            },
            State::Binding { .. }
            | State::Bound
            | State::Draining { .. }
            | State::Unbinding { .. }
            | State::Over(_) => {}
        }
    }

    fn enquire_at(&self) -> Instant {
        self.heard + self.context.config.enquire_link.to_duration()
    }

    fn next_sequence(&mut self) -> u32 {
        loop {
            self.sequence = if self.sequence >= LAST_SEQUENCE {
                1
            } else {
                self.sequence + 1
            };
            if !self.in_flight.contains_key(&self.sequence) {
                return self.sequence;
            }
        }
    }

    fn advance_stop(&mut self, now: Instant) {
        match self.state {
            State::Draining { until } => {
                let is_idle =
                    self.in_flight.is_empty() && self.unsent.is_empty() && self.unanswered == 0;
                if is_idle || until <= now {
                    let sequence = self.next_sequence();
                    pdu::bare(&mut self.out, command::UNBIND, 0, sequence);
                    self.state = State::Unbinding {
                        until: now + UNBIND_TIMEOUT,
                    };
                }
            }
            State::Unbinding { until } if until <= now => self.finish(End::Stopped),
            State::Binding { .. } | State::Bound | State::Unbinding { .. } | State::Over(_) => {}
        }
    }

    /// When [`turn`](Self::turn) has something to do although nothing was heard.
    pub(super) fn due(&self) -> Option<Instant> {
        let of_state = match self.state {
            State::Binding { until, .. } | State::Unbinding { until } => Some(until),
            State::Draining { until } => Some(until),
            State::Bound | State::Over(_) => None,
        };
        let alive = match self.enquiry {
            _ if !self.is_bound() || self.is_paused => None,
            Some(until) => Some(until),
            None => Some(self.enquire_at()),
        };
        let timeout = self.next_timeout.filter(|_| !self.is_paused);
        [
            of_state,
            alive,
            timeout,
            self.ask_again,
            self.context.reassembly.due(),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

#[cfg(test)]
mod tests;
