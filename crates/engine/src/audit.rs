//! What the audit log says of an operation that somebody asked for (R-SEC).

use domain::model::alert::Silence;
use domain::model::audit::{Actor, AuditAction, AuditEntry};
use domain::model::control::ControlMode;
use ports::store::Op;
use ports::store::alerts::AlertStep;
use ports::store::audit::Audited;
use ports::store::consent::{ConsentSubject, Towards};
use ports::store::contacts::ContactChange;
use ports::store::controls::ControlChange;
use ports::store::operations::KeyChange;
use ports::store::senders::SenderChange;
use ports::store::templates::TemplateChange;
use ports::store::users::UserChange;
use ports::store::webhooks::WebhookSetting;

use domain::ids::{ProjectKey, RouteKey, SenderKey, UserId};
use domain::time::Timestamp;

use crate::Inner;
use crate::topology::Topology;

/// What an operation is, for the log.
struct Told {
    project: ProjectKey,
    action: AuditAction,
    subject: String,
    reason: Option<Box<str>>,
    detail: Vec<(Box<str>, Box<str>)>,
}

impl Told {
    fn new(project: ProjectKey, action: AuditAction, subject: String) -> Self {
        Self {
            project,
            action,
            subject,
            reason: None,
            detail: Vec::new(),
        }
    }

    /// With more, by name; what is absent is left out.
    fn with(mut self, detail: &[(&str, Option<String>)]) -> Self {
        let given = detail.iter();
        self.detail = given
            .filter_map(|(name, value)| Some(((*name).into(), value.clone()?.into())))
            .collect();
        self
    }

    /// By whom, and when.
    fn by(self, actor: Actor, at: Timestamp) -> AuditEntry {
        AuditEntry {
            project: self.project,
            at,
            actor,
            action: self.action,
            subject: self.subject.into(),
            reason: self.reason,
            detail: self.detail,
            count: 1,
        }
    }

    fn because(mut self, reason: &str) -> Self {
        self.reason = (!reason.is_empty()).then(|| reason.into());
        self
    }
}

/// The operation, with what the log is to say of it where somebody asked for it.
pub(crate) fn audited(inner: &Inner, by: Option<&Actor>, op: Op) -> Op {
    let told = by.and_then(|by| Some((by, told_of(&op, &inner.topology())?)));
    let Some((by, mut told)) = told else {
        return op;
    };
    if let Op::Control(change) = &op {
        told.detail.push(("was".into(), mode_now(inner, change)));
    }
    let entry = told.by(by.clone(), inner.now());
    Op::Audited(Box::new(Audited { op, entry }))
}

/// What the word over a route was before it is changed.
fn mode_now(inner: &Inner, change: &ControlChange) -> Box<str> {
    let (ControlChange::Set { route, .. }
    | ControlChange::Clear(route, _)
    | ControlChange::Expire(route, _)) = change;
    let control = inner.lines.get(route).and_then(|it| it.control());
    control
        .map_or("auto", |it| ControlMode::code(it.mode))
        .into()
}

/// A change of users with what the log is to say of it, for whoever has no engine: the command line.
pub fn audited_user(by: Actor, at: Timestamp, change: UserChange) -> Op {
    let told = of_user(&change);
    let op = Op::User(Box::new(change));
    match told {
        Some(told) => {
            let entry = told.by(by, at);
            Op::Audited(Box::new(Audited { op, entry }))
        }
        None => op,
    }
}

