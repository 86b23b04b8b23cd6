//! R-ALERT: alerts have hysteresis and are raised once and resolved once. One is raised after its
//! condition held for a while at the upper threshold, and resolved after it held for a while below
//! the lower one; between the two, nothing changes.

use crate::explain::amount;
use crate::model::alert::{AlertKind, AlertQuota};
use crate::model::failure::FailureClass;
use crate::model::money::{Currency, Micros};
use crate::model::quota::{Period, QuotaUnit};
use crate::model::route::RouteCondition;
use crate::time::{Millis, Timestamp};

/// When an alert of one kind is raised and resolved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Threshold {
    /// Whether there is such an alert at all.
    pub enabled: bool,
    /// At this value or more the condition holds.
    pub raise: i64,
    /// Below this value it is over.
    pub resolve: i64,
    /// How long it has to hold before it is raised.
    pub raise_after: Millis,
    /// How long it has to be over before it is resolved.
    pub resolve_after: Millis,
}

impl Threshold {
    /// The threshold of something that is or is not: 1 or more, and 0.
    const fn of_a_state(raise_after: Millis, resolve_after: Millis) -> Self {
        Self {
            enabled: true,
            raise: 1,
            resolve: 1,
            raise_after,
            resolve_after,
        }
    }

    /// The usual one of a kind.
    pub const fn usual(kind: AlertKind) -> Self {
        let soon = Millis::seconds(30);
        let minute = Millis::minutes(1);
        match kind {
            AlertKind::RouteDown => Self::of_a_state(soon, minute),
            AlertKind::FailureRate => Self {
                enabled: true,
                raise: 30,
                resolve: 15,
                raise_after: minute,
                resolve_after: Millis::minutes(5),
            },
            AlertKind::Quota80 => Self {
                enabled: true,
                raise: 80,
                resolve: 75,
                raise_after: Millis::ZERO,
                resolve_after: Millis::ZERO,
            },
            AlertKind::Quota100 => Self {
                enabled: true,
                raise: 100,
                resolve: 100,
                raise_after: Millis::ZERO,
                resolve_after: Millis::ZERO,
            },
            AlertKind::BacklogAge => Self {
                enabled: true,
                raise: 300,
                resolve: 60,
                raise_after: soon,
                resolve_after: minute,
            },
            AlertKind::ReceiptsMissing => Self {
                enabled: true,
                raise: 1_800,
                resolve: 1_800,
                raise_after: Millis::ZERO,
                resolve_after: Millis::ZERO,
            },
            AlertKind::WebhookFailing => Self {
                enabled: true,
                raise: 3,
                resolve: 1,
                raise_after: Millis::ZERO,
                resolve_after: Millis::ZERO,
            },
            AlertKind::PhoneOffline => Self::of_a_state(soon, minute),
            AlertKind::AllRoutesOut => Self::of_a_state(Millis::seconds(10), soon),
            // A campaign may take hours; one that takes longer is at risk of its validity.
            AlertKind::BulkBacklogAge => Self {
                enabled: true,
                raise: 6 * 3_600,
                resolve: 3_600,
                raise_after: soon,
                resolve_after: minute,
            },
        }
    }
}

/// When alerts are raised and resolved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AlertSettings {
    /// By kind, in the order of [`AlertKind::ALL`].
    thresholds: [Threshold; AlertKind::ALL.len()],
    /// Fewest outcomes within the window that a failure rate is told of.
    pub failure_volume: u32,
    /// Fewest messages taken since the last receipt that missing receipts are told of.
    pub receipts_volume: u32,
}

impl Default for AlertSettings {
    fn default() -> Self {
        Self {
            thresholds: AlertKind::ALL.map(Threshold::usual),
            failure_volume: 20,
            receipts_volume: 20,
        }
    }
}

impl AlertSettings {
    /// The threshold of a kind.
    pub const fn of(&self, kind: AlertKind) -> Threshold {
        self.thresholds[kind as usize]
    }

    /// With another threshold of a kind.
    #[must_use]
    pub const fn with(mut self, kind: AlertKind, threshold: Threshold) -> Self {
        self.thresholds[kind as usize] = threshold;
        self
    }
}

/// How one alert stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Not raised. Since when its condition holds, where it does.
    Quiet {
        /// Since when.
        over_since: Option<Timestamp>,
    },
    /// Raised. Since when its condition is over, where it is.
    Raised {
        /// Since when.
        under_since: Option<Timestamp>,
    },
}

impl Standing {
    /// One that nothing is known of.
    pub const QUIET: Self = Self::Quiet { over_since: None };
    /// One that was raised before.
    pub const RAISED: Self = Self::Raised { under_since: None };
}

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// Nothing.
    Stay,
    /// It is raised now.
    Raise,
    /// It is resolved now.
    Resolve,
}

