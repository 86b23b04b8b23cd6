//! `/v1/alerts/silences`: alerts that are not told for a while.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::model::alert::{AlertKind, Silence};
use domain::model::channel::Channel;
use domain::phone::CountryCode;
use ports::store::alerts::AlertStep;
use ports::store::{Op, Outcome};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::{Caller, Scopes};
use crate::body::{self, ReadBody, Text};
use crate::error::{ApiError, ErrorOut, FieldError, Problems};
use crate::json::Iso;
use crate::page::Page;
use crate::path::InPath;
use crate::ui::Nudge;
use crate::{ApiState, json, schema};

/// Most characters of a reason or a subject.
const WORDS_CHARS: usize = 500;
/// What is said where the reason is missing.
const NEEDED: &str = "is needed: others will want to know why";
/// The subject of alerts of the whole project.
const PROJECT: &str = "project";
/// What is said of a subject that no alert has.
const SUBJECT_WORDS: &str = "must be `project`, or `route:`, `sender:`, `channel:` or `country:` with an id behind it, such as route:gw";
/// What the id of a silence begins with.
const PREFIX: &str = "sil_";

/// What is not to be told.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SilenceAlerts, example = json!({"kind": "route_down", "subject": "route:gw",
    "until": "2030-01-31T08:00:00Z", "reason": "maintenance"}))]
struct SilenceIn<'a> {
    /// Only alerts of this kind.
    #[serde(borrow)]
    #[schema(schema_with = schema::alert_kind)]
    kind: Option<Text<'a>>,
    /// Only alerts of this subject: `project`, `route:gw`, `sender:shop`, whose webhook it is, `channel:sms`
    /// or `country:RO`.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 500)]
    subject: Option<Text<'a>>,
    /// Until when, RFC 3339.
    #[serde(borrow)]
    #[schema(value_type = String, format = DateTime, required = true)]
    until: Option<Text<'a>>,
    /// Why; others will want to know.
    #[serde(borrow)]
    #[schema(value_type = String, required = true, min_length = 1, max_length = 500)]
    reason: Option<Text<'a>>,
}

/// A silence.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Silence)]
struct SilenceOut<'a> {
    /// Its id.
    id: String,
    /// Of which kind; `null` is every kind.
    #[schema(required = true)]
    kind: Option<&'static str>,
    /// Of which subject; `null` is every one.
    #[schema(required = true)]
    subject: Option<&'a str>,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    until: Iso,
    /// Why.
    reason: &'a str,
    /// Who said so.
    by: &'a str,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    created_at: Iso,
    /// Fields of the request that were ignored, and a subject that is not configured.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<FieldError>)]
    warnings: &'a [FieldError],
}

impl<'a> SilenceOut<'a> {
    fn of(silence: &'a Silence, warnings: &'a [FieldError]) -> Self {
        Self {
            id: format!("{PREFIX}{:x}", silence.no),
            kind: silence.kind.map(AlertKind::code),
            subject: silence.subject.as_deref(),
            until: Iso(silence.until),
            reason: &silence.reason,
            by: &silence.by.name,
            created_at: Iso(silence.created_at),
            warnings,
        }
    }
}

