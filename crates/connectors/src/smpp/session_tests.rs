//! One bind against a scripted peer: octets in, octets out, and what was told.
// Long because: every case of the protocol is played with the one scripted peer defined here.

use domain::model::failure::FailureClass;
use domain::model::receipt::{PartReference, SubmitOutcome};
use domain::time::{Millis, Timestamp};
use ports::clock::ManualClock;
use ports::connector::{Heard, Submission};
use proptest::prelude::*;
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

#[test]
fn nothing_is_taken_before_the_bind_is_accepted() {
    let mut play = Play::new(SmppConfig::default());
    play.put([submission(1, TO, "x")]);
    assert_eq!(play.lanes.left(), 1);
    play.hear(command::BIND_TRANSCEIVER | RESPONSE, 0, 1, b"SMSC\0");
    assert_eq!(play.lanes.left(), 0);
}

#[test]
fn a_refused_bind_ends_the_session_with_its_status() {
    let mut play = Play::new(SmppConfig::default());
    play.hear(command::BIND_TRANSCEIVER | RESPONSE, 0x0E, 1, b"");
    assert_eq!(play.session.end(), Some(&End::Refused(0x0E)));
    let mut play = Play::new(SmppConfig::default());
    play.hear(command::GENERIC_NACK, 3, 1, b"");
    assert_eq!(play.session.end(), Some(&End::Refused(3)));
}

#[test]
fn an_unanswered_bind_ends_the_session() {
    let mut play = Play::new(SmppConfig::default());
    play.pass(10 * SECOND);
    assert!(matches!(play.session.end(), Some(End::Lost(_))));
}

#[test]
fn link_tests_are_answered_while_binding() {
    let mut play = Play::new(SmppConfig::default());
    play.written();
    play.hear(command::ENQUIRE_LINK, 0, 9, b"");
    let written = play.written();
    assert_eq!((written[0].command, written[0].sequence), (0x8000_0015, 9));
}

#[test]
fn an_accepted_submission_is_told_with_its_reference() {
    let mut play = Play::window(10);
    play.put([submission(1, TO, "Hello")]);
    let written = play.written();
    assert_eq!((written.len(), &written[0].text[..]), (1, &b"Hello"[..]));
    play.accept(written[0].sequence, "ABC001");
    assert_eq!(
        play.record.take(),
        [Told::Submitted(key(1), accepted(&[(0, "abc001")]))]
    );
}

#[test]
fn the_window_is_never_exceeded_and_filled_again_at_each_answer() {
    let mut play = Play::window(3);
    play.put((1..=10).map(|it| submission(it, TO, "x")));
    let mut open: VecDeque<u32> = play.written().iter().map(|it| it.sequence).collect();
    assert_eq!(open.len(), 3);
    for _ in 0..7 {
        play.accept(open.pop_front().unwrap(), "1f");
        open.extend(play.written().iter().map(|it| it.sequence));
        assert_eq!(open.len(), 3);
    }
    assert_eq!(play.lanes.left(), 0);
    assert!(
        play.lanes
            .slots()
            .iter()
            .all(|it| it.window == 3 && it.free <= 3)
    );
}

#[test]
fn a_message_longer_than_the_window_goes_out_as_slots_come_free_and_nothing_overtakes_it() {
    let mut play = Play::window(2);
    play.put([
        submission(1, TO, &"a".repeat(400)),
        submission(2, TO, "after"),
    ]);
    let first_two = play.written();
    assert_eq!(first_two.len(), 2);
    play.accept(first_two[0].sequence, "1");
    let third = play.written();
    assert_eq!((third.len(), third[0].text[5]), (1, 3));
    play.accept(first_two[1].sequence, "2");
    let after = play.written();
    assert_eq!(after[0].text, b"after");
    play.accept(third[0].sequence, "3");
    let outcome = accepted(&[(0, "1"), (1, "2"), (2, "3")]);
    assert_eq!(play.record.take(), [Told::Submitted(key(1), outcome)]);
}

