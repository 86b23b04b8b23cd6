//! `/v1/senders/{id}/webhook`: where a sender's events are posted, how that goes, and events posted
//! again (R-MON-2).

mod input;
mod letter;
mod output;
mod replay;
mod signature;

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::ids::{ProjectKey, SenderKey};
use domain::model::event::EventSeq;
use domain::model::sender::Sender;
use domain::model::webhook::WebhookSecret;
use ports::store::Outcome;
use ports::store::webhooks::{Webhook, WebhookChange, WebhookSetting};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::asked::{Asked, AskedList};
use crate::auth::{Caller, Scopes};
use crate::body::clearable;
use crate::error::{ApiError, ErrorOut, FieldError, Problems};
use crate::page::{Cursor, Page, PageIn, cut};
use crate::path::InPath;
use crate::{ApiState, json};

pub use input::WebhookRules;
pub(crate) use input::{WebhookPlan, WebhookWish};
pub use letter::WebhookLetters;
pub(crate) use output::WebhookOut;
use output::{DeadOut, StandingOut};

/// Random bytes of a secret.
const SECRET_BYTES: usize = 24;

/// The paths of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(get, change))
        .routes(routes!(rotate))
        .routes(routes!(dead))
        .routes(routes!(replay::replay))
}

fn sender_of(api: &ApiState, project: ProjectKey, id: &str) -> Result<Arc<Sender>, ApiError> {
    let topology = api.engine.topology();
    let sender = topology.sender_by_id(project, id).cloned();
    sender.ok_or_else(|| ApiError::not_found("sender"))
}

fn no_webhook() -> ApiError {
    ApiError::not_found("webhook")
}

/// A webhook after a change.
pub(crate) struct ChangedWebhook {
    /// The webhook.
    pub(crate) webhook: Webhook,
    /// Whether it was made by this, and its secret is to be shown.
    pub(crate) is_new: bool,
}

/// A change of a webhook, ready for the store.
pub(crate) struct ReadyWebhook {
    /// What changes; `None` where nothing was said of it.
    pub(crate) setting: Option<WebhookSetting>,
    /// The secret that a new one gets.
    offered: WebhookSecret,
}

impl ReadyWebhook {
    /// What [`WebhookWish::check`] found, made ready.
    pub(crate) fn of(plan: WebhookPlan) -> Result<Self, ApiError> {
        let offered = new_secret()?;
        let setting = match plan {
            WebhookPlan::Keep => None,
            WebhookPlan::Clear => Some(WebhookSetting::Clear),
            WebhookPlan::Set {
                url,
                events,
                active,
                signature,
            } => Some(WebhookSetting::Set {
                url,
                events,
                active,
                signature,
                secret: offered.clone(),
            }),
        };
        Ok(Self { setting, offered })
    }

    /// The webhook after the change; none where it was cleared, or was gone before it.
    pub(crate) fn changed(&self, outcome: Outcome) -> Option<ChangedWebhook> {
        let Outcome::Webhook(webhook) = outcome else {
            return None;
        };
        Some(ChangedWebhook {
            is_new: webhook.secret == self.offered,
            webhook: *webhook,
        })
    }
}

/// Changes a webhook.
async fn apply(
    api: &ApiState,
    caller: &Caller,
    sender: SenderKey,
    setting: WebhookSetting,
) -> Result<Outcome, ApiError> {
    let at = api.engine.now();
    let change = WebhookChange {
        project: caller.project(),
        sender,
        at,
        setting,
    };
    Ok(caller.engine(api).change_webhook(change).await?)
}

fn new_secret() -> Result<WebhookSecret, ApiError> {
    let mut bytes = [0; SECRET_BYTES];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| ApiError::internal("there are no random numbers"))?;
    let mut text = "whsec_".to_owned();
    for byte in bytes {
        // Writing to a text does not fail.
        let _infallible = write!(text, "{byte:02x}");
    }
    Ok(WebhookSecret::new(text))
}

/// Shows the webhook of a sender, and how its deliveries go.
#[utoipa::path(
    get,
    path = "/v1/senders/{senderId}/webhook",
    operation_id = "getWebhook",
    tag = "webhooks",
    params(("senderId" = String, Path, description = "Id of the sender")),
    responses(
        (status = 200, description = "The webhook", body = StandingOut<'_>),
        (status = 404, description = "No such sender, or it has no webhook", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn get(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    caller.may(Scopes::READ)?;
    let sender = sender_of(&api, caller.project(), &id)?;
    let standing = api.engine.store().webhook_standing(sender.key).await?;
    let standing = standing.ok_or_else(no_webhook)?;
    Ok(json::response(StatusCode::OK, &StandingOut::of(&standing)))
}

/// What changes of a webhook; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ChangeWebhook, example = json!({"url": "https://example.com/hook", "events": ["message.inbound"]}))]
pub(crate) struct ChangeIn {
    /// Where to post; `null` removes the webhook and its secret.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, max_length = 2048)]
    #[expect(
        clippy::option_option,
        reason = "absent, null and a value are three things"
    )]
    url: Option<Option<String>>,
    /// Which events; everything but `message.status` for a new webhook.
    events: Option<Vec<String>>,
    /// Whether it is served. One that is served again gets the events from then on.
    active: Option<bool>,
    /// How to sign: `v1`, `v1+v2` or `v2`; from `v1` to `v2` by way of `v1+v2` only.
    signature_version: Option<String>,
}

/// A webhook after a change.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEnvelope)]
struct ChangedOut<'a> {
    /// The webhook; `null` where it was removed.
    webhook: Option<WebhookOut<'a>>,
    /// Fields of the request that were ignored.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<FieldError>, required = false)]
    warnings: &'a [FieldError],
}

