//! What happens to one submission, and when: a pure function of the submission and the settings.

use domain::model::channel::Channel;
use domain::model::failure::{Failure, FailureClass};
use domain::model::receipt::ReceiptState;
use domain::time::Millis;
use ports::connector::SubmissionKey;

use super::config::SimulatorConfig;
use super::numbers::Play;

/// How late a late receipt is.
const LATE: Millis = Millis::seconds(30);
/// How long after the failed receipt the delivered one comes.
const CHANGE_OF_MIND: Millis = Millis::new(4_900);
/// How long after its delivery a message is read.
const READING: Millis = Millis::new(800);
/// How far apart two things are that come in the wrong order, or twice.
const APART: Millis = Millis::new(50);

/// The answer to a submission.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// Taken.
    Accept,
    /// Too fast.
    Throttle,
    /// Refused for good.
    Reject(Failure),
    /// None comes.
    Silence,
}

/// What happens to a submission; times are counted from when it was taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Script {
    /// When the answer comes, or the waiting for it ends.
    pub(super) answer_at: Millis,
    /// The answer.
    pub(super) answer: Answer,
    /// Receipts in order of their time.
    pub(super) receipts: Vec<(Millis, ReceiptState)>,
}

/// What a script is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    /// Which submission: the chances are drawn from it.
    pub(super) key: SubmissionKey,
    /// What the recipient's number asks for.
    pub(super) play: Option<Play>,
    /// Whether it was throttled before.
    pub(super) was_throttled: bool,
    /// Whether the provider holds the 24-hour window for closed, and the content needs it.
    pub(super) is_window_closed: bool,
    /// How long the provider may keep trying.
    pub(super) validity: Option<Millis>,
}

/// Writes the script.
pub(super) fn script(config: &SimulatorConfig, facts: Facts) -> Script {
    let mut dice = Dice::new(config.seed, facts.key);
    let play = facts.play.unwrap_or_else(|| chance(config, &mut dice));
    let answered = config.answer_delay;
    let spread = dice.below(config.receipt_spread);
    let done = plus(answered, plus(config.receipt_delay, spread));
    let mut script = Script {
        answer_at: answered,
        answer: Answer::Accept,
        receipts: Vec::new(),
    };
    if play == Play::Reject {
        script.answer = Answer::Reject(undeliverable(config.channel));
        return script;
    }
    if play == Play::ThrottleOnce && !facts.was_throttled {
        script.answer = Answer::Throttle;
        return script;
    }
    if config.channel == Channel::WhatsApp {
        script
            .receipts
            .push((plus(answered, APART), ReceiptState::InTransit));
    }
    if facts.is_window_closed {
        // As the real one does: accepted, and refused by a status a moment later.
        let failure = Failure::new(
            FailureClass::WindowClosed,
            "131047",
            "More than 24 hours have passed since the recipient last wrote.",
        );
        script.receipts.push((done, ReceiptState::Failed(failure)));
        return script.told(config);
    }
    let failed = |failure| (done, ReceiptState::Failed(failure));
    let delivered = (done, ReceiptState::Delivered);
    match play {
        Play::Deliver | Play::ThrottleOnce | Play::Reject => script.receipts.push(delivered),
        Play::Fail => script.receipts.push(failed(undeliverable(config.channel))),
        Play::NoReceipt => script.receipts.clear(),
        Play::ReceiptTwice => {
            script.receipts.push(delivered);
            script
                .receipts
                .push((plus(done, APART), ReceiptState::Delivered));
        }
        Play::ReceiptFirst => {
            script.answer_at = plus(answered, APART);
            script.receipts = vec![(answered, ReceiptState::Delivered)];
        }
        Play::NoAnswer => {
            script.answer = Answer::Silence;
            script.answer_at = config.response_timeout;
            let receipt = plus(config.response_timeout, plus(config.receipt_delay, spread));
            script.receipts = vec![(receipt, ReceiptState::Delivered)];
        }
        Play::Late => script
            .receipts
            .push((plus(answered, LATE), ReceiptState::Delivered)),
        Play::Read => {
            script.receipts.push(delivered);
            if config.channel == Channel::WhatsApp {
                script
                    .receipts
                    .push((plus(done, READING), ReceiptState::Read));
            }
        }
        Play::Incapable => script.receipts.push(failed(incapable(config.channel))),
        Play::FailThenDeliver => {
            script.receipts.push(failed(undeliverable(config.channel)));
            script
                .receipts
                .push((plus(done, CHANGE_OF_MIND), ReceiptState::Delivered));
        }
    }
    if let Some(validity) = facts.validity {
        script.expire(plus(answered, validity));
    }
    script.told(config)
}

impl Script {
    /// A provider that honours a validity period gives up at its end.
    fn expire(&mut self, at: Millis) {
        let Some(first_late) = self.receipts.iter().position(|it| it.0 > at) else {
            return;
        };
        self.receipts.truncate(first_late);
        let is_over = self
            .receipts
            .last()
            .is_some_and(|it| it.1 != ReceiptState::InTransit);
        if !is_over {
            let failure = Failure::new(
                FailureClass::Expired,
                "expired",
                "The message expired before it could be delivered.",
            );
            self.receipts.push((at, ReceiptState::Failed(failure)));
        }
    }

    fn told(mut self, config: &SimulatorConfig) -> Self {
        if !config.receipts {
            self.receipts.clear();
        }
        self.receipts.sort_by_key(|it| it.0);
        self
    }
}

/// The play of a recipient whose number asks for nothing.
fn chance(config: &SimulatorConfig, dice: &mut Dice) -> Play {
    for (percent, play) in [
        (config.failure_percent, Play::Fail),
        (config.lose_receipts_percent, Play::NoReceipt),
        (config.double_receipts_percent, Play::ReceiptTwice),
        (config.reorder_percent, Play::ReceiptFirst),
        (config.read_percent, Play::Read),
    ] {
        if dice.percent(percent) {
            return play;
        }
    }
    Play::Deliver
}

fn undeliverable(channel: Channel) -> Failure {
    let code = match channel {
        Channel::Sms => "UNDELIV",
        Channel::WhatsApp => "131000",
        Channel::Telegram | Channel::Email => "undeliverable",
    };
    Failure::new(
        FailureClass::Undeliverable,
        code,
        "The simulated network could not deliver it.",
    )
}

fn incapable(channel: Channel) -> Failure {
    let code = match channel {
        Channel::Sms => "UNDELIV",
        Channel::WhatsApp => "131026",
        Channel::Telegram => "403",
        Channel::Email => "550",
    };
    Failure::new(
        FailureClass::RecipientIncapable,
        code,
        "The recipient does not have the channel.",
    )
}

const fn plus(a: Millis, b: Millis) -> Millis {
    Millis::new(a.get().saturating_add(b.get()))
}

/// Draws that depend on the seed and the submission only (splitmix64), not on what runs beside it.
struct Dice(u64);

impl Dice {
    fn new(seed: u64, key: SubmissionKey) -> Self {
        let own = key
            .message
            .key()
            .unsigned_abs()
            .wrapping_mul(31)
            .wrapping_add(key.attempt.into());
        Self(seed.rotate_left(32) ^ own)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn percent(&mut self, percent: u8) -> bool {
        self.next() % 100 < u64::from(percent)
    }

    fn below(&mut self, span: Millis) -> Millis {
        let span = span.get().max(0).unsigned_abs();
        let drawn = self.next() % span.saturating_add(1).max(1);
        Millis::new(i64::try_from(drawn).unwrap_or(0))
    }
}

#[cfg(test)]
#[path = "script_tests.rs"]
mod tests;
