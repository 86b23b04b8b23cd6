//! How is one bind of the sink served?
//!
//! Read what is there, answer all of it, add the receipts that are due, and write once.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

use crate::pdu::{self, FinalState, HEADER, Header, Message, RESPONSE, command, status};
use crate::script::Fault;
use crate::smsc::{Receipt, Sink};
use crate::traffic;

/// Pause before a receipt that was answered with an error is sent again.
const NACK_PAUSE_US: u64 = 1_000_000;
/// Answer times kept: as many as could matter when the connection breaks.
const KEPT_ANSWERS: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bind {
    None,
    Transmitter,
    Receiver,
    Transceiver,
}

struct Answer {
    due_us: u64,
    sequence: u32,
    id: Vec<u8>,
}

struct Link {
    sink: Arc<Sink>,
    bind: Bind,
    out: Vec<u8>,
    answers: VecDeque<Answer>,
    answered_us: VecDeque<u64>,
    unacked: HashMap<u32, (Receipt, u64)>,
    sequence: u32,
    date: (u64, Vec<u8>),
    closing: bool,
}

/// Serves one connection until it ends; what is unacknowledged then goes back to the sink.
pub(crate) async fn serve(sink: Arc<Sink>, mut stream: TcpStream) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let mut link = Link::new(sink);
    let mut input = BytesMut::with_capacity(64 * 1024);
    loop {
        let wake_us = link.collect_due();
        if !link.out.is_empty() {
            if stream.write_all(&link.out).await.is_err() {
                break;
            }
            link.out.clear();
        }
        if link.closing {
            break;
        }
        let now = link.now_us();
        let wake = Instant::now()
            + Duration::from_micros(
                wake_us
                    .unwrap_or(u64::MAX)
                    .saturating_sub(now)
                    .min(60_000_000),
            );
        input.reserve(16 * 1024);
        tokio::select! {
            biased;
            read = stream.read_buf(&mut input) => match read {
                Ok(0) | Err(_) => break,
                Ok(_) => if link.read_all(&mut input).is_err() { break },
            },
            () = sleep_until(wake) => {}
            () = link.sink.queued.notified() => {}
        }
    }
    link.end();
}

impl Link {
    fn new(sink: Arc<Sink>) -> Self {
        Self {
            sink,
            bind: Bind::None,
            out: Vec::with_capacity(64 * 1024),
            answers: VecDeque::new(),
            answered_us: VecDeque::new(),
            unacked: HashMap::new(),
            sequence: 0,
            date: (0, Vec::new()),
            closing: false,
        }
    }

    fn now_us(&self) -> u64 {
        self.sink.tally.now_us()
    }

    fn receives(&self) -> bool {
        matches!(self.bind, Bind::Receiver | Bind::Transceiver)
    }

    /// Appends every answer and receipt that is due; returns when the next one is.
    fn collect_due(&mut self) -> Option<u64> {
        let now = self.now_us();
        while self.answers.front().is_some_and(|it| it.due_us <= now) {
            if let Some(answer) = self.answers.pop_front() {
                self.answer(&answer, now);
            }
        }
        let next_answer = self.answers.front().map(|it| it.due_us);
        if !self.receives() {
            return next_answer;
        }
        while self.unacked.len() < self.sink.options.receipt_window {
            let Some(receipt) = self.sink.due_receipt(now) else {
                break;
            };
            self.send_receipt(receipt, now);
        }
        if self.unacked.len() >= self.sink.options.receipt_window {
            return next_answer; // an acknowledgement comes first
        }
        let next_receipt = self.sink.next_receipt_us();
        next_answer.into_iter().chain(next_receipt).min()
    }

    fn answer(&mut self, answer: &Answer, now: u64) {
        pdu::push_submit_resp(&mut self.out, answer.sequence, &answer.id);
        if self.answered_us.len() == KEPT_ANSWERS {
            self.answered_us.pop_front();
        }
        self.answered_us.push_back(now);
    }

    fn send_receipt(&mut self, mut receipt: Receipt, now: u64) {
        self.sequence = self.sequence % 0x7FFF_FFFF + 1;
        pdu::set_sequence(&mut receipt.bytes, self.sequence);
        self.out.extend_from_slice(&receipt.bytes);
        self.sink.tally.receipt_sent(receipt.reference, now);
        self.unacked.insert(self.sequence, (receipt, now));
    }

    fn read_all(&mut self, input: &mut BytesMut) -> Result<(), pdu::Broken> {
        let now = self.now_us();
        while let Some(header) = pdu::next(input)? {
            self.take(header, &input[HEADER..header.length], now);
            input.advance(header.length);
        }
        Ok(())
    }

    fn take(&mut self, header: Header, body: &[u8], now: u64) {
        let Header {
            command,
            status,
            sequence,
            ..
        } = header;
        match command {
            command::SUBMIT_SM => self.submit(sequence, body, now),
            id if id == command::DELIVER_SM | RESPONSE => self.acknowledge(sequence, status, now),
            command::ENQUIRE_LINK => {
                pdu::push_empty(&mut self.out, command | RESPONSE, status::OK, sequence);
            }
            command::UNBIND => {
                pdu::push_empty(&mut self.out, command | RESPONSE, status::OK, sequence);
                self.closing = true;
            }
            command::BIND_TRANSCEIVER => self.bind(Bind::Transceiver, command, sequence),
            command::BIND_RECEIVER => self.bind(Bind::Receiver, command, sequence),
            command::BIND_TRANSMITTER => self.bind(Bind::Transmitter, command, sequence),
            id if id & RESPONSE != 0 => {}
            _ => pdu::push_empty(
                &mut self.out,
                command::GENERIC_NACK,
                status::INVALID_COMMAND,
                sequence,
            ),
        }
    }

