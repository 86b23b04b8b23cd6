//! How a refusal looks on the wire: `{code, message, details}` at the root, from a closed list of
//! codes, naming the field wherever one is to blame (R-API-3).

use std::borrow::Cow;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ports::provider::ProviderError;
use ports::store::Unavailable;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::json;

/// Overrules what the official clients would do by status alone: they retry every 409 and 429.
pub(crate) const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// What went wrong, for programs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// 400: a field of the request is wrong; `details.errors` names it.
    InvalidRequest,
    /// 400: the body is not JSON; `details` has line and column.
    InvalidJson,
    /// 400: the request is well formed but does not fit the state of things.
    BadRequest,
    /// 400: WhatsApp was asked for, its window is closed and there is no template (R-WIN-1).
    WhatsappWindowClosed,
    /// 400: WhatsApp was asked for, and its provider has not approved the template (R-WIN-1).
    TemplateNotApproved,
    /// 401: no key, or one that is not known.
    Unauthorized,
    /// 403: the key may not do this.
    Forbidden,
    /// 403: the recipient does not want messages from this sender (R-CHAN-5).
    RecipientOptedOut,
    /// 404: there is no such thing, or no such path.
    NotFound,
    /// 405: the path exists, with another method.
    MethodNotAllowed,
    /// 409: the idempotency key was used before (R-LIFE-3), or it cannot be so beside what is.
    Conflict,
    /// 409: somebody else has the message (R-PHONE-2); `details.by` says who.
    Claimed,
    /// 409: no channel can carry the message (R-CHAN-5); `details.channels` has each reason.
    NoChannel,
    /// 413: the body is larger than allowed.
    PayloadTooLarge,
    /// 429: the key's requests of this minute are used up (R-API-5).
    RateLimited,
    /// 429: the backlog is at its bound; soon there is room again.
    BacklogFull,
    /// 500: a fault of the server.
    InternalError,
    /// 503: the store cannot be reached; nothing was changed.
    Unavailable,
    /// 502: the provider could not be reached, or refused; `details` has its code and words.
    ProviderError,
}

/// One wrong field.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct FieldError {
    /// The way to the field: names, and indexes in lists.
    #[schema(example = json!(["to"]))]
    pub path: Vec<String>,
    /// What is wrong with it.
    #[schema(example = "must be a phone number in E.164, such as +40712345678")]
    pub message: String,
}

impl FieldError {
    /// A wrong field at this path.
    pub(crate) fn new(path: &[&str], message: impl Into<String>) -> Self {
        Self {
            path: path.iter().map(|it| (*it).to_owned()).collect(),
            message: message.into(),
        }
    }

    /// The field and what is wrong with it; what concerns the request as a whole has no field.
    fn sentence(&self) -> String {
        if self.path.is_empty() {
            self.message.clone()
        } else {
            format!("`{}`: {}", self.path.join("."), self.message)
        }
    }
}

/// What was found wrong with a request so far, so that one answer names all of it.
#[derive(Default)]
pub(crate) struct Problems(Vec<FieldError>);

impl Problems {
    /// Notes a wrong field.
    pub(crate) fn add(&mut self, path: &[&str], message: impl Into<String>) {
        self.0.push(FieldError::new(path, message));
    }

    /// Notes a wrong field that is described already.
    pub(crate) fn push(&mut self, error: FieldError) {
        self.0.push(error);
    }

    /// The ways to the fields that were noted so far.
    pub(crate) fn paths(&self) -> Vec<Vec<String>> {
        self.0.iter().map(|it| it.path.clone()).collect()
    }

    /// Refuses when anything was noted.
    pub(crate) fn finish(self) -> Result<(), ApiError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(ApiError::fields(self.0))
        }
    }
}

/// A refusal. One allocation, so that results stay small.
#[derive(Debug)]
pub(crate) struct ApiError(Box<Parts>);

#[derive(Debug)]
struct Parts {
    status: StatusCode,
    code: ErrorCode,
    message: Cow<'static, str>,
    errors: Vec<FieldError>,
    details: Map<String, Value>,
    should_retry: Option<bool>,
    retry_after: Option<u64>,
}

