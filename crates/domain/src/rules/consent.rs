//! R-CHAN-5, first sentence: consent is looked at first; an opted-out contact is
//! `403 recipient_opted_out`. R-IN-2: opting out holds for the sender, on all its channels, or for
//! every sender of the project; and an opted-out contact gets nothing but the answer to a keyword.

use std::collections::BTreeSet;

use crate::ids::SenderKey;
use crate::model::consent::{ConsentChange, ConsentScope, Standing, Standings};
use crate::model::message::{Category, Purpose};

/// Whether a sender may write to a contact at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Consent {
    /// It may.
    Given,
    /// The contact opted out of this sender, or of its promotions and this is one.
    Withdrawn,
}

/// The consent of a contact that stands so towards the sender, for a message of this kind.
pub const fn consent(standing: Standing, purpose: Purpose, category: Category) -> Consent {
    let withdrawn = match (purpose, category) {
        (Purpose::KeywordAnswer, _) => false,
        (Purpose::Ordinary, Category::Promotional) => standing.opted_out || standing.no_promotions,
        (Purpose::Ordinary, Category::Transactional | Category::Otp) => standing.opted_out,
    };
    if withdrawn {
        Consent::Withdrawn
    } else {
        Consent::Given
    }
}

/// Makes a change of consent; whether it changed anything. Who is in again for everything is so for
/// promotions; who wants promotions again has not asked for the rest.
pub const fn change(standing: &mut Standing, change: &ConsentChange) -> bool {
    let before = *standing;
    if change.only_if_out && !standing.opted_out {
        return false;
    }
    match change.scope {
        ConsentScope::Everything => {
            standing.opted_out = change.opted_out;
            standing.no_promotions = standing.no_promotions && change.opted_out;
        }
        ConsentScope::Promotions => standing.no_promotions = change.opted_out,
    }
    before.opted_out != standing.opted_out || before.no_promotions != standing.no_promotions
}

impl Standing {
    /// What either of them does not want.
    const fn or(self, other: Self) -> Self {
        Self {
            opted_out: self.opted_out || other.opted_out,
            no_promotions: self.no_promotions || other.no_promotions,
        }
    }

    /// Whether anything is unwanted.
    pub const fn wants_less(self) -> bool {
        self.opted_out || self.no_promotions
    }
}

impl Standings {
    /// How the contact stands towards a sender, also one that it never heard of.
    pub fn towards(&self, sender: SenderKey) -> Standing {
        self.senders.get(&sender).copied().unwrap_or(self.project)
    }

    /// What two contacts that turn out to be one person stand for: towards each sender, what either
    /// of them did not want stays unwanted.
    #[must_use]
    pub fn stricter(&self, other: &Self) -> Self {
        let named: BTreeSet<_> = self.senders.keys().chain(other.senders.keys()).collect();
        let of = |sender: SenderKey| self.towards(sender).or(other.towards(sender));
        Self {
            project: self.project.or(other.project),
            senders: named.into_iter().map(|it| (*it, of(*it))).collect(),
        }
    }

    /// The same without the senders towards which it stands as towards the project.
    #[must_use]
    pub fn in_short(mut self) -> Self {
        let project = self.project;
        self.senders.retain(|_, it| *it != project);
        self
    }

    /// Whether anything is unwanted, of anybody.
    pub fn wants_less(&self) -> bool {
        self.project.wants_less() || self.senders.values().any(|it| it.wants_less())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_opt_out_withdraws_consent_and_never_for_the_answer_to_a_keyword() {
        use {Category as C, Purpose as P};
        for opted_out in [false, true] {
            for no_promotions in [false, true] {
                let standing = Standing {
                    opted_out,
                    no_promotions,
                };
                for category in [C::Transactional, C::Otp, C::Promotional] {
                    let promotional = category == C::Promotional;
                    let withdrawn = opted_out || no_promotions && promotional;
                    let want = if withdrawn {
                        Consent::Withdrawn
                    } else {
                        Consent::Given
                    };
                    assert_eq!(
                        consent(standing, P::Ordinary, category),
                        want,
                        "{standing:?}"
                    );
                    let answer = consent(standing, P::KeywordAnswer, category);
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
            let mut standing = Standing {
                opted_out: before.0,
                no_promotions: before.1,
            };
            let asked = ConsentChange {
                opted_out,
                scope,
                only_if_out: false,
                wording: "x".into(),
            };
            assert_eq!(change(&mut standing, &asked), before != after, "{asked:?}");
            assert_eq!(
                (standing.opted_out, standing.no_promotions),
                after,
                "{asked:?}"
            );
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
            let mut standing = Standing {
                opted_out: before.0,
                no_promotions: before.1,
            };
            let asked = ConsentChange {
                opted_out: false,
                scope: ConsentScope::Everything,
                only_if_out: true,
                wording: "yes".into(),
            };
            assert_eq!(change(&mut standing, &asked), before != after, "{before:?}");
            assert_eq!((standing.opted_out, standing.no_promotions), after);
        }
    }

    const OUT: Standing = Standing {
        opted_out: true,
        no_promotions: false,
    };
    const IN: Standing = Standing {
        opted_out: false,
        no_promotions: false,
    };

    fn standings(project: Standing, senders: &[(u32, Standing)]) -> Standings {
        let named = senders.iter().map(|it| (SenderKey(it.0), it.1));
        Standings {
            project,
            senders: named.collect(),
        }
    }

    #[test]
    fn what_was_told_to_the_project_holds_for_senders_that_were_told_nothing() {
        let one = standings(OUT, &[(1, IN)]);
        assert_eq!(one.towards(SenderKey(1)), IN);
        assert_eq!(one.towards(SenderKey(2)), OUT);
        assert_eq!(Standings::default().towards(SenderKey(2)), IN);
    }

    #[test]
    fn of_two_contacts_the_stricter_one_counts_towards_every_sender() {
        let every = |project| {
            let none = standings(project, &[]);
            let named = [IN, OUT].map(|it| standings(project, &[(1, it)]));
            [none, named[0].clone(), named[1].clone()]
        };
        for one in [IN, OUT].into_iter().flat_map(every) {
            for other in [IN, OUT].into_iter().flat_map(every) {
                let both = one.stricter(&other);
                assert_eq!(both, other.stricter(&one));
                for sender in [1, 2].map(SenderKey) {
                    let want = one.towards(sender).opted_out || other.towards(sender).opted_out;
                    assert_eq!(both.towards(sender).opted_out, want, "{one:?} {other:?}");
                    let short = both.clone().in_short();
                    assert_eq!(short.towards(sender), both.towards(sender));
                }
            }
        }
    }

    #[test]
    fn in_short_only_what_differs_is_named() {
        let long = standings(OUT, &[(1, OUT), (2, IN)]);
        assert_eq!(long.in_short(), standings(OUT, &[(2, IN)]));
        assert!(standings(IN, &[(2, OUT)]).wants_less());
        assert!(!standings(IN, &[(2, IN)]).wants_less());
    }
}
