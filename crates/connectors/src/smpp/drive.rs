//! The I/O of one session: everything that can be read is read, everything that is to be written
//! goes out in one write, and in between the session decides.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::pdu::MAX_COMMAND_LENGTH;
use super::session::{End, Session};

/// Room for reading: the longest PDU fits behind a part of another.
const READ_BUFFER: usize = 2 * MAX_COMMAND_LENGTH;
/// How long the last octets (an answer to an unbind) may take to leave.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// A sleep that nothing wakes from.
const FAR: Duration = Duration::from_hours(24);

/// A connection to an SMSC.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// What is wanted of a bind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wanted {
    /// That it stands.
    Bound,
    /// That it is unbound once nothing is under way: people do not let the route be used.
    Unbound,
    /// The same for good, at this moment at the latest.
    Stopped(Instant),
}

/// Where what is wanted of a bind comes from.
#[derive(Clone)]
pub(super) struct Orders {
    /// Until when is waited for what is under way, once the connector is being stopped.
    pub(super) stop: watch::Receiver<Option<Instant>>,
    /// Whether the route is in use.
    pub(super) in_use: watch::Receiver<bool>,
}

impl Orders {
    /// What is wanted now.
    pub(super) fn wanted(&mut self) -> Wanted {
        let until = *self.stop.borrow_and_update();
        let in_use = *self.in_use.borrow_and_update();
        match until {
            Some(until) => Wanted::Stopped(until),
            None if self.is_orphan() => Wanted::Stopped(Instant::now()),
            None if in_use => Wanted::Bound,
            None => Wanted::Unbound,
        }
    }

    /// Waits until something else may be wanted than was asked for last.
    pub(super) async fn changed(&mut self) {
        let is_orphan = self.is_orphan();
        tokio::select! {
            _ = self.stop.changed(), if !is_orphan => {}
            Ok(()) = self.in_use.changed() => {}
            else => std::future::pending().await,
        }
    }

    /// Whether nobody holds the connector any more.
    fn is_orphan(&self) -> bool {
        self.stop.has_changed().is_err()
    }
}

/// Drives a session on `stream` to its end. `bound` is called when the SMSC has accepted the bind.
pub(super) async fn drive(
    stream: &mut dyn Stream,
    session: &mut Session,
    bell: &Notify,
    orders: &mut Orders,
    mut bound: impl FnMut(),
) -> End {
    let mut input = Input {
        octets: vec![0; READ_BUFFER].into(),
        filled: 0,
    };
    let mut is_told = false;
    let mut needs_flush = true;
    let sleep = sleep_until(Instant::now() + FAR);
    tokio::pin!(sleep);
    loop {
        let now = Instant::now();
        match orders.wanted() {
            Wanted::Bound => session.go_on(),
            Wanted::Unbound => session.stop(now + session.patience()),
            Wanted::Stopped(until) => session.stop(until),
        }
        session.turn(now);
        if input.filled > 0 && session.may_read() {
            // Octets that a pause has left behind.
            let done = session.parse(input.filled(), now);
            input.done(done);
            session.turn(now);
        }
        if let Some(end) = session.end() {
            let end = end.clone();
            let last_words = poll_fn(|cx| write_all(stream, session, cx));
            // A peer that does not take them loses nothing that was promised.
            drop(timeout(LAST_WORDS, last_words).await);
            session.abandon();
            return end;
        }
        if session.is_bound() && !is_told {
            is_told = true;
            bound();
        }
        let due = session.due().unwrap_or(now + FAR);
        // Moved earlier only: a sleep that ends too early costs one turn, moving it costs one each.
        if due < sleep.deadline() || sleep.is_elapsed() {
            sleep.as_mut().reset(due);
        }
        needs_flush |= !session.unwritten().is_empty();
        let io = poll_fn(|cx| poll_io(stream, session, &mut input, &mut needs_flush, cx));
        tokio::select! {
            biased;
            io = io => match io {
                Ok(Io::Read) => {
                    let done = session.received(input.filled(), Instant::now());
                    input.done(done);
                }
                Ok(Io::Wrote) => {}
                Ok(Io::Ended) => session.finish(End::Lost("the SMSC closed the connection".into())),
                Err(error) => session.finish(End::Lost(error.to_string().into())),
            },
            () = bell.notified() => session.source_ready(),
            () = &mut sleep => {}
            () = orders.changed() => {}
        }
    }
}

struct Input {
    octets: Box<[u8]>,
    filled: usize,
}

impl Input {
    fn filled(&self) -> &[u8] {
        &self.octets[..self.filled]
    }

    fn done(&mut self, count: usize) {
        self.octets.copy_within(count..self.filled, 0);
        self.filled -= count;
    }
}

enum Io {
    Read,
    Wrote,
    Ended,
}

/// Writes what there is and reads what there is; ready when either got on.
fn poll_io(
    stream: &mut dyn Stream,
    session: &mut Session,
    input: &mut Input,
    needs_flush: &mut bool,
    cx: &mut Context<'_>,
) -> Poll<io::Result<Io>> {
    let had_octets = !session.unwritten().is_empty();
    let is_written = write_some(stream, session, cx)?.is_ready();
    if is_written && *needs_flush && Pin::new(&mut *stream).poll_flush(cx)?.is_ready() {
        *needs_flush = false;
    }
    if session.may_read() && input.filled < input.octets.len() {
        let mut buffer = ReadBuf::new(&mut input.octets[input.filled..]);
        if Pin::new(&mut *stream)
            .poll_read(cx, &mut buffer)?
            .is_ready()
        {
            let count = buffer.filled().len();
            input.filled += count;
            return Poll::Ready(Ok(if count == 0 { Io::Ended } else { Io::Read }));
        }
    }
    if had_octets && is_written {
        Poll::Ready(Ok(Io::Wrote))
    } else {
        Poll::Pending
    }
}

/// Writes until nothing is left or the stream takes no more.
fn write_some(
    stream: &mut dyn Stream,
    session: &mut Session,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    while !session.unwritten().is_empty() {
        let count = ready!(Pin::new(&mut *stream).poll_write(cx, session.unwritten()))?;
        if count == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        session.wrote(count);
    }
    Poll::Ready(Ok(()))
}

fn write_all(
    stream: &mut dyn Stream,
    session: &mut Session,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    ready!(write_some(stream, session, cx))?;
    ready!(Pin::new(&mut *stream).poll_flush(cx))?;
    Pin::new(&mut *stream).poll_shutdown(cx)
}
