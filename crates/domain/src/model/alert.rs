//! Alerts: what an operator is told of, once when it begins and once when it ends (R-ALERT).

use serde::{Deserialize, Serialize};

use crate::ids::{AlertId, ProjectKey};
use crate::model::audit::Actor;
use crate::model::quota::{Period, QuotaUnit};
use crate::rules::quota::percent;
use crate::time::Timestamp;

/// What an alert is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// A route takes nothing, and no person said so.
    RouteDown,
    /// Percent of what went by a route or channel, or to a country, that failed.
    FailureRate,
    /// Percent of one quota that is used: most of it.
    Quota80,
    /// Percent of one quota that is used: all of it, or so much that no message fits any more, which
    /// is 100 too.
    Quota100,
    /// Seconds that the oldest direct message for a route waits.
    BacklogAge,
    /// Seconds without any receipt, while a route takes messages.
    ReceiptsMissing,
    /// Failures of a webhook in a row.
    WebhookFailing,
    /// Messages that wait for phones of which none is there.
    PhoneOffline,
    /// Direct messages that wait because every gateway and platform is out (R-QUOTA-3).
    AllRoutesOut,
    /// Seconds that the oldest bulk message for a route waits.
    BulkBacklogAge,
}

impl AlertKind {
    /// Every kind, at the place that is its number; the list only ever grows at its end.
    pub const ALL: [Self; 10] = [
        Self::RouteDown,
        Self::FailureRate,
        Self::Quota80,
        Self::Quota100,
        Self::BacklogAge,
        Self::ReceiptsMissing,
        Self::WebhookFailing,
        Self::PhoneOffline,
        Self::AllRoutesOut,
        Self::BulkBacklogAge,
    ];

    /// The word of the API and of the configuration.
    pub const fn code(self) -> &'static str {
        match self {
            Self::RouteDown => "route_down",
            Self::FailureRate => "failure_rate",
            Self::Quota80 => "quota_80",
            Self::Quota100 => "quota_100",
            Self::BacklogAge => "backlog_age",
            Self::ReceiptsMissing => "receipts_missing",
            Self::WebhookFailing => "webhook_failing",
            Self::PhoneOffline => "phone_offline",
            Self::AllRoutesOut => "all_routes_out",
            Self::BulkBacklogAge => "bulk_backlog_age",
        }
    }

    /// How soon somebody should look.
    pub const fn severity(self) -> Severity {
        match self {
            Self::RouteDown
            | Self::Quota100
            | Self::BacklogAge
            | Self::PhoneOffline
            | Self::AllRoutesOut => Severity::Urgent,
            Self::FailureRate
            | Self::Quota80
            | Self::ReceiptsMissing
            | Self::WebhookFailing
            | Self::BulkBacklogAge => Severity::Warning,
        }
    }

    /// The kind with this [`code`](Self::code).
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}

/// How soon somebody should look at an alert.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Severity {
    /// Messages stand still, or a route is lost to them.
    Urgent,
    /// It may become that, or costs something.
    Warning,
}

impl Severity {
    /// Each of them.
    pub const ALL: [Self; 2] = [Self::Urgent, Self::Warning];

    /// The word of the API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::Warning => "warning",
        }
    }
}

/// Which quota of its subject an alert is about. Each quota has alerts of its own: a route or a project
/// may have several.
pub type QuotaName = (Period, QuotaUnit);

/// A quota that an alert is about, as it stood when the alert was raised.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct AlertQuota {
    /// How long it counts.
    pub per: Period,
    /// What it counts.
    pub unit: QuotaUnit,
    /// The most that may be used: a count, or micro-units.
    pub limit: i64,
    /// What was used of it.
    pub used: i64,
}

impl AlertQuota {
    /// Which of the subject's quotas it is.
    pub const fn name(&self) -> QuotaName {
        (self.per, self.unit)
    }

    /// What was used, in percent, rounded down.
    pub fn percent(&self) -> u32 {
        percent(self.used, self.limit)
    }
}

/// An alert that was raised, and perhaps resolved since.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// Whose project.
    pub project: ProjectKey,
    /// What it is about.
    pub kind: AlertKind,
    /// Which one: kind and id, such as `route:gw`.
    pub subject: Box<str>,
    /// Which quota of it, where it is about one; alerts raised before quotas were told apart have none.
    pub quota: Option<AlertQuota>,
    /// What it was when it was raised; the unit is the kind's.
    pub value: i64,
    /// The same in words.
    pub words: Box<str>,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// When it was resolved.
    pub resolved_at: Option<Timestamp>,
    /// Whether it was told; one that was silenced is not.
    pub told: bool,
    /// Who has seen it, and when.
    pub acknowledged: Option<(Actor, Timestamp)>,
}

/// What the event of an alert tells.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AlertNews {
    /// Which.
    pub alert: AlertId,
    /// What it is about.
    pub kind: AlertKind,
    /// Which one.
    pub subject: Box<str>,
    /// Which quota of it, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<AlertQuota>,
    /// What it was when it was raised.
    pub value: i64,
    /// The same in words.
    pub words: Box<str>,
    /// When it was raised.
    pub raised_at: Timestamp,
}

impl Alert {
    /// What its events tell.
    pub fn news(&self) -> AlertNews {
        AlertNews {
            alert: self.id,
            kind: self.kind,
            subject: self.subject.clone(),
            quota: self.quota,
            value: self.value,
            words: self.words.clone(),
            raised_at: self.raised_at,
        }
    }
}

/// Alerts that are not told for a while.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Silence {
    /// Its number, given by the store.
    pub no: i64,
    /// Whose.
    pub project: ProjectKey,
    /// Of which kind; `None` is every kind.
    pub kind: Option<AlertKind>,
    /// Of which one; `None` is every one.
    pub subject: Option<Box<str>>,
    /// Until when.
    pub until: Timestamp,
    /// Why.
    pub reason: Box<str>,
    /// Who said so.
    pub by: Actor,
    /// When.
    pub created_at: Timestamp,
}

impl Silence {
    /// Whether it covers an alert now.
    pub fn covers(
        &self,
        project: ProjectKey,
        kind: AlertKind,
        subject: &str,
        now: Timestamp,
    ) -> bool {
        self.project == project
            && now < self.until
            && self.kind.is_none_or(|it| it == kind)
            && self.subject.as_deref().is_none_or(|it| it == subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::audit::ActorKind;

    #[test]
    fn every_kind_has_one_word() {
        for kind in AlertKind::ALL {
            assert_eq!(AlertKind::from_code(kind.code()), Some(kind));
            assert_eq!(AlertKind::ALL[kind as usize], kind);
        }
    }

    #[test]
    fn a_silence_covers_what_it_names_until_its_time() {
        let (mine, now) = (ProjectKey(1), Timestamp::from_millis(9));
        let silence = |kind, subject: Option<&str>| Silence {
            no: 1,
            project: mine,
            kind,
            subject: subject.map(Into::into),
            until: Timestamp::from_millis(10),
            reason: "".into(),
            by: Actor::new(ActorKind::Key, "app"),
            created_at: now,
        };
        let down = AlertKind::RouteDown;
        for (kind, subject, want) in [
            (None, None, true),
            (Some(down), None, true),
            (Some(down), Some("route:gw"), true),
            (None, Some("route:other"), false),
            (Some(AlertKind::BacklogAge), None, false),
        ] {
            let silence = silence(kind, subject);
            assert_eq!(silence.covers(mine, down, "route:gw", now), want);
            assert!(!silence.covers(mine, down, "route:gw", silence.until));
            assert!(!silence.covers(ProjectKey(2), down, "route:gw", now));
        }
    }
}
