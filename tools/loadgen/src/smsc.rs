//! What is the SMSC at the other end of the line, and what does it remember?
//!
//! One sink serves any number of binds. It takes every submission (unless the script says otherwise),
//! answers at once or after a delay, and sends a receipt later. Receipts outlive connections: what was
//! not acknowledged when a connection broke is sent again on the next bind that may receive.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Notify;

use crate::script::Script;
use crate::smsc_link;
use crate::tally::Tally;

/// How the sink behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// From a submission to its answer.
    pub answer_delay: Duration,
    /// From the answer to the receipt.
    pub receipt_delay: Duration,
    /// Receipts that may be unacknowledged on one bind.
    pub receipt_window: usize,
    /// Misbehaviour.
    pub script: Script,
    /// An answer written so shortly before a connection broke may not have been recorded by the peer.
    pub fresh_answer: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            answer_delay: Duration::ZERO,
            receipt_delay: Duration::from_millis(100),
            receipt_window: 100,
            script: Script::default(),
            fresh_answer: Duration::from_millis(5),
        }
    }
}

/// A receipt that waits to be sent or acknowledged.
#[derive(Debug)]
pub(crate) struct Receipt {
    /// When it may be sent.
    pub(crate) due_us: u64,
    order: u64,
    /// The message it is about, if it is one of ours.
    pub(crate) reference: Option<u32>,
    /// The PDU but for its sequence number.
    pub(crate) bytes: Vec<u8>,
}

impl PartialEq for Receipt {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for Receipt {}

impl PartialOrd for Receipt {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Receipt {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due_us, self.order).cmp(&(other.due_us, other.order))
    }
}

/// What was under way on a bind when its connection ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Break {
    /// Submissions read and not yet answered.
    pub unanswered: u64,
    /// Submissions answered within [`Options::fresh_answer`] before the break.
    pub just_answered: u64,
}

#[derive(Debug, Default)]
struct State {
    receipts: BinaryHeap<Reverse<Receipt>>,
    order: u64,
    links: usize,
    breaks: Vec<Break>,
    binds: u64,
}

/// The SMSC.
#[derive(Debug)]
pub struct Sink {
    /// How it behaves.
    pub(crate) options: Options,
    /// Where it counts.
    pub(crate) tally: Arc<Tally>,
    /// Wakes binds when a receipt was queued by another one.
    pub(crate) queued: Notify,
    submissions: AtomicU64,
    killed_us: AtomicU64,
    state: Mutex<State>,
}

impl Sink {
    /// A sink that listens nowhere yet.
    pub fn new(options: Options, tally: Arc<Tally>) -> Arc<Self> {
        Arc::new(Self {
            options,
            tally,
            queued: Notify::new(),
            submissions: AtomicU64::new(0),
            killed_us: AtomicU64::new(u64::MAX),
            state: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves binds on `listener` until the task is dropped.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) {
        loop {
            // A connection that failed before it was taken is nothing to serve; the next one may be.
            if let Ok((stream, _)) = listener.accept().await {
                let sink = Arc::clone(&self);
                let _detached = tokio::spawn(smsc_link::serve(sink, stream));
            }
        }
    }

    /// The number of the next submission, from 0.
    pub(crate) fn count_submission(&self) -> u64 {
        self.submissions.fetch_add(1, Ordering::Relaxed)
    }

    /// Queues a receipt.
    pub(crate) fn queue(&self, due_us: u64, reference: Option<u32>, bytes: Vec<u8>) {
        let mut state = self.lock();
        state.order += 1;
        let order = state.order;
        state.receipts.push(Reverse(Receipt {
            due_us,
            order,
            reference,
            bytes,
        }));
    }

    /// The next receipt that is due, if there is one.
    pub(crate) fn due_receipt(&self, now: u64) -> Option<Receipt> {
        let mut state = self.lock();
        if state.receipts.peek()?.0.due_us > now {
            return None;
        }
        state.receipts.pop().map(|it| it.0)
    }

    /// When the next receipt is due.
    pub(crate) fn next_receipt_us(&self) -> Option<u64> {
        self.lock().receipts.peek().map(|it| it.0.due_us)
    }

    /// A bind was made.
    pub(crate) fn bound(&self) {
        let mut state = self.lock();
        state.links += 1;
        state.binds += 1;
    }

    /// A bind ended at `now`, with the times of its answers (oldest first) and the number of open ones.
    pub(crate) fn unbound(
        &self,
        now: u64,
        unanswered: u64,
        answered_us: impl Iterator<Item = u64>,
    ) {
        let end = self.killed_us.load(Ordering::Relaxed).min(now);
        let fresh = u64::try_from(self.options.fresh_answer.as_micros()).unwrap_or(u64::MAX);
        let just_answered = answered_us
            .filter(|it| *it >= end.saturating_sub(fresh))
            .count() as u64;
        let mut state = self.lock();
        state.links -= 1;
        state.breaks.push(Break {
            unanswered,
            just_answered,
        });
    }

    /// Notes that the peer is being killed now: answers count as fresh from shortly before this moment on.
    pub fn peer_killed(&self) {
        self.killed_us.store(self.tally.now_us(), Ordering::Relaxed);
    }

    /// The breaks since this was last asked, added up; and forgets the kill.
    pub fn take_breaks(&self) -> Break {
        self.killed_us.store(u64::MAX, Ordering::Relaxed);
        let breaks = std::mem::take(&mut self.lock().breaks);
        breaks.iter().fold(Break::default(), |sum, it| Break {
            unanswered: sum.unanswered + it.unanswered,
            just_answered: sum.just_answered + it.just_answered,
        })
    }

    /// True if a bind has ended since [`Self::take_breaks`] was last called.
    pub fn broke(&self) -> bool {
        !self.lock().breaks.is_empty()
    }

    /// Open binds.
    pub fn links(&self) -> usize {
        self.lock().links
    }

    /// Binds made so far.
    pub fn binds(&self) -> u64 {
        self.lock().binds
    }
}

/// Listens on `address`, also where the last owner of the port went a moment ago.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(128)
}
