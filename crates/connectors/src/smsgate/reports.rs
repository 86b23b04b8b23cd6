//! What a report makes of a message on a phone, and what the engine is told.

use domain::model::receipt::{ReceiptState, SubmitOutcome};
use domain::time::Timestamp;
use ports::connector::{IncomingReceipt, SubmissionKey};
use ports::store::phones::{Handing, HandingState};

use super::codes::{Remedy, failure};
use super::pool::{Act, Open, Pool, accepted, cancelled, keep};
use super::receipt::{Report, merged};

impl Pool {
    /// Folds a report on something that this phone may still send; `None` where it is no such thing.
    pub(super) fn report(
        &mut self,
        phone: &str,
        report: &Report,
        now: Timestamp,
    ) -> Option<Vec<Act>> {
        let open = self.open.get_mut(&*report.id)?;
        let mut acts = Vec::new();
        if *open.handing.phone != *phone {
            return Some(acts);
        }
        let Some(reported) = report.state() else {
            return Some(acts);
        };
        if let Some(phone) = self.phones.get_mut(phone) {
            if let Some(said) = report.latest() {
                phone.clock.told(said, now);
            }
            if reported == HandingState::Sent {
                phone.clock.agrees();
            }
        }
        // Whoever reports it has it.
        open.listed = true;
        open.asked = false;
        if open.handing.cancelling && reported == HandingState::Pending {
            // It came too late to hear it, or was not there.
            if let Some(phone) = self.phones.get(phone) {
                phone.tell(cancelled(&report.id));
            }
        }
        let state = merged(open.handing.state, reported);
        if state == open.handing.state {
            return Some(acts);
        }
        open.handing.state = state;
        open.moved_at = now;
        if state.is_open() {
            acts.push(keep(&open.handing));
            return Some(acts);
        }
        let mut open = self.open.remove(&*report.id)?;
        open.handing.text = "".into();
        let key = open.key();
        match state {
            HandingState::Cancelled | HandingState::Withdrawn => {
                if let Some(phone) = self.phones.get_mut(phone) {
                    phone.not_used(&report.id);
                }
                if open.is_owed() {
                    acts.push(Act::Returned(key));
                }
            }
            HandingState::Failed => {
                self.failed(&open, report, now, &mut acts);
            }
            HandingState::Offered
            | HandingState::Pending
            | HandingState::Processed
            | HandingState::Sent
            | HandingState::Delivered => {
                if open.is_owed() {
                    acts.push(accepted(key, &report.id));
                }
                if !open.is_owed() || state == HandingState::Delivered {
                    acts.push(receipt(&open.handing, report, state));
                }
            }
        }
        acts.push(keep(&open.handing));
        Some(acts)
    }

    fn failed(&mut self, open: &Open, report: &Report, now: Timestamp, acts: &mut Vec<Act>) {
        let (handing, owed) = (&open.handing, open.is_owed());
        let key = SubmissionKey {
            message: handing.message,
            attempt: handing.attempt,
        };
        let (failure, remedy) = failure(report.error());
        let phone = self.phones.get_mut(&handing.phone);
        match remedy {
            Remedy::Rest(_) | Remedy::Again => {
                if let Some(phone) = phone {
                    phone.not_used(&handing.id);
                    if let Remedy::Rest(pause) = remedy {
                        phone.rests_until = Some(now.plus(pause));
                    } else if now < handing.valid_until && !open.shown_late {
                        phone.calls_too_late(now);
                        // Another phone that takes it keeps this person.
                        self.peers.remove(&handing.to);
                    }
                }
                // Where nobody waits for its outcome it is unknown to the engine, which plans it
                // again when that wait is over.
                if owed {
                    acts.push(Act::Returned(key));
                }
            }
            Remedy::Elsewhere if owed => {
                acts.push(Act::Submitted(key, SubmitOutcome::NotAccepted(failure)));
            }
            Remedy::Never if owed => {
                acts.push(Act::Submitted(key, SubmitOutcome::Rejected(failure)));
            }
            Remedy::Left if owed => {
                acts.push(accepted(key, &handing.id));
                acts.push(receipt(handing, report, HandingState::Failed));
            }
            Remedy::Elsewhere | Remedy::Never | Remedy::Left => {
                acts.push(receipt(handing, report, HandingState::Failed));
            }
        }
    }

    /// Folds a report on something that was settled before; `known` is what is kept of it. What was
    /// taken back when its time was over may have been sent in time, by a phone whose word came late:
    /// then it is sent, and a copy of it that is on its way is stopped (R-DUP).
    pub(super) fn late(&mut self, known: &Handing, report: &Report, now: Timestamp) -> Vec<Act> {
        let Some(reported) = report.state() else {
            return Vec::new();
        };
        let state = merged(known.state, reported);
        let has_left = matches!(reported, HandingState::Sent | HandingState::Delivered);
        match known.state {
            HandingState::Cancelled => {
                if state > known.state {
                    tracing::warn!(phone = %known.phone, message = %known.message, state = state.code(),
                        "a phone reports on a message that it had said not to send");
                }
                return Vec::new();
            }
            HandingState::Withdrawn if !has_left => return Vec::new(),
            HandingState::Withdrawn => {
                tracing::warn!(phone = %known.phone, message = %known.message, state = state.code(),
                    "a phone has sent a message that was taken back from it");
            }
            HandingState::Offered
            | HandingState::Pending
            | HandingState::Processed
            | HandingState::Sent
            | HandingState::Failed
            | HandingState::Delivered => {}
        }
        // The same again is told again: the first time it may not have been kept.
        if reported < state || state < HandingState::Sent {
            return Vec::new();
        }
        let mut acts = vec![receipt(known, report, state)];
        if state != known.state {
            acts.push(keep(&Handing {
                state,
                text: "".into(),
                ..known.clone()
            }));
        }
        if has_left {
            // Every other copy: whoever has one must not send it as well.
            self.stop(|it| it.handing.message == known.message, now, &mut acts);
        }
        acts
    }
}

/// What the engine is told of a message that a phone gave to Android, and said nothing of since.
pub(super) fn presumed(handing: &Handing) -> Act {
    incoming(
        handing,
        ReceiptState::InTransit,
        "smsgate Processed".to_owned(),
    )
}

fn receipt(handing: &Handing, report: &Report, state: HandingState) -> Act {
    let state = match state {
        HandingState::Delivered => ReceiptState::Delivered,
        HandingState::Failed => ReceiptState::Failed(failure(report.error()).0),
        HandingState::Offered
        | HandingState::Pending
        | HandingState::Processed
        | HandingState::Withdrawn
        | HandingState::Cancelled
        | HandingState::Sent => ReceiptState::InTransit,
    };
    incoming(handing, state, report.raw())
}

fn incoming(handing: &Handing, state: ReceiptState, raw: String) -> Act {
    Act::Receipt(Box::new(IncomingReceipt {
        references: vec![handing.id.clone()],
        ours: Some(SubmissionKey {
            message: handing.message,
            attempt: handing.attempt,
        }),
        recipient: Some(handing.to.clone()),
        whole: true,
        state,
        raw: raw.into(),
    }))
}
