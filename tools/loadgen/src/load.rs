//! Who sends the requests, how fast, and when is it over?

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::http_client::{self, Connection, SendRequest, Target};
use crate::tally::Tally;
use crate::traffic;

/// How long an answer may take before the message counts as unanswered.
const ANSWER_DEADLINE: Duration = Duration::from_secs(30);
/// Pause after a 429 without `Retry-After`.
const THROTTLE_PAUSE: Duration = Duration::from_millis(50);
/// Pause between two attempts to connect.
const CONNECT_PAUSE: Duration = Duration::from_millis(20);
/// Refusals in a row without one acceptance after which a run is given up.
const HOPELESS: u64 = 100;

/// What one load does.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where to send.
    pub target: Target,
    /// Kept connections, each with one request in flight.
    pub connections: usize,
    /// First message number; later phases of one run go on from where the last ended.
    pub first: u32,
    /// At least so many messages.
    pub messages: u32,
    /// And at least for so long.
    pub at_least: Duration,
    /// Requests per second, at fixed times; none is as fast as answers come.
    pub rate: Option<f64>,
    /// Further JSON members of each body.
    pub fields: String,
}

/// A load on its way.
#[derive(Debug)]
pub struct Load {
    plan: Plan,
    tally: Arc<Tally>,
    start: Instant,
    taken: AtomicU32,
    stopped: AtomicBool,
    endless: AtomicBool,
    refused_in_a_row: AtomicU64,
    late_us: AtomicU64,
}

impl Load {
    /// A load that starts now.
    pub fn new(plan: Plan, tally: Arc<Tally>) -> Arc<Self> {
        Arc::new(Self {
            plan,
            tally,
            start: Instant::now(),
            taken: AtomicU32::new(0),
            stopped: AtomicBool::new(false),
            endless: AtomicBool::new(false),
            refused_in_a_row: AtomicU64::new(0),
            late_us: AtomicU64::new(0),
        })
    }

    /// Whether to go on past the planned messages.
    pub fn set_endless(&self, endless: bool) {
        self.endless.store(endless, Ordering::Relaxed);
    }

    /// Takes no further message.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Messages taken so far.
    pub fn taken(&self) -> u32 {
        self.taken.load(Ordering::Relaxed)
    }

    /// The first message number that this load did not use.
    pub fn next_number(&self) -> u32 {
        self.plan.first + self.taken()
    }

    /// Furthest that a request was behind its fixed time.
    pub fn late(&self) -> Duration {
        Duration::from_micros(self.late_us.load(Ordering::Relaxed))
    }

    /// True when the server refuses everything.
    pub fn is_hopeless(&self) -> bool {
        self.refused_in_a_row.load(Ordering::Relaxed) >= HOPELESS
    }

    fn take(&self) -> Option<u32> {
        let taken = self.taken();
        let done = taken >= self.plan.messages
            && self.start.elapsed() >= self.plan.at_least
            && !self.endless.load(Ordering::Relaxed);
        let number = self.plan.first + taken;
        if done || self.stopped.load(Ordering::Relaxed) || number >= traffic::MAX_MESSAGES {
            return None;
        }
        self.taken.fetch_add(1, Ordering::Relaxed);
        Some(number)
    }

    /// Waits for the fixed time of message `number`, if there is one.
    async fn pace(&self, number: u32) {
        let Some(rate) = self.plan.rate else { return };
        let due = self.start + Duration::from_secs_f64(f64::from(number - self.plan.first) / rate);
        tokio::time::sleep_until(due).await;
        let late = u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.late_us.fetch_max(late, Ordering::Relaxed);
    }

    /// Sends everything; returns when the last answer is in.
    pub async fn run(self: &Arc<Self>) {
        let mut workers = JoinSet::new();
        for _ in 0..self.plan.connections {
            let load = Arc::clone(self);
            workers.spawn(async move { load.work().await });
        }
        while workers.join_next().await.is_some() {}
    }

    async fn work(&self) {
        let mut request = SendRequest::new(&self.plan.target, &self.plan.fields);
        let mut bytes = Vec::new();
        let mut taken = None;
        'connect: while let Some(mut connection) = self.connect(self.plan.target.address).await {
            while let Some(number) = taken.take().or_else(|| self.take()) {
                self.pace(number).await;
                if connection.is_dead() {
                    // Nothing was written: the message may go by another connection.
                    taken = Some(number);
                    continue 'connect;
                }
                request.write(&mut bytes, number);
                if !self.send(&mut connection, &bytes, number).await {
                    continue 'connect;
                }
            }
            return;
        }
    }

    /// A connection, tried for until it stands or the load is over.
    async fn connect(&self, address: SocketAddr) -> Option<Connection> {
        loop {
            if self.stopped.load(Ordering::Relaxed) {
                return None;
            }
            match Connection::connect(address).await {
                Ok(connection) => return Some(connection),
                Err(_) => tokio::time::sleep(CONNECT_PAUSE).await,
            }
        }
    }

    /// One message until it is answered by something else than 429. False: the connection is gone.
    async fn send(&self, connection: &mut Connection, bytes: &[u8], number: u32) -> bool {
        loop {
            let requested = self.tally.requested(number);
            let Ok(Ok(answer)) =
                tokio::time::timeout(ANSWER_DEADLINE, connection.exchange(bytes)).await
            else {
                self.tally.unanswered();
                return false;
            };
            match (answer.status, http_client::message_id(answer.body)) {
                (202, Some(id)) => {
                    self.tally.accepted(number, id, requested);
                    self.refused_in_a_row.store(0, Ordering::Relaxed);
                }
                (429, _) if !self.stopped.load(Ordering::Relaxed) => {
                    let pause = answer
                        .retry_after
                        .map_or(THROTTLE_PAUSE, Duration::from_secs);
                    self.tally.throttled();
                    tokio::time::sleep(pause).await;
                    if !connection.is_closing() {
                        continue;
                    }
                    self.tally.refused(429, "and the connection was closed");
                }
                (status, _) => {
                    self.tally
                        .refused(status, &String::from_utf8_lossy(answer.body));
                    if self.refused_in_a_row.fetch_add(1, Ordering::Relaxed) + 1 >= HOPELESS {
                        self.stop();
                    }
                }
            }
            return !connection.is_closing();
        }
    }
}