/// Of sessions and rings the log tells nothing: they change nobody's rights. What is a password is never
/// told, only that there is another.
fn of_user(change: &UserChange) -> Option<Told> {
    let subject = |id: UserId| format!("user:{id}");
    match change {
        UserChange::Create(user) => {
            let told = Told::new(user.project, AuditAction::UserCreated, subject(user.id));
            Some(told.with(&[("role", Some(user.role.code().into()))]))
        }
        UserChange::Edit(edit) => {
            let told = Told::new(edit.project, AuditAction::UserChanged, subject(edit.id));
            Some(told.with(&[
                ("name", edit.name.as_deref().map(Into::into)),
                ("role", edit.role.map(|it| it.code().into())),
                ("disabled", edit.is_disabled.map(|it| it.to_string())),
            ]))
        }
        UserChange::Delete { project, id } => {
            Some(Told::new(*project, AuditAction::UserDeleted, subject(*id)))
        }
        UserChange::Password { project, user, .. } => Some(Told::new(
            *project,
            AuditAction::PasswordChanged,
            subject(*user),
        )),
        UserChange::Link { project, user, .. } => Some(Told::new(
            *project,
            AuditAction::PasswordLinkMade,
            subject(*user),
        )),
        // The store knows whose link it is.
        UserChange::UseLink { project, .. } => Some(
            Told::new(*project, AuditAction::PasswordChanged, String::new())
                .with(&[("by", Some("link".into()))]),
        ),
        UserChange::SignIn(_)
        | UserChange::Seen { .. }
        | UserChange::SignOut { .. }
        | UserChange::PushKey(_)
        | UserChange::Subscribe(_)
        | UserChange::Unsubscribe { .. } => None,
    }
}

/// A route for the log: `route:gw`.
pub(crate) fn route_subject(id: &str) -> String {
    format!("route:{id}")
}

fn route(topology: &Topology, key: RouteKey) -> (ProjectKey, String) {
    (
        topology.project_of_route(key).unwrap_or(ProjectKey(0)),
        route_subject(topology.route_name(key).unwrap_or("a removed route")),
    )
}

fn sender(topology: &Topology, key: SenderKey) -> (ProjectKey, String) {
    let sender = topology.sender(key);
    (
        sender.map_or(ProjectKey(0), |it| it.project),
        format!("sender:{}", sender.map_or("a removed sender", |it| &it.id)),
    )
}

