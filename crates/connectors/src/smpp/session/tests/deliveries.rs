//! What the SMSC delivers, and when it is answered.

use super::*;

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