/// Folds in what was seen. A value that is not there, such as the rate of a route without traffic,
/// counts as one that is over. A clock that steps back counts anew from there.
pub fn step(
    standing: Standing,
    value: Option<i64>,
    threshold: Threshold,
    now: Timestamp,
) -> (Standing, Turn) {
    let is_over = threshold.enabled && value.is_some_and(|it| it >= threshold.raise);
    let is_under = !threshold.enabled || value.is_none_or(|it| it < threshold.resolve);
    match standing {
        Standing::Quiet { .. } if !is_over => (Standing::QUIET, Turn::Stay),
        Standing::Quiet { over_since } => {
            let since = over_since.map_or(now, |it| it.min(now));
            if now.since(since) >= threshold.raise_after {
                (Standing::RAISED, Turn::Raise)
            } else {
                let over_since = Some(since);
                (Standing::Quiet { over_since }, Turn::Stay)
            }
        }
        Standing::Raised { .. } if !is_under => (Standing::RAISED, Turn::Stay),
        Standing::Raised { under_since } => {
            let since = under_since.map_or(now, |it| it.min(now));
            if now.since(since) >= threshold.resolve_after {
                (Standing::QUIET, Turn::Resolve)
            } else {
                let under_since = Some(since);
                (Standing::Raised { under_since }, Turn::Stay)
            }
        }
    }
}

/// Whether a route that is so is down by itself: what a person drained or disabled is no surprise.
pub const fn is_down(condition: RouteCondition) -> bool {
    match condition {
        RouteCondition::Down => true,
        RouteCondition::Up
        | RouteCondition::Throttled
        | RouteCondition::Drained
        | RouteCondition::Disabled => false,
    }
}

/// Whether a failure counts for the failure rate: what asked us to wait, what the person does not
/// want, and what never left tells nothing of how well messages go.
pub const fn counts(class: FailureClass) -> bool {
    match class {
        FailureClass::Throttled | FailureClass::OptedOut | FailureClass::NoRoute => false,
        FailureClass::RouteFault
        | FailureClass::AccountFault
        | FailureClass::SenderFault
        | FailureClass::RecipientAbsent
        | FailureClass::RecipientIncapable
        | FailureClass::RecipientInvalid
        | FailureClass::Undeliverable
        | FailureClass::Expired
        | FailureClass::WindowClosed
        | FailureClass::TemplateFault
        | FailureClass::ContentBlocked
        | FailureClass::InvalidRequest
        | FailureClass::UnknownOutcome => true,
    }
}

/// Percent of these outcomes that failed; `None` where they are too few to tell.
pub fn failure_rate(failed: u64, all: u64, volume: u32) -> Option<i64> {
    if all == 0 || all < u64::from(volume) {
        return None;
    }
    i64::try_from(failed.saturating_mul(100) / all).ok()
}

/// What an alert of a quota goes by: percent of it that is used, and all of it where no message fits any
/// more, however little that leaves (R-QUOTA-2).
pub fn quota_value(percent: u32, is_used_up: bool) -> i64 {
    let percent = i64::from(percent);
    if is_used_up {
        percent.max(100)
    } else {
        percent
    }
}

/// A quota and what is used of it: `16600 of 20000 messages a month`; with the percentage where the
/// alert of this kind does not begin with it.
pub fn quota_words(kind: AlertKind, quota: &AlertQuota, currency: Currency) -> String {
    let (used, limit) = match quota.unit {
        QuotaUnit::Messages => (quota.used.to_string(), format!("{} messages", quota.limit)),
        QuotaUnit::Segments => (quota.used.to_string(), format!("{} segments", quota.limit)),
        QuotaUnit::Spend => (
            amount(Micros(quota.used), currency),
            amount(Micros(quota.limit), currency),
        ),
    };
    let per = match quota.per {
        Period::Hour => "an hour",
        Period::Day => "a day",
        Period::Month => "a month",
    };
    let words = format!("{used} of {limit} {per}");
    if kind == AlertKind::Quota100 {
        format!("{words} ({} %)", quota.percent())
    } else {
        words
    }
}

