//! Submissions: the window, the parts, and what becomes of each.

use super::*;

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
