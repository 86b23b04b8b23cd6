//! What is a phone shown when it pulls: what it is to send, what it is to say something about, and what
//! it is not to send?
//!
//! Three habits of the app decide this. An id that it knows it never sends again: it reports how far
//! it is. What it is to cancel and has sent already, it says nothing about, and what it never saw it
//! calls cancelled without remembering that. And what is over its validity it does not send. So what
//! nobody knows the state of is shown once more with a validity that is long over: a phone that has it
//! says how far it is, and one that never had it says that it is too late. Neither sends it, by any
//! clock, and so nothing can leave twice (R-PHONE-3, R-DUP).

use domain::time::Timestamp;
use ports::store::phones::HandingState;

use super::pool::{Keeping, Open, Pool};

/// What an entry of the list is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shown {
    /// It is to be sent.
    Send,
    /// The phone is to say how far it is, and not to send it if it has not yet got it.
    Ask,
    /// It is not to be sent.
    Cancel,
}

impl Open {
    /// Whether the phone is told of it when it pulls, and what for.
    pub(super) fn shown(&self, now: Timestamp) -> Option<Shown> {
        let is_cancelling = self.handing.cancelling;
        match self.handing.state {
            HandingState::Offered if self.keeping != Keeping::Kept => None,
            HandingState::Offered if !is_cancelling && now < self.handing.valid_until => {
                Some(Shown::Send)
            }
            HandingState::Offered => self.listed.then_some(Shown::Ask),
            HandingState::Pending | HandingState::Processed if self.asked => Some(Shown::Ask),
            HandingState::Pending => is_cancelling.then_some(Shown::Cancel),
            HandingState::Processed
            | HandingState::Withdrawn
            | HandingState::Cancelled
            | HandingState::Sent
            | HandingState::Failed
            | HandingState::Delivered => None,
        }
    }
}

impl Pool {
    /// What this phone is shown, oldest first, at most so many; with it, that it was shown.
    pub(super) fn list(&mut self, phone: &str, most: usize, now: Timestamp) -> Vec<(&Open, Shown)> {
        let its = self.open.values_mut();
        let its = its.filter(|it| *it.handing.phone == *phone);
        let mut shown: Vec<_> = its
            .filter_map(|it| {
                let what = it.shown(now)?;
                Some((it, what))
            })
            .collect();
        shown.sort_by_key(|(it, _)| (it.handing.handed_at, it.handing.message, it.handing.attempt));
        let is_all = shown.len() <= most;
        shown.truncate(most);
        let mut ahead = 0;
        if let Some(phone) = self.phones.get_mut(phone) {
            phone.pulled(is_all, now);
            ahead = phone.clock.ahead();
        }
        let note = |(open, what): &mut (&mut Open, Shown)| {
            match what {
                Shown::Send => open.written_for(ahead),
                Shown::Ask => open.shown_late = true,
                Shown::Cancel => {}
            }
            if !open.listed {
                open.listed = true;
                open.moved_at = now;
            }
        };
        shown.iter_mut().for_each(note);
        shown.into_iter().map(|(it, what)| (&*it, what)).collect()
    }

    /// A phone is there again: what it has, it is to say how far that is.
    pub(super) fn ask_again(&mut self, phone: &str) {
        let its = self.open.values_mut();
        for open in its.filter(|it| *it.handing.phone == *phone && it.listed) {
            open.asked = true;
        }
    }
}
