//! Contacts: people, their addresses, and how well each channel reaches them.

mod channels;
mod consent;
mod input;
mod output;
mod people;
mod refusal;

use std::sync::Arc;

use domain::ids::ContactId;
use ports::store::contacts::{ContactChange, ContactOutcome};
use ports::store::{Op, Outcome};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::ApiState;
use crate::auth::Caller;
use crate::error::ApiError;

/// The paths of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(people::create, people::list))
        .routes(routes!(people::get, people::update, people::delete))
        .routes(routes!(people::by_phone))
        .routes(routes!(people::merge))
        .routes(routes!(channels::add))
        .routes(routes!(channels::update, channels::remove))
        .routes(routes!(channels::make_primary))
        .routes(routes!(consent::opt_out))
        .routes(routes!(consent::opt_in))
        .routes(routes!(consent::history))
}

/// The id in the path; a text that is no id names nothing.
fn contact_id(text: &str) -> Result<ContactId, ApiError> {
    text.parse().map_err(|_| ApiError::not_found("contact"))
}

/// Carries a change out.
async fn apply(
    api: &ApiState,
    caller: &Caller,
    change: ContactChange,
) -> Result<ContactOutcome, ApiError> {
    let op = Op::Contact {
        project: caller.project(),
        change: Box::new(change),
        at: api.engine.now(),
    };
    let outcome = caller.engine(api).apply(op).await?;
    let Outcome::Contact(outcome) = outcome else {
        let words = format!("a change to a contact was answered by {outcome:?}");
        return Err(ApiError::internal(&words));
    };
    Ok(outcome)
}
