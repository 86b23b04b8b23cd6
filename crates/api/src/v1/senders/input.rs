//! What a request says of a sender, checked.

use domain::ids::{ProjectKey, SenderKey};
use domain::model::sender::sender_address;
use domain::model::template::TemplateRef;
use domain::phone::PhoneNumber;
use domain::time::Millis;
use engine::Engine;
use engine::topology::Topology;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::body;
use crate::error::Problems;
use crate::v1::messages::request::{FALLBACK_AFTER, seconds};
use crate::v1::webhooks::WebhookWish;

/// Most characters of a name.
const NAME_CHARS: usize = 200;

/// A new sender.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CreateSender, example = json!({"name": "Acme support", "phoneNumber": "+40700000001"}))]
pub(crate) struct CreateIn {
    /// What people call it.
    #[schema(required = true, min_length = 1, max_length = 200)]
    pub(super) name: Option<String>,
    /// The number, short code or name that recipients see; empty where the routes fix it.
    pub(super) phone_number: Option<String>,
    /// Ids of its routes, in its order of preference. Default: those of the project's default sender,
    /// else all of the project.
    pub(super) routes: Option<Vec<String>>,
    /// The template that WhatsApp carries while its window is closed (R-WIN-2): its id, its name, or
    /// name and language as in `order_update/pt_BR`.
    #[serde(default, deserialize_with = "body::clearable")]
    #[schema(value_type = Option<String>, example = "order_update/en")]
    #[expect(
        clippy::option_option,
        reason = "absent, null and a value are three things"
    )]
    pub(super) default_template: Option<Option<String>>,
    /// Seconds without `delivered` that count as failure, where the message does not say (R-FALL-5).
    #[serde(default, deserialize_with = "body::clearable")]
    #[schema(value_type = Option<i64>, minimum = 10, maximum = 86_400)]
    #[expect(
        clippy::option_option,
        reason = "absent, null and a value are three things"
    )]
    pub(super) fallback_after: Option<Option<i64>>,
    /// Whether it becomes the project's default; the first sender always does.
    pub(super) set_as_default: Option<bool>,
    /// Where its events are posted.
    #[serde(default, deserialize_with = "body::clearable")]
    #[schema(value_type = Option<String>, max_length = 2048)]
    #[expect(
        clippy::option_option,
        reason = "absent, null and a value are three things"
    )]
    pub(super) webhook_url: Option<Option<String>>,
    /// Which events; everything but `message.status` for a new webhook.
    pub(super) webhook_events: Option<Vec<String>>,
    /// Whether the webhook is served.
    pub(super) webhook_active: Option<bool>,
    /// How deliveries are signed: `v1`, `v1+v2` or `v2`.
    pub(super) webhook_signature_version: Option<String>,
}

/// A change of a sender: what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UpdateSender)]
pub(crate) struct UpdateIn {
    /// What people call it.
    #[schema(min_length = 1, max_length = 200)]
    pub(super) name: Option<String>,
    /// The number, short code or name that recipients see.
    pub(super) phone_number: Option<String>,
    /// Ids of its routes, in its order of preference.
    pub(super) routes: Option<Vec<String>>,
    /// The template that WhatsApp carries while its window is closed (R-WIN-2): its id, its name, or
    /// name and language as in `order_update/pt_BR`; `null`: none.
    #[serde(default, deserialize_with = "body::clearable")]
    #[schema(value_type = Option<String>, example = "order_update/en")]
    #[expect(
        clippy::option_option,
        reason = "absent, null and a value are three things"
    )]
    pub(super) default_template: Option<Option<String>>,
    /// Seconds without `delivered` that count as failure, where the message does not say (R-FALL-5); `null`: none.
    #[serde(default, deserialize_with = "body::clearable")]
    #[schema(value_type = Option<i64>, minimum = 10, maximum = 86_400)]
    #[expect(
        clippy::option_option,
        reason = "absent, null and a value are three things"
    )]
    pub(super) fallback_after: Option<Option<i64>>,
    /// `true` makes it the project's default.
    pub(super) set_as_default: Option<bool>,
    /// Where its events are posted; `null` removes the webhook.
    #[serde(default, deserialize_with = "body::clearable")]
    #[schema(value_type = Option<String>, max_length = 2048)]
    #[expect(
        clippy::option_option,
        reason = "absent, null and a value are three things"
    )]
    pub(super) webhook_url: Option<Option<String>>,
    /// Which events; everything but `message.status` for a new webhook.
    pub(super) webhook_events: Option<Vec<String>>,
    /// Whether the webhook is served.
    pub(super) webhook_active: Option<bool>,
    /// How deliveries are signed: `v1`, `v1+v2` or `v2`.
    pub(super) webhook_signature_version: Option<String>,
}

