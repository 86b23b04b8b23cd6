//! The life of a bind: its beginning, how it is kept alive, and its end.

use super::*;

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
fn what_is_delivered_before_the_bind_is_accepted_is_not_believed_and_may_come_again() {
    let mut play = Play::new(SmppConfig::default());
    play.written();
    play.deliver(5, &person(b"Hi", &[]));
    play.deliver(6, &receipt_text(b"id:1 stat:DELIVRD"));
    assert_eq!(play.record.take(), []);
    let answers: Vec<_> = play
        .written()
        .iter()
        .map(|it| (it.command, it.sequence, it.status))
        .collect();
    assert_eq!(answers, [(0x8000_0005, 5, 0x14), (0x8000_0005, 6, 0x14)]);
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
