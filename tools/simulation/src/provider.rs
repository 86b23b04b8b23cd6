//! What does a made-up provider do with a submission? It draws a fate for it: taken or not, what it
//! answers and when, and which receipts follow. What it took is the truth that all else is measured by.

use std::collections::{BTreeMap, BTreeSet};

use domain::ids::RouteKey;
use domain::model::attempt::PartSet;
use domain::model::channel::Channel;
use domain::model::failure::{Failure, FailureClass};
use domain::model::receipt::{PartReference, ReceiptState, SubmitOutcome};
use ports::connector::{Submission, SubmissionKey};

use crate::dice::Dice;
use crate::scenery::Temper;

/// What becomes of one submission.
#[derive(Debug, Clone)]
pub(crate) struct Fate {
    /// What is answered; `None`: nothing ever is.
    pub(crate) answer: Option<Answer>,
    /// How many milliseconds later.
    pub(crate) after: i64,
    /// The parts that were taken.
    pub(crate) taken: BTreeSet<u16>,
    /// The names of what was taken.
    pub(crate) names: Vec<PartReference>,
    /// Receipts: so many milliseconds after it was handed over, of which part.
    pub(crate) receipts: Vec<(i64, u16, ReceiptState)>,
}

#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Outcome(SubmitOutcome),
    /// Not accepted, and nothing is to come for so many milliseconds.
    SlowDown(i64),
    /// The connector gives it back unsent.
    GiveBack,
}

/// What the connector waits for.
#[derive(Debug)]
pub(crate) struct UnderWay {
    pub(crate) key: SubmissionKey,
    pub(crate) slots: u16,
    pub(crate) answer: Option<Answer>,
}

/// The provider behind one route, with what its connector has under way.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) route: RouteKey,
    pub(crate) channel: Channel,
    pub(crate) temper: Temper,
    pub(crate) gives_receipts: bool,
    pub(crate) dice: Dice,
    /// Whether the link works.
    pub(crate) is_up: bool,
    /// Whether the connector is connected: not while a person disabled the route.
    pub(crate) is_connected: bool,
    pub(crate) under_way: BTreeMap<usize, UnderWay>,
    pub(crate) names: BTreeMap<usize, Vec<PartReference>>,
    pub(crate) count: u64,
}

impl Provider {
    pub(crate) fn free(&self) -> u16 {
        let taken: u16 = self.under_way.values().map(|it| it.slots).sum();
        self.temper.window.saturating_sub(taken)
    }

    /// What becomes of this submission.
    pub(crate) fn fate(&mut self, submission: &Submission) -> Fate {
        let pieces: Vec<u16> = pieces(submission);
        let temper = self.temper;
        let after = self.dice.between(1, temper.slowest_answer);
        let mut none = Fate {
            answer: None,
            after,
            taken: BTreeSet::new(),
            names: Vec::new(),
            receipts: Vec::new(),
        };
        let roll = self.dice.below(100);
        let mut below = 0;
        let mut falls = |percent: u64| {
            below += percent;
            roll < below
        };
        if falls(temper.gives_back) {
            none.answer = Some(Answer::GiveBack);
            // It has it unsent for a while, and gives it back sooner where nobody wants it any more.
            none.after = self.dice.pick(&[after, 3_000]);
            return none;
        }
        if falls(temper.refuses) {
            let class = self
                .dice
                .pick(&[FailureClass::RouteFault, FailureClass::SenderFault]);
            none.answer = Some(not_accepted(class));
            return none;
        }
        if falls(temper.throttles) {
            let pause = self.dice.pick(&[0, 0, 500, 3_000, 20_000]);
            none.answer = Some(if pause == 0 {
                not_accepted(FailureClass::Throttled)
            } else {
                Answer::SlowDown(pause)
            });
            return none;
        }
        if falls(temper.rejects) {
            let class = self.dice.pick(&[
                FailureClass::Undeliverable,
                FailureClass::Undeliverable,
                FailureClass::RecipientIncapable,
                FailureClass::ContentBlocked,
                FailureClass::WindowClosed,
                FailureClass::OptedOut,
            ]);
            none.answer = Some(Answer::Outcome(SubmitOutcome::Rejected(failure(class))));
            return none;
        }
        if falls(temper.loses_answers) {
            return self.loses(submission, &pieces, none, true);
        }
        if falls(temper.is_silent) {
            return self.loses(submission, &pieces, none, false);
        }
        if pieces.len() > 1 && !temper.takes_whole && self.dice.chance(temper.takes_parts) {
            return self.takes_some(submission, &pieces, none);
        }
        let mut fate = self.takes(submission, &pieces, none);
        fate.answer = Some(Answer::Outcome(SubmitOutcome::Accepted {
            references: fate.names.clone(),
        }));
        fate
    }