    fn bind(&mut self, bind: Bind, command: u32, sequence: u32) {
        if self.bind == Bind::None {
            self.sink.bound();
        }
        self.bind = bind;
        pdu::push_bind_resp(&mut self.out, command, sequence, b"loadgen");
    }

    fn submit(&mut self, sequence: u32, body: &[u8], now: u64) {
        let refuse = |out: &mut Vec<u8>, code| {
            pdu::push_empty(out, command::SUBMIT_SM | RESPONSE, code, sequence);
        };
        let message = pdu::message(body)
            .filter(|_| matches!(self.bind, Bind::Transmitter | Bind::Transceiver));
        let Some(message) = message else {
            refuse(&mut self.out, status::INVALID_BIND_STATE);
            return;
        };
        let reference = reference_of(&message);
        let count = self.sink.count_submission();
        let fault = self.sink.options.script.fault(count);
        let refusal = match fault {
            Some(Fault::Throttle) => Some((status::THROTTLED, false)),
            Some(Fault::QueueFull) => Some((status::QUEUE_FULL, false)),
            Some(Fault::Reject) => Some((status::INVALID_DESTINATION, true)),
            Some(
                Fault::DropResponse
                | Fault::NoReceipt
                | Fault::DoubleReceipt
                | Fault::EarlyReceipt
                | Fault::Undeliverable,
            )
            | None => None,
        };
        if let Some((code, for_good)) = refusal {
            refuse(&mut self.out, code);
            self.sink.tally.submission_refused(reference, for_good, now);
            return;
        }
        if let Some(reference) = reference {
            self.sink.tally.submitted(reference, now);
        }
        let due_us = now + micros(self.sink.options.answer_delay);
        let id = format!("sm-{count:010x}").into_bytes();
        self.plan_receipts(&message, reference, &id, fault, due_us);
        if fault == Some(Fault::DropResponse) {
            return;
        }
        let answer = Answer {
            due_us,
            sequence,
            id,
        };
        if due_us == now && fault != Some(Fault::EarlyReceipt) {
            self.answer(&answer, now);
        } else {
            self.answers.push_back(answer);
        }
    }

    fn plan_receipts(
        &mut self,
        message: &Message<'_>,
        reference: Option<u32>,
        id: &[u8],
        fault: Option<Fault>,
        answer_us: u64,
    ) {
        let asked = message.registered_delivery & 3 != 0;
        if !asked || fault == Some(Fault::NoReceipt) {
            if let Some(reference) = reference {
                self.sink
                    .tally
                    .ended_without_receipt(reference, self.now_us());
            }
            return;
        }
        let state = match fault {
            Some(Fault::Undeliverable) => FinalState::Undeliverable,
            _ => FinalState::Delivered,
        };
        let bytes = pdu::receipt(message, id, self.date(answer_us), state);
        if fault == Some(Fault::EarlyReceipt) && self.receives() {
            let now = self.now_us();
            self.sink.queue(now, reference, bytes);
            if let Some(receipt) = self.sink.due_receipt(now) {
                self.send_receipt(receipt, now);
            }
            return;
        }
        let due_us = answer_us + micros(self.sink.options.receipt_delay);
        if fault == Some(Fault::DoubleReceipt) {
            self.sink.queue(due_us, reference, bytes.clone());
        }
        self.sink.queue(due_us, reference, bytes);
        if !self.receives() {
            self.sink.queued.notify_waiters();
        }
    }

    /// The wall-clock minute as receipts write it, made once a second.
    fn date(&mut self, now: u64) -> &[u8] {
        let second = now / 1_000_000 + 1;
        if self.date.0 != second {
            self.date = (
                second,
                jiff::Timestamp::now()
                    .strftime("%y%m%d%H%M")
                    .to_string()
                    .into_bytes(),
            );
        }
        &self.date.1
    }

    fn acknowledge(&mut self, sequence: u32, status: u32, now: u64) {
        let Some((receipt, sent_us)) = self.unacked.remove(&sequence) else {
            return;
        };
        if status == status::OK {
            self.sink
                .tally
                .receipt_acked(receipt.reference, sent_us, now);
        } else {
            self.sink.tally.receipt_nacked(now);
            self.sink
                .queue(now + NACK_PAUSE_US, receipt.reference, receipt.bytes);
        }
    }

    fn end(self) {
        let now = self.now_us();
        let mut unacked: Vec<_> = self.unacked.into_iter().collect();
        unacked.sort_by_key(|(sequence, _)| *sequence);
        for (_, (receipt, _)) in unacked {
            self.sink.queue(now, receipt.reference, receipt.bytes);
        }
        self.sink.queued.notify_waiters();
        if self.bind != Bind::None {
            self.sink
                .unbound(now, self.answers.len() as u64, self.answered_us.into_iter());
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// The reference in the first part of a message; later parts are not counted.
fn reference_of(message: &Message<'_>) -> Option<u32> {
    const UCS2: u8 = 8;
    if message.part != 1 {
        return None;
    }
    if message.data_coding & 0x0C == UCS2 {
        let text: Vec<u8> = message
            .text
            .iter()
            .skip(1)
            .step_by(2)
            .take(8)
            .copied()
            .collect();
        return traffic::reference(&text);
    }
    traffic::reference(message.text)
}
