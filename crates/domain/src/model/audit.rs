//! The audit log: who changed what is configured or consented to, and what the automatics did to a
//! route, each with its reason (R-SEC, R-HEALTH).

use std::fmt;

use crate::ids::ProjectKey;
use crate::time::Timestamp;

/// What kind of actor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ActorKind {
    /// A program, by its API key.
    Key,
    /// A person who is signed in.
    User,
    /// Tandem itself: the automatics.
    System,
    /// A person at the command line of the server's machine.
    Cli,
}

impl ActorKind {
    /// Every kind, at the place that is its number; the list only ever grows at its end.
    pub const ALL: [Self; 4] = [Self::Key, Self::User, Self::System, Self::Cli];

    /// The word of the API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::User => "user",
            Self::System => "system",
            Self::Cli => "cli",
        }
    }
}

/// Who did something.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Actor {
    /// What kind.
    pub kind: ActorKind,
    /// The name of the key or of the person.
    pub name: Box<str>,
}

impl Actor {
    /// Somebody of this kind.
    pub fn new(kind: ActorKind, name: impl Into<Box<str>>) -> Self {
        Self {
            kind,
            name: name.into(),
        }
    }

    /// Tandem itself.
    pub fn system() -> Self {
        Self::new(ActorKind::System, "tandem")
    }
}

impl fmt::Display for Actor {
    /// The name alone, for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AuditAction {
    /// A person's word over a route was given or taken back, or its time ended.
    RouteControlled,
    /// The link of a route works.
    RouteUp,
    /// The link of a route was lost, or its login refused.
    RouteDown,
    /// A breaker opened: too many submissions failed, or a probe.
    BreakerOpened,
    /// A probe was taken: the breaker closed.
    BreakerClosed,
    /// A sender was made or changed.
    SenderPut,
    /// A sender was removed.
    SenderDeleted,
    /// A phone number was added or changed.
    NumberPut,
    /// A phone number was removed.
    NumberDeleted,
    /// A webhook was made or changed.
    WebhookPut,
    /// A webhook was removed.
    WebhookDeleted,
    /// A webhook got another secret.
    WebhookRotated,
    /// Events were put back to be delivered again.
    WebhookReplayed,
    /// A template was made.
    TemplateCreated,
    /// A template was removed.
    TemplateDeleted,
    /// A template was given to its provider.
    TemplateSubmitted,
    /// A template was brought in from its provider.
    TemplateSynced,
    /// A contact's consent was changed by a caller.
    ConsentChanged,
    /// Money was moved into a project's funds, or out of them.
    FundsDeposited,
    /// A user was added.
    UserCreated,
    /// A user was changed.
    UserChanged,
    /// A user was removed.
    UserDeleted,
    /// A user was given a link to choose a password with.
    PasswordLinkMade,
    /// A user has another password: they changed it, or chose it by a link.
    PasswordChanged,
    /// A contact was removed.
    ContactDeleted,
    /// Two contacts were made one.
    ContactMerged,
    /// An API key was made.
    KeyCreated,
    /// An API key was revoked.
    KeyRevoked,
    /// An alert was acknowledged.
    AlertAcknowledged,
    /// Alerts were silenced.
    AlertSilenced,
    /// A silence was ended.
    AlertUnsilenced,
    /// A permission for a team phone was made.
    PhoneInvited,
    /// A team phone came with its permission and belongs to its pool now.
    PhonePaired,
    /// A team phone was named, limited, or told which of its SIM cards send.
    PhoneChanged,
    /// A team phone was sent away.
    PhoneRevoked,
}

impl AuditAction {
    /// Every action.
    pub const ALL: [Self; 35] = [
        Self::RouteControlled,
        Self::RouteUp,
        Self::RouteDown,
        Self::BreakerOpened,
        Self::BreakerClosed,
        Self::SenderPut,
        Self::SenderDeleted,
        Self::NumberPut,
        Self::NumberDeleted,
        Self::WebhookPut,
        Self::WebhookDeleted,
        Self::WebhookRotated,
        Self::WebhookReplayed,
        Self::TemplateCreated,
        Self::TemplateDeleted,
        Self::TemplateSubmitted,
        Self::TemplateSynced,
        Self::ConsentChanged,
        Self::FundsDeposited,
        Self::UserCreated,
        Self::UserChanged,
        Self::UserDeleted,
        Self::PasswordLinkMade,
        Self::PasswordChanged,
        Self::ContactDeleted,
        Self::ContactMerged,
        Self::KeyCreated,
        Self::KeyRevoked,
        Self::AlertAcknowledged,
        Self::AlertSilenced,
        Self::AlertUnsilenced,
        Self::PhoneInvited,
        Self::PhonePaired,
        Self::PhoneChanged,
        Self::PhoneRevoked,
    ];

    /// The word of the API and of the store.
    pub const fn code(self) -> &'static str {
        match self {
            Self::RouteControlled => "route.controlled",
            Self::RouteUp => "route.up",
            Self::RouteDown => "route.down",
            Self::BreakerOpened => "route.breaker_opened",
            Self::BreakerClosed => "route.breaker_closed",
            Self::SenderPut => "sender.put",
            Self::SenderDeleted => "sender.deleted",
            Self::NumberPut => "number.put",
            Self::NumberDeleted => "number.deleted",
            Self::WebhookPut => "webhook.put",
            Self::WebhookDeleted => "webhook.deleted",
            Self::WebhookRotated => "webhook.secret_rotated",
            Self::WebhookReplayed => "webhook.replayed",
            Self::TemplateCreated => "template.created",
            Self::TemplateDeleted => "template.deleted",
            Self::TemplateSubmitted => "template.submitted",
            Self::TemplateSynced => "template.synced",
            Self::ConsentChanged => "contact.consent_changed",
            Self::FundsDeposited => "balance.deposited",
            Self::UserCreated => "user.created",
            Self::UserChanged => "user.changed",
            Self::UserDeleted => "user.deleted",
            Self::PasswordLinkMade => "user.password_link_made",
            Self::PasswordChanged => "user.password_changed",
            Self::ContactDeleted => "contact.deleted",
            Self::ContactMerged => "contact.merged",
            Self::KeyCreated => "key.created",
            Self::KeyRevoked => "key.revoked",
            Self::AlertAcknowledged => "alert.acknowledged",
            Self::AlertSilenced => "alert.silenced",
            Self::AlertUnsilenced => "alert.unsilenced",
            Self::PhoneInvited => "phone.invited",
            Self::PhonePaired => "phone.paired",
            Self::PhoneChanged => "phone.changed",
            Self::PhoneRevoked => "phone.revoked",
        }
    }

    /// The action with this [`code`](Self::code).
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}

/// One line of the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditEntry {
    /// Whose project.
    pub project: ProjectKey,
    /// When; of several, the last.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What.
    pub action: AuditAction,
    /// To what: kind and id, such as `route:gw`.
    pub subject: Box<str>,
    /// Why, in the actor's words.
    pub reason: Option<Box<str>>,
    /// More, by name; never a secret.
    pub detail: Vec<(Box<str>, Box<str>)>,
    /// How often: health that changes fast is put together in one line.
    pub count: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_and_kind_has_one_word() {
        for action in AuditAction::ALL {
            assert_eq!(AuditAction::from_code(action.code()), Some(action));
        }
        let words: std::collections::BTreeSet<_> = ActorKind::ALL.map(ActorKind::code).into();
        assert_eq!(words.len(), ActorKind::ALL.len());
    }
}
