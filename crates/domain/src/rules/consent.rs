//! R-CHAN-5, first sentence: consent is looked at first; an opted-out contact is
//! `403 recipient_opted_out`. R-IN-2: opting out holds for the sender, on all its channels.

use crate::model::contact::ThreadFacts;

/// Whether a sender may write to a contact at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Consent {
    /// It may.
    Given,
    /// The contact opted out of this sender.
    Withdrawn,
}

/// The consent of the contact towards the sender of this thread.
///
/// The one confirmation that follows an opt-out (R-IN-2) belongs to the inbound rule, which plans
/// it on the facts as they were before the opt-out.
pub const fn consent(thread: &ThreadFacts) -> Consent {
    if thread.opted_out {
        Consent::Withdrawn
    } else {
        Consent::Given
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_opt_out_withdraws_consent() {
        let never_wrote = ThreadFacts::default();
        assert_eq!(consent(&never_wrote), Consent::Given);
        let opted_out = ThreadFacts {
            opted_out: true,
            ..never_wrote
        };
        assert_eq!(consent(&opted_out), Consent::Withdrawn);
    }
}