/// Makes, changes or removes the webhook of a sender. The secret is made with the webhook and shown in
/// that one answer; it stays when the URL is changed.
#[utoipa::path(
    patch,
    path = "/v1/senders/{senderId}/webhook",
    operation_id = "changeWebhook",
    tag = "webhooks",
    params(("senderId" = String, Path, description = "Id of the sender")),
    request_body(content = ChangeIn, content_type = "application/json"),
    responses(
        (status = 200, description = "The webhook", body = ChangedOut<'_>),
        (status = 400, description = "A field is wrong", body = ErrorOut<'_>),
        (status = 404, description = "No such sender", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn change(
    InPath(id): InPath<String>,
    asked: Asked<ChangeIn>,
) -> Result<Response, ApiError> {
    let Asked { api, caller, body } = asked.by(Scopes::MANAGE)?;
    let sender = sender_of(&api, caller.project(), &id)?;
    let (input, warnings) = body.open()?;
    let wish = WebhookWish {
        prefix: "",
        url: input.url.as_ref().map(Option::as_deref),
        events: input
            .events
            .as_ref()
            .map(|it| it.iter().map(String::as_str).collect()),
        active: input.active,
        signature: input.signature_version.as_deref(),
    };
    let known = api.engine.store().webhook(sender.key).await?;
    let mut problems = Problems::default();
    let plan = wish.check(known.as_ref(), api.webhooks, &mut problems);
    problems.finish()?;
    let stays = plan == WebhookPlan::Keep;
    let ready = ReadyWebhook::of(plan)?;
    let changed = match &ready.setting {
        Some(setting) => {
            let outcome = apply(&api, &caller, sender.key, setting.clone()).await?;
            ready.changed(outcome)
        }
        None => None,
    };
    let webhook = match (&changed, &known) {
        (Some(it), _) => Some(WebhookOut::of(&it.webhook, it.is_new)),
        (None, Some(known)) if stays => Some(WebhookOut::of(known, false)),
        (None, _) => None,
    };
    let warnings = &warnings;
    Ok(json::response(
        StatusCode::OK,
        &ChangedOut { webhook, warnings },
    ))
}

/// A new secret.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookSecret)]
struct SecretOut<'a> {
    /// The secret: all of it is the key.
    #[schema(example = "whsec_5f1d…")]
    secret: &'a str,
}

/// Gives the webhook of a sender a new secret. The old one signs nothing from now on.
#[utoipa::path(
    post,
    path = "/v1/senders/{senderId}/webhook/secret",
    operation_id = "rotateWebhookSecret",
    tag = "webhooks",
    params(("senderId" = String, Path, description = "Id of the sender")),
    responses(
        (status = 200, description = "The new secret", body = SecretOut<'_>),
        (status = 400, description = "The sender has no webhook", body = ErrorOut<'_>),
        (status = 404, description = "No such sender", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn rotate(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    caller.may(Scopes::MANAGE)?;
    let sender = sender_of(&api, caller.project(), &id)?;
    let setting = WebhookSetting::Rotate(new_secret()?);
    let outcome = apply(&api, &caller, sender.key, setting).await?;
    let Outcome::Webhook(webhook) = outcome else {
        return Err(ApiError::bad_request("The sender has no webhook"));
    };
    let secret = webhook.secret.expose();
    Ok(json::response(StatusCode::OK, &SecretOut { secret }))
}

impl Cursor for EventSeq {
    fn to_cursor(&self) -> String {
        format!("e{:x}", self.0)
    }

    fn from_cursor(text: &str) -> Option<Self> {
        i64::from_str_radix(text.strip_prefix('e')?, 16)
            .ok()
            .map(Self)
    }
}

/// Lists the events that were given up after their retries, newest first. They are kept for 30 days.
#[utoipa::path(
    get,
    path = "/v1/senders/{senderId}/webhook/dead",
    operation_id = "listDeadLetters",
    tag = "webhooks",
    params(
        ("senderId" = String, Path, description = "Id of the sender"),
        PageIn,
    ),
    responses(
        (status = 200, description = "A page of events", body = Page<DeadOut>),
        (status = 400, description = "A parameter is wrong", body = ErrorOut<'_>),
        (status = 404, description = "No such sender", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn dead(
    InPath(id): InPath<String>,
    asked: AskedList,
) -> Result<Response, ApiError> {
    let (api, caller, mut params) = asked.by(Scopes::READ)?;
    let sender = sender_of(&api, caller.project(), &id)?;
    let limit = params.limit();
    let before: Option<EventSeq> = params.cursor();
    params.done()?;
    let store = api.engine.store();
    let mut letters = store.dead_letters(sender.key, before, limit + 1).await?;
    let next_cursor = cut(&mut letters, limit, |it| it.record.seq);
    let items = letters.into_iter().map(DeadOut::of).collect();
    Ok(json::response(StatusCode::OK, &Page { items, next_cursor }).into_response())
}