#[test]
fn throttling_is_not_accepted_and_keeps_the_link() {
    for status in [0x58, 0x14] {
        let mut play = Play::window(10);
        play.put([submission(1, TO, "x")]);
        let sequence = play.written()[0].sequence;
        play.refuse(sequence, status);
        let told = play.record.take();
        let [Told::Submitted(_, SubmitOutcome::NotAccepted(failure))] = &told[..] else {
            panic!("{told:?}");
        };
        assert_eq!(failure.class, FailureClass::Throttled);
        assert!(play.session.is_bound());
    }
}

#[test]
fn a_number_that_the_smsc_refuses_is_rejected_for_good() {
    let mut play = Play::window(10);
    play.put([submission(1, TO, "x")]);
    let sequence = play.written()[0].sequence;
    play.refuse(sequence, 0x0B);
    assert!(matches!(
        &play.record.take()[..],
        [Told::Submitted(_, SubmitOutcome::Rejected(_))]
    ));
}

#[test]
fn a_generic_nack_refuses_what_it_names() {
    let mut play = Play::window(10);
    play.put([submission(1, TO, "x")]);
    let sequence = play.written()[0].sequence;
    play.hear(command::GENERIC_NACK, 0x03, sequence, b"");
    assert!(matches!(
        &play.record.take()[..],
        [Told::Submitted(_, SubmitOutcome::NotAccepted(_))]
    ));
}

#[test]
fn a_message_of_which_a_part_was_throttled_is_partly_accepted() {
    let mut play = Play::window(10);
    play.put([submission(1, TO, &"a".repeat(200))]);
    let parts = play.written();
    play.accept(parts[0].sequence, "7");
    assert_eq!(play.record.take(), []);
    play.refuse(parts[1].sequence, 0x58);
    let told = play.record.take();
    let [
        Told::Submitted(
            _,
            SubmitOutcome::PartlyAccepted {
                references: known,
                retriable,
                ..
            },
        ),
    ] = &told[..]
    else {
        panic!("{told:?}");
    };
    assert_eq!(
        (&known[..], *retriable),
        (&references(&[(0, "7")])[..], true)
    );
}

#[test]
fn after_a_refusal_the_parts_that_wait_are_not_sent() {
    let mut play = Play::window(1);
    play.put([
        submission(1, TO, &"a".repeat(400)),
        submission(2, TO, "next"),
    ]);
    let sequence = play.written()[0].sequence;
    play.refuse(sequence, 0x58);
    assert_eq!(play.written()[0].text, b"next");
    assert!(matches!(
        &play.record.take()[..],
        [Told::Submitted(_, SubmitOutcome::NotAccepted(_))]
    ));
}

#[test]
fn an_answer_that_does_not_come_in_time_leaves_the_outcome_unknown() {
    let mut play = Play::window(10);
    play.put([submission(1, TO, &"a".repeat(200))]);
    let parts = play.written();
    play.accept(parts[0].sequence, "7");
    for _ in 0..29 {
        play.pass(SECOND);
        play.hear(command::ENQUIRE_LINK, 0, 1, b"");
    }
    assert_eq!(play.record.take(), []);
    play.pass(SECOND);
    assert_eq!(
        play.record.take(),
        [Told::Submitted(key(1), unknown(&[(0, "7")]))]
    );
    // The late answer changes nothing: each submission has one outcome.
    play.accept(parts[1].sequence, "8");
    assert_eq!(play.record.take(), []);
}

#[test]
fn a_lost_link_leaves_unknown_what_left_and_returns_what_did_not() {
    let mut play = Play::window(2);
    play.put([submission(1, TO, "one")]);
    let first = play.session.unwritten().len();
    play.put([submission(2, TO, "two")]);
    // The first and one octet of the second have left.
    play.session.wrote(first + 1);
    play.put([submission(3, TO, "three")]);
    play.session.finish(End::Lost("gone".into()));
    play.session.abandon();
    assert_eq!(
        play.record.take(),
        [
            Told::Submitted(key(1), unknown(&[])),
            Told::Returned(key(2))
        ]
    );
    assert_eq!(play.lanes.left(), 1);
}