/// So many seconds as people say them, in the two largest units that there are, rounded down: `45 s`,
/// `1 h 10 min`, `2 days 3 h`.
fn lasted(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let days = seconds / 86_400;
    let units = [
        (days, if days == 1 { "day" } else { "days" }),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let from = units
        .iter()
        .position(|it| it.0 > 0)
        .unwrap_or(units.len() - 1);
    let said: Vec<_> = units
        .iter()
        .skip(from)
        .take(2)
        .enumerate()
        .filter(|(place, it)| *place == 0 || it.0 > 0)
        .map(|(_, (count, unit))| format!("{count} {unit}"))
        .collect();
    said.join(" ")
}

/// What an alert says. `why` is of a quota where it is about one: which, and how much is used.
pub fn words(kind: AlertKind, subject: &str, value: i64, why: Option<&str>) -> String {
    let text = match kind {
        AlertKind::RouteDown => format!("{subject} is down"),
        AlertKind::FailureRate => format!("{value} % of what went by {subject} failed"),
        AlertKind::Quota100 if value >= 100 => format!("{subject} is out of quota"),
        AlertKind::Quota80 | AlertKind::Quota100 => {
            format!("{value} % of a quota of {subject} is used")
        }
        AlertKind::BacklogAge => {
            let late = lasted(value);
            format!("the oldest direct message that waits for {subject} is {late} late")
        }
        AlertKind::BulkBacklogAge => {
            let late = lasted(value);
            format!("the oldest bulk message that waits for {subject} is {late} late")
        }
        AlertKind::ReceiptsMissing => {
            format!("no receipt has come by {subject} for {}", lasted(value))
        }
        AlertKind::WebhookFailing => {
            format!("the webhook of {subject} failed {value} times in a row")
        }
        AlertKind::PhoneOffline => {
            format!("no phone of {subject} is there, and messages wait for one ({value})")
        }
        AlertKind::AllRoutesOut => {
            format!(
                "direct messages wait on {subject} ({value}): every gateway and platform is out"
            )
        }
    };
    match why {
        Some(why) => format!("{text}: {why}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Threshold = Threshold {
        enabled: true,
        raise: 30,
        resolve: 15,
        raise_after: Millis::seconds(10),
        resolve_after: Millis::seconds(20),
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    /// One value a second from second 0 on; the seconds in which something was to be done.
    fn turns(
        threshold: Threshold,
        values: impl IntoIterator<Item = Option<i64>>,
    ) -> Vec<(i64, Turn)> {
        let mut standing = Standing::QUIET;
        let mut seen = Vec::new();
        for (second, value) in (0..).zip(values) {
            let (next, turn) = step(standing, value, threshold, at(second));
            standing = next;
            if turn != Turn::Stay {
                seen.push((second, turn));
            }
        }
        seen
    }

    fn steady(value: i64, seconds: usize) -> Vec<Option<i64>> {
        vec![Some(value); seconds]
    }

    #[test]
    fn it_is_raised_once_after_it_held_and_resolved_once_after_it_was_over() {
        let values = [steady(30, 60), steady(14, 60)].concat();
        assert_eq!(
            turns(RATE, values),
            [(10, Turn::Raise), (80, Turn::Resolve)]
        );
    }

    #[test]
    fn a_condition_that_comes_and_goes_raises_nothing() {
        let values = std::iter::repeat_n([steady(99, 9), steady(0, 1)].concat(), 20);
        assert_eq!(turns(RATE, values.flatten()), []);
    }

    #[test]
    fn between_the_thresholds_nothing_changes() {
        // Below the upper one nothing is raised; above the lower one nothing is resolved.
        assert_eq!(turns(RATE, steady(29, 100)), []);
        let values = [steady(50, 20), steady(15, 500), steady(29, 500)].concat();
        assert_eq!(turns(RATE, values), [(10, Turn::Raise)]);
    }

    #[test]
    fn a_resolution_starts_anew_when_the_condition_is_not_over() {
        let values = [steady(50, 20), steady(0, 19), steady(20, 1), steady(0, 30)].concat();
        assert_eq!(
            turns(RATE, values),
            [(10, Turn::Raise), (60, Turn::Resolve)]
        );
    }

    #[test]
    fn a_clock_that_steps_back_holds_up_neither_turn() {
        for (standing, value, want) in [
            (Standing::QUIET, 99, Turn::Raise),
            (Standing::RAISED, 0, Turn::Resolve),
        ] {
            let (standing, _) = step(standing, Some(value), RATE, at(9_000));
            let (standing, turn) = step(standing, Some(value), RATE, at(100));
            assert_eq!(turn, Turn::Stay);
            assert_eq!(step(standing, Some(value), RATE, at(120)).1, want);
        }
    }

    #[test]
    fn what_is_not_there_is_over() {
        let values = [steady(50, 20), vec![None; 30]].concat();
        assert_eq!(
            turns(RATE, values),
            [(10, Turn::Raise), (40, Turn::Resolve)]
        );
    }

    #[test]
    fn a_kind_that_is_switched_off_raises_nothing_and_lets_go_of_what_was_raised() {
        let off = Threshold {
            enabled: false,
            ..RATE
        };
        assert_eq!(turns(off, steady(99, 100)), []);
        let (_, turn) = step(
            Standing::Raised {
                under_since: Some(at(0)),
            },
            Some(99),
            off,
            at(20),
        );
        assert_eq!(turn, Turn::Resolve);
    }

    #[test]
    fn a_state_is_raised_and_resolved_by_itself_for_every_kind() {
        for kind in AlertKind::ALL {
            let threshold = Threshold::usual(kind);
            assert!(threshold.resolve <= threshold.raise, "{kind:?}");
            let seen = turns(
                threshold,
                [steady(threshold.raise, 400), steady(0, 400)].concat(),
            );
            let what: Vec<_> = seen.iter().map(|it| it.1).collect();
            assert_eq!(what, [Turn::Raise, Turn::Resolve], "{kind:?}");
        }
    }

    #[test]
    fn a_rate_needs_its_volume() {
        assert_eq!(failure_rate(19, 19, 20), None);
        assert_eq!(failure_rate(10, 20, 20), Some(50));
        assert_eq!(failure_rate(0, 0, 0), None);
    }

    #[test]
    fn what_a_person_took_out_is_out_and_not_down() {
        use RouteCondition as C;
        for (condition, down, out) in [
            (C::Up, false, false),
            (C::Throttled, false, false),
            (C::Down, true, true),
            (C::Drained, false, true),
            (C::Disabled, false, true),
        ] {
            assert_eq!((is_down(condition), condition.is_out()), (down, out));
        }
    }

    #[test]
    fn what_leaves_no_room_for_a_message_is_all_of_a_quota() {
        for (percent, is_used_up, want) in [
            (79, false, 79),
            (79, true, 100),
            (100, true, 100),
            (120, true, 120),
        ] {
            assert_eq!(quota_value(percent, is_used_up), want);
        }
    }

    #[test]
    fn a_quota_is_named_with_its_limit_and_what_is_used_of_it() {
        let quota = |per, unit, used, limit| AlertQuota {
            per,
            unit,
            limit,
            used,
        };
        for (quota, want) in [
            (
                quota(Period::Month, QuotaUnit::Messages, 16_600, 20_000),
                "16600 of 20000 messages a month",
            ),
            (
                quota(Period::Hour, QuotaUnit::Segments, 3, 3),
                "3 of 3 segments an hour",
            ),
            (
                quota(Period::Day, QuotaUnit::Spend, 99_970_000, 100_000_000),
                "99.97 EUR of 100.00 EUR a day",
            ),
        ] {
            let words = |kind| quota_words(kind, &quota, Currency::EUR);
            assert_eq!(words(AlertKind::Quota80), want);
            let with_percent = format!("{want} ({} %)", quota.percent());
            assert_eq!(words(AlertKind::Quota100), with_percent);
        }
    }

    #[test]
    fn how_long_is_said_in_the_two_largest_units() {
        for (seconds, want) in [
            (-1, "0 s"),
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (61, "1 min 1 s"),
            (3_599, "59 min 59 s"),
            (3_600, "1 h"),
            (3_659, "1 h"),
            (4_199, "1 h 9 min"),
            (86_399, "23 h 59 min"),
            (86_400, "1 day"),
            (86_459, "1 day"),
            (183_600, "2 days 3 h"),
        ] {
            assert_eq!(lasted(seconds), want, "{seconds}");
        }
    }

    #[test]
    fn what_is_late_or_missing_says_for_how_long() {
        for (kind, want) in [
            (
                AlertKind::BacklogAge,
                "the oldest direct message that waits for route gw is 1 h 9 min late",
            ),
            (
                AlertKind::BulkBacklogAge,
                "the oldest bulk message that waits for route gw is 1 h 9 min late",
            ),
            (
                AlertKind::ReceiptsMissing,
                "no receipt has come by route gw for 1 h 9 min",
            ),
        ] {
            assert_eq!(words(kind, "route gw", 4_199, None), want);
        }
    }

    #[test]
    fn an_alert_says_what_it_is_about_and_why() {
        for kind in AlertKind::ALL {
            assert!(words(kind, "route gw", 7, None).contains("route gw"));
        }
        assert_eq!(
            words(AlertKind::RouteDown, "route gw", 1, Some("login refused")),
            "route gw is down: login refused"
        );
        // One that is raised earlier than usual does not say that all is gone.
        for (kind, value, want) in [
            (
                AlertKind::Quota80,
                83,
                "83 % of a quota of route gw is used",
            ),
            (
                AlertKind::Quota100,
                95,
                "95 % of a quota of route gw is used",
            ),
            (AlertKind::Quota100, 100, "route gw is out of quota"),
        ] {
            assert_eq!(words(kind, "route gw", value, None), want);
        }
    }
}