impl ApiError {
    /// A refusal with these words.
    pub(crate) fn new(
        status: StatusCode,
        code: ErrorCode,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Box::new(Parts {
            status,
            code,
            message: message.into(),
            errors: Vec::new(),
            details: Map::new(),
            should_retry: None,
            retry_after: None,
        }))
    }

    /// 400: these fields are wrong. The message repeats the first.
    pub(crate) fn fields(errors: Vec<FieldError>) -> Self {
        let message = errors.first().map_or_else(
            || "The request is not valid".to_owned(),
            FieldError::sentence,
        );
        let mut error = Self::new(StatusCode::BAD_REQUEST, ErrorCode::InvalidRequest, message);
        error.0.errors = errors;
        error
    }

    /// 400: this field is wrong.
    pub(crate) fn field(path: &[&str], message: impl Into<String>) -> Self {
        Self::fields(vec![FieldError::new(path, message)])
    }

    /// 400: it does not fit the state of things.
    pub(crate) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorCode::BadRequest, message)
    }

    /// 401.
    pub(crate) fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            ErrorCode::Unauthorized,
            "Invalid or missing API key: send `Authorization: Bearer <key>`",
        )
    }

    /// 401: nobody is signed in.
    pub(crate) fn signed_out() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            ErrorCode::Unauthorized,
            "You are not signed in",
        )
    }

    /// 403: the key may not do this.
    pub(crate) fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, ErrorCode::Forbidden, message)
    }

    /// 404: there is no such `thing`.
    pub(crate) fn not_found(thing: &'static str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            ErrorCode::NotFound,
            format!("No such {thing}"),
        )
    }

    /// 413: the body is larger than `limit` bytes.
    pub(crate) fn payload_too_large(limit: usize) -> Self {
        let message = format!("The body is larger than {limit} bytes");
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            ErrorCode::PayloadTooLarge,
            message,
        )
        .detail("limit", limit)
    }

    /// 500: a fault of ours. `internal` is for the log alone.
    pub(crate) fn internal(internal: &str) -> Self {
        tracing::error!(error = internal, "a request met a fault of the server");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            ErrorCode::InternalError,
            "The server made a mistake; it is in its log",
        )
    }

    /// Adds a wrong field to a refusal of another kind.
    pub(crate) fn with_field(mut self, path: &[&str], message: impl Into<String>) -> Self {
        self.0.errors.push(FieldError::new(path, message));
        self
    }

    /// Adds something to `details`.
    pub(crate) fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.details.insert(name.to_owned(), value.into());
        self
    }

    /// Tells the client whether asking again can help, whatever the status suggests.
    pub(crate) fn should_retry(mut self, should: bool) -> Self {
        self.0.should_retry = Some(should);
        self
    }

    /// Tells the client when to ask again. At most 60: some clients wait whatever they are told.
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds.min(60));
        self
    }

    /// The body alone, for an answer that tells of a refusal.
    pub(crate) fn to_raw(&self) -> Option<Box<RawValue>> {
        serde_json::value::to_raw_value(&self.0.body()).ok()
    }

    /// The status.
    #[cfg(test)]
    pub(crate) fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The wrong fields.
    #[cfg(test)]
    pub(crate) fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }
}

impl From<Unavailable> for ApiError {
    /// 503. Nothing was changed, so that a retry is safe.
    fn from(error: Unavailable) -> Self {
        tracing::error!(error = %error, "the store did not answer");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::Unavailable,
            "The store is not available; nothing was changed",
        )
        .should_retry(true)
        .retry_after(1)
    }
}

impl From<ProviderError> for ApiError {
    /// 502, or 400 where the route is not configured for it.
    fn from(error: ProviderError) -> Self {
        let gateway = |words| Self::new(StatusCode::BAD_GATEWAY, ErrorCode::ProviderError, words);
        match error {
            ProviderError::Unreachable(why) => {
                tracing::warn!(%why, "a provider cannot be reached");
                gateway("The provider cannot be reached").should_retry(true)
            }
            ProviderError::Refused { code, text } => gateway("The provider refused")
                .should_retry(false)
                .detail("providerCode", String::from(code))
                .detail("providerMessage", String::from(text)),
            ProviderError::NotConfigured(why) => Self::bad_request(String::from(why)),
        }
    }
}

/// The body of every refusal.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub(crate) struct ErrorOut<'a> {
    /// What went wrong, for programs.
    code: ErrorCode,
    /// What went wrong, for people.
    #[schema(value_type = String)]
    message: &'a str,
    /// More, by code. `errors` names the wrong fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<DetailsOut<'a>>,
}

/// More about a refusal.
#[derive(Serialize, ToSchema)]
#[schema(as = ErrorDetails)]
pub(crate) struct DetailsOut<'a> {
    /// The wrong fields.
    #[schema(value_type = Vec<FieldError>, required = false)]
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    #[serde(flatten)]
    #[schema(ignore)]
    more: &'a Map<String, Value>,
}

impl Parts {
    fn body(&self) -> ErrorOut<'_> {
        let details = (!self.errors.is_empty() || !self.details.is_empty()).then_some(DetailsOut {
            errors: &self.errors,
            more: &self.details,
        });
        ErrorOut {
            code: self.code,
            message: &self.message,
            details,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let parts = *self.0;
        let mut response = json::response(parts.status, &parts.body());
        let headers = response.headers_mut();
        if parts.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if parts.status == StatusCode::PAYLOAD_TOO_LARGE {
            // The rest of the body is not read, so the connection ends here; a client that is not
            // told so would send its next request into it.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(should) = parts.should_retry {
            let word = if should { "true" } else { "false" };
            headers.insert(SHOULD_RETRY, HeaderValue::from_static(word));
        }
        if let Some(seconds) = parts.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
