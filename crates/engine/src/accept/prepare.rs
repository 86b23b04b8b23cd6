//! Station 1: what do the rules make of a request? Nothing is kept yet.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use domain::model::content::Content;
use domain::model::message::{Category, Purpose};
use domain::model::progress::FallbackPolicy;
use domain::rules::class::{ClassFacts, classify};
use domain::rules::plan::Plan;
use domain::rules::validity::{ValidityFacts, expires_at};
use domain::time::{Millis, Timestamp};
use ports::store::Unavailable;
use ports::store::messages::NewMessage;

use super::thread::thread;
use crate::facts::{Known, fresh};
use crate::request::{Refused, SendRequest};
use crate::topology::Project;
use crate::{Inner, campaigns};

/// Furthest that a message can be scheduled ahead.
const MAX_SCHEDULE: Millis = Millis::days(366);

/// A message with all that the rules found, before anything is kept.
pub(super) struct Prepared {
    pub(super) message: NewMessage,
    pub(super) fallback: FallbackPolicy,
    pub(super) expires_at: Timestamp,
    pub(super) plan: Plan,
    pub(super) known: Known,
}

/// Whether the message counts for the detection of bulk traffic (R-CLASS-1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    Counted,
    Ignored,
}

pub(super) async fn prepare(
    inner: &Inner,
    request: SendRequest,
    sight: Sight,
) -> Result<Prepared, Refused> {
    let now = inner.now();
    let unknown = || Refused::Unavailable(Unavailable::new("the sender is not configured"));
    let topology = inner.topology();
    let project = topology.project(request.project).ok_or_else(unknown)?;
    let sender = Arc::clone(topology.sender(request.sender).ok_or_else(unknown)?);
    let contact = inner
        .store
        .contact_facts(request.project, request.sender, &request.to)
        .await?;
    let thread = thread(inner, &request, &contact).await?;
    let scheduled_at = request.scheduled_at.filter(|at| *at > now);
    if scheduled_at.is_some_and(|at| at.since(now) > MAX_SCHEDULE) {
        return Err(Refused::TimeOutOfRange);
    }
    let promotional = request.category == Category::Promotional;
    let (class, class_reason) = classify(&ClassFacts {
        caller: request.traffic_class,
        reply: thread.reply_to.is_some(),
        broadcast: false,
        scheduled: scheduled_at.is_some(),
        promotional,
        same_text_to_many: sight == Sight::Counted && goes_to_many(inner, &request, project, now),
    });
    let campaign = match (sight, request.campaign) {
        (Sight::Counted, Some(name)) => Some(campaigns::named(inner, request.project, name).await?),
        (Sight::Counted, None) | (Sight::Ignored, _) => None,
    };
    let message = NewMessage {
        project: request.project,
        sender: request.sender,
        to: request.to,
        content: Arc::new(request.content),
        class,
        class_reason,
        category: request.category,
        purpose: Purpose::Ordinary,
        speed: project.policy.speed_of(request.speed, request.category),
        explicit: request.explicit,
        reply_to: thread.reply_to,
        context: thread.context,
        test: request.test,
        metadata: request.metadata,
        campaign,
        scheduled_at,
        accepted_at: now,
    };
    let known = Known::of(inner, project, &sender, contact, &message.content, now);
    let plan = known.plan(&project.policy, fresh(&message));
    let fallback = FallbackPolicy {
        enabled: request
            .fallback_enabled
            .unwrap_or(request.explicit.is_none()),
        after: request.fallback_after.or(sender.fallback_after),
        untried: topology.channels_of(&sender, request.test),
    };
    let expires_at = expires_at(
        &ValidityFacts {
            accepted_at: now,
            scheduled_at,
            requested: request.validity,
            category: request.category,
            class,
        },
        &project.policy,
    );
    Ok(Prepared {
        message,
        fallback,
        expires_at,
        plan,
        known,
    })
}

/// Whether the same sender sends the same text to many (R-CLASS-1).
fn goes_to_many(inner: &Inner, request: &SendRequest, project: &Project, now: Timestamp) -> bool {
    let content = content_hash(&request.content);
    let recipient = hash_of(&request.to);
    inner
        .bulk
        .lock()
        .observe(request.sender, content, recipient, now, &project.policy)
}

fn content_hash(content: &Content) -> u64 {
    hash_of((content.kind, &content.text, &content.extra))
}

fn hash_of(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
