//! `/ui/v1/waiting`: messages that wait for somebody's phone, and what a person does with one
//! (R-PHONE-2). What a page shows is asked anew whenever the stream says that it changed.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use domain::ids::{MessageId, UserId};
use domain::model::channel::Channel;
use domain::model::message::Status;
use domain::model::progress::{Claim, Waiting};
use domain::rules::person::PersonRefusal;
use engine::people::{Act, Listed, Offered, PersonError};
use futures_util::{StreamExt, stream};
use ports::store::operations::Changed;
use ports::store::users::UserRecord;
use serde::Serialize;
use serde_json::json;
use tokio::time::Instant;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::nudges::Heard;
use super::session::Person;
use crate::error::{ApiError, ErrorCode, ErrorOut};
use crate::json::{Iso, Shown};
use crate::lasting::Lasting;
use crate::path::InPath;
use crate::v1::events::BUFFERING;
use crate::{ApiState, json};

/// How often a stream says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a stream lasts at most; the page comes again by itself.
const LIFE: Duration = Duration::from_hours(1);

/// When a page comes again after its stream ended.
const COME_AGAIN: Duration = Duration::from_secs(1);

/// The paths of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(follow))
        .routes(routes!(claim))
        .routes(routes!(sent))
        .routes(routes!(release))
}

/// Who has a message.
#[derive(Serialize, ToSchema)]
#[schema(as = WaitingClaim)]
struct ClaimOut {
    /// Their id.
    #[schema(value_type = String)]
    id: Shown<UserId>,
    /// Their name.
    name: String,
    /// Until when: then it waits for anybody again.
    #[schema(value_type = String, format = DateTime)]
    until: Iso,
}

/// A message that waits for somebody's phone.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WaitingMessage)]
struct WaitingOut {
    #[schema(value_type = String, example = "msg_0sa7yzjpg0001")]
    id: Shown<MessageId>,
    /// The recipient's number.
    to: String,
    /// What the contact is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_name: Option<String>,
    /// What is to be sent, as a text message.
    text: String,
    /// Which sender it is from; the recipient sees the person's own number.
    sender_name: String,
    #[schema(value_type = String, format = DateTime)]
    accepted_at: Iso,
    /// When it is too late.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Iso,
    /// Who has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    claimed_by: Option<ClaimOut>,
}

/// Everything that waits, oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = WaitingMessages)]
struct ListOut {
    items: Vec<WaitingOut>,
    /// Whether more waits than is listed.
    more: bool,
}

/// Until when one has a message.
#[derive(Serialize, ToSchema)]
#[schema(as = WaitingClaimTerm)]
struct TermOut {
    #[schema(value_type = String, format = DateTime)]
    until: Iso,
}

/// A message that one has.
#[derive(Serialize, ToSchema)]
#[schema(as = ClaimedMessage)]
struct ClaimedOut {
    item: WaitingOut,
    claim: TermOut,
}

/// Lists the messages that wait for a person, and those that somebody has.
#[utoipa::path(
    get,
    path = "/ui/v1/waiting",
    operation_id = "uiListWaiting",
    tag = "pages",
    security(("session" = [])),
    responses((status = 200, description = "Oldest first: all that one has oneself, and of the rest so many that it is at most 200", body = ListOut)),
)]
pub(crate) async fn list(
    State(api): State<Arc<ApiState>>,
    person: Person,
) -> Result<Response, ApiError> {
    let user = &person.user;
    let Listed { offered, more } = api.engine.offered_to(user.project, user.id).await?;
    let mut names = Names::default();
    let mut items = Vec::with_capacity(offered.len());
    for it in &offered {
        items.push(names.show(&api, it).await?);
    }
    Ok(json::response(StatusCode::OK, &ListOut { items, more }))
}