#[test]
fn a_lost_link_returns_what_was_taken_and_waits_for_room() {
    let mut play = Play::window(1);
    play.put([submission(1, TO, &"a".repeat(400))]);
    let sequence = play.written()[0].sequence;
    play.accept(sequence, "1");
    // The second part is in the buffer, the third is not: neither has left.
    play.session.abandon();
    assert_eq!(
        play.record.take(),
        [Told::Submitted(key(1), accepted(&[(0, "1")]))]
    );
}

#[test]
fn what_expired_before_it_left_is_returned() {
    let mut play = Play::window(10);
    let mut late = submission(1, TO, "x");
    late.expires_at = Timestamp::from_millis(1_000_000);
    play.put([late]);
    assert_eq!(play.written(), []);
    assert_eq!(play.record.take(), [Told::Returned(key(1))]);
}

#[test]
fn what_has_no_text_is_rejected_without_a_slot() {
    let mut play = Play::window(1);
    let mut long = submission(1, TO, &"a".repeat(153 * 17));
    long.parts = 1;
    play.put([long, submission(2, TO, "x")]);
    assert_eq!(play.written().len(), 1);
    assert!(matches!(
        &play.record.take()[..],
        [Told::Submitted(_, SubmitOutcome::Rejected(_))]
    ));
}

#[test]
fn an_empty_source_is_asked_again_when_it_said_so() {
    let mut play = Play::window(10);
    play.lanes
        .hold_until(Some(Timestamp::from_millis(1_002_000)));
    play.put([submission(1, TO, "x")]);
    assert_eq!(play.session.due(), Some(play.now + 2 * SECOND));
    play.lanes.hold_until(None);
    play.pass(SECOND);
    assert_eq!(play.written(), []);
    play.pass(SECOND);
    assert_eq!(play.written().len(), 1);
}

#[test]
fn a_delivery_is_answered_only_after_its_ack_and_in_the_order_of_the_acks() {
    let mut play = Play::window(10);
    play.deliver(5, &receipt_text(b"id:1 stat:DELIVRD"));
    play.deliver(6, &person(b"Hi", &[]));
    assert_eq!(play.written(), []);
    assert_eq!(play.record.take().len(), 2);
    play.record.ack(Heard::Kept);
    play.record.ack(Heard::TryAgain);
    play.session.turn(play.now);
    let answers: Vec<_> = play
        .written()
        .iter()
        .map(|it| (it.command, it.sequence, it.status))
        .collect();
    assert_eq!(answers, [(0x8000_0005, 5, 0), (0x8000_0005, 6, 0x14)]);
}

#[test]
fn an_ack_that_is_dropped_asks_to_try_again() {
    let mut play = Play::window(10);
    play.deliver(5, &person(b"Hi", &[]));
    play.record.drop_acks();
    play.session.turn(play.now);
    assert_eq!(play.written()[0].status, 0x14);
}

#[test]
fn a_receipt_may_come_before_the_answer_to_its_submission() {
    let mut play = Play::window(10);
    play.put([submission(1, TO, "x")]);
    let sequence = play.written()[0].sequence;
    play.deliver(5, &receipt_text(b"id:11255809 stat:DELIVRD"));
    play.accept(sequence, "abc001");
    let told = play.record.take();
    let [
        Told::Receipt(receipt),
        Told::Submitted(_, SubmitOutcome::Accepted { references }),
    ] = &told[..]
    else {
        panic!("{told:?}");
    };
    assert!(receipt.references.contains(&references[0].reference));
}

#[test]
fn reading_stops_while_too_many_deliveries_wait_and_no_answer_times_out_meanwhile() {
    let config = SmppConfig {
        unanswered_max: 2,
        ..SmppConfig::default()
    };
    let mut play = Play::bound(config);
    play.put([submission(1, TO, "x")]);
    let sequence = play.written()[0].sequence;
    play.deliver(5, &person(b"a", &[]));
    play.deliver(6, &person(b"b", &[]));
    assert!(!play.session.may_read());
    play.pass(100 * SECOND);
    assert!(play.session.is_bound());
    play.record.ack(Heard::Kept);
    play.session.turn(play.now);
    assert!(play.session.may_read());
    play.record.take();
    play.accept(sequence, "1");
    assert_eq!(
        play.record.take(),
        [Told::Submitted(key(1), accepted(&[(0, "1")]))]
    );
}