fn told_of(op: &Op, topology: &Topology) -> Option<Told> {
    Some(match op {
        Op::Control(change) => of_control(change, topology),
        Op::Sender(change) => of_sender(change, topology),
        Op::Webhook(change) => {
            let (_, subject) = sender(topology, change.sender);
            of_webhook(change.project, subject, &change.setting)
        }
        Op::Template {
            project, change, ..
        } => {
            let (action, subject) = match &**change {
                TemplateChange::Create(_) => (AuditAction::TemplateCreated, String::new()),
                TemplateChange::Delete(id) => {
                    (AuditAction::TemplateDeleted, format!("template:{id}"))
                }
                TemplateChange::Submitted { id, .. } => {
                    (AuditAction::TemplateSubmitted, format!("template:{id}"))
                }
                TemplateChange::Synced { .. } | TemplateChange::Updated { .. } => {
                    (AuditAction::TemplateSynced, String::new())
                }
            };
            Told::new(*project, action, subject)
        }
        Op::Consent(consent) => {
            let subject = match &consent.who {
                ConsentSubject::Contact(id) => format!("contact:{id}"),
                // No address in the log: the person is found by the change itself.
                ConsentSubject::Address(_) => "contact".to_owned(),
            };
            let senders = match &consent.towards {
                Towards::Project => "all".to_owned(),
                Towards::Senders(senders) => {
                    let known = senders.iter().filter_map(|it| topology.sender(*it));
                    let ids: Vec<_> = known.map(|it| it.id.to_string()).collect();
                    ids.join(", ")
                }
            };
            Told::new(consent.project, AuditAction::ConsentChanged, subject)
                .because(&consent.change.wording)
                .with(&[
                    ("optedOut", Some(consent.change.opted_out.to_string())),
                    ("scope", Some(consent.change.scope.code().into())),
                    ("senders", Some(senders)),
                ])
        }
        Op::Contact {
            project, change, ..
        } => match &**change {
            ContactChange::Delete { contact } => Told::new(
                *project,
                AuditAction::ContactDeleted,
                format!("contact:{contact}"),
            ),
            ContactChange::Merge { target, source } => Told::new(
                *project,
                AuditAction::ContactMerged,
                format!("contact:{target}"),
            )
            .with(&[("source", Some(source.to_string()))]),
            ContactChange::Create { .. }
            | ContactChange::Update { .. }
            | ContactChange::AddChannel { .. }
            | ContactChange::UpdateChannel { .. }
            | ContactChange::RemoveChannel { .. }
            | ContactChange::MakePrimary { .. } => return None,
        },
        Op::Key(change) => match &**change {
            KeyChange::Create(key) => Told::new(
                key.project,
                AuditAction::KeyCreated,
                format!("key:{}", key.id),
            )
            .with(&[
                ("name", Some((*key.name).into())),
                ("test", Some(key.test.to_string())),
            ]),
            KeyChange::Revoke { project, id, .. } => {
                Told::new(*project, AuditAction::KeyRevoked, format!("key:{id}"))
            }
        },
        Op::Alert(step) => return of_alert(step),
        Op::User(change) => return of_user(change),
        Op::Deposit(deposit) => Told::new(
            deposit.project,
            AuditAction::FundsDeposited,
            "balance".to_owned(),
        )
        .because(deposit.note.as_deref().unwrap_or_default())
        .with(&[("micros", Some(deposit.amount.0.to_string()))]),
        // Steps of messages, and what people and phones do with them, stand with the messages; what
        // phones' operators do, the pool itself tells of; consent that a person gave by a keyword
        // stands with the person.
        Op::Accept(_)
        | Op::Plan(_)
        | Op::Start(_)
        | Op::Release(_)
        | Op::Submitted(_)
        | Op::Receipt(_)
        | Op::Settle(_)
        | Op::Billed(_)
        | Op::Interrupted(_)
        | Op::Person(_)
        | Op::Phone(_)
        | Op::Inbound(_)
        | Op::Keyword(_)
        | Op::Prune { .. }
        | Op::MarkRead(_)
        | Op::Delivery(_)
        | Op::PruneEvents(_)
        | Op::Audited(_)
        | Op::Audit(_)
        | Op::PruneHistory(_) => return None,
    })
}

fn of_control(change: &ControlChange, topology: &Topology) -> Told {
    match change {
        ControlChange::Set {
            project,
            route: key,
            control,
        } => {
            let (_, subject) = route(topology, *key);
            let until = control.until.map(|it| it.as_millis().to_string());
            Told::new(*project, AuditAction::RouteControlled, subject)
                .because(&control.reason)
                .with(&[
                    ("mode", Some(ControlMode::code(control.mode).into())),
                    ("until", until),
                ])
        }
        ControlChange::Clear(key, reason) => of_release(topology, *key, reason.as_deref()),
        ControlChange::Expire(key, _) => of_release(topology, *key, Some("its time was over")),
    }
}

fn of_release(topology: &Topology, key: RouteKey, reason: Option<&str>) -> Told {
    let (project, subject) = route(topology, key);
    Told::new(project, AuditAction::RouteControlled, subject)
        .because(reason.unwrap_or_default())
        .with(&[("mode", Some("auto".into()))])
}

fn of_sender(change: &SenderChange, topology: &Topology) -> Told {
    match change {
        SenderChange::Put(it) => Told::new(
            it.project,
            AuditAction::SenderPut,
            format!("sender:{}", it.id),
        )
        .with(&[
            ("name", Some((*it.name).into())),
            ("address", Some((*it.address).into())),
        ]),
        SenderChange::Set(it) => {
            let known = it.record.as_ref().map(|it| format!("sender:{}", it.id));
            let subject = known.unwrap_or_else(|| sender(topology, it.sender).1);
            let record = it.record.as_ref();
            Told::new(it.project, AuditAction::SenderPut, subject).with(&[
                ("name", record.map(|it| (*it.name).into())),
                ("address", record.map(|it| (*it.address).into())),
                ("routes", record.map(|it| it.routes.join(", "))),
                ("default", it.make_default.then(|| "true".into())),
                ("webhook", it.webhook.is_some().then(|| "changed".into())),
            ])
        }
        SenderChange::Delete(key) => {
            let (project, subject) = sender(topology, *key);
            Told::new(project, AuditAction::SenderDeleted, subject)
        }
        SenderChange::PutNumber(it) => Told::new(
            it.project,
            AuditAction::NumberPut,
            format!("number:{}", it.number),
        ),
        SenderChange::DeleteNumber(project, number) => Told::new(
            *project,
            AuditAction::NumberDeleted,
            format!("number:{number}"),
        ),
    }
}

