//! `/v1/introspect`: what is known of an address before anything is sent to it. Only what this server
//! can know: the numbering plans, its own routes, and what it learnt of the person. No network and no
//! provider is asked.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use domain::model::address::{Address, AddressError, EmailAddress};
use domain::model::channel::Channel;
use domain::model::contact::ContactFacts;
use domain::phone::{LineKind, PhoneNumber};
use domain::rules::route::serves;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::asked::Asked;
use crate::auth::{Caller, Scopes};
use crate::error::{ApiError, ErrorOut, FieldError};
use crate::{ApiState, json};

/// Most e-mail addresses of one request.
const EMAILS: usize = 100;
/// Mailboxes that are an office, not a person.
const ROLES: [&str; 12] = [
    "abuse",
    "admin",
    "billing",
    "contact",
    "help",
    "info",
    "no-reply",
    "noreply",
    "office",
    "postmaster",
    "sales",
    "support",
];

/// The paths of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(phone))
        .routes(routes!(email))
}

/// Which number to look at.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = IntrospectPhone, example = json!({"phoneNumber": "+40712345678"}))]
pub(crate) struct PhoneIn {
    /// In E.164.
    #[schema(required = true)]
    phone_number: Option<String>,
}

/// What is known of a number.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PhoneIntrospection)]
pub(crate) struct PhoneOut {
    /// In E.164; as it was given, where it is none.
    phone_number: String,
    /// The country that it belongs to; empty where it tells none.
    country_code: String,
    /// Whether the numbering plan of its country has such numbers.
    valid_number: bool,
    /// As people write it in its country.
    #[serde(skip_serializing_if = "Option::is_none")]
    national_format: Option<String>,
    /// `mobile`, `landline`, `voip`, `toll_free` or `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    line_type: Option<&'static str>,
    /// On which channels the project's default sender could reach it now.
    #[schema(value_type = Vec<String>)]
    available_channels: Vec<&'static str>,
    /// What was ignored of the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<FieldError>,
}

