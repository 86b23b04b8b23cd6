//! `/v1/phone-numbers`: the numbers that a project has at its providers. They are bought there: here
//! they are noted, named and given to senders.

mod write;

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::ProjectKey;
use domain::model::sender::{Origin, Sender};
use domain::phone::PhoneNumber;
use domain::time::Timestamp;
use ports::store::senders::NumberRecord;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::asked::AskedList;
use crate::auth::{Caller, Scopes};
use crate::error::{ApiError, ErrorOut, FieldError};
use crate::json::Iso;
use crate::page::{Cursor, Page, PageIn, Params, Query, page};
use crate::path::InPath;
use crate::schema;
use crate::{ApiState, json};

/// The paths of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(list, write::add))
        .routes(routes!(available))
        .routes(routes!(requirements))
        .routes(routes!(get, write::update, write::remove))
}

/// A number of the project: noted here, or the address of a sender.
struct Owned {
    number: PhoneNumber,
    record: Option<NumberRecord>,
    sender: Option<Arc<Sender>>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Owned {
    fn id(&self) -> String {
        format!("pn_{}", self.number.digits())
    }
}

/// Every number of the project, in their order.
async fn numbers(api: &ApiState, project: ProjectKey) -> Result<Vec<Owned>, ApiError> {
    let topology = api.engine.topology();
    let senders: Vec<_> = topology.senders(project).collect();
    let sender_of = |number: &str| senders.iter().find(|it| &*it.address == number);
    let mut numbers = Vec::new();
    for record in api.engine.store().numbers(project).await? {
        let Some(number) = PhoneNumber::from_canonical(&record.number) else {
            continue;
        };
        numbers.push(Owned {
            number,
            sender: sender_of(&record.number).map(|it| Arc::clone(it)),
            created_at: record.created_at,
            updated_at: record.updated_at,
            record: Some(record),
        });
    }
    for sender in senders {
        let number = PhoneNumber::from_canonical(&sender.address);
        let Some(number) = number.filter(|it| numbers.iter().all(|known| known.number != *it))
        else {
            continue;
        };
        numbers.push(Owned {
            number,
            record: None,
            sender: Some(Arc::clone(sender)),
            created_at: sender.created_at,
            updated_at: sender.updated_at,
        });
    }
    numbers.sort_by(|a, b| a.number.as_str().cmp(b.number.as_str()));
    Ok(numbers)
}

async fn find(api: &ApiState, project: ProjectKey, id: &str) -> Result<Owned, ApiError> {
    let numbers = numbers(api, project).await?;
    let mut found = numbers.into_iter().filter(|it| it.id() == id);
    found
        .next()
        .ok_or_else(|| ApiError::not_found("phone number"))
}

/// A phone number of the project.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PhoneNumber)]
pub(crate) struct NumberOut {
    /// Its id.
    id: String,
    /// In E.164.
    phone_number: String,
    /// What it is used for, by the routes of its sender: `sms`, `whatsapp`, `mms`.
    #[schema(value_type = Vec<String>)]
    capabilities: Vec<&'static str>,
    /// Always `active`: what a provider thinks of it is not known here.
    status: &'static str,
    /// What the provider charges for it is not known here.
    pricing: Pricing,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The sender that uses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender_id: Option<String>,
    /// `file`: the address of a sender of the configuration file; else `api`.
    managed_by: &'static str,
    /// When it was added.
    #[schema(schema_with = schema::time)]
    created_at: Iso,
    /// When it was last changed.
    #[schema(schema_with = schema::time)]
    updated_at: Iso,
}

/// What a number costs: nothing here.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PhoneNumberPricing)]
struct Pricing {}

impl NumberOut {
    fn of(number: &Owned, api: &ApiState, caller: &Caller) -> Self {
        let topology = api.engine.topology();
        let test = caller.0.test;
        let sender = number.sender.as_ref();
        let channels = sender
            .map(|it| topology.channels_of(it, test))
            .unwrap_or_default();
        let mms = sender.is_some_and(|it| topology.carries_mms(it, test));
        let of_file = number
            .sender
            .as_ref()
            .is_some_and(|it| it.origin == Origin::File);
        Self {
            id: number.id(),
            phone_number: number.number.as_str().to_owned(),
            capabilities: domain::model::channel::Channel::ALL
                .into_iter()
                .filter(|it| it.is_phone_addressed() && channels.contains(*it))
                .map(domain::model::channel::Channel::code)
                .chain(mms.then_some("mms"))
                .collect(),
            status: "active",
            pricing: Pricing {},
            name: number
                .record
                .as_ref()
                .and_then(|it| it.name.as_deref())
                .map(ToOwned::to_owned),
            sender_id: number.sender.as_ref().map(|it| it.id.to_string()),
            managed_by: if of_file { "file" } else { "api" },
            created_at: Iso(number.created_at),
            updated_at: Iso(number.updated_at),
        }
    }
}

/// `{phoneNumber}`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PhoneNumberEnvelope)]
pub(crate) struct EnvelopeOut<'a> {
    /// The number.
    phone_number: NumberOut,
    /// What was ignored of the request.
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    #[schema(required = false)]
    warnings: &'a [FieldError],
}

