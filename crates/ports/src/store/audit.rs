//! The audit log as it is kept (R-SEC): written with the change that it tells of.

use domain::ids::{AuditId, ProjectKey};
use domain::model::audit::{AuditAction, AuditEntry};
use domain::time::Timestamp;

use super::contacts::ContactOutcome;
use super::templates::{SyncEffect, TemplateOutcome};
use super::users::UserOutcome;
use super::{Op, Outcome};

/// An operation of which the log tells. It is done as it is alone, with its outcome, and where that
/// says that something changed, the entry is kept in the same transaction.
#[derive(Debug, Clone)]
pub struct Audited {
    /// What is done; no audited operation itself.
    pub op: Op,
    /// What the log says of it. Where the subject is empty, the outcome names it.
    pub entry: AuditEntry,
}

impl Audited {
    /// What the log says after this outcome; `None` where nothing changed.
    pub fn told(&self, outcome: &Outcome) -> Option<AuditEntry> {
        let made = match outcome {
            Outcome::Done | Outcome::Webhook(_) | Outcome::Changed(_) => None,
            Outcome::User(UserOutcome::LinkUsed(user)) => Some(format!("user:{user}")),
            Outcome::Replayed { count, .. } if *count > 0 => None,
            Outcome::ConsentKept { changed, .. } if !changed.is_empty() => None,
            Outcome::Contact(ContactOutcome::Done(_) | ContactOutcome::Gone) => None,
            Outcome::Template(TemplateOutcome::Synced(SyncEffect::Unchanged, _)) => return None,
            Outcome::Template(
                TemplateOutcome::Done(template) | TemplateOutcome::Synced(_, template),
            ) => Some(format!("template:{}", template.id)),
            Outcome::Template(TemplateOutcome::Gone(id)) => Some(format!("template:{id}")),
            Outcome::Template(TemplateOutcome::NoSuchTemplate)
            | Outcome::Contact(
                ContactOutcome::NoSuchContact
                | ContactOutcome::NoSuchChannel
                | ContactOutcome::AddressTaken { .. }
                | ContactOutcome::LastAddress
                | ContactOutcome::SameContact,
            )
            | Outcome::Replayed { .. }
            | Outcome::ConsentKept { .. }
            | Outcome::Accepted { .. }
            | Outcome::AlreadyAccepted { .. }
            | Outcome::AlreadyDeposited { .. }
            | Outcome::OptedOut
            | Outcome::QuotaGone(_)
            | Outcome::PersonRefused(_)
            | Outcome::User(UserOutcome::EmailTaken | UserOutcome::LastOwner)
            | Outcome::ReceiptParked
            | Outcome::InboundKept { .. }
            | Outcome::InboundRepeated { .. }
            | Outcome::Missing
            | Outcome::Stale
            | Outcome::Fenced
            | Outcome::EventsPruned { .. } => return None,
        };
        let mut entry = self.entry.clone();
        if let Some(subject) = made.filter(|_| entry.subject.is_empty()) {
            entry.subject = subject.into();
        }
        Some(entry)
    }
}

/// A line of the log with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// Its place: ascending in the order of commit, never given twice.
    pub id: AuditId,
    /// What it says.
    pub entry: AuditEntry,
}

/// Which lines to read, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFilter {
    /// Whose.
    pub project: ProjectKey,
    /// Only of this subject.
    pub subject: Option<Box<str>>,
    /// Only of this action.
    pub action: Option<AuditAction>,
    /// Only of the actor with this name.
    pub actor: Option<Box<str>>,
    /// Only before this one.
    pub before: Option<AuditId>,
    /// At most so many.
    pub limit: u16,
}

/// Forgets what happened before a moment and is over: lines of the audit log, alerts that were
/// resolved, silences that ended; at most `limit` of each, the oldest first. Answers
/// [`Done`](Outcome::Done).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PruneHistory {
    /// What is older than this goes.
    pub before: Timestamp,
    /// At most so many of each.
    pub limit: u16,
}
