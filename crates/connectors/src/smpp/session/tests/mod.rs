//! One bind against a scripted peer: octets in, octets out, and what was told. The peer and the time are
//! here, the cases in the files beside.

mod binding;
mod deliveries;
mod properties;
mod submissions;

use domain::model::failure::FailureClass;
use domain::model::receipt::{PartReference, SubmitOutcome};
use domain::time::{Millis, Timestamp};
use ports::clock::ManualClock;
use ports::connector::{Heard, Submission};
use tokio::sync::Notify;

use super::super::config::MessageIdMatch;
use super::super::pdu::{Address, Submit, Writer, first};
use super::super::smsc::delivery;
use super::*;
use crate::testing::{Lanes, Record, Told, key, submission};

const TO: &str = "+4917012345678";
const SECOND: Duration = Duration::from_secs(1);

/// A session, its two sides, and a time that is moved by hand.
struct Play {
    session: Session,
    lanes: Arc<Lanes>,
    record: Arc<Record>,
    clock: ManualClock,
    now: Instant,
}

/// A PDU that the session wrote.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Wrote {
    command: u32,
    status: u32,
    sequence: u32,
    text: Vec<u8>,
}

impl Play {
    fn new(config: SmppConfig) -> Self {
        let (lanes, record) = (Arc::new(Lanes::default()), Arc::new(Record::default()));
        let clock = ManualClock::at(Timestamp::from_millis(1_000_000));
        let context = Context {
            reassembly: Reassembly::new(&config),
            config,
            source: Arc::clone(&lanes) as Arc<dyn SubmissionSource>,
            events: Arc::clone(&record) as Arc<dyn RouteEvents>,
            clock: Arc::new(clock.clone()),
            links: Arc::default(),
        };
        let now = Instant::now();
        let outbox = Outbox::new(Arc::new(Notify::new()));
        let session = Session::new(Arc::new(context), Role::Transceiver, outbox, now);
        Self {
            session,
            lanes,
            record,
            clock,
            now,
        }
    }

    fn bound(config: SmppConfig) -> Self {
        let mut play = Self::new(config);
        assert_eq!(play.written()[0].command, command::BIND_TRANSCEIVER);
        play.hear(command::BIND_TRANSCEIVER | RESPONSE, 0, 1, b"SMSC\0");
        assert!(play.session.is_bound());
        play
    }

    fn window(window: u16) -> Self {
        Self::bound(SmppConfig {
            window,
            ..SmppConfig::default()
        })
    }

    fn hear(&mut self, command: u32, status: u32, sequence: u32, body: &[u8]) {
        let mut octets = Vec::new();
        Writer::begin(&mut octets, command, status, sequence)
            .octets(body)
            .finish();
        let was_over = self.session.end().is_some();
        let done = self.session.received(&octets, self.now);
        assert!(done == octets.len() || was_over);
        self.session.turn(self.now);
    }

    fn accept(&mut self, sequence: u32, id: &str) {
        self.hear(
            command::SUBMIT_SM | RESPONSE,
            0,
            sequence,
            format!("{id}\0").as_bytes(),
        );
    }

    fn refuse(&mut self, sequence: u32, status: u32) {
        self.hear(command::SUBMIT_SM | RESPONSE, status, sequence, b"");
    }

    fn deliver(&mut self, sequence: u32, deliver: &Submit<'_>) {
        self.session
            .received(&delivery(deliver, sequence), self.now);
        self.session.turn(self.now);
    }

    fn pass(&mut self, span: Duration) {
        self.now += span;
        self.clock
            .advance(Millis::new(i64::try_from(span.as_millis()).unwrap()));
        self.session.turn(self.now);
    }

    fn put(&mut self, submissions: impl IntoIterator<Item = Submission>) {
        self.lanes.put(submissions);
        self.session.source_ready();
        self.session.turn(self.now);
    }

    /// Takes what waits to be written.
    fn written(&mut self) -> Vec<Wrote> {
        let octets = self.session.unwritten().to_vec();
        self.session.wrote(octets.len());
        read_all(&octets)
    }
}

fn read_all(octets: &[u8]) -> Vec<Wrote> {
    let mut rest = octets;
    let mut seen = Vec::new();
    while let Ok(Some(frame)) = first(rest) {
        let text = match frame.command {
            command::SUBMIT_SM => Message::parse(frame.body).unwrap().short_message.to_vec(),
            _ => frame.body.to_vec(),
        };
        let Frame {
            command,
            status,
            sequence,
            ..
        } = frame;
        seen.push(Wrote {
            command,
            status,
            sequence,
            text,
        });
        rest = &rest[frame.length()..];
    }
    seen
}

fn accepted(parts: &[(u16, &str)]) -> SubmitOutcome {
    SubmitOutcome::Accepted {
        references: references(parts),
    }
}

fn references(parts: &[(u16, &str)]) -> Vec<PartReference> {
    parts
        .iter()
        .map(|it| PartReference {
            part: it.0,
            reference: it.1.into(),
        })
        .collect()
}

fn unknown(parts: &[(u16, &str)]) -> SubmitOutcome {
    SubmitOutcome::Unknown {
        references: references(parts),
    }
}

fn person<'a>(text: &'a [u8], header: &'a [u8]) -> Submit<'a> {
    Submit {
        source: Address {
            ton: 1,
            npi: 1,
            text: b"4917012345678",
        },
        destination: Address {
            ton: 1,
            npi: 1,
            text: b"40700000001",
        },
        esm_class: if header.is_empty() { 0 } else { 0x40 },
        header,
        text,
        ..Submit::default()
    }
}

fn receipt_text(text: &[u8]) -> Submit<'_> {
    Submit {
        esm_class: 4,
        ..person(text, &[])
    }
}
