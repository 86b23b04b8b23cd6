//! What is the least that a server can be and still be measured?
//!
//! A stand-in for the server under test: it answers sends with 202, submits them on one bind, takes
//! receipts, and lists messages. It keeps everything in memory, so that `ceiling` shows what the tool itself
//! can carry, and `crash` against it shows that losses are found. With a log it survives a kill (though no
//! power cut), so that `crash` is also seen to pass.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fs::File;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};

use crate::pdu::{self, Address, HEADER, RESPONSE, command, status};
use crate::traffic;

const RECONNECT_PAUSE: Duration = Duration::from_millis(50);

/// What a stand-in does.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where it submits to; nowhere if none.
    pub smsc: Option<SocketAddr>,
    /// Unanswered submissions at a time.
    pub window: usize,
    /// Messages that it has from the start, as if they had been sent to it.
    pub generate: u32,
    /// Where it writes what happened, and reads it back when it starts.
    pub log: Option<PathBuf>,
}

struct Waiting {
    index: usize,
    to: Vec<u8>,
    text: Vec<u8>,
}

#[derive(Default)]
struct State {
    statuses: Vec<&'static str>,
    queue: VecDeque<Waiting>,
    by_id: HashMap<Vec<u8>, usize>,
    early: HashSet<Vec<u8>>,
    log: Option<File>,
}

impl State {
    /// Appends a line to the log, if there is one, in one write: a killed process leaves it whole or not at all.
    fn note(&mut self, pieces: &[&[u8]]) {
        if let Some(log) = &mut self.log {
            let line = [pieces.concat().as_slice(), b"\n"].concat();
            log.write_all(&line)
                .expect("the stand-in's log can be written");
        }
    }

    /// Does again what a log says: `a to text` accepted, `s index id` submitted, `d index` delivered, `f index` failed.
    fn replay(&mut self, log: &str) {
        let mut waiting = BTreeMap::new();
        for line in log.lines() {
            let mut words = line.splitn(3, ' ');
            match (words.next(), words.next(), words.next()) {
                (Some("a"), Some(to), Some(text)) => {
                    let index = self.statuses.len();
                    waiting.insert(index, (to.as_bytes().to_vec(), text.as_bytes().to_vec()));
                    self.statuses.push("sending");
                }
                (Some("s"), Some(index), Some(id)) => {
                    if let Some(index) = number(index.as_bytes()) {
                        waiting.remove(&index);
                        self.statuses[index] = "sent";
                        self.by_id.insert(id.as_bytes().to_vec(), index);
                    }
                }
                (Some(end @ ("d" | "f")), Some(index), None) => {
                    if let Some(index) = number(index.as_bytes()) {
                        waiting.remove(&index);
                        self.statuses[index] = if end == "d" { "delivered" } else { "failed" };
                    }
                }
                _ => {}
            }
        }
        self.queue
            .extend(
                waiting
                    .into_iter()
                    .map(|(index, (to, text))| Waiting { index, to, text }),
            );
    }
}

/// The stand-in.
pub struct StandIn {
    options: Options,
    state: Mutex<State>,
    work: Notify,
}

/// A stand-in on its own thread; it ends when this is dropped.
#[derive(Debug)]
pub struct Running {
    /// Where it answers HTTP.
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // Safe to ignore: a thread that has ended needs no stop.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // Safe to ignore: a panic of the stand-in has been printed.
            drop(thread.join());
        }
    }
}

/// Starts a stand-in on a free loopback port, on a thread of its own so that its CPU is not ours.
pub fn spawn(options: Options) -> io::Result<Running> {
    let listener = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (stop, stopped) = oneshot::channel();
    let standin = StandIn::new(options)?;
    let thread = std::thread::spawn(move || {
        runtime.block_on(async move {
            let Ok(listener) = TcpListener::from_std(listener) else {
                return;
            };
            tokio::select! {
                () = standin.serve(listener) => {}
                _ = stopped => {}
            }
        });
    });
    Ok(Running {
        address,
        stop: Some(stop),
        thread: Some(thread),
    })
}

