//! A webhook as the API shows it.

use domain::ids::MessageId;
use domain::model::event::{EventId, EventKind};
use ports::store::webhooks::{DeadLetter, Webhook, WebhookStanding};
use serde::Serialize;
use utoipa::ToSchema;

use crate::json::{Iso, Shown};
use crate::schema;

/// Where a sender's events are posted.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Webhook)]
pub(crate) struct WebhookOut<'a> {
    /// Where.
    url: &'a str,
    /// Which events.
    #[schema(value_type = Vec<String>, example = json!(["message.delivered", "message.inbound"]))]
    events: Vec<&'static str>,
    /// Whether it is served.
    active: bool,
    /// How deliveries are signed: `v1`, `v1+v2` or `v2`.
    signature_version: &'static str,
    /// What they are signed with: shown once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

impl<'a> WebhookOut<'a> {
    /// The webhook; with its secret where that was just made.
    pub(crate) fn of(webhook: &'a Webhook, is_new: bool) -> Self {
        Self {
            url: &webhook.url,
            events: webhook.events.iter().map(EventKind::code).collect(),
            active: webhook.active,
            signature_version: webhook.signature.code(),
            secret: is_new.then(|| webhook.secret.expose()),
        }
    }
}

/// A webhook, and how its deliveries go.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WebhookStanding)]
pub(super) struct StandingOut<'a> {
    /// Where.
    url: &'a str,
    /// Which events.
    #[schema(value_type = Vec<String>)]
    events: Vec<&'static str>,
    /// Whether it is served.
    active: bool,
    /// How deliveries are signed.
    signature_version: &'static str,
    /// Failures in a row; 0 while it works.
    failures: u32,
    /// Why the last delivery failed.
    last_error: Option<&'a str>,
    /// When it is tried again after failures.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_try_at: Option<Iso>,
    /// When it took an event last.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_delivered_at: Option<Iso>,
    /// Events that wait, counted up to 10,000.
    backlog: u64,
    /// Events that wait to be delivered again, counted so.
    replays: u64,
    /// Events that were given up, counted so.
    dead: u64,
    /// When it was made.
    #[schema(schema_with = schema::time)]
    created_at: Iso,
}

impl<'a> StandingOut<'a> {
    pub(super) fn of(standing: &'a WebhookStanding) -> Self {
        let webhook = &standing.webhook;
        Self {
            url: &webhook.url,
            events: webhook.events.iter().map(EventKind::code).collect(),
            active: webhook.active,
            signature_version: webhook.signature.code(),
            failures: webhook.failures,
            last_error: webhook.last_error.as_deref(),
            next_try_at: webhook.next_try_at.map(Iso),
            last_delivered_at: webhook.delivered_at.map(Iso),
            backlog: standing.backlog,
            replays: standing.replays,
            dead: standing.dead,
            created_at: Iso(webhook.created_at),
        }
    }
}

/// An event that was given up.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DeadLetter)]
pub(super) struct DeadOut {
    /// Its id: what a replay takes.
    #[schema(value_type = String, example = "evt_1736850000000_3f")]
    id: Shown<EventId>,
    /// Its type.
    r#type: &'static str,
    /// The message that it is about.
    #[schema(value_type = Option<String>)]
    message_id: Option<Shown<MessageId>>,
    /// When it happened.
    #[schema(schema_with = schema::time)]
    created_at: Iso,
    /// When it was given up.
    #[schema(schema_with = schema::time)]
    given_up_at: Iso,
    /// Why the last delivery failed.
    reason: Box<str>,
}

impl DeadOut {
    pub(super) fn of(letter: DeadLetter) -> Self {
        let record = &letter.record;
        Self {
            id: Shown(record.id()),
            r#type: record.event.kind.code(),
            message_id: record.event.message.map(Shown),
            created_at: Iso(record.event.at),
            given_up_at: Iso(letter.at),
            reason: letter.why,
        }
    }
}
