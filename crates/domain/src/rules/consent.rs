//! R-CHAN-5, first sentence: consent is looked at first; an opted-out contact is
//! `403 recipient_opted_out`. R-IN-2: opting out holds for the sender, on all its channels, and an
//! opted-out contact gets nothing but the answer to a keyword.

use crate::model::consent::{ConsentChange, ConsentScope};
use crate::model::contact::ThreadFacts;
use crate::model::message::{Category, Purpose};

/// Whether a sender may write to a contact at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Consent {
    /// It may.
    Given,
    /// The contact opted out of this sender, or of its promotions and this is one.
    Withdrawn,
}

/// The consent of the contact towards the sender of this thread, for a message of this kind.
pub const fn consent(thread: &ThreadFacts, purpose: Purpose, category: Category) -> Consent {
    let withdrawn = match (purpose, category) {
        (Purpose::KeywordAnswer, _) => false,
        (Purpose::Ordinary, Category::Promotional) => thread.opted_out || thread.no_promotions,
        (Purpose::Ordinary, Category::Transactional | Category::Otp) => thread.opted_out,
    };
    if withdrawn {
        Consent::Withdrawn
    } else {
        Consent::Given
    }
}

/// Makes a change of consent; whether it changed anything. Who is in again for everything is so for
/// promotions; who wants promotions again has not asked for the rest.
pub const fn change(thread: &mut ThreadFacts, change: &ConsentChange) -> bool {
    let before = (thread.opted_out, thread.no_promotions);
    if change.only_if_out && !thread.opted_out {
        return false;
    }
    match change.scope {
        ConsentScope::Everything => {
            thread.opted_out = change.opted_out;
            thread.no_promotions = thread.no_promotions && change.opted_out;
        }
        ConsentScope::Promotions => thread.no_promotions = change.opted_out,
    }
    before.0 != thread.opted_out || before.1 != thread.no_promotions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_opt_out_withdraws_consent_and_never_for_the_answer_to_a_keyword() {
        use {Category as C, Purpose as P};
        for opted_out in [false, true] {
            for no_promotions in [false, true] {
                let thread = ThreadFacts {
                    opted_out,
                    no_promotions,
                    ..ThreadFacts::default()
                };
                for category in [C::Transactional, C::Otp, C::Promotional] {
                    let promotional = category == C::Promotional;
                    let withdrawn = opted_out || no_promotions && promotional;
                    let want = if withdrawn {
                        Consent::Withdrawn
                    } else {
                        Consent::Given
                    };
                    assert_eq!(consent(&thread, P::Ordinary, category), want, "{thread:?}");
                    let answer = consent(&thread, P::KeywordAnswer, category);
                    assert_eq!(answer, Consent::Given);
                }
            }
        }
    }

    #[test]
    fn a_change_is_made_from_every_state_and_says_whether_it_changed_anything() {
        use ConsentScope::{Everything, Promotions};
        // (opted out, no promotions) before; the change; after.
        for (before, opted_out, scope, after) in [
            ((false, false), true, Everything, (true, false)),
            ((false, true), true, Everything, (true, true)),
            ((true, false), true, Everything, (true, false)),
            ((true, true), true, Everything, (true, true)),
            ((false, false), false, Everything, (false, false)),
            ((false, true), false, Everything, (false, false)),
            ((true, false), false, Everything, (false, false)),
            ((true, true), false, Everything, (false, false)),
            ((false, false), true, Promotions, (false, true)),
            ((true, false), true, Promotions, (true, true)),
            ((false, true), true, Promotions, (false, true)),
            ((false, true), false, Promotions, (false, false)),
            ((true, true), false, Promotions, (true, false)),
            ((true, false), false, Promotions, (true, false)),
        ] {
            let mut thread = ThreadFacts {
                opted_out: before.0,
                no_promotions: before.1,
                ..ThreadFacts::default()
            };
            let asked = ConsentChange {
                opted_out,
                scope,
                only_if_out: false,
                wording: "x".into(),
            };
            assert_eq!(change(&mut thread, &asked), before != after, "{asked:?}");
            assert_eq!((thread.opted_out, thread.no_promotions), after, "{asked:?}");
        }
    }

    #[test]
    fn an_everyday_word_means_something_only_to_who_is_out_of_everything() {
        for (before, after) in [
            ((false, false), (false, false)),
            ((false, true), (false, true)),
            ((true, false), (false, false)),
            ((true, true), (false, false)),
        ] {
            let mut thread = ThreadFacts {
                opted_out: before.0,
                no_promotions: before.1,
                ..ThreadFacts::default()
            };
            let asked = ConsentChange {
                opted_out: false,
                scope: ConsentScope::Everything,
                only_if_out: true,
                wording: "yes".into(),
            };
            assert_eq!(change(&mut thread, &asked), before != after, "{before:?}");
            assert_eq!((thread.opted_out, thread.no_promotions), after);
        }
    }
}