/// Tells whenever the list may have changed, as server-sent events named `changed`; and what else a
/// colleague changed that no event of `/v1/events` says: `conversations` for what is unread, `alerts` for
/// what was acknowledged or silenced.
#[utoipa::path(
    get,
    path = "/ui/v1/waiting/events",
    operation_id = "uiFollowWaiting",
    tag = "pages",
    security(("session" = [])),
    responses((status = 200, description = "The stream", content_type = "text/event-stream", body = String)),
)]
pub(crate) async fn follow(
    State(api): State<Arc<ApiState>>,
    person: Person,
    headers: HeaderMap,
) -> Response {
    let nudges = api.ui.nudges.listen(person.user.project);
    let offers = api.engine.watch_offers();
    let ends = Instant::now() + LIFE;
    let lasting = Lasting::of_session(&api, &headers);
    let start = (api, offers, nudges, lasting);
    // Proxies pass the answer's head on with its first bytes: so the page knows that it stands.
    let opening = Event::default().retry(COME_AGAIN).comment("open");
    let changes = stream::unfold(
        start,
        move |(api, mut offers, mut nudges, mut lasting)| async move {
            let name = loop {
                let look_at = lasting.look_at();
                let name = tokio::select! {
                    changed = offers.changed() => changed.map(|()| Some("changed")).ok()?,
                    heard = nudges.next() => match heard {
                        Heard::Nudge(nudge) => Some(nudge.event()),
                        // The page comes again, and asks for everything.
                        Heard::Missed | Heard::Over => return None,
                    },
                    () = api.closing.cancelled() => return None,
                    () = tokio::time::sleep_until(ends) => return None,
                    () = tokio::time::sleep_until(look_at) => None,
                };
                // Also where the store cannot say so: the page comes again.
                if !lasting.stands(&api).await.unwrap_or(false) {
                    return None;
                }
                if let Some(name) = name {
                    break name;
                }
            };
            let event = Event::default().event(name).data("{}");
            Some((Ok::<_, Infallible>(event), (api, offers, nudges, lasting)))
        },
    );
    let events = stream::once(async { Ok(opening) }).chain(changes);
    let alive = KeepAlive::new().interval(HEARTBEAT);
    let mut response = Sse::new(events).keep_alive(alive).into_response();
    response
        .headers_mut()
        .insert(BUFFERING, HeaderValue::from_static("no"));
    response
}

