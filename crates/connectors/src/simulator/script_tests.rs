//! Every play on both channels.

use domain::ids::MessageId;

use super::*;

const KEY: SubmissionKey = SubmissionKey {
    message: MessageId::from_key(7),
    attempt: 1,
};

fn exact(channel: Channel) -> SimulatorConfig {
    SimulatorConfig {
        receipt_spread: Millis::ZERO,
        ..SimulatorConfig::new(channel)
    }
}

fn facts(play: Play) -> Facts {
    Facts {
        key: KEY,
        play: Some(play),
        was_throttled: false,
        is_window_closed: false,
        validity: None,
    }
}

fn told(script: &Script) -> Vec<(i64, &'static str)> {
    script
        .receipts
        .iter()
        .map(|it| (it.0.get(), it.1.code()))
        .collect()
}

#[test]
fn each_play_goes_as_its_name_says() {
    let sms = exact(Channel::Sms);
    for (play, answer_at, receipts) in [
        (Play::Deliver, 20, &[(520, "delivered")][..]),
        (Play::Fail, 20, &[(520, "failed")]),
        (Play::NoReceipt, 20, &[]),
        (
            Play::ReceiptTwice,
            20,
            &[(520, "delivered"), (570, "delivered")],
        ),
        (Play::ReceiptFirst, 70, &[(20, "delivered")]),
        (Play::NoAnswer, 2_000, &[(2_500, "delivered")]),
        (Play::Late, 20, &[(30_020, "delivered")]),
        (Play::Read, 20, &[(520, "delivered")]),
        (Play::Incapable, 20, &[(520, "failed")]),
        (
            Play::FailThenDeliver,
            20,
            &[(520, "failed"), (5_420, "delivered")],
        ),
    ] {
        let script = script(&sms, facts(play));
        assert_eq!(
            (script.answer_at.get(), &told(&script)[..]),
            (answer_at, receipts),
            "{play:?}"
        );
    }
}

#[test]
fn whatsapp_tells_that_a_message_is_on_its_way_and_that_it_was_read() {
    let script = script(&exact(Channel::WhatsApp), facts(Play::Read));
    assert_eq!(
        told(&script),
        [(70, "in_transit"), (520, "delivered"), (1_320, "read")]
    );
}

#[test]
fn a_rejected_submission_gets_no_receipt() {
    let script = script(&exact(Channel::WhatsApp), facts(Play::Reject));
    assert!(matches!(script.answer, Answer::Reject(_)));
    assert_eq!(told(&script), []);
}

#[test]
fn throttling_happens_once() {
    let config = exact(Channel::Sms);
    assert_eq!(
        script(&config, facts(Play::ThrottleOnce)).answer,
        Answer::Throttle
    );
    let again = Facts {
        was_throttled: true,
        ..facts(Play::ThrottleOnce)
    };
    assert_eq!(told(&script(&config, again)), [(520, "delivered")]);
}

#[test]
fn a_closed_window_is_told_by_a_receipt_after_acceptance() {
    let closed = Facts {
        is_window_closed: true,
        ..facts(Play::Deliver)
    };
    let script = script(&exact(Channel::WhatsApp), closed);
    assert_eq!(script.answer, Answer::Accept);
    let Some((_, ReceiptState::Failed(failure))) = script.receipts.last() else {
        panic!("{script:?}");
    };
    assert_eq!(
        (failure.class, &*failure.code),
        (FailureClass::WindowClosed, "131047")
    );
}

#[test]
fn a_validity_that_ends_first_expires_the_message() {
    let short = Facts {
        validity: Some(Millis::seconds(10)),
        ..facts(Play::Late)
    };
    assert_eq!(
        told(&script(&exact(Channel::Sms), short)),
        [(10_020, "failed")]
    );
    let long = Facts {
        validity: Some(Millis::seconds(60)),
        ..facts(Play::Late)
    };
    assert_eq!(
        told(&script(&exact(Channel::Sms), long)),
        [(30_020, "delivered")]
    );
}

#[test]
fn a_route_without_receipts_tells_none() {
    let config = SimulatorConfig {
        receipts: false,
        ..exact(Channel::Sms)
    };
    assert_eq!(told(&script(&config, facts(Play::Deliver))), []);
}

#[test]
fn chances_come_out_about_as_often_as_they_say_and_the_same_each_time() {
    let config = SimulatorConfig {
        failure_percent: 20,
        seed: 42,
        ..exact(Channel::Sms)
    };
    let run = || {
        (0..10_000)
            .map(|no| {
                let key = SubmissionKey {
                    message: MessageId::from_key(no),
                    attempt: 1,
                };
                script(
                    &config,
                    Facts {
                        key,
                        play: None,
                        ..facts(Play::Deliver)
                    },
                )
            })
            .collect::<Vec<_>>()
    };
    let first = run();
    let failed = first
        .iter()
        .filter(|it| told(it) == [(520, "failed")])
        .count();
    assert!((1_800..2_200).contains(&failed), "{failed} of 10000");
    assert_eq!(first, run());
}
