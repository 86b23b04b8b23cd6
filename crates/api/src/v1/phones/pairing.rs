//! Adding a phone: what is typed into its app, shown once.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use qrcode::QrCode;
use qrcode::render::svg;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::pools_of;
use crate::auth::{Caller, Scopes};
use crate::body::{self, ReadBody};
use crate::error::{ApiError, ErrorOut, FieldError, Problems};
use crate::json::Iso;
use crate::schema;
use crate::{ApiState, json};

/// Most characters of a name.
pub(super) const NAME_CHARS: usize = 100;

/// A permission for one phone.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CreatePhonePairing, example = json!({"route": "phones", "name": "Front desk"}))]
pub(crate) struct PairIn {
    /// Id of the route whose pool the phone is to join; may be left out where there is one only.
    route: Option<String>,
    /// What the phone is to be called; otherwise as it calls itself.
    #[schema(max_length = 100)]
    name: Option<String>,
}

/// What is typed into the app. It is shown once and good for one phone.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PhonePairing)]
struct PairingOut {
    /// The route whose pool the phone joins.
    route_id: Box<str>,
    /// For the field *API URL*.
    api_url: Box<str>,
    /// For the field *Private Token*.
    token: Box<str>,
    /// Does the same under *By Code*.
    code: Box<str>,
    /// Until when it can be used.
    #[schema(schema_with = schema::time)]
    expires_at: Iso,
    /// URL and token, a line each, to be copied from the phone's camera.
    qr_text: String,
    /// The same as a picture: SVG.
    qr_svg: String,
}

/// The answer.
#[derive(Serialize, ToSchema)]
#[schema(as = PhonePairingEnvelope)]
struct EnvelopeOut<'a> {
    pairing: PairingOut,
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    warnings: &'a [FieldError],
}

/// Makes a permission for one phone: a token, a code that does the same, and both as a QR code.
#[utoipa::path(
    post,
    path = "/v1/phones/pairings",
    operation_id = "createPhonePairing",
    tag = "phones",
    request_body(content = PairIn, content_type = "application/json"),
    responses(
        (status = 201, description = "What is typed into the app", body = EnvelopeOut<'_>),
        (status = 400, description = "A field is wrong", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn pair(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    body: ReadBody,
) -> Result<Response, ApiError> {
    caller.may(Scopes::MANAGE)?;
    let bytes = body::bytes(body, api.limits.body_bytes)?;
    let mut warnings = Vec::new();
    let input: PairIn = body::parse(&bytes, &mut warnings)?;
    let mut problems = Problems::default();
    let name = input.name.as_deref().and_then(|it| name(it, &mut problems));
    let pools = pools_of(&api, &caller);
    let found = match input.route.as_deref() {
        Some(id) => pools.iter().find(|it| *it.0 == *id),
        None if pools.len() == 1 => pools.first(),
        None => None,
    };
    if found.is_none() {
        let ids: Vec<&str> = pools.iter().map(|it| &*it.0).collect();
        let words = match &*ids {
            [] => "no route of this project has the provider \"smsgate\"".to_owned(),
            ids => format!("must be the id of a route with phones: {}", ids.join(", ")),
        };
        problems.add(&["route"], words);
    }
    problems.finish()?;
    let found = found.and_then(|(id, it)| Some((id, it.phones()?)));
    let (route, pool) = found.ok_or_else(|| ApiError::not_found("route"))?;
    let pairing = pool.pair(name, caller.actor()).await?;
    let qr_text = format!("{}\n{}", pairing.api_url, pairing.token);
    let answer = EnvelopeOut {
        pairing: PairingOut {
            route_id: route.clone(),
            qr_svg: picture(&qr_text),
            qr_text,
            api_url: pairing.api_url,
            token: pairing.token,
            code: pairing.code,
            expires_at: Iso(pairing.expires_at),
        },
        warnings: &warnings,
    };
    Ok(json::response(StatusCode::CREATED, &answer))
}

/// A text as a QR code; empty where it is too long for one, which no URL is.
fn picture(text: &str) -> String {
    QrCode::new(text).map_or_else(
        |_| String::new(),
        |code| {
            code.render::<svg::Color<'_>>()
                .min_dimensions(240, 240)
                .build()
        },
    )
}

/// A name as it is kept.
pub(super) fn name(text: &str, problems: &mut Problems) -> Option<Box<str>> {
    let text = text.trim();
    if text.chars().count() > NAME_CHARS || text.chars().any(char::is_control) {
        problems.add(&["name"], "must have at most 100 characters");
    }
    (!text.is_empty()).then(|| text.into())
}
