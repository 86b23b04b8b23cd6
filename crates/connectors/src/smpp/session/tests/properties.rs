//! Whatever the peer does: properties over made-up peers.

use proptest::prelude::*;

use super::*;

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
            | Told::Billed(..) | Told::Paused(_) | Told::Link(_) => panic!("{it:?}"),
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
