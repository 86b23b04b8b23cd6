//! `GET /v1/audit`: who changed what, and what the automatics did (R-SEC, R-HEALTH).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::response::Response;
use domain::ids::AuditId;
use domain::model::audit::AuditAction;
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
    /// More, by name.
    detail: BTreeMap<&'a str, &'a str>,
    /// How often: health that changes fast is put together in one line.
    count: u32,
}

impl<'a> AuditOut<'a> {
    fn of(record: &'a AuditRecord) -> Self {
        let entry = &record.entry;
        let detail = entry.detail.iter();
        Self {
            id: Shown(record.id),
            at: Iso(entry.at),
            actor: &entry.actor.name,
            actor_kind: entry.actor.kind.code(),
            action: entry.action.code(),
            subject: &entry.subject,
            reason: entry.reason.as_deref(),
            detail: detail.map(|(name, value)| (&**name, &**value)).collect(),
            count: entry.count,
        }
    }
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
    let action = params.read("action", "is no action of the audit log", |it| {
        AuditAction::from_code(it)
    });
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
    Ok(page(&mut records, limit, |it| it.id, AuditOut::of))
}