/// The place in a list of numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place(PhoneNumber);

impl Cursor for Place {
    fn to_cursor(&self) -> String {
        format!("n{}", self.0.digits())
    }

    fn from_cursor(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('n')?;
        PhoneNumber::from_canonical(&format!("+{digits}")).map(Self)
    }
}

/// Lists the project's phone numbers.
#[utoipa::path(
    get,
    path = "/v1/phone-numbers",
    operation_id = "listPhoneNumbers",
    tag = "phone numbers",
    params(
        ("status" = Option<String>, Query, description = "active, suspended or pending: all are active here"),
        PageIn,
    ),
    responses(
        (status = 200, description = "A page of numbers", body = Page<NumberOut>),
        (status = 400, description = "A parameter is wrong", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn list(asked: AskedList) -> Result<Response, ApiError> {
    let (api, caller, mut params) = asked.by(Scopes::READ)?;
    let status = params.read(
        "status",
        "must be one of active, suspended, pending",
        |it| {
            ["active", "suspended", "pending"]
                .contains(&it)
                .then(|| it == "active")
        },
    );
    let limit = params.limit();
    let after: Option<Place> = params.cursor();
    params.done()?;
    let mut found = numbers(&api, caller.project()).await?;
    found.retain(|it| after.is_none_or(|after| it.number.as_str() > after.0.as_str()));
    found.retain(|_| status.unwrap_or(true));
    let show = |it| NumberOut::of(it, &api, &caller);
    Ok(page(&mut found, limit, |it| Place(it.number), show))
}

/// Shows one number.
#[utoipa::path(
    get,
    path = "/v1/phone-numbers/{phoneNumberId}",
    operation_id = "getPhoneNumber",
    tag = "phone numbers",
    params(("phoneNumberId" = String, Path, description = "Id of the number")),
    responses(
        (status = 200, description = "The number", body = EnvelopeOut<'_>),
        (status = 404, description = "No such number", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn get(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    caller.may(Scopes::READ)?;
    let number = find(&api, caller.project(), &id).await?;
    let phone_number = NumberOut::of(&number, &api, &caller);
    Ok(json::response(
        StatusCode::OK,
        &EnvelopeOut {
            phone_number,
            warnings: &[],
        },
    ))
}

/// A list that is always empty here.
#[derive(Serialize, ToSchema)]
#[schema(as = NothingForSale)]
pub(crate) struct NothingOut {
    /// Nothing: numbers are bought at the provider.
    #[schema(value_type = Vec<String>)]
    items: [&'static str; 0],
}

fn nothing(caller: &Caller, query: Query) -> Result<Response, ApiError> {
    caller.may(Scopes::READ)?;
    let mut params = Params::new(query)?;
    if params.get("countryCode").is_none() {
        params.wrong("countryCode", "is needed: a country's two letters");
    }
    params.done()?;
    Ok(json::response(StatusCode::OK, &NothingOut { items: [] }))
}

/// Lists numbers for sale: none, since they are bought at the provider.
#[utoipa::path(
    get,
    path = "/v1/phone-numbers/available",
    operation_id = "searchAvailablePhoneNumbers",
    tag = "phone numbers",
    params(("countryCode" = String, Query, description = "A country's two letters")),
    responses(
        (status = 200, description = "None", body = NothingOut),
        (status = 400, description = "A parameter is wrong", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn available(caller: Caller, query: Query) -> Result<Response, ApiError> {
    nothing(&caller, query)
}

/// Lists what a country asks of who wants a number: nothing that this server could know.
#[utoipa::path(
    get,
    path = "/v1/phone-numbers/requirements",
    operation_id = "listPhoneNumberRequirements",
    tag = "phone numbers",
    params(("countryCode" = String, Query, description = "A country's two letters")),
    responses(
        (status = 200, description = "None", body = NothingOut),
        (status = 400, description = "A parameter is wrong", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn requirements(caller: Caller, query: Query) -> Result<Response, ApiError> {
    nothing(&caller, query)
}
