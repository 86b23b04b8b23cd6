//! `POST /v1/senders/{id}/webhook/replay`: events are posted again, under their ids.

use axum::http::StatusCode;
use axum::response::Response;
use domain::model::event::EventId;
use ports::store::Outcome;
use ports::store::webhooks::{Replay, WebhookSetting};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{apply, no_webhook, sender_of};
use crate::asked::Asked;
use crate::auth::Scopes;
use crate::error::{ApiError, ErrorOut, FieldError, Problems};
use crate::json;
use crate::path::InPath;

/// Most events that a request names.
const NAMED_MAX: usize = 1_000;

/// Which events: one of the three.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ReplayEvents, example = json!({"since": "2026-11-22T08:00:00Z"}))]
pub(crate) struct ReplayIn {
    /// These, where they are kept: three days, or 30 where they were given up.
    #[schema(max_items = 1000)]
    event_ids: Option<Vec<String>>,
    /// Those of the types that the webhook wants, from this time on.
    #[schema(format = DateTime)]
    since: Option<String>,
    /// `true`: those that were given up.
    dead: Option<bool>,
}

/// What will be posted again.
#[derive(Serialize, ToSchema)]
#[schema(as = Replayed)]
struct ReplayedOut {
    /// How many events were put back. Those that wait for their first delivery are not among them.
    queued: u32,
    /// Whether there are more than one request puts back (10,000): ask again for the rest.
    more: bool,
    /// Fields of the request that were ignored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<FieldError>,
}

/// Posts events again to the webhook of a sender, in their order and under their ids, between the new
/// ones.
#[utoipa::path(
    post,
    path = "/v1/senders/{senderId}/webhook/replay",
    operation_id = "replayEvents",
    tag = "webhooks",
    params(("senderId" = String, Path, description = "Id of the sender")),
    request_body(content = ReplayIn, content_type = "application/json"),
    responses(
        (status = 202, description = "They are put back", body = ReplayedOut),
        (status = 400, description = "A field is wrong", body = ErrorOut<'_>),
        (status = 404, description = "No such sender, or it has no webhook", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn replay(
    InPath(id): InPath<String>,
    asked: Asked<ReplayIn>,
) -> Result<Response, ApiError> {
    let Asked { api, caller, body } = asked.by(Scopes::MANAGE)?;
    let sender = sender_of(&api, caller.project(), &id)?;
    let (input, warnings) = body.open()?;
    let mut problems = Problems::default();
    let which = input.check(&mut problems);
    problems.finish()?;
    // Safe: without any of them `problems` has said so above.
    let which = which.ok_or_else(|| ApiError::field(&[], "the request is not complete"))?;
    let setting = WebhookSetting::Replay(which);
    let outcome = apply(&api, &caller, sender.key, setting).await?;
    let Outcome::Replayed { count, more } = outcome else {
        return Err(no_webhook());
    };
    let answer = ReplayedOut {
        queued: count,
        more,
        warnings,
    };
    Ok(json::response(StatusCode::ACCEPTED, &answer))
}

impl ReplayIn {
    fn check(&self, problems: &mut Problems) -> Option<Replay> {
        let named = self.event_ids.as_deref();
        let dead = self.dead.filter(|it| *it);
        match (named, &self.since, dead) {
            (Some(ids), None, None) => Some(Replay::Events(events(ids, problems))),
            (None, Some(since), None) => {
                let at = json::timestamp(since);
                if at.is_none() {
                    problems.add(
                        &["since"],
                        "must be a time in RFC 3339, such as 2026-11-22T08:00:00Z",
                    );
                }
                at.map(Replay::Since)
            }
            (None, None, Some(_)) => Some(Replay::Dead),
            (_, _, _) => {
                problems.add(
                    &[],
                    "the request must have exactly one of `eventIds`, `since` and `dead: true`",
                );
                None
            }
        }
    }
}

fn events(ids: &[String], problems: &mut Problems) -> Vec<domain::model::event::EventSeq> {
    if ids.is_empty() || ids.len() > NAMED_MAX {
        problems.add(
            &["eventIds"],
            format!("must have 1 to {NAMED_MAX} ids of events"),
        );
        return Vec::new();
    }
    let mut seqs = Vec::with_capacity(ids.len());
    for (nth, id) in ids.iter().enumerate() {
        match id.parse::<EventId>() {
            Ok(id) => seqs.push(id.seq),
            Err(_) => problems.add(&["eventIds", &nth.to_string()], "is not the id of an event"),
        }
    }
    seqs
}
