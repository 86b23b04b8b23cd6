//! R-LIFE-4: `validity` counts from the later of acceptance and `scheduledAt`. Not submitted by
//! then: `failed` with `expired`. Nothing is sent late. 48 h by default, per project and traffic
//! class, per message; ten minutes for one-time codes.

use crate::model::message::{Category, TrafficClass};
use crate::model::policy::{OTP_VALIDITY, Policy};
use crate::time::{Millis, Timestamp};

/// What the end of a message's validity hangs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ValidityFacts {
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// When it is to be sent, if not at once.
    pub scheduled_at: Option<Timestamp>,
    /// `validity` of the message; the caller has checked its range.
    pub requested: Option<Millis>,
    /// What it is for.
    pub category: Category,
    /// Direct or bulk.
    pub class: TrafficClass,
}

/// The first moment at which the message may no longer be submitted.
pub fn expires_at(facts: &ValidityFacts, policy: &Policy) -> Timestamp {
    let from = facts
        .scheduled_at
        .map_or(facts.accepted_at, |at| at.max(facts.accepted_at));
    let validity = match (facts.requested, facts.category) {
        (Some(requested), _) => requested,
        (None, Category::Otp) => OTP_VALIDITY,
        (None, Category::Transactional | Category::Promotional) => policy.validity.of(facts.class),
    };
    from.plus(validity)
}

/// Whether a message that expires at `expires_at` may no longer be submitted at `now`.
pub fn is_expired(expires_at: Timestamp, now: Timestamp) -> bool {
    now >= expires_at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::policy::ValidityPolicy;

    const MINUTE: i64 = 60_000;

    fn minutes_after_acceptance(facts: ValidityFacts) -> i64 {
        let policy = Policy {
            validity: ValidityPolicy {
                direct: Millis::hours(1),
                bulk: Millis::hours(2),
            },
            ..Policy::default()
        };
        expires_at(&facts, &policy).since(facts.accepted_at).get() / MINUTE
    }

    #[test]
    fn validity_is_the_messages_own_else_ten_minutes_for_codes_else_the_projects() {
        use Category::{Otp, Promotional, Transactional};
        use TrafficClass::{Bulk, Direct};
        for (requested, category, class, want) in [
            (None, Transactional, Direct, 60),
            (None, Transactional, Bulk, 120),
            (None, Promotional, Bulk, 120),
            (None, Otp, Direct, 10),
            (None, Otp, Bulk, 10),
            (Some(3), Otp, Direct, 3),
            (Some(3), Transactional, Bulk, 3),
            (Some(9_000), Transactional, Direct, 9_000),
        ] {
            let facts = ValidityFacts {
                accepted_at: Timestamp::from_millis(77 * MINUTE),
                scheduled_at: None,
                requested: requested.map(Millis::minutes),
                category,
                class,
            };
            assert_eq!(minutes_after_acceptance(facts), want, "{facts:?}");
        }
    }

    #[test]
    fn validity_counts_from_the_later_of_acceptance_and_schedule() {
        for (scheduled, want) in [(None, 60), (Some(-5), 60), (Some(0), 60), (Some(30), 90)] {
            let accepted_at = Timestamp::from_millis(77 * MINUTE);
            let facts = ValidityFacts {
                accepted_at,
                scheduled_at: scheduled.map(|it| accepted_at.plus(Millis::minutes(it))),
                requested: None,
                category: Category::Transactional,
                class: TrafficClass::Direct,
            };
            assert_eq!(
                minutes_after_acceptance(facts),
                want,
                "scheduled {scheduled:?}"
            );
        }
    }

    #[test]
    fn the_default_is_48_hours() {
        let facts = ValidityFacts {
            accepted_at: Timestamp::from_millis(0),
            scheduled_at: None,
            requested: None,
            category: Category::Transactional,
            class: TrafficClass::Direct,
        };
        assert_eq!(
            expires_at(&facts, &Policy::default()),
            Timestamp::from_millis(48 * 60 * MINUTE)
        );
    }

    #[test]
    fn nothing_is_sent_at_the_moment_of_expiry_or_later() {
        let end = Timestamp::from_millis(1_000);
        assert!(!is_expired(end, Timestamp::from_millis(999)));
        assert!(is_expired(end, end));
        assert!(is_expired(end, Timestamp::from_millis(1_001)));
    }
}