/// Takes a message, so that nobody else sends it for ten minutes; again, to keep it for longer.
#[utoipa::path(
    post,
    path = "/ui/v1/waiting/{id}/claim",
    operation_id = "uiClaimWaiting",
    tag = "pages",
    security(("session" = [])),
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 200, description = "It is one's own", body = ClaimedOut),
        (status = 403, description = "Its recipient has opted out", body = ErrorOut<'_>),
        (status = 404, description = "No such message", body = ErrorOut<'_>),
        (status = 409, description = "Somebody has it, or it waits no more", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn claim(
    State(api): State<Arc<ApiState>>,
    person: Person,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    let changed = act(&api, &person, &id, Act::Take).await?;
    // Read by its id: the list may be too short for it.
    let message = api.engine.store().outbound(changed.message).await?;
    let claim = claim_of(changed.waiting);
    let (message, claim) = message.zip(claim).ok_or_else(gone)?;
    let mine = Offered {
        message,
        claim: Some(claim),
    };
    let claimed = ClaimedOut {
        item: Names::default().show(&api, &mine).await?,
        claim: TermOut {
            until: Iso(claim.until),
        },
    };
    Ok(json::response(StatusCode::OK, &claimed))
}

/// Says that one has sent a message from one's own phone: it is `sent`, by the route `phone:NAME`.
#[utoipa::path(
    post,
    path = "/ui/v1/waiting/{id}/sent",
    operation_id = "uiSentWaiting",
    tag = "pages",
    security(("session" = [])),
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 204, description = "It is noted"),
        (status = 404, description = "No such message", body = ErrorOut<'_>),
        (status = 409, description = "It is not one's own any more", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn sent(
    State(api): State<Arc<ApiState>>,
    person: Person,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    let name = route_name(&person.user);
    act(&api, &person, &id, Act::Sent { name: &name }).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Gives a message back: it waits for anybody, or goes by itself where a route can take it.
#[utoipa::path(
    post,
    path = "/ui/v1/waiting/{id}/release",
    operation_id = "uiReleaseWaiting",
    tag = "pages",
    security(("session" = [])),
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 204, description = "It is given back"),
        (status = 404, description = "No such message", body = ErrorOut<'_>),
        (status = 409, description = "It is not one's own any more", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn release(
    State(api): State<Arc<ApiState>>,
    person: Person,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    act(&api, &person, &id, Act::GiveBack).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Who has what waits so.
const fn claim_of(waiting: Waiting) -> Option<Claim> {
    match waiting {
        Waiting::Person(claim) => Some(claim),
        Waiting::Schedule { .. } | Waiting::Lane(_) | Waiting::Fallback { .. } | Waiting::No => {
            None
        }
    }
}

/// Does it, and gives what changed; refusals in words.
async fn act(
    api: &ApiState,
    person: &Person,
    id: &str,
    what: Act<'_>,
) -> Result<Changed, ApiError> {
    let id: MessageId = id.parse().map_err(|_| ApiError::not_found("message"))?;
    let user = &person.user;
    match api.engine.person(user.project, id, user.id, what).await {
        Ok(changed) => Ok(changed),
        Err(PersonError::Missing) => Err(ApiError::not_found("message")),
        Err(PersonError::OptedOut) => Err(ApiError::new(
            StatusCode::FORBIDDEN,
            ErrorCode::RecipientOptedOut,
            "The recipient has opted out: do not send it",
        )),
        Err(PersonError::Refused(PersonRefusal::Taken(claim))) => Err(taken(api, claim).await?),
        Err(PersonError::Refused(PersonRefusal::NotWaiting)) => Err(gone()),
        Err(PersonError::Refused(PersonRefusal::NotTheirs)) => Err(not_theirs(api, id).await?),
        Err(PersonError::Unavailable(error)) => Err(error.into()),
    }
}

async fn taken(api: &ApiState, claim: Claim) -> Result<ApiError, ApiError> {
    let name = Names::default().of(api, claim.person).await?;
    let words = format!("{name} has it now");
    let by = json!({ "id": claim.person.to_string(), "name": name });
    let error = ApiError::new(StatusCode::CONFLICT, ErrorCode::Claimed, words);
    Ok(error.detail("by", by))
}

/// It is somebody else's, or has gone, or has failed in their hands: then with what ended it.
async fn not_theirs(api: &ApiState, id: MessageId) -> Result<ApiError, ApiError> {
    let message = api.engine.store().outbound(id).await?;
    let ended = message.filter(|it| it.progress.status == Status::Failed);
    let failure = ended.and_then(|it| it.progress.failure);
    let words = failure.map_or_else(
        || "You do not have this message any more".to_owned(),
        |it| format!("The message has failed meanwhile: {}", it.text),
    );
    Ok(ApiError::new(
        StatusCode::CONFLICT,
        ErrorCode::Conflict,
        words,
    ))
}

fn gone() -> ApiError {
    ApiError::new(
        StatusCode::CONFLICT,
        ErrorCode::Conflict,
        "The message does not wait any more: a route has it, or it has ended",
    )
}

/// What the route of a person's phone is called by: the part of their address that people know.
fn route_name(user: &UserRecord) -> String {
    let (name, _) = user.email.split_once('@').unwrap_or((&user.email, ""));
    name.to_owned()
}

/// What users are called, each asked for once.
#[derive(Default)]
struct Names(HashMap<UserId, String>);

impl Names {
    async fn of(&mut self, api: &ApiState, user: UserId) -> Result<String, ApiError> {
        if let Some(name) = self.0.get(&user) {
            return Ok(name.clone());
        }
        let found = api.engine.store().user(user).await?;
        let name = found.map_or_else(|| "Somebody".to_owned(), |it| it.name.into());
        self.0.insert(user, name.clone());
        Ok(name)
    }

    async fn show(&mut self, api: &ApiState, offered: &Offered) -> Result<WaitingOut, ApiError> {
        let Offered { message, claim } = offered;
        let written = &message.message;
        let contact = api
            .engine
            .store()
            .contact(written.project, message.contact)
            .await?;
        let topology = api.engine.topology();
        let sender = topology.sender(written.sender);
        let to = message.facts.address_on(Channel::Sms, &written.to);
        Ok(WaitingOut {
            id: Shown(message.id),
            to: to.unwrap_or(&written.to).to_string(),
            contact_name: contact.and_then(|it| it.display_name).map(Into::into),
            text: written
                .content
                .plain_text_on(Channel::Sms)
                .unwrap_or_default()
                .to_owned(),
            sender_name: sender.map(|it| it.name.to_string()).unwrap_or_default(),
            accepted_at: Iso(written.accepted_at),
            expires_at: Iso(message.progress.expires_at),
            claimed_by: match claim {
                Some(claim) => Some(ClaimOut {
                    id: Shown(claim.person),
                    name: self.of(api, claim.person).await?,
                    until: Iso(claim.until),
                }),
                None => None,
            },
        })
    }
}
