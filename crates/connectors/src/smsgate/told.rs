//! What does the audit log say of a phone (R-SEC)? Who let it in, changed it or sent it away, and which
//! phone it is; never a token, a code or a key.

use domain::model::audit::{Actor, ActorKind, AuditAction, AuditEntry};
use domain::time::Timestamp;
use ports::phones::PhonePatch;

use super::config::SmsGateConfig;

/// A phone that acts by itself: its app can ask for a code for another.
pub(super) fn itself(phone: &str) -> Actor {
    Actor::new(ActorKind::Key, subject(phone))
}

/// A line of the log.
pub(super) fn line(
    config: &SmsGateConfig,
    (by, at): (Actor, Timestamp),
    action: AuditAction,
    phone: Option<&str>,
    detail: Vec<(Box<str>, Box<str>)>,
) -> AuditEntry {
    AuditEntry {
        project: config.project,
        at,
        actor: by,
        action,
        // One that was let in has no id before it comes.
        subject: phone.map_or_else(|| "phone".into(), |it| subject(it).into()),
        reason: None,
        detail,
        count: 1,
    }
}

/// That a phone, or whoever comes, is called so.
pub(super) fn named(name: &str) -> Vec<(Box<str>, Box<str>)> {
    vec![("name".into(), name.into())]
}

/// What a patch changes; a limit that follows the route's again is `route`.
pub(super) fn changes(patch: &PhonePatch) -> Vec<(Box<str>, Box<str>)> {
    let limit = |it: Option<u32>| it.map_or_else(|| "route".to_owned(), |it| it.to_string());
    let cards = |cards: &Vec<u8>| {
        let cards: Vec<_> = cards.iter().map(ToString::to_string).collect();
        cards.join(", ")
    };
    let told = [
        ("name", patch.name.as_deref().map(str::to_owned)),
        ("maySend", patch.may_send.as_ref().map(cards)),
        ("perHour", patch.per_hour.map(limit)),
        ("perDay", patch.per_day.map(limit)),
    ];
    let told = told.into_iter();
    told.filter_map(|(name, value)| Some((name.into(), value?.into())))
        .collect()
}

fn subject(phone: &str) -> String {
    format!("phone:{phone}")
}