/// Silences alerts until a time. They are raised and resolved as ever and stand in the list, but nobody
/// is told; what is still raised when the silence ends is told then.
#[utoipa::path(
    post,
    path = "/v1/alerts/silences",
    operation_id = "silenceAlerts",
    tag = "alerts",
    request_body(content = SilenceIn<'_>, content_type = "application/json"),
    responses(
        (status = 201, description = "The silence", body = SilenceOut<'_>),
        (status = 400, description = "A field is wrong", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn create(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    body: ReadBody,
) -> Result<Response, ApiError> {
    caller.may(Scopes::MANAGE)?;
    let bytes = body::bytes(body, api.limits.body_bytes)?;
    let mut warnings = Vec::new();
    let input: SilenceIn<'_> = body::parse(&bytes, &mut warnings)?;
    let silence = read(&api, &caller, &input)?;
    if let Some(words) = silence
        .subject
        .as_deref()
        .and_then(|it| nobody(&api, &caller, it))
    {
        warnings.push(FieldError::new(&["subject"], words));
    }
    let step = AlertStep::Silence(silence.clone());
    let op = Op::Alert(Box::new(step));
    caller.engine(&api).apply(op).await?;
    api.ui.tell(caller.project(), Nudge::Alerts);
    let answer = SilenceOut::of(&silence, &warnings);
    Ok(json::response(StatusCode::CREATED, &answer))
}

fn read(api: &ApiState, caller: &Caller, input: &SilenceIn<'_>) -> Result<Silence, ApiError> {
    let now = api.engine.now();
    let mut problems = Problems::default();
    let kind = input.kind.as_ref().and_then(|it| {
        let kind = AlertKind::from_code(it.as_str());
        if kind.is_none() {
            let known = AlertKind::ALL.map(AlertKind::code).join(", ");
            problems.add(&["kind"], format!("must be one of {known}"));
        }
        kind
    });
    let mut words = |name: &'static str, text: Option<&Text<'_>>| -> Option<Box<str>> {
        let text = text
            .map(|it| it.as_str().trim())
            .filter(|it| !it.is_empty())?;
        if text.chars().count() > WORDS_CHARS || text.chars().any(char::is_control) {
            problems.add(&[name], "must have at most 500 characters, on one line");
        }
        Some(text.into())
    };
    let subject = words("subject", input.subject.as_ref());
    let reason = words("reason", input.reason.as_ref());
    if reason.is_none() {
        problems.add(&["reason"], NEEDED);
    }
    if subject.as_deref().is_some_and(|it| !may_match(it)) {
        problems.add(&["subject"], SUBJECT_WORDS);
    }
    let until = input.until.as_ref().map_or("", Text::as_str);
    let until = json::timestamp(until).filter(|it| *it > now);
    if until.is_none() {
        problems.add(
            &["until"],
            "must be a time in the future, such as 2030-01-31T08:00:00Z",
        );
    }
    problems.finish()?;
    Ok(Silence {
        // Half of a random number: positive, and nobody else's.
        no: i64::try_from(api.engine.fresh_number() >> 1).unwrap_or(i64::MAX),
        project: caller.project(),
        kind,
        subject,
        until: until.unwrap_or(now),
        reason: reason.unwrap_or_default(),
        by: caller.actor(),
        created_at: now,
    })
}

/// Whether there could be alerts of this subject.
fn may_match(subject: &str) -> bool {
    let Some((family, id)) = subject.split_once(':') else {
        return subject == PROJECT;
    };
    match family {
        "route" | "sender" => !id.is_empty(),
        "channel" => Channel::from_code(id).is_some(),
        // As alerts write it.
        "country" => CountryCode::parse(id).is_some_and(|it| it.as_str() == id),
        _ => false,
    }
}

/// What is said where there are no alerts of this subject for now, since nothing of this id is in use.
fn nobody(api: &ApiState, caller: &Caller, subject: &str) -> Option<String> {
    let topology = api.engine.topology();
    let project = caller.project();
    let (family, id) = subject.split_once(':')?;
    let is_known = match family {
        "route" => topology.route_by_id(project, id).is_some(),
        "sender" => topology.sender_by_id(project, id).is_some(),
        _ => true,
    };
    (!is_known)
        .then(|| format!("no {family} of this id is in use; until one is, this silences nothing"))
}

/// Lists the silences that hold now.
#[utoipa::path(
    get,
    path = "/v1/alerts/silences",
    operation_id = "listSilences",
    tag = "alerts",
    responses((status = 200, description = "All of them; one page", body = Page<SilenceOut<'_>>)),
)]
pub(crate) async fn list(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
) -> Result<Response, ApiError> {
    caller.may(Scopes::READ)?;
    let silences = api.engine.store().silences(api.engine.now()).await?;
    let own = silences.iter().filter(|it| it.project == caller.project());
    let items = own.map(|it| SilenceOut::of(it, &[])).collect();
    let next_cursor = None;
    Ok(json::response(StatusCode::OK, &Page { items, next_cursor }))
}

/// Ends a silence.
#[utoipa::path(
    delete,
    path = "/v1/alerts/silences/{silenceId}",
    operation_id = "endSilence",
    tag = "alerts",
    params(("silenceId" = String, Path, description = "Id of the silence")),
    responses(
        (status = 204, description = "It is over"),
        (status = 404, description = "No such silence", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn delete(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    caller.may(Scopes::MANAGE)?;
    let nothing = || ApiError::not_found("silence");
    let digits = id.strip_prefix(PREFIX).ok_or_else(nothing)?;
    let no = i64::from_str_radix(digits, 16).map_err(|_| nothing())?;
    let silences = api.engine.store().silences(api.engine.now()).await?;
    let is_it = |it: &Silence| it.no == no && it.project == caller.project();
    let step = AlertStep::Unsilence {
        project: caller.project(),
        no,
        was: silences.into_iter().find(is_it).map(Box::new),
    };
    let op = Op::Alert(Box::new(step));
    if let Outcome::Missing = caller.engine(&api).apply(op).await? {
        return Err(nothing());
    }
    api.ui.tell(caller.project(), Nudge::Alerts);
    Ok(StatusCode::NO_CONTENT.into_response())
}