#[test]
fn the_parts_of_an_inbound_message_become_one_and_are_answered_together() {
    let mut play = Play::window(10);
    play.deliver(5, &person(b"world", &[5, 0, 3, 7, 2, 2]));
    assert_eq!(play.record.take(), []);
    play.deliver(6, &person(b"Hello ", &[5, 0, 3, 7, 2, 1]));
    let told = play.record.take();
    let [Told::Inbound(message)] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(message.content.plain_text(), Some("Hello world"));
    assert_eq!(
        (&*message.from.to_string(), &*message.to),
        (TO, "40700000001")
    );
    assert_eq!(play.written(), []);
    play.record.ack(Heard::Kept);
    play.session.turn(play.now);
    let mut answered: Vec<_> = play
        .written()
        .iter()
        .map(|it| (it.sequence, it.status))
        .collect();
    answered.sort_unstable();
    assert_eq!(answered, [(5, 0), (6, 0)]);
}

#[test]
fn a_malformed_delivery_is_refused_and_an_unknown_command_is_named_so() {
    let mut play = Play::window(10);
    play.hear(command::DELIVER_SM, 0, 5, b"\0\x01");
    play.hear(0x0000_0007, 0, 6, b"");
    play.hear(command::ALERT_NOTIFICATION, 0, 7, b"");
    let written: Vec<_> = play
        .written()
        .iter()
        .map(|it| (it.command, it.sequence, it.status))
        .collect();
    assert_eq!(
        written,
        [(0x8000_0005, 5, 1), (command::GENERIC_NACK, 6, 3)]
    );
}

#[test]
fn an_impossible_length_ends_the_session() {
    let mut play = Play::window(10);
    play.session.received(&[0, 0, 0, 3, 1], play.now);
    assert!(matches!(play.session.end(), Some(End::Lost(_))));
}

#[test]
fn an_idle_link_is_tested_and_lost_without_an_answer() {
    let mut play = Play::window(10);
    play.pass(30 * SECOND);
    let test = play.written();
    assert_eq!(test[0].command, command::ENQUIRE_LINK);
    play.hear(command::ENQUIRE_LINK | RESPONSE, 0, test[0].sequence, b"");
    play.pass(29 * SECOND);
    assert_eq!(play.written(), []);
    play.pass(SECOND);
    assert_eq!(play.written().len(), 1);
    play.pass(15 * SECOND);
    assert!(matches!(play.session.end(), Some(End::Lost(_))));
}

#[test]
fn an_unbind_is_answered_and_ends_the_session() {
    let mut play = Play::window(10);
    play.hear(command::UNBIND, 0, 8, b"");
    assert_eq!(play.session.end(), Some(&End::PeerUnbound));
    let written = play.written();
    assert_eq!((written[0].command, written[0].sequence), (0x8000_0006, 8));
}

#[test]
fn stopping_takes_nothing_more_waits_for_answers_and_unbinds() {
    let mut play = Play::window(2);
    play.put([submission(1, TO, "x")]);
    let sequence = play.written()[0].sequence;
    play.session.stop(play.now + 10 * SECOND);
    play.put([submission(2, TO, "y")]);
    assert_eq!((play.written(), play.lanes.left()), (vec![], 1));
    play.accept(sequence, "1");
    assert_eq!(play.record.take().len(), 1);
    let unbind = play.written();
    assert_eq!(unbind[0].command, command::UNBIND);
    play.hear(command::UNBIND | RESPONSE, 0, unbind[0].sequence, b"");
    assert_eq!(play.session.end(), Some(&End::Stopped));
}

#[test]
fn stopping_does_not_wait_longer_than_its_patience() {
    let mut play = Play::window(2);
    play.put([submission(1, TO, "x")]);
    play.written();
    play.session.stop(play.now + 10 * SECOND);
    play.pass(10 * SECOND);
    assert_eq!(play.written()[0].command, command::UNBIND);
    play.pass(5 * SECOND);
    assert_eq!(play.session.end(), Some(&End::Stopped));
    play.session.abandon();
    assert_eq!(play.record.take(), [Told::Submitted(key(1), unknown(&[]))]);
}