impl StandIn {
    /// A stand-in that serves nothing yet.
    pub fn new(options: Options) -> io::Result<Arc<Self>> {
        let mut state = State::default();
        for number in 0..options.generate {
            let (mut to, mut text) = (Vec::new(), Vec::new());
            traffic::push_recipient(&mut to, number);
            traffic::push_text(&mut text, number);
            state.queue.push_back(Waiting {
                index: state.statuses.len(),
                to,
                text,
            });
            state.statuses.push("sending");
        }
        if let Some(path) = &options.log {
            state.replay(&std::fs::read_to_string(path).unwrap_or_default());
            state.log = Some(File::options().create(true).append(true).open(path)?);
        }
        Ok(Arc::new(Self {
            options,
            state: Mutex::new(state),
            work: Notify::new(),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers HTTP on `listener` and keeps a bind, until dropped.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) {
        if let Some(smsc) = self.options.smsc {
            let _detached = tokio::spawn(Arc::clone(&self).keep_bound(smsc));
        }
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                let _detached = tokio::spawn(Arc::clone(&self).serve_client(stream));
            }
        }
    }

    async fn serve_client(self: Arc<Self>, mut stream: TcpStream) {
        let mut input = BytesMut::with_capacity(4096);
        let mut out = Vec::new();
        if stream.set_nodelay(true).is_err() {
            return;
        }
        loop {
            while let Some(length) = self.answer(&input, &mut out) {
                input.advance(length);
            }
            if !out.is_empty() && stream.write_all(&out).await.is_err() {
                return;
            }
            out.clear();
            if matches!(stream.read_buf(&mut input).await, Ok(0) | Err(_)) {
                return;
            }
        }
    }

    /// Answers the request at the start of `input`; returns its length, or none if it is not there whole.
    fn answer(&self, input: &[u8], out: &mut Vec<u8>) -> Option<usize> {
        let head = input.windows(4).position(|it| it == b"\r\n\r\n")? + 4;
        let length = between(&input[..head], b"Content-Length: ", b'\r')
            .map_or(0, |it| number(it).unwrap_or(0));
        let body = input.get(head..head + length)?;
        if input.starts_with(b"POST /v1/messages ") {
            let (to, text) = (
                between(body, b"\"to\":\"", b'"'),
                between(body, b"\"text\":\"", b'"'),
            );
            match (to, text) {
                (Some(to), Some(text)) => respond(out, "202 Accepted", &self.accept(to, text)),
                _ => respond(
                    out,
                    "400 Bad Request",
                    r#"{"code":"invalid_request","message":"to and text"}"#,
                ),
            }
        } else if input.starts_with(b"GET /v1/messages?") {
            let cursor = between(&input[..head], b"&cursor=", b' ').and_then(number);
            respond(out, "200 OK", &self.page(cursor));
        } else if input.starts_with(b"GET /readyz ") {
            respond(out, "200 OK", r#"{"store":{"synchronous":"NONE"}}"#);
        } else {
            respond(
                out,
                "404 Not Found",
                r#"{"code":"not_found","message":"no such path"}"#,
            );
        }
        Some(head + length)
    }

    fn accept(&self, to: &[u8], text: &[u8]) -> String {
        let mut state = self.lock();
        let index = state.statuses.len();
        state.statuses.push("sending");
        state.note(&[b"a ", to, b" ", text]);
        if self.options.smsc.is_some() {
            state.queue.push_back(Waiting {
                index,
                to: to.to_vec(),
                text: text.to_vec(),
            });
            self.work.notify_one();
        }
        format!(
            r#"{{"message":{{"id":"msg_{index:012}","channel":"sms","status":"queued","direction":"outbound"}}}}"#
        )
    }

    fn page(&self, cursor: Option<usize>) -> String {
        let state = self.lock();
        let end = cursor
            .unwrap_or(state.statuses.len())
            .min(state.statuses.len());
        let start = end.saturating_sub(100);
        let items: Vec<_> = (start..end)
            .rev()
            .map(|index| {
                format!(
                    r#"{{"id":"msg_{index:012}","status":"{}"}}"#,
                    state.statuses[index]
                )
            })
            .collect();
        let next = if start == 0 {
            "null".to_owned()
        } else {
            format!("\"{start}\"")
        };
        format!(r#"{{"items":[{}],"nextCursor":{next}}}"#, items.join(","))
    }

    async fn keep_bound(self: Arc<Self>, smsc: SocketAddr) {
        loop {
            if let Ok(stream) = TcpStream::connect(smsc).await
                && stream.set_nodelay(true).is_ok()
            {
                self.session(stream).await;
            }
            tokio::time::sleep(RECONNECT_PAUSE).await;
        }
    }

    async fn session(&self, mut stream: TcpStream) {
        let mut in_flight: HashMap<u32, Waiting> = HashMap::new();
        let (mut out, mut input) = (Vec::new(), BytesMut::with_capacity(64 * 1024));
        let (mut sequence, mut bound) = (1, false);
        pdu::push_bind(
            &mut out,
            command::BIND_TRANSCEIVER,
            sequence,
            b"standin",
            b"standin",
        );
        loop {
            while bound && in_flight.len() < self.options.window.max(1) {
                let Some(waiting) = self.lock().queue.pop_front() else {
                    break;
                };
                sequence += 1;
                let source = Address {
                    ton: 1,
                    npi: 1,
                    text: b"40700000001",
                };
                let to = waiting.to.strip_prefix(b"+").unwrap_or(&waiting.to);
                pdu::push_submit(
                    &mut out,
                    sequence,
                    source,
                    Address {
                        ton: 1,
                        npi: 1,
                        text: to,
                    },
                    &waiting.text,
                );
                in_flight.insert(sequence, waiting);
            }
            if !out.is_empty() && stream.write_all(&out).await.is_err() {
                break;
            }
            out.clear();
            input.reserve(16 * 1024);
            tokio::select! {
                read = stream.read_buf(&mut input) => if matches!(read, Ok(0) | Err(_)) { break },
                () = self.work.notified() => {}
            }
            while let Ok(Some(header)) = pdu::next(&input) {
                let body = &input[HEADER..header.length];
                match header.command {
                    id if id == command::BIND_TRANSCEIVER | RESPONSE => {
                        bound = header.status == status::OK;
                    }
                    id if id == command::SUBMIT_SM | RESPONSE => {
                        if let Some(waiting) = in_flight.remove(&header.sequence) {
                            self.submitted(waiting, header.status, body);
                        }
                    }
                    command::DELIVER_SM => {
                        self.receipted(body);
                        pdu::push_deliver_resp(&mut out, header.sequence);
                    }
                    _ => {}
                }
                input.advance(header.length);
            }
        }
        self.lock().queue.extend(in_flight.into_values());
    }

    fn submitted(&self, waiting: Waiting, code: u32, body: &[u8]) {
        let mut state = self.lock();
        match code {
            status::OK => {
                let id = body.strip_suffix(b"\0").unwrap_or(body).to_vec();
                let early = state.early.remove(&id);
                state.statuses[waiting.index] = if early { "delivered" } else { "sent" };
                state.note(&[b"s ", waiting.index.to_string().as_bytes(), b" ", &id]);
                if early {
                    state.note(&[b"d ", waiting.index.to_string().as_bytes()]);
                }
                state.by_id.insert(id, waiting.index);
            }
            status::THROTTLED | status::QUEUE_FULL => state.queue.push_front(waiting),
            _ => {
                state.statuses[waiting.index] = "failed";
                state.note(&[b"f ", waiting.index.to_string().as_bytes()]);
            }
        }
    }

    fn receipted(&self, body: &[u8]) {
        let Some(id) = pdu::message(body).and_then(|it| it.receipted_id) else {
            return;
        };
        let mut state = self.lock();
        match state.by_id.get(id).copied() {
            Some(index) => {
                state.statuses[index] = "delivered";
                state.note(&[b"d ", index.to_string().as_bytes()]);
            }
            None => {
                state.early.insert(id.to_vec());
            }
        }
    }
}

fn respond(out: &mut Vec<u8>, status: &str, body: &str) {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(body.as_bytes());
}

/// The bytes after `start` up to `end`.
fn between<'a>(bytes: &'a [u8], start: &[u8], end: u8) -> Option<&'a [u8]> {
    let at = bytes.windows(start.len()).position(|it| it == start)? + start.len();
    let rest = &bytes[at..];
    Some(&rest[..rest.iter().position(|it| *it == end)?])
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}