/// Tells what is known of a phone number. Nothing is sent and nobody is asked.
#[utoipa::path(
    post,
    path = "/v1/introspect/phone",
    operation_id = "introspectPhone",
    tag = "introspect",
    request_body(content = PhoneIn, content_type = "application/json"),
    responses(
        (status = 200, description = "What is known of it", body = PhoneOut),
        (status = 400, description = "The number is missing", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn phone(asked: Asked<PhoneIn>) -> Result<Response, ApiError> {
    let Asked { api, caller, body } = asked.by(Scopes::READ)?;
    let (input, warnings) = body.open()?;
    let text = input
        .phone_number
        .ok_or_else(|| ApiError::field(&["phoneNumber"], "is needed: a phone number in E.164"))?;
    let answer = match PhoneNumber::parse(&text) {
        Err(_) => PhoneOut {
            phone_number: text,
            country_code: String::new(),
            valid_number: false,
            national_format: None,
            line_type: None,
            available_channels: Vec::new(),
            warnings,
        },
        Ok(number) => PhoneOut {
            warnings,
            ..known_of(&api, &caller, number).await?
        },
    };
    Ok(json::response(StatusCode::OK, &answer))
}

async fn known_of(
    api: &ApiState,
    caller: &Caller,
    number: PhoneNumber,
) -> Result<PhoneOut, ApiError> {
    let topology = api.engine.topology();
    let to = Address::Phone(number);
    let mut available = Vec::new();
    if let Some(sender) = topology.default_sender(caller.project()) {
        let store = api.engine.store();
        let contact = store
            .contact_facts(caller.project(), sender.key, &to)
            .await?;
        let now = api.engine.now();
        let capable = |contact: &ContactFacts, channel| {
            let until = contact.on(channel).incapable_until;
            until.is_none_or(|until| until <= now)
        };
        let channels = topology.channels_of(sender, caller.0.test);
        available = Channel::ALL
            .into_iter()
            .filter(|it| channels.contains(*it) && capable(&contact, *it))
            .filter(|it| contact.address_on(*it, &to).is_some())
            .filter(|it| {
                let mut routes = topology.routes_of(sender);
                routes.any(|route| route.channel == *it && serves(&route.destinations, &to))
            })
            .map(Channel::code)
            .collect();
    }
    Ok(PhoneOut {
        phone_number: number.as_str().to_owned(),
        country_code: number
            .country()
            .map(|it| it.as_str().to_owned())
            .unwrap_or_default(),
        valid_number: number.is_valid(),
        national_format: number.national_format(),
        line_type: Some(match number.line_kind() {
            LineKind::Mobile => "mobile",
            LineKind::Landline => "landline",
            LineKind::Voip => "voip",
            LineKind::TollFree => "toll_free",
            LineKind::Unknown => "unknown",
        }),
        available_channels: available,
        warnings: Vec::new(),
    })
}

/// Which e-mail addresses to look at: one, or a list.
#[derive(Deserialize, ToSchema)]
#[schema(as = IntrospectEmail, example = json!({"email": "ana@example.com"}))]
pub(crate) struct EmailIn {
    /// One address.
    email: Option<String>,
    /// Up to 100 addresses.
    #[schema(max_items = 100)]
    emails: Option<Vec<String>>,
}

/// What is known of e-mail addresses.
#[derive(Serialize, ToSchema)]
#[schema(as = EmailIntrospection)]
pub(crate) struct EmailsOut {
    /// In the order of the request.
    results: Vec<EmailOut>,
    /// How many of each.
    summary: Summary,
    /// What was ignored of the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<FieldError>,
}

/// What is known of an e-mail address.
#[derive(Serialize, ToSchema)]
#[schema(as = EmailIntrospectionResult)]
struct EmailOut {
    /// As it was given.
    email: String,
    /// In its normal form; `null` where it is none.
    normalized: Option<String>,
    /// What stands behind the at sign.
    domain: Option<String>,
    /// `deliverable`: nothing speaks against it by its form, which is all that is looked at; `risky`;
    /// or `undeliverable`.
    verdict: &'static str,
    /// What speaks against it: `invalid_syntax`, `non_ascii_local_part` (more than ASCII before the at
    /// sign, which Tandem cannot send to) or `role_address`.
    #[schema(value_type = Vec<String>)]
    reasons: Vec<&'static str>,
}

/// How many addresses got which verdict.
#[derive(Serialize, ToSchema)]
#[schema(as = EmailIntrospectionSummary)]
struct Summary {
    /// All of them.
    total: usize,
    /// Nothing speaks against.
    deliverable: usize,
    /// Something does.
    risky: usize,
    /// No e-mail address.
    undeliverable: usize,
}

/// Tells what the form of e-mail addresses says. No mail server is asked.
#[utoipa::path(
    post,
    path = "/v1/introspect/email",
    operation_id = "introspectEmail",
    tag = "introspect",
    request_body(content = EmailIn, content_type = "application/json"),
    responses(
        (status = 200, description = "What is known of each", body = EmailsOut),
        (status = 400, description = "None, or too many addresses", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn email(asked: Asked<EmailIn>) -> Result<Response, ApiError> {
    let (input, warnings) = asked.by(Scopes::READ)?.body.open()?;
    if input.email.is_none() && input.emails.is_none() {
        let what = "is needed: an e-mail address, or several in emails";
        return Err(ApiError::field(&["email"], what));
    }
    let mut emails = input.emails.unwrap_or_default();
    if emails.len() > EMAILS {
        return Err(ApiError::field(
            &["emails"],
            "must have at most 100 entries",
        ));
    }
    emails.extend(input.email);
    let results: Vec<EmailOut> = emails.into_iter().map(judged).collect();
    let count = |verdict| results.iter().filter(|it| it.verdict == verdict).count();
    let summary = Summary {
        total: results.len(),
        deliverable: count("deliverable"),
        risky: count("risky"),
        undeliverable: count("undeliverable"),
    };
    let answer = EmailsOut {
        results,
        summary,
        warnings,
    };
    Ok(json::response(StatusCode::OK, &answer))
}

fn judged(email: String) -> EmailOut {
    let address = match EmailAddress::parse(&email) {
        Ok(address) => address,
        Err(error) => {
            let reason = match error {
                AddressError::EmailBeyondAscii => "non_ascii_local_part",
                AddressError::Email | AddressError::WhatsAppUser | AddressError::Telegram => {
                    "invalid_syntax"
                }
            };
            return EmailOut {
                email,
                normalized: None,
                domain: None,
                verdict: "undeliverable",
                reasons: vec![reason],
            };
        }
    };
    let (local, domain) = address.as_str().split_once('@').unwrap_or_default();
    let is_role = ROLES.contains(&&*local.to_ascii_lowercase());
    EmailOut {
        normalized: Some(address.as_str().to_owned()),
        domain: Some(domain.to_owned()),
        verdict: if is_role { "risky" } else { "deliverable" },
        reasons: if is_role {
            vec!["role_address"]
        } else {
            Vec::new()
        },
        email,
    }
}