    /// It has these parts, and its receipts will tell what becomes of them.
    fn takes(&mut self, submission: &Submission, pieces: &[u16], mut fate: Fate) -> Fate {
        self.count += 1;
        let (route, count) = (self.route.0, self.count);
        let name = |part: u16| PartReference {
            part,
            reference: format!("r{route}-{count}-{part}").into(),
        };
        fate.taken = pieces.iter().copied().collect();
        fate.names = if self.temper.takes_whole {
            vec![name(PartSet::WHOLE)]
        } else {
            pieces.iter().map(|it| name(*it)).collect()
        };
        if self.gives_receipts {
            let is_whole_fate = self.dice.chance(80);
            let mut all = self.destiny();
            for PartReference { part, .. } in fate.names.clone() {
                if !is_whole_fate {
                    all = self.destiny();
                }
                self.receipts_of(submission, part, &all, fate.after, &mut fate.receipts);
            }
        }
        fate
    }

    fn loses(
        &mut self,
        submission: &Submission,
        pieces: &[u16],
        none: Fate,
        is_told: bool,
    ) -> Fate {
        let mut fate = if self.dice.chance(60) {
            self.takes(submission, pieces, none)
        } else {
            none
        };
        if !is_told {
            // The connector's own patience ends.
            fate.after = self.dice.pick(&[60_000, 600_000]);
        }
        fate.answer = Some({
            let known = pieces.len() > 1 && !self.temper.takes_whole && self.dice.chance(30);
            let references = if known {
                fate.names.iter().take(1).cloned().collect()
            } else {
                Vec::new()
            };
            Answer::Outcome(SubmitOutcome::Unknown { references })
        });
        fate
    }

    fn takes_some(&mut self, submission: &Submission, pieces: &[u16], none: Fate) -> Fate {
        let most = i64::try_from(pieces.len() - 1).unwrap();
        let count = usize::try_from(self.dice.between(1, most)).unwrap();
        let mut fate = self.takes(submission, &pieces[..count], none);
        let retriable = self.dice.chance(70);
        let class = if retriable {
            self.dice
                .pick(&[FailureClass::RouteFault, FailureClass::Throttled])
        } else {
            FailureClass::Undeliverable
        };
        fate.answer = Some(Answer::Outcome(SubmitOutcome::PartlyAccepted {
            references: fate.names.clone(),
            failure: failure(class),
            retriable,
        }));
        fate
    }

    /// The last words on a part that was taken, in their order.
    fn destiny(&mut self) -> Vec<ReceiptState> {
        if self.dice.chance(self.temper.forgets) {
            return Vec::new();
        }
        let failed = || ReceiptState::Failed(failure(FailureClass::Undeliverable));
        let fails = self.dice.chance(self.temper.fails);
        let mut words = vec![if fails {
            failed()
        } else {
            ReceiptState::Delivered
        }];
        if self.dice.chance(self.temper.contradicts) {
            words.push(if fails {
                ReceiptState::Delivered
            } else {
                failed()
            });
        } else if !fails && self.channel == Channel::WhatsApp && self.dice.chance(50) {
            words.push(ReceiptState::Read);
        }
        words
    }

    fn receipts_of(
        &mut self,
        submission: &Submission,
        part: u16,
        words: &[ReceiptState],
        answer_after: i64,
        receipts: &mut Vec<(i64, u16, ReceiptState)>,
    ) {
        let temper = self.temper;
        if self.dice.chance(20) {
            receipts.push((self.dice.between(1, 3_000), part, ReceiptState::InTransit));
        }
        let honours = submission.validity.is_some();
        for state in words {
            let after = if self.dice.chance(temper.hurries) {
                self.dice.between(0, answer_after)
            } else if self.dice.chance(temper.dawdles) && !honours {
                self.dice.pick(&[60_000, 600_000, 7_200_000]) + self.dice.between(0, 60_000)
            } else {
                answer_after + self.dice.between(50, 9_000)
            };
            receipts.push((after, part, state.clone()));
            while self.dice.chance(temper.repeats) {
                let again = after + self.dice.between(0, 20_000);
                receipts.push((again, part, state.clone()));
            }
        }
    }
}

/// The parts that are handed over.
pub(crate) fn pieces(submission: &Submission) -> Vec<u16> {
    (0..submission.parts)
        .filter(|part| !submission.accepted.contains(*part))
        .collect()
}

pub(crate) fn failure(class: FailureClass) -> Failure {
    Failure::new(class, class.code(), "made up")
}

fn not_accepted(class: FailureClass) -> Answer {
    Answer::Outcome(SubmitOutcome::NotAccepted(failure(class)))
}
