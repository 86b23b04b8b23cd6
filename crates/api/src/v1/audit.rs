//! `GET /v1/audit`: who changed what, and what the automatics did (R-SEC, R-HEALTH).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::response::Response;
use domain::ids::AuditId;
use domain::model::audit::AuditAction;
use domain::model::money::{Currency, Micros};
use ports::store::audit::{AuditFilter, AuditRecord};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::asked::AskedList;
use crate::auth::Scopes;
use crate::error::{ApiError, ErrorOut};
use crate::json::{Iso, Shown};
use crate::page::{Page, PageIn, page};
use crate::v1::money::amount::Exact;
use crate::{ApiState, schema};

/// The paths of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// One line of the audit log.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditEntry)]
struct AuditOut<'a> {
    /// Its id.
    #[schema(value_type = String)]
    id: Shown<AuditId>,
    /// When; of several, the last.
    #[schema(value_type = String, format = DateTime)]
    at: Iso,
    /// Who: the name of a key or a person, or `tandem` for the automatics.
    actor: &'a str,
    /// What kind of actor: `key`, `user`, `system` or `cli`.
    actor_kind: &'static str,
    /// What was done.
    #[schema(schema_with = schema::audit_action)]
    action: &'static str,
    /// To what: kind and id.
    #[schema(example = "route:gw")]
    subject: &'a str,
    /// Why.
    reason: Option<&'a str>,
    /// More, by name: times as RFC 3339, an amount of money as decimal text with its currency.
    #[schema(value_type = BTreeMap<String, String>)]
    detail: BTreeMap<&'a str, Cow<'a, str>>,
    /// How often: health that changes fast is put together in one line.
    count: u32,
}

impl<'a> AuditOut<'a> {
    fn of(record: &'a AuditRecord, currency: Currency) -> Self {
        let entry = &record.entry;
        Self {
            id: Shown(record.id),
            at: Iso(entry.at),
            actor: &entry.actor.name,
            actor_kind: entry.actor.kind.code(),
            action: entry.action.code(),
            subject: &entry.subject,
            reason: entry.reason.as_deref(),
            detail: detail(&entry.detail, currency),
            count: entry.count,
        }
    }
}

/// The details as callers know such things from elsewhere: the log keeps times in milliseconds and money in
/// millionths.
fn detail(kept: &[(Box<str>, Box<str>)], currency: Currency) -> BTreeMap<&str, Cow<'_, str>> {
    let mut shown = BTreeMap::new();
    for (name, value) in kept {
        let number: Option<i64> = value.parse().ok();
        match (&**name, number) {
            ("until", Some(millis)) => {
                let until = jiff::Timestamp::from_millisecond(millis);
                let until = until.map_or_else(|_| value.to_string(), |it| format!("{it:.3}"));
                shown.insert("until", until.into());
            }
            ("micros", Some(micros)) => {
                shown.insert("amount", Exact(Micros(micros)).to_string().into());
                shown.insert("currency", currency.code().to_owned().into());
            }
            (name, _) => {
                shown.insert(name, (&**value).into());
            }
        }
    }
    shown
}

/// Lists what was changed and by whom, newest first: people, programs, and the health of routes.
#[utoipa::path(
    get,
    path = "/v1/audit",
    operation_id = "listAudit",
    tag = "audit",
    params(
        ("subject" = Option<String>, Query, description = "Only of this subject, such as `route:gw`"),
        ("action" = Option<String>, Query, description = "Only of this action"),
        ("actor" = Option<String>, Query, description = "Only of the actor with this name"),
        PageIn,
    ),
    responses(
        (status = 200, description = "A page of the log", body = Page<AuditOut<'_>>),
        (status = 400, description = "A parameter is wrong", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn list(asked: AskedList) -> Result<Response, ApiError> {
    let (api, caller, mut params) = asked.by(Scopes::MANAGE)?;
    let limit = params.limit();
    let before: Option<AuditId> = params.cursor();
    let known = AuditAction::ALL.map(AuditAction::code).join(", ");
    let known = format!("must be one of {known}");
    let action = params.read("action", &known, AuditAction::from_code);
    let subject = params.get("subject").map(Into::into);
    let actor = params.get("actor").map(Into::into);
    params.done()?;
    let filter = AuditFilter {
        project: caller.project(),
        subject,
        action,
        actor,
        before,
        limit: limit + 1,
    };
    let mut records = api.engine.store().audit(filter).await?;
    let currency = api.currency(caller.project());
    let show = |it| AuditOut::of(it, currency);
    Ok(page(&mut records, limit, |it| it.id, show))
}