/// What a request says of the webhook.
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things"
)]
fn wish<'a>(
    url: Option<Option<&'a str>>,
    events: Option<&'a [String]>,
    active: Option<bool>,
    signature: Option<&'a str>,
) -> WebhookWish<'a> {
    WebhookWish {
        prefix: "webhook",
        url,
        events: events.map(|it| it.iter().map(String::as_str).collect()),
        active,
        signature,
    }
}

impl CreateIn {
    /// What is said of the webhook.
    pub(super) fn webhook(&self) -> WebhookWish<'_> {
        wish(
            self.webhook_url.as_ref().map(Option::as_deref),
            self.webhook_events.as_deref(),
            self.webhook_active,
            self.webhook_signature_version.as_deref(),
        )
    }
}

impl UpdateIn {
    /// What is said of the webhook.
    pub(super) fn webhook(&self) -> WebhookWish<'_> {
        wish(
            self.webhook_url.as_ref().map(Option::as_deref),
            self.webhook_events.as_deref(),
            self.webhook_active,
            self.webhook_signature_version.as_deref(),
        )
    }
}

/// The name, trimmed.
pub(super) fn checked_name(name: &str, problems: &mut Problems) -> Option<String> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS || name.chars().any(char::is_control) {
        problems.add(&["name"], "must have 1 to 200 characters");
        return None;
    }
    Some(name.to_owned())
}

/// The address in its normal form. A number is one sender's, since its answers are.
pub(super) fn checked_address(
    text: &str,
    its: Option<SenderKey>,
    caller: &Caller,
    topology: &Topology,
    problems: &mut Problems,
) -> Option<String> {
    let Some(address) = sender_address(text) else {
        problems.add(
            &["phoneNumber"],
            "must be a phone number in E.164, a short code of 3 to 8 digits, or a name of up to 11 letters and digits",
        );
        return None;
    };
    let other = topology
        .senders(caller.project())
        .find(|it| *it.address == *address && Some(it.key) != its);
    if let (Some(other), Some(_)) = (other, PhoneNumber::from_canonical(&address)) {
        let other = &other.id;
        problems.add(
            &["phoneNumber"],
            format!("is the number of the sender {other}"),
        );
        return None;
    }
    Some(address)
}

/// The routes, each of the project and named once.
pub(super) fn checked_routes(
    ids: &[String],
    caller: &Caller,
    topology: &Topology,
    problems: &mut Problems,
) -> Vec<Box<str>> {
    if ids.is_empty() {
        problems.add(&["routes"], "must name at least one route");
    }
    let mut routes: Vec<Box<str>> = Vec::with_capacity(ids.len());
    for (at, id) in ids.iter().enumerate() {
        let at = at.to_string();
        if topology.route_by_id(caller.project(), id).is_none() {
            problems.add(&["routes", &at], "is not the id of a route of this project");
        } else if routes.iter().any(|it| **it == **id) {
            problems.add(&["routes", &at], "is named twice");
        } else {
            routes.push(id.as_str().into());
        }
    }
    routes
}

/// The template, or that there is to be none. A name may stand for nothing yet; an id may not.
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things"
)]
pub(super) fn checked_template(
    said: Option<&Option<String>>,
    project: ProjectKey,
    engine: &Engine,
    problems: &mut Problems,
) -> Option<Option<TemplateRef>> {
    let Some(text) = said? else {
        return Some(None);
    };
    let named = TemplateRef::parse(text);
    match &named {
        None => problems.add(
            &["defaultTemplate"],
            "must be the id of a template, its name, or name and language as in order_update/pt_BR",
        ),
        Some(TemplateRef::Id(id)) if engine.template(project, *id).is_none() => {
            problems.add(&["defaultTemplate"], "is not the id of a template");
        }
        Some(TemplateRef::Id(_) | TemplateRef::Name { .. }) => {}
    }
    Some(named)
}

/// The span, or that there is to be none.
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things"
)]
pub(super) fn checked_fallback(
    said: Option<Option<i64>>,
    problems: &mut Problems,
) -> Option<Option<Millis>> {
    said.map(|it| seconds(it, "fallbackAfter", &FALLBACK_AFTER, problems))
}