#[test]
fn sequence_numbers_begin_again_after_the_last() {
    let mut play = Play::window(10);
    play.session.sequence = LAST_SEQUENCE - 1;
    play.put((1..=2).map(|it| submission(it, TO, "x")));
    let sequences: Vec<_> = play.written().iter().map(|it| it.sequence).collect();
    assert_eq!(sequences, [LAST_SEQUENCE, 1]);
}

#[test]
fn a_receiver_takes_no_submissions() {
    let mut play = Play::window(10);
    play.session.role = Role::Receiver;
    play.put([submission(1, TO, "x")]);
    assert_eq!(play.lanes.left(), 1);
}

#[test]
fn an_acceptance_without_id_still_counts_as_one() {
    let mut play = Play::window(10);
    play.put([submission(1, TO, "x")]);
    let sequence = play.written()[0].sequence;
    play.hear(command::SUBMIT_SM | RESPONSE, 0, sequence, b"");
    assert!(matches!(
        &play.record.take()[..],
        [Told::Submitted(_, SubmitOutcome::Accepted { references })] if references.len() == 1
    ));
}

#[test]
fn the_policy_for_ids_decides_how_they_are_kept() {
    let config = SmppConfig {
        message_id_match: MessageIdMatch::AsIs,
        ..SmppConfig::default()
    };
    let mut play = Play::bound(config);
    play.put([submission(1, TO, "x")]);
    let sequence = play.written()[0].sequence;
    play.accept(sequence, "0017");
    assert_eq!(
        play.record.take(),
        [Told::Submitted(key(1), accepted(&[(0, "0017")]))]
    );
}

proptest! {
    /// Whatever the peer does, each submission that was taken gets exactly one outcome.
    #[test]
    fn every_submission_taken_gets_exactly_one_outcome(
        texts in proptest::collection::vec(1_usize..500, 1..20),
        window in 1_u16..6,
        steps in proptest::collection::vec((0_u8..6, any::<prop::sample::Index>()), 0..80),
    ) {
        let mut play = Play::window(window);
        let total = texts.len();
        play.put(texts.iter().zip(1..).map(|(length, no)| submission(no, TO, &"a".repeat(*length))));
        let mut open: Vec<u32> = Vec::new();
        for (step, index) in steps {
            open.extend(play.written().iter().filter(|it| it.command == command::SUBMIT_SM).map(|it| it.sequence));
            prop_assert!(play.session.in_flight.len() <= usize::from(window));
            if step == 5 {
                play.pass(7 * SECOND);
                continue;
            }
            if open.is_empty() || play.session.end().is_some() {
                continue;
            }
            let sequence = open.swap_remove(index.index(open.len()));
            match step {
                0 | 1 => play.accept(sequence, "1a"),
                2 => play.refuse(sequence, 0x58),
                3 => play.refuse(sequence, 0x0B),
                _ => play.hear(command::GENERIC_NACK, 3, sequence, b""),
            }
        }
        play.session.finish(End::Lost("gone".into()));
        play.session.abandon();
        let mut seen: Vec<i64> = play.record.take().iter().map(|it| match it {
            Told::Submitted(key, _) | Told::Returned(key) => key.message.key(),
            Told::Receipt(_) | Told::Inbound(_) | Told::Consent(_) | Told::Template(_)
            | Told::Billed(..) | Told::Link(_) => panic!("{it:?}"),
        }).collect();
        seen.sort_unstable();
        let taken: Vec<i64> = (1..).take(total - play.lanes.left()).collect();
        prop_assert_eq!(seen, taken);
    }

    #[test]
    fn no_octets_make_the_session_panic(octets: Vec<u8>, command: u8, body: Vec<u8>) {
        let mut play = Play::window(3);
        play.put([submission(1, TO, "x")]);
        play.hear(u32::from(command), 0, 2, &body);
        play.hear(u32::from(command) | RESPONSE, 0, 2, &body);
        play.session.received(&octets, play.now);
        play.session.turn(play.now);
        play.session.abandon();
    }
}
