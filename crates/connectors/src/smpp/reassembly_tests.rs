//! Parts in every order, twice, never, and what happens when the message cannot be kept.

use super::*;

use std::time::Duration;

const FROM: &[u8] = b"4917012345678";
const TO: &[u8] = b"40700000001";
const SECOND: Duration = Duration::from_secs(1);

type Answers = Arc<Mutex<Vec<(u8, Heard)>>>;

struct Bench {
    reassembly: Arc<Reassembly>,
    answers: Answers,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        let reassembly = Reassembly::new(&SmppConfig::default());
        Self {
            reassembly,
            answers: Answers::default(),
            now: Instant::now(),
        }
    }

    fn add(&self, reference: u16, total: u8, number: u8, text: &[u8]) -> Vec<Ready> {
        let place = Place {
            reference,
            wide: false,
            total,
            number,
        };
        let piece = Piece {
            place: Some(place),
            coding: Coding::Plain(0),
            octets: text,
        };
        let answers = Arc::clone(&self.answers);
        let answer: Ack = Box::new(move |heard| answers.lock().push((number, heard)));
        self.reassembly
            .add(FROM, TO, (&piece, place), answer, self.now)
    }

    fn answered(&self) -> Vec<(u8, Heard)> {
        let mut answers = std::mem::take(&mut *self.answers.lock());
        answers.sort_by_key(|it| it.0);
        answers
    }
}

fn text(ready: &[Ready]) -> Vec<&str> {
    ready
        .iter()
        .map(|it| it.0.content.plain_text().unwrap())
        .collect()
}

#[test]
fn parts_are_put_together_in_any_order_and_before_they_are_decoded() {
    let bench = Bench::new();
    assert!(bench.add(1, 3, 3, b"c").is_empty());
    // An escape pair cut in two by a sloppy peer.
    assert!(bench.add(1, 3, 1, b"a\x1b").is_empty());
    assert_eq!(text(&bench.add(1, 3, 2, b"\x65b")), ["a€bc"]);
    assert_eq!(bench.reassembly.due(), None);
}

#[test]
fn messages_with_other_references_are_kept_apart() {
    let bench = Bench::new();
    assert!(bench.add(1, 2, 1, b"a").is_empty());
    assert!(bench.add(2, 2, 2, b"B").is_empty());
    assert_eq!(text(&bench.add(2, 2, 1, b"A")), ["AB"]);
}

#[test]
fn a_part_that_comes_twice_counts_once_and_both_are_answered() {
    let bench = Bench::new();
    assert!(bench.add(1, 2, 1, b"a").is_empty());
    assert!(bench.add(1, 2, 1, b"a").is_empty());
    let mut ready = bench.add(1, 2, 2, b"b");
    assert_eq!(text(&ready), ["ab"]);
    ready.remove(0).1(Heard::Kept);
    assert_eq!(
        bench.answered(),
        [(1, Heard::Kept), (1, Heard::Kept), (2, Heard::Kept)]
    );
}

#[test]
fn a_part_is_not_left_unanswered_for_long() {
    let bench = Bench::new();
    assert!(bench.add(1, 2, 1, b"a").is_empty());
    assert_eq!(bench.reassembly.due(), Some(bench.now + SECOND));
    assert!(bench.reassembly.sweep(bench.now + SECOND).is_empty());
    assert_eq!(bench.answered(), [(1, Heard::Kept)]);
    assert_eq!(bench.reassembly.due(), Some(bench.now + 300 * SECOND));
}

#[test]
fn what_stays_incomplete_is_given_out_with_a_gap() {
    let bench = Bench::new();
    assert!(bench.add(1, 4, 1, b"one").is_empty());
    assert!(bench.add(1, 4, 4, b"four").is_empty());
    let ready = bench.reassembly.sweep(bench.now + 300 * SECOND);
    assert_eq!(text(&ready), ["one […] four"]);
}

#[test]
fn a_message_that_could_not_be_kept_comes_together_again() {
    let mut bench = Bench::new();
    assert!(bench.add(1, 2, 1, b"a").is_empty());
    bench.now += SECOND;
    assert!(bench.reassembly.sweep(bench.now).is_empty());
    bench.add(1, 2, 2, b"b").remove(0).1(Heard::TryAgain);
    // The first part was answered before; only the second comes again.
    assert_eq!(bench.answered(), [(1, Heard::Kept), (2, Heard::TryAgain)]);
    assert_eq!(text(&bench.add(1, 2, 2, b"b")), ["ab"]);
}

#[test]
fn an_incomplete_message_that_could_not_be_kept_is_given_out_again() {
    let bench = Bench::new();
    assert!(bench.add(1, 2, 1, b"a").is_empty());
    let mut later = bench.now + 300 * SECOND;
    bench.reassembly.sweep(later).remove(0).1(Heard::TryAgain);
    later += 300 * SECOND;
    assert_eq!(text(&bench.reassembly.sweep(later)), ["a […] "]);
}

#[test]
fn the_memory_is_bounded_and_the_oldest_goes_first() {
    let mut bench = Bench::new();
    let mut given = Vec::new();
    for reference in 0..u16::try_from(MESSAGES).unwrap() + 5 {
        bench.now += Duration::from_millis(1);
        given.extend(bench.add(reference, 2, 1, reference.to_string().as_bytes()));
    }
    assert_eq!(
        text(&given),
        ["0 […] ", "1 […] ", "2 […] ", "3 […] ", "4 […] "]
    );
}
