//! How is a message stopped that a phone was handed and that must not leave any more?
//!
//! What the phone has not fetched is taken back and was never there. Of what it has fetched it is told not to
//! send it, and shown that until it answers: it says that it cancelled it, or that it had sent it already.
//! Only then, or when its validity is over, is it known what became of it (R-PHONE-3).

use domain::time::Timestamp;
use ports::connector::SubmissionKey;

use super::pool::{Act, Open, Pool, cancelled, keep};

impl Pool {
    /// Stops what is not wanted any more (R-IN-2, R-FALL-3).
    pub(super) fn withdraw(&mut self, unwanted: &[SubmissionKey], now: Timestamp) -> Vec<Act> {
        let mut acts = Vec::new();
        self.stop(|it| unwanted.contains(&it.key()), now, &mut acts);
        acts
    }

    /// Takes all such messages back, or asks their phones not to send them.
    pub(super) fn stop(
        &mut self,
        which: impl Fn(&Open) -> bool,
        now: Timestamp,
        acts: &mut Vec<Act>,
    ) {
        let mut untouched = Vec::new();
        for (id, open) in self.open.iter_mut().filter(|it| which(it.1)) {
            if !open.listed {
                untouched.push(id.clone());
            } else if !open.handing.cancelling {
                open.handing.cancelling = true;
                open.moved_at = now;
                acts.push(keep(&open.handing));
                if let Some(phone) = self.phones.get(&open.handing.phone) {
                    phone.tell(cancelled(id));
                }
            }
        }
        for id in untouched {
            self.take_back(&id, acts);
        }
    }
}