fn of_webhook(project: ProjectKey, subject: String, setting: &WebhookSetting) -> Told {
    match setting {
        WebhookSetting::Set { url, active, .. } => {
            Told::new(project, AuditAction::WebhookPut, subject).with(&[
                ("url", url.as_deref().map(Into::into)),
                ("active", active.map(|it| it.to_string())),
            ])
        }
        WebhookSetting::Clear => Told::new(project, AuditAction::WebhookDeleted, subject),
        WebhookSetting::Rotate(_) => Told::new(project, AuditAction::WebhookRotated, subject),
        WebhookSetting::Replay(_) => Told::new(project, AuditAction::WebhookReplayed, subject),
    }
}

/// Which alerts a silence is of, and until when.
fn of_silence(silence: &Silence) -> [(&'static str, Option<String>); 4] {
    let is_of_all = silence.kind.is_none() && silence.subject.is_none();
    [
        ("alerts", is_of_all.then(|| "all".to_owned())),
        ("kind", silence.kind.map(|it| it.code().into())),
        ("subject", silence.subject.as_deref().map(Into::into)),
        ("until", Some(silence.until.as_millis().to_string())),
    ]
}

fn of_alert(step: &AlertStep) -> Option<Told> {
    Some(match step {
        AlertStep::Acknowledge { project, id, .. } => Told::new(
            *project,
            AuditAction::AlertAcknowledged,
            format!("alert:{id}"),
        ),
        AlertStep::Silence(it) => Told::new(
            it.project,
            AuditAction::AlertSilenced,
            format!("silence:{:x}", it.no),
        )
        .because(&it.reason)
        .with(&of_silence(it)),
        AlertStep::Unsilence { project, no, was } => {
            let subject = format!("silence:{no:x}");
            let told = Told::new(*project, AuditAction::AlertUnsilenced, subject);
            match was {
                Some(was) => told.with(&of_silence(was)),
                None => told,
            }
        }
        AlertStep::Raise { .. }
        | AlertStep::Tell { .. }
        | AlertStep::Resolve { .. }
        | AlertStep::Outcomes { .. }
        | AlertStep::Mailed { .. } => return None,
    })
}

#[cfg(test)]
mod tests {
    use domain::model::audit::ActorKind;

    use super::*;

    #[test]
    fn what_the_command_line_does_with_users_is_told_and_a_session_is_not() {
        let at = Timestamp::from_millis(7);
        let (project, user) = (ProjectKey(1), UserId::from_key(3));
        let by = || Actor::new(ActorKind::Cli, "root");
        let link = UserChange::Link {
            project,
            user,
            hash: [9; 32],
            expires_at: at,
        };
        let Op::Audited(audited) = audited_user(by(), at, link) else {
            panic!("not told")
        };
        let entry = &audited.entry;
        assert_eq!(entry.action, AuditAction::PasswordLinkMade);
        assert_eq!((&entry.actor, entry.at), (&by(), at));
        assert_eq!(*entry.subject, *format!("user:{user}"));
        assert!(entry.detail.is_empty(), "never the link itself");
        let seen = UserChange::Unsubscribe {
            user: Some(user),
            endpoint: "https://push.example/".into(),
        };
        assert!(matches!(audited_user(by(), at, seen), Op::User(_)));
    }
}
